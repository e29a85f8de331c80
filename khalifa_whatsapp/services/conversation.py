"""What people do with a ticket: answer, note, hand on, close, open again.

Each verb locks the ticket, checks who may do it and whether the ticket is still as the person saw it, and writes
everything (message, history, ledger) in one transaction. Refusals say how to go on.
"""

from __future__ import annotations

from khalifa_whatsapp.core import ledger
from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.core.arabic import preview
from khalifa_whatsapp.core.errors import Changed, NotAllowed, NotFound, UserError
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.services import turns
from khalifa_whatsapp.services.intake_tickets import reopen as reopen_ticket
from khalifa_whatsapp.services.work import Actor, Work, retrying, working
from khalifa_whatsapp.stores.base import Store

CLOSE_REASONS = ("resolved", "no_reply_needed", "spam", "inactive")


def reply(
	store: Store, actor: Actor, ticket: str, body: str, client_key: str, now_ms: int, *,
	reply_to: str | None = None, seen_ms: int | None = None, take_over: bool = False,
) -> r.Message:  # fmt: skip
	"""Queue an answer to the customer; the same `client_key` again gives the message already made.

	`seen_ms` is the time of the newest message the writer saw: when a colleague answered after it, the answer is
	refused. A manager who answers somebody else's ticket answers on behalf of its agent.
	"""
	return retrying(
		lambda: _reply(store, actor, ticket, body, client_key, now_ms, reply_to, seen_ms, take_over)
	)


def _reply(
	store: Store, actor: Actor, name: str, body: str, client_key: str, now_ms: int,
	reply_to: str | None, seen_ms: int | None, take_over: bool,
) -> r.Message:  # fmt: skip
	with working(store, now_ms, actor) as work:
		key = digest("client", client_key)
		store.tickets([name])  # first, the lock: what is read after it is as new as the lock, not older
		if (known := store.message_by_client_key(key)) is not None:
			return _same(known, name, actor)
		body = checked_text(body, work.rules.settings.max_text_length)
		ticket = _open_ticket(work, name)
		may_answer(actor, ticket)
		_check_collision(work, ticket, seen_ms)
		message = _outgoing(work, ticket, body, r.AGENT, r.MSG_QUEUED)
		message.client_key, message.reply_to = key, reply_to
		_answered(work, ticket, message)
		work.mark_day(now_ms)
		if take_over and message.on_behalf_of and actor.agent:
			_hand_over(work, ticket, _agent(work, actor.agent), "took over", "transferred")
		return message


def _same(known: r.Message, ticket: str, actor: Actor) -> r.Message:
	"""The message already made under this key; a key of somebody else's message is refused, not shown."""
	if known.ticket != ticket or known.sender != actor.user:
		raise UserError("client_key_used", "This answer was already sent. Write it again.")
	return known


def checked_text(body: str, limit: int) -> str:
	"""A text that can be sent: not empty, not too long, valid Unicode."""
	if not body or not body.strip():
		raise UserError("empty_text", "The message is empty. Write something first.")
	if len(body) > limit:
		raise UserError(
			"text_too_long", "The message has {length} characters; at most {limit} fit. Split it in two.",
			length=len(body), limit=limit,
		)  # fmt: skip
	return body.encode("utf-8", "replace").decode("utf-8")


def may_answer(actor: Actor, ticket: r.Ticket) -> None:
	"""Only the ticket's agent, or a manager on behalf."""
	if actor.is_manager or (actor.agent is not None and actor.agent == ticket.agent):
		return
	if ticket.agent is None:
		raise NotAllowed("not_assigned", "This conversation is still waiting for an agent. Take it first.")
	raise NotAllowed("not_your_ticket", "A colleague answers this conversation. Ask for a transfer first.")


def _check_collision(work: Work, ticket: r.Ticket, seen_ms: int | None) -> None:
	if seen_ms is None:
		return
	newest = work.store.last_human_reply(ticket.name)
	if newest is not None and newest.sent_ms > seen_ms and newest.sender != work.actor.user:
		raise Changed(
			"answered_meanwhile", "{name} answered meanwhile. Read the new message, then send yours again.",
			name=newest.sender_name or "",
		)  # fmt: skip


