"""When a conversation between machines runs in a circle: the breaker of automatic replies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FAST_MS = 2_000  # nobody reads an automatic message and answers it sooner
SAME_TEXTS = 3
TAIL = 40  # messages of a conversation that are looked at
STOP_NEW, STOP_NOTIFIED = "New", "Notified"  # Ticket.auto_stop
REASONS = {
	"too_many": "Too many automatic messages without a person between.",
	"too_fast": "The other side answers faster than a person.",
	"same_text": "The other side wrote the same text again and again.",
}


@dataclass(frozen=True, slots=True)
class Line:
	"""One message of a conversation as the breaker sees it."""

	at_ms: int  # when we had it, or wrote it
	text: str = ""  # normalised
	is_automatic: bool = False
	is_person: bool = False  # of ours
	went_ms: int | None = None  # when an automatic one was handed to the gateway


def loop_in(lines: Sequence[Line], most: int) -> str:
	"""Why no further automatic message may follow these lines, a key of REASONS; empty when one may.

	At most `most` automatic messages follow each other without a person of ours between, however much the
	other side writes meanwhile.
	"""
	ordered = sorted(lines, key=lambda line: line.at_ms)
	last = max((place for place, line in enumerate(ordered) if line.is_person), default=-1)
	stretch = ordered[last + 1 :]
	if sum(line.is_automatic for line in stretch) >= most:
		return "too_many"
	if _is_fast(stretch):
		return "too_fast"
	texts = [line.text for line in stretch if not line.is_automatic]
	return "same_text" if texts and texts[-1] and texts.count(texts[-1]) >= SAME_TEXTS else ""


def _is_fast(stretch: Sequence[Line]) -> bool:
	"""Whether the last two automatic messages were each answered at once, the first before the second."""
	times = [line.at_ms for line in stretch if not line.is_automatic]
	went = [line.went_ms for line in stretch if line.is_automatic][-2:]
	if len(went) < 2 or went[0] is None or went[1] is None:
		return False
	first, second = went[0], went[1]
	return _has(times, first, min(first + FAST_MS, second + 1)) and _has(times, second, second + FAST_MS)


def _has(times: Sequence[int], after_ms: int, before_ms: int) -> bool:
	return any(after_ms < at_ms < before_ms for at_ms in times)
