"""What open pages of Desk hear after a commit, through Frappe's own socket."""

from __future__ import annotations

from typing import NamedTuple

import frappe
from frappe.realtime import get_doctype_room
from frappe.utils.user import get_users_with_role

from khalifa_whatsapp.core.actor import AGENT_ROLE, MANAGER_ROLE, SYSTEM_MANAGER_ROLE
from khalifa_whatsapp.stores.base import Notice

# The socket server lets in only managers: Frappe tells this room names of tickets (access/rooms.py)
ROOM_OF_MANAGERS = get_doctype_room("Khalifa Ticket")
MANAGER_ROLES = frozenset({MANAGER_ROLE, SYSTEM_MANAGER_ROLE})


class Agents(NamedTuple):
	"""The users of agents who may work now, and of those who may not: disabled, or without the role."""

	working: list[str]
	dismissed: frozenset[str]


def publish(notices: list[Notice]) -> None:
	"""Tell the rooms of each notice after the commit, each room each thing once."""
	published: set[tuple[str, str, str]] = set()
	rooms_of: dict[tuple[str | None, str | None], list[dict[str, str]]] = {}
	agents = _agents() if any(notice.role is None for notice in notices) else Agents([], frozenset())
	for notice in notices:
		whom = notice.user, notice.role
		if whom not in rooms_of:
			rooms_of[whom] = _rooms(*whom, agents)
		for room in rooms_of[whom]:
			mark = (notice.event, repr(room), repr(notice.data))
			if mark not in published:
				published.add(mark)
				frappe.publish_realtime(notice.event, notice.data, after_commit=True, **room)


def _agents() -> Agents:
	agent, role, user = (frappe.qb.DocType(name) for name in ("Khalifa Agent", "Has Role", "User"))
	query = frappe.qb.from_(agent).left_join(user).on((user.name == agent.user) & (user.enabled == 1))
	query = query.left_join(role).on((role.parent == user.name) & (role.role == AGENT_ROLE))
	rows = query.select(agent.user, (agent.enabled == 1) & role.name.isnotnull()).orderby(agent.user).run()
	working = list(dict.fromkeys(name for name, is_working in rows if is_working))
	return Agents(working, frozenset(name for name, _is_working in rows) - set(working))


def _rooms(user: str | None, role: str | None, agents: Agents) -> list[dict[str, str]]:
	"""Of a person, unless it is an agent who may not work; of all who have the role; with neither,
	of agents and managers.
	"""
	if user:
		is_out = user in agents.dismissed and MANAGER_ROLES.isdisjoint(frappe.get_roles(user))
		return [] if is_out else [{"user": user}]
	if role:
		return [{"user": name} for name in get_users_with_role(role)]
	return [{"room": ROOM_OF_MANAGERS}, *({"user": name} for name in agents.working)]
