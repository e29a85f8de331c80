"""A message template as a person writes it, and as Meta's API wants it: one into the other, both ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from khalifa_whatsapp.core.templates import BODY, CODE, HEADER, HEADER_FILES, NAMED, POSITIONAL, VARIABLE

QUICK_REPLY, URL, PHONE_NUMBER, COPY_CODE = "QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE"
BUTTONS = (QUICK_REPLY, URL, PHONE_NUMBER, COPY_CODE)
HEADERS = ("", "TEXT", "IMAGE", "VIDEO", "DOCUMENT")


@dataclass(frozen=True, slots=True)
class Button:
	"""A button to be: `value` is the address of a link or the phone number to call."""

	kind: str
	text: str = ""
	value: str = ""


@dataclass(frozen=True, slots=True)
class TemplateDraft:
	"""What a person has written. `examples` are by variable, as `Variable.key` writes it.

	`header_kind` is empty, TEXT, IMAGE, VIDEO or DOCUMENT.
	"""

	name: str = ""
	language: str = ""
	category: str = ""
	parameter_format: str = POSITIONAL
	header_kind: str = ""
	header: str = ""
	body: str = ""
	footer: str = ""
	buttons: tuple[Button, ...] = ()
	examples: Mapping[str, str] = field(default_factory=dict)

	@property
	def is_named(self) -> bool:
		"""Whether its variables have names and not numbers."""
		return self.parameter_format.upper() == NAMED

	@property
	def needs_file(self) -> bool:
		"""Whether its header is a file, of which Meta wants an example."""
		return self.header_kind.lower() in HEADER_FILES

	def places(self) -> list[tuple[str, str]]:
		"""Where a value goes, and its name there, in order."""
		header = self.header if self.header_kind == "TEXT" else ""
		listed = [(HEADER, name) for name in names_in(header)]
		listed += [(BODY, name) for name in names_in(self.body)]
		for index, button in enumerate(self.buttons):
			if button.kind == COPY_CODE:
				listed.append((str(index), CODE))
			elif button.kind == URL:
				listed += [(str(index), name) for name in names_in(button.value)]
		return listed

	def value_keys(self) -> list[str]:
		"""The same as keys of `examples`."""
		return [f"{place}.{name}" for place, name in self.places()]

	def example(self, place: str, name: str) -> str:
		"""What stands for a value while Meta reviews the template."""
		return self.examples.get(f"{place}.{name}", "")


def names_in(text: str) -> list[str]:
	"""Names of the variables of a text, each once."""
	return list(dict.fromkeys(VARIABLE.findall(text)))


def components_of(draft: TemplateDraft, header_handle: str = "") -> list[dict[str, Any]]:
	"""What is submitted; `header_handle` names the uploaded example of the header's file."""
	components = [*_header(draft, header_handle), _body(draft)]
	if draft.footer:
		components.append({"type": "FOOTER", "text": draft.footer})
	if draft.buttons:
		buttons = [_button(draft, index, button) for index, button in enumerate(draft.buttons)]
		components.append({"type": "BUTTONS", "buttons": buttons})
	return components


def draft_of(
	name: str,
	language: str,
	category: str,
	parameter_format: str,
	components: Iterable[Mapping[str, Any]],
) -> TemplateDraft:
	"""The draft that Meta's components came from. Total: what is not understood is left out."""
	parts = {str(part.get("type", "")).upper(): part for part in components if isinstance(part, Mapping)}
	header, body = parts.get("HEADER", {}), parts.get("BODY", {})
	kind = _str(header.get("format")).upper()
	raw = parts.get("BUTTONS", {}).get("buttons")
	listed = [one for one in raw if isinstance(one, Mapping)] if isinstance(raw, list) else []
	is_named = parameter_format.upper() == NAMED
	return TemplateDraft(
		name,
		language,
		category,
		NAMED if is_named else POSITIONAL,
		kind if kind in HEADERS else "",
		_str(header.get("text")) if kind == "TEXT" else "",
		_str(body.get("text")),
		_str(parts.get("FOOTER", {}).get("text")),
		tuple(_button_of(one) for one in listed),
		{
			**_examples(HEADER, header, "header_text", is_named),
			**_examples(BODY, body, "body_text", is_named),
			**_button_examples(listed),
		},
	)


