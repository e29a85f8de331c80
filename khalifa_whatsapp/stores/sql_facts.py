"""What counts for KPI, said once: the same definition gives the counts and, for any cell, the rows behind it.

Each fact belongs to exactly one instant, so days add up to months. Lengths come as histograms: few rows
however many turns there were, and exact median and p90. What lies in the same rows is counted in one scan.
`?` are the period [from, to) in milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from khalifa_whatsapp.core.kpi import Fact

ALL = ""  # every row of the scan counts
AGENTS = "`tabKhalifa Agent`"


@dataclass(frozen=True)
class Scan:
	"""Rows of one DocType that count for the agent in `agent` at the instant `at`, when `where` holds.

	`metrics` says which of them count for what; `value` is the column of a length in seconds, if there is
	one. `is_per_agent`: an index begins with the agent, so each agent's range is read by itself, already
	grouped. `but_not`: rows that don't count after all, few enough to be taken off again (they have an index
	of their own).
	"""

	doctype: str
	agent: str
	at: str
	metrics: Mapping[str, str]
	where: str = "1 = 1"
	value: str = ""
	is_per_agent: bool = False
	but_not: str = ""

	def _from(self, source: str) -> str:
		return (
			f"FROM {source} WHERE {self.at} >= ? AND {self.at} < ? AND {self.agent} IS NOT NULL AND "
			f"({self.where})"
		)

	def counts(self) -> str:
		"""Statement for (agent, length, count of each metric …)."""
		value = f"CAST({self.value} AS SIGNED)" if self.value else "0"
		counted = ", ".join(f"COALESCE(SUM({c}), 0)" if c else "COUNT(*)" for c in self.metrics.values())
		agent = "a.name" if self.is_per_agent else self.agent
		groups = f"{agent}, {self.value}" if self.value else agent
		return (
			f"SELECT {agent}, {value}, {counted} {self._from(self._source())} GROUP BY {groups} ORDER BY NULL"
		)

	def exceptions(self) -> Scan:
		"""The rows to take off again."""
		where = f"({self.where}) AND ({self.but_not})"
		return replace(self, where=where, is_per_agent=False, but_not="")

	def _source(self) -> str:
		table = f"`tab{self.doctype}`"
		return f"{AGENTS} a JOIN {table} ON {table}.{self.agent} = a.name" if self.is_per_agent else table

	def facts(self, rows: Sequence[Sequence[Any]], sign: int = 1) -> Iterator[Fact]:
		"""Facts from the rows of `counts`."""
		for agent, value, *counts in rows:
			for metric, count in zip(self.metrics, counts, strict=True):
				if count:
					yield Fact(agent, metric, sign * int(count), int(value or 0))

	def rows(self, metric: str) -> str:
		"""Statement for the names and instants of one agent's rows; its last value is the agent."""
		also = self.metrics[metric] or "1 = 1"
		if self.but_not:
			also = f"({also}) AND NOT ({self.but_not})"
		return (
			f"SELECT name, {self.at} {self._from(f'`tab{self.doctype}`')} AND ({also}) AND {self.agent} = "
			f"? ORDER BY {self.at}, name"
		)


SEGMENT, TICKET, EVENT = "Khalifa Turn Segment", "Khalifa Ticket", "Khalifa Ticket Event"

SCANS = (
	# answered turns of the owner: response times, the first ones apart
	Scan(
		SEGMENT,
		"agent",
		"to_ms",
		{"response": ALL, "turns_answered": ALL, "first_response": "is_first = 1"},
		"end_reason = 'answered'",
		"biz_time",
		is_per_agent=True,
	),
	Scan(SEGMENT, "agent", "to_ms", {"rescues": ALL}, "end_reason = 'answered_by_admin'", is_per_agent=True),
	# segments owned that ended or crossed the threshold
	Scan(
		SEGMENT,
		"agent",
		"counted_ms",
		{"segments_counted": ALL, "late_transfers": "is_late_transfer = 1"},
		is_per_agent=True,
	),
	# delays, without those whose objection was accepted
	Scan(
		"Khalifa Delay Event",
		"agent",
		"at_ms",
		{"delays": ALL},
		"kind = 'Agent' AND COALESCE(objection_status, '') <> 'Accepted'",
	),
	# tickets that ended: everyone who held it at the end or gets the credit
	Scan(
		TICKET,
		"agent",
		"closed_ms",
		{"tickets_handled": ALL, "tickets_excluded": "close_batch IS NOT NULL OR close_reason = 'spam'"},
	),
	Scan(
		TICKET,
		"resolved_for",
		"closed_ms",
		{"tickets_resolved": ALL, "tickets_handled": "resolved_for <> COALESCE(agent, '')"},
	),
	Scan(
		TICKET, "resolved_for", "closed_ms", {"resolution": ALL}, "close_reason <> 'inactive'", "waited_time"
	),
	Scan(TICKET, "missed_for", "closed_ms", {"missed": ALL}),
	# movements
	Scan(
		EVENT,
		"to_agent",
		"at_ms",
		{"tickets_received": ALL, "transfers_in": "event = 'transferred'"},
		"event IN ('assigned', 'transferred')",
	),
	Scan(
		EVENT,
		"from_agent",
		"at_ms",
		{"transfers_out": "event = 'transferred'", "tickets_reopened": "event = 'reopened'"},
		"event IN ('transferred', 'reopened')",
	),
	# what customers said
	Scan(
		"Khalifa Satisfaction",
		"agent",
		"answered_ms",
		{"ratings": ALL, "ratings_good": "score >= 4"},
		is_per_agent=True,
	),
	# messages written and not failed
	Scan(
		"Khalifa Message",
		"agent",
		"sent_ms",
		{"messages_sent": ALL},
		"origin = 'Agent'",
		is_per_agent=True,
		but_not="status = 'Failed'",
	),
)

# Stretches of presence that overlap a period; the clipping is arithmetic.
ONLINE = (
	"SELECT agent, from_ms, to_ms FROM `tabKhalifa Presence Log` "
	"WHERE presence = 'Online' AND from_ms < ? AND (to_ms = 0 OR to_ms > ?)"
)
