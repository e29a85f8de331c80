"""What we say to the Cloud API, and how its answers read. No network here: bodies in, results out.

Texts, files, reactions, places and cards; questions are in `choices`, templates in `templates`. Whatever Meta
would refuse anyway is refused here, before anything is uploaded or sent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	Accepted,
	MessageRef,
	Outgoing,
	OutgoingContacts,
	OutgoingLocation,
	OutgoingMedia,
	OutgoingReaction,
	OutgoingText,
	Permanent,
	RecipientError,
	UnknownOutcome,
	unsupported,
)
from khalifa_whatsapp.drivers.cloud_api.errors import error_from
from khalifa_whatsapp.drivers.cloud_api.inbound import phone_of, user_of
from khalifa_whatsapp.drivers.http import Reply
from khalifa_whatsapp.drivers.payload import dict_of, distinct, id_of, list_of, mime_of, text_of

MAX_TEXT = 4096  # characters
MAX_CAPTION = 1024
MAX_CALLBACK = 512
MAX_EMOJI = 32  # code points: families with skin colours take eleven
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
MAX_STILL_STICKER = 100 * 1024  # bytes of a sticker that does not move
WITH_CAPTION = frozenset({"image", "video", "document"})

_NO_EMOJI = re.compile(r"[^\W\d_ℹ]|\s")  # letters (ℹ is one, and an emoji too) and spaces
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def text_body(message: OutgoingText) -> dict[str, Any]:
	"""The request that sends a text. `Permanent` or `RecipientError` when it can't be sent at all."""
	if not message.body.strip():
		raise Permanent("The message is empty.", code="empty")
	if len(message.body) > MAX_TEXT:
		raise Permanent("The message is too long: WhatsApp takes 4096 characters.", code="too_long")
	return {**frame(message, "text"), "text": {"body": message.body, "preview_url": False}}


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
	return {**frame(message, wire_type), wire_type: content}


def check_media(message: OutgoingMedia) -> None:
	"""Raise `Permanent` when Meta would refuse the file anyway, so that nothing is uploaded in vain."""
	limits = MEDIA_LIMITS.get(message.kind)
	if limits is None:
		raise unsupported(message)
	mimes, most = limits
	if mimes and mime_of(message.mime_type) not in mimes:
		raise Permanent(
			"WhatsApp does not take this type of file. Convert it, or send it as a document.",
			code="media_type",
		)
	if message.kind == "sticker" and not _is_animated(message.content):
		most = MAX_STILL_STICKER
	if not message.content:
		raise Permanent("The file is empty.", code="media_size")
	if len(message.content) > most:
		raise Permanent(
			"The file is too big for WhatsApp. Make it smaller and send it again.", code="media_size"
		)
	if message.caption and message.kind not in WITH_CAPTION:
		raise Permanent("This kind of file can't have a text: send it as its own message.", code="caption")
	if len(message.caption) > MAX_CAPTION:
		raise Permanent("The text of a file may have 1024 characters.", code="too_long")


def _is_animated(content: bytes) -> bool:
	"""Whether a WebP says in its extended header that it moves."""
	return content[12:16] == b"VP8X" and bool(content[20:21] and content[20] & 0x02)


def reaction_body(message: OutgoingReaction) -> dict[str, Any]:
	"""The request that puts an emoji on a message, or takes it back."""
	if not message.target.gateway_id:
		raise Permanent("The message to react to is not known to WhatsApp.", code="no_target")
	if len(message.emoji) > MAX_EMOJI or _NO_EMOJI.search(message.emoji):
		raise Permanent("A reaction is one emoji.", code="emoji")
	reaction = {"message_id": message.target.gateway_id, "emoji": message.emoji}
	return {**frame(message, "reaction"), "reaction": reaction}


def location_body(message: OutgoingLocation) -> dict[str, Any]:
	"""The request that sends a place."""
	point = (message.latitude, message.longitude)
	if not all(math.isfinite(degrees) for degrees in point) or abs(point[0]) > 90 or abs(point[1]) > 180:
		raise Permanent("The place is not on the map: check its latitude and longitude.", code="location")
	place: dict[str, Any] = {"latitude": message.latitude, "longitude": message.longitude}
	labels = {"name": message.title, "address": message.address}
	place |= {key: value for key, value in labels.items() if value.strip()}
	return {**frame(message, "location"), "location": place}


def contacts_body(message: OutgoingContacts) -> dict[str, Any]:
	"""The request that sends contact cards.

	With `wa_id` the customer's phone offers to write to it at once.
	"""
	if not message.cards:
		raise Permanent("There is no contact to send.", code="empty")
	cards = []
	for name, phone in message.cards:
		if not name.strip() or not _E164.fullmatch(phone):
			raise Permanent(
				"A contact needs a name and a phone number with its country code.", code="contact"
			)
		number = {"phone": phone, "wa_id": phone.removeprefix("+"), "type": "CELL"}
		cards.append({"name": {"formatted_name": name, "first_name": name}, "phones": [number]})
	return {**frame(message, "contacts"), "contacts": cards}


def frame(message: Outgoing, wire_type: str) -> dict[str, Any]:
	"""What every request has: whom to, what it answers, and our own key, which comes back in every status."""
	body: dict[str, Any] = {
		"messaging_product": "whatsapp",
		"recipient_type": "individual",
		**address(message.recipient),
		"type": wire_type,
	}
	if message.reply_to is not None and not isinstance(message, OutgoingReaction):
		body["context"] = {"message_id": message.reply_to.gateway_id}
	if message.callback:
		body["biz_opaque_callback_data"] = message.callback[:MAX_CALLBACK]
	return body


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


def check_success(reply: Reply) -> None:
	"""Raise the error that the answer means, unless it says that it was done."""
	if not reply.is_success or (reply.object() or {}).get("success") is not True:
		raise error_from(reply)
