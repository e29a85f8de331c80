"""The night on which Cairo's clock goes from midnight back to eleven: nothing is skipped,
doubled or out of order.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import frappe

from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.stores.base import Changes
from khalifa_whatsapp.tests.case import HUDA, MINUTE, MONA
from khalifa_whatsapp.tests.test_lateness import Clocked

CAIRO = "Africa/Cairo"


class TestTheRepeatedHour(Clocked):
	def setUp(self) -> None:
		self.set_zone(CAIRO)
		self.addCleanup(self.set_zone, frappe.db.get_single_value("System Settings", "time_zone"))
		super().setUp()
		# first pass
		self.start = int(datetime(2026, 10, 29, 23, 20, tzinfo=ZoneInfo(CAIRO)).timestamp()) * 1000
		self.now = self.start

	def set_zone(self, zone: str) -> None:
		frappe.db.set_single_value("System Settings", "time_zone", zone)
		frappe.db.commit()
		frappe.clear_cache()

	def changes(self, ticket: str, after_ms: int) -> Any:
		return self.call(MONA, "inbox.changes", ticket=ticket, after_ms=after_ms)

	def reply(self, ticket: str) -> str:
		self.keys += 1
		actor = Actor(MONA, "Mona Adel", self.mona)
		sent = answers.reply(on_site(), actor, ticket, f"answer {self.keys}", f"hour-{self.keys}", self.now)
		frappe.db.commit()
		return sent.name

	def test_an_open_thread_is_notified_of_every_message_once(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.now += MINUTE
		seen = self.call(MONA, "inbox.thread", ticket=ticket)["now_ms"]
		received: list[str] = []
		written = []
		for _look in range(12):  # two hours, over both passes
			self.now += 4 * MINUTE
			written.append(self.reply(ticket))
			self.now += 6 * MINUTE
			changes = self.changes(ticket, seen)
			received += [item["name"] for item in changes["items"] if item["kind"] == "message"]
			seen = changes["now_ms"]
		self.assertEqual(received, written)
		local = frappe.get_all(
			"Khalifa Message", {"name": ("in", written)}, pluck="sent_on", order_by="sent_ms"
		)
		self.assertNotEqual(local, sorted(local))  # the wall did go back

	def test_an_older_message_that_changes_is_published(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.now = self.start + 35 * MINUTE  # 23:55, first pass
		name = self.reply(ticket)
		self.now += MINUTE
		seen = self.changes(ticket, self.now - 1)["now_ms"]
		self.now += 10 * MINUTE  # 23:06, second pass
		store = on_site()
		with store.transaction():
			message = store.messages([name])[name]
			message.status = records.READ
			store.save(changes_of(message))
		self.now += MINUTE
		self.assertEqual([item["status"] for item in self.changes(ticket, seen)["items"]], [records.READ])

	def test_lists_threads_and_histories_are_in_the_order_in_which_things_happened(self) -> None:
		tickets = []
		for number in range(6):
			tickets.append(self.write(f"+2010055500{number:02}"))
			self.now += 20 * MINUTE
		latest_first = tickets[::-1]
		self.assertEqual(self.pages("all", 2), latest_first)
		self.assertEqual(self.pages("queue", 2), tickets)
		listed = self.as_(HUDA).call(
			"frappe.desk.reportview.get",
			doctype="Khalifa Ticket",
			fields='["name"]',
			page_length=20,
			order_by=self.default_order("Khalifa Ticket"),
		)
		self.assertEqual([row[0] for row in listed.message["values"]], latest_first)
		names = [message.name for message in sorted(self.all(records.Message), key=lambda one: -one.sent_ms)]
		self.assertEqual(
			frappe.get_list("Khalifa Message", pluck="name", order_by=self.default_order("Khalifa Message")),
			names,
		)
		days = {event.at_ms: event.name for event in self.all(records.TicketEvent)}
		self.assertEqual([days[at] for at in sorted(days)], sorted(days.values()))

	def default_order(self, doctype: str) -> str:
		meta = frappe.get_meta(doctype)
		return f"`tab{doctype}`.`{meta.sort_field}` {meta.sort_order}"

	def pages(self, view: str, limit: int) -> list[str]:
		tickets, cursor = [], ""
		while True:
			page = self.call(HUDA, "inbox.conversations", view=view, limit=limit, cursor=cursor)
			tickets += [row["ticket"] for row in page["rows"]]
			cursor = page["next_cursor"]
			if not cursor:
				return tickets

	def test_a_thread_is_paged_without_a_gap(self) -> None:
		ticket = self.ticket_of(self.mona)
		for _one in range(9):
			self.now += 12 * MINUTE
			self.reply(ticket)
		whole = self.thread(ticket, 50)
		self.assertEqual(self.thread(ticket, 2), whole)
		written = [
			message.name
			for message in sorted(self.all(records.Message, ticket=ticket), key=lambda one: one.sent_ms)
		]
		self.assertEqual(whole, written)

	def thread(self, ticket: str, limit: int) -> list[str]:
		names: list[str] = []
		before = ""
		while True:
			page = self.call(MONA, "inbox.thread", ticket=ticket, limit=limit, before=before)
			names = [item["name"] for item in page["items"] if item["kind"] == "message"] + names
			before = page["next_before"]
			if not before:
				return names

	def test_the_days_of_reports_and_the_rows_behind_them_are_the_instants_of_the_day(self) -> None:
		"""The day has 25 hours: what happened in either pass of its last hour is its own,
		and nothing of it is the next day's.
		"""
		first, last = on_site().rules().calendar.day_bounds_ms(date(2026, 10, 29))
		self.assertEqual(last - first, 25 * 60 * MINUTE)
		moments = {"S1": last - 90 * MINUTE, "S2": last - 30 * MINUTE, "S3": last + 1}
		for name, at in moments.items():
			self.keep(
				records.Segment(
					name,
					"T-1",
					"KT-1",
					self.mona,
					None,
					at - MINUTE,
					at,
					"answered",
					wall_time=60,
					biz_time=60,
				)
			)
		rows = on_site().rows_behind("response", self.mona, first, last)
		self.assertEqual([name for _kind, name, _at in rows], ["S1", "S2"])
		listed = frappe.get_all(
			"Khalifa Turn Segment", {"to_on": ("between", ["2026-10-29", "2026-10-29"])}, pluck="name"
		)
		self.assertEqual(sorted(listed), ["S1", "S2"])

	def keep(self, record: Any) -> None:
		store = on_site()
		with store.transaction():
			store.save(changes_of(record, is_new=True))


def changes_of(record: Any, is_new: bool = False) -> Any:

	kind = type(record)
	return Changes(created={kind: [record]}) if is_new else Changes(updated={kind: {record.name: record}})