def _outgoing(work: Work, ticket: r.Ticket, body: str, origin: str, status: str) -> r.Message:
	actor = work.actor
	message = r.Message(
		work.new_name(), ticket.name, ticket.customer, ticket.device, r.OUTGOING, origin, "text", status,
		sent_ms=work.now_ms, received_ms=work.now_ms, body=body,
		sender=actor.user, sender_name=actor.full_name, agent=actor.agent,
	)  # fmt: skip
	return work.add(message)


def _answered(work: Work, ticket: r.Ticket, message: r.Message) -> None:
	"""A human reply ends the customer's wait; who gets sample and credit depends on who owns the ticket."""
	is_owner = message.agent is not None and message.agent == ticket.agent
	if not is_owner:
		message.on_behalf_of, message.agent = ticket.agent, None
		work.log(ticket, "on_behalf", to_agent=ticket.agent)
	turn = turns.end_turn(work, ticket, r.ANSWERED, "answered" if is_owner else "answered_by_admin")
	if turn is not None:
		turn.answered_by, turn.answered_by_user = message.agent, message.sender
		turn.on_behalf_of, turn.answer = message.on_behalf_of, message.name
	if ticket.first_responded_ms is None:
		_first_response(work, ticket)
	ledger.note_replier(ticket, message.agent)
	ticket.status = r.PENDING if ticket.agent else r.QUEUED
	ticket.last_out_ms = ticket.last_message_ms = max(work.now_ms, ticket.last_message_ms)
	ticket.preview, ticket.unread_count = preview(message.body), 0
	work.touch_ticket(ticket)
	_tell_owner(work, ticket, "answered")


def _first_response(work: Work, ticket: r.Ticket) -> None:
	ticket.first_responded_ms = work.now_ms
	if ticket.first_message_ms is not None:
		calendar = work.branch_rules(ticket).calendar
		ticket.first_response_time = calendar.business_ms(ticket.first_message_ms, work.now_ms) // 1000


def note(store: Store, actor: Actor, ticket: str, body: str, now_ms: int) -> r.Message:
	"""Write an internal note: colleagues see it, the customer never does, no clock stops."""
	with working(store, now_ms, actor) as work:
		body = checked_text(body, work.rules.settings.max_text_length)
		found = _ticket(work, ticket)
		may_see(actor, found)
		return _outgoing(work, found, body, r.NOTE, r.SENT)


def may_see(actor: Actor, ticket: r.Ticket) -> None:
	"""Own tickets and the queue for agents, all for managers; others don't learn that the ticket exists."""
	if actor.is_manager or (actor.agent is not None and actor.agent == ticket.agent):
		return
	if actor.agent is not None and ticket.status == r.QUEUED and not ticket.is_branch_only:
		return
	raise NotFound("no_such_ticket", "There is no such conversation, or it is not yours.")


def transfer(
	store: Store, actor: Actor, ticket: str, now_ms: int, reason: str,
	to_agent: str | None = None, to_branch: str | None = None,
) -> r.Ticket:  # fmt: skip
	"""Hand a ticket to an agent, or to a branch's queue. The receiver's clock starts now, with a full threshold."""

	def run() -> r.Ticket:
		with working(store, now_ms, actor) as work:
			if not reason.strip():
				raise UserError("no_reason", "Say why you hand the conversation on: the next one will need it.")
			found = _open_ticket(work, ticket)
			may_answer(actor, found)
			if to_agent:
				_hand_over(work, found, _receiver(work, to_agent, found), reason, "transferred")
			elif to_branch:
				_to_branch(work, found, to_branch, reason)
			else:
				raise UserError("no_receiver", "Choose the agent or the branch that takes the conversation.")
			return found

	return retrying(run)


def _receiver(work: Work, name: str, ticket: r.Ticket) -> r.Agent:
	"""The agent to hand to: there, online, and with room. Managers may fill an agent beyond the capacity."""
	if name == ticket.agent:
		raise UserError("same_agent", "The conversation is already with this agent.")
	entry = next((e for e in work.store.roster() if e.agent.name == name), None)
	if entry is None:
		raise NotFound("no_such_agent", "There is no such agent. Choose one from the list.")
	if entry.agent.presence == r.OFFLINE:
		raise UserError(
			"agent_offline", "{agent} is offline. Choose somebody online, or a branch.", agent=entry.agent.employee_name
		)
	if not entry.can_take(work.rules.settings) and not work.actor.is_manager:
		raise UserError(
			"agent_full", "{agent} has no room for one more. Choose somebody else, or a branch.",
			agent=entry.agent.employee_name,
		)  # fmt: skip
	return entry.agent


