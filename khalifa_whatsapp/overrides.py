"""Methods of Frappe that answer without asking for permission, with the question put before them.

Each of them told, or let change, something of a record that its caller may not read. The hooks send the
original's dotted path here; other apps' DocTypes are answered as ever wherever that is safe.
"""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.client import get as get_unchecked
from frappe.client import get_count as get_unchecked_count
from frappe.client import validate_link as validate_unchecked_link
from frappe.desk.like import toggle_like as toggle_unchecked_like
from frappe.desk.search import get_link_title as get_unchecked_link_title
from frappe.utils import get_safe_filters

from khalifa_whatsapp.guards import current_actor, refuse_record
from khalifa_whatsapp.permissions import GUARDED


@frappe.whitelist()
def get(doctype: str, name: Any = None, filters: Any = None, parent: str | None = None) -> Any:
	"""Pick by a filter among the rows the caller may read.

	The original picks among all, and answers guesses about their texts: a row it then refuses is there.
	"""
	picks = filters if name is None else name
	if doctype not in GUARDED or picks is None or isinstance(name, str | int):
		return get_unchecked(doctype, name, filters, parent)
	meta = frappe.get_meta(doctype)
	if meta.istable or meta.issingle:
		return get_unchecked(doctype, name, filters, parent)
	found = frappe.get_list(doctype, filters=get_safe_filters(picks), pluck="name", limit=1)
	return get_unchecked(doctype, found[0]) if found else refuse_record(doctype)


@frappe.whitelist()
def get_count(doctype: str, filters: Any = None, debug: bool = False, cache: bool = False) -> int:
	"""Count the rows the caller may see; the original counts all, and so answers guesses about their texts."""
	meta = frappe.get_meta(doctype)
	if doctype not in GUARDED and (meta.istable or meta.issingle or meta.get("is_virtual")):
		return get_unchecked_count(doctype, filters, debug, cache)
	field = f"count(distinct `tab{doctype}`.name) as total"
	rows = frappe.get_list(doctype, filters=get_safe_filters(filters), fields=[field], order_by=None)
	return rows[0].total if rows else 0


@frappe.whitelist()
def validate_link(doctype: str, docname: str, fields: Any = None) -> Any:
	"""Say nothing of a record that the caller may not read, not even that it is there."""
	if doctype in GUARDED and not _may_read(doctype, docname):
		return frappe._dict()
	return validate_unchecked_link(doctype, docname, fields)


@frappe.whitelist()
def get_link_title(doctype: str, docname: str) -> Any:
	"""Names of employees are for all who work here; other titles for those who may read the record."""
	if doctype == "Khalifa Agent":
		_require_colleague()
	elif doctype in GUARDED and not _may_read(doctype, docname):
		return docname
	return get_unchecked_link_title(doctype, docname)


@frappe.whitelist()
def toggle_like(doctype: str, name: str, add: Any = False) -> None:
	"""Only what one may read can be liked: a like writes to the record."""
	if not _may_read(doctype, name):
		frappe.throw(_("Not permitted"), frappe.PermissionError)
	toggle_unchecked_like(doctype, name, add)


def _may_read(doctype: str, name: str) -> bool:
	if not (isinstance(doctype, str) and isinstance(name, str | int)):
		return False
	return bool(frappe.db.exists(doctype, name) and frappe.has_permission(doctype, "read", doc=name))


def _require_colleague() -> None:
	actor = current_actor()
	if not (actor.is_agent or actor.is_manager):
		frappe.throw(_("Not permitted"), frappe.PermissionError)
