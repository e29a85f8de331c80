"""Writing first: from which numbers, to whom, with what."""

from __future__ import annotations

from typing import Any

import frappe

from khalifa_whatsapp.api import inbox_templates, sending
from khalifa_whatsapp.api.decorators import actor, endpoint
from khalifa_whatsapp.api.inbox_search import MAX_TYPED, digits_of
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.arabic import normalise
from khalifa_whatsapp.core.identity import of_phone
from khalifa_whatsapp.guards import agent_only, require_read
from khalifa_whatsapp.jobs import wake
from khalifa_whatsapp.services.outbound import first_contact
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.services.outbound.first_contact import Line, Whom
from khalifa_whatsapp.site_devices import get_device

CUSTOMER = "Khalifa Customer"
MAX_FOUND = 10
MIN_TYPED = 2


@frappe.whitelist()
@agent_only
@endpoint
def numbers() -> list[dict[str, Any]]:
	"""Our numbers that can send now, the default first; `needs_template`: one begins with a template."""
	rows = frappe.get_all(
		"WhatsApp Device",
		{"enabled": 1, "is_paused": 0},
		["name", "device_name", "is_default"],
		order_by="is_default desc, device_name",
	)
	return [shown for row in rows for shown in [_number(row)] if shown]


def _number(row: Any) -> dict[str, Any] | None:
	device = get_device(row.name)
	if device is None or device.is_held:
		return None
	can = device.driver.capabilities
	return {
		"device": row.name,
		"label": row.device_name,
		"needs_template": can.has_window,
		"has_templates": can.has_templates,
		"max_text": can.max_text,
	}


@frappe.whitelist()
@agent_only
@endpoint
def find(text: str) -> list[dict[str, Any]]:
	"""Customers whom the reader may see, by a part of the name or of a number."""
	plain = normalise(text)[:MAX_TYPED].strip()
	if len(plain) < MIN_TYPED:
		return []
	either = [["search_text", "like", f"%{plain}%"]]
	if digits := digits_of(plain):
		either.append(["phone", "like", f"%{digits}%"])
	return frappe.get_list(
		CUSTOMER,
		filters={"merged_into": ("is", "not set")},
		or_filters=either,
		fields=["name", "customer_name", "phone"],
		order_by="last_in_ms desc",
		limit=MAX_FOUND,
	)


@frappe.whitelist()
@agent_only
@endpoint
def look(phone: str) -> dict[str, Any]:
	"""A number as it is understood; refused for what is none. Whose it is, is not said."""
	read = first_contact.number(phone, on_site().rules().settings.default_region)
	return {"phone": read.e164, "shown": read.display(), "is_ambiguous": read.is_ambiguous}


@frappe.whitelist()
@agent_only
@endpoint
def templates(device: str, phone: str = "", customer: str = "") -> list[dict[str, Any]]:
	"""Templates of a number of ours, as `api.inbox.templates` has them for a conversation."""
	if customer:
		require_read(CUSTOMER, customer)
	return inbox_templates.offered(device, customer or _customer_of(phone))


def _customer_of(phone: str) -> str:
	"""Whose a number is; empty when it is nobody's, or none yet."""
	if not phone.strip():
		return ""
	store = on_site()
	identity = of_phone(first_contact.number(phone, store.rules().settings.default_region))
	rows = store.identities({form.key for form in identity.forms})
	return next((row.customer for row in rows.values()), "")


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def begin(
	device: str,
	client_key: str,
	phone: str = "",
	customer: str = "",
	body: str = "",
	template: str = "",
	values: Any = None,
) -> dict[str, Any]:
	"""Begin a conversation with a text or a template. Where one is open, nothing is sent (`is_new`)."""
	if customer:
		require_read(CUSTOMER, customer)

	def draft(ticket: str) -> Draft:
		return sending.template_draft(ticket, template, values) if template else Draft(body)

	used = get_device(device)
	line = Line(device, used.driver.capabilities if used else None, used.pace if used else first_contact.FREE)
	whom = Whom(customer=customer) if customer else Whom(phone)
	begun = first_contact.begin(on_site(), actor(), line, whom, draft, client_key, now_ms())
	if begun.is_new:
		wake.wake_outbox(device)
	return {"ticket": begun.ticket, "is_new": begun.is_new}
