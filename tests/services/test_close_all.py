"""«Close all»: a batch that skips what changed, goes on after a crash, and can be taken back."""

from __future__ import annotations

import pytest

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.errors import NotAllowed, NotFound, UserError
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.services.tickets import actions, bulk_close, delays
from khalifa_whatsapp.stores.base import StoreUnavailable, TicketFilter
from tests.services.harness import MANAGER, START, Desk

PHONES = [f"+2010012345{number:02}" for number in range(30)]


def desk_with(tickets: int, agents: int = 1) -> tuple[Desk, list[str]]:
	desk = Desk(agents=agents, capacity=99)
	desk.online()
	return desk, [desk.write(phone) for phone in PHONES[:tickets]]


def start(desk: Desk, chosen: TicketFilter | None = None) -> records.CloseBatch:
	return bulk_close.start(desk.store, MANAGER, chosen or TicketFilter(), "end of season", desk.now)


def step(desk: Desk, batch: records.CloseBatch) -> records.CloseBatch:
	return bulk_close.step(desk.store, MANAGER, batch.name, desk.now)


def undo(desk: Desk, batch: records.CloseBatch) -> records.CloseBatch:
	return bulk_close.undo(desk.store, MANAGER, batch.name, desk.now)


def items(desk: Desk) -> dict[str, tuple[str, str]]:
	return {item.ticket: (item.result, item.why) for item in desk.all(records.CloseBatchItem)}


def test_agents_are_refused_whatever_they_try():
	desk, (name,) = desk_with(1)
	agent = desk.actor("A0")
	batch = start(desk)
	for act in (
		lambda: bulk_close.start(desk.store, agent, TicketFilter(), "why", desk.now),
		lambda: bulk_close.step(desk.store, agent, batch.name, desk.now),
		lambda: bulk_close.undo(desk.store, agent, batch.name, desk.now),
	):
		with pytest.raises(NotAllowed):
			act()
	assert desk.ticket(name).status == records.OPEN


def test_a_reason_is_needed_and_a_batch_must_exist():
	desk, _ = desk_with(1)
	with pytest.raises(UserError) as refusal:
		bulk_close.start(desk.store, MANAGER, TicketFilter(), "  ", desk.now)
	assert refusal.value.code == "no_reason"
	with pytest.raises(NotFound):
		bulk_close.step(desk.store, MANAGER, "nothing", desk.now)


def test_what_changed_after_the_button_is_skipped_and_reported():
	desk, names = desk_with(6)
	wrote, answered, moved, noted, gone, still = names
	batch = start(desk)
	assert (batch.total, batch.status) == (6, "Running")
	desk.write(PHONES[0], "wait!")
	desk.reply(answered)
	actions.transfer(desk.store, MANAGER, moved, desk.now, "why", to_branch="North")
	answers.note(desk.store, MANAGER, noted, "a note is no change", desk.now)
	actions.close(desk.store, MANAGER, gone, desk.now)
	desk.now += 11 * 60_000
	delays.scan(desk.store, desk.now)  # nor is the look at the clock
	late = desk.write(PHONES[7])
	done = step(desk, batch)
	assert (done.status, done.closed, done.skipped) == ("Done", 2, 4)
	changed = ("Skipped", "changed meanwhile")
	assert items(desk) == {
		wrote: changed,
		answered: changed,
		moved: changed,
		noted: ("Closed", ""),
		gone: ("Skipped", "already closed"),
		still: ("Closed", ""),
	}
	assert desk.ticket(late).open_key is not None
	assert step(desk, batch) == done


def test_a_crash_in_the_middle_is_made_good_by_going_on(monkeypatch):
	monkeypatch.setattr(bulk_close, "CHUNK", 4)
	desk, names = desk_with(10)
	batch = start(desk)
	assert step(desk, batch).closed == 4
	honest = desk.store.save

	def dies(changes):
		honest(changes)
		raise StoreUnavailable("gone")

	desk.store.save = dies  # type: ignore[method-assign]
	with pytest.raises(StoreUnavailable):
		step(desk, batch)
	desk.store.save = honest  # type: ignore[method-assign]
	assert desk.store.close_batch(batch.name).closed == 4
	steps = 0
	while (done := step(desk, batch)).status == "Running":
		steps += 1
	assert (done.closed, done.skipped, steps) == (10, 0, 1)
	assert all(desk.events(name).count("closed") == 1 for name in names)
	assert all(desk.ticket(name).close_batch == batch.name for name in names)


