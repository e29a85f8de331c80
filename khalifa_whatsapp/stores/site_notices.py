"""What open pages of Desk hear after a commit, through Frappe's own socket."""

from __future__ import annotations

import frappe
from frappe.realtime import get_doctype_room
from frappe.utils.user import get_users_with_role

from khalifa_whatsapp.stores.base import Notice

# The socket server lets in only those who may read tickets
ROOM_OF_ALL = get_doctype_room("Khalifa Ticket")


def publish(notices: list[Notice]) -> None:
	"""Tell the rooms of each notice after the commit, each room each thing once."""
	told: set[tuple[str, str, str]] = set()
	rooms_of: dict[str | None, list[dict[str, str]]] = {None: [{"room": ROOM_OF_ALL}]}
	for notice in notices:
		if notice.role not in rooms_of:
			rooms_of[notice.role] = [{"user": user} for user in get_users_with_role(notice.role)]
		for room in [{"user": notice.user}] if notice.user else rooms_of[notice.role]:
			mark = (notice.event, repr(room), repr(notice.data))
			if mark not in told:
				told.add(mark)
				frappe.publish_realtime(notice.event, notice.data, after_commit=True, **room)
