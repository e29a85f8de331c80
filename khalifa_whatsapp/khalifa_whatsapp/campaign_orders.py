"""What recipients of campaigns bought afterwards, by ERPNext's books, where ERPNext is on the site."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import frappe
from frappe.query_builder.functions import Sum
from pypika import Interval

from khalifa_whatsapp.api import inbox_books

ORDER, INVOICE = "Sales Order", inbox_books.INVOICE
Key = tuple[str, str]  # campaign, text


@dataclass(slots=True)
class Orders:
	"""Who of some recipients bought, and for how much was invoiced, in the company's currency."""

	buyers: set[str] = field(default_factory=set)
	invoiced: float = 0


def orders_after(campaigns: Sequence[str], days: int) -> dict[Key, Orders] | None:
	"""By campaign and text: recipients with an order or an invoice within so many days after the message.

	None where there are no books, or the reader may not see them.
	"""
	readable = [one for one in (ORDER, INVOICE) if _may_read(one)]
	if not readable:
		return None
	orders: dict[Key, Orders] = defaultdict(Orders)
	for doctype in readable if campaigns else ():
		for row in _rows(doctype, campaigns, days):
			orders[row.campaign, row.variant].buyers.add(row.recipient)
			orders[row.campaign, row.variant].invoiced += float(row.amount) if doctype == INVOICE else 0
	return orders


def _may_read(doctype: str) -> bool:
	return inbox_books.has_erpnext() and bool(frappe.has_permission(doctype, "read"))


def _rows(doctype: str, campaigns: Sequence[str], days: int) -> list[Any]:
	"""By the moment at which somebody entered them: their own date knows no hour."""
	recipient, customer = (
		frappe.qb.DocType("Khalifa Campaign Recipient"),
		frappe.qb.DocType("Khalifa Customer"),
	)
	order = frappe.qb.DocType(doctype)
	return (
		frappe.qb.from_(recipient)
		.join(customer)
		.on(customer.name == recipient.customer)
		.join(order)
		.on(order.customer == customer.reference_name)
		.select(
			recipient.campaign,
			recipient.variant,
			recipient.name.as_("recipient"),
			Sum(order.base_grand_total).as_("amount"),
		)
		.where(recipient.campaign.isin(campaigns) & (recipient.sent_ms > 0))
		.where((customer.reference_doctype == inbox_books.CUSTOMER) & (order.docstatus == 1))
		.where(order.creation >= recipient.sent_on)
		.where(order.creation <= recipient.sent_on + Interval(days=days))
		.groupby(recipient.campaign, recipient.variant, recipient.name)
		.run(as_dict=True)
	)
