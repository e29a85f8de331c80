"""Exports of our DocTypes and reports, in which no cell is a formula.

Customers choose what their names and messages begin with, and whoever opens an export would run it. Frappe
writes texts as they are, and takes tags and control characters out on the way, so a cell is looked at when it
is written. The hooks send the originals' dotted paths here; exports of other apps' DocTypes stay as they
were.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import frappe
import openpyxl
from frappe.core.api import file as file_api
from frappe.core.doctype.data_export import exporter
from frappe.core.doctype.data_import import data_import
from frappe.core.doctype.file.file import File
from frappe.desk import query_report, reportview
from frappe.utils import cint, cstr

from khalifa_whatsapp import site_audit
from khalifa_whatsapp.access import background
from khalifa_whatsapp.core import audit
from khalifa_whatsapp.core.cells import guarded, guarded_csv
from khalifa_whatsapp.core.doctypes import GUARDED

MODULE = "Khalifa WhatsApp"
# What Frappe's jobs attach a report's result to, and the field that names the report if it is not the report
# itself
RESULTS = {"Report": None, "Prepared Report": "report_name"}


@frappe.whitelist()
def export_list() -> None:
	"""A list, or its report view."""
	_export(reportview.export_query, frappe.form_dict.get("doctype"), "export_list")


@frappe.whitelist()
def export_report() -> None:
	"""A report. Ours guard texts on the screen already, but not links: guarded, they would lead nowhere."""
	doctype = frappe.get_cached_value("Report", frappe.form_dict.get("report_name"), "ref_doctype")
	_export(query_report.export_query, doctype, "export_report")


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


@frappe.whitelist()
def download_errored_template(data_import_name: str) -> None:
	"""The rows that «Data Import» did not take."""
	data_import.download_errored_template(data_import_name)
	_guard_answer(",", _imported(data_import_name))


@frappe.whitelist()
def download_import_log(data_import_name: str) -> None:
	"""What became of each row, and what was wrong in it."""
	data_import.download_import_log(data_import_name)
	_guard_answer(",", _imported(data_import_name))


@frappe.whitelist()
def zip_files(files: str) -> None:
	"""Files of conversations go with their conversations. The original asks who has uploaded them."""
	names = frappe.parse_json(files)
	if not isinstance(names, list):
		return file_api.zip_files(files)
	guarded = {
		"attached_to_doctype": ("in", [*sorted(GUARDED), *RESULTS]),
		"name": ("in", [str(name) for name in names]),
	}
	documents = [frappe.get_doc("File", name) for name in frappe.get_all("File", guarded, pluck="name")]
	closed = {file.name for file in documents if not file.is_downloadable()}
	return file_api.zip_files(
		frappe.as_json([name for name in names if name not in closed]) if closed else files
	)


def guard_result(doc: File) -> None:
	"""A report's result that a job of Frappe's stores: no formula, and nothing that hangs on the report,
	which all may read.
	"""
	if doc.attached_to_doctype not in RESULTS or not doc.get("content") or not _is_result_of_ours(doc):
		return
	guard = {".xlsx": guarded_xlsx, ".csv": lambda content: guarded_csv(content.decode()).encode()}
	_stem, ending = posixpath.splitext(doc.file_name or "")
	if isinstance(doc.content, bytes) and ending in guard:
		doc.content = guard[ending](doc.content)
	if doc.attached_to_doctype == "Report":
		doc.attached_to_doctype = doc.attached_to_name = None
		doc.is_private = 1


def _is_result_of_ours(doc: File) -> bool:
	report, name = RESULTS[doc.attached_to_doctype], doc.attached_to_name
	report = frappe.db.get_value(doc.attached_to_doctype, name, report) if report else name
	return _is_ours(frappe.get_cached_value("Report", report, "ref_doctype"))


def _imported(name: str) -> str | None:
	return frappe.db.get_value("Data Import", name, "reference_doctype")


def _export(make: Callable[[], None], doctype: Any, name: str) -> None:
	"""Answer with what the original makes, guarded; or have the function of this name do so in a job."""
	delimiter = _delimiter()
	if _is_for_later(doctype):
		background.enqueue(f"{__name__}.{name}")
		return
	make()
	_guard_answer(delimiter, doctype)


def _is_for_later(doctype: Any) -> bool:
	"""Whether it is ours, and to be made in the background by somebody who may export it."""
	if not _is_ours(doctype) or not cint(frappe.form_dict.get("export_in_background")):
		return False
	return frappe.permissions.can_export(doctype, raise_exception=True)


def _delimiter() -> str:
	return cstr(frappe.form_dict.get("csv_delimiter") or ",")[0]


def _guard_answer(delimiter: str, *doctypes: Any) -> None:
	ours = [doctype for doctype in doctypes if _is_ours(doctype)]
	if not ours:
		return
	answer = frappe.response
	if answer.get("type") == "csv":
		answer["result"] = guarded_csv(answer["result"])
	elif answer.get("type") == "binary" and answer["filename"].endswith(".xlsx"):
		answer["filecontent"] = guarded_xlsx(answer["filecontent"])
	elif answer.get("type") == "binary":
		answer["filecontent"] = guarded_csv(answer["filecontent"].decode(), delimiter).encode()
	_note_export(ours[0])


def _note_export(doctype: str) -> None:
	"""Who took what out, for the audit list. By which fields rows were chosen is said, not what was looked
	for: that may be a customer's name.
	"""
	answer, form = frappe.response, frappe.form_dict
	content = answer.get("filecontent") or answer.get("result") or ""
	values = {
		"file": answer.get("filename") or answer.get("doctype") or "",
		"bytes": len(content),
		"chosen by": ", ".join(_filtered_fields(form.get("filters"))),
	}
	report = form.get("report_name") or ""
	kind = ("Report", report) if report else (doctype, "")
	site_audit.note(
		audit.EXPORT,
		audit.EXPORTED,
		document_type=kind[0],
		document=kind[1],
		title=report or doctype,
		values=values,
	)
	frappe.local.flags.commit = True  # most of these are asked for with a GET


def _filtered_fields(filters: Any) -> Iterator[str]:
	"""The names of the fields in a list's or a report's filters, whatever their shape."""
	given = frappe.parse_json(filters or "[]")
	if isinstance(given, dict):
		yield from sorted(str(name) for name in given)
	elif isinstance(given, list):
		for part in given:
			if isinstance(part, list | tuple) and len(part) > 1:
				yield str(part[1] if len(part) > 3 else part[0])


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
