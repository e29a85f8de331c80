"""Templates as the inbox offers them: what each says and needs, and why one can't be picked."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp.api import inbox_care
from khalifa_whatsapp.core import records, template_state
from khalifa_whatsapp.core.template_languages import is_right_to_left
from khalifa_whatsapp.core.templates import Shape, file_of, stored_shape

FIELDS = (
	"name",
	"template_key",
	"device",
	"template_id",
	"template_name",
	"language",
	"status",
	"category",
	"components",
	"parameter_format",
	"value_kinds",
	"header_file",
	"header_file_name",
)


def offered(device: str, customer: str) -> list[dict[str, Any]]:
	"""The number's templates, those that can go to the customer first. Drafts are their writers' alone."""
	wanted = {"device": device, "status": ("!=", template_state.DRAFT)}
	rows = frappe.get_all(
		"Khalifa Provider Template", wanted, list(FIELDS), order_by="template_name, language", limit=0
	)
	stored = [records.ProviderTemplate(**row) for row in rows]
	is_stopped = inbox_care.has_opted_out(customer)
	shown = [_shown(one, stored, is_stopped) for one in stored]
	return sorted(shown, key=lambda row: bool(row["why_not"]))


def _shown(
	one: records.ProviderTemplate, stored: list[records.ProviderTemplate], is_stopped: bool
) -> dict[str, Any]:
	shape = stored_shape(one)
	reason = template_state.why_not_sent(one, has_file=shape.needs_file)
	if not reason and is_stopped and one.category == template_state.MARKETING:
		reason = template_state.PROMOTIONS_STOPPED
	others = template_state.other_languages(one, stored) if reason else []
	said = [_(reason)] if reason else []
	if others:
		said.append(_("It can be sent in: {0}.").format(", ".join(others)))
	return {
		"name": one.name,
		"template_name": one.template_name,
		"language": one.language,
		"category": one.category,
		"header_kind": shape.header_kind,
		"header": shape.header,
		"body": shape.body,
		"footer": shape.footer,
		"buttons": [
			{"kind": str(button.get("type") or ""), "text": str(button.get("text") or "")}
			for button in shape.buttons
		],
		"variables": _variables(shape),
		"needs_file": shape.needs_file and file_of(one) is None,
		"header_file": one.header_file or "",
		"is_rtl": is_right_to_left(one.language),
		"why_not": " ".join(said),
	}


def _variables(shape: Shape) -> list[dict[str, str]]:
	return [{"place": one.place, "name": one.name, "kind": one.kind} for one in shape.variables]
