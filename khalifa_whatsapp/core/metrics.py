"""Every figure of an agent: what it means, how it adds up, which rows it counts, and what it is called.

The fields of a KPI row, the sums and columns of reports, the figures that open rows and the parts of the
score come from this table, or are compared with it (`tests/core/test_metrics.py`). Which rows count is said
in `stores.sql_facts`, how the score is worked out in `core.kpi`. Times are business time, except
`online_time`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from khalifa_whatsapp.core.records import DelayEvent, Message, Satisfaction, Segment, Ticket, TicketEvent


class Kind(Enum):
	"""What is kept of a metric, and how it adds up over days and agents."""

	COUNT = auto()  # a number of rows: the sum
	DURATION = auto()  # seconds: the sum, shown in hours
	SAMPLES = auto()  # lengths in seconds, shown as mean minutes: count and sum add up, median and p90 don't
	SHARE = auto()  # not kept: numerator ÷ denominator, both made of sums, in per cent


class Unit(Enum):
	"""What the number in a column of a report is."""

	ROWS = auto()
	MINUTES = auto()
	HOURS = auto()
	PERCENT = auto()


class Column(NamedTuple):
	"""A column of a report, its header in English; its cells open the rows of the metric `opens`, if any."""

	fieldname: str
	header: str
	unit: Unit
	opens: str = ""


def N_(text: str) -> str:  # noqa: N802, as gettext calls it
	"""Mark a text for translators; whoever shows it translates it."""
	return text


@dataclass(frozen=True, slots=True)
class Metric:
	"""One figure.

	`label`: what a KPI row calls it, in English; the DocType's labels are what translators see. `rows`: the
	DocTypes of the rows that it counts and that readers may open. `header` and `count_header`: what reports
	call its value and the number of its samples, "" if they don't show it. `numerator` and `denominator` of a
	share: sums, each with its weight. `scored_as`: its name among the weights of the score.
	"""

	name: str
	kind: Kind
	meaning: str
	label: str = ""
	rows: tuple[str, ...] = ()
	header: str = ""
	count_header: str = ""
	numerator: Mapping[str, float] = field(default_factory=dict)
	denominator: Mapping[str, float] = field(default_factory=dict)
	scored_as: str = ""

	@property
	def sums(self) -> tuple[str, ...]:
		"""The fields of a KPI row that add up over days."""
		if self.kind is Kind.SAMPLES:
			return (f"{self.name}_count", f"{self.name}_sum")
		return () if self.kind is Kind.SHARE else (self.name,)

	@property
	def count_label(self) -> str:
		"""What a KPI row calls the number of rows that it counts."""
		return f"{self.label}: Count" if self.kind is Kind.SAMPLES else self.label

	@property
	def fields(self) -> dict[str, str]:
		"""All fields of a KPI row that keep it, with their labels."""
		if self.kind is Kind.SAMPLES:
			return {
				f"{self.name}_count": self.count_label,
				f"{self.name}_sum": f"{self.label}: Sum (Seconds)",
				f"{self.name}_median": f"{self.label}: Median (Seconds)",
				f"{self.name}_p90": f"{self.label}: P90 (Seconds)",
			}
		return {} if self.kind is Kind.SHARE else {self.name: self.label}

	@property
	def columns(self) -> tuple[Column, ...]:
		"""The columns that reports may show of it."""
		opens = self.name if self.rows else ""
		columns = {
			Kind.COUNT: Column(self.name, self.header, Unit.ROWS, opens),
			Kind.DURATION: Column("online_hours", self.header, Unit.HOURS),
			Kind.SAMPLES: Column(self.name, self.header, Unit.MINUTES),
			Kind.SHARE: Column(self.name, self.header, Unit.PERCENT),
		}
		counted = Column(f"{self.name}_count", self.count_header, Unit.ROWS, opens)
		return tuple(column for column in (counted, columns[self.kind]) if column.header)

	def parts(self, sums: Mapping[str, float]) -> tuple[float, float]:
		"""Numerator and denominator out of sums by field: of samples, their seconds and their number."""
		if self.kind is Kind.SAMPLES:
			return sums[f"{self.name}_sum"], sums[f"{self.name}_count"]
		return _weighted(self.numerator, sums), _weighted(self.denominator, sums)

	def value(self, part: float, whole: float) -> float:
		"""What the parts make: minutes of samples, per cent of a share. `whole` is not 0."""
		return part / whole / 60 if self.kind is Kind.SAMPLES else 100 * part / whole


def _weighted(weights: Mapping[str, float], sums: Mapping[str, float]) -> float:
	return sum(weight * sums[name] for name, weight in weights.items())


SEGMENT, EVENT, TICKET = (Segment.DOCTYPE,), (TicketEvent.DOCTYPE,), (Ticket.DOCTYPE,)
SURVEY = (Satisfaction.DOCTYPE,)

METRICS = (
	Metric(
		"tickets_received",
		Kind.COUNT,
		"Tickets that were assigned or transferred to the agent.",
		label="Tickets Received",
		rows=EVENT,
		header=N_("Received"),
	),
	Metric(
		"tickets_handled",
		Kind.COUNT,
		"Tickets that ended while the agent held them, or whose resolution is his or hers.",
		label="Tickets Handled",
		rows=TICKET,
		header=N_("Handled"),
	),
	Metric(
		"tickets_resolved",
		Kind.COUNT,
		"Ended tickets that the agent held and answered in, or answered last if their holder did not.",
		label="Tickets Resolved",
		rows=TICKET,
		header=N_("Resolved"),
	),
	Metric(
		"tickets_reopened",
		Kind.COUNT,
		"Tickets that the agent had resolved and that were opened again.",
		label="Tickets Reopened",
		rows=EVENT,
	),
	Metric(
		"tickets_excluded",
		Kind.COUNT,
		"Tickets handled that say nothing of the agent: spam, and those closed in bulk.",
		label="Tickets Excluded",
		rows=TICKET,
	),
	Metric(
		"missed",
		Kind.COUNT,
		"Tickets that ended with no answer of a person, after more than the allowed time with the agent.",
		label="Missed",
		rows=TICKET,
		header=N_("Missed"),
	),
	Metric(
		"messages_sent",
		Kind.COUNT,
		"Messages that the agent wrote and that did not fail.",
		label="Messages Sent",
		rows=(Message.DOCTYPE,),
		header=N_("Messages"),
	),
	Metric(
		"turns_answered",
		Kind.COUNT,
		"Waits of customers that the agent answered while holding the ticket.",
		label="Turns Answered",
		rows=SEGMENT,
	),
	Metric(
		"online_time",
		Kind.DURATION,
		"Seconds on the clock with the presence Online.",
		label="Online Time",
		header=N_("Online (Hours)"),
	),
	Metric(
		"first_response",
		Kind.SAMPLES,
		"`response`, of the first wait in a ticket alone.",
		label="First Response",
		rows=SEGMENT,
		header=N_("First Response (Minutes)"),
		count_header=N_("First Responses"),
		scored_as="first_response",
	),
	Metric(
		"response",
		Kind.SAMPLES,
		"From the start of a wait, or from when the agent got the ticket, to the agent's answer as holder.",
		label="Response",
		rows=SEGMENT,
		header=N_("Response (Minutes)"),
		count_header=N_("Responses"),
		scored_as="response",
	),
	Metric(
		"resolution",
		Kind.SAMPLES,
		"How long customers waited in all in tickets that the agent resolved, if not closed as inactive.",
		label="Resolution",
		rows=TICKET,
		header=N_("Resolution (Minutes)"),
	),
	Metric(
		"segments_counted",
		Kind.COUNT,
		"Parts of waits that the agent held and that ended or passed the allowed time.",
		label="Segments Counted",
		rows=SEGMENT,
	),
	Metric(
		"delays",
		Kind.COUNT,
		"Segments in which the agent's own time passed the allowed one, unless an objection was accepted.",
		label="Delays",
		rows=(DelayEvent.DOCTYPE,),
		header=N_("Delays"),
	),
	Metric(
		"late_transfers",
		Kind.COUNT,
		"Waits that the agent transferred unanswered after too much of the allowed time (by default, half).",
		label="Late Transfers",
		rows=SEGMENT,
		header=N_("Late Transfers"),
	),
	Metric(
		"delay_share",
		Kind.SHARE,
		"Delays, of the segments counted.",
		header=N_("Delay Share"),
		numerator={"delays": 1},
		denominator={"segments_counted": 1},
	),
	Metric(
		"charged_delays",
		Kind.SHARE,
		"The same, with each late transfer as half a delay.",
		numerator={"delays": 1, "late_transfers": 0.5},
		denominator={"segments_counted": 1},
		scored_as="delays",
	),
	Metric(
		"transfers_in",
		Kind.COUNT,
		"Tickets that were transferred to the agent.",
		label="Transfers In",
		rows=EVENT,
		header=N_("Transfers In"),
	),
	Metric(
		"transfers_out",
		Kind.COUNT,
		"Tickets that were transferred from the agent.",
		label="Transfers Out",
		rows=EVENT,
		header=N_("Transfers Out"),
	),
	Metric(
		"rescues",
		Kind.COUNT,
		"Waits with the agent that a manager answered on his or her behalf.",
		label="Rescues",
		rows=SEGMENT,
	),
	Metric(
		"resolution_rate",
		Kind.SHARE,
		"Tickets resolved, of the tickets handled without those excluded.",
		numerator={"tickets_resolved": 1},
		denominator={"tickets_handled": 1, "tickets_excluded": -1},
		scored_as="resolution",
	),
	Metric(
		"ratings",
		Kind.COUNT,
		"Ratings of conversations in which the agent wrote most of the answers.",
		label="Ratings",
		rows=SURVEY,
		header=N_("Ratings"),
	),
	Metric(
		"ratings_good",
		Kind.COUNT,
		"Ratings of 4 and 5.",
		label="Good Ratings",
		rows=SURVEY,
		header=N_("Good Ratings"),
	),
	Metric(
		"satisfaction",
		Kind.SHARE,
		"Good ratings, of all ratings.",
		header=N_("Satisfaction"),
		numerator={"ratings_good": 1},
		denominator={"ratings": 1},
		scored_as="satisfaction",
	),
)

BY_NAME = {metric.name: metric for metric in METRICS}
COUNTS = frozenset(metric.name for metric in METRICS if metric.kind in (Kind.COUNT, Kind.DURATION))
SAMPLES = tuple(metric.name for metric in METRICS if metric.kind is Kind.SAMPLES)
# The fields of KPI rows that add up over days
SUMS = tuple(name for metric in METRICS for name in metric.sums)
OPENABLE = frozenset(metric.name for metric in METRICS if metric.rows)
SCORED = tuple(metric for metric in METRICS if metric.scored_as)
COLUMNS = {column.fieldname: column for metric in METRICS for column in metric.columns}
