"""A template's form in Desk and the draft in it: one into the other, both ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from khalifa_whatsapp.core.template_drafts import (
	COPY_CODE,
	PHONE_NUMBER,
	QUICK_REPLY,
	URL,
	Button,
	TemplateDraft,
)
from khalifa_whatsapp.core.templates import BODY, DATE, HEADER, NUMBER, POSITIONAL, TEXT

OTHER = "Other"
BUTTON_KINDS = {
	"Quick Reply": QUICK_REPLY,
	"Open a Website": URL,
	"Call a Number": PHONE_NUMBER,
	"Copy a Code": COPY_CODE,
}
VALUE_KINDS = {"Text": TEXT, "Number": NUMBER, "Date": DATE}
_SHOWN_BUTTON = {kind: label for label, kind in BUTTON_KINDS.items()}
_SHOWN_VALUE = {kind: label for label, kind in VALUE_KINDS.items()}
_PLACES = {HEADER: "Header", BODY: "Text"}


def draft_from(form: Mapping[str, Any]) -> TemplateDraft:
	"""What stands in the form. Total: what is missing is empty."""
	buttons = tuple(
		Button(BUTTON_KINDS.get(_text(row, "kind"), OTHER), _text(row, "text"), _text(row, "target"))
		for row in _rows(form, "buttons")
	)
	examples = {
		f"{_place(row)}.{_text(row, 'variable')}": _text(row, "example")
		for row in _rows(form, "template_values")
		if _text(row, "example")
	}
	kind = _text(form, "header_kind")
	return TemplateDraft(
		_text(form, "template_name"),
		_text(form, "language"),
		_text(form, "category"),
		_text(form, "parameter_format") or POSITIONAL,
		kind,
		_text(form, "header_text") if kind == "TEXT" else "",
		_text(form, "body"),
		_text(form, "footer"),
		buttons,
		examples,
	)


def form_of(draft: TemplateDraft, kinds: Mapping[str, str]) -> dict[str, Any]:
	"""What the form shows of a draft. `kinds`: of values, by key."""
	buttons = [
		{"kind": _SHOWN_BUTTON.get(button.kind, OTHER), "text": button.text, "target": button.value}
		for button in draft.buttons
	]
	return {
		"header_kind": draft.header_kind,
		"header_text": draft.header,
		"body": draft.body,
		"footer": draft.footer,
		"buttons": buttons,
		"template_values": value_rows(draft, kinds),
	}


def value_rows(draft: TemplateDraft, kinds: Mapping[str, str]) -> list[dict[str, str]]:
	"""One row for each variable, in order, with its kind and its example."""
	return [
		{
			"place": _place_label(place),
			"variable": name,
			"kind": _SHOWN_VALUE.get(kinds.get(f"{place}.{name}", TEXT), "Text"),
			"example": draft.example(place, name),
		}
		for place, name in draft.places()
	]


def value_kinds(form: Mapping[str, Any]) -> dict[str, str]:
	"""The kinds of values that are no plain text, by key."""
	kinds = {
		f"{_place(row)}.{_text(row, 'variable')}": VALUE_KINDS.get(_text(row, "kind"), TEXT)
		for row in _rows(form, "template_values")
	}
	return {key: kind for key, kind in kinds.items() if kind != TEXT}


def _place_label(place: str) -> str:
	return _PLACES.get(place) or f"Button {int(place) + 1}"


def _place(row: Mapping[str, Any]) -> str:
	label = _text(row, "place")
	for place, shown in _PLACES.items():
		if label == shown:
			return place
	number = label.removeprefix("Button ")
	return str(int(number) - 1) if number.isascii() and number.isdigit() else ""


def _rows(form: Mapping[str, Any], fieldname: str) -> Iterable[Mapping[str, Any]]:
	rows = form.get(fieldname)
	return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _text(form: Mapping[str, Any], fieldname: str) -> str:
	value = form.get(fieldname)
	return value.strip() if isinstance(value, str) else ""
