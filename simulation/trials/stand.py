"""What a trial stands on: a database file, a simulated gateway, customers who wrote, answers that are queued.

The verdict compares what our books say with what the gateway really took.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from khalifa_whatsapp.bootstrap import embedded
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.pacing import Pace
from khalifa_whatsapp.core.settings import MINUTE_MS, Rules, Settings
from khalifa_whatsapp.demo.clock import Clock
from khalifa_whatsapp.demo.staff import MANAGER
from khalifa_whatsapp.drivers.base import DeviceConfig, MessageDriver
from khalifa_whatsapp.services.inbound import drain, webhook
from khalifa_whatsapp.services.outbound import answers, dispatch, unknown_outcomes
from simulation.simulators import CloudApiSimulator, WppConnectSimulator
from simulation.simulators.wire import Person
from simulation.world import ZONE

START_MS = 1_793_534_400_000  # 2026-11-01 15:00 in Cairo
READ_TIMEOUT, STALL = 0.4, 0.6  # seconds of real time
DEVICE = "trial"
ARRIVED = frozenset({records.SENT, records.DELIVERED, records.READ, records.PLAYED})
ROUNDS = 60


@dataclass(slots=True)
class Verdict:
	"""What came of a trial. `lost` and `doubled` and `false` must be 0."""

	messages: int = 0
	taken: int = 0  # by the gateway
	doubled: int = 0
	lost: int = 0  # neither taken, nor failed with a reason, nor in doubt for a person
	false: int = 0  # said to be sent, and the gateway never had it
	unknown: int = 0
	failed: int = 0
	note: str = ""
	is_run: bool = True

	@property
	def is_good(self) -> bool:
		return not (self.doubled or self.lost or self.false)


@dataclass(slots=True)
class Stand:
	"""One device of one gateway."""

	gateway: Any
	driver: MessageDriver
	store: Any
	clock: Clock
	path: Path
	config: DeviceConfig
	pace: Pace = dispatch.FREE
	names: list[str] = field(default_factory=list)

	def ask(self, count: int, first: int = 0) -> None:
		"""So many customers write, and each gets an answer queued."""
		people = [Person(f"2010{n:08}", f"Customer {n}") for n in range(first, first + count)]
		for person in people:
			self.gateway.customer_text(person, "hello")
		self.receive()
		tickets = {t.customer: t.name for t in self.store._read(records.Ticket, "1 = 1")}
		phones = {c.phone: c.name for c in self.store._read(records.Customer, "1 = 1")}
		for number, person in enumerate(people, first):
			ticket = tickets[phones[f"+{person.digits}"]]
			self.answer(ticket, f"answer {number}")

	def answer(self, ticket: str, body: str) -> records.Message:
		"""Queue an answer of a manager."""
		message = answers.reply(self.store, MANAGER, ticket, body, f"key-{len(self.names)}", self.clock())
		self.names.append(message.name)
		return message

	def receive(self, everything: bool = True) -> None:
		"""Take in whatever the gateway posts."""
		for post in self.gateway.take(everything):
			answer = webhook.accept(self.store, self.driver, post.call(), self.clock(), 10**8)
			if answer.status != 200:
				raise RuntimeError(f"a post was refused with {answer.status}")
		drain.drain(self.store, self.driver, self.clock)

	def drain(self) -> dispatch.SendResult:
		"""One run of the sender."""
		unknown_outcomes.reconcile(self.store, self.driver, self.clock)
		return dispatch.drain(self.store, self.driver, self.clock, pace=self.pace, sleep=self.clock.sleep)

	def settle(self, rounds: int = ROUNDS, is_received: bool = True) -> None:
		"""Minutes pass until nothing waits any more; `is_received`: the gateway's posts arrive."""
		for _ in range(rounds):
			self.drain()
			if is_received:
				self.receive()
			if not self.count(records.MSG_QUEUED, records.SENDING) and not self.gateway.queue.next_due_ms():
				break
			self.clock.now_ms += MINUTE_MS

	def count(self, *statuses: str) -> int:
		"""Answers in one of these states."""
		return sum(message.status in statuses for message in self.answers())

	def answers(self) -> list[records.Message]:
		"""Every answer as it is stored now."""
		return list(self.store.messages(self.names).values())

	def verdict(self, note: str = "") -> Verdict:
		"""Our books against the gateway's."""
		took = Counter(row.body for row in self.gateway.sent_log.rows())
		verdict = Verdict(len(self.names), sum(took.values()), sum(n - 1 for n in took.values()), note=note)
		for message in self.answers():
			verdict.unknown += message.status == records.UNKNOWN
			verdict.failed += message.status == records.FAILED
			verdict.lost += message.status in (records.MSG_QUEUED, records.SENDING)
			verdict.false += message.status in ARRIVED and not took[message.body]
			verdict.false += (
				message.status == records.FAILED
				and bool(took[message.body])
				and message.error_kind != "recipient"
			)
		verdict.lost += len(self.names) - len(self.answers())
		return verdict

	def reopen(self) -> None:
		"""The process is started anew: another connection to the same file."""
		self.store.close()
		self.open(self.path)

	def open(self, path: Path) -> None:
		"""Go on with this file."""
		host = embedded(RULES, [self.config], path=path)
		self.path, self.store, self.driver = path, host.store, host.drivers[DEVICE]


RULES = Rules(Settings(), Calendar.always(ZONE))


@contextmanager
def stand(kind: str, folder: Path, count: int, **more: Any) -> Iterator[Stand]:
	"""A stand with `count` answers queued; `kind` is cloud or wpp, `more` goes to the simulator."""
	clock = Clock(START_MS)
	make: Callable[..., Any] = CloudApiSimulator if kind == "cloud" else WppConnectSimulator
	if kind == "wpp":
		more = {"has_self_messages": True, **more}
	with make(clock, stall_seconds=STALL, **more) as gateway:
		config = gateway.config(DEVICE, connect_timeout=1.0, read_timeout=READ_TIMEOUT)
		path = folder / f"{kind}-{len(list(folder.iterdir()))}.sqlite"
		host = embedded(RULES, [config], path=path)
		made = Stand(gateway, host.drivers[DEVICE], host.store, clock, path, config)
		try:
			made.ask(count)
			yield made
		finally:
			made.store.close()
