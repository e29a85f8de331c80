"""What people say in a ticket: answers of every kind, reactions, notes.

Each verb locks the ticket, checks who may do it and whether the ticket is still as the person saw it, and
writes everything (message, history, ledger) in one transaction. Refusals say how to go on.
"""

from __future__ import annotations

from khalifa_whatsapp.core import ledger, records, template_state, ticket_access
from khalifa_whatsapp.core.accounts import route
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.content import put_preview
from khalifa_whatsapp.core.errors import Changed, NotFound, UserError
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.services.outbound import automatic, destination, payloads
from khalifa_whatsapp.services.outbound.answer_drafts import (
	Draft,
	check_capabilities,
	check_collision,
	check_window,
	checked_body,
	checked_emoji,
	checked_route,
	checked_text,
)
from khalifa_whatsapp.services.outbound.outbox_rows import address, new_message
from khalifa_whatsapp.services.tickets import turns
from khalifa_whatsapp.services.tickets.authorization import agent_of, require, ticket_of
from khalifa_whatsapp.services.tickets.handover import hand_over
from khalifa_whatsapp.services.tickets.notices import notify_owner
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store


def reply(
	store: Store,
	actor: Actor,
	ticket: str,
	body: str,
	client_key: str,
	now_ms: int,
	*,
	reply_to: str | None = None,
	seen_ms: int | None = None,
	take_over: bool = False,
	can: Capabilities | None = None,
) -> records.Message:
	"""Queue a text. See `send`."""
	draft = Draft(body, reply_to=reply_to)
	return send(
		store, actor, ticket, draft, client_key, now_ms, seen_ms=seen_ms, take_over=take_over, can=can
	)


def send(
	store: Store,
	actor: Actor,
	ticket: str,
	draft: Draft,
	client_key: str,
	now_ms: int,
	*,
	seen_ms: int | None = None,
	take_over: bool = False,
	can: Capabilities | None = None,
) -> records.Message:
	"""Queue an answer to the customer; the same `client_key` again gives the message already made.

	`seen_ms` is the time of the newest message the writer saw: when a colleague answered after it, the answer
	is refused. A manager who answers somebody else's ticket answers on behalf of its agent. `can` says what
	the device's gateway takes; without it nothing of that is checked before sending.
	"""

	def run() -> records.Message:
		with working(store, now_ms, actor) as work:
			return queue_answer(work, ticket, draft, client_key, seen_ms, take_over, can)

	return retrying(run)


def queue_answer(
	work: UnitOfWork,
	name: str,
	draft: Draft,
	client_key: str,
	seen_ms: int | None,
	take_over: bool,
	can: Capabilities | None,
) -> records.Message:
	"""As `send`, within a transaction."""
	key = digest("client", client_key)
	work.store.tickets([name])  # first, the lock: what is read after it is as new as the lock, not older
	if (known := work.store.message_by_client_key(key)) is not None:
		return _same(known, name, work.actor, draft)
	body = checked_body(work, draft)
	ticket = ticket_of(work, name)
	require(ticket_access.can_answer(work.actor, ticket))
	rows = destination.identities(work.store, ticket.customer)
	way = checked_route(route(rows, ticket.identity))
	check_capabilities(draft, can)
	check_window(work, draft, can, destination.window_from_ms(work.store, ticket, way, rows))
	check_collision(work, ticket, seen_ms)
	is_promotion = _checked_promotion(work, ticket, draft)
	message = new_message(work, ticket, draft, body, records.AGENT, records.MSG_QUEUED)
	address(message, way)
	message.client_key, message.is_promotion = key, int(is_promotion)
	_answered(work, ticket, message)
	work.mark_day(work.now_ms)
	if take_over and work.actor.agent and ticket_access.can_take_over(work.actor, ticket):
		hand_over(work, ticket, agent_of(work, work.actor.agent), "took over", "transferred")
	return message


def _same(known: records.Message, ticket: str, actor: Actor, draft: Draft) -> records.Message:
	"""The message already made under this key; a key of somebody else's message is refused, not shown.

	A page that heard no answer asks again with the same key. When its words are others by now, those of
	before went: to answer «sent» would lose the new ones, and to send them would say both without anybody
	having meant it.
	"""
	if known.ticket != ticket or known.sender != actor.user:
		raise UserError("client_key_used", "This answer was already sent. Write it again.")
	if (known.body or "") != draft.body.encode("utf-8", "replace").decode("utf-8"):
		raise Changed(
			"sent_before",
			"What you sent before did arrive: read it in the conversation. Is this one to be sent as well?",
		)
	return known


