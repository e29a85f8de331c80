"""Verbs on a ticket's wait, used by every use case that moves a ticket.

They keep four things in step: the turn, its segments, the delay events, and the ticket's own facts.
"""

from __future__ import annotations

from khalifa_whatsapp.core import deadlines, ledger, records, snooze
from khalifa_whatsapp.core.settings import BranchRules
from khalifa_whatsapp.services.tickets import snoozing
from khalifa_whatsapp.services.tickets.notices import MANAGER_ROLE
from khalifa_whatsapp.services.unit_of_work import UnitOfWork


def customer_waits(work: UnitOfWork, ticket: records.Ticket, sent_ms: int, known_ms: int) -> None:
	"""A customer's message that wants an answer came in (and no turn is open)."""
	snoozing.back(work, ticket, snooze.CUSTOMER)
	turn = work.add(ledger.open_turn(work.new_name(), ticket, sent_ms, known_ms))
	start = ledger.first_segment_start(ticket, turn)
	segment = work.add(ledger.open_segment(work.new_name(), ticket, turn, start))
	ticket.status = records.OPEN if ticket.agent else records.QUEUED
	schedule(work, ticket, turn, segment)


def start_earlier(work: UnitOfWork, ticket: records.Ticket, sent_ms: int) -> None:
	"""A message that is older than those which opened the wait came late."""
	turn, segment = work.open_parts(ticket)
	if turn is None:
		return
	first = work.turn_rows.segments[turn.name][0]
	ledger.start_earlier(ticket, turn, first, sent_ms)
	schedule(work, ticket, turn, segment)
	work.touch(turn)
	work.touch(first)


def schedule(
	work: UnitOfWork, ticket: records.Ticket, turn: records.Turn, segment: records.Segment | None
) -> None:
	"""Note until when an answer is in time, and when the minute job must look at the ticket next."""
	deadlines.set_clock(ticket, turn, segment, work.branch_rules(ticket), work.rules.settings)


def look_at_clock(
	work: UnitOfWork, ticket: records.Ticket, turn: records.Turn, segment: records.Segment | None
) -> ledger.Crossing:
	"""Write down thresholds passed by now, and tell whoever must know."""
	rules = rules_of(work, ticket, segment)
	crossing = ledger.cross(ticket, turn, segment, work.now_ms, rules, work.rules.settings)
	for event in crossing.events:
		work.add(event)
		work.mark_day(event.at_ms)
	if crossing.level and segment is not None:
		work.touch(segment)
		_mark_escalated(work, turn, segment)
	if crossing.is_customer:
		turn.delay_cause = ledger.cause(work.turn_rows.segments[turn.name], work.now_ms, rules)
		for event in crossing.events:
			event.cause = event.cause or turn.delay_cause
		work.touch(turn)
	_warn(work, ticket, segment, crossing)
	return crossing


def rules_of(work: UnitOfWork, ticket: records.Ticket, segment: records.Segment | None) -> BranchRules:
	"""A segment is measured by the branch that held it, also while the ticket moves to another one."""
	return work.rules.of_branch(segment.branch) if segment is not None else work.branch_rules(ticket)


def _mark_escalated(work: UnitOfWork, turn: records.Turn, segment: records.Segment) -> None:
	if segment.level < deadlines.ESCALATED:
		return
	for event in work.turn_rows.delays.get(turn.name, ()):
		if event.segment == segment.name and not event.is_escalated:
			event.is_escalated = 1
			work.touch(event)


def _warn(
	work: UnitOfWork, ticket: records.Ticket, segment: records.Segment | None, crossing: ledger.Crossing
) -> None:
	data = {"ticket": ticket.name, "level": crossing.level, "agent": ticket.agent_name}
	if crossing.level and segment is not None and segment.agent is not None:
		agent = work.agent(segment.agent)
		if agent is not None and agent.enabled:
			work.publish("khalifa_whatsapp:delay", data, user=agent.user)
	if crossing.level >= deadlines.ESCALATED or (crossing.is_customer and ticket.agent is None):
		work.publish("khalifa_whatsapp:delay", data, role=MANAGER_ROLE)


def change_holder(work: UnitOfWork, ticket: records.Ticket, reason: str) -> records.Segment | None:
	"""The ticket's holder has just changed (`ticket.agent` is the new one): end one segment,
	begin the next.
	"""
	turn, segment = work.open_parts(ticket)
	if turn is None:
		return None
	ended = _end_segment(work, ticket, turn, segment, reason)
	schedule(work, ticket, turn, _open_segment(work, ticket, turn, ended))
	return ended


def _open_segment(
	work: UnitOfWork, ticket: records.Ticket, turn: records.Turn, ended: records.Segment | None = None
) -> records.Segment:
	# A gateway's clock may be ahead of ours: then the wait, or the segment before, has not begun yet.
	start = max(work.now_ms, turn.started_ms, ended.to_ms or 0 if ended else 0)
	return work.add(ledger.open_segment(work.new_name(), ticket, turn, start))


def _end_segment(
	work: UnitOfWork, ticket: records.Ticket, turn: records.Turn, segment: records.Segment | None, reason: str
) -> records.Segment | None:
	if segment is None:
		return None
	look_at_clock(work, ticket, turn, segment)
	ledger.end_segment(segment, work.now_ms, reason, rules_of(work, ticket, segment))
	if segment.agent is not None and segment.level >= deadlines.DELAYED:
		_close_delays(work, turn, segment.name)
	work.touch(segment)
	work.mark_day(segment.counted_ms)
	return segment


