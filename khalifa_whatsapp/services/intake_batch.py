"""One batch of events in memory: read what they touch, apply them in turn, leave the writing to the work."""

from __future__ import annotations

import json
from collections.abc import Iterable

from khalifa_whatsapp.core import message_state
from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.core.keys import digest, message_key
from khalifa_whatsapp.core.settings import MINUTE_MS
from khalifa_whatsapp.drivers import base as d
from khalifa_whatsapp.services import outcomes, turns
from khalifa_whatsapp.services.intake_customers import Customers
from khalifa_whatsapp.services.intake_notices import Notices
from khalifa_whatsapp.services.intake_tickets import Tickets
from khalifa_whatsapp.services.work import Work

FUTURE_MS = 5 * MINUTE_MS  # a gateway's clock may be ahead of ours by so much, no more
EARLIEST_MS = 1_230_768_000_000  # 2009: there was no WhatsApp before

Pair = tuple[r.Delivery, d.Event]


class IntakeBatch:
	"""The events of some deliveries of one device, and the rows they touch."""

	def __init__(self, work: Work, device: d.DeviceConfig) -> None:
		self.work = work
		self.device = device
		self.stored = 0
		self.customers = Customers(work)
		self.tickets = Tickets(work, device.name)
		self.notices = Notices(work, device.name)
		self.by_key: dict[str, r.Message] = {}
		self.by_name: dict[str, r.Message] = {}
		self.by_gateway_id: dict[str, list[r.Message]] = {}
		self.logs: dict[str, dict[str, r.MessageLog]] = {}
		self._doubtful: list[r.Message] | None = None
		self._changed: dict[str, r.Message] = {}  # stored before, and something else to be seen now

	def apply(self, pairs: list[Pair]) -> None:
		"""Read ahead, then apply every event in the order of its arrival."""
		events = [event for _, event in pairs]
		self._read(events)
		for delivery, event in pairs:
			handler = _HANDLERS.get(type(event))
			if handler is not None:
				handler(self, delivery, event)
		self._tell_of_changed()

	# -- reading
	def _read(self, events: list[d.Event]) -> None:
		self.customers.read(identity for event in events for identity in _identities(event))
		self.notices.read(events)
		self.tickets.read(self.customers.names())
		self.tickets.wanted = self._customers_without_ticket(events)
		refs = {self.key(ref): ref for event in events for ref in _refs(event)}
		callbacks = {e.callback for e in events if isinstance(e, d.MessageStatus) and e.callback}
		self._keep(self.work.store.messages_by_key(refs).values() if refs else ())
		self._keep(self.work.store.messages(callbacks).values() if callbacks else ())
		scoped = [ref.gateway_id for ref in refs.values() if ref.scope.startswith("in|")]
		if scoped:
			for message in self.work.store.messages_by_gateway_id(self.device.name, scoped):
				self.by_gateway_id.setdefault(message.gateway_id or "", []).append(message)
		for log in self.work.store.logs(refs) if refs else ():
			self.logs.setdefault(log.target_key, {})[log.log_key] = log

	def _customers_without_ticket(self, events: list[d.Event]) -> int:
		senders = {_identities(e)[0].key for e in events if isinstance(e, d.InboundMessage | d.OutboundEcho) and _identities(e)}
		known = {row.identity_key: row.customer for row in self.customers.by_identity.values()}
		held = {name for name, ticket in self.tickets.latest.items() if ticket.open_key is not None}
		return sum(known.get(key) not in held for key in senders)

	def _keep(self, messages: Iterable[r.Message]) -> None:
		for message in messages:
			held = self.by_name.setdefault(message.name, message)
			if held.message_key:
				self.by_key[held.message_key] = held

	def key(self, ref: d.MessageRef) -> str:
		"""The message's unique key on this device."""
		return message_key(self.device.name, ref.scope, ref.gateway_id)

	# -- a customer wrote
	def inbound(self, delivery: r.Delivery, event: d.InboundMessage) -> None:
		key = self.key(event.ref)
		if key in self.by_key:
			return
		received = delivery.received_ms
		customer = self.customers.resolve(event.sender, event.profile_name, received)
		if self._is_known_by_id(event.ref, customer.name):
			return
		wants_answer = event.content_type != "system"
		ticket = self.tickets.for_customer(customer, received, wants_answer)
		message = self._message(delivery, event, key, customer, ticket)
		self._store(message, ticket)
		customer.last_in_ms = max(customer.last_in_ms or 0, message.sent_ms)
		self.work.touch(customer)
		self._ticket_hears(ticket, message)
		if wants_answer:
			self._wait(ticket, message)
		self.tickets.tell(ticket, "message")

	def _is_known_by_id(self, ref: d.MessageRef, customer: str) -> bool:
		"""The same message of the same customer under another of the chat's names."""
		return any(m.customer == customer for m in self.by_gateway_id.get(ref.gateway_id, ()) if ref.scope)

	def _message(
		self, delivery: r.Delivery, event: d.InboundMessage | d.OutboundEcho, key: str,
		customer: r.Customer, ticket: r.Ticket,
	) -> r.Message:  # fmt: skip
		received = delivery.received_ms
		is_inbound = isinstance(event, d.InboundMessage)
		media = event.media
		message = r.Message(
			name=self.work.new_name(), ticket=ticket.name, customer=customer.name, device=self.device.name,
			direction=r.INCOMING if is_inbound else r.OUTGOING, origin=r.CUSTOMER if is_inbound else r.PHONE,
			content_type=event.content_type, status=r.RECEIVED if is_inbound else r.SENT,
			sent_ms=_clamp(event.sent_ms, received), received_ms=received, message_key=key,
			provider=self.device.provider, gateway_id=event.ref.gateway_id, scope=event.ref.scope, body=event.body,
		)  # fmt: skip
		if media is not None:
			message.media_id, message.mime_type, message.file_name = media.media_id, media.mime_type, media.file_name
			message.media_state = "Waiting"
		if is_inbound:
			message.sequence = event.sequence
			message.reply_to = self.key(event.reply_to) if event.reply_to else None
			message.data = json.dumps(event.data, ensure_ascii=False, sort_keys=True) if event.data else None
		return message

	def _store(self, message: r.Message, ticket: r.Ticket) -> None:
		self.work.add(message)
		self._keep([message])
		self.by_gateway_id.setdefault(message.gateway_id or "", []).append(message)
		self._fold(message)
		self.stored += 1
		if message.sent_ms >= ticket.last_message_ms:
			ticket.last_message_ms = message.sent_ms
			ticket.preview = message_state.summary(message)

	def _ticket_hears(self, ticket: r.Ticket, message: r.Message) -> None:
		sent = message.sent_ms
		ticket.last_in_ms = max(ticket.last_in_ms or 0, sent)
		ticket.first_message_ms = min(ticket.first_message_ms or sent, sent)
		ticket.unread_count += 1
		self.work.touch_ticket(ticket)

	def _wait(self, ticket: r.Ticket, message: r.Message) -> None:
		if ticket.turn is None:
			self.tickets.route(ticket)
			turns.customer_waits(self.work, ticket, message.sent_ms, message.received_ms)
		elif message.sent_ms < (ticket.waiting_since_ms or 0):
			turns.start_earlier(self.work, ticket, message.sent_ms)

	# -- our number wrote, but not through us
	def echo(self, delivery: r.Delivery, event: d.OutboundEcho) -> None:
		"""A message typed on the phone: shown, but nobody's answer, so the customer's wait goes on."""
		key = self.key(event.ref)
		if key in self.by_key or not event.recipient:
			return
		customer = self.customers.resolve(event.recipient, "", delivery.received_ms)
		if self._settles_doubt(delivery, event, key, customer.name):
			return
		ticket = self.tickets.for_customer(customer, delivery.received_ms, wants_answer=False)
		self._store(self._message(delivery, event, key, customer, ticket), ticket)
		self.work.touch_ticket(ticket)
		self.tickets.tell(ticket, "phone")

	def _settles_doubt(self, delivery: r.Delivery, event: d.OutboundEcho, key: str, customer: str) -> bool:
		"""The echo of a message whose sending had no clear answer: it did go, and it is this row, not another."""
		for message in self.doubtful():
			is_same = message.customer == customer and message.body == event.body and message.message_key is None
			if is_same and message.sent_ms <= _clamp(event.sent_ms, delivery.received_ms) + FUTURE_MS:
				message.message_key, message.gateway_id, message.scope = key, event.ref.gateway_id, event.ref.scope
				before, message.status = message.status, r.SENT
				message.error_kind = message.error_code = message.error_text = None
				self._keep([message])
				self._fold(message)
				self.work.touch(message)
				outcomes.status_changed(self.work, message, before, self.tickets.by_name)
				return True
		return False

	def doubtful(self) -> list[r.Message]:
		"""Messages being sent, or of unknown fate, oldest first; read once and only when an echo asks."""
		if self._doubtful is None:
			self._doubtful = self.work.store.doubtful_messages(self.device.name)
			self._keep(self._doubtful)
			self._doubtful = [self.by_name[message.name] for message in self._doubtful]
		return self._doubtful

	# -- something is said of a message
	def status(self, delivery: r.Delivery, event: d.MessageStatus) -> None:
		key = self.key(event.ref)
		message = self.by_key.get(key) or self.by_name.get(event.callback)
		is_found = message is not None and message.message_key is None and message.direction == r.OUTGOING
		if message is not None and is_found:
			message.message_key, message.gateway_id, message.scope = key, event.ref.gateway_id, event.ref.scope
			self._keep([message])
			self.work.touch(message)
		log = self._log(delivery, key, "status", event.status, event.at_ms, digest(key, "status", event.status))
		if log is not None:
			log.callback = event.callback or None
			log.error_kind, log.error_code, log.error_text = event.error_kind, event.error_code, event.error_text
		if log is not None or is_found:
			self._fold_target(key, message)

	def reaction(self, delivery: r.Delivery, event: d.Reaction) -> None:
		key = self.key(event.target)
		log_key = digest(key, "reaction", event.author, str(event.at_ms), event.emoji)
		log = self._log(delivery, key, "reaction", event.emoji, event.at_ms, log_key)
		if log is not None:
			log.author = event.author
			self._fold_target(key)

	def edit(self, delivery: r.Delivery, event: d.MessageEdit) -> None:
		key = self.key(event.target)
		if self._log(delivery, key, "edit", event.body, event.at_ms, digest(key, "edit", str(event.at_ms), event.body)):
			self._fold_target(key)

	def revoke(self, delivery: r.Delivery, event: d.MessageRevoke) -> None:
		key = self.key(event.target)
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
			self.work.new_name(), log_key, key, kind, value, _clamp(at_ms, delivery.received_ms), self.device.name
		)
		rows[log_key] = self.work.add(log)
		return log

	def _fold_target(self, key: str, message: r.Message | None = None) -> None:
		message = message or self.by_key.get(key)
		if message is not None:
			self._fold(message)

	def _fold(self, message: r.Message) -> None:
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
				outcomes.status_changed(self.work, message, before, self.tickets.by_name)
			if _words(message) != words:
				self._changed[message.name] = message

	def _tell_of_changed(self) -> None:
		"""A reaction, an edit, a message taken back: whoever has the conversation open sees it, and so do lists."""
		names = {message.ticket for message in self._changed.values()} - self.tickets.by_name.keys()
		tickets = self.tickets.by_name | (self.work.store.tickets(names) if names else {})
		for message in self._changed.values():
			ticket = tickets[message.ticket]
			last = message_state.summary(message)
			if message.sent_ms == ticket.last_message_ms and last != ticket.preview:
				ticket.preview = last
				self.work.touch(ticket)
			self.tickets.tell(ticket, "changed")

	# -- about a customer, the device, the account
	def identity_change(self, delivery: r.Delivery, event: d.IdentityChange) -> None:
		self.customers.link(event.old, event.new, delivery.received_ms)

	def preference(self, delivery: r.Delivery, event: d.MarketingPreference) -> None:
		customer = self.customers.resolve(event.customer, "", delivery.received_ms)
		if (customer.opted_out_ms or 0) <= event.at_ms:
			customer.is_opted_out, customer.opted_out_ms = int(event.is_stopped), event.at_ms
			self.work.touch(customer)

	def session(self, delivery: r.Delivery, event: d.SessionState) -> None:
		self.work.changes.device_states[self.device.name] = (event.state, event.detail, delivery.received_ms)
		self._tell_managers("khalifa_whatsapp:device", state=event.state)

	def account(self, delivery: r.Delivery, event: d.AccountNotice) -> None:
		self.notices.account(event, delivery.received_ms)
		self._tell_managers("khalifa_whatsapp:device")

	def template(self, delivery: r.Delivery, event: d.TemplateStatus) -> None:
		self.notices.template(event, delivery.received_ms)

	def _tell_managers(self, name: str, **data: str) -> None:
		self.work.tell(name, {"device": self.device.name, **data}, role=turns.MANAGER_ROLE)


