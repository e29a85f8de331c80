"""Where a campaign's recipients come from: customers by a filter, a report, a pasted or attached list.

Everything is read with the rights of whoever asks, line by line and always in the same order, so that a plan
that was interrupted goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import frappe
from frappe.model import default_fields, optional_fields
from frappe.utils.data import get_filter

from khalifa_whatsapp.core import phones, table_text
from khalifa_whatsapp.core.arabic import normalise, safe_name
from khalifa_whatsapp.core.audience import (
	CUSTOMER_NAME,
	LOOKED_AT,
	PHONE_TITLES,
	Audience,
	Columns,
	Line,
	columns_of,
	empty,
	unknown_names,
	value_name,
)
from khalifa_whatsapp.core.errors import NotAllowed, UserError
from khalifa_whatsapp.core.table_text import Row
from khalifa_whatsapp.jobs.uploaded_tables import rows_of_file

CUSTOMER = "Khalifa Customer"
CUSTOMERS, REPORT, LIST = "Customers", "Report", "List"  # `Khalifa Campaign.audience_source`
PAGE = 1_000
BOOKS = "Customer"  # of ERPNext
FIELDS = ["name", "customer_name", "phone", "branch"]


@dataclass(frozen=True, slots=True)
class Source:
	"""An audience that is open for reading: who remembers the lines taken, the lines (once), and how many
	there are.
	"""

	made: Audience
	lines: Iterator[Line]
	total: int | None


def source_of(campaign: str, needed: Collection[str] = (), is_whole: bool = True) -> Source:
	"""The audience of a campaign, read with the rights of the present user.

	`needed` are the names of the values that its texts ask for. Raises UserError for whatever stands in the
	way of the list as a whole, before the first line. Where it is not meant to be read to its end
	(`is_whole`), nobody looks beyond the first lines of a list, and its `total` is None.
	"""
	doc = frappe.get_doc("Khalifa Campaign", campaign)
	open_source = {CUSTOMERS: _customers, REPORT: _report, LIST: _list}[doc.audience_source]
	columns, lines, total = open_source(doc, is_whole)
	unknown = unknown_names(needed, columns)
	if unknown:
		raise UserError(
			"audience_no_value",
			"The text asks for {name}, and the recipients have no such column. They have: {columns}.",
			name=unknown[0],
			columns=", ".join(filter(None, columns.names)) or CUSTOMER_NAME,
		)
	made = Audience(columns, needed, _region())
	return Source(made, lines(made), total)


Opened = tuple[Columns, Callable[[Audience], Iterator[Line]], int | None]


def _region() -> str:
	return frappe.db.get_single_value("Khalifa Settings", "default_region") or phones.HOME_REGION


# Customers


def _customers(doc: Any, _is_whole: bool) -> Opened:
	filters = _filters(doc.audience_filters)
	total = frappe.get_list(CUSTOMER, filters, ["count(name) as count"], order_by=None)[0]["count"]
	if not total:
		raise UserError("audience_no_customers", "No customer fits the filter. Choose another one.")
	return Columns(0, ("", CUSTOMER_NAME, "branch"), False), lambda _made: _lines_of(filters), total


def _filters(stored: str | None) -> list[Any]:
	"""The filter as Frappe's lists have it, on fields that there are; customers who became another one are
	left out.
	"""
	try:
		given = frappe.parse_json(stored or "[]")
		listed = [{key: given[key]} for key in given] if isinstance(given, dict) else list(given)
		filters = [get_filter(CUSTOMER, one if isinstance(one, dict) else list(one)) for one in listed]
	except (ValueError, TypeError, frappe.ValidationError) as error:
		frappe.clear_messages()
		raise _bad_filter() from error
	known = {df.fieldname for df in frappe.get_meta(CUSTOMER).fields} | {*default_fields, *optional_fields}
	if any(one.doctype != CUSTOMER or one.fieldname not in known for one in filters):
		raise _bad_filter()
	chosen = [[CUSTOMER, one.fieldname, one.operator, one.value] for one in filters]
	return [*chosen, [CUSTOMER, "merged_into", "is", "not set"]]


def _bad_filter() -> UserError:
	return UserError("audience_filter", "The filter of customers can't be used. Choose it once more.")


def _lines_of(filters: list[Any]) -> Iterator[Line]:
	"""Page by page in the order of names: whoever comes meanwhile moves nobody to another place."""
	count, last = 0, ""
	while True:
		beyond = [*filters, [CUSTOMER, "name", ">", last]]
		page = frappe.get_list(CUSTOMER, beyond, FIELDS, order_by="name asc", limit=PAGE)
		yield from (_line(number, row) for number, row in enumerate(page, count + 1))
		if len(page) < PAGE:
			return
		count, last = count + len(page), page[-1].name


def _line(number: int, row: Any, **values: str) -> Line:
	own = {CUSTOMER_NAME: row.customer_name, "branch": row.branch}
	filled = {name: value for name, value in own.items() if value}
	return Line(
		number,
		safe_name(row.customer_name or row.phone or ""),
		row.phone or "",
		row.name,
		{**filled, **values},
	)


# Reports


def _report(doc: Any, _is_whole: bool) -> Opened:
	columns, rows = report_of(doc.audience_report, doc.audience_report_filters)
	at = _report_column(columns, doc.phone_column)
	names = tuple("" if index == at else name for index, name in enumerate(_titles(columns)))
	return Columns(at, names, True), lambda made: _report_lines(made, rows, columns[at]), len(rows)


def report_of(name: str | None, filters: str | None) -> tuple[list[Any], list[Row]]:
	"""Columns and rows of a report that the present user may run."""
	if not name:
		raise UserError("audience_no_report", "Choose the report that lists the recipients.")
	report = frappe.get_doc("Report", name)
	if not (report.is_permitted() and frappe.has_permission(report.ref_doctype, "report")):
		raise NotAllowed("report_closed", "You may not run the report {name}.", name=name)
	given = frappe.parse_json(filters or "{}")
	if not isinstance(given, dict):
		raise UserError("report_filters", "The filters of the report can't be used. Choose them once more.")
	columns, result = report.get_data(given, ignore_prepared_report=True, are_default_filters=False)
	cells = [_report_cells(columns, row) for row in result]
	if report.add_total_row and cells:
		cells.pop()
	return columns, list(table_text.checked(enumerate(cells, 1)))


def _report_cells(columns: Sequence[Any], row: Any) -> list[Any]:
	return [row.get(column.fieldname) for column in columns] if isinstance(row, dict) else list(row)


def _report_column(columns: Sequence[Any], wanted: str | None) -> int:
	"""The one that was chosen, by field or title; else a link to a customer, or a column of numbers."""
	titles = {normalise(wanted)} if wanted else PHONE_TITLES
	for index, column in enumerate(columns):
		is_link = not wanted and column.fieldtype == "Link" and column.options in (CUSTOMER, BOOKS)
		if is_link or not {normalise(column.fieldname or ""), normalise(column.label or "")}.isdisjoint(
			titles
		):
			return index
	raise UserError(
		"report_no_column",
		"Choose the column with the phone number or the customer. The report has: {columns}.",
		columns=", ".join(str(column.label) for column in columns),
	)


def _titles(columns: Sequence[Any]) -> list[str]:
	"""What the values are called: the column's title, or its field where two have one title."""
	titles = [value_name(column.label or "") for column in columns]
	return [
		title if title and titles.count(title) == 1 else column.fieldname or str(index)
		for index, (title, column) in enumerate(zip(titles, columns, strict=True), 1)
	]


