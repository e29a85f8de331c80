"""The inbox's list however full it is: pages over all statuses, words that everybody writes."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import frappe

from khalifa_whatsapp.api import inbox_rows
from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.jobs import intake
from khalifa_whatsapp.tests.case import DEVICE, HUDA, MONA
from khalifa_whatsapp.tests.test_inbox import InboxCase

CUSTOMERS = 12


class TestFullLists(InboxCase):
	def setUp(self) -> None:
		super().setUp()
		self.tickets = [self.write(f"+20100555{number:04}") for number in range(CUSTOMERS)]
		# statuses and times mixed, two lines at the same moment
		for number, ticket in enumerate(self.tickets):
			status, agent = (("Queued", None), ("Open", self.mona), ("Pending", self.ali))[number % 3]
			state = {"status": status, "agent": agent, "last_message_ms": 1_000_000 + number * 7 % 11}
			frappe.db.set_value("Khalifa Ticket", ticket, state, update_modified=False)
		frappe.db.commit()

	def expected(self, **wanted: Any) -> list[str]:
		"""By time, then name, latest first."""
		return frappe.get_all(
			"Khalifa Ticket", wanted, pluck="name", order_by="last_message_ms desc, name desc"
		)

	def pages(self, user: str, view: str, **given: Any) -> list[str]:
		seen, cursor = [], ""
		while True:
			page = self.ask(user, "conversations", view=view, cursor=cursor, limit=2, **given)
			seen += [row["ticket"] for row in page["rows"]]
			cursor = page["next_cursor"]
			if not cursor:
				return seen

	def test_statuses_are_one_order_over_all_pages(self) -> None:
		self.assertEqual(self.pages(HUDA, "all"), self.expected())
		self.assertEqual(self.pages(MONA, "mine"), self.expected(agent=self.mona))

	def test_counts_are_what_the_lists_hold(self) -> None:
		frappe.db.sql("UPDATE `tabKhalifa Ticket` SET due_by_ms = 1, unread_count = 2")
		frappe.db.commit()
		for user, views in (
			(MONA, ("mine", "queue", "delayed")),
			(HUDA, ("mine", "queue", "delayed", "all")),
		):
			counts = self.ask(user, "conversations")["counts"]
			held = {view: len(self.pages(user, view)) for view in views}
			self.assertEqual({view: counts.get(view) for view in views}, held, user)
			self.assertEqual(counts["unread"], 2 * held["mine"])
		self.assertNotIn("all", self.ask(MONA, "conversations")["counts"])

	def test_a_word_that_everybody_writes_is_found_in_what_one_may_see(self) -> None:
		for number in range(CUSTOMERS):
			self.deliver(message_item(f"+20100555{number:04}", "سعر الدواء", f"word-{number}", now_ms(), "x"))
		with self.quiet():
			intake.run(DEVICE)
		frappe.db.commit()
		mine = frappe.get_all(
			"Khalifa Ticket",
			or_filters={"agent": self.mona, "status": "Queued"},
			pluck="name",
			order_by="last_message_ms desc, name desc",
		)
		for most in (inbox_rows.MAX_FOUND, 1):  # with and without more hits than the index is asked for
			with patch.object(inbox_rows, "MAX_FOUND", most):
				self.assertEqual(self.pages(MONA, "mine", search="الدَّواء سعر"), mine, most)
				self.assertEqual(self.pages(HUDA, "all", search="الدواء%"), self.expected(), most)
				self.assertEqual(self.pages(HUDA, "all", search="الدواء مفقود"), [], most)
