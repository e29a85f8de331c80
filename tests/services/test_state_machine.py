"""Days at the desk that nobody planned: after every step the ledger,
the queue and the history still agree.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from khalifa_whatsapp.core import deadlines, ledger, records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.keys import open_key
from khalifa_whatsapp.core.metrics import SUMS
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.drivers.loopback import message_item, status_item
from khalifa_whatsapp.services import kpi
from khalifa_whatsapp.services.inbound.fields import FUTURE_MS
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.services.tickets import actions, bulk_close, presence
from khalifa_whatsapp.stores.base import StoreUnavailable, TicketFilter
from tests.services.harness import MANAGER, MINUTE, START, Desk

PHONES = [f"+20100123456{number}" for number in range(3)]
HANDED_ON = {"assigned", "transferred", "requeued"}  # the next segment begins where such a one ends
FAILURES = {
	"refused": base.Retryable("refused"),
	"recipient": base.RecipientError("not on WhatsApp"),
	"unknown": base.UnknownOutcome("timed out"),
	"auth": base.AuthError("token expired"),
}


@dataclass
class Span:
	"""Messages that one act of ours dealt with: an answer, or an ending without one."""

	sent: list[int]
	how: str
	cycle: int
	answer: str | None = None


@dataclass
class Customer:
	"""The definition of waiting, without turns: what came in, and what dealt with it."""

	cycle: int = 0
	is_open: bool = False
	unanswered: list[int] = field(default_factory=list)
	spans: list[Span] = field(default_factory=list)
	replies: dict[str, bool] = field(default_factory=dict)  # message: stands; in order

	def wrote(self, sent_ms: int) -> None:
		if not self.is_open:
			self.cycle, self.is_open = self.cycle + 1, True
		self.unanswered.append(sent_ms)

	def dealt(self, how: str, answer: str | None = None) -> None:
		self.spans.append(Span(self.unanswered, how, self.cycle, answer))
		self.unanswered = []
		if answer:
			self.replies[answer] = True

	def closed(self, how: str) -> None:
		self.dealt(how)
		self.is_open = False

	def reopened(self, is_undo: bool) -> None:
		last = self.spans[-1]
		self.is_open = True
		if last.how in ("closed", "bulk"):
			self.unanswered = self.spans.pop().sent
		self.cycle += not is_undo

	def failed(self, answer: str) -> None:
		self.replies[answer] = False
		names = list(self.replies)
		standing = max((n for n, name in enumerate(names) if self.replies[name]), default=-1)
		lost = set(names[standing + 1 :])
		broken = [s for s in self.spans if s.sent and s.answer in lost and s.cycle == self.cycle]
		if not self.is_open:
			if not broken or self.spans[-1].how in ("bulk", "spam"):
				return
			self.reopened(is_undo=True)
		for span in broken:
			self.spans.remove(span)
			self.unanswered += span.sent

	@property
	def waiting_since_ms(self) -> int | None:
		return min(self.unanswered, default=None)


class DeskMachine(RuleBasedStateMachine):
	"""Customers, agents, a manager, a gateway and a clock do what they like."""

	@initialize(capacity=st.integers(1, 3))
	def open_the_desk(self, capacity: int) -> None:
		self.desk = Desk(agents=2, capacity=capacity)
		self.model = {phone: Customer() for phone in PHONES}
		self.waiting: list[dict[str, Any]] = []  # delivered, not yet taken in
		self.taken: list[dict[str, Any]] = []
		self.known: set[str] = set()
		self.history: list[records.TicketEvent] = []
		self.batch: str | None = None
		self.phone_of: dict[str, str] = {}

	# -- the gateway

	@rule(
		phone=st.sampled_from(PHONES), ago=st.sampled_from([0, 0, 0, 30, 600, -30, -3600]), take=st.booleans()
	)
	def customer_writes(self, phone: str, ago: int, take: bool) -> None:
		self.desk.keys += 1
		item = message_item(phone, "hello", f"in-{self.desk.keys}", self.desk.now - ago * 1000, "Customer")
		self.deliver(item, take)

	@precondition(lambda self: self.taken)
	@rule(data=st.data(), take=st.booleans())
	def gateway_repeats_itself(self, data: st.DataObject, take: bool) -> None:
		again = dict(data.draw(st.sampled_from(self.taken)))
		again["again"] = len(self.taken) + len(self.waiting)  # another body, so another delivery
		self.deliver(again, take)

	@precondition(lambda self: self.sent())
	@rule(data=st.data(), status=st.sampled_from(["sent", "delivered", "read", "failed"]))
	def gateway_reports(self, data: st.DataObject, status: str) -> None:
		message = data.draw(st.sampled_from(self.sent()))
		self.deliver(status_item(message.gateway_id or "", status, self.desk.now), take=True)

	@rule(where=st.sampled_from(["finish_webhook_events", "save"]))
	def database_goes_away_in_the_middle(self, where: str) -> None:
		before = self.dump()
		honest = getattr(self.desk.store, where)

		def dies(*args: Any) -> None:
			honest(*args)
			raise StoreUnavailable("gone")

		setattr(self.desk.store, where, dies)
		notice_count = len(self.desk.notices)
		try:
			self.desk.take()
		except StoreUnavailable:
			assert self.waiting
		setattr(self.desk.store, where, honest)
		assert self.dump() == before
		assert len(self.desk.notices) == notice_count

	@rule()
	def drain(self) -> None:
		self.take()

	@rule(failure=st.sampled_from([None, None, *FAILURES]))
	def sender_runs(self, failure: str | None) -> None:
		if failure:
			self.desk.driver.failures.append(FAILURES[failure])
		self.noting_failures(self.desk.send)
		self.desk.driver.failures.clear()

	# -- people

	@precondition(lambda self: self.tickets(agent=True))
	@rule(data=st.data())
	def agent_replies(self, data: st.DataObject) -> None:
		ticket = data.draw(st.sampled_from(self.tickets(agent=True)))
		self.answered(ticket, self.desk.reply(ticket.name))

	@precondition(lambda self: self.tickets())
	@rule(data=st.data())
	def manager_replies(self, data: st.DataObject) -> None:
		ticket = data.draw(st.sampled_from(self.tickets()))
		self.desk.keys += 1
		sent = answers.reply(
			self.desk.store, MANAGER, ticket.name, "boss", f"k{self.desk.keys}", self.desk.now
		)
		self.answered(ticket, sent)

	@precondition(lambda self: self.tickets())
	@rule(data=st.data(), to=st.sampled_from(["A0", "A1", "North"]), by_manager=st.booleans())
	def ticket_moves(self, data: st.DataObject, to: str, by_manager: bool) -> None:
		ticket = data.draw(st.sampled_from(self.tickets()))
		actor = MANAGER if by_manager else self.desk.actor(ticket.agent or to)
		where = {"to_branch" if to == "North" else "to_agent": to}
		self.trying(
			lambda: actions.transfer(self.desk.store, actor, ticket.name, self.desk.now, "why", **where)
		)

	@precondition(lambda self: self.tickets())
	@rule(data=st.data(), agent=st.sampled_from(["A0", "A1"]), by_manager=st.booleans())
	def ticket_is_taken(self, data: st.DataObject, agent: str, by_manager: bool) -> None:
		ticket = data.draw(st.sampled_from(self.tickets()))
		actor = MANAGER if by_manager else self.desk.actor(agent)
		self.trying(lambda: actions.assign(self.desk.store, actor, ticket.name, agent, self.desk.now))

	@precondition(lambda self: self.tickets())
	@rule(data=st.data(), reason=st.sampled_from(["resolved", "spam", "no_reply_needed"]))
	def ticket_is_closed(self, data: st.DataObject, reason: str) -> None:
		ticket = data.draw(st.sampled_from(self.tickets()))
		actions.close(self.desk.store, MANAGER, ticket.name, self.desk.now, reason)
		self.of(ticket).closed("closed" if reason == "resolved" else reason)

	@precondition(lambda self: self.tickets(closed=True))
	@rule(data=st.data())
	def ticket_is_opened_again(self, data: st.DataObject) -> None:
		ticket = data.draw(st.sampled_from(self.tickets(closed=True)))
		if self.trying(lambda: actions.reopen(self.desk.store, MANAGER, ticket.name, self.desk.now)):
			self.of(ticket).reopened(is_undo=False)

	@precondition(lambda self: self.tickets())
	@rule(data=st.data())
	def no_reply_is_needed(self, data: st.DataObject) -> None:
		ticket = data.draw(st.sampled_from(self.tickets()))
		actions.no_reply_needed(self.desk.store, MANAGER, ticket.name, self.desk.now)
		self.of(ticket).dealt("no_reply_needed")

	@rule()
	def manager_closes_all(self) -> None:
		store = self.desk.store
		self.batch = bulk_close.start(store, MANAGER, TicketFilter(), "end of day", self.desk.now).name
		meant = self.tickets()
		assert bulk_close.step(store, MANAGER, self.batch, self.desk.now).closed == len(meant)
		for ticket in meant:
			self.of(ticket).closed("bulk")

	@precondition(lambda self: self.batch)
	@rule()
	def manager_undoes_it(self) -> None:
		assert self.batch is not None
		bulk_close.undo(self.desk.store, MANAGER, self.batch, self.desk.now)
		for item in self.desk.store.batch_items(self.batch, "Undone", 99):
			self.of(self.desk.ticket(item.ticket)).reopened(is_undo=True)
		self.batch = None

	@rule(
		agent=st.sampled_from(["A0", "A1"]),
		state=st.sampled_from([records.ONLINE, records.ONLINE, records.AWAY, records.OFFLINE]),
	)
	def agent_comes_or_goes(self, agent: str, state: str) -> None:
		presence.set_presence(self.desk.store, Actor(), agent, state, self.desk.now)

	# -- time

	@rule(minutes=st.sampled_from([1, 5, 8, 16, 31, 600]))
	def time_passes(self, minutes: int) -> None:
		self.desk.wait(minutes, scan=True)
		self.check_assignments()

	@rule()
	def queue_is_handed_out(self) -> None:
		self.check_assignments()

	@rule()
	def pages_fall_silent(self) -> None:
		self.desk.now += 11 * MINUTE
		presence.sweep(self.desk.store, self.desk.now)
		assert {entry.agent.presence for entry in self.desk.store.roster()} == {records.OFFLINE}

	@rule()
	def measures_are_rolled_up(self) -> None:
		kpi.rollup_dirty(self.desk.store, self.desk.now)
		rows = self.desk.all(records.AgentKpi)
		assert self.desk.store.dirty_days(9) == []
		for period, roll in (("Daily", kpi.rollup_day), ("Monthly", kpi.rollup_month)):
			for start in {row.start_date for row in rows if row.period == period}:
				roll(self.desk.store, date.fromisoformat(start), self.desk.now)
		assert [_fixed(row) for row in self.desk.all(records.AgentKpi)] == [_fixed(row) for row in rows]
		self.check_months(rows)

	# -- invariants

	@invariant()
	def waiting_is_what_it_is_defined_to_be(self) -> None:
		for phone, customer in self.model.items():
			tickets = [t for t in self.all_tickets() if self.phone(t) == phone and t.open_key is not None]
			assert len(tickets) == customer.is_open, phone
			for ticket in tickets:
				assert ticket.waiting_since_ms == customer.waiting_since_ms

	@invariant()
	def a_ticket_s_state_says_who_holds_it_and_who_waits(self) -> None:
		present = {e.agent.name: e.agent.presence for e in self.desk.store.roster()}
		for ticket in self.all_tickets():
			is_open = ticket.open_key is not None
			assert is_open is False or ticket.open_key == open_key(ticket.customer, ticket.device)
			assert (ticket.status == records.CLOSED) is (ticket.closed_ms is not None) is (not is_open)
			if is_open:
				waits = ticket.waiting_since_ms is not None
				assert ticket.status == (
					records.QUEUED if ticket.agent is None else records.OPEN if waits else records.PENDING
				)
			assert ticket.status != records.OPEN or present[ticket.agent or ""] != records.OFFLINE
			assert (ticket.queued_since_ms is not None) is (ticket.status == records.QUEUED)

	@invariant()
	def the_open_turn_has_one_open_segment_and_both_are_the_ticket_s(self) -> None:
		turns, segments = self.ledger()
		open_turns = {turn.ticket: turn for turn in turns if turn.ended_ms is None}
		open_segments = {s.ticket: s for s in segments if s.to_ms is None}
		assert len(open_turns) == sum(turn.ended_ms is None for turn in turns)
		assert len(open_segments) == sum(s.to_ms is None for s in segments)
		for ticket in self.all_tickets():
			turn, segment = open_turns.get(ticket.name), open_segments.get(ticket.name)
			assert (ticket.turn, ticket.segment) == (turn and turn.name, segment and segment.name)
			assert ticket.waiting_since_ms == (turn and turn.started_ms)
			assert (segment and segment.agent) == (ticket.agent if turn else None)
			assert segment is None or (turn is not None and segment.turn == turn.name)
			assert ticket.next_check_ms == self.next_look(turn, segment)
			moments = (
				ticket.customer_due_by_ms,
				ticket.response_by_ms,
				ticket.due_by_ms,
				ticket.late_soon_ms,
			)
			assert moments == self.moments(turn, segment)
			ended = [
				t.biz_time
				for t in turns
				if t.ticket == ticket.name and t.ended_ms and t.outcome != ledger.JOINED
			]
			assert ticket.waited_time == sum(ended)

	@invariant()
	def segments_follow_each_other_and_add_up(self) -> None:
		turns, segments = self.ledger()
		by_turn = defaultdict(list)
		for segment in sorted(segments, key=lambda s: s.name):
			assert segment.to_ms is None or segment.to_ms >= segment.from_ms
			by_turn[segment.turn].append(segment)
		for turn in turns:
			parts = by_turn[turn.name]
			assert bool(parts) is (turn.outcome != ledger.JOINED)
			if any(part.end_reason not in HANDED_ON for part in parts[:-1]):
				continue  # an answer failed or a closing was undone: what lies between is nobody's
			assert all(one.to_ms == two.from_ms for one, two in pairwise(parts))
			if turn.ended_ms and parts and parts[0].from_ms == turn.started_ms:
				assert turn.biz_time == sum(part.biz_time or 0 for part in parts)

	@invariant()
	def history_only_grows_and_closings_and_reopenings_alternate(self) -> None:
		events = self.desk.all(records.TicketEvent)
		assert events[: len(self.history)] == self.history
		self.history = events
		steps = defaultdict(list)
		for event in events:
			if event.event in ("created", "closed", "reopened"):
				steps[event.ticket].append(event.event)
		for ticket in self.all_tickets():
			taken = steps[ticket.name]
			assert taken == ["created", *["closed", "reopened"] * len(taken)][: len(taken)]
			assert (taken[-1] == "closed") is (ticket.open_key is None)

	@invariant()
	def delays_are_those_of_the_ledger(self) -> None:
		turns, segments = self.ledger()
		events = self.desk.all(records.DelayEvent)
		charged = {e.segment for e in events if e.kind == "Agent"}
		assert charged == {s.name for s in segments if s.level >= deadlines.DELAYED}
		assert charged == {s.name for s in segments if s.delayed_ms is not None}
		assert {e.turn for e in events if e.kind == "Customer"} == {t.name for t in turns if t.is_delayed}
		waiting = {s.name for s in segments if s.to_ms is None}
		assert {e.segment for e in events if e.kind == "Agent" and e.closed_ms is None} == charged & waiting

	def teardown(self) -> None:
		if hasattr(self, "desk"):
			self.take()
			self.measures_are_rolled_up()

	# -- helpers

	def deliver(self, item: dict[str, Any], take: bool) -> None:
		self.desk.deliver(item, take=False)
		self.waiting.append({**item, "received": self.desk.now})
		if take:
			self.take()

	def take(self) -> None:
		self.noting_failures(self.desk.take)

	def noting_failures(self, act: Any) -> None:
		before = {m.name: m.status for m in self.desk.all(records.Message)}
		act()
		for item in self.waiting if act == self.desk.take else ():
			if item["type"] == "message" and item["id"] not in self.known:
				self.known.add(item["id"])
				self.model[item["from"]].wrote(min(item["at_ms"], item["received"] + FUTURE_MS))
			if "again" not in item:
				self.taken.append({key: value for key, value in item.items() if key != "received"})
		if act == self.desk.take:
			self.waiting = []
		for message in self.desk.all(records.Message):
			if (
				message.status == records.FAILED
				and before.get(message.name, records.FAILED) != records.FAILED
			):
				self.of(self.desk.ticket(message.ticket)).failed(message.name)

	def answered(self, ticket: records.Ticket, message: records.Message) -> None:
		self.of(ticket).dealt("answered", message.name)

	def trying(self, act: Any) -> bool:
		before = self.dump()
		try:
			act()
		except UserError:
			assert self.dump() == before
			return False
		return True

	def check_assignments(self) -> None:
		given = {assigned.agent for assigned in self.desk.assign()}
		for entry in self.desk.store.roster():
			if entry.agent.name in given:
				assert entry.load(self.desk.settings) <= entry.agent.capacity
				assert entry.agent.presence == records.ONLINE

	def check_months(self, rows: list[records.AgentKpi]) -> None:
		sums = [name for name in SUMS if name != "online_time"]
		for agent in {row.agent for row in rows}:
			of_agent = [row for row in rows if row.agent == agent]
			for month in [row for row in of_agent if row.period == "Monthly"]:
				days = [
					k for k in of_agent if k.period == "Daily" and k.start_date[:7] == month.start_date[:7]
				]
				assert {f: getattr(month, f) for f in sums} == {
					f: sum(getattr(k, f) for k in days) for f in sums
				}

	def next_look(self, turn: records.Turn | None, segment: records.Segment | None) -> int | None:
		"""The next threshold, said without the code under test; the calendar here is the wall clock."""
		due = []
		if turn is not None and not turn.is_delayed:
			due.append(turn.started_ms + 15 * MINUTE + 1)
		if segment is not None and segment.agent is not None and segment.level < 3:
			steps = (round(10.5 * MINUTE), 15 * MINUTE + 1, 30 * MINUTE + 1)
			due.append(segment.from_ms + steps[segment.level])
		return min(due, default=None)

	def moments(self, turn: records.Turn | None, segment: records.Segment | None) -> tuple[int | None, ...]:
		"""The deadlines, said without the code under test and without what the minute job has told whom."""
		if turn is None:
			return (None,) * 4
		starts = [turn.started_ms]
		if segment is not None and segment.agent is not None:
			starts.append(segment.from_ms)
		due = [start + 15 * MINUTE for start in starts]
		return due[0], due[1] if len(due) > 1 else None, min(due), min(starts) + round(10.5 * MINUTE)

	def sent(self) -> list[records.Message]:
		"""Answers that a gateway may still speak of; after a failure it is silent."""
		if not hasattr(self, "desk"):
			return []
		return [
			m
			for m in self.desk.all(records.Message)
			if m.status in (records.SENT, records.DELIVERED, records.READ)
		]

	def all_tickets(self) -> list[records.Ticket]:
		return self.desk.all(records.Ticket) if hasattr(self, "desk") else []

	def tickets(self, closed: bool = False, agent: bool = False) -> list[records.Ticket]:
		tickets = [t for t in self.all_tickets() if (t.open_key is None) is closed]
		if closed:
			latest = {self.desk.ticket_of(phone).name for phone in {self.phone(t) for t in tickets}}
			return [t for t in tickets if t.name in latest]
		return [t for t in tickets if t.agent] if agent else tickets

	def ledger(self) -> tuple[list[records.Turn], list[records.Segment]]:
		return (
			(self.desk.all(records.Turn), self.desk.all(records.Segment))
			if hasattr(self, "desk")
			else ([], [])
		)

	def phone(self, ticket: records.Ticket) -> str:
		if ticket.customer not in self.phone_of:
			self.phone_of = {c.name: c.phone for c in self.desk.all(records.Customer)}
		return self.phone_of[ticket.customer]

	def of(self, ticket: records.Ticket) -> Customer:
		return self.model[self.phone(ticket)]

	def dump(self) -> list[list[Any]]:
		return [self.desk.all(kind) for kind in records.RECORDS]


def _fixed(row: records.AgentKpi) -> list[Any]:
	"""What a second look may not change; whoever is online now has been so for longer then."""
	return [
		getattr(row, name)
		for name in records.AgentKpi.__slots__
		if name not in ("computed_ms", "online_time")
	]


TestDesk = DeskMachine.TestCase
TestDesk.settings = settings(
	max_examples=150,
	stateful_step_count=40,
	deadline=None,
	suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def test_the_clock_starts_on_a_full_second_so_that_lengths_add_up():
	assert START % 1000 == 0
	assert pytest.approx(10.5 * MINUTE) == 15 * MINUTE * 0.7
