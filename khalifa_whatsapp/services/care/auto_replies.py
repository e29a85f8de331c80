"""Automatic replies: after a customer's message was taken in, and when a wait becomes long.

What rules decide is `core.auto_replies`. Here their facts are gathered for all messages of a batch in a few
queries, and for none where no rule can answer; then what was decided is queued. An automatic message moves no
clock and triggers nothing, for only customers' messages come here. Where a conversation runs in a circle, its
automatic messages stop until a person has dealt with it, and that person is told, once for each wait.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.arabic import normalise
from khalifa_whatsapp.core.auto_replies import ALL_OFFLINE, PERSON_MS, WAITING_LONG, Decision, Facts, Had
from khalifa_whatsapp.core.content import content_of, plain_text
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.reply_loops import STOP_NEW, TAIL, Line, loop_in
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.services.isolation import batch_or_one_by_one, check
from khalifa_whatsapp.services.outbound import automatic
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.services.tickets.notices import notify_owner
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, working
from khalifa_whatsapp.stores.base import Store

BATCH = 200
PEOPLE = (records.AGENT, records.PHONE)


@dataclass(slots=True)
class Asked:
	"""One message, or one wait, that may be answered; with the same `cause` it is answered once."""

	ticket: records.Ticket
	facts: Facts
	cause: str


class AutoReplies:
	"""The automatic replies of one transaction on one device."""

	def __init__(self, work: UnitOfWork, can: Capabilities | None) -> None:
		self.work = work
		self.can = can
		self.book = work.rules.auto_replies
		self._taken: dict[str, bool] = {}

	def consider(self, message: records.Message, is_new: bool) -> None:
		"""A customer's message was taken in, and waits for an answer. `is_new`: it began a conversation."""
		if self.book:
			self._taken[message.name] = is_new

	def answer(
		self,
		messages: Mapping[str, records.Message],
		ticket_of: Callable[[str], records.Ticket],
		is_anyone_here: Callable[[records.Ticket], bool],
	) -> None:
		"""The batch is applied: answer what was taken in, as it is now."""
		asked = []
		for name, is_new in self._taken.items():
			message = messages.get(name)
			ticket = ticket_of(message.ticket) if message is not None else None
			if message is None or ticket is None or ticket.turn is None:
				continue
			facts = facts_of_message(self.work, ticket, message, is_new)
			if self.book.has(ALL_OFFLINE):
				facts = replace(facts, is_anyone_here=is_anyone_here(ticket))
			asked.append(Asked(ticket, facts, message.name))
			self._expect_waiting(ticket, facts)
		self._taken = {}
		self.decide(asked)

	def _expect_waiting(self, ticket: records.Ticket, facts: Facts) -> None:
		"""A wait began: note when a rule about waiting comes due."""
		if ticket.auto_check_ms is None and ticket.auto_stop is None and self.book.has(WAITING_LONG):
			ticket.auto_check_ms = self.book.next_wait_ms(facts, facts.since_ms or 0)
			self.work.touch(ticket)

	def decide(self, asked: Collection[Asked]) -> None:
		"""Answer those that a rule answers, in their order."""
		able = {one.cause: one for one in asked if one.ticket.auto_stop is None}
		rules = {cause: self.book.candidates(one.facts) for cause, one in able.items()}
		able = {cause: one for cause, one in able.items() if rules[cause]}
		if not able:
			return
		history = History(self.work, able.values(), {rule.name for some in rules.values() for rule in some})
		able = {cause: one for cause, one in able.items() if self.book.decide(history.completed(one))}
		history.read_messages(able.values())
		for one in able.values():
			decision = self.book.decide(history.completed(one))
			if decision is not None and one.ticket.auto_stop is None:
				self._say(one, decision, history)

	def _say(self, one: Asked, decision: Decision, history: History) -> None:
		lines = history.lines(one)
		if reason := loop_in(lines, self.work.rules.settings.max_auto_replies):
			self._stop(one.ticket, reason)
			return
		cause = automatic.Cause(records.AUTO, f"{decision.rule.name} {one.cause}", decision.rule.name)
		try:
			message = automatic.queue(self.work, one.ticket, Draft(decision.text), cause, self.can)
		except UserError:
			return  # the window is closed, or the number was given up: a person sees it when answering
		history.add(message)

	def _stop(self, ticket: records.Ticket, reason: str) -> None:
		ticket.auto_stop, ticket.auto_check_ms = STOP_NEW, None
		self.work.log(ticket, "auto_stopped", is_automatic=1, reason=reason)
		self.work.touch_ticket(ticket)
		notify_owner(self.work, ticket, "auto_stopped")


