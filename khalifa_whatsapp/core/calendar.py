"""Business hours: how long was it really open between two instants, and when is a deadline due.

Instants are epoch milliseconds, durations are milliseconds, so that a change of the clock (Cairo makes two a
year) can't bend a measure: local opening hours are turned into instants first, and only instants are
subtracted.

To be cheap enough for every message, the open time is kept as sorted tables, each covering 32 days of UTC
time and made when first asked for. A question is then a binary search or two, with no time zone in it.

One file, because the tables and the sums over them share their invariants, and nobody uses one without the
other.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from khalifa_whatsapp.core.errors import CodedError

DAY_MINUTES = 24 * 60
DAY_MS = DAY_MINUTES * 60_000
TABLE_DAYS = 32
TABLE_MS = TABLE_DAYS * DAY_MS
HORIZON_TABLES = 13  # 416 days without one opening: the hours in the settings are wrong
LAST_MS = 4_102_444_800_000  # 2100-01-01; bounds the tables a senseless timestamp could ask for
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

MESSAGES = {
	"unknown_timezone": "{timezone} is not a time zone. Choose one from the list, such as Africa/Cairo.",
	"bad_interval": "From minute {start} to minute {end} is not a business interval. "
	"It must start within its day and end by the end of the next day.",
	"bad_weekday": "{day} is not a day of the week. Use 0 for Monday to 6 for Sunday.",
	"repeated_date": "{date} has two entries in the holidays. Put all its hours in one.",
	"no_opening": "The business hours have no open time in the year after {date}. "
	"Add business hours, or remove the holidays that close every day.",
	"negative_time": "A length of business time can't be negative ({milliseconds} ms).",
	"out_of_range": "The instant {milliseconds} ms is not between the years 1970 and 2100.",
	"bad_day_name": "{table}, row {row}: {value} is not a day. Choose one of Monday to Sunday.",
	"bad_date": "{table}, row {row}: {value} is not a date. Write it as 2026-11-21.",
	"bad_time": "{table}, row {row}: {value} is not a time of day. Write it as 09:00, up to 24:00.",
	"missing_time": "{table}, row {row}: {value} needs two times. Fill in both start and end.",
	"closed_and_open": "{table}, row {row}: {value} is both closed and open. "
	"Remove the row without times, or the rows with times.",
}


class CalendarError(CodedError):
	"""Business hours that can't be used, or a question they can't answer."""

	messages = MESSAGES


class Span(NamedTuple):
	"""Open minutes counted from local midnight of a day. An end not after the start means the next day."""

	start_minute: int
	end_minute: int

	def normalised(self) -> Span:
		"""The same span with its end counted from the midnight of its first day, so after its start."""
		past_midnight = self.end_minute <= self.start_minute
		return Span(self.start_minute, self.end_minute + DAY_MINUTES * past_midnight)


@dataclass(frozen=True)
class Interval:
	"""Open hours that start on one day of each week.

	`day` is 0 for Monday to 6 for Sunday; the minutes count from local midnight of that day. An end not after
	the start, or above 1440, is on the next day; equal start and end are a full day. Raises CalendarError.
	"""

	day: int
	start_minute: int
	end_minute: int

	def __post_init__(self) -> None:
		if not 0 <= self.day <= 6:
			raise CalendarError("bad_weekday", {"day": self.day})
		_check_span(self.span)

	@property
	def span(self) -> Span:
		"""Its minutes of the day, without the day."""
		return Span(self.start_minute, self.end_minute)


@dataclass(frozen=True)
class DayOverride:
	"""The hours of one date, in place of the weekly ones that start on it. No spans: closed that day.

	Hours that began the evening before still run out after midnight. Raises CalendarError.
	"""

	date: date
	spans: tuple[Span, ...] = ()

	def __post_init__(self) -> None:
		for span in self.spans:
			_check_span(span)


def _check_span(span: Span) -> None:
	if not (0 <= span.start_minute < DAY_MINUTES and 0 <= span.end_minute <= 2 * DAY_MINUTES):
		raise CalendarError("bad_interval", {"start": span.start_minute, "end": span.end_minute})


class _OpenTable(NamedTuple):
	"""Open time within one stretch of UTC time: disjoint, sorted, clipped to the stretch."""

	starts: list[int]
	ends: list[int]
	sums: list[int]  # open time from the beginning of the stretch to the end of each interval
	total: int

	def open_before(self, instant_ms: int) -> int:
		"""Open time from the beginning of the stretch to this instant."""
		index = bisect_right(self.starts, instant_ms) - 1
		if index < 0:
			return 0
		unspent = self.ends[index] - instant_ms
		return self.sums[index] - unspent if unspent > 0 else self.sums[index]

	def instant_of(self, open_ms: int) -> int:
		"""First instant by which this much open time of the stretch, above 0 and up to `total`, is over."""
		index = bisect_left(self.sums, open_ms)
		return self.ends[index] - (self.sums[index] - open_ms)

	def interval_of(self, instant_ms: int) -> tuple[int, int]:
		"""The interval in which an open instant lies."""
		index = bisect_right(self.starts, instant_ms) - 1
		return self.starts[index], self.ends[index]

	def opening_from(self, instant_ms: int) -> int | None:
		"""This instant if open, else the next opening in the stretch, if any."""
		index = bisect_right(self.ends, instant_ms)
		return max(instant_ms, self.starts[index]) if index < len(self.starts) else None


@dataclass(frozen=True)
class Calendar:
	"""When a branch works: weekly hours, and dates that differ.

	A calendar without one interval, weekly or dated, knows nothing of hours: it measures the wall clock, so
	that missing settings never turn a wait into zero. Overlapping hours count once. Where the clock goes
	back, an hour named twice means its first pass; where it jumps, an hour that doesn't exist means the first
	instant after it. Instants must lie between the years 1970 and 2100. Raises CalendarError for wrong hours
	or time zone.
	"""

	timezone: str
	weekly: tuple[Interval, ...] = ()
	overrides: tuple[DayOverride, ...] = ()

	def __post_init__(self) -> None:
		_ = self.zone  # an unknown zone is refused here, not at the first question
		seen: set[date] = set()
		for override in self.overrides:
			if override.date in seen:
				raise CalendarError("repeated_date", {"date": override.date.isoformat()})
			seen.add(override.date)

	@classmethod
	def always(cls, timezone: str) -> Calendar:
		"""The wall clock: open at every instant. The time zone still says where a day begins."""
		return cls(timezone)

	@cached_property
	def version(self) -> str:
		"""12 hex digits that change when the hours do. The order of the rows doesn't matter."""
		weekly = sorted({(row.day, *row.span.normalised()) for row in self.weekly})
		dated = sorted(
			(row.date.isoformat(), sorted({tuple(span.normalised()) for span in row.spans}))
			for row in self.overrides
		)
		return hashlib.sha256(repr((self.timezone, weekly, dated)).encode()).hexdigest()[:12]

	@cached_property
	def is_wall_clock(self) -> bool:
		"""Whether there is no interval at all, so that all time counts."""
		return not self.weekly and not any(override.spans for override in self.overrides)

	# Measures

	def business_ms(self, a_ms: int, b_ms: int) -> int:
		"""Open milliseconds between two instants; 0 if the second isn't after the first."""
		if b_ms <= a_ms:
			return 0
		if self.is_wall_clock:
			return b_ms - a_ms
		first, last = a_ms // TABLE_MS, b_ms // TABLE_MS
		table = self._table(first)
		if first == last:
			return table.open_before(b_ms) - table.open_before(a_ms)
		between = sum(self._table(number).total for number in range(first + 1, last))
		return table.total - table.open_before(a_ms) + between + self._table(last).open_before(b_ms)

	def due_ms(self, start_ms: int, business_ms: int) -> int:
		"""First instant from `start_ms` on by which `business_ms` of open time has passed.

		For an amount of 0 that is the start itself if open, else the next opening. An amount used up exactly
		at closing time is due then, not at the next opening. Raises CalendarError for a negative amount, or
		when more than a year has no open time.
		"""
		if business_ms < 0:
			raise CalendarError("negative_time", {"milliseconds": business_ms})
		if self.is_wall_clock:
			return start_ms + business_ms
		if business_ms == 0:
			return self._opening_or_error(start_ms)
		return self._walk_to(start_ms, business_ms)

	def is_open(self, instant_ms: int) -> bool:
		"""Whether the instant lies in open hours. A closing instant itself is closed."""
		if self.is_wall_clock:
			return True
		return self._table(instant_ms // TABLE_MS).opening_from(instant_ms) == instant_ms

	def next_opening_ms(self, instant_ms: int) -> int | None:
		"""The instant itself if open, else the next opening; None if there is none for more than a year."""
		if self.is_wall_clock:
			return instant_ms
		number = instant_ms // TABLE_MS
		for ahead in range(number, min(number + HORIZON_TABLES, LAST_MS // TABLE_MS) + 1):
			opening = self._table(ahead).opening_from(instant_ms)
			if opening is not None:
				return opening
		return None

	def open_stretch_ms(self, instant_ms: int) -> tuple[int, int] | None:
		"""[from, until) of the open time that the instant lies in, else of the next. None: no opening for a
		year.

		It may be a part of a longer one; whoever counts on asks again at its end.
		"""
		if self.is_wall_clock:
			return 0, LAST_MS
		opening = self.next_opening_ms(instant_ms)
		return None if opening is None else self._table(opening // TABLE_MS).interval_of(opening)

	# Civil days

	def local_date(self, instant_ms: int) -> date:
		"""The date on the wall at an instant."""
		return datetime.fromtimestamp(instant_ms // 1000, self.zone).date()

	def day_bounds_ms(self, day: date) -> tuple[int, int]:
		"""First instant of a local date and of the date after it: 23, 24 or 25 hours apart."""
		return self._instant_ms(day, 0), self._instant_ms(day, DAY_MINUTES)

	def month_bounds_ms(self, day: date) -> tuple[int, int]:
		"""First instant of the local month a date lies in, and of the month after it."""
		first = day.replace(day=1)
		following = (first + timedelta(days=31)).replace(day=1)
		return self._instant_ms(first, 0), self._instant_ms(following, 0)

	# Tables

	@cached_property
	def zone(self) -> ZoneInfo:
		"""The time zone whose days and hours these are."""
		try:
			return ZoneInfo(self.timezone)
		except (KeyError, ValueError, OSError) as error:  # unknown, a path, a folder of zones
			raise CalendarError("unknown_timezone", {"timezone": self.timezone}) from error

	@cached_property
	def _tables(self) -> dict[int, _OpenTable]:
		return {}

	@cached_property
	def _spans_by_weekday(self) -> list[list[Span]]:
		return [[row.span.normalised() for row in self.weekly if row.day == day] for day in range(7)]

	@cached_property
	def _spans_by_date(self) -> dict[date, list[Span]]:
		return {row.date: [span.normalised() for span in row.spans] for row in self.overrides}

	def _opening_or_error(self, instant_ms: int) -> int:
		opening = self.next_opening_ms(instant_ms)
		if opening is None:
			raise CalendarError("no_opening", {"date": self.local_date(instant_ms).isoformat()})
		return opening

	def _walk_to(self, start_ms: int, business_ms: int) -> int:
		number = start_ms // TABLE_MS
		table = self._table(number)
		wanted = table.open_before(start_ms) + business_ms
		while wanted > table.total:
			wanted -= table.total
			number += 1
			table = self._table(number)
			if not table.total:  # look ahead, or say that there is nothing to come
				number = self._opening_or_error(number * TABLE_MS) // TABLE_MS
				table = self._table(number)
		return table.instant_of(wanted)

	def _table(self, number: int) -> _OpenTable:
		table = self._tables.get(number)
		if table is None:
			table = self._tables[number] = self._make_table(number)
		return table

	def _make_table(self, number: int) -> _OpenTable:
		begin, end = number * TABLE_MS, (number + 1) * TABLE_MS
		if begin < 0 or begin > LAST_MS:
			raise CalendarError("out_of_range", {"milliseconds": begin})
		# Zones differ from UTC by up to a day, and hours of the day before may reach past midnight.
		first = _utc_date(begin) - timedelta(days=2)
		days = [first + timedelta(days=offset) for offset in range(TABLE_DAYS + 4)]
		pieces = [piece for day in days for piece in self._pieces_of(day)]
		return _merged((max(start, begin), min(stop, end)) for start, stop in sorted(pieces))

	def _pieces_of(self, day: date) -> list[tuple[int, int]]:
		spans = self._spans_by_date.get(day)
		if spans is None:
			spans = self._spans_by_weekday[day.weekday()]
		return [(self._instant_ms(day, start), self._instant_ms(day, end)) for start, end in spans]

	def _instant_ms(self, day: date, minute: int) -> int:
		"""The first instant at which the wall shows this minute of the day, or has jumped past it."""
		local = datetime.combine(day, time(), self.zone) + timedelta(minutes=minute)
		instant = local.timestamp()
		if datetime.fromtimestamp(instant, self.zone).replace(tzinfo=None) == local.replace(tzinfo=None):
			return int(instant) * 1000
		return _end_of_gap(local, self.zone) * 1000


def _utc_date(instant_ms: int) -> date:
	return datetime.fromtimestamp(instant_ms // 1000, timezone.utc).date()


def _end_of_gap(local: datetime, zone: ZoneInfo) -> int:
	"""Epoch seconds of the jump that left out this local time: the offset after it is the larger one."""
	late, early = int(local.timestamp()), int(local.replace(fold=1).timestamp())
	offset_after = datetime.fromtimestamp(late, zone).utcoffset()
	while early < late:
		middle = (early + late) // 2
		if datetime.fromtimestamp(middle, zone).utcoffset() == offset_after:
			late = middle
		else:
			early = middle + 1
	return late


def _merged(pieces: Iterable[tuple[int, int]]) -> _OpenTable:
	"""A table of sorted pieces, touching and overlapping ones joined, empty ones left out."""
	starts: list[int] = []
	ends: list[int] = []
	for start, end in pieces:
		if start >= end:
			continue
		if ends and start <= ends[-1]:
			ends[-1] = max(ends[-1], end)
		else:
			starts.append(start)
			ends.append(end)
	sums: list[int] = []
	for start, end in zip(starts, ends, strict=True):
		sums.append((sums[-1] if sums else 0) + end - start)
	return _OpenTable(starts, ends, sums, sums[-1] if sums else 0)


# Rows of the settings

Row = Mapping[str, object]
WEEKLY_TABLE, DATED_TABLE = "Business hours", "Holidays"


def calendar_from_rows(
	timezone: str, weekly_rows: Iterable[Row], override_rows: Iterable[Row] = ()
) -> Calendar:
	"""A calendar from the rows people fill in.

	A weekly row is `{"day": "Saturday", "start_time": "09:00", "end_time": "14:00"}`. A dated row has a
	`date` (`"2026-11-21"` or a date) in place of the day; without times that date is closed, several rows of
	one date are several intervals. Times are "HH:MM" with or without seconds, `datetime.time`, or the
	timedelta a database gives; seconds are widened to whole minutes, so "23:59:59" ends at midnight.

	Raises CalendarError naming table, row (its `idx`, else its place counted from 1) and value.
	"""
	weekly = [_interval_of(_Cells(WEEKLY_TABLE, place, row)) for place, row in enumerate(weekly_rows, 1)]
	cells = [_Cells(DATED_TABLE, place, row) for place, row in enumerate(override_rows, 1)]
	return Calendar(timezone, tuple(weekly), _overrides_of(cells))


class _Cells(NamedTuple):
	"""One settings row with what an error needs to name it."""

	table: str
	place: int
	row: Row

	def error(self, code: str, value: object) -> CalendarError:
		number = self.row.get("idx") or self.place
		return CalendarError(code, {"table": self.table, "row": number, "value": value})

	def weekday(self) -> int:
		name = str(self.row.get("day") or "").strip().capitalize()
		if name not in DAY_NAMES:
			raise self.error("bad_day_name", self.row.get("day"))
		return DAY_NAMES.index(name)

	def local_date(self) -> date:
		value = self.row.get("date")
		if isinstance(value, datetime):
			return value.date()
		if isinstance(value, date):
			return value
		try:
			return date.fromisoformat(str(value).strip())
		except ValueError as error:
			raise self.error("bad_date", value) from error

	def span(self, owner: object) -> Span | None:
		"""The row's times; None if it has neither. `owner` is the day or date that an error names."""
		start, end = self.row.get("start_time"), self.row.get("end_time")
		if _is_blank(start) and _is_blank(end):
			return None
		if _is_blank(start) or _is_blank(end):
			raise self.error("missing_time", owner)
		start_minute = self._seconds(start) // 60
		if start_minute == DAY_MINUTES:
			raise self.error("bad_time", start)
		return Span(start_minute, -(-self._seconds(end) // 60))

	def _seconds(self, value: object) -> int:
		seconds = _seconds_of_day(value)
		if seconds is None or not 0 <= seconds <= DAY_MINUTES * 60:
			raise self.error("bad_time", value)
		return seconds


def _is_blank(value: object) -> bool:
	return value is None or value == ""  # midnight as a timedelta is false, but a time


def _seconds_of_day(value: object) -> int | None:
	if isinstance(value, timedelta):
		return int(value.total_seconds())
	if isinstance(value, time):
		return value.hour * 3600 + value.minute * 60 + value.second
	parts = str(value).strip().split(".")[0].split(":")
	if not 2 <= len(parts) <= 3 or not all(part.isdecimal() and len(part) <= 2 for part in parts):
		return None
	hours, minutes, seconds = (int(part) for part in [*parts, "0"][:3])
	return hours * 3600 + minutes * 60 + seconds if max(minutes, seconds) < 60 else None


def _interval_of(cells: _Cells) -> Interval:
	day = cells.weekday()
	span = cells.span(DAY_NAMES[day])
	if span is None:
		raise cells.error("missing_time", DAY_NAMES[day])
	return Interval(day, *span)


def _overrides_of(rows: list[_Cells]) -> tuple[DayOverride, ...]:
	spans_by_date: dict[date, list[Span]] = {}
	closed: set[date] = set()
	for cells in rows:
		day = cells.local_date()
		span = cells.span(day.isoformat())
		spans = spans_by_date.setdefault(day, [])
		if day in closed or (span is None and spans):
			raise cells.error("closed_and_open", day.isoformat())
		if span is None:
			closed.add(day)
		else:
			spans.append(span)
	return tuple(DayOverride(day, tuple(spans)) for day, spans in sorted(spans_by_date.items()))
