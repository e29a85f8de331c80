"""A person decides about a message that failed, is in doubt or still waits: again, settled, or taken back."""

from __future__ import annotations

import json

from khalifa_whatsapp.core import records, ticket_access
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.errors import Changed, NotFound, UserError
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.services.outbound import status_changes
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.services.outbound.answers import queue_answer
from khalifa_whatsapp.services.tickets.authorization import require, ticket_of
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store

RESENDABLE = frozenset({records.FAILED, records.UNKNOWN})
SETTLED = {
	records.UNKNOWN: "A colleague looked: it was not sent.",
	records.MSG_QUEUED: "Taken back before it was sent.",
}


def resend(
	store: Store, actor: Actor, message: str, client_key: str, now_ms: int, can: Capabilities | None = None
) -> records.Message:
	"""Say again what failed, or what may not have been sent: a new message, and the old one keeps its fate.

	Only a person decides that; what was in doubt may then arrive twice.
	"""

	def run() -> records.Message:
		with working(store, now_ms, actor) as work:
			old = _message_to_settle(work, message)
			draft = Draft(
				old.body,
				old.content_type,
				old.file_url,
				old.file_name,
				old.mime_type,
				json.loads(old.data) if old.data else {},
				old.reply_to,
			)
			new = queue_answer(work, old.ticket, draft, client_key, None, False, can)
			if old.resent_as not in (None, new.name):
				raise Changed("resent_already", "This message was sent again already.")
			old.resent_as = new.name
			work.touch(old)
			return new

	return retrying(run)


def settle(store: Store, actor: Actor, message: str, was_sent: bool, now_ms: int) -> records.Message:
	"""A person has looked: what was in doubt was sent, or was not; what still waits is taken back."""

	def run() -> records.Message:
		with working(store, now_ms, actor) as work:
			record = _message_to_settle(work, message, frozenset({records.UNKNOWN, records.MSG_QUEUED}))
			before = record.status
			if was_sent and before == records.MSG_QUEUED:
				raise UserError("not_sent_yet", "This message has not been handed over yet.")
			record.status = records.SENT if was_sent else records.FAILED
			record.error_kind = None if was_sent else "discarded"
			record.error_text = None if was_sent else SETTLED[before]
			record.generation += 1  # a sender that is late writes nothing any more
			work.touch(record)
			status_changes.status_changed(work, record, before)
			work.log(
				work.store.tickets([record.ticket])[record.ticket], "settled", reason=record.status.lower()
			)
			return record

	return retrying(run)


def _message_to_settle(work: UnitOfWork, name: str, statuses: frozenset[str] = RESENDABLE) -> records.Message:
	"""An outgoing message of a ticket that the person may answer, in one of these states;
	the ticket is locked first.
	"""
	seen = work.store.messages([name]).get(name)
	if seen is None or seen.direction != records.OUTGOING or seen.origin == records.NOTE:
		raise NotFound("no_such_message", "There is no such message in this conversation.")
	require(ticket_access.can_settle(work.actor, ticket_of(work, seen.ticket)))
	message = work.store.messages([name])[name]
	if message.status not in statuses:
		raise Changed("message_changed", "The message has changed meanwhile. Look again.")
	return message
