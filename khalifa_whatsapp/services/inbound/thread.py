"""The messages that a batch speaks of, and what is said of them: each read once, each one object for all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from khalifa_whatsapp.core import message_state, records
from khalifa_whatsapp.core.content import put_preview
from khalifa_whatsapp.core.keys import message_key
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.customers.identities import Customers
from khalifa_whatsapp.services.inbound.fields import clamp, fill
from khalifa_whatsapp.services.inbound.mentions import chat_of
from khalifa_whatsapp.services.inbound.tickets import Tickets
from khalifa_whatsapp.services.outbound import status_changes
from khalifa_whatsapp.services.unit_of_work import UnitOfWork


class Thread:
	"""Messages of one device with their logs, within one transaction."""

	def __init__(
		self, work: UnitOfWork, device: base.DeviceConfig, customers: Customers, tickets: Tickets
	) -> None:
		self.work = work
		self.device = device
		self.customers = customers
		self.tickets = tickets
		self.stored = 0
		self.by_key: dict[str, records.Message] = {}
		self.by_name: dict[str, records.Message] = {}
		self._by_gateway_id: dict[str, list[records.Message]] = {}
		self._logs: dict[str, dict[str, records.MessageLog]] = {}
		self._doubtful: list[records.Message] | None = None
		self._changed: dict[str, records.Message] = {}  # stored before, and something else to be seen now

	# -- reading
	def read(self, refs: Mapping[str, base.MessageRef], names: Collection[str]) -> None:
		"""Read messages by their keys, and by their names."""
		self.keep(self.work.store.messages_by_key(refs).values() if refs else ())
		self.keep(self.work.store.messages(names).values() if names else ())

	def read_namesakes(self, refs: Mapping[str, base.MessageRef]) -> None:
		"""Read messages that may be those of `refs` under another name of their chat."""
		scoped = [ref.gateway_id for ref in refs.values() if ref.scope.startswith("in|")]
		if scoped:
			for message in self.work.store.messages_by_gateway_id(self.device.name, scoped):
				self._by_gateway_id.setdefault(message.gateway_id or "", []).append(self._kept(message))

	def read_logs(self, keys: Collection[str]) -> None:
		"""Read what was said before of messages with these keys."""
		for log in self.work.store.logs(keys) if keys else ():
			self._logs.setdefault(log.target_key, {})[log.log_key] = log

	def forget(self) -> None:
		"""Have all read anew; only which messages changed is remembered."""
		self.by_key, self.by_name, self._by_gateway_id, self._logs = {}, {}, {}, {}
		self._doubtful = None

	def read_changed(self) -> None:
		"""After `forget` and reading: what had changed, as it is stored now. What is gone changed nothing."""
		missing = self._changed.keys() - self.by_name.keys()
		self.keep(self.work.store.messages(missing).values() if missing else ())
		self._changed = {name: self.by_name[name] for name in self._changed if name in self.by_name}

	def keep(self, messages: Iterable[records.Message]) -> None:
		"""Have these at hand, unless they are already."""
		for message in messages:
			self._kept(message)

	def _kept(self, message: records.Message) -> records.Message:
		"""The one copy of a message that this batch works on."""
		held = self.by_name.setdefault(message.name, message)
		if held.message_key:
			self.by_key[held.message_key] = held
		return held

	# -- finding
	def key(self, ref: base.MessageRef) -> str:
		"""The message's unique key on this device."""
		return message_key(self.device.name, ref.scope, ref.gateway_id)

	def known(self, key: str, ref: base.MessageRef, customer: str) -> records.Message | None:
		"""The message with this key, or the customer's same one under another of the chat's names."""
		message = self.by_key.get(key)
		rows = self._by_gateway_id.get(ref.gateway_id, ()) if ref.scope else ()
		return message or next(
			(m for m in rows if m.customer == customer and m.direction == records.INCOMING), None
		)

	def target_key(self, ref: base.MessageRef) -> str:
		"""The key of a message that is spoken of; found also under another name of the customer's chat."""
		key, chat = self.key(ref), chat_of(ref)
		row = self.customers.row(chat) if chat is not None and key not in self.by_key else None
		if row is None:
			return key
		rows = self._by_gateway_id.get(ref.gateway_id, ())
		same = [m for m in rows if m.customer == row.customer and m.scope]
		return next((m.message_key for m in same if m.direction == records.INCOMING and m.message_key), key)

	def rows_of(self, ticket: records.Ticket) -> list[records.Message]:
		"""All messages of a ticket, those of this batch as it has them."""
		stored = {row.name: row for row in self.work.store.messages_of(ticket.name)}
		at_hand = {name: row for name, row in self.by_name.items() if row.ticket == ticket.name}
		return list((stored | at_hand).values())

	def doubtful(self) -> list[records.Message]:
		"""Messages being sent, or of unknown fate, oldest first; read once and only when an echo asks."""
		if self._doubtful is None:
			messages = self.work.store.doubtful_messages(self.device.name)
			self._doubtful = [self._kept(message) for message in messages]
		return self._doubtful

	# -- writing
	def make_message(
		self,
		webhook_event: records.WebhookEvent,
		event: base.InboundMessage | base.OutboundEcho,
		customer: records.Customer,
		ticket: records.Ticket,
	) -> records.Message:
		"""A row for a message of the gateway's, not stored yet."""
		message = self.new_row(
			webhook_event, event.ref, customer, ticket, isinstance(event, base.InboundMessage)
		)
		message.sent_ms, message.body = clamp(event.sent_ms, webhook_event.received_ms), event.body
		fill(message, event, self.target_key(event.reply_to) if event.reply_to else None)
		return message

	def new_row(
		self,
		webhook_event: records.WebhookEvent,
		ref: base.MessageRef,
		customer: records.Customer,
		ticket: records.Ticket,
		is_inbound: bool,
	) -> records.Message:
		"""A row of the thread for something that a gateway names, without what it says."""
		received = webhook_event.received_ms
		return records.Message(
			name=self.work.new_name(),
			ticket=ticket.name,
			customer=customer.name,
			device=self.device.name,
			direction=records.INCOMING if is_inbound else records.OUTGOING,
			origin=records.CUSTOMER if is_inbound else records.PHONE,
			content_type="",
			status=records.RECEIVED if is_inbound else records.SENT,
			sent_ms=received,
			received_ms=received,
			message_key=self.key(ref),
			provider=self.device.provider,
			gateway_id=ref.gateway_id,
			scope=ref.scope,
		)

	def store(self, message: records.Message, ticket: records.Ticket) -> None:
		"""A new row of the thread."""
		self.work.add(message)
		self.keep([message])
		self._by_gateway_id.setdefault(message.gateway_id or "", []).append(message)
		self.fold(message)
		self.stored += 1
		self.show_last(ticket, message)

	def show_last(self, ticket: records.Ticket, message: records.Message) -> None:
		"""The list shows the latest message."""
		if message.sent_ms >= ticket.last_message_ms:
			ticket.last_message_ms = message.sent_ms
			put_preview(ticket, message)

	def sent_as(self, message: records.Message, ref: base.MessageRef) -> None:
		"""A message of ours has the gateway's name from now on."""
		message.message_key, message.gateway_id, message.scope = self.key(ref), ref.gateway_id, ref.scope
		self.keep([message])
		self.work.touch(message)

	def changed(self, message: records.Message) -> None:
		"""A row that was there shows something else now."""
		self.work.touch(message)
		self._changed[message.name] = message

	def log(
		self, webhook_event: records.WebhookEvent, key: str, kind: str, value: str, at_ms: int, log_key: str
	) -> records.MessageLog | None:
		"""A new log row; None when the same was said before."""
		rows = self._logs.setdefault(key, {})
		if log_key in rows:
			return None
		at_ms = clamp(at_ms, webhook_event.received_ms)
		log = records.MessageLog(self.work.new_name(), log_key, key, kind, value, at_ms, self.device.name)
		rows[log_key] = self.work.add(log)
		return log

	def fold(self, message: records.Message | None) -> None:
		"""Bring a message, if it is there, to the state that all that was said of it amounts to."""
		if message is None:
			return
		logs = list(self._logs.get(message.message_key or "", {}).values())
		for log in logs:
			if log.message is None:
				log.message = message.name
				self.work.touch(log)
		before, content = message.status, _shown_content(message)
		if message_state.fold(message, logs):
			self.work.touch(message)
			if message.status != before:
				status_changes.status_changed(self.work, message, before, self.tickets.by_name)
			if _shown_content(message) != content:
				self._changed[message.name] = message

	def publish_changed(self) -> None:
		"""A reaction, an edit, a message taken back: open conversations show it, and so do lists."""
		names = {message.ticket for message in self._changed.values()} - self.tickets.by_name.keys()
		tickets = self.tickets.by_name | (self.work.store.tickets(names) if names else {})
		for message in self._changed.values():
			ticket = tickets[message.ticket]
			before = ticket.preview
			if message.sent_ms == ticket.last_message_ms:
				put_preview(ticket, message)
			if ticket.preview != before:
				self.work.touch(ticket)
			self.tickets.publish(ticket, "changed")


def _shown_content(message: records.Message) -> tuple[object, ...]:
	return (message.body, message.is_revoked, message.reactions)
