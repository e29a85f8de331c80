"""Every breach of a promised time, the latest first: whose, why, how long, and what became of an objection.

The rows may be cut off; the sums above them and the chart never are.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp.khalifa_whatsapp import report_buckets as buckets
from khalifa_whatsapp.khalifa_whatsapp import reports

MAX = 5_000
KINDS = ("Agent", "Customer")
FILTERS = {
	"kind": "d.kind",
	"agent": "d.agent",
	"branch": "d.branch",
	"cause": "d.cause",
	"objection_status": "d.objection_status",
}


@reports.for_managers
def execute(filters: Any) -> tuple[Any, ...]:
	sums, rows = _sums(filters), _rows(filters)
	for row in rows:
		_finish(row)
	return _columns(), rows, _message(sums), _chart(sums), _summary(sums) if sums else []


def _where(filters: Any) -> tuple[str, dict[str, Any]]:
	start, end = reports.period_ms(filters)
	also, values = reports.chosen_sql(filters, FILTERS)
	return f"d.at_ms >= %(start)s and d.at_ms < %(end)s{also}", {**values, "start": start, "end": end}


def _sums(filters: Any) -> list[Any]:
	"""(day, kind, breaches, escalated, objections open, objections accepted) of all breaches."""
	where, values = _where(filters)
	day = buckets.sql_of(buckets.DAY, "d.at_ms", reports.period_ms(filters))
	# SQL: a bucket's key is arithmetic on instants, as text
	sql = (
		f"select {day}, d.kind, count(*), sum(d.is_escalated), "
		"sum(coalesce(d.objection_status, '') = 'Open'), sum(coalesce(d.objection_status, '') = 'Accepted') "
		f"from `tabKhalifa Delay Event` d where {where} group by 1, 2 order by 1"
	)
	return [(buckets.key_of(buckets.DAY, raw), *others) for raw, *others in frappe.db.sql(sql, values)]


def _rows(filters: Any) -> list[dict[str, Any]]:
	where, values = _where(filters)
	# SQL: the rows are cut off before they are joined to four tables
	sql = (
		"select d.name as delay, d.at_on, d.kind, d.ticket, t.customer_name, d.agent, "
		"a.employee_name as agent_name, d.branch, d.cause, s.biz_time as agent_seconds, "
		"u.biz_time as customer_seconds, d.is_escalated, d.closed_on, d.objection_status "
		f"from (select * from `tabKhalifa Delay Event` d where {where} order by d.at_ms desc limit {MAX}) d "
		"left join `tabKhalifa Ticket` t on t.name = d.ticket "
		"left join `tabKhalifa Agent` a on a.name = d.agent "
		"left join `tabKhalifa Turn Segment` s on s.name = d.segment "
		"left join `tabKhalifa Turn` u on u.name = d.turn "
		"order by d.at_ms desc, d.name"
	)
	return frappe.db.sql(sql, values, as_dict=True)


def _finish(row: dict[str, Any]) -> None:
	seconds = row.pop("agent_seconds") if row["kind"] == "Agent" else row["customer_seconds"]
	row["waited"] = None if seconds is None else reports.minutes(float(seconds), 1)
	row["customer_name"], row["agent_name"] = (
		reports.safe(row["customer_name"]),
		reports.safe(row["agent_name"]),
	)
	row["kind"], row["cause"] = _(row["kind"]), _(row["cause"]) if row["cause"] else ""
	row["objection_status"] = _(row["objection_status"]) if row["objection_status"] else ""
	row["links"] = {"at_on": f"/app/khalifa-delay-event/{row['delay']}"}
	row["escalated"] = _("Yes") if row["is_escalated"] else ""


def _columns() -> list[dict[str, Any]]:
	return [
		reports.column("delay", _("Delay"), "Link", 10, "Khalifa Delay Event") | {"hidden": 1},
		reports.column("at_on", _("At"), "Datetime", 190),
		reports.column("kind", _("Kind"), width=100),
		reports.column("ticket", _("Ticket"), "Link", 110, "Khalifa Ticket"),
		reports.column("customer_name", _("Customer"), width=170),
		reports.column("agent_name", _("Agent"), width=150),
		reports.column("branch", _("Branch"), "Link", 130, "Khalifa Branch"),
		reports.column("cause", _("Cause"), width=110),
		reports.column("waited", _("Waited (Minutes)"), "Float", 130),
		reports.column("escalated", _("Escalated"), width=100),
		reports.column("closed_on", _("Ended"), "Datetime", 190),
		reports.column("objection_status", _("Objection"), width=110),
	]


def _message(sums: list[Any]) -> str | None:
	count = sum(row[2] for row in sums)
	if count <= MAX:
		return None
	return _("Showing the latest {0} of {1} delays. Choose fewer days to see all of them.").format(MAX, count)


def _chart(sums: list[Any]) -> dict[str, Any] | None:
	counts = Counter({(day, kind): count for day, kind, count, *_others in sums})
	days = buckets.without_gaps(buckets.DAY, {day for day, _kind in counts})
	by_kind = {kind: [counts[day, kind] for day in days] for kind in KINDS}
	return reports.chart(
		[buckets.tick(buckets.DAY, day) for day in days],
		reports.Line(_("Delays of Agents"), reports.RED, by_kind["Agent"]),
		reports.Line(_("Delayed Customers"), reports.ORANGE, by_kind["Customer"]),
	)


def _summary(sums: list[Any]) -> list[dict[str, Any]]:
	by_kind = {kind: sum(row[2] for row in sums if row[1] == kind) for kind in KINDS}
	return [
		reports.figure(_("Delays of Agents"), by_kind["Agent"], "Red"),
		reports.figure(_("Delayed Customers"), by_kind["Customer"], "Orange"),
		reports.figure(_("Escalated"), int(sum(row[3] for row in sums))),
		reports.figure(_("Open Objections"), int(sum(row[4] for row in sums))),
		reports.figure(_("Accepted Objections"), int(sum(row[5] for row in sums))),
	]
