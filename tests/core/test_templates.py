"""Templates: which values they need, and that what a person reads is what the customer will."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.templates import Variable, fill, shape_of

PARTS = [
	{"type": "HEADER", "format": "TEXT", "text": "طلب {{1}}"},
	{"type": "BODY", "text": "أهلاً {{1}}، طلبك {{2}} جاهز يا {{1}}"},
	{"type": "FOOTER", "text": "صيدليات"},
	{
		"type": "BUTTONS",
		"buttons": [
			{"type": "URL", "url": "https://example.com/{{1}}"},
			{"type": "QUICK_REPLY", "text": "شكراً"},
		],
	},
]


def test_every_value_is_asked_for_once_and_in_order() -> None:
	assert shape_of(PARTS).variables == (
		Variable("header", "1"),
		Variable("body", "1"),
		Variable("body", "2"),
		Variable("0", "1"),
	)


def test_the_filled_text_is_what_the_customer_reads() -> None:
	text, placed = fill(shape_of(PARTS), ["12", "منى", "{{1}}", "abc"])
	assert text == "طلب 12\nأهلاً منى، طلبك {{1}} جاهز يا منى\nصيدليات"
	assert placed == {
		"header": ["12"],
		"header_names": [],
		"body": ["منى", "{{1}}"],
		"named": [],
		"buttons": [(0, "url", "abc")],
	}


def test_named_values_keep_their_names() -> None:
	parts = [
		{"type": "HEADER", "format": "TEXT", "text": "{{shop}}"},
		{"type": "BODY", "text": "{{name}} {{order_id}}"},
	]
	placed = fill(shape_of(parts, "NAMED"), ["s", "a", "b"])[1]
	assert placed["named"] == [("name", "a"), ("order_id", "b")]
	assert (placed["header_names"], placed["header"]) == (["shop"], ["s"])


@pytest.mark.parametrize(
	"values", [[], ["a"] * 3, ["a", "b", "c", " "], ["a", "b\nc", "d", "e"], ["a", "b", "x     y", "e"]]
)
def test_what_whatsapp_would_refuse_is_refused_here(values: list[str]) -> None:
	with pytest.raises(UserError):
		fill(shape_of(PARTS), values)


json_values = st.recursive(
	st.none() | st.booleans() | st.integers() | st.text(max_size=20),
	lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
	max_leaves=12,
)


@given(
	st.lists(
		st.dictionaries(st.sampled_from(["type", "text", "format", "buttons", "url"]), json_values),
		max_size=5,
	)
)
def test_whatever_a_gateway_gives_is_taken_apart(components: list[dict[str, object]]) -> None:
	shape = shape_of(components)
	values = ["v"] * len(shape.variables)
	assert isinstance(fill(shape, values)[0], str)
