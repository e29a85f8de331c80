"""A customer stops or resumes promotions: by a message, by what a gateway says, through an agent, by a list.

All of them end in `customers.consent.record`. A change is confirmed to the customer once, where the gateway
lets us write freely; to be answered by people he or she needs no consent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from khalifa_whatsapp.core import records, ticket_access
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.consent import AGENT_SOURCES, BY_LIST, MAX_LINES, STOPPED, Wish, number_in
from khalifa_whatsapp.core.errors import NotAllowed, UserError
from khalifa_whatsapp.core.identity import Identity, of_phone
from khalifa_whatsapp.core.phones import PhoneError, from_person
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.services.customers.consent import record
from khalifa_whatsapp.services.customers.identities import Customers
from khalifa_whatsapp.services.outbound import automatic
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.services.tickets.authorization import require, ticket_of
from khalifa_whatsapp.services.tickets.notices import notify_owner
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store

# What became of a line of a list
DONE, ALREADY, TWICE, WRONG = "stopped", "already", "twice", "wrong"
MAX_LINE = 200  # characters of a line that are looked at


def take(
	work: UnitOfWork,
	customer: records.Customer,
	wish: Wish,
	at_ms: int,
	key: str,
	ticket: records.Ticket | None = None,
	message: str | None = None,
) -> records.ConsentEvent | None:
	"""Log a wish, and show a change in the conversation. The entry of a change: it is to be confirmed."""
	event, has_turned = record(
		work, customer, wish, at_ms, key, ticket=ticket.name if ticket else None, message=message
	)
	if event is None or not has_turned:
		return None
	if ticket is not None:
		name = "promotions_stopped" if wish.is_stop else "promotions_resumed"
		work.log(ticket, name, reason=wish.source)
	return event


def confirm(
	work: UnitOfWork, ticket: records.Ticket, event: records.ConsentEvent, can: Capabilities | None
) -> None:
	"""Tell the customer that it is done; where that can't go, the wish counts all the same."""
	settings = work.rules.settings
	if not settings.confirms_opt_out or can is None:
		return
	text = settings.opt_out_text if event.wish == STOPPED else settings.opt_in_text
	try:
		automatic.queue(
			work, ticket, Draft(text), automatic.Cause(records.AUTO, f"consent:{event.name}"), can
		)
	except UserError:  # the window is closed, the number given up
		return
	event.is_confirmed = 1
	work.touch(event)


def set_by_agent(
	store: Store,
	actor: Actor,
	ticket: str,
	is_stop: bool,
	source: str,
	now_ms: int,
	can: Capabilities | None,
) -> records.Customer:
	"""Write down what the customer of a conversation wished, and where he or she said so.

	Again the same changes nothing.
	"""

	def run() -> records.Customer:
		with working(store, now_ms, actor) as work:
			row = ticket_of(work, ticket)
			require(ticket_access.can_see(actor, row))
			if source not in AGENT_SOURCES:
				raise UserError(
					"no_source", "Say where the customer wished it: in person, by phone or elsewhere."
				)
			customer = work.read_customers([row.customer])[row.customer]
			if bool(customer.is_opted_out) == is_stop:
				return customer
			wish = Wish(is_stop, source=source)
			at_ms = max(
				now_ms, (customer.opted_out_ms or 0) + 1
			)  # decided with what is known before one's eyes
			event = take(work, customer, wish, at_ms, f"agent:{work.new_name()}", row)
			if event is not None:
				confirm(work, row, event, can)
			notify_owner(work, row, "changed")
			return customer

	return retrying(run)


@dataclass(frozen=True, slots=True)
class Line:
	"""What became of one line of a list. `error` says what is wrong with it."""

	line: str
	result: str
	number: str = ""
	error: PhoneError | None = None


def stop_all(store: Store, actor: Actor, lines: Sequence[str], now_ms: int) -> list[Line]:
	"""Stop promotions to every number of a list, also of those who have never written; each line's result.

	Nobody gets a confirmation: it would be a message to people who have just said that they want none.
	"""
	if not actor.is_manager:
		raise NotAllowed("only_managers_import", "Only a manager imports a list of numbers.")
	if len(lines) > MAX_LINES:
		raise UserError("too_many_lines", "At most {limit} lines fit in one call.", limit=MAX_LINES)

	def run() -> list[Line]:
		with working(store, now_ms, actor) as work:
			read = [_read(line, work.rules.settings.default_region) for line in lines if line.strip()]
			return _stopped(work, read)

	return retrying(run)


def _read(line: str, region: str) -> tuple[str, Identity | PhoneError]:
	try:
		return line, of_phone(from_person(number_in(line)[:MAX_LINE], region))
	except PhoneError as error:
		return line, error


def _stopped(work: UnitOfWork, read: Sequence[tuple[str, Identity | PhoneError]]) -> list[Line]:
	identities = [one for _, one in read if isinstance(one, Identity)]
	customers = Customers(work, _never_merged)
	customers.read(identities)
	seen: set[Identity] = set()
	results = []
	for line, one in read:
		shown = line.strip()[:MAX_LINE]
		if isinstance(one, PhoneError):
			results.append(Line(shown, WRONG, error=one))
			continue
		is_double = one in seen
		seen.add(one)
		results.append(Line(shown, TWICE if is_double else _stop(work, customers, one), one.value))
	return results


def _stop(work: UnitOfWork, customers: Customers, identity: Identity) -> str:
	customer = customers.resolve([identity], work.now_ms)
	if customer.is_opted_out:
		return ALREADY
	take(work, customer, Wish(True, source=BY_LIST), work.now_ms, f"list:{work.new_name()}")
	return DONE


def _never_merged(gone: str, kept: str) -> None:
	"""A list names each number by itself, so that it never says of two customers that they are one."""
	raise AssertionError
