"""Contact cards as phones write them (vCard 2.1, 3.0 and 4.0), read with the library made for them.

Line by line: a card with one broken line, or with no end, still has a name and numbers. The library's own
reader of whole cards gives such a card up, and writes the line into the log.
"""

from __future__ import annotations

import io
import quopri
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from vobject.base import ContentLine, VObjectError, getLogicalLines, textLineToContentLine
from vobject.vcard import NAME_ORDER, Name, VCardTextBehavior, splitFields

MAX_TEXT = 100_000  # characters; the rest of a card is its photo
LONGEST_LINE = 4_000  # a name, a number, an address: never a photo
MAX_CARDS, MAX_VALUES = 20, 10
KNOWN = frozenset({"FN", "N", "NICKNAME", "ORG", "TEL", "EMAIL", "X-WA-BIZ-NAME"})
BINARY = frozenset({"B", "BASE64"})
UNREADABLE = "\ufffd"  # stands where bytes were cut
# What may go wrong in a line from outside: its form, its bytes, an alphabet that nobody knows
Unreadable = (VObjectError, UnicodeError, LookupError, ValueError)


@dataclass(slots=True)
class Card:
	"""One card's lines, by what they say."""

	names: dict[str, str] = field(default_factory=dict)
	company: str = ""
	phones: list[dict[str, str]] = field(default_factory=list)
	emails: list[str] = field(default_factory=list)

	def as_contact(self) -> dict[str, Any]:
		"""The card as the Cloud API writes contacts; what it does not say is left out."""
		names = [self.names.get(key, "") for key in ("FN", "N", "X-WA-BIZ-NAME", "NICKNAME")]
		parts = {
			"name": {"formatted_name": name} if (name := next(filter(None, names), "")) else {},
			"org": {"company": self.company} if self.company else {},
			"phones": self.phones[:MAX_VALUES],
			"emails": [{"email": email} for email in self.emails[:MAX_VALUES]],
		}
		return {key: value for key, value in parts.items() if value}


def contacts_in(text: str) -> list[dict[str, Any]]:
	"""The contacts of a text with one card or several; none where it holds nothing that can be read."""
	cards: list[Card] = []
	for line in _lines(text[:MAX_TEXT]):
		if line.name == "BEGIN" or not cards:
			cards.append(Card())
		_read(cards[-1], line)
	return [contact for card in cards[:MAX_CARDS] if (contact := card.as_contact())]


def _lines(text: str) -> Iterator[ContentLine]:
	"""The lines that can be read, folded ones in one piece."""
	for line, _number in getLogicalLines(io.StringIO(text)):
		head, colon, value = line.partition(":")
		if not colon or len(line) > LONGEST_LINE:
			continue
		try:  # the library knows the names of encodings in capitals only, as the standard writes them
			yield textLineToContentLine(f"{head.upper()}:{value}")
		except Unreadable:
			name = head.partition(";")[0].rpartition(".")[2].strip().upper()
			if name in KNOWN:
				# The stubs ask for a mapping, the library for a list of lists
				yield ContentLine(name, [], _as_it_stands(head, value), encoded=True)  # type: ignore[arg-type]


def _as_it_stands(head: str, value: str) -> str:
	"""The words of a line whose bytes were cut, or whose alphabet is unknown:
	better with gaps than not at all.
	"""
	if "QUOTED-PRINTABLE" not in head.upper():
		return value
	return quopri.decodestring(value.encode()).decode("utf-8", "replace")


def _read(card: Card, line: ContentLine) -> None:
	if line.name not in KNOWN or BINARY & {*line.params.get("ENCODING", ())}:
		return
	if line.name == "TEL":
		_read_phone(card, line)
	elif line.name == "ORG":
		card.company = card.company or _joined(splitFields(line.value), ", ")
	elif line.name == "N":
		parts = dict(zip(NAME_ORDER, splitFields(line.value), strict=False))
		card.names.setdefault("N", " ".join(str(Name(**parts)).split()))
	elif text := _unescaped(line):
		if line.name == "EMAIL":
			card.emails.append(text)
		else:
			card.names.setdefault(line.name, text)


def _read_phone(card: Card, line: ContentLine) -> None:
	number = _unescaped(line).removeprefix("tel:").partition(";")[0].strip()
	wa_id = "".join(line.params.get("WAID", ()))[:20]
	kinds = [*line.params.get("TYPE", ()), *line.singletonparams]
	kind = next((term for terms in kinds for term in terms.split(",") if term not in ("PREF", "VOICE")), "")
	phone = {"phone": number or (f"+{wa_id}" if wa_id else ""), "wa_id": wa_id, "type": kind[:20]}
	if phone["phone"]:
		card.phones.append({key: value for key, value in phone.items() if value})


def _unescaped(line: ContentLine) -> str:
	VCardTextBehavior.decode(line)
	return " ".join(str(line.value).split())


def _joined(parts: list[Any], between: str) -> str:
	flat = (part if isinstance(part, str) else " ".join(part) for part in parts)
	return between.join(" ".join(part.split()) for part in flat if part.strip())
