"""What managers ask about automatic replies: what would answer a text, and what a rule has sent and cost."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.query_builder.functions import Count, Max, Sum

from khalifa_whatsapp.api.decorators import endpoint
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import auto_replies
from khalifa_whatsapp.core.cost import MICROS
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.guards import manager_only, require_read
from khalifa_whatsapp.services.care import reply_trial

MAX_TEXT = 4_096  # characters, as of a real message
DAYS = 30


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def try_text(text: str, device: str = "", branch: str = "", customer: str = "") -> dict[str, Any]:
	"""What would answer this text now, and why each other rule would not. Nothing is sent."""
	if len(text) > MAX_TEXT:
		raise UserError("text_too_long", "At most {limit} characters.", limit=MAX_TEXT)
	for doctype, name in (
		("WhatsApp Device", device),
		("Khalifa Branch", branch),
		("Khalifa Customer", customer),
	):
		if name:
			require_read(doctype, name)
	trial = reply_trial.try_text(
		on_site(), text, device or _only_device(), branch, customer, now_ms(), newcomer=_("Customer")
	)
	return {
		"text": trial.text,
		"is_stopped": trial.is_stopped,
		"rules": [_shown(verdict) for verdict in trial.verdicts] + _disabled(),
	}


def _only_device() -> str:
	"""The device that customers write to, where there is but one."""
	devices = frappe.get_all("WhatsApp Device", {"enabled": 1}, pluck="name", limit=2)
	return devices[0] if len(devices) == 1 else ""


def _shown(verdict: auto_replies.Verdict) -> dict[str, Any]:
	why = auto_replies.REASONS.get(verdict.reason, "")
	return {
		"name": verdict.rule.name,
		"kind": verdict.rule.kind,
		"answers": not verdict.reason,
		"reason": _(why).format(minutes=verdict.minutes) if why else "",
	}


def _disabled() -> list[dict[str, Any]]:
	rows = frappe.get_all("Khalifa Auto Reply", {"enabled": 0}, ["name", "kind"], order_by="name")
	return [
		{"name": row.name, "kind": row.kind, "answers": False, "reason": _("It is disabled.")} for row in rows
	]


@frappe.whitelist()
@manager_only
@endpoint
def usage(rule: str) -> dict[str, Any]:
	"""How often a rule has answered, ever and in the last 30 days, to how many customers, when last;
	and what that cost, by currency.
	"""
	require_read("Khalifa Auto Reply", rule)
	message = frappe.qb.DocType("Khalifa Message")
	columns = (Count("*"), Count(message.customer).distinct(), Max(message.sent_on))
	((total, customers, last_on),) = (
		frappe.qb.from_(message).select(*columns).where(message.auto_reply == rule).run()
	)
	recent = {"auto_reply": rule, "sent_ms": (">", now_ms() - DAYS * DAY_MS)}
	return {
		"total": total,
		"lately": frappe.db.count("Khalifa Message", recent),
		"days": DAYS,
		"customers": customers,
		"last_on": last_on,
		"costs": _costs(rule),
	}


def _costs(rule: str) -> list[dict[str, Any]]:
	"""What gateways charged for its messages, as far as their price is known."""
	message = frappe.qb.DocType("Khalifa Message")
	rows = (
		frappe.qb.from_(message)
		.select(message.cost_currency, Sum(message.cost_micros))
		.where((message.auto_reply == rule) & (message.cost_micros > 0))
		.groupby(message.cost_currency)
		.orderby(message.cost_currency)
		.run()
	)
	return [{"currency": currency, "cost": int(micros) / MICROS} for currency, micros in rows]
