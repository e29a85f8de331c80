"""An agent objects to a delay charged to him or her, and a manager decides:
words and state in one transaction.
"""

from __future__ import annotations

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.errors import NotAllowed, NotFound, UserError
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store

OPEN, ACCEPTED, REJECTED = "Open", "Accepted", "Rejected"


def object_to_delay(
	store: Store, actor: Actor, delay: str, objection: str, now_ms: int
) -> records.DelayEvent:
	"""Write an objection down: only the charged agent, in words, and only while nobody has decided."""

	def run() -> records.DelayEvent:
		with working(store, now_ms, actor) as work:
			event = _delay(work, delay)
			if actor.agent is None or event.agent != actor.agent:
				raise _no_such_delay()
			if event.objection_status in (ACCEPTED, REJECTED):
				raise UserError("already_decided", "A manager has already decided on this delay.")
			if not objection.strip():
				raise UserError("no_objection", "Say why the delay should not count.")
			event.objection_status, event.objection = OPEN, objection
			event.objected_by, event.objected_ms = actor.user, now_ms
			work.touch(event)
			return event

	return retrying(run)


def decide_on_objection(
	store: Store, actor: Actor, delay: str, is_accepted: bool, decision: str, now_ms: int
) -> records.DelayEvent:
	"""Write a manager's decision down: an accepted objection takes the delay out of the measures."""
	if not actor.is_manager:
		raise NotAllowed("only_managers_decide", "Only a manager decides on objections.")

	def run() -> records.DelayEvent:
		with working(store, now_ms, actor) as work:
			event = _delay(work, delay)
			event.objection_status, event.decision = (ACCEPTED if is_accepted else REJECTED), decision
			event.decided_by, event.decided_ms = actor.user, now_ms
			work.mark_day(event.at_ms)
			work.touch(event)
			return event

	return retrying(run)


def _delay(work: UnitOfWork, name: str) -> records.DelayEvent:
	event = work.store.delay(name)
	if event is None:
		raise _no_such_delay()
	return event


def _no_such_delay() -> NotFound:
	return NotFound("no_such_delay", "There is no such delay.")
