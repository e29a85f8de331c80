"""A help desk in memory: a SQLite store, the loopback gateway, a clock that tests move, people with names."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.accounts import account_of, route
from khalifa_whatsapp.core.actor import Actor, actor_of
from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.keys import delivery_key
from khalifa_whatsapp.core.pacing import Pace
from khalifa_whatsapp.core.settings import BranchRules, Rules, Settings
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.drivers.base import DeviceConfig
from khalifa_whatsapp.drivers.loopback import LoopbackDriver, message_item, status_item
from khalifa_whatsapp.services.inbound import drain
from khalifa_whatsapp.services.outbound import answers, destination, dispatch
from khalifa_whatsapp.services.tickets import assignment, delays, presence
from khalifa_whatsapp.services.unit_of_work import working
from khalifa_whatsapp.stores.sqlite_store import SqliteStore

MINUTE = 60_000
START = 1_795_160_400_000
MANAGER = Actor("manager@example.com", "Manager", None, is_manager=True)


class Desk:
	"""One device, a few agents, and verbs that read like a day at the desk."""

	def __init__(
		self,
		agents: int = 2,
		capacity: int = 6,
		settings: Settings | None = None,
		calendar: Calendar | None = None,
		start: int = START,
	) -> None:
		calendar = calendar or Calendar.always("Africa/Cairo")
		self.settings = settings or Settings()
		threshold = round(self.settings.delay_minutes * MINUTE)
		branches = {name: BranchRules(calendar, threshold, threshold) for name in ("North", "South")}
		self.store = SqliteStore(":memory:", Rules(self.settings, calendar, branches))
		self.notices: list[Any] = []
		self.store.on_notices = self.notices.extend
		self.driver = LoopbackDriver(
			DeviceConfig("desk", "loopback", app_secrets=("secret",), verify_token="v")
		)
		self.driver.series = "loop-out"  # so that tests can name what was sent
		self.now = start
		self.keys = 0
		self.agents = [f"A{number}" for number in range(agents)]
		self.store.run(
			"INSERT INTO `tabWhatsApp Device` (name, device_name, provider, enabled) VALUES ('desk', "
			"'desk', 'loopback', 1)"
		)
		with working(self.store, self.now) as work:
			for name in self.agents:
				work.add(records.Agent(name, f"{name}@example.com", f"Agent {name}", capacity=capacity))

	# -- people
	def actor(self, agent: str) -> Actor:
		"""As he or she is now: with the branch of today, and no agent when disabled or not there."""
		record = self.store.agent(agent)
		return actor_of(record) if record is not None else Actor(f"{agent}@example.com", f"Agent {agent}")

	def online(self, *agents: str) -> None:
		for agent in agents or self.agents:
			presence.set_presence(self.store, Actor(), agent, records.ONLINE, self.now)
		self.assign()

	def offline(self, agent: str) -> None:
		presence.set_presence(self.store, Actor(), agent, records.OFFLINE, self.now)
		self.assign()

	def beat(self) -> None:
		for entry in self.store.roster():
			if entry.agent.presence != records.OFFLINE:
				presence.heartbeat(self.store, entry.agent.name, self.now)

	# -- time
	def wait(self, minutes: float, scan: bool = True) -> None:
		"""Time passes; agents' pages stay open, the minute job runs at its end."""
		self.now += round(minutes * MINUTE)
		self.beat()
		self.assign()
		if scan:
			delays.scan(self.store, self.now)

	# -- traffic
	def deliver(self, *items: dict[str, Any], take: bool = True) -> None:
		raw = self.driver.call(*items).raw
		self.store.record_webhook_event("desk", "loopback", delivery_key("desk", raw), raw, self.now)
		if take:
			self.take()

	def take(self) -> drain.IntakeResult:
		return drain.drain(self.store, self.driver, lambda: self.now)

	def assign(self) -> list[assignment.Assigned]:
		return assignment.assign_queue(self.store, self.now)

	def write(
		self, phone: str, body: str = "hello", at: int | None = None, gateway_id: str | None = None
	) -> str:
		"""A customer writes; the ticket's name comes back."""
		self.keys += 1
		item = message_item(phone, body, gateway_id or f"in-{self.keys}", at or self.now, "Customer")
		self.deliver(item)
		self.assign()
		return self.ticket_of(phone).name

	def status(self, message: records.Message, status: str, callback: str = "") -> None:
		stored = self.message(message.name)
		self.deliver(status_item(stored.gateway_id or "", status, self.now, callback))

	def reply(
		self, ticket: str, agent: str | None = None, body: str = "answer", **more: Any
	) -> records.Message:
		self.keys += 1
		actor = self.actor(agent or self.ticket(ticket).agent or "")
		return answers.reply(
			self.store, actor, ticket, body, more.pop("key", f"k{self.keys}"), self.now, **more
		)

	def answer_first(self, webhook_event: Any, phone: str) -> str:
		"""What came first of a new customer is given to somebody and answered; the ticket."""
		self.deliver(webhook_event)
		self.assign()
		ticket = self.ticket_of(phone).name
		self.reply(ticket)
		return ticket

	def send(self, pace: Pace = dispatch.FREE) -> dispatch.SendResult:
		return dispatch.drain(self.store, self.driver, lambda: self.now, pace=pace, sleep=self.sleep)

	def sleep(self, seconds: float) -> None:
		"""A sender waits: the clock goes on."""
		self.now += round(seconds * 1000)

	# -- looking
	def all(self, kind: type) -> list[Any]:
		return self.store._read(kind, "1 = 1", (), "ORDER BY name")

	def ticket(self, name: str) -> records.Ticket:
		return self.store.tickets([name])[name]

	def message(self, name: str) -> records.Message:
		return self.store.messages([name])[name]

	def ticket_of(self, phone: str) -> records.Ticket:
		customer = next(c for c in self.all(records.Customer) if c.phone == phone)
		return self.store.latest_tickets([(customer.name, "desk")])[customer.name, "desk"]

	def events(self, ticket: str) -> list[str]:
		return [e.event for e in self.all(records.TicketEvent) if e.ticket == ticket]


