"""Whose open pages are told that something happened to a ticket."""

from __future__ import annotations

from khalifa_whatsapp.core import records
from khalifa_whatsapp.services.unit_of_work import UnitOfWork

MANAGER_ROLE = "WhatsApp Manager"


def notify_owner(work: UnitOfWork, ticket: records.Ticket, event: str, former: str | None = None) -> None:
	"""Tell the holder's page, the former holder's (that it is gone)
	and the managers' that something happened.
	"""
	data = {"ticket": ticket.name, "event": event}
	for name in filter(None, (ticket.agent, former)):
		agent = work.agent(name)
		if agent is not None and agent.enabled:
			work.publish("khalifa_whatsapp:ticket", data, user=agent.user)
	work.publish("khalifa_whatsapp:ticket", data, role=MANAGER_ROLE)
	if ticket.agent is None or (event == "assigned" and former is None):
		publish_queue_change(work)


def publish_queue_change(work: UnitOfWork) -> None:
	"""Tell every open inbox that the queue is not what it was; each reads of it what its own reader may."""
	work.publish("khalifa_whatsapp:queue", {})
