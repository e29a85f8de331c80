"""Stretches of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def joined(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
	"""The same time as disjoint stretches: those that touch or overlap become one.

	`spans` come in order of their starts.
	"""
	start = end = None
	for first, last in spans:
		if end is None or start is None:
			start, end = first, last
		elif first > end:
			yield start, end
			start, end = first, last
		else:
			end = max(end, last)
	if start is not None and end is not None:
		yield start, end
