from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.quick_replies import KNOWN, parts, unknown


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
