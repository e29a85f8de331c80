"""A webhook post of WPPConnect Server as events: one post, one event, its data merged into the envelope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from khalifa_whatsapp.drivers.base import (
	Event,
	InboundMessage,
	MessageRef,
	MessageRevoke,
	MessageStatus,
	OutboundEcho,
	Reaction,
	SessionState,
	Unhandled,
)
from khalifa_whatsapp.drivers.payload import (
	Malformed,
	dict_of,
	distinct,
	epoch_ms,
	load_object,
	reason,
	text_of,
)
from khalifa_whatsapp.drivers.wppconnect.content import NOISE_TYPES, content_of
from khalifa_whatsapp.drivers.wppconnect.errors import ACKS, describe_ack
from khalifa_whatsapp.drivers.wppconnect.wid import OUT, chat_of, is_ours, is_person, person, ref_of, wid

# What the gateway says of its login → what it means. Source: its enums of session status.
STATES: Mapping[str, str] = {
	"notLogged": "qr",
	"qrReadFail": "qr",
	"qrReadError": "qr",
	"QRCODE": "qr",
	"PHONECODE": "qr",
	"isLogged": "connecting",
	"qrReadSuccess": "connecting",
	"INITIALIZING": "connecting",
	"inChat": "connected",
	"CONNECTED": "connected",
	"autocloseCalled": "disconnected",  # nobody scanned the code in time
	"browserClose": "disconnected",
	"serverClose": "disconnected",
	"disconnectedMobile": "disconnected",  # unlinked on the phone
	"desconnectedMobile": "disconnected",  # as old versions spell it
	"phoneNotConnected": "disconnected",
	"CLOSED": "disconnected",
}
NOISE_EVENTS = frozenset(
	{"onpresencechanged", "onparticipantschanged", "onupdatelabel", "onpollresponse", "location"}
)


def parse(raw: bytes, session_name: str) -> list[Event]:
	"""Everything a post says about this session. `PayloadError` when it is no JSON object."""
	payload = load_object(raw)
	if text_of(payload.get("session")) != session_name:
		return [Unhandled("foreign session")]
	event = text_of(payload.get("event"))
	reader = READERS.get(event)
	if reader is None:
		return [Unhandled(reason("event", event), is_noise=event in NOISE_EVENTS)]
	try:
		return [reader(payload)]
	except Malformed as error:
		return [Unhandled(reason("malformed", event, error))]


def _message(payload: dict[str, Any]) -> Event:
	kind = text_of(payload.get("type"))
	chat = wid(payload.get("from")) or wid(payload.get("chatId"))
	if payload.get("isGroupMsg") is True or not is_person(chat):
		return Unhandled("not a personal chat", is_noise=True)
	if kind in NOISE_TYPES:
		return Unhandled(reason("type", kind), is_noise=True)
	if payload.get("fromMe") is True or is_ours(payload.get("id")) is True:
		return _echo(payload)
	return _inbound(payload, kind, chat)


def _inbound(payload: dict[str, Any], kind: str, chat: str) -> Event:
	card = dict_of(payload.get("sender"))
	known = [person(chat)]
	for holder in (card, dict_of(payload.get("contact"))):
		known += [person(holder.get(key)) for key in ("id", "phoneNumber", "lid")]
	sender = distinct(*sorted(filter(None, known), key=lambda one: one.kind != "phone"))
	if not sender:
		raise Malformed("no sender")
	content_type, body, media, data = content_of(payload, kind)
	quoted = payload.get("quotedMsgId")
	return InboundMessage(
		ref=ref_of(payload.get("id"), chat, is_ours=False),
		sender=sender,
		sent_ms=_moment(payload),
		content_type=content_type,
		body=body,
		profile_name=_profile_name(payload, card),
		media=media,
		reply_to=_quoted_ref(quoted, payload, chat) if quoted else None,
		data=data,
		is_forwarded=payload.get("isForwarded") is True,
	)


def _profile_name(payload: dict[str, Any], card: dict[str, Any]) -> str:
	"""The name the customer chose, before the one in the phone's address book."""
	names = (payload.get("notifyName"), card.get("pushname"), card.get("name"), card.get("formattedName"))
	return next((text_of(name) for name in names if text_of(name)), "")


