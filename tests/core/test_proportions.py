"""Intervals of shares and of their differences: published examples, and what holds for all numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.proportions import Interval, difference, wilson


@st.composite
def counts(draw):
	n = draw(st.integers(1, 100_000))
	return draw(st.integers(0, n)), n


def rounded(interval, places=4):
	return tuple(round(value, places) for value in (interval.low, interval.high))


@pytest.mark.parametrize(
	("successes", "n", "expected"),
	[  # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3
		(81, 263, (0.2553, 0.3662)),
		(15, 148, (0.0624, 0.1605)),
		(0, 20, (0.0, 0.1611)),
		(1, 29, (0.0061, 0.1718)),
	],
)
def test_one_share_has_the_published_interval(successes, n, expected):
	assert rounded(wilson(successes, n)) == expected


@pytest.mark.parametrize(
	("first", "second", "expected"),
	[  # Newcombe 1998, "Interval estimation for the difference between independent proportions", table II,
		# method 10
		((56, 70), (48, 80), (0.0524, 0.3339)),
		((9, 10), (3, 10), (0.1705, 0.8090)),
		((6, 7), (2, 7), (0.0582, 0.8062)),
		((5, 56), (0, 29), (-0.0381, 0.1926)),
		((0, 10), (0, 20), (-0.1611, 0.2775)),
		((10, 10), (0, 20), (0.6791, 1.0)),
	],
)
def test_a_difference_has_the_published_interval(first, second, expected):
	assert rounded(difference(first, second)) == expected


def test_nothing_has_no_share():
	assert wilson(0, 0) is None
	assert difference((0, 0), (3, 4)) is None
	assert difference((3, 4), (0, 0)) is None


@pytest.mark.parametrize("impossible", [(-1, 3), (4, 3), (0, -1)])
def test_impossible_counts_are_refused(impossible):
	with pytest.raises(ValueError, match="of"):
		wilson(*impossible)


@given(counts())
def test_the_share_lies_in_its_interval_which_lies_between_none_and_all(given_counts):
	interval = wilson(*given_counts)
	assert 0 <= interval.low <= interval.estimate <= interval.high <= 1
	assert interval.low < interval.high


@given(counts())
def test_failures_have_the_mirrored_interval(given_counts):
	successes, n = given_counts
	one, other = wilson(successes, n), wilson(n - successes, n)
	assert one.low == pytest.approx(1 - other.high, abs=1e-9)


@given(counts(), counts())
def test_a_difference_turns_its_sign_with_its_sides(first, second):
	one, other = difference(first, second), difference(second, first)
	assert one.low <= one.estimate <= one.high
	assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-12)
	assert one.low >= -1 - 1e-9
	assert one.high <= 1 + 1e-9


@given(counts())
def test_equal_shares_do_not_differ(both):
	assert not difference(both, both).excludes_zero


def test_only_an_interval_on_one_side_of_zero_is_more_than_chance():
	assert Interval(0.2, 0.1, 0.3).excludes_zero
	assert Interval(-0.2, -0.3, -0.1).excludes_zero
	assert not Interval(0.1, -0.1, 0.3).excludes_zero
