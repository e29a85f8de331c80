"""Two customers who turn out to be one: identities, conversations and messages move,
and no wait counts twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from khalifa_whatsapp.core import audit as kinds
from khalifa_whatsapp.core import message_state, records
from khalifa_whatsapp.core.accounts import main_phone
from khalifa_whatsapp.core.content import makes_wait
from khalifa_whatsapp.core.keys import open_key
from khalifa_whatsapp.services import audit
from khalifa_whatsapp.services.customers.identities import show_name
from khalifa_whatsapp.services.tickets import snoozing, turns
from khalifa_whatsapp.services.tickets.closing import close_ticket
from khalifa_whatsapp.services.tickets.notices import notify_owner
from khalifa_whatsapp.services.unit_of_work import UnitOfWork

MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Pair:
	"""The two who are one."""

	gone: records.Customer
	kept: records.Customer
	doubles: set[str]  # messages that were stored twice, and go
	values: dict[str, str]  # of all their identities, by name


def merge(work: UnitOfWork, source: str, target: str) -> records.Customer:
	"""Make `source` part of `target`; of two open tickets on a device one goes on. Writes what it changed."""
	customers = work.store.customers([source, target])
	gone, kept = customers[source], customers[target]
	rows = [
		row
		for identities in work.store.identities_of([source, target], locked=True).values()
		for row in identities
	]
	pair = Pair(gone, kept, _doubles(work, gone, kept), {row.name: row.value for row in rows})
	for device in work.store.devices_of_customer(source):
		_join_tickets(work, pair, device)
	_join_facts(gone, kept, rows)
	audit.note(
		work,
		kinds.CUSTOMER,
		kinds.MERGED,
		document_type=records.Customer.DOCTYPE,
		document=kept.name,
		title=kept.name,
		values={"merged": gone.name, "messages stored twice": len(pair.doubles) or ""},
	)
	work.touch(gone)
	work.touch(kept)
	work.finish()
	for double in pair.doubles:
		work.store.drop_message(double)
	work.store.move_customer(source, target)
	work.store.save_names([target])
	return kept


def _doubles(work: UnitOfWork, gone: records.Customer, kept: records.Customer) -> set[str]:
	"""One message that came under two names of its chat was stored twice: the first to come stays,
	with all said of it.
	"""
	pairs = work.store.doubles(gone.name, kept.name)
	messages = work.store.messages({name for pair in pairs for name in pair})
	dropped = set()
	for pair in pairs:
		first, second = sorted((messages[name] for name in pair), key=lambda one: (one.received_ms, one.name))
		work.store.retarget_logs(second, first)
		if message_state.fold(first, work.store.logs([first.message_key or ""])):
			work.touch(first)
		dropped.add(second.name)
	return dropped


def _join_facts(gone: records.Customer, kept: records.Customer, rows: list[records.CustomerIdentity]) -> None:
	gone.merged_into, gone.duplicate_of, gone.duplicate_state = kept.name, None, None
	if kept.duplicate_of == gone.name:
		kept.duplicate_of = kept.duplicate_state = None
	kept.phone, gone.phone = main_phone(rows) or kept.phone or gone.phone, None
	kept.branch, kept.last_agent = kept.branch or gone.branch, kept.last_agent or gone.last_agent
	kept.last_in_ms = max(kept.last_in_ms or 0, gone.last_in_ms or 0) or None
	kept.created_ms = min(kept.created_ms, gone.created_ms)
	_merge_preferences(gone, kept)
	show_name(kept, rows)


def _merge_preferences(gone: records.Customer, kept: records.Customer) -> None:
	"""The latest wish counts; of a wish without a time nothing is known, and then no promotions are sent."""
	if gone.opted_out_ms and kept.opted_out_ms:
		latest = max((gone, kept), key=lambda one: (one.opted_out_ms or 0, one.is_opted_out))
		kept.is_opted_out, kept.opted_out_ms = latest.is_opted_out, latest.opted_out_ms
		return
	kept.is_opted_out = max(kept.is_opted_out, gone.is_opted_out)
	kept.opted_out_ms = kept.opted_out_ms or gone.opted_out_ms


def _join_tickets(work: UnitOfWork, pair: Pair, device: str) -> None:
	kept, names = pair.kept, (pair.gone.name, pair.kept.name)
	latest = work.store.latest_tickets([(name, device) for name in names])
	old, new = (latest.get((name, device)) for name in names)
	messages: dict[str, list[records.Message]] = {}
	for ticket in (old, new):
		if ticket is not None and ticket.open_key is not None:
			messages[ticket.name] = _without(work, ticket, pair.doubles)
	if old is None or new is None or len(messages) < 2:
		_keep_the_open_one(work, kept, old, messages)
		return
	stays, goes = (old, new) if _is_answered(old) and not _is_answered(new) else (new, old)
	_join(work, stays, goes, messages[goes.name], pair.values)
	if stays is old:
		_hand_to(work, old, kept)
	work.log(stays, "joined", reason=goes.name)
	notify_owner(work, stays, "changed")


def _keep_the_open_one(
	work: UnitOfWork,
	kept: records.Customer,
	old: records.Ticket | None,
	messages: dict[str, list[records.Message]],
) -> None:
	"""Nothing is to be joined; a ticket of which only doubles are left ends."""
	if old is not None and old.name in messages:
		_hand_to(work, old, kept)
	for name, left in messages.items():
		if not left:
			_end(work, work.current([work.store.tickets([name])[name]])[0])


def _hand_to(work: UnitOfWork, ticket: records.Ticket, kept: records.Customer) -> None:
	ticket.customer, ticket.open_key = kept.name, open_key(kept.name, ticket.device)
	work.touch_ticket(ticket)


def _without(work: UnitOfWork, ticket: records.Ticket, doubles: set[str]) -> list[records.Message]:
	"""The ticket's messages without doubles; a wait that only a double had opened never was one."""
	messages = work.store.messages_of(ticket.name)
	kept = [message for message in messages if message.name not in doubles]
	if len(kept) == len(messages):
		return kept
	ticket.unread_count = max(ticket.unread_count - (len(messages) - len(kept)), 0)
	turn, _ = work.open_parts(ticket)
	if turn is not None and not any(_opens_wait(message, turn) for message in kept):
		turns.void_turn(work, ticket)
		ticket.status = records.PENDING if ticket.agent else records.QUEUED
	work.touch_ticket(ticket)
	return kept