def test_every_step_shows_the_manager_how_far_it_is(monkeypatch):
	monkeypatch.setattr(bulk_close, "CHUNK", 2)
	desk, _ = desk_with(3)
	batch = start(desk)
	desk.notices.clear()
	step(desk, batch), step(desk, batch)
	published = [n.data for n in desk.notices if n.event == "khalifa_whatsapp:close_all"]
	assert [(data["status"], data["closed"], data["total"]) for data in published] == [
		("Running", 2, 3),
		("Done", 3, 3),
	]
	assert {n.user for n in desk.notices if n.event == "khalifa_whatsapp:close_all"} == {MANAGER.user}


def test_undoing_opens_them_again_with_their_waits_and_their_credit():
	desk, (waiting, answered) = desk_with(2)
	desk.wait(3)
	desk.reply(answered)
	before = {name: desk.ticket(name) for name in (waiting, answered)}
	batch = start(desk)
	desk.wait(1)
	step(desk, batch)
	desk.wait(5)
	assert (undo(desk, batch).status, undo(desk, batch).undone) == ("Undone", 2)
	for name, old in before.items():
		ticket = desk.ticket(name)
		kept = (
			"status",
			"open_key",
			"agent",
			"waiting_since_ms",
			"turn",
			"cycle",
			"cycle_replies",
			"repliers",
			"waited_time",
			"first_responded_ms",
			"closed_ms",
			"close_batch",
			"close_reason",
			"is_missed",
			"missed_for",
			"resolved_for",
		)
		assert [getattr(ticket, f) for f in kept] == [getattr(old, f) for f in kept]
	assert desk.ticket(waiting).waiting_since_ms == START
	assert actions.close(desk.store, MANAGER, answered, desk.now).resolved_for == "A0"
	assert desk.events(waiting) == ["created", "assigned", "closed", "reopened"]


def test_undoing_leaves_alone_what_happened_since():
	desk, (wrote, reopened, untouched) = desk_with(3)
	batch = start(desk)
	step(desk, batch)
	desk.wait(1)
	desk.write(PHONES[0], "again")
	actions.reopen(desk.store, MANAGER, reopened, desk.now)
	undo(desk, batch)
	kept = ("Kept", "changed after the batch")
	assert items(desk) == {wrote: kept, reopened: kept, untouched: ("Undone", "")}
	assert desk.ticket(wrote).cycle == 2


def test_undoing_never_opens_a_second_ticket_beside_a_newer_one():
	desk, (old,) = desk_with(1)
	batch = start(desk)
	step(desk, batch)
	desk.wait(25 * 60)
	fresh = desk.write(PHONES[0])
	assert fresh != old
	undo(desk, batch)
	assert (desk.ticket(old).status, items(desk)[old][0]) == (records.CLOSED, "Kept")


def test_undoing_gives_waiting_tickets_of_absent_agents_to_the_queue():
	desk, (name,) = desk_with(1)
	batch = start(desk)
	step(desk, batch)
	desk.offline("A0")
	undo(desk, batch)
	ticket = desk.ticket(name)
	assert (ticket.status, ticket.agent, ticket.waiting_since_ms, ticket.queue_rank) == (
		records.QUEUED,
		None,
		START,
		0,
	)


def test_undoing_in_the_middle_closes_no_more(monkeypatch):
	monkeypatch.setattr(bulk_close, "CHUNK", 2)
	desk, names = desk_with(5)
	batch = start(desk)
	step(desk, batch)
	while undo(desk, batch).status != "Undone":
		pass
	assert step(desk, batch).status == "Undone"
	assert all(desk.ticket(name).open_key for name in names)


def test_a_filter_closes_only_what_it_means():
	desk, names = desk_with(4, agents=2)
	mine = [name for name in names if desk.ticket(name).agent == "A0"]
	batch = start(desk, TicketFilter(agent="A0"))
	assert batch.total == len(mine) == 2
	step(desk, batch)
	assert [name for name in names if desk.ticket(name).status == records.CLOSED] == mine
