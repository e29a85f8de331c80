"""Business hours: pinned vectors, the laws every calendar obeys, and a minute-by-minute second opinion."""

from __future__ import annotations

import pickle
import time as clock
from datetime import date, datetime, time, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from khalifa_whatsapp.core.calendar import (
	Calendar,
	CalendarError,
	DayOverride,
	Interval,
	Span,
	calendar_from_rows,
)

CAIRO = "Africa/Cairo"
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FRIDAY = 4

PHARMACY = Calendar(
	CAIRO,
	(
		*(Interval(day, 9 * 60, 14 * 60) for day in range(7) if day != FRIDAY),
		*(Interval(day, 17 * 60, 2 * 60) for day in range(7) if day != FRIDAY),
		Interval(FRIDAY, 14 * 60, 2 * 60),
	),
)


def at(text: str, zone: str = CAIRO) -> int:
	"""Epoch ms of local text, or of text with its own offset."""
	moment = datetime.fromisoformat(text)
	if moment.tzinfo is None:
		moment = moment.replace(tzinfo=ZoneInfo(zone))
	return int(moment.timestamp()) * 1000


# Pinned vectors

VECTORS = [
	("2026-11-21 13:50", "2026-11-21 17:05", 900, "2026-11-21 17:05"),
	("2026-11-21 23:30", "2026-11-22 00:30", 3600, "2026-11-21 23:45"),
	("2026-11-22 01:50", "2026-11-22 09:10", 1200, "2026-11-22 09:05"),
	("2026-11-22 03:00", "2026-11-22 03:20", 0, "2026-11-22 09:15"),
	("2026-11-19 23:00", "2026-11-20 15:00", 14400, "2026-11-19 23:15"),
	("2026-10-29 23:30+03:00", "2026-10-30 00:10+02:00", 6000, None),
]


@pytest.mark.parametrize(("start", "end", "seconds", "due"), VECTORS)
def test_pinned_vectors(start: str, end: str, seconds: int, due: str | None) -> None:
	assert PHARMACY.business_ms(at(start), at(end)) == seconds * 1000
	if due:
		assert PHARMACY.due_ms(at(start), 15 * MINUTE) == at(due)


# Edges


def test_an_amount_used_up_at_closing_time_is_due_at_closing_time() -> None:
	assert PHARMACY.due_ms(at("2026-11-21 13:45"), 15 * MINUTE) == at("2026-11-21 14:00")


def test_nothing_to_wait_is_due_now_when_open_and_at_the_opening_when_closed() -> None:
	assert PHARMACY.due_ms(at("2026-11-21 10:00"), 0) == at("2026-11-21 10:00")
	assert PHARMACY.due_ms(at("2026-11-22 03:00"), 0) == at("2026-11-22 09:00")
	assert PHARMACY.due_ms(at("2026-11-21 14:00"), 0) == at("2026-11-21 17:00")


def test_opening_instant_is_open_and_closing_instant_is_closed() -> None:
	assert PHARMACY.is_open(at("2026-11-21 09:00"))
	assert PHARMACY.is_open(at("2026-11-21 14:00") - 1)
	assert not PHARMACY.is_open(at("2026-11-21 14:00"))
	assert not PHARMACY.is_open(at("2026-11-21 09:00") - 1)
	assert PHARMACY.is_open(at("2026-11-22 01:59"))
	assert not PHARMACY.is_open(at("2026-11-20 09:00"))


def test_next_opening_is_now_when_open_else_the_next_one() -> None:
	assert PHARMACY.next_opening_ms(at("2026-11-21 10:00")) == at("2026-11-21 10:00")
	assert PHARMACY.next_opening_ms(at("2026-11-20 03:00")) == at("2026-11-20 14:00")


def test_milliseconds_count() -> None:
	closing = at("2026-11-21 14:00")
	assert PHARMACY.business_ms(closing - 7, closing + 7) == 7
	assert PHARMACY.due_ms(closing - 7, 8) == at("2026-11-21 17:00") + 1


