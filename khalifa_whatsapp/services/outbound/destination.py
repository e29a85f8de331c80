"""Whom an answer reaches: the identity as which the customer wrote last in the conversation,
and its own window.
"""

from __future__ import annotations

from collections.abc import Sequence

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.accounts import Route, account_of, route
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.customers import merging
from khalifa_whatsapp.services.customers.identities import Customers
from khalifa_whatsapp.services.outbound import payloads
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store


def identities(store: Store, customer: str) -> list[records.CustomerIdentity]:
	"""All that is known of a customer."""
	return store.identities_of([customer]).get(customer, [])


def window_from_ms(
	store: Store, ticket: records.Ticket, way: Route, rows: Sequence[records.CustomerIdentity]
) -> int | None:
	"""When whom the answer goes to wrote last in the conversation: a window belongs to an identity,
	not to a customer.
	"""
	if way.has_window_of(ticket.identity):
		return ticket.last_in_ms
	return store.last_written_ms(ticket.name, [row.name for row in rows if way.is_account_of(row)])


def route_of_message(
	message: records.Message, ticket: records.Ticket | None, rows: Sequence[records.CustomerIdentity]
) -> Route:
	"""Whom a queued message goes to now: whom it was meant for, or where he or she has moved to.

	Raises `RecipientError` when that is nobody: another customer's number by now, or given up for one that is
	not known.
	"""
	by_name = {row.name: row for row in rows}
	wrote_as = message.identity or (ticket.identity if ticket is not None else None)
	way = route(rows, wrote_as)
	is_gone = message.identity is not None and message.identity not in by_name
	is_fixed = message.content_type == "reaction"  # what it is put on lies in the chat with the old number
	if is_gone or (way.is_moved and (way.chosen is None or is_fixed)):
		raise base.RecipientError(payloads.NUMBER_LEFT, code="number_left")
	return way


def without_foreign_chats(
	messages: dict[str, records.Message], way: Route, rows: Sequence[records.CustomerIdentity]
) -> dict[str, records.Message]:
	"""Those that lie in the chat which is written to: elsewhere they can't be quoted."""
	accounts = {row.name: account_of(row) for row in rows}
	here = account_of(way.chosen) if way.chosen is not None else None
	return {
		key: one
		for key, one in messages.items()
		if one.identity is None or accounts.get(one.identity, here) == here
	}


def link_reached(store: Store, message: str, people: Sequence[Identity], now_ms: int) -> None:
	"""The gateway has said whom our message went to: whatever it calls him or her is this customer's."""

	def run() -> None:
		with working(store, now_ms) as work:
			sent = store.messages([message]).get(message)
			if sent is not None:
				_link(work, sent, people)

	retrying(run)


def _link(work: UnitOfWork, message: records.Message, people: Sequence[Identity]) -> None:
	def merge(gone: str, kept: str) -> None:
		work.flush()
		merging.merge(work, gone, kept)
		work.flush()
		customers.read(people)

	customers = Customers(work, merge)
	customers.read(people)
	customers.belongs_to(message.customer, people, work.now_ms, message.identity)
	if any(customers.row(one) is not None for one in people):
		customers.resolve(people, work.now_ms)
