"""Agents side by side, over the whole period or by day, week or month;
means are weighted by what they are means of.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from frappe import _
from frappe.utils import add_days, get_last_day

from khalifa_whatsapp.core.metrics import SUMS
from khalifa_whatsapp.khalifa_whatsapp import report_buckets as buckets
from khalifa_whatsapp.khalifa_whatsapp import report_kpi, reports

GROUPS = (report_kpi.WHOLE, buckets.DAY, buckets.WEEK, buckets.MONTH)
CHARTED = ("first_response", "response")


@reports.for_managers
def execute(filters: Any) -> tuple[Any, ...]:
	group = buckets.group_of(filters, GROUPS)
	rows = report_kpi.sums(filters, group)
	_finish(rows, group)
	rows.sort(key=lambda row: (row["bucket"] or "", -row["tickets_handled"], row["agent"]))
	total = _total(rows) if rows else {}
	spans = _spans(group, {row["bucket"] for row in rows}, reports.dates(filters))
	for row in rows:
		_link(row, spans[row["bucket"]])
	shown = [*rows, total] if rows else []
	return _columns(group), shown, None, _chart(rows, group), _summary(total) if rows else []


def _finish(rows: list[dict[str, Any]], group: str) -> None:
	settings, team = reports.store().rules().settings, report_kpi.team_satisfaction(rows)
	minimum = settings.min_sample_daily if group == buckets.DAY else settings.min_sample_monthly
	for row in rows:
		report_kpi.finish(row, minimum, settings, team)


def _total(rows: list[dict[str, Any]]) -> dict[str, Any]:
	"""The team's row. It has no score: a score compares people."""
	settings = reports.store().rules().settings

	def means(row: dict[str, Any]) -> None:
		report_kpi.finish(row, 1, settings, None)

	total = reports.total_row(rows, SUMS, means)
	return {**total, "agent_name": _("Total"), "score": None, "coverage": None}


def _spans(group: str, keys: set[date | None], days: tuple[date, date]) -> dict[date | None, dict[str, str]]:
	"""For each bucket, how it is called and which days it holds: worked out once, not for every agent."""
	first, last = days
	spans: dict[date | None, dict[str, str]] = {None: {"first": str(first), "last": str(last)}}
	for key in filter(None, keys):
		days = {"first": str(max(first, key)), "last": str(min(last, _end(group, key)))}
		spans[key] = {**buckets.cells(group, key), **days}
	return spans


def _link(row: dict[str, Any], span: dict[str, str]) -> None:
	"""What a click on a figure opens: the rows it counts, found by agent, measure and days."""
	row["behind"] = {"agent": row["agent"], "first": span["first"], "last": span["last"]}
	row["bucket"], row["tick"] = span.get("bucket"), span.get("tick")
	row["links"] = {"agent_name": f"/app/khalifa-agent/{row['agent']}"}


def _end(group: str, first: date) -> date:
	return {buckets.DAY: first, buckets.WEEK: add_days(first, 6), buckets.MONTH: get_last_day(first)}[group]


def _columns(group: str) -> list[dict[str, Any]]:
	when = [] if group == report_kpi.WHOLE else [reports.column("bucket", buckets.title(group), width=130)]
	return [
		*when,
		*reports.agent_columns(170, 130),
		reports.column("score", _("Score"), "Float", 80),
		reports.column("coverage", _("Coverage"), "Percent", 90),
		*report_kpi.columns(
			tickets_received=90,
			tickets_handled=90,
			tickets_resolved=90,
			messages_sent=90,
			first_response_count=120,
			first_response=160,
			response_count=100,
			response=140,
			resolution=150,
			delays=80,
			delay_share=110,
			late_transfers=110,
			missed=80,
			transfers_in=100,
			transfers_out=100,
			ratings=90,
			satisfaction=110,
			online_hours=110,
		),
	]


def _chart(rows: list[dict[str, Any]], group: str) -> dict[str, Any] | None:
	is_whole = group == report_kpi.WHOLE
	names = [row["agent_name"] for row in rows]
	labels, values = (
		(names, {name: [row[name] for row in rows] for name in CHARTED}) if is_whole else _course(rows)
	)
	return reports.chart(
		labels,
		reports.Line(_("First Response (Minutes)"), reports.BLUE, values["first_response"]),
		reports.Line(_("Response (Minutes)"), reports.GREEN, values["response"]),
		is_line=not is_whole,
	)


def _course(rows: list[dict[str, Any]]) -> tuple[list[str], dict[str, list[float]]]:
	"""The team's means, bucket by bucket; `rows` come in the order of their buckets."""
	ticks = {row["bucket"]: row["tick"] for row in rows}
	values: dict[str, list[float]] = {name: [] for name in CHARTED}
	for bucket in ticks:
		of_it = [row for row in rows if row["bucket"] == bucket]
		for name in CHARTED:
			seconds, count = (sum(row[f"{name}_{part}"] for row in of_it) for part in ("sum", "count"))
			values[name].append(reports.minutes(seconds, count) or 0)
	return list(ticks.values()), values


def _summary(total: dict[str, Any]) -> list[dict[str, Any]]:
	return [
		reports.figure(_("Handled"), total["tickets_handled"]),
		reports.figure(_("First Response (Minutes)"), total["first_response"]),
		reports.figure(_("Response (Minutes)"), total["response"]),
		reports.figure(_("Delays"), total["delays"], reports.red_if(total["delays"])),
	]
