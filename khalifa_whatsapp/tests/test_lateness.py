"""«Delayed» is one thing on every screen at the same minute, whatever the minute job has or has not done."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.desk import query_report
from frappe.utils import get_system_timezone

from khalifa_whatsapp.api import lateness
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import deadlines, records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.jobs import deadlines as renew_job
from khalifa_whatsapp.jobs import minute, wake
from khalifa_whatsapp.services.tickets import actions, delays, presence
from khalifa_whatsapp.stores.base import Changes
from khalifa_whatsapp.tests.case import DEVICE, HUDA, MINUTE, MONA, SiteCase

API = "khalifa_whatsapp.api."
DELAYED, TEAM = "WhatsApp Delayed Tickets Now", "WhatsApp Team Overview"
ALI_PHONE, QUEUE_PHONE = "+201001230001", "+201001230003"


class Clocked(SiteCase):
	"""A site whose clock the test moves."""

	def setUp(self) -> None:
		super().setUp()
		self.set_up_hours([])
		self.now = self.moment("2026-11-24 12:00")
		self.replace("time.time_ns", lambda: self.now * 1_000_000 + 1)
		self.addCleanup(self.set_up_hours, [])

	def moment(self, text: str) -> int:
		return (
			int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(get_system_timezone())).timestamp())
			* 1000
		)

	def at(self, text: str) -> None:
		self.now = self.moment(text)

	def set_up_hours(self, hours: list[tuple[str, str]], **values: Any) -> None:
		"""The company's hours on every day, and limits, saved as a manager saves them."""
		doc = frappe.get_doc("Khalifa Settings")
		days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
		doc.set(
			"working_hours", [{"day": day, "start_time": a, "end_time": b} for day in days for a, b in hours]
		)
		doc.update({"delay_minutes": 15, "customer_delay_minutes": 15, **values})
		doc.save()
		frappe.db.commit()

	# -- the screens

	def call(self, user: str, method: str, **given: Any) -> Any:
		answer = self.as_(user).call(API + method, **given)
		self.assertEqual(answer.status, 200, answer.text)
		return answer.message

	def report(self, name: str) -> dict[str, Any]:
		frappe.set_user(HUDA)
		self.addCleanup(frappe.set_user, "Administrator")
		frappe.local.request_cache.clear()  # each look is a request of its own
		return query_report.run(name, {}, ignore_prepared_report=True)

	def screens(self) -> dict[str, set[str] | int]:
		"""Which tickets each screen calls delayed, or how many."""
		frappe.db.rollback()
		page = self.call(HUDA, "inbox.conversations", view="delayed")
		lines = self.call(HUDA, "inbox.conversations", view="all")["rows"]
		names = [row["ticket"] for row in lines]
		states = self.call(HUDA, "desk.waiting_states", tickets=frappe.as_json(names)) if names else {}
		forms = {name: self.call(HUDA, "desk.ticket_form", ticket=name) for name in names}
		report = self.report(DELAYED)
		team = self.report(TEAM)
		where = lateness.delayed_sql(self.now)
		rows = frappe.get_all("Khalifa Ticket", fields=["*"])
		return {
			"tab": {row["ticket"] for row in page["rows"]},
			"tab's count": page["counts"]["delayed"],
			"pills": {row["ticket"] for row in lines if row["due_by_ms"] and self.now > row["due_by_ms"]},
			"list": {name for name, state in states.items() if state == "Delayed"},
			"form": {name for name, form in forms.items() if form["state"] == "Delayed"},
			"late by": {name for name, form in forms.items() if form["late"] or form["state"] == "Delayed"},
			"card": self.call(HUDA, "cards.delayed_now")["value"],
			"report": {row["ticket"] for row in report["result"]},
			"report's figure": int(
				next(f["value"] for f in report["report_summary"] if f["label"] == "Delayed Now")
			),
			"team": int(next(f["value"] for f in team["report_summary"] if f["label"] == "Delayed Now")),
			"team's rows": sum(
				row["delayed"] for row in team["result"] if isinstance(row, dict) and not row.get("bold")
			),
			"sql": set(frappe.db.sql_list(f"select name from `tabKhalifa Ticket` where {where}")),
			"core": {
				row.name
				for row in rows
				if deadlines.state(self.now, row.due_by_ms, row.late_soon_ms) == "Delayed"
			},
		}

	def agree(self, *expected: str) -> None:
		"""Every screen says that exactly these are delayed: as things stand,
		and after the minute job has looked.
		"""
		for when in ("before the scan", "after the scan"):
			for screen, shown in self.screens().items():
				wanted = len(expected) if isinstance(shown, int) else set(expected)
				self.assertEqual(shown, wanted, f"{screen}, {when}")
			before = self.moments()
			delays.scan(on_site(), self.now)
			frappe.db.commit()
			self.assertEqual(self.moments(), before)

	def moments(self) -> dict[str, tuple[Any, ...]]:
		fields = (
			"customer_due_by_ms",
			"response_by_ms",
			"due_by_ms",
			"late_soon_ms",
			"customer_due_by",
			"response_by",
		)
		return {
			row[0]: row[1:]
			for row in frappe.db.sql(f"select name, {', '.join(fields)} from `tabKhalifa Ticket`")
		}

	def breaches(self) -> set[str]:
		"""Tickets with a delay that is still open, as the minute job wrote it down."""
		return {event.ticket for event in self.all(records.DelayEvent) if event.closed_ms is None}

	def queued(self) -> str:
		"""A conversation that waits for an agent, because the only one there is busy."""
		frappe.db.set_value("Khalifa Agent", self.mona, "capacity", 1, update_modified=False)
		frappe.db.commit()
		ticket = self.write(QUEUE_PHONE)
		self.assertEqual(self.ticket(ticket).agent, None)
		return ticket

	def hand_to(self, ticket: str, agent: str) -> None:
		actions.transfer(on_site(), Actor(HUDA, "Huda", is_manager=True), ticket, self.now, "why", agent)
		frappe.db.commit()

	def reply(self, ticket: str) -> None:
		self.call(
			HUDA, "conversation.reply", ticket=ticket, body="yes", client_key=frappe.generate_hash(length=12)
		)


