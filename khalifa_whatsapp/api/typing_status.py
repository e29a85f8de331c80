"""Who else is writing in a conversation: for a few seconds, in Redis alone. With Redis down nobody is seen
writing.

Pages are told the real name, in the own rooms of those who may see the conversation now; one that hears
nothing asks.
"""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import frappe
import redis
from frappe.utils.user import get_users_with_role

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import actor_of
from khalifa_whatsapp.core.ticket_access import can_see
from khalifa_whatsapp.guards import AGENT_ROLE, MANAGER_ROLE

EVENT = "khalifa_whatsapp:typing"
SECONDS = 8


def show(ticket: str, name: str) -> None:
	"""This person writes here now."""
	with contextlib.suppress(redis.exceptions.RedisError):
		key = _key(ticket)
		frappe.cache.hset(key, frappe.session.user, json.dumps([name, time.time()]))
		frappe.cache.expire(frappe.cache.make_key(key), SECONDS * 2)


def publish(ticket: Any, name: str) -> None:
	"""Tell the open pages of those who may see the conversation's row. No commit: nothing was written."""
	data = {"ticket": ticket.name, "name": name, "seconds": SECONDS}
	with contextlib.suppress(redis.exceptions.RedisError):
		for user in sorted(_readers(ticket) - {frappe.session.user}):
			frappe.publish_realtime(EVENT, data, user=user)


def _readers(ticket: Any) -> set[str]:
	"""Managers, and agents who see it: the holder; of what is in the queue, those who are here."""
	wanted = {"name": ticket.agent} if ticket.agent else {"presence": ("!=", records.OFFLINE)}
	rows = frappe.get_all("Khalifa Agent", wanted, ["name", "user", "employee_name", "branch", "enabled"])
	agents = {row.user for row in rows if can_see(actor_of(row), ticket)}
	return set(get_users_with_role(MANAGER_ROLE)) | agents & set(get_users_with_role(AGENT_ROLE))


def others(ticket: str) -> list[str]:
	"""Names of colleagues who have been writing in the last seconds."""
	with contextlib.suppress(redis.exceptions.RedisError):
		writers = frappe.cache.hgetall(_key(ticket))
		return sorted(
			name
			for user, value in writers.items()
			if (user.decode() if isinstance(user, bytes) else user) != frappe.session.user
			for name, at in [_read(value)]
			if time.time() - at < SECONDS
		)
	return []


def _read(value: object) -> tuple[str, float]:
	try:
		name, at = json.loads(str(value))
		return str(name), float(at)
	except (ValueError, TypeError):
		return "", 0.0


def _key(ticket: str) -> str:
	return f"khalifa_typing:{ticket}"
