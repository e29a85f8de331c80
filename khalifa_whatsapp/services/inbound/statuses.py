"""What a gateway says of the fate of a message of ours, and whom it reached."""

from __future__ import annotations

import json

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.cost import Pricing
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.inbound.batch import IntakeBatch
from khalifa_whatsapp.services.inbound.fields import clamp


def take(batch: IntakeBatch, webhook_event: records.WebhookEvent, event: base.MessageStatus) -> None:
	"""Keep it, once; the message, if it is there, moves forward. It waits for a message that is not."""
	thread, key = batch.thread, batch.thread.key(event.ref)
	message = thread.by_key.get(key) or thread.by_name.get(event.callback)
	is_known_by_callback = (
		message is not None and message.message_key is None and message.direction == records.OUTGOING
	)
	if message is not None and is_known_by_callback:
		thread.sent_as(message, event.ref)
	log = _log(batch, webhook_event, key, event)
	if log is not None or is_known_by_callback:
		thread.fold(message)
	_reached(batch, event, clamp(event.at_ms, webhook_event.received_ms))


def _log(
	batch: IntakeBatch, webhook_event: records.WebhookEvent, key: str, event: base.MessageStatus
) -> records.MessageLog | None:
	pricing = _pricing(event.pricing)
	# A status that comes again may name a price that it had not named before
	log_key = digest(key, "status", event.status, *([pricing] if pricing else []))
	log = batch.thread.log(webhook_event, key, "status", event.status, event.at_ms, log_key)
	if log is not None:
		log.callback = event.callback or None
		log.error_kind, log.error_code = event.error_kind, event.error_code
		log.error_text = event.error_text
		log.pricing = pricing
	return log


def _pricing(said: Pricing | None) -> str | None:
	return json.dumps([said.category, said.price_type, said.micros, said.currency]) if said else None


def _reached(batch: IntakeBatch, event: base.MessageStatus, at_ms: int) -> None:
	"""Whom a message of ours reached: what a gateway names together is one person's."""
	people = event.recipient
	if not people or not batch.customers.is_news(people, at_ms):
		return
	batch.people.tie(event, people, at_ms)
	if any(batch.customers.row(one) is not None for one in people):
		customer = batch.customers.resolve(people, at_ms)
		ticket = batch.tickets.latest.get(customer.name)
		if ticket is not None:
			batch.people.warn_of_new_holder(ticket)
