"""Bringing a device's message templates in step with its gateway, when a webhook said that they changed,
and each night.
"""

from __future__ import annotations

import json
from typing import Any

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.keys import template_key
from khalifa_whatsapp.core.template_drafts import draft_of
from khalifa_whatsapp.core.template_forms import form_of, value_kinds
from khalifa_whatsapp.core.template_state import DRAFT
from khalifa_whatsapp.drivers.abilities import TemplateInfo, TemplateSource
from khalifa_whatsapp.drivers.base import SendError
from khalifa_whatsapp.jobs.steps import job, log_error
from khalifa_whatsapp.jobs.wake import allow_next_wake
from khalifa_whatsapp.site_devices import get_device
from khalifa_whatsapp.stores.base import StoreUnavailable

TEMPLATE = "Khalifa Provider Template"
HOUR_MS = 3_600_000


@job("templates")
def run(device: str) -> dict[str, int]:
	"""Sync one device.

	What can't be asked now is asked again a minute later: the rows still say that they wait.
	"""
	site_device = get_device(device)
	if site_device is None or not isinstance(site_device.driver, TemplateSource):
		return {}
	allow_next_wake("templates", device)
	try:
		with on_site().lock(f"templates:{device}") as is_ours:
			return sync(device, site_device.driver) if is_ours else {}
	except (SendError, StoreUnavailable):
		return {}


def sync(device: str, source: TemplateSource) -> dict[str, int]:
	"""Bring one device's templates in step with its gateway. Raises a `SendError`."""
	return store_templates(device, source.list_templates())


def store_templates(device: str, templates: list[TemplateInfo]) -> dict[str, int]:
	"""Write the templates of a device; how many there are, are new, went, and could not be written."""
	stored = frappe.get_all(TEMPLATE, {"device": device}, ["template_key", "name", "status", "submitted_ms"])
	known = {row.template_key: row.name for row in stored}
	by_key = {template_key(device, one.name, one.language): one for one in templates}
	failed = [key for key, one in by_key.items() if not _is_written(device, key, known.get(key), one)]
	gone = [row.name for row in stored if row.template_key not in by_key and _is_gone(row)]
	for name in gone:
		doc = frappe.get_doc(TEMPLATE, name)
		doc.flags.by_use_case = True
		doc.delete(ignore_permissions=True, force=True)
	frappe.db.commit()
	new = by_key.keys() - known.keys() - set(failed)
	return {"templates": len(templates), "new": len(new), "removed": len(gone), "failed": len(failed)}


def _is_gone(row: Any) -> bool:
	"""A draft is not the gateway's yet; what was submitted in this hour may be in no list yet."""
	return row.status != DRAFT and (row.submitted_ms or 0) < now_ms() - HOUR_MS


def _is_written(device: str, key: str, name: str | None, template: TemplateInfo) -> bool:
	"""One template that can't be stored leaves the others as they should be, and is seen in the log."""
	frappe.db.savepoint("template")
	try:
		_write_template(device, key, name, template)
	except frappe.ValidationError as error:
		frappe.db.rollback(save_point="template")
		frappe.clear_last_message()
		log_error("templates", error, device)
		return False
	return True


def _write_template(device: str, key: str, name: str | None, template: TemplateInfo) -> None:
	doc = frappe.get_doc(TEMPLATE, name) if name else frappe.new_doc(TEMPLATE)
	doc.update(
		{
			"device": device,
			"template_key": key,
			"template_id": template.template_id,
			"template_name": template.name,
			"language": template.language,
			"status": template.status,
			"category": template.category,
			"parameter_format": template.parameter_format,
			"quality": template.quality,
			"rejected_reason": template.rejected_reason,
			"synced_on": frappe.utils.now_datetime(),
			"components": json.dumps(list(template.components), ensure_ascii=False, default=dict),
			"needs_sync": 0,
			**_moments(doc, template),
		}
	)
	if not doc.is_changed:  # what a person has written and not submitted yet stays
		doc.update(_form(doc, template))
	doc.flags.by_use_case = True
	doc.save(ignore_permissions=True)


def _moments(doc: Any, template: TemplateInfo) -> dict[str, int]:
	"""What the list says is true now: since now where it says something new."""
	facts = {"status": template.status, "category": template.category, "quality": template.quality}
	return {f"{name}_ms": now_ms() for name, value in facts.items() if value != doc.get(name)}


def _form(doc: Any, template: TemplateInfo) -> dict[str, Any]:
	"""The text as a person would have written it; kinds of values and the header's file are ours alone."""
	draft = draft_of(
		template.name, template.language, template.category, template.parameter_format, template.components
	)
	return form_of(draft, value_kinds(doc.as_dict()))
