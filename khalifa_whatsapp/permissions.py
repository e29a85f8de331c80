"""Which rows a person may see, for lists (SQL conditions) and for single records.

Which rows of which DocType an agent sees is said in `core.doctypes`, and here in SQL; which tickets those are
is `core.ticket_access.can_see` (`tests/test_ticket_access.py` compares the two). A manager sees all rows.
Everybody else sees none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import frappe
from frappe.model.document import Document

from khalifa_whatsapp.access.queries import guard_queries
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.doctypes import BY_NAME, GUARDED, DocType, Rows
from khalifa_whatsapp.guards import current_actor

NOTHING = "1 = 0"
WRITING = frozenset({"create", "write", "delete"})
READING = frozenset({"read", "select", "print", "email", "report", "export"})

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
	if (ptype or "read") in WRITING & BY_NAME[doc.doctype].agents:
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
	known = BY_NAME.get(doctype)
	condition = CONDITIONS.get(known.rows) if known else None
	return condition(actor, known) if known and condition else NOTHING


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


def _visible(actor: Actor, _doctype: DocType) -> str:
	"""`can_see` of an agent."""
	ticket = "`tabKhalifa Ticket`"
	open_to_him = f"ifnull({ticket}.is_branch_only, 0) = 0"
	if actor.branch:
		open_to_him = f"({open_to_him} or {ticket}.branch = {_escape(actor.branch)})"
	queued = f"({ticket}.status = 'Queued' and {open_to_him})"
	return f"({_names_agent(actor, 'Khalifa Ticket', 'agent')} or {queued})"


def _of_visible_tickets(actor: Actor, doctype: DocType) -> str:
	return f"`tab{doctype.name}`.ticket in ({_visible_tickets(actor, 'name')})"


def _known_customers(actor: Actor, _doctype: DocType) -> str:
	of_tickets = f"`tabKhalifa Customer`.name in ({_visible_tickets(actor, 'customer')})"
	return f"({of_tickets} or {_names_agent(actor, 'Khalifa Customer', 'last_agent')})"


def _visible_tickets(actor: Actor, column: str) -> str:
	ticket = BY_NAME["Khalifa Ticket"]
	return f"select `tabKhalifa Ticket`.{column} from `tabKhalifa Ticket` where {_visible(actor, ticket)}"


def _own(actor: Actor, doctype: DocType) -> str:
	return _names_agent(actor, doctype.name, doctype.agent_field)


def _own_and_shared(actor: Actor, doctype: DocType) -> str:
	return f"({_own(actor, doctype)} or ifnull(`tab{doctype.name}`.{doctype.agent_field}, '') = '')"


def _approved(_actor: Actor, doctype: DocType) -> str:
	approved = "`tabKhalifa Provider Template`.status = 'APPROVED'"
	if not doctype.is_child:
		return approved
	parents = (
		f"select `tabKhalifa Provider Template`.name from `tabKhalifa Provider Template` where {approved}"
	)
	return f"`tab{doctype.name}`.parent in ({parents})"


def _names_agent(actor: Actor, doctype: str, column: str) -> str:
	return f"`tab{doctype}`.{column} = {_escape(actor.agent or '')}"


def _escape(value: str) -> str:
	"""A quoted SQL literal. The conditions run without parameters, so a percent sign stays single."""
	return frappe.db.escape(value, percent=False)


# What is not here shows an agent no row. `Rows.ALL` has no hook, so that nobody asks here
CONDITIONS: dict[Rows, Callable[[Actor, DocType], str]] = {
	Rows.VISIBLE_TICKETS: _visible,
	Rows.OF_VISIBLE_TICKETS: _of_visible_tickets,
	Rows.KNOWN_CUSTOMERS: _known_customers,
	Rows.OWN: _own,
	Rows.OWN_AND_SHARED: _own_and_shared,
	Rows.APPROVED: _approved,
}
