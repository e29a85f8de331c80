"""What we say to WPPConnect, and how its answers read. No network here: bodies in, results out."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	Accepted,
	OutgoingMedia,
	OutgoingText,
	Permanent,
	RecipientError,
	SessionState,
	UnknownOutcome,
)
from khalifa_whatsapp.drivers.http import Reply
from khalifa_whatsapp.drivers.payload import Malformed, dict_of, distinct, mime_of, text_of
from khalifa_whatsapp.drivers.wppconnect.errors import ack_error, error_from
from khalifa_whatsapp.drivers.wppconnect.parse import STATES
from khalifa_whatsapp.drivers.wppconnect.wid import chat_of, person, ref_of, serialized

MAX_TEXT = 4096  # characters; WhatsApp itself takes more, the Cloud API does not: one limit for all devices
MAX_CAPTION = 1024
MAX_FILE = 36 * 1024 * 1024  # bytes: its JSON body may have 50 MB, base64 adds a third
ROUTES: Mapping[str, str] = {
	"image": "send-image",
	"video": "send-file",
	"audio": "send-file",
	"document": "send-file",
	"voice": "send-voice-base64",
}


def text_body(message: OutgoingText) -> dict[str, Any]:
	"""The request that sends a text. `Permanent` or `RecipientError` when it can't be sent at all."""
	if not message.body.strip():
		raise Permanent("The message is empty.", code="empty")
	if len(message.body) > MAX_TEXT:
		raise Permanent(
			f"The message has {len(message.body)} characters, the limit is {MAX_TEXT}.", "too_long"
		)
	body = {**address(message.recipient), "message": message.body}
	if message.reply_to is not None:
		body["options"] = {"quotedMsg": serialized(message.reply_to, chat_wid(message.recipient))}
	return body


def media_body(message: OutgoingMedia) -> tuple[str, dict[str, Any]]:
	"""The route and the request that send a file."""
	_check_media(message)
	encoded = base64.b64encode(message.content).decode()
	data_url = f"data:{mime_of(message.mime_type)};base64,{encoded}"
	body = address(message.recipient)
	if message.kind == "voice":
		body["base64Ptt"] = data_url
	else:
		body |= {
			"base64": data_url,
			"filename": message.file_name or message.kind,
			"caption": message.caption,
		}
	if message.reply_to is not None:
		body["quotedMessageId"] = serialized(message.reply_to, chat_wid(message.recipient))
	return ROUTES[message.kind], body


def address(recipient: tuple[Identity, ...]) -> dict[str, Any]:
	"""How the gateway is told whom to write to. Without its flag a LID may pass for a phone."""
	one = _reachable(recipient)
	return {"phone": one.value.removeprefix("+"), "isGroup": False, "isLid": one.kind == "lid"}


def chat_wid(recipient: tuple[Identity, ...]) -> str:
	"""The chat with the recipient, in the gateway's own spelling."""
	one = _reachable(recipient)
	return f"{one.value.removeprefix('+')}@{'lid' if one.kind == 'lid' else 'c.us'}"


def accepted_from(reply: Reply) -> Accepted:
	"""What the gateway took, or the error that its answer means."""
	answer = reply.object()
	if not reply.is_success:
		raise error_from(reply)
	found = (answer or {}).get("response")
	item = dict_of(found[0] if isinstance(found, list) and found else found)
	ack = item.get("ack")
	if isinstance(ack, int) and not isinstance(ack, bool) and ack < 0:
		raise ack_error(ack)
	try:
		ref = ref_of(item.get("id"), is_ours=True)
	except Malformed:
		raise UnknownOutcome("The gateway's answer names no message.", code="no_id") from None
	is_taken = isinstance(ack, int) and ack > 0
	recipient = distinct(person(chat_of(item.get("id"))), person(item.get("to")))
	return Accepted(ref, "sent" if is_taken else "queued", recipient)


def state_from(check: Reply, status: Reply) -> SessionState:
	"""The device's state: the browser's own answer first, the server's cached flag only for the reason."""
	if not check.is_success:
		raise error_from(check)
	word = text_of((status.object() or {}).get("status")) if status.is_success else ""
	if (check.object() or {}).get("status") is True:
		return SessionState("connected", word)
	cached = STATES.get(word, "disconnected")
	return SessionState("disconnected" if cached == "connected" else cached, word)


def _reachable(recipient: tuple[Identity, ...]) -> Identity:
	for kind in ("phone", "lid"):
		for one in recipient:
			if one.kind == kind:
				return one
	raise RecipientError("The customer has neither a phone number nor a privacy id here.", code="no_address")


def _check_media(message: OutgoingMedia) -> None:
	if message.kind not in ROUTES:
		raise Permanent("This gateway can't send this kind of file.", code="media_kind")
	if not message.content or len(message.content) > MAX_FILE:
		raise Permanent(
			f"The file must have 1 to {MAX_FILE} bytes, it has {len(message.content)}.", "media_size"
		)
	if message.caption and message.kind in ("voice", "audio"):
		raise Permanent("This kind of file can't have a text: send it as its own message.", code="caption")
	if len(message.caption) > MAX_CAPTION:
		raise Permanent(f"The text of a file may have {MAX_CAPTION} characters.", code="too_long")
