"""Verbs on a ticket's wait, used by every use case that moves a ticket.

They keep four things in step: the turn, its segments, the delay events, and the ticket's own facts.
"""

from __future__ import annotations

from khalifa_whatsapp.core import ledger
from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.services.work import Work

MANAGER_ROLE = "WhatsApp Manager"


def customer_waits(work: Work, ticket: r.Ticket, sent_ms: int, known_ms: int) -> None:
	"""A customer's message that wants an answer came in (and no turn is open)."""
	turn = work.add(ledger.open_turn(work.new_name(), ticket, sent_ms, known_ms))
	start = ledger.first_segment_start(ticket, turn)
	segment = work.add(ledger.open_segment(work.new_name(), ticket, turn, start))
	ticket.status = r.OPEN if ticket.agent else r.QUEUED
	schedule(work, ticket, turn, segment)


def schedule(work: Work, ticket: r.Ticket, turn: r.Turn, segment: r.Segment | None) -> None:
	"""Note when the minute job must look at the ticket next."""
	ticket.response_by_ms = ledger.next_check(turn, segment, work.branch_rules(ticket), work.rules.settings)


def look_at_clock(work: Work, ticket: r.Ticket, turn: r.Turn, segment: r.Segment | None) -> ledger.Crossing:
	"""Write down thresholds passed by now, and tell whoever must know."""
	rules = work.branch_rules(ticket)
	found = ledger.cross(ticket, turn, segment, work.now_ms, rules, work.rules.settings)
	for event in found.events:
		work.add(event)
		work.mark_day(event.at_ms)
	if found.level and segment is not None:
		work.touch(segment)
	if found.is_customer:
		turn.delay_cause = ledger.cause(work.ledger.segments[turn.name], work.now_ms, rules)
		work.touch(turn)
	_warn(work, ticket, segment, found)
	return found


def _warn(work: Work, ticket: r.Ticket, segment: r.Segment | None, found: ledger.Crossing) -> None:
	data = {"ticket": ticket.name, "level": found.level, "agent": ticket.agent_name}
	if found.level and segment is not None and segment.agent is not None:
		agent = work.agent(segment.agent)
		if agent is not None:
			work.tell("khalifa_whatsapp:delay", data, user=agent.user)
	if found.level >= ledger.ESCALATED or (found.is_customer and ticket.agent is None):
		work.tell("khalifa_whatsapp:delay", data, role=MANAGER_ROLE)


def change_holder(work: Work, ticket: r.Ticket, reason: str) -> r.Segment | None:
	"""The ticket's holder has just changed (`ticket.agent` is the new one): end one segment, begin the next."""
	turn, segment = work.open_parts(ticket)
	if turn is None:
		return None
	ended = _end_segment(work, ticket, turn, segment, reason)
	fresh = work.add(ledger.open_segment(work.new_name(), ticket, turn, work.now_ms))
	schedule(work, ticket, turn, fresh)
	return ended


def _end_segment(
	work: Work, ticket: r.Ticket, turn: r.Turn, segment: r.Segment | None, reason: str
) -> r.Segment | None:
	if segment is None:
		return None
	look_at_clock(work, ticket, turn, segment)
	ledger.end_segment(segment, work.now_ms, reason, work.branch_rules(ticket))
	if segment.agent is not None and segment.level >= ledger.DELAYED:
		_close_delays(work, turn, segment.name)
	work.touch(segment)
	work.mark_day(segment.counted_ms)
	return segment


def end_turn(work: Work, ticket: r.Ticket, outcome: str, segment_reason: str) -> r.Turn | None:
	"""The customer waits no longer, for whatever reason. None when nobody was waiting."""
	turn, segment = work.open_parts(ticket)
	if turn is None:
		return None
	_end_segment(work, ticket, turn, segment, segment_reason)
	rules = work.branch_rules(ticket)
	ledger.end_turn(ticket, turn, work.now_ms, outcome, rules)
	if turn.is_delayed:
		turn.delay_cause = ledger.cause(work.ledger.segments[turn.name], work.now_ms, rules)
		_close_delays(work, turn, None)
	work.touch(turn)
	work.mark_day(turn.ended_ms)
	return turn


def resume(work: Work, ticket: r.Ticket, turn: r.Turn) -> None:
	"""A turn that had ended goes on with its original start; the holder is charged again only from now."""
	work.ledger.turns.setdefault(turn.name, turn)
	work.ledger.segments.setdefault(turn.name, work.store.segments_of([turn.name]))
	work.ledger.delays.setdefault(turn.name, work.store.delays_of([turn.name]))
	work.mark_day(turn.ended_ms)
	ledger.reopen_turn(ticket, turn)
	ticket.status = r.OPEN if ticket.agent else r.QUEUED
	segment = work.add(ledger.open_segment(work.new_name(), ticket, turn, work.now_ms))
	schedule(work, ticket, turn, segment)
	work.touch(turn)


def _close_delays(work: Work, turn: r.Turn, segment: str | None) -> None:
	"""Close the delay events of a segment, or (None) the one of the whole turn."""
	for event in work.ledger.delays.get(turn.name, ()):
		if event.closed_ms is None and event.segment == segment:
			event.closed_ms = work.now_ms
			if segment is None:
				event.cause = turn.delay_cause
			work.touch(event)
