"""What people do with a ticket as a whole: hand it on, take it, close it, open it again.

Each verb locks the ticket, checks who may do it, and writes everything (history, ledger) in one transaction.
Refusals say how to go on. Answers are in `replies`.
"""

from __future__ import annotations

from khalifa_whatsapp.core import ledger, records, ticket_access
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.errors import NotFound, UserError
from khalifa_whatsapp.services import turns
from khalifa_whatsapp.services.intake_tickets import reopen as reopen_ticket
from khalifa_whatsapp.services.rights import notify_owner, require, ticket_of
from khalifa_whatsapp.services.work import Work, retrying, working
from khalifa_whatsapp.stores.base import Store

CLOSE_REASONS = ("resolved", "no_reply_needed", "spam", "inactive")


def transfer(
	store: Store,
	actor: Actor,
	ticket: str,
	now_ms: int,
	reason: str,
	to_agent: str | None = None,
	to_branch: str | None = None,
) -> records.Ticket:
	"""Hand a ticket to an agent, or to a branch's queue.

	The receiver's clock starts now, with a full threshold.
	"""

	def run() -> records.Ticket:
		with working(store, now_ms, actor) as work:
			if not reason.strip():
				raise UserError(
					"no_reason", "Say why you transfer the conversation: the next one will need it."
				)
			record = ticket_of(work, ticket)
			require(ticket_access.can_transfer(actor, record))
			if to_agent:
				hand_over(work, record, _receiver(work, to_agent, record), reason, "transferred")
			elif to_branch:
				_to_branch(work, record, to_branch, reason)
			else:
				raise UserError("no_receiver", "Choose the agent or the branch that takes the conversation.")
			return record

	return retrying(run)


def _receiver(work: Work, name: str, ticket: records.Ticket) -> records.Agent:
	"""The agent to hand to: there, online, and with room. Managers may fill an agent beyond the capacity."""
	if name == ticket.agent:
		raise UserError("same_agent", "The conversation is already with this agent.")
	entry = next((e for e in work.store.roster() if e.agent.name == name), None)
	if entry is None:
		raise NotFound("no_such_agent", "There is no such agent. Choose one from the list.")
	if entry.agent.presence == records.OFFLINE:
		raise UserError(
			"agent_offline",
			"{agent} is offline. Choose somebody online, or a branch.",
			agent=entry.agent.employee_name,
		)
	if not entry.can_take(work.rules.settings) and not work.actor.is_manager:
		raise UserError(
			"agent_full",
			"{agent} has no room for one more. Choose somebody else, or a branch.",
			agent=entry.agent.employee_name,
		)
	return entry.agent


def hand_over(work: Work, ticket: records.Ticket, agent: records.Agent, reason: str, event: str) -> None:
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


def _remember_agent(work: Work, ticket: records.Ticket, agent: records.Agent) -> None:
	for customer in work.store.customers([ticket.customer]).values():
		customer.last_agent = agent.name
		work.touch(customer)


def _to_branch(work: Work, ticket: records.Ticket, branch: str, reason: str) -> None:
	if branch not in work.rules.branches:
		raise NotFound("no_such_branch", "There is no such branch. Choose one from the list.")
	former, old_branch = ticket.agent, ticket.branch
	ticket.agent = ticket.agent_name = None
	ticket.branch, ticket.is_branch_only = branch, 1
	ticket.status, ticket.queued_since_ms, ticket.queue_rank = records.QUEUED, work.now_ms, 0
	_moved(work, ticket, former, old_branch, reason, "transferred")


def _moved(
	work: Work, ticket: records.Ticket, former: str | None, branch: str | None, reason: str, event: str
) -> None:
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


def assign(store: Store, actor: Actor, ticket: str, agent: str, now_ms: int) -> records.Ticket:
	"""Take a waiting ticket (an agent, for himself or herself), or give it to anyone (a manager)."""

	def run() -> records.Ticket:
		with working(store, now_ms, actor) as work:
			record = ticket_of(work, ticket)
			require(ticket_access.can_assign(actor, record, agent))
			hand_over(work, record, _receiver(work, agent, record), "by hand", "assigned")
			return record

	return retrying(run)


