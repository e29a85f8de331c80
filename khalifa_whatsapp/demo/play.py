"""A month on a fast clock: the plan's people write; answers, transfers and closings are real use cases.

The clock jumps from one moment at which something happens to the next. All of it happens in a database of
this process's own; no gateway, no site and no network is touched.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random

from khalifa_whatsapp.bootstrap import EmbeddedHost, embedded
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.settings import DAY_MS, MINUTE_MS, Rules
from khalifa_whatsapp.demo import auto_replies as demo_replies
from khalifa_whatsapp.demo import campaigns, texts
from khalifa_whatsapp.demo.care import CareOfMonth
from khalifa_whatsapp.demo.clock import Agenda, Clock
from khalifa_whatsapp.demo.company import DEVICE
from khalifa_whatsapp.demo.gateway import DemoGateway
from khalifa_whatsapp.demo.plan import TO_A_BRANCH, Plan, Talk
from khalifa_whatsapp.demo.staff import MANAGER, Staff, Waiting
from khalifa_whatsapp.demo.texts import Line
from khalifa_whatsapp.services.care import auto_replies
from khalifa_whatsapp.services.inbound import drain, webhook
from khalifa_whatsapp.services.outbound import dispatch
from khalifa_whatsapp.services.tickets import actions, assignment, delays
from khalifa_whatsapp.stores.base import Store

STEP_MS = 10_000
SEQUEL_RATE = 0.06
RECEIPTS_MS = 10 * MINUTE_MS
ANALYZE_STEPS = 2_000  # without statistics SQLite reads all messages to find those to be sent
CLOSE_ALL_DAYS = {8: texts.END_OF_DAY, 19: "إغلاق بالخطأ"}  # days before the end; the second one is undone
UNDONE_DAY = 19
NEXT_DUE = (
	"SELECT MIN(next_check_ms) FROM `tabKhalifa Ticket` WHERE next_check_ms > 0 "
	"UNION ALL SELECT MIN(auto_check_ms) FROM `tabKhalifa Ticket` WHERE auto_check_ms > 0"
)


@dataclass(slots=True)
class Month:
	"""The month being played, with the conversations of its plan. Ask `host.store` for what came of it."""

	host: EmbeddedHost
	gateway: DemoGateway
	plan: Plan
	rng: Random
	start_ms: int
	end_ms: int
	agents: Sequence[records.Agent]
	report_progress: Callable[[float], None] = lambda share: None
	clock: Clock = field(init=False)
	agenda: Agenda = field(init=False)
	staff: Staff = field(init=False)
	care: CareOfMonth = field(init=False)
	talks: dict[str, Talk] = field(default_factory=dict)  # by phone
	_posted: list[tuple[Talk, Line]] = field(default_factory=list)
	_receipts_ms: int = 0
	_steps: int = 0
	_has_taken: bool = False

	def __post_init__(self) -> None:
		self.clock, self.agenda = Clock(self.start_ms), Agenda(self.start_ms, self.end_ms)
		self.staff = Staff(self.host.store, self.agents, self.clock, self.agenda, self.rng, self)
		self.care = CareOfMonth(self, Random(f"{self.start_ms} care"))

	def play(self) -> None:
		"""From the first day to the present moment."""
		self.staff.expect(self.plan.coming)
		for talk in self.plan.talks:
			self.agenda.add(talk.start_ms, partial(self.begin, talk))
		for days_back, reason in CLOSE_ALL_DAYS.items():
			due_ms = self.end_ms - days_back * DAY_MS
			self.agenda.add(due_ms, partial(self._close_all, reason, days_back == UNDONE_DAY))
		campaigns.schedule(self, self.end_ms)
		self.agenda.add(self.start_ms, self.staff.look_around)
		while self.clock.now_ms < self.end_ms:
			self._step()
			self._steps += 1
			if self._steps % ANALYZE_STEPS == 0:
				self.host.store.run("ANALYZE")
		delays.scan(self.host.store, self.end_ms)

	def _step(self) -> None:
		store = self.host.store
		self.clock.now_ms = now_ms = self._next_ms()
		self.gateway.now_ms = now_ms
		self.agenda.run(now_ms)
		self._take_in()
		waits = auto_replies.scan_waits(store, lambda device: self.gateway.capabilities, now_ms)
		if self.staff.has_replied or self._has_taken or waits:
			self.staff.has_replied = self._has_taken = False
			self.send()
		delays.scan(store, now_ms)
		if self.staff.has_moved:
			self.staff.has_moved = False
			assignment.assign_queue(store, now_ms)
		self.staff.take_up()
		self.report_progress((now_ms - self.start_ms) / (self.end_ms - self.start_ms))

	def _next_ms(self) -> int:
		due = [row[0] for row in self.host.store.rows(NEXT_DUE) if row[0]]
		if (action_ms := self.agenda.next_due_ms()) is not None:
			due.append(action_ms)
		soonest = min(due, default=self.end_ms)
		return min(self.end_ms, max(self.clock.now_ms + STEP_MS, -(-soonest // STEP_MS) * STEP_MS))

	# -- what campaigns need: see `campaigns.Month`
	@property
	def store(self) -> Store:
		"""Where all of it is."""
		return self.host.store

	def send(self) -> None:
		"""What is queued goes out."""
		dispatch.drain(self.host.store, self.gateway, self.clock, sleep=self.clock.sleep)

	def begin(self, talk: Talk) -> None:
		"""A customer writes, and a conversation begins."""
		self.talks[talk.caller.phone] = talk
		self._write(talk)

	# -- customers
	def _write(self, talk: Talk) -> None:
		self._posted += [(talk, line) for line in talk.take(is_ours=False)]

	def write(self, talk: Talk, line: Line) -> None:
		"""A customer writes something that is no line of the story."""
		self._posted.append((talk, line))

	def _take_in(self) -> None:
		"""Post what was written, and the receipts that have gathered; then take it in."""
		now_ms = self.clock.now_ms
		events = [
			self.gateway.message(talk.caller, line, now_ms - 1000 * (len(self._posted) - place))
			for place, (talk, line) in enumerate(self._posted)
		]
		if not events and now_ms - self._receipts_ms < RECEIPTS_MS:
			return
		self._receipts_ms = now_ms
		self.staff.has_moved |= bool(self._posted)
		self._posted.clear()
		if all_events := [*self.gateway.due_receipts(now_ms), *events]:
			webhook.accept(self.host.store, self.gateway, self.gateway.post(all_events), now_ms, 1 << 20)
			drain.drain(self.host.store, self.gateway, self.clock)
			self._has_taken = bool(events)  # and a rule may have answered

	# -- their side of the conversations: see `Dialogue`
	def is_unattended(self, waiting: Waiting) -> bool:
		"""Whether it is one of those that wait at the end."""
		return self.talks[waiting.phone or ""].is_left

	def answers(self, waiting: Waiting) -> list[str]:
		"""Our next lines of the story."""
		return [line.body for line in self.talks[waiting.phone or ""].take(is_ours=True)]

	def answered(self, waiting: Waiting) -> None:
		"""The customer writes on, or the conversation is closed in a while."""
		talk = self.talks[waiting.phone or ""]
		if talk.is_over:
			self.care.written_down(waiting.ticket, self.staff.workers[waiting.agent].agent)
			self.staff.close_later(waiting.ticket, lambda: talk.is_over, partial(self._come_back, talk))
			return
		pause_ms = round(2.5 * MINUTE_MS * math.exp(self.rng.gauss(0, 0.9)))
		self.agenda.add(self.clock.now_ms + pause_ms, partial(self._write, talk))

	def _come_back(self, talk: Talk) -> None:
		"""The customer is asked how it was; now and then something was forgotten."""
		self.care.closed(talk)
		if self.rng.random() < SEQUEL_RATE:
			talk.lines += texts.sequel(self.rng)
			due_ms = self.clock.now_ms + self.rng.randrange(20, 600) * MINUTE_MS
			self.agenda.add(due_ms, partial(self._write, talk))

	# -- the manager
	def _close_all(self, reason: str, is_undone: bool = False) -> None:
		batch = self.staff.close_all(reason)
		if is_undone:
			undo = partial(self.staff.undo_close_all, batch.name)
			self.agenda.add(self.clock.now_ms + 3 * MINUTE_MS, undo)

	def leave_some_in_queues(self) -> None:
		"""Hand some of the unanswered to branches where nobody is, as somebody has gone to lunch there."""
		workers = self.staff.workers.values()
		for worker in [w for w in workers if w.presence != records.OFFLINE][1:3]:
			self.staff.set_presence(worker, records.AWAY)
		branches = [w.agent.branch for w in workers if w.presence != records.ONLINE]
		left = [waiting.ticket for waiting in self.staff.waiting() if self.is_unattended(waiting)]
		for ticket, branch in zip(left[-TO_A_BRANCH:], branches, strict=False):
			reason = self.rng.choice(texts.TRANSFER_REASONS)
			actions.transfer(self.host.store, MANAGER, ticket, self.clock.now_ms, reason, to_branch=branch)

	def go_home(self) -> None:
		"""Everybody leaves, and what is still open is closed: for a site where others work."""
		self.staff.go_home()
		self._close_all(texts.END_OF_DAY)


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
	patient = replace(
		rules.settings, heartbeat_stale_minutes=1e9, heartbeat_requeue_minutes=1e9, survey_enabled=1
	)
	gateway = DemoGateway(Random(f"{seed} gateway"))
	ours = replace(rules, settings=patient, auto_replies=demo_replies.book())
	host = embedded(ours, [gateway.config], people)
	host.drivers[DEVICE] = gateway
	agents = [agent for agent, _ in people]
	return Month(host, gateway, plan, Random(f"{seed} people"), start_ms, end_ms, agents)