def _opens_wait(message: records.Message, turn: records.Turn) -> bool:
	return makes_wait(message) and message.received_ms >= turn.known_ms


def _is_answered(ticket: records.Ticket) -> bool:
	return ticket.first_responded_ms is not None or ticket.cycle_replies > 0


def _join(
	work: UnitOfWork,
	stays: records.Ticket,
	goes: records.Ticket,
	messages: list[records.Message],
	values: dict[str, str],
) -> None:
	"""One ticket goes on with the wait of both; what nobody of ours has answered becomes part of it,
	else stays where it is.
	"""
	turn, _ = work.open_parts(goes)
	waits = (turn.started_ms, turn.known_ms) if turn is not None else None
	if _is_answered(goes):
		close_ticket(work, goes, MERGED, records.NO_REPLY_NEEDED)
	else:
		for message in work.current(messages):
			message.ticket = stays.name
			work.touch(message)
		_join_times(stays, goes, values)
		_end(work, goes)
	goes.open_key = None
	if waits is not None:
		_take_over_wait(work, stays, *waits)
	work.touch_ticket(stays)


def _end(work: UnitOfWork, ticket: records.Ticket) -> None:
	"""The ticket became part of another one: it keeps its row and its number,
	is nobody's and counts for nothing.
	"""
	turns.void_turn(work, ticket)
	ticket.status, ticket.open_key, ticket.closed_ms, ticket.close_reason = (
		records.CLOSED,
		None,
		work.now_ms,
		MERGED,
	)
	ticket.unread_count, ticket.queued_since_ms = 0, None
	snoozing.forget(ticket)
	work.log(ticket, "closed", from_agent=ticket.agent, reason=MERGED)
	notify_owner(work, ticket, "closed")
	ticket.agent = ticket.agent_name = None
	work.touch_ticket(ticket)


def _join_times(stays: records.Ticket, goes: records.Ticket, values: dict[str, str]) -> None:
	def last(ticket: records.Ticket) -> tuple[int, str]:
		return ticket.last_in_ms or 0, values.get(ticket.identity or "", "")

	if last(goes) > last(stays):
		stays.last_in_ms, stays.identity = goes.last_in_ms, goes.identity
	if goes.last_message_ms > stays.last_message_ms:
		stays.last_message_ms = goes.last_message_ms
		stays.preview, stays.preview_label = goes.preview, goes.preview_label
	firsts = [at for at in (stays.first_message_ms, goes.first_message_ms) if at is not None]
	stays.first_message_ms = min(firsts, default=None)
	stays.opened_ms = min(stays.opened_ms, goes.opened_ms)
	stays.unread_count += goes.unread_count


def _take_over_wait(work: UnitOfWork, ticket: records.Ticket, since_ms: int, known_ms: int) -> None:
	"""The customer waited in the other ticket: the wait goes on in this one, with its start."""
	if ticket.waiting_since_ms is None:
		turns.leave_absent(work, ticket)
		turns.customer_waits(work, ticket, since_ms, work.now_ms)
	elif since_ms < ticket.waiting_since_ms:
		turns.start_earlier(work, ticket, since_ms)
	turn, _ = work.open_parts(ticket)
	if turn is not None and known_ms < turn.known_ms:
		turn.known_ms = known_ms
		work.touch(turn)
