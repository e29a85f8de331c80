"""A webhook delivery of the Cloud API as events: every entry, change, message, status and error of it.

What the fields mean is in Meta's webhook reference; what may be missing was learned from recorded payloads,
and is more than the reference says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from khalifa_whatsapp.drivers.base import Event, PayloadError, Unhandled
from khalifa_whatsapp.drivers.cloud_api.account import error_notice, notice
from khalifa_whatsapp.drivers.cloud_api.calls import parse_call, parse_call_status
from khalifa_whatsapp.drivers.cloud_api.inbound import Frame, parse_echo, parse_message
from khalifa_whatsapp.drivers.cloud_api.notices import parse_preference, parse_status, parse_template
from khalifa_whatsapp.drivers.payload import (
	Malformed,
	dict_of,
	epoch_ms,
	id_of,
	list_of,
	load_object,
	reason,
	text_of,
)

OBJECT = "whatsapp_business_account"
NUMBER_FIELDS = frozenset(
	{"messages", "calls", "smb_message_echoes", "user_preferences", "history", "smb_app_state_sync"}
)
TEMPLATE_FIELDS = frozenset(
	{
		"message_template_status_update",
		"message_template_quality_update",
		"message_template_components_update",
		"template_category_update",
	}
)
NOTICE_FIELDS = frozenset(
	{
		"phone_number_quality_update",
		"phone_number_name_update",
		"business_capability_update",
		"account_update",
		"account_alerts",
		"account_review_update",
		"security",
	}
)
NOISE_FIELDS = frozenset({"history", "smb_app_state_sync", "standby"})  # past chats and handover: not ours


def parse(raw: bytes, phone_number_id: str, business_account_id: str = "") -> list[Event]:
	"""Everything a delivery says about one number, in its order. `PayloadError` when it is no envelope."""
	payload = load_object(raw)
	entries = payload.get("entry")
	if not isinstance(entries, list):
		raise PayloadError("the delivery has no entry list")
	if payload.get("object") != OBJECT:
		return [Unhandled(reason("object", payload.get("object")))]
	events: list[Event] = []
	for entry in entries:
		_parse_entry(events, entry, phone_number_id, business_account_id)
	return events


def _parse_entry(events: list[Event], entry: Any, phone_number_id: str, business_account_id: str) -> None:
	changes = dict_of(entry).get("changes")
	if not isinstance(changes, list):
		events.append(Unhandled("malformed entry"))
		return
	at_ms = epoch_ms(dict_of(entry).get("time"))
	is_foreign = bool(business_account_id) and id_of(entry.get("id")) not in ("", "0", business_account_id)
	for change in changes:
		field, value = text_of(dict_of(change).get("field")), dict_of(change).get("value")
		if not field or not isinstance(value, dict):
			events.append(Unhandled("malformed change"))
		elif field in NUMBER_FIELDS and _number_of(value) != phone_number_id:
			events.append(Unhandled("foreign number"))
		elif field not in NUMBER_FIELDS and is_foreign:
			events.append(Unhandled("foreign account"))
		else:
			_parse_change(events, field, value, at_ms)


def _number_of(value: dict[str, Any]) -> str:
	return id_of(dict_of(value.get("metadata")).get("phone_number_id"))


def _parse_change(events: list[Event], field: str, value: dict[str, Any], at_ms: int) -> None:
	if field == "messages":
		_parse_messages(events, value)
	elif field == "calls":
		_parse_calls(events, value)
	elif field == "smb_message_echoes":
		_each(events, value.get("message_echoes"), parse_echo)
	elif field == "user_preferences":
		_each(events, value.get("user_preferences"), parse_preference)
	elif field in TEMPLATE_FIELDS:
		_each(events, [value], lambda item: parse_template(item, at_ms))
	elif field in NOTICE_FIELDS:
		events.append(notice(field, value, at_ms))
	else:
		is_noise = field in NOISE_FIELDS or field.startswith("group_")
		events.append(Unhandled(reason("field", field), is_noise))


def _parse_messages(events: list[Event], value: dict[str, Any]) -> None:
	before = len(events)
	if value.get("messages") is not None:
		frame = Frame.of(value)
		_each(events, value["messages"], lambda message: parse_message(message, frame, len(events)))
	if value.get("statuses") is not None:
		_each(events, value["statuses"], parse_status)
	if value.get("errors") is not None:
		_each(events, value["errors"], error_notice)
	if len(events) == before:
		events.append(Unhandled("nothing in messages"))


def _parse_calls(events: list[Event], value: dict[str, Any]) -> None:
	before = len(events)
	frame = Frame.of(value)
	own_number = id_of(dict_of(value.get("metadata")).get("display_phone_number")).removeprefix("+")
	if value.get("calls") is not None:
		_each(events, value["calls"], lambda call: parse_call(call, frame, own_number))
	if value.get("statuses") is not None:
		_each(events, value["statuses"], parse_call_status)
	if len(events) == before:
		events.append(Unhandled("nothing in calls"))


def _each(events: list[Event], items: Any, parse_one: Callable[[dict[str, Any]], Event]) -> None:
	"""Parse item by item, so that a malformed one takes none of its neighbours with it."""
	if not isinstance(items, list):
		events.append(Unhandled("malformed list"))
	for item in list_of(items):
		try:
			events.append(parse_one(item) if isinstance(item, dict) else Unhandled("malformed item"))
		except Malformed as error:
			events.append(Unhandled(reason("malformed", item.get("type") or "item", error)))
