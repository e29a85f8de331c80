"""The customer beside a conversation on a site that has ERPNext: what its books say, and to whom."""

from __future__ import annotations

import unittest
from typing import Any

import frappe
from frappe.utils import add_days, add_to_date, today

from khalifa_whatsapp.api import inbox_books
from khalifa_whatsapp.core import records
from khalifa_whatsapp.khalifa_whatsapp.campaign_orders import orders_after
from khalifa_whatsapp.tests.case import HUDA, MONA
from khalifa_whatsapp.tests.endpoints import signed_in
from khalifa_whatsapp.tests.records import insert
from khalifa_whatsapp.tests.test_inbox import InboxCase

PARTY, ITEM, OTHER = "Huda Samir", "Cough Syrup", "Another Pharmacy"


def company_with_accounts() -> str | None:
	"""The company that ERPNext's wizard has made, where there is one."""
	wanted = {"default_receivable_account": ("is", "set"), "name": ("!=", OTHER)}
	return frappe.db.get_value("Company", wanted) if inbox_books.has_erpnext() else None


class BooksCase(InboxCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.company = company_with_accounts()
		if cls.company is None:
			raise unittest.SkipTest("needs a site with ERPNext and a company")
		if not frappe.db.exists("Customer", PARTY):
			cls.keep_books()

	@classmethod
	def keep_books(cls) -> None:
		"""Two invoices, one of them returned in part, and money on account: 300 + 400 - 100 - 50."""
		frappe.get_doc(doctype="Customer", customer_name=PARTY, customer_type="Individual").insert()
		item = {"item_code": ITEM, "item_group": "Products", "stock_uom": "Nos", "is_stock_item": 0}
		frappe.get_doc(doctype="Item", **item).insert()
		cls.invoice(300, 1, -20)
		second = cls.invoice(100, 4, -2)
		cls.invoice(100, -1, 0, is_return=1, return_against=second)
		cls.pay(50)
		frappe.db.commit()

	@classmethod
	def invoice(cls, rate: float, qty: int, days: int, **more: Any) -> str:
		invoice = frappe.get_doc(
			doctype="Sales Invoice",
			customer=PARTY,
			company=cls.company,
			set_posting_time=1,
			posting_date=add_days(today(), days),
			due_date=add_days(today(), 30),
			items=[{"item_code": ITEM, "qty": qty, "rate": rate}],
			**more,
		).insert()
		invoice.submit()
		return invoice.name

	@classmethod
	def pay(cls, amount: float) -> None:
		bank, receivable = frappe.db.get_value(
			"Company", cls.company, ["default_cash_account", "default_receivable_account"]
		)
		frappe.get_doc(
			doctype="Payment Entry",
			payment_type="Receive",
			party_type="Customer",
			party=PARTY,
			company=cls.company,
			paid_from=receivable,
			paid_to=bank,
			paid_amount=amount,
			received_amount=amount,
			source_exchange_rate=1,
			target_exchange_rate=1,
		).insert().submit()

	def setUp(self) -> None:
		super().setUp()
		ticket = self.ticket_of(self.mona)
		link = {"reference_doctype": "Customer", "reference_name": PARTY}
		frappe.db.set_value("Khalifa Customer", self.only(records.Customer).name, link)
		frappe.db.commit()
		self.ticket_name = ticket

	def books(self, user: str, *roles: str) -> Any:
		"""What the panel says of the books to somebody who has these roles besides his or her own."""
		account = frappe.get_doc("User", user)
		account.add_roles(*roles)
		self.addCleanup(frappe.db.commit)
		self.addCleanup(account.remove_roles, *roles)
		frappe.db.commit()
		return self.ask(user, "customer", ticket=self.ticket_name)["erpnext"]

	def other_company(self) -> str:
		if not frappe.db.exists("Company", OTHER):
			currency, country = frappe.db.get_value("Company", self.company, ["default_currency", "country"])
			frappe.get_doc(
				doctype="Company", company_name=OTHER, abbr="AP", default_currency=currency, country=country
			).insert()
		return OTHER


class TestBooks(BooksCase):
	def test_who_keeps_the_books_sees_the_ledger_s_balance_and_the_latest_invoices(self) -> None:
		books = self.books(HUDA, "Accounts User")
		self.assertEqual((books["customer"], books["customer_name"]), (PARTY, PARTY))
		currency = frappe.db.get_value("Company", self.company, "default_currency")
		self.assertEqual(
			books["balances"], [{"company": self.company, "currency": currency, "amount": 550.0}]
		)
		self.assertEqual([row["grand_total"] for row in books["invoices"]], [-100.0, 400.0, 300.0])
		self.assertEqual(books["invoices"][0]["status"], "Return")

	def test_who_sells_sees_the_customer_and_no_amounts(self) -> None:
		books = self.books(MONA, "Sales User")
		self.assertEqual(
			books, {"customer": PARTY, "customer_name": PARTY, "balances": None, "invoices": None}
		)

	def test_an_agent_without_a_role_in_erpnext_sees_no_books(self) -> None:
		self.assertIsNone(self.books(MONA))

	def test_a_company_that_the_reader_may_not_see_is_left_out(self) -> None:
		other = {
			"doctype": "User Permission",
			"user": HUDA,
			"allow": "Company",
			"for_value": self.other_company(),
		}
		rule = frappe.get_doc(other).insert()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.delete_doc, "User Permission", rule.name)
		books = self.books(HUDA, "Accounts User")
		self.assertEqual((books["balances"], books["invoices"]), ([], []))


