"""What managers do with message templates: see what is wrong with a draft while they write, submit it."""

from __future__ import annotations

import json
from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp import site_audit
from khalifa_whatsapp.api.decorators import endpoint
from khalifa_whatsapp.api.devices import refuse_device
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import audit, template_state
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.template_drafts import TemplateDraft
from khalifa_whatsapp.core.template_forms import draft_from, value_kinds, value_rows
from khalifa_whatsapp.core.template_languages import LANGUAGES, is_right_to_left
from khalifa_whatsapp.core.template_rules import CATEGORIES, Problem, problems
from khalifa_whatsapp.core.templates import VARIABLE, header_file
from khalifa_whatsapp.drivers.abilities import TemplateAuthor, TemplateRefused
from khalifa_whatsapp.drivers.base import SendError, UnknownOutcome
from khalifa_whatsapp.guards import manager_only, require_read
from khalifa_whatsapp.jobs.wake import wake_templates
from khalifa_whatsapp.services import templates
from khalifa_whatsapp.site_devices import get_device

TEMPLATE = "Khalifa Provider Template"
MAX_FORM = 65_536  # characters


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def look(form: Any) -> dict[str, Any]:
	"""A form as it is now, also one that is not saved: how it looks on a phone, a row for each variable, and
	what Meta would refuse.
	"""
	given = _form(form)
	draft = draft_from(given)
	status = str(given.get("status") or template_state.DRAFT)
	file = header_file(given.get("header_file") or None)
	refused = problems(draft, file, _names(str(given.get("device") or "")))
	return {
		"preview": _preview(draft, given),
		"values": value_rows(draft, value_kinds(given)),
		"problems": [
			{"fieldname": one.fieldname, "text": _(one.text).format(**one.values)} for one in refused
		],
		"may_be_edited": template_state.may_be_edited(status),
		"why_not_sent": _(reason) if (reason := _why_not_sent(given)) else "",
	}


@frappe.whitelist()
@manager_only
@endpoint
def choices() -> dict[str, list[str]]:
	"""Languages and categories that a draft may have."""
	return {"languages": list(LANGUAGES), "categories": list(CATEGORIES)}


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def submit(template: str) -> dict[str, str]:
	"""Submit a saved template for Meta's review; its status then."""
	require_read(TEMPLATE, template)
	doc = frappe.get_doc(TEMPLATE, template)
	author = _author(doc.device)
	try:
		row = templates.submit(on_site(), author, template, doc.draft(), _names(doc.device), now_ms())
	except TemplateRefused as error:
		reason = error.explanation or _(error.text)
		raise UserError("template_refused", "Meta refused the template: {reason}", reason=reason) from None
	except UnknownOutcome:
		wake_templates()
		text = "Meta did not answer in time. Whether it has the template is looked up: wait for a minute."
		raise UserError("template_unknown", text) from None
	except SendError as error:
		reason = _(error.text)
		raise UserError("gateway_refused", "The gateway did not do it: {reason}", reason=reason) from None
	title = f"{doc.template_name} ({doc.language})"
	site_audit.note(audit.TEMPLATE, audit.SUBMITTED, document_type=TEMPLATE, document=template, title=title)
	return {"status": row.status}


def _problem(one: Problem) -> dict[str, str]:
	return {"fieldname": one.fieldname, "text": _(one.text).format(**one.values)}


def _author(device: str) -> TemplateAuthor:
	require_read("WhatsApp Device", device)
	site_device = get_device(device)
	if site_device is None:
		refuse_device(device)
	if not isinstance(site_device.driver, TemplateAuthor):
		raise UserError("no_templates", "This gateway has no templates.")
	return site_device.driver


def _form(form: Any) -> dict[str, Any]:
	given = form
	if isinstance(form, str):
		try:
			given = json.loads(form) if len(form) <= MAX_FORM else None
		except ValueError:
			given = None
	if not isinstance(given, dict):
		raise UserError("bad_argument", "{argument} has a value that can't be used.", argument="form")
	return given


def _names(device: str) -> set[str]:
	known = {"device": device, "status": ("!=", template_state.DRAFT)}
	return set(frappe.get_all(TEMPLATE, known, pluck="template_name"))


def _why_not_sent(form: dict[str, Any]) -> str:
	name = form.get("name")
	stored = on_site().provider_template(name) if isinstance(name, str) else None
	return template_state.why_not_sent(stored) if stored else template_state.REASONS[template_state.DRAFT]


def _preview(draft: TemplateDraft, form: dict[str, Any]) -> dict[str, Any]:
	"""As the phone shows it, with the examples in the place of the values."""
	return {
		"header_kind": draft.header_kind,
		"header_file": form.get("header_file") or "",
		"header": _shown(draft, "header", draft.header),
		"body": _shown(draft, "body", draft.body),
		"footer": draft.footer,
		"buttons": [{"kind": button.kind, "text": button.text} for button in draft.buttons],
		"is_rtl": is_right_to_left(draft.language),
	}


def _shown(draft: TemplateDraft, place: str, text: str) -> str:
	return VARIABLE.sub(lambda match: draft.example(place, match[1]) or match[0], text)