def test_no_time_passes_backwards() -> None:
	assert PHARMACY.business_ms(at("2026-11-21 13:00"), at("2026-11-21 12:00")) == 0
	assert PHARMACY.business_ms(at("2026-11-21 13:00"), at("2026-11-21 13:00")) == 0


def test_overlapping_and_touching_hours_count_once() -> None:
	calendar = Calendar("UTC", (Interval(0, 540, 720), Interval(0, 600, 780), Interval(0, 780, 840)))
	monday = at("2026-11-23 00:00", "UTC")
	assert calendar.business_ms(monday, monday + DAY) == 5 * HOUR


def test_equal_start_and_end_are_a_full_day() -> None:
	calendar = Calendar(CAIRO, tuple(Interval(day, 0, 0) for day in range(7)))
	start = at("2026-04-20 00:00")
	assert calendar.business_ms(start, start + 300 * DAY) == 300 * DAY


def test_an_end_above_1440_is_the_same_as_an_end_on_the_next_day() -> None:
	early, late = Calendar(CAIRO, (Interval(5, 1020, 120),)), Calendar(CAIRO, (Interval(5, 1020, 1560),))
	start = at("2026-11-21 00:00")
	assert early.business_ms(start, start + 2 * DAY) == late.business_ms(start, start + 2 * DAY) == 9 * HOUR
	assert early.version == late.version


def test_long_spans_are_the_sum_of_their_days() -> None:
	days = [date(2026, 1, 1) + timedelta(days=number) for number in range(500)]
	bounds = [PHARMACY.day_bounds_ms(day) for day in days]
	assert PHARMACY.business_ms(bounds[0][0], bounds[-1][1]) == sum(
		PHARMACY.business_ms(*day) for day in bounds
	)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Riyadh"])
def test_no_hour_is_lost_where_two_tables_meet(zone: str) -> None:
	calendar = Calendar(zone, (Interval(0, 0, 2880),))  # Monday and Tuesday, never a change of the clock
	for week in range(60):
		monday = date(2026, 1, 5) + timedelta(weeks=week)
		start, end = calendar.day_bounds_ms(monday)[0], calendar.day_bounds_ms(monday + timedelta(days=7))[0]
		assert calendar.business_ms(start, start + 2 * DAY) == calendar.business_ms(start, end) == 2 * DAY


# No hours at all


@pytest.mark.parametrize(
	"calendar", [Calendar.always(CAIRO), Calendar(CAIRO, (), (DayOverride(date(2026, 1, 1)),))]
)
def test_a_calendar_without_hours_is_the_wall_clock(calendar: Calendar) -> None:
	assert calendar.is_wall_clock
	assert calendar.business_ms(5, 1_000_000_000_000) == 1_000_000_000_000 - 5
	assert calendar.business_ms(9, 5) == 0
	assert calendar.due_ms(at("2026-01-01 10:00"), 77) == at("2026-01-01 10:00") + 77
	assert calendar.is_open(at("2026-01-01 10:00"))
	assert calendar.next_opening_ms(12) == 12


# Dated hours


def test_a_holiday_closes_the_hours_that_start_on_it_and_only_those() -> None:
	calendar = Calendar(CAIRO, PHARMACY.weekly, (DayOverride(date(2026, 11, 21)),))
	assert calendar.is_open(at("2026-11-21 01:00"))  # Friday's hours run out
	assert not calendar.is_open(at("2026-11-21 10:00"))
	assert not calendar.is_open(at("2026-11-22 01:00"))  # Saturday's would have
	assert calendar.due_ms(at("2026-11-21 10:00"), 15 * MINUTE) == at("2026-11-22 09:15")


def test_dated_hours_replace_the_weekly_ones_and_may_cross_midnight() -> None:
	calendar = Calendar(CAIRO, PHARMACY.weekly, (DayOverride(date(2026, 11, 21), (Span(1200, 180),)),))
	assert not calendar.is_open(at("2026-11-21 10:00"))
	assert calendar.is_open(at("2026-11-21 20:00"))
	assert calendar.is_open(at("2026-11-22 02:59"))
	assert not calendar.is_open(at("2026-11-22 03:00"))