def _hand_over(work: Work, ticket: r.Ticket, agent: r.Agent, reason: str, event: str) -> None:
	former, branch = ticket.agent, ticket.branch
	ticket.agent, ticket.agent_name = agent.name, agent.employee_name
	ticket.branch = agent.branch or branch
	ticket.queued_since_ms, ticket.queue_rank, ticket.is_branch_only = None, 1, 0
	ticket.status = r.OPEN if ticket.waiting_since_ms is not None else r.PENDING
	_moved(work, ticket, former, branch, reason, event)
	fresh = work.present_agent(agent.name) or agent
	fresh.last_assigned_ms = work.now_ms
	work.touch(fresh)
	_remember_agent(work, ticket, agent)
	work.tell("khalifa_whatsapp:ticket", {"ticket": ticket.name, "event": event}, user=agent.user)


def _remember_agent(work: Work, ticket: r.Ticket, agent: r.Agent) -> None:
	for customer in work.store.customers([ticket.customer]).values():
		customer.last_agent = agent.name
		work.touch(customer)


def _to_branch(work: Work, ticket: r.Ticket, branch: str, reason: str) -> None:
	if branch not in work.rules.branches:
		raise NotFound("no_such_branch", "There is no such branch. Choose one from the list.")
	former, old_branch = ticket.agent, ticket.branch
	ticket.agent = ticket.agent_name = None
	ticket.branch, ticket.is_branch_only = branch, 1
	ticket.status, ticket.queued_since_ms, ticket.queue_rank = r.QUEUED, work.now_ms, 0
	_moved(work, ticket, former, old_branch, reason, "transferred")


def _moved(
	work: Work, ticket: r.Ticket, former: str | None, branch: str | None, reason: str, event: str
) -> None:
	ended = turns.change_holder(work, ticket, "transferred" if former else "assigned")
	if ended is not None and former is not None:
		rules = turns.rules_of(work, ticket, ended)
		ended.is_late_transfer = int(ledger.is_late_transfer(ended, rules, work.rules.settings))
	work.touch_ticket(ticket)
	work.log(
		ticket, event, from_agent=former, to_agent=ticket.agent, from_branch=branch, to_branch=ticket.branch,
		reason=reason, is_late=ended.is_late_transfer if ended else 0,
	)  # fmt: skip


def assign(store: Store, actor: Actor, ticket: str, agent: str, now_ms: int) -> r.Ticket:
	"""Take a waiting ticket (an agent, for himself or herself), or give it to anyone (a manager)."""

	def run() -> r.Ticket:
		with working(store, now_ms, actor) as work:
			found = _open_ticket(work, ticket)
			if not actor.is_manager and (agent != actor.agent or found.agent is not None):
				raise NotAllowed("only_managers_assign", "Only a manager gives conversations to others.")
			receiver = _receiver(work, agent, found)
			if not actor.is_manager and found.is_branch_only and receiver.branch != found.branch:
				raise NotFound("no_such_ticket", "There is no such conversation, or it is not yours.")
			_hand_over(work, found, receiver, "by hand", "assigned")
			return found

	return retrying(run)


def close(store: Store, actor: Actor, ticket: str, now_ms: int, reason: str = "resolved") -> r.Ticket:
	"""Close a ticket. A waiting customer counts as closed unanswered, unless the reason says no reply was needed."""
	if reason not in CLOSE_REASONS:
		raise UserError("bad_reason", "Choose a reason: {reasons}.", reasons=", ".join(CLOSE_REASONS))

	def run() -> r.Ticket:
		with working(store, now_ms, actor) as work:
			found = _open_ticket(work, ticket)
			may_answer(actor, found)
			if reason == "inactive" and found.turn is not None:
				raise UserError("customer_waits", "The customer waits for an answer. Answer first, or choose another reason.")
			close_ticket(work, found, reason, _OUTCOME.get(reason, r.CLOSED_UNANSWERED))
			return found

	return retrying(run)


_OUTCOME = {"no_reply_needed": r.NO_REPLY_NEEDED, "spam": r.SPAM}


