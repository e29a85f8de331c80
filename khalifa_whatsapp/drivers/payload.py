"""Reading what a gateway posted, when nothing in it can be believed.

A verified delivery may still lack a field, hold a number where a text belongs, or nest a thousand levels
deep. Drivers read it only through these functions: each gives the promised type or says `Malformed`.
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from typing import Any

from khalifa_whatsapp.core.details import dict_of as dict_of
from khalifa_whatsapp.core.details import list_of as list_of
from khalifa_whatsapp.core.identity import Identity, parse_wid
from khalifa_whatsapp.drivers.base import PayloadError

MAX_ID = 512  # characters; the longest real id seen is a quarter of that
MAX_DEPTH = 12  # of the free-form JSON that an event carries on
MILLISECONDS_FROM = 10**11  # a smaller epoch is in seconds: 10**11 s is the year 5138
LATEST_MS = 253_402_300_799_000  # 9999-12-31, the last day a database can hold

_REASON_NOISE = re.compile(r"[^A-Za-z0-9_.:\- ]")


class Malformed(ValueError):
	"""One part of a delivery that lacks what its format promises. It names the field, never a value."""


def load_object(raw: bytes) -> dict[str, Any]:
	"""The JSON object in a delivery. `PayloadError` for anything else: cut, a list, nested too deep."""
	try:
		payload = json.loads(raw)
	except RecursionError:
		raise PayloadError("the delivery is nested too deep") from None
	except ValueError as error:  # JSONDecodeError, UnicodeDecodeError, a number with thousands of digits
		raise PayloadError(f"the delivery is not JSON: {type(error).__name__}") from None
	if not isinstance(payload, dict):
		raise PayloadError("the delivery is not a JSON object")
	return payload


def text_of(value: Any) -> str:
	"""A text that can be stored: whole numbers become digits, anything else nothing, half emojis a �."""
	if isinstance(value, str):
		return value if value.isascii() else _without_lone_surrogates(value)
	if isinstance(value, int) and not isinstance(value, bool):
		return str(value)
	return ""


def need_text(holder: dict[str, Any], key: str) -> str:
	"""The text under `key`, which may be empty; `Malformed` when there is none."""
	value = holder.get(key)
	if not isinstance(value, str):
		raise Malformed(f"no {key}")
	return value if value.isascii() else _without_lone_surrogates(value)


def need_dict(holder: dict[str, Any], key: str) -> dict[str, Any]:
	"""The object under `key`; `Malformed` when there is none."""
	value = holder.get(key)
	if not isinstance(value, dict):
		raise Malformed(f"no {key}")
	return value


def id_of(value: Any) -> str:
	"""A gateway's id as text, or nothing when it is none or longer than `MAX_ID`."""
	text = text_of(value).strip()
	return text if len(text) <= MAX_ID else ""


def need_id(holder: dict[str, Any], key: str = "id") -> str:
	"""The id under `key`; `Malformed` when there is none."""
	gateway_id = id_of(holder.get(key))
	if not gateway_id:
		raise Malformed(f"no {key}")
	return gateway_id


def epoch_ms(value: Any) -> int:
	"""Milliseconds of an epoch given in s or ms, as number or digits. 0: the gateway did not say."""
	if isinstance(value, str):
		if not (value.isascii() and value.isdigit() and len(value) <= 16):
			return 0
		number = int(value)
	elif isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= LATEST_MS:
		number = int(value)
	else:
		return 0
	moment = number if number >= MILLISECONDS_FROM else number * 1000
	return moment if 0 < moment <= LATEST_MS else 0


def number_of(value: Any) -> int | None:
	"""A whole number ≥ 0, given as number or digits; None when it is none."""
	if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
		return int(value)
	if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15:
		return value
	return None


def json_value(value: Any, depth: int = 0) -> Any:
	"""A copy of free-form JSON that every store can keep: no NaN, no half emojis, no endless nesting."""
	if isinstance(value, str):
		return text_of(value)
	if isinstance(value, float):
		return value if math.isfinite(value) else None
	if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
		return str(value)
	if depth >= MAX_DEPTH and isinstance(value, (dict, list)):
		return None
	if isinstance(value, dict):
		return {text_of(key): json_value(item, depth + 1) for key, item in value.items()}
	if isinstance(value, list):
		return [json_value(item, depth + 1) for item in value]
	return value


def mime_of(value: str) -> str:
	"""A MIME type without its parameters: `audio/ogg; codecs=opus` is audio/ogg."""
	return value.partition(";")[0].strip().lower()


def reason(*parts: object) -> str:
	"""A short reason for an `Unhandled`: a gateway's words, without anything that could upset a log."""
	return _REASON_NOISE.sub("", " ".join(str(part) for part in parts))[:80]


@lru_cache(maxsize=8192)
def identity_of(wid: str) -> Identity | None:
	"""Who a gateway's id means; None when it means nobody. Remembered: the same people write again."""
	try:
		return parse_wid(wid) if 0 < len(wid) <= MAX_ID else None
	except ValueError:
		return None


def distinct(*identities: Identity | None) -> tuple[Identity, ...]:
	"""The people among these, each once, in this order."""
	return tuple(dict.fromkeys(one for one in identities if one is not None and one.is_person))


def _without_lone_surrogates(value: str) -> str:
	try:
		value.encode()
	except UnicodeEncodeError:  # "\ud83d" alone is legal JSON, and no database takes it
		return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
	return value
