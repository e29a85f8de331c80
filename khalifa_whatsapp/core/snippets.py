"""The piece of a text in which searched words stand, as it was written: what a list of hits shows."""

from __future__ import annotations

from collections.abc import Collection

from khalifa_whatsapp.core.arabic import normalise

AROUND = 4  # words before the first hit
LONGEST = 16  # words in all
MAX_SCANNED = 20_000


def snippet(text: str, terms: Collection[str]) -> list[tuple[str, bool]]:
	"""Words around the first hit, and whether each is one; … where something was left out. `terms` are
	normalised.

	Texts are compared word by word as search compares them, so «الدَّواء» is found by «دواء» and shown as it
	is.
	"""
	written = text[:MAX_SCANNED].split()
	hits = [any(term in normalise(one) for term in terms) for one in written]
	first = max(hits.index(True) - AROUND, 0) if True in hits else 0
	last = first + LONGEST
	shown = list(zip(written[first:last], hits[first:last], strict=True))
	before = [("…", False)] if first else []
	after = [("…", False)] if last < len(written) or len(text) > MAX_SCANNED else []
	return before + shown + after
