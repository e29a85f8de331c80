"""Which conversations «close all» means, as people send it.

What is not understood is refused: without it, more conversations would be closed than were meant.
"""

from __future__ import annotations

import json
from typing import Any

from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.stores.base import TicketFilter

TEXTS = frozenset({"branch", "agent", "device", "status"})
FRAME = frozenset({"cmd", "csrf_token", "_lang"})  # sent with every call


def ticket_filter(given: dict[str, Any]) -> TicketFilter:
	"""The filter; empty ones count as not sent, an empty pick of `names` does not."""
	sent = {name: value for name, value in given.items() if name not in FRAME and value not in (None, "")}
	return TicketFilter(**{name: _read(name, value) for name, value in sent.items()})


def _read(name: str, value: Any) -> Any:
	if name in TEXTS and isinstance(value, str):
		return value
	if name == "opened_before_ms" and str(value).isdecimal() and len(str(value)) < 19:
		return int(value)
	if name == "names":
		return _names(value)
	if name in TEXTS or name == "opened_before_ms":
		raise UserError("bad_filter", "The filter {filter} has a value that can't be used.", filter=name)
	raise UserError("unknown_filter", "There is no filter {filter}.", filter=name)


def _names(value: Any) -> tuple[str, ...]:
	"""Conversations picked one by one: a list, or a list as JSON."""
	try:
		names = json.loads(value) if isinstance(value, str) else value
	except ValueError:
		names = None
	if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
		raise UserError("no_tickets", "Choose at least one conversation.")
	return tuple(names)
