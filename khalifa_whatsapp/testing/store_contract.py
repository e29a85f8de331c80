"""What every store must do, as tests: mix `StoreContract` into a test class and say how to make a store.

It uses nothing but `assert`, so that it runs under pytest and under unittest. `make_store()` gives a store that
holds none of these tests' rows; `other_store(store)` another one on the same database, as another process has it.
Everything a test writes carries the test's own `tag`, so that it may share a database with others.
"""

from __future__ import annotations

import dataclasses
import threading
import uuid
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.core.keys import delivery_key, digest, kpi_key, message_key, open_key
from khalifa_whatsapp.core.kpi import COUNTS, SAMPLES, Fact
from khalifa_whatsapp.stores.base import Changes, Conflict, DeliveryOutcome, Notice, Store, TicketFilter

NOW = 1_795_160_400_123
HOUR = 3_600_000
DAY = 24 * HOUR
TWINS = (
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
WORDS = "عايز أعرف السعر 😀 \u0000 \u200f <b>'\"\\%_ {{7*7}} \r\n\t end "
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


class StoreContract:
	"""The promises of `stores.base.Store`."""

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

	def customer(self, name: object = "c1", **fields: Any) -> r.Customer:
		return r.Customer(self.n(name), **fields)

	def agent(self, name: object = "a1", **fields: Any) -> r.Agent:
		return r.Agent(self.n(name), f"{self.n(name)}@example.com", f"Agent {name}", **fields)

	def ticket(self, name: object = "t1", customer: object = "c1", **fields: Any) -> r.Ticket:
		ticket = r.Ticket(
			self.n(name), self.n(customer), self.n("dev"), opened_ms=NOW, last_message_ms=NOW, **fields
		)
		if ticket.status != r.CLOSED and "open_key" not in fields:
			ticket.open_key = open_key(ticket.customer, ticket.device)
		return ticket

	def message(self, name: object = "m1", customer: object = "c1", **fields: Any) -> r.Message:
		given = {
			"status": r.RECEIVED,
			"sent_ms": NOW,
			"received_ms": NOW,
			"direction": r.INCOMING,
			"origin": r.CUSTOMER,
		}
		return r.Message(
			self.n(name),
			self.n("t1"),
			self.n(customer),
			self.n("dev"),
			content_type="text",
			**{**given, **fields},
		)

	def queued(self, name: object, customer: object = "c1", **fields: Any) -> r.Message:
		return self.message(
			name, customer, **{"direction": r.OUTGOING, "origin": r.AGENT, "status": r.MSG_QUEUED, **fields}
		)

	def turn(self, name: object = "u1", **fields: Any) -> r.Turn:
		given = {"branch": None, "cycle": 1, "started_ms": NOW, "known_ms": NOW, "ticket": self.n("t1")}
		return r.Turn(self.n(name), customer=self.n("c1"), device=self.n("dev"), **{**given, **fields})

	def segment(self, name: object, agent: object | None = None, **fields: Any) -> r.Segment:
		given = {"turn": self.n("u1"), "ticket": self.n("t1"), "branch": None, "from_ms": NOW}
		return r.Segment(self.n(name), agent=self.n(agent) if agent else None, **{**given, **fields})

	def deliver(self, store: Store, body: bytes, device: str = "dev", at_ms: int = NOW) -> bool:
		device = self.n(device)
		return store.record_delivery(device, "loopback", delivery_key(device, body), body, at_ms)

	def due(self, store: Store, at_ms: int = NOW, limit: int = 100, device: str = "dev") -> list[r.Delivery]:
		with store.transaction():
			return store.due_deliveries(self.n(device), at_ms, limit)

	def read(self, read: Callable[[], Any], store: Store) -> Any:
		with store.transaction():
			return read()

	def refused(self, act: Callable[[], Any], error: type[Exception]) -> bool:
		try:
			act()
		except error:
			return True
		return False

	# -- records

	def test_what_is_saved_is_read_again_field_by_field(self) -> None:
		store = self.make_store()
		everything = self.message(
			message_key=digest(self.tag),
			client_key=digest(self.tag, "client"),
			provider="loopback",
			gateway_id="g1",
			sequence=3,
			body=WORDS.replace("\u0000", ""),
			sender="a@example.com",
			sender_name="سارة",
			agent=self.n("a1"),
			on_behalf_of=self.n("a2"),
			reply_to=digest("x"),
			media_id="m",
			mime_type="image/png",
			file_name="صورة 😀.png",
			data='{"a": [1]}',
			reactions='{"x": "👍"}',
			is_edited=1,
			is_revoked=1,
			attempts=2,
			generation=3,
			next_retry_ms=NOW + 5,
			error_kind="unknown",
			error_code="131026",
			error_text="نص",
		)
		bare = self.message("m2")
		self.save(store, everything, bare)
		found = self.read(lambda: store.messages([everything.name, bare.name]), store)
		assert found == {everything.name: everything, bare.name: bare}

	def test_none_nought_and_nothing_written_stay_three_things(self) -> None:
		store = self.make_store()
		fast = self.turn(ended_ms=NOW, outcome="answered", wall_time=0, biz_time=0, answered_by="")
		waiting = self.turn("u2")
		ticket = self.ticket(first_response_time=0, agent=None, preview="", repliers="")
		self.save(
			store,
			fast,
			waiting,
			ticket,
			self.customer(phone=None),
			self.customer("c2", phone="", customer_name=""),
		)
		turns = self.read(lambda: store.turns([fast.name, waiting.name]), store)
		assert (turns[fast.name].wall_time, turns[fast.name].biz_time, turns[fast.name].answered_by) == (
			0,
			0,
			"",
		)
		assert (
			turns[waiting.name].wall_time,
			turns[waiting.name].biz_time,
			turns[waiting.name].answered_by,
		) == (None,) * 3
		assert turns[waiting.name].ended_ms is None
		found = self.read(lambda: store.tickets([ticket.name]), store)[ticket.name]
		assert (found.first_response_time, found.agent, found.preview, found.waiting_since_ms) == (
			0,
			None,
			"",
			None,
		)
		customers = self.read(lambda: store.customers([self.n("c1"), self.n("c2")]), store)
		assert (customers[self.n("c1")].phone, customers[self.n("c2")].phone) == (None, "")

	def test_every_kind_of_record_comes_back_with_the_types_it_was_saved_with(self) -> None:
		store = self.make_store()
		ticket, turn, part = (
			self.ticket(),
			self.turn(),
			self.segment("s1", "a1", to_ms=NOW + 5, level=2, wall_time=0, biz_time=0),
		)
		event = r.DelayEvent(
			self.n("d1"), digest(self.tag, "d"), "Agent", ticket.name, turn.name, NOW, is_escalated=1
		)
		log = r.MessageLog(
			self.n("l1"), digest(self.tag, "l"), digest(self.tag, "t"), "reaction", "👍", NOW, author="me"
		)
		log.callback = self.n("cb")
		identity = r.CustomerIdentity(
			self.n("i1"), digest(self.tag, "i"), "phone", "+201001234567", self.n("c1")
		)
		stretch = r.PresenceLog(self.n("p1"), self.n("a1"), r.ONLINE, NOW)
		agent = self.agent(heartbeat_ms=NOW, presence=r.ONLINE)
		self.save(store, ticket, turn, part, event, log, identity, stretch, agent)
		assert self.read(lambda: store.tickets([ticket.name]), store) == {ticket.name: ticket}
		assert self.read(lambda: store.turns([turn.name]), store) == {turn.name: turn}
		assert self.read(lambda: store.segments_of([turn.name]), store) == [part]
		assert self.read(lambda: store.delays_of([turn.name]), store) == [event]
		assert self.read(lambda: store.delay(event.name), store) == event
		assert self.read(lambda: store.logs([log.target_key]), store) == [log]
		assert self.read(lambda: store.logs([], [self.n("cb")]), store) == [log]
		assert self.read(lambda: store.identities([identity.identity_key]), store) == {
			identity.identity_key: identity
		}
		assert self.read(lambda: store.identities_of([self.n("c1")]), store) == {self.n("c1"): [identity]}
		assert self.read(lambda: store.open_presence([agent.name]), store) == [stretch]
		assert self.read(lambda: store.agent(agent.name), store) == agent
		assert self.read(lambda: store.agent_of_user(agent.user), store) == agent
		assert self.read(lambda: store.agent(self.n("nobody")), store) is None

	def test_a_record_read_is_a_copy(self) -> None:
		store = self.make_store()
		ticket = self.ticket(preview="as it was")
		self.save(store, ticket)
		ticket.preview = "changed by the writer"
		with store.transaction():
			one = store.tickets([ticket.name])[ticket.name]
			one.preview = "changed by a reader"
			assert store.tickets([ticket.name])[ticket.name].preview == "as it was"
		assert self.read(lambda: store.tickets([ticket.name]), store)[ticket.name].preview == "as it was"

	def test_one_save_writes_new_and_changed_records(self) -> None:
		store = self.make_store()
		ticket = self.ticket()
		self.save(store, ticket, self.customer())
		ticket.preview, ticket.status, ticket.waiting_since_ms = "now", r.OPEN, None
		self.save(store, self.message(), updated=[ticket])
		assert self.read(lambda: store.tickets([ticket.name]), store)[ticket.name] == ticket
		assert self.read(lambda: store.messages([self.n("m1")]), store)

	def test_a_record_added_in_the_same_transaction_can_be_changed(self) -> None:
		store = self.make_store()
		ticket = self.ticket()
		with store.transaction():
			store.save(self.changes(ticket))
			ticket.preview = "later"
			store.save(self.changes(updated=[ticket]))
			assert store.tickets([ticket.name])[ticket.name].preview == "later"
		assert self.read(lambda: store.tickets([ticket.name]), store)[ticket.name].preview == "later"

	def test_a_change_touches_no_other_record(self) -> None:
		store = self.make_store()
		one, two = self.ticket("t1", "c1", preview="one"), self.ticket("t2", "c2", preview="two")
		self.save(store, one, two)
		one.preview = "changed"
		self.save(store, updated=[one])
		assert self.read(lambda: store.tickets([two.name]), store)[two.name] == two

	def test_many_records_are_written_and_read(self) -> None:
		store = self.make_store()
		made = [self.message(f"m{number:04}", body=f"سطر {number}") for number in range(1_200)]
		self.save(store, *made)
		found = self.read(lambda: store.messages([message.name for message in made]), store)
		assert sorted(found) == [message.name for message in made]
		assert found[made[777].name] == made[777]

	def test_asking_for_nothing_gives_nothing(self) -> None:
		store = self.make_store()
		with store.transaction():
			assert store.tickets([]) == store.turns([]) == store.messages([]) == store.customers([]) == {}
			assert store.latest_tickets([]) == store.identities([]) == store.turns_answered_by([]) == {}
			assert (
				store.segments_of([])
				== store.delays_of([])
				== store.logs([])
				== store.waiting_tickets_of([])
				== []
			)

	def test_words_of_customers_come_back_as_they_were(self) -> None:
		store = self.make_store()
		long = "ش" * 30_000 + "😀" * 5_000
		texts = {
			"m1": WORDS.replace("\u0000", ""),
			"m2": long,
			"m3": "",
			"m4": " ",
			"m5": "'; DROP TABLE x; --",
			"m6": "a\u0301",
		}
		self.save(store, *(self.message(name, body=body) for name, body in texts.items()))
		found = self.read(lambda: store.messages([self.n(name) for name in texts]), store)
		assert {name: found[self.n(name)].body for name in texts} == texts

	# -- keys

	def test_ids_that_look_alike_are_different_messages(self) -> None:
		store = self.make_store()
		device = self.n("dev")
		keys = {message_key(device, "", one): one for one in TWINS}
		made = [
			self.message(f"m{n}", message_key=key, gateway_id=one)
			for n, (key, one) in enumerate(keys.items())
		]
		self.save(store, *made)
		found = self.read(lambda: store.messages_by_key(keys), store)
		assert {key: message.gateway_id for key, message in found.items()} == keys
		for one in TWINS:
			assert [
				m.gateway_id
				for m in self.read(lambda one=one: store.messages_by_gateway_id(device, [one]), store)
			] == [one]

	def test_a_key_that_is_taken_is_a_conflict_and_nothing_is_stored(self) -> None:
		twins = [
			(self.ticket("t1"), self.ticket("t2")),
			(
				self.message("m1", message_key=digest(self.tag)),
				self.message("m2", message_key=digest(self.tag)),
			),
			(
				self.queued("m3", client_key=digest(self.tag, "k")),
				self.queued("m4", client_key=digest(self.tag, "k")),
			),
			(self._identity("i1"), self._identity("i2")),
		]
		store = self.make_store()
		for first, second in twins:
			self.save(store, first)
			extra = self.customer(f"extra{type(first).__name__}{first.name}")
			assert self.refused(
				lambda second=second, extra=extra: self.save(store, extra, second), Conflict
			), first
			assert self.read(lambda extra=extra: store.customers([extra.name]), store) == {}

	def _identity(self, name: str) -> r.CustomerIdentity:
		return r.CustomerIdentity(
			self.n(name), digest(self.tag, "identity"), "phone", "+201001234567", self.n("c1")
		)

	def test_many_tickets_may_have_no_open_key_and_many_messages_no_key(self) -> None:
		store = self.make_store()
		closed = [self.ticket(f"t{number}", status=r.CLOSED, closed_ms=NOW + number) for number in range(3)]
		self.save(store, *closed, *(self.message(f"m{number}") for number in range(3)))
		assert len(self.read(lambda: store.tickets([t.name for t in closed]), store)) == 3

	def test_the_message_of_a_caller_s_key_is_found(self) -> None:
		store = self.make_store()
		self.save(store, self.queued("m1", client_key=digest(self.tag, "one")))
		assert self.read(lambda: store.message_by_client_key(digest(self.tag, "one")), store).name == self.n(
			"m1"
		)
		assert self.read(lambda: store.message_by_client_key(digest(self.tag, "two")), store) is None

	# -- transactions, locks, notices

	def test_a_failed_transaction_leaves_nothing_and_tells_nobody(self) -> None:
		store = self.make_store()
		day = date(2031, 1, 1) + timedelta(days=int(self.tag, 16) % 30_000)

		def act() -> None:
			with store.transaction():
				store.save(
					self.changes(self.customer(), notices=[Notice("x", {"tag": self.tag})], dirty_days={day})
				)
				raise KeyError("on purpose")

		assert self.refused(act, KeyError)
		assert self.read(lambda: store.customers([self.n("c1")]), store) == {}
		assert day not in self.read(lambda: store.dirty_days(10_000), store)
		self.save(store, self.customer("c2"))
		assert [n for n in self.notices_of(store) if n.data.get("tag") == self.tag] == []

	def test_people_are_told_after_the_commit_in_order(self) -> None:
		store = self.make_store()
		with store.transaction():
			store.save(self.changes(notices=[Notice("x", {"tag": self.tag, "n": 1}, user="a@example.com")]))
			store.save(
				self.changes(notices=[Notice("x", {"tag": self.tag, "n": 2}, role="WhatsApp Manager")])
			)
			assert [n for n in self.notices_of(store) if n.data.get("tag") == self.tag] == []
		assert [n.data["n"] for n in self.notices_of(store) if n.data.get("tag") == self.tag] == [1, 2]

	def test_transactions_do_not_nest(self) -> None:
		store = self.make_store()

		def act() -> None:
			with store.transaction(), store.transaction():
				pass

		assert self.refused(act, RuntimeError)
		self.save(store, self.customer())
		assert self.read(lambda: store.customers([self.n("c1")]), store)

	def test_a_lock_has_one_holder_and_is_free_after_an_error(self) -> None:
		store = self.make_store()
		name = self.n("lock")
		assert self._others_turn(store, name) is True
		with store.lock(name) as is_ours:
			assert is_ours
			assert self._others_turn(store, name) is False
			assert self._others_turn(store, name + "2") is True
		assert self._others_turn(store, name) is True

		def act() -> None:
			with store.lock(name):
				raise KeyError("on purpose")

		assert self.refused(act, KeyError)
		assert self._others_turn(store, name) is True

	def _others_turn(self, store: Store, name: str) -> bool:
		got: list[bool] = []

		def act() -> None:
			with self.other_store(store).lock(name) as is_ours:
				got.append(is_ours)

		self._in_thread(act)
		return got[0]

	def _in_thread(self, act: Callable[[], None]) -> None:
		errors: list[BaseException] = []

		def run() -> None:
			try:
				act()
			except BaseException as error:  # whatever it was, the test must see it
				errors.append(error)

		thread = threading.Thread(target=run)
		thread.start()
		thread.join(60)
		assert not thread.is_alive()
		if errors:
			raise errors[0]

	def test_a_lock_waits_as_long_as_it_is_told(self) -> None:
		store = self.make_store()
		name = self.n("lock")
		held, done = threading.Event(), threading.Event()

		def hold() -> None:
			with self.other_store(store).lock(name) as is_ours:
				assert is_ours
				held.set()
				done.wait(30)

		thread = threading.Thread(target=hold)
		thread.start()
		assert held.wait(30)
		threading.Timer(0.3, done.set).start()
		with store.lock(name, wait_seconds=20) as is_ours:
			assert is_ours
		thread.join(30)

	def test_ticket_names_are_never_given_twice(self) -> None:
		store = self.make_store()
		names: list[str] = []
		for count in (1, 3, 10):
			names += self.read(lambda count=count: store.next_ticket_names(count), store)
		assert (len(names), len(set(names))) == (14, 14)
		assert all(name.startswith("KT-") for name in names)
		assert sorted(names, key=lambda name: int(name[3:])) == names

	# -- webhook events

	def test_a_delivery_is_kept_byte_for_byte(self) -> None:
		store = self.make_store()
		for body in BODIES:
			assert self.deliver(store, body), body
		assert [delivery.body for delivery in self.due(store)] == list(BODIES)
		assert {type(delivery.body) for delivery in self.due(store)} == {bytes}

	def test_a_delivery_of_four_megabytes_is_kept(self) -> None:
		store = self.make_store()
		body = ("عايز 😀 " * 400_000).encode()[: 4 * 1024 * 1024]
		self.deliver(store, body)
		self.deliver(store, b"\xff" + body)
		assert [delivery.body for delivery in self.due(store)] == [body, b"\xff" + body]

	def test_the_same_delivery_again_only_counts_up(self) -> None:
		store = self.make_store()
		assert self.deliver(store, b"one") is True
		assert self.deliver(store, b"one", at_ms=NOW + 5) is False
		assert self.deliver(store, b"one", device="other") is True
		assert self.deliver(store, b"One") is True
		found = self.due(store)
		assert [(d.body, d.seen_count, d.received_ms, d.attempts) for d in found] == [
			(b"one", 2, NOW, 0),
			(b"One", 1, NOW, 0),
		]
		assert {(d.device, d.provider) for d in found} == {(self.n("dev"), "loopback")}

	def test_deliveries_come_in_the_order_of_arrival_up_to_the_limit(self) -> None:
		store = self.make_store()
		bodies = [f"{number}".encode() for number in (3, 1, 2, 10, 9, 11, 8)]
		for body in bodies:
			self.deliver(store, body, at_ms=NOW - len(body))
		assert [d.body for d in self.due(store)] == bodies
		assert [d.body for d in self.due(store, limit=3)] == bodies[:3]
		assert self.due(store, device="nobody") == []

	def test_a_finished_delivery_is_not_due_and_a_failed_one_when_its_time_has_come(self) -> None:
		store = self.make_store()
		for body in (b"done", b"ignored", b"failed", b"dead", b"new"):
			self.deliver(store, body)
		names = {d.body: d.name for d in self.due(store)}
		with store.transaction():
			store.finish_deliveries(
				[
					DeliveryOutcome(names[b"done"], "Done", "", 1),
					DeliveryOutcome(names[b"ignored"], "Ignored", "noise", 1),
					DeliveryOutcome(names[b"failed"], "Failed", "KeyError", 3, NOW + 1000),
					DeliveryOutcome(names[b"dead"], "Dead", "not JSON", 8),
				],
				NOW,
			)
		assert [d.body for d in self.due(store)] == [b"new"]
		assert [d.body for d in self.due(store, NOW + 999)] == [b"new"]
		assert [(d.body, d.attempts) for d in self.due(store, NOW + 1000)] == [(b"failed", 3), (b"new", 0)]
		assert self.deliver(store, b"done") is False
		assert [d.body for d in self.due(store)] == [b"new"]

	def test_devices_with_due_deliveries_are_named_once(self) -> None:
		store = self.make_store()
		self.deliver(store, b"1", "one")
		self.deliver(store, b"2", "one")
		self.deliver(store, b"3", "two")
		(first, second) = self.due(store, device="one")
		with store.transaction():
			store.finish_deliveries([DeliveryOutcome(d.name, "Done", "", 1) for d in (first, second)], NOW)
		found = [
			d
			for d in self.read(lambda: store.devices_with_due_deliveries(NOW), store)
			if d.startswith(self.tag)
		]
		assert found == [self.n("two")]

	def test_an_outcome_is_undone_with_its_transaction(self) -> None:
		store = self.make_store()
		self.deliver(store, b"one")

		def act() -> None:
			with store.transaction():
				(delivery,) = store.due_deliveries(self.n("dev"), NOW, 9)
				store.finish_deliveries([DeliveryOutcome(delivery.name, "Done", "", 1)], NOW)
				raise KeyError("on purpose")

		assert self.refused(act, KeyError)
		assert [d.body for d in self.due(store)] == [b"one"]

	def test_old_bodies_are_forgotten_and_their_keys_are_not(self) -> None:
		store = self.make_store()
		for body in (b"done", b"waiting"):
			self.deliver(store, body, at_ms=1_000)
		done = self.due(store)[0]
		with store.transaction():
			store.finish_deliveries([DeliveryOutcome(done.name, "Done", "", 1)], NOW)
		forgotten = self.read(lambda: store.forget_deliveries(2_000, 100), store)
		assert forgotten == 1
		assert self.read(lambda: store.forget_deliveries(2_000, 100), store) == 0
		assert self.deliver(store, b"done") is False
		assert [d.body for d in self.due(store)] == [b"waiting"]

	# -- tickets

	def test_the_latest_ticket_is_the_open_one_else_the_one_closed_last(self) -> None:
		store = self.make_store()
		device = self.n("dev")
		self.save(
			store,
			self.ticket("t1", "c1", status=r.CLOSED, closed_ms=NOW + 9),
			self.ticket("t2", "c1"),
			self.ticket("t3", "c2", status=r.CLOSED, closed_ms=NOW + 9),
			self.ticket("t4", "c2", status=r.CLOSED, closed_ms=NOW + 8),
			self.ticket("t5", "c3", status=r.CLOSED, closed_ms=NOW),
			self.ticket("t6", "c3", status=r.CLOSED, closed_ms=NOW),
			dataclasses.replace(
				self.ticket("t7", "c1"),
				device=self.n("dev2"),
				open_key=open_key(self.n("c1"), self.n("dev2")),
			),
		)
		pairs = [(self.n(c), device) for c in ("c1", "c2", "c3", "c4")] + [(self.n("c1"), self.n("dev2"))]
		found = self.read(lambda: store.latest_tickets(pairs), store)
		names = {(c[8:], d[8:]): ticket.name[8:] for (c, d), ticket in found.items()}
		assert names == {("c1", "dev"): "t2", ("c2", "dev"): "t3", ("c3", "dev"): "t6", ("c1", "dev2"): "t7"}

	def test_the_queue_gives_back_first_then_who_waits_longest_then_who_waits_for_nothing(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.ticket("t1", "c1", waiting_since_ms=NOW - 10, queued_since_ms=NOW),
			self.ticket("t2", "c2", queued_since_ms=NOW),
			self.ticket("t3", "c3", waiting_since_ms=NOW - 30, queued_since_ms=NOW),
			self.ticket("t4", "c4", waiting_since_ms=NOW - 1, queued_since_ms=NOW, queue_rank=0),
			self.ticket("t5", "c5", waiting_since_ms=NOW - 10, queued_since_ms=NOW),
			self.ticket("t6", "c6", queued_since_ms=NOW - 99),
			self.ticket("t7", "c7", status=r.OPEN, waiting_since_ms=NOW - 99),
			self.ticket("t8", "c8", status=r.CLOSED, closed_ms=NOW),
		)
		with store.transaction():
			found = [t.name[8:] for t in store.queue(10_000) if t.name.startswith(self.tag)]
		assert found == ["t4", "t3", "t1", "t5", "t6", "t2"]
		assert len(self.read(lambda: store.queue(2), store)) == 2

	def test_due_tickets_are_those_whose_moment_has_come_the_longest_overdue_first(self) -> None:
		store = self.make_store()
		early = 1_000_000  # before any other row's moment
		moments = {"t1": early + 5, "t2": early + 1, "t3": None, "t4": early + 6, "t5": early + 3}
		self.save(
			store,
			*(
				self.ticket(name, f"c{name}", response_by_ms=at, status=r.OPEN)
				for name, at in moments.items()
			),
		)
		with store.transaction():
			assert [t.name[8:] for t in store.due_tickets(early + 5, 9)] == ["t2", "t5", "t1"]
			assert [t.name[8:] for t in store.due_tickets(early + 5, 2)] == ["t2", "t5"]
		for name in moments:
			self.save(
				store, updated=[dataclasses.replace(self.ticket(name, f"c{name}"), response_by_ms=None)]
			)

	def test_tickets_that_wait_on_us_are_found_by_agent(self) -> None:
		store = self.make_store()
		one, two = self.n("a1"), self.n("a2")
		self.save(
			store,
			self.ticket("t1", "c1", agent=one, status=r.OPEN, waiting_since_ms=NOW),
			self.ticket("t2", "c2", agent=one, status=r.OPEN, waiting_since_ms=NOW - 5),
			self.ticket("t3", "c3", agent=one, status=r.PENDING),
			self.ticket("t4", "c4", agent=two, status=r.OPEN),
			self.ticket("t5", "c5", agent=one, status=r.CLOSED, closed_ms=NOW),
		)
		found = self.read(lambda: store.waiting_tickets_of([one]), store)
		assert [ticket.name[8:] for ticket in found] == ["t2", "t1"]

	def test_the_roster_has_the_enabled_agents_with_what_they_hold(self) -> None:
		store = self.make_store()
		one = self.n("a1")
		self.save(
			store,
			self.agent("a1", capacity=3),
			self.agent("a2"),
			self.agent("a3", enabled=0),
			self.ticket("t1", "c1", agent=one, status=r.OPEN),
			self.ticket("t2", "c2", agent=one, status=r.OPEN),
			self.ticket("t3", "c3", agent=one, status=r.PENDING),
			self.ticket("t4", "c4", agent=one, status=r.CLOSED, closed_ms=NOW),
			self.ticket("t5", "c5"),
		)
		roster = self.read(store.roster, store)
		mine = {
			e.agent.name[8:]: (e.open, e.pending, e.agent.capacity)
			for e in roster
			if e.agent.name.startswith(self.tag)
		}
		assert mine == {"a1": (2, 1, 3), "a2": (0, 0, 6)}

	# -- messages

	def test_due_messages_are_one_per_customer_and_in_order(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.queued("m1", "c1", sent_ms=NOW + 2),
			self.queued("m2", "c1", sent_ms=NOW + 1),
			self.queued("m3", "c2", sent_ms=NOW),
			self.queued("m4", "c3", sent_ms=NOW + 3, next_retry_ms=NOW + 100),
			self.queued("m5", "c3", sent_ms=NOW + 4),
			self.queued("m6", "c4", sent_ms=NOW + 5, next_retry_ms=NOW + 50),
			self.queued("m7", "c5", status=r.SENDING),
			self.queued("m8", "c6", status=r.FAILED),
			self.queued("m9", "c7", sent_ms=NOW + 1),
		)

		def due(at_ms: int, limit: int = 9) -> list[str]:
			with store.transaction():
				return [m.name[8:] for m in store.due_messages(self.n("dev"), at_ms, limit)]

		assert due(NOW + 49) == ["m3", "m2", "m9"]
		assert due(NOW + 50) == ["m3", "m2", "m9", "m6"]
		assert due(NOW + 100) == ["m3", "m2", "m9", "m4", "m6"]
		assert due(NOW + 100, 2) == ["m3", "m2"]
		assert [m.name[8:] for m in self.read(lambda: store.abandoned_messages(self.n("dev")), store)] == [
			"m7"
		]

	def test_one_customer_s_waiting_messages_do_not_hold_up_the_others(self) -> None:
		store = self.make_store()
		held = [self.queued(f"m{n:03}", "c1", sent_ms=NOW + n, next_retry_ms=NOW + 10**6) for n in range(60)]
		self.save(store, *held, self.queued("m999", "c2", sent_ms=NOW + 999))
		with store.transaction():
			assert [m.name[8:] for m in store.due_messages(self.n("dev"), NOW, 2)] == ["m999"]

	def test_devices_with_something_to_send_or_to_settle_are_named(self) -> None:
		store = self.make_store()
		made = [
			("one", self.queued("m1", status=r.SENDING)),
			("two", self.queued("m2", "c2")),
			("three", self.queued("m3", "c3", next_retry_ms=NOW + 5)),
			("four", self.queued("m4", "c4", status=r.SENT)),
		]
		self.save(store, *(dataclasses.replace(message, device=self.n(device)) for device, message in made))

		def devices(at_ms: int) -> set[str]:
			found = self.read(lambda: store.devices_with_due_messages(at_ms), store)
			return {name[8:] for name in found if name.startswith(self.tag)}

		assert devices(NOW) == {"one", "two"}
		assert devices(NOW + 5) == {"one", "two", "three"}

	def test_human_replies_are_those_of_people_newest_first(self) -> None:
		store = self.make_store()
		reply = {"origin": r.AGENT, "direction": r.OUTGOING}
		self.save(
			store,
			self.message("m1", **reply, status=r.SENT, sent_ms=NOW),
			self.message("m2", **reply, status=r.FAILED, sent_ms=NOW + 2),
			self.message("m3", **reply, status=r.SENT, sent_ms=NOW + 1),
			self.message("m4", sent_ms=NOW + 9),
			self.message("m5", origin=r.NOTE, direction=r.OUTGOING, sent_ms=NOW + 9),
			self.message("m6", **reply, status=r.SENT, sent_ms=NOW + 1),
			self.message("m7", origin=r.PHONE, direction=r.OUTGOING, sent_ms=NOW + 9),
		)
		assert [m.name[8:] for m in self.read(lambda: store.human_replies(self.n("t1")), store)] == [
			"m2",
			"m6",
			"m3",
			"m1",
		]
		assert self.read(lambda: store.last_human_reply(self.n("t1")), store).name == self.n("m6")
		assert self.read(lambda: store.last_human_reply(self.n("t2")), store) is None

	def test_a_dropped_message_frees_its_key(self) -> None:
		store = self.make_store()
		key = digest(self.tag)
		self.save(store, self.message("m1", message_key=key))
		with store.transaction():
			store.drop_message(self.n("m1"))
			store.save(self.changes(self.message("m2", message_key=key)))
		assert self.read(lambda: store.messages_by_key([key]), store)[key].name == self.n("m2")

	# -- ledger and measures

	def test_turns_are_found_by_their_answer_and_by_the_closing_that_ended_them(self) -> None:
		store = self.make_store()
		ticket = self.ticket(status=r.CLOSED, closed_ms=NOW + 9)
		self.save(
			store,
			ticket,
			self.turn("u1", ended_ms=NOW + 1, outcome=r.ANSWERED, answer=self.n("m1")),
			self.turn("u2", ended_ms=NOW + 9, outcome=r.CLOSED_UNANSWERED),
			self.turn("u3", ended_ms=NOW + 9, outcome="joined"),
		)
		assert self.read(lambda: store.turns_answered_by([self.n("m1"), "x"]), store)[
			self.n("m1")
		].name == self.n("u1")
		assert self.read(lambda: store.turns_closed_with([ticket]), store)[ticket.name].name == self.n("u2")
		ticket.closed_ms = NOW + 10
		assert self.read(lambda: store.turns_closed_with([ticket]), store) == {}

	def test_segments_come_in_the_order_of_the_clock(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.segment("s1", from_ms=NOW + 5),
			self.segment("s2", "a1", from_ms=NOW),
			self.segment("s3", from_ms=NOW),
		)
		assert [s.name[8:] for s in self.read(lambda: store.segments_of([self.n("u1")]), store)] == [
			"s2",
			"s3",
			"s1",
		]

	def _history(self, start: int) -> list[Any]:
		"""A little of everything that counts, in the first second after `start`, and just outside of it."""
		at = start + 500
		a1, a2 = self.n("a1"), self.n("a2")
		ended = {"to_ms": at, "counted_ms": at}
		event = [self.n("t1"), "transferred", at]
		return [
			self.segment("s1", "a1", **ended, biz_time=60, end_reason="answered", is_first=1),
			self.segment("s2", "a1", **ended, biz_time=60, end_reason="answered"),
			self.segment("s3", "a1", **ended, biz_time=0, end_reason="answered"),
			self.segment("s4", "a1", **ended, biz_time=5, end_reason="answered_by_admin"),
			self.segment("s5", "a2", **ended, biz_time=9, end_reason="transferred", is_late_transfer=1),
			self.segment("s6", None, **ended, biz_time=9, end_reason="assigned"),
			self.segment(
				"s7", "a1", to_ms=start - 1, counted_ms=start - 1, biz_time=7, end_reason="answered"
			),
			self.segment(
				"s8",
				"a1",
				to_ms=start + 1000,
				counted_ms=start + 1000,
				biz_time=7,
				is_first=1,
				end_reason="answered",
			),
			self.segment("s9", "a1", to_ms=start, counted_ms=start, biz_time=1, end_reason="answered"),
			r.DelayEvent(
				self.n("d1"), digest(self.tag, "1"), "Agent", self.n("t1"), self.n("u1"), at, agent=a1
			),
			r.DelayEvent(
				self.n("d2"),
				digest(self.tag, "2"),
				"Agent",
				self.n("t1"),
				self.n("u1"),
				at,
				agent=a1,
				objection_status="Accepted",
			),
			r.DelayEvent(self.n("d3"), digest(self.tag, "3"), "Customer", self.n("t1"), self.n("u1"), at),
			self.ticket(
				"t1",
				"c1",
				status=r.CLOSED,
				closed_ms=at,
				agent=a1,
				resolved_for=a1,
				waited_time=90,
				close_reason="resolved",
			),
			self.ticket(
				"t2",
				"c2",
				status=r.CLOSED,
				closed_ms=at,
				agent=a1,
				resolved_for=a2,
				waited_time=0,
				close_reason="resolved",
			),
			self.ticket(
				"t3",
				"c3",
				status=r.CLOSED,
				closed_ms=at,
				agent=a1,
				close_reason="end",
				close_batch="b",
				is_missed=1,
			),
			self.ticket(
				"t4",
				"c4",
				status=r.CLOSED,
				closed_ms=at,
				agent=a1,
				close_reason="resolved",
				is_missed=1,
				missed_for=a1,
			),
			self.ticket(
				"t5", "c5", status=r.CLOSED, closed_ms=at, agent=a2, resolved_for=a2, close_reason="inactive"
			),
			self.ticket("t6", "c6", status=r.CLOSED, closed_ms=at, agent=a2, close_reason="spam"),
			r.TicketEvent(self.n("e1"), *event, from_agent=a1, to_agent=a2),
			r.TicketEvent(self.n("e2"), self.n("t1"), "assigned", at, to_agent=a1),
			r.TicketEvent(self.n("e3"), self.n("t1"), "reopened", at, from_agent=a1),
			self.queued("m1", origin=r.AGENT, status=r.SENT, sent_ms=at, agent=a1),
			self.queued("m2", origin=r.AGENT, status=r.FAILED, sent_ms=at, agent=a1),
			self.queued("m3", origin=r.NOTE, status=r.SENT, sent_ms=at, agent=a1),
			r.PresenceLog(self.n("p1"), a1, r.ONLINE, start - 5_000, start + 400),
			r.PresenceLog(self.n("p2"), a1, r.AWAY, start + 400, start + 600),
			r.PresenceLog(self.n("p3"), a2, r.ONLINE, start - 9_000),
		]

	def test_facts_of_a_little_history_are_counted_once_and_nothing_beside_it(self) -> None:
		store = self.make_store()
		start = NOW - NOW % 1000
		self.save(store, *self._history(start))
		facts = self.read(lambda: store.facts(start, start + 1000), store)
		mine = [f for f in facts if f.agent.startswith(self.tag) and f.count]
		found: dict[tuple[str, str, int], int] = {}
		for fact in mine:
			key = (fact.agent[8:], fact.metric, fact.value)
			found[key] = found.get(key, 0) + fact.count
		assert {type(value) for f in mine for value in (f.count, f.value)} == {int}
		assert found == {
			("a1", "response", 60): 2,
			("a1", "response", 0): 1,
			("a1", "response", 1): 1,
			("a1", "first_response", 60): 1,
			("a1", "turns_answered", 0): 4,
			("a1", "rescues", 0): 1,
			("a1", "segments_counted", 0): 5,
			("a2", "segments_counted", 0): 1,
			("a2", "late_transfers", 0): 1,
			("a1", "delays", 0): 1,
			("a1", "tickets_handled", 0): 4,
			("a2", "tickets_handled", 0): 3,
			("a1", "tickets_resolved", 0): 1,
			("a2", "tickets_resolved", 0): 2,
			("a1", "resolution", 90): 1,
			("a2", "resolution", 0): 1,
			("a1", "tickets_excluded", 0): 1,
			("a2", "tickets_excluded", 0): 1,
			("a1", "missed", 0): 1,
			("a2", "tickets_received", 0): 1,
			("a1", "tickets_received", 0): 1,
			("a2", "transfers_in", 0): 1,
			("a1", "transfers_out", 0): 1,
			("a1", "tickets_reopened", 0): 1,
			("a1", "messages_sent", 0): 1,
			("a2", "online_time", 0): 1,
		}
		assert {f.metric for f in facts} <= COUNTS | set(SAMPLES)

	def test_facts_of_two_periods_add_up_to_those_of_both(self) -> None:
		store = self.make_store()
		start = NOW - NOW % 1000
		self.save(store, *self._history(start))

		def total(*bounds: tuple[int, int]) -> dict[tuple[str, str, int], int]:
			counts: dict[tuple[str, str, int], int] = {}
			for low, high in bounds:
				for fact in self.read(lambda low=low, high=high: store.facts(low, high), store):
					if fact.agent.startswith(self.tag) and fact.count:
						key = (fact.agent, fact.metric, fact.value)
						counts[key] = counts.get(key, 0) + fact.count
			return counts

		first, middle, last = start - DAY, start + 1000, start + DAY
		assert total((first, last)) == total((first, middle), (middle, last))

	def _kpi(self, agent: str, start: str, **fields: Any) -> r.AgentKpi:
		key = kpi_key(self.n(agent), "Daily", start)
		return r.AgentKpi(key[:20], key, self.n(agent), f"Agent {agent}", None, "Daily", start, **fields)

	def test_rows_of_measures_are_replaced_whole_and_twice_is_once(self) -> None:
		store = self.make_store()
		day = self._free_day()
		rows = [
			self._kpi("a1", day.isoformat(), delays=3, score=81.6),
			self._kpi("a2", day.isoformat(), score=None),
		]
		for _ in range(2):
			with store.transaction():
				store.replace_kpi("Daily", day, rows)
			assert self._kpi_rows(store, day) == [("a1", 3), ("a2", 0)]
		with store.transaction():
			store.replace_kpi("Daily", day, rows[1:])
		assert self._kpi_rows(store, day) == [("a2", 0)]
		with store.transaction():
			store.replace_kpi("Monthly", day, [])
		assert self._kpi_rows(store, day) == [("a2", 0)]
		with store.transaction():
			store.replace_kpi("Daily", day, [])

	def _kpi_rows(self, store: Any, day: date) -> list[tuple[str, int]]:
		sql = "SELECT agent, delays FROM `tabKhalifa Agent KPI` WHERE period = 'Daily' AND start_date = ? ORDER BY agent"
		return [
			(agent[8:], delays)
			for agent, delays in self.read(lambda: store.rows(sql, (day.isoformat(),)), store)
		]

	def _free_day(self) -> date:
		"""A day in a far future that no other test uses."""
		return date(2100, 1, 1) + timedelta(days=int(self.tag, 16) % 1_000_000)

	def test_a_day_is_dirty_until_it_is_cleaned_and_dirty_again_when_marked_again(self) -> None:
		store = self.make_store()
		day = self._free_day()
		other = day + timedelta(days=1)

		def dirty() -> list[date]:
			return [
				found
				for found in self.read(lambda: store.dirty_days(100_000), store)
				if found in (day, other)
			]

		assert dirty() == []
		self.save(store, dirty_days={other, day})
		self.save(store, dirty_days={day})
		assert dirty() == [day, other]
		with store.transaction():
			store.clean_days([day], NOW)
		assert dirty() == [other]
		self.save(store, dirty_days={day})
		assert dirty() == [day, other]
		with store.transaction():
			store.clean_days([day, other], NOW)
		assert dirty() == []

	# -- close all

	def test_a_batch_has_one_item_per_open_ticket_that_the_filter_means(self) -> None:
		store = self.make_store()
		device, north = self.n("dev"), self.n("north")
		self.save(
			store,
			self.ticket("t1", "c1", status=r.OPEN, version=7, branch=north, agent=self.n("a1")),
			self.ticket("t2", "c2", version=0),
			self.ticket("t3", "c3", status=r.CLOSED, closed_ms=NOW),
			dataclasses.replace(self.ticket("t4", "c4", status=r.PENDING), opened_ms=NOW - HOUR),
		)
		cases = {
			TicketFilter(device=device): {"t1", "t2", "t4"},
			TicketFilter(device=device, status=r.OPEN): {"t1"},
			TicketFilter(branch=north): {"t1"},
			TicketFilter(agent=self.n("a1")): {"t1"},
			TicketFilter(device=device, opened_before_ms=NOW): {"t4"},
			TicketFilter(names=(self.n("t1"), self.n("t3"), self.n("t4"))): {"t1", "t4"},
		}
		for number, (chosen, meant) in enumerate(cases.items()):
			assert self.read(lambda chosen=chosen: store.count_open_tickets(chosen), store) == len(meant)
			batch = r.CloseBatch(self.n(f"b{number}"), "why", "{}", "boss@example.com", "Boss", NOW)
			names = iter(range(99))
			with store.transaction():
				made = store.start_close_batch(
					batch, chosen, lambda names=names, number=number: self.n(f"b{number}i{next(names):02}")
				)
			items = self.read(lambda batch=batch: store.batch_items(batch.name, "Waiting", 99), store)
			assert (made, batch.total, {item.ticket[8:] for item in items}) == (len(meant), len(meant), meant)
		assert {item.version for item in items if item.ticket == self.n("t1")} == {7}

	def test_items_of_a_batch_are_read_by_result_up_to_the_limit(self) -> None:
		store = self.make_store()
		batch = r.CloseBatch(
			self.n("b"), "why", "{}", "boss@example.com", "Boss", NOW, status="Undoing", total=3, skipped=1
		)
		items = [r.CloseBatchItem(self.n(f"i{n}"), batch.name, self.n(f"t{n}"), n) for n in range(5)]
		items[2].result, items[2].why = "Skipped", "changed meanwhile"
		self.save(store, batch, *items)
		assert self.read(lambda: store.close_batch(batch.name), store) == batch
		assert self.read(lambda: store.close_batch(self.n("x")), store) is None
		assert self.read(lambda: store.batch_items(batch.name, "Waiting", 3), store) == [
			items[0],
			items[1],
			items[3],
		]
		assert self.read(lambda: store.batch_items(batch.name, "Skipped", 3), store) == [items[2]]

	# -- watching

	def test_the_backlog_counts_what_waits_and_its_age(self) -> None:
		store = self.make_store()
		before = self.read(lambda: store.backlog(NOW), store)
		self.deliver(store, b"one", at_ms=NOW - 7_000)
		self.deliver(store, b"two", at_ms=NOW - 5_000)
		two = self.due(store)[1]
		with store.transaction():
			store.finish_deliveries([DeliveryOutcome(two.name, "Dead", "x", 8)], NOW)
		states = (r.MSG_QUEUED, r.SENDING, r.UNKNOWN, r.UNKNOWN, r.FAILED, r.SENT)
		self.save(
			store,
			*(self.queued(f"m{n}", f"c{n}", status=s, received_ms=NOW - 9_000) for n, s in enumerate(states)),
		)
		after = self.read(lambda: store.backlog(NOW), store)
		grown = {f.name: getattr(after, f.name) - getattr(before, f.name) for f in dataclasses.fields(after)}
		counts = {
			name: grown[name] for name in ("deliveries", "outgoing", "unknown", "failed", "dead_deliveries")
		}
		assert counts == {"deliveries": 1, "outgoing": 2, "unknown": 2, "failed": 1, "dead_deliveries": 1}
		assert (after.oldest_delivery_ms >= 7_000, after.oldest_outgoing_ms >= 9_000) == (True, True)

	def test_rules_are_there(self) -> None:
		store = self.make_store()
		rules = self.read(store.rules, store)
		assert rules.settings.drain_batch > 0
		assert rules.calendar.timezone

	def test_every_fact_has_its_kind(self) -> None:
		assert {f.name for f in dataclasses.fields(Fact)} == {"agent", "metric", "count", "value"}
