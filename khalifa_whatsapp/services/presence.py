"""Who is there: presence set by people, heartbeats of their open pages, and what silence means."""

from __future__ import annotations

from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.core.errors import NotFound, UserError
from khalifa_whatsapp.core.settings import DAY_MS, MINUTE_MS
from khalifa_whatsapp.services.assignment import give_back
from khalifa_whatsapp.services.work import Actor, Work, retrying, working
from khalifa_whatsapp.stores.base import Store

PRESENCES = (r.ONLINE, r.AWAY, r.OFFLINE)


def set_presence(store: Store, actor: Actor, agent: str, presence: str, now_ms: int) -> int:
	"""Set an agent's presence; going offline returns the tickets that wait on us. How many were returned."""
	if presence not in PRESENCES:
		raise UserError("bad_presence", "Presence is one of: {known}.", known=", ".join(PRESENCES))

	def run() -> int:
		with working(store, now_ms, actor) as work:
			found = work.present_agent(agent)
			if found is None or not (actor.is_manager or actor.agent == agent or actor.user is None):
				raise NotFound("no_such_agent", "There is no such agent. Choose one from the list.")
			_change(work, found, presence)
			return _release(work, {found.name}, "agent went offline") if presence == r.OFFLINE else 0

	return retrying(run)


def heartbeat(store: Store, agent: str, now_ms: int) -> None:
	"""The agent's page is open and alive."""
	with working(store, now_ms) as work:
		found = store.agent(agent, locked=True)
		if found is not None:
			found.heartbeat_ms = now_ms
			work.touch(found)


def sweep(store: Store, now_ms: int) -> int:
	"""Return the tickets of agents who fell silent or whose shift ended. How many went back to the queue."""

	def run() -> int:
		with working(store, now_ms) as work:
			gone = []
			for entry in store.roster():
				if entry.agent.presence == r.OFFLINE:
					continue
				limit = work.rules.settings.heartbeat_requeue_minutes * MINUTE_MS
				is_silent = now_ms - (entry.agent.heartbeat_ms or 0) >= limit
				is_off = entry.shift is not None and not entry.shift.is_open(now_ms)
				fresh = work.present_agent(entry.agent.name) if is_silent or is_off else None
				if fresh is not None and fresh.heartbeat_ms == entry.agent.heartbeat_ms:
					_change(work, fresh, r.OFFLINE)
					gone.append(fresh)
			names = {agent.name for agent in gone} | set(store.holders_gone())
			return _release(work, names, "agent left") if names else 0

	return retrying(run)


def _change(work: Work, agent: r.Agent, presence: str) -> None:
	agent.heartbeat_ms = work.now_ms if presence != r.OFFLINE else agent.heartbeat_ms
	if agent.presence != presence:
		for stretch in work.store.open_presence([agent.name]):
			stretch.to_ms = work.now_ms
			work.touch(stretch)
			if stretch.presence == r.ONLINE:
				work.mark_day(*range(stretch.from_ms, work.now_ms, DAY_MS))
		work.add(r.PresenceLog(work.new_name(), agent.name, presence, work.now_ms))
		agent.presence, agent.presence_ms = presence, work.now_ms
		work.mark_day(work.now_ms)
	work.touch(agent)


def _release(work: Work, agents: set[str], reason: str) -> int:
	tickets = work.store.waiting_tickets_of(agents)
	work.read_ahead(tickets)
	for ticket in tickets:
		give_back(work, ticket, reason)
	return len(tickets)
