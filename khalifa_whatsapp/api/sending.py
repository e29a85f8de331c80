"""What a person wants to send, looked up on the site: files, templates, what the device's gateway takes.

Nothing here says whether the person may: the use case asks that of the locked ticket.
"""

from __future__ import annotations

import dataclasses
import json
import mimetypes
from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp.access.stored_files import keep
from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core import template_state
from khalifa_whatsapp.core.errors import NotFound, UserError
from khalifa_whatsapp.core.file_kinds import kind_with_caption
from khalifa_whatsapp.core.templates import HeaderFile, filled, header_file
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.guards import require_read
from khalifa_whatsapp.services.outbound import answer_drafts
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.site_devices import get_device

REPLY = "Khalifa Reply Template"


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
	file_name = _attached(ticket, file_url)
	mime_type = mimetypes.guess_type(file_name)[0] or "application/octet-stream"
	return Draft(
		caption, kind, file_url=file_url, file_name=file_name[:140], mime_type=mime_type, reply_to=reply_to
	)


def template_draft(ticket: str, template: str, values: Any, file_url: str = "") -> Draft:
	"""An approved template of the ticket's own device, filled in. `file_url`: of the ticket's attachments, in
	the place of the header's file.
	"""
	row = on_site().provider_template(template)
	device = frappe.db.get_value("Khalifa Ticket", ticket, "device")
	if not row or row.device != device:
		raise NotFound("no_such_template", "There is no such approved template for this number.")
	reason = template_state.why_not_sent(row, has_file=bool(file_url))
	if reason:
		raise UserError("template_not_usable", "The template can't be sent now. {reason}", reason=_(reason))
	chosen = header_file(file_url, _attached(ticket, file_url)) if file_url else None
	done = filled(row, _values(values), chosen)
	if done.file is not None and chosen is None:
		done = dataclasses.replace(done, file=_copied(done.file, ticket))
	return answer_drafts.template_draft(done)


def quick_reply_draft(ticket: str, reply: str, body: str, reply_to: str | None) -> Draft:
	"""A quick reply with its file, as the person has written its text by now."""
	require_read(REPLY, reply)
	file = header_file(frappe.db.get_value(REPLY, reply, "attachment"))
	if file is None:
		return Draft(body, reply_to=reply_to)
	can = capabilities(ticket)
	kept = _copied(file, ticket)
	kind = kind_with_caption(kept.mime_type, can.media_kinds if can else frozenset())
	return Draft(body, kind, kept.url, kept.name[:140], kept.mime_type, reply_to=reply_to)


def _attached(ticket: str, file_url: str) -> str:
	"""The name of a file of the ticket's own attachments."""
	wanted = {
		"file_url": file_url,
		"is_private": 1,
		"attached_to_doctype": "Khalifa Ticket",
		"attached_to_name": ticket,
	}
	file_name = frappe.db.get_value("File", wanted, "file_name")
	if not file_name:
		raise NotFound("no_such_file", "This file is not attached to the conversation. Attach it again.")
	return file_name


def _copied(file: HeaderFile, ticket: str) -> HeaderFile:
	"""The conversation keeps what was sent in it, whatever becomes of the template."""
	name = frappe.db.get_value("File", {"file_url": file.url}, "file_name") or file.name
	content = on_site().read_file(file.url)
	if not content:
		raise NotFound("no_file", "The file is no longer there. Attach it again.")
	kept = keep(content, name, "Khalifa Ticket", ticket)
	return HeaderFile(kept.file_url, name, mimetypes.guess_type(name)[0] or file.mime_type)


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
