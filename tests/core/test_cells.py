"""Texts that a spreadsheet would run, and files in which none of them is left."""

import csv
import io

import pytest

from khalifa_whatsapp.core.cells import ALWAYS, FORMULA, GUARD, guarded, guarded_csv, is_formula

FORMULAS = (
	"=1+1",
	"+1+1",
	"-2+3",
	"@SUM(1)",
	"\t=1",
	"\r=1",
	"\thello",
	"＝1+1",
	"＋1+1",
	"－1+1",
	"＠A1",
	"  =1",
	"\n=1",
	'"=1',
	"\x01=1",
	"\ufeff=1",
	"\xa0=1",
	"=",
	"-",
	"- milk",
	"+1-1",
	"-1e5+x",
	"=cmd|' /C calc'!A0",
)
HARMLESS = (
	"",
	" ",
	"hello",
	"1+1",
	"a=1",
	"-5",
	"-5.25",
	"-1,000",
	"+201001234567",
	"+20 100 123 4567",
	"عايز =",
	"'=1",
)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_guarded_once_and_reads_the_same(text: str) -> None:
	assert is_formula(text)
	assert guarded(text) == GUARD + text == guarded(guarded(text))


@pytest.mark.parametrize("text", HARMLESS)
def test_numbers_phones_and_plain_texts_stay(text: str) -> None:
	assert guarded(text) == text


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
def test_no_cell_of_a_file_is_a_formula_and_nothing_else_changes(delimiter: str, quoting: int) -> None:
	rows = [[number, -5, 'say "x", or; y|z\tor\nw', *FORMULAS, *HARMLESS] for number in range(3)]
	cells = read(guarded_csv(written(rows, delimiter, quoting), delimiter), delimiter)
	assert cells == [[guarded(str(cell)) for cell in row] for row in rows]
	assert not any(cell.startswith(ALWAYS) for row in cells for cell in row)
	assert not any(cell.startswith(FORMULA) and not cell[1:2].isdigit() for row in cells for cell in row)


def test_a_file_without_formulas_stays_byte_for_byte() -> None:
	text = written([["id", 'a "b"', -5, 1.5], [1, "x\r\ny", "", "+201001234567"]], ",", csv.QUOTE_NONNUMERIC)
	assert guarded_csv(text) == text


def written(rows: list[list[object]], delimiter: str, quoting: int) -> str:
	out = io.StringIO()
	csv.writer(out, delimiter=delimiter, quoting=quoting).writerows(rows)
	return out.getvalue()


def read(text: str, delimiter: str) -> list[list[str]]:
	return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
