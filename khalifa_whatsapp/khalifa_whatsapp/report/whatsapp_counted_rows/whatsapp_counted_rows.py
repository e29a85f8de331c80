"""The rows that one figure of an agent counts, found by agent, measure and days: its address is short for any
number.

For managers, and for agents about themselves. An agent sees when each of the rows counted and how long it
took; whose conversation it was only where it is still his or hers to see.
"""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.query_builder.functions import Cast
from frappe.utils import get_system_timezone
from pypika.terms import NullValue

from khalifa_whatsapp.api.decorators import actor
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.metrics import BY_NAME
from khalifa_whatsapp.khalifa_whatsapp import reports
from khalifa_whatsapp.services import kpi

MAX, CHUNK = 20_000, 1_000
TICKET = "Khalifa Ticket"
# DocType: its ticket, and its length in business seconds where it has one
SHAPES = {
	TICKET: ("name", "waited_time"),
	"Khalifa Turn Segment": ("ticket", "biz_time"),
	"Khalifa Ticket Event": ("ticket", ""),
	"Khalifa Delay Event": ("ticket", ""),
	"Khalifa Message": ("ticket", ""),
	"Khalifa Satisfaction": ("ticket", ""),
}


@reports.for_the_desk
def execute(filters: Any) -> tuple[Any, ...]:
	counted = _counted(filters)
	rows = [
		row for kind, part in groupby(counted[:MAX], key=itemgetter(0)) for row in _rows(kind, list(part))
	]
	return (
		_columns(rows),
		rows,
		reports.cut_message(len(rows), len(counted)),
		None,
		_summary(filters, len(counted)),
	)


def _counted(filters: Any) -> list[tuple[str, str, int]]:
	if not all(isinstance(filters.get(name), str) for name in ("agent", "metric")):
		frappe.throw(_("Choose an agent and a figure."))
	try:
		return kpi.rows_behind(
			reports.store(), actor(), filters.agent, filters.metric, *reports.dates(filters)
		)
	except UserError as error:
		frappe.throw(_(error.text).format(**error.values))


def _rows(kind: str, counted: list[tuple[str, str, int]]) -> list[dict[str, Any]]:
	"""What is shown of rows of one DocType, in the order in which they were counted."""
	zone = ZoneInfo(get_system_timezone())
	rows: list[dict[str, Any]] = []
	for start in range(0, len(counted), CHUNK):
		part = counted[start : start + CHUNK]
		details = _details(kind, [name for _kind, name, _at in part])
		for _kind, name, at_ms in part:
			at = datetime.fromtimestamp(at_ms / 1000, zone).replace(tzinfo=None)
			links = {"at": frappe.utils.get_url_to_form(kind, name).removeprefix(frappe.utils.get_url())}
			rows.append({"at": at, "links": links, **details[name]})
	return rows


def _details(kind: str, names: list[str]) -> dict[str, dict[str, Any]]:
	ticket, seconds = SHAPES[kind]
	row = frappe.qb.DocType(kind)
	length = Cast(row[seconds], "SIGNED") if seconds else NullValue()
	rows = frappe.qb.from_(row).select(row.name, row[ticket], length).where(row.name.isin(names)).run()
	tickets = _tickets(sorted({ticket for _name, ticket, _seconds in rows}))
	return {
		name: {"minutes": None if seconds is None else round(seconds / 60, 1), **tickets.get(ticket, {})}
		for name, ticket, seconds in rows
	}


def _tickets(names: list[str]) -> dict[str, dict[str, Any]]:
	"""Those that the reader may see."""
	fields = ["name as ticket", "customer_name", "branch"]
	rows = frappe.get_list(TICKET, {"name": ("in", names or [""])}, fields, limit=0, order_by=None)
	return {row.ticket: {**row, "customer_name": reports.safe(row.customer_name)} for row in rows}


def _columns(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
	has_lengths = any(row["minutes"] is not None for row in rows)
	return [
		reports.column("at", _("At"), "Datetime", 190),
		reports.column("ticket", _("Ticket"), "Link", 120, TICKET),
		reports.column("customer_name", _("Customer"), width=200),
		reports.column("branch", _("Branch"), "Link", 150, "Khalifa Branch"),
		*([reports.column("minutes", _("Minutes in Business Hours"), "Float", 190)] if has_lengths else []),
	]


def _summary(filters: Any, count: int) -> list[dict[str, Any]]:
	return [reports.figure(_(BY_NAME[filters.metric].count_label), count)]
