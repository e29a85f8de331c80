"""A ticket ends: who gets credit for it, or blame, is settled with it."""

from __future__ import annotations

from khalifa_whatsapp.core import ledger, records
from khalifa_whatsapp.services.tickets import snoozing, surveys, turns
from khalifa_whatsapp.services.tickets.notices import notify_owner
from khalifa_whatsapp.services.unit_of_work import UnitOfWork


def close_ticket(
	work: UnitOfWork, ticket: records.Ticket, reason: str, outcome: str, batch: str | None = None
) -> None:
	"""Close an open ticket within a transaction, and settle who gets credit or blame for it."""
	missed_for = _missed_for(work, ticket)
	turns.end_turn(work, ticket, outcome, "closed" if batch is None else "bulk_closed")
	is_counted = batch is None and outcome != records.SPAM
	is_unanswered = ticket.first_message_ms is not None and ticket.first_responded_ms is None
	ticket.is_missed = int(is_unanswered and outcome not in (records.SPAM, records.NO_REPLY_NEEDED))
	ticket.missed_for = missed_for if ticket.is_missed and batch is None else None
	ticket.resolved_for = ledger.resolver(ticket, outcome) if is_counted else None
	ticket.status, ticket.open_key, ticket.closed_ms = records.CLOSED, None, work.now_ms
	ticket.closed_by, ticket.close_reason, ticket.close_batch = work.actor.user, reason, batch
	ticket.queued_since_ms, ticket.unread_count = None, 0
	snoozing.forget(ticket)
	work.touch_ticket(ticket)
	work.mark_day(work.now_ms)
	work.log(ticket, "closed", from_agent=ticket.agent, reason=reason)
	surveys.plan(work, ticket, reason, is_bulk=batch is not None)
	notify_owner(work, ticket, "closed")


def _missed_for(work: UnitOfWork, ticket: records.Ticket) -> str | None:
	"""The owner, when his or her own time passed the threshold; else the queue."""
	_, segment = work.open_parts(ticket)
	if segment is None or segment.agent is None:
		return None
	rules = work.branch_rules(ticket)
	used = rules.calendar.business_ms(segment.from_ms, work.now_ms)
	return segment.agent if used > rules.delay_ms else None
