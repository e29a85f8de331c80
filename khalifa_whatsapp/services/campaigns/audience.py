"""Whom the lines of an audience name, and whether a campaign may and can reach them: one batch of reads for
many lines.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from khalifa_whatsapp.core.accounts import route
from khalifa_whatsapp.core.audience import Audience, Line, Person
from khalifa_whatsapp.core.identity import PHONE, Identity
from khalifa_whatsapp.core.records import Customer, CustomerIdentity
from khalifa_whatsapp.stores.base import Store


def with_people(store: Store, made: Audience, lines: Sequence[Line], is_promotion: bool = True) -> list[Line]:
	"""The lines with what the store knows of each person, in their order; within a transaction.

	Who has stopped promotions is left out of promotions only.
	"""
	known = _identities(store, [line.phone for line in lines if line.phone and not line.why])
	names = {line.customer for line in lines if line.customer} | {row.customer for row in known.values()}
	customers, rows = store.customers(names), store.identities_of(names)
	return [
		made.with_person(line, _person(line, known.get(line.phone), customers, rows, is_promotion))
		for line in lines
	]


def _identities(store: Store, phones: Collection[str]) -> dict[str, CustomerIdentity]:
	"""Identities by phone, whichever form of the number a gateway has used."""
	forms = {phone: Identity(PHONE, phone).forms for phone in phones}
	stored = store.identities({form.key for all_forms in forms.values() for form in all_forms})
	matches = {
		phone: [stored[form.key] for form in all_forms if form.key in stored]
		for phone, all_forms in forms.items()
	}
	return {phone: rows[0] for phone, rows in matches.items() if rows}


def _person(
	line: Line,
	identity: CustomerIdentity | None,
	customers: Mapping[str, Customer],
	rows: Mapping[str, Sequence[CustomerIdentity]],
	is_promotion: bool,
) -> Person | None:
	customer = customers.get(line.customer or (identity.customer if identity is not None else ""))
	if customer is None:
		return None
	way = route(rows.get(customer.name, ()), identity.name if identity is not None else None)
	return Person(
		customer.name,
		customer.customer_name,
		bool(is_promotion and customer.is_opted_out),
		bool(way.recipient),
	)
