"""Exports of our DocTypes and reports, in which no cell is a formula.

Customers choose what their names and messages begin with, and whoever opens an export would run it. Frappe writes
texts as they are, and takes tags and control characters out on the way, so a cell is looked at when it is written.
The hooks send the originals' dotted paths here; exports of other apps' DocTypes stay as they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import frappe
import openpyxl
from frappe.core.doctype.data_export import exporter
from frappe.core.doctype.data_import import data_import
from frappe.desk import query_report, reportview
from frappe.utils import cstr

from khalifa_whatsapp.core.cells import guarded, guarded_csv

MODULE = "Khalifa WhatsApp"


@frappe.whitelist()
def export_list() -> None:
	"""A list, or its report view."""
	doctype, delimiter = frappe.form_dict.get("doctype"), _delimiter()
	reportview.export_query()
	_guard_answer(delimiter, doctype)


@frappe.whitelist()
def export_report() -> None:
	"""A report. Ours guard texts on the screen already, but not links: guarded, they would lead nowhere."""
	report, delimiter = frappe.form_dict.get("report_name"), _delimiter()
	query_report.export_query()
	_guard_answer(delimiter, frappe.get_cached_value("Report", report, "ref_doctype"))


@frappe.whitelist()
def export_data(**given: Any) -> None:
	"""What «Data Export» downloads."""
	named = given.get("doctype")
	doctypes = [*(named if isinstance(named, list) else [named]), given.get("parent_doctype")]
	frappe.call(exporter.export_data, **given)
	_guard_answer(",", *doctypes)


@frappe.whitelist()
def download_template(**given: Any) -> None:
	"""The template of «Data Import», which comes with rows when one asks for them."""
	frappe.call(data_import.download_template, **given)
	_guard_answer(",", given.get("doctype"))


def _delimiter() -> str:
	return cstr(frappe.form_dict.get("csv_delimiter") or ",")[0]


def _guard_answer(delimiter: str, *doctypes: Any) -> None:
	if not any(map(_is_ours, doctypes)):
		return
	answer = frappe.response
	if answer.get("type") == "csv":
		answer["result"] = guarded_csv(answer["result"])
	elif answer.get("type") == "binary" and answer["filename"].endswith(".xlsx"):
		answer["filecontent"] = guarded_xlsx(answer["filecontent"])
	elif answer.get("type") == "binary":
		answer["filecontent"] = guarded_csv(answer["filecontent"].decode(), delimiter).encode()


def _is_ours(doctype: Any) -> bool:
	return isinstance(doctype, str) and frappe.get_cached_value("DocType", doctype, "module") == MODULE


def guarded_xlsx(content: bytes) -> bytes:
	"""The same workbook with its formulas guarded; the very same bytes if it has none."""
	if not any(_is_to_guard(value) for value in _values(content)):
		return content
	book, out = openpyxl.load_workbook(BytesIO(content)), BytesIO()
	for sheet in book.worksheets:
		for row in sheet.iter_rows():
			for cell in filter(lambda cell: _is_to_guard(cell.value), row):
				cell.value = guarded(cell.value)
	book.save(out)
	return out.getvalue()


def _values(content: bytes) -> Iterator[Any]:
	"""All cells, one after the other: most exports hold nothing to guard, and may be large."""
	for sheet in openpyxl.load_workbook(BytesIO(content), read_only=True).worksheets:
		for row in sheet.iter_rows(values_only=True):
			yield from row


def _is_to_guard(value: Any) -> bool:
	return isinstance(value, str) and guarded(value) != value
