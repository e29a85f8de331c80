"""What follows when a message's fate becomes known: ticks for whoever looks, and answers that never arrived."""

from __future__ import annotations

from khalifa_whatsapp.core import ledger, message_state
from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.services import turns
from khalifa_whatsapp.services.work import Work, retrying, working
from khalifa_whatsapp.stores.base import Store


def apply_parked(store: Store, now_ms: int, limit: int = 500) -> int:
	"""Settle what was said of a message in the very instant it was written, so that neither saw the other."""

	def run() -> int:
		with working(store, now_ms) as work:
			parked = store.parked_logs(now_ms - 2 * DAY_MS, limit)
			messages = store.messages_by_key({log.target_key for log in parked})
			logs = store.logs(messages)
			for key, message in messages.items():
				before = message.status
				rows = [log for log in logs if log.target_key == key]
				for log in rows:
					log.message = message.name
					work.touch(log)
				if message_state.fold(message, rows):
					work.touch(message)
					status_changed(work, message, before)
			return len(parked)

	return retrying(run)


def status_changed(
	work: Work, message: r.Message, before: str, tickets: dict[str, r.Ticket] | None = None
) -> None:
	"""Tell the sender's page; if a human answer failed, the customer has been waiting all along."""
	if message.status == before:
		return
	if message.sender:
		data = {"ticket": message.ticket, "message": message.name, "status": message.status}
		work.tell("khalifa_whatsapp:status", data, user=message.sender)
	if message.status == r.FAILED and before != r.FAILED and message.origin == r.AGENT:
		_answer_failed(work, message, tickets if tickets is not None else {})


def _answer_failed(work: Work, message: r.Message, tickets: dict[str, r.Ticket]) -> None:
	"""Reopen the turn this message had ended, unless something else answered since."""
	turn = work.store.turns_answered_by([message.name]).get(message.name)
	if turn is None:
		return
	ticket = tickets.get(message.ticket) or work.store.tickets([message.ticket])[message.ticket]
	tickets[ticket.name] = ticket
	newest = work.store.last_human_reply(ticket.name)
	is_answered = newest is not None and newest.name != message.name and newest.sent_ms >= message.sent_ms
	if ticket.open_key is None or is_answered:
		return
	work.mark_day(turn.ended_ms)
	_withdraw_sample(work, turn)
	if ticket.turn is not None:
		_join(work, ticket, turn)
	else:
		turns.resume(work, ticket, turn)
		work.touch_ticket(ticket)


def _withdraw_sample(work: Work, turn: r.Turn) -> None:
	"""The agent's sample stands for an answer that never was; what was charged before stays."""
	segments = work.store.segments_of([turn.name])
	work.ledger.segments[turn.name] = segments
	work.ledger.delays[turn.name] = work.store.delays_of([turn.name])
	for segment in segments:
		if segment.end_reason == "answered":
			segment.end_reason = "answer_failed"
			work.touch(segment)


def _join(work: Work, ticket: r.Ticket, failed: r.Turn) -> None:
	"""The customer wrote again meanwhile: the open turn has in truth lasted since the failed one began."""
	turn, segment = work.open_parts(ticket)
	if turn is not None and ledger.start_earlier(ticket, turn, segment, failed.started_ms):
		failed.outcome = "answer_failed"
		ticket.waited_time -= failed.biz_time or 0
		turns.schedule(work, ticket, turn, segment)
		work.touch(turn)
		work.touch(failed)
		if segment is not None:
			work.touch(segment)
		work.touch_ticket(ticket)
