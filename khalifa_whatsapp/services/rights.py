"""Whose ticket is it? What every verb on a ticket asks first, and tells last."""

from __future__ import annotations

from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.core.errors import Changed, NotAllowed, NotFound
from khalifa_whatsapp.services import turns
from khalifa_whatsapp.services.work import Actor, Work


def may_answer(actor: Actor, ticket: r.Ticket) -> None:
	"""Only the ticket's agent, or a manager on behalf."""
	if actor.is_manager or (actor.agent is not None and actor.agent == ticket.agent):
		return
	if ticket.agent is None:
		raise NotAllowed("not_assigned", "This conversation is still waiting for an agent. Take it first.")
	raise NotAllowed("not_your_ticket", "A colleague answers this conversation. Ask for a transfer first.")


def may_see(actor: Actor, ticket: r.Ticket) -> None:
	"""Own tickets and the queue for agents, all for managers; others don't learn that the ticket exists."""
	if actor.is_manager or (actor.agent is not None and actor.agent == ticket.agent):
		return
	if actor.agent is not None and ticket.status == r.QUEUED and not ticket.is_branch_only:
		return
	raise NotFound("no_such_ticket", "There is no such conversation, or it is not yours.")


def ticket_of(work: Work, name: str) -> r.Ticket:
	"""The ticket, locked."""
	found = work.store.tickets([name]).get(name)
	if found is None:
		raise NotFound("no_such_ticket", "There is no such conversation, or it is not yours.")
	return found


def open_ticket(work: Work, name: str) -> r.Ticket:
	found = ticket_of(work, name)
	if found.open_key is None:
		raise Changed("ticket_closed", "The conversation is closed. Open it again first.")
	return found


def agent_of(work: Work, name: str) -> r.Agent:
	"""An agent that a person has chosen."""
	found = work.agent(name)
	if found is None:
		raise NotFound("no_such_agent", "There is no such agent. Choose one from the list.")
	return found


def tell_owner(work: Work, ticket: r.Ticket, event: str, former: str | None = None) -> None:
	"""Tell the holder's page, the former holder's and the managers' that something happened to the ticket."""
	data = {"ticket": ticket.name, "event": event}
	for name in filter(None, (ticket.agent, former)):
		agent = work.agent(name)
		if agent is not None:
			work.tell("khalifa_whatsapp:ticket", data, user=agent.user)
	work.tell("khalifa_whatsapp:ticket", data, role=turns.MANAGER_ROLE)
	if ticket.agent is None or (event == "assigned" and former is None):
		tell_of_queue(work)


def tell_of_queue(work: Work) -> None:
	"""Tell every open inbox that the queue is not what it was; each reads of it what its own reader may."""
	work.tell("khalifa_whatsapp:queue", {})
