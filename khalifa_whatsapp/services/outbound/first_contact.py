"""We write first: to a number, or to a customer whose conversation is over.

Nobody waits in such a conversation, so no clock runs in it until the customer writes. There is one open
conversation per customer and number of ours: where there is one already, that is opened instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from khalifa_whatsapp.core import records, ticket_access
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.errors import Changed, NotAllowed, UserError
from khalifa_whatsapp.core.identity import of_phone
from khalifa_whatsapp.core.keys import digest, open_key
from khalifa_whatsapp.core.pacing import Pace, day_start_ms
from khalifa_whatsapp.core.phones import MESSAGES, Phone, PhoneError, from_person
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.services.customers import decisions, merging
from khalifa_whatsapp.services.customers.identities import Customers
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.services.tickets.authorization import agent_of
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store

BEGUN = "begun"  # how the history knows such a beginning
MakeDraft = Callable[[str], Draft]  # of the conversation that is there by then: its files are kept there
FREE = Pace()
NEEDS_TEMPLATE = "On this number a conversation begins with a template. Choose one."


@dataclass(frozen=True, slots=True)
class Line:
	"""The number of ours to write from: what its gateway takes (None: it is off), and its limits."""

	device: str
	can: Capabilities | None
	pace: Pace = FREE


@dataclass(frozen=True, slots=True)
class Begun:
	"""The conversation; `is_new`: it began with this message. Else it was there, and nothing was sent."""

	ticket: str
	is_new: bool


@dataclass(frozen=True, slots=True)
class Whom:
	"""Exactly one of the two: a number as a person typed it, or a customer's name."""

	phone: str = ""
	customer: str = ""


def begin(
	store: Store, actor: Actor, line: Line, whom: Whom, make_draft: MakeDraft, client_key: str, now_ms: int
) -> Begun:
	"""Begin a conversation, held by who begins it; the same `client_key` again begins no second one.

	Raises `UserError` when the number is none, the gateway wants a template, the day's new chats are used up,
	or somebody else has the customer's conversation.
	"""

	def run() -> Begun:
		with working(store, now_ms, actor) as work:
			known = store.message_by_client_key(digest("client", client_key))
			if known is not None:
				return _again(work, known)
			return _begin(work, line, whom, make_draft, client_key)

	return retrying(run)


def _again(work: UnitOfWork, known: records.Message) -> Begun:
	if known.sender != work.actor.user:
		raise UserError("client_key_used", "This answer was already sent. Write it again.")
	return Begun(known.ticket, is_new=True)


def _begin(work: UnitOfWork, line: Line, whom: Whom, make_draft: MakeDraft, client_key: str) -> Begun:
	if work.actor.agent is None:
		raise NotAllowed("not_an_agent", "You are not an agent. Ask a manager to add you.")
	customer, identity = _person(work, whom)
	latest = work.store.latest_tickets([(customer.name, line.device)]).get((customer.name, line.device))
	if latest is not None and latest.open_key is not None:
		return _opened(work, latest)
	if line.can is None:
		raise UserError("device_off", "This number can't send now. A manager sees why in its form.")
	_check_new_chats(work, line, latest)
	ticket = _new_ticket(work, customer, line.device, latest, identity)
	work.flush()  # a ticket is read and locked by whoever writes in it
	try:
		answers.queue_answer(work, ticket.name, make_draft(ticket.name), client_key, None, False, line.can)
	except UserError as error:
		if error.code == "window_closed":
			raise UserError("needs_template", NEEDS_TEMPLATE) from None
		raise
	return Begun(ticket.name, is_new=True)


def number(text: str, region: str) -> Phone:
	"""The number that a person typed. Raises `UserError` for what is none."""
	try:
		return from_person(text, region)
	except PhoneError as error:
		raise UserError(error.code, MESSAGES[error.code], **error.values) from error


def _person(work: UnitOfWork, whom: Whom) -> tuple[records.Customer, str | None]:
	"""The customer, new when the number is; and the identity of the number, when one was given."""
	if whom.customer:
		return decisions.customer_of(work, whom.customer), None

	def merge(gone: str, kept: str) -> None:
		merging.merge(work, gone, kept)

	customers = Customers(work, merge)
	identity = of_phone(number(whom.phone, work.rules.settings.default_region))
	customers.read([identity])
	customer = customers.resolve([identity], work.now_ms)
	row = customers.row(identity)
	return customer, row.name if row is not None else None


def _opened(work: UnitOfWork, ticket: records.Ticket) -> Begun:
	if ticket_access.can_see(work.actor, ticket):
		return Begun(ticket.name, is_new=False)
	if ticket.agent_name:
		raise Changed(
			"held_by_colleague",
			"{agent} answers this customer already. Ask for a transfer.",
			agent=ticket.agent_name,
		)
	raise Changed("waits_elsewhere", "This customer already waits for another branch.")


def _check_new_chats(work: UnitOfWork, line: Line, latest: records.Ticket | None) -> None:
	"""A number that begins too many chats is blocked: the outbox would keep it till tomorrow anyway."""
	limit = line.pace.max_new_chats_per_day
	if not limit or _has_talked(latest):
		return
	today_ms = day_start_ms(work.now_ms, work.rules.calendar)
	traffic = work.store.traffic(line.device, line.pace, work.now_ms, today_ms, ())
	if traffic.new_chats_today >= limit:
		raise UserError(
			"new_chats_used",
			"This number has begun {count} new conversations today, as many as its limit allows. "
			"Choose another number, or go on tomorrow.",
			count=traffic.new_chats_today,
		)


def _has_talked(latest: records.Ticket | None) -> bool:
	return latest is not None and (latest.last_in_ms is not None or latest.last_out_ms is not None)


def _new_ticket(
	work: UnitOfWork,
	customer: records.Customer,
	device: str,
	latest: records.Ticket | None,
	identity: str | None,
) -> records.Ticket:
	agent = agent_of(work, work.actor.agent or "")
	(name,) = work.store.next_ticket_names(1)
	ticket = records.Ticket(
		name,
		customer.name,
		device,
		status=records.PENDING,
		open_key=open_key(customer.name, device),
		customer_name=customer.customer_name,
		branch=agent.branch or customer.branch,
		agent=agent.name,
		agent_name=agent.employee_name,
		opened_ms=work.now_ms,
		last_message_ms=work.now_ms,
		identity=identity,
	)
	# the window, and who has never heard of us, go on from there, as far as it is the same number
	if latest is not None and identity in (None, latest.identity):
		ticket.last_in_ms, ticket.last_out_ms = latest.last_in_ms, latest.last_out_ms
		ticket.identity = latest.identity
	customer.last_agent = agent.name
	work.touch(customer)
	work.log(ticket, "created", reason=BEGUN)
	# received, as any other: who closes it has closed one of his or her own
	work.log(ticket, "assigned", to_agent=agent.name, to_branch=ticket.branch, reason=BEGUN)
	return work.add(ticket)
