"""Files of conversations: brought by whoever answers, shown to whoever may see the message, never run by a browser."""

from __future__ import annotations

from typing import Any

import filetype
import frappe
from frappe import _
from PIL import UnidentifiedImageError
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from khalifa_whatsapp.api.door import door, refuse
from khalifa_whatsapp.api.sending import capabilities
from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core.errors import NotFound, UserError
from khalifa_whatsapp.guards import agent_only, require_read
from khalifa_whatsapp.services.voice import voice_note

# What a browser may show in the page; everything else is saved as a file. No HTML, no SVG: they can hold scripts.
INLINE = frozenset({
	"image/jpeg", "image/png", "image/gif", "image/webp", "audio/ogg", "audio/mpeg", "audio/mp4", "audio/aac", "audio/amr",
	"audio/webm", "video/mp4", "video/3gpp", "video/webm", "application/pdf",
})  # fmt: skip
NEVER = frozenset({"text/html", "application/xhtml+xml", "image/svg+xml", "application/javascript", "text/javascript"})
# What WhatsApp itself shows or plays; it refuses other pictures, films and sounds as such
SHOWN = {
	"image": frozenset({"image/jpeg", "image/png"}),
	"video": frozenset({"video/mp4", "video/3gpp"}),
	"voice": frozenset({"audio/ogg"}),
	"audio": frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4"}),
}
MAX_NAME = 140


@frappe.whitelist(methods=["POST"])
@agent_only
@door
def upload(ticket: str, is_voice: bool = False) -> dict[str, Any]:
	"""Keep a file (form field `file`) as a private attachment of the conversation, to be sent next.

	What was spoken into the page (`is_voice`) becomes a voice message, whatever the browser made of it.
	"""
	require_read("Khalifa Ticket", ticket)
	given = frappe.request.files.get("file") if frappe.request else None
	if given is None:
		raise UserError("no_file", "Choose a file.")
	can = capabilities(ticket)
	if can is None or not can.media_kinds:
		raise UserError("kind_not_supported", "This number's gateway can't send this kind of message.")
	content, name = _content(given, can.max_media_bytes), (given.filename or "file")[-MAX_NAME:]
	if is_voice:
		content, name = voice_note(content), "voice.ogg"
	mime_type = mime_of(content, given.mimetype)
	kind = kind_of(mime_type, can.media_kinds)
	doc = frappe.get_doc(
		doctype="File", file_name=name, is_private=1, content=content,
		attached_to_doctype="Khalifa Ticket", attached_to_name=ticket,
	)  # fmt: skip
	doc.flags.ignore_permissions = True  # the reader may see the conversation: that was asked above
	try:
		doc.insert()
	except UnidentifiedImageError as error:  # Frappe opens pictures to take out where they were made
		raise UserError("damaged_picture", "This picture is damaged and can't be opened. Choose another one.") from error
	return {
		"file_url": doc.file_url, "mime_type": mime_type, "file_name": doc.file_name, "kind": kind, "size": len(content),
	}  # fmt: skip


def _content(given: FileStorage, most: int) -> bytes:
	content = given.stream.read(most + 1)
	if not content or len(content) > most:
		raise UserError(
			"file_size", "The file must not be empty, and not larger than {limit} MB.", limit=round(most / 1024 / 1024)
		)
	return content


@frappe.whitelist()
@agent_only
def download(message: str) -> Response:
	"""The file of a message, for whoever may see the message."""
	try:
		row = _readable(message)
	except UserError as error:
		refuse(error)
	content = on_site().read_file(row.file_url)
	if content is None:
		frappe.throw(_("The file is no longer there."), frappe.DoesNotExistError)
	mime_type = mime_of(content, row.mime_type)
	answer = Response(content, mimetype=mime_type)
	answer.headers.set(
		"Content-Disposition", "inline" if mime_type in INLINE else "attachment", filename=row.file_name or message
	)
	answer.headers["X-Content-Type-Options"] = "nosniff"
	answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
	answer.headers["Cache-Control"] = "private, max-age=3600"
	return answer


def _readable(message: str) -> Any:
	require_read("Khalifa Message", message)
	row = frappe.db.get_value("Khalifa Message", message, ["file_url", "mime_type", "file_name", "is_revoked"], as_dict=True)
	if not row or not row.file_url or row.is_revoked:
		raise NotFound("no_such_file", "This message has no file.")
	return row


def mime_of(content: bytes, said: str | None) -> str:
	"""What the bytes are; what somebody says of them counts only where they don't tell, and never when it can run."""
	guess = filetype.guess(content)
	found = (guess.mime if guess else (said or "").partition(";")[0].strip().lower()) or "application/octet-stream"
	found = {"audio/x-wav": "audio/wav", "application/ogg": "audio/ogg"}.get(found, found)
	return "application/octet-stream" if found in NEVER else found


def kind_of(mime_type: str, kinds: frozenset[str]) -> str:
	"""How WhatsApp carries such a file; what it does not show goes as a document."""
	wanted = next((kind for kind, mime_types in SHOWN.items() if mime_type in mime_types), "document")
	if wanted not in kinds:
		wanted = "document"
	if wanted not in kinds:
		raise UserError("kind_not_supported", "This number's gateway can't send this kind of message.")
	return wanted
