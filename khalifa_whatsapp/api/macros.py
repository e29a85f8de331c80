"""Macros as the inbox offers and runs them; an agent's own are written here, too."""

from __future__ import annotations

import json
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from khalifa_whatsapp.api import inbox_customer, inbox_replies, sending
from khalifa_whatsapp.api.decorators import actor, endpoint, hand_out
from khalifa_whatsapp.api.inbox import _visible as visible
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.errors import NotAllowed, NotFound, UserError
from khalifa_whatsapp.core.macros import FIELDS, MAX_STEPS, Step, step_of
from khalifa_whatsapp.core.quick_replies import parts
from khalifa_whatsapp.guards import agent_only
from khalifa_whatsapp.jobs import wake
from khalifa_whatsapp.services.outbound import macros
from khalifa_whatsapp.services.outbound.answer_drafts import Draft

MACRO, REPLY = "Khalifa Macro", "Khalifa Reply Template"
STEP_FIELDS = ("action", "snooze_minutes", *FIELDS)


@frappe.whitelist()
@agent_only
@endpoint
def offered() -> list[dict[str, Any]]:
	"""Everybody's and one's own, by title, with their steps."""
	return [_shown(frappe.get_doc(MACRO, name)) for name in _names(actor())]


def _names(who: Actor) -> list[str]:
	wanted = {"enabled": 1, "agent": ("in", ["", who.agent or ""])}
	return frappe.get_all(MACRO, wanted, pluck="name", order_by="title", limit=0)


def _shown(macro: Document) -> dict[str, Any]:
	names = {row.to_agent for row in macro.steps if row.to_agent}
	agents = dict(
		frappe.get_all(
			"Khalifa Agent", {"name": ("in", names or [""])}, ["name", "employee_name"], as_list=True
		)
	)
	return {
		"name": macro.name,
		"title": macro.title,
		"is_own": bool(macro.agent),
		"steps": [
			{
				**{field: row.get(field) for field in STEP_FIELDS},
				"to_agent_name": agents.get(row.to_agent, ""),
				"quick_reply_title": (
					frappe.db.get_value(REPLY, row.quick_reply, "title") if row.quick_reply else ""
				)
				or "",
			}
			for row in macro.steps
		],
	}


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def run(ticket: str, macro: str, client_key: str) -> dict[str, Any]:
	"""Do all steps of a macro in a conversation, or none; `client_key` makes a repeated tap one run."""
	row, who = visible(ticket), actor()
	used = _usable(who, macro)
	steps = tuple(step_of(row.as_dict()) for row in used.steps)
	helpers = macros.Helpers(
		lambda step: _draft(row, step),
		lambda customer, tag: inbox_customer.change_tag(customer, tag, is_added=True) and None,
	)
	chosen = macros.Macro(used.title, steps)
	try:
		can = sending.capabilities(ticket)
		is_done = macros.run(on_site(), who, ticket, chosen, helpers, client_key, now_ms(), can)
	except macros.StepRefused as error:
		reason = _(error.cause.text).format(**error.cause.values)
		raise UserError(
			error.code,
			"Nothing was done, because of step {number}: {step_reason}",
			number=error.number,
			step_reason=reason,
		) from None
	wake.wake_outbox(row.device)
	hand_out()
	return {"ticket": ticket, "is_done": is_done}


def _usable(who: Actor, name: str) -> Document:
	if name not in _names(who):
		raise NotFound("no_such_macro", "There is no such macro. Choose one from the list.")
	return frappe.get_doc(MACRO, name)


def _draft(row: Any, step: Step) -> Draft:
	"""What a step says, its blanks filled in. A quick reply that the reader may not see is refused."""
	body = step.text if not step.quick_reply else frappe.db.get_value(REPLY, step.quick_reply, "body")
	text = _filled(row, body or "")
	if step.quick_reply:
		return sending.quick_reply_draft(row.name, step.quick_reply, text, None)
	return Draft(text)


def _filled(row: Any, body: str) -> str:
	known, empty = inbox_replies.values(row), []
	pieces = []
	for part in parts(body):
		value = known.get(part.blank, "") if part.blank else part.text
		empty += [part.blank] if part.blank and not value else []
		pieces.append(value)
	if empty:
		names = ", ".join(f"{{{name}}}" for name in empty)
		raise UserError("blanks_empty", "{names} is not known here. Write this answer by hand.", names=names)
	return "".join(pieces)


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def save(title: str, steps: Any, macro: str = "") -> dict[str, Any]:
	"""Write a macro of one's own: a new one, or in the place of an old one."""
	who = actor()
	if who.agent is None:
		raise NotAllowed("not_an_agent", "You are not an agent. Ask a manager to add you.")
	doc = _own(who, macro) if macro else frappe.new_doc(MACRO, agent=who.agent)
	doc.title = title
	doc.set("steps", _given(steps))
	doc.save(ignore_permissions=True)
	return _shown(doc)


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def remove(macro: str) -> dict[str, Any]:
	"""Take away a macro of one's own."""
	_own(actor(), macro).delete(ignore_permissions=True)
	return {"macro": macro}


def _own(who: Actor, name: str) -> Document:
	if not who.agent or frappe.db.get_value(MACRO, name, "agent") != who.agent:
		raise NotFound("no_such_macro", "There is no such macro. Choose one from the list.")
	return frappe.get_doc(MACRO, name)


def _given(steps: Any) -> list[dict[str, Any]]:
	try:
		rows = json.loads(steps) if isinstance(steps, str) else steps
	except ValueError:
		rows = None
	is_list = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
	if not is_list or len(rows) > MAX_STEPS:
		raise UserError("bad_argument", "{argument} has a value that can't be used.", argument="steps")
	return [{field: _plain(row.get(field)) for field in STEP_FIELDS} for row in rows]


def _plain(value: Any) -> Any:
	return value if isinstance(value, str | int) else ""
