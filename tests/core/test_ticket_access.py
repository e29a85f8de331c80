"""The one rule, over every combination of who asks and how the ticket stands."""

from __future__ import annotations

import itertools
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import records, ticket_access
from khalifa_whatsapp.core.actor import SYSTEM, Actor, actor_of
from khalifa_whatsapp.core.ticket_access import Refusal

MONA = Actor("mona", "Mona", "A1", branch="North")
NEIGHBOUR = Actor("noor", "Noor", "A2", branch="North")
ALI = Actor("ali", "Ali", "A3", branch="South")
ROVER = Actor("rami", "Rami", "A4")  # an agent of no branch
DISABLED = actor_of(records.Agent("A1", "mona", "Mona", branch="North", enabled=0))
MANAGER = Actor("huda", "Huda", is_manager=True)
BOSS = Actor("boss", "Boss", "A5", is_manager=True, branch="South")
ACTORS = {
	"system": SYSTEM,
	"mona": MONA,
	"neighbour": NEIGHBOUR,
	"ali": ALI,
	"rover": ROVER,
	"disabled": DISABLED,
	"manager": MANAGER,
	"boss": BOSS,
}
STATES = (records.QUEUED, records.OPEN, records.PENDING, records.CLOSED)
TICKETS = [
	records.Ticket("T", "C", "D", status, agent=agent, branch=branch, is_branch_only=mark)
	for status, agent, branch, mark in itertools.product(
		STATES, (None, "", "A1", "A3", "A5"), (None, "", "North", "South"), (0, 1)
	)
]
VERBS = ("see", "note", "settle", "answer", "transfer", "close", "reopen")


def decide(verb: str, actor: Actor, ticket: records.Ticket) -> ticket_access.Decision:
	return getattr(ticket_access, f"can_{verb}")(actor, ticket)


# Written out by hand, so that nothing is compared with itself: (who, state, holder, handed to) -> what may be
# done
QUEUE_OF_NORTH = {"status": records.QUEUED, "branch": "North", "is_branch_only": 1}
EXPECTED = [
	("mona", {"status": records.QUEUED}, "see note take"),
	("rover", {"status": records.QUEUED}, "see note take"),
	("ali", {"status": records.QUEUED, "branch": "North"}, "see note take"),
	("mona", QUEUE_OF_NORTH, "see note take"),
	("neighbour", QUEUE_OF_NORTH, "see note take"),
	("ali", QUEUE_OF_NORTH, ""),
	("rover", QUEUE_OF_NORTH, ""),
	("disabled", QUEUE_OF_NORTH, ""),
	("disabled", {"status": records.OPEN, "agent": "A1"}, ""),
	("system", {"status": records.QUEUED}, ""),
	("rover", {"status": records.QUEUED, "is_branch_only": 1}, ""),
	("rover", {"status": records.QUEUED, "is_branch_only": 1, "branch": ""}, ""),
	("mona", {"status": records.PENDING}, ""),
	("mona", {"status": records.OPEN, "agent": "A1"}, "see note settle answer transfer close"),
	(
		"mona",
		{"status": records.PENDING, "agent": "A1", "is_branch_only": 1, "branch": "South"},
		"see note settle answer transfer close",
	),
	("mona", {"status": records.CLOSED, "agent": "A1"}, "see note settle reopen"),
	("neighbour", {"status": records.OPEN, "agent": "A1", "branch": "North"}, ""),
	("neighbour", {"status": records.CLOSED, "agent": "A1", "branch": "North"}, ""),
	("manager", QUEUE_OF_NORTH, "see note settle answer transfer close assign"),
	("boss", QUEUE_OF_NORTH, "see note settle answer transfer close assign take"),
	("manager", {"status": records.OPEN, "agent": "A1"}, "see note settle answer transfer close on_behalf"),
	(
		"boss",
		{"status": records.OPEN, "agent": "A1"},
		"see note settle answer transfer close on_behalf take_over",
	),
	("boss", {"status": records.OPEN, "agent": "A5"}, "see note settle answer transfer close"),
	("manager", {"status": records.CLOSED, "agent": "A1"}, "see note settle reopen on_behalf"),
	("manager", {"status": records.CLOSED}, "see note settle reopen"),
]


