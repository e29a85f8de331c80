from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.arabic import normalise
from khalifa_whatsapp.core.calendar import Calendar, calendar_from_rows
from khalifa_whatsapp.core.quick_replies import KNOWN, in_order, language_of, open_hours, parts, unknown

FOLDING = Path(__file__).parents[1] / "data" / "folding.json"


@pytest.mark.parametrize(
	("body", "names"),
	[
		("أهلاً {customer}، معك {agent} من {branch} ({ticket})", []),
		("السعر {price} جنيه", ["price"]),
		("السعر {السعر} و{ الكمية } و{price} و{price}", ["السعر", "الكمية", "price"]),
		("{product price}, {due-date}, {order.no}", ["product price", "due-date", "order.no"]),
		("{{1}} as in a template, {{customer}} too", ["1"]),
		("{Customer} and {AGENT}", []),
		('literal: {} { } {"a": 1} :-{ } {1+2} {a, b} {-}', []),
		("{one\ntwo}", []),
		("{x", []),
		("", []),
	],
)
def test_names_that_nobody_fills_in_are_found_and_other_braces_are_text(body, names):
	assert unknown(body) == names


def test_a_text_is_taken_apart_in_its_order():
	pieces = [(part.text, part.blank, part.is_known) for part in parts("Dear {Customer}: {{price}}!")]
	assert pieces == [
		("Dear ", "", False),
		("", "customer", True),
		(": ", "", False),
		("", "price", False),
		("!", "", False),
	]


@given(
	st.lists(st.one_of(st.text(), st.sampled_from([f"{{{name}}}" for name in (*KNOWN, "price")]))).map(
		"".join
	)
)
def test_nothing_of_a_text_is_lost_and_no_blank_is_left_in_it(body):
	pieces = parts(body)
	filled = "".join(part.text or f"{{{part.blank}}}" for part in pieces)
	assert unknown(filled) == unknown(body)
	assert all(not parts(part.text) or parts(part.text) == [part] for part in pieces if part.text)
	if not any(part.blank for part in pieces):
		assert filled == body


def test_texts_are_folded_here_as_in_the_page() -> None:
	for text, form in json.loads(FOLDING.read_text(encoding="utf-8")):
		assert normalise(text) == form


@pytest.mark.parametrize(
	("text", "language"),
	[("أهلاً Mona", "Arabic"), ("Hi منى", "English"), ("123 👍", ""), ("«متى»", "Arabic"), ("", "")],
)
def test_a_texts_language_is_that_of_its_first_letter(text: str, language: str) -> None:
	assert language_of(text) == language


def test_the_customers_language_comes_first_and_then_what_is_used_most() -> None:
	rows = [
		{"name": "en", "language": "English", "usage_count": 9},
		{"name": "ar", "language": "Arabic", "usage_count": 1},
		{"name": "any", "language": None, "usage_count": 2},
	]
	assert [row["name"] for row in in_order(rows, "Arabic")] == ["any", "ar", "en"]
	assert [row["name"] for row in in_order(rows, "English")] == ["en", "any", "ar"]
	assert [row["name"] for row in in_order(rows, "")] == ["any", "en", "ar"]


def test_the_branchs_hours_of_today_are_on_its_clock() -> None:
	spans = [("Tuesday", "09:00", "13:30"), ("Tuesday", "17:00", "23:00"), ("Wednesday", "00:00", "23:59:59")]
	rows = [{"day": day, "start_time": start, "end_time": end} for day, start, end in spans]
	calendar = calendar_from_rows("Africa/Cairo", rows)
	zone = ZoneInfo("Africa/Cairo")
	tuesday, wednesday, thursday = (
		int(datetime(2026, 12, day, 15, 0, tzinfo=zone).timestamp() * 1000) for day in (1, 2, 3)
	)
	assert open_hours(calendar, tuesday) == [("09:00", "13:30"), ("17:00", "23:00")]
	assert open_hours(calendar, wednesday) == [("00:00", "00:00")]
	assert open_hours(calendar, thursday) == []
	assert open_hours(Calendar.always("Africa/Cairo"), tuesday) == [("00:00", "00:00")]
