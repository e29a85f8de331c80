"""Calls of a Cloud API number: told when they begin (`connect`) and when they end (`terminate`), in no order.

What a terminated call says of itself: `duration`, `start_time` and `end_time` are there only if somebody
answered.
"""

from __future__ import annotations

from typing import Any

from khalifa_whatsapp.core import calls
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import Call, Event, MessageRef, Unhandled
from khalifa_whatsapp.drivers.cloud_api.inbound import Frame, phone_of, user_of
from khalifa_whatsapp.drivers.payload import (
	Malformed,
	dict_of,
	distinct,
	epoch_ms,
	id_of,
	need_id,
	number_of,
	reason,
	text_of,
)

OURS, THEIRS = "BUSINESS_INITIATED", "USER_INITIATED"
# How far a call of ours got, told as a status
STATUSES = {"RINGING": calls.RINGING, "ACCEPTED": calls.ANSWERED, "REJECTED": calls.MISSED}


def parse_call(call: dict[str, Any], frame: Frame, own_number: str) -> Event:
	"""One item of `calls[]`."""
	event = text_of(call.get("event")).lower()
	if event not in ("connect", "terminate"):
		return Unhandled(reason("call", event))
	is_ours = _is_ours(call, own_number)
	contact = _contact(call, frame, is_ours)
	customer = _customer(call, contact, "to" if is_ours else "from")
	if not customer:
		raise Malformed("no customer")
	duration = number_of(call.get("duration")) or 0
	return Call(
		ref=MessageRef(need_id(call)),
		customer=customer,
		at_ms=epoch_ms(call.get("timestamp")),
		state=calls.RINGING if event == "connect" else _end(call, duration),
		is_ours=is_ours,
		started_ms=epoch_ms(call.get("start_time")),
		duration=duration,
		is_video=_is_video(call),
		profile_name=text_of(dict_of(contact.get("profile")).get("name")),
	)


def parse_call_status(status: dict[str, Any]) -> Event:
	"""One item of `statuses[]` beside calls: the customer's phone rings, or what was pressed on it."""
	state = STATUSES.get(text_of(status.get("status")).upper())
	customer = distinct(phone_of(status.get("recipient_id")), user_of(status.get("recipient_user_id")))
	if state is None:
		return Unhandled(reason("call status", status.get("status")))
	if not customer:
		raise Malformed("no customer")
	return Call(MessageRef(need_id(status)), customer, epoch_ms(status.get("timestamp")), state, is_ours=True)


def _end(call: dict[str, Any], duration: int) -> str:
	has_talked = duration > 0 or epoch_ms(call.get("start_time")) > 0
	return calls.ANSWERED if has_talked and text_of(call.get("status")).upper() != "FAILED" else calls.MISSED


def _is_ours(call: dict[str, Any], own_number: str) -> bool:
	"""Older deliveries say no direction: then by who called."""
	direction = text_of(call.get("direction")).upper()
	if direction in (OURS, THEIRS):
		return direction == OURS
	return bool(own_number) and id_of(call.get("from")).removeprefix("+") == own_number


def _contact(call: dict[str, Any], frame: Frame, is_ours: bool) -> dict[str, Any]:
	side = "to" if is_ours else "from"
	return frame.contact_of({"from": call.get(side), "from_user_id": call.get(f"{side}_user_id")})


def _customer(call: dict[str, Any], contact: dict[str, Any], side: str) -> tuple[Identity, ...]:
	return distinct(
		phone_of(call.get(side)),
		phone_of(contact.get("wa_id")),
		user_of(call.get(f"{side}_user_id")),
		user_of(contact.get("user_id")),
	)


def _is_video(call: dict[str, Any]) -> bool:
	"""The offer that opens the call tells what it carries; later news does not."""
	session = dict_of(call.get("session"))
	return call.get("is_video") is True or "\nm=video " in text_of(session.get("sdp"))
