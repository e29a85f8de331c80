"""Message templates as WhatsApp defines them: which values one needs, and how it reads when they are filled
in. `filled` is the one way from a template to a message: what it refuses is never queued.
"""

from __future__ import annotations

import datetime
import json
import mimetypes
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.errors import UserError

VARIABLE = re.compile(r"\{\{\s*([a-z0-9_]{1,60})\s*\}\}")
HEADER, BODY = "header", "body"
TEXT, NUMBER, DATE = "text", "number", "date"  # kinds of values; the form offers these
KINDS = (TEXT, NUMBER, DATE)
HEADER_FILES = ("image", "video", "document")
COPY_CODE = "COPY_CODE"
CODE = "coupon_code"  # the name of the value of a button that copies one
MAX_VALUE, MAX_CODE = 1024, 20
MAX_BODY, MAX_HEADER = 1024, 60  # characters, filled in (132005)
POSITIONAL, NAMED = "POSITIONAL", "NAMED"
# Parts whose values only a program knows: the app can't fill them in
UNFILLABLE_PARTS = frozenset({"CAROUSEL", "LIMITED_TIME_OFFER"})
UNFILLABLE_BUTTONS = frozenset({"CATALOG", "MPM", "SPM", "FLOW", "OTP"})
# WhatsApp refuses values with line breaks, tabs or more than four spaces in a row (code 132018)
_FORBIDDEN = re.compile(r"[\n\r\t]| {5,}")
_NUMBER = re.compile(r"[+-]?\d(?:[\d,.٬٫ ]*\d)?%?")
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})")
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})[/-](?P<month>\d{1,2})[/-](?P<year>\d{4})")


@dataclass(frozen=True, slots=True)
class Variable:
	"""A value that a person fills in.

	`place`: header, body, or the index of the button that takes it. `kind`: text, number or date.
	"""

	place: str
	name: str
	kind: str = TEXT

	@property
	def key(self) -> str:
		"""What names it among all values of its template, for example `body.1`."""
		return f"{self.place}.{self.name}"


@dataclass(frozen=True, slots=True)
class Shape:
	"""A template taken apart. `header_kind` is text, image, video, document, location or empty.

	`is_fillable`: whether all that it needs can be filled in here.
	"""

	header_kind: str
	header: str
	body: str
	footer: str
	buttons: tuple[Mapping[str, Any], ...]
	variables: tuple[Variable, ...]
	is_named: bool
	is_fillable: bool = True

	@property
	def needs_file(self) -> bool:
		"""Whether its header is a file."""
		return self.header_kind in HEADER_FILES


@dataclass(frozen=True, slots=True)
class HeaderFile:
	"""A private file for the header, which the driver uploads as bytes."""

	url: str
	name: str
	mime_type: str

	@property
	def kind(self) -> str:
		"""The kind of header that it fits: image, video or document."""
		kind = self.mime_type.partition("/")[0]
		return kind if kind in ("image", "video") else "document"


@dataclass(frozen=True, slots=True)
class Filled:
	"""A template ready to be queued: what the customer reads, what `Message.data` keeps, the header's
	file.
	"""

	body: str
	data: dict[str, Any]
	file: HeaderFile | None = None


def filled(
	template: records.ProviderTemplate,
	values: Sequence[str] | Mapping[str, str],
	file: HeaderFile | None = None,
) -> Filled:
	"""The template with its values: in the order of its variables, or by their keys (`Variable.key`).

	`file` stands in for the template's own header file. Raises `UserError` for a wrong number of values, an
	unknown or missing key, a value of the wrong kind, and whatever WhatsApp would refuse.
	"""
	shape = stored_shape(template)
	text, placed = fill(shape, _in_order(shape, values))
	header = _header_file(shape, file or file_of(template))
	chosen = {
		"name": template.template_name,
		"language": template.language,
		"category": template.category,
		**placed,
	}
	if header is not None:
		chosen["header_kind"] = shape.header_kind
	return Filled(text, {"template": chosen}, header)


