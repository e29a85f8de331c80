"""Who is there: presence set by people, heartbeats of their open pages, and what silence means."""

from __future__ import annotations

from dataclasses import dataclass

from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.core.assignment import RosterEntry
from khalifa_whatsapp.core.errors import NotFound, UserError
from khalifa_whatsapp.core.settings import DAY_MS, MINUTE_MS
from khalifa_whatsapp.services.assignment import give_back
from khalifa_whatsapp.services.work import Actor, Work, retrying, working
from khalifa_whatsapp.stores.base import Store

PRESENCES = (r.ONLINE, r.AWAY, r.OFFLINE)
EVENT = "khalifa_whatsapp:presence"


@dataclass(frozen=True, slots=True)
class Presence:
	"""How an agent stands since when; the cause, and by whom, when a person changed it for him or her."""

	presence: str
	since_ms: int | None
	cause: str = ""
	set_by: str = ""


def set_presence(store: Store, actor: Actor, agent: str, presence: str, now_ms: int) -> int:
	"""Set an agent's presence; going offline returns the tickets that wait on us. How many were returned."""
	if presence not in PRESENCES:
		raise UserError("bad_presence", "Presence is one of: {known}.", known=", ".join(PRESENCES))

	def run() -> int:
		with working(store, now_ms, actor) as work:
			found = work.present_agent(agent)
			if found is None or not (actor.is_manager or actor.agent == agent or actor.user is None):
				raise NotFound("no_such_agent", "There is no such agent. Choose one from the list.")
			cause = r.BY_AGENT if actor.agent == agent else r.BY_MANAGER if actor.is_manager else ""
			_change(work, found, presence, cause)
			return _release(work, {found.name}, "agent went offline") if presence == r.OFFLINE else 0

	return retrying(run)


def heartbeat(store: Store, agent: str, now_ms: int) -> Presence | None:
	"""The agent's page is open and alive; it is told how the agent stands, which others may have changed."""
	with working(store, now_ms) as work:
		found = store.agent(agent, locked=True)
		if found is None:
			return None
		found.heartbeat_ms = now_ms
		work.touch(found)
		return _standing(store, found)


def _standing(store: Store, agent: r.Agent) -> Presence:
	"""Nobody asks why somebody is online."""
	stretches = [] if agent.presence == r.ONLINE else store.open_presence([agent.name])
	last = next((one for one in stretches if one.presence == agent.presence), None)
	if last is None:
		return Presence(agent.presence, agent.presence_ms)
	return Presence(agent.presence, agent.presence_ms, last.cause or "", last.set_by_name or "")


def sweep(store: Store, now_ms: int) -> int:
	"""Return the tickets of agents who fell silent or whose shift ended. How many went back to the queue."""

	def run() -> int:
		with working(store, now_ms) as work:
			gone = []
			for entry in store.roster():
				if entry.agent.presence == r.OFFLINE:
					continue
				cause = _cause_to_leave(entry, now_ms, work.rules.settings.heartbeat_requeue_minutes * MINUTE_MS)
				fresh = work.present_agent(entry.agent.name) if cause else None
				if fresh is not None and fresh.heartbeat_ms == entry.agent.heartbeat_ms:
					_change(work, fresh, r.OFFLINE, cause)
					gone.append(fresh)
			names = {agent.name for agent in gone} | set(store.holders_gone())
			return _release(work, names, "agent left") if names else 0

	return retrying(run)


def _cause_to_leave(entry: RosterEntry, now_ms: int, patience_ms: float) -> str:
	"""Why this agent can't be here any more; empty when he or she can.

	Who came (back) online outside the shift meant it, and stays until a shift ends.
	"""
	agent, shift = entry.agent, entry.shift
	is_off = shift is not None and not shift.is_open(now_ms)
	if is_off and (agent.presence_ms is None or shift.business_ms(agent.presence_ms, now_ms) > 0):
		return r.SHIFT_OVER
	return r.SILENT if now_ms - (agent.heartbeat_ms or 0) >= patience_ms else ""


def _change(work: Work, agent: r.Agent, presence: str, cause: str) -> None:
	agent.heartbeat_ms = work.now_ms if presence != r.OFFLINE else agent.heartbeat_ms
	if agent.presence != presence:
		for stretch in work.store.open_presence([agent.name]):
			stretch.to_ms = work.now_ms
			work.touch(stretch)
			if stretch.presence == r.ONLINE:
				work.mark_day(*range(stretch.from_ms, work.now_ms, DAY_MS))
		set_by = work.actor.full_name if cause == r.BY_MANAGER else None
		work.add(
			r.PresenceLog(work.new_name(), agent.name, presence, work.now_ms, cause=cause or None, set_by_name=set_by)
		)
		work.tell(EVENT, {"agent": agent.name}, user=agent.user)
		agent.presence, agent.presence_ms = presence, work.now_ms
		work.mark_day(work.now_ms)
	work.touch(agent)


def _release(work: Work, agents: set[str], reason: str) -> int:
	tickets = work.store.waiting_tickets_of(agents)
	work.read_ahead(tickets)
	for ticket in tickets:
		give_back(work, ticket, reason)
	return len(tickets)
