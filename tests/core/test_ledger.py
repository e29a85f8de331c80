"""Turns and segments: lengths, thresholds that are found at whatever moment one looks, causes, credit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import deadlines, ledger
from khalifa_whatsapp.core.calendar import Calendar, Interval
from khalifa_whatsapp.core.records import CLOSED_UNANSWERED, NO_REPLY_NEEDED, Segment, Ticket, Turn
from khalifa_whatsapp.core.settings import MINUTE_MS, BranchRules, Settings

NOW = 1_795_160_400_000
SETTINGS = Settings()
ALWAYS = Calendar.always("Africa/Cairo")
OFFICE = Calendar("Africa/Cairo", tuple(Interval(day, 9 * 60, 14 * 60) for day in range(7)))
RULES = BranchRules(ALWAYS, 15 * MINUTE_MS, 20 * MINUTE_MS)


def waiting(
	agent: str | None = "mona", started_ms: int = NOW, known_ms: int = NOW
) -> tuple[Ticket, Turn, Segment]:
	ticket = Ticket("t", "c", "d", agent=agent)
	turn = ledger.open_turn("u", ticket, started_ms, known_ms)
	return ticket, turn, ledger.open_segment("s", ticket, turn, ledger.first_segment_start(ticket, turn))


def test_the_queue_waits_as_long_as_the_customer_and_an_agent_from_the_receipt() -> None:
	assert waiting(None, NOW, NOW + 9)[2].from_ms == NOW
	assert waiting("mona", NOW, NOW + 9)[2].from_ms == NOW + 9
	assert waiting("mona", NOW + 9, NOW)[2].from_ms == NOW + 9


@given(st.lists(st.integers(0, 60 * MINUTE_MS), max_size=8), st.integers(0, 60 * MINUTE_MS))
@pytest.mark.parametrize("calendar", [ALWAYS, OFFICE])
def test_thresholds_are_the_same_whenever_and_however_often_one_looks(calendar, looks, end) -> None:
	rules = BranchRules(calendar, 15 * MINUTE_MS, 20 * MINUTE_MS)

	def look_at(moments: list[int]) -> tuple[object, ...]:
		ticket, turn, segment = waiting()
		events = []
		for moment in [*sorted(m for m in moments if m <= end), end]:
			events += ledger.cross(ticket, turn, segment, NOW + moment, rules, SETTINGS).events
		ledger.end_segment(segment, NOW + end, "answered", rules)
		return events, turn, segment

	often, once = look_at(looks), look_at([])
	assert sorted(often[0], key=lambda e: e.kind) == sorted(once[0], key=lambda e: e.kind)
	assert often[1:] == once[1:]


@given(st.integers(0, 3))
def test_the_next_look_finds_something_and_a_millisecond_sooner_does_not(looks: int) -> None:
	ticket, turn, segment = waiting()
	for _ in range(looks):
		moment = deadlines.next_check(turn, segment, RULES, SETTINGS)
		assert moment is not None
		assert not ledger.cross(ticket, turn, segment, moment - 1, RULES, SETTINGS).level
		assert not turn.is_delayed or moment > NOW + RULES.customer_delay_ms
		crossing = ledger.cross(ticket, turn, segment, moment, RULES, SETTINGS)
		assert crossing.level or crossing.is_customer


def test_there_are_four_looks_and_then_none() -> None:
	ticket, turn, segment = waiting()
	looks = []
	while (moment := deadlines.next_check(turn, segment, RULES, SETTINGS)) is not None:
		looks.append(moment - NOW)
		ledger.cross(ticket, turn, segment, moment, RULES, SETTINGS)
	assert looks == [round(10.5 * MINUTE_MS), 15 * MINUTE_MS + 1, 20 * MINUTE_MS + 1, 30 * MINUTE_MS + 1]


def test_in_the_queue_only_the_customer_s_threshold_counts() -> None:
	ticket, turn, segment = waiting(None)
	assert deadlines.next_check(turn, segment, RULES, SETTINGS) == NOW + 20 * MINUTE_MS + 1
	crossing = ledger.cross(ticket, turn, segment, NOW + 60 * MINUTE_MS, RULES, SETTINGS)
	assert ([e.kind for e in crossing.events], crossing.level, crossing.is_customer) == (
		["Customer"],
		0,
		True,
	)
	assert deadlines.next_check(turn, segment, RULES, SETTINGS) is None


@pytest.mark.parametrize(
	("used", "level"), [(0, 0), (10.49, 0), (10.5, 1), (15, 1), (15.001, 2), (30, 2), (30.001, 3), (999, 3)]
)
def test_levels(used: float, level: int) -> None:
	assert ledger.reached_level(round(used * MINUTE_MS), 15 * MINUTE_MS, SETTINGS) == level


def test_lengths_are_frozen_at_the_end_and_never_negative() -> None:
	ticket, turn, segment = waiting(started_ms=NOW + 5_000)
	ledger.end_segment(segment, NOW, "answered", RULES)
	ledger.end_turn(ticket, turn, NOW, "answered", RULES)
	assert (segment.to_ms, segment.wall_time, segment.biz_time) == (NOW + 5_000, 0, 0)
	assert (turn.ended_ms, turn.wall_time, turn.biz_time, turn.calendar_version) == (
		NOW + 5_000,
		0,
		0,
		ALWAYS.version,
	)
	assert (ticket.turn, ticket.segment, ticket.waiting_since_ms, ticket.due_by_ms) == (None,) * 4


def test_a_segment_counts_when_it_crossed_its_threshold_else_at_its_end_and_never_when_closed_in_bulk() -> (
	None
):
	for minutes, reason, counted in (
		(9, "answered", 9),
		(16, "answered", 15),
		(9, "bulk_closed", None),
		(16, "bulk_closed", 15),
	):
		ticket, turn, segment = waiting()
		end = NOW + minutes * MINUTE_MS
		ledger.cross(ticket, turn, segment, end, RULES, SETTINGS)
		ledger.end_segment(segment, end, reason, RULES)
		assert segment.counted_ms == (None if counted is None else NOW + counted * MINUTE_MS)


def test_a_turn_that_opens_again_has_its_start_and_gives_back_its_time() -> None:
	ticket, turn, _ = waiting()
	ledger.end_turn(ticket, turn, NOW + 60_000, "answered", RULES)
	turn.answer, turn.answered_by, turn.on_behalf_of = "m", "mona", "ali"
	assert ticket.waited_time == 60
	ledger.reopen_turn(ticket, turn)
	assert (ticket.waited_time, ticket.turn, ticket.waiting_since_ms) == (0, "u", NOW)
	assert (turn.ended_ms, turn.outcome, turn.answer, turn.answered_by, turn.on_behalf_of, turn.biz_time) == (
		None,
	) * 6


def test_an_older_message_moves_the_start_and_the_queue_s_segment_with_it() -> None:
	for agent, moved in ((None, NOW - 5), ("mona", NOW)):
		ticket, turn, segment = waiting(agent)
		ledger.start_earlier(ticket, turn, segment, NOW - 5)
		assert (turn.started_ms, ticket.waiting_since_ms, segment.from_ms) == (NOW - 5, NOW - 5, moved)


def test_late_transfer_from_half_of_the_threshold_until_the_delay() -> None:
	for minutes, level, late in ((7.49, 0, False), (7.5, 0, True), (14, 1, True), (16, 2, False)):
		_, _, segment = waiting()
		segment.level = level
		ledger.end_segment(segment, NOW + round(minutes * MINUTE_MS), "transferred", RULES)
		assert ledger.is_late_transfer(segment, RULES, SETTINGS) is late
	_, _, queue = waiting(None)
	ledger.end_segment(queue, NOW + 14 * MINUTE_MS, "assigned", RULES)
	assert not ledger.is_late_transfer(queue, RULES, SETTINGS)


@pytest.mark.parametrize(
	("parts", "expected"),
	[
		([(None, 40, "assigned"), ("ali", 4, "answered")], "Queue"),
		([(None, 1, "assigned"), ("mona", 10, "transferred"), ("ali", 9, "answered")], "Transfers"),
		([("mona", 6, "requeued"), (None, 5, "assigned"), ("ali", 4, "answered")], "Transfers"),
		([("mona", 8, "transferred"), ("ali", 9, "answered")], "Agent"),
		([("mona", 25, "answered_by_admin")], "Agent"),
		([("mona", 8, "transferred"), ("ali", None, None)], "Agent"),
	],
)
def test_the_cause_is_where_most_of_the_wait_lies(parts, expected) -> None:
	at, segments = NOW, []
	for agent, minutes, reason in parts:
		end = at + (minutes or 99) * MINUTE_MS
		segments.append(Segment("s", "u", "t", agent, None, at, end if minutes else None, reason))
		at = end
	assert ledger.cause(segments, at, RULES) == expected


def test_credit_goes_to_the_owner_who_replied_else_to_the_last_who_did() -> None:
	ticket = Ticket("t", "c", "d", agent="mona")
	assert ledger.resolver(ticket, CLOSED_UNANSWERED) is None
	for agent in ("mona", "ali", "sara", "ali", None):
		ledger.note_replier(ticket, agent)
	assert (ticket.repliers, ticket.cycle_replies) == ("mona sara ali", 5)
	assert ledger.resolver(ticket, CLOSED_UNANSWERED) == "mona"
	ticket.agent = "omar"
	assert ledger.resolver(ticket, CLOSED_UNANSWERED) == "ali"
	ticket.agent = None
	assert ledger.resolver(ticket, CLOSED_UNANSWERED) == "ali"


def test_the_credit_of_the_cycle_before_returns_only_when_no_reply_was_needed_and_nobody_wrote_one() -> None:
	ticket = Ticket("t", "c", "d", agent="ali", repliers="mona")
	assert (ledger.resolver(ticket, CLOSED_UNANSWERED), ledger.resolver(ticket, NO_REPLY_NEEDED)) == (
		None,
		"mona",
	)
	ledger.note_replier(ticket, None)
	assert (ledger.resolver(ticket, CLOSED_UNANSWERED), ledger.resolver(ticket, NO_REPLY_NEEDED)) == (
		None,
		None,
	)


def test_a_joined_turn_counts_for_nothing_and_gives_its_start() -> None:
	ticket, turn, _ = waiting()
	ledger.end_turn(ticket, turn, NOW + 60_000, "answered", RULES)
	later = ledger.open_turn("v", ticket, NOW - 9, NOW)
	ledger.reopen_turn(ticket, turn)
	ledger.join_turns(ticket, turn, later)
	assert (later.outcome, later.biz_time, later.ended_ms) == (ledger.JOINED, 0, NOW - 9)
	assert turn.started_ms == ticket.waiting_since_ms == NOW - 9
	assert ticket.waited_time == 0
