"""Files of conversations: brought by whoever answers, shown to whoever may see the message,
never run by a browser.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import filetype
import frappe
from werkzeug.datastructures import FileStorage
from werkzeug.utils import send_file
from werkzeug.wrappers import Response

from khalifa_whatsapp.access.stored_files import keep
from khalifa_whatsapp.api.decorators import endpoint
from khalifa_whatsapp.api.sending import capabilities
from khalifa_whatsapp.bootstrap import now_ms, on_site, voice_codec
from khalifa_whatsapp.core.errors import NotFound, UserError
from khalifa_whatsapp.core.file_kinds import kind_of
from khalifa_whatsapp.core.file_names import RUNNING_TYPES, can_run, named, plain_mime_type
from khalifa_whatsapp.core.jpeg import NotJpeg, without_metadata
from khalifa_whatsapp.core.ticket_access import FACTS, can_answer
from khalifa_whatsapp.guards import agent_only, current_actor, require_read
from khalifa_whatsapp.jobs.wake import wake_media
from khalifa_whatsapp.services import media
from khalifa_whatsapp.services.tickets import authorization
from khalifa_whatsapp.services.voice_notes import voice_note

# What a browser may show in the page; everything else is saved as a file. No HTML, no SVG: they can hold
# scripts.
INLINE = frozenset(
	{
		"image/jpeg",
		"image/png",
		"image/gif",
		"image/webp",
		"audio/ogg",
		"audio/mpeg",
		"audio/mp4",
		"audio/aac",
		"audio/amr",
		"audio/webm",
		"video/mp4",
		"video/3gpp",
		"video/webm",
		"application/pdf",
	}
)
OPAQUE = "application/octet-stream"
SNIFF_BYTES = 8_192  # bytes that tell what a file is


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def upload(ticket: str, is_voice: bool = False) -> dict[str, Any]:
	"""Keep a file (form field `file`) as a private attachment of the conversation, to be sent next.

	What was spoken into the page (`is_voice`) becomes a voice message, whatever the browser made of it.
	"""
	require_read("Khalifa Ticket", ticket)
	facts = frappe.db.get_value("Khalifa Ticket", ticket, FACTS, as_dict=True)
	authorization.require(can_answer(current_actor(), facts))
	given = frappe.request.files.get("file") if frappe.request else None
	if given is None:
		raise UserError("no_file", "Choose a file.")
	can = capabilities(ticket)
	if can is None or not can.media_kinds:
		raise UserError("kind_not_supported", "This number's gateway can't send this kind of message.")
	content, name = _content(given, can.max_media_bytes), given.filename or ""
	if is_voice:
		content, name = voice_note(content, voice_codec()), "voice.ogg"
	mime_type = mime_of(content, given.mimetype)
	name = named(name, mime_type, "file")
	_refuse_programs(name, content, given.mimetype)
	kind = kind_of(mime_type, can.media_kinds)
	doc = keep(_for_others(content, mime_type), name, "Khalifa Ticket", ticket)
	return {
		"file_url": doc.file_url,
		"mime_type": mime_type,
		"file_name": doc.file_name,
		"kind": kind,
		"size": doc.file_size,
	}


def _content(given: FileStorage, most: int) -> bytes:
	content = given.stream.read(most + 1)
	if not content or len(content) > most:
		raise UserError(
			"file_size",
			"The file must not be empty, and not larger than {limit} MB.",
			limit=round(most / 1024 / 1024),
		)
	return content


def _refuse_programs(name: str, content: bytes, said: str) -> None:
	guess = filetype.guess(content)
	if can_run(name, said) or (guess and can_run(name, guess.mime)):
		raise UserError(
			"file_can_run",
			"Programs, scripts and web pages are not sent to customers. Choose a document or a picture.",
		)


def _for_others(content: bytes, mime_type: str) -> bytes:
	"""A picture goes out as it is, without what the camera wrote about place and owner,
	where the site wants that.
	"""
	if mime_type == "image/jpeg" and frappe.get_system_settings("strip_exif_metadata_from_uploaded_images"):
		with suppress(NotJpeg):  # WhatsApp says what it thinks of it
			return without_metadata(content)
	return content


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def fetch_again(message: str) -> dict[str, Any]:
	"""Have the gateway asked for a customer's file once more, now; also for one that was given up."""
	require_read("Khalifa Message", message)
	record = media.ask_again(on_site(), message, now_ms())
	wake_media(record.device)
	return {"message": record.name, "media_state": record.media_state}


@frappe.whitelist()
@agent_only
@endpoint
def download(message: str) -> Response:
	"""The file of a message, for whoever may see the message."""
	row = _readable(message)
	path = _path_of(row.file_url)
	with path.open("rb") as file:
		mime_type = mime_of(file.read(SNIFF_BYTES), row.mime_type)
	answer = send_file(
		path,
		frappe.request.environ,
		mimetype=mime_type,
		as_attachment=mime_type not in INLINE,
		download_name=named(row.file_name, mime_type, message),
		conditional=True,
	)
	answer.headers["X-Content-Type-Options"] = "nosniff"
	answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
	answer.headers["Cache-Control"] = "private, max-age=3600"
	return answer


def _readable(message: str) -> Any:
	require_read("Khalifa Message", message)
	row = frappe.db.get_value(
		"Khalifa Message", message, ["file_url", "mime_type", "file_name", "is_revoked"], as_dict=True
	)
	if not row or not row.file_url or row.is_revoked:
		raise NotFound("no_such_file", "This message has no file.")
	return row


def _path_of(file_url: str) -> Path:
	name = frappe.db.get_value("File", {"file_url": file_url, "is_private": 1, "is_folder": 0})
	path = Path(frappe.get_doc("File", name).get_full_path()).absolute() if name else None
	if path is None or not path.is_file():
		raise NotFound("file_is_gone", "The file is no longer there.")
	return path


def mime_of(content: bytes, said: str | None) -> str:
	"""What the bytes are; what somebody says of them counts only where they don't tell,
	and never when it can run.
	"""
	guess = filetype.guess(content)
	mime_type = plain_mime_type(guess.mime if guess else said)
	mime_type = {"audio/x-wav": "audio/wav", "application/ogg": "audio/ogg"}.get(mime_type, mime_type)
	return OPAQUE if mime_type in RUNNING_TYPES else mime_type
