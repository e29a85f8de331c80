"""Customers who have waited too long at this moment, the longest first."""

from __future__ import annotations

from collections import Counter
from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp.api.words import last_line
from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.khalifa_whatsapp import reports

MOST = 2_000


@reports.for_managers
def execute(filters: Any) -> tuple[Any, ...]:
	rows = _rows(filters)
	nobody = _("Waiting for an agent")
	for row in rows:
		row["agent_name"] = reports.safe(row["agent_name"]) or nobody
		row["customer_name"] = reports.safe(row["customer_name"])
		row["preview"] = reports.safe(last_line(row["preview"], row.pop("preview_label")))
	return _columns(), rows, None, _chart(rows), _summary(rows)


def _columns() -> list[dict[str, Any]]:
	return [
		reports.column("ticket", _("Ticket"), "Link", 110, "Khalifa Ticket"),
		reports.column("customer_name", _("Customer"), width=180),
		reports.column("agent_name", _("Agent"), width=160),
		reports.column("branch", _("Branch"), "Link", 140, "Khalifa Branch"),
		reports.column("waited", _("Waited (Minutes)"), "Int", 130),
		reports.column("late", _("Late By (Minutes)"), "Int", 130),
		reports.column("preview", _("Last Message"), width=280),
	]


def _rows(filters: Any) -> list[dict[str, Any]]:
	also, values = reports.chosen(filters, {"branch": "branch", "agent": "agent"})
	sql = (
		"select name as ticket, customer_name, agent_name, branch, preview, preview_label, (%(now)s - waiting_since_ms) div 60000 as waited, "
		"(%(now)s - response_by_ms) div 60000 as late from `tabKhalifa Ticket` where response_by_ms > 0 "
		f"and response_by_ms <= %(now)s and status in ('Queued', 'Open'){also} order by response_by_ms limit {MOST}"
	)
	return frappe.db.sql(sql, {**values, "now": now_ms()}, as_dict=True)


def _chart(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
	by_branch = dict(Counter(row["branch"] or _("No Branch") for row in rows).most_common(20))
	return reports.chart(list(by_branch), reports.Line(_("Delayed"), reports.RED, list(by_branch.values())))


def _summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
	longest = max((row["waited"] for row in rows), default=0)
	return [
		reports.figure(_("Delayed Now"), len(rows), reports.red_if(rows)),
		reports.figure(_("Longest Wait (Minutes)"), longest),
	]
