"""When customers write: a table of hours and weekdays, or one row for each branch, number or day."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp.khalifa_whatsapp import report_buckets as buckets
from khalifa_whatsapp.khalifa_whatsapp import reports

WEEK_TABLE = "Hour and Weekday"
GROUPS = (WEEK_TABLE, buckets.BRANCH, buckets.DEVICE, buckets.DAY, buckets.WEEK, buckets.MONTH)
CONVERSATIONS, MESSAGES = "New Conversations", "Incoming Messages"
COUNTS = ("opened", "incoming", "answered", "closed", "missed")
TICKET, MESSAGE = "`tabKhalifa Ticket` t", "`tabKhalifa Message` m"
WITH_TICKET = f"{MESSAGE} join {TICKET} on t.name = m.ticket"
IN = "m.status = 'Received'"


@reports.for_managers
def execute(filters: Any) -> tuple[Any, ...]:
	group = buckets.group_of(filters, GROUPS)
	return _week_table(filters) if group == WEEK_TABLE else _list(filters, group)


# -- hours and weekdays


def _week_table(filters: Any) -> tuple[Any, ...]:
	cells = _cells(filters)
	days = buckets.week_order()
	hours = [_hour_row(hour, days, cells) for hour in range(24)] if cells else []
	by_day = Counter()
	for (_hour, day), count in cells.items():
		by_day[day] += count
	total = {
		"bucket": _("Total"),
		"bold": 1,
		"total": sum(cells.values()),
		**{f"day_{day}": by_day[day] for day in days},
	}
	columns = [
		reports.column("bucket", buckets.title(buckets.HOUR), width=90),
		*(reports.column(f"day_{day}", buckets.weekday(day), "Int", 110) for day in days),
		reports.column("total", _("Total"), "Int", 100),
	]
	return (
		columns,
		[*hours, total] if hours else [],
		None,
		_hours_chart(filters, hours),
		_peaks(hours, by_day, total),
	)


def _cells(filters: Any) -> Counter[tuple[int, int]]:
	"""How many, by (hour, weekday)."""
	needs_ticket = bool(filters.get("branch") or filters.get("device"))
	message = WITH_TICKET if needs_ticket else MESSAGE
	source, at = (message, "m.sent") if _counts_messages(filters) else (TICKET, "t.opened")
	where = IN if _counts_messages(filters) else "1 = 1"
	period = reports.period_ms(filters)
	key = ", ".join(buckets.sql_of(group, f"{at}_ms", period) for group in (buckets.HOUR, buckets.WEEKDAY))
	rows = _select(filters, key, source, f"{at}_ms", where, "count(*)")
	return Counter({(hour, day): count for hour, day, count in rows})


def _counts_messages(filters: Any) -> bool:
	return filters.get("count") == MESSAGES


def _hour_row(hour: int, days: list[int], cells: Counter[tuple[int, int]]) -> dict[str, Any]:
	row: dict[str, Any] = {f"day_{day}": cells[(hour, day)] for day in days}
	return {
		"bucket": buckets.label(buckets.HOUR, hour),
		"tick": str(hour),
		"heat": max(cells.values()),
		"total": sum(row.values()),
		**row,
	}


def _hours_chart(filters: Any, hours: list[dict[str, Any]]) -> dict[str, Any] | None:
	name = _(MESSAGES) if _counts_messages(filters) else _(CONVERSATIONS)
	return reports.chart(
		[row["tick"] for row in hours], reports.Line(name, reports.BLUE, [row["total"] for row in hours])
	)


def _peaks(hours: list[dict[str, Any]], by_day: Counter[int], total: dict[str, Any]) -> list[dict[str, Any]]:
	if not hours:
		return []
	busiest = max(hours, key=lambda row: row["total"])
	return [
		reports.figure(_("Total"), total["total"]),
		reports.figure(_("Busiest Hour"), busiest["bucket"]),
		reports.figure(_("Busiest Day"), buckets.weekday(by_day.most_common(1)[0][0])),
	]


# -- one row each


def _list(filters: Any, group: str) -> tuple[Any, ...]:
	counts = _counts(filters, group)
	rows = [_row(filters, group, key, counts[key]) for key in buckets.without_gaps(group, counts)]
	if group not in buckets.DATED:
		rows.sort(key=lambda row: -row["opened"])
	shown = [*rows, {**reports.total_row(rows, COUNTS, _finish), "bucket": _("Total")}] if rows else []
	return _list_columns(group), shown, None, _list_chart(group, rows), []


def _counts(filters: Any, group: str) -> dict[Any, Counter[str]]:
	counters: dict[Any, Counter[str]] = defaultdict(Counter)
	for source, at, where, what, names in (
		(TICKET, "t.opened", "1 = 1", "count(*)", ("opened",)),
		(TICKET, "t.closed", "t.status = 'Closed'", "count(*), sum(t.is_missed)", ("closed", "missed")),
		(WITH_TICKET, "m.sent", IN, "count(*)", ("incoming",)),
		("`tabKhalifa Turn` t", "t.ended", "t.outcome = 'answered'", "count(*)", ("answered",)),
	):
		bucket = buckets.sql_of(group, f"{at}_ms", reports.period_ms(filters), "t.branch", "t.device")
		for raw, *counts in _select(filters, bucket, source, f"{at}_ms", where, what):
			counters[buckets.key_of(group, raw)].update(
				{name: int(count) for name, count in zip(names, counts, strict=True)}
			)
	return counters


def _select(filters: Any, key: str, source: str, at: str, where: str, what: str) -> list[Any]:
	"""Rows (key …, what …) of the period."""
	start, end = reports.period_ms(filters)
	also, values = reports.chosen_sql(filters, {"branch": "t.branch", "device": "t.device"})
	# SQL: a bucket's key is arithmetic on instants, as text
	sql = (
		f"select {key}, {what} from {source} where {at} >= %(start)s and {at} < %(end)s and {where}{also} "
		f"group by {key}"
	)
	return frappe.db.sql(sql, {**values, "start": start, "end": end})


def _row(filters: Any, group: str, key: Any, counts: Counter[str]) -> dict[str, Any]:
	chosen = {name: filters.get(name) for name in ("branch", "device")}
	days = reports.dates(filters)
	row: dict[str, Any] = {
		**buckets.cells(group, key),
		**{name: counts[name] for name in COUNTS},
	}
	opened, closed = (
		buckets.rows_of(group, key, moment, *days) or {} for moment in ("opened_on", "closed_on")
	)
	row["links"] = {
		"opened": reports.link("Khalifa Ticket", **{**chosen, **opened}),
		"closed": reports.link("Khalifa Ticket", **{**chosen, **closed, "status": "Closed"}),
		"missed": reports.link("Khalifa Ticket", **{**chosen, **closed, "status": "Closed", "is_missed": 1}),
	}
	_finish(row)
	return row


def _finish(row: dict[str, Any]) -> None:
	row["missed_share"] = reports.share(row["missed"], row["closed"])


def _list_columns(group: str) -> list[dict[str, Any]]:
	return [
		reports.column("bucket", buckets.title(group), width=180),
		reports.column("opened", _(CONVERSATIONS), "Int", 140),
		reports.column("incoming", _(MESSAGES), "Int", 140),
		reports.column("answered", _("Answered Waits"), "Int", 130),
		reports.column("closed", _("Closed"), "Int", 110),
		reports.column("missed", _("Missed"), "Int", 110),
		reports.column("missed_share", _("Missed Share"), "Percent", 120),
	]


def _list_chart(group: str, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
	opened = reports.Line(_(CONVERSATIONS), reports.BLUE, [row["opened"] for row in rows])
	return reports.chart([row["tick"] for row in rows], opened, is_line=group in buckets.DATED)