class History:
	"""What was said before in the conversations asked about, and what is said now."""

	def __init__(self, work: UnitOfWork, asked: Collection[Asked], rules: Collection[str]) -> None:
		self._work = work
		self._messages: dict[str, list[records.Message]] = {}
		self._had: dict[str, dict[str, Had]] = {}
		customers = {one.ticket.customer for one in asked}
		for customer, rule, count, last_ms in work.store.auto_replies_had(customers, rules):
			self._had.setdefault(customer, {})[rule] = Had(count, last_ms)

	def read_messages(self, asked: Collection[Asked]) -> None:
		"""Read what was said in these waits, and by people of ours shortly before."""
		since = {one.ticket.name: min(_since(one), self._work.now_ms - PERSON_MS) for one in asked}
		self._messages = self._work.store.latest_messages(since, TAIL) if since else {}
		for message in self._work.changes.created.get(records.Message, ()):
			if message.ticket in self._messages:
				self._messages[message.ticket].append(message)

	def completed(self, one: Asked) -> Facts:
		"""The facts with what history tells, as far as it was read."""
		rows = self._messages.get(one.ticket.name, ())
		return replace(
			one.facts,
			had=self._had.get(one.ticket.customer, {}),
			person_ms=max((m.sent_ms for m in rows if m.origin in PEOPLE), default=None),
		)

	def lines(self, one: Asked) -> list[Line]:
		"""The wait as the breaker sees it, up to the message that is asked about."""
		rows = [m for m in self._messages[one.ticket.name] if m.sent_ms >= _since(one)]
		until = next((m.received_ms for m in rows if m.name == one.cause), one.facts.now_ms)
		return [*filter(None, (_line(m) for m in rows if m.received_ms <= until or m.auto_reply))]

	def add(self, message: records.Message) -> None:
		"""An automatic reply was just queued."""
		rule = message.auto_reply or ""
		by_rule = self._had.setdefault(message.customer, {})
		by_rule[rule] = Had(by_rule.get(rule, Had()).count + 1, message.sent_ms)
		self._messages[message.ticket].append(message)


def _since(one: Asked) -> int:
	return one.facts.since_ms or 0


def _line(message: records.Message) -> Line | None:
	if message.direction == records.INCOMING:
		return Line(message.received_ms, normalise(message.body))
	if message.auto_reply:
		return Line(message.sent_ms, is_automatic=True, went_ms=message.started_ms)
	return Line(message.sent_ms, is_person=True) if message.origin in PEOPLE else None


def facts_of_message(
	work: UnitOfWork, ticket: records.Ticket, message: records.Message, is_new: bool
) -> Facts:
	"""What rules ask about a message, as far as it and its ticket tell."""
	return replace(
		facts_of_ticket(work, ticket),
		text=plain_text(content_of(message)),
		message_ms=message.sent_ms,
		is_new=is_new,
	)


def facts_of_ticket(work: UnitOfWork, ticket: records.Ticket) -> Facts:
	"""What rules ask about a conversation and its wait."""
	return Facts(
		work.now_ms,
		work.branch_rules(ticket).calendar,
		device=ticket.device,
		branch=ticket.branch or "",
		customer=ticket.customer_name,
		since_ms=ticket.waiting_since_ms,
	)


def scan_waits(
	store: Store, can_of: Callable[[str], Capabilities | None], now_ms: int, limit: int = 5_000
) -> int:
	"""Answer waits that have become long. How many were looked at.

	`can_of` says what a device's gateway takes; None: it is gone. The cost grows with what is due. Raises
	`RowsFailed` after all others.
	"""
	total, failed = 0, dict[str, str]()
	while total < limit:
		outcome = batch_or_one_by_one(
			lambda: _scan(store, can_of, now_ms),
			lambda: _due(store, now_ms),
			lambda name: _scan(store, can_of, now_ms, name),
		)
		done = sum(outcome.done)
		total += done
		failed |= outcome.failed
		if not done or done + len(outcome.failed) < BATCH:
			break
	check(failed)
	return total


def _due(store: Store, now_ms: int) -> list[str]:
	with store.transaction():
		return [ticket.name for ticket in store.tickets_to_reply(now_ms, BATCH)]


def _scan(
	store: Store, can_of: Callable[[str], Capabilities | None], now_ms: int, only: str | None = None
) -> int:
	with working(store, now_ms) as work:
		due = [t for t in store.tickets_to_reply(now_ms, BATCH) if only in (None, t.name)]
		for device in sorted({ticket.device for ticket in due}):
			if (can := can_of(device)) is not None:
				asked = [_asked(work, ticket) for ticket in due if ticket.device == device]
				AutoReplies(work, can).decide(asked)
		_look_again(work, due)
		return len(due)


def _asked(work: UnitOfWork, ticket: records.Ticket) -> Asked:
	facts = facts_of_ticket(work, ticket)
	waited = facts.calendar.business_ms(facts.since_ms or work.now_ms, work.now_ms)
	return Asked(ticket, replace(facts, waited_ms=waited), f"{ticket.name} {facts.since_ms}")


def _look_again(work: UnitOfWork, tickets: Iterable[records.Ticket]) -> None:
	"""When the next rule about waiting comes due; never when nobody waits, or replies have stopped."""
	for ticket in tickets:
		is_over = ticket.turn is None or ticket.auto_stop is not None
		facts = facts_of_ticket(work, ticket)
		ticket.auto_check_ms = None if is_over else work.rules.auto_replies.next_wait_ms(facts, work.now_ms)
		work.touch(ticket)
