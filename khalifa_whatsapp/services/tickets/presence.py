"""Who is there: presence set by people, heartbeats of their open pages, and what silence means."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.assignment import RosterEntry
from khalifa_whatsapp.core.errors import NotFound, UserError
from khalifa_whatsapp.core.settings import DAY_MS, MINUTE_MS, Settings
from khalifa_whatsapp.services.isolation import batch_or_one_by_one, check, each_alone
from khalifa_whatsapp.services.tickets.assignment import give_back
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store

PRESENCES = (records.ONLINE, records.AWAY, records.OFFLINE)
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
			record = work.present_agent(agent)
			if record is None or not (actor.is_manager or actor.agent == agent or actor.user is None):
				raise NotFound("no_such_agent", "There is no such agent. Choose one from the list.")
			cause = (
				records.BY_AGENT if actor.agent == agent else records.BY_MANAGER if actor.is_manager else ""
			)
			_change(work, record, presence, cause)
			return _release(work, {record.name}, "agent went offline") if presence == records.OFFLINE else 0

	return retrying(run)


def heartbeat(store: Store, agent: str, now_ms: int) -> Presence | None:
	"""The agent's page is open and alive; it is told how the agent stands, which others may have changed."""
	with working(store, now_ms) as work:
		record = store.agent(agent, locked=True)
		if record is None:
			return None
		record.heartbeat_ms = now_ms
		work.touch(record)
		return _standing(store, record)


def _standing(store: Store, agent: records.Agent) -> Presence:
	"""Nobody asks why somebody is online."""
	stretches = [] if agent.presence == records.ONLINE else store.open_presence([agent.name])
	last = next((one for one in stretches if one.presence == agent.presence), None)
	if last is None:
		return Presence(agent.presence, agent.presence_ms)
	return Presence(agent.presence, agent.presence_ms, last.cause or "", last.set_by_name or "")


def sweep(store: Store, now_ms: int) -> int:
	"""Return the tickets of agents who fell silent or whose shift ended. How many went back to the queue.

	Raises `RowsFailed` after all others: the agent of a ticket that could not be returned is looked at again.
	"""
	outcome = batch_or_one_by_one(
		lambda: _sweep(store, now_ms),
		lambda: _left_tickets(store, now_ms),
		lambda name: _return_one(store, now_ms, name),
	)
	if outcome.failed:
		held = {holder for holder in map(partial(_holder, store), outcome.failed) if holder}
		left = each_alone(sorted(_gone(store, now_ms) - held), lambda name: _sweep(store, now_ms, name))
		check(outcome.failed | left.failed)
	return sum(outcome.done)


def _sweep(store: Store, now_ms: int, only: str | None = None) -> int:
	with working(store, now_ms) as work:
		gone = []
		for name, heartbeat_ms, cause in _leaving(store, work.rules.settings, now_ms):
			fresh = work.present_agent(name) if only in (None, name) else None
			if fresh is not None and fresh.heartbeat_ms == heartbeat_ms:
				_change(work, fresh, records.OFFLINE, cause)
				gone.append(fresh.name)
		names = {*gone, *(store.holders_gone() if only is None else ())}
		return _release(work, names, "agent left") if names else 0


def _leaving(store: Store, settings: Settings, now_ms: int) -> list[tuple[str, int | None, str]]:
	"""Agents who can't be here any more: name, the heartbeat by which that was seen, and the cause."""
	patience_ms = settings.heartbeat_requeue_minutes * MINUTE_MS
	present = (entry for entry in store.roster() if entry.agent.presence != records.OFFLINE)
	leaving = ((entry.agent, _cause_to_leave(entry, now_ms, patience_ms)) for entry in present)
	return [(agent.name, agent.heartbeat_ms, cause) for agent, cause in leaving if cause]


def _gone(store: Store, now_ms: int) -> set[str]:
	settings = store.rules().settings
	with store.transaction():
		return {name for name, *_ in _leaving(store, settings, now_ms)}


def _left_tickets(store: Store, now_ms: int) -> list[str]:
	"""What those who are gone hold, to be returned ticket by ticket."""
	gone = _gone(store, now_ms)
	with store.transaction():
		return [ticket.name for ticket in store.waiting_tickets_of(gone | set(store.holders_gone()))]


def _holder(store: Store, ticket: str) -> str | None:
	with store.transaction():
		record = store.tickets([ticket]).get(ticket)
		return record.agent if record is not None else None


def _return_one(store: Store, now_ms: int, name: str) -> int:
	with working(store, now_ms) as work:
		ticket = store.tickets([name]).get(name)
		if ticket is None or ticket.agent is None or ticket.waiting_since_ms is None:
			return 0
		give_back(work, ticket, "agent left")
		return 1


def _cause_to_leave(entry: RosterEntry, now_ms: int, patience_ms: float) -> str:
	"""Why this agent can't be here any more; empty when he or she can.

	Who came (back) online outside the shift meant it, and stays until a shift ends.
	"""
	agent, shift = entry.agent, entry.shift
	came_ms = agent.presence_ms
	if (
		shift is not None
		and not shift.is_open(now_ms)
		and (came_ms is None or shift.business_ms(came_ms, now_ms) > 0)
	):
		return records.SHIFT_OVER
	return records.SILENT if now_ms - (agent.heartbeat_ms or 0) >= patience_ms else ""


def _change(work: UnitOfWork, agent: records.Agent, presence: str, cause: str) -> None:
	agent.heartbeat_ms = work.now_ms if presence != records.OFFLINE else agent.heartbeat_ms
	if agent.presence != presence:
		for stretch in work.store.open_presence([agent.name]):
			stretch.to_ms = work.now_ms
			work.touch(stretch)
			if stretch.presence == records.ONLINE:
				work.mark_day(*range(stretch.from_ms, work.now_ms, DAY_MS))
		set_by = work.actor.full_name if cause == records.BY_MANAGER else None
		work.add(
			records.PresenceLog(
				work.new_name(), agent.name, presence, work.now_ms, cause=cause or None, set_by_name=set_by
			)
		)
		work.publish(EVENT, {"agent": agent.name}, user=agent.user)
		agent.presence, agent.presence_ms = presence, work.now_ms
		work.mark_day(work.now_ms)
	work.touch(agent)


def _release(work: UnitOfWork, agents: set[str], reason: str) -> int:
	tickets = work.store.waiting_tickets_of(agents)
	work.read_ahead(tickets)
	for ticket in tickets:
		give_back(work, ticket, reason)
	return len(tickets)
