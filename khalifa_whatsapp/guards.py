"""Who is asking, and may he? Every endpoint (whitelisted method, form, REST) starts here.

The answer is worked out once per request and kept in `frappe.local`; it is never kept longer, because a
role or an agent's row may change between two requests.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import frappe
from frappe import _
from frappe.model.document import Document

from khalifa_whatsapp.core.actor import AGENT_ROLE, MANAGER_ROLE, SYSTEM_MANAGER_ROLE, Actor

MANAGER_ROLES = frozenset({MANAGER_ROLE, SYSTEM_MANAGER_ROLE, "Administrator"})

Method = TypeVar("Method", bound=Callable[..., Any])


def current_actor(user: str | None = None) -> Actor:
	"""The actor behind `user`, or behind the present session."""
	user = user or frappe.session.user
	actors: dict[str, Actor] = getattr(frappe.local, "khalifa_actors", None) or _new_cache()
	if user not in actors:
		actors[user] = _load_actor(user)
	return actors[user]


def is_manager(user: str | None = None) -> bool:
	"""By roles alone, which Frappe keeps: hooks that every request passes ask so, and cost no query."""
	return not MANAGER_ROLES.isdisjoint(frappe.get_roles(user))


def is_agent(user: str | None = None) -> bool:
	"""Whether the user has an agent's role and no manager's."""
	return AGENT_ROLE in frappe.get_roles(user) and not is_manager(user)


def forget_actors() -> None:
	"""Work every actor out again: roles or agents were changed in this very request."""
	_new_cache()


def _new_cache() -> dict[str, Actor]:
	frappe.local.khalifa_actors = {}
	return frappe.local.khalifa_actors


def _load_actor(user: str) -> Actor:
	roles = set(frappe.get_roles(user))
	agent = _agent_row(user) if AGENT_ROLE in roles else None
	return Actor(
		user=user,
		full_name=(agent and agent.employee_name) or _full_name(user),
		agent=agent.name if agent else None,
		branch=agent.branch if agent else None,
		is_manager=not MANAGER_ROLES.isdisjoint(roles),
	)


def _agent_row(user: str) -> Any:
	return frappe.db.get_value(
		"Khalifa Agent", {"user": user, "enabled": 1}, ["name", "employee_name", "branch"], as_dict=True
	)


def _full_name(user: str) -> str:
	return frappe.db.get_value("User", user, "full_name") or user


def agent_only(method: Method) -> Method:
	"""Let agents in, and managers, who may do all that agents do."""

	@functools.wraps(method)
	def guarded(*args: Any, **kwargs: Any) -> Any:
		actor = current_actor()
		if not (actor.is_agent or actor.is_manager):
			refuse(_("Only WhatsApp agents can do this."))
		return method(*args, **kwargs)

	return guarded


def manager_only(method: Method) -> Method:
	"""Let managers in, and nobody else."""

	@functools.wraps(method)
	def guarded(*args: Any, **kwargs: Any) -> Any:
		if not current_actor().is_manager:
			refuse(_("Only WhatsApp managers can do this."))
		return method(*args, **kwargs)

	return guarded


def require_read(doctype: str, name: str) -> None:
	"""Refuse a record that the actor may not see, in the same words as one that does not exist."""
	if not isinstance(name, str) or not frappe.db.exists(doctype, name):
		refuse_record(doctype)
	if not frappe.has_permission(doctype, "read", doc=name):
		refuse_record(doctype)


def refuse_file(url: str) -> None:
	"""Refuse a file that the user may not read: a field with its address would hand it to others."""
	files = frappe.get_all("File", {"file_url": url, "is_private": 1, "is_folder": 0}, pluck="name", limit=50)
	if not any(frappe.get_doc("File", name).is_downloadable() for name in files):
		refuse(_("You may not use this file."))


def refuse_record(doctype: str) -> NoReturn:
	"""Refuse a row in the same way whether it is missing or closed to the user."""
	refuse(_("{0}: there is no such record, or you may not see it.").format(_(doctype)))


def refuse(message: str) -> NoReturn:
	"""Raise `PermissionError` with a text for people and a code for pages."""
	frappe.local.flags.disable_traceback = True
	frappe.local.response["code"] = "not_permitted"
	frappe.throw(message, frappe.PermissionError, title=_("Not Permitted"))


def refuse_change_by_hand(doc: Document) -> None:
	"""Rows that use cases write are closed to forms and REST, for everybody; a use case says who it is.

	`flags` can't come from a request: Document ignores them in what it is given.
	"""
	if doc.flags.by_use_case or is_setting_up():
		return
	refuse(_("{0} is written by the system. It can't be changed or deleted by hand.").format(_(doc.doctype)))


def is_setting_up() -> bool:
	"""Whether the app, or another, is being installed, migrated, patched or taken away."""
	flags = frappe.flags
	return bool(flags.in_install or flags.in_uninstall or flags.in_migrate or flags.in_patch)
