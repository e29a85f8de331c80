"""Give customers who had stopped or resumed promotions before there was a log their first entry in it."""

from __future__ import annotations

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.consent import BEFORE, Wish
from khalifa_whatsapp.services.customers import consent
from khalifa_whatsapp.services.unit_of_work import retrying, working

CHUNK = 500


def execute() -> None:
	"""An entry for every wish whose time is known, and for all who want none; a second run finds nothing."""
	customer, event = frappe.qb.DocType("Khalifa Customer"), frappe.qb.DocType("Khalifa Consent Event")
	logged = frappe.qb.from_(event).select(event.customer)
	has_wish = (customer.is_opted_out == 1) | (customer.opted_out_ms > 0)
	rows = frappe.qb.from_(customer).select(customer.name).where(has_wish)
	names = [row[0] for row in rows.where(customer.name.notin(logged)).orderby(customer.name).run()]
	for start in range(0, len(names), CHUNK):
		retrying(lambda part=names[start : start + CHUNK]: _log(part))  # type: ignore[misc]


def _log(names: list[str]) -> None:
	with working(on_site(), now_ms()) as work:
		for row in work.read_customers(names).values():
			wish = Wish(bool(row.is_opted_out), source=BEFORE)
			consent.record(work, row, wish, row.opted_out_ms or row.created_ms, f"before:{row.name}")
