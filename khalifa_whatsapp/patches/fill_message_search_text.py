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
	message = frappe.qb.DocType("Khalifa Message")
	is_to_fill = (message.name > after) & message.search_text.isnull() & (message.body != "")
	rows = frappe.qb.from_(message).select(message.name, message.body).where(is_to_fill)
	return list(rows.orderby(message.name).limit(CHUNK).run())
