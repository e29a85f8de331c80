"""A device never goes faster than its fields allow,
whatever comes to be sent and however often somebody asks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khalifa_whatsapp.core.calendar import DAY_MS, Calendar
from khalifa_whatsapp.core.pacing import (
	AUTO,
	CAMPAIGN,
	HOUR_MS,
	MINUTE_MS,
	REPLY,
	Candidate,
	Pace,
	Traffic,
	day_start_ms,
	gap_ms,
	minute_of,
	next_slot,
)

CAIRO = Calendar.always("Africa/Cairo")
NOON = 1_795_168_800_000  # 2026-11-20 12:00 in Cairo
MORNING = 8 * 60


@dataclass
class Log:
	"""What was sent, as a database would remember it."""

	pace: Pace
	rows: list[tuple[int, Candidate]] = field(default_factory=list)

	def traffic(self, now_ms: int) -> Traffic:
		starts = sorted((at for at, _ in self.rows), reverse=True)
		today = [one for at, one in self.rows if at >= day_start_ms(now_ms, CAIRO)]
		return Traffic(
			last_ms=starts[0] if starts else None,
			minute_edge_ms=self._edge(starts, self.pace.max_per_minute, now_ms - MINUTE_MS),
			hour_edge_ms=self._edge(starts, self.pace.max_per_hour, now_ms - HOUR_MS),
			today=len(today),
			replies_today=sum(one.priority == REPLY for one in today),
			new_chats_today=sum(one.is_new_chat for one in today),
			equal_today={
				key: sum(one.text_key == key for one in today) for key in {one.text_key for one in today}
			},
		)

	@staticmethod
	def _edge(starts: list[int], place: int, after_ms: int) -> int | None:
		start = starts[place - 1] if 0 < place <= len(starts) else None
		return start if start is not None and start > after_ms else None


def local_minute(at_ms: int) -> int:
	return (at_ms - day_start_ms(at_ms, CAIRO)) // MINUTE_MS  # no change of the clock in these days


paces = st.builds(
	Pace,
	min_gap_seconds=st.integers(0, 20),
	max_gap_seconds=st.integers(0, 40),
	max_per_minute=st.integers(0, 8),
	max_per_hour=st.integers(0, 60),
	max_per_day=st.integers(0, 150),
	max_new_chats_per_day=st.integers(0, 8),
	max_identical_per_day=st.integers(0, 6),
	min_reply_percent=st.sampled_from([0, 30, 50]),
	quiet_from_minute=st.sampled_from([None, 23 * 60, 60, 13 * 60]),
	quiet_to_minute=st.just(MORNING),
	is_quiet_for_replies=st.booleans(),
)
candidates = st.builds(
	Candidate, st.sampled_from([REPLY, REPLY, AUTO, CAMPAIGN]), st.booleans(), st.sampled_from(["", "a", "b"])
)


@settings(max_examples=60, deadline=None)
@given(paces, st.lists(st.tuples(candidates, st.integers(0, 5 * MINUTE_MS)), min_size=1, max_size=120))
def test_no_window_of_time_ever_holds_more_than_its_cap(
	pace: Pace, plan: list[tuple[Candidate, int]]
) -> None:
	log, now_ms = Log(pace), NOON
	for candidate, pause in plan:
		now_ms += pause
		for _ in range(40):
			slot = next_slot(pace, log.traffic(now_ms), candidate, now_ms, CAIRO)
			if slot.at_ms <= now_ms:
				log.rows.append((now_ms, candidate))
				break
			assert slot.limit
			now_ms = slot.at_ms
	check_rolling(log)
	check_days(log)


def check_rolling(log: Log) -> None:
	pace, starts = log.pace, [at for at, _ in log.rows]
	for first, second in pairwise(starts):
		assert second - first >= 1000 * pace.min_gap_seconds
	for index, at in enumerate(starts):
		if pace.max_per_minute:
			assert sum(at <= other < at + MINUTE_MS for other in starts[index:]) <= pace.max_per_minute
		if pace.max_per_hour:
			assert sum(at <= other < at + HOUR_MS for other in starts[index:]) <= pace.max_per_hour


def check_days(log: Log) -> None:
	pace = log.pace
	for day in {day_start_ms(at, CAIRO) for at, _ in log.rows}:
		of_day = [one for at, one in log.rows if day <= at < day + DAY_MS]
		assert not pace.max_per_day or len(of_day) <= pace.max_per_day
		assert (
			not pace.max_new_chats_per_day
			or sum(one.is_new_chat for one in of_day) <= pace.max_new_chats_per_day
		)
		for key in ("a", "b") if pace.max_identical_per_day else ():
			cold = [one for one in of_day if one.text_key == key]
			if any(one.priority != REPLY for one in cold[pace.max_identical_per_day :]):
				raise AssertionError(f"{key} went {len(cold)} times")
	for at, one in log.rows:
		if pace.quiet_from_minute is not None and (one.priority != REPLY or pace.is_quiet_for_replies):
			minute, length = local_minute(at), (MORNING - pace.quiet_from_minute) % 1440
			assert (minute - pace.quiet_from_minute) % 1440 >= length


@given(paces, candidates, st.integers(0, 40 * DAY_MS))
def test_a_slot_is_never_in_the_past_and_names_its_limit(
	pace: Pace, candidate: Candidate, offset: int
) -> None:
	now_ms = NOON + offset
	traffic = Traffic(now_ms - 1, now_ms - 1, now_ms - 1, 200, 20, 9, {"a": 9, "b": 9})
	slot = next_slot(pace, traffic, candidate, now_ms, CAIRO)
	assert slot.at_ms >= now_ms
	assert (slot.limit == "") == (slot.at_ms == now_ms)
	assert slot.at_ms <= now_ms + 2 * DAY_MS


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 2**45))
def test_the_gap_lies_between_its_ends_and_is_no_draw_to_be_repeated(
	low: int, high: int, last_ms: int
) -> None:
	pace = Pace(min_gap_seconds=low, max_gap_seconds=high)
	gap = gap_ms(pace, last_ms)
	assert 1000 * low <= gap <= 1000 * max(low, high)
	assert gap == gap_ms(pace, last_ms)


def test_gaps_are_spread_over_the_whole_range() -> None:
	pace = Pace(min_gap_seconds=3, max_gap_seconds=9)
	gaps = sorted(gap_ms(pace, NOON + step) for step in range(500))
	assert gaps[25] < 3_500
	assert gaps[-25] > 8_500


def test_a_device_without_limits_waits_for_nothing() -> None:
	assert Pace().is_free
	assert Pace(is_quiet_for_replies=True).is_free
	assert next_slot(Pace(), Traffic(NOON, today=10**6), Candidate(CAMPAIGN), NOON, CAIRO).at_ms == NOON


def test_what_is_not_urgent_waits_for_the_morning_and_a_person_s_reply_does_not() -> None:
	pace = Pace(quiet_from_minute=23 * 60, quiet_to_minute=MORNING)
	midnight = day_start_ms(NOON, CAIRO) + DAY_MS
	for now_ms in (midnight - HOUR_MS, midnight + HOUR_MS, midnight + MORNING * MINUTE_MS - 1):
		slot = next_slot(pace, Traffic(), Candidate(AUTO), now_ms, CAIRO)
		assert (slot.at_ms, slot.limit) == (midnight + MORNING * MINUTE_MS, "quiet")
		assert next_slot(pace, Traffic(), Candidate(REPLY), now_ms, CAIRO).at_ms == now_ms
	after = midnight + MORNING * MINUTE_MS
	assert next_slot(pace, Traffic(), Candidate(AUTO), after, CAIRO).at_ms == after


def test_campaigns_wait_while_replies_are_too_few() -> None:
	pace = Pace(min_reply_percent=50)
	few, enough = Traffic(today=10, replies_today=4), Traffic(today=10, replies_today=5)
	assert next_slot(pace, few, Candidate(CAMPAIGN), NOON, CAIRO).limit == "reply_share"
	assert next_slot(pace, enough, Candidate(CAMPAIGN), NOON, CAIRO).at_ms == NOON
	assert next_slot(pace, few, Candidate(REPLY), NOON, CAIRO).at_ms == NOON


def test_the_day_is_the_company_s_also_when_it_has_23_hours() -> None:
	spring = 1_777_010_400_000  # 2026-04-24 08:00 in Cairo, the day the clock went forward at midnight
	slot = next_slot(Pace(max_per_day=1), Traffic(today=1), Candidate(), spring, CAIRO)
	assert slot.at_ms == CAIRO.day_bounds_ms(CAIRO.local_date(spring))[1]


@pytest.mark.parametrize(
	("text", "minute"),
	[("23:00", 1380), ("00:00", 0), (" 8:05 ", 485), ("08:00:00", 480), ("", None), (None, None)],
)
def test_a_time_of_day_is_a_minute(text: str | None, minute: int | None) -> None:
	assert minute_of(text) == minute


@pytest.mark.parametrize("text", ["24:00", "7", "7:5", "07:60", "-1:00", "ab:cd", "٠٨:٠٠", "08:00:0"])
def test_anything_else_is_no_time_of_day(text: str) -> None:
	with pytest.raises(ValueError, match=re.escape(text)):
		minute_of(text)
