"""What people say in a ticket: answers of every kind, reactions, notes; and what becomes of those that did
not arrive.

Each verb locks the ticket, checks who may do it and whether the ticket is still as the person saw it, and
writes everything (message, history, ledger) in one transaction. Refusals say how to go on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from khalifa_whatsapp.core import ledger, ticket_access
from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.core.accounts import Route, route
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.arabic import normalise
from khalifa_whatsapp.core.content import put_preview
from khalifa_whatsapp.core.errors import Changed, NotFound, UserError
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.core.window import is_window_open
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.services.outbound import destination, payloads, status_changes
from khalifa_whatsapp.services.tickets import turns
from khalifa_whatsapp.services.tickets.actions import hand_over
from khalifa_whatsapp.services.tickets.authorization import agent_of, require, tell_owner, ticket_of
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store

MAX_EMOJI = 16  # code units: skin tones and joined families are long
RESENDABLE = frozenset({r.FAILED, r.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Draft:
	"""What a person wants to say. `data` holds what the kind needs (`payloads`)."""

	body: str = ""  # the text, or the caption of a file
	content_type: str = "text"
	file_url: str | None = None
	file_name: str | None = None
	mime_type: str | None = None
	data: dict[str, Any] = field(default_factory=dict)
	reply_to: str | None = None  # message_key of the quoted message


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
) -> r.Message:
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
) -> r.Message:
	"""Queue an answer to the customer; the same `client_key` again gives the message already made.

	`seen_ms` is the time of the newest message the writer saw: when a colleague answered after it, the answer
	is refused. A manager who answers somebody else's ticket answers on behalf of its agent. `can` says what
	the device's gateway takes; without it nothing of that is checked before sending.
	"""

	def run() -> r.Message:
		with working(store, now_ms, actor) as work:
			return _send(work, ticket, draft, client_key, seen_ms, take_over, can)

	return retrying(run)


def _send(
	work: UnitOfWork,
	name: str,
	draft: Draft,
	client_key: str,
	seen_ms: int | None,
	take_over: bool,
	can: Capabilities | None,
) -> r.Message:
	key = digest("client", client_key)
	work.store.tickets([name])  # first, the lock: what is read after it is as new as the lock, not older
	if (known := work.store.message_by_client_key(key)) is not None:
		return _same(known, name, work.actor, draft)
	body = _checked_body(work, draft)
	ticket = ticket_of(work, name)
	require(ticket_access.can_answer(work.actor, ticket))
	rows = destination.identities(work.store, ticket.customer)
	way = _checked_route(route(rows, ticket.identity))
	_check_capabilities(draft, can)
	_check_window(work, draft, can, destination.window_from_ms(work.store, ticket, way, rows))
	_check_collision(work, ticket, seen_ms)
	message = _outgoing(work, ticket, draft, body, r.AGENT, r.MSG_QUEUED)
	_address(message, way)
	message.client_key = key
	_answered(work, ticket, message)
	work.mark_day(work.now_ms)
	if take_over and work.actor.agent and ticket_access.can_take_over(work.actor, ticket):
		hand_over(work, ticket, agent_of(work, work.actor.agent), "took over", "transferred")
	return message


def _same(known: r.Message, ticket: str, actor: Actor, draft: Draft) -> r.Message:
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


def _checked_body(work: UnitOfWork, draft: Draft) -> str:
	limit = work.rules.settings.max_text_length
	if draft.content_type == "text" or draft.body:
		return checked_text(draft.body, limit)
	return ""


def checked_text(body: str, limit: int) -> str:
	"""A text that can be sent: not empty, not too long, valid Unicode."""
	if not body or not body.strip():
		raise UserError("empty_text", "The message is empty. Write something first.")
	if len(body) > limit:
		raise UserError(
			"text_too_long",
			"The message has {length} characters; at most {limit} fit. Split it in two.",
			length=len(body),
			limit=limit,
		)
	return body.encode("utf-8", "replace").decode("utf-8")


def _checked_route(way: Route) -> Route:
	"""Never to a number that the customer has given up: it may be a stranger's by now."""
	if way.is_moved and way.chosen is None:
		raise UserError("number_left", payloads.NUMBER_LEFT)
	return way


