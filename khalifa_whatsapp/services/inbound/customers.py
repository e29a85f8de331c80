"""Who is behind the events of a batch, with what the gateway said when it was asked who a privacy id is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.identity import PHONE, Identity
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.customers.identities import Customers
from khalifa_whatsapp.services.inbound.mentions import chats_in, identities_in
from khalifa_whatsapp.services.inbound.thread import Thread
from khalifa_whatsapp.services.unit_of_work import UnitOfWork


class People:
	"""Those who write, are written to or are spoken of in one batch."""

	def __init__(
		self,
		work: UnitOfWork,
		customers: Customers,
		thread: Thread,
		aliases: Mapping[Identity, tuple[Identity, ...]],
	) -> None:
		self.work = work
		self.customers = customers
		self.thread = thread
		self.aliases = aliases

	# -- reading
	def read(self, events: Iterable[base.Event]) -> None:
		"""Read the customers that the events are about."""
		events = list(events)
		mentioned = [
			(e.recipient, e.at_ms) for e in events if isinstance(e, base.MessageStatus) and e.recipient
		]
		named = (one for event in events for one in (*identities_in(event), *chats_in(event)))
		self.customers.read(self._with_aliases(named), mentioned)

	def read_tied(self, events: Iterable[base.Event]) -> None:
		"""Read the customers of our messages that events without a phone speak of."""
		tied = map(self._ties_to, events)
		self.customers.load({message.customer for message in tied if message is not None})

	def _with_aliases(self, identities: Iterable[Identity]) -> tuple[Identity, ...]:
		return tuple(one for given in identities for one in (given, *self.aliases.get(given, ())))

	# -- who it is
	def together(self, identities: Sequence[Identity]) -> tuple[Identity, ...]:
		"""All identities of a sender or recipient, a phone first."""
		distinct = dict.fromkeys(self._with_aliases(identities))
		return tuple(sorted(distinct, key=lambda one: one.kind != PHONE))

	def person(
		self, people: Sequence[Identity], at_ms: int, name: str = "", has_written: bool = False
	) -> tuple[records.Customer, str | None]:
		"""Whose the identities are that were named together, and the strongest of them."""
		customer = self.customers.resolve(people, at_ms, has_written=has_written)
		self.customers.name(customer, people, name, at_ms)
		return customer, self.identity_of(people, customer)

	def identity_of(self, people: Sequence[Identity], customer: records.Customer) -> str | None:
		"""The strongest identity that a message came from, as far as it is this customer's."""
		rows = map(self.customers.row, people)
		return next((row.name for row in rows if row is not None and row.customer == customer.name), None)

	def note_asked(self, people: Sequence[Identity]) -> None:
		"""Remember when the gateway was asked who these are."""
		for row in map(self.customers.row, people):
			is_asked = row is not None and Identity(row.kind, row.value) in self.aliases
			if row is not None and is_asked and row.asked_ms != self.work.now_ms:
				row.asked_ms = self.work.now_ms
				self.work.touch(row)

	# -- known by our own message
	def tie(
		self, event: base.MessageStatus | base.InboundMessage, people: Sequence[Identity], at_ms: int
	) -> None:
		"""Whom our message reached, or who quotes it, is the customer it was written to."""
		message = self._ties_to(event)
		if message is not None:
			self.customers.belongs_to(message.customer, people, at_ms, message.identity)

	def _ties_to(self, event: base.Event) -> records.Message | None:
		"""Our message that an event without a phone answers or reports of: its customer is the one meant."""
		by_key, key = self.thread.by_key, self.thread.key
		if isinstance(event, base.MessageStatus):
			message = by_key.get(key(event.ref)) or self.thread.by_name.get(event.callback)
			people: Sequence[Identity] = event.recipient
		elif isinstance(event, base.InboundMessage) and event.reply_to is not None:
			message, people = by_key.get(key(event.reply_to)), self.together(event.sender)
		else:
			return None
		is_ours = message is not None and message.direction == records.OUTGOING
		owners = {row.customer for row in map(self.customers.row, people) if row is not None}
		is_attributed = bool(people) and owners != {message.customer if message else ""}
		is_open = is_attributed and (
			isinstance(event, base.MessageStatus) or all(one.kind != PHONE for one in people)
		)
		return message if is_ours and is_open else None

	# -- what follows for the ticket
	def note_contact(
		self, customer: records.Customer, ticket: records.Ticket, at_ms: int, identity: str | None
	) -> None:
		"""The customer turned to us: the window opens, and answers go to the identity that was last."""
		if (at_ms, self._value_of(identity)) >= (ticket.last_in_ms or 0, self._value_of(ticket.identity)):
			ticket.last_in_ms, ticket.identity = at_ms, identity
		customer.last_in_ms = max(customer.last_in_ms or 0, at_ms)
		self.work.touch(customer)

	def _value_of(self, identity: str | None) -> str:
		"""Of two identities that wrote in the same second the greater value counts as the later."""
		if identity is None:
			return ""
		rows = (row for rows in self.customers.rows.values() for row in rows if row.name == identity)
		return next((row.value for row in rows), "")

	def warn_of_new_holder(self, ticket: records.Ticket) -> None:
		"""The number has come with somebody else's id: said in the conversation, and a person decides."""
		phone = self.customers.doubted.pop(ticket.customer, None)
		if phone is not None:
			self.work.log(ticket, "other_account", reason=phone)
