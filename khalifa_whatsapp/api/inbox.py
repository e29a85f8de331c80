"""The inbox page's endpoints: its list, a thread, the customer beside it, and who else is writing.

Rows are asked for with the reader's own condition (`permissions`), so what is not his or hers is not there: a
foreign conversation and none are refused in the same words. Logins are in no answer.
"""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import frappe

from khalifa_whatsapp.api import (
	inbox_care,
	inbox_customer,
	inbox_filters,
	inbox_missing,
	inbox_replies,
	inbox_rows,
	inbox_settings,
	inbox_templates,
	inbox_thread,
	typing_status,
)
from khalifa_whatsapp.api.decorators import endpoint
from khalifa_whatsapp.api.inbox_people import People
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import ticket_access
from khalifa_whatsapp.core.quick_replies import KNOWN, MAX_TEXT, parts, unknown
from khalifa_whatsapp.guards import agent_only, current_actor, refuse_record
from khalifa_whatsapp.jobs import receipts
from khalifa_whatsapp.services.tickets import actions
from khalifa_whatsapp.services.tickets.actions import CLOSE_REASONS
from khalifa_whatsapp.stores.base import Conflict, StoreUnavailable

MAX_ROWS = 100
MAX_NAMES = 50
TICKET = "Khalifa Ticket"


@frappe.whitelist()
@endpoint
def boot() -> dict[str, Any]:
	"""What the page needs once: who I am, the company's branches, and why one may close.

	Counts come with the first page of conversations, which the page asks for next: to count twice is half of
	the time. Who has the role and can't work yet learns what is missing, and who can mend it.
	"""
	actor = current_actor()
	if not (actor.is_agent or actor.is_manager):
		return {"missing": inbox_missing.what_is_missing(actor)}
	presence = frappe.db.get_value("Khalifa Agent", actor.agent, "presence") if actor.agent else None
	return {
		"me": {
			"agent": actor.agent,
			"name": actor.full_name,
			"is_manager": actor.is_manager,
			"availability": presence,
			"may_become_agent": inbox_missing.may_become_agent(actor),
		},
		"now_ms": now_ms(),
		"branches": frappe.get_all("Khalifa Branch", {"enabled": 1}, pluck="name", order_by="name"),
		"close_reasons": list(CLOSE_REASONS),
		"settings": inbox_settings.shown(),
	}


@frappe.whitelist()
@agent_only
@endpoint
def agents() -> list[dict[str, Any]]:
	"""Colleagues to hand a conversation to: names, presence and room."""
	store = on_site()
	settings = store.rules().settings
	return [
		{
			"agent": entry.agent.name,
			"name": entry.agent.employee_name,
			"branch": entry.agent.branch,
			"availability": entry.agent.presence,
			"load": round(entry.load(settings), 1),
			"capacity": entry.agent.capacity,
		}
		for entry in store.roster()
	]


@frappe.whitelist()
@agent_only
@endpoint
def conversations(
	view: str = "mine",
	search: str = "",
	cursor: str = "",
	limit: int = 30,
	filters: Any = None,
	sort: str = "",
) -> dict[str, Any]:
	"""A page of conversations: `mine`, `queue`, `delayed`, `all` (managers) or `closed`, and the counts of
	all views with the same filters.

	`filters`: JSON of `branch`, `device`, `agent`, `tag`, `is_unread`. `sort`: `newest`, `waiting`, `due`;
	empty: the view's own order. A search leaves the view aside: it looks through all that the reader may see,
	and each line says what matched.
	"""
	actor = current_actor()
	asked = _asked(view, search, filters, sort, max(1, min(limit, MAX_ROWS)), cursor)
	lines, next_cursor = inbox_rows.page(actor, asked, now_ms())
	return {
		"rows": lines,
		"next_cursor": next_cursor,
		"is_descending": inbox_rows.is_descending(actor, asked),
		"counts": inbox_rows.counts(actor, asked.filters),
		"now_ms": now_ms(),
	}


def _asked(
	view: str, search: str, filters: Any, sort: str, limit: int, cursor: str = ""
) -> inbox_rows.ListQuery:
	narrowed, order = inbox_filters.read(filters), inbox_filters.sort_of(sort)
	return inbox_rows.ListQuery(view, search, cursor, limit, narrowed, order)


@frappe.whitelist()
@agent_only
@endpoint
def rows(
	tickets: Any, view: str = "mine", search: str = "", filters: Any = None, sort: str = ""
) -> dict[str, Any]:
	"""These conversations as lines of a list, those that the reader may (still) see.

	Each line says whether the list holds it; what is not in the answer has left every list of this reader.
	"""
	actor = current_actor()
	names = inbox_rows.names_from(tickets)[:MAX_NAMES]
	asked = _asked(view, search, filters, sort, MAX_NAMES)
	lines = inbox_rows.by_name(actor, names, asked, now_ms())
	return {"rows": lines, "counts": inbox_rows.counts(actor, asked.filters), "now_ms": now_ms()}


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def open_conversation(
	ticket: str,
	view: str = "mine",
	search: str = "",
	is_seen: bool = True,
	limit: int = 50,
	filters: Any = None,
	sort: str = "",
	around: str = "",
) -> dict[str, Any]:
	"""All that the page shows when a conversation is opened, in one answer: thread, customer, its line in the
	list.

	The holder has read it thereby, when it is before his or her eyes (`is_seen`).
	"""
	row = _visible(ticket)
	if is_seen and _mark_read(row):
		row.unread_count = 0
	who = current_actor()
	asked = _asked(view, search, filters, sort, 1)
	return {
		**_thread(row, "", limit, around),
		"customer": inbox_customer.panel(row),
		"row": next(iter(inbox_rows.by_name(who, [ticket], asked, now_ms())), None),
		"counts": inbox_rows.counts(who, asked.filters),
	}


