"""The minute's part of automatic replies: waits that have become long, and managers told of stopped ones."""

from __future__ import annotations

import frappe
from frappe import _
from frappe.utils.user import get_users_with_role

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import reply_loops
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.guards import MANAGER_ROLE
from khalifa_whatsapp.jobs.alerts import language_of, notify
from khalifa_whatsapp.services.care import auto_replies
from khalifa_whatsapp.site_devices import get_device
from khalifa_whatsapp.stores.base import Store

TICKET = "Khalifa Ticket"
LIMIT = 50  # conversations of one minute: each costs one notification for every manager


def answer_waits(store: Store) -> int:
	"""Answer waits that have become long; how many were looked at."""
	return auto_replies.scan_waits(store, _capabilities, now_ms())


def _capabilities(device: str) -> Capabilities | None:
	site_device = get_device(device)
	return site_device.driver.capabilities if site_device is not None else None


def notify_of_stopped() -> int:
	"""Notify managers and the holder, once, of conversations whose automatic replies have stopped.

	How many conversations.
	"""
	stopped = {"auto_stop": reply_loops.STOP_NEW}
	fields = ["name", "customer_name", "agent"]
	tickets = frappe.get_all(TICKET, stopped, fields, order_by="name", limit=LIMIT)
	if not tickets:
		return 0
	managers, holders = get_users_with_role(MANAGER_ROLE), _users([row.agent for row in tickets])
	for row in tickets:
		for user in dict.fromkeys([*managers, *holders.get(row.agent, ())]):
			notify(user, TICKET, row.name, _subject(user, row))
	names = [row.name for row in tickets]
	frappe.db.set_value(
		TICKET,
		{"name": ("in", names), **stopped},
		"auto_stop",
		reply_loops.STOP_NOTIFIED,
		update_modified=False,
	)
	frappe.db.commit()
	return len(tickets)


def _users(agents: list[str | None]) -> dict[str, list[str]]:
	wanted = {"name": ("in", [name for name in agents if name]), "enabled": 1}
	return {row.name: [row.user] for row in frappe.get_all("Khalifa Agent", wanted, ["name", "user"])}


def _subject(user: str, row: frappe._dict) -> str:
	text = _("Automatic replies to {0} went round in a circle and stopped. Please answer.", language_of(user))
	return text.format(f"\u2068{row.customer_name or row.name}\u2069")