def _header(draft: TemplateDraft, handle: str) -> list[dict[str, Any]]:
	if not draft.header_kind:
		return []
	header: dict[str, Any] = {"type": "HEADER", "format": draft.header_kind}
	if draft.needs_file:
		return [{**header, "example": {"header_handle": [handle]}}]
	header["text"] = draft.header
	names = names_in(draft.header)
	if names:
		header["example"] = _example(draft, HEADER, names, "header_text")
	return [header]


def _body(draft: TemplateDraft) -> dict[str, Any]:
	body: dict[str, Any] = {"type": "BODY", "text": draft.body}
	names = _in_order(draft, names_in(draft.body))
	if names:
		body["example"] = _example(draft, BODY, names, "body_text")
	return body


def _example(draft: TemplateDraft, place: str, names: Sequence[str], key: str) -> dict[str, Any]:
	if draft.is_named:
		pairs = [{"param_name": name, "example": draft.example(place, name)} for name in names]
		return {f"{key}_named_params": pairs}
	values = [draft.example(place, name) for name in names]
	return {key: values if place == HEADER else [values]}


def _in_order(draft: TemplateDraft, names: list[str]) -> list[str]:
	"""Numbers in their own order: a text may name {{2}} before {{1}}."""
	return names if draft.is_named else sorted(names, key=lambda name: (len(name), name))


def _button(draft: TemplateDraft, index: int, button: Button) -> dict[str, Any]:
	example = [draft.example(str(index), name) for name in names_in(button.value)]
	if button.kind == COPY_CODE:
		return {"type": COPY_CODE, "example": draft.example(str(index), CODE)}
	written: dict[str, Any] = {"type": button.kind, "text": button.text}
	if button.kind == URL:
		written["url"] = button.value
		if example:
			written["example"] = [_address(button.value, example[0])]
	if button.kind == PHONE_NUMBER:
		written["phone_number"] = button.value
	return written


def _address(url: str, example: str) -> str:
	"""Meta wants the whole address as the example."""
	return VARIABLE.sub(lambda _match: example, url)


def _button_of(raw: Mapping[str, Any]) -> Button:
	kind = _str(raw.get("type")).upper()
	value = _str(raw.get("url")) if kind == URL else _str(raw.get("phone_number"))
	return Button(kind, _str(raw.get("text")), value)


def _button_examples(buttons: Sequence[Mapping[str, Any]]) -> dict[str, str]:
	examples = {}
	for index, raw in enumerate(buttons):
		given = raw.get("example")
		first = _str(given[0] if isinstance(given, list) and given else given)
		names = names_in(_str(raw.get("url")))
		if first and names:
			fixed = VARIABLE.sub("", _str(raw.get("url")))
			examples[f"{index}.{names[0]}"] = first.removeprefix(fixed) or first
		elif first and _str(raw.get("type")).upper() == COPY_CODE:
			examples[f"{index}.{CODE}"] = first
	return examples


def _examples(place: str, part: Mapping[str, Any], key: str, is_named: bool) -> dict[str, str]:
	given = part.get("example")
	if not isinstance(given, Mapping):
		return {}
	if is_named:
		pairs = given.get(f"{key}_named_params")
		rows = [one for one in pairs if isinstance(one, Mapping)] if isinstance(pairs, list) else []
		return {f"{place}.{_str(one.get('param_name'))}": _str(one.get("example")) for one in rows}
	values = given.get(key)
	if isinstance(values, list) and values and isinstance(values[0], list):
		values = values[0]
	if not isinstance(values, list):
		return {}
	return {f"{place}.{number}": _str(value) for number, value in enumerate(values, 1)}


def _str(value: Any) -> str:
	return value if isinstance(value, str) else ""
