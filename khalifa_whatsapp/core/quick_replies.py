"""Quick replies: texts with blanks such as {customer}, which the inbox fills in.

A blank is a word, or a few, in braces; one brace or two, because templates of WhatsApp write `{{1}}`.
Everything else in braces is text and goes out as it stands. A blank that nobody can fill in must not go out
as it was written: it is refused when the text is saved, and asked for when an older text is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from khalifa_whatsapp.core.calendar import Calendar

Reply = TypeVar("Reply", bound=Mapping[str, Any])
# What the inbox knows of a conversation, in the order in which the form names it
KNOWN = (
	"customer",
	"agent",
	"branch",
	"ticket",
	"phone",
	"branch_phone",
	"branch_address",
	"branch_hours",
	"today",
)
MAX_TEXT, MAX_CAPTION = 4096, 1024  # characters; WhatsApp takes fewer beside a file
ARABIC, ENGLISH = "Arabic", "English"
_BLANK = re.compile(r"\{{1,2}\s*(\w[\w .\-]{0,58}\w|\w)\s*\}{1,2}")


@dataclass(frozen=True, slots=True)
class Part:
	"""A piece of a quick reply: a text, or the name of what must be filled in."""

	text: str = ""
	blank: str = ""

	@property
	def is_known(self) -> bool:
		"""Whether the inbox knows what to fill in here."""
		return self.blank in KNOWN


def parts(body: str) -> list[Part]:
	"""The text taken apart, in its order."""
	pieces: list[Part] = []
	place = 0
	for blank in _BLANK.finditer(body):
		pieces += [Part(text=body[place : blank.start()])] if blank.start() > place else []
		pieces.append(Part(blank=_name(blank[1])))
		place = blank.end()
	return pieces + ([Part(text=body[place:])] if place < len(body) else [])


def unknown(body: str) -> list[str]:
	"""Names in braces that nobody fills in, each once."""
	return list(dict.fromkeys(part.blank for part in parts(body) if part.blank and not part.is_known))


def _name(written: str) -> str:
	"""The known names are known in capitals too."""
	return written.lower() if written.lower() in KNOWN else written


def open_hours(calendar: Calendar, now_ms: int) -> list[tuple[str, str]]:
	"""From when to when the branch is open today, as hours and minutes on its clock; none: it is closed."""
	day = calendar.local_date(now_ms)
	start_ms, end_ms = calendar.day_bounds_ms(day)
	spans, at_ms = [], start_ms
	while (opening_ms := calendar.next_opening_ms(at_ms)) is not None and opening_ms < end_ms:
		stretch = calendar.open_stretch_ms(opening_ms)
		closing_ms = min(stretch[1], end_ms) if stretch else end_ms
		spans.append((_clock(calendar, opening_ms), _clock(calendar, closing_ms)))
		at_ms = closing_ms
	return spans


def language_of(text: str) -> str:
	"""The language of a text by its letters: Arabic, English, or empty where it has neither."""
	for char in text:
		if "\u0600" <= char <= "\u06ff" and char.isalpha():
			return ARABIC
		if char.isascii() and char.isalpha():
			return ENGLISH
	return ""


def in_order(replies: Iterable[Reply], language: str) -> list[Reply]:
	"""Those in the customer's language first, then those used most."""
	return sorted(
		replies, key=lambda one: (one["language"] not in ("", None, language), -(one["usage_count"] or 0))
	)


def _clock(calendar: Calendar, instant_ms: int) -> str:
	return datetime.fromtimestamp(instant_ms / 1000, calendar.zone).strftime("%H:%M")
