"""What Meta refuses in a message before it takes it, with the codes of its error reference."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from khalifa_whatsapp.drivers.payload import dict_of, list_of
from simulation.simulators import wire
from simulation.simulators.server import Answer, json_answer

INVALID, MISSING, BAD_VALUE, BAD_TYPE = 100, 131008, 131009, 131051
PAIR_LIMIT = 131056
PAIR_GAP_MS, PAIR_BURST = 6_000, 45
MAX_CALLBACK = 512
WITH_CAPTION = frozenset({"image", "video", "document"})

_PHONE = re.compile(r"\+?[\d ()\-]{5,25}", re.ASCII)
_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}", re.ASCII)


class Refused(Exception):
	"""A call that Meta answers with one of its codes."""

	def __init__(self, code: int, details: str = "", status: int = 400) -> None:
		super().__init__(code, details)
		self.code, self.details, self.status = code, details, status

	def answer(self) -> Answer:
		"""As Graph words it."""
		return json_answer(wire.cloud_error(self.code, self.details), self.status)


class PairLimit:
	"""One message per six seconds to one customer; up to 45 at once, borrowed from the time after."""

	def __init__(self, now_ms: Callable[[], int]) -> None:
		self._now_ms = now_ms
		self._free_ms: dict[str, int] = {}  # by recipient: when all that was borrowed is paid back

	def take(self, recipient: str) -> None:
		"""Count a message; raises `Refused` when it is one too many."""
		now_ms = self._now_ms()
		free_ms = max(now_ms, self._free_ms.get(recipient, 0)) + PAIR_GAP_MS
		if free_ms - now_ms > PAIR_BURST * PAIR_GAP_MS:
			raise Refused(PAIR_LIMIT, "Too many messages to this recipient")
		self._free_ms[recipient] = free_ms


def check_frame(body: Mapping[str, Any]) -> tuple[str, Any]:
	"""Kind and content of a message that is addressed to somebody. Raises `Refused`."""
	kind = body.get("type", "text")
	content = body.get(kind) if isinstance(kind, str) else None
	if body.get("messaging_product") != "whatsapp" or not isinstance(
		content, list if kind == "contacts" else dict
	):
		raise Refused(INVALID, "Invalid parameter")
	to, recipient = body.get("to"), body.get("recipient")
	if not to and not recipient:
		raise Refused(MISSING, "The parameter to is required")
	is_known = _PHONE.fullmatch(str(to)) if to else _USER_ID.fullmatch(str(recipient))
	_need(is_known, BAD_VALUE, "The recipient is neither a phone number nor a user id")
	_need(
		_is_text(body.get("biz_opaque_callback_data", "-"), MAX_CALLBACK),
		INVALID,
		"The callback data is too long",
	)
	return kind, content


def check_content(kind: str, content: Any, knows: Callable[[str], bool]) -> None:
	"""Raises `Refused` for content that breaks Meta's rules. `knows`: whether there is such a message."""
	if kind == "reaction":
		_need(knows(str(content.get("message_id", ""))), BAD_VALUE, "The message to react to does not exist")
	check = CHECKS.get(kind)
	if check is None:
		raise Refused(BAD_TYPE, "Unsupported message type")
	check(content)


def _need(is_good: object, code: int, details: str) -> None:
	if not is_good:
		raise Refused(code, details)


def _is_text(value: Any, most: int) -> bool:
	return isinstance(value, str) and 0 < len(value) <= most


def _is_short(value: Any, most: int) -> bool:
	"""Whether a text that may be left out is a text, and not too long."""
	return value is None or _is_text(value, most)


def _text(content: dict[str, Any]) -> None:
	_need(_is_text(content.get("body"), 4096), INVALID, "Param text['body'] must have 1 to 4096 characters")


def _file(kind: str) -> Callable[[dict[str, Any]], None]:
	"""Everything but the file itself, which the shelf of files knows."""

	def check(content: dict[str, Any]) -> None:
		_need(kind in WITH_CAPTION or "caption" not in content, INVALID, "Unexpected key caption")
		_need(kind == "document" or "filename" not in content, INVALID, "Unexpected key filename")
		_need(
			_is_short(content.get("caption"), 1024), INVALID, "Param caption must have 1 to 1024 characters"
		)

	return check


