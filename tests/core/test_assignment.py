"""Who gets the next ticket: never more than fits, near before far, light before heavy, and with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.assignment import RosterEntry, available, choose, is_present
from khalifa_whatsapp.core.calendar import Calendar, Interval
from khalifa_whatsapp.core.records import AWAY, OFFLINE, ONLINE, Agent, Customer, Ticket
from khalifa_whatsapp.core.settings import MINUTE_MS, Settings

NOW = 1_795_160_400_000
SETTINGS = Settings()


def entry(name: str, open: int = 0, pending: int = 0, **fields: object) -> RosterEntry:
	given = {"presence": ONLINE, "heartbeat_ms": NOW, **fields}
	return RosterEntry(Agent(name, f"{name}@x", name, **given), None, open, pending)  # type: ignore[arg-type]


def ticket(**fields: object) -> Ticket:
	return Ticket("t", "c", "d", **fields)  # type: ignore[arg-type]


def chosen(entries: list[RosterEntry], given: Ticket | None = None, last: str | None = None) -> str | None:
	free = available(entries, NOW, SETTINGS)
	choice = choose(given or ticket(), Customer("c", last_agent=last), free, SETTINGS)
	assert choice.reason
	return choice.agent.name if choice.agent else None


entries = st.builds(
	lambda name, open, pending, capacity, branch, last, presence: entry(
		name, open, pending, capacity=capacity, branch=branch, last_assigned_ms=last, presence=presence
	),
	st.sampled_from("abcdef"),
	st.integers(0, 6),
	st.integers(0, 9),
	st.integers(0, 6),
	st.sampled_from([None, "North", "South"]),
	st.sampled_from([None, 1, 2]),
	st.sampled_from([ONLINE, ONLINE, AWAY, OFFLINE]),
)


@given(
	st.lists(entries, max_size=6),
	st.sampled_from([None, "North", "South"]),
	st.booleans(),
	st.sampled_from("abcdef"),
)
def test_whoever_is_chosen_is_there_and_has_room(roster, branch, is_branch_only, last) -> None:
	free = available(roster, NOW, SETTINGS)
	choice = choose(
		ticket(branch=branch, is_branch_only=int(is_branch_only)),
		Customer("c", last_agent=last),
		free,
		SETTINGS,
	)
	fits = [e for e in free if not is_branch_only or (branch and e.agent.branch == branch)]
	assert (choice.agent is None) is (not fits)
	for chosen_entry in (e for e in roster if e.agent is choice.agent):
		assert chosen_entry.agent.presence == ONLINE
		assert chosen_entry.load(SETTINGS) + 1 <= chosen_entry.agent.capacity
		assert not is_branch_only or (branch and chosen_entry.agent.branch == branch)


def test_tickets_that_wait_on_the_customer_weigh_a_quarter() -> None:
	assert entry("a", 2, 3).load(SETTINGS) == 2.75
	assert entry("a", 4, 4, capacity=6).can_take(SETTINGS)
	assert not entry("a", 4, 5, capacity=6).can_take(SETTINGS)
	assert not entry("a", 0, 0, capacity=0).can_take(SETTINGS)


def test_the_agent_the_customer_knows_goes_before_near_and_light() -> None:
	roster = [entry("near", 0, branch="North"), entry("knows", 3, branch="South")]
	assert chosen(roster, ticket(branch="North"), "knows") == "knows"
	assert (
		chosen([entry("near", 0, branch="North"), entry("knows", 6)], ticket(branch="North"), "knows")
		== "near"
	)


def test_the_customer_s_branch_goes_before_lighter_colleagues_elsewhere() -> None:
	roster = [entry("far", 0, branch="South"), entry("near", 4, branch="North")]
	assert chosen(roster, ticket(branch="North")) == "near"
	assert chosen(roster, ticket()) == "far"


def test_a_ticket_handed_to_a_branch_waits_for_that_branch_whoever_is_known() -> None:
	roster = [entry("knows", branch="South"), entry("near", branch="North")]
	assert chosen(roster, ticket(branch="North", is_branch_only=1), "knows") == "near"
	assert chosen(roster[:1], ticket(branch="North", is_branch_only=1), "knows") is None


def test_load_is_measured_against_capacity_and_ties_go_to_who_had_none_longest() -> None:
	assert chosen([entry("small", 1, capacity=2), entry("big", 2, capacity=8)]) == "big"
	assert (
		chosen(
			[entry("a", last_assigned_ms=9), entry("b", last_assigned_ms=5), entry("c", last_assigned_ms=7)]
		)
		== "b"
	)
	assert chosen([entry("a", last_assigned_ms=9), entry("new")]) == "new"
	assert chosen([entry("b"), entry("a")]) == "a"


@pytest.mark.parametrize(
	"absent",
	[
		{"presence": AWAY},
		{"presence": OFFLINE},
		{"enabled": 0},
		{"heartbeat_ms": None},
		{"heartbeat_ms": NOW - 3 * MINUTE_MS - 1},
	],
)
def test_who_is_not_there_gets_nothing(absent) -> None:
	assert chosen([entry("a", **absent)]) is None
	assert chosen([entry("a", heartbeat_ms=NOW - 3 * MINUTE_MS)]) == "a"


def test_who_is_out_of_shift_gets_nothing() -> None:
	inside = entry("a")
	inside.shift = Calendar("UTC", tuple(Interval(day, 0, 24 * 60) for day in range(7)))
	outside = entry("b")
	outside.shift = Calendar("UTC", (Interval((_weekday() + 2) % 7, 600, 660),))
	assert (is_present(inside, NOW, SETTINGS), is_present(outside, NOW, SETTINGS)) == (True, False)


def _weekday() -> int:
	return Calendar.always("UTC").local_date(NOW).weekday()
