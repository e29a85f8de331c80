"""A ticket goes to another agent, or to a branch's queue, by a person's will."""

from __future__ import annotations

from khalifa_whatsapp.core import ledger, records
from khalifa_whatsapp.core.errors import NotFound
from khalifa_whatsapp.services.tickets import snoozing, turns
from khalifa_whatsapp.services.tickets.notices import notify_owner
from khalifa_whatsapp.services.unit_of_work import UnitOfWork


def hand_over(
	work: UnitOfWork, ticket: records.Ticket, agent: records.Agent, reason: str, event: str
) -> None:
	"""Make an agent the holder; `event` is what the history calls it."""
	former, branch = ticket.agent, ticket.branch
	ticket.agent, ticket.agent_name = agent.name, agent.employee_name
	ticket.branch = agent.branch or branch
	ticket.queued_since_ms, ticket.queue_rank, ticket.is_branch_only = None, 1, 0
	ticket.status = records.OPEN if ticket.waiting_since_ms is not None else records.PENDING
	_moved(work, ticket, former, branch, reason, event)
	fresh = work.present_agent(agent.name) or agent
	fresh.last_assigned_ms = work.now_ms
	work.touch(fresh)
	_remember_agent(work, ticket, agent)


def _remember_agent(work: UnitOfWork, ticket: records.Ticket, agent: records.Agent) -> None:
	for customer in work.store.customers([ticket.customer]).values():
		customer.last_agent = agent.name
		work.touch(customer)


def hand_to_branch(work: UnitOfWork, ticket: records.Ticket, branch: str, reason: str) -> None:
	"""Let the ticket wait for an agent of this branch alone."""
	if branch not in work.rules.branches:
		raise NotFound("no_such_branch", "There is no such branch. Choose one from the list.")
	former, old_branch = ticket.agent, ticket.branch
	ticket.agent = ticket.agent_name = None
	ticket.branch, ticket.is_branch_only = branch, 1
	ticket.status, ticket.queued_since_ms, ticket.queue_rank = records.QUEUED, work.now_ms, 0
	_moved(work, ticket, former, old_branch, reason, "transferred")


def _moved(
	work: UnitOfWork, ticket: records.Ticket, former: str | None, branch: str | None, reason: str, event: str
) -> None:
	snoozing.forget(ticket)
	ended = turns.change_holder(work, ticket, "transferred" if former else "assigned")
	if ended is not None and former is not None:
		rules = turns.rules_of(work, ticket, ended)
		ended.is_late_transfer = int(ledger.is_late_transfer(ended, rules, work.rules.settings))
	work.touch_ticket(ticket)
	work.log(
		ticket,
		event,
		from_agent=former,
		to_agent=ticket.agent,
		from_branch=branch,
		to_branch=ticket.branch,
		reason=reason,
		is_late=ended.is_late_transfer if ended else 0,
	)
	notify_owner(work, ticket, event, former)
