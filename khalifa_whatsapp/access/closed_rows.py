"""Of what Frappe found without asking for permission, the rows that hang on what the present user may not read.

`hanging` and `files` say which these are. Every other row stays in the answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import frappe
from frappe.desk.doctype.event import event
from frappe.model.db_query import DatabaseQuery
from frappe.utils import global_search

from khalifa_whatsapp.access import hanging
from khalifa_whatsapp.access.files import query_conditions_of_files
from khalifa_whatsapp.access.hangers import HANGERS


@frappe.whitelist()
def search(text: str, start: Any = 0, limit: Any = 20, doctype: str = "") -> Any:
	"""The search of the whole site, which asks for the right to a DocType alone."""
	found = global_search.search(text, start, limit, doctype)
	kinds = {row.doctype for row in found if row.doctype in HANGERS}
	hidden = {kind: closed(kind, [row.name for row in found if row.doctype == kind]) for kind in kinds}
	return [row for row in found if row.name not in hidden.get(row.doctype, ())]


@frappe.whitelist()
def get_events(start: Any, end: Any, **given: Any) -> Any:
	"""The calendar, whose query has no permissions but its own."""
	found = frappe.call(event.get_events, start, end, **given)
	hidden = closed("Event", [row.name for row in found])
	return [row for row in found if row.name not in hidden] if hidden else found


def open_rows(doctype: str) -> str:
	"""SQL: the row hangs on nothing of ours, or on what the present user may read. Empty: no row is closed to him."""
	rules = [hanging.query_conditions(None, doctype), query_conditions_of_files() if doctype == "File" else ""]
	return " and ".join(rule for rule in rules if rule)


def closed(doctype: str, names: Iterable[str]) -> set[str]:
	"""Those of the rows that the present user may not read for what they hang on."""
	condition, wanted = open_rows(doctype), ", ".join(frappe.db.escape(name, percent=False) for name in names)
	if not condition or not wanted:
		return set()
	table = f"`tab{doctype}`"
	sql = f"select {table}.name from {table} where {table}.name in ({wanted}) and not ({condition})"
	return {row[0] for row in frappe.db.sql(sql)}


def count_open(doctype: str, filters: Any) -> int | None:
	"""How many rows pass the filters and are not closed to the present user for what they hang on. None: none is closed."""
	condition = open_rows(doctype)
	if not condition or not _count(doctype, filters, f"not ({condition})"):
		return None
	return _count(doctype, filters, condition)


def _count(doctype: str, filters: Any, condition: str) -> int:
	query = _QueryWith(doctype)
	query.condition = condition
	field = f"count(distinct `tab{doctype}`.name) as total"
	rows = query.execute(filters=filters, fields=[field], order_by=None, ignore_permissions=True)
	return rows[0].total if rows else 0


class _QueryWith(DatabaseQuery):
	"""Frappe's query by filters, with one condition more."""

	condition = ""

	def build_conditions(self) -> None:
		super().build_conditions()
		self.conditions.append(f"({self.condition})")
