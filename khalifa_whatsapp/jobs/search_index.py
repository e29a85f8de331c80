"""Whether search still finds messages, and making its index anew when it doesn't.

InnoDB numbers the rows of a full-text index and keeps the numbers of deleted ones until it tidies up. When
the newest messages were deleted and the database then restarts, it gives their numbers out again, and new
messages count as deleted: nothing is lost, and nothing is found. Seen with MariaDB 10.11. Making the index
anew does not help; the table has to be written anew.
"""

from __future__ import annotations

import frappe

MESSAGE = "Khalifa Message"
LATEST = 20
LETTERS = 4  # the index leaves shorter words out


def run() -> None:
	"""Look for the latest messages by their own words; write the table anew if none of them is found."""
	terms = _latest_terms()
	if terms and not any(_is_indexed(name, term) for name, term in terms):
		frappe.logger("khalifa_whatsapp").error(
			"Search found none of the latest messages: its index is made anew."
		)
		rebuild()


def rebuild() -> None:
	"""Write the messages' table anew, with an index that knows all of them. Writers wait until it is done."""
	frappe.db.sql_ddl(f"ALTER TABLE `tab{MESSAGE}` FORCE")


def _latest_terms() -> list[tuple[str, str]]:
	"""A word of each of the latest messages that have a long one."""
	message = frappe.qb.DocType(MESSAGE)
	query = frappe.qb.from_(message).select(message.name, message.search_text)
	query = query.where(message.search_text.isnotnull()).orderby(message.name, order=frappe.qb.desc)
	return [(name, term) for name, text in query.limit(LATEST).run() if (term := _long_term(text))]


def _long_term(text: str) -> str | None:
	terms = [term for term in text.split() if len(term) >= LETTERS and term.isalpha()]
	return max(terms, key=len, default=None)


def _is_indexed(name: str, term: str) -> bool:
	# SQL: word for word what the inbox's search asks
	sql = f"select 1 from `tab{MESSAGE}` where match(search_text) against (%s in boolean mode) and name = %s"
	return bool(frappe.db.sql(sql, (f"+{term}*", name)))
