"""What measures are made from, and where they are put: turns, segments, delays, facts, KPI rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.kpi import Fact
from khalifa_whatsapp.stores.base import Changes
from khalifa_whatsapp.stores.sql_base import Statements
from khalifa_whatsapp.stores.sql_facts import ONLINE, SCANS


class MeasureQueries(Statements):
	"""Reads and writes of the `Store` port for the ledger and the KPI rows."""

	def turns(self, names: Collection[str]) -> dict[str, records.Turn]:
		return self._by_name(records.Turn, names, self.LOCK)

	def turns_answered_by(self, messages: Collection[str]) -> dict[str, records.Turn]:
		return {row.answer or "": row for row in self._in(records.Turn, "answer", messages, self.LOCK)}

	def turns_closed_with(self, tickets: Collection[records.Ticket]) -> dict[str, records.Turn]:
		closed = {ticket.name: ticket.closed_ms for ticket in tickets if ticket.closed_ms is not None}
		rows = self._in(
			records.Turn, "ticket", closed, self.LOCK, " AND ended_ms > 0 AND outcome <> 'joined'"
		)
		mine = [row for row in rows if (row.ended_ms or 0) >= closed[row.ticket]]
		last = {row.ticket: row for row in sorted(mine, key=lambda row: row.name)}
		return {
			name: row
			for name, row in last.items()
			if row.outcome in (records.CLOSED_UNANSWERED, records.BULK_CLOSED)
		}

	def segments_of(self, turns: Collection[str]) -> list[records.Segment]:
		return self._in(records.Segment, "turn", turns, f"ORDER BY from_ms, name {self.LOCK}")

	def delays_of(self, turns: Collection[str]) -> list[records.DelayEvent]:
		return self._in(records.DelayEvent, "turn", turns, self.LOCK)

	def delay(self, name: str) -> records.DelayEvent | None:
		return self._by_name(records.DelayEvent, [name], self.LOCK).get(name)

	def facts(self, from_ms: int, to_ms: int) -> list[Fact]:
		facts: list[Fact] = []
		for scan in SCANS:
			facts += scan.facts(self.rows(scan.counts(), (from_ms, to_ms)))
			if scan.but_not:
				facts += scan.facts(self.rows(scan.exceptions().counts(), (from_ms, to_ms)), sign=-1)
		for agent, start, end in self.rows(ONLINE, (to_ms, from_ms)):
			spent = min(end or to_ms, to_ms) // 1000 - max(start, from_ms) // 1000  # so that days add up
			facts.append(Fact(agent, "online_time", max(spent, 0)))
		return facts

	def rows_behind(self, metric: str, agent: str, from_ms: int, to_ms: int) -> list[tuple[str, str, int]]:
		return [
			(scan.doctype, *row)
			for scan in SCANS
			if metric in scan.metrics
			for row in self.rows(scan.rows(metric), (from_ms, to_ms, agent))
		]

	def dirty_days(self, limit: int) -> list[date]:
		sql = "SELECT name FROM `tabKhalifa KPI Day` WHERE is_dirty = 1 ORDER BY name LIMIT ?"
		return [date.fromisoformat(row[0]) for row in self.rows(sql, (limit,))]

	def replace_kpi(self, period: str, start: date, rows: Sequence[records.AgentKpi]) -> None:
		self.run(
			"DELETE FROM `tabKhalifa Agent KPI` WHERE period = ? AND start_date = ?",
			(period, start.isoformat()),
		)
		self.save(Changes(created={records.AgentKpi: list(rows)} if rows else {}))

	def clean_days(self, days: Collection[date], now_ms: int) -> None:
		for day in days:
			self.mark_day(day, is_dirty=0, computed_ms=now_ms)