@pytest.mark.parametrize(("who", "facts", "allowed"), EXPECTED)
def test_each_does_what_is_said_and_nothing_else(who: str, facts: dict[str, object], allowed: str) -> None:
	actor, ticket = ACTORS[who], records.Ticket("T", "C", "D", **facts)  # type: ignore[arg-type]
	verbs = {verb for verb in VERBS if decide(verb, actor, ticket)}
	page = asdict(ticket_access.rights(actor, ticket))
	verbs |= {right for right in ("take", "take_over", "on_behalf") if page[right]}
	if page["assign"] and actor.is_manager:
		verbs.add("assign")
	assert verbs == set(allowed.split())
	assert page["assign"] == bool({"assign", "take"} & verbs)


@pytest.mark.parametrize("who", ACTORS)
def test_who_may_not_even_see_it_does_nothing_and_learns_of_colleagues_at_most(who: str) -> None:
	for ticket in TICKETS:
		actor = ACTORS[who]
		if ticket_access.can_see(actor, ticket):
			continue
		assert not any(asdict(ticket_access.rights(actor, ticket)).values())
		notified = {decide(verb, actor, ticket).refusal for verb in VERBS}
		notified |= {
			ticket_access.can_assign(actor, ticket, agent).refusal for agent in (actor.agent, "A9", None)
		}
		is_held = actor.is_agent and bool(ticket.agent) and ticket.status != records.CLOSED
		colleague = {Refusal.HELD_BY_COLLEAGUE, Refusal.ONLY_MANAGERS_ASSIGN} if is_held else set()
		assert notified == {Refusal.UNSEEN} | colleague


@pytest.mark.parametrize("who", ACTORS)
def test_a_right_needs_the_smaller_ones(who: str) -> None:
	for ticket in TICKETS:
		may = ticket_access.rights(ACTORS[who], ticket)
		sees = bool(ticket_access.can_see(ACTORS[who], ticket))
		assert may.note == sees
		assert not may.settle or sees
		assert may.reply == may.transfer == may.close == (may.settle and ticket.status != records.CLOSED)
		assert not may.reopen or (may.settle and ticket.status == records.CLOSED)
		assert not may.take or (may.assign and ACTORS[who].is_agent)
		assert not may.take_over or (may.on_behalf and may.reply)


@pytest.mark.parametrize("who", ACTORS)
def test_managers_give_any_open_ticket_and_agents_take_for_themselves_only(who: str) -> None:
	for ticket in TICKETS:
		actor = ACTORS[who]
		to_another = ticket_access.can_assign(actor, ticket, "A9")
		if actor.is_manager:
			assert bool(to_another) == (ticket.status != records.CLOSED)
			continue
		assert not to_another
		assert not ticket_access.can_assign(actor, ticket, None)
		assert not ticket_access.can_assign(actor, ticket, "")
		assert bool(ticket_access.can_assign(actor, ticket, actor.agent or "A1")) == ticket_access.can_take(
			actor, ticket
		)


def test_what_a_branch_s_agent_sees_in_the_queue_another_one_of_the_branch_sees() -> None:
	for ticket in (one for one in TICKETS if not one.agent):
		assert bool(ticket_access.can_see(MONA, ticket)) == bool(ticket_access.can_see(NEIGHBOUR, ticket))


BRANCHES = st.sampled_from((None, "", "North", "north", "South"))


@given(st.sampled_from(STATES), st.sampled_from((None, "A1", "A2")), BRANCHES, st.integers(0, 1), BRANCHES)
def test_no_branch_takes_from_another_s_queue_and_a_role_is_needed(
	status: str, holder: str | None, of_ticket: str | None, mark: int, of_agent: str | None
) -> None:
	ticket = records.Ticket("T", "C", "D", status, agent=holder, branch=of_ticket, is_branch_only=mark)
	agent = Actor("a", "A", "A1", branch=of_agent)
	if ticket_access.can_see(agent, ticket) and holder != "A1":
		assert status == records.QUEUED
		assert not mark or of_agent == of_ticket != ""
	assert not ticket_access.can_see(Actor("a", "A", branch=of_agent), ticket)
	assert ticket_access.can_see(Actor("a", "A", is_manager=True), ticket)
