"""Reading the details of a message: filled forms, contact cards, products, places. What is odd in them is
left out.

The details are JSON from gateways and customers' phones, in whatever shape an older version of ours stored
them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

HIDDEN_FIELDS = frozenset({"flow_token"})  # of a form's answer: our own key, which comes back
MAX_FIELDS, LONGEST_FIELD, MAX_LEVELS, MAX_CARDS = 50, 1_000, 6, 20
PHONE_LETTERS = frozenset("+0123456789 -().")
NAME_PARTS = ("prefix", "first_name", "middle_name", "last_name", "suffix")


def form_fields(response: Any) -> list[tuple[str, str]]:
	"""What was filled in: (the form's own name for it, the value), fields inside fields after each other."""
	fields = list(_fields(response, (), 0)) if isinstance(response, dict) else []
	return fields[:MAX_FIELDS]


def form_text(response: Any) -> str:
	"""A filled form as one text that reads the same in every language."""
	return "\n".join(f"{name}: {value}" for name, value in form_fields(response))


def _fields(value: Any, path: tuple[str, ...], level: int) -> Iterator[tuple[str, str]]:
	if isinstance(value, dict) and level < MAX_LEVELS:
		for key, inner in value.items():
			if key not in HIDDEN_FIELDS:
				yield from _fields(inner, (*path, str(key).replace("_", " ").strip()), level + 1)
	elif isinstance(value, list) and level < MAX_LEVELS:
		if any(isinstance(inner, dict) for inner in value):
			for inner in value:
				yield from _fields(inner, path, level + 1)
		elif text := ", ".join(filter(None, map(_value, value))):
			yield " / ".join(path), text[:LONGEST_FIELD]
	elif text := _value(value):
		yield " / ".join(path), text[:LONGEST_FIELD]


def _value(value: Any) -> str:
	if isinstance(value, bool):
		return "✓" if value else "✗"
	return str(value).strip() if isinstance(value, (str, int, float)) else ""


def cards(contacts: Any) -> list[tuple[str, ...]]:
	"""Contact cards, each as its name and further lines; whatever a card lacks, it has a first line."""
	contact_cards = [_card(dict_of(contact)) for contact in list_of(contacts)[:MAX_CARDS]]
	return [card for card in contact_cards if card]


def cards_text(contacts: Any) -> str:
	"""Contact cards as text, one a line."""
	return "\n".join(" ".join(card) for card in cards(contacts))


def _card(contact: dict[str, Any]) -> tuple[str, ...]:
	given = contact.get("name")
	name = dict_of(given)
	parts_of_name = " ".join(filter(None, (text_of(name.get(key)) for key in NAME_PARTS)))
	company = text_of(dict_of(contact.get("org")).get("company"))
	title = text_of(name.get("formatted_name")) or parts_of_name or text_of(given)
	lines = [
		title,
		company,
		*_phones(contact),
		*(text_of(dict_of(one).get("email")) for one in list_of(contact.get("emails"))[:5]),
	]
	return tuple(dict.fromkeys(text for line in lines if (text := " ".join(line.split()))))


def in_one_piece(line: str) -> str:
	"""A phone number without the spaces and signs between its digits; any other line as it is."""
	is_number = set(line) <= PHONE_LETTERS and any(letter.isdigit() for letter in line)
	return "".join(letter for letter in line if letter.isdigit() or letter == "+") if is_number else line


def _phones(contact: dict[str, Any]) -> Iterable[str]:
	given = list_of(contact.get("phones"))[:10] or [contact.get("phone")]
	for one in given:
		phone = text_of(one) or text_of(dict_of(one).get("phone")) or text_of(dict_of(one).get("wa_id"))
		if phone:
			yield phone


def product_of(data: Mapping[str, Any]) -> str:
	"""The product that a customer asks about, by the shop's own number for it."""
	return text_of(dict_of(data.get("referred_product")).get("product_retailer_id"))


def place_name(place: Mapping[str, Any]) -> str:
	"""What a place is called and where it lies, on one line."""
	lines = (line for key in ("name", "address") for line in text_of(place.get(key)).splitlines())
	return ", ".join(dict.fromkeys(" ".join(line.split()) for line in lines if line.strip()))


def place_text(place: Mapping[str, Any]) -> str:
	"""A place as one text: its name and address, or where it is on the map."""
	terms, point = place_name(place), point_of(place)
	return terms or (f"{point[0]}, {point[1]}" if point else "")


def point_of(place: Mapping[str, Any]) -> tuple[float, float] | None:
	"""Latitude and longitude in degrees; None when they are no numbers or no place on Earth."""
	coordinates = [place.get(key) for key in ("latitude", "longitude")]
	try:
		latitude, longitude = (
			float(one) for one in coordinates if isinstance(one, (int, float, str)) and one != ""
		)
	except ValueError:  # one of them is missing, or no number
		return None
	is_on_earth = (
		math.isfinite(latitude) and abs(latitude) <= 90 and math.isfinite(longitude) and abs(longitude) <= 180
	)
	return (latitude, longitude) if is_on_earth else None


def dict_of(value: Any) -> dict[str, Any]:
	"""The value, or an empty dict when it is none."""
	return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
	"""The value, or an empty list when it is none."""
	return value if isinstance(value, list) else []


def text_of(value: Any) -> str:
	"""A text or a whole number as text; empty for anything else."""
	if isinstance(value, bool):
		return ""
	return value.strip() if isinstance(value, str) else str(value) if isinstance(value, int) else ""
