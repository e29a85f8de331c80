"""Deadlines of open waits: they move with the holder, the hours and the limits, and with nothing else."""

from __future__ import annotations

from dataclasses import replace

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.calendar import Calendar, Interval
from khalifa_whatsapp.core.settings import Rules
from khalifa_whatsapp.services.tickets import actions, delays
from tests.services.harness import MINUTE, START, Desk

PHONE, OTHER = "+201001234567", "+201119876543"


def due(desk: Desk, ticket: str) -> tuple[int | None, ...]:
	"""Customer's and agent's deadline, in minutes after the start."""
	record = desk.ticket(ticket)
	moments = (record.customer_due_by_ms, record.response_by_ms)
	return tuple(None if at is None else (at - START) // MINUTE for at in moments)


def limits(desk: Desk, minutes: int) -> None:
	"""Another limit for the company and all branches; nobody is woken."""
	old = desk.store.rules()
	ms = minutes * MINUTE
	branches = {
		name: replace(branch, delay_ms=ms, customer_delay_ms=ms) for name, branch in old.branches.items()
	}
	settings = replace(old.settings, delay_minutes=minutes, customer_delay_minutes=minutes)
	desk.store.set_rules(Rules(settings, old.calendar, branches))


def test_a_transfer_gives_a_fresh_clock_and_the_queue_none() -> None:
	desk = Desk()
	desk.online("A0")
	name = desk.write(PHONE)
	desk.wait(10)
	desk.online("A1")
	actions.transfer(desk.store, desk.actor("A0"), name, desk.now, "why", "A1")
	assert due(desk, name) == (15, 25)
	desk.offline("A0")
	desk.offline("A1")
	assert (desk.ticket(name).status, due(desk, name)) == (records.QUEUED, (15, None))


def test_an_older_message_moves_the_customer_s_deadline_alone() -> None:
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	desk.wait(2)
	desk.write(PHONE, at=START - 3 * MINUTE)
	assert due(desk, name) == (12, 15)


def test_other_limits_reach_open_waits_once_and_in_batches(monkeypatch) -> None:
	monkeypatch.setattr(delays, "BATCH", 2)
	desk = Desk()
	desk.online()
	names = [desk.write(f"+2010012345{number:02}") for number in range(5)]
	limits(desk, 40)
	assert delays.renew_deadlines(desk.store, desk.now, limit=2) == 2
	assert delays.renew_deadlines(desk.store, desk.now) == 3
	assert {due(desk, name) for name in names} == {(40, 40)}
	assert delays.renew_deadlines(desk.store, desk.now) == 0
	desk.wait(16)
	assert desk.all(records.DelayEvent) == []


def test_other_hours_reach_them_too_and_a_closed_conversation_never() -> None:
	desk = Desk()
	desk.online()
	name, closed = desk.write(PHONE), desk.write(OTHER)
	actions.close(desk.store, desk.actor(desk.ticket(closed).agent or ""), closed, desk.now)
	nights = Calendar("Africa/Cairo", tuple(Interval(day, 0, 60) for day in range(7)))
	old = desk.store.rules()
	desk.store.set_rules(
		Rules(old.settings, nights, {n: replace(b, calendar=nights) for n, b in old.branches.items()})
	)
	assert delays.renew_deadlines(desk.store, desk.now) == 1
	assert desk.ticket(name).customer_due_by_ms == nights.due_ms(START, 15 * MINUTE)
	assert due(desk, closed) == (None, None)


def test_a_delay_that_was_written_down_stays_when_the_limit_grows() -> None:
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	desk.wait(16)
	limits(desk, 60)
	delays.renew_deadlines(desk.store, desk.now)
	assert due(desk, name) == (60, 60)
	assert len(desk.all(records.DelayEvent)) == 2
