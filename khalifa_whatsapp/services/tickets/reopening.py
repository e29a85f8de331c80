"""A closed ticket is open again."""

from __future__ import annotations

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.keys import open_key
from khalifa_whatsapp.services.unit_of_work import UnitOfWork


def reopen(work: UnitOfWork, ticket: records.Ticket, reason: str, is_undo: bool = False) -> None:
	"""Make a closed ticket open again, in its next cycle; undone,
	the closing never was and the cycle goes on.
	"""
	work.mark_day(ticket.closed_ms)
	work.log(ticket, "reopened", from_agent=ticket.resolved_for, reason=reason)
	ticket.open_key = open_key(ticket.customer, ticket.device)
	if not is_undo:
		ticket.cycle += 1
		ticket.cycle_replies, ticket.repliers = 0, ticket.resolved_for or ""
	ticket.closed_ms = ticket.closed_by = ticket.close_reason = ticket.resolved_for = ticket.close_batch = (
		None
	)
	ticket.is_missed, ticket.missed_for = 0, None
	ticket.status = records.PENDING if ticket.agent else records.QUEUED
	ticket.queued_since_ms = None if ticket.agent else work.now_ms
	work.touch_ticket(ticket)
