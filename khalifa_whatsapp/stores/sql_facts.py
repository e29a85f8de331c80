"""What counts for KPI, said once: the same definition gives the counts and, for any cell, the rows behind it.

Each fact belongs to exactly one instant, so days add up to months. Lengths come as histograms: few rows however
many turns there were, and exact median and p90. `?` are the period [from, to) in milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
	"""Rows of one DocType that count for the agent in `agent` at the instant `at`, when `where` holds.

	`value` is the column of a length in seconds, or "0" for a plain count.
	"""

	metric: str
	doctype: str
	agent: str
	at: str
	where: str = "1 = 1"
	value: str = "0"

	def _from(self) -> str:
		return f"FROM `tab{self.doctype}` WHERE {self.at} >= ? AND {self.at} < ? AND {self.agent} IS NOT NULL AND {self.where}"

	def counts(self) -> str:
		"""Statement for (agent, metric, length, count)."""
		groups = self.agent if self.value == "0" else f"{self.agent}, {self.value}"
		return f"SELECT {self.agent}, '{self.metric}', {self.value}, COUNT(*) {self._from()} GROUP BY {groups}"

	def rows(self) -> str:
		"""Statement for the names of one agent's rows; its last value is the agent."""
		return f"SELECT name {self._from()} AND {self.agent} = ? ORDER BY {self.at}, name"


SEGMENT, TICKET, EVENT = "Khalifa Turn Segment", "Khalifa Ticket", "Khalifa Ticket Event"
ANSWERED = "end_reason = 'answered'"

MEASURES = (
	# answered turns of the owner: response times, the first ones apart
	Measure("response", SEGMENT, "agent", "to_ms", ANSWERED, "biz_time"),
	Measure("first_response", SEGMENT, "agent", "to_ms", f"{ANSWERED} AND is_first = 1", "biz_time"),
	Measure("turns_answered", SEGMENT, "agent", "to_ms", ANSWERED),
	Measure("rescues", SEGMENT, "agent", "to_ms", "end_reason = 'answered_by_admin'"),
	# segments owned that ended or crossed the threshold
	Measure("segments_counted", SEGMENT, "agent", "counted_ms"),
	Measure("late_transfers", SEGMENT, "agent", "counted_ms", "is_late_transfer = 1"),
	# delays, without those whose objection was accepted
	Measure(
		"delays", "Khalifa Delay Event", "agent", "at_ms",
		"kind = 'Agent' AND COALESCE(objection_status, '') <> 'Accepted'",
	),
	# tickets that ended: everyone who held it at the end or gets the credit
	Measure("tickets_handled", TICKET, "agent", "closed_ms"),
	Measure("tickets_handled", TICKET, "resolved_for", "closed_ms", "resolved_for <> COALESCE(agent, '')"),
	Measure("tickets_resolved", TICKET, "resolved_for", "closed_ms"),
	Measure("resolution", TICKET, "resolved_for", "closed_ms", "close_reason <> 'inactive'", "waited_time"),
	Measure(
		"tickets_excluded", TICKET, "agent", "closed_ms", "(close_batch IS NOT NULL OR close_reason = 'spam')"
	),
	Measure("missed", TICKET, "missed_for", "closed_ms"),
	# movements
	Measure("tickets_received", EVENT, "to_agent", "at_ms", "event IN ('assigned', 'transferred')"),
	Measure("transfers_in", EVENT, "to_agent", "at_ms", "event = 'transferred'"),
	Measure("transfers_out", EVENT, "from_agent", "at_ms", "event = 'transferred'"),
	Measure("tickets_reopened", EVENT, "from_agent", "at_ms", "event = 'reopened'"),
	# messages written and not failed
	Measure("messages_sent", "Khalifa Message", "agent", "sent_ms", "origin = 'Agent' AND status <> 'Failed'"),
)  # fmt: skip

FACTS = tuple(measure.counts() for measure in MEASURES)

# Stretches of presence that overlap a period; the clipping is arithmetic.
ONLINE = (
	"SELECT agent, from_ms, to_ms FROM `tabKhalifa Presence Log` "
	"WHERE presence = 'Online' AND from_ms < ? AND (to_ms = 0 OR to_ms > ?)"
)
