"""A month on a fast clock: the plan's people write, and every answer, transfer and closing is a real use
case.

The clock jumps from one moment at which something happens to the next. All of it happens in a database of
this process's own; no gateway, no site and no network is touched.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from random import Random

from khalifa_whatsapp.bootstrap import EmbeddedHost, embedded
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import SYSTEM, Actor, actor_of
from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.settings import DAY_MS, MINUTE_MS, Rules
from khalifa_whatsapp.demo import texts
from khalifa_whatsapp.demo.company import DEVICE, MANAGER_NAME, OWNER
from khalifa_whatsapp.demo.gateway import DemoGateway
from khalifa_whatsapp.demo.plan import TO_A_BRANCH, Plan, Talk
from khalifa_whatsapp.demo.texts import Line
from khalifa_whatsapp.services.inbound import drain, webhook
from khalifa_whatsapp.services.outbound import answers, dispatch
from khalifa_whatsapp.services.tickets import actions, assignment, bulk_close, delays, presence
from khalifa_whatsapp.stores.base import TicketFilter

STEP_MS = 10_000
TRANSFER_RATE, NOTE_RATE, SEQUEL_RATE, DISTRACTED_RATE = 0.04, 0.03, 0.06, 0.03
RESCUE_AFTER_MS = 30 * MINUTE_MS
RECEIPTS_MS = 10 * MINUTE_MS
ANALYZE_STEPS = 2_000  # without statistics SQLite reads all messages to find those to be sent
CLOSE_ALL_DAYS = {8: "نهاية اليوم", 19: "إغلاق بالخطأ"}  # days before the end; the second one is undone
UNDONE_DAY = 19
MANAGER = Actor(OWNER, MANAGER_NAME, None, is_manager=True)
WAITING = (
	"SELECT t.name, t.agent, t.waiting_since_ms, c.phone FROM `tabKhalifa Ticket` t "
	"JOIN `tabKhalifa Customer` c ON c.name = t.customer "
	"WHERE t.status = 'Open' AND t.agent IS NOT NULL ORDER BY t.waiting_since_ms, t.name"
)
NEXT_DUE = "SELECT MIN(next_check_ms) FROM `tabKhalifa Ticket` WHERE next_check_ms > 0"


@dataclass(slots=True)
class Worker:
	"""An agent at work: one customer at a time."""

	agent: records.Agent
	actor: Actor
	pace: float  # median seconds to read, look on the shelf and type
	presence: str = records.OFFLINE
	is_busy: bool = False


@dataclass(slots=True)
class Month:
	"""The month being played. Ask `host.store` for what came of it."""

	host: EmbeddedHost
	gateway: DemoGateway
	plan: Plan
	rng: Random
	start_ms: int
	end_ms: int
	report_progress: Callable[[float], None] = lambda share: None
	now_ms: int = 0
	workers: dict[str, Worker] = field(default_factory=dict)  # by agent
	talks: dict[str, Talk] = field(default_factory=dict)  # by phone
	_heap: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
	_count: int = 0
	_posted: list[tuple[Talk, Line]] = field(default_factory=list)
	_has_sent: bool = False
	_has_moved: bool = False
	_receipts_ms: int = 0
	_said: int = 0
	_steps: int = 0

	def play(self) -> None:
		"""From the first day to the present moment."""
		for due, user, term in self.plan.coming:
			worker = next(w for w in self.workers.values() if w.agent.user == user)
			self._at(due, lambda w=worker, p=term: self._be(w, p))
		for talk in self.plan.talks:
			self._at(talk.start_ms, lambda t=talk: self._begin(t))
		for days_back, reason in CLOSE_ALL_DAYS.items():
			due = self.end_ms - days_back * DAY_MS
			self._at(due, lambda why=reason, back=days_back == UNDONE_DAY: self._close_all(why, back))
		self._at(self.start_ms, self._look_after)
		self.now_ms = self.start_ms
		while self.now_ms < self.end_ms:
			self._step()
			self._steps += 1
			if self._steps % ANALYZE_STEPS == 0:
				self.host.store.run("ANALYZE")
		delays.scan(self.host.store, self.end_ms)

	def _at(self, due_ms: int, action: Callable[[], None]) -> None:
		self._count += 1
		if self.start_ms <= due_ms < self.end_ms:
			heapq.heappush(self._heap, (due_ms, self._count, action))

	def _step(self) -> None:
		store = self.host.store
		due = [self._heap[0][0]] if self._heap else []
		due += [row[0] for row in store.rows(NEXT_DUE) if row[0]]
		soonest = min(due, default=self.end_ms)
		self.now_ms = min(self.end_ms, max(self.now_ms + STEP_MS, -(-soonest // STEP_MS) * STEP_MS))
		self.gateway.now_ms = self.now_ms
		while self._heap and self._heap[0][0] <= self.now_ms:
			heapq.heappop(self._heap)[2]()
		self._take_in()
		if self._has_sent:
			self._has_sent = False
			dispatch.drain(store, self.gateway, lambda: self.now_ms)
		delays.scan(store, self.now_ms)
		if self._has_moved:
			self._has_moved = False
			assignment.assign_queue(store, self.now_ms)
		self._take_up()
		self.report_progress((self.now_ms - self.start_ms) / (self.end_ms - self.start_ms))

	# -- customers
	def _begin(self, talk: Talk) -> None:
		self.talks[talk.caller.phone] = talk
		self._write(talk)

	def _write(self, talk: Talk) -> None:
		self._posted += [(talk, line) for line in talk.take(is_ours=False)]

	def _take_in(self) -> None:
		"""Post what was written, and the receipts that have gathered; then take it in."""
		events = [
			self.gateway.message(talk.caller, line, self.now_ms - 1000 * (len(self._posted) - place))
			for place, (talk, line) in enumerate(self._posted)
		]
		if not events and self.now_ms - self._receipts_ms < RECEIPTS_MS:
			return
		self._receipts_ms = self.now_ms
		self._has_moved |= bool(self._posted)
		self._posted.clear()
		if all_events := [*self.gateway.due_receipts(self.now_ms), *events]:
			webhook.accept(self.host.store, self.gateway, self.gateway.post(all_events), self.now_ms, 1 << 20)
			drain.drain(self.host.store, self.gateway, lambda: self.now_ms)

	# -- agents
	def _be(self, worker: Worker, term: str) -> None:
		worker.presence, self._has_moved = term, True
		presence.set_presence(self.host.store, SYSTEM, worker.agent.name, term, self.now_ms)

	def _take_up(self) -> None:
		"""Whoever is free takes up the customer who has waited longest for him or her."""
		free = {w.agent.name for w in self.workers.values() if not w.is_busy and w.presence == records.ONLINE}
		if not free:
			return
		for ticket, agent, _, phone in self.host.store.rows(WAITING):
			if agent in free and not self.talks[phone].is_left:
				free.discard(agent)
				worker = self.workers[agent]
				worker.is_busy = True
				self._at(
					self.now_ms + self._effort(worker),
					lambda w=worker, t=ticket, p=phone: self._finish(w, t, p),
				)

	def _effort(self, worker: Worker) -> int:
		if self.rng.random() < DISTRACTED_RATE:  # a shop full of people
			return self.rng.randrange(16, 42) * MINUTE_MS
		return round(1000 * worker.pace * math.exp(self.rng.gauss(0, 0.75)))

	def _finish(self, worker: Worker, ticket: str, phone: str) -> None:
		worker.is_busy = False
		record = self.host.store.tickets([ticket]).get(ticket)
		if record is not None and record.agent == worker.agent.name and record.status == records.OPEN:
			self._try(lambda: self._handle(worker, ticket, self.talks[phone]))

	def _handle(self, worker: Worker, ticket: str, talk: Talk) -> None:
		if self.rng.random() < TRANSFER_RATE:
			self._transfer(worker, ticket)
			return
		if self.rng.random() < NOTE_RATE:
			answers.note(self.host.store, worker.actor, ticket, self.rng.choice(texts.NOTES), self.now_ms)
		lines = talk.take(is_ours=True)
		if lines:
			for place, line in enumerate(lines):
				self._send_text(worker.actor, ticket, line.body, self.now_ms + 4000 * place)
		elif self.rng.random() < 0.8:
			actions.no_reply_needed(self.host.store, worker.actor, ticket, self.now_ms)
		else:
			self._send_text(worker.actor, ticket, texts.WELCOME, self.now_ms)
		self._go_on(ticket, talk)

	def _send_text(self, actor: Actor, ticket: str, body: str, now_ms: int) -> None:
		self._said += 1
		answers.reply(
			self.host.store, actor, ticket, body, f"khalifa-demo-{self._said}", now_ms, seen_ms=now_ms
		)
		self._has_sent = True

	def _go_on(self, ticket: str, talk: Talk) -> None:
		"""The customer writes on, or the conversation is closed in a while."""
		if not talk.is_over:
			pause = round(2.5 * MINUTE_MS * math.exp(self.rng.gauss(0, 0.9)))
			self._at(self.now_ms + pause, lambda: self._write(talk))
		else:
			self._at(self.now_ms + self.rng.randrange(6, 40) * MINUTE_MS, lambda: self._close(ticket, talk))

	def _transfer(self, worker: Worker, ticket: str) -> None:
		others = [w for w in self.workers.values() if w.presence == records.ONLINE and w is not worker]
		if not others:
			return
		other, reason = self.rng.choice(others), self.rng.choice(texts.TRANSFER_REASONS)
		to = {"to_branch": other.agent.branch} if self.rng.random() < 0.2 else {"to_agent": other.agent.name}
		actions.transfer(self.host.store, worker.actor, ticket, self.now_ms, reason, **to)
		self._has_moved = True

	def _close(self, ticket: str, talk: Talk) -> None:
		record = self.host.store.tickets([ticket]).get(ticket)
		worker = self.workers.get(record.agent or "") if record is not None else None
		if record is None or record.status == records.CLOSED or not talk.is_over:
			return
		if worker is None or worker.presence != records.ONLINE or record.status != records.PENDING:
			self._at(self.now_ms + 45 * MINUTE_MS, lambda: self._close(ticket, talk))
			return
		reason = self.rng.choices(("resolved", "inactive", "spam"), (93, 6, 1))[0]
		self._try(lambda: actions.close(self.host.store, worker.actor, ticket, self.now_ms, reason))
		self._has_moved = True
		if self.rng.random() < SEQUEL_RATE:
			talk.lines += texts.sequel(self.rng)
			self._at(self.now_ms + self.rng.randrange(20, 600) * MINUTE_MS, lambda: self._write(talk))

	def _try(self, action: Callable[[], object]) -> None:
		with suppress(UserError):  # nobody has room, or somebody was faster: as in real life
			action()

	# -- the manager
	def _look_after(self) -> None:
		"""Every ten minutes: answer on behalf of agents whose customers wait much too long."""
		self._at(self.now_ms + 10 * MINUTE_MS, self._look_after)
		for ticket, _, since_ms, phone in self.host.store.rows(WAITING):
			talk = self.talks[phone]
			if self.now_ms - since_ms > RESCUE_AFTER_MS and not talk.is_left and self.rng.random() < 0.3:
				talk.take(is_ours=True)
				self._try(lambda t=ticket: self._send_text(MANAGER, t, texts.APOLOGY, self.now_ms))
				self._go_on(ticket, talk)

	def _close_all(self, reason: str, is_undone: bool) -> None:
		store = self.host.store
		batch = bulk_close.start(store, MANAGER, TicketFilter(), reason, self.now_ms)
		while batch.status == "Running":
			batch = bulk_close.step(store, MANAGER, batch.name, self.now_ms)
		if is_undone:
			self._at(self.now_ms + 3 * MINUTE_MS, lambda: self._undo(batch.name))

	def _undo(self, batch: str) -> None:
		while bulk_close.undo(self.host.store, MANAGER, batch, self.now_ms).status != "Undone":
			pass
		self._has_moved = True

	def leave_some_in_queues(self) -> None:
		"""Hand some of the unanswered to branches where nobody is, as somebody has gone to lunch there."""
		others = [w for w in self.workers.values() if w.presence != records.OFFLINE][1:3]
		for worker in others:
			self._be(worker, records.AWAY)
		branches = [w.agent.branch for w in self.workers.values() if w.presence != records.ONLINE]
		left = [row[0] for row in self.host.store.rows(WAITING) if self.talks[row[3]].is_left]
		for ticket, branch in zip(left[-TO_A_BRANCH:], branches, strict=False):
			reason = self.rng.choice(texts.TRANSFER_REASONS)
			actions.transfer(self.host.store, MANAGER, ticket, self.now_ms, reason, to_branch=branch)

	def go_home(self) -> None:
		"""Everybody leaves, and what is still open is closed: for a site where others work."""
		for worker in self.workers.values():
			self._be(worker, records.OFFLINE)
		self._close_all(next(iter(CLOSE_ALL_DAYS.values())), is_undone=False)


def make_month(
	rules: Rules,
	people: Sequence[tuple[records.Agent, Calendar | None]],
	plan: Plan,
	seed: int,
	start_ms: int,
	end_ms: int,
) -> Month:
	"""A month ready to be played by these agents under these rules."""
	# Pages of the demonstration never fall silent: heartbeats would be half of all the work
	patient = replace(rules.settings, heartbeat_stale_minutes=1e9, heartbeat_requeue_minutes=1e9)
	gateway = DemoGateway(Random(f"{seed} gateway"))
	host = embedded(replace(rules, settings=patient), [gateway.config], people)
	host.drivers[DEVICE] = gateway
	rng = Random(f"{seed} people")
	month = Month(host, gateway, plan, rng, start_ms, end_ms)
	for agent, _ in people:
		actor = actor_of(agent)
		month.workers[agent.name] = Worker(agent, actor, rng.uniform(70, 200))
	return month
