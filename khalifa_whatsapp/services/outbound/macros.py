"""Running a macro: all of its steps, or none.

Each step is done by the verb that a person's own click would use, with that person's rights, in one
transaction. So what can't be done is found before anything is kept, and the refusal names the step; and a
killed process leaves nothing half done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from khalifa_whatsapp.core import macros, records, ticket_access
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.core.macros import Step
from khalifa_whatsapp.core.settings import MINUTE_MS
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.services.tickets import actions, snoozing
from khalifa_whatsapp.services.tickets.authorization import require, ticket_of
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store

EVENT = "macro"


@dataclass(frozen=True, slots=True)
class Macro:
	"""What is to be done, and what people call it."""

	title: str
	steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Helpers:
	"""What a host does for a macro, in the same transaction.

	`draft`: the message of a step, with its blanks filled in; `tag`: put a tag on a customer. Both raise
	`UserError`.
	"""

	draft: Callable[[Step], Draft]
	tag: Callable[[str, str], None]


class StepRefused(UserError):
	"""A step that can't be done, and why: nothing of the macro was done."""

	def __init__(self, number: int, cause: UserError) -> None:
		super().__init__(f"macro_{cause.code}", f"step {number}: {cause}")
		self.number, self.cause = number, cause


def run(
	store: Store,
	actor: Actor,
	ticket: str,
	macro: Macro,
	helpers: Helpers,
	client_key: str,
	now_ms: int,
	can: Capabilities | None = None,
) -> bool:
	"""Do all steps, once per `client_key`. False: they were done before.

	Raises `StepRefused`, or another `UserError`; then nothing was done.
	"""
	if wrong := macros.first_wrong(macro.steps, actions.CLOSE_REASONS):
		raise UserError(f"macro_{wrong.code}", macros.MESSAGES[wrong.code], **wrong.values)

	def attempt() -> bool:
		with working(store, now_ms, actor) as work:
			record = ticket_of(work, ticket)
			require(ticket_access.can_note(actor, record))
			name = digest("macro", actor.user or "", ticket, client_key)[:20]
			if store.has_ticket_event(name):
				return False
			_note(work, record, name, macro.title)
			one = _Run(work, ticket, macro.title, helpers, client_key, can)
			for number, step in enumerate(macro.steps, 1):
				_checked(number, lambda step=step, number=number: one.do(number, step))  # type: ignore[misc]
			return True

	return retrying(attempt)


def _note(work: UnitOfWork, ticket: records.Ticket, name: str, title: str) -> None:
	"""The line in the history; its name is unique, so that a second run of the same click finds it."""
	work.log(ticket, EVENT, reason=title)
	work.changes.created[records.TicketEvent][-1].name = name
	work.touch_ticket(ticket)
	work.flush()


def _checked(number: int, act: Callable[[], None]) -> None:
	try:
		act()
	except UserError as error:
		raise StepRefused(number, error) from error


@dataclass(slots=True)
class _Run:
	"""One run within its transaction."""

	work: UnitOfWork
	ticket: str
	title: str
	helpers: Helpers
	client_key: str
	can: Capabilities | None

	def do(self, number: int, step: Step) -> None:
		"""Do one step, and write it, so that the next one finds the ticket as it is by then."""
		verbs: dict[str, Callable[[int, Step], None]] = {
			macros.REPLY: self._reply,
			macros.NOTE: self._write_note,
			macros.TAG: self._tag,
			macros.TRANSFER: self._transfer,
			macros.SNOOZE: self._snooze,
			macros.CLOSE: self._close,
		}
		verbs[step.action](number, step)
		self.work.flush()

	def _key(self, number: int) -> str:
		return f"macro:{self.client_key}:{number}"

	def _reply(self, number: int, step: Step) -> None:
		draft = self.helpers.draft(step)
		answers.queue_answer(self.work, self.ticket, draft, self._key(number), None, False, self.can)

	def _write_note(self, number: int, step: Step) -> None:
		answers.write_note(self.work, self.ticket, self.helpers.draft(step).body, self._key(number))

	def _tag(self, number: int, step: Step) -> None:
		self.helpers.tag(self._record().customer, step.tag)

	def _transfer(self, number: int, step: Step) -> None:
		actions.hand_on(
			self.work, self._record(), step.text.strip() or self.title, step.to_agent, step.to_branch
		)

	def _snooze(self, number: int, step: Step) -> None:
		until_ms = self.work.now_ms + step.minutes * MINUTE_MS if step.minutes else None
		snoozing.put_aside(self.work, self._record(), until_ms, step.text)

	def _close(self, number: int, step: Step) -> None:
		actions.end(self.work, self._record(), step.close_reason)

	def _record(self) -> records.Ticket:
		return ticket_of(self.work, self.ticket)
