"""Customers who have waited too long at this moment, the longest overdue first; lengths are business time."""

from __future__ import annotations

from collections import Counter
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Criterion
from frappe.query_builder.functions import Coalesce, Count
from frappe.utils import cint

from khalifa_whatsapp.api import lateness
from khalifa_whatsapp.api.message_text import last_line
from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.khalifa_whatsapp import reports

MAX = 2_000
SHOWN = ("customer_name", "agent_name", "branch", "preview", "preview_label", "waiting_since")


@reports.for_managers
def execute(filters: Any) -> tuple[Any, ...]:
	clock = lateness.Clock(now_ms(), reports.store().rules())
	where = _where(filters, clock.now)
	rows = _rows(where)
	nobody = _("Waiting for an agent")
	for row in rows:
		row.update(clock.minutes(row))
		row["agent_name"] = reports.safe(row["agent_name"]) or nobody
		row["customer_name"] = reports.safe(row["customer_name"])
		row["preview"] = reports.safe(last_line(row["preview"], row.pop("preview_label")))
	counts = _counts(where)
	return (
		_columns(),
		rows,
		reports.cut_message(len(rows), sum(counts.values())),
		_chart(counts),
		_summary(rows, counts),
	)


def _columns() -> list[dict[str, Any]]:
	return [
		reports.column("ticket", _("Ticket"), "Link", 110, "Khalifa Ticket"),
		reports.column("customer_name", _("Customer"), width=180),
		reports.column("agent_name", _("Agent"), width=160),
		reports.column("branch", _("Branch"), "Link", 140, "Khalifa Branch"),
		reports.column("waiting_since", _("Waiting Since"), "Datetime", 160),
		reports.column("waited", _("Waited in Business Hours (Minutes)"), "Int", 230),
		reports.column("late", _("Late By (Minutes)"), "Int", 130),
		reports.column("preview", _("Last Message"), width=280),
	]


def _where(filters: Any, now: int) -> list[Criterion]:
	ticket = frappe.qb.DocType("Khalifa Ticket")
	queued = [ticket.agent.isnull()] if cint(filters.get("is_queued")) else []
	chosen = reports.chosen(filters, {"branch": ticket.branch, "agent": ticket.agent})
	return [lateness.is_delayed(ticket, now), *chosen, *queued]


def _rows(where: list[Criterion]) -> list[dict[str, Any]]:
	ticket = frappe.qb.DocType("Khalifa Ticket")
	query = frappe.qb.from_(ticket).select(ticket.name.as_("ticket"), *SHOWN, *lateness.FIELDS)
	query = query.where(Criterion.all(where)).orderby(ticket.due_by_ms, ticket.name).limit(MAX)
	return query.run(as_dict=True)


def _counts(where: list[Criterion]) -> Counter[str]:
	"""By branch, however many rows are shown."""
	ticket = frappe.qb.DocType("Khalifa Ticket")
	branch = Coalesce(ticket.branch, "").as_("shown")
	query = frappe.qb.from_(ticket).select(branch, Count("*")).where(Criterion.all(where)).groupby(branch)
	return Counter({branch: int(count) for branch, count in query.run()})


def _chart(counts: Counter[str]) -> dict[str, Any] | None:
	top = counts.most_common(20)
	names = [reports.safe(branch) or _("No Branch") for branch, _count in top]
	return reports.chart(names, reports.Line(_("Delayed"), reports.RED, [count for _branch, count in top]))


def _summary(rows: list[dict[str, Any]], counts: Counter[str]) -> list[dict[str, Any]]:
	count = sum(counts.values())
	return [
		reports.figure(_("Delayed Now"), count, reports.red_if(count)),
		reports.figure(_("Longest Wait (Minutes)"), max((row["waited"] for row in rows), default=0)),
	]
