"""Tables that people paste or upload, as rows of plain texts: any usual encoding and separator, nothing
evaluated.

A table is taken whole or refused whole, with the line at which to look: half a list of customers would look
like success.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from itertools import islice
from typing import Any

from khalifa_whatsapp.core.errors import UserError

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 100_000
MAX_COLUMNS = 50
MAX_CELL = 4_000  # characters
MAX_LINES_OF_ROW = 20  # a row with more has a quotation mark that nobody closed
SEPARATORS = ("\t", ";", ",", "،", "؛", "|")
LOOKED_AT = 50  # lines, to tell the separator
_MARKS = (  # longest first: UTF-32 begins as UTF-16 does
	(b"\xff\xfe\x00\x00", "utf-32"),
	(b"\x00\x00\xfe\xff", "utf-32"),
	(b"\xff\xfe", "utf-16"),
	(b"\xfe\xff", "utf-16"),
	(b"\xef\xbb\xbf", "utf-8-sig"),
)
ARABIC_WINDOWS = "cp1256"  # what Excel writes as «CSV» on an Arabic Windows

Row = tuple[int, list[str]]  # the line at which it begins, from 1, and its cells


def decoded(content: bytes) -> str:
	"""The text of an uploaded file. Raises UserError for what is too large or no text."""
	if len(content) > MAX_BYTES:
		raise too_large()
	try:
		text = _decoded(content)
	except UnicodeDecodeError as error:
		raise _no_text() from error
	if any(unicodedata.category(char) == "Cc" and char not in "\t\n\r\x0b\x0c\x1a" for char in set(text)):
		raise _no_text()
	return text


def too_large(limit: int = MAX_BYTES) -> UserError:
	"""The refusal of a file of more than `limit` bytes."""
	return UserError(
		"table_too_large", "The file is larger than {limit} MB. Split it.", limit=limit // 1024 // 1024
	)


def _decoded(content: bytes) -> str:
	for mark, encoding in _MARKS:
		if content.startswith(mark):
			return content.decode(encoding)
	try:
		return content.decode("utf-8")
	except UnicodeDecodeError:
		return content.decode(ARABIC_WINDOWS)


def _no_text() -> UserError:
	return UserError(
		"table_no_text",
		"This file is no list that can be read. Save it as CSV (UTF-8) or as an Excel workbook (.xlsx).",
	)


def rows(text: str) -> Iterator[Row]:
	"""The rows of a text; empty ones are left out.

	One line of several numbers is as many rows. Raises UserError for a quotation mark that is never closed,
	and beyond the limits.
	"""
	plain = text.removeprefix("\ufeff").translate({0: None, 0x1A: None})  # DOS ends a file with the latter
	listed = checked(_split(plain, separator_of(plain)))
	first = list(islice(listed, 2))
	if len(first) == 1 and len(first[0][1]) > 1 and all(map(_is_number, filter(None, first[0][1]))):
		yield from ((first[0][0], [cell]) for cell in first[0][1] if cell)
		return
	yield from first
	yield from listed


def checked(listed: Iterable[tuple[int, Iterable[Any]]]) -> Iterator[Row]:
	"""Rows within the limits, their cells as texts; those that hold nothing are left out."""
	count = 0
	for line, cells in listed:
		texts = [text_of(cell) for cell in islice(cells, MAX_COLUMNS + 1)]
		if not any(texts):
			continue
		count += 1
		if count > MAX_ROWS + 1:  # a header is no row of the list
			raise UserError(
				"table_too_long", "The list has more than {limit} lines. Split it.", limit=MAX_ROWS
			)
		if any(texts[MAX_COLUMNS:]):
			raise UserError(
				"table_too_wide",
				"Line {line} has more than {limit} columns. Delete those that are not needed.",
				line=line,
				limit=MAX_COLUMNS,
			)
		yield line, [text[:MAX_CELL] for text in texts]


def text_of(cell: Any) -> str:
	"""A cell of a text or of a workbook as one line; a number as people write it, a formula as its text."""
	if cell is None:
		return ""
	if isinstance(cell, bool):
		return str(cell).upper()
	if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
		return str(int(cell))
	if isinstance(cell, datetime):
		return str(cell.date()) if cell.time() == time() else cell.isoformat(" ", "minutes")
	if isinstance(cell, date):
		return cell.isoformat()
	return " ".join(str(cell).split())


def separator_of(text: str) -> str:
	"""What separates the cells: what cuts most lines into equally many."""
	lines = list(islice((line for line in io.StringIO(text, newline="") if line.strip()), LOOKED_AT))

	def fit(separator: str) -> tuple[int, int]:
		widths = [len(row) for row in csv.reader(lines, delimiter=separator)]
		usual = max((width for width in set(widths) if width > 1), key=widths.count, default=1)
		return (widths.count(usual), usual) if usual > 1 else (0, 0)

	try:
		return max(SEPARATORS, key=fit)  # of equals the first
	except csv.Error:
		return ","


def _split(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
	taken: list[str] = []

	def lines() -> Iterator[str]:
		for line in io.StringIO(text, newline=""):
			taken.append(line)
			yield line

	start = 1
	try:
		for cells in csv.reader(lines(), delimiter=separator):
			if _is_unclosed(taken):
				raise _quote_error(start)
			yield start, cells
			start += len(taken)
			taken.clear()
	except csv.Error as error:  # a cell longer than any
		raise _quote_error(start) from error


def _is_unclosed(lines: list[str]) -> bool:
	"""Whether these lines became one row because nobody closed a quotation mark."""
	return len(lines) > MAX_LINES_OF_ROW or (len(lines) > 1 and "".join(lines).count('"') % 2 == 1)


def _quote_error(line: int) -> UserError:
	return UserError(
		"table_quote",
		'A quotation mark (") in line {line} is never closed. Delete it, or close it.',
		line=line,
	)


def _is_number(cell: str) -> bool:
	return sum(char.isdecimal() for char in cell) >= 7 and not any(char.isalpha() for char in cell)
