"""Let search find what messages say outside their text: forms, cards, files, advertisements and products.

Those that came before search knew of these have only their text in it, or nothing.
"""

from __future__ import annotations

import frappe

from khalifa_whatsapp.core.content import search_text

CHUNK = 2_000
FIELDS = ("name", "content_type", "body", "data", "file_name", "direction", "is_revoked", "search_text")


def execute() -> None:
	"""Work the text out anew where it is another now, a chunk at a time; a second run changes nothing."""
	last = ""
	while rows := _next(last):
		texts = {
			row.name: {"search_text": text} for row in rows if (text := search_text(row)) != row.search_text
		}
		if texts:
			frappe.db.bulk_update("Khalifa Message", texts, update_modified=False)
		frappe.db.commit()
		last = rows[-1].name


def _next(after: str) -> list[frappe._dict]:
	message = frappe.qb.DocType("Khalifa Message")
	has_details = message.data.isnotnull() | (message.file_name != "")
	rows = frappe.qb.from_(message).select(*FIELDS)
	rows = rows.where((message.name > after) & (message.is_revoked == 0) & has_details)
	return rows.orderby(message.name).limit(CHUNK).run(as_dict=True)
