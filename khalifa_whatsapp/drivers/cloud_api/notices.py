"""Everything in a Cloud API delivery that is not a message, and not about the account: statuses,
templates, wishes.
"""

from __future__ import annotations

import re
from typing import Any

from khalifa_whatsapp.core.arabic import safe_name
from khalifa_whatsapp.core.cost import NOT_BILLABLE, Pricing, micros_of
from khalifa_whatsapp.drivers.base import (
	Event,
	MarketingPreference,
	MessageRef,
	MessageStatus,
	TemplateStatus,
	Unhandled,
)
from khalifa_whatsapp.drivers.cloud_api.errors import describe
from khalifa_whatsapp.drivers.cloud_api.inbound import phone_of, user_of
from khalifa_whatsapp.drivers.payload import (
	Malformed,
	dict_of,
	distinct,
	epoch_ms,
	list_of,
	need_id,
	reason,
	text_of,
)

MAX_NAME = 40
CURRENCY = re.compile(r"[A-Z]{3}")
STATUSES = frozenset({"sent", "delivered", "read", "played", "failed"})
PREFERENCES = {"stop": True, "resume": False, "signup": False}


def parse_status(status: dict[str, Any]) -> Event:
	"""How far one of our messages got. A failure without a reason is still a failure."""
	if text_of(status.get("recipient_type")) == "group":
		return Unhandled("group status", is_noise=True)
	reported = text_of(status.get("status"))
	if reported not in STATUSES:
		return Unhandled(reason("status", reported))
	code = kind = text = ""
	if reported == "failed":
		errors = list_of(status.get("errors"))
		code, kind, text = describe(dict_of(errors[0]) if errors else {})
	return MessageStatus(
		ref=MessageRef(need_id(status)),
		status=reported,
		at_ms=epoch_ms(status.get("timestamp")),
		error_code=code,
		error_kind=kind,
		error_text=text,
		callback=text_of(status.get("biz_opaque_callback_data")),
		recipient=distinct(phone_of(status.get("recipient_id")), user_of(status.get("recipient_user_id"))),
		pricing=parse_pricing(dict_of(status.get("pricing"))),
	)


def parse_pricing(pricing: dict[str, Any]) -> Pricing | None:
	"""By what the message is charged; None when nothing is said.

	Names of the amount's fields differ between announcements: whatever is no amount is left out.
	"""
	currency = text_of(pricing.get("currency")).upper()
	given = pricing.get("amount", pricing.get("price"))
	micros = micros_of(given) if CURRENCY.fullmatch(currency) else None
	price_type = safe_name(text_of(pricing.get("type")).lower(), MAX_NAME)
	if not price_type and pricing.get("billable") is False:  # the word for it before there were types
		price_type = NOT_BILLABLE
	parsed = Pricing(
		safe_name(text_of(pricing.get("category")).lower(), MAX_NAME),
		price_type,
		micros,
		currency if micros is not None else "",
	)
	return parsed if parsed != Pricing() else None


def parse_template(value: dict[str, Any], at_ms: int = 0) -> Event:
	"""What Meta says of a template, by whichever of its four fields.

	Its id is a number here, a text elsewhere.
	"""
	return TemplateStatus(
		template_id=need_id(value, "message_template_id"),
		name=text_of(value.get("message_template_name")),
		language=text_of(value.get("message_template_language")),
		status=text_of(value.get("event")),
		reason=_reason_of(value),
		category=text_of(value.get("new_category")),
		quality=text_of(value.get("new_quality_score")),
		is_text_changed="message_template_element" in value,
		at_ms=at_ms,
	)


def _reason_of(value: dict[str, Any]) -> str:
	"""Meta gives the reason of a rejection, a pause or a ban each in a place of its own; «NONE» is none."""
	info = dict_of(value.get("rejection_info")) or dict_of(value.get("other_info"))
	reported_texts = (
		text_of(value.get("reason")),
		text_of(info.get("reason")) or text_of(info.get("title")),
		text_of(info.get("description")),
	)
	return ": ".join(
		dict.fromkeys(reported for reported in reported_texts if reported and reported != "NONE")
	)


def parse_preference(wish: dict[str, Any]) -> Event:
	"""A customer's wish about marketing messages, said to Meta and not to us."""
	value = text_of(wish.get("value"))
	customer = distinct(phone_of(wish.get("wa_id")), user_of(wish.get("user_id")))
	if text_of(wish.get("category")) != "marketing_messages" or value not in PREFERENCES:
		return Unhandled(reason("preference", wish.get("category"), value))
	if not customer:
		raise Malformed("no customer")
	return MarketingPreference(customer, PREFERENCES[value], epoch_ms(wish.get("timestamp")))
