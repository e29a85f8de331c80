"""Shares and assignments would let somebody in by a side door, and stay when a ticket moves on: refused."""

from __future__ import annotations

import frappe
from frappe import _
from frappe.model.document import Document

from khalifa_whatsapp.permissions import GUARDED


def refuse_share(doc: Document, method: str | None = None) -> None:
	if doc.share_doctype in GUARDED:
		frappe.throw(_("{0} can't be shared. Transfer the ticket instead.").format(_(doc.share_doctype)))


def refuse_assignment(doc: Document, method: str | None = None) -> None:
	if doc.reference_type in GUARDED:
		frappe.throw(
			_("{0} can't be assigned here. Transfer the ticket instead.").format(_(doc.reference_type))
		)
