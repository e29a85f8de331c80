"""News of a message that has not come stands in its place, under the message's own key, and becomes it when
it comes.

Such news are a message that nobody could read yet, and an edit. Whoever wrote to us is not to be lost because
a gateway was late, or because the message itself never comes.
"""

from __future__ import annotations

from typing import Any

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.content import is_in_thread, opens_window, put_preview
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.inbound.batch import IntakeBatch
from khalifa_whatsapp.services.inbound.fields import clamp, fill

MISSING = "missing"


def stands_in(known: records.Message, event: base.InboundMessage | base.OutboundEcho) -> bool:
	"""Whether a row has stood in for the message that comes now; else it only came again."""
	return known.content_type == MISSING and not event.is_missing


def arrived(
	batch: IntakeBatch,
	webhook_event: records.WebhookEvent,
	event: base.InboundMessage | base.OutboundEcho,
	known: records.Message,
) -> None:
	"""The message that a row has stood in for: everything is as if it had come first."""
	ticket, stood_ms = batch.tickets.named(known.ticket), known.sent_ms
	known.sent_ms, known.body = clamp(event.sent_ms, webhook_event.received_ms), event.body
	fill(known, event, batch.thread.target_key(event.reply_to) if event.reply_to else None)
	batch.thread.fold(known)
	batch.thread.changed(known)
	last = max(filter(is_in_thread, batch.thread.rows_of(ticket)), key=lambda row: (row.sent_ms, row.name))
	ticket.last_message_ms = last.sent_ms
	put_preview(ticket, last)
	if opens_window(known):
		batch.people.note_contact(
			batch.customers.customer(known.customer), ticket, known.sent_ms, known.identity
		)
		# the wait that it began; a later one is not its own
		if (ticket.waiting_since_ms or stood_ms + 1) <= stood_ms:
			batch.tickets.wait(ticket, known.sent_ms, known.received_ms)
		_take_meaning(batch, event, known, ticket)
	batch.work.touch_ticket(ticket)


def _take_meaning(
	batch: IntakeBatch,
	event: base.InboundMessage | base.OutboundEcho,
	known: records.Message,
	ticket: records.Ticket,
) -> None:
	"""A wish or a score counts as late as it comes; the wait goes on, for somebody has seen it begin."""
	if isinstance(event, base.InboundMessage):
		customer = batch.customers.customer(known.customer)
		meaning = batch.responses.meaning(customer, ticket, event, known.sent_ms)
		batch.responses.take(meaning, customer, ticket, known)


def of_edit(event: base.MessageEdit) -> base.InboundMessage | base.OutboundEcho:
	"""What was edited has not come: what it says now, to stand in its place until it does."""
	common: dict[str, Any] = {
		"ref": event.target,
		"sent_ms": event.at_ms,
		"content_type": MISSING,
		"body": event.body,
		"is_missing": True,
	}
	if event.is_ours:
		return base.OutboundEcho(recipient=event.customer, **common)
	return base.InboundMessage(sender=event.customer, is_edit_alone=True, **common)
