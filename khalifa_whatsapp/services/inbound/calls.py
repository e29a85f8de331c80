"""Calls among the events of a batch: one row of the thread for each call,
whatever is said of it and in which order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from khalifa_whatsapp.core import calls, records
from khalifa_whatsapp.core.content import load, makes_wait, wants_answer
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.inbound.batch import IntakeBatch
from khalifa_whatsapp.services.inbound.fields import clamp, packed
from khalifa_whatsapp.services.tickets import turns

CALL = "call"


@dataclass(slots=True)
class News:
	"""What was said of a call, what that makes of it, and whether it makes the customer wait:
	before, and now.
	"""

	webhook_event: records.WebhookEvent
	event: base.Call
	at_ms: int
	data: dict[str, Any]
	waited: bool
	waits: bool

	@property
	def begins_wait(self) -> bool:
		"""Only now is it clear that nobody took the call."""
		return self.waits and not self.waited


def take(batch: IntakeBatch, webhook_event: records.WebhookEvent, event: base.Call) -> None:
	"""It rings, it was missed, it was answered. A call of ours makes nobody wait."""
	at_ms, people = clamp(event.at_ms, webhook_event.received_ms), batch.people.together(event.customer)
	customer, identity = batch.people.person(people, at_ms, event.profile_name, has_written=not event.is_ours)
	known = batch.thread.known(batch.thread.key(event.ref), event.ref, customer.name)
	if known is not None and known.content_type != CALL:
		return
	news = _news(webhook_event, event, known)
	if known is not None and packed(news.data) == known.data and news.at_ms <= known.sent_ms:
		return  # said before
	ticket = _ticket(batch, news, known, customer)
	last_known_ms = known.sent_ms if known is not None else 0
	message = _show(batch, news, known, customer, ticket)
	message.identity = message.identity or identity
	if not event.is_ours:
		batch.people.note_contact(
			customer, ticket, clamp(event.started_ms or event.at_ms, webhook_event.received_ms), identity
		)
		_wait(batch, news, ticket, last_known_ms)
		batch.people.warn_of_new_holder(ticket)
	batch.work.touch_ticket(ticket)
	batch.tickets.publish(ticket, "message" if news.begins_wait else "changed")


def _news(webhook_event: records.WebhookEvent, event: base.Call, known: records.Message | None) -> News:
	before, at_ms = (
		load(known.data) if known is not None else {},
		clamp(event.at_ms, webhook_event.received_ms),
	)
	reported = {
		"state": event.state,
		"duration": event.duration,
		"is_video": event.is_video,
		"began_ms": at_ms,
	}
	data = calls.fold(before, reported)
	waited = known is not None and wants_answer(CALL, before, event.is_ours)
	waits = wants_answer(CALL, data, event.is_ours)
	return News(webhook_event, event, at_ms, data, waited, waits)


def _ticket(
	batch: IntakeBatch, news: News, known: records.Message | None, customer: records.Customer
) -> records.Ticket:
	"""Where the call is shown: one that nobody took belongs into an open conversation."""
	if known is None or news.begins_wait:
		return batch.tickets.for_customer(customer, news.webhook_event.received_ms, news.waits)
	return batch.tickets.named(known.ticket)


def _show(
	batch: IntakeBatch,
	news: News,
	known: records.Message | None,
	customer: records.Customer,
	ticket: records.Ticket,
) -> records.Message:
	message = known or batch.thread.new_row(
		news.webhook_event, news.event.ref, customer, ticket, not news.event.is_ours
	)
	message.content_type, message.data, message.ticket = CALL, packed(news.data), ticket.name
	if known is None:
		message.sent_ms = news.at_ms
		batch.thread.store(message, ticket)
		ticket.unread_count += int(not news.event.is_ours)
		return message
	message.sent_ms = max(message.sent_ms, news.at_ms)  # its place is where it ended
	batch.thread.changed(message)
	batch.thread.show_last(ticket, message)
	return message


def _wait(batch: IntakeBatch, news: News, ticket: records.Ticket, last_known_ms: int) -> None:
	began_ms = news.data["began_ms"]
	is_earlier = news.waits and began_ms < (ticket.waiting_since_ms or 0) <= last_known_ms
	if news.begins_wait or is_earlier:
		batch.tickets.wait(ticket, began_ms, news.webhook_event.received_ms)
	elif news.waited and not news.waits and not _waits_for_more(batch, ticket):
		_withdraw(batch, ticket)


def _waits_for_more(batch: IntakeBatch, ticket: records.Ticket) -> bool:
	"""Whether the customer wrote, or called again, since the wait began."""
	since_ms = ticket.waiting_since_ms
	if since_ms is None:
		return True  # somebody answered meanwhile: nothing to take back
	return any(row.sent_ms >= since_ms and makes_wait(row) for row in batch.thread.rows_of(ticket))


def _withdraw(batch: IntakeBatch, ticket: records.Ticket) -> None:
	"""The call was answered after all: the wait that it alone began never was one."""
	turn = turns.void_turn(batch.work, ticket)
	ticket.status = records.PENDING
	if turn is not None and (ticket.first_message_ms or 0) >= turn.started_ms:
		ticket.first_message_ms = None