def _quoted_ref(quoted: Any, payload: dict[str, Any], chat: str) -> MessageRef | None:
	"""The quoted message. A bare id is ours unless the customer is named as its author."""
	author = wid(payload.get("quotedParticipant"))
	try:
		return ref_of(quoted, chat, is_ours=author != chat)
	except Malformed:
		return None  # a quote nobody can find must not cost us the message


def _echo(payload: dict[str, Any]) -> Event:
	chat = wid(payload.get("to")) or chat_of(payload.get("id")) or wid(payload.get("chatId"))
	kind = text_of(payload.get("type"))
	if payload.get("isGroupMsg") is True or not is_person(chat) or kind in NOISE_TYPES:
		return Unhandled(reason("own", kind), is_noise=True)
	recipient = distinct(person(chat), person(chat_of(payload.get("id"))))
	if not recipient:
		raise Malformed("no recipient")
	content_type, body, media, _ = content_of(payload, kind)
	ref = ref_of(payload.get("id"), chat, is_ours=True)
	return OutboundEcho(ref, recipient, _moment(payload), content_type, body, media)


def _ack(payload: dict[str, Any]) -> Event:
	ack = payload.get("ack")
	chat = chat_of(payload.get("id")) or wid(payload.get("to"))
	if not isinstance(ack, int) or isinstance(ack, bool):
		raise Malformed("no ack")
	if is_ours(payload.get("id")) is False or payload.get("fromMe") is False or not is_person(chat):
		return Unhandled("ack of a foreign message", is_noise=True)
	status = "failed" if ack < 0 else ACKS.get(ack, "")
	if not status:
		return Unhandled(reason("ack", ack), is_noise=True)
	code, kind, text = describe_ack(ack) if ack < 0 else ("", "", "")
	return MessageStatus(
		ref=ref_of(payload.get("id"), chat, is_ours=True),
		status=status,
		at_ms=_moment(payload),
		error_code=code,
		error_kind=kind,
		error_text=text,
		recipient=distinct(person(chat), person(payload.get("to"))),
	)


def _reaction(payload: dict[str, Any]) -> Event:
	own_id = payload.get("id")
	target = payload.get("msgId")
	chat = chat_of(target) or chat_of(own_id)
	if not is_person(chat):
		return Unhandled("reaction in a group", is_noise=True)
	author = person(chat_of(own_id) or chat)
	if is_ours(own_id):
		name = "me"
	elif author is not None:
		name = author.key
	else:
		raise Malformed("no author")
	return Reaction(ref_of(target, chat), name, text_of(payload.get("reactionText")), _moment(payload))


def _revoke(payload: dict[str, Any]) -> Event:
	chat = wid(payload.get("from"))
	target = payload.get("refId") or payload.get("id")
	if not is_person(chat) or not is_person(chat_of(target)):
		return Unhandled("revoke in a group", is_noise=True)
	ref = ref_of(target, chat, is_ours(payload.get("id")))
	if ref.scope == OUT and is_ours(payload.get("id")) is False:
		return Unhandled("revoke of a foreign message")
	return MessageRevoke(ref, _moment(payload))


def _status(payload: dict[str, Any]) -> Event:
	word = text_of(payload.get("status"))
	state = STATES.get(word)
	if state is None:
		return Unhandled(reason("status", word))
	return SessionState(state, word)


def _code(payload: dict[str, Any]) -> Event:
	return SessionState("qr", text_of(payload.get("event")))  # the code itself is a key to the account


def _closed(payload: dict[str, Any]) -> Event:
	return SessionState("disconnected", text_of(payload.get("event")))


def _call(payload: dict[str, Any]) -> Event:
	return Unhandled("call")


def _moment(payload: dict[str, Any]) -> int:
	return epoch_ms(payload.get("t")) or epoch_ms(payload.get("timestamp"))


READERS: Mapping[str, Callable[[dict[str, Any]], Event]] = {
	"onmessage": _message,
	"unreadmessages": _message,
	"onselfmessage": _echo,
	"onack": _ack,
	"onreactionmessage": _reaction,
	"onrevokedmessage": _revoke,
	"status-find": _status,
	"qrcode": _code,
	"phoneCode": _code,
	"closesession": _closed,
	"logoutsession": _closed,
	"incomingcall": _call,
}
