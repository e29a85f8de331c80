"""Consent and satisfaction: an agent writes down a wish or asks for a rating, a manager brings a list."""

from __future__ import annotations

import json
from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp import site_audit
from khalifa_whatsapp.api import sending
from khalifa_whatsapp.api.decorators import actor, endpoint
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import audit
from khalifa_whatsapp.core.care_records import ConsentEvent
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.metrics import N_
from khalifa_whatsapp.core.phones import MESSAGES
from khalifa_whatsapp.guards import agent_only, manager_only
from khalifa_whatsapp.jobs import wake
from khalifa_whatsapp.services.care import consent, surveys


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def set_promotions(ticket: str, is_stopped: bool, source: str = "") -> dict[str, Any]:
	"""Write down that the customer wants no promotions, or wants them again, and where he or she said so.

	`source`: `In Person`, `By Phone`, `In the Conversation` or `Another Way`.
	"""
	can = sending.capabilities(ticket)
	customer = consent.set_by_agent(on_site(), actor(), ticket, is_stopped, source, now_ms(), can)
	_wake(ticket)
	return {"opted_out": bool(customer.is_opted_out)}


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def ask_rating(ticket: str) -> dict[str, Any]:
	"""Ask the customer of a conversation for a rating now."""
	survey = surveys.ask(on_site(), actor(), ticket, now_ms(), sending.capabilities(ticket))
	_wake(ticket)
	return {"state": survey.state}


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def import_opt_outs(lines: Any) -> list[dict[str, str]]:
	"""Stop promotions to the numbers of a list, at most a thousand lines in one call.

	Each line comes back with its `result` (`stopped`, `already`, `twice`, `wrong`), its number and, when it
	is wrong, a sentence that says why.
	"""
	done = consent.stop_all(on_site(), actor(), _lines(lines), now_ms())
	stopped = sum(one.result == consent.DONE for one in done)
	site_audit.note(
		audit.CUSTOMER,
		audit.IMPORTED,
		document_type=ConsentEvent.DOCTYPE,
		values={N_("Promotions Stopped"): f"{stopped} / {len(done)}"},
	)
	return [
		{
			"line": one.line,
			"result": one.result,
			"number": one.number,
			"text": _(MESSAGES[one.error.code]).format(**one.error.values) if one.error else "",
		}
		for one in done
	]


def _lines(given: Any) -> list[str]:
	"""A list of lines, or a text with line breaks."""
	listed = given
	if isinstance(given, str):
		try:
			listed = json.loads(given)
		except ValueError:
			listed = given.splitlines()
	if not isinstance(listed, list) or not all(isinstance(line, str | int) for line in listed):
		raise UserError("bad_argument", "{argument} has a value that can't be used.", argument="lines")
	return [str(line) for line in listed]


def _wake(ticket: str) -> None:
	device = frappe.db.get_value("Khalifa Ticket", ticket, "device")
	if device:
		wake.wake_outbox(device)
