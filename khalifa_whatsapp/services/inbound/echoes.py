"""Our number wrote, but not through us: an echo is shown, or settles what became of a message of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.drivers import base as d
from khalifa_whatsapp.services.inbound import placeholders
from khalifa_whatsapp.services.inbound.fields import FUTURE_MS, clamp
from khalifa_whatsapp.services.outbound import status_changes

if TYPE_CHECKING:
	from khalifa_whatsapp.services.inbound.batch import IntakeBatch


def take(batch: IntakeBatch, delivery: r.Delivery, event: d.OutboundEcho) -> None:
	"""A message typed on the phone: shown, but nobody's answer, so the customer's wait goes on."""
	key, known = batch.key(event.ref), batch.by_key.get(batch.key(event.ref))
	if known is not None:
		if placeholders.stands_in(known, event):
			placeholders.arrived(batch, delivery, event, known)
		return
	if not event.recipient:
		return
	people = batch.people(event.recipient)
	customer = batch.customers.resolve(people, clamp(event.sent_ms, delivery.received_ms))
	if _settles_doubt(batch, delivery, event, key, customer.name):
		return
	ticket = batch.tickets.for_customer(customer, delivery.received_ms, wants_answer=False)
	message = batch.make_message(delivery, event, customer, ticket)
	message.identity = batch.identity_of(people, customer)
	batch.store(message, ticket)
	batch.work.touch_ticket(ticket)
	batch.tickets.tell(ticket, "phone")


def _settles_doubt(
	batch: IntakeBatch, delivery: r.Delivery, event: d.OutboundEcho, key: str, customer: str
) -> bool:
	"""The echo of a message whose sending had no clear answer: it did go, and it is this row, not another."""
	for message in _doubtful(batch):
		is_same = message.customer == customer and message.body == event.body and message.message_key is None
		if is_same and message.sent_ms <= clamp(event.sent_ms, delivery.received_ms) + FUTURE_MS:
			message.message_key = key
			message.gateway_id, message.scope = event.ref.gateway_id, event.ref.scope
			before, message.status = message.status, r.SENT
			message.error_kind = message.error_code = message.error_text = None
			batch.keep([message])
			batch.fold(message)
			batch.work.touch(message)
			status_changes.status_changed(batch.work, message, before, batch.tickets.by_name)
			return True
	return False


def _doubtful(batch: IntakeBatch) -> list[r.Message]:
	"""Messages being sent, or of unknown fate, oldest first; read once and only when an echo asks."""
	if batch.doubtful is None:
		batch.doubtful = batch.work.store.doubtful_messages(batch.device.name)
		batch.keep(batch.doubtful)
		batch.doubtful = [batch.by_name[message.name] for message in batch.doubtful]
	return batch.doubtful
