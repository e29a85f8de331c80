"""Pasted and uploaded tables: encodings, separators, quotation marks, limits."""

import csv
import io
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import table_text
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.table_text import checked, decoded, rows, separator_of, text_of

ARABIC = "الاسم,الهاتف\nمنى,01001234567\n"
BOTH = [(1, ["الاسم", "الهاتف"]), (2, ["منى", "01001234567"])]
NUMBERS = ["01001234567", "01112345678", "01223456789"]


def code_of(refused):
	return refused.value.code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1256"])
def test_every_usual_encoding_is_read(encoding):
	assert list(rows(decoded(ARABIC.encode(encoding)))) == BOTH


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_both_orders_of_utf_16_are_read(mark):
	order = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
	assert list(rows(decoded(mark + ARABIC.encode(order)))) == BOTH


@pytest.mark.parametrize(
	"content",
	[
		b"PK\x03\x04\x14\x00",
		b"\x89PNG\r\n\x1a\n\x00",
		b"\xff\xfe\x00",
		b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00",
	],
)
def test_what_is_no_text_is_refused_with_a_way_out(content):
	with pytest.raises(UserError, match=r"CSV \(UTF-8\)") as refused:
		decoded(content)
	assert code_of(refused) == "table_no_text"


def test_a_large_file_is_refused():
	with pytest.raises(UserError, match="20 MB") as refused:
		decoded(b"0" * (table_text.MAX_BYTES + 1))
	assert code_of(refused) == "table_too_large"


@pytest.mark.parametrize("separator", table_text.SEPARATORS)
def test_every_usual_separator_is_found(separator):
	text = "\n".join(
		separator.join(row) for row in (["phone", "name"], ["01001234567", "Mona"], ["0111", "Ali"])
	)
	assert separator_of(text) == separator
	assert [cells for _line, cells in rows(text)][1] == ["01001234567", "Mona"]


def test_commas_within_text_do_not_outweigh_semicolons():
	text = "phone;note\n01001234567;one, two\n01112345678;one\n"
	assert [cells for _line, cells in rows(text)][1] == ["01001234567", "one, two"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_an_editor_does(end):
	text = end.join(["phone,name", "", "01001234567,Mona", "  ,", "01112345678,Ali"])
	assert [line for line, _cells in rows(text)] == [1, 3, 5]


def test_a_cell_of_several_lines_is_one_cell_and_lines_are_counted_on():
	text = 'phone,note\n01001234567,"first\nsecond"\n01112345678,x\n'
	assert list(rows(text))[1:] == [(2, ["01001234567", "first second"]), (4, ["01112345678", "x"])]


@pytest.mark.parametrize("separator", [",", ";", "\t", " ، "])
def test_numbers_in_one_line_are_as_many_rows(separator):
	assert [cells for _line, cells in rows(separator.join(NUMBERS))] == [[number] for number in NUMBERS]


def test_a_number_and_its_value_in_one_line_are_one_row():
	assert list(rows("01001234567,500")) == [(1, ["01001234567", "500"])]


@pytest.mark.parametrize(
	"text",
	[
		'phone,name\n01001234567,"Mona\n01112345678,Ali\n01223456789,Hala\n',
		'phone,name\n01001234567,"Mona' + "\n01112345678,Ali" * 50,
		'phone,name\n01001234567,"' + "a" * 200_000,
	],
)
def test_a_quotation_mark_that_nobody_closed_is_named_by_its_line(text):
	with pytest.raises(UserError, match="line 2") as refused:
		list(rows(text))
	assert code_of(refused) == "table_quote"


def test_an_inch_is_no_quotation_mark():
	assert next(cells for _line, cells in rows('01001234567;5" pipe\n01112345678;x\n')) == [
		"01001234567",
		'5" pipe',
	]


def test_a_list_may_have_a_header_and_as_many_rows_as_allowed_and_no_more(monkeypatch):
	monkeypatch.setattr(table_text, "MAX_ROWS", 3)
	assert len(list(rows("phone\n" + "01001234567\n" * 3))) == 4
	with pytest.raises(UserError, match="more than 3 lines"):
		list(rows("phone\n" + "01001234567\n" * 4))


def test_a_row_wider_than_allowed_is_refused_unless_the_rest_is_empty():
	assert len(next(iter(checked([(1, ["x"] + [""] * 200)])))[1]) == table_text.MAX_COLUMNS + 1
	with pytest.raises(UserError, match="Line 7 has more than 50"):
		list(checked([(7, ["x"] * 60)]))


@pytest.mark.parametrize(
	("cell", "text"),
	[
		(None, ""),
		(1001234567, "1001234567"),
		(1001234567.0, "1001234567"),
		(12.5, "12.5"),
		(True, "TRUE"),
		("=1+1", "=1+1"),
		("  a\tb\n c ", "a b c"),
		(date(2026, 12, 1), "2026-12-01"),
		(datetime.fromisoformat("2026-12-01"), "2026-12-01"),
		(datetime.fromisoformat("2026-12-01T09:30"), "2026-12-01 09:30"),
	],
)
def test_cells_of_workbooks_become_what_people_read(cell, text):
	assert text_of(cell) == text


@given(st.text(max_size=300))
def test_any_text_is_rows_or_a_refusal_and_no_cell_breaks_a_line(text):
	try:
		listed = list(rows(text))
	except UserError as refused:
		assert refused.code in ("table_quote", "table_too_wide")
		return
	assert [line for line, _cells in listed] == sorted({line for line, _cells in listed}) or len(listed) > 1
	assert all("\n" not in cell and "\t" not in cell for _line, cells in listed for cell in cells)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_text_or_refused(content):
	try:
		text = decoded(content)
	except UserError as refused:
		assert refused.code == "table_no_text"
	else:
		assert "\x00" not in text


cells = st.text(
	st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=12
)


@given(
	st.lists(st.lists(cells, min_size=2, max_size=4), min_size=2, max_size=6).filter(
		lambda t: len({*map(len, t)}) == 1
	)
)
def test_a_table_that_a_spreadsheet_wrote_is_read_as_it_was(table):
	"""With tabs, which stand in no cell, so that nothing competes with the separator."""
	out = io.StringIO()
	csv.writer(out, delimiter="\t", quoting=csv.QUOTE_ALL).writerows(table)
	assert [cells for _line, cells in rows(out.getvalue())] == table or separator_of(out.getvalue()) != "\t"
