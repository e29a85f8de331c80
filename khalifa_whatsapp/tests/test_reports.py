"""Reports: sums that are sums, means that are weighted, and exports that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
import json
import threading
from typing import Any

import frappe
from frappe.desk.query_report import run

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import cells as spreadsheet
from khalifa_whatsapp.core import records
from khalifa_whatsapp.tests.case import HUDA, MONA, SiteCase
from khalifa_whatsapp.tests.endpoints import signed_in
from khalifa_whatsapp.tests.records import insert
from khalifa_whatsapp.tests.web import METHOD

KPI, DELAYED, DELIVERY = "WhatsApp Agent KPI", "WhatsApp Delayed Tickets Now", "WhatsApp Delivery by Device"
FORMULAS = ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "＝1+1", "  =1")


def timers() -> set[threading.Thread]:
	"""Frappe watches each report with one, and stops it when the report comes to an end."""
	running = {thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)}
	return {timer for timer in running if not timer.finished.is_set()}  # a stopped one may still be ending


class TestReports(SiteCase):
	def result(self, name: str, **filters: Any) -> list[dict[str, Any]]:
		with signed_in(HUDA):
			return run(name, filters=json.dumps(filters), ignore_prepared_report=True)["result"]

	def kpi(self, agent: str, day: str, **measures: int) -> None:
		insert(
			records.AgentKpi(
				f"{agent}{day}", f"{agent}{day}".ljust(64, "x"), agent, "Mona", None, "Daily", day, **measures
			)
		)

	def test_means_are_weighted_and_the_total_is_not_a_sum_of_means(self) -> None:
		self.kpi(self.mona, "2026-11-01", tickets_handled=1, first_response_count=1, first_response_sum=600)
		self.kpi(self.mona, "2026-11-02", tickets_handled=9, first_response_count=9, first_response_sum=540)
		self.kpi(
			self.ali,
			"2026-11-02",
			tickets_handled=10,
			first_response_count=10,
			first_response_sum=6_000,
			delays=2,
			segments_counted=8,
		)
		frappe.db.commit()
		rows = self.result(KPI, from_date="2026-11-01", to_date="2026-11-30")
		by_agent = {row["agent"]: row for row in rows if row.get("agent")}
		self.assertEqual(by_agent[self.mona]["first_response"], 1.9)
		total = rows[-1]
		# 7,140 s of 20, not (1.9 + 10) of 2
		self.assertEqual((total["tickets_handled"], total["first_response"]), (20, 6.0))
		self.assertEqual((total["delay_share"], total["satisfaction"]), (25.0, None))
		self.assertEqual(self.result(KPI, from_date="2026-11-03", to_date="2026-11-30"), [])

	def test_a_period_that_makes_no_sense_is_refused_with_a_text(self) -> None:
		before = timers()
		for filters in (
			{"from_date": "2026-11-30", "to_date": "2026-11-01"},
			{"from_date": "2020-01-01", "to_date": "2026-11-01"},
			{"from_date": "nonsense"},
		):
			frappe.clear_messages()
			self.assertEqual(self.result(KPI, **filters), [])
			self.assertEqual(len(frappe.get_message_log()), 1, filters)  # what Desk shows the reader
			# one left would make it a background report for everybody
			self.assertEqual(timers() - before, set())

	def test_reports_are_for_managers_by_every_route(self) -> None:
		names = frappe.get_all("Report", {"module": "Khalifa WhatsApp"}, pluck="name")
		self.assertEqual(len(names), 12)
		names.remove("WhatsApp Counted Rows")  # an agent's own figures are his or hers
		for name in names:
			answer = self.as_(MONA).call("frappe.desk.query_report.run", report_name=name, filters="{}")
			self.assertEqual(answer.status, 403, name)
			with signed_in(MONA), self.assertRaises(frappe.PermissionError):
				frappe.get_attr(
					f"khalifa_whatsapp.khalifa_whatsapp.report.{frappe.scrub(name)}.{frappe.scrub(name)}.execute"
				)({})

	def test_no_cell_of_an_export_is_a_formula(self) -> None:
		now = now_ms()
		for number, text in enumerate(FORMULAS):
			name = f"KT-9100{number:02}"
			insert(records.Customer(f"C-{name}", customer_name=text, created_ms=now))
			insert(
				records.Ticket(
					name,
					f"C-{name}",
					"Loop",
					status=records.OPEN,
					customer_name=text,
					preview=text,
					waiting_since_ms=now - 9_000,
					due_by_ms=now - 5_000,
					agent=self.mona,
					agent_name=text,
					open_key=frappe.generate_hash(length=64),
				)
			)
		frappe.db.commit()
		form = {
			"report_name": DELAYED,
			"file_format_type": "CSV",
			"filters": "{}",
			"visible_idx": json.dumps(list(range(99))),
		}
		answer = self.as_(HUDA).send("POST", f"{METHOD}frappe.desk.query_report.export_query", data=form)
		self.assertEqual(answer.status, 200)
		cells = [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row]
		self.assertGreater(sum(spreadsheet.GUARD in cell for cell in cells), len(FORMULAS))
		for cell in cells:
			self.assertFalse(cell.lstrip(" \ufeff").startswith(("=", "+", "@", "\t", "\r", "＝")), cell)

	def test_what_became_of_messages_is_counted_by_number_and_gateway(self) -> None:
		now = now_ms()
		for number, status in enumerate(
			(records.SENT, records.READ, records.READ, records.FAILED, records.UNKNOWN)
		):
			insert(
				records.Message(
					f"M-91{number}",
					"KT-1",
					"C-1",
					"Loop",
					records.OUTGOING,
					records.AGENT,
					"text",
					status,
					now,
					now,
					provider="loopback",
				)
			)
		frappe.db.commit()
		row, total = self.result(DELIVERY)
		self.assertEqual((row["messages"], row["read_"], row["failed"], row["unknown"]), (5, 2, 1, 1))
		self.assertEqual((total["failed_share"], total["read_share"]), (20.0, 40.0))
