"""What Desk's lists and forms show beside a record's own fields;
each answer is one or a few queries for many rows.
"""

from __future__ import annotations

from typing import Any

import frappe

from khalifa_whatsapp.api import lateness
from khalifa_whatsapp.api.decorators import actor, endpoint
from khalifa_whatsapp.api.filters import ticket_filter
from khalifa_whatsapp.api.history import close_reason, history
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import deadlines, records, ticket_access
from khalifa_whatsapp.guards import agent_only, manager_only, require_read
from khalifa_whatsapp.services.customers.identities import NOT_A_DUPLICATE
from khalifa_whatsapp.services.tickets.actions import CLOSE_REASONS

MAX_ROWS = 500
LATEST = 20


@frappe.whitelist()
@agent_only
@endpoint
def waiting_states(tickets: Any) -> dict[str, str]:
	"""How the present wait of each ticket stands: `Late Soon` or `Delayed`; others are left out."""
	names = list(ticket_filter({"names": tickets}).names)[:MAX_ROWS]
	now = now_ms()
	rows = frappe.get_list(
		"Khalifa Ticket",
		filters={"name": ("in", names or [""])},
		fields=["name", "due_by_ms", "late_soon_ms"],
		limit=0,
	)
	states = {row.name: deadlines.state(now, row.due_by_ms, row.late_soon_ms) for row in rows}
	return {name: state for name, state in states.items() if state != deadlines.ON_TIME}


@frappe.whitelist()
@manager_only
@endpoint
def agent_loads() -> list[dict[str, Any]]:
	"""Enabled agents with presence and load, those online first."""
	store = on_site()
	settings = store.rules().settings
	order = {records.ONLINE: 0, records.AWAY: 1, records.OFFLINE: 2}
	rows = [
		{
			"agent": entry.agent.name,
			"name": entry.agent.employee_name,
			"branch": entry.agent.branch,
			"presence": entry.agent.presence,
			"open": entry.open,
			"pending": entry.pending,
			"load": round(entry.load(settings), 2),
			"capacity": entry.agent.capacity,
		}
		for entry in store.roster()
	]
	return sorted(rows, key=lambda row: (order[row["presence"]], row["load"] / row["capacity"], row["name"]))


@frappe.whitelist()
@agent_only
@endpoint
def ticket_form(ticket: str) -> dict[str, Any]:
	"""A ticket's form: how late it is, what the user may do with it, its history."""
	require_read("Khalifa Ticket", ticket)
	fields = [*ticket_access.FACTS, "close_reason", *lateness.FIELDS]
	row = frappe.db.get_value("Khalifa Ticket", ticket, fields, as_dict=True)
	who = actor()
	may = ticket_access.rights(who, row)
	return {
		**lateness.Clock(now_ms()).minutes(row),
		"can": {
			"transfer": may.transfer,
			"close": may.close,
			"reopen": may.reopen,
			"take": who.agent if may.take else "",
		},
		"close_reason": close_reason(row.close_reason or ""),
		"close_reasons": [{"value": reason, "label": close_reason(reason)} for reason in CLOSE_REASONS],
		"history": history(ticket),
	}


@frappe.whitelist()
@agent_only
@endpoint
def message_form(message: str) -> dict[str, Any]:
	"""A message's form: what the user may do about what became of it."""
	require_read("Khalifa Message", message)
	ticket = frappe.db.get_value("Khalifa Message", message, "ticket")
	row = frappe.db.get_value("Khalifa Ticket", ticket, ticket_access.FACTS, as_dict=True)
	may = ticket_access.rights(actor(), row)
	return {"can": {"send_again": may.reply, "settle": may.settle}}


@frappe.whitelist()
@agent_only
@endpoint
def receivers() -> dict[str, Any]:
	"""Who and which branches a conversation can be handed to: names and presence,
	no figures of colleagues.
	"""
	agents = frappe.get_all(
		"Khalifa Agent",
		{"enabled": 1, "presence": ("!=", records.OFFLINE)},
		["name", "employee_name", "branch", "presence"],
		order_by="employee_name",
		limit=0,
	)
	branches = frappe.get_all("Khalifa Branch", {"enabled": 1}, pluck="name", order_by="name", limit=0)
	return {"agents": agents, "branches": branches}


@frappe.whitelist()
@agent_only
@endpoint
def customer_form(customer: str) -> dict[str, Any]:
	"""A customer's form: the tickets the user may see, newest first; for managers the gateways' names too."""
	require_read("Khalifa Customer", customer)
	fields = ["name", "status", "agent_name", "opened_on", "closed_on", "close_reason"]
	tickets = frappe.get_list(
		"Khalifa Ticket",
		filters={"customer": customer},
		fields=fields,
		order_by="opened_ms desc",
		limit=LATEST,
	)
	for row in tickets:
		row.close_reason = close_reason(row.close_reason or "")
	identities, duplicate = [], None
	if actor().is_manager:
		identities = frappe.get_all(
			"Khalifa Customer Identity",
			{"customer": customer},
			["kind", "value", "left_on"],
			order_by="kind, value",
			limit=0,
		)
		duplicate = _duplicate_of(customer)
	return {"tickets": tickets, "identities": identities, "duplicate": duplicate}


def _duplicate_of(customer: str) -> dict[str, str] | None:
	"""The customer who may be the same person, until a manager has decided."""
	row = frappe.db.get_value("Khalifa Customer", customer, ["duplicate_of", "duplicate_state"], as_dict=True)
	if not row.duplicate_of or row.duplicate_state == NOT_A_DUPLICATE:
		return None
	other = {"name": row.duplicate_of, "merged_into": ("is", "not set")}
	return frappe.db.get_value("Khalifa Customer", other, ["name", "customer_name", "phone"], as_dict=True)


@frappe.whitelist()
@manager_only
@endpoint
def batch_items(batch: str, result: str | None = None) -> dict[str, Any]:
	"""The tickets of a run of «close all» with what came of each; those left alone first."""
	require_read("Khalifa Close Batch", batch)
	filters = {"batch": batch, **({"result": result} if result else {})}
	rows = frappe.get_all(
		"Khalifa Close Batch Item", filters, ["ticket", "result", "why"], order_by="ticket", limit=MAX_ROWS
	)
	facts = _ticket_facts([row.ticket for row in rows])
	for row in rows:
		row.update(facts.get(row.ticket, {}))
	rank = {"Skipped": 0, "Kept": 0, "Waiting": 1}
	rows.sort(key=lambda row: rank.get(row.result, 2))
	return {"total": frappe.db.count("Khalifa Close Batch Item", filters), "rows": rows}


def _ticket_facts(tickets: list[str]) -> dict[str, dict[str, Any]]:
	rows = frappe.get_all(
		"Khalifa Ticket",
		{"name": ("in", tickets or [""])},
		["name", "customer_name", "agent_name", "branch"],
		limit=0,
	)
	return {row.pop("name"): row for row in rows}
