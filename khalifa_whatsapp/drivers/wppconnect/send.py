"""What we say to WPPConnect, and how its answers read. No network here: bodies in, results out."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
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
from khalifa_whatsapp.drivers.http import Reply
from khalifa_whatsapp.drivers.payload import Malformed, dict_of, distinct, mime_of
from khalifa_whatsapp.drivers.wppconnect.errors import ack_error, error_from
from khalifa_whatsapp.drivers.wppconnect.wid import chat_of, chat_of_ref, person, ref_of, serialized

MAX_TEXT = 4096  # characters; WhatsApp itself takes more, the Cloud API does not: one limit for all devices
MAX_CAPTION = 1024
MAX_FILE = 36 * 1024 * 1024  # bytes: its JSON body may have 50 MB, base64 adds a third
LONGEST_PHONE = 14  # digits; of more the server makes a privacy id, whatever it is told
ROUTES: Mapping[str, str] = {
	"image": "send-image",
	"video": "send-file",
	"audio": "send-file",
	"document": "send-file",
	"voice": "send-voice-base64",
}
REACTION = "reaction"  # the scope of what has no id at the gateway
Request = tuple[str, dict[str, Any]]  # route and JSON body


def request_of(message: Outgoing) -> Request:
	"""The request that sends a message. `Permanent` or `RecipientError` when it can't be sent at all."""
	build = BUILDERS.get(type(message))
	if build is None:
		raise unsupported(message)
	return build(message)


def text_request(message: OutgoingText) -> Request:
	"""A text, as an answer when it quotes."""
	if not message.body.strip():
		raise Permanent("The message is empty.", code="empty")
	if len(message.body) > MAX_TEXT:
		raise Permanent("The message is too long for one text.", code="too_long")
	body = {**address(message.recipient), "message": message.body}
	if message.reply_to is not None:
		body["options"] = {"quotedMsg": serialized(message.reply_to, chat_wid(message.recipient))}
	return "send-message", body


def media_request(message: OutgoingMedia) -> Request:
	"""A file, inside the request itself: the gateway need not reach our disk."""
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


def location_request(message: OutgoingLocation) -> Request:
	"""A place. This gateway can't let it quote a message."""
	if not (_is_within(message.latitude, 90) and _is_within(message.longitude, 180)):
		raise Permanent("The place has no valid latitude and longitude.", code="place")
	place = {"lat": message.latitude, "lng": message.longitude}
	return "send-location", {
		**address(message.recipient),
		**place,
		"title": message.title,
		"address": message.address,
	}


def reaction_request(message: OutgoingReaction) -> Request:
	"""An emoji on a message, whose id alone tells the chat; an empty one takes it back."""
	target = serialized(message.target, chat_wid(message.recipient))
	return "react-message", {"msgId": target, "reaction": message.emoji}


def contacts_request(message: OutgoingContacts) -> Request:
	"""One contact card, and only to a chat that this route can't mistake."""
	if len(message.cards) != 1:
		raise Permanent("This gateway sends one contact card at a time.", code="cards")
	to = address(message.recipient)
	if not keeps_chat(to):
		raise Permanent(
			"This gateway can't send a contact card to a customer without a phone number.", code="cards"
		)
	((name, phone),) = message.cards
	digits = phone.removeprefix("+")
	if not (digits.isascii() and digits.isdigit()):
		raise Permanent("The contact card has no valid phone number.", code="cards")
	return "contact-vcard", {**to, "contactsId": f"{digits}@c.us", "name": name}


def seen_body(ref: MessageRef, sender: tuple[Identity, ...]) -> dict[str, Any]:
	"""The request that marks the chat of a customer's message as read."""
	user, _, server = (chat_of_ref(ref) or chat_wid(sender)).partition("@")
	return {"phone": user, "isGroup": False, "isLid": server == "lid"}


def keeps_chat(body: dict[str, Any]) -> bool:
	"""Whether routes that drop the flag of a privacy id (cards, typing) find this chat,
	and not a stranger's phone.
	"""
	return not body["isLid"] or len(body["phone"]) > LONGEST_PHONE


def address(recipient: tuple[Identity, ...]) -> dict[str, Any]:
	"""How the gateway is told whom to write to. Without its flag a LID may pass for a phone."""
	one = _reachable(recipient)
	return {"phone": one.value.removeprefix("+"), "isGroup": False, "isLid": one.kind == "lid"}


def chat_wid(recipient: tuple[Identity, ...]) -> str:
	"""The chat with the recipient, in the gateway's own spelling."""
	return wid_of(_reachable(recipient))


def chat_wids(recipient: tuple[Identity, ...]) -> list[str]:
	"""Every chat in which the recipient may be found: WhatsApp moves chats from phones to privacy ids."""
	return list(dict.fromkeys(wid_of(one) for one in recipient if one.kind in ("phone", "lid")))


def wid_of(identity: Identity) -> str:
	"""A phone or a privacy id in the gateway's own spelling."""
	return f"{identity.value.removeprefix('+')}@{'lid' if identity.kind == 'lid' else 'c.us'}"


def accepted_from(reply: Reply) -> Accepted:
	"""What the gateway took, or the error that its answer means."""
	answer = reply.object()
	if not reply.is_success:
		raise error_from(reply)
	response = (answer or {}).get("response")
	item = dict_of(response[0] if isinstance(response, list) and response else response)
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


def reaction_accepted_from(reply: Reply, message: OutgoingReaction) -> Accepted:
	"""A reaction was taken.

	The gateway gives it no id; ours, in a scope of its own, is never that of its target.
	"""
	if not reply.is_success:
		raise error_from(reply)
	if (reply.object() or {}).get("status") != "success":
		raise UnknownOutcome("The gateway's answer can't be read.", code="no_status")
	return Accepted(MessageRef(message.callback or message.target.gateway_id, REACTION))


def _reachable(recipient: tuple[Identity, ...]) -> Identity:
	for kind in ("phone", "lid"):
		for one in recipient:
			if one.kind == kind and (kind == "lid" or len(one.value.removeprefix("+")) <= LONGEST_PHONE):
				return one
	raise RecipientError("The customer has neither a phone number nor a privacy id here.", code="no_address")


def _is_within(degrees: float, limit: int) -> bool:
	return math.isfinite(degrees) and abs(degrees) <= limit


def _check_media(message: OutgoingMedia) -> None:
	if message.kind not in ROUTES:
		raise unsupported(message)
	if not message.content:
		raise Permanent("The file is empty.", code="media_size")
	if len(message.content) > MAX_FILE:
		raise Permanent("The file is too big for this gateway.", code="media_size")
	if message.caption and message.kind in ("voice", "audio"):
		raise Permanent("This kind of file can't have a text: send it as its own message.", code="caption")
	if len(message.caption) > MAX_CAPTION:
		raise Permanent("The text of the file is too long.", code="too_long")


BUILDERS: Mapping[type[Outgoing], Callable[[Any], Request]] = {
	OutgoingText: text_request,
	OutgoingMedia: media_request,
	OutgoingLocation: location_request,
	OutgoingReaction: reaction_request,
	OutgoingContacts: contacts_request,
}
