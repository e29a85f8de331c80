"""The ledger of turns and segments: who held the ticket while the customer waited, and who answered.

Definitions are those of the project's measures. Functions change the records they are given and return new
ones; nothing here reads a clock or a database. All lengths are business time of the ticket's branch unless
the name says wall.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from khalifa_whatsapp.core.deadlines import DELAYED, ESCALATED, WARNED, last_in_time, stop_clock
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.core.records import NO_REPLY_NEEDED, DelayEvent, Segment, Ticket, Turn
from khalifa_whatsapp.core.settings import BranchRules, Settings

JOINED = "joined"  # outcome of a turn that became part of another one


def open_turn(name: str, ticket: Ticket, started_ms: int, known_ms: int) -> Turn:
	"""A customer begins to wait."""
	turn = Turn(
		name=name,
		ticket=ticket.name,
		customer=ticket.customer,
		device=ticket.device,
		branch=ticket.branch,
		cycle=ticket.cycle,
		started_ms=started_ms,
		known_ms=known_ms,
		is_first=int(ticket.first_responded_ms is None),
	)
	ticket.turn, ticket.waiting_since_ms = name, started_ms
	return turn


def open_segment(name: str, ticket: Ticket, turn: Turn, from_ms: int) -> Segment:
	"""Somebody (or the queue) holds the waiting ticket from now on."""
	segment = Segment(
		name=name,
		turn=turn.name,
		ticket=ticket.name,
		agent=ticket.agent,
		branch=ticket.branch,
		from_ms=from_ms,
		is_first=turn.is_first,
	)
	ticket.segment = name
	return segment


def first_segment_start(ticket: Ticket, turn: Turn) -> int:
	"""The queue waits as long as the customer; an agent can't answer what had not arrived."""
	return max(turn.started_ms, turn.known_ms) if ticket.agent else turn.started_ms


def start_earlier(ticket: Ticket, turn: Turn, first: Segment | None, started_ms: int) -> None:
	"""An older message of the same wait came late;
	while the `first` segment is still the queue's, it moves too.
	"""
	if first is not None and first.agent is None and first.to_ms is None:
		first.from_ms = started_ms
	turn.started_ms = ticket.waiting_since_ms = started_ms


def end_segment(segment: Segment, at_ms: int, reason: str, rules: BranchRules) -> None:
	"""Close a segment and freeze its lengths (seconds, wall and business)."""
	segment.to_ms = max(at_ms, segment.from_ms)
	segment.end_reason = reason
	segment.wall_time = (segment.to_ms - segment.from_ms) // 1000
	segment.biz_time = rules.calendar.business_ms(segment.from_ms, segment.to_ms) // 1000
	if segment.counted_ms is None and reason != "bulk_closed":
		segment.counted_ms = segment.to_ms


def end_turn(ticket: Ticket, turn: Turn, at_ms: int, outcome: str, rules: BranchRules) -> None:
	"""Close a turn, freeze its lengths and the calendar they were measured with."""
	turn.ended_ms = max(at_ms, turn.started_ms)
	turn.outcome = outcome
	turn.wall_time = (turn.ended_ms - turn.started_ms) // 1000
	turn.biz_time = rules.calendar.business_ms(turn.started_ms, turn.ended_ms) // 1000
	turn.calendar_version = rules.calendar.version
	ticket.waited_time += turn.biz_time
	end_wait(ticket)


def end_wait(ticket: Ticket) -> None:
	"""Nobody waits in this ticket any more."""
	ticket.turn = ticket.segment = ticket.waiting_since_ms = None
	ticket.auto_check_ms = ticket.auto_stop = None
	stop_clock(ticket)


def reopen_turn(ticket: Ticket, turn: Turn) -> None:
	"""The answer never arrived: the customer has been waiting since the original start."""
	ticket.waited_time -= turn.biz_time or 0
	turn.cycle = ticket.cycle
	turn.ended_ms = turn.outcome = turn.answer = turn.answered_by = turn.answered_by_user = None
	turn.on_behalf_of = turn.wall_time = turn.biz_time = turn.calendar_version = None
	ticket.turn, ticket.waiting_since_ms = turn.name, turn.started_ms


def join_turns(ticket: Ticket, turn: Turn, other: Turn) -> None:
	"""`other` was part of the wait `turn` all along: it keeps its row, and counts for nothing."""
	if other.ended_ms is None:
		other.ended_ms, other.wall_time, other.biz_time = other.started_ms, 0, 0
	else:
		ticket.waited_time -= other.biz_time or 0
	other.outcome = JOINED
	turn.started_ms = min(turn.started_ms, other.started_ms)
	turn.is_first = max(turn.is_first, other.is_first)
	ticket.waiting_since_ms = turn.started_ms


