"""Who gets the next ticket.

Back to the agent the customer knows, else the least loaded of the customer's branch, else of all. The reason
is written down, so that nobody has to guess why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from khalifa_whatsapp.core.actor import actor_of
from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.records import ONLINE, Agent, Customer, Ticket
from khalifa_whatsapp.core.settings import MINUTE_MS, Settings
from khalifa_whatsapp.core.ticket_access import can_see, is_open_to


@dataclass(slots=True)
class RosterEntry:
	"""An agent and the tickets held: `open` wait on us, `pending` wait on the customer."""

	agent: Agent
	shift: Calendar | None = None  # None: in shift whenever online
	open: int = 0
	pending: int = 0

	def load(self, settings: Settings) -> float:
		"""Tickets held, the ones that wait on the customer weighing less."""
		return self.open + self.pending * settings.pending_load

	def can_take(self, settings: Settings) -> bool:
		"""One more ticket still fits: an automatic assignment never goes over the capacity."""
		return self.load(settings) + 1 <= self.agent.capacity

	def _order(self, settings: Settings) -> tuple[float, int, str]:
		return (self.load(settings) / self.agent.capacity, self.agent.last_assigned_ms or 0, self.agent.name)


@dataclass(frozen=True, slots=True)
class Choice:
	"""An agent and why; `agent` None: wait in the queue."""

	agent: Agent | None
	reason: str


def is_present(entry: RosterEntry, now_ms: int, settings: Settings) -> bool:
	"""Enabled, online, in shift, and heard from lately."""
	agent = entry.agent
	if not agent.enabled or agent.presence != ONLINE:
		return False
	if entry.shift is not None and not entry.shift.is_open(now_ms):
		return False
	return now_ms - (agent.heartbeat_ms or 0) <= settings.heartbeat_stale_minutes * MINUTE_MS


def is_anyone_here(roster: Iterable[RosterEntry], ticket: Ticket, now_ms: int, settings: Settings) -> bool:
	"""Whether an agent who may see the ticket is present, with room or without."""
	return any(is_present(e, now_ms, settings) and can_see(actor_of(e.agent), ticket) for e in roster)


def available(roster: Iterable[RosterEntry], now_ms: int, settings: Settings) -> list[RosterEntry]:
	"""Those who may be given a ticket now."""
	return [e for e in roster if e.can_take(settings) and is_present(e, now_ms, settings)]


def choose(
	ticket: Ticket, customer: Customer | None, free: Sequence[RosterEntry], settings: Settings
) -> Choice:
	"""The agent for a waiting ticket among the `free` ones (as `available` gives them)."""
	candidates = [e for e in free if e.can_take(settings) and is_open_to(ticket, e.agent.branch)]
	if not candidates:
		return Choice(None, "nobody free")
	known = customer.last_agent if customer and not ticket.is_branch_only else None
	for entry in candidates:
		if entry.agent.name == known:
			return Choice(entry.agent, f"knows the customer; {_held(entry, settings)}")
	near = [e for e in candidates if ticket.branch and e.agent.branch == ticket.branch]
	entry = min(near or candidates, key=lambda e: e._order(settings))
	where = "least loaded of the branch" if near else "least loaded"
	return Choice(entry.agent, f"{where}; {_held(entry, settings)}")


def _held(entry: RosterEntry, settings: Settings) -> str:
	return f"load {entry.load(settings):g}/{entry.agent.capacity}"
