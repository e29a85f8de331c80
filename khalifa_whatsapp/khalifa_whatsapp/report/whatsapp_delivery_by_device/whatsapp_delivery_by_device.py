"""What became of our messages, by number and gateway."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.query_builder.functions import Count, Sum

from khalifa_whatsapp.khalifa_whatsapp import reports

NONE_YET = "–"  # it failed, or waits, before any gateway had it
# What the chart shows, and in which colour
CHARTED = {
	"read_": reports.BLUE,
	"delivered": reports.GREEN,
	"sent": "#A6E4B4",
	"queued": reports.ORANGE,
	"unknown": "#9C45E3",
	"failed": reports.RED,
}
STATES = ("queued", "sent", "delivered", "read_", "failed", "unknown")
_IN = {
	"queued": ("Queued", "Sending"),
	"sent": ("Sent",),
	"delivered": ("Delivered",),
	"read_": ("Read", "Played"),
	"failed": ("Failed",),
	"unknown": ("Unknown",),
}


@reports.for_managers
def execute(filters: Any) -> tuple[Any, ...]:
	rows = _rows(filters)
	for row in rows:
		row["provider"] = row["provider"] or NONE_YET
		_finish(row)
	total = {
		**reports.total_row(rows, ("messages", *STATES), _finish),
		"device": None,
		"provider": _("Total"),
	}
	return _columns(), [*rows, total] if rows else [], None, _chart(rows), _summary(total) if rows else []


def _labels() -> dict[str, str]:
	return {
		"queued": _("Waiting"),
		"sent": _("Sent"),
		"delivered": _("Delivered"),
		"read_": _("Read"),
		"failed": _("Failed"),
		"unknown": _("In Doubt"),
	}


def _columns() -> list[dict[str, Any]]:
	labels = _labels()
	return [
		reports.column("device", _("Device"), "Link", 180, "WhatsApp Device"),
		reports.column("provider", _("Gateway"), width=120),
		reports.column("messages", _("Messages"), "Int", 100),
		*(reports.column(name, labels[name], "Int", 100) for name in STATES),
		reports.column("failed_share", _("Failed Share"), "Percent", 110),
		reports.column("read_share", _("Read Share"), "Percent", 110),
	]


def _rows(filters: Any) -> list[dict[str, Any]]:
	start, end = reports.period_ms(filters)
	message, count = frappe.qb.DocType("Khalifa Message"), Count("*")
	counts = [Sum(message.status.isin(_IN[name])).as_(name) for name in STATES]
	all_states = [state for states in _IN.values() for state in states]  # an index begins with the state
	return (
		frappe.qb.from_(message)
		.select(message.device, message.provider, count.as_("messages"), *counts)
		.where(message.status.isin(all_states) & (message.direction == "Outgoing"))
		.where(message.origin.isin(("Agent", "Auto")))
		.where((message.sent_ms >= start) & (message.sent_ms < end))
		.groupby(message.device, message.provider)
		.orderby(count, order=frappe.qb.desc)
		.run(as_dict=True)
	)


def _finish(row: dict[str, Any]) -> None:
	for name in STATES:
		row[name] = int(row[name] or 0)
	row["failed_share"] = reports.share(row["failed"], row["messages"])
	row["read_share"] = reports.share(row["read_"], row["messages"])


def _chart(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
	labels = _labels()
	lines = [
		reports.Line(labels[name], colour, [row[name] for row in rows]) for name, colour in CHARTED.items()
	]
	return reports.chart([f"{row['device']} · {row['provider']}" for row in rows], *lines, is_stacked=True)


def _summary(total: dict[str, Any]) -> list[dict[str, Any]]:
	return [
		reports.figure(_("Messages"), total["messages"]),
		reports.figure(_("Read Share"), reports.percent(total["read_share"])),
		reports.figure(
			_("Failed Share"), reports.percent(total["failed_share"]), reports.red_if(total["failed"])
		),
		reports.figure(_("In Doubt"), total["unknown"], reports.red_if(total["unknown"])),
	]