def _mark_read(row: Any) -> bool:
	"""What a busy database leaves unread, the next look marks: it is no reason to show nothing."""
	who = current_actor()
	if not ticket_access.holds(who, row) or not row.unread_count:
		return False
	with contextlib.suppress(Conflict, StoreUnavailable):
		actions.mark_read(on_site(), who, row.name, now_ms())
		receipts.note_read(who, row)
		return True
	return False


@frappe.whitelist()
@agent_only
@endpoint
def thread(ticket: str, before: str = "", limit: int = 50, around: str = "") -> dict[str, Any]:
	"""A conversation with its latest messages and events, or those before a cursor.

	`around`: the name of a message: then all from shortly before it to the latest.
	"""
	return _thread(_visible(ticket), before, limit, around)


def _thread(row: Any, before: str, limit: int, around: str = "") -> dict[str, Any]:
	now, people = now_ms(), People(row)  # the time first: what changes while we read is asked for again
	size = max(1, min(limit, MAX_ROWS))
	read = inbox_thread.page_back_to(row.name, around, size) if around else None
	items, next_before = read or inbox_thread.page(row.name, before, size)
	return {
		"ticket": _head(row, people),
		"items": people.name(items),
		"next_before": next_before,
		**inbox_thread.abilities(row, people.window_from_ms),
		"typing": typing_status.others(row.name),
		"now_ms": now,
	}


@frappe.whitelist()
@agent_only
@endpoint
def changes(ticket: str, after_ms: int = 0) -> dict[str, Any]:
	"""What was added or changed since the server's time of the last answer."""
	now, row = now_ms(), _visible(ticket)
	people = People(row)
	items = people.name(inbox_thread.since(ticket, after_ms or 0))
	return {
		"ticket": _head(row, people),
		"items": items,
		**inbox_thread.abilities(row, people.window_from_ms),
		"typing": typing_status.others(ticket),
		"now_ms": now,
	}


def _head(row: Any, people: People) -> dict[str, Any]:
	actor = current_actor()
	return inbox_thread.head(actor, row) | people.head() | inbox_care.head(actor, row)


@frappe.whitelist()
@agent_only
@endpoint
def customer(ticket: str) -> dict[str, Any]:
	"""The customer of a conversation: numbers, tags, notes, earlier conversations, what the books say."""
	return inbox_customer.panel(_visible(ticket))


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def save_customer_notes(ticket: str, notes: str = "") -> dict[str, Any]:
	"""Write the notes on the customer, whole."""
	return inbox_customer.save_notes(_visible(ticket).customer, notes)


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def add_tag(ticket: str, tag: str) -> dict[str, Any]:
	"""Put a tag on the customer."""
	return inbox_customer.change_tag(_visible(ticket).customer, tag, is_added=True)


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def remove_tag(ticket: str, tag: str) -> dict[str, Any]:
	"""Take a tag off the customer."""
	return inbox_customer.change_tag(_visible(ticket).customer, tag, is_added=False)


@frappe.whitelist()
@agent_only
@endpoint
def quick_replies(ticket: str | None = None) -> list[dict[str, Any]]:
	"""What `/` offers: everybody's and one's own. With a conversation, those in its customer's language
	first.
	"""
	return inbox_replies.offered(_visible(ticket) if ticket else None)


@frappe.whitelist()
@agent_only
@endpoint
def quick_reply_values(ticket: str) -> dict[str, str]:
	"""What is known of a conversation for the blanks of quick replies; unknown ones are empty."""
	return inbox_replies.values(_visible(ticket))


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def look_at_quick_reply(body: str) -> dict[str, Any]:
	"""A text as the form of a quick reply shows it: taken apart, the names that nobody fills in, and those
	that can be used.
	"""
	text = body[:MAX_TEXT]
	return {
		"parts": [dataclasses.asdict(part) for part in parts(text)],
		"unknown": unknown(text),
		"known": list(KNOWN),
	}


@frappe.whitelist()
@agent_only
@endpoint
def templates(ticket: str) -> list[dict[str, Any]]:
	"""Templates of the conversation's number, those that can be sent first, with the values that each needs.

	`why_not` says, in the reader's language, why one can't be sent now.
	"""
	shown = _visible(ticket)
	return inbox_templates.offered(shown.device, shown.customer)


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def typing(ticket: str) -> dict[str, Any]:
	"""Say that I am writing here, for a few seconds."""
	row = _visible(ticket)
	name = current_actor().full_name or ""
	typing_status.show(row.name, name)
	typing_status.publish(row, name)
	receipts.note_typing(current_actor(), row)
	return {"ticket": ticket}


def _visible(ticket: str) -> Any:
	"""The conversation's row, read once, when the reader may see it."""
	table = frappe.qb.DocType(TICKET)
	rows = frappe.qb.from_(table).select("*").where(table.name == ticket).run(as_dict=True)
	if not rows or not frappe.has_permission(
		TICKET, "read", doc=frappe.get_doc({**rows[0], "doctype": TICKET})
	):
		refuse_record(TICKET)
	return rows[0]
