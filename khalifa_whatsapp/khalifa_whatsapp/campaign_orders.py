"""What recipients of campaigns bought afterwards, by ERPNext's books, where ERPNext is on the site.

The books are read as the reader's own: of companies and customers that he or she may not see, nothing is
counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import frappe

from khalifa_whatsapp.api import inbox_books
from khalifa_whatsapp.core.campaign_orders import Entry, Key, Orders, Reached, orders_of

ORDER, INVOICE = "Sales Order", inbox_books.INVOICE
PART = 1_000  # customers that one question names


def orders_after(campaigns: Sequence[str], days: int) -> dict[Key, Orders] | None:
	"""By campaign and text: recipients with an order or an invoice within so many days after the message.

	None where there are no books, or the reader may not see them.
	"""
	readable = [one for one in (ORDER, INVOICE) if _may_read(one)]
	if not readable:
		return None
	reached = _reached(campaigns) if campaigns else []
	if not reached:
		return {}
	entries = [entry for doctype in readable for entry in _entries(doctype, reached, days)]
	return orders_of(reached, entries, days)


def _may_read(doctype: str) -> bool:
	return inbox_books.has_erpnext() and bool(frappe.has_permission(doctype, "read"))


def _reached(campaigns: Sequence[str]) -> list[Reached]:
	recipient = frappe.qb.DocType("Khalifa Campaign Recipient")
	customer = frappe.qb.DocType("Khalifa Customer")
	query = (
		frappe.qb.from_(recipient)
		.join(customer)
		.on(customer.name == recipient.customer)
		.select(
			recipient.campaign,
			recipient.variant,
			recipient.name,
			customer.reference_name,
			recipient.sent_on,
		)
		.where(recipient.campaign.isin(campaigns) & (recipient.sent_ms > 0))
		.where(customer.reference_doctype == inbox_books.CUSTOMER)
	)
	return [Reached(*row) for row in query.run()]


def _entries(doctype: str, reached: Sequence[Reached], days: int) -> Iterator[Entry]:
	"""Submitted rows of these customers, by the moment at which somebody entered them: their own date knows
	no hour.
	"""
	names = sorted({one.customer for one in reached})
	first, last = min(one.sent_on for one in reached), max(one.sent_on for one in reached)
	for start in range(0, len(names), PART):
		for row in _rows(doctype, names[start : start + PART], first, last + timedelta(days=days)):
			if doctype == INVOICE:
				currency = frappe.get_cached_value("Company", row.company, "default_currency")
				yield Entry(row.customer, row.creation, Decimal(str(row.base_grand_total or 0)), currency)
			else:
				yield Entry(row.customer, row.creation)


def _rows(doctype: str, customers: list[str], first: datetime, last: datetime) -> list[Any]:
	entered = [["creation", ">=", first], ["creation", "<=", last]]
	filters = [["customer", "in", customers], ["docstatus", "=", 1], *entered]
	fields = ["customer", "creation", "company", "base_grand_total"]
	return frappe.get_list(doctype, filters=filters, fields=fields, limit=0, order_by=None)