class TestOrdersAfterACampaign(BooksCase):
	"""The same books: 300 + 400 - 100 were invoiced, in two invoices and a return."""

	def orders(self, user: str, *roles: str, days: int = 7, sent_hours_ago: float = 1) -> Any:
		"""What a campaign's message of so long before the first invoice is followed by, for somebody."""
		first = frappe.get_all("Sales Invoice", {"customer": PARTY}, pluck="creation", order_by="creation")[0]
		frappe.db.set_value(
			"Khalifa Campaign Recipient", "R-1", "sent_on", add_to_date(first, hours=-sent_hours_ago)
		)
		account = frappe.get_doc("User", user)
		account.add_roles(*roles)
		self.addCleanup(frappe.db.commit)
		self.addCleanup(account.remove_roles, *roles)
		frappe.db.commit()
		with signed_in(user):
			return orders_after(["C-1"], days)

	def setUp(self) -> None:
		super().setUp()
		customer = self.only(records.Customer).name
		sent = {"queued_ms": 1, "sent_ms": 1, "customer": customer, "variant": "A"}
		insert(records.CampaignRecipient("R-1", "R-1", "C-1", 1, **sent))

	def test_who_keeps_the_books_sees_buyers_and_what_was_invoiced_by_currency(self) -> None:
		currency = frappe.db.get_value("Company", self.company, "default_currency")
		bought = self.orders(HUDA, "Accounts User")[("C-1", "A")]
		self.assertEqual((bought.buyers, dict(bought.invoiced)), ({"R-1"}, {currency: 600}))

	def test_what_was_entered_too_late_counts_for_nothing(self) -> None:
		self.assertEqual(self.orders(HUDA, "Accounts User", days=1, sent_hours_ago=25), {})

	def test_who_may_read_no_books_gets_no_figure(self) -> None:
		self.assertIsNone(self.orders(HUDA))

	def test_a_company_that_the_reader_may_not_see_counts_for_nothing(self) -> None:
		other = {"allow": "Company", "for_value": self.other_company(), "user": HUDA}
		rule = frappe.get_doc({"doctype": "User Permission", **other}).insert()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.delete_doc, "User Permission", rule.name)
		self.assertEqual(self.orders(HUDA, "Accounts User"), {})
