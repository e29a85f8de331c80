"""What a person wants to send, looked up on the site: files, templates, what the device's gateway takes.

Nothing here says whether the person may: the use case asks that of the locked ticket.
"""

from __future__ import annotations

import json
import mimetypes
from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp.core import template_state
from khalifa_whatsapp.core.errors import NotFound, UserError
from khalifa_whatsapp.core.templates import Shape, fill, shape_of
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.site_devices import get_device


def capabilities(ticket: str | None) -> Capabilities | None:
	"""What the gateway of the ticket's device takes;
	None when there is no such ticket or its device is off.
	"""
	device = frappe.db.get_value("Khalifa Ticket", ticket, "device") if ticket else None
	site_device = get_device(device) if device else None
	return site_device.driver.capabilities if site_device else None


def ticket_of_message(message: str) -> str | None:
	"""The ticket that a message belongs to."""
	return frappe.db.get_value("Khalifa Message", message, "ticket")


def file_draft(ticket: str, file_url: str, kind: str, caption: str, reply_to: str | None) -> Draft:
	"""A file that lies in the ticket's own attachments."""
	wanted = {
		"file_url": file_url,
		"is_private": 1,
		"attached_to_doctype": "Khalifa Ticket",
		"attached_to_name": ticket,
	}
	file_name = frappe.db.get_value("File", wanted, "file_name")
	if not file_name:
		raise NotFound("no_such_file", "This file is not attached to the conversation. Attach it again.")
	mime_type = mimetypes.guess_type(file_name)[0] or "application/octet-stream"
	return Draft(
		caption, kind, file_url=file_url, file_name=file_name[:140], mime_type=mime_type, reply_to=reply_to
	)


def template_draft(ticket: str, template: str, values: Any) -> Draft:
	"""An approved template of the ticket's own device, filled in."""
	row = frappe.db.get_value(
		"Khalifa Provider Template",
		template,
		["device", "template_name", "language", "status", "category", "components", "parameter_format"],
		as_dict=True,
	)
	device = frappe.db.get_value("Khalifa Ticket", ticket, "device")
	if not row or row.device != device:
		raise NotFound("no_such_template", "There is no such approved template for this number.")
	reason = template_state.why_not(row.status, bool(row.components))
	if reason:
		raise UserError("template_not_usable", "The template can't be sent now. {reason}", reason=_(reason))
	body, placed = fill(stored_shape(row.components, row.parameter_format), _values(values))
	chosen = {"name": row.template_name, "language": row.language, "category": row.category, **placed}
	return Draft(body, "template", data={"template": chosen})


def stored_shape(components: str | None, parameter_format: str | None) -> Shape:
	"""A stored template, taken apart."""
	try:
		loaded = json.loads(components or "[]")
	except ValueError:
		loaded = []
	return shape_of(loaded if isinstance(loaded, list) else [], parameter_format or "POSITIONAL")


def _values(values: Any) -> list[str]:
	given = values
	if isinstance(values, str):
		try:
			given = json.loads(values) if values.strip() else []
		except ValueError:
			given = None
	if given is None and values is None:
		given = []
	if not isinstance(given, list) or not all(isinstance(value, str | int | float) for value in given):
		raise UserError("bad_argument", "{argument} has a value that can't be used.", argument="values")
	return [str(value) for value in given]
