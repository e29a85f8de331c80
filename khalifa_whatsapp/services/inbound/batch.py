"""One batch of events in memory: all that it touches, read ahead in a handful of queries."""

from __future__ import annotations

from collections.abc import Mapping

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.care.auto_replies import AutoReplies
from khalifa_whatsapp.services.care.responses import Responses
from khalifa_whatsapp.services.customers import merging
from khalifa_whatsapp.services.customers.identities import Customers
from khalifa_whatsapp.services.inbound.customers import People
from khalifa_whatsapp.services.inbound.device_notices import Notices
from khalifa_whatsapp.services.inbound.mentions import identities_in, refs_in
from khalifa_whatsapp.services.inbound.thread import Thread
from khalifa_whatsapp.services.inbound.tickets import Tickets
from khalifa_whatsapp.services.unit_of_work import UnitOfWork


class IntakeBatch:
	"""The events of some deliveries of one device, and the rows they touch."""

	def __init__(
		self,
		work: UnitOfWork,
		device: base.DeviceConfig,
		aliases: Mapping[Identity, tuple[Identity, ...]] | None = None,
		can: base.Capabilities | None = None,
		has_care: bool = True,
	) -> None:
		"""`has_care`: whether the system answers by itself, and looks for what customers say to it. Without,
		every message is one for people.
		"""
		self.work = work
		self.has_care = has_care
		self.device = device
		self.events: list[base.Event] = []
		self.customers = Customers(work, self._merge)
		self.tickets = Tickets(work, device.name)
		self.notices = Notices(work, device.name)
		self.thread = Thread(work, device, self.customers, self.tickets)
		self.people = People(work, self.customers, self.thread, aliases or {})
		self.auto_replies = AutoReplies(work, can)
		self.responses = Responses(work, device.name, can, is_on=has_care)

	def read(self, events: list[base.Event]) -> None:
		"""Read ahead what these events touch."""
		self.events = events
		self.notices.read(events)
		self._read()

	def _read(self) -> None:
		refs = {self.thread.key(ref): ref for event in self.events for ref in refs_in(event)}
		callbacks = {e.callback for e in self.events if isinstance(e, base.MessageStatus) and e.callback}
		self.people.read(self.events)
		self.tickets.read(self.customers.names())
		self.thread.read(refs, callbacks)
		self.people.read_tied(self.events)
		self.tickets.read(self.customers.names() - self.tickets.latest.keys())
		self.tickets.wanted = self._customers_without_ticket()
		self.responses.read(self.customers.names())
		self.thread.read_namesakes(refs)
		self.thread.read_logs(refs)

	def _customers_without_ticket(self) -> int:
		senders = {
			identities_in(e)[0]
			for e in self.events
			if isinstance(e, base.InboundMessage | base.OutboundEcho | base.Call) and identities_in(e)
		}
		held = {name for name, ticket in self.tickets.latest.items() if ticket.open_key is not None}
		rows = map(self.customers.row, senders)
		return sum(row is None or row.customer not in held for row in rows)

	def _merge(self, gone: str, kept: str) -> None:
		"""Two customers are one: all that this batch has done is written, then all is read anew."""
		self.work.flush()
		merging.merge(self.work, gone, kept)
		self.work.flush()
		self.thread.forget()
		self.tickets.latest, self.tickets.by_name = {}, {}
		self._read()
		self.thread.read_changed()

	def finish(self) -> None:
		"""All events are applied: names, automatic answers, and whoever has a changed conversation open."""
		self._name_tickets()
		if self.has_care:
			self.auto_replies.answer(self.thread.by_name, self.tickets.named, self.tickets.is_anyone_here)
		self.thread.publish_changed()
		self.responses.finish()

	def _name_tickets(self) -> None:
		"""A ticket at hand carries the name that its customer has at the end."""
		for name in self.customers.renamed & self.tickets.latest.keys():
			ticket, customer = self.tickets.latest[name], self.customers.by_name.get(name)
			if customer is not None and ticket.customer_name != customer.customer_name:
				ticket.customer_name = customer.customer_name
				self.work.touch(ticket)
