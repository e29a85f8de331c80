"""A call is the same in whatever order its beginning and its end are told."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.calls import ANSWERED, MISSED, RANG, RANK, RINGING, fold, length, state_of

said = st.fixed_dictionaries(
	{
		"state": st.sampled_from(sorted(RANK)),
		"duration": st.integers(0, 9),
		"is_video": st.booleans(),
		"began_ms": st.integers(1, 9),
	}
)


@given(st.lists(said, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_any_order_and_repetition_gives_the_same_call(news, rng) -> None:
	shuffled = news + rng.choices(news, k=len(news))
	rng.shuffle(shuffled)
	assert reduce(fold, shuffled, {}) == reduce(fold, news, {})


def test_the_end_of_a_call_stands_and_an_answer_before_all() -> None:
	assert [state for state, _ in sorted(RANK.items(), key=lambda one: one[1])] == [
		RINGING,
		RANG,
		MISSED,
		ANSWERED,
	]


@pytest.mark.parametrize(
	("seconds", "shown"), [(0, "0:00"), (59, "0:59"), (185, "3:05"), (3_723, "1:02:03"), (-5, "0:00")]
)
def test_a_length_reads_as_on_a_clock(seconds: int, shown: str) -> None:
	assert length(seconds) == shown


@pytest.mark.parametrize("odd", [None, 5, [], {}, "humming"])
def test_an_odd_state_is_a_call_that_rings(odd: object) -> None:
	assert state_of({"state": odd}) == RINGING
