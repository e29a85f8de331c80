"""What people look at, read straight from the tables: no use case needs it, so no port has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from khalifa_whatsapp.core.assignment import RosterEntry
from khalifa_whatsapp.core.content import MessageContent, line_of, load
from khalifa_whatsapp.core.records import OUTGOING
from khalifa_whatsapp.demo.staff import OpenStore


@dataclass(frozen=True, slots=True)
class AgentLine:
	"""One agent on the board."""

	name: str
	real_name: str
	branch: str
	presence: str
	open: int
	pending: int
	load: float
	capacity: int


@dataclass(frozen=True, slots=True)
class Waiter:
	"""A ticket in the queue."""

	ticket: str
	customer: str
	preview: str
	since_ms: int


@dataclass(frozen=True, slots=True)
class KpiLine:
	"""One row of the KPI table; lengths in seconds."""

	real_name: str
	branch: str
	handled: int
	answered: int
	first_response: int | None
	response: int | None
	response_p90: int
	delays: int
	segments: int
	transfers_in: int
	transfers_out: int
	rescues: int
	online_time: int
	score: float | None


@dataclass(frozen=True, slots=True)
class Snapshot:
	"""The desk at one moment."""

	tickets: dict[str, int] = field(default_factory=dict)
	queue: list[Waiter] = field(default_factory=list)
	agents: list[AgentLine] = field(default_factory=list)
	messages_in: int = 0
	messages_out: dict[str, int] = field(default_factory=dict)
	agent_delays: int = 0
	customer_delays: int = 0
	last: list[tuple[str, str, str]] = field(default_factory=list)  # direction, name, text
	kpi: list[KpiLine] = field(default_factory=list)


def snapshot(store: OpenStore) -> Snapshot:
	"""Everything the board shows."""
	delays = dict(store.rows("SELECT kind, COUNT(*) FROM `tabKhalifa Delay Event` GROUP BY kind"))
	directions = store.rows(
		"SELECT direction, status, COUNT(*) FROM `tabKhalifa Message` GROUP BY direction, status"
	)
	settings = store.rules().settings
	return Snapshot(
		tickets=dict(store.rows("SELECT status, COUNT(*) FROM `tabKhalifa Ticket` GROUP BY status")),
		queue=queue(store),
		agents=[_agent_line(entry, entry.load(settings)) for entry in store.roster()],
		messages_in=sum(count for direction, _, count in directions if direction == "Incoming"),
		messages_out={status: count for direction, status, count in directions if direction == "Outgoing"},
		agent_delays=delays.get("Agent", 0),
		customer_delays=delays.get("Customer", 0),
		last=last_messages(store),
		kpi=kpi_lines(store),
	)


def queue(store: OpenStore, limit: int = 6) -> list[Waiter]:
	"""Who waits without an agent, in the queue's order."""
	sql = (
		"SELECT name, customer_name, preview, COALESCE(NULLIF(waiting_since_ms, 0), "
		"queued_since_ms) FROM `tabKhalifa Ticket` "
		"WHERE status = 'Queued' ORDER BY queue_rank, waiting_since_ms, name LIMIT ?"
	)
	return [Waiter(*row) for row in store.rows(sql, (limit,))]


def last_messages(store: OpenStore, limit: int = 6) -> list[tuple[str, str, str]]:
	"""The newest messages: direction, whose, a short text."""
	sql = (
		"SELECT m.direction, COALESCE(m.sender_name, c.customer_name), m.content_type, m.body, m.data FROM "
		"`tabKhalifa Message` m "
		"JOIN `tabKhalifa Customer` c ON c.name = m.customer WHERE m.origin "
		"<> 'Note' ORDER BY m.name DESC LIMIT ?"
	)
	rows = store.rows(sql, (limit,))
	return [
		(direction, name or "", line(kind, body, data, direction))
		for direction, name, kind, body, data in rows
	]


def line(kind: str, body: str | None, data: str | None, direction: str) -> str:
	"""A message on one line."""
	return line_of(MessageContent(kind, body or "", load(data), is_ours=direction == OUTGOING))[0]


def kpi_lines(store: OpenStore, period: str = "Monthly") -> list[KpiLine]:
	"""The KPI rows of a period, the best score first. A demonstration has one day: its month is that day."""
	sql = (
		"SELECT agent_name, branch, tickets_handled, turns_answered, first_response_sum, "
		"first_response_count, response_sum, "
		"response_count, response_p90, delays, segments_counted, transfers_in, transfers_out, "
		"rescues, online_time, score "
		"FROM `tabKhalifa Agent KPI` WHERE period = ? ORDER BY COALESCE(score, 0) DESC, "
		"turns_answered DESC, agent_name"
	)
	return [_kpi_line(row) for row in store.rows(sql, (period,))]


def _kpi_line(row: Sequence[Any]) -> KpiLine:
	name, branch, handled, answered, first_sum, first_count, total, count, p90, *rest = row
	delays, segments, moved_in, moved_out, rescues, online, score = rest
	return KpiLine(
		name,
		branch or "",
		handled,
		answered,
		round(first_sum / first_count) if first_count else None,
		round(total / count) if count else None,
		int(p90 or 0),
		delays,
		segments,
		moved_in,
		moved_out,
		rescues,
		int(online or 0),
		score or None,
	)


def _agent_line(entry: RosterEntry, load: float) -> AgentLine:
	agent = entry.agent
	return AgentLine(
		agent.name,
		agent.employee_name,
		agent.branch or "",
		agent.presence,
		entry.open,
		entry.pending,
		load,
		agent.capacity,
	)
