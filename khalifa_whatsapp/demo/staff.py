"""How the people of a simulated company work: they come and go, take up who has waited longest, answer,
transfer, close; and their manager steps in.

All they do is done by the use cases of the app, on whatever store they are given. What is said, and whether a
conversation goes on, is up to who plays the customers (`Dialogue`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, NamedTuple, Protocol

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import SYSTEM, Actor, actor_of
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.settings import MINUTE_MS
from khalifa_whatsapp.demo import texts
from khalifa_whatsapp.demo.clock import Agenda, Clock
from khalifa_whatsapp.demo.company import MANAGER_NAME, OWNER
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.services.tickets import actions, bulk_close, presence
from khalifa_whatsapp.stores.base import Store, TicketFilter

MANAGER = Actor(OWNER, MANAGER_NAME, None, is_manager=True)
PACE = (70, 200)  # between these lie the agents' median seconds to read, look on the shelf and type
TRANSFER_RATE, NOTE_RATE = 0.04, 0.03
NO_REPLY_RATE = 0.8  # how often what asks for no answer gets none
ROUND_MS = 10 * MINUTE_MS  # how often the manager looks around
RESCUE_AFTER_MS = 30 * MINUTE_MS
WAITING = (
	"SELECT t.name, t.agent, t.waiting_since_ms, t.preview, c.phone FROM `tabKhalifa Ticket` t "
	"JOIN `tabKhalifa Customer` c ON c.name = t.customer "
	"WHERE t.status = 'Open' AND t.agent IS NOT NULL ORDER BY t.waiting_since_ms, t.name"
)


class OpenStore(Store, Protocol):
	"""A store that can also be asked in SQL, for showing and for checking."""

	def rows(self, sql: str, values: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
		"""Run a reading statement."""


class Waiting(NamedTuple):
	"""A ticket whose customer waits for its agent."""

	ticket: str
	agent: str
	since_ms: int
	preview: str
	phone: str | None  # None: the customer hides it


class Dialogue(Protocol):
	"""The customers' side of the conversations, as far as the staff notices it."""

	def is_unattended(self, waiting: Waiting) -> bool:
		"""Whether nobody answers: it is there to be seen waiting."""

	def answers(self, waiting: Waiting) -> list[str]:
		"""The texts to answer with; none when nothing was asked."""

	def answered(self, waiting: Waiting) -> None:
		"""It was answered: let the customer go on, or the conversation be closed (`Staff.close_later`)."""


@dataclass(slots=True)
class Worker:
	"""An agent at work: one customer at a time."""

	agent: records.Agent
	actor: Actor
	pace: float  # median seconds per answer
	presence: str = records.OFFLINE
	is_busy: bool = False


@dataclass(slots=True)
class Counts:
	"""What the staff did, and how often the rules refused it."""

	replies: int = 0
	transfers: int = 0
	closed: int = 0
	no_replies: int = 0
	notes: int = 0
	rescues: int = 0
	refused: int = 0