class WireDesk(Desk):
	"""A desk whose gateway says events as they are: what no loopback payload can say."""

	def __init__(self, **how: Any) -> None:
		super().__init__(**how)
		self.said: list[base.Event] = []
		self.driver.parse = lambda raw: [self.said[item["n"]] for item in json.loads(raw)["events"]]  # type: ignore[method-assign]

	def receive(self, *events: base.Event, take: bool = True) -> None:
		"""One delivery with these events."""
		first = len(self.said)
		self.said += events
		wids = [
			" ".join(f"{one.value}@{one.kind}" for one in getattr(event, "sender", ())) for event in events
		]
		self.deliver(*({"n": first + place, "from": wid} for place, wid in enumerate(wids)), take=take)


def facts_of(desk: Desk) -> str:
	"""The state that must not depend on the order of deliveries, with names replaced by what they name.

	What became part of another customer or ticket keeps an empty row: how many such there are depends on the
	order.
	"""
	customers = {c.name: c for c in desk.all(records.Customer) if not c.merged_into}
	tickets = {t.name: t for t in desk.all(records.Ticket) if t.close_reason != "merged"}
	who = {name: c.phone or c.customer_name for name, c in customers.items()}
	messages = [
		[
			who[m.customer],
			m.direction,
			m.gateway_id,
			m.body,
			m.sent_ms,
			m.status,
			m.reactions,
			m.is_edited,
			m.is_revoked,
			m.error_code,
		]
		for m in desk.all(records.Message)
	]
	facts = [
		[
			who[t.customer],
			t.customer_name,
			t.status,
			t.cycle,
			t.first_message_ms,
			t.last_in_ms,
			t.last_message_ms,
			t.unread_count,
			t.waiting_since_ms,
			answered_as(desk, t),
		]
		for t in tickets.values()
	]
	waits = [
		[who[t.customer], t.started_ms, t.outcome] for t in desk.all(records.Turn) if t.outcome != "joined"
	]
	logs = [[m.target_key, m.kind, m.value, m.author, bool(m.message)] for m in desk.all(records.MessageLog)]
	rows = desk.all(records.CustomerIdentity)
	values = {row.name: row.value for row in rows}
	identities = [
		[
			i.kind,
			i.value,
			who[i.customer],
			i.since_ms,
			i.seen_ms,
			i.left_ms,
			values.get(i.successor or ""),
			i.taken_ms,
			sorted(other.value for other in rows if account_of(other) == account_of(i)),
			i.profile_name,
		]
		for i in rows
	]
	people = [
		[c.customer_name, c.phone, c.search_text, c.last_in_ms, c.duplicate_state] for c in customers.values()
	]
	parts: list[Iterable[Any]] = [messages, facts, waits, logs, identities, people]
	return json.dumps([sorted(part, key=repr) for part in parts], ensure_ascii=False)


def answered_as(desk: Desk, ticket: records.Ticket) -> list[str]:
	"""Where an answer in this ticket would go, and what opened its window."""
	rows = destination.identities(desk.store, ticket.customer)
	way = route(rows, ticket.identity)
	window = destination.window_from_ms(desk.store, ticket, way, rows)
	return [*(one.value for one in way.recipient), str(window)]
