"""Agents' figures over any days: the daily rows that are kept, and today's, worked out at this moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import kpi
from khalifa_whatsapp.core.metrics import COLUMNS, METRICS, SUMS, Column, Kind, Unit
from khalifa_whatsapp.core.records import AgentKpi
from khalifa_whatsapp.core.settings import Settings
from khalifa_whatsapp.khalifa_whatsapp import reports
from khalifa_whatsapp.khalifa_whatsapp.report_buckets import key_of, sql_of_date
from khalifa_whatsapp.services.kpi import day_so_far

TYPES = {Unit.ROWS: "Int", Unit.MINUTES: "Float", Unit.HOURS: "Float", Unit.PERCENT: "Percent"}
WHOLE = "Whole Period"


def sums(filters: Any, group: str = WHOLE) -> list[dict[str, Any]]:
	"""Rows `{bucket, agent, agent_name, branch, …sums}`; the bucket is a date,
	or None for the whole period.
	"""
	start, end = reports.dates(filters)
	today = reports.store().rules().calendar.local_date(now_ms())
	kept = _kept(filters, group, start, min(end, today - timedelta(days=1)))
	live = _today(filters, today) if start <= today <= end else []
	for row in live:
		row["bucket"] = _bucket(group, today)
	return _merged([*kept, *live])


def _kept(filters: Any, group: str, start: date, end: date) -> list[dict[str, Any]]:
	"""Rows of ended days. A group's name and branch are those of its latest day."""
	bucket = "null" if group == WHOLE else sql_of_date(group, "start_date")
	also, values = reports.chosen_sql(filters, {"branch": "branch", "agent": "agent"})
	# SQL: a bucket's key is arithmetic on dates, as text
	latest = "substring_index(max(concat(start_date, '\n', coalesce({0}, ''))), '\n', -1) as {0}"
	sql = (
		f"select {bucket} as bucket, agent, {latest.format('agent_name')}, {latest.format('branch')}, "
		f"{', '.join(f'sum({name}) as {name}' for name in SUMS)} from `tabKhalifa Agent KPI` "
		f"where period = 'Daily' and start_date between %(start)s and %(end)s{also} group by bucket, agent"
	)
	rows = frappe.db.sql(sql, {**values, "start": start, "end": end}, as_dict=True)
	for row in rows:
		row["bucket"] = None if group == WHOLE else key_of(group, row["bucket"])
	return rows


def _today(filters: Any, today: date) -> list[dict[str, Any]]:
	rows = [asdict(row) for row in day_so_far(reports.store(), today, now_ms())]
	wanted = {name: filters[name] for name in ("branch", "agent") if filters.get(name)}
	fields = ("agent", "agent_name", "branch", *SUMS)
	return [
		{name: row[name] for name in fields}
		for row in rows
		if all(row[name] == value for name, value in wanted.items())
	]


def _bucket(group: str, today: date) -> date | None:
	if group == WHOLE:
		return None
	# SQL: the very expression that the kept rows are grouped by
	return key_of(group, frappe.db.sql(f"select {sql_of_date(group, '%(day)s')}", {"day": today})[0][0])


def _merged(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
	"""One row for each bucket and agent."""
	merged: dict[tuple[Any, str], dict[str, Any]] = {}
	for row in rows:
		kept = merged.get((row["bucket"], row["agent"]))
		if kept is None:
			merged[(row["bucket"], row["agent"])] = {**row, **{name: int(row[name] or 0) for name in SUMS}}
			continue
		for name in SUMS:
			kept[name] += int(row[name] or 0)
	return list(merged.values())


def columns(**widths: int) -> list[dict[str, Any]]:
	"""Columns of metrics, by field and width in pixels. Cells that count rows open them."""
	return [_column(COLUMNS[name], width) for name, width in widths.items()]


def _column(column: Column, width: int) -> dict[str, Any]:
	made = reports.column(column.fieldname, _(column.header), TYPES[column.unit], width)
	return made | {"metric": column.opens} if column.opens else made


def finish(row: dict[str, Any], minimum: int, settings: Settings, team: float | None) -> None:
	"""Means in minutes, shares in per cent, hours online, and the score, out of a row's sums."""
	for metric in METRICS:
		if metric.kind is Kind.SAMPLES:
			row[metric.name] = reports.minutes(*metric.parts(row))
		elif metric.kind is Kind.SHARE and metric.header:
			row[metric.name] = reports.share(*metric.parts(row))
	row["online_hours"] = round(row["online_time"] / 3600, 1)
	row["agent_name"] = reports.safe(row.get("agent_name"))
	counted = AgentKpi("", "", row.get("agent") or "", "", None, "", "", **{name: row[name] for name in SUMS})
	result = kpi.score(kpi.measures(counted, settings, team, minimum), settings)
	row["score"], row["coverage"] = result.score, result.coverage


def team_satisfaction(rows: Iterable[dict[str, Any]]) -> float | None:
	"""The team's satisfaction over these rows, which single votes are pulled to."""
	listed = list(rows)
	return reports.share(sum(row["ratings_good"] for row in listed), sum(row["ratings"] for row in listed))
