"""How long customers waited with nobody to answer them, and when the agents were there.

The queue's waits count when they end. Presence comes from the log of stretches; *occupancy* is the share of
an agent's online time in which a customer waited for him or her, in business hours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Criterion

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core.intervals import joined
from khalifa_whatsapp.khalifa_whatsapp import report_buckets as buckets
from khalifa_whatsapp.khalifa_whatsapp import reports

AGENT = "Agent"
GROUPS = (AGENT, buckets.DAY, buckets.WEEK, buckets.MONTH, buckets.HOUR, buckets.WEEKDAY, buckets.BRANCH)
PRESENT = ("online", "away")
AT_ONCE = 10  # seconds: the machine's own time to hand a conversation on
HOUR_MS = 3_600_000


@reports.for_managers
def execute(filters: Any) -> tuple[Any, ...]:
	group = buckets.group_of(filters, GROUPS)
	return _presence(filters) if group == AGENT else _queue(filters, group)


# -- the queue


def _queue(filters: Any, group: str) -> tuple[Any, ...]:
	waits: dict[Any, buckets.Lengths] = defaultdict(buckets.Lengths)
	delayed: dict[Any, int] = defaultdict(int)
	total = buckets.Lengths()
	for raw, seconds, count, late in _queue_segments(filters, group):
		key = buckets.key_of(group, raw)
		waits[key].add(seconds, count)
		total.add(seconds, count)
		delayed[key] += int(late)
	rows = [
		_queue_row(group, key, waits[key], delayed[key], filters) for key in buckets.in_order(group, waits)
	]
	whole = {**_queue_cells(total), "delayed": sum(delayed.values()), "bucket": _("Total"), "bold": 1}
	shown = [*rows, whole] if rows else []
	return (
		_queue_columns(group),
		shown,
		None,
		_queue_chart(group, rows),
		_queue_summary(whole) if rows else [],
	)


def _queue_segments(filters: Any, group: str) -> Any:
	"""(bucket, seconds, how many, how many of them too long):
	the customer's limit was passed while nobody held it.
	"""
	start, end = period = reports.period_ms(filters)
	also, values = reports.chosen_sql(filters, {"branch": "s.branch"})
	# SQL: a bucket's key is arithmetic on instants, as text
	sql = (
		f"select {buckets.sql_of(group, 's.to_ms', period, 's.branch')}, cast(s.biz_time as signed), "
		"count(*), count(d.name) from `tabKhalifa Turn Segment` s "
		"left join `tabKhalifa Delay Event` d on d.turn = s.turn and d.kind = 'Customer' "
		"and d.at_ms >= s.from_ms and d.at_ms < s.to_ms "
		f"where s.agent is null and s.to_ms >= %(start)s and s.to_ms < %(end)s{also} group by 1, 2"
	)
	return frappe.db.sql(sql, {**values, "start": start, "end": end})


def _queue_row(group: str, key: Any, waits: buckets.Lengths, delayed: int, filters: Any) -> dict[str, Any]:
	chosen = {"agent": ["is", "not set"], "branch": filters.get("branch")}
	rows = buckets.rows_of(group, key, "to_on", *reports.dates(filters))
	links = {} if rows is None else {"wait_count": reports.link("Khalifa Turn Segment", **{**chosen, **rows})}
	return {
		**_queue_cells(waits),
		"delayed": delayed,
		**buckets.cells(group, key),
		"links": links,
	}


def _queue_cells(waits: buckets.Lengths) -> dict[str, Any]:
	at_once = sum(count for seconds, count in waits.histogram.items() if seconds < AT_ONCE)
	longest = reports.minutes(max(waits.histogram, default=0), 1)
	return {**waits.cells("wait"), "at_once": reports.share(at_once, waits.count), "longest": longest}


def _queue_columns(group: str) -> list[dict[str, Any]]:
	return [
		reports.column("bucket", buckets.title(group), width=170),
		reports.column("wait_count", _("Waits in the Queue"), "Int", 150),
		reports.column("at_once", _("Assigned at Once"), "Percent", 150),
		reports.column("wait_mean", _("Mean (Minutes)"), "Float", 140),
		reports.column("wait_median", _("Median (Minutes)"), "Float", 140),
		reports.column("wait_p90", _("p90 (Minutes)"), "Float", 130),
		reports.column("longest", _("Longest (Minutes)"), "Float", 150),
		reports.column("delayed", _("Too Long"), "Int", 110),
	]


def _queue_chart(group: str, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
	means = reports.Line(_("Mean (Minutes)"), reports.ORANGE, [row["wait_mean"] for row in rows])
	return reports.chart([row["tick"] for row in rows], means, is_line=group in buckets.DATED)


def _queue_summary(total: dict[str, Any]) -> list[dict[str, Any]]:
	return [
		reports.figure(_("Waits in the Queue"), total["wait_count"]),
		reports.figure(_("Mean (Minutes)"), total["wait_mean"]),
		reports.figure(_("Longest (Minutes)"), total["longest"]),
		reports.figure(_("Too Long"), total["delayed"], reports.red_if(total["delayed"])),
	]


# -- the agents


def _presence(filters: Any) -> tuple[Any, ...]:
	start, end = reports.period_ms(filters)
	end = max(start, min(end, now_ms()))  # nobody is online tomorrow
	agents = {row.name: row for row in _agents(filters)}
	busy = _busy_ms(agents, start, end)
	spent = _spent(start, end)
	rows = [
		_agent_row(agent, spent.get(agent.name, {}), busy.get(agent.name, 0)) for agent in agents.values()
	]
	rows.sort(key=lambda row: (-row["online"], row["agent_name"]))
	total = reports.total_row(rows, ("online_ms", "away_ms", "busy_ms"), _finish)
	shown = [*rows, {**total, "agent_name": _("Total")}] if rows else []
	return (
		_presence_columns(),
		shown,
		None,
		_presence_chart(rows),
		_presence_summary(rows, total) if rows else [],
	)


def _agents(filters: Any) -> list[Any]:
	agent = frappe.qb.DocType("Khalifa Agent")
	chosen = reports.chosen(filters, {"branch": agent.branch, "agent": agent.name})
	fields = ("name", "employee_name", "branch", "presence", "presence_on")
	query = frappe.qb.from_(agent).select(*fields).where(Criterion.all([agent.enabled == 1, *chosen]))
	return query.run(as_dict=True)


def _spent(start: int, end: int) -> dict[str, dict[str, int]]:
	"""Milliseconds by agent and presence, stretches clipped to the period;
	an open one lasts until its end.
	"""
	# SQL: qb has no words for least, greatest and if
	sql = (
		"select agent, lower(presence), "
		"sum(least(if(to_ms = 0, %(end)s, to_ms), %(end)s) - greatest(from_ms, %(start)s)) "
		"from `tabKhalifa Presence Log` where from_ms < %(end)s and (to_ms = 0 or to_ms > %(start)s) "
		"group by 1, 2"
	)
	spent_ms: dict[str, dict[str, int]] = defaultdict(dict)
	for agent, presence, spent in frappe.db.sql(sql, {"start": start, "end": end}):
		spent_ms[agent][presence] = int(spent)
	return spent_ms


def _busy_ms(agents: Mapping[str, Any], start: int, end: int) -> dict[str, int]:
	"""Business time in which at least one customer waited for the agent: overlapping waits count once."""
	rules = reports.store().rules()
	calendars = {name: rules.of_branch(agent.branch).calendar for name, agent in agents.items()}
	busy: dict[str, int] = {}
	for agent, waits in groupby(_held(start, end), key=itemgetter(0)):
		if agent in calendars:
			stretches = joined((first, last) for _agent, first, last in waits)
			busy[agent] = sum(calendars[agent].business_ms(first, last) for first, last in stretches)
	return busy


def _held(start: int, end: int) -> Any:
	"""(agent, from, to) of the waits that agents held, clipped to the period, in order.

	MariaDB would take minutes to join them.
	"""
	# SQL: qb has no words for least, greatest and if
	sql = (
		"select agent, greatest(from_ms, %(start)s), least(if(to_ms = 0, %(end)s, to_ms), %(end)s) "
		"from `tabKhalifa Turn Segment` where agent is not null "
		"and from_ms < %(end)s and (to_ms = 0 or to_ms > %(start)s) order by agent, from_ms"
	)
	return frappe.db.sql(sql, {"start": start, "end": end})


def _agent_row(agent: Any, spent: dict[str, int], busy: int) -> dict[str, Any]:
	row = {
		"agent": agent.name,
		"agent_name": reports.safe(agent.employee_name),
		"branch": agent.branch,
		"state": agent.presence,
		"presence": _(agent.presence),
		"presence_on": agent.presence_on,
		"busy_ms": busy,
		**{f"{name}_ms": spent.get(name, 0) for name in PRESENT},
		"links": {"agent_name": f"/app/khalifa-agent/{agent.name}", **_logs(agent.name)},
	}
	_finish(row)
	return row


def _logs(agent: str) -> dict[str, str]:
	return {
		name: reports.link("Khalifa Presence Log", agent=agent, presence=name.capitalize())
		for name in PRESENT
	}


def _finish(row: dict[str, Any]) -> None:
	for name in (*PRESENT, "busy"):
		row[name] = round(row[f"{name}_ms"] / HOUR_MS, 1)
	row["occupancy"] = reports.share(row["busy_ms"], row["online_ms"])


def _presence_columns() -> list[dict[str, Any]]:
	return [
		*reports.agent_columns(180, 140),
		reports.column("presence", _("Presence"), width=110),
		reports.column("presence_on", _("Since"), "Datetime", 190),
		reports.column("online", _("Online (Hours)"), "Float", 130),
		reports.column("away", _("Away (Hours)"), "Float", 130),
		reports.column("busy", _("With Customers Waiting (Hours)"), "Float", 210),
		reports.column("occupancy", _("Occupancy"), "Percent", 120),
	]


def _presence_summary(rows: list[dict[str, Any]], total: dict[str, Any]) -> list[dict[str, Any]]:
	there = sum(row["state"] == "Online" for row in rows)
	return [
		reports.figure(_("Online Now"), there, "Green" if there else "Red"),
		reports.figure(_("Online (Hours)"), total["online"]),
		reports.figure(_("Occupancy"), reports.percent(total["occupancy"])),
	]


def _presence_chart(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
	there = [row for row in rows if row["online"] or row["away"]]
	return reports.chart(
		[row["agent_name"] for row in there],
		reports.Line(_("Online (Hours)"), reports.GREEN, [row["online"] for row in there]),
		reports.Line(_("Away (Hours)"), reports.ORANGE, [row["away"] for row in there]),
		is_stacked=True,
	)
