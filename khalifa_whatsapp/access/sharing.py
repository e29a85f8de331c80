"""Shares and assignments would let somebody in by a back way, and stay when a ticket moves on: refused."""

from __future__ import annotations

import frappe
from frappe import _
from frappe.model.document import Document

from khalifa_whatsapp.access.attachable import ATTACHABLE
from khalifa_whatsapp.access.attached_rows import is_attached
from khalifa_whatsapp.core.doctypes import GUARDED


def refuse_share(doc: Document, method: str | None = None) -> None:
	"""Nor what hangs on them: shared, a comment would be read by whoever may not read the ticket."""
	if doc.share_doctype in GUARDED or _is_attached_to_ours(doc):
		frappe.throw(_("{0} can't be shared. Transfer the ticket instead.").format(_(doc.share_doctype)))


def _is_attached_to_ours(doc: Document) -> bool:
	if doc.share_doctype not in ATTACHABLE or not frappe.db.exists(doc.share_doctype, doc.share_name):
		return False
	return is_attached(frappe.get_doc(doc.share_doctype, doc.share_name))


def refuse_assignment(doc: Document, method: str | None = None) -> None:
	"""Refuse Frappe's own assignment on our rows: a ticket is transferred."""
	if doc.reference_type in GUARDED:
		frappe.throw(
			_("{0} can't be assigned here. Transfer the ticket instead.").format(_(doc.reference_type))
		)
