"""Our number wrote, but not through us: an echo is shown, or settles what became of a message of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from khalifa_whatsapp.core import records
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services import intake_missing, outcomes
from khalifa_whatsapp.services.intake_rows import FUTURE_MS, clamp

if TYPE_CHECKING:
	from khalifa_whatsapp.services.intake_batch import IntakeBatch


def take(batch: IntakeBatch, webhook_event: records.WebhookEvent, event: base.OutboundEcho) -> None:
	"""A message typed on the phone: shown, but nobody's answer, so the customer's wait goes on."""
	key, known = batch.key(event.ref), batch.by_key.get(batch.key(event.ref))
	if known is not None:
		if intake_missing.stands_in(known, event):
			intake_missing.arrived(batch, webhook_event, event, known)
		return
	if not event.recipient:
		return
	people = batch.people(event.recipient)
	customer = batch.customers.resolve(people, clamp(event.sent_ms, webhook_event.received_ms))
	if _settles_doubt(batch, webhook_event, event, key, customer.name):
		return
	ticket = batch.tickets.for_customer(customer, webhook_event.received_ms, wants_answer=False)
	message = batch.make_message(webhook_event, event, customer, ticket)
	message.identity = batch.identity_of(people, customer)
	batch.store(message, ticket)
	batch.work.touch_ticket(ticket)
	batch.tickets.publish(ticket, "phone")


def _settles_doubt(
	batch: IntakeBatch, webhook_event: records.WebhookEvent, event: base.OutboundEcho, key: str, customer: str
) -> bool:
	"""The echo of a message whose sending had no clear answer: it did go, and it is this row, not another."""
	for message in _doubtful(batch):
		is_same = message.customer == customer and message.body == event.body and message.message_key is None
		if is_same and message.sent_ms <= clamp(event.sent_ms, webhook_event.received_ms) + FUTURE_MS:
			message.message_key = key
			message.gateway_id, message.scope = event.ref.gateway_id, event.ref.scope
			before, message.status = message.status, records.SENT
			message.error_kind = message.error_code = message.error_text = None
			batch.keep([message])
			batch.fold(message)
			batch.work.touch(message)
			outcomes.status_changed(batch.work, message, before, batch.tickets.by_name)
			return True
	return False


def _doubtful(batch: IntakeBatch) -> list[records.Message]:
	"""Messages being sent, or of unknown fate, oldest first; read once and only when an echo asks."""
	if batch.doubtful is None:
		batch.doubtful = batch.work.store.doubtful_messages(batch.device.name)
		batch.keep(batch.doubtful)
		batch.doubtful = [batch.by_name[message.name] for message in batch.doubtful]
	return batch.doubtful
