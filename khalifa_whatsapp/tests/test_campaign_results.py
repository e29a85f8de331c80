"""The report of campaigns: counts that open their rows, shares of those who could, texts compared, orders."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import frappe
from frappe.desk.query_report import run

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import campaigns as rules
from khalifa_whatsapp.core import records
from khalifa_whatsapp.khalifa_whatsapp.campaign_orders import orders_after
from khalifa_whatsapp.tests.case import DEVICE, HUDA, MONA, SiteCase
from khalifa_whatsapp.tests.endpoints import signed_in
from khalifa_whatsapp.tests.records import insert, insert_incoming

REPORT = "WhatsApp Campaign Results"
FACTS = {  # what has happened to a recipient in each state
	"Planned": (),
	"Skipped": (),
	"Queued": ("queued",),
	"Sent": ("queued", "sent"),
	"Delivered": ("queued", "sent", "delivered"),
	"Read": ("queued", "sent", "delivered", "read"),
	"Replied": ("queued", "sent", "delivered", "replied"),  # receipts switched off: no «read» ever came
	"Failed": ("queued", "failed"),
	"Opted Out": ("queued", "sent", "delivered", "opted_out"),
	"Cancelled": ("cancelled",),
}


class ResultsCase(SiteCase):
	def campaign(self, title: str = "Autumn", **facts: Any) -> str:
		row = {"doctype": "Khalifa Campaign", "title": title, "device": DEVICE, "text_a": "Hello"}
		name = frappe.get_doc(row).insert().name
		facts = {"status": "Running", "started_ms": now_ms(), **facts}
		frappe.db.set_value("Khalifa Campaign", name, facts, update_modified=False)
		return name

	def recipients(self, campaign: str, status: str, count: int, text: str = "A", **more: Any) -> list[str]:
		facts = {f"{fact}_ms": now_ms() for fact in FACTS[status]}
		names = []
		for _number in range(count):
			key = frappe.generate_hash(length=20)
			row = records.CampaignRecipient(key, key, campaign, 1, variant=text, **{**facts, **more})
			row.status = rules.status_of(row) if status != "Skipped" else status
			self.assertEqual(row.status, status)
			names.append(insert(row))
		return names

	def result(self, **filters: Any) -> dict[str, Any]:
		frappe.db.commit()
		with signed_in(HUDA):
			return run(REPORT, filters=json.dumps(filters), ignore_prepared_report=True)

	def rows(self, **filters: Any) -> list[dict[str, Any]]:
		return self.result(**filters)["result"]


class TestResults(ResultsCase):
	def test_each_state_is_counted_and_opens_its_recipients(self) -> None:
		campaign = self.campaign()
		for number, status in enumerate(rules.RECIPIENT_STATES, 1):
			self.recipients(campaign, status, number)
		(row,) = self.rows()
		self.assertEqual(row["total"], 55)
		for number, status in enumerate(rules.RECIPIENT_STATES, 1):
			field = frappe.scrub(status)
			self.assertEqual(row[field], number, status)
			asked = dict(parse_qsl(urlsplit(row["links"][field]).query))
			self.assertEqual(frappe.db.count("Khalifa Campaign Recipient", asked), number)
		self.assertEqual(row["title"], "Autumn")

	def test_shares_are_of_those_who_could(self) -> None:
		campaign = self.campaign()
		for status, count in {
			"Failed": 10,
			"Sent": 10,
			"Delivered": 40,
			"Read": 20,
			"Replied": 15,
			"Opted Out": 5,
		}.items():
			self.recipients(campaign, status, count)
		self.recipients(campaign, "Planned", 100)
		self.recipients(campaign, "Skipped", 100)
		(row,) = self.rows()
		shares = {
			name: row[f"{name}_share"] for name in ("delivered", "read", "replied", "opted_out", "failed")
		}
		self.assertEqual(
			shares, {"delivered": 80.0, "read": 43.8, "replied": 18.8, "opted_out": 6.2, "failed": 10.0}
		)

	def test_two_texts_have_a_row_each_and_the_better_one_is_named(self) -> None:
		campaign = self.campaign()
		self.recipients(campaign, "Delivered", 90, "A")
		self.recipients(campaign, "Replied", 10, "A")
		self.recipients(campaign, "Delivered", 60, "B")
		self.recipients(campaign, "Replied", 40, "B")
		result = self.result(campaign=campaign)
		whole, a, b = result["result"]
		self.assertEqual(
			[(row["text"], row["total"]) for row in (whole, a, b)], [("", 200), ("A", 100), ("B", 100)]
		)
		self.assertEqual((a["replied"], b["replied"], whole["replied"]), (10, 40, 50))
		self.assertEqual(whole["comparison"], "+30.0 (+18.3 … +40.8): B is better")
		self.assertIn("Replied: A 10 of 100, B 40 of 100", result["message"])
		self.assertIn("variant=B", b["links"]["replied"])

	def test_a_handful_of_rows_names_no_better_text(self) -> None:
		campaign = self.campaign()
		self.recipients(campaign, "Delivered", 3, "A")
		self.recipients(campaign, "Delivered", 2, "B")
		self.recipients(campaign, "Replied", 1, "B")
		self.assertIn("may be chance", self.rows()[0]["comparison"])

	def test_reasons_of_failures_are_said_and_can_not_be_markup(self) -> None:
		campaign = self.campaign()
		self.recipients(
			campaign, "Failed", 3, reason="Number {text} is <b>closed</b>", reason_values='{"text": "7"}'
		)
		self.recipients(campaign, "Failed", 1)
		message = self.result(campaign=campaign)["message"]
		self.assertIn("Failed: Number 7 is &lt;b&gt;closed&lt;/b&gt; (3)", message)
		self.assertIn("no reason was given (1)", message)

	def test_only_campaigns_started_in_the_period_are_shown_but_a_chosen_one_always(self) -> None:
		old = self.campaign("Old", started_ms=now_ms() - 200 * 86_400_000)
		drafted = self.campaign("Draft", started_ms=0, status="Draft")
		for campaign in (old, drafted):
			self.recipients(campaign, "Planned", 1)
		self.assertEqual(self.rows(), [])
		self.assertEqual([row["campaign"] for row in self.rows(campaign=old)], [old])

	def test_conversations_that_answer_it_are_counted_once(self) -> None:
		ticket = self.write()
		customer = self.ticket(ticket).customer
		campaign = self.campaign()
		self.recipients(campaign, "Replied", 1, "B", customer=customer)
		self.recipients(campaign, "Delivered", 1, "A")
		frappe.db.set_value("Khalifa Ticket", ticket, "campaign", campaign)
		whole, a, b = self.rows()
		self.assertEqual((whole["tickets"], a["tickets"], b["tickets"]), (1, 0, 1))

	def test_costs_are_added_up_by_currency(self) -> None:
		campaign = self.campaign()
		for number, (text, micros, currency, state) in enumerate(
			(
				("A", 50_000, "USD", "Priced"),
				("A", 1_250_000, "EGP", "Priced"),
				("B", 70_000, "USD", "Priced"),
				("B", 9, "", "No Rate"),
			)
		):
			message = insert_incoming(
				f"cost-{number}", price_state=state, cost_micros=micros, cost_currency=currency
			)
			self.recipients(campaign, "Delivered", 1, text, message=message)
		whole, a, b = self.rows()
		self.assertEqual(
			[row["cost"] for row in (whole, a, b)], ["1.25 EGP + 0.12 USD", "1.25 EGP + 0.05 USD", "0.07 USD"]
		)

	def test_days_that_make_no_sense_are_refused(self) -> None:
		self.assertEqual(self.rows(days=0 - 1), [])
		self.assertEqual(self.rows(days=1000), [])

	def test_agents_may_not_run_it(self) -> None:
		answer = self.as_(MONA).call("frappe.desk.query_report.run", report_name=REPORT, filters={})
		self.assertEqual(answer.status, 403)


class TestOrders(ResultsCase):
	def test_who_may_not_see_the_books_gets_no_column(self) -> None:
		with patch.object(frappe, "has_permission", lambda *_args, **_more: False):
			self.assertIsNone(orders_after(["any"], 7))
