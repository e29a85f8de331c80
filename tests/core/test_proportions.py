"""How far a share of few may be from the true one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.proportions import wilson

counts = st.integers(0, 5_000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))


@pytest.mark.parametrize(
	("part", "whole", "low", "high"),
	# as R's prop.test(correct = FALSE) and statsmodels' proportion_confint(method="wilson") give them
	[
		(3, 3, 43.85, 100),
		(0, 3, 0, 56.15),
		(8, 10, 49.02, 94.33),
		(50, 100, 40.38, 59.62),
		(1, 1, 20.65, 100),
	],
)
def test_known_intervals(part: int, whole: int, low: float, high: float) -> None:
	assert [round(100 * end, 2) for end in wilson(part, whole)] == [low, high]


@given(counts)
def test_the_counted_share_lies_within_and_both_ends_are_shares(given_counts) -> None:
	part, whole = given_counts
	low, high = wilson(part, whole)
	assert 0 <= low <= high <= 1
	if whole:
		assert low <= part / whole <= high


@given(counts)
def test_more_of_the_same_is_known_better(given_counts) -> None:
	part, whole = given_counts
	one, four = wilson(part, whole), wilson(4 * part, 4 * whole)
	assert four[1] - four[0] <= one[1] - one[0] + 1e-12


def test_of_nothing_nothing_is_known_and_more_than_all_is_refused() -> None:
	assert wilson(0, 0) == (0, 1)
	for part, whole in ((2, 1), (-1, 3)):
		with pytest.raises(ValueError, match="no share"):
			wilson(part, whole)
