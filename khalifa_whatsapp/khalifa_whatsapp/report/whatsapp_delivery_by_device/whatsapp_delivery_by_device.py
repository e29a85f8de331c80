"""What became of our messages, by number and gateway."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp.khalifa_whatsapp import reports

STATES = ("queued", "sent", "delivered", "read_", "failed", "unknown")
_IN = {
	"queued": "('Queued', 'Sending')", "sent": "('Sent')", "delivered": "('Delivered')", "read_": "('Read', 'Played')",
	"failed": "('Failed')", "unknown": "('Unknown')",
}  # fmt: skip


@reports.for_managers
def execute(filters: Any) -> tuple[Any, ...]:
	rows = _rows(filters)
	for row in rows:
		_finish(row)
	sums = ("messages", *STATES)
	shown = [*rows, {**reports.total_row(rows, sums, _finish), "device": None, "provider": _("Total")}] if rows else []
	return _columns(), shown, None, _chart(rows)


def _columns() -> list[dict[str, Any]]:
	labels = {
		"queued": _("Waiting"), "sent": _("Sent"), "delivered": _("Delivered"), "read_": _("Read"), "failed": _("Failed"),
		"unknown": _("In Doubt"),
	}  # fmt: skip
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
	counts = ", ".join(f"sum(status in {_IN[name]}) as {name}" for name in STATES)
	all_states = ", ".join(states.strip("()") for states in _IN.values())  # an index begins with the state
	sql = (
		f"select device, provider, count(*) as messages, {counts} from `tabKhalifa Message` "
		f"where status in ({all_states}) and direction = 'Outgoing' and origin in ('Agent', 'Auto') and sent_ms >= %s and sent_ms < %s "
		"group by device, provider order by count(*) desc"
	)
	return frappe.db.sql(sql, (start, end), as_dict=True)


def _finish(row: dict[str, Any]) -> None:
	for name in STATES:
		row[name] = int(row[name] or 0)
	row["failed_share"] = reports.share(row["failed"], row["messages"])
	row["read_share"] = reports.share(row["read_"], row["messages"])


def _chart(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
	if not rows:
		return None
	data = {
		"labels": [row["device"] for row in rows],
		"datasets": [{"name": _("Failed Share"), "values": [row["failed_share"] or 0 for row in rows]}],
	}
	return {"data": data, "type": "bar"}
