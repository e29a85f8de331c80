"""What messages say, in the reader's language: the sentences of `core.content`, translated,
and people's own words as they are.
"""

from __future__ import annotations

from typing import Any

from frappe import _

from khalifa_whatsapp.core.content import MessageContent, Part, label_of, line_of, parts
from khalifa_whatsapp.core.kinds import MESSAGES, label_icon


def last_line(preview: str | None, label: str | None) -> str:
	"""A conversation's last message as its list shows it."""
	return _label_text(label) if label in MESSAGES else preview or ""


def line(one: MessageContent) -> str:
	"""A message on one line: in a quote, or in a notice."""
	text, label = line_of(one)
	return _label_text(label) if label else text


def label(one: MessageContent) -> str:
	"""What came, without its words: Picture, Voice message, Missed call."""
	return _(MESSAGES[label_of(one)])


def whole(one: MessageContent, has_file: bool) -> list[dict[str, Any]]:
	"""The parts of a message, ready to be drawn as text."""
	return [_drawn(part) for part in parts(one, has_file)]


def _drawn(part: Part) -> dict[str, Any]:
	return {
		"kind": part.kind,
		"text": part.text,
		"label": _(MESSAGES[part.label]) if part.label else "",
		"value": part.value,
		"lines": list(part.lines),
		"point": list(part.point) if part.point else None,
	}


def _label_text(label: str | None) -> str:
	return f"{label_icon(label)} {_(MESSAGES[label])}".strip() if label else ""