def _checked_promotion(work: UnitOfWork, ticket: records.Ticket, draft: Draft) -> bool:
	"""Whether it promotes, as a marketing template does; none goes to who has stopped promotions."""
	chosen = draft.data.get("template") if draft.content_type == "template" else None
	is_promotion = isinstance(chosen, dict) and chosen.get("category") == template_state.MARKETING
	if is_promotion and automatic.has_stopped_promotions(work, ticket.customer):
		raise UserError(
			"opted_out",
			"This customer wants no promotions, and the template is a marketing one. "
			"Choose a template of another category, or write within 24 hours of the customer's message.",
		)
	return is_promotion


def _answered(work: UnitOfWork, ticket: records.Ticket, message: records.Message) -> None:
	"""A human reply ends the customer's wait; who gets sample and credit depends on who owns the ticket."""
	is_owner = ticket_access.holds(work.actor, ticket)
	if not is_owner:
		message.on_behalf_of, message.agent = ticket.agent, None
		work.log(ticket, "on_behalf", to_agent=ticket.agent)
	turn = turns.end_turn(work, ticket, records.ANSWERED, "answered" if is_owner else "answered_by_admin")
	if turn is not None:
		turn.answered_by, turn.answered_by_user = message.agent, message.sender
		turn.on_behalf_of, turn.answer = message.on_behalf_of, message.name
	if ticket.first_responded_ms is None:
		_first_response(work, ticket)
	ledger.note_replier(ticket, message.agent)
	ticket.status = records.PENDING if ticket.agent else records.QUEUED
	ticket.last_out_ms = ticket.last_message_ms = max(work.now_ms, ticket.last_message_ms)
	put_preview(ticket, message)
	ticket.unread_count = 0
	work.touch_ticket(ticket)
	notify_owner(work, ticket, "answered")


def _first_response(work: UnitOfWork, ticket: records.Ticket) -> None:
	ticket.first_responded_ms = work.now_ms
	if ticket.first_message_ms is not None:
		calendar = work.branch_rules(ticket).calendar
		ticket.first_response_time = calendar.business_ms(ticket.first_message_ms, work.now_ms) // 1000


def note(
	store: Store, actor: Actor, ticket: str, body: str, now_ms: int, client_key: str = ""
) -> records.Message:
	"""Write an internal note: colleagues see it, the customer never does, no clock stops.

	The key as in `send`.
	"""

	def run() -> records.Message:
		with working(store, now_ms, actor) as work:
			return write_note(work, ticket, body, client_key)

	return retrying(run)


def write_note(work: UnitOfWork, ticket: str, body: str, client_key: str) -> records.Message:
	"""As `note`, within a transaction."""
	key = digest("client", client_key) if client_key else None
	text = checked_text(body, work.rules.settings.max_text_length)
	record = ticket_of(work, ticket)
	if key and (known := work.store.message_by_client_key(key)) is not None:
		return _same(known, ticket, work.actor, Draft(body))
	require(ticket_access.can_note(work.actor, record))
	written = new_message(work, record, Draft(text), text, records.NOTE, records.SENT)
	written.client_key = key
	return written


def react(
	store: Store,
	actor: Actor,
	ticket: str,
	target: str,
	emoji: str,
	client_key: str,
	now_ms: int,
	can: Capabilities | None = None,
) -> records.Message:
	"""Put an emoji on a message of the ticket, or take it back with an empty one.

	It is no answer: no clock stops.
	"""

	def run() -> records.Message:
		with working(store, now_ms, actor) as work:
			key = digest("client", client_key)
			record = ticket_of(work, ticket)
			if (known := store.message_by_client_key(key)) is not None:
				return _same(known, ticket, actor, Draft(emoji))
			require(ticket_access.can_answer(actor, record))
			message = store.messages([target]).get(target)
			if message is None or message.ticket != ticket or not message.message_key:
				raise NotFound("no_such_message", "There is no such message in this conversation.")
			draft = Draft(checked_emoji(emoji), "reaction", data={"target": message.message_key})
			rows = destination.identities(store, record.customer)
			way = checked_route(route(rows, message.identity or record.identity))
			if way.is_moved:
				raise UserError("number_left", payloads.NUMBER_LEFT)
			check_capabilities(draft, can)
			check_window(work, draft, can, destination.window_from_ms(store, record, way, rows))
			put = new_message(work, record, draft, draft.body, records.AUTO, records.MSG_QUEUED)
			address(put, way)
			put.client_key = key
			return put

	return retrying(run)
