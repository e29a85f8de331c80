"""A macro is done whole, once, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khalifa_whatsapp.core import macros, records, snooze
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.macros import Step
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.services.outbound.macros import Helpers, Macro, run
from khalifa_whatsapp.stores.base import StoreUnavailable
from tests.services.harness import Desk

PHONE = "+201001234567"
REPLY, NOTE = Step(macros.REPLY, "we look"), Step(macros.NOTE, "asked twice")
TAG = Step(macros.TAG, tag="VIP")
CLOSE = Step(macros.CLOSE, close_reason="resolved")


@pytest.fixture
def desk() -> Desk:
	one = Desk()
	one.online()
	return one


def tap(desk: Desk, ticket: str, *steps: Step, key: str = "k", agent: str = "") -> bool:
	tags: list[tuple[str, str]] = desk.__dict__.setdefault("tags", [])
	helpers = Helpers(lambda step: Draft(step.text), lambda customer, tag: tags.append((customer, tag)))
	actor = desk.actor(agent or desk.ticket(ticket).agent or "")
	return run(desk.store, actor, ticket, Macro("Thanks", steps), helpers, key, desk.now)


def test_all_steps_are_done_by_one_tap(desk: Desk) -> None:
	ticket = desk.write(PHONE)
	assert tap(desk, ticket, REPLY, NOTE, TAG, CLOSE)
	stored = desk.ticket(ticket)
	assert (stored.status, stored.close_reason, stored.resolved_for) == (
		records.CLOSED,
		"resolved",
		stored.agent,
	)
	ours = [m for m in desk.all(records.Message) if m.direction == records.OUTGOING]
	assert [(m.origin, m.body) for m in ours] == [
		(records.AGENT, "we look"),
		(records.NOTE, "asked twice"),
	]
	assert desk.tags == [(stored.customer, "VIP")]  # type: ignore[attr-defined]
	assert sorted(desk.events(ticket)) == ["assigned", "closed", "created", "macro"]
	assert desk.all(records.Turn)[0].outcome == records.ANSWERED
	assert desk.send().sent == 1


def test_one_tap_is_one_run(desk: Desk) -> None:
	ticket = desk.write(PHONE)
	assert tap(desk, ticket, REPLY, NOTE)
	assert not tap(desk, ticket, REPLY, NOTE)
	assert len(desk.all(records.Message)) == 3
	assert tap(desk, ticket, NOTE, key="another")


def test_a_step_that_can_t_be_done_is_named_and_nothing_is(desk: Desk) -> None:
	ticket = desk.write(PHONE)
	before = [desk.all(kind) for kind in records.RECORDS]
	desk.notices.clear()
	gone = Step(macros.TRANSFER, "go on", to_agent="A9")
	with pytest.raises(UserError, match="step 3: There is no such agent") as error:
		tap(desk, ticket, REPLY, NOTE, gone)
	assert error.value.code == "macro_no_such_agent"
	assert [desk.all(kind) for kind in records.RECORDS] == before
	assert desk.notices == []


def test_nobody_does_by_a_macro_what_is_not_allowed(desk: Desk) -> None:
	ticket = desk.write(PHONE)
	other = next(agent for agent in desk.agents if agent != desk.ticket(ticket).agent)
	for step in (REPLY, NOTE, CLOSE, Step(macros.SNOOZE, "why")):
		with pytest.raises(UserError):
			tap(desk, ticket, step, agent=other)
	with pytest.raises(UserError, match="at least one"):
		tap(desk, ticket)


def test_a_snooze_and_a_transfer_are_done_as_by_hand(desk: Desk) -> None:
	ticket = desk.write(PHONE)
	with pytest.raises(UserError, match="customer waits"):
		tap(desk, ticket, Step(macros.SNOOZE, minutes=60))
	assert tap(desk, ticket, REPLY, Step(macros.SNOOZE, minutes=60))
	assert desk.ticket(ticket).snoozed_until_ms == desk.now + 3_600_000
	assert tap(desk, ticket, Step(macros.TRANSFER, "night shift", to_branch="North"), key="2")
	stored = desk.ticket(ticket)
	assert (stored.status, stored.branch, snooze.is_snoozed(stored)) == (records.QUEUED, "North", False)


def test_a_crash_in_the_middle_leaves_nothing_and_the_next_tap_does_it_once(
	desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
	ticket = desk.write(PHONE)
	honest, calls = desk.store.save, []

	def dies(changes: Any) -> None:
		honest(changes)
		calls.append(1)
		if len(calls) == 3:
			raise StoreUnavailable("gone")

	with monkeypatch.context() as broken:
		broken.setattr(desk.store, "save", dies)
		with pytest.raises(StoreUnavailable):
			tap(desk, ticket, REPLY, NOTE, CLOSE)
	assert len(desk.all(records.Message)) == 1
	assert tap(desk, ticket, REPLY, NOTE, CLOSE)
	assert not tap(desk, ticket, REPLY, NOTE, CLOSE)
	assert len(desk.all(records.Message)) == 3


@settings(max_examples=40, deadline=None)
@given(
	st.lists(
		st.sampled_from(
			[REPLY, NOTE, TAG, CLOSE, Step(macros.SNOOZE), Step(macros.TRANSFER, "x", to_agent="A1")]
		),
		min_size=1,
		max_size=5,
	)
)
def test_whole_or_not_at_all(steps: list[Step]) -> None:
	desk = Desk()
	desk.online("A0")
	ticket = desk.write(PHONE)
	before = [desk.all(kind) for kind in records.RECORDS]
	try:
		tap(desk, ticket, *steps)
	except UserError:
		assert [desk.all(kind) for kind in records.RECORDS] == before
	else:
		assert "macro" in desk.events(ticket)
		made = len(desk.all(records.Message)) - 1
		assert made == sum(step.action in (macros.REPLY, macros.NOTE) for step in steps)
