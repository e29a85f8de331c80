"""Who gets a campaign: headers, spellings, duplicates, and a reason for each line that is left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import audience, campaigns, phones
from khalifa_whatsapp.core.audience import (
	Audience,
	Columns,
	Person,
	columns_of,
	is_rounded,
	reason,
	unknown_names,
)
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.table_text import rows

SPELLINGS = ["01001234567", "+20 100 123 4567", "0020 100 1234567", "٠١٠٠١٢٣٤٥٦٧", "(010) 0123-4567"]
ONLY_PHONES = Columns(0, ("",), False)


def table(text):
	return list(rows(text))


def lines_of(text, needed=(), people=None):
	listed = table(text)
	columns = columns_of(listed)
	made = Audience(columns, needed)
	lines = [made.line(number, cells) for number, cells in listed[columns.has_header :]]
	return [made.with_person(line, (people or {}).get(line.phone)) for line in lines]


@pytest.mark.parametrize(
	("text", "expected"),
	[
		("phone,name\n01001234567,Mona", Columns(0, ("", "customer"), True)),
		("Name;Mobile Number;Amount\nMona;01001234567;50", Columns(1, ("customer", "", "Amount"), True)),
		("الاسم,رقم الموبايل,المبلغ\nمنى,٠١٠٠١٢٣٤٥٦٧,٥٠", Columns(1, ("customer", "", "المبلغ"), True)),
		("الإسم\tالتليفون\nمنى\t01001234567", Columns(1, ("customer", ""), True)),
		("01001234567\n01112345678", ONLY_PHONES),
		("Mona,01001234567,50\nAli,01112345678,60", Columns(1, ("1", "", "2"), False)),
		("who,where to,sum\nMona,01001234567,50", Columns(1, ("who", "", "sum"), True)),
		("phone,,x\n01001234567,a,b", Columns(0, ("", "1", "x"), True)),
		("nonsense\n01001234567", ONLY_PHONES),
		("phone\n", Columns(0, ("",), True)),
		("nothing at all", ONLY_PHONES),
		("{{1}},phone\nx,01001234567", Columns(1, ("1", ""), True)),
	],
)
def test_columns_are_told_by_their_titles_or_by_what_they_hold(text, expected):
	assert columns_of(table(text)) == expected


def test_a_named_column_holds_the_numbers_whatever_it_is_called():
	listed = table("phone,Guardian\n01001234567,01112345678\n")
	assert columns_of(listed, wanted="guardian").phone == 1
	with pytest.raises(UserError, match="no column Father"):
		columns_of(listed, wanted="Father")


def test_two_columns_of_one_name_and_an_empty_list_are_refused():
	with pytest.raises(UserError, match="named Amount"):
		columns_of(table("phone,Amount,Amount\n01001234567,1,2"))
	with pytest.raises(UserError, match="empty"):
		columns_of([])


def test_one_number_in_five_spellings_is_one_recipient():
	lines = lines_of("\n".join(SPELLINGS))
	assert [line.phone for line in lines] == ["+201001234567"] * 5
	assert [(line.why, line.detail) for line in lines] == [("", "")] + [("duplicate", "1")] * 4


def test_both_forms_of_a_foreign_mobile_are_one_recipient():
	assert [line.why for line in lines_of("+5491123456789\n+541123456789")] == ["", "duplicate"]


@pytest.mark.parametrize(
	("given", "why"),
	[
		("", "empty"),
		("Mona", "letters"),
		("0100123456", "not_valid"),
		("19011", "short_number"),
		("01001234567 / 01112345678", "two_numbers"),
		("=1001234567+0", "formula"),
		('="01001234567"', "formula"),
		("@SUM(A1)", "formula"),
		("+cmd|' /C calc'!A0", "formula"),
		("-2+3", "formula"),
		("2.01001E+11", "rounded"),
		("2,01E+11", "rounded"),
		("0502345678", "ambiguous"),
	],
)
def test_a_line_without_a_usable_number_says_why(given, why):
	line = Audience(Columns(0, ("", "1"), False)).line(4, [given, "x"])
	assert (line.number, line.why, line.phone) == (4, why, "")
	text, values = reason(line.why, line.given, line.detail)
	assert text.format(**values)


@pytest.mark.parametrize("given", ["'01001234567", "\u200b+201001234567", "+201001234567", "1001234567"])
def test_what_spreadsheets_make_of_a_number_is_still_that_number(given):
	assert Audience(ONLY_PHONES).line(1, [given]).phone == "+201001234567"


def test_formulas_in_values_stay_texts():
	(line,) = lines_of('phone,name\n01001234567,"=HYPERLINK(""http://x"")"')
	assert line.values == {"customer": '=HYPERLINK("http://x")'}


def test_a_value_that_the_text_needs_must_be_there():
	lines = lines_of("phone,Amount\n01001234567,\n01112345678,50\n01223456789", needed=["amount"])
	assert [(line.why, line.detail) for line in lines] == [
		("missing_value", "amount"),
		("", ""),
		("missing_value", "amount"),
	]


def test_a_value_longer_than_whatsapp_takes_is_refused():
	(line,) = lines_of(f"phone,Amount\n01001234567,{'5' * 1025}", needed=["Amount"])
	assert (line.why, line.detail) == ("long_value", "Amount")


def test_a_known_customers_name_fills_in_for_the_list():
	people = {"+201001234567": Person("C1", "Mona Adel"), "+201112345678": Person("C2", "Ali")}
	lines = lines_of("phone,name\n01001234567,\n01112345678,Mr. Ali\n01223456789,", ["customer"], people)
	assert [line.values.get("customer") for line in lines] == ["Mona Adel", "Mr. Ali", ""]
	assert [line.why for line in lines] == ["", "", "missing_value"]


def test_people_who_want_none_or_can_not_be_reached_are_left_out():
	people = {
		"+201001234567": Person("C1", is_opted_out=True),
		"+201112345678": Person("C2", is_reachable=False),
		"+201223456789": Person("C3"),
		"+201551234567": Person("C3"),
	}
	lines = lines_of("01001234567\n01112345678\n01223456789\n01551234567\n01009999999", people=people)
	assert [line.why for line in lines] == ["opted_out", "unreachable", "", "duplicate", ""]
	assert lines[3].detail == "3"


def test_blanks_that_nothing_fills_in_are_named():
	columns = columns_of(table("phone,Amount\n01001234567,5"))
	assert unknown_names(["customer", "amount", "branch"], columns) == ["branch"]


@pytest.mark.parametrize("why", audience.REASONS)
def test_every_reason_is_a_whole_sentence(why):
	text, values = reason(why, "0100", "3")
	assert text.format(**values, region="EG").endswith((".", "!"))


def test_reasons_are_summed_up_by_what_is_to_be_done_about_them():
	groups = {why: audience.group_of(text) for why, text in audience.REASONS.items()}
	assert (groups["duplicate"], groups["opted_out"], groups["not_valid"], groups["no_customer"]) == (
		"duplicate",
		"opted_out",
		"number",
		"number",
	)
	assert audience.group_of(campaigns.TWICE) == "duplicate"
	assert audience.group_of("Fill in every value of the template.") == "other"
	assert set(groups.values()) <= audience.GROUPS.keys()
	assert len(set(audience.REASONS.values())) == len(audience.REASONS)


@pytest.mark.parametrize(
	("text", "expected"), [("1E5", True), ("E5", False), ("1E", False), ("12", False), ("EE", False)]
)
def test_only_powers_of_ten_are_rounded(text, expected):
	assert is_rounded(text) is expected


numbers = st.integers(0, 99_999_999).map(lambda number: f"010{number:08d}")
junk = st.one_of(st.text(max_size=20), st.sampled_from(["", "=1", "19011", "Mona"]))


@given(st.lists(st.one_of(numbers, numbers.map(lambda n: f"+20 {n[1:4]} {n[4:]}"), junk), max_size=40))
def test_each_line_has_one_fate_and_each_number_one_recipient(given_cells):
	made = Audience(ONLY_PHONES)
	lines = [made.with_person(made.line(number, [cell]), None) for number, cell in enumerate(given_cells, 1)]
	taken = [line.phone for line in lines if not line.why]
	assert len(taken) == len(set(taken))
	assert all(bool(line.phone) or line.why in audience.REASONS for line in lines)
	assert {line.phone for line in lines if line.phone} == set(taken)
	for line in lines:
		if line.why == "duplicate":
			first = lines[int(line.detail) - 1]
			assert (first.phone, first.why) == (line.phone, "")


@given(st.lists(st.tuples(numbers, st.integers(0, 5)), max_size=30))
def test_no_customer_gets_two(pairs):
	made = Audience(ONLY_PHONES)
	lines = [
		made.with_person(made.line(i, [phone]), Person(f"C{who}")) for i, (phone, who) in enumerate(pairs)
	]
	taken = [line.customer for line in lines if not line.why]
	assert len(taken) == len(set(taken))


@given(st.text(max_size=40))
def test_what_is_kept_of_a_cell_can_be_shown_anywhere(cell):
	line = Audience(ONLY_PHONES).line(1, [cell])
	assert not set(line.given) & set("<>\"'\n\r\t")
	assert line.phone == "" or phones.from_person(line.phone).e164 == line.phone
