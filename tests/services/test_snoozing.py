"""A conversation is put aside and comes back: once, by itself; and no clock ever notices."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khalifa_whatsapp.core import records, snooze
from khalifa_whatsapp.core.errors import Changed, NotAllowed, UserError
from khalifa_whatsapp.services.tickets import actions, presence, snoozing
from khalifa_whatsapp.stores.base import StoreUnavailable
from tests.services.harness import MANAGER, MINUTE, Desk

PHONE = "+201001234567"
HOUR = 60 * MINUTE


@pytest.fixture
def desk() -> Desk:
	one = Desk()
	one.online()
	return one


def answered(desk: Desk) -> str:
	ticket = desk.write(PHONE)
	desk.reply(ticket)
	return ticket


def put_aside(desk: Desk, ticket: str, minutes: float | None = 60, reason: str = "") -> records.Ticket:
	until = None if minutes is None else desk.now + round(minutes * MINUTE)
	holder = desk.actor(desk.ticket(ticket).agent or "")
	return snoozing.snooze_ticket(desk.store, holder, ticket, desk.now, until, reason)


def backs(desk: Desk, ticket: str) -> list[str]:
	rows = desk.all(records.TicketEvent)
	return [e.reason for e in rows if e.ticket == ticket and e.event == snoozing.EVENT_BACK]


def test_it_comes_back_at_its_time_once_and_its_holder_is_told(desk: Desk) -> None:
	ticket = answered(desk)
	put_aside(desk, ticket)
	desk.wait(59)
	assert snoozing.bring_back(desk.store, desk.now) == 0
	desk.wait(1)
	desk.notices.clear()
	assert snoozing.bring_back(desk.store, desk.now) == 1
	assert snoozing.bring_back(desk.store, desk.now) == 0
	stored = desk.ticket(ticket)
	assert not snooze.is_snoozed(stored)
	assert (stored.unread_count, stored.status) == (1, records.PENDING)
	assert backs(desk, ticket) == [snooze.TIME]
	notified = [n.user for n in desk.notices if n.data.get("event") == snoozing.EVENT_BACK]
	assert f"{stored.agent}@example.com" in notified


def test_it_comes_back_when_the_customer_writes_and_waits_as_ever(desk: Desk) -> None:
	ticket = answered(desk)
	put_aside(desk, ticket, None)
	desk.wait(600)
	assert snoozing.bring_back(desk.store, desk.now) == 0
	desk.write(PHONE)
	stored = desk.ticket(ticket)
	assert (stored.snoozed_ms, stored.waiting_since_ms, stored.unread_count) == (None, desk.now, 1)
	assert backs(desk, ticket) == [snooze.CUSTOMER]


def test_what_is_owed_needs_a_reason_and_runs_late_all_the_same(desk: Desk) -> None:
	ticket = desk.write(PHONE)
	with pytest.raises(UserError, match="customer waits"):
		put_aside(desk, ticket)
	put_aside(desk, ticket, 120, "the pharmacy calls back at six")
	desk.wait(16)
	delays = desk.all(records.DelayEvent)
	assert {one.kind for one in delays} == {"Agent", "Customer"}
	assert snooze.is_snoozed(desk.ticket(ticket))


def test_a_second_message_of_the_customer_brings_back_what_was_owed(desk: Desk) -> None:
	ticket = desk.write(PHONE)
	since = desk.ticket(ticket).waiting_since_ms
	put_aside(desk, ticket, 120, "later")
	desk.wait(5)
	desk.write(PHONE, "still there?")
	stored = desk.ticket(ticket)
	assert (stored.snoozed_ms, stored.waiting_since_ms) == (None, since)


def test_an_answer_that_never_arrived_brings_it_back(desk: Desk) -> None:
	ticket = desk.write(PHONE)
	message = desk.reply(ticket)
	desk.send()
	put_aside(desk, ticket, None)
	desk.status(message, "failed")
	assert desk.ticket(ticket).waiting_since_ms is not None
	assert not snooze.is_snoozed(desk.ticket(ticket))
	assert backs(desk, ticket) == [snooze.OWED]


def test_it_ends_with_whoever_had_put_it_aside(desk: Desk) -> None:
	ticket = answered(desk)
	holder, other = desk.ticket(ticket).agent, next(a for a in desk.agents if a != desk.ticket(ticket).agent)
	put_aside(desk, ticket)
	actions.transfer(desk.store, desk.actor(holder or ""), ticket, desk.now, "knows it", to_agent=other)
	assert not snooze.is_snoozed(desk.ticket(ticket))
	put_aside(desk, ticket)
	actions.close(desk.store, desk.actor(other), ticket, desk.now)
	assert not snooze.is_snoozed(desk.ticket(ticket))
	actions.reopen(desk.store, desk.actor(other), ticket, desk.now)
	assert not snooze.is_snoozed(desk.ticket(ticket))
	assert backs(desk, ticket) == []


def test_only_its_holder_and_managers_put_it_aside(desk: Desk) -> None:
	ticket = answered(desk)
	other = next(agent for agent in desk.agents if agent != desk.ticket(ticket).agent)
	with pytest.raises(NotAllowed):
		snoozing.snooze_ticket(desk.store, desk.actor(other), ticket, desk.now)
	snoozing.snooze_ticket(desk.store, MANAGER, ticket, desk.now)
	assert snooze.is_snoozed(desk.ticket(ticket))
	snoozing.wake(desk.store, MANAGER, ticket, desk.now)
	with pytest.raises(Changed):
		snoozing.wake(desk.store, MANAGER, ticket, desk.now)
	assert backs(desk, ticket) == [snooze.BY_HAND]


def test_what_nobody_holds_is_in_no_list_to_leave(desk: Desk) -> None:
	for agent in desk.agents:
		desk.offline(agent)
	ticket = desk.write(PHONE)
	with pytest.raises(NotAllowed, match="Take it first"):
		snoozing.snooze_ticket(desk.store, MANAGER, ticket, desk.now, None, "why")


def test_a_crash_in_the_middle_brings_nothing_back_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
	ticket = answered(desk)
	put_aside(desk, ticket)
	desk.wait(61)
	honest = desk.store.save

	def dies(changes: Any) -> None:
		honest(changes)
		raise StoreUnavailable("gone")

	with monkeypatch.context() as broken:
		broken.setattr(desk.store, "save", dies)
		with pytest.raises(StoreUnavailable):
			snoozing.bring_back(desk.store, desk.now)
	assert snooze.is_snoozed(desk.ticket(ticket))
	assert snoozing.bring_back(desk.store, desk.now) == 1
	assert backs(desk, ticket) == [snooze.TIME]


STEPS = st.lists(
	st.sampled_from(
		["snooze", "snooze for ever", "write", "answer", "close", "reopen", "transfer", "leave", "come"]
	),
	max_size=14,
)


def play(steps: list[str], is_snoozing: bool) -> Desk:
	"""The same day, with or without anything being put aside."""
	desk = Desk()
	desk.online()
	ticket = desk.write(PHONE)
	for step in steps:
		desk.wait(7)
		snoozing.bring_back(desk.store, desk.now)
		act(desk, ticket, step, is_snoozing)
		stored = desk.ticket(ticket)
		if snooze.is_snoozed(stored):
			assert stored.agent is not None
			assert stored.status in (records.OPEN, records.PENDING)
			assert stored.waiting_since_ms is None or stored.snooze_reason
			assert stored.snoozed_until_ms is None or stored.snoozed_until_ms > desk.now - MINUTE
	return desk


def act(desk: Desk, ticket: str, step: str, is_snoozing: bool) -> None:
	stored = desk.ticket(ticket)
	other = next(agent for agent in desk.agents if agent != stored.agent)
	until = desk.now + 20 * MINUTE if step == "snooze" else None
	verbs = {
		"write": lambda: desk.write(PHONE),
		"answer": lambda: desk.reply(ticket),
		"close": lambda: actions.close(desk.store, MANAGER, ticket, desk.now),
		"reopen": lambda: actions.reopen(desk.store, MANAGER, ticket, desk.now),
		"transfer": lambda: actions.transfer(desk.store, MANAGER, ticket, desk.now, "go on", to_agent=other),
		"leave": lambda: presence.set_presence(
			desk.store, MANAGER, stored.agent or other, records.OFFLINE, desk.now
		),
		"come": desk.online,
	}
	if is_snoozing:
		verbs["snooze"] = verbs["snooze for ever"] = lambda: snoozing.snooze_ticket(
			desk.store, MANAGER, ticket, desk.now, until, "why"
		)
	with suppress(UserError):
		verbs.get(step, lambda: None)()


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_no_order_of_acts_hides_a_wait(steps: list[str]) -> None:
	with_it, without = play(steps, True), play(steps, False)
	assert figures(with_it) == figures(without)


def figures(desk: Desk) -> list[list[tuple[Any, ...]]]:
	"""All that reports and scores are made of."""
	turns = [(t.started_ms, t.ended_ms, t.outcome, t.biz_time, t.is_delayed) for t in desk.all(records.Turn)]
	parts = [(s.agent, s.from_ms, s.to_ms, s.level, s.end_reason) for s in desk.all(records.Segment)]
	late = [(d.kind, d.agent, d.at_ms, d.closed_ms, d.cause) for d in desk.all(records.DelayEvent)]
	held = [
		(t.status, t.agent, t.waiting_since_ms, t.customer_due_by_ms, t.response_by_ms, t.waited_time)
		for t in desk.all(records.Ticket)
	]
	return [sorted(rows, key=repr) for rows in (turns, parts, late, held)]