def test_dated_hours_alone_are_hours() -> None:
	calendar = Calendar(CAIRO, (), (DayOverride(date(2026, 11, 21), (Span(600, 660),)),))
	start = at("2026-11-01 00:00")
	assert calendar.business_ms(start, start + 60 * DAY) == HOUR
	assert calendar.due_ms(start, HOUR) == at("2026-11-21 11:00")


def test_only_holidays_ahead_is_an_error_that_says_what_to_do() -> None:
	days = [date(2026, 1, 1) + timedelta(days=number) for number in range(900)]
	calendar = Calendar(CAIRO, PHARMACY.weekly, tuple(DayOverride(day) for day in days))
	start = at("2026-02-01 12:00")
	assert calendar.business_ms(start, start + 30 * DAY) == 0
	assert calendar.next_opening_ms(start) is None
	for amount in (0, 1, HOUR):
		with pytest.raises(CalendarError, match="Add business hours") as caught:
			calendar.due_ms(start, amount)
		assert caught.value.code == "no_opening"


def test_a_long_closure_is_walked_over() -> None:
	days = [date(2026, 2, 1) + timedelta(days=number) for number in range(300)]
	calendar = Calendar(CAIRO, PHARMACY.weekly, tuple(DayOverride(day) for day in days))
	reopening = calendar.next_opening_ms(at("2026-02-02 12:00"))
	assert reopening == at("2026-11-28 09:00")
	assert calendar.due_ms(at("2026-02-02 12:00"), 15 * MINUTE) == reopening + 15 * MINUTE


def test_a_large_amount_may_take_years() -> None:
	calendar = Calendar("UTC", (Interval(0, 540, 600),))
	monday = at("2026-11-23 00:00", "UTC")
	assert calendar.due_ms(monday, 105 * HOUR) == monday + 104 * 7 * DAY + 10 * HOUR


# Changes of the clock


def test_cairo_goes_back_and_the_repeated_hour_is_counted_twice() -> None:
	start, end = PHARMACY.day_bounds_ms(date(2026, 10, 29))
	assert end - start == 25 * HOUR
	evening = at("2026-10-29 17:00")
	assert PHARMACY.business_ms(evening, at("2026-10-30 03:00")) == 10 * HOUR
	assert PHARMACY.due_ms(at("2026-10-29 23:30+03:00"), 45 * MINUTE) == at("2026-10-29 23:15+02:00")


def test_an_hour_named_twice_means_its_first_pass() -> None:
	calendar = Calendar(CAIRO, (Interval(3, 1380 + 15, 1380 + 45),))
	start, end = calendar.day_bounds_ms(date(2026, 10, 29))
	assert calendar.business_ms(start, end) == 30 * MINUTE
	assert calendar.next_opening_ms(start) == at("2026-10-29 23:15+03:00")


def test_cairo_jumps_forward_and_the_missing_hour_is_not_counted() -> None:
	start, end = PHARMACY.day_bounds_ms(date(2026, 4, 24))
	assert end - start == 23 * HOUR
	assert start == at("2026-04-24 01:00+03:00")
	assert PHARMACY.business_ms(at("2026-04-23 17:00"), at("2026-04-24 03:00")) == 8 * HOUR


@pytest.mark.parametrize(("begin", "finish", "minutes"), [(30, 90, 30), (0, 60, 0), (10, 50, 0), (0, 90, 30)])
def test_a_time_that_does_not_exist_is_the_first_instant_after_the_jump(
	begin: int, finish: int, minutes: int
) -> None:
	calendar = Calendar(CAIRO, (Interval(FRIDAY, begin, finish),))
	start, end = calendar.day_bounds_ms(date(2026, 4, 24))
	assert calendar.business_ms(start, end) == minutes * MINUTE
	if minutes:
		assert calendar.next_opening_ms(start) == start


def test_a_date_that_a_zone_skipped_is_empty() -> None:
	start, end = Calendar.always("Pacific/Apia").day_bounds_ms(date(2011, 12, 30))
	assert start == end == at("2011-12-31 00:00+14:00")


