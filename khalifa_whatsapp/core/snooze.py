"""Snooze: a conversation leaves its holder's list until a time, or until the customer writes.

It moves no clock: waits, delays and figures never ask about it. While the customer waits for us it takes a
reason, and whatever opens a wait ends it.
"""

from __future__ import annotations

from enum import Enum, auto

from khalifa_whatsapp.core.records import CLOSED, Ticket
from khalifa_whatsapp.core.settings import DAY_MS, MINUTE_MS

MAX_DAYS = 90
MAX_REASON = 500  # characters
# Why it came back
TIME, CUSTOMER, BY_HAND, OWED = "time", "customer", "by_hand", "owed"


class Refusal(Enum):
	"""Why a conversation can't be snoozed so."""

	CLOSED = auto()
	NOBODY_S = auto()  # it would leave no list: it is in the queue
	PAST = auto()
	TOO_FAR = auto()
	NO_REASON = auto()  # the customer waits for us


def is_snoozed(ticket: Ticket) -> bool:
	"""Whether it is put aside now."""
	return ticket.snoozed_ms is not None


def refusal(ticket: Ticket, until_ms: int | None, reason: str, now_ms: int) -> Refusal | None:
	"""Why it may not be snoozed until then; None: it may. `until_ms` None: until the customer writes."""
	if ticket.status == CLOSED:
		return Refusal.CLOSED
	if ticket.agent is None:
		return Refusal.NOBODY_S
	if until_ms is not None and until_ms < now_ms + MINUTE_MS:
		return Refusal.PAST
	if until_ms is not None and until_ms > now_ms + MAX_DAYS * DAY_MS:
		return Refusal.TOO_FAR
	is_owed = ticket.waiting_since_ms is not None
	return Refusal.NO_REASON if is_owed and not reason.strip() else None


def begin(ticket: Ticket, until_ms: int | None, reason: str, now_ms: int) -> None:
	"""Put it aside; what was asked before is forgotten."""
	ticket.snoozed_ms, ticket.snoozed_until_ms = now_ms, until_ms
	ticket.snooze_reason = reason.strip()[:MAX_REASON]


def end(ticket: Ticket) -> None:
	"""It is not put aside any more."""
	ticket.snoozed_ms = ticket.snoozed_until_ms = None
	ticket.snooze_reason = ""


def written(until_ms: int | None, reason: str) -> str:
	"""How the history keeps until when, and why."""
	return f"{until_ms or 0} {reason}".strip()


def read(kept: str) -> tuple[int | None, str]:
	"""The same back: until when (None: until the customer writes), and why."""
	until, _space, reason = kept.partition(" ")
	return (int(until) or None if until.isdecimal() else None), reason
