"""What managers do with a campaign in its form: plan, look at it on their own phone, start, approve, pause,
resume, cancel; and how far it is.
"""

from __future__ import annotations

import json
from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp.api.decorators import actor, endpoint
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import campaign_plan, phones
from khalifa_whatsapp.core import campaigns as rules
from khalifa_whatsapp.core.campaign_content import A, B
from khalifa_whatsapp.core.campaign_stops import Reason
from khalifa_whatsapp.core.errors import NotFound, UserError
from khalifa_whatsapp.core.records import Campaign
from khalifa_whatsapp.guards import manager_only
from khalifa_whatsapp.jobs import campaigns as job
from khalifa_whatsapp.services.campaigns import lifecycle, planning, trial

BEFORE_START = frozenset({rules.DRAFT, rules.AWAITING, rules.SCHEDULED})


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def plan(campaign: str) -> dict[str, Any]:
	"""Read the audience and freeze what each recipient gets; a worker does it, and `state` says how far it
	is.
	"""
	_check_usable(campaign)
	planning.begin(on_site(), actor(), campaign, now_ms())
	job.enqueue_plan(campaign)
	return _state(campaign)


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def take_back(campaign: str) -> dict[str, Any]:
	"""Delete the plan, so that the campaign can be changed again."""
	planning.take_back(on_site(), actor(), campaign, now_ms())
	return _state(campaign)


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def start(campaign: str) -> dict[str, Any]:
	"""Let a planned campaign run: now, at its time, or when another manager has approved it."""
	lifecycle.start(on_site(), actor(), campaign, now_ms())
	return _state(campaign)


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def approve(campaign: str) -> dict[str, Any]:
	"""Say yes to what another manager has planned."""
	lifecycle.approve(on_site(), actor(), campaign, now_ms())
	return _state(campaign)


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def pause(campaign: str) -> dict[str, Any]:
	"""Hold it where it is."""
	lifecycle.pause(on_site(), actor(), campaign, now_ms())
	return _state(campaign)


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def resume(campaign: str) -> dict[str, Any]:
	"""Let it go on where it was held."""
	lifecycle.resume(on_site(), actor(), campaign, now_ms())
	return _state(campaign)


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def cancel(campaign: str) -> dict[str, Any]:
	"""End it here: nobody gets it any more who has not got it."""
	lifecycle.cancel(on_site(), actor(), campaign, now_ms())
	return _state(campaign)


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def send_test(campaign: str, phone: str, client_key: str, variant: str = A) -> dict[str, Any]:
	"""Send it to one's own phone. `client_key`: the same again sends nothing twice."""
	known = _campaign(campaign)
	device, content = job.device_of(known.device), job.content_of(known)
	region = frappe.db.get_single_value("Khalifa Settings", "default_region") or phones.HOME_REGION
	try:
		number = phones.from_person(phone, region)
	except phones.PhoneError as error:
		raise UserError(error.code, phones.MESSAGES[error.code], **error.values) from error
	chosen = B if variant == B else A
	trial.send(on_site(), actor(), campaign, number, chosen, content, device, client_key, now_ms())
	return {"phone": number.e164}


@frappe.whitelist(methods=["GET", "POST"])
@manager_only
@endpoint
def state(campaign: str) -> dict[str, Any]:
	"""How far it is now, what can be done with it, and before its start how long it takes and costs."""
	return _state(campaign)


def _campaign(name: str) -> Campaign:
	known = on_site().campaigns([name]).get(name)
	if known is None:
		raise NotFound("no_such_campaign", "There is no such campaign.")
	return known


def _check_usable(name: str) -> None:
	"""Whatever would stop the worker at once is said while the manager still looks at the form."""
	known = _campaign(name)
	job.device_of(known.device)
	job.content_of(known)


def _state(name: str) -> dict[str, Any]:
	known = _campaign(name)
	counts = on_site().recipient_counts(name)
	return {
		"campaign": name,
		"status": known.status,
		"plan_state": known.plan_state,
		"status_reason": _said(known.status_reason, known.status_values),
		"counts": {status: counts.get(status, 0) for status in rules.RECIPIENT_STATES},
		"total": sum(counts.values()),
		"acts": list(rules.acts(known.status, known.plan_state)),
		"estimate": _estimate(known),
		"warnings": _warnings(known) if known.status in BEFORE_START else [],
	}


def _estimate(known: Campaign) -> dict[str, Any]:
	limit = json.loads(known.limited_by or "null")
	reason = campaign_plan.Estimate(limited_by=limit[0], limit=limit[1]).reason if limit else None
	end_on = frappe.db.get_value("Khalifa Campaign", known.name, "estimated_end_on")
	return {
		"days": known.estimated_days,
		"end_on": str(end_on) if end_on else None,
		"cost": known.estimated_cost,
		"currency": known.estimated_currency,
		"unpriced": known.unpriced_count,
		"limited_by": _translated(reason) if reason else "",
	}


def _warnings(known: Campaign) -> list[str]:
	if known.plan_state != rules.PLANNED:
		return []
	try:
		device = job.device_of(known.device)
		content = job.content_of(known)
	except UserError as error:
		return [_(error.text).format(**error.values)]
	chosen = planning.audience_of(on_site(), known, content)
	gateway = campaign_plan.Gateway(device.is_official, device.pace)
	return [_translated(one) for one in campaign_plan.warnings(known, chosen, gateway)]


def _translated(reason: Reason) -> str:
	return _(reason.text).format(**reason.values)


def _said(text: str, values: str) -> str:
	"""A sentence of ours in the reader's language; what it gives as the reason is one, too."""
	known = json.loads(values) if values else {}
	if "reason" in known:
		known["reason"] = _(known["reason"])
	return _(text).format(**known) if text else ""
