"""What ERPNext's books say of a customer,
where ERPNext is on the site and as far as the reader's own rights go.
"""

from __future__ import annotations

from typing import Any

import frappe

CUSTOMER, INVOICE = "Customer", "Sales Invoice"
LATEST = 5


def has_erpnext() -> bool:
	"""Whether ERPNext's books are on this site."""
	return "erpnext" in frappe.get_installed_apps()


def of(row: Any) -> dict[str, Any] | None:
	"""The ERPNext customer that our customer's record is linked with: balances and the latest invoices.

	None without a link, or for a reader who may not see that customer; amounts and invoices are None for one
	who may see the customer only.
	"""
	if not has_erpnext() or row.reference_doctype != CUSTOMER or not row.reference_name:
		return None
	name = frappe.db.get_value(CUSTOMER, row.reference_name, "customer_name")
	if name is None or not frappe.has_permission(CUSTOMER, "read", doc=row.reference_name):
		return None
	may_see_books = frappe.has_permission(INVOICE, "read")
	return {
		"customer": row.reference_name,
		"customer_name": name,
		"balances": _balances(row.reference_name) if may_see_books else None,
		"invoices": _invoices(row.reference_name) if may_see_books else None,
	}


def _balances(customer: str) -> list[dict[str, Any]]:
	"""What the customer owes each company that the reader may see, as the ledger has it: unallocated payments
	and returns counted, negative when it is we who owe.
	"""
	balances = frappe.get_all(
		"GL Entry",
		{"party_type": CUSTOMER, "party": customer, "is_cancelled": 0},
		[
			"company",
			"account_currency as currency",
			"sum(debit_in_account_currency) - sum(credit_in_account_currency) as amount",
		],
		group_by="company, account_currency",
		order_by="company, account_currency",
	)
	return [row for row in balances if frappe.has_permission("Company", "read", doc=row.company)]


def _invoices(customer: str) -> list[dict[str, Any]]:
	return frappe.get_list(
		INVOICE,
		{"customer": customer, "docstatus": 1},
		["name", "posting_date", "grand_total", "currency", "status"],
		order_by="posting_date desc, creation desc",
		limit=LATEST,
	)
