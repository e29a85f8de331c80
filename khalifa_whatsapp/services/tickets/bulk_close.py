"""«Close all open tickets»: a manager's batch that can be watched, resumed and undone.

The batch remembers each ticket's version at the moment of the button. A ticket that changed meanwhile (a
customer wrote, a colleague answered) is skipped and reported. No survey, no credit, no blame.
"""

from __future__ import annotations

import dataclasses
import json

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.arabic import safe_name
from khalifa_whatsapp.core.errors import NotAllowed, NotFound, UserError
from khalifa_whatsapp.services.tickets import turns
from khalifa_whatsapp.services.tickets.closing import close_ticket
from khalifa_whatsapp.services.tickets.reopening import reopen
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store, TicketFilter

CHUNK = 200
MAX_REASON = 140  # what a Data field holds


def start(store: Store, actor: Actor, chosen: TicketFilter, reason: str, now_ms: int) -> records.CloseBatch:
	"""Write down which tickets are meant, at which version; `step` then closes them."""
	_only_managers(actor)
	if not reason.strip():
		raise UserError("no_reason", "Say why all these conversations are closed.")
	if len(reason.strip()) > MAX_REASON:
		raise UserError(
			"reason_too_long", "The reason is too long: at most {limit} characters fit.", limit=MAX_REASON
		)

	def run() -> records.CloseBatch:
		with working(store, now_ms, actor) as work:
			filters = json.dumps(dataclasses.asdict(chosen), ensure_ascii=False)
			batch = records.CloseBatch(
				work.new_name(), safe_name(reason), filters, actor.user or "", actor.full_name or "", now_ms
			)
			store.start_close_batch(batch, chosen, work.new_name)
			return batch

	return retrying(run)


def step(store: Store, actor: Actor, name: str, now_ms: int) -> records.CloseBatch:
	"""Close the next few; call until the status is Done. Safe after a crash: what is closed stays closed."""
	_only_managers(actor)
	return retrying(lambda: _step(store, actor, name, now_ms))


def _step(store: Store, actor: Actor, name: str, now_ms: int) -> records.CloseBatch:
	with working(store, now_ms, actor) as work:
		batch = _batch(work, name)
		if batch.status != "Running":
			return batch
		items = store.batch_items(name, "Waiting", CHUNK)
		tickets = store.tickets([item.ticket for item in items])
		work.read_ahead(list(tickets.values()))
		for item in items:
			_close(work, batch, item, tickets.get(item.ticket))
		if len(items) < CHUNK:
			batch.status = "Done"
		_progress(work, batch)
		return batch


def _close(
	work: UnitOfWork, batch: records.CloseBatch, item: records.CloseBatchItem, ticket: records.Ticket | None
) -> None:
	work.touch(item)
	if ticket is None or ticket.open_key is None:
		item.result, item.why = "Skipped", "already closed"
	elif ticket.version != item.version:
		item.result, item.why = "Skipped", "changed meanwhile"
	else:
		close_ticket(work, ticket, batch.reason, records.BULK_CLOSED, batch.name)
		item.result, item.version = "Closed", ticket.version
	batch.closed += item.result == "Closed"
	batch.skipped += item.result == "Skipped"


def undo(store: Store, actor: Actor, name: str, now_ms: int) -> records.CloseBatch:
	"""Open the batch's tickets again, the next few; call until the status is Undone."""
	_only_managers(actor)
	return retrying(lambda: _undo(store, actor, name, now_ms))


def _undo(store: Store, actor: Actor, name: str, now_ms: int) -> records.CloseBatch:
	with working(store, now_ms, actor) as work:
		batch = _batch(work, name)
		if batch.status == "Undone":
			return batch
		items = store.batch_items(name, "Closed", CHUNK)
		tickets = store.tickets([item.ticket for item in items])
		pairs = [(t.customer, t.device) for t in tickets.values()]
		latest = store.latest_tickets(pairs)
		waits = store.turns_closed_with(tickets.values())
		for item in items:
			ticket = tickets[item.ticket]
			is_latest = latest[ticket.customer, ticket.device].name == ticket.name
			_open_again(work, batch, item, ticket if is_latest else None, waits.get(item.ticket))
		batch.status = "Undone" if len(items) < CHUNK else "Undoing"
		_progress(work, batch)
		return batch


def _open_again(
	work: UnitOfWork,
	batch: records.CloseBatch,
	item: records.CloseBatchItem,
	ticket: records.Ticket | None,
	wait: records.Turn | None,
) -> None:
	work.touch(item)
	if ticket is None or ticket.version != item.version:
		item.result, item.why = "Kept", "changed after the batch"
		return
	reopen(work, ticket, "batch undone", is_undo=True)
	if wait is not None:
		turns.resume(work, ticket, wait)
	item.result = "Undone"
	batch.undone += 1


def _progress(work: UnitOfWork, batch: records.CloseBatch) -> None:
	work.touch(batch)
	data = {
		"batch": batch.name,
		"status": batch.status,
		"total": batch.total,
		"closed": batch.closed,
		"skipped": batch.skipped,
		"undone": batch.undone,
	}
	work.publish("khalifa_whatsapp:close_all", data, user=batch.requested_by)


def _batch(work: UnitOfWork, name: str) -> records.CloseBatch:
	batch = work.store.close_batch(name)
	if batch is None:
		raise NotFound("no_such_batch", "There is no such run of «close all».")
	return batch


def _only_managers(actor: Actor) -> None:
	if not actor.is_manager:
		raise NotAllowed("only_managers_close_all", "Only a manager closes all conversations at once.")
