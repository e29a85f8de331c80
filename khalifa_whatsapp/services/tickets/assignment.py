"""Handing out tickets, one at a time under one lock.

The queue is drained whenever something happened that could make room (a message, a closing, an agent who
comes online) and each minute. There is no age limit: who waits longest is looked at first, for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from khalifa_whatsapp.core import assignment as rules
from khalifa_whatsapp.core import records
from khalifa_whatsapp.services.isolation import batch_or_one_by_one, check
from khalifa_whatsapp.services.tickets import snoozing, turns
from khalifa_whatsapp.services.tickets.notices import notify_owner
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, working
from khalifa_whatsapp.stores.base import Store

LOCK = "assign"
BATCH = 200


@dataclass(frozen=True, slots=True)
class Assigned:
	"""A ticket that found its agent, and why this one."""

	ticket: str
	agent: str
	reason: str


def assign_queue(store: Store, now_ms: int, wait_seconds: float = 5) -> list[Assigned]:
	"""Give waiting tickets to free agents until one of the two runs out.

	When another process holds the lock longer than `wait_seconds` nothing is done: that process, the next
	event or the next minute does it. Raises `RowsFailed` when all others were looked at.
	"""
	done: list[Assigned] = []
	with store.lock(LOCK, wait_seconds) as is_ours:
		while is_ours:
			outcome = batch_or_one_by_one(
				lambda: _assign_batch(store, now_ms),
				lambda: _waiting(store),
				lambda name: _assign_batch(store, now_ms, name),
			)
			batch = [assigned for one in outcome.done for assigned in one.done]
			done += batch
			check(outcome.failed)
			if not batch or not any(one.is_full for one in outcome.done):
				return done
	return done


def _waiting(store: Store) -> list[str]:
	"""The tickets that are looked at together."""
	with store.transaction():
		return [ticket.name for ticket in store.queue(BATCH, _branches(store.roster()))]


def _branches(entries: Iterable[rules.RosterEntry]) -> list[str]:
	return sorted({entry.agent.branch for entry in entries if entry.agent.branch})


@dataclass(slots=True)
class _Batch:
	done: list[Assigned]
	is_full: bool = False  # as many tickets as are looked at together: there may be more behind them


def _assign_batch(store: Store, now_ms: int, only: str | None = None) -> _Batch:
	with working(store, now_ms) as work:
		roster = store.roster()
		free = rules.available(roster, now_ms, work.rules.settings)
		if not free:
			return _Batch([])
		queue = store.queue(BATCH, _branches(free))
		waiting = [ticket for ticket in queue if only in (None, ticket.name)]
		customers = store.customers({ticket.customer for ticket in waiting})
		work.read_ahead(waiting)
		done = []
		for ticket in waiting:
			free, choice = _choose(work, ticket, customers.get(ticket.customer), free)
			if not free:
				break
			if choice.agent is not None:
				give(work, ticket, choice.agent, choice.reason, customers.get(ticket.customer))
				_count(free, choice.agent, ticket)
				done.append(Assigned(ticket.name, choice.agent.name, choice.reason))
		return _Batch(done, len(queue) == BATCH)


def _choose(
	work: UnitOfWork, ticket: records.Ticket, customer: records.Customer | None, free: list[rules.RosterEntry]
) -> tuple[list[rules.RosterEntry], rules.Choice]:
	"""Choose among those still free; one who has just left is out, for the rest of the batch too."""
	while True:
		free = [entry for entry in free if entry.can_take(work.rules.settings)]
		choice = rules.choose(ticket, customer, free, work.rules.settings)
		if choice.agent is None:
			return free, choice
		fresh = work.present_agent(choice.agent.name)
		if fresh is not None and fresh.enabled and fresh.presence == records.ONLINE:
			return free, choice
		free = [entry for entry in free if entry.agent.name != choice.agent.name]


def _count(free: list[rules.RosterEntry], agent: records.Agent, ticket: records.Ticket) -> None:
	entry = next(entry for entry in free if entry.agent.name == agent.name)
	if ticket.waiting_since_ms is not None:
		entry.open += 1
	else:
		entry.pending += 1


def give(
	work: UnitOfWork,
	ticket: records.Ticket,
	agent: records.Agent,
	reason: str,
	customer: records.Customer | None,
) -> None:
	"""Make `agent` the holder of a queued ticket, automatically."""
	ticket.agent, ticket.agent_name = agent.name, agent.employee_name
	ticket.branch = ticket.branch or agent.branch
	ticket.queued_since_ms, ticket.queue_rank, ticket.is_branch_only = None, 1, 0
	ticket.status = records.OPEN if ticket.waiting_since_ms is not None else records.PENDING
	fresh = work.present_agent(agent.name) or agent
	agent.last_assigned_ms = fresh.last_assigned_ms = work.now_ms
	turns.change_holder(work, ticket, "assigned")
	if customer is not None and customer.last_agent != agent.name:
		customer.last_agent = agent.name
		work.touch(customer)
	work.touch(fresh)
	work.touch_ticket(ticket)
	work.log(ticket, "assigned", to_agent=agent.name, to_branch=ticket.branch, is_automatic=1, reason=reason)
	notify_owner(work, ticket, "assigned")


def give_back(work: UnitOfWork, ticket: records.Ticket, reason: str) -> None:
	"""Return a waiting ticket to the front of the queue; the customer's waiting time goes on."""
	former = ticket.agent
	ticket.agent = ticket.agent_name = None
	ticket.status, ticket.queued_since_ms, ticket.queue_rank = records.QUEUED, work.now_ms, 0
	snoozing.forget(ticket)
	turns.change_holder(work, ticket, "requeued")
	work.touch_ticket(ticket)
	work.log(ticket, "requeued", from_agent=former, is_automatic=1, reason=reason)
	notify_owner(work, ticket, "requeued", former)
