"""The store contract on what the desk asks for: deliveries, tickets, messages, batches, backlog."""

from __future__ import annotations

import dataclasses
import itertools

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.keys import digest, open_key
from khalifa_whatsapp.core.kpi import Fact
from khalifa_whatsapp.core.ticket_access import is_open_to
from khalifa_whatsapp.stores.base import TicketFilter, WebhookOutcome
from khalifa_whatsapp.tests.contracts.store_scene import HOUR, NOW, StoreScene


class ReadsContract(StoreScene):
	"""The reads that use cases are made of."""

	# -- customers who are one

	def test_people_s_notes_are_found(self) -> None:
		store = self.make_store()
		self.save(store, self.customer("c1"), self.customer("c2"), self.customer("c3"))
		with store.transaction():
			for field, name in (("notes", "c2"), ("reference_name", "c3")):
				store.run(f"UPDATE `tabKhalifa Customer` SET `{field}` = 'x' WHERE name = ?", (self.n(name),))  # type: ignore[attr-defined]
		names = [self.n(name) for name in ("c1", "c2", "c3", "nobody")]
		assert self.read(lambda: store.customers_with_notes(names), store) == {self.n("c2"), self.n("c3")}
		assert self.read(lambda: store.customers_with_notes([]), store) == set()

	def test_all_tickets_of_a_renamed_customer_carry_the_name(self) -> None:
		store = self.make_store()
		closed = self.ticket("t2", "c1", status=records.CLOSED, closed_ms=NOW, customer_name="old")
		self.save(
			store, self.ticket(customer_name="old"), closed, self.ticket("t3", "c2", customer_name="other")
		)
		self.save(
			store,
			self.customer(customer_name="new"),
			self.customer("c2", customer_name="not asked for"),
			renamed={self.n("c1")},
		)
		tickets = self.read(lambda: store.tickets([self.n(name) for name in ("t1", "t2", "t3")]), store)
		assert [tickets[self.n(name)].customer_name for name in ("t1", "t2", "t3")] == ["new", "new", "other"]

	def test_messages_that_came_under_two_chats_are_found_byte_for_byte(self) -> None:
		store = self.make_store()
		pairs = (("3Aa", "in|lid"), ("3AA", "in|lid"), ("alone", "in|lid"), ("meta", ""))
		ours = [
			self.message(f"a{n}", "c1", gateway_id=g, scope=s, message_key=digest(self.tag, g, s))
			for n, (g, s) in enumerate(pairs)
		]
		theirs = [
			self.message(
				f"b{n}", "c2", gateway_id=g, scope=s and "in|phone", message_key=digest(self.tag, g, s, "b")
			)
			for n, (g, s) in enumerate((*pairs[:2], ("other", "in|x"), pairs[3]))
		]
		sent = self.message("b9", "c2", gateway_id="alone", scope="out", direction=records.OUTGOING)
		self.save(store, *ours, *theirs, sent)
		doubles = self.read(lambda: store.doubles(self.n("c1"), self.n("c2")), store)
		assert sorted(doubles) == [(self.n("a0"), self.n("b0")), (self.n("a1"), self.n("b1"))]

	def test_what_was_said_of_a_double_is_said_of_the_message_that_stays(self) -> None:
		store = self.make_store()
		stays, goes = (self.message(name, message_key=digest(self.tag, name)) for name in ("m1", "m2"))
		log = records.MessageLog(
			self.n("l1"), digest(self.tag, "l"), goes.message_key or "", "reaction", "👍", NOW, author="me"
		)
		self.save(store, stays, goes, log)
		with store.transaction():
			store.retarget_logs(goes, stays)
		(moved,) = self.read(lambda: store.logs([stays.message_key or ""]), store)
		assert (moved.name, moved.message, moved.target_key) == (log.name, stays.name, stays.message_key)

	def test_a_ticket_s_messages_come_in_their_order_and_say_when_whom_wrote(self) -> None:
		store = self.make_store()
		made = [
			self.message("m3", sent_ms=NOW + 2, identity=self.n("i2")),
			self.message("m1", sent_ms=NOW, sequence=1, identity=self.n("i1")),
			self.message("m2", sent_ms=NOW, identity=self.n("i1")),
			self.queued("m4", sent_ms=NOW + 9, identity=self.n("i1")),
		]
		self.save(store, *made)
		names = self.read(lambda: [m.name for m in store.messages_of(self.n("t1"))], store)
		assert names == [self.n(name) for name in ("m2", "m1", "m3", "m4")]

		def ask(*who: str) -> int | None:
			people = [self.n(one) for one in who]
			return self.read(lambda: store.last_written_ms(self.n("t1"), people), store)

		assert (ask("i1"), ask("i1", "i2"), ask("i3"), ask()) == (NOW, NOW + 2, None, None)

	def test_the_customer_s_latest_words_are_those_that_this_gateway_knows(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.message("m1", sent_ms=NOW, gateway_id="a", provider="loopback"),
			self.message("m2", sent_ms=NOW + 1, gateway_id="b", provider="loopback"),
			self.message("m3", sent_ms=NOW + 2, gateway_id="c", provider="cloud_api"),
			self.message("m4", sent_ms=NOW + 3, gateway_id=None, provider="loopback"),
			self.queued("m5", sent_ms=NOW + 9, gateway_id="d", provider="loopback"),
			dataclasses.replace(
				self.message("m6", sent_ms=NOW + 9, gateway_id="e", provider="loopback"), ticket=self.n("t2")
			),
		)

		def ask(provider: str) -> str | None:
			newest = self.read(lambda: store.newest_incoming(self.n("t1"), provider), store)
			return newest and newest.name

		assert (ask("loopback"), ask("cloud_api"), ask("wppconnect")) == (self.n("m2"), self.n("m3"), None)

	# -- webhook events

	def test_the_latest_ticket_is_the_open_one_else_the_one_closed_last(self) -> None:
		store = self.make_store()
		device = self.n("dev")
		self.save(
			store,
			self.ticket("t1", "c1", status=records.CLOSED, closed_ms=NOW + 9),
			self.ticket("t2", "c1"),
			self.ticket("t3", "c2", status=records.CLOSED, closed_ms=NOW + 9),
			self.ticket("t4", "c2", status=records.CLOSED, closed_ms=NOW + 8),
			self.ticket("t5", "c3", status=records.CLOSED, closed_ms=NOW),
			self.ticket("t6", "c3", status=records.CLOSED, closed_ms=NOW),
			dataclasses.replace(
				self.ticket("t7", "c1"),
				device=self.n("dev2"),
				open_key=open_key(self.n("c1"), self.n("dev2")),
			),
		)
		pairs = [(self.n(c), device) for c in ("c1", "c2", "c3", "c4")] + [(self.n("c1"), self.n("dev2"))]
		tickets = self.read(lambda: store.latest_tickets(pairs), store)
		names = {(c[8:], d[8:]): ticket.name[8:] for (c, d), ticket in tickets.items()}
		assert names == {("c1", "dev"): "t2", ("c2", "dev"): "t3", ("c3", "dev"): "t6", ("c1", "dev2"): "t7"}

	def test_what_was_put_aside_is_found_when_its_time_has_come(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.ticket("t1", "c1", snoozed_ms=NOW - 9, snoozed_until_ms=NOW),
			self.ticket("t2", "c2", snoozed_ms=NOW - 9, snoozed_until_ms=NOW - 1),
			self.ticket("t3", "c3", snoozed_ms=NOW - 9, snoozed_until_ms=NOW + 1),
			self.ticket("t4", "c4", snoozed_ms=NOW - 9),
			self.ticket("t5", "c5"),
		)
		due = self.read(lambda: store.due_snoozes(NOW, 10_000), store)
		ours = [ticket for ticket in due if ticket.name in {self.n(f"t{n}") for n in range(1, 6)}]
		assert [ticket.name for ticket in ours] == [self.n("t2"), self.n("t1")]
		assert ours[0].snoozed_until_ms == NOW - 1

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
			self.ticket("t7", "c7", status=records.OPEN, waiting_since_ms=NOW - 99),
			self.ticket("t8", "c8", status=records.CLOSED, closed_ms=NOW),
		)
		with store.transaction():
			queue = [t.name[8:] for t in store.queue(10_000, []) if t.name.startswith(self.tag)]
		assert queue == ["t4", "t3", "t1", "t5", "t6", "t2"]
		assert len(self.read(lambda: store.queue(2, []), store)) == 2

	def test_the_queue_of_branches_holds_what_the_rule_opens_to_them(self) -> None:
		"""The statement says `ticket_access.is_open_to` a second time: every state, branch and mark,
		for any branches.
		"""
		store, branches = self.make_store(), (None, "", "North", "South")
		made = [
			self.ticket(
				number, f"c{number}", status=status, branch=branch, is_branch_only=mark, queued_since_ms=NOW
			)
			for number, (status, branch, mark) in enumerate(
				itertools.product(
					(records.QUEUED, records.OPEN, records.PENDING, records.CLOSED), branches, (0, 1)
				)
			)
		]
		self.save(store, *made)
		for asked in ([], ["North"], ["South"], ["North", "South"], ["East"]):
			queue = self.read(lambda asked=asked: store.queue(10_000, asked), store)
			names = {ticket.name for ticket in queue if ticket.name.startswith(self.tag)}
			readers = [None, *asked]
			expected = {
				ticket.name
				for ticket in made
				if ticket.status == records.QUEUED and any(is_open_to(ticket, branch) for branch in readers)
			}
			assert names == expected, asked

	def test_due_tickets_are_those_whose_moment_has_come_the_longest_overdue_first(self) -> None:
		store = self.make_store()
		early = 1_000_000  # before any other row's moment
		moments = {"t1": early + 5, "t2": early + 1, "t3": None, "t4": early + 6, "t5": early + 3}
		self.save(
			store,
			*(
				self.ticket(name, f"c{name}", next_check_ms=at, status=records.OPEN)
				for name, at in moments.items()
			),
		)
		with store.transaction():
			assert [t.name[8:] for t in store.due_tickets(early + 5, 9)] == ["t2", "t5", "t1"]
			assert [t.name[8:] for t in store.due_tickets(early + 5, 2)] == ["t2", "t5"]
		for name in moments:
			self.save(store, updated=[dataclasses.replace(self.ticket(name, f"c{name}"), next_check_ms=None)])

	def test_tickets_are_found_by_the_rules_that_their_deadlines_were_worked_out_with(self) -> None:
		store = self.make_store()
		old, new, north = self.tag[:11] + "1", self.tag[:11] + "2", self.n("north")
		self.save(
			store,
			self.ticket("t1", "c1", rules_version=old, branch=north),
			self.ticket("t2", "c2", rules_version=old, branch=north),
			self.ticket("t3", "c3", rules_version=old),
			self.ticket("t4", "c4", rules_version=new, branch=north),
			self.ticket("t5", "c5", branch=north),
		)

		def names_of_tickets(branch: str | None, version: str, limit: int = 9) -> set[str]:
			with store.transaction():
				return {t.name[8:] for t in store.tickets_of_rules(branch, version, limit)}

		in_use = {pair for pair in store.rules_in_use() if pair[1] in (old, new)}
		assert in_use == {(north, old), (None, old), (north, new)}
		assert (names_of_tickets(north, old), names_of_tickets(None, old), names_of_tickets(north, new)) == (
			{"t1", "t2"},
			{"t3"},
			{"t4"},
		)
		assert (len(names_of_tickets(north, old, 1)), names_of_tickets(None, new)) == (1, set())

	def test_tickets_that_wait_on_us_are_found_by_agent(self) -> None:
		store = self.make_store()
		one, two = self.n("a1"), self.n("a2")
		self.save(
			store,
			self.ticket("t1", "c1", agent=one, status=records.OPEN, waiting_since_ms=NOW),
			self.ticket("t2", "c2", agent=one, status=records.OPEN, waiting_since_ms=NOW - 5),
			self.ticket("t3", "c3", agent=one, status=records.PENDING),
			self.ticket("t4", "c4", agent=two, status=records.OPEN),
			self.ticket("t5", "c5", agent=one, status=records.CLOSED, closed_ms=NOW),
		)
		tickets = self.read(lambda: store.waiting_tickets_of([one]), store)
		assert [ticket.name[8:] for ticket in tickets] == ["t2", "t1"]

	def test_the_roster_has_the_enabled_agents_with_what_they_hold(self) -> None:
		store = self.make_store()
		one = self.n("a1")
		self.save(
			store,
			self.agent("a1", capacity=3),
			self.agent("a2"),
			self.agent("a3", enabled=0),
			self.ticket("t1", "c1", agent=one, status=records.OPEN),
			self.ticket("t2", "c2", agent=one, status=records.OPEN),
			self.ticket("t3", "c3", agent=one, status=records.PENDING),
			self.ticket("t4", "c4", agent=one, status=records.CLOSED, closed_ms=NOW),
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
			self.queued("m7", "c5", status=records.SENDING),
			self.queued("m8", "c6", status=records.FAILED),
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
			("one", self.queued("m1", status=records.SENDING)),
			("two", self.queued("m2", "c2")),
			("three", self.queued("m3", "c3", next_retry_ms=NOW + 5)),
			("four", self.queued("m4", "c4", status=records.SENT)),
		]
		self.save(store, *(dataclasses.replace(message, device=self.n(device)) for device, message in made))

		def devices(at_ms: int) -> set[str]:
			names = self.read(lambda: store.devices_with_due_messages(at_ms), store)
			return {name[8:] for name in names if name.startswith(self.tag)}

		assert devices(NOW) == {"one", "two"}
		assert devices(NOW + 5) == {"one", "two", "three"}

	def test_human_replies_are_those_of_people_newest_first(self) -> None:
		store = self.make_store()
		reply = {"origin": records.AGENT, "direction": records.OUTGOING}
		self.save(
			store,
			self.message("m1", **reply, status=records.SENT, sent_ms=NOW),
			self.message("m2", **reply, status=records.FAILED, sent_ms=NOW + 2),
			self.message("m3", **reply, status=records.SENT, sent_ms=NOW + 1),
			self.message("m4", sent_ms=NOW + 9),
			self.message("m5", origin=records.NOTE, direction=records.OUTGOING, sent_ms=NOW + 9),
			self.message("m6", **reply, status=records.SENT, sent_ms=NOW + 1),
			self.message("m7", origin=records.PHONE, direction=records.OUTGOING, sent_ms=NOW + 9),
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

	# -- close all

	def test_a_batch_has_one_item_per_open_ticket_that_the_filter_means(self) -> None:
		store = self.make_store()
		device, north = self.n("dev"), self.n("north")
		self.save(
			store,
			self.ticket("t1", "c1", status=records.OPEN, version=7, branch=north, agent=self.n("a1")),
			self.ticket("t2", "c2", version=0),
			self.ticket("t3", "c3", status=records.CLOSED, closed_ms=NOW),
			dataclasses.replace(self.ticket("t4", "c4", status=records.PENDING), opened_ms=NOW - HOUR),
		)
		cases = {
			TicketFilter(device=device): {"t1", "t2", "t4"},
			TicketFilter(device=device, status=records.OPEN): {"t1"},
			TicketFilter(branch=north): {"t1"},
			TicketFilter(agent=self.n("a1")): {"t1"},
			TicketFilter(device=device, opened_before_ms=NOW): {"t4"},
			TicketFilter(names=(self.n("t1"), self.n("t3"), self.n("t4"))): {"t1", "t4"},
		}
		for number, (chosen, meant) in enumerate(cases.items()):
			assert self.read(lambda chosen=chosen: store.count_open_tickets(chosen), store) == len(meant)
			batch = records.CloseBatch(self.n(f"b{number}"), "why", "{}", "boss@example.com", "Boss", NOW)
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
		batch = records.CloseBatch(
			self.n("b"), "why", "{}", "boss@example.com", "Boss", NOW, status="Undoing", total=3, skipped=1
		)
		items = [records.CloseBatchItem(self.n(f"i{n}"), batch.name, self.n(f"t{n}"), n) for n in range(5)]
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
			store.finish_webhook_events([WebhookOutcome(two.name, "Dead", "x", 8)], NOW)
		states = (
			records.MSG_QUEUED,
			records.SENDING,
			records.UNKNOWN,
			records.UNKNOWN,
			records.FAILED,
			records.SENT,
		)
		self.save(
			store,
			*(self.queued(f"m{n}", f"c{n}", status=s, received_ms=NOW - 9_000) for n, s in enumerate(states)),
		)
		after = self.read(lambda: store.backlog(NOW), store)
		grown = {f.name: getattr(after, f.name) - getattr(before, f.name) for f in dataclasses.fields(after)}
		counts = {
			name: grown[name]
			for name in ("webhook_events", "outgoing", "unknown", "failed", "dead_webhook_events")
		}
		assert counts == {
			"webhook_events": 1,
			"outgoing": 2,
			"unknown": 2,
			"failed": 1,
			"dead_webhook_events": 1,
		}
		assert (after.oldest_webhook_event_ms >= 7_000, after.oldest_outgoing_ms >= 9_000) == (True, True)

	def test_rules_are_there(self) -> None:
		store = self.make_store()
		rules = self.read(store.rules, store)
		assert rules.settings.drain_batch > 0
		assert rules.calendar.timezone

	def test_every_fact_has_its_kind(self) -> None:
		assert {f.name for f in dataclasses.fields(Fact)} == {"agent", "metric", "count", "value"}
