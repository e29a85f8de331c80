"""What follows when a message's fate becomes known: ticks for whoever looks,
and answers that never arrived.
"""

from __future__ import annotations

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.consent import BY_REFUSAL, Wish
from khalifa_whatsapp.drivers.base import OptedOut
from khalifa_whatsapp.services.customers import consent
from khalifa_whatsapp.services.outbound import campaign_messages
from khalifa_whatsapp.services.tickets import notices, surveys, turns
from khalifa_whatsapp.services.tickets.reopening import reopen
from khalifa_whatsapp.services.unit_of_work import UnitOfWork


def status_changed(
	work: UnitOfWork, message: records.Message, before: str, tickets: dict[str, records.Ticket] | None = None
) -> None:
	"""Tell the sender's page; if a human answer failed, the customer has been waiting all along."""
	if message.campaign:
		work.at_end(campaign_messages.follow)
	if message.sender:
		data = {"ticket": message.ticket, "message": message.name, "status": message.status}
		work.publish("khalifa_whatsapp:status", data, user=message.sender)
	if message.origin == records.AGENT and records.FAILED in (message.status, before):
		work.mark_day(message.sent_ms)
	if message.origin == records.SURVEY and message.status != before:
		surveys.question_changed(work, message)
	if message.status != records.FAILED or before == records.FAILED:
		return
	if message.error_kind == OptedOut.kind:
		_stop_promotions(work, message)
	if message.origin == records.AGENT:
		_answer_failed(work, message, tickets if tickets is not None else {})


def _stop_promotions(work: UnitOfWork, message: records.Message) -> None:
	"""The gateway refused a promotion because the customer had stopped them, by then at the latest."""
	customer = work.read_customers([message.customer]).get(message.customer)
	if customer is not None:
		refusal = Wish(True, source=BY_REFUSAL)
		consent.record(
			work,
			customer,
			refusal,
			message.sent_ms,
			f"refused:{message.name}",
			ticket=message.ticket,
			message=message.name,
		)


def _answer_failed(work: UnitOfWork, message: records.Message, tickets: dict[str, records.Ticket]) -> None:
	"""Reopen the turns that failed messages had ended, unless something else answered since.

	Judged by all replies and not by this one alone: two failures end in the same state in any order.
	"""
	ticket = tickets.get(message.ticket) or work.store.tickets([message.ticket])[message.ticket]
	tickets[ticket.name] = ticket
	work.touch(message)
	replies = work.current(work.store.human_replies(ticket.name))
	unanswered = _turns_without_answer(work, ticket, replies)
	if ticket.open_key is None:
		given_up = _given_up_at_closing(work, ticket)
		if not unanswered or not _open_again(work, ticket):
			return
		unanswered = sorted([*unanswered, *given_up], key=_begin)
	_withdraw_credit(ticket, replies)
	work.touch_ticket(ticket)
	for turn in unanswered:
		_withdraw_sample(work, turn)
	for later in unanswered[1:]:
		work.mark_day(later.ended_ms)
		turns.join(work, ticket, unanswered[0], later)
	if unanswered:
		turns.resume_joined(work, ticket, unanswered[0])


def _open_again(work: UnitOfWork, ticket: records.Ticket) -> bool:
	"""A conversation closed on an answer that never arrived isn't over;
	the customer's next one has priority.
	"""
	pair = (ticket.customer, ticket.device)
	latest = work.store.latest_tickets([pair]).get(pair)
	if latest is None or latest.name != ticket.name or ticket.close_batch or ticket.close_reason == "spam":
		work.publish(
			"khalifa_whatsapp:ticket",
			{"ticket": ticket.name, "event": "unanswered"},
			role=notices.MANAGER_ROLE,
		)
		return False
	reopen(work, ticket, "the answer was not delivered", is_undo=True)
	return True


def _withdraw_credit(ticket: records.Ticket, replies: list[records.Message]) -> None:
	"""Only replies that did not fail count: as first response, and for the credit at closing."""
	if all(reply.status == records.FAILED for reply in replies):
		ticket.first_responded_ms = ticket.first_response_time = None
	of_cycle = [reply for reply in replies[: ticket.cycle_replies] if reply.status != records.FAILED]
	agents = dict.fromkeys(reply.agent for reply in of_cycle if reply.agent)
	ticket.repliers = " ".join(reversed(agents))


def _turns_without_answer(
	work: UnitOfWork, ticket: records.Ticket, replies: list[records.Message]
) -> list[records.Turn]:
	"""Turns of this cycle answered by replies that failed, with none after them that stands;
	the oldest first.
	"""
	failed = []
	for reply in replies:
		if reply.status != records.FAILED:
			break
		failed.append(reply.name)
	answered = work.store.turns_answered_by(failed)
	work.read_turns({turn.name for turn in answered.values()})
	at_hand = [work.turn_rows.turns[turn.name] for turn in answered.values()]
	broken = [turn for turn in at_hand if turn.outcome == records.ANSWERED and turn.cycle == ticket.cycle]
	return sorted(broken, key=_begin)


def _begin(turn: records.Turn) -> tuple[int, str]:
	return (turn.started_ms, turn.name)


def _given_up_at_closing(work: UnitOfWork, ticket: records.Ticket) -> list[records.Turn]:
	"""The wait that the closing itself left unanswered: opened again, it goes on too."""
	last = work.store.turns_closed_with([ticket]).get(ticket.name)
	if last is None:
		return []
	work.read_turns({last.name})
	return [work.turn_rows.turns[last.name]]


def _withdraw_sample(work: UnitOfWork, turn: records.Turn) -> None:
	"""The agent's sample stands for an answer that never was; what was charged before stays."""
	work.mark_day(turn.ended_ms)
	for segment in work.turn_rows.segments[turn.name]:
		if segment.end_reason == "answered":
			segment.end_reason = "answer_failed"
			work.touch(segment)
