"""A working day on a fast clock: customers write, gateways post, agents answer, every minute is looked at.

The clock jumps from one moment at which something happens to the next, never further than a minute.
Everything that moves a ticket goes through the same use cases as in production.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from khalifa_whatsapp.bootstrap import EmbeddedHost
from khalifa_whatsapp.core.settings import HOUR_MS, MINUTE_MS
from khalifa_whatsapp.demo import texts
from khalifa_whatsapp.demo.clock import Agenda, Clock
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.services import costs, kpi
from khalifa_whatsapp.services.care import auto_replies
from khalifa_whatsapp.services.inbound import drain
from khalifa_whatsapp.services.outbound import dispatch
from khalifa_whatsapp.services.tickets import assignment, delays, presence
from simulation.care import CareOfDay
from simulation.chaos import Chaos
from simulation.crash_worker import IN, OUT
from simulation.customers import Customer, Pen
from simulation.staff import DayStaff
from simulation.webhook_sender import WebhookSender
from simulation.world import CustomerPool, World

STEP_MS = 10_000  # what happens within so much time happens together
THANKS_RATE, AFTERTHOUGHT_RATE, NOISE_RATE = 0.12, 0.03, 0.02
QUIET_HOURS = 12  # how long after the day the last retries may take
KPI_MS = 30 * MINUTE_MS


@dataclass(slots=True)
class CloseAllShow:
	"""What «close all» did with the leftovers of the day, and what its undo brought back."""

	total: int = 0
	closed: int = 0
	undone: int = 0
	open_before: list[tuple[str, str, int]] = field(default_factory=list)
	open_after: list[tuple[str, str, int]] = field(default_factory=list)


@dataclass(slots=True)
class Day:
	"""A day being played. `watch` is called after every step."""

	host: EmbeddedHost
	world: World
	webhook_sender: WebhookSender
	pen: Pen
	staff: DayStaff
	clock: Clock
	agenda: Agenda
	rng: Random
	chaos: Chaos
	watch: Callable[[Day], None] = lambda day: None
	written: set[tuple[str, str]] = field(default_factory=set)  # (device, gateway id) of customers' messages
	overloads: list[str] = field(default_factory=list)
	show: CloseAllShow = field(default_factory=CloseAllShow)
	customer_pool: CustomerPool | None = None
	care: CareOfDay = field(init=False)
	_slot: int = 0
	_minute_ms: int = 0
	_kpi_ms: int = 0
	_said: set[str] = field(default_factory=set)

	def __post_init__(self) -> None:
		self.care = CareOfDay(self)

	@property
	def progress(self) -> float:
		"""0 to 1."""
		span = self.world.end_ms - self.world.start_ms
		return min(1.0, max(0.0, (self.clock.now_ms - self.world.start_ms) / span))

	def open(self) -> None:
		"""Let the customers come."""
		self.customer_pool = CustomerPool(self.rng, self.world.customers)

	def play(self) -> None:
		"""From opening to closing, then until nothing is under way any more."""
		self.open()
		while self.clock.now_ms < self.world.end_ms:
			self.step()
		self._end()

	def step(self) -> None:
		"""Go to the next moment and do what is due there."""
		self.clock.now_ms = self._next_ms()
		now = self.clock.now_ms
		self.chaos.stir(now)
		self._customers_write(now)
		arrived = self.webhook_sender.deliver()
		is_minute = now - self._minute_ms >= MINUTE_MS
		if is_minute:
			arrived |= set(self.host.store.devices_with_due_webhook_events(now))
		self._take_in(arrived)
		self.agenda.run(now)
		if is_minute:
			self._minute(now)
		if arrived or self.staff.has_moved or is_minute:
			self.staff.has_moved = False
			self._assign(now)
			self.staff.take_up()
		self._send()
		self.watch(self)

	def _next_ms(self) -> int:
		now = self.clock.now_ms
		due = [now + MINUTE_MS, self.agenda.next_due_ms(), self.webhook_sender.gateways.next_due_ms()]
		if self._slot < len(self.world.moments):
			due.append(self.world.moments[self._slot])
		soonest = min(moment for moment in due if moment is not None)
		return max(now + STEP_MS, -(-soonest // STEP_MS) * STEP_MS)

	# -- customers
	def _customers_write(self, now: int) -> None:
		moments = self.world.moments
		while self._slot < len(moments) and moments[self._slot] <= now:
			self._slot += 1
			assert self.customer_pool is not None
			self._write(self.customer_pool.next())

	def _write(self, customer: Customer) -> None:
		says_thanks = customer.has_written and self.rng.random() < THANKS_RATE
		text = texts.thanks(self.rng) if says_thanks else ""
		self.written.add((customer.device, self.pen.write(customer, text)))
		if self.rng.random() < AFTERTHOUGHT_RATE and customer.last_id not in self._said:
			self._said.add(customer.last_id)
			self.pen.afterthought(customer)
		if self.rng.random() < NOISE_RATE:
			self.pen.noise()
		self.care.maybe_stop(customer)

	# -- our side
	def _take_in(self, devices: set[str]) -> None:
		for device in sorted(devices):
			self._drain(IN, device)

	def _send(self) -> None:
		for device in self.host.store.devices_with_due_messages(self.clock.now_ms):
			self._drain(OUT, device)

	def _drain(self, which: str, device: str) -> None:
		driver, run = self.host.drivers[device], drain.drain if which == IN else dispatch.drain
		self.chaos.survive(which, driver, self.clock.now_ms, lambda: run(self.host.store, driver, self.clock))

	def _assign(self, now: int) -> None:
		given = {one.agent for one in assignment.assign_queue(self.host.store, now)}
		if not given:
			return
		settings = self.world.rules.settings
		for name, held in self.host.store.loads().items():
			load = held.get("Open", 0) + held.get("Pending", 0) * settings.pending_load
			capacity = self.staff.workers[name].agent.capacity
			if name in given and load > capacity:
				self.overloads.append(f"{name} was given a ticket beyond the capacity: {load:g}/{capacity}")

	def _minute(self, now: int) -> None:
		self._minute_ms = now
		self.staff.beat()
		presence.sweep(self.host.store, now)
		delays.scan(self.host.store, now)
		costs.settle(self.host.store, now)
		auto_replies.scan_waits(self.host.store, self._capabilities, now)
		self.care.ask(now)
		if now - self._kpi_ms >= KPI_MS:
			self._kpi_ms = now
			kpi.rollup_dirty(self.host.store, now)

	def _capabilities(self, device: str) -> Capabilities:
		return self.host.drivers[device].capabilities

	# -- the end of the day
	def _end(self) -> None:
		self.chaos.calm()
		self.agenda.clear()
		self.staff.go_home()
		self._settle()
		self._close_all()
		delays.scan(self.host.store, self.clock.now_ms)
		while costs.settle(self.host.store, self.clock.now_ms):
			pass
		kpi.rollup_dirty(self.host.store, self.clock.now_ms)
		self.watch(self)

	def _settle(self) -> None:
		"""Let posts and retries that are under way come to their end; nobody writes any more."""
		store, gateways = self.host.store, self.webhook_sender.gateways
		last = self.clock.now_ms + QUIET_HOURS * HOUR_MS
		while self.clock.now_ms < last:
			now = self.clock.now_ms
			self.webhook_sender.deliver()
			self._take_in(set(self.host.drivers))
			self._send()
			waits = store.backlog(now)
			if not (waits.webhook_events or waits.outgoing or gateways.next_due_ms()):
				return
			self.clock.now_ms = now + MINUTE_MS

	def _close_all(self) -> None:
		"""The manager closes what is left, thinks again, and undoes it."""
		self.show.open_before = self._open_tickets()
		batch = self.staff.close_all(texts.END_OF_DAY)
		self.show.total, self.show.closed = batch.total, batch.closed
		self.show.undone = self.staff.undo_close_all(batch.name).undone
		self.show.open_after = self._open_tickets()

	def _open_tickets(self) -> list[tuple[str, str, int]]:
		sql = (
			"SELECT name, COALESCE(agent, ''), waiting_since_ms FROM `tabKhalifa Ticket` WHERE open_key IS "
			"NOT NULL ORDER BY name"
		)
		return [(name, agent, since) for name, agent, since in self.host.store.rows(sql)]


def make_day(
	host: EmbeddedHost,
	world: World,
	webhook_sender: WebhookSender,
	pen: Pen,
	clock: Clock,
	chaos: Chaos,
	rng: Random,
	has_manager: bool = True,
) -> Day:
	"""A day ready to be played. `rng` is the staff's; what customers do follows the pen's."""
	agenda = Agenda(world.start_ms, world.end_ms)
	staff = DayStaff(host.store, [agent for agent, _ in world.people], clock, agenda, rng)
	staff.expect(world.comings)
	if has_manager:
		agenda.add(world.start_ms, staff.look_around)
	return Day(host, world, webhook_sender, pen, staff, clock, agenda, pen.rng, chaos)
