"""Until when an answer is in time, and when the minute job looks next: one definition for every screen.

Three moments that are never mixed up. The *customer's deadline* belongs to the turn, the *response deadline*
to the segment of the agent who holds it; both move only when their causes do (another holder, an earlier
start, other hours or limits), never because somebody looked. The *next check* is the minute job's own: it
moves on with each warning, and none is left when everybody has been told, however long the customer goes on
waiting.

A wait is too long once its business time is *more* than the limit. So a limit that is used up exactly at
closing time is passed only after the next opening, and so is its deadline: nobody becomes late while the
branch is closed.
"""

from __future__ import annotations

from dataclasses import dataclass

from khalifa_whatsapp.core.calendar import Calendar, CalendarError
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.core.records import Segment, Ticket, Turn
from khalifa_whatsapp.core.settings import BranchRules, Settings

WARNED, DELAYED, ESCALATED = 1, 2, 3  # what a segment's holder, and the manager, have been told
ON_TIME, LATE_SOON, TOO_LATE = "On Time", "Late Soon", "Delayed"  # what a wait is at a moment


@dataclass(frozen=True, slots=True)
class Deadlines:
	"""The last instants that are in time, and from when on a wait is late soon. None: there is none."""

	customer_due_ms: int | None = None
	response_due_ms: int | None = None  # the queue has none
	late_soon_ms: int | None = None

	@property
	def due_ms(self) -> int | None:
		"""The earlier of the two."""
		return _earliest(self.customer_due_ms, self.response_due_ms)


@dataclass(frozen=True, slots=True)
class Lateness:
	"""How a wait stands: its state, and in business time how long
	it has lasted and by how much it is late.
	"""

	state: str
	waited_ms: int = 0
	late_ms: int = 0


def deadlines(turn: Turn, segment: Segment | None, rules: BranchRules, settings: Settings) -> Deadlines:
	"""The deadlines of an open turn and of its present segment."""
	waits = [(turn.started_ms, rules.customer_delay_ms)]
	if segment is not None and segment.agent is not None:
		waits.append((segment.from_ms, rules.delay_ms))
	due = [last_in_time(start, limit, rules) for start, limit in waits]
	soon = [due_ms(start, warning_ms(limit, settings), rules) for start, limit in waits]
	return Deadlines(due[0], due[1] if len(due) > 1 else None, _earliest(*soon))


def last_in_time(start_ms: int, limit_ms: int, rules: BranchRules) -> int | None:
	"""The last instant at which no more than the limit has passed since the start, in business time."""
	passed = due_ms(start_ms, limit_ms + 1, rules)
	return None if passed is None else passed - 1


def due_ms(start_ms: int, amount_ms: int, rules: BranchRules) -> int | None:
	"""When so much business time has passed; None where no opening comes for more than a year."""
	try:
		return rules.calendar.due_ms(start_ms, amount_ms)
	except CalendarError:
		return None  # no threshold can pass


def warning_ms(limit_ms: int, settings: Settings) -> int:
	"""The share of a limit from which on a wait is late soon, and its holder is warned."""
	return -(-limit_ms * settings.warn_percent // 100)


def lateness(
	now_ms: int, since_ms: int | None, due_by_ms: int | None, late_soon_ms: int | None, calendar: Calendar
) -> Lateness:
	"""How a wait stands now, whatever the minute job has or has not done. `since_ms` none: nobody waits."""
	if not since_ms:
		return Lateness(ON_TIME)
	lateness_state = state(now_ms, due_by_ms, late_soon_ms)
	late = calendar.business_ms(due_by_ms, now_ms) if due_by_ms and lateness_state == TOO_LATE else 0
	return Lateness(lateness_state, calendar.business_ms(since_ms, now_ms), late)


def state(now_ms: int, due_by_ms: int | None, late_soon_ms: int | None) -> str:
	"""`Delayed` once a deadline has passed, `Late Soon` from the warning share on.

	Absent moments are None or 0.
	"""
	if due_by_ms and now_ms > due_by_ms:
		return TOO_LATE
	return LATE_SOON if late_soon_ms and now_ms >= late_soon_ms else ON_TIME


def next_check(turn: Turn, segment: Segment | None, rules: BranchRules, settings: Settings) -> int | None:
	"""When the minute job must look at the ticket again. None: everything has been told."""
	moments = []
	if segment is not None and segment.agent is not None and segment.level < ESCALATED:
		moments.append(due_ms(segment.from_ms, _next_threshold(segment.level, rules, settings), rules))
	if not turn.is_delayed:
		moments.append(due_ms(turn.started_ms, rules.customer_delay_ms + 1, rules))
	return _earliest(*moments)


def _next_threshold(level: int, rules: BranchRules, settings: Settings) -> int:
	if level == 0:
		return warning_ms(rules.delay_ms, settings)
	return rules.delay_ms + 1 if level == WARNED else round(rules.delay_ms * settings.escalate_factor) + 1


def set_clock(
	ticket: Ticket, turn: Turn, segment: Segment | None, rules: BranchRules, settings: Settings
) -> None:
	"""Write the moments of the open turn into the ticket, and by which rules they were worked out."""
	moments = deadlines(turn, segment, rules, settings)
	ticket.customer_due_by_ms, ticket.response_by_ms = moments.customer_due_ms, moments.response_due_ms
	ticket.due_by_ms, ticket.late_soon_ms = moments.due_ms, moments.late_soon_ms
	ticket.next_check_ms = next_check(turn, segment, rules, settings)
	ticket.rules_version = rules_version(rules, settings)


def stop_clock(ticket: Ticket) -> None:
	"""Nobody waits any more."""
	ticket.customer_due_by_ms = ticket.response_by_ms = ticket.due_by_ms = ticket.late_soon_ms = None
	ticket.next_check_ms = ticket.rules_version = None


def rules_version(rules: BranchRules, settings: Settings) -> str:
	"""12 hex digits that change with whatever moves a deadline or a check: the hours,
	the limits, the shares.
	"""
	limits = (rules.delay_ms, rules.customer_delay_ms, settings.warn_percent, settings.escalate_factor)
	return digest(rules.calendar.version, *map(str, limits))[:12]


def _earliest(*moments: int | None) -> int | None:
	return min((moment for moment in moments if moment is not None), default=None)
