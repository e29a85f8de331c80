"""The phone number as Meta sees it: whether it may send, its quality, its limit."""

from __future__ import annotations

from typing import Any

from khalifa_whatsapp.drivers.base import SessionState
from khalifa_whatsapp.drivers.cloud_api.errors import code_of, error_from
from khalifa_whatsapp.drivers.http import Reply
from khalifa_whatsapp.drivers.payload import dict_of, text_of

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
# What `SessionState.data` calls a field, and what Meta does.
DATA = {
	"display_number": "display_phone_number",
	"verified_name": "verified_name",
	"name_status": "name_status",
	"quality": "quality_rating",
	"limit": "whatsapp_business_manager_messaging_limit",
	"mode": "account_mode",
}
BASIC_FIELDS = "status,quality_rating,health_status"  # in every version of the API
FIELDS = ",".join(("status", "health_status", "throughput", *DATA.values()))


def is_field_unknown(reply: Reply) -> bool:
	"""Whether Meta refused the question because this version of the API lacks one of the fields."""
	return not reply.is_success and code_of(dict_of((reply.object() or {}).get("error"))) == 100


def state_from(reply: Reply) -> SessionState:
	"""The device's state in a phone number object. A status we don't know counts as disconnected."""
	answer = reply.object()
	if not reply.is_success or answer is None or "error" in answer:
		raise error_from(reply)
	status = text_of(answer.get("status"))
	state = STATES.get(status, "disconnected")
	health = text_of(dict_of(answer.get("health_status")).get("can_send_message"))
	if health == "BLOCKED" and state == "connected":
		state = "restricted"
	parts = (status, health, text_of(answer.get("quality_rating")))
	return SessionState(state, " ".join(part for part in parts if part)[:120], data=_data(answer, health))


def token_end_from(reply: Reply) -> int:
	"""When the token ends, in epoch milliseconds, from what `debug_token` says; 0: never.

	A token of a system user has no end. What Meta does not say counts as no end: a token that has ended is
	refused, and that is seen at once.
	"""
	answer = reply.object()
	if not reply.is_success or answer is None or "error" in answer:
		raise error_from(reply)
	seconds = text_of(dict_of(answer.get("data")).get("expires_at"))
	return int(seconds) * 1000 if seconds.isascii() and seconds.isdigit() and len(seconds) < 12 else 0


def _data(answer: dict[str, Any], health: str) -> dict[str, str]:
	values = {key: text_of(answer.get(field))[:140] for key, field in DATA.items()}
	values |= {"throughput": text_of(dict_of(answer.get("throughput")).get("level")), "health": health}
	return {key: value for key, value in values.items() if value}
