"""Tables in files that people attach: texts of any kind (`core.table_text`) and Excel workbooks, row by row.

Frappe's own readers keep a whole workbook in memory, take what a formula last came to for its text, know no
separator but the comma, and read the Arabic of Excel's CSV as Central European letters.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import openpyxl
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

from khalifa_whatsapp.core import table_text
from khalifa_whatsapp.core.errors import UserError

ZIP = b"PK\x03\x04"
MAX_UNPACKED = 400 * 1024 * 1024  # bytes: what a workbook of `table_text.MAX_ROWS` needs, many times over
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"


def rows_of_file(content: bytes) -> Iterator[table_text.Row]:
	"""The rows of an attached file. Raises UserError for what is no table, is damaged, or is too large."""
	if content.startswith(ZIP):
		return table_text.checked(_rows_of_workbook(content))
	if content.startswith(OLD_WORKBOOK):
		raise UserError(
			"old_workbook", "This is a workbook of an old Excel. Save it as an Excel workbook (.xlsx)."
		)
	return table_text.rows(table_text.decoded(content))


def _rows_of_workbook(content: bytes) -> Iterator[tuple[int, list[Any]]]:
	if len(content) > table_text.MAX_BYTES:
		raise table_text.too_large()
	try:
		_refuse_bomb(content)
		book = openpyxl.load_workbook(BytesIO(content), read_only=True)
		sheet = book.worksheets[0]
		sheet.reset_dimensions()  # what a file says of its own size is not believed
		for line, row in enumerate(sheet.iter_rows(values_only=True), 1):
			yield line, [_plain(value) for value in row]
	except UserError:
		raise
	except Exception as error:  # a damaged workbook fails anywhere in the library, with any error
		raise UserError(
			"damaged_workbook", "This workbook can't be read. Open it in Excel and save it once more."
		) from error


def _refuse_bomb(content: bytes) -> None:
	"""Refuse what unpacks to far more than any list needs."""
	with zipfile.ZipFile(BytesIO(content)) as archive:
		if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED:
			raise table_text.too_large(MAX_UNPACKED)


def _plain(value: Any) -> Any:
	"""A formula is its text, whatever it last came to; of a formula for many cells a «=» remains."""
	if isinstance(value, ArrayFormula | DataTableFormula):
		return str(getattr(value, "text", None) or "=")
	return value
