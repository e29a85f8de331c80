"""Give stored identities what is kept of them now: the account they belong to, and the name of their profile.

Keys stay as they are: they are those of the stored values, and a number is found in each of its forms.
"""

from __future__ import annotations

import frappe
from frappe.query_builder.functions import Coalesce, Min

CHUNK = 2_000
IDENTITY = "Khalifa Customer Identity"


def execute() -> None:
	"""Fill what is empty, a chunk of customers at a time; a run that was cut off goes on where it was."""
	last = ""
	while customers := _next(last):
		frappe.db.bulk_update(IDENTITY, _accounts(customers), update_modified=False)
		_name(customers)
		frappe.db.commit()
		last = max(customers)


def _next(after: str) -> dict[str, tuple[str, str | None, int]]:
	"""Customers with identities that have no account yet: name, phone, and when they were first heard of."""
	customer, identity = frappe.qb.DocType("Khalifa Customer"), frappe.qb.DocType(IDENTITY)
	rows = frappe.qb.from_(customer).join(identity).on(identity.customer == customer.name).distinct()
	rows = rows.select(customer.name, customer.customer_name, customer.phone, customer.created_ms)
	rows = rows.where((customer.name > after) & (Coalesce(identity.account, "") == ""))
	rows = rows.orderby(customer.name).limit(CHUNK)
	return {name: (shown, phone, created) for name, shown, phone, created in rows.run()}


def _accounts(customers: dict[str, tuple[str, str | None, int]]) -> dict[str, dict[str, str]]:
	"""Of a customer with one phone all identities are one account; of more,
	nobody knows which belong together.
	"""
	fields = ["name", "customer", "kind", "account"]
	rows = frappe.get_all(IDENTITY, {"customer": ("in", list(customers))}, fields, order_by="name", limit=0)
	by_customer: dict[str, list[frappe._dict]] = {}
	for row in rows:
		by_customer.setdefault(row.customer, []).append(row)
	return {
		row.name: {"account": mates[0].name if _is_one_account(mates) else row.name}
		for mates in by_customer.values()
		for row in mates
		if not row.account
	}


def _is_one_account(mates: list[frappe._dict]) -> bool:
	kinds = [mate.kind for mate in mates]
	return all(kinds.count(kind) == 1 for kind in kinds) and not any(mate.account for mate in mates)


def _name(customers: dict[str, tuple[str, str | None, int]]) -> None:
	"""Names so far came from profiles: they count until a later message brings another."""
	named = {name: row for name, row in customers.items() if row[0] and row[0] != row[1]}
	if not named:
		return
	times = {name: {"named_ms": row[2]} for name, row in named.items() if row[2]}
	frappe.db.bulk_update("Khalifa Customer", times, update_modified=False)
	first = _first_identities(list(times)) if times else ()
	names = {
		row: {"profile_name": named[customer][0], "named_ms": named[customer][2]} for customer, row in first
	}
	frappe.db.bulk_update(IDENTITY, names, update_modified=False)


def _first_identities(customers: list[str]) -> tuple[tuple[str, str], ...]:
	"""(customer, its first identity)."""
	identity = frappe.qb.DocType(IDENTITY)
	rows = frappe.qb.from_(identity).select(identity.customer, Min(identity.name))
	return rows.where(identity.customer.isin(customers)).groupby(identity.customer).run()
