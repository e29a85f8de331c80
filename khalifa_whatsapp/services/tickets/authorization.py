"""What every verb on a ticket asks first: which ticket, and may this person? Refusals say how to go on."""

from __future__ import annotations

from collections.abc import Callable

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.errors import Changed, NotAllowed, NotFound, UserError
from khalifa_whatsapp.core.ticket_access import Decision, Refusal
from khalifa_whatsapp.services.unit_of_work import UnitOfWork

_ERRORS: dict[Refusal, Callable[[], UserError]] = {
	Refusal.UNSEEN: lambda: NotFound("no_such_ticket", "There is no such conversation, or it is not yours."),
	Refusal.WAITING: lambda: NotAllowed(
		"not_assigned", "This conversation is still waiting for an agent. Take it first."
	),
	Refusal.HELD_BY_COLLEAGUE: lambda: NotAllowed(
		"not_your_ticket", "A colleague answers this conversation. Ask for a transfer first."
	),
	Refusal.CLOSED: lambda: Changed("ticket_closed", "The conversation is closed. Reopen it first."),
	Refusal.OPEN: lambda: UserError("already_open", "The conversation is already open."),
	Refusal.ONLY_MANAGERS_ASSIGN: lambda: NotAllowed(
		"only_managers_assign", "Only a manager gives conversations to others."
	),
}


def require(decision: Decision) -> None:
	"""Go on, or refuse in the words for this reason."""
	if decision.refusal is not None:
		raise _ERRORS[decision.refusal]()


def ticket_of(work: UnitOfWork, name: str) -> records.Ticket:
	"""The ticket, locked. What is not there is refused as what may not be seen."""
	ticket = work.store.tickets([name]).get(name)
	if ticket is None:
		raise _ERRORS[Refusal.UNSEEN]()
	return ticket


def agent_of(work: UnitOfWork, name: str) -> records.Agent:
	"""An agent that a person has chosen."""
	agent = work.agent(name)
	if agent is None:
		raise NotFound("no_such_agent", "There is no such agent. Choose one from the list.")
	return agent
