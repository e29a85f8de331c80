"""How far the clock on the wall is ahead of UTC, and when it was changed:
for sums that a database makes by local time.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from khalifa_whatsapp.core.settings import DAY_MS


def offsets(zone: ZoneInfo, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
	"""`[(seconds ahead of UTC, until which instant in ms), …]` over [start, end), in order; the last one
	until its end.

	Changes are found to the second. A zone that changes twice within a day is taken for one that didn't.
	"""
	spans: list[tuple[int, int]] = []
	at = start_ms
	while at < end_ms:
		offset = _offset(zone, at)
		until = _until(zone, offset, at, end_ms)
		spans.append((offset, until))
		at = until
	return spans or [(_offset(zone, start_ms), end_ms)]


def _until(zone: ZoneInfo, offset: int, at: int, end_ms: int) -> int:
	"""The first instant after `at` with another offset; the end if there is none."""
	same = at
	while same < end_ms:
		later = min(same + DAY_MS, end_ms)
		if _offset(zone, later) != offset:
			return _change(zone, offset, same, later)
		same = later
	return end_ms


def _change(zone: ZoneInfo, offset: int, before_ms: int, after_ms: int) -> int:
	low, high = before_ms // 1000, -(-after_ms // 1000)
	while high - low > 1:
		middle = (low + high) // 2
		low, high = (middle, high) if _offset(zone, middle * 1000) == offset else (low, middle)
	return high * 1000


def _offset(zone: ZoneInfo, at_ms: int) -> int:
	moment = datetime.fromtimestamp(at_ms // 1000, zone).utcoffset()
	assert moment is not None  # an aware moment has one
	return round(moment.total_seconds())
