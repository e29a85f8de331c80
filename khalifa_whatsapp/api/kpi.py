"""From a figure to the rows behind it."""

from __future__ import annotations

from typing import Any

import frappe

from khalifa_whatsapp.api.door import actor, door
from khalifa_whatsapp.bootstrap import on_site
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
	rows = kpi.rows_behind(on_site(), actor(), row, metric)
	return {"count": len(rows), "rows": [{"doctype": kind, "name": name} for kind, name in rows[:MOST]]}