def _address(message: r.Message, way: Route) -> None:
	"""Whom it goes to, written down with the message; the first one to a new number begins a new chat."""
	if way.chosen is not None:
		message.identity = way.chosen.name
		message.is_new_chat = message.is_new_chat or int(way.is_moved and way.chosen.seen_ms is None)


def _check_capabilities(draft: Draft, can: Capabilities | None) -> None:
	"""What the gateway would refuse is refused here, while the writer still has it before him."""
	if can is None:
		return
	if draft.content_type not in can.kinds | can.media_kinds:
		raise UserError("kind_not_supported", "This number's gateway can't send this kind of message.")
	if len(draft.body) > can.max_text:
		checked_text(draft.body, can.max_text)


def _check_window(work: UnitOfWork, draft: Draft, can: Capabilities | None, from_ms: int | None) -> None:
	if can is None or not can.has_window or draft.content_type == "template":
		return
	if not is_window_open(from_ms, work.now_ms):
		raise UserError(
			"window_closed",
			"More than 24 hours have passed since the customer wrote: "
			"WhatsApp takes only a template now. Choose one.",
		)


def _check_collision(work: UnitOfWork, ticket: r.Ticket, seen_ms: int | None) -> None:
	if seen_ms is None:
		return
	newest = work.store.last_human_reply(ticket.name)
	if newest is not None and newest.sent_ms > seen_ms and newest.sender != work.actor.user:
		raise Changed(
			"answered_meanwhile",
			"{name} answered meanwhile. Read the new message, then send yours again.",
			name=newest.sender_name or "",
		)


def _outgoing(
	work: UnitOfWork, ticket: r.Ticket, draft: Draft, body: str, origin: str, status: str
) -> r.Message:
	actor = work.actor
	message = r.Message(
		work.new_name(),
		ticket.name,
		ticket.customer,
		ticket.device,
		r.OUTGOING,
		origin,
		draft.content_type,
		status,
		sent_ms=work.now_ms,
		received_ms=work.now_ms,
		body=body,
		reply_to=draft.reply_to,
		sender=actor.user,
		sender_name=actor.full_name,
		agent=actor.agent,
		file_url=draft.file_url,
		file_name=draft.file_name,
		mime_type=draft.mime_type,
		data=json.dumps(draft.data, ensure_ascii=False) if draft.data else None,
		is_new_chat=int(ticket.last_in_ms is None and ticket.last_out_ms is None),
		text_key=digest("text", normalise(body))[:20] if body else None,
	)
	return work.add(message)


def _answered(work: UnitOfWork, ticket: r.Ticket, message: r.Message) -> None:
	"""A human reply ends the customer's wait; who gets sample and credit depends on who owns the ticket."""
	is_owner = ticket_access.holds(work.actor, ticket)
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
	put_preview(ticket, message)
	ticket.unread_count = 0
	work.touch_ticket(ticket)
	tell_owner(work, ticket, "answered")


def _first_response(work: UnitOfWork, ticket: r.Ticket) -> None:
	ticket.first_responded_ms = work.now_ms
	if ticket.first_message_ms is not None:
		calendar = work.branch_rules(ticket).calendar
		ticket.first_response_time = calendar.business_ms(ticket.first_message_ms, work.now_ms) // 1000


def note(store: Store, actor: Actor, ticket: str, body: str, now_ms: int, client_key: str = "") -> r.Message:
	"""Write an internal note: colleagues see it, the customer never does, no clock stops.

	The key as in `send`.
	"""

	def run() -> r.Message:
		with working(store, now_ms, actor) as work:
			key = digest("client", client_key) if client_key else None
			text = checked_text(body, work.rules.settings.max_text_length)
			found = ticket_of(work, ticket)
			if key and (known := store.message_by_client_key(key)) is not None:
				return _same(known, ticket, actor, Draft(body))
			require(ticket_access.can_note(actor, found))
			written = _outgoing(work, found, Draft(text), text, r.NOTE, r.SENT)
			written.client_key = key
			return written

	return retrying(run)