# Civil days


def test_local_date_changes_at_local_midnight() -> None:
	assert PHARMACY.local_date(at("2026-11-21 00:00")) == date(2026, 11, 21)
	assert PHARMACY.local_date(at("2026-11-21 00:00") - 1) == date(2026, 11, 20)


@pytest.mark.parametrize("day", [date(2026, 4, 1), date(2026, 4, 24), date(2026, 4, 30)])
def test_month_bounds_are_the_bounds_of_its_days(day: date) -> None:
	first, last = PHARMACY.day_bounds_ms(date(2026, 4, 1)), PHARMACY.day_bounds_ms(date(2026, 4, 30))
	assert PHARMACY.month_bounds_ms(day) == (first[0], last[1])
	assert last[1] - first[0] == 30 * DAY - HOUR


def test_december_ends_in_january() -> None:
	assert PHARMACY.month_bounds_ms(date(2026, 12, 31))[1] == at("2027-01-01 00:00")


@given(
	st.dates(date(2015, 1, 1), date(2035, 1, 1)),
	st.sampled_from([CAIRO, "UTC", "Asia/Riyadh", "America/New_York"]),
)
def test_days_tile_time_and_hold_their_own_instants(day: date, zone: str) -> None:
	calendar = Calendar.always(zone)
	start, end = calendar.day_bounds_ms(day)
	assert calendar.day_bounds_ms(day + timedelta(days=1))[0] == end
	assert calendar.local_date(start) == calendar.local_date(end - 1) == day


# Laws of every calendar

minutes_of_day = st.integers(0, 1439)
spans = st.builds(Span, minutes_of_day, st.integers(0, 2880))
intervals = st.builds(Interval, st.integers(0, 6), minutes_of_day, st.integers(0, 2880))
dates_near = st.dates(date(2026, 10, 20), date(2026, 11, 10)) | st.dates(date(2026, 4, 15), date(2026, 5, 1))
overrides = st.lists(st.builds(DayOverride, dates_near, st.lists(spans, max_size=3).map(tuple)), max_size=6)
calendars = st.builds(
	Calendar,
	st.sampled_from([CAIRO, "UTC", "America/New_York", "Pacific/Chatham"]),
	st.lists(intervals, max_size=8).map(tuple),
	overrides.map(lambda rows: tuple({row.date: row for row in rows}.values())),
)
instants = st.integers(at("2026-03-01 00:00"), at("2026-12-31 00:00"))


@given(calendars, st.tuples(instants, instants, instants).map(sorted))
def test_time_adds_up_over_split_points_and_never_exceeds_the_wall(
	calendar: Calendar, points: list[int]
) -> None:
	a, b, c = points
	whole = calendar.business_ms(a, c)
	assert calendar.business_ms(a, b) + calendar.business_ms(b, c) == whole
	assert 0 <= calendar.business_ms(a, b) <= min(whole, b - a)


@given(calendars, instants, st.integers(0, 40 * DAY))
def test_due_is_the_first_instant_by_which_the_time_has_passed(
	calendar: Calendar, start: int, amount: int
) -> None:
	assume(calendar.weekly or calendar.is_wall_clock)
	due = calendar.due_ms(start, amount)
	assert due >= start
	assert calendar.business_ms(start, due) == amount
	if amount:
		assert calendar.business_ms(start, due - 1) == amount - 1
	else:
		assert calendar.is_open(due)


@given(calendars, instants, st.integers(0, 10 * DAY), st.integers(0, 10 * DAY))
def test_more_time_is_never_due_earlier(calendar: Calendar, start: int, some: int, more: int) -> None:
	assume(calendar.weekly or calendar.is_wall_clock)
	assert calendar.due_ms(start, some) <= calendar.due_ms(start, some + more)


@given(calendars, instants)
def test_open_means_that_the_next_millisecond_counts(calendar: Calendar, instant: int) -> None:
	assert calendar.is_open(instant) == (calendar.business_ms(instant, instant + 1) == 1)


