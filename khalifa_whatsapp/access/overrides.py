"""Methods of Frappe that answer without asking for permission, with the question put before them.

Each of them told, or let change, something of a record that its caller may not read. The hooks send the
original's dotted path here; other apps' DocTypes are answered by the original, and as ever.

The originals are reached through their modules: a whitelisted function that is imported by its own name could
be called by the path of this module, too.
"""

from __future__ import annotations

import inspect
from typing import Any

import frappe
from frappe import _, client
from frappe.desk import like, listview, search
from frappe.desk.form import utils as form_utils
from frappe.utils import cint, get_safe_filters

from khalifa_whatsapp.access import closed_rows
from khalifa_whatsapp.access.attachable import ATTACHABLE
from khalifa_whatsapp.access.places import is_ours, names_ours
from khalifa_whatsapp.guards import current_actor, refuse_record, require_read

# Newer versions count by permission, as lists do; the older ask the database for all rows
COUNTS_ALL = "count" in inspect.unwrap(client.get_count).__code__.co_names


@frappe.whitelist()
def get(doctype: Any, name: Any = None, filters: Any = None, parent: Any = None) -> Any:
	"""Pick by a filter among the rows the caller may read.

	The original picks among all, and answers guesses about their texts: a row it then refuses is there.
	"""
	picks = filters if name is None else name
	is_open = picks is None or isinstance(name, str | int) or not _reaches_ours(doctype, picks)
	meta = None if is_open else frappe.get_meta(doctype)
	if meta is None or meta.istable or meta.issingle:
		return client.get(doctype, name, filters, parent)
	names = frappe.get_list(doctype, filters=get_safe_filters(picks), pluck="name", limit=1)
	return client.get(doctype, names[0]) if names else refuse_record(doctype)


@frappe.whitelist()
def get_count(doctype: Any, filters: Any = None, debug: Any = False, cache: Any = False) -> Any:
	"""Count the rows the caller may see; the original counts all,
	and so answers guesses about their texts.
	"""
	if _reaches_ours(doctype, filters):
		return _count_readable(doctype, get_safe_filters(filters))
	if not COUNTS_ALL or not isinstance(doctype, str) or doctype not in ATTACHABLE:
		return client.get_count(doctype, filters, debug, cache)
	if cache and not filters:  # Frappe keeps the number of all there are, for everybody
		return client.get_count(doctype, filters, debug, cache) - closed_rows.count_closed(doctype)
	return client.get_count(doctype, closed_rows.open_filters(doctype, get_safe_filters(filters)), debug)


def _count_readable(doctype: str, filters: Any) -> int:
	if doctype in ATTACHABLE and not frappe.has_permission(doctype):
		return 0
	field = f"count(distinct `tab{doctype}`.name) as total"
	rows = frappe.get_list(doctype, filters=filters, fields=[field], order_by=None)
	return rows[0].total if rows else 0


@frappe.whitelist()
def validate_link(doctype: Any, docname: Any, fields: Any = None) -> Any:
	"""Say nothing of a record that the caller may not read, not even that it is there."""
	if not _may_be_confirmed(doctype, docname):
		return frappe._dict()
	return client.validate_link(doctype, docname, fields)


@frappe.whitelist()
def get_link_title(doctype: Any, docname: Any) -> Any:
	"""Names of employees are for all who work here; other titles for those who may read the record."""
	if doctype == "Khalifa Agent":
		_require_colleague()
	elif not _may_be_confirmed(doctype, docname):
		return docname
	return search.get_link_title(doctype, docname)


@frappe.whitelist()
def toggle_like(doctype: Any, name: Any, add: Any = False) -> None:
	"""Only what one may read can be liked: a like writes to the record."""
	if not _may_be_confirmed(doctype, name):
		frappe.throw(_("Not permitted"), frappe.PermissionError)
	like.toggle_like(doctype, name, add)


@frappe.whitelist()
def search_link(doctype: str, txt: str, ignore_user_permissions: Any = False, **given: Any) -> Any:
	"""A wish that leaves no permission in force, which the original grants, finds nothing of ours."""
	given["ignore_user_permissions"] = ignore_user_permissions and not is_ours(doctype)
	return _without_closed(doctype, frappe.call(search.search_link, doctype, txt, **given), given)


@frappe.whitelist()
def search_widget(doctype: str, txt: str, ignore_user_permissions: Any = False, **given: Any) -> Any:
	"""As `search_link`."""
	given["ignore_user_permissions"] = ignore_user_permissions and not is_ours(doctype)
	return _without_closed(doctype, frappe.call(search.search_widget, doctype, txt, **given), given)


def _without_closed(doctype: str, rows: Any, given: dict[str, Any]) -> Any:
	if doctype not in ATTACHABLE or not rows or _is_by_permission(doctype, given):
		return rows
	names = [_name_in(row) for row in rows]
	closed = closed_rows.closed(doctype, [name for name in names if isinstance(name, str)])
	return [row for row, name in zip(rows, names, strict=True) if name not in closed] if closed else rows


def _is_by_permission(doctype: str, given: dict[str, Any]) -> bool:
	"""Whether the search looked for rows as lists do, whose conditions leave out closed ones."""
	is_custom = given.get("query") or doctype in (frappe.get_hooks("standard_queries") or {})
	return not (is_custom or cint(given["ignore_user_permissions"]))


def _name_in(row: Any) -> Any:
	return row.get("value", row.get("name")) if isinstance(row, dict) else row[0]


@frappe.whitelist()
def get_group_by_count(**given: Any) -> Any:
	"""Count the rows the caller may see. By assignments the original counts all; and ours have none."""
	if given.get("field") == "assigned_to" and _reaches_ours(
		given.get("doctype"), given.get("current_filters")
	):
		return []
	return frappe.call(listview.get_group_by_count, **given)


@frappe.whitelist()
def get_next(doctype: Any, value: Any, prev: Any, **given: Any) -> Any:
	"""Go on from a row that the caller may read; the original compares with any,
	and so tells what is in it.
	"""
	if is_ours(doctype):
		require_read(doctype, value)
	return frappe.call(form_utils.get_next, doctype, value, prev, **given)


def _reaches_ours(doctype: Any, filters: Any) -> bool:
	"""Whether rows of ours are asked for, or others by what is in ours: by a table, or by a link."""
	if is_ours(doctype) or names_ours({"filters": filters}):
		return True
	if "." not in str(filters) or not isinstance(doctype, str):
		return False
	return any(is_ours(df.options) for df in frappe.get_meta(doctype).get_link_fields())


def _may_be_confirmed(doctype: Any, name: Any) -> bool:
	"""Whether it is another app's record, or one that the caller may read."""
	if isinstance(name, str) and isinstance(doctype, str) and doctype in ATTACHABLE:
		return not closed_rows.closed(doctype, [name])
	return not is_ours(doctype) or _may_read(doctype, name)


def _may_read(doctype: str, name: str) -> bool:
	if not (isinstance(doctype, str) and isinstance(name, str | int)):
		return False
	return bool(frappe.db.exists(doctype, name) and frappe.has_permission(doctype, "read", doc=name))


def _require_colleague() -> None:
	actor = current_actor()
	if not (actor.is_agent or actor.is_manager):
		frappe.throw(_("Not permitted"), frappe.PermissionError)
