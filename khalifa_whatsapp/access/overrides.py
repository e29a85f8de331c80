"""Methods of Frappe that answer without asking for permission, with the question put before them.

Each of them told, or let change, something of a record that its caller may not read. The hooks send the
original's dotted path here; other apps' DocTypes are answered as ever wherever that is safe.

The originals are reached through their modules: a whitelisted function that is imported by its own name could be
called by the path of this module, too.
"""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _, client
from frappe.desk import like, listview, search
from frappe.desk.form import utils as form_utils
from frappe.utils import get_safe_filters

from khalifa_whatsapp.guards import current_actor, refuse_record, require_read
from khalifa_whatsapp.permissions import GUARDED

# The lists that have conditions of ours
WITH_CONDITIONS = GUARDED | {"File", "Tag Link"}


@frappe.whitelist()
def get(doctype: str, name: Any = None, filters: Any = None, parent: str | None = None) -> Any:
	"""Pick by a filter among the rows the caller may read.

	The original picks among all, and answers guesses about their texts: a row it then refuses is there.
	"""
	picks = filters if name is None else name
	if doctype not in GUARDED or picks is None or isinstance(name, str | int):
		return client.get(doctype, name, filters, parent)
	meta = frappe.get_meta(doctype)
	if meta.istable or meta.issingle:
		return client.get(doctype, name, filters, parent)
	found = frappe.get_list(doctype, filters=get_safe_filters(picks), pluck="name", limit=1)
	return client.get(doctype, found[0]) if found else refuse_record(doctype)


@frappe.whitelist()
def get_count(doctype: str, filters: Any = None, debug: bool = False, cache: bool = False) -> int:
	"""Count the rows the caller may see; the original counts all, and so answers guesses about their texts."""
	meta = frappe.get_meta(doctype)
	if doctype not in GUARDED and (meta.istable or meta.issingle or meta.get("is_virtual")):
		return client.get_count(doctype, filters, debug, cache)
	field = f"count(distinct `tab{doctype}`.name) as total"
	rows = frappe.get_list(doctype, filters=get_safe_filters(filters), fields=[field], order_by=None)
	return rows[0].total if rows else 0


@frappe.whitelist()
def validate_link(doctype: str, docname: str, fields: Any = None) -> Any:
	"""Say nothing of a record that the caller may not read, not even that it is there."""
	if not _may_be_confirmed(doctype, docname):
		return frappe._dict()
	return client.validate_link(doctype, docname, fields)


@frappe.whitelist()
def get_link_title(doctype: str, docname: str) -> Any:
	"""Names of employees are for all who work here; other titles for those who may read the record."""
	if doctype == "Khalifa Agent":
		_require_colleague()
	elif not _may_be_confirmed(doctype, docname):
		return docname
	return search.get_link_title(doctype, docname)


@frappe.whitelist()
def toggle_like(doctype: str, name: str, add: Any = False) -> None:
	"""Only what one may read can be liked: a like writes to the record."""
	if not _may_read(doctype, name):
		frappe.throw(_("Not permitted"), frappe.PermissionError)
	like.toggle_like(doctype, name, add)


@frappe.whitelist()
def search_link(doctype: str, txt: str, ignore_user_permissions: Any = False, **given: Any) -> Any:
	"""Search among the rows the caller may see; the original searches all if the caller so wishes."""
	ignored = False if doctype in WITH_CONDITIONS else ignore_user_permissions
	return frappe.call(search.search_link, doctype, txt, ignore_user_permissions=ignored, **given)


@frappe.whitelist()
def search_widget(doctype: str, txt: str, ignore_user_permissions: Any = False, **given: Any) -> Any:
	"""As `search_link`."""
	ignored = False if doctype in WITH_CONDITIONS else ignore_user_permissions
	return frappe.call(search.search_widget, doctype, txt, ignore_user_permissions=ignored, **given)


@frappe.whitelist()
def get_group_by_count(doctype: str, current_filters: str, field: str) -> list[dict]:
	"""Count the rows the caller may see. By assignments the original counts all; and ours have none."""
	if doctype in GUARDED and field == "assigned_to":
		return []
	return listview.get_group_by_count(doctype, current_filters, field)


@frappe.whitelist()
def get_next(doctype: str, value: Any, prev: Any, **given: Any) -> Any:
	"""Go on from a row that the caller may read; the original compares with any, and so tells what is in it."""
	if doctype in GUARDED:
		require_read(doctype, value)
	return frappe.call(form_utils.get_next, doctype, value, prev, **given)


def _may_be_confirmed(doctype: str, name: Any) -> bool:
	return doctype not in GUARDED or _may_read(doctype, name)


def _may_read(doctype: str, name: str) -> bool:
	if not (isinstance(doctype, str) and isinstance(name, str | int)):
		return False
	return bool(frappe.db.exists(doctype, name) and frappe.has_permission(doctype, "read", doc=name))


def _require_colleague() -> None:
	actor = current_actor()
	if not (actor.is_agent or actor.is_manager):
		frappe.throw(_("Not permitted"), frappe.PermissionError)
