"""What customers say of conversations: by agent, branch or time, and what it rests on; and their words.

Ratings count on the day on which they came, as in every other figure of an agent. How many of those who were
asked answered is said of the surveys that arrived in the period: else answers of yesterday's would be among
them. Beside a share stands the interval in which the true one lies: of three ratings little is known.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp.core.metrics import BY_NAME
from khalifa_whatsapp.core.proportions import wilson
from khalifa_whatsapp.khalifa_whatsapp import report_buckets as buckets
from khalifa_whatsapp.khalifa_whatsapp import reports

AGENT, COMMENTS = "Agent", "Comments"
GROUPS = (AGENT, buckets.BRANCH, buckets.DAY, buckets.WEEK, buckets.MONTH, COMMENTS)
SURVEY = "Khalifa Satisfaction"
COUNTS = ("delivered", "answered", "ratings", "ratings_good", "ratings_low", "comments")
FILTERS = {"branch": "s.branch", "agent": "s.agent", "device": "s.device"}
MAX = 5_000
LEFT_TO_RIGHT = "\u2066{}\u2069"  # the smaller end first, also among Arabic words
SATISFACTION = BY_NAME["satisfaction"]


@reports.for_managers
def execute(filters: Any) -> tuple[Any, ...]:
	group = buckets.group_of(filters, GROUPS)
	counts = _counts(filters, AGENT if group == COMMENTS else group)
	total = _total(counts)
	summary = _summary(total) if counts else []
	if group == COMMENTS:
		rows = _comments(filters)
		return _comment_columns(), rows[:MAX], reports.cut_message(MAX, len(rows)), None, summary
	rows = [_row(filters, group, key, counts[key]) for key in _in_order(group, counts)]
	return _columns(group), [*rows, total] if rows else [], None, _chart(group, rows), summary


# -- figures


def _counts(filters: Any, group: str) -> dict[Any, Counter[str]]:
	counters: dict[Any, Counter[str]] = defaultdict(Counter)
	rated = "count(*), sum(s.score >= 4), sum(s.score <= 2), sum(s.comment <> '')"
	for at, what, names in (
		("s.delivered_ms", "count(*), sum(s.score > 0)", ("delivered", "answered")),
		("s.answered_ms", rated, ("ratings", "ratings_good", "ratings_low", "comments")),
	):
		for raw, *counts in _select(filters, group, at, what):
			key = raw if group == AGENT else buckets.key_of(group, raw)
			counters[key].update({name: int(count or 0) for name, count in zip(names, counts, strict=True)})
	return counters


def _select(filters: Any, group: str, at: str, what: str) -> list[Any]:
	"""Rows (key, what …) of the period."""
	period = reports.period_ms(filters)
	key = "coalesce(s.agent, '')"
	if group != AGENT:
		key = buckets.sql_of(group, at, period, "s.branch")
	also, values = reports.chosen_sql(filters, FILTERS)
	# SQL: a bucket's key is arithmetic on instants, as text
	sql = (
		f"select {key}, {what} from `tab{SURVEY}` s where {at} >= %(start)s and {at} < %(end)s{also} "
		f"group by {key}"
	)
	return frappe.db.sql(sql, {**values, "start": period[0], "end": period[1]})


def _in_order(group: str, counts: dict[Any, Counter[str]]) -> list[Any]:
	if group in buckets.DATED:
		return buckets.in_order(group, counts)
	return sorted(counts, key=lambda key: (not key, -counts[key]["ratings"], key))


def _row(filters: Any, group: str, key: Any, counts: Counter[str]) -> dict[str, Any]:
	row: dict[str, Any] = {name: counts[name] for name in COUNTS}
	row |= _agent_cells(key) if group == AGENT else buckets.cells(group, key)
	days = reports.dates(filters)
	if group == AGENT and key:
		row["behind"] = {"agent": key, "first": str(days[0]), "last": str(days[1])}
	else:
		row["links"] = {"ratings": _list_link(filters, group, key)}
	_finish(row)
	return row


def _agent_cells(agent: str) -> dict[str, Any]:
	"""The agent's name; what only managers answered is nobody's."""
	name = reports.safe(frappe.get_cached_value("Khalifa Agent", agent, "employee_name")) if agent else ""
	name = name or _("Managers")
	return {"agent": agent or None, "bucket": name, "tick": name}


def _list_link(filters: Any, group: str, key: Any) -> str:
	chosen = {name: filters.get(name) for name in FILTERS}
	days = reports.dates(filters)
	if group == AGENT:
		rows = {"agent": ["is", "not set"], "answered_on": reports.between(*days)}
	else:
		rows = buckets.rows_of(group, key, "answered_on", *days) or {}
	return reports.link(SURVEY, **{**chosen, **rows})


def _finish(row: dict[str, Any]) -> None:
	row["response_rate"] = reports.share(row["answered"], row["delivered"])
	row["satisfaction"] = reports.share(*SATISFACTION.parts(row))
	among = wilson(row["ratings_good"], row["ratings"])
	interval = f"{100 * among.low:.0f}–{100 * among.high:.0f}%" if among else ""
	row["interval"] = LEFT_TO_RIGHT.format(interval) if interval else None


def _total(counts: dict[Any, Counter[str]]) -> dict[str, Any]:
	return {**reports.total_row(counts.values(), COUNTS, _finish), "bucket": _("Total")}


def _columns(group: str) -> list[dict[str, Any]]:
	first = _("Agent") if group == AGENT else buckets.title(group)
	opens = {"metric": "ratings"} if group == AGENT else {}
	return [
		reports.column("bucket", first, width=180),
		reports.column("delivered", _("Surveys Delivered"), "Int", 130),
		reports.column("answered", _("Of Them Answered"), "Int", 130),
		reports.column("response_rate", _("Response Rate"), "Percent", 120),
		reports.column("ratings", _("Ratings"), "Int", 90) | opens,
		reports.column("ratings_good", _("Good Ratings"), "Int", 110),
		reports.column("satisfaction", _("Satisfaction"), "Percent", 110),
		reports.column("interval", _("Likely Between"), width=120),
		reports.column("ratings_low", _("Low Ratings"), "Int", 110),
		reports.column("comments", _("Comments"), "Int", 110),
	]


def _chart(group: str, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
	line = reports.Line(_("Satisfaction"), reports.GREEN, [row["satisfaction"] for row in rows])
	return reports.chart([row["tick"] for row in rows], line, is_line=group in buckets.DATED)


def _summary(total: dict[str, Any]) -> list[dict[str, Any]]:
	return [
		reports.figure(_("Surveys Delivered"), total["delivered"]),
		reports.figure(_("Response Rate"), reports.percent(total["response_rate"])),
		reports.figure(_("Satisfaction"), reports.percent(total["satisfaction"])),
		reports.figure(_("Likely Between"), total["interval"]),
		reports.figure(_("Low Ratings"), total["ratings_low"], reports.red_if(total["ratings_low"])),
	]


# -- words


def _comments(filters: Any) -> list[dict[str, Any]]:
	"""Low ratings and whatever was written, the latest first."""
	start, end = reports.period_ms(filters)
	also, values = reports.chosen_sql(filters, FILTERS)
	# SQL: the filters that all groups share are text
	sql = (
		"select s.name as survey, s.answered_on, s.score, s.comment, s.ticket, c.customer_name, "
		"a.employee_name as agent_name, s.branch "
		f"from `tab{SURVEY}` s left join `tabKhalifa Customer` c on c.name = s.customer "
		"left join `tabKhalifa Agent` a on a.name = s.agent "
		"where s.answered_ms >= %(start)s and s.answered_ms < %(end)s "
		f"and (s.score <= 2 or s.comment <> ''){also} order by s.answered_ms desc, s.name limit {MAX + 1}"
	)
	rows = frappe.db.sql(sql, {**values, "start": start, "end": end}, as_dict=True)
	for row in rows:
		for name in ("comment", "customer_name", "agent_name"):
			row[name] = reports.safe(row[name])
		row["links"] = {"answered_on": f"/app/khalifa-satisfaction/{row.pop('survey')}"}
	return rows


def _comment_columns() -> list[dict[str, Any]]:
	return [
		reports.column("answered_on", _("At"), "Datetime", 190),
		reports.column("score", _("Score"), "Int", 80),
		reports.column("comment", _("Comment"), width=420),
		reports.column("customer_name", _("Customer"), width=170),
		reports.column("agent_name", _("Agent"), width=150),
		reports.column("branch", _("Branch"), "Link", 130, "Khalifa Branch"),
		reports.column("ticket", _("Ticket"), "Link", 110, "Khalifa Ticket"),
	]
