"""One batch of events in memory: read what they touch, apply them in turn, leave the writing to the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from khalifa_whatsapp.core import message_state
from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.core.content import opens_window, put_preview, wants_answer
from khalifa_whatsapp.core.identity import PHONE, Identity
from khalifa_whatsapp.core.keys import digest, message_key
from khalifa_whatsapp.drivers import base as d
from khalifa_whatsapp.services.customers import merging
from khalifa_whatsapp.services.customers.identities import Customers
from khalifa_whatsapp.services.inbound import account, calls, echoes, placeholders
from khalifa_whatsapp.services.inbound.fields import clamp, fill
from khalifa_whatsapp.services.inbound.mentions import chat_of, chats_in, identities_in, refs_in
from khalifa_whatsapp.services.inbound.notices import Notices
from khalifa_whatsapp.services.inbound.tickets import Tickets
from khalifa_whatsapp.services.outbound import status_changes
from khalifa_whatsapp.services.tickets import turns
from khalifa_whatsapp.services.unit_of_work import UnitOfWork

Pair = tuple[r.Delivery, d.Event]


class IntakeBatch:
	"""The events of some deliveries of one device, and the rows they touch."""

	def __init__(
		self,
		work: UnitOfWork,
		device: d.DeviceConfig,
		aliases: Mapping[Identity, tuple[Identity, ...]] | None = None,
	) -> None:
		self.work = work
		self.device = device
		self.stored = 0
		self.aliases = aliases or {}  # what the gateway told when it was asked who a privacy id is
		self.events: list[d.Event] = []
		self.customers = Customers(work, self._merge)
		self.tickets = Tickets(work, device.name)
		self.notices = Notices(work, device.name)
		self.by_key: dict[str, r.Message] = {}
		self.by_name: dict[str, r.Message] = {}
		self.by_gateway_id: dict[str, list[r.Message]] = {}
		self.logs: dict[str, dict[str, r.MessageLog]] = {}
		self.doubtful: list[r.Message] | None = None
		self._changed: dict[str, r.Message] = {}  # stored before, and something else to be seen now

	def apply(self, pairs: list[Pair]) -> None:
		"""Read ahead, then apply every event in the order of its arrival."""
		self.events = [event for _, event in pairs]
		self.notices.read(self.events)
		self._read(self.events)
		for delivery, event in pairs:
			handler = _HANDLERS.get(type(event))
			if handler is not None:
				handler(self, delivery, event)
		self._name_tickets()
		self._tell_of_changed()

	def _name_tickets(self) -> None:
		"""A ticket at hand carries the name that its customer has at the end."""
		for name in self.customers.renamed & self.tickets.latest.keys():
			ticket, customer = self.tickets.latest[name], self.customers.by_name.get(name)
			if customer is not None and ticket.customer_name != customer.customer_name:
				ticket.customer_name = customer.customer_name
				self.work.touch(ticket)

	# -- reading
	def _read(self, events: list[d.Event]) -> None:
		mentioned = [(e.recipient, e.at_ms) for e in events if isinstance(e, d.MessageStatus) and e.recipient]
		self.customers.read((one for event in events for one in self._identities(event)), mentioned)
		self.tickets.read(self.customers.names())
		refs = {self.key(ref): ref for event in events for ref in refs_in(event)}
		callbacks = {e.callback for e in events if isinstance(e, d.MessageStatus) and e.callback}
		self.keep(self.work.store.messages_by_key(refs).values() if refs else ())
		self.keep(self.work.store.messages(callbacks).values() if callbacks else ())
		self.customers.load(
			{message.customer for message in map(self._ties_to, events) if message is not None}
		)
		self.tickets.read(self.customers.names() - self.tickets.latest.keys())
		self.tickets.wanted = self._customers_without_ticket(events)
		scoped = [ref.gateway_id for ref in refs.values() if ref.scope.startswith("in|")]
		if scoped:
			for message in self.work.store.messages_by_gateway_id(self.device.name, scoped):
				self.by_gateway_id.setdefault(message.gateway_id or "", []).append(self._kept(message))
		for log in self.work.store.logs(refs) if refs else ():
			self.logs.setdefault(log.target_key, {})[log.log_key] = log

	def _merge(self, gone: str, kept: str) -> None:
		"""Two customers turn out to be one: all that this batch has done is written,
		then all is read anew.
		"""
		self.work.flush()
		merging.merge(self.work, gone, kept)
		self.work.flush()
		changed = self._changed
		self.by_key, self.by_name, self.by_gateway_id, self.logs, self._doubtful = {}, {}, {}, {}, None
		self.tickets.latest, self.tickets.by_name = {}, {}
		self._read(self.events)
		missing = changed.keys() - self.by_name.keys()
		self.keep(self.work.store.messages(missing).values() if missing else ())
		self._changed = {name: self.by_name[name] for name in changed if name in self.by_name}

	def _identities(self, event: d.Event) -> tuple[Identity, ...]:
		"""Those whose customers this event is about, with what the gateway told of them when it was asked."""
		return tuple(
			one
			for given in (*identities_in(event), *chats_in(event))
			for one in (given, *self.aliases.get(given, ()))
		)

	def people(self, identities: Sequence[Identity]) -> tuple[Identity, ...]:
		"""All identities of a sender or recipient, a phone first."""
		found = dict.fromkeys(one for given in identities for one in (given, *self.aliases.get(given, ())))
		return tuple(sorted(found, key=lambda one: one.kind != PHONE))

	def _ties_to(self, event: d.Event) -> r.Message | None:
		"""Our message that an event without a phone answers or reports of:
		its customer is the one it speaks of.
		"""
		if isinstance(event, d.MessageStatus):
			message = self.by_key.get(self.key(event.ref)) or self.by_name.get(event.callback)
			people: Sequence[Identity] = event.recipient
		elif isinstance(event, d.InboundMessage) and event.reply_to is not None:
			message, people = self.by_key.get(self.key(event.reply_to)), self.people(event.sender)
		else:
			return None
		is_ours = message is not None and message.direction == r.OUTGOING
		owners = {row.customer for row in map(self.customers.row, people) if row is not None}
		is_told = bool(people) and owners != {message.customer if message else ""}
		is_open = is_told and (isinstance(event, d.MessageStatus) or all(one.kind != PHONE for one in people))
		return message if is_ours and is_open else None

	def _tie(self, event: d.MessageStatus | d.InboundMessage, people: Sequence[Identity], at_ms: int) -> None:
		"""Whom our message reached, or who quotes it, is the customer it was written to."""
		message = self._ties_to(event)
		if message is not None:
			self.customers.belongs_to(message.customer, people, at_ms, message.identity)

	def _customers_without_ticket(self, events: list[d.Event]) -> int:
		senders = {
			identities_in(e)[0]
			for e in events
			if isinstance(e, d.InboundMessage | d.OutboundEcho | d.Call) and identities_in(e)
		}
		held = {name for name, ticket in self.tickets.latest.items() if ticket.open_key is not None}
		rows = map(self.customers.row, senders)
		return sum(row is None or row.customer not in held for row in rows)

	def keep(self, messages: Iterable[r.Message]) -> None:
		for message in messages:
			self._kept(message)

	def _kept(self, message: r.Message) -> r.Message:
		"""The one copy of a message that this batch works on."""
		held = self.by_name.setdefault(message.name, message)
		if held.message_key:
			self.by_key[held.message_key] = held
		return held

	def key(self, ref: d.MessageRef) -> str:
		"""The message's unique key on this device."""
		return message_key(self.device.name, ref.scope, ref.gateway_id)

	# -- a customer wrote
	def inbound(self, delivery: r.Delivery, event: d.InboundMessage) -> None:
		key, sent = self.key(event.ref), clamp(event.sent_ms, delivery.received_ms)
		if key in self.by_key and not placeholders.stands_in(self.by_key[key], event):
			return
		people = self.people(event.sender)
		self._tie(event, people, sent)
		customer, identity = self.person(
			people, sent, event.profile_name, has_written=not event.is_edit_alone
		)
		self._note_asked(people)
		# only now: two customers may have become one
		known = self.by_key.get(key) or self.known_by_id(event.ref, customer.name)
		if known is None:
			self._new(delivery, event, customer, identity)
		elif placeholders.stands_in(known, event):
			placeholders.arrived(self, delivery, event, known)

	def person(
		self, people: Sequence[Identity], at_ms: int, name: str = "", has_written: bool = False
	) -> tuple[r.Customer, str | None]:
		"""The customer behind identities that were named together,
		and the strongest identity of these that is his or hers.
		"""
		customer = self.customers.resolve(people, at_ms, has_written=has_written)
		self.customers.name(customer, people, name, at_ms)
		return customer, self.identity_of(people, customer)

	def _new(
		self, delivery: r.Delivery, event: d.InboundMessage, customer: r.Customer, identity: str | None
	) -> None:
		waits = wants_answer(event.content_type, event.data)
		ticket = self.tickets.for_customer(customer, delivery.received_ms, waits)
		message = self.make_message(delivery, event, customer, ticket)
		message.identity = identity
		self.store(message, ticket)
		ticket.unread_count += int(event.content_type != "system")
		if opens_window(message):
			self.hears(customer, ticket, message.sent_ms, identity)
		ticket.identity = ticket.identity or identity
		self.work.touch_ticket(ticket)
		if waits:
			self.wait(ticket, message.sent_ms, message.received_ms)
		self.warn_of_new_holder(ticket)
		self.tickets.tell(ticket, "message")

	def known_by_id(self, ref: d.MessageRef, customer: str) -> r.Message | None:
		"""The same message of the same customer under another of the chat's names."""
		rows = self.by_gateway_id.get(ref.gateway_id, ()) if ref.scope else ()
		return next((m for m in rows if m.customer == customer and m.direction == r.INCOMING), None)

	def identity_of(self, people: Sequence[Identity], customer: r.Customer) -> str | None:
		"""The strongest identity that a message came from, as far as it is this customer's."""
		rows = map(self.customers.row, people)
		return next((row.name for row in rows if row is not None and row.customer == customer.name), None)

	def _note_asked(self, people: Sequence[Identity]) -> None:
		for row in map(self.customers.row, people):
			is_asked = row is not None and Identity(row.kind, row.value) in self.aliases
			if row is not None and is_asked and row.asked_ms != self.work.now_ms:
				row.asked_ms = self.work.now_ms
				self.work.touch(row)

	def warn_of_new_holder(self, ticket: r.Ticket) -> None:
		"""The number has come with somebody else's id: said in the conversation, and a person decides."""
		phone = self.customers.doubted.pop(ticket.customer, None)
		if phone is not None:
			self.work.log(ticket, "other_account", reason=phone)

	def make_message(
		self,
		delivery: r.Delivery,
		event: d.InboundMessage | d.OutboundEcho,
		customer: r.Customer,
		ticket: r.Ticket,
	) -> r.Message:
		message = self.new_row(delivery, event.ref, customer, ticket, isinstance(event, d.InboundMessage))
		message.sent_ms, message.body = clamp(event.sent_ms, delivery.received_ms), event.body
		fill(message, event, self.target_key(event.reply_to) if event.reply_to else None)
		return message

	def new_row(
		self,
		delivery: r.Delivery,
		ref: d.MessageRef,
		customer: r.Customer,
		ticket: r.Ticket,
		is_inbound: bool,
	) -> r.Message:
		"""A row of the thread for something that a gateway names, without what it says."""
		received = delivery.received_ms
		return r.Message(
			name=self.work.new_name(),
			ticket=ticket.name,
			customer=customer.name,
			device=self.device.name,
			direction=r.INCOMING if is_inbound else r.OUTGOING,
			origin=r.CUSTOMER if is_inbound else r.PHONE,
			content_type="",
			status=r.RECEIVED if is_inbound else r.SENT,
			sent_ms=received,
			received_ms=received,
			message_key=self.key(ref),
			provider=self.device.provider,
			gateway_id=ref.gateway_id,
			scope=ref.scope,
		)

	def store(self, message: r.Message, ticket: r.Ticket) -> None:
		"""A new row of the thread."""
		self.work.add(message)
		self.keep([message])
		self.by_gateway_id.setdefault(message.gateway_id or "", []).append(message)
		self.fold(message)
		self.stored += 1
		self.show_last(ticket, message)

	def show_last(self, ticket: r.Ticket, message: r.Message) -> None:
		"""The list shows the latest message."""
		if message.sent_ms >= ticket.last_message_ms:
			ticket.last_message_ms = message.sent_ms
			put_preview(ticket, message)

	def hears(self, customer: r.Customer, ticket: r.Ticket, at_ms: int, identity: str | None) -> None:
		"""The customer turned to us: that opens the gateway's service window,
		and answers go to the identity that was last.
		"""
		if (at_ms, self._value_of(identity)) >= (ticket.last_in_ms or 0, self._value_of(ticket.identity)):
			ticket.last_in_ms, ticket.identity = at_ms, identity
		customer.last_in_ms = max(customer.last_in_ms or 0, at_ms)
		self.work.touch(customer)

	def _value_of(self, identity: str | None) -> str:
		"""Of two identities that wrote in the same second the one of
		the greater value counts as the later.
		"""
		rows = (
			(row for rows in self.customers.rows.values() for row in rows if row.name == identity)
			if identity
			else ()
		)
		return next((row.value for row in rows), "")

	def wait(self, ticket: r.Ticket, sent_ms: int, known_ms: int) -> None:
		"""The customer waits for us since then, or longer already."""
		ticket.first_message_ms = min(ticket.first_message_ms or sent_ms, sent_ms)
		if ticket.turn is None:
			self.tickets.route(ticket)
			turns.customer_waits(self.work, ticket, sent_ms, known_ms)
		elif sent_ms < (ticket.waiting_since_ms or 0):
			turns.start_earlier(self.work, ticket, sent_ms)

	def rows_of(self, ticket: r.Ticket) -> list[r.Message]:
		"""All messages of a ticket, those of this batch as it has them."""
		stored = {row.name: row for row in self.work.store.messages_of(ticket.name)}
		return list(
			{
				**stored,
				**{name: row for name, row in self.by_name.items() if row.ticket == ticket.name},
			}.values()
		)

	def ticket_named(self, name: str) -> r.Ticket:
		"""A message's ticket, which need not be its customer's latest."""
		if name not in self.tickets.by_name:
			self.tickets.by_name[name] = self.work.store.tickets([name])[name]
		return self.tickets.by_name[name]

	def changed(self, message: r.Message) -> None:
		"""A row that was there shows something else now."""
		self.work.touch(message)
		self._changed[message.name] = message

	def call(self, delivery: r.Delivery, event: d.Call) -> None:
		calls.take(self, delivery, event)

	def echo(self, delivery: r.Delivery, event: d.OutboundEcho) -> None:
		echoes.take(self, delivery, event)

	# -- something is said of a message
	def status(self, delivery: r.Delivery, event: d.MessageStatus) -> None:
		key = self.key(event.ref)
		message = self.by_key.get(key) or self.by_name.get(event.callback)
		is_found = message is not None and message.message_key is None and message.direction == r.OUTGOING
		if message is not None and is_found:
			message.message_key = key
			message.gateway_id, message.scope = event.ref.gateway_id, event.ref.scope
			self.keep([message])
			self.work.touch(message)
		log = self._log(
			delivery, key, "status", event.status, event.at_ms, digest(key, "status", event.status)
		)
		if log is not None:
			log.callback = event.callback or None
			log.error_kind, log.error_code = event.error_kind, event.error_code
			log.error_text = event.error_text
		if log is not None or is_found:
			self._fold_target(key, message)
		self._reached(event, message, clamp(event.at_ms, delivery.received_ms))

	def _reached(self, event: d.MessageStatus, message: r.Message | None, at_ms: int) -> None:
		"""Whom a message of ours reached: what a gateway names together is one person's."""
		people = event.recipient
		if not people or not self.customers.is_news(people, at_ms):
			return
		self._tie(event, people, at_ms)
		if any(self.customers.row(one) is not None for one in people):
			customer = self.customers.resolve(people, at_ms)
			ticket = self.tickets.latest.get(customer.name)
			if ticket is not None:
				self.warn_of_new_holder(ticket)

	def target_key(self, ref: d.MessageRef) -> str:
		"""The key of a message that is spoken of; found also under another name of the customer's chat."""
		key, chat = self.key(ref), chat_of(ref)
		row = self.customers.row(chat) if chat is not None and key not in self.by_key else None
		if row is None:
			return key
		same = [
			m for m in self.by_gateway_id.get(ref.gateway_id, ()) if m.customer == row.customer and m.scope
		]
		return next((m.message_key for m in same if m.direction == r.INCOMING and m.message_key), key)

	def reaction(self, delivery: r.Delivery, event: d.Reaction) -> None:
		key = self.target_key(event.target)
		log_key = digest(key, "reaction", event.author, str(event.at_ms), event.emoji)
		log = self._log(delivery, key, "reaction", event.emoji, event.at_ms, log_key)
		if log is not None:
			log.author = event.author
			self._fold_target(key)

	def edit(self, delivery: r.Delivery, event: d.MessageEdit) -> None:
		key = self.target_key(event.target)
		if self._log(
			delivery, key, "edit", event.body, event.at_ms, digest(key, "edit", str(event.at_ms), event.body)
		):
			self._fold_target(key)
		if not event.customer:
			return
		# whoever edits was there then, whether or not we have the message
		at_ms = clamp(event.at_ms, delivery.received_ms)
		self.customers.resolve(self.people(event.customer), at_ms, has_written=not event.is_ours)
		if key not in self.by_key:
			placeholders.edited_only(self, delivery, event)

	def revoke(self, delivery: r.Delivery, event: d.MessageRevoke) -> None:
		key = self.target_key(event.target)
		if self._log(delivery, key, "revoke", "", event.at_ms, digest(key, "revoke")):
			self._fold_target(key)

	def _log(
		self, delivery: r.Delivery, key: str, kind: str, value: str, at_ms: int, log_key: str
	) -> r.MessageLog | None:
		"""A new log row; None when the same was said before."""
		rows = self.logs.setdefault(key, {})
		if log_key in rows:
			return None
		log = r.MessageLog(
			self.work.new_name(),
			log_key,
			key,
			kind,
			value,
			clamp(at_ms, delivery.received_ms),
			self.device.name,
		)
		rows[log_key] = self.work.add(log)
		return log

	def _fold_target(self, key: str, message: r.Message | None = None) -> None:
		message = message or self.by_key.get(key)
		if message is not None:
			self.fold(message)

	def fold(self, message: r.Message) -> None:
		"""Bring the message to the state that all that was said of it amounts to."""
		logs = list(self.logs.get(message.message_key or "", {}).values())
		for log in logs:
			if log.message is None:
				log.message = message.name
				self.work.touch(log)
		before, words = message.status, _words(message)
		if message_state.fold(message, logs):
			self.work.touch(message)
			if message.status != before:
				status_changes.status_changed(self.work, message, before, self.tickets.by_name)
			if _words(message) != words:
				self._changed[message.name] = message

	def _tell_of_changed(self) -> None:
		"""A reaction, an edit, a message taken back: whoever has the conversation open sees it,
		and so do lists.
		"""
		names = {message.ticket for message in self._changed.values()} - self.tickets.by_name.keys()
		tickets = self.tickets.by_name | (self.work.store.tickets(names) if names else {})
		for message in self._changed.values():
			ticket = tickets[message.ticket]
			before = ticket.preview
			if message.sent_ms == ticket.last_message_ms:
				put_preview(ticket, message)
			if ticket.preview != before:
				self.work.touch(ticket)
			self.tickets.tell(ticket, "changed")


_HANDLERS: dict[type, Callable[[IntakeBatch, r.Delivery, Any], None]] = {
	d.InboundMessage: IntakeBatch.inbound,
	d.OutboundEcho: IntakeBatch.echo,
	d.Call: IntakeBatch.call,
	d.MessageStatus: IntakeBatch.status,
	d.Reaction: IntakeBatch.reaction,
	d.MessageEdit: IntakeBatch.edit,
	d.MessageRevoke: IntakeBatch.revoke,
	d.IdentityChange: account.identity_change,
	d.MarketingPreference: account.preference,
	d.SessionState: account.session,
	d.AccountNotice: account.account,
	d.TemplateStatus: account.template,
}


def _words(message: r.Message) -> tuple[object, ...]:
	return (message.body, message.is_revoked, message.reactions)
