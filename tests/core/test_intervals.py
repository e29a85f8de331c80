"""Joined stretches hold the same time, each instant once."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.intervals import joined

SPANS = st.lists(
	st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))
)


def instants(spans: list[tuple[int, int]]) -> set[int]:
	return {at for start, end in spans for at in range(start, end)}


@given(SPANS)
def test_the_same_time_and_nothing_twice(spans: list[tuple[int, int]]) -> None:
	merged = list(joined(sorted(spans)))
	assert instants(merged) == instants(spans)
	assert sum(end - start for start, end in merged) == len(instants(spans))
	assert all(before[1] < after[0] for before, after in pairwise(merged))
