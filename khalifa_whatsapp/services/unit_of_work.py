"""One transaction's work: what it knows, what it changed, who is told.

A use case opens it with `working(store, now_ms)`; whatever it added or touched is written at once when the
block ends without an error, and nothing at all otherwise.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import SYSTEM, Actor
from khalifa_whatsapp.core.arabic import NAME_LIMIT, safe_name
from khalifa_whatsapp.core.content import search_text
from khalifa_whatsapp.core.file_names import safe_file_name
from khalifa_whatsapp.core.keys import Names
from khalifa_whatsapp.core.markup import without_tags
from khalifa_whatsapp.core.settings import BranchRules, Rules
from khalifa_whatsapp.stores.base import Changes, Conflict, Notice, Store

T = TypeVar("T")
# Names need to differ, not to be secret. A forked child must not go on with its parent's numbers.
_random = random.Random()
os.register_at_fork(after_in_child=_random.seed)
_names = Names(_random)


@dataclass(slots=True)
class TurnRows:
	"""The turns at hand, with all their segments and delay events, by turn."""

	turns: dict[str, records.Turn] = field(default_factory=dict)
	segments: dict[str, list[records.Segment]] = field(default_factory=dict)
	delays: dict[str, list[records.DelayEvent]] = field(default_factory=dict)

	def add(self, record: Any) -> None:
		"""Keep a new record of the ledger beside the stored ones."""
		if type(record) is records.Turn:
			self.turns[record.name] = record
			self.segments[record.name], self.delays[record.name] = [], []
		elif type(record) is records.Segment:
			self.segments.setdefault(record.turn, []).append(record)
		elif type(record) is records.DelayEvent:
			self.delays.setdefault(record.turn, []).append(record)


@dataclass(slots=True)
class UnitOfWork:
	"""The unit of work of one use case."""

	store: Store
	rules: Rules
	now_ms: int
	actor: Actor = SYSTEM
	changes: Changes = field(default_factory=Changes)
	agents: dict[str, records.Agent | None] = field(default_factory=dict)
	locked_agents: dict[str, records.Agent | None] = field(default_factory=dict)
	customers: dict[str, records.Customer] = field(default_factory=dict)
	turn_rows: TurnRows = field(default_factory=TurnRows)
	_last_acts: dict[Callable[[UnitOfWork], None], None] = field(default_factory=dict)

	def at_end(self, act: Callable[[UnitOfWork], None]) -> None:
		"""Do this once before all is written, however often it is asked for: what follows from many rows
		is then read together.
		"""
		self._last_acts[act] = None

	def read_customers(self, names: Collection[str]) -> dict[str, records.Customer]:
		"""Customers, locked, each the same object for all who ask within this transaction."""
		missing = set(names) - self.customers.keys()
		if missing:
			self.customers.update(self.store.customers(missing))
		return {name: self.customers[name] for name in names if name in self.customers}

	def agent(self, name: str) -> records.Agent | None:
		"""An agent, read once."""
		if name not in self.agents:
			self.agents[name] = self.store.agent(name)
		return self.agents[name]

	def present_agent(self, name: str) -> records.Agent | None:
		"""An agent as of this moment, locked,
		so that what is written back undoes nobody's coming or going.
		"""
		if name not in self.locked_agents:
			self.locked_agents[name] = self.store.agent(name, locked=True)
		return self.locked_agents[name]

	def read_ahead(self, tickets: Collection[records.Ticket]) -> None:
		"""Read the ledger of many tickets' open turns in four queries instead of four per ticket."""
		self.read_turns({ticket.turn for ticket in tickets if ticket.turn})

	def read_turns(self, names: Collection[str]) -> None:
		"""Read turns with their segments and delay events, those at hand excepted."""
		turns = set(names) - self.turn_rows.turns.keys()
		if not turns:
			return
		self.turn_rows.turns.update(self.store.turns(turns))
		for name in turns:
			self.turn_rows.segments[name], self.turn_rows.delays[name] = [], []
		for segment in self.store.segments_of(turns):
			self.turn_rows.segments[segment.turn].append(segment)
		for delay in self.store.delays_of(turns):
			self.turn_rows.delays[delay.turn].append(delay)

	def open_parts(self, ticket: records.Ticket) -> tuple[records.Turn | None, records.Segment | None]:
		"""The ticket's open turn and segment."""
		if ticket.turn is None:
			return None, None
		self.read_ahead([ticket])
		segments = self.turn_rows.segments.get(ticket.turn, [])
		return self.turn_rows.turns.get(ticket.turn), next(
			(s for s in segments if s.name == ticket.segment), None
		)

	def new_name(self) -> str:
		"""A name for a new record: sorts by time, never guessed twice."""
		return _names.next(self.now_ms)

	def add(self, record: T) -> T:
		"""This record is new."""
		self.changes.created.setdefault(type(record), []).append(record)
		self.turn_rows.add(record)
		return record

	def touch(self, record: Any) -> None:
		"""This stored record changed.

		One added in the same transaction is written with its latest values anyway.
		"""
		self.changes.updated.setdefault(type(record), {})[record.name] = record

	def current(self, stored: list[T]) -> list[T]:
		"""Stored records, each as this transaction has changed it."""
		return [self.changes.updated.get(type(row), {}).get(row.name, row) for row in stored]  # type: ignore[attr-defined]

	def publish(
		self, event: str, data: dict[str, Any], user: str | None = None, role: str | None = None
	) -> None:
		"""Tell a user's (or a role's, or all) open pages after the commit."""
		self.changes.notices.append(Notice(event, data, user, role))

	def mark_day(self, *instants_ms: int | None) -> None:
		"""The days of these instants must be rolled up again."""
		self.changes.dirty_days.update(
			self.rules.calendar.local_date(instant) for instant in instants_ms if instant is not None
		)

	def branch_rules(self, ticket: records.Ticket) -> BranchRules:
		"""Hours and thresholds that apply to a ticket."""
		return self.rules.of_branch(ticket.branch)

	def touch_ticket(self, ticket: records.Ticket) -> None:
		"""A ticket changed: its version tells others that looked at it earlier."""
		ticket.version += 1
		self.touch(ticket)

	def log(self, ticket: records.Ticket, event: str, **fields: Any) -> None:
		"""Add to the ticket's history; some of it is counted, so the day is rolled up again."""
		self.mark_day(self.now_ms)
		self.add(
			records.TicketEvent(
				self.new_name(),
				ticket.name,
				event,
				self.now_ms,
				self.actor.user,
				self.actor.full_name,
				**fields,
			)
		)

	def finish(self) -> None:
		"""Drop updates of records that are new anyway, then write."""
		acts, self._last_acts = self._last_acts, {}
		for act in acts:
			act(self)
		for kind, rows in self.changes.updated.items():
			for record in self.changes.created.get(kind, ()):
				rows.pop(record.name, None)
		created, updated = (
			self.changes.created.get(records.Message, ()),
			self.changes.updated.get(records.Message, {}),
		)
		for message in (*created, *updated.values()):
			_sanitise(message)
		if self.changes:
			self.store.save(self.changes)
			self.changes = Changes()

	def flush(self) -> None:
		"""Write what has changed so far and forget the rows at hand: what follows reads them anew."""
		self.finish()
		self.turn_rows, self.customers = TurnRows(), {}


