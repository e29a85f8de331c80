"""The scene of the store contract: what a store's tests must bring, and short words for records."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.keys import delivery_key, open_key
from khalifa_whatsapp.stores.base import Changes, Notice, Store

NOW = 1_795_160_400_123
HOUR = 3_600_000
DAY = 24 * HOUR
LOOKALIKES = (
	"wamid.Aa",
	"wamid.aA",
	"wamid.Aa ",
	"wamid.Áa",
	"wamid.A\u0301a",
	"wamid.😀",
	"wamid.😁",
	"wamid.أ",
	"wamid.ا",
)
ODD_TEXT = "عايز أعرف السعر 😀 \u0000 \u200f <b>'\"\\%_ {{7*7}} \r\n\t end "
BODIES = (
	b"{}",
	b"",
	b" ",
	b"\x00\x01\x02",
	b"\xff\xfe\x00bad utf-8 \x80",
	'{"text": "😀 عايز"}'.encode(),
	b"\xef\xbb\xbf{}",
	'{"text": "😀"}'.encode("utf-16"),
	b"trailing space ",
	b"\r\n",
)


class StoreScene:
	"""Makes stores and rows. Everything a test writes carries the test's own `tag`."""

	def make_store(self) -> Store:
		"""A store to test."""
		raise NotImplementedError

	def other_store(self, store: Store) -> Store:
		"""Another store on the same database, to be used from another thread."""
		raise NotImplementedError

	def notices_of(self, store: Store) -> list[Notice]:
		"""What the store told people after commits, since it was made."""
		raise NotImplementedError

	# -- helpers

	@property
	def tag(self) -> str:
		"""Short, lower case, this test's alone."""
		if "_tag" not in self.__dict__:
			self.__dict__["_tag"] = uuid.uuid4().hex[:8]
		return self.__dict__["_tag"]

	def n(self, name: object) -> str:
		"""A row name of this test; sorts as `name` does."""
		return f"{self.tag}{name}"

	def save(self, store: Store, *created: Any, updated: Iterable[Any] = (), **more: Any) -> None:
		with store.transaction():
			store.save(self.changes(*created, updated=updated, **more))

	def changes(self, *created: Any, updated: Iterable[Any] = (), **more: Any) -> Changes:
		changes = Changes(**more)
		for record in created:
			changes.created.setdefault(type(record), []).append(record)
		for record in updated:
			changes.updated.setdefault(type(record), {})[record.name] = record
		return changes

	def customer(self, name: object = "c1", **fields: Any) -> records.Customer:
		return records.Customer(self.n(name), **fields)

	def agent(self, name: object = "a1", **fields: Any) -> records.Agent:
		return records.Agent(self.n(name), f"{self.n(name)}@example.com", f"Agent {name}", **fields)

	def ticket(self, name: object = "t1", customer: object = "c1", **fields: Any) -> records.Ticket:
		ticket = records.Ticket(
			self.n(name), self.n(customer), self.n("dev"), opened_ms=NOW, last_message_ms=NOW, **fields
		)
		if ticket.status != records.CLOSED and "open_key" not in fields:
			ticket.open_key = open_key(ticket.customer, ticket.device)
		return ticket

	def message(self, name: object = "m1", customer: object = "c1", **fields: Any) -> records.Message:
		given = {
			"status": records.RECEIVED,
			"sent_ms": NOW,
			"received_ms": NOW,
			"direction": records.INCOMING,
			"origin": records.CUSTOMER,
		}
		return records.Message(
			self.n(name),
			self.n("t1"),
			self.n(customer),
			self.n("dev"),
			content_type="text",
			**{**given, **fields},
		)

	def queued(self, name: object, customer: object = "c1", **fields: Any) -> records.Message:
		return self.message(
			name,
			customer,
			**{
				"direction": records.OUTGOING,
				"origin": records.AGENT,
				"status": records.MSG_QUEUED,
				**fields,
			},
		)

	def turn(self, name: object = "u1", **fields: Any) -> records.Turn:
		given = {"branch": None, "cycle": 1, "started_ms": NOW, "known_ms": NOW, "ticket": self.n("t1")}
		return records.Turn(self.n(name), customer=self.n("c1"), device=self.n("dev"), **{**given, **fields})

	def segment(self, name: object, agent: object | None = None, **fields: Any) -> records.Segment:
		given = {"turn": self.n("u1"), "ticket": self.n("t1"), "branch": None, "from_ms": NOW}
		return records.Segment(self.n(name), agent=self.n(agent) if agent else None, **{**given, **fields})

	def deliver(self, store: Store, body: bytes, device: str = "dev", at_ms: int = NOW) -> bool:
		device = self.n(device)
		return store.record_webhook_event(device, "loopback", delivery_key(device, body), body, at_ms)

	def due(
		self, store: Store, at_ms: int = NOW, limit: int = 100, device: str = "dev"
	) -> list[records.WebhookEvent]:
		with store.transaction():
			return store.due_webhook_events(self.n(device), at_ms, limit)

	def read(self, read: Callable[[], Any], store: Store) -> Any:
		with store.transaction():
			return read()

	def refused(self, act: Callable[[], Any], error: type[Exception]) -> bool:
		try:
			act()
		except error:
			return True
		return False
