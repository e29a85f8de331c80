"""The row of a message that is to go out: in the conversation and in the outbox at once."""

from __future__ import annotations

import json

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.accounts import Route
from khalifa_whatsapp.core.arabic import normalise
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.services.unit_of_work import UnitOfWork


def new_message(
	work: UnitOfWork, ticket: records.Ticket, draft: Draft, body: str, origin: str, status: str
) -> records.Message:
	"""Add the row; who acts is its sender."""
	actor = work.actor
	message = records.Message(
		work.new_name(),
		ticket.name,
		ticket.customer,
		ticket.device,
		records.OUTGOING,
		origin,
		draft.content_type,
		status,
		sent_ms=work.now_ms,
		received_ms=work.now_ms,
		body=body,
		reply_to=draft.reply_to,
		sender=actor.user,
		sender_name=actor.full_name,
		agent=actor.agent,
		file_url=draft.file_url,
		file_name=draft.file_name,
		mime_type=draft.mime_type,
		data=json.dumps(draft.data, ensure_ascii=False) if draft.data else None,
		is_new_chat=int(ticket.last_in_ms is None and ticket.last_out_ms is None),
		text_key=digest("text", normalise(body))[:20] if body else None,
	)
	return work.add(message)


def address(message: records.Message, way: Route) -> None:
	"""Whom it goes to, written down with the message; the first one to a new number begins a new chat."""
	if way.chosen is not None:
		message.identity = way.chosen.name
		message.is_new_chat = message.is_new_chat or int(way.is_moved and way.chosen.seen_ms is None)
