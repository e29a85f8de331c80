"""Until when an answer is in time: the calendar's arithmetic, never who looked when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import deadlines, ledger
from khalifa_whatsapp.core.calendar import Calendar, DayOverride, Interval, Span
from khalifa_whatsapp.core.deadlines import LATE_SOON, ON_TIME, TOO_LATE, Deadlines, Lateness
from khalifa_whatsapp.core.records import Segment, Ticket, Turn
from khalifa_whatsapp.core.settings import MINUTE_MS, BranchRules, Settings

CAIRO = ZoneInfo("Africa/Cairo")
SETTINGS = Settings()
LIMIT = 15 * MINUTE_MS
ALWAYS = Calendar.always("Africa/Cairo")
DAYS = [day for day in range(7) if day != 4]
PHARMACY = Calendar(
	"Africa/Cairo",
	(
		*(Interval(day, 9 * 60, 14 * 60) for day in DAYS),
		*(Interval(day, 17 * 60, 2 * 60) for day in DAYS),
		Interval(4, 14 * 60, 2 * 60),
	),
)
UNTIL_MIDNIGHT = Calendar("Africa/Cairo", tuple(Interval(day, 9 * 60, 24 * 60) for day in range(7)))
NEVER = Calendar("Africa/Cairo", (), (DayOverride(date(2020, 1, 1), (Span(0, 60),)),))


def cairo(text: str, fold: int = 0) -> int:
	return int(datetime.fromisoformat(text).replace(tzinfo=CAIRO, fold=fold).timestamp()) * 1000


NOW = cairo("2026-11-21 12:00")


def wait(started_ms: int, from_ms: int | None = None, agent: str | None = "mona") -> tuple[Turn, Segment]:
	turn = Turn("u", "t", "c", "d", None, 1, started_ms, started_ms)
	return turn, Segment("s", "u", "t", agent, None, started_ms if from_ms is None else from_ms)


def rules_of(calendar: Calendar, agent: int = LIMIT, customer: int = LIMIT) -> BranchRules:
	return BranchRules(calendar, agent, customer)


# used up exactly at closing: nobody is late while it is closed
@pytest.mark.parametrize(
	("wrote", "due"),
	[
		("2026-11-21 13:50", "2026-11-21 17:05"),
		("2026-11-21 23:30", "2026-11-21 23:45"),
		("2026-11-22 01:50", "2026-11-22 09:05"),
		("2026-11-22 03:00", "2026-11-22 09:15"),
		("2026-11-19 23:00", "2026-11-19 23:15"),
		(
			"2026-11-22 01:45",
			"2026-11-22 09:00",
		),
	],
)
def test_deadlines_are_the_vectors_of_the_measures(wrote: str, due: str) -> None:
	moments = deadlines.deadlines(*wait(cairo(wrote)), rules_of(PHARMACY), SETTINGS)
	assert (moments.customer_due_ms, moments.response_due_ms, moments.due_ms) == (cairo(due),) * 3


def test_a_wait_over_the_hour_that_comes_twice_is_fifteen_minutes_long() -> None:
	first_pass = cairo("2026-10-29 23:50")
	moments = deadlines.deadlines(*wait(first_pass), rules_of(ALWAYS), SETTINGS)
	assert moments.customer_due_ms == cairo("2026-10-29 23:05", fold=1) == first_pass + LIMIT


def test_who_writes_before_closing_is_late_only_after_the_rest_of_the_limit_past_the_opening() -> None:
	rules, wrote = rules_of(UNTIL_MIDNIGHT), cairo("2026-11-21 23:59")
	moments = deadlines.deadlines(*wait(wrote), rules, SETTINGS)
	assert (moments.due_ms, moments.late_soon_ms) == (
		cairo("2026-11-22 09:14"),
		cairo("2026-11-22 09:09") + 30_000,
	)

	def at(text: str) -> Lateness:
		return deadlines.lateness(cairo(text), wrote, moments.due_ms, moments.late_soon_ms, rules.calendar)

	assert at("2026-11-22 08:59") == Lateness(ON_TIME, MINUTE_MS)
	assert at("2026-11-22 09:10") == Lateness(LATE_SOON, 11 * MINUTE_MS)
	assert at("2026-11-22 09:14") == Lateness(LATE_SOON, LIMIT)
	assert at("2026-11-22 09:18") == Lateness(TOO_LATE, 19 * MINUTE_MS, 4 * MINUTE_MS)


def test_the_queue_has_no_response_deadline_and_a_receiver_a_fresh_one() -> None:
	rules = rules_of(ALWAYS, customer=20 * MINUTE_MS)
	queued = deadlines.deadlines(*wait(NOW, agent=None), rules, SETTINGS)
	assert queued == Deadlines(NOW + 20 * MINUTE_MS, None, NOW + 14 * MINUTE_MS)
	turn, segment = wait(NOW, NOW + 10 * MINUTE_MS)
	handed = deadlines.deadlines(turn, segment, rules, SETTINGS)
	assert (handed.customer_due_ms, handed.response_due_ms) == (NOW + 20 * MINUTE_MS, NOW + 25 * MINUTE_MS)
	assert handed.due_ms == NOW + 20 * MINUTE_MS
	own = deadlines.deadlines(turn, segment, replace(rules, customer_delay_ms=60 * MINUTE_MS), SETTINGS)
	assert (own.due_ms, own.late_soon_ms) == (NOW + 25 * MINUTE_MS, NOW + round(20.5 * MINUTE_MS))


def test_hours_that_never_open_make_nobody_late() -> None:
	moments = deadlines.deadlines(*wait(NOW), rules_of(NEVER), SETTINGS)
	assert moments == Deadlines()
	assert deadlines.lateness(NOW + 10**9, NOW, None, None, NEVER) == Lateness(ON_TIME)


def test_nobody_waits_nothing_is_late() -> None:
	assert (
		deadlines.lateness(NOW, None, 1, 1, ALWAYS)
		== deadlines.lateness(NOW, 0, 1, 1, ALWAYS)
		== Lateness(ON_TIME)
	)


minutes = st.integers(0, 3 * 24 * 60 * MINUTE_MS)
limits = st.integers(MINUTE_MS, 8 * 60 * MINUTE_MS)
calendars = st.sampled_from([ALWAYS, PHARMACY, UNTIL_MIDNIGHT])
starts = st.sampled_from([NOW, cairo("2026-10-29 20:00"), cairo("2026-04-23 22:00")])


@given(starts, minutes, minutes, minutes, limits, limits, calendars)
def test_delayed_is_more_business_time_than_the_limit_at_any_moment(
	start: int, wrote: int, held: int, later: int, agent: int, customer: int, calendar: Calendar
) -> None:
	"""The stored moments say at every instant what the business time of turn and segment says."""
	rules = rules_of(calendar, agent, customer)
	turn, segment = wait(start + wrote, start + wrote + held)
	moments = deadlines.deadlines(turn, segment, rules, SETTINGS)
	for now in (
		start + wrote + later,
		moments.due_ms,
		(moments.due_ms or 0) + 1,
		moments.late_soon_ms,
		(moments.late_soon_ms or 1) - 1,
	):
		assert now is not None
		spent = [
			(calendar.business_ms(turn.started_ms, now), customer),
			(calendar.business_ms(segment.from_ms, now), agent),
		]
		is_late, is_soon = (
			any(used > limit for used, limit in spent),
			any(used * 100 >= limit * 70 for used, limit in spent),
		)
		stands = deadlines.lateness(now, turn.started_ms, moments.due_ms, moments.late_soon_ms, calendar)
		assert stands.state == (TOO_LATE if is_late else LATE_SOON if is_soon else ON_TIME)
		assert stands.waited_ms == spent[0][0]
		assert stands.late_ms == max(0, *(used - limit for used, limit in spent))


@given(minutes, st.lists(minutes, max_size=6), limits, calendars)
def test_looking_never_moves_a_deadline_and_what_it_writes_bears_the_deadline_s_moment(
	wrote: int, looks: list[int], limit: int, calendar: Calendar
) -> None:
	rules, ticket = rules_of(calendar, limit, limit), Ticket("t", "c", "d", agent="mona")
	turn = ledger.open_turn("u", ticket, NOW + wrote, NOW + wrote)
	segment = ledger.open_segment("s", ticket, turn, turn.started_ms)
	deadlines.set_clock(ticket, turn, segment, rules, SETTINGS)
	before = (ticket.customer_due_by_ms, ticket.response_by_ms, ticket.due_by_ms, ticket.late_soon_ms)
	for look in sorted(looks):
		at = turn.started_ms + look
		events = ledger.cross(ticket, turn, segment, at, rules, SETTINGS).events
		deadlines.set_clock(ticket, turn, segment, rules, SETTINGS)
		assert (
			ticket.customer_due_by_ms,
			ticket.response_by_ms,
			ticket.due_by_ms,
			ticket.late_soon_ms,
		) == before
		assert {event.at_ms for event in events} <= {ticket.due_by_ms}
		is_late = deadlines.state(at, ticket.due_by_ms, ticket.late_soon_ms) == TOO_LATE
		assert is_late is (turn.is_delayed == 1) is (segment.level >= deadlines.DELAYED)


def test_the_version_of_the_rules_changes_with_whatever_moves_a_moment() -> None:
	rules = rules_of(PHARMACY)
	versions = {
		deadlines.rules_version(*given)
		for given in (
			(rules, SETTINGS),
			(replace(rules, calendar=ALWAYS), SETTINGS),
			(replace(rules, delay_ms=1), SETTINGS),
			(replace(rules, customer_delay_ms=1), SETTINGS),
			(rules, replace(SETTINGS, warn_percent=71)),
			(rules, replace(SETTINGS, escalate_factor=3)),
		)
	}
	assert len(versions) == 6
	assert deadlines.rules_version(rules_of(PHARMACY), Settings()) in versions
