"""The store contract's part on automatic replies: what customers had, what was said, whose wait is due."""

from __future__ import annotations

from typing import Any

from khalifa_whatsapp.core import records
from khalifa_whatsapp.tests.contracts.store_scene import DAY, NOW, StoreScene


class AutoRepliesContract(StoreScene):
	"""What automatic replies ask of a store."""

	def reply(self, name: object, rule: str, customer: object = "c1", **fields: Any) -> records.Message:
		return self.queued(name, customer, origin=records.AUTO, auto_reply=self.n(rule), **fields)

	def test_how_often_and_when_last_each_rule_answered_a_customer(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.reply("m1", "hours", sent_ms=NOW - DAY),
			self.reply("m2", "hours", sent_ms=NOW, status=records.FAILED),
			self.reply("m3", "away"),
			self.reply("m4", "hours", "c2", sent_ms=NOW + 1),
			self.reply("m5", "hours", "c3"),
			self.queued("m6"),
		)
		had = self.read(
			lambda: store.auto_replies_had({self.n("c1"), self.n("c2")}, {self.n("hours"), self.n("none")}),
			store,
		)
		assert sorted(had) == [
			(self.n("c1"), self.n("hours"), 2, NOW),
			(self.n("c2"), self.n("hours"), 1, NOW + 1),
		]
		assert self.read(lambda: store.auto_replies_had(set(), {self.n("hours")}), store) == []

	def test_the_latest_messages_of_each_ticket_since_its_own_instant(self) -> None:
		store = self.make_store()
		others = [self.message("x1", sent_ms=NOW - 1), self.message("x2", sent_ms=NOW)]
		for message in others:
			message.ticket = self.n("t2")
		self.save(
			store,
			*(self.message(f"i{number}", sent_ms=NOW + number) for number in range(5)),
			*(self.queued(f"o{number}", sent_ms=NOW + number) for number in range(3)),
			self.queued("n1", origin=records.NOTE, sent_ms=NOW + 9),
			*others,
		)
		wanted = {self.n("t1"): NOW + 1, self.n("t2"): NOW, self.n("t3"): NOW}
		latest = self.read(lambda: store.latest_messages(wanted, 3), store)
		names = {ticket: sorted(message.name for message in rows) for ticket, rows in latest.items()}
		assert names == {
			self.n("t1"): [self.n(name) for name in ("i2", "i3", "i4", "o1", "o2")],
			self.n("t2"): [self.n("x2")],
			self.n("t3"): [],
		}

	def test_whose_wait_an_automatic_reply_is_due_for(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.ticket("t1", "c1", auto_check_ms=2),
			self.ticket("t2", "c2", auto_check_ms=1),
			self.ticket("t3", "c3", auto_check_ms=4),
			self.ticket("t4", "c4"),
		)
		due = self.read(lambda: store.tickets_to_reply(3, 1_000), store)
		mine = [ticket.name for ticket in due if ticket.name.startswith(self.tag)]
		assert mine == [self.n("t2"), self.n("t1")]
		assert len(self.read(lambda: store.tickets_to_reply(3, 1), store)) == 1

	def test_rules_are_read_with_their_hours_while_they_are_enabled(self) -> None:
		store = self.make_store()
		for name, enabled in (("on", 1), ("off", 0)):
			with store.transaction():
				store.run(  # type: ignore[attr-defined]
					"INSERT INTO `tabKhalifa Auto Reply` (name, title, kind, body, enabled, priority) "
					"VALUES (?, ?, 'New Conversation', 'Hello', ?, 7)",
					(self.n(name), self.n(name), enabled),
				)
				store.run(  # type: ignore[attr-defined]
					"INSERT INTO `tabKhalifa Working Hour` (name, parent, parenttype, parentfield, idx, day, "
					"start_time, end_time) VALUES (?, ?, 'Khalifa Auto Reply', 'hours', 1, 'Sunday', "
					"'09:00', '10:00')",
					(self.n(f"hour {name}"), self.n(name)),
				)
		rules, hours = self.read(store.stored_auto_replies, store)  # type: ignore[attr-defined]
		assert [(row[1], row[8]) for row in rules if row[0].startswith(self.tag)] == [("New Conversation", 7)]
		assert self.n("on") in {row[0] for row in hours}
