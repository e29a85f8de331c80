"""Which shift a page announces."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.calendar import DAY_NAMES, Calendar, calendar_from_rows
from khalifa_whatsapp.core.shifts import shift_at

CAIRO = ZoneInfo("Africa/Cairo")
HOURS = calendar_from_rows(
	"Africa/Cairo",
	[
		{"day": day, "start_time": start, "end_time": end}
		for day, start, end in [
			*((day, "09:00", "14:00") for day in DAY_NAMES),
			("Saturday", "22:00", "02:00"),
		]
	],
)


def at(text: str) -> int:
	return round(datetime.fromisoformat(text).replace(tzinfo=CAIRO).timestamp() * 1000)


def shown(text: str) -> list[str]:
	shift = shift_at(HOURS, at(text))
	assert shift is not None
	ends = (shift.from_ms, shift.to_ms)
	return [datetime.fromtimestamp(ms / 1000, CAIRO).strftime("%a %H:%M") for ms in ends]


def test_the_present_stretch_else_the_next() -> None:
	assert shown("2026-11-21 10:00") == ["Sat 09:00", "Sat 14:00"]
	assert shown("2026-11-21 14:00") == ["Sat 22:00", "Sun 02:00"]
	assert shown("2026-11-22 01:59") == ["Sat 22:00", "Sun 02:00"]
	assert shown("2026-11-22 02:00") == ["Sun 09:00", "Sun 14:00"]


def test_who_has_no_shift_or_no_end_hears_of_none() -> None:
	assert shift_at(None, at("2026-11-21 10:00")) is None
	assert shift_at(Calendar.always("Africa/Cairo"), at("2026-11-21 10:00")) is None


@given(st.integers(at("2026-01-01 00:00"), at("2027-12-31 00:00")))
def test_it_is_never_over_and_is_on_exactly_when_one_works(now_ms: int) -> None:
	shift = shift_at(HOURS, now_ms)
	assert shift is not None and shift.from_ms < shift.to_ms
	assert now_ms < shift.to_ms
	assert (shift.from_ms <= now_ms) is HOURS.is_open(now_ms)
