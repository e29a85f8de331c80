"""A number comes with somebody else's id: a person decides whether it has a new holder."""

from __future__ import annotations

from khalifa_whatsapp.core import ledger, records, ticket_access
from khalifa_whatsapp.core.accounts import NewHolder, account_of, is_left, new_holder
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.content import is_in_thread, makes_wait, opens_window, put_preview
from khalifa_whatsapp.core.errors import Changed
from khalifa_whatsapp.core.identity import PHONE
from khalifa_whatsapp.core.keys import open_key
from khalifa_whatsapp.services.customers.decisions import customer_of, show_customer
from khalifa_whatsapp.services.customers.identities import NOT_A_DUPLICATE
from khalifa_whatsapp.services.tickets import turns
from khalifa_whatsapp.services.tickets.authorization import require, ticket_of
from khalifa_whatsapp.services.tickets.closing import close_ticket
from khalifa_whatsapp.services.tickets.notices import notify_owner
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store

NEW_HOLDER = "new_holder"  # why the former holder's ticket is closed


def same_person(store: Store, actor: Actor, ticket: str, now_ms: int) -> records.Ticket:
	"""The customer has a new user id, or is back under the old number:
	nothing changes but that nobody asks again.
	"""

	def run() -> records.Ticket:
		with working(store, now_ms, actor) as work:
			record, rows, holder = _doubted(work, ticket)
			_take_back(work, holder.rows[0])
			_follow(work, rows, holder)
			work.log(record, "same_person", reason=holder.phone)
			work.touch_ticket(record)
			notify_owner(work, record, "changed")
			return record

	return retrying(run)


def _take_back(work: UnitOfWork, phone: records.CustomerIdentity) -> None:
	"""A number that had been given up is the customer's again."""
	if is_left(phone):
		phone.taken_ms = max(phone.left_ms or 0, phone.seen_ms or 0)
		work.touch(phone)


def _follow(work: UnitOfWork, rows: list[records.CustomerIdentity], holder: NewHolder) -> None:
	"""The customer's earlier ids of the account are given up for the newest."""
	newest = holder.rows[-1]
	for row in rows:
		is_mate = row is not newest and row.kind == newest.kind and account_of(row) == account_of(newest)
		if is_mate and newest.kind != PHONE and not is_left(row):
			row.left_ms, row.successor = max(holder.since_ms, (row.seen_ms or 0) + 1), newest.name
			work.touch(row)


def _doubted(
	work: UnitOfWork, ticket: str
) -> tuple[records.Ticket, list[records.CustomerIdentity], NewHolder]:
	record = ticket_of(work, ticket)
	require(ticket_access.can_answer(work.actor, record))
	rows = work.store.identities_of([record.customer], locked=True).get(record.customer, [])
	holder = new_holder(rows)
	if holder is None:
		raise Changed("decided_already", "A colleague has decided this meanwhile. Look again.")
	return record, rows, holder


def new_person(store: Store, actor: Actor, ticket: str, now_ms: int) -> records.Ticket:
	"""The number has a new holder: a customer of his or her own, with the number and what was said since.

	What was said before stays with the former holder. Gives the new holder's ticket.
	"""

	def run() -> records.Ticket:
		with working(store, now_ms, actor) as work:
			record, rows, holder = _doubted(work, ticket)
			newcomer = _part(work, record, rows, holder)
			moved = _ticket_of_newcomer(work, record, newcomer, holder)
			work.log(moved, "new_person", reason=holder.phone)
			notify_owner(work, moved, "changed")
			return moved

	return retrying(run)


def _part(
	work: UnitOfWork, ticket: records.Ticket, rows: list[records.CustomerIdentity], holder: NewHolder
) -> records.Customer:
	"""A customer for the new holder, who takes the number along."""
	former = customer_of(work, ticket.customer)
	newcomer = records.Customer(
		work.new_name(), branch=former.branch, last_agent=ticket.agent, created_ms=work.now_ms
	)
	for row in holder.rows:
		row.customer, row.account = newcomer.name, holder.rows[0].name
		row.left_ms = row.taken_ms = row.successor = None
		work.touch(row)
	newcomer.duplicate_of, newcomer.duplicate_state = former.name, NOT_A_DUPLICATE
	former.duplicate_of, former.duplicate_state = newcomer.name, NOT_A_DUPLICATE
	work.add(newcomer)
	show_customer(work, newcomer, list(holder.rows))
	show_customer(work, former, [row for row in rows if row.customer == former.name])
	return newcomer


