"""Whether a customer wants promotions: messages that say so, and the state that all wishes amount to.

Only a message that says nothing else is a wish: "cancel order 42" is not one. "CANCEL" alone may have meant
an order; it stops promotions, and a person looks at it as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from khalifa_whatsapp.core.arabic import normalise
from khalifa_whatsapp.core.phones import MIN_DIGITS
from khalifa_whatsapp.core.records import ConsentEvent, Customer

# ConsentEvent.wish
STOPPED, RESUMED = "Stopped", "Resumed"
# ConsentEvent.source: how we know of it
BY_TEXT, BY_BUTTON, BY_GATEWAY, BY_REFUSAL = "Message", "Button", "WhatsApp Setting", "Refused Promotion"
BY_LIST, BEFORE = "List", "Before the Log"
# What an agent chooses from: where the customer said it
IN_PERSON, BY_PHONE, IN_CHAT, OTHERWISE = "In Person", "By Phone", "In the Conversation", "Another Way"
AGENT_SOURCES = (IN_PERSON, BY_PHONE, IN_CHAT, OTHERWISE)

# What our own buttons bring back
STOP_PAYLOAD, RESUME_PAYLOAD = "STOP_PROMO", "START_PROMO"
OPT_OUT_WORDS = (
	"STOP",
	"STOPALL",
	"STOP ALL",
	"STOP PROMOTIONS",
	"UNSUBSCRIBE",
	"CANCEL",
	"END",
	"QUIT",
	"إيقاف",
	"إيقاف العروض",
	"إيقاف الرسائل",
	"توقف",
	"وقف",
	"وقف العروض",
	"وقف الرسايل",
	"إلغاء",
	"إلغاء الاشتراك",
	"لا تراسلني",
	"بلاش رسايل",
	"بلاش عروض",
	"مش عايز رسائل",
	"مش عايزة رسائل",
	"مش عاوز رسائل",
	"مش عاوزة رسائل",
	"مش عايز عروض",
	"مش عايزة عروض",
)
AMBIGUOUS_OPT_OUT_WORDS = ("CANCEL", "إلغاء")  # of promotions, or of an order?
OPT_IN_WORDS = ("START", "اشتراك")
MAX_LENGTH = 100  # characters; a longer message says something else
MAX_LINES = 1_000  # of a list, in one call


@dataclass(frozen=True, slots=True)
class Wish:
	"""What a message says of promotions. `is_ambiguous`: it may have meant something else."""

	is_stop: bool
	is_ambiguous: bool = False
	source: str = BY_TEXT

	@property
	def name(self) -> str:
		"""As the log has it."""
		return STOPPED if self.is_stop else RESUMED


def wish_of(content_type: str, body: str, data: Mapping[str, Any]) -> Wish | None:
	"""The wish that is all of a customer's message; None for every other message."""
	if content_type == "button_reply":
		payload = str(data.get("payload") or data.get("id") or "")
		if payload in (STOP_PAYLOAD, RESUME_PAYLOAD):
			return Wish(payload == STOP_PAYLOAD, source=BY_BUTTON)
		return _in_text(body, BY_BUTTON)
	return _in_text(body, BY_TEXT) if content_type == "text" else None


def _in_text(body: str, source: str) -> Wish | None:
	if is_opt_out(body):
		return Wish(True, is_ambiguous_opt_out(body), source)
	return Wish(False, source=source) if is_opt_in(body) else None


def is_opt_out(text: str) -> bool:
	"""Whether the whole message asks to stop promotions. "Cancel order 42" does not."""
	return _whole_message(text) in _OPT_OUT


def is_ambiguous_opt_out(text: str) -> bool:
	"""Whether an opt-out may have meant an order: stop promotions, and show it to an agent too."""
	return _whole_message(text) in _AMBIGUOUS_OPT_OUT


def is_opt_in(text: str) -> bool:
	"""Whether the whole message asks for promotions again."""
	return _whole_message(text) in _OPT_IN


def number_in(line: str) -> str:
	"""The cell of a pasted or CSV line that holds the number, without what spreadsheets put around it; the
	whole line where no cell looks like one.
	"""
	cells = [cell.strip(" \t\r\n\"'=\ufeff") for cell in re.split(r"[,;\t]", line)]
	return next(
		(cell for cell in cells if sum(char.isdecimal() for char in cell) >= MIN_DIGITS), line.strip()
	)


def apply(customer: Customer, event: ConsentEvent) -> bool:
	"""Bring the customer's state up to a wish, in whatever order wishes become known.

	The latest one counts; of two at the same instant the one that stops. Whether the customer changed: also
	when only the time of the latest wish did.
	"""
	is_stop = int(event.wish == STOPPED)
	if (event.at_ms, is_stop) < (customer.opted_out_ms or 0, customer.is_opted_out):
		return False
	before = (customer.is_opted_out, customer.opted_out_ms)
	customer.is_opted_out, customer.opted_out_ms = is_stop, event.at_ms
	return before != (is_stop, event.at_ms)


def state_of(events: Iterable[ConsentEvent]) -> tuple[int, int | None]:
	"""(`is_opted_out`, `opted_out_ms`) that a customer's whole log amounts to."""
	latest = max(((one.at_ms, int(one.wish == STOPPED)) for one in events), default=None)
	return (latest[1], latest[0]) if latest else (0, None)


def _whole_message(text: str) -> str:
	"""The message without the punctuation around it. A question mark stays: "stop?" is not an order."""
	return re.sub(r"^[^\w?؟]+|[^\w?؟]+$", "", normalise(text)) if len(text) < MAX_LENGTH else ""


_OPT_OUT = frozenset(normalise(term) for term in OPT_OUT_WORDS)
_AMBIGUOUS_OPT_OUT = frozenset(normalise(term) for term in AMBIGUOUS_OPT_OUT_WORDS)
_OPT_IN = frozenset(normalise(term) for term in OPT_IN_WORDS)
