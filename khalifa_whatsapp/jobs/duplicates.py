"""Telling managers, once, of two customers whom a gateway calls one person and nobody may merge unasked."""

from __future__ import annotations

import frappe
from frappe import _
from frappe.utils.user import get_users_with_role

from khalifa_whatsapp.guards import MANAGER_ROLE
from khalifa_whatsapp.jobs.alerts import language_of, notify
from khalifa_whatsapp.services.customers.identities import FOUND, NOTIFIED

CUSTOMER = "Khalifa Customer"
ISOLATE = "\u2068{}\u2069"  # a number keeps its direction in any sentence
AT_ONCE = 50


def notify_managers() -> int:
	"""One notification to each manager for each pair found since; the customer's form asks what to do.

	How many pairs.
	"""
	fields = ["name", "customer_name", "phone", "duplicate_of"]
	customers = frappe.get_all(CUSTOMER, {"duplicate_state": FOUND}, fields, order_by="name", limit=AT_ONCE)
	if not customers:
		return 0
	others = frappe.get_all(CUSTOMER, {"name": ("in", [row.duplicate_of for row in customers])}, fields)
	shown = {row.name: _shown(row) for row in others}
	for user in get_users_with_role(MANAGER_ROLE):
		for row in customers:
			notify(user, CUSTOMER, row.name, _subject(user, _shown(row), shown.get(row.duplicate_of, "")))
	names = [row.name for row in customers]
	frappe.db.set_value(CUSTOMER, {"name": ("in", names)}, "duplicate_state", NOTIFIED, update_modified=False)
	frappe.db.commit()
	return len(customers)


def _shown(row: frappe._dict) -> str:
	"""Both may have the same name: the number tells them apart."""
	parts = dict.fromkeys(filter(None, (row.customer_name, row.phone)))
	return " ".join(ISOLATE.format(part) for part in parts)


def _subject(user: str, name: str, other: str) -> str:
	return _("WhatsApp says that {0} and {1} are one person. Merge them?", language_of(user)).format(
		name, other
	)