def _sanitise(message: records.Message) -> None:
	"""What search knows of it; and words of gateways and of customers' phones,
	which Desk shows as they are.
	"""
	message.search_text = search_text(message)
	for name in ("mime_type", "error_code"):
		given = getattr(message, name)
		if given:
			setattr(message, name, safe_name(given))
	if message.media_error:  # our drivers' sentences: their letters stay, or no translation would be found
		message.media_error = without_tags(message.media_error)[:NAME_LIMIT]
	if message.file_name and message.direction == records.INCOMING:
		message.file_name = safe_file_name(message.file_name, fallback="") or None


@contextmanager
def working(store: Store, now_ms: int, actor: Actor = SYSTEM) -> Iterator[UnitOfWork]:
	"""A transaction with its work; written and committed when the block ends well."""
	rules = store.rules()  # before the transaction: its first read must be one that locks
	with store.transaction():
		work = UnitOfWork(store, rules, now_ms, actor)
		yield work
		work.finish()


def retrying(use_case: Callable[[], T], attempts: int = 5, sleep: Callable[[float], None] = time.sleep) -> T:
	"""Run a use case again when another transaction was in its way: 20–200 ms later, a few times."""
	for _ in range(attempts - 1):
		try:
			return use_case()
		except Conflict:
			sleep(_random.uniform(0.02, 0.2))
	return use_case()