def _reaction(content: dict[str, Any]) -> None:
	emoji = content.get("emoji")
	is_emoji = isinstance(emoji, str) and not any(sign.isascii() and sign.isalpha() for sign in emoji)
	_need(is_emoji, BAD_VALUE, "Param reaction['emoji'] is no emoji")


def _location(content: dict[str, Any]) -> None:
	for key, most in (("latitude", 90), ("longitude", 180)):
		value = content.get(key)
		_need(value is not None, MISSING, "A coordinate is missing")
		_need(
			isinstance(value, (int, float)) and abs(value) <= most, BAD_VALUE, "A coordinate is out of range"
		)


def _contacts(cards: list[Any]) -> None:
	_need(cards, MISSING, "There is no contact")
	for card in cards:
		name = dict_of(dict_of(card).get("name"))
		_need(_is_text(name.get("formatted_name"), 1000), MISSING, "A contact has no formatted_name")
		_need(len(name) > 1, MISSING, "A contact's name needs one more part")
		for phone in list_of(card.get("phones")):
			_need(_is_text(dict_of(phone).get("phone"), 40), BAD_VALUE, "A contact's phone is empty")


def _interactive(content: dict[str, Any]) -> None:
	_need(
		_is_text(dict_of(content.get("body")).get("text"), 1024),
		BAD_VALUE,
		"The body must have 1 to 1024 characters",
	)
	for key in ("header", "footer"):
		if key in content:
			_need(
				_is_text(dict_of(content[key]).get("text"), 60),
				BAD_VALUE,
				f"The {key} must have 1 to 60 characters",
			)
	action = dict_of(content.get("action"))
	if content.get("type") == "button":
		_buttons(list_of(action.get("buttons")))
	elif content.get("type") == "list":
		_need(_is_text(action.get("button"), 20), BAD_VALUE, "The list's button must have 1 to 20 characters")
		_sections([dict_of(section) for section in list_of(action.get("sections"))])
	else:
		raise Refused(BAD_VALUE, "Unknown interactive type")


def _buttons(buttons: list[Any]) -> None:
	_need(1 <= len(buttons) <= 3, BAD_VALUE, "There must be 1 to 3 buttons")
	replies = [dict_of(dict_of(button).get("reply")) for button in buttons]
	for reply in replies:
		_need(_is_text(reply.get("id"), 256), BAD_VALUE, "A button's id must have 1 to 256 characters")
		_need(_is_text(reply.get("title"), 20), BAD_VALUE, "A button's title must have 1 to 20 characters")
	for key in ("id", "title"):
		_need(len({reply[key] for reply in replies}) == len(replies), BAD_VALUE, "Two buttons are alike")


def _sections(sections: list[dict[str, Any]]) -> None:
	rows = [dict_of(row) for section in sections for row in list_of(section.get("rows"))]
	_need(1 <= len(sections) <= 10 and 1 <= len(rows) <= 10, BAD_VALUE, "There must be 1 to 10 rows")
	for section in sections:
		title = section.get("title")
		_need(
			_is_short(title, 24) and (title or len(sections) == 1),
			BAD_VALUE,
			"A section's title is missing or too long",
		)
		_need(list_of(section.get("rows")), BAD_VALUE, "A section is empty")
	for row in rows:
		_need(_is_text(row.get("id"), 200), BAD_VALUE, "A row's id must have 1 to 200 characters")
		_need(_is_text(row.get("title"), 24), BAD_VALUE, "A row's title must have 1 to 24 characters")
		_need(_is_short(row.get("description"), 72), BAD_VALUE, "A row's description may have 72 characters")
	_need(len({row["id"] for row in rows}) == len(rows), BAD_VALUE, "Two rows have the same id")


def _any(content: dict[str, Any]) -> None:
	"""A template is checked against the account's own."""


CHECKS: Mapping[str, Callable[[Any], None]] = {
	"text": _text,
	**{kind: _file(kind) for kind in ("image", "audio", "video", "document", "sticker")},
	"reaction": _reaction,
	"location": _location,
	"contacts": _contacts,
	"interactive": _interactive,
	"template": _any,
}
