"""Message templates as WhatsApp defines them: which values one needs,
and how it reads when they are filled in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from khalifa_whatsapp.core.errors import UserError

VARIABLE = re.compile(r"\{\{\s*([a-z0-9_]{1,60})\s*\}\}")
MAX_VALUE = 1024
# WhatsApp refuses values with line breaks, tabs or more than four spaces in a row (code 132018)
_FORBIDDEN = re.compile(r"[\n\r\t]| {5,}")


@dataclass(frozen=True, slots=True)
class Variable:
	"""A value that a person fills in.

	`place`: header, body, or the index of the button whose address it ends.
	"""

	place: str
	name: str


@dataclass(frozen=True, slots=True)
class Shape:
	"""A template taken apart. `header_kind` is text, image, video, document, location or empty."""

	header_kind: str
	header: str
	body: str
	footer: str
	buttons: tuple[Mapping[str, Any], ...]
	variables: tuple[Variable, ...]
	is_named: bool


def shape_of(components: Iterable[Mapping[str, Any]], parameter_format: str = "POSITIONAL") -> Shape:
	"""The template in its parts; what is missing or not understood is empty."""
	parts = {str(part.get("type", "")).upper(): part for part in components if isinstance(part, Mapping)}
	header, body = parts.get("HEADER", {}), _text(parts.get("BODY"))
	header_kind = str(header.get("format", "")).lower()
	header_text = _text(header) if header_kind == "text" else ""
	raw_buttons = parts.get("BUTTONS", {}).get("buttons")
	buttons = (
		tuple(one for one in raw_buttons if isinstance(one, Mapping)) if isinstance(raw_buttons, list) else ()
	)
	variables = [*_variables("header", header_text), *_variables("body", body)]
	for index, button in enumerate(buttons):
		variables += _variables(str(index), str(button.get("url", "")))
	return Shape(
		header_kind,
		header_text,
		body,
		_text(parts.get("FOOTER")),
		buttons,
		tuple(variables),
		parameter_format.upper() == "NAMED",
	)


def fill(shape: Shape, values: Sequence[str]) -> tuple[str, dict[str, Any]]:
	"""The text as the customer will read it, and the values by place (`body`, `named`, `header`,
	`header_names`, `buttons`).

	`values` are in the order of `shape.variables`. Refuses a wrong number, an empty one, and what WhatsApp
	refuses.
	"""
	wanted = shape.variables
	if len(values) != len(wanted):
		raise UserError("template_values", "This template needs {count} values.", count=len(wanted))
	pairs = [(variable, _checked(value)) for variable, value in zip(wanted, values, strict=True)]
	shown = [_filled(shape.header, pairs, "header"), _filled(shape.body, pairs, "body"), shape.footer]
	body = [(variable.name, value) for variable, value in pairs if variable.place == "body"]
	placed: dict[str, Any] = {
		"header": [value for variable, value in pairs if variable.place == "header"],
		"header_names": [v.name for v, _value in pairs if v.place == "header" and shape.is_named],
		"body": [] if shape.is_named else [value for _, value in body],
		"named": body if shape.is_named else [],
		"buttons": [(int(v.place), "url", value) for v, value in pairs if v.place not in ("header", "body")],
	}
	return "\n".join(filter(None, shown)), placed


def _text(part: Mapping[str, Any] | None) -> str:
	return str((part or {}).get("text", "") or "")


def _variables(place: str, text: str) -> list[Variable]:
	return [Variable(place, name) for name in dict.fromkeys(VARIABLE.findall(text))]


def _checked(value: Any) -> str:
	text = str(value).strip()
	if not text:
		raise UserError("template_value_empty", "Fill in every value of the template.")
	if len(text) > MAX_VALUE or _FORBIDDEN.search(text):
		raise UserError("template_value_bad", "A value may have one line, without tabs or rows of spaces.")
	return text


def _filled(text: str, pairs: Iterable[tuple[Variable, str]], place: str) -> str:
	"""In one pass, so that a value that looks like a variable stays what it is."""
	values = {variable.name: value for variable, value in pairs if variable.place == place}
	return VARIABLE.sub(lambda match: values.get(match[1], match[0]), text)
