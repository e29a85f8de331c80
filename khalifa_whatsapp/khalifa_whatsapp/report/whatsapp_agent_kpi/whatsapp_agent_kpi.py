"""Agents side by side over any days: sums of their daily rows, and means weighted by what they are means of."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp.khalifa_whatsapp import reports

SUMS = (
	"tickets_received", "tickets_handled", "tickets_resolved", "messages_sent", "turns_answered", "first_response_count",
	"first_response_sum", "response_count", "response_sum", "segments_counted", "delays", "missed", "transfers_in",
	"transfers_out", "ratings", "ratings_good",
)  # fmt: skip


def execute(filters: dict[str, Any] | None = None) -> tuple[Any, ...]:
	reports.managers_only()
	rows = _rows(frappe._dict(filters or {}))
	for row in rows:
		_finish(row)
	shown = [*rows, {**reports.total_row(rows, SUMS, _finish), "agent_name": _("Total")}] if rows else []
	return _columns(), shown, None, _chart(rows), _summary(shown[-1]) if shown else []


def _columns() -> list[dict[str, Any]]:
	return [
		reports.column("agent", _("Agent"), "Link", 10, "Khalifa Agent") | {"hidden": 1},
		reports.column("agent_name", _("Agent"), width=180),
		reports.column("branch", _("Branch"), "Link", 140, "Khalifa Branch"),
		reports.column("tickets_handled", _("Handled"), "Int", 90),
		reports.column("tickets_resolved", _("Resolved"), "Int", 90),
		reports.column("messages_sent", _("Messages"), "Int", 90),
		reports.column("first_response", _("First Response (Minutes)"), "Float", 150),
		reports.column("response", _("Response (Minutes)"), "Float", 140),
		reports.column("delays", _("Delays"), "Int", 80),
		reports.column("delay_share", _("Delay Share"), "Percent", 110),
		reports.column("missed", _("Missed"), "Int", 80),
		reports.column("transfers_in", _("Transfers In"), "Int", 100),
		reports.column("transfers_out", _("Transfers Out"), "Int", 100),
		reports.column("satisfaction", _("Satisfaction"), "Percent", 110),
	]


def _rows(filters: Any) -> list[dict[str, Any]]:
	start, end = reports.dates(filters)
	sums = ", ".join(f"sum({name}) as {name}" for name in SUMS)
	wheres, values = ["period = 'Daily'", "start_date between %(start)s and %(end)s"], {"start": start, "end": end}
	for name in ("branch", "agent"):
		if filters.get(name):
			wheres.append(f"{name} = %({name})s")
			values[name] = filters[name]
	sql = (
		f"select agent, max(agent_name) as agent_name, max(branch) as branch, {sums} from `tabKhalifa Agent KPI` "
		f"where {' and '.join(wheres)} group by agent order by sum(tickets_handled) desc, agent"
	)
	return frappe.db.sql(sql, values, as_dict=True)


def _finish(row: dict[str, Any]) -> None:
	row["first_response"] = reports.minutes(row["first_response_sum"], row["first_response_count"])
	row["response"] = reports.minutes(row["response_sum"], row["response_count"])
	row["delay_share"] = reports.share(row["delays"], row["segments_counted"])
	row["satisfaction"] = reports.share(row["ratings_good"], row["ratings"])
	row["agent_name"] = reports.safe(row.get("agent_name"))


def _chart(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
	if not rows:
		return None
	data = {
		"labels": [row["agent_name"] for row in rows],
		"datasets": [{"name": _("First Response (Minutes)"), "values": [row["first_response"] or 0 for row in rows]}],
	}
	return {"data": data, "type": "bar"}


def _summary(total: dict[str, Any]) -> list[dict[str, Any]]:
	return [
		{"label": _("Handled"), "value": total["tickets_handled"], "datatype": "Int"},
		{"label": _("First Response (Minutes)"), "value": total["first_response"], "datatype": "Float"},
		{"label": _("Delays"), "value": total["delays"], "datatype": "Int", "indicator": "Red" if total["delays"] else "Green"},
	]
