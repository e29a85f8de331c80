"""Cost on a site: the price list, the report whose sums are sums, and the card."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import frappe
from frappe.desk.query_report import run

from khalifa_whatsapp.api import cards
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.services import costs
from khalifa_whatsapp.tests.case import DEVICE, HUDA, MONA, SiteCase
from khalifa_whatsapp.tests.endpoints import signed_in
from khalifa_whatsapp.tests.records import insert

REPORT = "WhatsApp Message Cost"


class TestCosts(SiteCase):
	def rate(self, **fields: Any) -> Any:
		given = {"category": "service", "from_date": "2020-01-01", "amount": "0.0132", "currency": "AED"}
		rate = frappe.get_doc({"doctype": "Khalifa Message Rate", **given, **fields}).insert()
		self.addCleanup(self.remove, rate.name)
		return rate

	def remove(self, name: str) -> None:
		frappe.delete_doc("Khalifa Message Rate", name, force=True)
		frappe.db.commit()

	def delivered(self, name: str, **fields: Any) -> None:
		given = {"price_state": "Due", "delivered_ms": now_ms(), "agent": self.mona, "status": "Delivered"}
		insert(
			records.Message(
				name,
				"KT-cost",
				"cost-customer",
				DEVICE,
				records.OUTGOING,
				records.AGENT,
				"text",
				sent_ms=now_ms(),
				received_ms=now_ms(),
				**{**given, **fields},
			)
		)

	def report(self, **filters: Any) -> dict[str, Any]:
		with signed_in(HUDA):
			return run(REPORT, filters=json.dumps(filters), ignore_prepared_report=True)

	def test_messages_are_priced_and_added_up_by_currency(self) -> None:
		self.rate()
		self.delivered("cost1")
		self.delivered("cost2", price_category="marketing")
		self.delivered("cost3", price_type="free_entry_point")
		self.delivered("cost4", price_state="Priced", cost_micros=3_600, cost_currency="USD")
		frappe.db.commit()
		costs.settle(on_site(), now_ms())
		rows = self.report(group_by="Agent")["result"]
		of_mona = {
			row["currency"]: row for row in rows if row["group_key" if "group_key" in row else "bucket"]
		}
		self.assertEqual(
			{
				currency: (row["messages"], row["cost"], row["free"], row["no_rate"])
				for currency, row in of_mona.items()
			},
			{"AED": (3, 0.0132, 1, 1), "USD": (1, 0.0036, 0, 0)},
		)

	def test_a_cell_opens_as_many_messages_as_it_says(self) -> None:
		self.rate()
		for name in ("cost7", "cost8"):
			self.delivered(name)
		self.delivered("cost9", agent=None, price_category="marketing")
		frappe.db.commit()
		costs.settle(on_site(), now_ms())
		for group in ("Agent", "Automatic Reply", "Country", "Category"):
			for row in self.report(group_by=group)["result"]:
				for cell, address in row.get("links", {}).items():
					with self.subTest(group, cell=cell, bucket=row["bucket"]):
						query = dict(parse_qsl(urlsplit(address).query))
						wanted = {k: json.loads(v) if v.startswith("[") else v for k, v in query.items()}
						listed = frappe.get_all(
							"Khalifa Message", wanted, pluck="name"
						)  # as Desk's list does
						self.assertEqual(len(listed), row[cell])

	def test_every_group_opens(self) -> None:
		self.rate()
		self.delivered("cost5")
		frappe.db.commit()
		costs.settle(on_site(), now_ms())
		for group in (
			"Category",
			"Month",
			"Agent",
			"Campaign",
			"Template",
			"Automatic Reply",
			"Device",
			"Country",
		):
			with self.subTest(group):
				first = self.report(group_by=group)["result"][0]
				self.assertEqual((first["messages"], first["cost"]), (1, 0.0132))

	def test_a_rate_prices_what_had_none(self) -> None:
		self.delivered("cost6")
		frappe.db.commit()
		costs.settle(on_site(), now_ms())
		self.assertEqual(frappe.db.get_value("Khalifa Message", "cost6", "price_state"), "No Rate")
		self.assertIn("1", self.report(group_by="Category")["message"])
		self.rate()
		frappe.db.commit()
		costs.settle(on_site(), now_ms())
		frappe.db.commit()
		self.assertEqual(frappe.db.get_value("Khalifa Message", "cost6", "cost_micros"), 13_200)
		with signed_in(HUDA):
			self.assertEqual(cards.cost_this_month(), "0.01 AED")

	def test_a_country_has_its_own_rate(self) -> None:
		self.assertEqual(self.rate(country="Egypt").region, "EG")
		self.assertEqual(self.rate(country=None).region, "")

	def test_a_second_price_for_the_same_and_a_senseless_one_are_refused(self) -> None:
		self.rate()
		with self.assertRaisesRegex(frappe.ValidationError, "already"):
			self.rate(amount="0.02")
		for amount in (-1, 5_000):
			with self.assertRaisesRegex(frappe.ValidationError, "0 to 2,000"):
				self.rate(category="marketing", amount=amount)

	def test_the_price_list_is_managers_alone(self) -> None:
		self.rate()
		frappe.db.commit()
		with signed_in(MONA):
			self.assertFalse(frappe.has_permission("Khalifa Message Rate"))
			with self.assertRaises(frappe.PermissionError):
				cards.cost_this_month()