def void_turn(ticket: Ticket, turn: Turn) -> None:
	"""Nobody waited: what opened the turn is told elsewhere. It keeps its row, and counts for nothing."""
	turn.ended_ms, turn.wall_time, turn.biz_time, turn.outcome = turn.started_ms, 0, 0, JOINED
	end_wait(ticket)


def is_late_transfer(segment: Segment, rules: BranchRules, settings: Settings) -> bool:
	"""Handed over after at least half (a setting) of the threshold, with no reply and before the delay."""
	if segment.agent is None or segment.level >= DELAYED:
		return False
	used = rules.calendar.business_ms(segment.from_ms, segment.to_ms or segment.from_ms)
	return used * 100 >= rules.delay_ms * settings.late_transfer_percent


@dataclass(slots=True)
class Crossing:
	"""What a look at the clock found: events to add, and the highest level newly reached."""

	events: list[DelayEvent]
	level: int = 0
	is_customer: bool = False


def cross(
	ticket: Ticket, turn: Turn, segment: Segment | None, at_ms: int, rules: BranchRules, settings: Settings
) -> Crossing:
	"""Record every threshold passed by `at_ms`. Safe to call at any time and any number of times."""
	crossing = Crossing([])
	if segment is not None and segment.agent is not None:
		_cross_agent(ticket, turn, segment, at_ms, rules, settings, crossing)
	waited = rules.calendar.business_ms(turn.started_ms, at_ms)
	if not turn.is_delayed and waited > rules.customer_delay_ms:
		turn.is_delayed, crossing.is_customer = 1, True
		crossed = last_in_time(turn.started_ms, rules.customer_delay_ms, rules) or at_ms
		crossing.events.append(_event("Customer", ticket, turn, None, crossed))
	return crossing


def _cross_agent(
	ticket: Ticket,
	turn: Turn,
	segment: Segment,
	at_ms: int,
	rules: BranchRules,
	settings: Settings,
	crossing: Crossing,
) -> None:
	used = rules.calendar.business_ms(segment.from_ms, at_ms)
	level = reached_level(used, rules.delay_ms, settings)
	if level <= segment.level:
		return
	if segment.level < DELAYED <= level:
		segment.delayed_ms = last_in_time(segment.from_ms, rules.delay_ms, rules) or at_ms
		segment.counted_ms = segment.delayed_ms
		crossing.events.append(_event("Agent", ticket, turn, segment, segment.delayed_ms))
	segment.level = crossing.level = level


def reached_level(used_ms: int, delay_ms: int, settings: Settings) -> int:
	"""0 in time, 1 warned, 2 delayed (strictly more than the threshold), 3 escalated."""
	if used_ms > delay_ms * settings.escalate_factor:
		return ESCALATED
	if used_ms > delay_ms:
		return DELAYED
	return WARNED if used_ms * 100 >= delay_ms * settings.warn_percent else 0


def _event(kind: str, ticket: Ticket, turn: Turn, segment: Segment | None, at_ms: int) -> DelayEvent:
	key = digest(kind, segment.name if segment else turn.name)
	return DelayEvent(
		name=key[:20],
		delay_key=key,
		kind=kind,
		ticket=ticket.name,
		turn=turn.name,
		at_ms=at_ms,
		segment=segment.name if segment else None,
		agent=segment.agent if segment else None,
		branch=segment.branch if segment else ticket.branch,
		customer=ticket.customer,
		cause="Agent" if segment else None,
	)


def cause(segments: Iterable[Segment], at_ms: int, rules: BranchRules) -> str:
	"""Where the largest share of a customer's wait lies: Queue, Transfers (handed on) or Agent (the last)."""
	shares = {"Queue": 0, "Transfers": 0, "Agent": 0}
	for segment in segments:
		spent = rules.calendar.business_ms(segment.from_ms, segment.to_ms or at_ms)
		if segment.agent is None:
			shares["Queue"] += spent
		else:
			handed_on = segment.end_reason in ("transferred", "moved", "requeued")
			shares["Transfers" if handed_on else "Agent"] += spent
	return max(shares, key=lambda name: shares[name])


def note_replier(ticket: Ticket, agent: str | None) -> None:
	"""Remember a human reply of this cycle; a manager's counts as a reply but never gets the credit."""
	if ticket.cycle_replies == 0:
		ticket.repliers = ""
	ticket.cycle_replies += 1
	if agent is not None:
		others = [name for name in ticket.repliers.split() if name != agent]
		ticket.repliers = " ".join([*others, agent])


def resolver(ticket: Ticket, outcome: str) -> str | None:
	"""Who gets the credit at closing: the owner if he or she replied in this cycle, else the last who did.

	A cycle without a reply gives none, unless no reply was needed («thanks»): then the earlier credit is
	back.
	"""
	if ticket.cycle_replies == 0 and outcome != NO_REPLY_NEEDED:
		return None
	repliers = ticket.repliers.split()
	if ticket.agent in repliers:
		return ticket.agent
	return repliers[-1] if repliers else None
