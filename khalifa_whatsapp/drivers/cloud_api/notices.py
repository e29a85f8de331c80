"""Everything in a Cloud API delivery that is not a message: statuses, errors, templates, account, wishes."""

from __future__ import annotations

from typing import Any

from khalifa_whatsapp.drivers.base import (
	AccountNotice,
	Event,
	MarketingPreference,
	MessageRef,
	MessageStatus,
	TemplateStatus,
	Unhandled,
)
from khalifa_whatsapp.drivers.cloud_api.errors import describe, details_of
from khalifa_whatsapp.drivers.cloud_api.inbound import phone_of, user_of
from khalifa_whatsapp.drivers.payload import (
	Malformed,
	dict_of,
	distinct,
	epoch_ms,
	json_value,
	list_of,
	need_id,
	reason,
	text_of,
)

STATUSES = frozenset({"sent", "delivered", "read", "played", "failed"})
WISHES = {"stop": True, "resume": False, "signup": False}


def parse_status(status: dict[str, Any]) -> Event:
	"""How far one of our messages got. A failure without a reason is still a failure."""
	if text_of(status.get("recipient_type")) == "group":
		return Unhandled("group status", is_noise=True)
	word = text_of(status.get("status"))
	if word not in STATUSES:
		return Unhandled(reason("status", word))
	code = kind = text = ""
	if word == "failed":
		errors = list_of(status.get("errors"))
		code, kind, text = describe(dict_of(errors[0]) if errors else {})
	return MessageStatus(
		ref=MessageRef(need_id(status)),
		status=word,
		at_ms=epoch_ms(status.get("timestamp")),
		error_code=code,
		error_kind=kind,
		error_text=text,
		callback=text_of(status.get("biz_opaque_callback_data")),
		recipient=distinct(phone_of(status.get("recipient_id")), user_of(status.get("recipient_user_id"))),
	)


def parse_error(error: dict[str, Any]) -> Event:
	"""An error that belongs to the number and to no message of ours."""
	code, kind, text = describe(error)
	return AccountNotice("error", {"code": code, "kind": kind, "text": text, "details": details_of(error)})


def parse_template_status(value: dict[str, Any]) -> Event:
	"""Meta's verdict on a template. Its id is a number here and a text everywhere else."""
	return TemplateStatus(
		template_id=need_id(value, "message_template_id"),
		name=text_of(value.get("message_template_name")),
		language=text_of(value.get("message_template_language")),
		status=text_of(value.get("event")),
		reason=text_of(value.get("reason")),
	)


def parse_preference(wish: dict[str, Any]) -> Event:
	"""A customer's wish about marketing messages, said to Meta and not to us."""
	value = text_of(wish.get("value"))
	customer = distinct(phone_of(wish.get("wa_id")), user_of(wish.get("user_id")))
	if text_of(wish.get("category")) != "marketing_messages" or value not in WISHES:
		return Unhandled(reason("preference", wish.get("category"), value))
	if not customer:
		raise Malformed("no customer")
	return MarketingPreference(customer, WISHES[value], epoch_ms(wish.get("timestamp")))


def parse_notice(field: str, value: dict[str, Any]) -> Event:
	"""News of the account, the number or a template, as Meta worded it."""
	return AccountNotice(field, json_value(value))
