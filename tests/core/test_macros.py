"""What a macro may be made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import macros
from khalifa_whatsapp.core.macros import Step

REASONS = ("resolved", "spam")
GOOD = {
	macros.REPLY: Step(macros.REPLY, "hello"),
	macros.NOTE: Step(macros.NOTE, "hello"),
	macros.TAG: Step(macros.TAG, tag="VIP"),
	macros.TRANSFER: Step(macros.TRANSFER, to_branch="North"),
	macros.SNOOZE: Step(macros.SNOOZE, minutes=60),
	macros.CLOSE: Step(macros.CLOSE, close_reason="resolved"),
}


@pytest.mark.parametrize(
	("steps", "code"),
	[
		([], "no_steps"),
		([GOOD[macros.NOTE]] * 11, "too_many"),
		([Step("Dance")], "bad_action"),
		([Step(macros.REPLY, " ")], "no_text"),
		([Step(macros.NOTE, quick_reply="KR")], "no_text"),
		([Step(macros.TAG)], "no_tag"),
		([Step(macros.TRANSFER)], "no_receiver"),
		([Step(macros.CLOSE, close_reason="merged")], "no_reason"),
		([Step(macros.SNOOZE, minutes=-1)], "bad_time"),
		([Step(macros.SNOOZE, minutes=90 * 24 * 60 + 1)], "bad_time"),
		([GOOD[macros.CLOSE], GOOD[macros.NOTE]], "not_last"),
		([GOOD[macros.SNOOZE], GOOD[macros.CLOSE]], "not_last"),
	],
)
def test_what_nobody_could_do_is_named(steps: list[Step], code: str) -> None:
	wrong = macros.first_wrong(steps, REASONS)
	assert wrong is not None and wrong.code == code
	assert macros.MESSAGES[code].format(names="x", **wrong.values)


@given(st.lists(st.sampled_from(macros.ACTIONS), min_size=1, max_size=10))
def test_good_steps_are_right_exactly_when_the_last_ones_are_last(actions: list[str]) -> None:
	is_right = not macros.LAST & set(actions[:-1])
	assert (macros.first_wrong([GOOD[one] for one in actions], REASONS) is None) is is_right


def test_a_reply_may_be_a_quick_reply_and_a_snooze_may_have_no_end() -> None:
	assert macros.first_wrong([Step(macros.REPLY, quick_reply="KR")], REASONS) is None
	assert macros.first_wrong([Step(macros.SNOOZE)], REASONS) is None
