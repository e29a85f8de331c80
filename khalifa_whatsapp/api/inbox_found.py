"""What a search of the inbox found in each line: a name, a number, the conversation itself,
or words of a message.
"""

from __future__ import annotations

from typing import Any

import frappe
from frappe.query_builder import Criterion

from khalifa_whatsapp.core.arabic import normalise
from khalifa_whatsapp.core.snippets import snippet

MIN_LETTERS = 3  # of a word or a number that is searched for
MOST_WORDS = 5
MOST_TYPED = 100
MOST_MESSAGES = 500


def words_of(plain: str) -> list[str]:
	"""What the full-text index knows: words of three letters and more, without its own signs."""
	cleaned = "".join(char if char.isalnum() else " " for char in plain)
	return [word for word in cleaned.split() if len(word) >= MIN_LETTERS][:MOST_WORDS]


def digits_of(plain: str) -> str:
	"""The number that was typed, without zeros in front; empty when it is none."""
	digits = "".join(char for char in plain if char.isdigit())
	is_number = len(digits) >= len(plain.replace(" ", "").replace("+", "")) - 2
	return digits.lstrip("0") if len(digits) >= MIN_LETTERS and is_number else ""


def like(text: str) -> str:
	"""Anything that holds this text, for LIKE."""
	escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
	return f"%{escaped}%"


def say_what_matched(rows: list[dict[str, Any]], text: str) -> None:
	"""Write into each line what matched, and the words around; one query for all lines."""
	plain = normalise(text)[:MOST_TYPED]
	for row in rows:
		row["found"] = {"what": _in_line(row, text, plain), "words": []}
	silent = {row["name"]: row for row in rows if not row["found"]["what"]}
	for message in _messages(list(silent), words_of(plain)):
		row = silent.pop(message.ticket, None)
		if row is not None:
			row["found"] = {"what": "message", "words": snippet(message.body or "", words_of(plain))}
	for row in silent.values():
		row["found"]["what"] = "number"  # one of the customer's other names on WhatsApp


def _in_line(row: dict[str, Any], text: str, plain: str) -> str:
	if row["name"] == text.strip().upper():
		return "ticket"
	if plain in normalise(row["customer_name"] or ""):
		return "name"
	digits = digits_of(plain)
	return "phone" if digits and digits in (row["phone"] or "") else ""


def _messages(tickets: list[str], words: list[str]) -> list[Any]:
	"""Messages with all these words, the latest first."""
	if not tickets or not words:
		return []
	message = frappe.qb.DocType("Khalifa Message")
	likes = [message.search_text.like(like(word)) for word in words]
	wanted = Criterion.all([message.ticket.isin(tickets), message.is_revoked == 0, *likes])
	query = frappe.qb.from_(message).select(message.ticket, message.body).where(wanted)
	query = query.orderby(message.sent_ms, message.name, order=frappe.qb.desc).limit(MOST_MESSAGES)
	return query.run(as_dict=True)
