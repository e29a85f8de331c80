"""What the demonstration's messages cost: a price list, marked by its owner, and the month priced by it."""

from __future__ import annotations

import frappe

from khalifa_whatsapp.demo import company
from khalifa_whatsapp.demo.price_list import CURRENCY, FROM_DATE, RATES
from khalifa_whatsapp.services import costs
from khalifa_whatsapp.stores.base import Store


def fill(store: Store, now_ms: int) -> None:
	"""Make the price list, and price what the month delivered."""
	for category, amount in RATES.items():
		if not frappe.db.exists("Khalifa Message Rate", {"category": category}):
			_add_rate(category, amount)
	frappe.db.commit()
	while costs.settle(store, now_ms):
		pass


def _add_rate(category: str, amount: str) -> None:
	rate = frappe.get_doc(
		{
			"doctype": "Khalifa Message Rate",
			"category": category,
			"from_date": FROM_DATE,
			"amount": amount,
			"currency": CURRENCY,
		}
	)
	rate.insert(ignore_permissions=True)
	rate.db_set("owner", company.OWNER, update_modified=False)
