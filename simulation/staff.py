"""How agents work in the demonstration: they come, answer one customer at a time, hand on,
close, take breaks.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.core.actor import SYSTEM, Actor, actor_of
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.settings import HOUR_MS, MINUTE_MS
from khalifa_whatsapp.demo import names
from khalifa_whatsapp.services import conversation, presence, replies
from simulation import phrases
from simulation.views import OpenStore
from simulation.world import Person, World, local_ms

MANAGER = Actor("manager@example.com", names.MANAGER, None, is_manager=True)
SILENT = "Silent"  # the page crashed: nothing is said, heartbeats stop
BEAT_MS = 2 * MINUTE_MS
MANAGER_MS = 10 * MINUTE_MS
RESCUE_AFTER_MS = 30 * MINUTE_MS
WAITING = (
	"SELECT name, agent, waiting_since_ms, preview, device FROM `tabKhalifa Ticket` "
	"WHERE status = 'Open' AND agent IS NOT NULL ORDER BY waiting_since_ms"
)


class Waiting(NamedTuple):
	"""A ticket whose customer waits for its agent."""

	ticket: str
	agent: str
	since_ms: int
	preview: str
	device: str


@dataclass(slots=True)
class Worker:
	"""One agent at work: his or her pace, what is in hand, when the page last gave a sign of life."""

	person: Person
	actor: Actor
	pace: float  # median seconds to read, think and type, with a shop full of people around
	presence: str = r.OFFLINE
	task: Waiting | None = None
	done_ms: int = 0  # when the task in hand will be done
	beat_ms: int = 0

	@property
	def name(self) -> str:
		return self.person.agent.name


@dataclass(slots=True)
class Deeds:
	"""What the staff did, and how often the rules refused it."""

	replies: int = 0
	transfers: int = 0
	closed: int = 0
	thanks: int = 0
	notes: int = 0
	rescues: int = 0
	refused: int = 0


@dataclass(slots=True)
class Staff:
	"""All agents, and the manager when there is one."""

	store: OpenStore
	world: World
	rng: Random
	has_manager: bool = True
	deeds: Deeds = field(default_factory=Deeds)
	workers: dict[str, Worker] = field(default_factory=dict)
	_shifts: list[tuple[int, str, str]] = field(default_factory=list)  # due, agent, presence
	_closings: list[tuple[int, str, str]] = field(default_factory=list)  # due, ticket, agent
	_manager_ms: int = 0

	def __post_init__(self) -> None:
		for person in self.world.people:
			agent = person.agent
			actor = actor_of(agent)
			self.workers[agent.name] = Worker(person, actor, self.rng.uniform(60, 220))
			self._shifts += self._day_of(person)
		heapq.heapify(self._shifts)

	def _day_of(self, person: Person) -> list[tuple[int, str, str]]:
		"""Comings and goings: a little early or late, a break in a long stretch,
		now and then a crashed page.
		"""
		name, found = person.agent.name, []
		for start, end in person.spans:
			begin = local_ms(self.world.day, start) + self.rng.randrange(6) * MINUTE_MS
			stop = local_ms(self.world.day, end) - self.rng.randrange(4) * MINUTE_MS
			found += [(begin, name, r.ONLINE), (stop, name, r.OFFLINE)]
			if end - start >= 4:
				pause = begin + self.rng.randrange(75, 170) * MINUTE_MS
				kind = self.rng.choices((r.AWAY, r.OFFLINE, SILENT), (6, 3, 1))[0]
				found += [
					(pause, name, kind),
					(pause + self.rng.randrange(10, 25) * MINUTE_MS, name, r.ONLINE),
				]
		return found

	def next_due_ms(self) -> int | None:
		"""When somebody next does something."""
		due = [worker.done_ms for worker in self.workers.values() if worker.task is not None]
		due += [heap[0][0] for heap in (self._shifts, self._closings) if heap]
		return min(due, default=None)

	def act(self, now_ms: int) -> bool:
		"""Everything that is due. True when tickets may have moved."""
		before = (self.deeds.closed, self.deeds.transfers)
		has_moved = self._come_and_go(now_ms)
		for worker in self.workers.values():
			if worker.task is not None and worker.done_ms <= now_ms:
				task, worker.task = worker.task, None
				self._try(lambda w=worker, t=task: self._do(w, t, now_ms))
		while self._closings and self._closings[0][0] <= now_ms:
			_, ticket, agent = heapq.heappop(self._closings)
			self._try(lambda t=ticket, a=agent: self._close(self.workers[a], t, now_ms))
		if self.has_manager and now_ms - self._manager_ms >= MANAGER_MS:
			self._manager_ms = now_ms
			self._rescue(now_ms)
		return has_moved or before != (self.deeds.closed, self.deeds.transfers)

	def beat(self, now_ms: int) -> None:
		"""The open pages give their sign of life."""
		for worker in self.workers.values():
			if worker.presence in (r.ONLINE, r.AWAY) and now_ms - worker.beat_ms >= BEAT_MS:
				presence.heartbeat(self.store, worker.name, now_ms)
				worker.beat_ms = now_ms

	def plan(self, now_ms: int) -> None:
		"""Whoever has nothing in hand takes up the ticket that has waited longest for him or her."""
		free = {w.name for w in self.workers.values() if w.task is None and w.presence == r.ONLINE}
		if not free:
			return
		for row in self.store.rows(WAITING):
			waiting = Waiting(*row)
			if waiting.agent in free:
				free.discard(waiting.agent)
				worker = self.workers[waiting.agent]
				worker.task = waiting
				worker.done_ms = now_ms + round(1000 * worker.pace * math.exp(self.rng.gauss(0, 0.75)))

	def go_home(self, now_ms: int) -> None:
		"""The day is over: everybody leaves."""
		self._shifts.clear()
		self._closings.clear()
		for worker in self.workers.values():
			worker.task = None
			if worker.presence != r.OFFLINE:
				self._set_presence(worker, r.OFFLINE, now_ms)

	def _come_and_go(self, now_ms: int) -> bool:
		has_moved = False
		while self._shifts and self._shifts[0][0] <= now_ms:
			_, name, word = heapq.heappop(self._shifts)
			self._set_presence(self.workers[name], word, now_ms)
			has_moved = True
		return has_moved

	def _set_presence(self, worker: Worker, word: str, now_ms: int) -> None:
		worker.presence = word
		if word != r.ONLINE:
			worker.task = None
		if word != SILENT:
			presence.set_presence(self.store, SYSTEM, worker.name, word, now_ms)
			worker.beat_ms = now_ms

	def _try(self, deed: Callable[[], None]) -> None:
		try:
			deed()
		except UserError:
			self.deeds.refused += 1  # somebody else was faster, or nobody has room: as in real life

	def _do(self, worker: Worker, task: Waiting, now_ms: int) -> None:
		chance = self.rng.random()
		if task.preview in phrases.THANKS and chance < 0.7:
			conversation.no_reply_needed(self.store, worker.actor, task.ticket, now_ms)
			self.deeds.thanks += 1
		elif chance < 0.03:
			self._transfer(worker, task, now_ms)
		else:
			self._reply(worker, task, now_ms)
		if chance > 0.4:
			self._close_later(worker, task.ticket, now_ms)

	def _reply(self, worker: Worker, task: Waiting, now_ms: int) -> None:
		if self.rng.random() < 0.03:
			replies.note(self.store, worker.actor, task.ticket, self.rng.choice(phrases.NOTES), now_ms)
			self.deeds.notes += 1
		self._say(worker.actor, task.ticket, self.rng.choice(phrases.ANSWERS), now_ms)

	def _say(self, actor: Actor, ticket: str, words: str, now_ms: int) -> None:
		number = self.deeds.replies + 1
		body = f"{words} (رقم {1000 + number})"  # no two answers are alike: the books can tell them apart
		replies.reply(self.store, actor, ticket, body, f"demo-{number}", now_ms, seen_ms=now_ms)
		self.deeds.replies = number

	def _transfer(self, worker: Worker, task: Waiting, now_ms: int) -> None:
		others = [w.name for w in self.workers.values() if w.presence == r.ONLINE and w is not worker]
		reason = self.rng.choice(phrases.TRANSFER_REASONS)
		to: dict[str, str] = {"to_branch": self.rng.choice(names.BRANCHES)}
		if others and self.rng.random() < 0.8:
			to = {"to_agent": self.rng.choice(others)}
		elif "to_branch" in to:
			staffed = {self.workers[name].person.agent.branch for name in others}
			to = {"to_branch": self.rng.choice(sorted(filter(None, staffed)))} if staffed else to
		conversation.transfer(self.store, worker.actor, task.ticket, now_ms, reason, **to)
		self.deeds.transfers += 1

	def _close_later(self, worker: Worker, ticket: str, now_ms: int) -> None:
		heapq.heappush(self._closings, (now_ms + self.rng.randrange(8, 25) * MINUTE_MS, ticket, worker.name))

	def _close(self, worker: Worker, ticket: str, now_ms: int) -> None:
		"""Close it, unless the customer wrote again or it went to somebody else."""
		found = self.store.tickets([ticket]).get(ticket)
		if found is None or found.agent != worker.name or found.status != r.PENDING:
			return
		if worker.presence != r.ONLINE:
			heapq.heappush(self._closings, (now_ms + HOUR_MS, ticket, worker.name))
			return
		conversation.close(self.store, worker.actor, ticket, now_ms)
		self.deeds.closed += 1

	def _rescue(self, now_ms: int) -> None:
		"""The manager answers on behalf of agents whose customers wait much too long."""
		waits = [Waiting(*row) for row in self.store.rows(WAITING)]
		for waiting in [w for w in waits if now_ms - w.since_ms > RESCUE_AFTER_MS][:2]:
			words = self.rng.choice(phrases.MANAGER_ANSWERS)
			self._try(lambda t=waiting.ticket, s=words: self._step_in(t, s, now_ms))

	def _step_in(self, ticket: str, words: str, now_ms: int) -> None:
		self._say(MANAGER, ticket, words, now_ms)
		self.deeds.rescues += 1
