"""The store contract on rows: what is read is what was saved, keys, transactions, locks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.keys import digest, message_key
from khalifa_whatsapp.stores.base import Conflict, Notice, Store
from khalifa_whatsapp.tests.contracts.store_scene import LOOKALIKES, NOW, ODD_TEXT, StoreScene


class RowsContract(StoreScene):
	"""Records, unique keys, transactions, locks and notices."""

	# -- records

	def test_what_is_saved_is_read_again_field_by_field(self) -> None:
		store = self.make_store()
		everything = self.message(
			message_key=digest(self.tag),
			client_key=digest(self.tag, "client"),
			provider="loopback",
			gateway_id="g1",
			sequence=3,
			body=ODD_TEXT.replace("\u0000", ""),
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
		messages = self.read(lambda: store.messages([everything.name, bare.name]), store)
		assert messages == {everything.name: everything, bare.name: bare}

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
		read_again = self.read(lambda: store.tickets([ticket.name]), store)[ticket.name]
		assert (
			read_again.first_response_time,
			read_again.agent,
			read_again.preview,
			read_again.waiting_since_ms,
		) == (
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
		event = records.DelayEvent(
			self.n("d1"), digest(self.tag, "d"), "Agent", ticket.name, turn.name, NOW, is_escalated=1
		)
		log = records.MessageLog(
			self.n("l1"), digest(self.tag, "l"), digest(self.tag, "t"), "reaction", "👍", NOW, author="me"
		)
		log.callback = self.n("cb")
		identity = records.CustomerIdentity(
			self.n("i1"), digest(self.tag, "i"), "phone", "+201001234567", self.n("c1")
		)
		stretch = records.PresenceLog(self.n("p1"), self.n("a1"), records.ONLINE, NOW)
		agent = self.agent(heartbeat_ms=NOW, presence=records.ONLINE)
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
		ticket.preview, ticket.status, ticket.waiting_since_ms = "now", records.OPEN, None
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
		messages = self.read(lambda: store.messages([message.name for message in made]), store)
		assert sorted(messages) == [message.name for message in made]
		assert messages[made[777].name] == made[777]

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
			"m1": ODD_TEXT.replace("\u0000", ""),
			"m2": long,
			"m3": "",
			"m4": " ",
			"m5": "'; DROP TABLE x; --",
			"m6": "a\u0301",
		}
		self.save(store, *(self.message(name, body=body) for name, body in texts.items()))
		messages = self.read(lambda: store.messages([self.n(name) for name in texts]), store)
		assert {name: messages[self.n(name)].body for name in texts} == texts

	# -- keys

	def test_ids_that_look_alike_are_different_messages(self) -> None:
		store = self.make_store()
		device = self.n("dev")
		keys = {message_key(device, "", one): one for one in LOOKALIKES}
		made = [
			self.message(f"m{n}", message_key=key, gateway_id=one)
			for n, (key, one) in enumerate(keys.items())
		]
		self.save(store, *made)
		messages = self.read(lambda: store.messages_by_key(keys), store)
		assert {key: message.gateway_id for key, message in messages.items()} == keys
		for one in LOOKALIKES:
			assert [
				m.gateway_id
				for m in self.read(lambda one=one: store.messages_by_gateway_id(device, [one]), store)
			] == [one]

	def test_a_key_that_is_taken_is_a_conflict_and_nothing_is_stored(self) -> None:
		lookalikes = [
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
		for first, second in lookalikes:
			self.save(store, first)
			extra = self.customer(f"extra{type(first).__name__}{first.name}")
			assert self.refused(
				lambda second=second, extra=extra: self.save(store, extra, second), Conflict
			), first
			assert self.read(lambda extra=extra: store.customers([extra.name]), store) == {}

	def _identity(self, name: str) -> records.CustomerIdentity:
		return records.CustomerIdentity(
			self.n(name), digest(self.tag, "identity"), "phone", "+201001234567", self.n("c1")
		)

	def test_many_tickets_may_have_no_open_key_and_many_messages_no_key(self) -> None:
		store = self.make_store()
		closed = [
			self.ticket(f"t{number}", status=records.CLOSED, closed_ms=NOW + number) for number in range(3)
		]
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

	def test_a_failed_transaction_leaves_nothing_and_notifies_nobody(self) -> None:
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

	def test_people_are_notified_after_the_commit_in_order(self) -> None:
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

	def test_a_lock_waits_as_long_as_it_is_asked_to(self) -> None:
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
