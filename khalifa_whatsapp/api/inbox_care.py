"""What the inbox shows of consent and satisfaction beside a conversation."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp.core import satisfaction, ticket_access
from khalifa_whatsapp.core.actor import Actor

CUSTOMER, SURVEY, CONSENT = "Khalifa Customer", "Khalifa Satisfaction", "Khalifa Consent Event"


def head(actor: Actor, row: Any) -> dict[str, Any]:
	"""Whether the customer wants no promotions, how far the survey is, and whether the reader may ask now."""
	wanted = {"ticket": row.name, "cycle": row.cycle}
	survey = frappe.db.get_value(SURVEY, wanted, ["state", "score", "message"], as_dict=True)
	is_asked = survey is not None and bool(survey.message)
	is_free = not row.waiting_since_ms and not is_asked
	return {
		"opted_out": has_opted_out(row.customer),
		"survey": {"state": survey.state, "score": survey.score or None, "label": label(survey)}
		if survey
		else None,
		"may_ask": is_free and bool(ticket_access.can_settle(actor, row)),
	}


def label(survey: Any) -> str:
	"""How far a survey is, in a few words."""
	if survey.score:
		return _("Rated {0} of 5").format(survey.score)
	if survey.state == satisfaction.PLANNED and not survey.message:
		return _("A rating will be asked for")
	return _("Asked for a rating") if survey.state in satisfaction.AWAITED else ""


def has_opted_out(customer: str) -> bool:
	"""Whether the customer wants no promotions."""
	return bool(frappe.db.get_value(CUSTOMER, customer, "is_opted_out"))


def consent(customer: str) -> dict[str, Any] | None:
	"""The latest wish about promotions: where and when it was said, and who wrote it down."""
	fields = ["wish", "source", "at_ms", "actor_name"]
	latest = frappe.get_all(CONSENT, {"customer": customer}, fields, order_by="at_ms desc", limit=1)
	return {**latest[0], "source": _(latest[0].source)} if latest else None