def _ticket_of_newcomer(
	work: UnitOfWork, ticket: records.Ticket, newcomer: records.Customer, holder: NewHolder
) -> records.Ticket:
	said = work.store.messages_of(ticket.name)
	new = _messages_since(said, holder)
	names = {message.name for message in new}
	old = [message for message in said if message.name not in names]
	for message in new:
		message.customer = newcomer.name
		work.touch(message)
	if not old:
		_give_to(work, ticket, newcomer)
		return ticket
	moved = _new_ticket(work, ticket, newcomer, new)
	for message in new:
		message.ticket = moved.name
	_move_wait(work, ticket, moved, new, holder.since_ms)
	_leave_behind(work, ticket, old)
	return moved


def _messages_since(messages: list[records.Message], holder: NewHolder) -> list[records.Message]:
	"""What the new holder wrote, and what was answered once it was here:
	until then answers were meant for the former one.
	"""
	theirs = {row.name for row in holder.rows}
	written = [
		m
		for m in messages
		if m.direction == records.INCOMING and m.sent_ms >= holder.since_ms and m.identity in theirs
	]
	known_ms = min((m.received_ms for m in written), default=None)
	names = {m.name for m in written}
	return [
		m
		for m in messages
		if m.name in names
		or (known_ms is not None and m.direction == records.OUTGOING and m.received_ms >= known_ms)
	]


def _give_to(work: UnitOfWork, ticket: records.Ticket, newcomer: records.Customer) -> None:
	ticket.customer, ticket.customer_name = newcomer.name, newcomer.customer_name
	ticket.open_key = open_key(newcomer.name, ticket.device)
	turns.move_turn(work, ticket, ticket)
	work.touch_ticket(ticket)


def _new_ticket(
	work: UnitOfWork, ticket: records.Ticket, newcomer: records.Customer, messages: list[records.Message]
) -> records.Ticket:
	incoming = [m for m in messages if m.direction == records.INCOMING]
	moved = records.Ticket(
		work.store.next_ticket_names(1)[0],
		newcomer.name,
		ticket.device,
		records.PENDING if ticket.agent else records.QUEUED,
		open_key(newcomer.name, ticket.device),
		newcomer.customer_name,
		ticket.branch,
		ticket.is_branch_only,
		ticket.agent,
		ticket.agent_name,
		opened_ms=work.now_ms,
		first_message_ms=min((m.sent_ms for m in incoming), default=None),
		unread_count=ticket.unread_count,
		queued_since_ms=None if ticket.agent else work.now_ms,
	)
	_see(moved, messages)
	replies = [m for m in messages if m.origin == records.AGENT and m.status != records.FAILED]
	moved.last_out_ms = max((m.sent_ms for m in replies), default=None)
	moved.first_responded_ms = min((m.sent_ms for m in replies), default=None)
	for reply in replies:
		ledger.note_replier(moved, reply.agent)
	work.add(moved)
	work.log(moved, "created")
	return moved


def _see(ticket: records.Ticket, messages: list[records.Message]) -> None:
	"""What lists show of a ticket with these messages, in their order."""
	incoming, shown = list(filter(opens_window, messages)), list(filter(is_in_thread, messages))
	ticket.last_in_ms, ticket.identity = (
		(incoming[-1].sent_ms, incoming[-1].identity) if incoming else (None, None)
	)
	ticket.last_message_ms, ticket.preview, ticket.preview_label = 0, "", ""
	if shown:
		ticket.last_message_ms = shown[-1].sent_ms
		put_preview(ticket, shown[-1])


def _move_wait(
	work: UnitOfWork, ticket: records.Ticket, moved: records.Ticket, new: list[records.Message], since_ms: int
) -> None:
	"""The wait that the new holder began goes along; what the former one still waits for stays."""
	turn, _ = work.open_parts(ticket)
	if turn is not None and turn.started_ms >= since_ms:
		turns.move_turn(work, ticket, moved)
	elif turn is not None:
		answered_ms = moved.last_out_ms or 0
		waits = [m for m in new if makes_wait(m) and m.received_ms > answered_ms]
		if waits:
			turns.customer_waits(work, moved, waits[0].sent_ms, waits[0].received_ms)


def _leave_behind(work: UnitOfWork, ticket: records.Ticket, messages: list[records.Message]) -> None:
	"""The former holder's conversation ends, unless he or she still waits for an answer."""
	ticket.unread_count = 0
	_see(ticket, messages)
	work.touch_ticket(ticket)
	if ticket.turn is None:
		close_ticket(work, ticket, NEW_HOLDER, records.NO_REPLY_NEEDED)