_HANDLERS = {
	d.InboundMessage: IntakeBatch.inbound,
	d.OutboundEcho: IntakeBatch.echo,
	d.MessageStatus: IntakeBatch.status,
	d.Reaction: IntakeBatch.reaction,
	d.MessageEdit: IntakeBatch.edit,
	d.MessageRevoke: IntakeBatch.revoke,
	d.IdentityChange: IntakeBatch.identity_change,
	d.MarketingPreference: IntakeBatch.preference,
	d.SessionState: IntakeBatch.session,
	d.AccountNotice: IntakeBatch.account,
	d.TemplateStatus: IntakeBatch.template,
}


def _identities(event: d.Event) -> tuple:
	if isinstance(event, d.InboundMessage):
		return event.sender
	if isinstance(event, d.OutboundEcho):
		return event.recipient
	if isinstance(event, d.IdentityChange):
		return (*event.old, *event.new)
	return event.customer if isinstance(event, d.MarketingPreference) else ()


def _refs(event: d.Event) -> tuple[d.MessageRef, ...]:
	if isinstance(event, d.InboundMessage | d.OutboundEcho | d.MessageStatus):
		return (event.ref,)
	return (event.target,) if isinstance(event, d.Reaction | d.MessageEdit | d.MessageRevoke) else ()


def _clamp(sent_ms: int, received_ms: int) -> int:
	"""A gateway's time, unless it is nonsense: then our own."""
	return min(sent_ms, received_ms + FUTURE_MS) if sent_ms > EARLIEST_MS else received_ms


def _words(message: r.Message) -> tuple[object, ...]:
	return (message.body, message.is_revoked, message.reactions)
