"""Rooms of Frappe's socket server for our lists and forms: managers' only.

Frappe tells all who look at a list the names of the rows that were written, whosever they are, and by which
login; and all who have a form open, by their logins, who else has. Agents are told by their own rooms what
concerns them (`site_notices`).
"""

from __future__ import annotations

import frappe
from frappe import realtime

from khalifa_whatsapp.access.attached_rows import is_ours
from khalifa_whatsapp.guards import is_manager


@frappe.whitelist(allow_guest=True)
def can_subscribe_doc(doctype: str, docname: str) -> bool:
	"""Frappe's answer for a form's room; the rooms of our rows are refused to whoever may not read them."""
	_refuse_ours(doctype)
	return realtime.can_subscribe_doc(doctype, docname)


@frappe.whitelist(allow_guest=True)
def can_subscribe_doctype(doctype: str) -> bool:
	"""Frappe's answer for a list's room; those of our lists are managers' alone."""
	_refuse_ours(doctype)
	return realtime.can_subscribe_doctype(doctype)


def _refuse_ours(doctype: str) -> None:
	if is_ours(doctype) and not is_manager():
		raise frappe.PermissionError