class Staff:
	"""All agents of a company, and the manager.

	`has_moved` is set when tickets may have to be assigned, `has_replied` when there is something to be sent;
	whoever sees to it takes them back.
	"""

	distracted_rate = 0.03  # how often an answer takes a quarter of an hour and more: a shop full of people

	def __init__(
		self,
		store: OpenStore,
		agents: Iterable[records.Agent],
		clock: Clock,
		agenda: Agenda,
		rng: Random,
		dialogue: Dialogue,
	) -> None:
		self.store, self.clock, self.agenda, self.rng, self.dialogue = store, clock, agenda, rng, dialogue
		self.workers = {agent.name: Worker(agent, actor_of(agent), rng.uniform(*PACE)) for agent in agents}
		self.counts = Counts()
		self.has_moved = self.has_replied = False
		self._keys = 0

	# -- coming and going
	def expect(self, coming: Iterable[tuple[int, str, str]]) -> None:
		"""Let people come and go: (due in epoch milliseconds, user, presence)."""
		by_user = {worker.agent.user: worker for worker in self.workers.values()}
		for due_ms, user, term in coming:
			self.agenda.add(due_ms, partial(self.set_presence, by_user[user], term))

	def set_presence(self, worker: Worker, term: str) -> None:
		"""Somebody comes, takes a break or leaves."""
		worker.presence, self.has_moved = term, True
		presence.set_presence(self.store, SYSTEM, worker.agent.name, term, self.clock.now_ms)

	def go_home(self) -> None:
		"""Everybody leaves."""
		for worker in self.workers.values():
			self.set_presence(worker, records.OFFLINE)

	# -- answering
	def take_up(self) -> None:
		"""Whoever is free takes up the customer who has waited longest for him or her."""
		free = {w.agent.name for w in self.workers.values() if not w.is_busy and w.presence == records.ONLINE}
		if not free:
			return
		for waiting in self.waiting():
			if waiting.agent in free and not self.dialogue.is_unattended(waiting):
				free.discard(waiting.agent)
				worker = self.workers[waiting.agent]
				worker.is_busy = True
				done_ms = self.clock.now_ms + self._effort_ms(worker)
				self.agenda.add(done_ms, partial(self.finish, worker, waiting))

	def waiting(self) -> list[Waiting]:
		"""Customers who wait for an agent, the longest wait first."""
		return [Waiting(*row) for row in self.store.rows(WAITING)]

	def _effort_ms(self, worker: Worker) -> int:
		if self.rng.random() < self.distracted_rate:
			return self.rng.randrange(16, 42) * MINUTE_MS
		return round(1000 * worker.pace * math.exp(self.rng.gauss(0, 0.75)))

	def finish(self, worker: Worker, waiting: Waiting) -> None:
		"""The answer is ready: give it, if the ticket is still this agent's and open."""
		worker.is_busy = False
		ticket = self.store.tickets([waiting.ticket]).get(waiting.ticket)
		if ticket is not None and ticket.agent == worker.agent.name and ticket.status == records.OPEN:
			self._attempt(partial(self._handle, worker, waiting))

	def _handle(self, worker: Worker, waiting: Waiting) -> None:
		if self.rng.random() < TRANSFER_RATE:
			self._transfer(worker, waiting.ticket)
			return
		if self.rng.random() < NOTE_RATE:
			note = self.rng.choice(texts.NOTES)
			answers.note(self.store, worker.actor, waiting.ticket, note, self.clock.now_ms)
			self.counts.notes += 1
		bodies = self.dialogue.answers(waiting)
		for place, body in enumerate(bodies):
			self.reply(worker.actor, waiting.ticket, body, self.clock.now_ms + 4000 * place)
		if not bodies:
			self._round_off(worker, waiting.ticket)
		self.dialogue.answered(waiting)

	def _round_off(self, worker: Worker, ticket: str) -> None:
		if self.rng.random() < NO_REPLY_RATE:
			actions.no_reply_needed(self.store, worker.actor, ticket, self.clock.now_ms)
			self.counts.no_replies += 1
		else:
			self.reply(worker.actor, ticket, texts.WELCOME, self.clock.now_ms)

	def reply(self, actor: Actor, ticket: str, body: str, now_ms: int) -> None:
		"""Queue an answer."""
		self._keys += 1
		key = f"khalifa-demo-{self._keys}"
		answers.reply(self.store, actor, ticket, body, key, now_ms, seen_ms=now_ms)
		self.counts.replies += 1
		self.has_replied = True

	def _transfer(self, worker: Worker, ticket: str) -> None:
		others = [w for w in self.workers.values() if w.presence == records.ONLINE and w is not worker]
		if not others:
			return
		other, reason = self.rng.choice(others), self.rng.choice(texts.TRANSFER_REASONS)
		to = {"to_branch": other.agent.branch} if self.rng.random() < 0.2 else {"to_agent": other.agent.name}
		actions.transfer(self.store, worker.actor, ticket, self.clock.now_ms, reason, **to)
		self.counts.transfers += 1
		self.has_moved = True

	# -- closing
	def close_later(
		self, ticket: str, is_over: Callable[[], bool], closed: Callable[[], None] = lambda: None
	) -> None:
		"""Close a ticket in a while, if the conversation is over then; `closed` is called afterwards."""
		due_ms = self.clock.now_ms + self.rng.randrange(6, 40) * MINUTE_MS
		self.agenda.add(due_ms, partial(self._close, ticket, is_over, closed))

	def _close(self, name: str, is_over: Callable[[], bool], closed: Callable[[], None]) -> None:
		ticket = self.store.tickets([name]).get(name)
		worker = self.workers.get(ticket.agent or "") if ticket is not None else None
		if ticket is None or ticket.status == records.CLOSED or not is_over():
			return
		now_ms = self.clock.now_ms
		if worker is None or worker.presence != records.ONLINE or ticket.status != records.PENDING:
			self.agenda.add(now_ms + 45 * MINUTE_MS, partial(self._close, name, is_over, closed))
			return
		reason = self.rng.choices(("resolved", "inactive", "spam"), (93, 6, 1))[0]
		if self._attempt(lambda: actions.close(self.store, worker.actor, name, now_ms, reason)):
			self.counts.closed += 1
		self.has_moved = True
		closed()

	def _attempt(self, action: Callable[[], object]) -> bool:
		try:
			action()
		except UserError:
			self.counts.refused += 1  # nobody has room, or somebody was faster: as in real life
			return False
		return True

	# -- the manager
	def look_around(self) -> None:
		"""Every ten minutes from now on: the manager answers where customers wait much too long."""
		self.agenda.add(self.clock.now_ms + ROUND_MS, self.look_around)
		for waiting in self.waiting():
			is_late = self.clock.now_ms - waiting.since_ms > RESCUE_AFTER_MS
			if is_late and not self.dialogue.is_unattended(waiting) and self.rng.random() < 0.3:
				self._rescue(waiting)

	def _rescue(self, waiting: Waiting) -> None:
		self.dialogue.answers(waiting)  # what the agent would have said
		reply = partial(self.reply, MANAGER, waiting.ticket, texts.APOLOGY, self.clock.now_ms)
		if self._attempt(reply):
			self.counts.rescues += 1
		self.dialogue.answered(waiting)

	def close_all(self, reason: str) -> records.CloseBatch:
		"""The manager closes every conversation; gives the finished batch."""
		batch = bulk_close.start(self.store, MANAGER, TicketFilter(), reason, self.clock.now_ms)
		while batch.status == "Running":
			batch = bulk_close.step(self.store, MANAGER, batch.name, self.clock.now_ms)
		return batch

	def undo_close_all(self, batch: str) -> records.CloseBatch:
		"""The manager thinks again: whatever the batch closed is opened."""
		while (
			closed_batch := bulk_close.undo(self.store, MANAGER, batch, self.clock.now_ms)
		).status != "Undone":
			pass
		self.has_moved = True
		return closed_batch
