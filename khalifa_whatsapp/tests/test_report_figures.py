"""The reports' figures against ledgers written by hand, whose right answers were worked out on paper."""

from __future__ import annotations

import json
from datetime import date, datetime
from itertools import count
from typing import Any

import frappe
from frappe.desk.query_report import run

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.settings import HOUR_MS, MINUTE_MS
from khalifa_whatsapp.khalifa_whatsapp import report_buckets as buckets
from khalifa_whatsapp.services import kpi
from khalifa_whatsapp.stores.base import Changes
from khalifa_whatsapp.tests.case import HUDA, MONA, VISITOR, SiteCase
from khalifa_whatsapp.tests.endpoints import signed_in
from khalifa_whatsapp.tests.web import METHOD, Answer

RESPONSES, VOLUME, DELAYS = "WhatsApp Response Times", "WhatsApp Ticket Volume", "WhatsApp Delay Events"
QUEUE, TEAM, KPI = "WhatsApp Queue and Presence", "WhatsApp Team Overview", "WhatsApp Agent KPI"
COUNTED = "WhatsApp Counted Rows"
DAYS = {"from_date": "2026-11-01", "to_date": "2026-11-07"}
EAST, WEST = "East", "West"


class TestReportFigures(SiteCase):
	def setUp(self) -> None:
		super().setUp()
		self.numbers = count(1)
		for branch in (EAST, WEST):
			if not frappe.db.exists("Khalifa Branch", branch):
				frappe.get_doc({"doctype": "Khalifa Branch", "branch_name": branch, "always_open": 1}).insert(
					ignore_permissions=True
				)
		frappe.db.commit()

	# -- short words

	def keep(self, record: Any) -> None:
		"""Write a record as the use cases do, with the times that people read."""
		store = on_site()
		with store.transaction():
			store.save(Changes(created={type(record): [record]}))

	def report(self, name: str, **filters: Any) -> dict[str, Any]:
		frappe.db.commit()
		with signed_in(HUDA):
			return run(name, filters=json.dumps({**DAYS, **filters}), ignore_prepared_report=True)

	def rows(self, name: str, **filters: Any) -> list[dict[str, Any]]:
		return self.report(name, **filters)["result"]

	def figures(self, name: str, **filters: Any) -> dict[str, str]:
		return {row["label"]: row["value"] for row in self.report(name, **filters)["report_summary"]}

	def at(self, day: int, hour: int, minute: int = 0) -> int:
		"""An instant of November 2026 on the company's clock."""
		zone = on_site().rules().calendar.zone
		return int(datetime(2026, 11, day, hour, minute, tzinfo=zone).timestamp()) * 1000

	def turn(
		self, ended: int, seconds: int, outcome: str = records.ANSWERED, branch: str = EAST, **fields: Any
	) -> None:
		name = f"T-{next(self.numbers)}"
		self.keep(
			records.Turn(
				name,
				f"KT-{name}",
				"C-1",
				"Loop",
				branch,
				1,
				ended - seconds * 1000,
				ended - seconds * 1000,
				ended_ms=ended,
				outcome=outcome,
				biz_time=seconds,
				wall_time=seconds,
				**fields,
			)
		)

	def ticket(self, opened: int, branch: str = EAST, **fields: Any) -> str:
		name = f"KT-7{next(self.numbers):05}"
		self.keep(
			records.Ticket(
				name,
				"C-1",
				"Loop",
				customer_name="Samy",
				opened_ms=opened,
				branch=branch,
				open_key=name.ljust(64, "x"),
				**fields,
			)
		)
		return name

	def segment(self, agent: str | None, start: int, end: int | None, **fields: Any) -> None:
		name = f"S-{next(self.numbers)}"
		seconds = None if end is None else (end - start) // 1000
		self.keep(
			records.Segment(
				name,
				fields.pop("turn", "T-1"),
				fields.pop("ticket", "KT-1"),
				agent,
				fields.pop("branch", EAST),
				start,
				end,
				wall_time=seconds,
				biz_time=seconds,
				counted_ms=end,
				**fields,
			)
		)

	# -- response times

	def test_waits_have_mean_median_and_p90_and_the_total_is_of_all_waits(self) -> None:
		for seconds in (60, 60, 600):
			self.turn(self.at(1, 12), seconds, is_first=1)
		self.turn(self.at(2, 12), 120, branch=WEST)
		self.turn(self.at(2, 13), 900, records.CLOSED_UNANSWERED, is_delayed=1)
		self.turn(self.at(2, 13), 30, records.NO_REPLY_NEEDED)
		self.turn(self.at(8, 0), 5)  # the day after the last
		first, second, total = self.rows(RESPONSES)
		self.assertEqual(
			(
				first["response_count"],
				first["response_mean"],
				first["response_median"],
				first["response_p90"],
			),
			(3, 4.0, 1.0, 10.0),
		)
		self.assertEqual((first["next_mean"], second["next_mean"]), (None, 2.0))
		self.assertEqual(
			(second["ended"], second["delayed"], second["delayed_share"], second["not_needed"]),
			(3, 1, 33.3, 1),
		)
		self.assertEqual(
			(total["response_count"], total["response_mean"], total["response_median"]), (4, 3.5, 1.0)
		)
		self.assertEqual(total["response_p90"], 10.0)
		east = self.rows(RESPONSES, group_by="Branch", branch=EAST)
		self.assertEqual([(row["bucket"], row["response_count"]) for row in east], [(EAST, 3), ("Total", 3)])

	def test_first_answers_and_whole_conversations_come_from_the_conversations(self) -> None:
		closed = {"status": records.CLOSED, "closed_ms": self.at(3, 15), "cycle": 1}
		self.ticket(
			self.at(3, 12),
			first_responded_ms=self.at(3, 12, 3),
			first_response_time=180,
			waited_time=240,
			close_reason="resolved",
			**closed,
		)
		self.ticket(self.at(3, 12), waited_time=9_000, close_reason="inactive", **closed)
		self.ticket(self.at(3, 12), waited_time=9_000, close_batch="B-1", **closed)
		row, _total = self.rows(RESPONSES, group_by="Weekday")
		self.assertEqual((row["bucket"], row["first_count"], row["first_mean"]), ("Tuesday", 1, 3.0))
		self.assertEqual((row["resolution_count"], row["resolution_mean"]), (1, 4.0))

	# -- volume

	def test_hours_and_weekdays_are_those_on_the_wall(self) -> None:
		self.ticket(self.at(1, 0, 5))  # a Sunday
		self.ticket(self.at(1, 23, 59))
		self.ticket(self.at(2, 23, 59), branch=WEST)
		result = self.report(VOLUME)
		*hours, total = result["result"]
		cells = {
			(hour["bucket"], day): hour[f"day_{day}"]
			for hour in hours
			for day in range(7)
			if hour[f"day_{day}"]
		}
		self.assertEqual(cells, {("00:00", 0): 1, ("23:00", 0): 1, ("23:00", 1): 1})
		self.assertEqual((total["total"], total["day_0"], hours[23]["total"]), (3, 2, 2))
		self.assertEqual(self.figures(VOLUME)["Busiest Hour"], "23:00")
		self.assertEqual(self.rows(VOLUME, branch=WEST)[-1]["total"], 1)

	def test_branches_have_what_came_what_was_answered_and_what_was_missed(self) -> None:
		name = self.ticket(self.at(1, 12), status=records.CLOSED, closed_ms=self.at(1, 13), is_missed=1)
		self.ticket(self.at(1, 12), branch=WEST)
		self.turn(self.at(1, 12), 60)
		self.turn(self.at(1, 12), 60, records.CLOSED_UNANSWERED)
		for number, (direction, origin, status) in enumerate(
			(
				(records.INCOMING, records.CUSTOMER, records.RECEIVED),
				(records.OUTGOING, records.AGENT, records.SENT),
			)
		):
			self.keep(
				records.Message(
					f"M-7{number}",
					name,
					"C-1",
					"Loop",
					direction,
					origin,
					"text",
					status,
					self.at(1, 12),
					self.at(1, 12),
				)
			)
		east, west, total = self.rows(VOLUME, group_by="Branch")
		self.assertEqual(
			[east[name] for name in ("opened", "incoming", "answered", "closed", "missed", "missed_share")],
			[1, 1, 1, 1, 1, 100.0],
		)
		self.assertEqual((west["bucket"], west["opened"], west["missed_share"]), (WEST, 1, None))
		self.assertEqual((total["opened"], total["missed_share"]), (2, 100.0))
		for branch, expected in ((None, 1), (EAST, 1)):
			self.assertEqual(
				self.rows(VOLUME, count="Incoming Messages", branch=branch)[-1]["total"], expected
			)
		self.assertEqual(self.rows(VOLUME, count="Incoming Messages", branch=WEST), [])

	def test_days_and_months_without_anything_are_in_the_row_of_time_and_others_are_not(self) -> None:
		for day in (2, 4):
			self.ticket(self.at(day, 12))
		self.assertEqual([row["opened"] for row in self.rows(VOLUME, group_by="Day")], [1, 0, 1, 2])
		self.assertEqual([row["opened"] for row in self.rows(VOLUME, group_by="Branch")], [2, 2])
		days = [date(2026, 10, 31), date(2026, 11, 2), date(2027, 1, 31)]
		self.assertEqual(len(buckets.without_gaps(buckets.DAY, days)), 93)
		self.assertEqual(
			buckets.without_gaps(buckets.MONTH, [day.replace(day=1) for day in days]),
			[date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)],
		)
		self.assertEqual(buckets.without_gaps(buckets.HOUR, [23, 1]), [1, 23])

	# -- delays

	def test_delays_that_are_not_shown_are_counted_all_the_same(self) -> None:
		self.replace(
			"khalifa_whatsapp.khalifa_whatsapp.report.whatsapp_delay_events.whatsapp_delay_events.MAX", 2
		)
		for number, kind in enumerate(("Agent", "Agent", "Customer")):
			self.keep(
				records.DelayEvent(
					f"D-{number}",
					f"D-{number}".ljust(64, "x"),
					kind,
					"KT-1",
					"T-1",
					self.at(1, 12, number),
					cause="Agent",
					branch=EAST,
					agent=self.mona if kind == "Agent" else None,
					objection_status="Accepted" if number else None,
				)
			)
		result = self.report(DELAYS)
		self.assertEqual([row["delay"] for row in result["result"]], ["D-2", "D-1"])
		self.assertIn("2 of 3", result["message"])
		figures = {row["label"]: row["value"] for row in result["report_summary"]}
		self.assertEqual(
			(figures["Delays of Agents"], figures["Delayed Customers"], figures["Accepted Objections"]),
			("2", "1", "2"),
		)
		self.assertEqual([sum(line["values"]) for line in result["chart"]["data"]["datasets"]], [2, 1])
		self.assertEqual(len(self.rows(DELAYS, kind="Customer")), 1)

	# -- queue and presence

	def test_the_queue_counts_waits_that_ended_and_those_handed_on_at_once(self) -> None:
		self.segment(None, self.at(1, 12), self.at(1, 12) + 2_000)
		self.segment(None, self.at(1, 12), self.at(1, 12, 30), turn="T-9")
		self.keep(
			records.DelayEvent("D-9", "D-9".ljust(64, "x"), "Customer", "KT-1", "T-9", self.at(1, 12, 15))
		)
		self.segment(self.mona, self.at(1, 12, 30), self.at(1, 12, 40), turn="T-9")
		# back again after it was late
		self.segment(None, self.at(1, 12, 40), self.at(1, 12, 40) + 2_000, turn="T-9")
		self.segment(None, self.at(1, 12), None)
		self.segment(self.mona, self.at(1, 12), self.at(1, 13))
		row, total = self.rows(QUEUE, group_by="Day")
		self.assertEqual(
			(row["wait_count"], row["at_once"], row["longest"], row["delayed"]), (3, 66.7, 30.0, 1)
		)
		self.assertEqual((total["wait_count"], total["wait_mean"]), (3, 10.0))

	def test_presence_is_clipped_and_waits_that_overlap_count_once(self) -> None:
		self.keep(
			records.PresenceLog("P-1", self.mona, records.ONLINE, self.at(1, 0) - HOUR_MS, self.at(1, 4))
		)
		self.keep(records.PresenceLog("P-2", self.mona, records.AWAY, self.at(1, 4), self.at(1, 5)))
		for start, end in ((0, 1), (0.5, 2), (1, 1.5), (3, 3.5)):  # two hours and a half in two stretches
			self.segment(self.mona, self.at(1, 0) + int(start * HOUR_MS), self.at(1, 0) + int(end * HOUR_MS))
		rows = {row.get("agent"): row for row in self.rows(QUEUE)}
		mona = rows[self.mona]
		self.assertEqual(
			(mona["online"], mona["away"], mona["busy"], mona["occupancy"]), (4.0, 1.0, 2.5, 62.5)
		)
		self.assertEqual((rows[self.ali]["online"], rows[self.ali]["occupancy"]), (0.0, None))

	# -- the team

	def test_the_overview_shows_who_holds_what_now(self) -> None:
		now = now_ms()
		for agent, waits, late in ((self.mona, 1, 1), (self.mona, 0, 0), (None, 1, 0)):
			waiting = now - 20 * MINUTE_MS if waits else None
			status = (records.OPEN if waits else records.PENDING) if agent else records.QUEUED
			self.ticket(
				now,
				agent=agent,
				status=status,
				waiting_since_ms=waiting,
				due_by_ms=now - 1 if late else now + HOUR_MS,
			)
		rows = self.rows(TEAM)
		mona = next(row for row in rows if row.get("agent") == self.mona)
		self.assertEqual(
			(mona["open"], mona["pending"], mona["waiting"], mona["delayed"], mona["oldest"]),
			(2, 1, 1, 1, 20),
		)
		self.assertEqual(
			mona["behind"], {"agent": self.mona, "first": DAYS["from_date"], "last": DAYS["to_date"]}
		)
		queue = next(row for row in rows if row["agent_name"] == "Waiting for an agent")
		self.assertEqual((queue["open"], queue["waiting"], queue["delayed"]), (1, 1, 0))
		self.assertIn("is_queued=1", queue["links"]["delayed"])
		self.assertEqual((rows[-1]["open"], rows[-1]["waiting"]), (3, 2))
		self.assertEqual(self.figures(TEAM)["In the Queue"], "1")

	def test_today_is_as_of_now_and_its_figures_open_the_rows_they_count(self) -> None:
		now = now_ms()
		for seconds in (60, 180):
			self.segment(
				self.mona, now - seconds * 1000, now - 1, end_reason="answered", is_first=int(seconds == 60)
			)
		today = str(on_site().rules().calendar.local_date(now))
		row = next(
			row for row in self.rows(KPI, from_date=today, to_date=today) if row.get("agent") == self.mona
		)
		self.assertEqual((row["response_count"], row["first_response_count"]), (2, 1))
		self.assertEqual(frappe.db.count("Khalifa Agent KPI"), 0)  # nothing was written for it
		counted = self.counted(row, "response")
		self.assertEqual(len(counted["result"]), row["response_count"])
		self.assertEqual({segment["minutes"] for segment in counted["result"]}, {1.0, 3.0})

	def counted(self, row: dict[str, Any], metric: str) -> dict[str, Any]:
		behind = row["behind"]
		given = {
			"agent": behind["agent"],
			"from_date": behind["first"],
			"to_date": behind["last"],
			"metric": metric,
		}
		return self.report(COUNTED, **given)

	def test_any_number_of_rows_has_a_short_address_and_they_are_those_that_were_counted(self) -> None:
		for number in range(471):
			self.segment(
				self.mona,
				self.at(1, 12),
				self.at(1, 12, 1) + number,
				end_reason="answered",
				turn=f"T{number}",
			)
		self.segment(self.ali, self.at(1, 12), self.at(1, 12, 1), end_reason="answered")
		self.segment(self.mona, self.at(1, 12), self.at(9, 12), end_reason="answered")  # another period
		row = next(row for row in self.live(KPI) if row.get("agent") == self.mona)
		self.assertEqual(row["response_count"], 471)
		counted = self.counted(row, "response")
		opened = {line["links"]["at"].rsplit("/", 1)[1] for line in counted["result"]}
		self.assertEqual(len(opened), 471)
		expected = frappe.get_all(
			"Khalifa Turn Segment", {"agent": self.mona, "to_ms": ("<", self.at(8, 0))}, pluck="name"
		)
		self.assertEqual(opened, set(expected))
		self.assertEqual(next(iter(counted["report_summary"]))["value"], "471")
		self.assertLess(len(json.dumps(row["behind"])), 200)

	def live(self, name: str) -> list[dict[str, Any]]:
		"""A report's rows once its days are rolled up."""
		for day in range(1, 8):
			kpi.rollup_day(on_site(), date(2026, 11, day), now_ms())
		frappe.db.commit()
		return self.rows(name)

	def test_agents_open_their_own_figures_and_see_whose_only_what_is_theirs(self) -> None:
		mine = self.ticket(self.at(1, 12), agent=self.mona, status=records.OPEN)
		given_away = self.ticket(self.at(1, 12), agent=self.ali, status=records.OPEN)
		for ticket in (mine, given_away):
			self.segment(self.mona, self.at(1, 12), self.at(1, 13), end_reason="answered", ticket=ticket)
		asked = {"metric": "response", "from_date": "2026-11-01", "to_date": "2026-11-07"}
		answer = self.run_as(MONA, COUNTED, {**asked, "agent": self.mona})
		self.assertEqual(
			[(row["minutes"], row.get("ticket")) for row in answer.message["result"]],
			[(60.0, mine), (60.0, None)],
		)
		self.assertNotIn(given_away, answer.text)
		answer = self.run_as(MONA, COUNTED, {**asked, "agent": self.ali})
		self.assertEqual((answer.message["result"], "not yours" in answer.text), ([], True))
		self.assertEqual(self.run_as(VISITOR, COUNTED, {**asked, "agent": self.mona}).status, 403)
		form = {
			"report_name": COUNTED,
			"file_format_type": "CSV",
			"filters": json.dumps({**asked, "agent": self.mona}),
			"visible_idx": "[0, 1]",
		}
		export = f"{METHOD}frappe.desk.query_report.export_query"
		self.assertIn(mine, self.as_(HUDA).send("POST", export, data=form).text)
		self.assertEqual(self.as_(MONA).send("POST", export, data=form).status, 403)

	def run_as(self, user: str, name: str, filters: dict[str, Any]) -> Answer:
		return self.as_(user).call(
			"frappe.desk.query_report.run", report_name=name, filters=json.dumps(filters)
		)

	def test_a_figure_that_makes_no_sense_is_refused_with_a_text(self) -> None:
		good = {"agent": self.mona, "metric": "response"}
		for bad in (
			{"from_date": "soon"},
			{"metric": "score"},
			{"metric": None},
			{"agent": ["like", "%"]},
			{"agent": None},
		):
			self.refused_with_text(COUNTED, **{**good, **bad})

	def test_agents_by_week_and_month_add_up_to_the_whole_period(self) -> None:
		for day, handled in (("2026-10-31", 1), ("2026-11-01", 2), ("2026-11-07", 4), ("2026-11-08", 8)):
			key = f"{self.mona}{day}"
			self.keep(
				records.AgentKpi(
					key, key.ljust(64, "x"), self.mona, "Mona", EAST, "Daily", day, tickets_handled=handled
				)
			)
		span = {"from_date": "2026-10-31", "to_date": "2026-11-08"}
		for group, expected in (("Whole Period", [15]), ("Month", [1, 14]), ("Day", [1, 2, 4, 8])):
			*rows, total = self.rows(KPI, group_by=group, **span)
			self.assertEqual(
				([row["tickets_handled"] for row in rows], total["tickets_handled"]), (expected, 15), group
			)
		*weeks, total = self.rows(KPI, group_by="Week", **span)
		self.assertEqual(sum(row["tickets_handled"] for row in weeks), total["tickets_handled"])
		self.assertGreaterEqual(len(weeks), 2)

	def test_the_month_of_the_report_is_the_month_that_is_kept(self) -> None:
		for day, seconds in ((1, 60), (1, 120), (5, 600)):
			self.segment(
				self.mona, self.at(day, 12) - seconds * 1000, self.at(day, 12), end_reason="answered"
			)
		store, now = on_site(), now_ms()
		for day in (1, 5):
			kpi.rollup_day(store, date(2026, 11, day), now)
		kpi.rollup_month(store, date(2026, 11, 1), now)
		frappe.db.commit()
		kept = frappe.db.get_value(
			"Khalifa Agent KPI", {"period": "Monthly"}, ["response_count", "response_sum"]
		)
		row = next(row for row in self.rows(KPI, group_by="Month") if row.get("agent") == self.mona)
		self.assertEqual((row["response_count"], row["response_sum"]), kept)

	def refused_with_text(self, name: str, **filters: Any) -> None:
		frappe.clear_messages()
		self.assertEqual(self.rows(name, **filters), [])
		self.assertEqual(len(frappe.get_message_log()), 1, name)

	def test_a_filter_that_makes_no_sense_is_refused_with_a_text(self) -> None:
		for name in (RESPONSES, VOLUME, QUEUE, KPI):
			self.refused_with_text(name, group_by="Sleep(9)")
		self.refused_with_text(RESPONSES, branch=["like", "%"])
		self.assertEqual(self.rows(RESPONSES, branch="' or 1=1 -- "), [])