@given(calendars, instants)
def test_nothing_is_open_before_the_next_opening(calendar: Calendar, instant: int) -> None:
	opening = calendar.next_opening_ms(instant)
	if opening is None:
		assert calendar.business_ms(instant, instant + 400 * DAY) == 0
	else:
		assert calendar.is_open(opening)
		assert calendar.business_ms(instant, opening) == 0


# A second opinion, minute by minute from the wall

# Boundaries that every day has exactly once, so that the wall alone decides what is open.
plain_minutes = st.integers(3 * 60, 22 * 60)
plain_spans = st.builds(Span, plain_minutes, plain_minutes)
plain_weeks = st.lists(
	st.builds(Interval, st.integers(0, 6), plain_minutes, plain_minutes), min_size=1, max_size=10
).map(tuple)


def wall_says_open(calendar: Calendar, instant_ms: int) -> bool:
	local = datetime.fromtimestamp(instant_ms // 1000, ZoneInfo(calendar.timezone))
	dated = {row.date: row.spans for row in calendar.overrides}
	for days_ago in (0, 1):
		day = local.date() - timedelta(days=days_ago)
		weekly = [row.span for row in calendar.weekly if row.day == day.weekday()]
		minute = local.hour * 60 + local.minute + 1440 * days_ago
		for start, end in dated.get(day, weekly):
			if start <= minute < (end if end > start else end + 1440):
				return True
	return False


@settings(max_examples=60, deadline=None)
@given(
	plain_weeks,
	st.lists(plain_spans, max_size=2).map(tuple),
	st.sampled_from(
		[at("2026-04-22 12:00"), at("2026-10-28 12:00"), at("2026-11-18 12:00"), at("2026-11-30 12:00")]
	),
	st.integers(0, 2880),
	st.integers(1, 2880),
)
@example(PHARMACY.weekly, (), at("2026-10-28 12:00"), 0, 2880)
@example(PHARMACY.weekly, (), at("2026-04-22 12:00"), 0, 2880)
def test_business_time_is_what_the_wall_says_minute_by_minute(
	weekly: tuple[Interval, ...], dated: tuple[Span, ...], base: int, offset: int, length: int
) -> None:
	override_date = datetime.fromtimestamp(base // 1000 + 86400, ZoneInfo(CAIRO)).date()
	calendar = Calendar(CAIRO, weekly, (DayOverride(override_date, dated),))
	start = base + offset * MINUTE
	minutes = range(start, start + length * MINUTE, MINUTE)
	expected = sum(wall_says_open(calendar, minute) for minute in minutes)
	assert calendar.business_ms(start, minutes.stop) == expected * MINUTE


# Version and errors


def test_version_follows_the_content_and_not_the_order_of_the_rows() -> None:
	turned = Calendar(CAIRO, tuple(reversed(PHARMACY.weekly)))
	assert PHARMACY.version == turned.version
	others = [
		Calendar.always(CAIRO),
		Calendar("UTC", PHARMACY.weekly),
		Calendar(CAIRO, PHARMACY.weekly[1:]),
		Calendar(CAIRO, PHARMACY.weekly, (DayOverride(date(2026, 1, 7)),)),
		Calendar(CAIRO, PHARMACY.weekly, (DayOverride(date(2026, 1, 7), (Span(0, 60),)),)),
	]
	versions = {calendar.version for calendar in [PHARMACY, *others]}
	assert len(versions) == 6
	assert all(len(version) == 12 and int(version, 16) >= 0 for version in versions)


def test_version_is_pinned_because_rows_in_the_database_hold_it() -> None:
	assert PHARMACY.version == "fe715deb70f7"


def test_questions_do_not_change_what_a_calendar_equals() -> None:
	fresh = Calendar(PHARMACY.timezone, PHARMACY.weekly)
	PHARMACY.business_ms(at("2026-11-21 13:50"), at("2026-11-21 17:05"))
	assert fresh == PHARMACY
	assert hash(fresh) == hash(PHARMACY)
	assert pickle.loads(pickle.dumps(PHARMACY)) == PHARMACY


@pytest.mark.parametrize("zone", ["Africa/Mansoura", "", "../etc/passwd", "Africa", "/etc/localtime"])
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
	with pytest.raises(CalendarError, match="is not a time zone") as caught:
		Calendar(zone)
	assert caught.value.values == {"timezone": zone}


@pytest.mark.parametrize(
	"row", [(7, 0, 60), (-1, 0, 60), (0, -1, 60), (0, 1440, 1500), (0, 0, 2881), (0, 0, -1)]
)
def test_impossible_intervals_are_refused(row: tuple[int, int, int]) -> None:
	with pytest.raises(CalendarError):
		Interval(*row)


def test_impossible_dated_spans_and_repeated_dates_are_refused() -> None:
	with pytest.raises(CalendarError, match="business interval"):
		DayOverride(date(2026, 1, 1), (Span(0, 9999),))
	with pytest.raises(CalendarError, match="2026-01-01 has two entries"):
		Calendar(CAIRO, (), (DayOverride(date(2026, 1, 1)), DayOverride(date(2026, 1, 1))))


@pytest.mark.parametrize("instant", [-1, 1 << 60])
def test_instants_outside_the_calendar_are_refused(instant: int) -> None:
	with pytest.raises(CalendarError) as caught:
		PHARMACY.is_open(instant)
	assert caught.value.code == "out_of_range"


def test_negative_amounts_are_refused() -> None:
	with pytest.raises(CalendarError, match="can't be negative"):
		PHARMACY.due_ms(at("2026-11-21 10:00"), -1)


def test_an_error_survives_the_way_between_processes() -> None:
	error = CalendarError("bad_weekday", {"day": 9})
	copy = pickle.loads(pickle.dumps(error))
	assert (str(copy), copy.code, copy.values) == (str(error), "bad_weekday", {"day": 9})


# Rows of the settings

WEEK = [{"day": "Saturday", "start_time": "09:00", "end_time": "14:00"}]


def test_rows_make_the_calendar_people_meant() -> None:
	names = ["Saturday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday"]
	rows = [{"day": name, "start_time": "09:00:00", "end_time": "14:00:00"} for name in names]
	rows += [{"day": name, "start_time": time(17), "end_time": timedelta(hours=2)} for name in names]
	rows += [{"day": " friday", "start_time": "14:00", "end_time": "2:00"}]
	assert calendar_from_rows(CAIRO, rows).version == PHARMACY.version


def test_dated_rows_close_or_replace_a_day() -> None:
	calendar = calendar_from_rows(
		CAIRO,
		WEEK,
		[
			{"date": "2026-11-28", "start_time": "17:00", "end_time": "19:00"},
			{"date": "2026-11-21", "start_time": None, "end_time": None},
			{"date": date(2026, 11, 28), "start_time": "10:00", "end_time": "12:00"},
			{"date": datetime(2026, 12, 5, 8, tzinfo=timezone.utc), "start_time": "", "end_time": None},
		],
	)
	assert calendar.overrides == (
		DayOverride(date(2026, 11, 21)),
		DayOverride(date(2026, 11, 28), (Span(1020, 1140), Span(600, 720))),
		DayOverride(date(2026, 12, 5)),
	)


@pytest.mark.parametrize(
	("start", "end", "span"),
	[
		("00:00", "24:00", (0, 1440)),
		("00:00:00", "23:59:59", (0, 1440)),
		("17:00:30", "02:00:01", (1020, 121)),
		(timedelta(0), timedelta(days=1), (0, 1440)),
		("9:05", "14:00:00.000000", (545, 840)),
		(time(0), time(0), (0, 0)),
	],
)
def test_times_are_read_in_every_form_they_come_in(start: object, end: object, span: tuple[int, int]) -> None:
	calendar = calendar_from_rows(CAIRO, [{"day": "Monday", "start_time": start, "end_time": end}])
	assert calendar.weekly == (Interval(0, *span),)


@pytest.mark.parametrize(
	("row", "code", "message"),
	[
		(
			{"day": "Caturday", "start_time": "09:00", "end_time": "14:00"},
			"bad_day_name",
			"Caturday is not a day",
		),
		({"start_time": "09:00", "end_time": "14:00"}, "bad_day_name", "None is not a day"),
		({"day": "Monday", "start_time": "9", "end_time": "14:00"}, "bad_time", "9 is not a time"),
		({"day": "Monday", "start_time": "09:60", "end_time": "14:00"}, "bad_time", "09:60 is not a time"),
		({"day": "Monday", "start_time": "24:00", "end_time": "14:00"}, "bad_time", "24:00 is not a time"),
		({"day": "Monday", "start_time": "09:00", "end_time": "24:01"}, "bad_time", "24:01 is not a time"),
		({"day": "Monday", "start_time": "-1:00", "end_time": "14:00"}, "bad_time", "-1:00 is not a time"),
		({"day": "Monday", "start_time": "09:00", "end_time": timedelta(-1)}, "bad_time", "is not a time"),
		(
			{"day": "Monday", "start_time": "09:00", "end_time": None},
			"missing_time",
			"Monday needs two times",
		),
		({"day": "Monday", "start_time": None, "end_time": ""}, "missing_time", "Monday needs two times"),
	],
)
def test_a_wrong_weekly_row_is_named(row: dict[str, object], code: str, message: str) -> None:
	with pytest.raises(CalendarError, match=message) as caught:
		calendar_from_rows(CAIRO, [*WEEK, row])
	assert caught.value.code == code
	assert str(caught.value).startswith("Business hours, row 2: ")


@pytest.mark.parametrize(
	("rows", "code"),
	[
		([{"date": "21/11/2026"}], "bad_date"),
		([{"date": None}], "bad_date"),
		([{"date": "2026-11-21", "start_time": "09:00"}], "missing_time"),
		(
			[{"date": "2026-11-21"}, {"date": "2026-11-21", "start_time": "09:00", "end_time": "10:00"}],
			"closed_and_open",
		),
		(
			[{"date": "2026-11-21", "start_time": "09:00", "end_time": "10:00"}, {"date": "2026-11-21"}],
			"closed_and_open",
		),
	],
)
def test_a_wrong_dated_row_is_named_by_its_own_number(rows: list[dict[str, object]], code: str) -> None:
	numbered = [{**row, "idx": 7} for row in rows]
	with pytest.raises(CalendarError, match="Holidays, row 7: ") as caught:
		calendar_from_rows(CAIRO, WEEK, numbered)
	assert caught.value.code == code


# Cost


def test_a_question_costs_microseconds_once_the_month_is_known() -> None:
	start = at("2026-11-21 13:50")
	PHARMACY.due_ms(start, DAY)
	begun = clock.perf_counter()
	for offset in range(2_000):
		PHARMACY.business_ms(start + offset, start + 4 * HOUR)
	# measured near 1 µs; time zone work would cost far more
	assert (clock.perf_counter() - begun) / 2_000 < 50e-6


def test_pieces_are_disjoint_and_sorted() -> None:
	table = PHARMACY._table(at("2026-11-21 00:00") // (32 * DAY))
	edges = [edge for pair in zip(table.starts, table.ends, strict=True) for edge in pair]
	assert all(before < after for before, after in pairwise(edges))


# The stretch in which time counts


@given(st.integers(0, 400 * 24 * 60), st.sampled_from([PHARMACY, Calendar.always(CAIRO)]))
def test_an_open_stretch_is_all_open_and_the_first_that_is_not_over(minutes: int, calendar: Calendar) -> None:
	now = at("2026-01-01 00:00") + minutes * MINUTE
	stretch = calendar.open_stretch_ms(now)
	assert stretch is not None
	start, end = stretch
	assert start < end
	assert now < end
	assert calendar.business_ms(max(start, now), end) == end - max(start, now)
	assert calendar.business_ms(now, start) == 0
	assert (start <= now) is calendar.is_open(now)


def test_hours_that_never_open_have_no_stretch() -> None:
	assert (
		Calendar(CAIRO, (), (DayOverride(date(2020, 1, 1), (Span(0, 60),)),)).open_stretch_ms(
			at("2026-11-21 12:00")
		)
		is None
	)
