"""What we say to the Cloud API, and how its answers read. No network here: bodies in, results out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	Accepted,
	MessageRef,
	OutgoingMedia,
	OutgoingText,
	Permanent,
	RecipientError,
	SessionState,
	UnknownOutcome,
)
from khalifa_whatsapp.drivers.cloud_api.errors import error_from
from khalifa_whatsapp.drivers.cloud_api.inbound import phone_of, user_of
from khalifa_whatsapp.drivers.http import Reply
from khalifa_whatsapp.drivers.payload import dict_of, distinct, id_of, list_of, mime_of, text_of

MAX_TEXT = 4096  # characters
MAX_CAPTION = 1024
MAX_CALLBACK = 512
MEGABYTE = 1024 * 1024
# Kind → the MIME types Meta takes (none: any) and the most bytes, from its media reference.
MEDIA_LIMITS: Mapping[str, tuple[frozenset[str], int]] = {
	"image": (frozenset({"image/jpeg", "image/png"}), 5 * MEGABYTE),
	"video": (frozenset({"video/mp4", "video/3gpp"}), 16 * MEGABYTE),
	"audio": (
		frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}),
		16 * MEGABYTE,
	),
	"voice": (frozenset({"audio/ogg"}), 16 * MEGABYTE),
	"document": (frozenset(), 100 * MEGABYTE),
	"sticker": (frozenset({"image/webp"}), 500 * 1024),
}
WITH_CAPTION = frozenset({"image", "video", "document"})
STATES = {
	"CONNECTED": "connected",
	"PENDING": "connecting",
	"MIGRATED": "disconnected",
	"DISCONNECTED": "disconnected",
	"UNVERIFIED": "disconnected",
	"FLAGGED": "connected",  # a warning for its quality: it still sends
	"RATE_LIMITED": "restricted",
	"RESTRICTED": "restricted",
	"BANNED": "restricted",
}
STATUS_FIELDS = "status,quality_rating,health_status,name_status"


def text_body(message: OutgoingText) -> dict[str, Any]:
	"""The request that sends a text. `Permanent` or `RecipientError` when it can't be sent at all."""
	if not message.body.strip():
		raise Permanent("The message is empty.", code="empty")
	if len(message.body) > MAX_TEXT:
		raise Permanent(
			f"The message has {len(message.body)} characters, WhatsApp takes {MAX_TEXT}.", "too_long"
		)
	return {**_frame(message, "text"), "text": {"body": message.body, "preview_url": False}}


def media_body(message: OutgoingMedia, media_id: str) -> dict[str, Any]:
	"""The request that sends an uploaded file."""
	wire_type = "audio" if message.kind == "voice" else message.kind
	content: dict[str, Any] = {"id": media_id}
	if message.caption:
		content["caption"] = message.caption
	if message.kind == "voice":
		content["voice"] = True
	if message.kind == "document" and message.file_name:
		content["filename"] = message.file_name
	return {**_frame(message, wire_type), wire_type: content}


def check_media(message: OutgoingMedia) -> None:
	"""Raise `Permanent` when Meta would refuse the file anyway, so that nothing is uploaded in vain."""
	limits = MEDIA_LIMITS.get(message.kind)
	if limits is None:
		raise Permanent("WhatsApp does not know this kind of file.", code="media_kind")
	mimes, most = limits
	if mimes and mime_of(message.mime_type) not in mimes:
		raise Permanent(
			f"WhatsApp takes only {', '.join(sorted(mimes))} as {message.kind}.", code="media_type"
		)
	if not message.content or len(message.content) > most:
		raise Permanent(f"The file must have 1 to {most} bytes, it has {len(message.content)}.", "media_size")
	if message.caption and message.kind not in WITH_CAPTION:
		raise Permanent("This kind of file can't have a text: send it as its own message.", code="caption")
	if len(message.caption) > MAX_CAPTION:
		raise Permanent(f"The text of a file may have {MAX_CAPTION} characters.", code="too_long")


def address(recipient: tuple[Identity, ...]) -> dict[str, str]:
	"""How Meta is told whom to write to: by phone if there is one, else by user id."""
	for one in recipient:
		if one.kind == "phone":
			return {"to": one.value.removeprefix("+")}
	for one in recipient:
		if one.kind == "bsuid":
			return {"recipient": one.value}
	raise RecipientError("The customer has neither a phone number nor a user id here.", code="no_address")


def accepted_from(reply: Reply) -> Accepted:
	"""What Meta took, or the error that its answer means."""
	answer = reply.object() or {}
	if not reply.is_success or "error" in answer:
		raise error_from(reply)
	item = dict_of(next(iter(list_of(answer.get("messages"))), None))
	gateway_id = id_of(item.get("id"))
	if not gateway_id:
		raise UnknownOutcome("WhatsApp's answer names no message.", code="no_id")
	contact = dict_of(next(iter(list_of(answer.get("contacts"))), None))
	is_held = text_of(item.get("message_status")) not in ("", "accepted")
	return Accepted(
		ref=MessageRef(gateway_id),
		status="queued" if is_held else "sent",
		recipient=distinct(phone_of(contact.get("wa_id")), user_of(contact.get("user_id"))),
	)


def media_id_from(reply: Reply) -> str:
	"""The id of an uploaded file, or the error that the answer means."""
	answer = reply.object() or {}
	media_id = id_of(answer.get("id"))
	if not reply.is_success or not media_id:
		raise error_from(reply)
	return media_id


def state_from(reply: Reply) -> SessionState:
	"""The device's state in a phone number object. A status we don't know counts as disconnected."""
	answer = reply.object()
	if not reply.is_success or answer is None or "error" in answer:
		raise error_from(reply)
	status = text_of(answer.get("status"))
	state = STATES.get(status, "disconnected")
	can_send = text_of(dict_of(answer.get("health_status")).get("can_send_message"))
	if can_send == "BLOCKED" and state == "connected":
		state = "restricted"
	words = (status, can_send, text_of(answer.get("quality_rating")))
	return SessionState(state, " ".join(word for word in words if word)[:120])


def _frame(message: OutgoingText | OutgoingMedia, wire_type: str) -> dict[str, Any]:
	body: dict[str, Any] = {
		"messaging_product": "whatsapp",
		"recipient_type": "individual",
		**address(message.recipient),
		"type": wire_type,
	}
	if message.reply_to is not None:
		body["context"] = {"message_id": message.reply_to.gateway_id}
	if message.callback:
		body["biz_opaque_callback_data"] = message.callback[:MAX_CALLBACK]
	return body
