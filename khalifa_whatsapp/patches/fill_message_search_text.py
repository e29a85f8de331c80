"""Let search find the messages that came before their texts were kept in the form that search compares."""

from __future__ import annotations

import frappe

from khalifa_whatsapp.core.arabic import message_search_text

CHUNK = 2_000


def execute() -> None:
	"""Fill the empty ones, a chunk at a time; a run that was cut off goes on where it was."""
	last = ""
	while rows := _next(last):
		texts = {name: {"search_text": text} for name, body in rows if (text := message_search_text(body))}
		if texts:
			frappe.db.bulk_update("Khalifa Message", texts, update_modified=False)
		frappe.db.commit()
		last = rows[-1][0]


def _next(after: str) -> list[tuple[str, str]]:
	sql = (
		"select name, body from `tabKhalifa Message` where name > %s and search_text is null and body != '' "
		"order by name limit %s"
	)
	return list(frappe.db.sql(sql, (after, CHUNK)))