def close(store: Store, actor: Actor, ticket: str, now_ms: int, reason: str = "resolved") -> records.Ticket:
	"""Close a ticket.

	A waiting customer counts as closed unanswered, unless the reason says no reply was needed.
	"""
	if reason not in CLOSE_REASONS:
		raise UserError("bad_reason", "Choose a reason: {reasons}.", reasons=", ".join(CLOSE_REASONS))

	def run() -> records.Ticket:
		with working(store, now_ms, actor) as work:
			record = ticket_of(work, ticket)
			require(ticket_access.can_close(actor, record))
			if reason == "inactive" and record.turn is not None:
				raise UserError(
					"customer_waits",
					"The customer waits for an answer. Answer first, or choose another reason.",
				)
			close_ticket(work, record, reason, _OUTCOME.get(reason, records.CLOSED_UNANSWERED))
			return record

	return retrying(run)


_OUTCOME = {"no_reply_needed": records.NO_REPLY_NEEDED, "spam": records.SPAM}


def close_ticket(
	work: Work, ticket: records.Ticket, reason: str, outcome: str, batch: str | None = None
) -> None:
	"""Close an open ticket within a transaction, and settle who gets credit or blame for it."""
	missed_for = _missed_for(work, ticket)
	turns.end_turn(work, ticket, outcome, "closed" if batch is None else "bulk_closed")
	is_counted = batch is None and outcome != records.SPAM
	is_unanswered = ticket.first_message_ms is not None and ticket.first_responded_ms is None
	ticket.is_missed = int(is_unanswered and outcome not in (records.SPAM, records.NO_REPLY_NEEDED))
	ticket.missed_for = missed_for if ticket.is_missed and batch is None else None
	ticket.resolved_for = ledger.resolver(ticket, outcome) if is_counted else None
	ticket.status, ticket.open_key, ticket.closed_ms = records.CLOSED, None, work.now_ms
	ticket.closed_by, ticket.close_reason, ticket.close_batch = work.actor.user, reason, batch
	ticket.queued_since_ms, ticket.unread_count = None, 0
	work.touch_ticket(ticket)
	work.mark_day(work.now_ms)
	work.log(ticket, "closed", from_agent=ticket.agent, reason=reason)
	notify_owner(work, ticket, "closed")


def _missed_for(work: Work, ticket: records.Ticket) -> str | None:
	"""The owner, when his or her own time passed the threshold; else the queue."""
	_, segment = work.open_parts(ticket)
	if segment is None or segment.agent is None:
		return None
	rules = work.branch_rules(ticket)
	used = rules.calendar.business_ms(segment.from_ms, work.now_ms)
	return segment.agent if used > rules.delay_ms else None


def reopen(store: Store, actor: Actor, ticket: str, now_ms: int, reason: str = "") -> records.Ticket:
	"""Open a closed ticket again by hand."""

	def run() -> records.Ticket:
		with working(store, now_ms, actor) as work:
			record = ticket_of(work, ticket)
			require(ticket_access.can_reopen(actor, record))
			other = store.latest_tickets([(record.customer, record.device)]).get(
				(record.customer, record.device)
			)
			if other is not None and other.open_key is not None:
				raise UserError(
					"other_open",
					"The customer already has an open conversation: {ticket}. Go on there.",
					ticket=other.name,
				)
			wait = store.turns_closed_with([record]).get(record.name)
			reopen_ticket(work, record, reason or "by hand")
			if wait is not None:
				turns.resume(work, record, wait)
			notify_owner(work, record, "reopened")
			return record

	return retrying(run)


def no_reply_needed(store: Store, actor: Actor, ticket: str, now_ms: int) -> records.Ticket:
	"""The customer's last words («thanks») want no answer: the wait ends, on record."""

	def run() -> records.Ticket:
		with working(store, now_ms, actor) as work:
			record = ticket_of(work, ticket)
			require(ticket_access.can_close(actor, record))
			turns.end_turn(work, record, records.NO_REPLY_NEEDED, "no_reply_needed")
			record.status, record.unread_count = records.PENDING if record.agent else records.QUEUED, 0
			work.touch_ticket(record)
			work.log(record, "no_reply_needed", from_agent=record.agent)
			notify_owner(work, record, "no_reply_needed")
			return record

	return retrying(run)


def mark_read(store: Store, actor: Actor, ticket: str, now_ms: int) -> None:
	"""The holder looked at the conversation: nothing in it is new any more."""
	with working(store, now_ms, actor) as work:
		record = ticket_of(work, ticket)
		require(ticket_access.can_see(actor, record))
		if ticket_access.holds(actor, record) and record.unread_count:
			record.unread_count = 0
			work.touch(record)
