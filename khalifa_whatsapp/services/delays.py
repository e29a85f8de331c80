"""The minute's look at the clock: one indexed range scan over what is due, whatever is open."""

from __future__ import annotations

from dataclasses import dataclass

from khalifa_whatsapp.core.errors import NotAllowed, NotFound, UserError
from khalifa_whatsapp.services import turns
from khalifa_whatsapp.services.work import Actor, retrying, working
from khalifa_whatsapp.stores.base import Store

BATCH = 500


@dataclass(slots=True)
class Scanned:
	"""Tickets looked at, and delay events written."""

	tickets: int = 0
	events: int = 0


def scan(store: Store, now_ms: int, limit: int = 20_000) -> Scanned:
	"""Write down every threshold passed by now. Its cost grows with what is due."""
	total = Scanned()
	while total.tickets < limit:
		found = retrying(lambda: _scan_batch(store, now_ms))
		total.tickets += found.tickets
		total.events += found.events
		if found.tickets < BATCH:
			break
	return total


def _scan_batch(store: Store, now_ms: int) -> Scanned:
	with working(store, now_ms) as work:
		due = store.due_tickets(now_ms, BATCH)
		work.read_ahead(due)
		events = 0
		for ticket in due:
			turn, segment = work.open_parts(ticket)
			if turn is None:
				ticket.response_by_ms = None
			else:
				events += len(turns.look_at_clock(work, ticket, turn, segment).events)
				turns.schedule(work, ticket, turn, segment)
			work.touch(ticket)
		return Scanned(len(due), events)


def decide_objection(store: Store, actor: Actor, delay: str, is_accepted: bool, now_ms: int) -> None:
	"""A manager's word on an agent's objection: an accepted one takes the delay out of the measures."""
	if not actor.is_manager:
		raise NotAllowed("only_managers_decide", "Only a manager decides on objections.")
	with working(store, now_ms, actor) as work:
		found = store.delay(delay)
		if found is None:
			raise NotFound("no_such_delay", "There is no such delay.")
		found.objection_status = "Accepted" if is_accepted else "Rejected"
		work.mark_day(found.at_ms)
		work.touch(found)


def may_object(store: Store, actor: Actor, delay: str, now_ms: int) -> None:
	"""Open an objection: only the charged agent, and only while nobody has decided."""
	with working(store, now_ms, actor) as work:
		found = store.delay(delay)
		if found is None or actor.agent is None or found.agent != actor.agent:
			raise NotFound("no_such_delay", "There is no such delay.")
		if found.objection_status in ("Accepted", "Rejected"):
			raise UserError("already_decided", "A manager has already decided on this delay.")
		found.objection_status = "Open"
		work.touch(found)
