"""What a person wants to say, and whether it can be sent: refused while the writer still sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.accounts import Route
from khalifa_whatsapp.core.errors import Changed, UserError
from khalifa_whatsapp.core.service_window import is_window_open
from khalifa_whatsapp.core.templates import Filled
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.services.outbound import payloads
from khalifa_whatsapp.services.unit_of_work import UnitOfWork

MAX_EMOJI = 16  # code units: skin tones and joined families are long


@dataclass(frozen=True, slots=True)
class Draft:
	"""What a person wants to say. `data` holds what the kind needs (`payloads`)."""

	body: str = ""  # the text, or the caption of a file
	content_type: str = "text"
	file_url: str | None = None
	file_name: str | None = None
	mime_type: str | None = None
	data: dict[str, Any] = field(default_factory=dict)
	reply_to: str | None = None  # message_key of the quoted message


def template_draft(filled: Filled) -> Draft:
	"""A template that is filled in, as a message to be."""
	file = filled.file
	if file is None:
		return Draft(filled.body, "template", data=filled.data)
	return Draft(filled.body, "template", file.url, file.name[:140], file.mime_type, filled.data)


def checked_body(work: UnitOfWork, draft: Draft) -> str:
	"""The text or caption as it is sent; a file may go without one."""
	limit = work.rules.settings.max_text_length
	if draft.content_type == "text" or draft.body:
		return checked_text(draft.body, limit)
	return ""


def checked_text(body: str, limit: int) -> str:
	"""A text that can be sent: not empty, not too long, valid Unicode."""
	if not body or not body.strip():
		raise UserError("empty_text", "The message is empty. Write something first.")
	if len(body) > limit:
		raise UserError(
			"text_too_long",
			"The message has {length} characters; at most {limit} fit. Split it in two.",
			length=len(body),
			limit=limit,
		)
	return body.encode("utf-8", "replace").decode("utf-8")


def checked_route(way: Route) -> Route:
	"""Never to a number that the customer has given up: it may be a stranger's by now."""
	if way.is_moved and way.chosen is None:
		raise UserError("number_left", payloads.NUMBER_LEFT)
	return way


def check_capabilities(draft: Draft, can: Capabilities | None) -> None:
	"""What the gateway would refuse is refused here, while the writer still has it before him."""
	if can is None:
		return
	if draft.content_type not in can.kinds | can.media_kinds:
		raise UserError("kind_not_supported", "This number's gateway can't send this kind of message.")
	if len(draft.body) > can.max_text:
		checked_text(draft.body, can.max_text)


def check_window(work: UnitOfWork, draft: Draft, can: Capabilities | None, from_ms: int | None) -> None:
	"""Outside the 24 hours after the customer's last word, `from_ms`, only a template goes."""
	if can is None or not can.has_window or draft.content_type == "template":
		return
	if not is_window_open(from_ms, work.now_ms):
		raise UserError(
			"window_closed",
			"More than 24 hours have passed since the customer wrote: "
			"WhatsApp takes only a template now. Choose one.",
		)


def check_collision(work: UnitOfWork, ticket: records.Ticket, seen_ms: int | None) -> None:
	"""Refuse when a colleague answered after `seen_ms`, the newest that the writer saw."""
	if seen_ms is None:
		return
	newest = work.store.last_human_reply(ticket.name)
	if newest is not None and newest.sent_ms > seen_ms and newest.sender != work.actor.user:
		raise Changed(
			"answered_meanwhile",
			"{name} answered meanwhile. Read the new message, then send yours again.",
			name=newest.sender_name or "",
		)


def checked_emoji(emoji: str) -> str:
	"""A reaction that can be sent; empty takes one back."""
	if len(emoji) > MAX_EMOJI or any(char.isalnum() and char not in "0123456789" for char in emoji):
		raise UserError("not_an_emoji", "A reaction is one emoji.")
	return emoji
