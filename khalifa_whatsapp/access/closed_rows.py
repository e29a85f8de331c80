"""Of what Frappe found without asking for permission, the rows that hang on what the present user may not
read.

`attached_rows` and `files` say which these are. Every other row stays in the answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import frappe
from frappe.desk.doctype.event import event
from frappe.query_builder import Criterion
from frappe.utils import global_search

from khalifa_whatsapp.access import attached_rows
from khalifa_whatsapp.access.attachable import ATTACHABLE
from khalifa_whatsapp.access.files import conditions_of_all_files, query_conditions_of_files


@frappe.whitelist()
def search(text: str, start: Any = 0, limit: Any = 20, doctype: str = "") -> Any:
	"""The search of the whole site, which asks for the right to a DocType alone."""
	hits = global_search.search(text, start, limit, doctype)
	kinds = {row.doctype for row in hits if row.doctype in ATTACHABLE}
	hidden = {kind: closed(kind, [row.name for row in hits if row.doctype == kind]) for kind in kinds}
	return [row for row in hits if row.name not in hidden.get(row.doctype, ())]


@frappe.whitelist()
def get_events(start: Any, end: Any, **given: Any) -> Any:
	"""The calendar, whose query has no permissions but its own."""
	events = frappe.call(event.get_events, start, end, **given)
	hidden = closed("Event", [row.name for row in events])
	return [row for row in events if row.name not in hidden] if hidden else events


def open_rows(doctype: str) -> str:
	"""SQL: the row hangs on nothing of ours, or on what the present user may read.

	Empty: no row is closed to him.
	"""
	rules = [
		attached_rows.query_conditions(None, doctype),
		query_conditions_of_files() if doctype == "File" else "",
	]
	return " and ".join(rule for rule in rules if rule)


def closed(doctype: str, names: Iterable[str]) -> set[str]:
	"""Those of the rows that the present user may not read for what they hang on."""
	condition, wanted = open_rows(doctype), ", ".join(frappe.db.escape(name, percent=False) for name in names)
	if not condition or not wanted:
		return set()
	table = f"`tab{doctype}`"
	# SQL: the condition of the permissions is text
	sql = f"select {table}.name from {table} where {table}.name in ({wanted}) and not ({condition})"
	return {row[0] for row in frappe.db.sql(sql)}


def open_filters(doctype: str, filters: Any) -> Any:
	"""The filters of a count of Frappe's, which asks for no permission,
	with the condition that leaves out closed rows.
	"""
	condition = _open_of_all(doctype)
	if not condition:
		return filters
	if isinstance(filters, list) and filters and all(isinstance(name, str | int) for name in filters):
		filters = {"name": ("in", filters)}
	given = filters if isinstance(filters, list) else [] if filters is None else [filters]
	return [*given, _Condition(condition)]


def count_closed(doctype: str) -> int:
	"""How many rows of this DocType the user may not read for what they hang on."""
	condition = _open_of_all(doctype)
	if not condition:
		return 0
	# SQL: the condition of the permissions is text
	return frappe.db.sql(f"select count(*) from `tab{doctype}` where not ({condition})")[0][0]


def _open_of_all(doctype: str) -> str:
	"""As `open_rows`, for queries that look at every row."""
	rules = [
		attached_rows.conditions_of_all(None, doctype),
		conditions_of_all_files() if doctype == "File" else "",
	]
	return " and ".join(rule for rule in rules if rule)


class _Condition(Criterion):
	"""A piece of SQL among the conditions of a query that Frappe builds."""

	def __init__(self, sql: str) -> None:
		super().__init__()
		self.sql = sql

	def get_sql(self, **given: Any) -> str:
		return f"({self.sql})".replace("%", "%%")  # values are put in by percent signs
