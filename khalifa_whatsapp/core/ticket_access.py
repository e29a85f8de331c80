"""Who may see a ticket, and who may do what with it: the one rule.

Use cases ask it about the ticket that they have locked, pages about the row that they show, realtime about
whom it tells. The lists' SQL (`permissions`, `stores.sql`) says `can_see` and `is_open_to` a second time, and
is compared with them row by row for every role, holder, branch and state (`tests/test_ticket_access.py` on a
site, `khalifa_whatsapp/tests/contracts/store_reads.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.records import CLOSED, QUEUED

FACTS = ("status", "agent", "branch", "is_branch_only")  # the fields that it needs


class TicketFacts(Protocol):
	"""What the rule looks at; a record has it, and so has a row of a list."""

	@property
	def status(self) -> str:
		"""One of the statuses in `records`."""

	@property
	def agent(self) -> str | None:
		"""The agent who holds it; None: it waits for one."""

	@property
	def branch(self) -> str | None:
		"""The branch that it was handed to, if any."""

	@property
	def is_branch_only(self) -> int:
		"""1 while it waits for agents of its branch alone."""


class Refusal(Enum):
	"""Why not."""

	UNSEEN = auto()  # he or she is not to learn that there is such a ticket
	WAITING = auto()  # nobody's yet: it is taken first
	HELD_BY_COLLEAGUE = auto()  # that a colleague answers it is no secret
	CLOSED = auto()
	OPEN = auto()
	ONLY_MANAGERS_ASSIGN = auto()


@dataclass(frozen=True, slots=True)
class Decision:
	"""True when it is allowed; else the reason."""

	refusal: Refusal | None = None

	def __bool__(self) -> bool:
		return self.refusal is None


ALLOWED = Decision()


def holds(actor: Actor, ticket: TicketFacts) -> bool:
	"""Whether it is this agent's own."""
	return bool(actor.agent) and actor.agent == ticket.agent


def is_open_to(ticket: TicketFacts, branch: str | None) -> bool:
	"""Whether agents of this branch may have it from the queue:
	what was handed to a branch is that branch's alone.
	"""
	return not ticket.is_branch_only or (bool(branch) and ticket.branch == branch)


def can_see(actor: Actor, ticket: TicketFacts) -> Decision:
	"""Managers see all; agents what is their own, and what is queued for all or for their branch."""
	if actor.is_manager or holds(actor, ticket):
		return ALLOWED
	is_offered = actor.is_agent and ticket.status == QUEUED and is_open_to(ticket, actor.branch)
	return ALLOWED if is_offered else Decision(Refusal.UNSEEN)


def can_note(actor: Actor, ticket: TicketFacts) -> Decision:
	"""A note is for colleagues: whoever sees the ticket writes one, in a closed one, too."""
	return can_see(actor, ticket)


def can_settle(actor: Actor, ticket: TicketFacts) -> Decision:
	"""Decide what became of messages already sent: the holder and managers, after the closing, too."""
	if actor.is_manager or holds(actor, ticket):
		return ALLOWED
	return Decision(Refusal.WAITING if can_see(actor, ticket) else _unseen(actor, ticket))


def can_answer(actor: Actor, ticket: TicketFacts) -> Decision:
	"""Write to the customer, or decide who he or she is: the holder; managers, on behalf."""
	return _if_open(can_settle(actor, ticket), ticket)


def can_transfer(actor: Actor, ticket: TicketFacts) -> Decision:
	"""Hand it to somebody else."""
	return can_answer(actor, ticket)


def can_snooze(actor: Actor, ticket: TicketFacts) -> Decision:
	"""Put it aside, out of its holder's list: what is nobody's lies in none."""
	decision = can_answer(actor, ticket)
	return Decision(Refusal.WAITING) if decision and not ticket.agent else decision


def can_close(actor: Actor, ticket: TicketFacts) -> Decision:
	"""End it, or the customer's wait."""
	return can_answer(actor, ticket)


def can_reopen(actor: Actor, ticket: TicketFacts) -> Decision:
	"""Its last holder and managers."""
	if not (actor.is_manager or holds(actor, ticket)):
		return Decision(Refusal.UNSEEN)
	return ALLOWED if ticket.status == CLOSED else Decision(Refusal.OPEN)


def can_assign(actor: Actor, ticket: TicketFacts, agent: str | None) -> Decision:
	"""Give it to an agent: managers, any; agents to themselves what waits for them."""
	if actor.is_manager:
		return _if_open(ALLOWED, ticket)
	if not can_see(actor, ticket):
		is_hidden = _unseen(actor, ticket) is Refusal.UNSEEN
		return Decision(Refusal.UNSEEN if is_hidden else Refusal.ONLY_MANAGERS_ASSIGN)
	is_taking = bool(agent) and agent == actor.agent and not ticket.agent
	return _if_open(ALLOWED if is_taking else Decision(Refusal.ONLY_MANAGERS_ASSIGN), ticket)


def can_take(actor: Actor, ticket: TicketFacts) -> bool:
	"""Make a ticket that is nobody's one's own."""
	return actor.is_agent and not ticket.agent and bool(can_assign(actor, ticket, actor.agent))


def can_take_over(actor: Actor, ticket: TicketFacts) -> bool:
	"""Make a colleague's ticket one's own while answering in it: a manager who is an agent as well."""
	return actor.is_agent and answers_on_behalf(actor, ticket) and bool(can_answer(actor, ticket))


def answers_on_behalf(actor: Actor, ticket: TicketFacts) -> bool:
	"""Whether an answer would be a manager's in somebody else's ticket."""
	return actor.is_manager and bool(ticket.agent) and not holds(actor, ticket)


def _if_open(decision: Decision, ticket: TicketFacts) -> Decision:
	return Decision(Refusal.CLOSED) if decision and ticket.status == CLOSED else decision


def _unseen(actor: Actor, ticket: TicketFacts) -> Refusal:
	"""What one who may not even see it is told: nothing, or that a colleague answers it."""
	is_held = actor.is_agent and bool(ticket.agent) and ticket.status != CLOSED
	return Refusal.HELD_BY_COLLEAGUE if is_held else Refusal.UNSEEN


@dataclass(frozen=True, slots=True)
class Rights:
	"""What a page offers the reader of a ticket."""

	reply: bool
	note: bool
	transfer: bool
	close: bool
	reopen: bool
	assign: bool  # it is nobody's, and the reader may take it or give it to somebody
	take: bool
	take_over: bool
	on_behalf: bool
	settle: bool
	snooze: bool


def rights(actor: Actor, ticket: TicketFacts) -> Rights:
	"""All of it at once."""
	return Rights(
		reply=bool(can_answer(actor, ticket)),
		note=bool(can_note(actor, ticket)),
		transfer=bool(can_transfer(actor, ticket)),
		close=bool(can_close(actor, ticket)),
		reopen=bool(can_reopen(actor, ticket)),
		assign=not ticket.agent and bool(can_assign(actor, ticket, actor.agent)),
		take=can_take(actor, ticket),
		take_over=can_take_over(actor, ticket),
		on_behalf=answers_on_behalf(actor, ticket),
		settle=bool(can_settle(actor, ticket)),
		snooze=bool(can_snooze(actor, ticket)),
	)