def react(
	store: Store,
	actor: Actor,
	ticket: str,
	target: str,
	emoji: str,
	client_key: str,
	now_ms: int,
	can: Capabilities | None = None,
) -> r.Message:
	"""Put an emoji on a message of the ticket, or take it back with an empty one.

	It is no answer: no clock stops.
	"""

	def run() -> r.Message:
		with working(store, now_ms, actor) as work:
			key = digest("client", client_key)
			found = ticket_of(work, ticket)
			if (known := store.message_by_client_key(key)) is not None:
				return _same(known, ticket, actor, Draft(emoji))
			require(ticket_access.can_answer(actor, found))
			message = store.messages([target]).get(target)
			if message is None or message.ticket != ticket or not message.message_key:
				raise NotFound("no_such_message", "There is no such message in this conversation.")
			draft = Draft(_checked_emoji(emoji), "reaction", data={"target": message.message_key})
			rows = destination.identities(store, found.customer)
			way = _checked_route(route(rows, message.identity or found.identity))
			if way.is_moved:
				raise UserError("number_left", payloads.NUMBER_LEFT)
			_check_capabilities(draft, can)
			_check_window(work, draft, can, destination.window_from_ms(store, found, way, rows))
			put = _outgoing(work, found, draft, draft.body, r.AUTO, r.MSG_QUEUED)
			_address(put, way)
			put.client_key = key
			return put

	return retrying(run)


def _checked_emoji(emoji: str) -> str:
	if len(emoji) > MAX_EMOJI or any(char.isalnum() and char not in "0123456789" for char in emoji):
		raise UserError("not_an_emoji", "A reaction is one emoji.")
	return emoji


def resend(
	store: Store, actor: Actor, message: str, client_key: str, now_ms: int, can: Capabilities | None = None
) -> r.Message:
	"""Say again what failed, or what may not have been sent: a new message, and the old one keeps its fate.

	Only a person decides that; what was in doubt may then arrive twice.
	"""

	def run() -> r.Message:
		with working(store, now_ms, actor) as work:
			old = _message_to_settle(work, message)
			draft = Draft(
				old.body,
				old.content_type,
				old.file_url,
				old.file_name,
				old.mime_type,
				json.loads(old.data) if old.data else {},
				old.reply_to,
			)
			new = _send(work, old.ticket, draft, client_key, None, False, can)
			if old.resent_as not in (None, new.name):
				raise Changed("resent_already", "This message was sent again already.")
			old.resent_as = new.name
			work.touch(old)
			return new

	return retrying(run)


def settle(store: Store, actor: Actor, message: str, was_sent: bool, now_ms: int) -> r.Message:
	"""A person has looked: what was in doubt was sent, or was not; what still waits is taken back."""

	def run() -> r.Message:
		with working(store, now_ms, actor) as work:
			found = _message_to_settle(work, message, frozenset({r.UNKNOWN, r.MSG_QUEUED}))
			before = found.status
			if was_sent and before == r.MSG_QUEUED:
				raise UserError("not_sent_yet", "This message has not been handed over yet.")
			found.status = r.SENT if was_sent else r.FAILED
			found.error_kind = None if was_sent else "discarded"
			found.error_text = None if was_sent else SETTLED[before]
			found.generation += 1  # a sender that is late writes nothing any more
			work.touch(found)
			status_changes.status_changed(work, found, before)
			work.log(work.store.tickets([found.ticket])[found.ticket], "settled", reason=found.status.lower())
			return found

	return retrying(run)


SETTLED = {
	r.UNKNOWN: "A colleague looked: it was not sent.",
	r.MSG_QUEUED: "Taken back before it was sent.",
}


def _message_to_settle(work: UnitOfWork, name: str, statuses: frozenset[str] = RESENDABLE) -> r.Message:
	"""An outgoing message of a ticket that the person may answer, in one of these states;
	the ticket is locked first.
	"""
	seen = work.store.messages([name]).get(name)
	if seen is None or seen.direction != r.OUTGOING or seen.origin == r.NOTE:
		raise NotFound("no_such_message", "There is no such message in this conversation.")
	require(ticket_access.can_settle(work.actor, ticket_of(work, seen.ticket)))
	message = work.store.messages([name])[name]
	if message.status not in statuses:
		raise Changed("message_changed", "The message has changed meanwhile. Look again.")
	return message
