"""Quick replies as the inbox offers them, and what fills their blanks in a conversation."""

from __future__ import annotations

import dataclasses
from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.arabic import normalise
from khalifa_whatsapp.core.quick_replies import in_order, language_of, open_hours, parts
from khalifa_whatsapp.guards import current_actor

REPLY = "Khalifa Reply Template"
MESSAGE = "Khalifa Message"
FIELDS = (
	"name",
	"shortcut",
	"title",
	"body",
	"agent",
	"category",
	"language",
	"attachment",
	"usage_count",
)
ALWAYS_OPEN = [("00:00", "00:00")]


def offered(ticket: Any | None) -> list[dict[str, Any]]:
	"""Everybody's and one's own; those in the customer's language first."""
	agent = current_actor().agent
	replies = frappe.get_list(
		REPLY, filters={"enabled": 1}, fields=list(FIELDS), order_by="shortcut", limit=0
	)
	language = _customers_language(ticket.name) if ticket else ""
	return [_shown(row, agent) for row in in_order(replies, language)]


def values(ticket: Any) -> dict[str, str]:
	"""What is known of the conversation, by the names of blanks; what is not known is empty."""
	branch = ticket.branch or current_actor().branch
	known = (
		frappe.db.get_value("Khalifa Branch", branch, ["phone", "address"], as_dict=True) if branch else None
	)
	return {
		"customer": ticket.customer_name or "",
		"agent": current_actor().full_name or "",
		"branch": branch or "",
		"ticket": ticket.name,
		"phone": frappe.db.get_value("Khalifa Customer", ticket.customer, "phone") or "",
		"branch_phone": known.get("phone") or "",
		"branch_address": known.get("address") or "",
		"branch_hours": _hours(branch) if branch else "",
		"today": frappe.utils.formatdate(frappe.utils.nowdate()),
	}


def _branch(branch: str | None) -> dict[str, Any]:
	fields = ["phone", "address"]
	return (branch and frappe.db.get_value("Khalifa Branch", branch, fields, as_dict=True)) or {}


def count_use(reply: str) -> None:
	"""Count a quick reply that went out; its form stays as it is for whoever is editing it."""
	table = frappe.qb.DocType(REPLY)
	counted = frappe.qb.update(table).set(table.usage_count, table.usage_count + 1)
	counted.set(table.last_used_on, frappe.utils.now_datetime()).where(table.name == reply).run()


def _shown(row: Any, agent: str | None) -> dict[str, Any]:
	"""A row for the picker. `search`: what is found in it (`normalise`)."""
	owner = row.pop("agent")
	body = row.body or ""
	found_in = f"{row.shortcut} {row.title or ''} {row.category or ''} {body}"
	return {
		**row,
		"is_own": bool(agent and owner == agent),
		"is_shared": not owner,
		"parts": [dataclasses.asdict(part) for part in parts(body)],
		"search": normalise(found_in),
	}


def _customers_language(ticket: str) -> str:
	"""Of the last words that the customer wrote here."""
	last = {"ticket": ticket, "direction": "Incoming", "content_type": "text"}
	texts = frappe.get_all(MESSAGE, last, pluck="body", order_by="sent_ms desc", limit=1)
	return language_of(texts[0] or "") if texts else ""


def _hours(branch: str) -> str:
	spans = open_hours(on_site().rules().of_branch(branch).calendar, now_ms())
	if not spans:
		return _("closed today")
	if spans == ALWAYS_OPEN:
		return _("open 24 hours")
	return _(", ").join(f"{opening}–{closing}" for opening, closing in spans)