def stored_shape(template: records.ProviderTemplate) -> Shape:
	"""A stored template, taken apart; what can't be read is empty."""
	components, kinds = _loaded(template.components), _loaded(template.value_kinds)
	return shape_of(
		components if isinstance(components, list) else [],
		template.parameter_format or POSITIONAL,
		kinds if isinstance(kinds, dict) else {},
	)


def file_of(template: records.ProviderTemplate) -> HeaderFile | None:
	"""The file that goes with the template when nobody chooses another."""
	return header_file(template.header_file, template.header_file_name)


def header_file(url: str | None, name: str | None = None) -> HeaderFile | None:
	"""A private file by its address; its name says of which type it is."""
	if not url:
		return None
	shown = name or url.rpartition("/")[2]
	mime_type = mimetypes.guess_type(shown)[0] or mimetypes.guess_type(url)[0]
	return HeaderFile(url, shown, mime_type or "application/octet-stream")


def shape_of(
	components: Iterable[Mapping[str, Any]],
	parameter_format: str = POSITIONAL,
	kinds: Mapping[str, str] | None = None,
) -> Shape:
	"""The template in its parts; what is missing or not understood is empty. `kinds`: of values, by key."""
	parts = {str(part.get("type", "")).upper(): part for part in components if isinstance(part, Mapping)}
	header, body = parts.get("HEADER", {}), _text(parts.get("BODY"))
	header_kind = str(header.get("format", "")).lower()
	header_text = _text(header) if header_kind == "text" else ""
	raw_buttons = parts.get("BUTTONS", {}).get("buttons")
	buttons = (
		tuple(one for one in raw_buttons if isinstance(one, Mapping)) if isinstance(raw_buttons, list) else ()
	)
	names = [*_variables(HEADER, header_text), *_variables(BODY, body), *_button_variables(buttons)]
	return Shape(
		header_kind,
		header_text,
		body,
		_text(parts.get("FOOTER")),
		buttons,
		tuple(Variable(place, name, _kind(kinds, place, name)) for place, name in names),
		parameter_format.upper() == NAMED,
		_is_fillable(parts, header_kind, buttons),
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
	pairs = [(variable, _checked(variable, value)) for variable, value in zip(wanted, values, strict=True)]
	header, text = _filled(shape.header, pairs, HEADER), _filled(shape.body, pairs, BODY)
	_check_lengths(header, text)
	body = [(variable.name, value) for variable, value in pairs if variable.place == BODY]
	placed: dict[str, Any] = {
		"header": [value for variable, value in pairs if variable.place == HEADER],
		"header_names": [v.name for v, _value in pairs if v.place == HEADER and shape.is_named],
		"body": [] if shape.is_named else [value for _, value in body],
		"named": body if shape.is_named else [],
		"buttons": [
			(int(v.place), _button_kind(shape, v), value)
			for v, value in pairs
			if v.place not in (HEADER, BODY)
		],
	}
	return "\n".join(filter(None, [header, text, shape.footer])), placed


def western_digits(text: str) -> str:
	"""Arabic and Persian digits as 0–9."""
	return "".join(str(int(char)) if char.isdecimal() else char for char in text)


def _in_order(shape: Shape, values: Sequence[str] | Mapping[str, str]) -> list[str]:
	if not isinstance(values, Mapping):
		return list(values)
	known = {variable.key for variable in shape.variables}
	for key in values:
		if key not in known:
			raise UserError(
				"template_value_unknown", "This template has no place for the value {name}.", name=key
			)
	for key in known - values.keys():
		raise UserError("template_value_missing", "The value {name} is missing.", name=key)
	return [values[variable.key] for variable in shape.variables]


def _header_file(shape: Shape, file: HeaderFile | None) -> HeaderFile | None:
	if not shape.needs_file:
		return None
	if file is None:
		raise UserError(
			"template_file_missing", "This template begins with a file: attach one before it is sent."
		)
	if shape.header_kind != "document" and file.kind != shape.header_kind:
		raise UserError(
			"template_file_kind",
			"The file {name} does not fit this template: its header is of another kind.",
			name=file.name,
		)
	return file


def _is_fillable(parts: Mapping[str, object], header_kind: str, buttons: Iterable[Mapping[str, Any]]) -> bool:
	if not UNFILLABLE_PARTS.isdisjoint(parts) or header_kind not in ("", TEXT, *HEADER_FILES):
		return False
	return UNFILLABLE_BUTTONS.isdisjoint(str(button.get("type", "")).upper() for button in buttons)


def _loaded(text: str | None) -> Any:
	try:
		return json.loads(text or "null")
	except ValueError:
		return None


def _kind(kinds: Mapping[str, str] | None, place: str, name: str) -> str:
	kind = (kinds or {}).get(f"{place}.{name}")
	return kind if kind in KINDS else TEXT


def _text(part: Mapping[str, Any] | None) -> str:
	return str((part or {}).get("text", "") or "")


def _variables(place: str, text: str) -> list[tuple[str, str]]:
	return [(place, name) for name in dict.fromkeys(VARIABLE.findall(text))]


def _button_variables(buttons: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
	names: list[tuple[str, str]] = []
	for index, button in enumerate(buttons):
		names += (
			[(str(index), CODE)]
			if _is_copy_code(button)
			else _variables(str(index), str(button.get("url", "")))
		)
	return names


def _button_kind(shape: Shape, variable: Variable) -> str:
	return "copy_code" if _is_copy_code(shape.buttons[int(variable.place)]) else "url"


def _is_copy_code(button: Mapping[str, Any]) -> bool:
	return str(button.get("type", "")).upper() == COPY_CODE


def _checked(variable: Variable, value: Any) -> str:
	text = str(value).strip()
	if not text:
		raise UserError("template_value_empty", "Fill in every value of the template.")
	if len(text) > MAX_VALUE or _FORBIDDEN.search(text):
		raise UserError("template_value_bad", "A value may have one line, without tabs or rows of spaces.")
	if variable.kind == NUMBER and not _NUMBER.fullmatch(western_digits(text)):
		raise UserError("template_value_number", "{name} is a number: write digits only.", name=variable.name)
	if variable.kind == DATE and not _is_date(text):
		raise UserError(
			"template_value_date", "{name} is a date: write it as 31/12/2026.", name=variable.name
		)
	if variable.place not in (HEADER, BODY):
		_check_button_value(variable, text)
	return text


def _check_button_value(variable: Variable, text: str) -> None:
	if any(char.isspace() for char in text):
		raise UserError("template_value_space", "The value of a button may have no spaces.")
	if variable.name == CODE and len(text) > MAX_CODE:
		raise UserError(
			"template_code_long", "A code to copy has at most {limit} characters.", limit=MAX_CODE
		)


def _check_lengths(header: str, body: str) -> None:
	if len(header) > MAX_HEADER:
		raise UserError(
			"template_header_long",
			"With these values the header has more than {limit} characters. Shorten them.",
			limit=MAX_HEADER,
		)
	if len(body) > MAX_BODY:
		raise UserError(
			"template_body_long",
			"With these values the text has more than {limit} characters. Shorten them.",
			limit=MAX_BODY,
		)


def _is_date(text: str) -> bool:
	written = western_digits(text)
	match = _YEAR_FIRST.fullmatch(written) or _DAY_FIRST.fullmatch(written)
	if match is None:
		return False
	try:
		datetime.date(int(match["year"]), int(match["month"]), int(match["day"]))
	except ValueError:
		return False
	return True


def _filled(text: str, pairs: Iterable[tuple[Variable, str]], place: str) -> str:
	"""In one pass, so that a value that looks like a variable stays what it is."""
	values = {variable.name: value for variable, value in pairs if variable.place == place}
	return VARIABLE.sub(lambda match: values.get(match[1], match[0]), text)
