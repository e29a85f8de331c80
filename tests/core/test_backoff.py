"""Waiting before another try: longer each time, spread, never above an hour,
never sooner than the gateway says.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.backoff import FIRST_SECONDS, LONGEST_SECONDS, delay_ms

attempts = st.integers(1, 10_000)
generators = st.randoms(use_true_random=False)


class Fixed(random.Random):
	"""A dice that always falls on one side."""

	def __init__(self, share: float) -> None:
		super().__init__(0)
		self.share = share

	def uniform(self, a: float, b: float) -> float:
		return a + self.share * (b - a)


@given(attempts, generators)
def test_a_wait_is_bounded(attempt: int, rng: random.Random) -> None:
	assert FIRST_SECONDS * 500 <= delay_ms(attempt, rng) <= LONGEST_SECONDS * 1000


@given(attempts, st.floats(0, 1))
def test_with_the_same_luck_a_later_try_never_waits_less(attempt: int, share: float) -> None:
	assert delay_ms(attempt, Fixed(share)) <= delay_ms(attempt + 1, Fixed(share))


@pytest.mark.parametrize(
	("attempt", "seconds"), [(1, 5), (2, 10), (3, 20), (6, 160), (10, 2560), (11, 3600), (99, 3600)]
)
def test_the_middle_of_the_spread_doubles(attempt: int, seconds: int) -> None:
	assert delay_ms(attempt, Fixed(0.5)) == seconds * 1000


def test_two_that_failed_together_do_not_come_back_together() -> None:
	rng = random.Random(1)
	assert len({delay_ms(3, rng) for _ in range(100)}) > 90


@given(attempts, generators, st.floats(0, 10**6))
def test_the_gateway_s_own_word_is_never_undercut(
	attempt: int, rng: random.Random, retry_after: float
) -> None:
	assert delay_ms(attempt, rng, retry_after) >= round(retry_after * 1000)
