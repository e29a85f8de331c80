"""What a list of the inbox is narrowed to, and in which order its lines come.

Counts and lists take the same conditions from here. What is not understood is refused: a list that shows more
than was asked for misleads, most of all when all of it is closed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.inbox_settings import FILTERS, MAX_VALUE, SORTS

TABLE = "`tabKhalifa Ticket`"
COLUMNS = ("branch", "device", "agent")
# Lines of one kind before those of another: their places lie so far apart. More milliseconds than have passed
# since 1970, and four of them are still whole numbers in a browser
LEVEL = 4_000_000_000_000
KEYS = {"waiting": "waiting_since_ms", "due": "due_by_ms"}


@dataclass(frozen=True, slots=True)
class Part:
	"""Lines of a list that stand together: which, and the number by which the whole list is ordered."""

	where: str
	place: str


def read(given: Any) -> dict[str, str]:
	"""The filters that were sent, as JSON or as a table; empty ones count as not sent."""
	try:
		sent = json.loads(given or "{}") if isinstance(given, str | None) else given
	except ValueError:
		sent = None
	if not isinstance(sent, dict):
		raise UserError("bad_argument", "{argument} has a value that can't be used.", argument="filters")
	return {name: _value(name, value) for name, value in sent.items() if value not in (None, "", False)}


def _value(name: str, value: Any) -> str:
	if name not in FILTERS:
		raise UserError("unknown_filter", "There is no filter {filter}.", filter=str(name)[:MAX_VALUE])
	if name == "is_unread":
		return "1"
	if not isinstance(value, str) or len(value) > MAX_VALUE:
		raise UserError("bad_filter", "The filter {filter} has a value that can't be used.", filter=name)
	return value


def sort_of(given: str) -> str:
	"""The order that was asked for; empty: the list's own."""
	if given not in SORTS:
		raise UserError("no_such_order", "A list can't be put in this order.")
	return given


def conditions(filters: dict[str, str], values: dict[str, Any]) -> list[str]:
	"""The filters as conditions on the ticket; their values are put into `values`."""
	wheres = [f"{TABLE}.{column} = %({column})s" for column in COLUMNS if column in filters]
	values.update({name: value for name, value in filters.items() if name in COLUMNS})
	if "tag" in filters:
		values["tag"] = filters["tag"]
		wheres.append(
			"exists (select 1 from `tabTag Link` l where l.document_type = 'Khalifa Customer' "
			f"and l.document_name = {TABLE}.customer and l.tag = %(tag)s)"
		)
	if "is_unread" in filters:
		wheres.append(f"{TABLE}.unread_count > 0")
	return wheres


def ordered(sort: str) -> tuple[Part, ...]:
	"""A list's lines by this order, the largest place first.

	Those without such a moment come last, the newest of them first.
	"""
	newest = f"{TABLE}.last_message_ms"
	key = KEYS.get(sort)
	if key is None:
		return (Part("1 = 1", newest),)
	column = f"{TABLE}.{key}"
	return (Part(f"{column} > 0", f"{2 * LEVEL} - {column}"), Part(f"{column} = 0", newest))


def pinned_first(parts: tuple[Part, ...]) -> tuple[Part, ...]:
	"""The same with the conversations in `pins` on top."""
	name = f"{TABLE}.name"
	above = [Part(f"{one.where} and {name} in %(pins)s", f"{2 * LEVEL} + {one.place}") for one in parts]
	below = [Part(f"{one.where} and {name} not in %(pins)s", one.place) for one in parts]
	return (*above, *below)


def place_of(parts: tuple[Part, ...]) -> str:
	"""A line's place, whichever part it belongs to."""
	if len(parts) == 1:
		return parts[0].place
	return f"case {' '.join(f'when {one.where} then {one.place}' for one in parts)} end"
