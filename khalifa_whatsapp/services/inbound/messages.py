"""A customer wrote."""

from __future__ import annotations

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.content import opens_window, wants_answer
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.campaigns import replies
from khalifa_whatsapp.services.inbound import placeholders
from khalifa_whatsapp.services.inbound.batch import IntakeBatch
from khalifa_whatsapp.services.inbound.fields import clamp


def take(batch: IntakeBatch, webhook_event: records.WebhookEvent, event: base.InboundMessage) -> None:
	"""A message joins its customer's conversation, once; or it takes the place that was kept for it."""
	thread, sent = batch.thread, clamp(event.sent_ms, webhook_event.received_ms)
	key = thread.key(event.ref)
	known = thread.by_key.get(key)
	if known is not None and not placeholders.stands_in(known, event):
		return
	people = batch.people.together(event.sender)
	batch.people.tie(event, people, sent)
	customer, identity = batch.people.person(
		people, sent, event.profile_name, has_written=not event.is_edit_alone
	)
	batch.people.note_asked(people)
	known = thread.known(key, event.ref, customer.name)  # only now: two customers may have become one
	if known is None:
		_new(batch, webhook_event, event, customer, identity)
	elif placeholders.stands_in(known, event):
		placeholders.arrived(batch, webhook_event, event, known)


def _new(
	batch: IntakeBatch,
	webhook_event: records.WebhookEvent,
	event: base.InboundMessage,
	customer: records.Customer,
	identity: str | None,
) -> None:
	latest = batch.tickets.latest.get(customer.name)
	sent_ms = clamp(event.sent_ms, webhook_event.received_ms)
	meaning = batch.responses.meaning(customer, latest, event, sent_ms)
	waits = wants_answer(event.content_type, event.data) and not meaning.is_quiet
	ticket = batch.tickets.for_customer(customer, webhook_event.received_ms, waits, meaning.is_quiet)
	message = batch.thread.make_message(webhook_event, event, customer, ticket)
	message.identity = identity
	batch.thread.store(message, ticket)
	ticket.unread_count += int(event.content_type != "system" and not meaning.is_quiet)
	if opens_window(message):
		batch.people.note_contact(customer, ticket, message.sent_ms, identity)
	ticket.identity = ticket.identity or identity
	batch.work.touch_ticket(ticket)
	is_new = ticket.first_message_ms is None and ticket.last_out_ms is None
	if waits:
		batch.tickets.wait(ticket, message.sent_ms, message.received_ms)
		batch.auto_replies.consider(message, is_new)
	batch.people.warn_of_new_holder(ticket)
	batch.responses.take(meaning, customer, ticket, message)
	if meaning.is_quiet and latest is None:
		batch.tickets.end_at_once(ticket)
	if batch.has_care:
		batch.work.at_end(replies.note)
	batch.tickets.publish(ticket, "message")
