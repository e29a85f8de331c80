"""Which ticket a message belongs to, and who holds it."""

from __future__ import annotations

from collections.abc import Collection

from khalifa_whatsapp.core import assignment, records, snooze
from khalifa_whatsapp.core.actor import actor_of
from khalifa_whatsapp.core.keys import open_key
from khalifa_whatsapp.core.settings import HOUR_MS
from khalifa_whatsapp.core.ticket_access import can_see
from khalifa_whatsapp.services.tickets import notices, snoozing, turns
from khalifa_whatsapp.services.tickets.closing import close_ticket
from khalifa_whatsapp.services.tickets.notices import publish_queue_change
from khalifa_whatsapp.services.tickets.reopening import reopen
from khalifa_whatsapp.services.unit_of_work import UnitOfWork

MAX_NOTIFIED = (
	10  # tickets of the queue that one batch tells all of: in a flood, pages look for the rest themselves
)


class Tickets:
	"""The latest ticket of each customer on one device, within one transaction."""

	def __init__(self, work: UnitOfWork, device: str) -> None:
		self.work = work
		self.device = device
		self.latest: dict[str, records.Ticket] = {}
		self.by_name: dict[str, records.Ticket] = {}
		self.fresh: list[str] = []
		self.wanted = (
			0  # customers of this batch without an open ticket, at most: so many names are taken together
		)
		self._roster: dict[str, assignment.RosterEntry] | None = None
		self._queued: set[str] = set()

	def read(self, customers: Collection[str]) -> None:
		"""Read the latest tickets of the known customers."""
		if customers:
			latest = self.work.store.latest_tickets([(name, self.device) for name in customers])
			self.latest |= {customer: ticket for (customer, _), ticket in latest.items()}
			self.by_name |= {ticket.name: ticket for ticket in latest.values()}

	def named(self, name: str) -> records.Ticket:
		"""A message's ticket, which need not be its customer's latest."""
		if name not in self.by_name:
			self.by_name[name] = self.work.store.tickets([name])[name]
		return self.by_name[name]

	def for_customer(
		self,
		customer: records.Customer,
		now_ms: int,
		wants_answer: bool = True,
		is_response: bool = False,
	) -> records.Ticket:
		"""The customer's open ticket: found, opened again, or new.

		What wants no answer opens nothing again; what answers the system belongs to the latest, however old.
		"""
		ticket = self.latest.get(customer.name)
		if ticket is not None and ticket.open_key is not None:
			if ticket.customer_name != customer.customer_name:
				ticket.customer_name = customer.customer_name
			return ticket
		if ticket is not None and is_response:
			return ticket
		window = self.work.rules.settings.reopen_window_hours * HOUR_MS
		if ticket is not None and now_ms - (ticket.closed_ms or 0) <= window:
			return self.reopen(ticket, "the customer wrote again") if wants_answer else ticket
		return self._create(customer, now_ms, wants_answer)

	def _create(self, customer: records.Customer, now_ms: int, wants_answer: bool) -> records.Ticket:
		if not self.fresh:
			self.fresh = self.work.store.next_ticket_names(max(self.wanted, 1))
		self.wanted -= 1
		ticket = records.Ticket(
			self.fresh.pop(0),
			customer.name,
			self.device,
			status=records.QUEUED if wants_answer else records.PENDING,
			open_key=open_key(customer.name, self.device),
			customer_name=customer.customer_name,
			branch=customer.branch,
			opened_ms=now_ms,
			queued_since_ms=now_ms,
		)
		self.latest[customer.name] = self.by_name[ticket.name] = self.work.add(ticket)
		self.work.log(ticket, "created")
		return ticket

	def end_at_once(self, ticket: records.Ticket) -> None:
		"""A new ticket in which nobody of ours has anything to do."""
		close_ticket(self.work, ticket, "no_reply_needed", records.NO_REPLY_NEEDED)

	def reopen(self, ticket: records.Ticket, reason: str) -> records.Ticket:
		"""Open a closed ticket again; the earlier closing and its credit are withdrawn."""
		reopen(self.work, ticket, reason)
		if not self._is_free(ticket.agent):
			self._leave(ticket)
		return ticket

	def route(self, ticket: records.Ticket) -> None:
		"""The customer begins to wait: an absent holder gives the ticket back to the queue."""
		former = ticket.agent
		if former is None:
			return
		if self._is_here(former):
			entry = self.roster()[former]
			entry.open, entry.pending = entry.open + 1, max(entry.pending - 1, 0)
			return
		self._leave(ticket)
		self.work.log(ticket, "requeued", from_agent=former, is_automatic=1, reason="agent not available")

	def wait(self, ticket: records.Ticket, sent_ms: int, known_ms: int) -> None:
		"""The customer waits for us since then, or longer already."""
		ticket.first_message_ms = min(ticket.first_message_ms or sent_ms, sent_ms)
		snoozing.back(self.work, ticket, snooze.CUSTOMER)
		if ticket.turn is None:
			self.route(ticket)
			turns.customer_waits(self.work, ticket, sent_ms, known_ms)
		elif sent_ms < (ticket.waiting_since_ms or 0):
			turns.start_earlier(self.work, ticket, sent_ms)

	def _leave(self, ticket: records.Ticket) -> None:
		ticket.agent = ticket.agent_name = None
		snoozing.forget(ticket)
		ticket.status, ticket.queue_rank, ticket.queued_since_ms = records.QUEUED, 1, self.work.now_ms

	def _is_here(self, agent: str) -> bool:
		entry = self.roster().get(agent)
		return entry is not None and assignment.is_present(entry, self.work.now_ms, self.work.rules.settings)

	def _is_free(self, agent: str | None) -> bool:
		"""Present and with room: then the former holder takes a reopened ticket,
		and his or her load rises.
		"""
		entry = self.roster().get(agent or "")
		if (
			entry is None
			or not self._is_here(entry.agent.name)
			or not entry.can_take(self.work.rules.settings)
		):
			return False
		entry.pending += 1
		return True

	def roster(self) -> dict[str, assignment.RosterEntry]:
		"""Agents, read once and only when somebody's presence matters."""
		if self._roster is None:
			self._roster = {entry.agent.name: entry for entry in self.work.store.roster()}
		return self._roster

	def is_anyone_here(self, ticket: records.Ticket) -> bool:
		"""Whether an agent who may see it is present."""
		return assignment.is_anyone_here(
			self.roster().values(), ticket, self.work.now_ms, self.work.rules.settings
		)

	def publish(self, ticket: records.Ticket, event: str) -> None:
		"""Tell the holder's page, or those of whom the queue waits for; and the managers'."""
		data = {"ticket": ticket.name, "event": event}
		entry = self.roster().get(ticket.agent) if ticket.agent else None
		for reader in [entry] if entry is not None else self._of_queue(ticket):
			self.work.publish("khalifa_whatsapp:ticket", data, user=reader.agent.user)
		self.work.publish("khalifa_whatsapp:ticket", data, role=notices.MANAGER_ROLE)
		if ticket.status == records.QUEUED:
			publish_queue_change(self.work)

	def _of_queue(self, ticket: records.Ticket) -> list[assignment.RosterEntry]:
		"""Who is here and may take it by hand; nobody while one has room: that one is given it,
		and told, at once.
		"""
		if ticket.status == records.QUEUED:
			self._queued.add(ticket.name)
		if ticket.status != records.QUEUED or len(self._queued) > MAX_NOTIFIED:
			return []
		entries = self.roster().values()
		readers = [e for e in entries if can_see(actor_of(e.agent), ticket)]
		here = [e for e in readers if self._is_here(e.agent.name)]
		return [] if any(e.can_take(self.work.rules.settings) for e in here) else here
