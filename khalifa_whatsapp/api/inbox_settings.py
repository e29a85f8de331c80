"""A person's own inbox, kept where Frappe keeps what users have set. Rules: `core.inbox_settings`."""

from __future__ import annotations

from typing import Any

import frappe

from khalifa_whatsapp.api import inbox_filters
from khalifa_whatsapp.api.decorators import endpoint
from khalifa_whatsapp.core import inbox_settings
from khalifa_whatsapp.core.errors import NotAllowed
from khalifa_whatsapp.core.inbox_settings import InboxSettings
from khalifa_whatsapp.core.ticket_access import holds
from khalifa_whatsapp.guards import agent_only, current_actor

KEY = "khalifa_inbox"
TICKET = "Khalifa Ticket"


def of_reader() -> InboxSettings:
	"""What the reader has set."""
	stored = frappe.defaults.get_user_default(KEY)
	return inbox_settings.read(stored if isinstance(stored, str) else None)


def shown() -> dict[str, Any]:
	"""The same for the page."""
	settings = of_reader()
	return {"views": [view.shown() for view in settings.views], "opens_next": settings.opens_next}


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def pin(ticket: str, is_pinned: bool = True) -> dict[str, Any]:
	"""Put one of one's own conversations on top of them, or take it down."""
	row = frappe.db.get_value(TICKET, ticket, ["name", "agent"], as_dict=True)
	actor = current_actor()
	if row is None or not holds(actor, row):
		raise NotAllowed("not_your_pin", "Only your own conversations can be pinned.")
	mine = {"agent": actor.agent, "status": ("in", ("Open", "Pending"))}
	still_open = set(frappe.get_all(TICKET, mine, pluck="name"))
	_keep(of_reader().with_pin(ticket, is_pinned, still_open))
	return {"ticket": ticket, "is_pinned": is_pinned}


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def save_view(name: str, view: str = "mine", filters: Any = None, sort: str = "") -> dict[str, Any]:
	"""Keep a list under a name; one of the same name is replaced."""
	wanted = inbox_settings.saved_view(name, view, inbox_filters.read(filters), inbox_filters.sort_of(sort))
	_keep(of_reader().with_view(wanted))
	return shown()


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def drop_view(name: str) -> dict[str, Any]:
	"""Keep a list no longer."""
	_keep(of_reader().without_view(name))
	return shown()


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def open_next(is_wanted: bool) -> dict[str, Any]:
	"""Whether closing a conversation opens the next one."""
	settings = of_reader()
	_keep(InboxSettings(settings.pins, settings.views, is_wanted))
	return shown()


def _keep(settings: InboxSettings) -> None:
	frappe.defaults.set_user_default(KEY, settings.written())
