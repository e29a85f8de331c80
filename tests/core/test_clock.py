"""The clock's changes: whatever the zone and the period, each instant has the offset that its zone says."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.clock import offsets
from khalifa_whatsapp.core.settings import DAY_MS

ZONES = st.sampled_from(
	["Africa/Cairo", "UTC", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Europe/London"]
)
INSTANTS = st.integers(1_600_000_000_000, 1_900_000_000_000)


def ahead(zone: ZoneInfo, at_ms: int) -> int:
	return round(datetime.fromtimestamp(at_ms // 1000, zone).utcoffset().total_seconds())


@given(ZONES, INSTANTS, st.integers(1, 400 * DAY_MS), st.data())
def test_each_instant_has_its_zones_offset(name: str, start: int, length: int, data: st.DataObject) -> None:
	zone, end = ZoneInfo(name), start + length
	spans = offsets(zone, start, end)
	limits = [until for _offset, until in spans]
	assert limits == sorted(limits) and limits[-1] >= end
	edges = [edge for until in limits[:-1] for edge in (until - 1000, until)]
	for at in (start, end - 1, *edges, data.draw(st.integers(start, end - 1))):
		if start <= at < end:
			assert next(offset for offset, until in spans if at < until) == ahead(zone, at)


def test_cairo_changes_twice_a_year() -> None:
	start = int(datetime(2026, 1, 1, tzinfo=ZoneInfo("Africa/Cairo")).timestamp()) * 1000
	spans = offsets(ZoneInfo("Africa/Cairo"), start, start + 365 * DAY_MS)
	assert [offset for offset, _until in spans] == [7200, 10800, 7200]
	assert spans[1][1] == int(datetime(2026, 10, 29, 21, tzinfo=ZoneInfo("UTC")).timestamp()) * 1000


def test_an_empty_period_has_the_offset_of_its_start() -> None:
	assert offsets(ZoneInfo("UTC"), 5, 5) == [(0, 5)]
