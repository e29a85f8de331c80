"""What people do with a ticket as a whole: hand it on, take it, close it, open it again.

Each verb locks the ticket, checks who may do it, and writes everything (history, ledger) in one transaction.
Refusals say how to go on. Answers are in `outbound.answers`.
"""

from __future__ import annotations

from khalifa_whatsapp.core import records, ticket_access
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.errors import NotAllowed, NotFound, UserError
from khalifa_whatsapp.services.tickets import turns
from khalifa_whatsapp.services.tickets.authorization import require, ticket_of
from khalifa_whatsapp.services.tickets.closing import close_ticket
from khalifa_whatsapp.services.tickets.handover import hand_over, hand_to_branch
from khalifa_whatsapp.services.tickets.notices import notify_owner
from khalifa_whatsapp.services.tickets.reopening import reopen as reopen_ticket
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
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
			record = ticket_of(work, ticket)
			hand_on(work, record, reason, to_agent, to_branch)
			return record

	return retrying(run)


def hand_on(
	work: UnitOfWork, ticket: records.Ticket, reason: str, to_agent: str | None, to_branch: str | None
) -> None:
	"""As `transfer`, within a transaction."""
	if not reason.strip():
		raise UserError("no_reason", "Say why you transfer the conversation: the next one will need it.")
	require(ticket_access.can_transfer(work.actor, ticket))
	if to_agent:
		hand_over(work, ticket, _receiver(work, to_agent, ticket), reason, "transferred")
	elif to_branch:
		hand_to_branch(work, ticket, to_branch, reason)
	else:
		raise UserError("no_receiver", "Choose the agent or the branch that takes the conversation.")


def _receiver(work: UnitOfWork, name: str, ticket: records.Ticket) -> records.Agent:
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


def assign(store: Store, actor: Actor, ticket: str, agent: str, now_ms: int) -> records.Ticket:
	"""Take a waiting ticket (an agent, for himself or herself), or give it to anyone (a manager)."""

	def run() -> records.Ticket:
		with working(store, now_ms, actor) as work:
			record = ticket_of(work, ticket)
			require(ticket_access.can_assign(actor, record, agent))
			hand_over(work, record, _receiver(work, agent, record), "by hand", "assigned")
			return record

	return retrying(run)


def close(
	store: Store,
	actor: Actor,
	ticket: str,
	now_ms: int,
	reason: str = "resolved",
	spares_waiting: bool = False,
) -> records.Ticket:
	"""Close a ticket.

	A waiting customer counts as closed unanswered, unless the reason says no reply was needed.
	`spares_waiting`: refuse where one waits, whatever the reason.
	"""

	def run() -> records.Ticket:
		with working(store, now_ms, actor) as work:
			record = ticket_of(work, ticket)
			end(work, record, reason, spares_waiting)
			return record

	return retrying(run)


def end(work: UnitOfWork, ticket: records.Ticket, reason: str, spares_waiting: bool = False) -> None:
	"""As `close`, within a transaction."""
	if reason not in CLOSE_REASONS:
		raise UserError("bad_reason", "Choose a reason: {reasons}.", reasons=", ".join(CLOSE_REASONS))
	require(ticket_access.can_close(work.actor, ticket))
	if (spares_waiting or reason == "inactive") and ticket.turn is not None:
		raise UserError(
			"customer_waits",
			"The customer waits for an answer. Answer first, or choose another reason.",
		)
	close_ticket(work, ticket, reason, _OUTCOME.get(reason, records.CLOSED_UNANSWERED))


_OUTCOME = {"no_reply_needed": records.NO_REPLY_NEEDED, "spam": records.SPAM}


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


def mark_unread(store: Store, actor: Actor, ticket: str, now_ms: int) -> None:
	"""The holder wants to come back to the conversation: it counts as one unread message."""
	with working(store, now_ms, actor) as work:
		record = ticket_of(work, ticket)
		require(ticket_access.can_see(actor, record))
		if not ticket_access.holds(actor, record):
			raise NotAllowed("not_your_ticket", "Only your own conversations can be marked as unread.")
		if not record.unread_count:
			record.unread_count = 1
			work.touch(record)