class TestOneDefinition(Clocked):
	def test_all_screens_agree_before_and_after_the_scan(self) -> None:
		held, queued = self.ticket_of(self.mona), self.queued()
		self.agree()
		self.now += 14 * MINUTE
		self.agree()
		self.now += MINUTE
		self.agree()  # exactly the limit is in time
		self.now += 1
		self.agree(held, queued)
		self.assertEqual(self.breaches(), {held, queued})
		self.now += 60 * MINUTE  # everybody has been told, and there is nothing more to check
		self.agree(held, queued)
		self.assertEqual(self.ticket(held).next_check_ms, None)
		row = next(row for row in self.report(DELAYED)["result"] if row["ticket"] == held)
		self.assertEqual((row["waited"], row["late"]), (75, 60))
		self.reply(held)
		self.agree(queued)

	def test_late_soon_from_the_warning_share_on(self) -> None:
		held = self.ticket_of(self.mona)
		for minutes, state in ((10, None), (0.5, "Late Soon"), (4.5, "Late Soon"), (0.1, "Delayed")):
			self.now += round(minutes * MINUTE)
			states = self.call(MONA, "desk.waiting_states", tickets=frappe.as_json([held]))
			self.assertEqual(states.get(held), state, minutes)
			form = self.call(MONA, "desk.ticket_form", ticket=held)
			self.assertEqual(form["state"], state or "On Time")

	def test_a_form_shows_the_deadlines_and_an_agent_sees_what_is_his(self) -> None:
		held = self.ticket_of(self.mona)
		row = self.call(MONA, "inbox.thread", ticket=held)["ticket"]
		due = self.now + 15 * MINUTE
		self.assertEqual(
			(row["customer_due_by_ms"], row["response_by_ms"], row["due_by_ms"]), (due, due, due)
		)
		shown = frappe.db.get_value("Khalifa Ticket", held, ["customer_due_by", "response_by"])
		self.assertEqual([moment.strftime("%H:%M") for moment in shown], ["12:15", "12:15"])
		self.now += 16 * MINUTE
		self.assertEqual(self.call(MONA, "inbox.conversations", view="delayed")["counts"]["delayed"], 1)
		self.assertEqual(self.call(MONA, "cards.delayed_now")["value"], 1)

	def test_nobody_becomes_late_while_it_is_closed(self) -> None:
		self.set_up_hours([("09:00", "24:00")])
		self.at("2026-11-24 23:59")
		ticket = self.ticket_of(self.mona)
		self.at("2026-11-25 08:59")
		self.agree()
		form = self.call(HUDA, "desk.ticket_form", ticket=ticket)
		self.assertEqual((form["state"], form["waited"], form["late"]), ("On Time", 1, 0))
		line = self.call(HUDA, "inbox.conversations", view="all")["rows"][0]
		opens, closes = self.moment("2026-11-25 09:00"), self.moment("2026-11-26 00:00")
		stretch = {"zero_ms": opens - MINUTE, "from_ms": opens, "until_ms": closes}
		self.assertEqual(line["waited"], {**stretch, "limit_ms": 15 * MINUTE})
		self.at("2026-11-25 09:14")
		self.agree()
		self.at("2026-11-25 09:17")
		self.agree(ticket)
		self.assertEqual(self.breaches(), {ticket})
		row = self.report(DELAYED)["result"][0]
		self.assertEqual((row["waited"], row["late"]), (18, 3))
		oldest = max(
			row["oldest"] or 0
			for row in self.report(TEAM)["result"]
			if isinstance(row, dict) and not row.get("bold")
		)
		self.assertEqual(oldest, 18)

	def test_a_limit_used_up_exactly_at_closing_is_passed_after_the_opening(self) -> None:
		self.set_up_hours([("09:00", "14:00"), ("17:00", "22:00")])
		self.at("2026-11-24 13:45")
		ticket = self.ticket_of(self.mona)
		for text in ("2026-11-24 14:00", "2026-11-24 15:30", "2026-11-24 17:00"):
			self.at(text)
			self.agree()
			self.assertEqual(self.breaches(), set())
		self.now += 1000
		self.agree(ticket)
		self.assertEqual(
			{event.at_ms for event in self.all(records.DelayEvent)}, {self.moment("2026-11-24 17:00")}
		)

	def test_a_receiver_has_a_fresh_clock_and_the_customer_keeps_his(self) -> None:
		ticket = self.ticket_of(self.mona)
		start = self.now
		self.now += 10 * MINUTE
		self.online(self.ali)
		self.hand_to(ticket, self.ali)
		record = self.ticket(ticket)
		self.assertEqual(
			(record.customer_due_by_ms - start, record.response_by_ms - start), (15 * MINUTE, 25 * MINUTE)
		)
		self.agree()
		self.now += 6 * MINUTE
		self.agree(ticket)
		presence.set_presence(on_site(), Actor(), self.ali, records.OFFLINE, self.now)
		presence.set_presence(on_site(), Actor(), self.mona, records.OFFLINE, self.now)
		frappe.db.commit()
		record = self.ticket(ticket)
		self.assertEqual(
			(record.agent, record.response_by_ms, record.customer_due_by_ms - start),
			(None, None, 15 * MINUTE),
		)
		self.agree(ticket)

	def test_a_longer_limit_of_the_customer_leaves_the_agent_s_own(self) -> None:
		self.set_up_hours([], customer_delay_minutes=60)
		held, queued = self.ticket_of(self.mona), self.queued()
		self.now += 16 * MINUTE
		self.agree(held)
		self.now += 45 * MINUTE
		self.agree(held, queued)

	def test_a_closed_ticket_is_never_late_and_a_reopened_one_again(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.now += 20 * MINUTE
		manager = Actor(HUDA, "Huda", is_manager=True)
		actions.close(on_site(), manager, ticket, self.now, "resolved")
		frappe.db.commit()
		self.agree()
		actions.reopen(on_site(), manager, ticket, self.now + MINUTE)
		frappe.db.commit()
		self.now += 2 * MINUTE
		self.agree(ticket)  # the customer has been waiting all along


class TestRulesThatChange(Clocked):
	def test_a_shorter_limit_and_other_hours_move_the_deadlines_of_open_waits(self) -> None:
		held, queued = self.ticket_of(self.mona), self.queued()
		self.now += 12 * MINUTE
		self.agree()
		self.set_up_hours([], delay_minutes=10, customer_delay_minutes=10)
		self.assertIn("khalifa_whatsapp.jobs.deadlines.run", [job for job, _given in self.enqueued])
		renew_job.run()
		self.agree(held, queued)
		self.assertEqual(self.breaches(), {held, queued})
		self.set_up_hours([("18:00", "23:00")])  # it was closed all the time
		renew_job.run()
		self.agree()
		self.assertEqual(self.ticket(held).response_by_ms, self.moment("2026-11-24 18:15"))

	def test_the_minute_job_does_it_when_the_job_was_lost(self) -> None:
		held = self.ticket_of(self.mona)
		self.now += 12 * MINUTE
		# no hook
		frappe.db.set_single_value("Khalifa Settings", {"delay_minutes": 10, "customer_delay_minutes": 10})
		frappe.db.sql("UPDATE `tabKhalifa Agent` SET heartbeat_ms = %s", (self.now,))
		frappe.db.commit()
		minute.run()
		self.assertEqual(self.ticket(held).response_by_ms, self.now - 2 * MINUTE)
		self.agree(held)

	def test_a_branch_s_own_hours_are_its_tickets_alone(self) -> None:
		held = self.ticket_of(self.mona)
		self.online(self.ali)
		other = self.write(ALI_PHONE)
		if self.ticket(other).agent != self.ali:
			self.hand_to(other, self.ali)
		branch = frappe.get_doc("Khalifa Branch", self.north)
		self.addCleanup(self.restore, branch.name)
		branch.update({"delay_minutes": 5, "customer_delay_minutes": 5})
		branch.save()
		frappe.db.commit()
		self.assertIn("khalifa_whatsapp.jobs.deadlines.run", [job for job, _given in self.enqueued])
		renew_job.run()
		self.now += 6 * MINUTE
		self.agree(held)
		self.assertEqual(frappe.db.get_value("Khalifa Ticket", other, "branch"), self.south)

	def restore(self, branch: str) -> None:
		doc = frappe.get_doc("Khalifa Branch", branch)
		doc.update({"delay_minutes": 0, "customer_delay_minutes": 0})
		doc.save()
		frappe.db.commit()

	def test_a_save_goes_through_without_redis(self) -> None:
		def refused(*args: Any, **given: Any) -> None:
			raise wake.redis.exceptions.ConnectionError

		self.replace("frappe.enqueue", refused)
		self.set_up_hours([], delay_minutes=9)
		self.assertEqual(frappe.db.get_single_value("Khalifa Settings", "delay_minutes"), 9)

	def test_ten_thousand_open_waits_are_done_in_batches_and_those_of_today_s_rules_are_not_read(
		self,
	) -> None:
		store, count = on_site(), 10_000
		since = self.now - 20 * MINUTE
		made: dict[type, list[Any]] = {records.Ticket: [], records.Turn: [], records.Segment: []}
		for n in range(count):
			name = f"KT-9{n:05}"
			made[records.Turn].append(
				records.Turn(f"T{name}", name, name, DEVICE, self.north, 1, since, since)
			)
			made[records.Segment].append(
				records.Segment(f"S{name}", f"T{name}", name, self.mona, self.north, since)
			)
			made[records.Ticket].append(
				records.Ticket(
					name,
					name,
					DEVICE,
					records.OPEN,
					name.ljust(64, "x"),
					branch=self.north,
					agent=self.mona,
					turn=f"T{name}",
					segment=f"S{name}",
					waiting_since_ms=since,
					rules_version="before",
				)
			)
		with store.transaction():
			store.save(Changes(created=made))
		began = time.monotonic()
		# a minute is bounded
		self.assertEqual(delays.renew_deadlines(on_site(), self.now, limit=3_000), 3_000)
		self.assertEqual(delays.renew_deadlines(on_site(), self.now), count - 3_000)
		spent = time.monotonic() - began
		self.assertLess(spent, 60)
		due = since + 15 * MINUTE
		self.assertEqual(
			frappe.db.count(
				"Khalifa Ticket", {"due_by_ms": due, "response_by_ms": due, "customer_due_by_ms": due}
			),
			count,
		)
		self.assertEqual(delays.renew_deadlines(on_site(), self.now), 0)
		plan = frappe.db.sql(
			"explain select distinct branch, rules_version from `tabKhalifa Ticket` where rules_version > ''",
			as_dict=True,
		)[0]
		self.assertIn("index", plan.Extra.lower())


class TestConditions(Clocked):
	def test_the_condition_in_sql_is_the_rule_of_core(self) -> None:
		now = now_ms()
		for n, (due, soon) in enumerate(
			((None, None), (now - 1, now - 9), (now, now - 9), (now + 1, now), (now + 9, now + 1), (1, 1))
		):
			ticket = records.Ticket(
				f"KT-8{n}",
				"C-1",
				DEVICE,
				records.OPEN,
				f"{n}".ljust(64, "x"),
				due_by_ms=due,
				late_soon_ms=soon,
				waiting_since_ms=due,
			)
			with on_site().transaction():
				on_site().save(Changes(created={records.Ticket: [ticket]}))
		rows = frappe.get_all("Khalifa Ticket", fields=["name", "due_by_ms", "late_soon_ms"])
		for moment in (now - 1, now, now + 1, now + 2):
			by_rule = {
				row.name
				for row in rows
				if deadlines.state(moment, row.due_by_ms, row.late_soon_ms) == "Delayed"
			}
			by_sql = set(
				frappe.db.sql_list(
					f"select name from `tabKhalifa Ticket` where {lateness.delayed_sql(moment)}"
				)
			)
			self.assertEqual(by_sql, by_rule)
			self.assertGreaterEqual(len(by_rule), 1)