def close_ticket(work: Work, ticket: r.Ticket, reason: str, outcome: str, batch: str | None = None) -> None:
	"""Close an open ticket within a transaction, and settle who gets credit or blame for it."""
	missed_for = _missed_for(work, ticket)
	turns.end_turn(work, ticket, outcome, "closed" if batch is None else "bulk_closed")
	is_counted = batch is None and outcome != r.SPAM
	is_unanswered = ticket.first_message_ms is not None and ticket.first_responded_ms is None
	ticket.is_missed = int(is_unanswered and outcome not in (r.SPAM, r.NO_REPLY_NEEDED))
	ticket.missed_for = missed_for if ticket.is_missed and batch is None else None
	ticket.resolved_for = ledger.resolver(ticket, outcome) if is_counted else None
	ticket.status, ticket.open_key, ticket.closed_ms = r.CLOSED, None, work.now_ms
	ticket.closed_by, ticket.close_reason, ticket.close_batch = work.actor.user, reason, batch
	ticket.queued_since_ms, ticket.unread_count = None, 0
	work.touch_ticket(ticket)
	work.mark_day(work.now_ms)
	work.log(ticket, "closed", from_agent=ticket.agent, reason=reason)
	_tell_owner(work, ticket, "closed")


def _missed_for(work: Work, ticket: r.Ticket) -> str | None:
	"""The owner, when his or her own time passed the threshold; else the queue."""
	_, segment = work.open_parts(ticket)
	if segment is None or segment.agent is None:
		return None
	rules = work.branch_rules(ticket)
	used = rules.calendar.business_ms(segment.from_ms, work.now_ms)
	return segment.agent if used > rules.delay_ms else None


def reopen(store: Store, actor: Actor, ticket: str, now_ms: int, reason: str = "") -> r.Ticket:
	"""Open a closed ticket again by hand."""

	def run() -> r.Ticket:
		with working(store, now_ms, actor) as work:
			found = _ticket(work, ticket)
			if not actor.is_manager and (actor.agent is None or actor.agent != found.agent):
				raise NotFound("no_such_ticket", "There is no such conversation, or it is not yours.")
			if found.open_key is not None:
				raise UserError("already_open", "The conversation is already open.")
			other = store.latest_tickets([(found.customer, found.device)]).get((found.customer, found.device))
			if other is not None and other.open_key is not None:
				raise UserError(
					"other_open", "The customer already has an open conversation: {ticket}. Go on there.", ticket=other.name
				)
			wait = store.turns_closed_with([found]).get(found.name)
			reopen_ticket(work, found, reason or "by hand")
			if wait is not None:
				turns.resume(work, found, wait)
			return found

	return retrying(run)


def no_reply_needed(store: Store, actor: Actor, ticket: str, now_ms: int) -> r.Ticket:
	"""The customer's last words («thanks») want no answer: the wait ends, on record."""

	def run() -> r.Ticket:
		with working(store, now_ms, actor) as work:
			found = _open_ticket(work, ticket)
			may_answer(actor, found)
			turns.end_turn(work, found, r.NO_REPLY_NEEDED, "no_reply_needed")
			found.status, found.unread_count = r.PENDING if found.agent else r.QUEUED, 0
			work.touch_ticket(found)
			work.log(found, "no_reply_needed", from_agent=found.agent)
			return found

	return retrying(run)


def mark_read(store: Store, actor: Actor, ticket: str, now_ms: int) -> None:
	"""The holder looked at the conversation: nothing in it is new any more."""
	with working(store, now_ms, actor) as work:
		found = _ticket(work, ticket)
		may_see(actor, found)
		if actor.agent is not None and actor.agent == found.agent and found.unread_count:
			found.unread_count = 0
			work.touch(found)


def _ticket(work: Work, name: str) -> r.Ticket:
	found = work.store.tickets([name]).get(name)
	if found is None:
		raise NotFound("no_such_ticket", "There is no such conversation, or it is not yours.")
	return found


def _open_ticket(work: Work, name: str) -> r.Ticket:
	found = _ticket(work, name)
	if found.open_key is None:
		raise Changed("ticket_closed", "The conversation is closed. Open it again first.")
	return found


def _agent(work: Work, name: str) -> r.Agent:
	found = work.agent(name)
	if found is None:
		raise NotFound("no_such_agent", "There is no such agent. Choose one from the list.")
	return found


def _tell_owner(work: Work, ticket: r.Ticket, event: str) -> None:
	data = {"ticket": ticket.name, "event": event}
	agent = work.agent(ticket.agent) if ticket.agent else None
	if agent is not None:
		work.tell("khalifa_whatsapp:ticket", data, user=agent.user)
	work.tell("khalifa_whatsapp:ticket", data, role=turns.MANAGER_ROLE)
