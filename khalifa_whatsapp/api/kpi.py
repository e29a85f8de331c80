"""From a figure to the rows behind it."""

from __future__ import annotations

from datetime import date
from typing import Any

import frappe

from khalifa_whatsapp.api.door import actor, door
from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.records import AgentKpi
from khalifa_whatsapp.guards import agent_only, require_read
from khalifa_whatsapp.services import kpi

MOST = 500


@frappe.whitelist()
@agent_only
@door
def rows_behind(kpi_row: str, metric: str) -> dict[str, Any]:
	"""The rows one cell of an agent's KPI counts: their DocType, how many, and the first 500 names."""
	require_read("Khalifa Agent KPI", kpi_row)
	fields = ["name", "kpi_key", "agent", "agent_name", "branch", "period", "start_date"]
	found = frappe.db.get_value("Khalifa Agent KPI", kpi_row, fields, as_dict=True)
	row = AgentKpi(**{**found, "start_date": str(found.start_date)})
	return _answer(kpi.rows_behind(on_site(), actor(), row, metric))


@frappe.whitelist()
@agent_only
@door
def rows_of_days(agent: str, metric: str, first: str, last: str) -> dict[str, Any]:
	"""The rows that a figure of an agent counts from one day to another, both included; as above."""
	try:
		days = date.fromisoformat(first), date.fromisoformat(last)
	except ValueError as error:
		raise UserError("bad_date", "Write dates as 2026-11-21.") from error
	if not all(2000 <= day.year < 2100 for day in days):
		raise UserError("bad_date", "Write dates as 2026-11-21.")
	return _answer(kpi.rows_of_days(on_site(), actor(), agent, metric, *days))


def _answer(rows: list[tuple[str, str]]) -> dict[str, Any]:
	return {"count": len(rows), "rows": [{"doctype": kind, "name": name} for kind, name in rows[:MOST]]}