def end_turn(
	work: UnitOfWork, ticket: records.Ticket, outcome: str, segment_reason: str
) -> records.Turn | None:
	"""The customer waits no longer, for whatever reason. None when nobody was waiting."""
	turn, segment = work.open_parts(ticket)
	if turn is None:
		return None
	_end_segment(work, ticket, turn, segment, segment_reason)
	rules = work.branch_rules(ticket)
	ledger.end_turn(ticket, turn, work.now_ms, outcome, rules)
	if turn.is_delayed:
		turn.delay_cause = ledger.cause(work.turn_rows.segments[turn.name], work.now_ms, rules)
		_close_delays(work, turn, None)
	work.touch(turn)
	work.mark_day(turn.ended_ms)
	return turn


def void_turn(work: UnitOfWork, ticket: records.Ticket) -> records.Turn | None:
	"""The open wait never was one; what was charged for it before stays. None when nobody was waiting."""
	turn, segment = work.open_parts(ticket)
	if turn is None:
		return None
	if segment is not None:
		_end_segment(work, ticket, turn, segment, "joined")
	for part in work.turn_rows.segments[turn.name]:
		if part.counted_ms is not None and part.level < deadlines.DELAYED:
			work.mark_day(part.counted_ms)
			part.counted_ms = None
			work.touch(part)
	ledger.void_turn(ticket, turn)
	_close_delays(work, turn, None)
	work.touch(turn)
	return turn


def move_turn(work: UnitOfWork, ticket: records.Ticket, other: records.Ticket) -> None:
	"""The open wait was another ticket's all along: it goes on there, with its start and its holder."""
	turn, segment = work.open_parts(ticket)
	if turn is None:
		return
	rename_turn(work, turn, other)
	if other is not ticket:
		snoozing.back(work, other, snooze.OWED)
		other.turn, other.segment, other.waiting_since_ms = (
			ticket.turn,
			ticket.segment,
			ticket.waiting_since_ms,
		)
		other.status = records.OPEN if other.agent else records.QUEUED
		schedule(work, other, turn, segment)
		ledger.end_wait(ticket)


def rename_turn(work: UnitOfWork, turn: records.Turn, ticket: records.Ticket) -> None:
	"""A turn and its parts belong to this ticket and its customer."""
	turn.ticket, turn.customer = ticket.name, ticket.customer
	work.touch(turn)
	for segment in work.turn_rows.segments[turn.name]:
		segment.ticket = ticket.name
		work.touch(segment)
	for event in work.turn_rows.delays[turn.name]:
		event.ticket, event.customer = ticket.name, ticket.customer
		work.touch(event)


def resume(work: UnitOfWork, ticket: records.Ticket, turn: records.Turn) -> None:
	"""A turn that had ended goes on with its original start; the holder is charged again only from now."""
	_open_again(work, ticket, turn)
	snoozing.back(work, ticket, snooze.OWED)
	leave_absent(work, ticket)
	ticket.status = records.OPEN if ticket.agent else records.QUEUED
	schedule(work, ticket, turn, _open_segment(work, ticket, turn))


def resume_joined(work: UnitOfWork, ticket: records.Ticket, turn: records.Turn) -> None:
	"""An ended turn goes on and the open one becomes part of it, with whoever has held the ticket since."""
	later, segment = work.open_parts(ticket)
	if later is None:
		resume(work, ticket, turn)
		return
	_open_again(work, ticket, turn)
	join(work, ticket, turn, later)
	schedule(work, ticket, turn, segment)


def join(work: UnitOfWork, ticket: records.Ticket, turn: records.Turn, later: records.Turn) -> None:
	"""`later` was part of the wait `turn` all along, and so are its segments."""
	ledger.join_turns(ticket, turn, later)
	parts = work.turn_rows.segments
	for moved in parts[later.name]:
		moved.turn, moved.is_first = turn.name, turn.is_first
		work.touch(moved)
	parts[turn.name] = sorted(
		[*parts[turn.name], *parts[later.name]], key=lambda part: (part.from_ms, part.name)
	)
	parts[later.name] = []
	_close_delays(work, later, None)
	work.touch(later)


def _open_again(work: UnitOfWork, ticket: records.Ticket, turn: records.Turn) -> None:
	work.read_turns({turn.name})
	work.mark_day(turn.ended_ms)
	ledger.reopen_turn(ticket, turn)
	for event in work.turn_rows.delays[turn.name]:
		if event.segment is None and event.closed_ms is not None:
			event.closed_ms = None
			work.touch(event)
	work.touch(turn)


def leave_absent(work: UnitOfWork, ticket: records.Ticket) -> None:
	"""Whoever is offline can't answer: the ticket goes to the front of the queue."""
	former = ticket.agent
	agent = work.agent(former) if former else None
	if former is None or (agent is not None and agent.enabled and agent.presence != records.OFFLINE):
		return
	ticket.agent = ticket.agent_name = None
	snoozing.forget(ticket)
	ticket.queued_since_ms, ticket.queue_rank = work.now_ms, 0
	work.log(ticket, "requeued", from_agent=former, is_automatic=1, reason="agent not available")


def _close_delays(work: UnitOfWork, turn: records.Turn, segment: str | None) -> None:
	"""Close the delay events of a segment, or (None) the one of the whole turn."""
	for event in work.turn_rows.delays.get(turn.name, ()):
		if event.closed_ms is None and event.segment == segment:
			event.closed_ms = work.now_ms
			if segment is None:
				event.cause = turn.delay_cause
			work.touch(event)
