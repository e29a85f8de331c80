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
LONGEST_HOME = 13  # digits of a mobile number here with country code and a zero too many
MAX_TERMS = 5
MAX_TYPED = 100
NO_DIGITS = str.maketrans("", "", "0123456789 +-()./")  # what a number is written with
MAX_MESSAGES = 500


def search_terms(plain: str) -> list[str]:
	"""What the full-text index knows: words of three letters and more, without its own signs."""
	cleaned = "".join(char if char.isalnum() else " " for char in plain)
	return [term for term in cleaned.split() if len(term) >= MIN_LETTERS][:MAX_TERMS]


def digits_of(plain: str) -> str:
	"""The number that was typed, as it stands in a full one; empty when it is none.

	Without zeros in front, and without the zero that some write after the country code.
	"""
	digits = "".join(char for char in plain if char.isdigit())
	is_number = not plain.translate(NO_DIGITS)
	if len(digits) < MIN_LETTERS or not is_number:
		return ""
	plain_digits = digits.lstrip("0")
	is_doubled = plain_digits.startswith("200") and len(plain_digits) >= LONGEST_HOME
	return f"20{plain_digits[2:].lstrip('0')}" if is_doubled else plain_digits


def like(text: str) -> str:
	"""Anything that holds this text, for LIKE."""
	escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
	return f"%{escaped}%"


def mark_matches(rows: list[dict[str, Any]], text: str) -> None:
	"""Write into each line what matched, and the words around; one query for all lines."""
	plain = normalise(text)[:MAX_TYPED]
	for row in rows:
		row["matched"] = {"what": _in_line(row, text, plain), "snippet": []}
	silent = {row["name"]: row for row in rows if not row["matched"]["what"]}
	for message in _messages(list(silent), search_terms(plain)):
		row = silent.pop(message.ticket, None)
		if row is not None:
			row["matched"] = {
				"what": "message",
				"snippet": snippet(message.body or "", search_terms(plain)),
				"message": message.name,
			}
	for row in silent.values():
		row["matched"]["what"] = "number"  # one of the customer's other names on WhatsApp


def _in_line(row: dict[str, Any], text: str, plain: str) -> str:
	if row["name"] == text.strip().upper():
		return "ticket"
	if plain in normalise(row["customer_name"] or ""):
		return "name"
	digits = digits_of(plain)
	return "phone" if digits and digits in (row["phone"] or "") else ""


def _messages(tickets: list[str], terms: list[str]) -> list[Any]:
	"""Messages with all these words, the latest first."""
	if not tickets or not terms:
		return []
	message = frappe.qb.DocType("Khalifa Message")
	likes = [message.search_text.like(like(term)) for term in terms]
	wanted = Criterion.all([message.ticket.isin(tickets), message.is_revoked == 0, *likes])
	query = frappe.qb.from_(message).select(message.ticket, message.name, message.body).where(wanted)
	query = query.orderby(message.sent_ms, message.name, order=frappe.qb.desc).limit(MAX_MESSAGES)
	return query.run(as_dict=True)
