"""A conversation is put aside, and comes back: once, by itself, at its time or when the customer writes.

Nothing here touches the ledger. `back` and `forget` are called by whatever else moves a ticket.
"""

from __future__ import annotations

from khalifa_whatsapp.core import records, snooze, ticket_access
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.errors import Changed, UserError
from khalifa_whatsapp.core.snooze import Refusal
from khalifa_whatsapp.services.isolation import batch_or_one_by_one, check
from khalifa_whatsapp.services.tickets.authorization import require, ticket_of
from khalifa_whatsapp.services.tickets.notices import notify_owner
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store

BATCH = 200
EVENT_SNOOZED, EVENT_BACK = "snoozed", "unsnoozed"
_TEXTS = {
	Refusal.CLOSED: ("ticket_closed", "The conversation is closed. Reopen it first."),
	Refusal.NOBODY_S: ("not_assigned", "This conversation is still waiting for an agent. Take it first."),
	Refusal.PAST: ("snooze_past", "Choose a time at least one minute from now."),
	Refusal.TOO_FAR: ("snooze_too_far", "Choose a time within the next 90 days."),
	Refusal.NO_REASON: (
		"snooze_owed",
		"The customer waits for an answer. Answer first, or write why this can wait.",
	),
}


def snooze_ticket(
	store: Store, actor: Actor, ticket: str, now_ms: int, until_ms: int | None = None, reason: str = ""
) -> records.Ticket:
	"""Put a conversation aside until a time, or (None) until the customer writes."""

	def run() -> records.Ticket:
		with working(store, now_ms, actor) as work:
			record = ticket_of(work, ticket)
			put_aside(work, record, until_ms, reason)
			return record

	return retrying(run)


def put_aside(work: UnitOfWork, ticket: records.Ticket, until_ms: int | None, reason: str) -> None:
	"""As `snooze_ticket`, within a transaction. Raises `UserError` when it may not be."""
	require(ticket_access.can_snooze(work.actor, ticket))
	why_not = snooze.refusal(ticket, until_ms, reason, work.now_ms)
	if why_not is not None:
		raise UserError(*_TEXTS[why_not])
	snooze.begin(ticket, until_ms, reason, work.now_ms)
	work.touch_ticket(ticket)
	work.log(
		ticket, EVENT_SNOOZED, from_agent=ticket.agent, reason=snooze.written(until_ms, ticket.snooze_reason)
	)
	notify_owner(work, ticket, EVENT_SNOOZED)


def wake(store: Store, actor: Actor, ticket: str, now_ms: int) -> records.Ticket:
	"""Take a conversation back before its time, by hand."""

	def run() -> records.Ticket:
		with working(store, now_ms, actor) as work:
			record = ticket_of(work, ticket)
			require(ticket_access.can_snooze(actor, record))
			if not snooze.is_snoozed(record):
				raise Changed("not_snoozed", "The conversation is back already.")
			back(work, record, snooze.BY_HAND)
			return record

	return retrying(run)


def back(work: UnitOfWork, ticket: records.Ticket, why: str) -> None:
	"""It is in its holder's list again, and he or she is told; nothing when it was not put aside."""
	if not snooze.is_snoozed(ticket):
		return
	snooze.end(ticket)
	if why in (snooze.TIME, snooze.OWED):
		ticket.unread_count = max(
			ticket.unread_count, 1
		)  # the badge: what the customer writes brings its own
	work.touch_ticket(ticket)
	is_automatic = int(why != snooze.BY_HAND)
	work.log(ticket, EVENT_BACK, to_agent=ticket.agent, is_automatic=is_automatic, reason=why)
	notify_owner(work, ticket, EVENT_BACK)


def forget(ticket: records.Ticket) -> None:
	"""It goes to somebody else, or ends: what its holder had put aside is nothing any more.

	The caller writes the ticket, and its history says the rest.
	"""
	snooze.end(ticket)


def bring_back(store: Store, now_ms: int, limit: int = 5_000) -> int:
	"""Bring back what is due, oldest first. How many.

	Lock, end and history are one transaction, so a crash loses and doubles nothing. Raises `RowsFailed`
	after all others.
	"""
	total, failed = 0, dict[str, str]()
	while total < limit:
		outcome = batch_or_one_by_one(
			lambda: _bring_back(store, now_ms),
			lambda: _due(store, now_ms),
			lambda name: _bring_back(store, now_ms, name),
		)
		done = sum(outcome.done)
		total += done
		failed |= outcome.failed
		if not done or done + len(outcome.failed) < BATCH:
			break
	check(failed)
	return total


def _due(store: Store, now_ms: int) -> list[str]:
	with store.transaction():
		return [ticket.name for ticket in store.due_snoozes(now_ms, BATCH)]


def _bring_back(store: Store, now_ms: int, only: str | None = None) -> int:
	with working(store, now_ms) as work:
		due = [ticket for ticket in store.due_snoozes(now_ms, BATCH) if only in (None, ticket.name)]
		for ticket in due:
			back(work, ticket, snooze.TIME)
		return len(due)