def _report_lines(made: Audience, rows: Sequence[Row], column: Any) -> Iterator[Line]:
	if column.fieldtype != "Link" or column.options not in (CUSTOMER, BOOKS):
		yield from (made.line(number, cells) for number, cells in rows)
		return
	field = "name" if column.options == CUSTOMER else "reference_name"
	for start in range(0, len(rows), PAGE):
		part = rows[start : start + PAGE]
		customers = _customers_by(field, [cells[made.columns.phone] for _number, cells in part])
		for number, cells in part:
			given = cells[made.columns.phone]
			own = customers.get(given)
			values = {
				name: cell for name, cell in zip(made.columns.names, cells, strict=False) if name and cell
			}
			yield (
				_line(number, own, **values)
				if own is not None
				else Line(number, safe_name(given), why="no_customer")
			)


def _customers_by(field: str, names: Sequence[str]) -> dict[str, Any]:
	kind = [[CUSTOMER, "reference_doctype", "=", BOOKS]] if field == "reference_name" else []
	filters = [[CUSTOMER, field, "in", [*names, ""]], [CUSTOMER, "merged_into", "is", "not set"], *kind]
	fields = [*FIELDS, "reference_name"]
	return {row[field]: row for row in frappe.get_list(CUSTOMER, filters, fields, limit=0)}


# Lists


def _list(doc: Any, is_whole: bool) -> Opened:
	open_rows = _opened_list(doc)
	rows = open_rows()
	first = list(islice(rows, LOOKED_AT))
	columns = columns_of(first, _region(), doc.phone_column or "")
	if len(first) <= columns.has_header:
		raise empty()
	# To the end once before anything is written: a list is taken whole or not at all
	total = sum(1 for _row in chain(first, rows)) - columns.has_header if is_whole else None
	listed = islice(open_rows(), int(columns.has_header), None)
	return columns, lambda made: (made.line(number, cells) for number, cells in listed), total


def _opened_list(doc: Any) -> Callable[[], Iterator[Row]]:
	"""What gives the rows from the beginning, each time it is called."""
	if not doc.audience_file:
		return lambda: table_text.rows(doc.audience_list or "")
	content = _content(doc)
	return lambda: rows_of_file(content)


def _content(doc: Any) -> bytes:
	where = {"file_url": doc.audience_file, "attached_to_doctype": doc.doctype, "attached_to_name": doc.name}
	names = frappe.get_list("File", where, pluck="name", limit=1)
	if not names:
		raise UserError("audience_no_file", "The file is not there any more. Attach it once more.")
	path = Path(frappe.get_doc("File", names[0]).get_full_path())
	try:
		if path.stat().st_size > table_text.MAX_BYTES:
			raise table_text.too_large()
		return path.read_bytes()
	except OSError as error:
		raise UserError("audience_no_file", "The file is not there any more. Attach it once more.") from error
