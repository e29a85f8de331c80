"""Which rows a person may see, for lists (SQL conditions) and for single records.

Which tickets an agent sees is `core.ticket_access.can_see`, here as SQL (`tests/test_ticket_access.py`
compares the two); what belongs to a ticket is seen with it. A manager sees all rows. Everybody else sees
none.
"""

from __future__ import annotations

from typing import Any

import frappe
from frappe.model.document import Document

from khalifa_whatsapp.access.queries import guard_queries
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.guards import current_actor

NOTHING = "1 = 0"
WRITING = frozenset({"create", "write", "delete"})
READING = frozenset({"read", "select", "print", "email", "report", "export"})

# DocTypes whose rows belong to a ticket, by their field `ticket`. A delay that is charged to an agent leaves
# his lists with the ticket: from a row that he may read, Frappe's lists reach every field of the ticket and
# of the customer that it links to (`ticket.preview`), with no question asked of those.
OF_TICKET = (
	"Khalifa Ticket Event",
	"Khalifa Message",
	"Khalifa Turn",
	"Khalifa Turn Segment",
	"Khalifa Delay Event",
)
# DocTypes that are no business of agents at all
MANAGERS_ONLY = (
	"Khalifa Customer Identity",
	"Khalifa Message Status",
	"Khalifa Presence Log",
	"Khalifa KPI Day",
	"Khalifa Close Batch",
	"Khalifa Close Batch Item",
	"Khalifa Webhook Event",
	"Khalifa Settings",
	"Khalifa Alert",
	"Khalifa Browser Session",
	"Khalifa Device Notice",
	"WhatsApp Device",
)
OWN_ROW_FIELD = {"Khalifa Agent": "name", "Khalifa Agent KPI": "agent", "Khalifa Agent Shift": "parent"}
# Quick replies: everybody's and his own are read, his own are written
TEMPLATES = ("Khalifa Reply Template", "Khalifa Provider Template")
GUARDED = frozenset(
	{"Khalifa Ticket", "Khalifa Customer", *TEMPLATES, *OF_TICKET, *MANAGERS_ONLY, *OWN_ROW_FIELD}
)

# Here, because Frappe comes here for the condition of any list of ours before it runs it
guard_queries(GUARDED)


def query_conditions(user: str | None = None, doctype: str | None = None) -> str:
	"""The SQL condition on `doctype` that leaves the rows `user` may see; "" when that is all of them."""
	actor = current_actor(user)
	if actor.is_manager:
		return ""
	if not actor.is_agent or doctype is None:
		return NOTHING
	return _agent_condition(actor, doctype)


def has_permission(doc: Document, ptype: str | None = None, user: str | None = None, **kwargs: Any) -> bool:
	"""Deny agents every row outside their condition, and every right but reading. Roles say the rest."""
	actor = current_actor(user)
	if actor.is_manager:
		return True
	if not actor.is_agent:
		return False
	if doc.doctype == "Khalifa Reply Template" and (ptype or "read") in WRITING:
		return _may_write_template(actor, doc)
	if (ptype or "read") not in READING or doc.is_new():
		return False
	return is_row_visible(doc.doctype, doc.name, user)


def is_row_visible(doctype: str, name: str, user: str | None = None) -> bool:
	"""Whether the row passes the condition of its list, as it is in the database now."""
	if frappe.get_meta(doctype).issingle:
		return current_actor(user).is_manager
	condition = query_conditions(user, doctype) or "1 = 1"
	table, wanted = f"`tab{doctype}`", _escape(str(name))
	# SQL: the condition is text, as Frappe's hook wants it
	return bool(frappe.db.sql(f"select 1 from {table} where {table}.name = {wanted} and ({condition})"))


def _agent_condition(actor: Actor, doctype: str) -> str:
	if doctype == "Khalifa Ticket":
		return _own_or_queued(actor)
	if doctype == "Khalifa Customer":
		return _own_customers(actor)
	if doctype in OF_TICKET:
		return _of_visible_tickets(actor, doctype)
	if doctype in OWN_ROW_FIELD:
		return _is_own(actor, doctype, OWN_ROW_FIELD[doctype])
	if doctype == "Khalifa Reply Template":
		mine = _is_own(actor, doctype, "agent")
		return f"({mine} or ifnull(`tabKhalifa Reply Template`.agent, '') = '')"
	if doctype == "Khalifa Provider Template":
		return "`tabKhalifa Provider Template`.status = 'APPROVED'"
	return NOTHING


def _may_write_template(actor: Actor, doc: Document) -> bool:
	"""An agent writes what is only for him, and was so before."""
	if not actor.agent or doc.agent != actor.agent:
		return False
	return doc.is_new() or is_own_template(doc.name, actor.agent)


def is_own_template(name: str, agent: str) -> bool:
	"""Whether the quick reply is this agent's, as it is in the database now."""
	return frappe.db.get_value("Khalifa Reply Template", name, "agent") == agent


def keep_owner(doc: Document, method: str | None = None) -> None:
	"""An agent's browser was shown a name in the owner's place, and sends that back."""
	if not doc.is_new():
		doc.owner = frappe.db.get_value(doc.doctype, doc.name, "owner")


def _own_or_queued(actor: Actor) -> str:
	"""`can_see` of an agent."""
	ticket = "`tabKhalifa Ticket`"
	open_to_him = f"ifnull({ticket}.is_branch_only, 0) = 0"
	if actor.branch:
		open_to_him = f"({open_to_him} or {ticket}.branch = {_escape(actor.branch)})"
	queued = f"({ticket}.status = 'Queued' and {open_to_him})"
	return f"({_is_own(actor, 'Khalifa Ticket', 'agent')} or {queued})"


def _of_visible_tickets(actor: Actor, doctype: str) -> str:
	return f"`tab{doctype}`.ticket in ({_visible_tickets(actor, 'name')})"


def _own_customers(actor: Actor) -> str:
	of_tickets = f"`tabKhalifa Customer`.name in ({_visible_tickets(actor, 'customer')})"
	return f"({of_tickets} or {_is_own(actor, 'Khalifa Customer', 'last_agent')})"


def _visible_tickets(actor: Actor, column: str) -> str:
	return f"select `tabKhalifa Ticket`.{column} from `tabKhalifa Ticket` where {_own_or_queued(actor)}"


def _is_own(actor: Actor, doctype: str, column: str) -> str:
	return f"`tab{doctype}`.{column} = {_escape(actor.agent or '')}"


def _escape(value: str) -> str:
	"""A quoted SQL literal. The conditions run without parameters, so a percent sign stays single."""
	return frappe.db.escape(value, percent=False)
