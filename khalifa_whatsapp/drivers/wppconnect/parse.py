"""A webhook post of WPPConnect Server as events: one post, one event, its data merged into the envelope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from khalifa_whatsapp.core import calls
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	Call,
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
	id_of,
	list_of,
	load_object,
	number_of,
	reason,
	text_of,
)
from khalifa_whatsapp.drivers.wppconnect.content import CALL, MISSING, NOISE_TYPES, content_of
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
NOISE_EVENTS = frozenset({"onpresencechanged", "onparticipantschanged", "onupdatelabel", "location"})
# How WhatsApp Web says that a call was taken; every other word means that it was not
TAKEN = frozenset({"completed", "connected", "accepted", "acceptedelsewhere", "ongoing"})


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
	if kind == CALL:
		return _call_log(payload, chat, is_call_ours=False)
	return _inbound(payload, kind, chat)


def _inbound(payload: dict[str, Any], kind: str, chat: str) -> Event:
	card = dict_of(payload.get("sender"))
	sender = _sender(payload, chat)
	content_type, body, media, data = content_of(payload, kind)
	return InboundMessage(
		ref=ref_of(payload.get("id"), chat, is_ours=False),
		sender=sender,
		sent_ms=_moment(payload),
		content_type=content_type,
		body=body,
		profile_name=_profile_name(payload, card),
		media=media,
		reply_to=_quoted_ref(payload, chat),
		data=data,
		is_forwarded=payload.get("isForwarded") is True,
		is_missing=kind == MISSING,
	)


def _sender(payload: dict[str, Any], chat: str) -> tuple[Identity, ...]:
	"""Everything the gateway calls the customer, the phone first. `Malformed` when it is nobody."""
	known = [person(chat)]
	for holder in (dict_of(payload.get("sender")), dict_of(payload.get("contact"))):
		known += [person(holder.get(key)) for key in ("id", "phoneNumber", "lid")]
	sender = distinct(*sorted(filter(None, known), key=lambda one: one.kind != "phone"))
	if not sender:
		raise Malformed("no sender")
	return sender


def _profile_name(payload: dict[str, Any], card: dict[str, Any]) -> str:
	"""The name the customer chose, before the one in the phone's address book."""
	names = (payload.get("notifyName"), card.get("pushname"), card.get("name"), card.get("formattedName"))
	return next((text_of(name) for name in names if text_of(name)), "")


def _quoted_ref(payload: dict[str, Any], chat: str, is_echo: bool = False) -> MessageRef | None:
	"""The quoted message, if any. Of a bare id whose author is not named, the one side quotes the other."""
	author = wid(payload.get("quotedParticipant"))
	if not payload.get("quotedMsgId"):
		return None
	try:
		return ref_of(payload["quotedMsgId"], chat, is_ours=author != chat if author else not is_echo)
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
	if kind == CALL:
		return _call_log(payload, chat, is_call_ours=True)
	content_type, body, media, data = content_of(payload, kind)
	return OutboundEcho(
		ref_of(payload.get("id"), chat, is_ours=True),
		recipient,
		_moment(payload),
		content_type,
		body,
		media,
		reply_to=_quoted_ref(payload, chat, is_echo=True),
		data=data,
		is_forwarded=payload.get("isForwarded") is True,
		is_missing=kind == MISSING,
	)


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
	status_text = text_of(payload.get("status"))
	state = STATES.get(status_text)
	if state is None:
		return Unhandled(reason("status", status_text))
	return SessionState(state, status_text)


def _code(payload: dict[str, Any]) -> Event:
	return SessionState("qr", text_of(payload.get("event")))  # the code itself is a key to the account


def _closed(payload: dict[str, Any]) -> Event:
	return SessionState("disconnected", text_of(payload.get("event")))


def _call(payload: dict[str, Any]) -> Event:
	"""It rings. Nothing tells here how it ends, but the message that may come later."""
	chat = wid(payload.get("peerJid"))
	if payload.get("isGroup") is True or not is_person(chat):
		return Unhandled("call of a group", is_noise=True)
	customer = distinct(person(chat))
	if not customer:
		raise Malformed("no caller")
	at_ms = epoch_ms(payload.get("offerTime")) or _moment(payload)
	name = id_of(payload.get("id")) or f"call-{at_ms}"
	return Call(
		MessageRef(name, f"in|{chat}"), customer, at_ms, calls.RANG, is_video=payload.get("isVideo") is True
	)


def _call_log(payload: dict[str, Any], chat: str, is_call_ours: bool) -> Event:
	"""The message that WhatsApp puts into the chat when a call is over; its id is the call's."""
	duration = number_of(payload.get("callDuration")) or 0
	outcome = text_of(payload.get("callOutcome")).lower()
	if outcome in TAKEN or (duration and not outcome):
		state = calls.ANSWERED
	else:
		state = calls.MISSED if outcome or is_call_ours else calls.RANG
	return Call(
		ref_of(payload.get("id"), chat, is_call_ours),
		distinct(person(chat)) if is_call_ours else _sender(payload, chat),
		_moment(payload),
		state,
		is_call_ours,
		duration=duration,
		is_video=payload.get("isVideoCall") is True,
		profile_name="" if is_call_ours else _profile_name(payload, dict_of(payload.get("sender"))),
	)


def _vote(payload: dict[str, Any]) -> Event:
	"""What a customer chose in a poll of ours: all that is chosen now, so that nothing means taken back."""
	target, voter = payload.get("msgId"), wid(payload.get("sender"))
	chat = wid(payload.get("chatId")) or chat_of(target) or voter
	if not is_person(chat):
		return Unhandled("vote in a group", is_noise=True)
	customer, author = person(chat), person(voter)
	if customer is None:
		raise Malformed("no voter")
	if author is not None and author.kind == customer.kind and author != customer:
		return Unhandled("vote of ours", is_noise=True)
	poll = ref_of(target, chat, is_ours=True)
	chosen = [text_of(dict_of(one).get("name")) for one in list_of(payload.get("selectedOptions"))]
	at_ms = _moment(payload)
	return InboundMessage(
		ref=MessageRef(f"vote-{poll.gateway_id}-{at_ms}", f"in|{chat}"),
		sender=(customer,),
		sent_ms=at_ms,
		content_type="poll_reply",
		body=", ".join(filter(None, chosen)),
		reply_to=poll,
	)


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
	"onpollresponse": _vote,
}
