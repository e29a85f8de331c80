"""What no person writes: automatic replies, surveys, campaigns. Their one way to the outbox.

Such a message ends no wait, is nobody's answer and moves no clock. It obeys the service window; and a
promotion goes to nobody who has stopped them, which is asked once more when it is claimed for sending
(`check_promotion`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.accounts import route
from khalifa_whatsapp.core.content import put_preview
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.outbound import destination
from khalifa_whatsapp.services.outbound.answer_drafts import (
	Draft,
	check_capabilities,
	check_window,
	checked_body,
	checked_route,
)
from khalifa_whatsapp.services.outbound.outbox_rows import address, new_message
from khalifa_whatsapp.services.unit_of_work import UnitOfWork

PROMOTIONS_STOPPED = "The customer has stopped promotions."
AUTOMATIC, CAMPAIGN = 1, 2  # places in the outbox behind people's answers (`Message.priority`)


@dataclass(frozen=True, slots=True)
class Cause:
	"""Why a machine writes: its origin, and the rule or campaign behind it.

	`client_key` is the same whenever the same message is meant: then it is queued once.
	"""

	origin: str  # `records.AUTO`, `SURVEY` or `CAMPAIGN`
	client_key: str
	auto_reply: str | None = None
	campaign: str | None = None
	is_promotion: bool = False

	@property
	def key(self) -> str:
		"""What the database keeps unique."""
		return digest(self.origin, self.client_key)


def queue(
	work: UnitOfWork,
	ticket: records.Ticket,
	draft: Draft,
	cause: Cause,
	can: base.Capabilities | None,
) -> records.Message:
	"""Queue a machine's message in a ticket; the same cause again gives the message already made.

	Raises `UserError` when it may not go: the window is closed, the number was given up, the gateway can't
	send this kind, the customer has stopped promotions.
	"""
	if (known := work.store.message_by_client_key(cause.key)) is not None:
		return known
	return queue_new(work, ticket, draft, cause, can, destination.identities(work.store, ticket.customer))


def queue_new(
	work: UnitOfWork,
	ticket: records.Ticket,
	draft: Draft,
	cause: Cause,
	can: base.Capabilities | None,
	rows: Sequence[records.CustomerIdentity],
) -> records.Message:
	"""As `queue`, where the customer's identities are at hand and the message surely isn't made yet."""
	body = checked_body(work, draft)
	if cause.is_promotion and has_stopped_promotions(work, ticket.customer):
		raise UserError("opted_out", PROMOTIONS_STOPPED)
	way = checked_route(route(rows, ticket.identity))
	check_capabilities(draft, can)
	check_window(work, draft, can, destination.window_from_ms(work.store, ticket, way, rows))
	message = new_message(work, ticket, draft, body, cause.origin, records.MSG_QUEUED)
	address(message, way)
	_mark(message, cause)
	_show(work, ticket, message)
	return message


def _mark(message: records.Message, cause: Cause) -> None:
	message.client_key = cause.key
	message.auto_reply, message.campaign = cause.auto_reply, cause.campaign
	message.is_promotion = int(cause.is_promotion)
	message.priority = CAMPAIGN if cause.origin == records.CAMPAIGN else AUTOMATIC


def _show(work: UnitOfWork, ticket: records.Ticket, message: records.Message) -> None:
	"""It is the conversation's last message; state, holder and wait stay as they are."""
	ticket.last_out_ms = max(work.now_ms, ticket.last_out_ms or 0)
	ticket.last_message_ms = max(work.now_ms, ticket.last_message_ms)
	put_preview(ticket, message)
	work.touch_ticket(ticket)


def has_stopped_promotions(work: UnitOfWork, customer: str) -> bool:
	"""Whether the customer wants no promotions, as of this transaction."""
	known = work.read_customers([customer]).get(customer)
	return known is not None and bool(known.is_opted_out)


def check_promotion(work: UnitOfWork, message: records.Message) -> None:
	"""A promotion that was queued before the customer stopped them does not go: raises `OptedOut`."""
	if message.is_promotion and has_stopped_promotions(work, message.customer):
		raise base.OptedOut(PROMOTIONS_STOPPED, code="opted_out")
