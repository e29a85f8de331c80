"""What open pages of Desk hear after a commit, through Frappe's own socket."""

from __future__ import annotations

import frappe
from frappe.realtime import get_doctype_room
from frappe.utils.user import get_users_with_role

from khalifa_whatsapp.stores.base import Notice

# The socket server lets in only managers: Frappe tells this room names of tickets (access/rooms.py)
ROOM_OF_MANAGERS = get_doctype_room("Khalifa Ticket")
AGENT_ROLE = "WhatsApp Agent"


def publish(notices: list[Notice]) -> None:
	"""Tell the rooms of each notice after the commit, each room each thing once."""
	told: set[tuple[str, str, str]] = set()
	rooms_of: dict[str | None, list[dict[str, str]]] = {}
	for notice in notices:
		if not notice.user and notice.role not in rooms_of:
			rooms_of[notice.role] = _rooms(notice.role)
		for room in [{"user": notice.user}] if notice.user else rooms_of[notice.role]:
			mark = (notice.event, repr(room), repr(notice.data))
			if mark not in told:
				told.add(mark)
				frappe.publish_realtime(notice.event, notice.data, after_commit=True, **room)


def _rooms(role: str | None) -> list[dict[str, str]]:
	"""Of all who have the role; without one, of agents and managers."""
	if role:
		return [{"user": user} for user in get_users_with_role(role)]
	return [{"room": ROOM_OF_MANAGERS}, *_rooms(AGENT_ROLE)]
