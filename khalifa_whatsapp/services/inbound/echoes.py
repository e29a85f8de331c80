"""Our number wrote, but not through us: an echo is shown, or settles what became of a message of ours."""

from __future__ import annotations

from khalifa_whatsapp.core import records
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.inbound import placeholders
from khalifa_whatsapp.services.inbound.batch import IntakeBatch
from khalifa_whatsapp.services.inbound.fields import FUTURE_MS, clamp
from khalifa_whatsapp.services.outbound import status_changes


def take(batch: IntakeBatch, webhook_event: records.WebhookEvent, event: base.OutboundEcho) -> None:
	"""A message typed on the phone: shown, but nobody's answer, so the customer's wait goes on."""
	known = batch.thread.by_key.get(batch.thread.key(event.ref))
	if known is not None:
		if placeholders.stands_in(known, event):
			placeholders.arrived(batch, webhook_event, event, known)
		return
	if not event.recipient:
		return
	people = batch.people.together(event.recipient)
	customer = batch.customers.resolve(people, clamp(event.sent_ms, webhook_event.received_ms))
	if _settles_doubt(batch, webhook_event, event, customer.name):
		return
	ticket = batch.tickets.for_customer(customer, webhook_event.received_ms, wants_answer=False)
	message = batch.thread.make_message(webhook_event, event, customer, ticket)
	message.identity = batch.people.identity_of(people, customer)
	batch.thread.store(message, ticket)
	batch.work.touch_ticket(ticket)
	batch.tickets.publish(ticket, "phone")


def _settles_doubt(
	batch: IntakeBatch, webhook_event: records.WebhookEvent, event: base.OutboundEcho, customer: str
) -> bool:
	"""The echo of a message whose sending had no clear answer: it did go, and it is this row, not another."""
	for message in batch.thread.doubtful():
		is_same = message.customer == customer and message.body == event.body and message.message_key is None
		if is_same and message.sent_ms <= clamp(event.sent_ms, webhook_event.received_ms) + FUTURE_MS:
			before, message.status = message.status, records.SENT
			message.error_kind = message.error_code = message.error_text = None
			batch.thread.sent_as(message, event.ref)
			batch.thread.fold(message)
			status_changes.status_changed(batch.work, message, before, batch.tickets.by_name)
			return True
	return False
