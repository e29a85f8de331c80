"""Whose open pages are told that something happened to a ticket."""

from __future__ import annotations

from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.services.unit_of_work import UnitOfWork

MANAGER_ROLE = "WhatsApp Manager"


def tell_owner(work: UnitOfWork, ticket: r.Ticket, event: str, former: str | None = None) -> None:
	"""Tell the holder's page, the former holder's (that it is gone)
	and the managers' that something happened.
	"""
	data = {"ticket": ticket.name, "event": event}
	for name in filter(None, (ticket.agent, former)):
		agent = work.agent(name)
		if agent is not None and agent.enabled:
			work.tell("khalifa_whatsapp:ticket", data, user=agent.user)
	work.tell("khalifa_whatsapp:ticket", data, role=MANAGER_ROLE)
	if ticket.agent is None or (event == "assigned" and former is None):
		tell_of_queue(work)


def tell_of_queue(work: UnitOfWork) -> None:
	"""Tell every open inbox that the queue is not what it was; each reads of it what its own reader may."""
	work.tell("khalifa_whatsapp:queue", {})
