"""When a message was sent, read from the words that WhatsApp's page puts beside it.

They are in the language's own order and digits, so they are no truth: a reading counts only when it lies in
the last days.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

RECENT = timedelta(days=7)
AHEAD = timedelta(minutes=2)  # our clock may be behind the phone's
_DAY = re.compile(r"(\d{1,4})\D{1,3}(\d{1,2})\D{1,3}(\d{1,4})")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?\s*([AaPp]\.?\s?[Mm]|[صم])?")
_MARKS = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")


def moment_ms(stamp: str, now_ms: int, minutes_behind_utc: int) -> int:
	"""Epoch milliseconds, to the minute, of `[10:30, 28/09/2026] Samy: `; 0 when nobody can tell."""
	inside = _MARKS.sub("", stamp).partition("]")[0]
	time = _TIME.search(inside)
	day = _DAY.search(inside.replace(time[0], " ", 1)) if time else None
	if time is None or day is None:
		return 0
	now = datetime.fromtimestamp(now_ms / 1000, timezone.utc)
	away = timedelta(minutes=minutes_behind_utc)
	moments = [moment + away for moment in _readings(day, time)]
	likely = [moment for moment in moments if now - RECENT <= moment <= now + AHEAD]
	return round(max(likely).timestamp() * 1000) if likely else 0


def author_of(stamp: str) -> str:
	"""The name in a stamp, or nothing."""
	return _MARKS.sub("", stamp.partition("]")[2]).strip().removesuffix(":").strip()


def _readings(day: re.Match[str], time: re.Match[str]) -> list[datetime]:
	"""Every moment the words may mean: nobody knows whether day or month comes first."""
	first, second, third = (int(part) for part in day.groups())
	orders = [(first, second, third)] if first > 31 else [(third, second, first), (third, first, second)]
	hour, minute = _hour(int(time[1]), time[3] or ""), int(time[2])
	moments = []
	for year, month, number in orders:
		try:
			full = year + 2000 if year < 100 else year
			moments.append(datetime(full, month, number, hour, minute, tzinfo=timezone.utc))
		except ValueError:
			continue
	return moments


def _hour(hour: int, half: str) -> int:
	if not half:
		return hour
	is_afternoon = half[0] in "pPم"
	return hour % 12 + (12 if is_afternoon else 0)
