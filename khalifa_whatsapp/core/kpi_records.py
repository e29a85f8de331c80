"""The rows of measures, as `records` has those of conversations; everybody else takes them from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(slots=True)
class AgentKpi:
	"""Counts and sums of one agent in one day or month; rebuilt whole, never adjusted."""

	DOCTYPE: ClassVar[str] = "Khalifa Agent KPI"
	name: str
	kpi_key: str
	agent: str
	agent_name: str
	branch: str | None
	period: str  # Daily Monthly
	start_date: str  # ISO date
	tickets_received: int = 0
	tickets_handled: int = 0
	tickets_resolved: int = 0
	tickets_reopened: int = 0
	tickets_excluded: int = 0  # spam and bulk-closed
	missed: int = 0
	messages_sent: int = 0
	turns_answered: int = 0
	first_response_count: int = 0
	first_response_sum: int = 0  # business seconds, as all below
	first_response_median: int = 0
	first_response_p90: int = 0
	response_count: int = 0
	response_sum: int = 0
	response_median: int = 0
	response_p90: int = 0
	resolution_count: int = 0
	resolution_sum: int = 0
	resolution_median: int = 0
	resolution_p90: int = 0
	segments_counted: int = 0
	delays: int = 0
	late_transfers: int = 0
	transfers_in: int = 0
	transfers_out: int = 0
	rescues: int = 0
	ratings: int = 0
	ratings_good: int = 0
	online_time: int = 0
	score: float | None = None
	coverage: int = 0
	weights_version: str = ""
	computed_ms: int = 0
