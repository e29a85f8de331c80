"""What a manager looks back on: what people changed in the month, and what was wrong and is right again."""

from __future__ import annotations

import json
from typing import Any

import frappe

from khalifa_whatsapp.core import alerts, audit
from khalifa_whatsapp.core.audit import Change
from khalifa_whatsapp.core.settings import DAY_MS, HOUR_MS, MINUTE_MS
from khalifa_whatsapp.demo import company
from khalifa_whatsapp.jobs.alerts import site_time

ENTRY, ALERT = "Khalifa Audit Entry", "Khalifa Alert"
SETTINGS = "Khalifa Settings"


def fill(start_ms: int, end_ms: int) -> None:
	"""Add the month's entries and alerts, and give those that the building left to the manager, on its first
	day.
	"""
	for number, name in enumerate(_of_building()):
		frappe.db.set_value(ENTRY, name, _by_manager(start_ms + number * 1_000), update_modified=False)
	for number, (kind, action, fields) in enumerate(_deeds()):
		at_ms = start_ms + (number + 1) * (end_ms - start_ms) // 8
		_insert(ENTRY, {"kind": kind, "action": action, **fields, **_by_manager(at_ms)})
	for days, kind, minutes, values in _troubles():
		since_ms = max(start_ms, end_ms - days * DAY_MS) + 3 * HOUR_MS
		_insert(ALERT, _solved(kind, since_ms, since_ms + minutes * MINUTE_MS, values))
	frappe.db.commit()


def remove() -> None:
	"""Take them away again. What was written down when a record was made goes with it: see `demo.clear`."""
	frappe.db.delete(ENTRY, {"owner": company.OWNER})
	frappe.db.delete(ALERT, {"owner": company.OWNER})


def _of_building() -> list[str]:
	agents = frappe.get_all("Khalifa Agent", {"user": ("like", f"%@{company.DOMAIN}")}, pluck="name")
	made = [company.DEVICE, *company.branch_names(), *agents]
	return frappe.get_all(ENTRY, {"document": ("in", made)}, pluck="name", order_by="at_ms, name")


def _by_manager(at_ms: int) -> dict[str, Any]:
	return {
		"owner": company.OWNER,
		"actor": company.OWNER,
		"actor_name": company.MANAGER_NAME,
		"at_ms": at_ms,
		"at": site_time(at_ms),
	}


def _deeds() -> list[tuple[str, str, dict[str, Any]]]:
	def deed(
		document_type: str, document: str, *changes: Change, values: dict[str, Any] | None = None
	) -> dict[str, Any]:
		return {
			"document_type": document_type,
			"document": document,
			"document_title": document,
			"summary": audit.summary_of(changes, values or {}),
			"details": json.dumps(audit.details_of(changes, values or {}), ensure_ascii=False),
		}

	limit = Change("delay_minutes", "Delay After (Minutes)", "20", "15")
	quiet = Change("quiet_from", "Quiet From", "", "23:00")
	cap = Change("max_per_day", "Most per Day", "500", "1000")
	device = "WhatsApp Device"
	return [
		(audit.SETTINGS, audit.CHANGED, deed(SETTINGS, SETTINGS, limit)),
		(audit.DEVICE, audit.NEW_SECRET, deed(device, company.DEVICE)),
		(audit.DEVICE, audit.CHANGED, deed(device, company.DEVICE, quiet, cap)),
		(
			audit.EXPORT,
			audit.EXPORTED,
			deed("Report", "WhatsApp Agent KPI", values={"file": "WhatsApp Agent KPI.xlsx"}),
		),
		(audit.DEVICE, audit.DISCONNECTED, deed(device, company.DEVICE)),
		(audit.DEVICE, audit.CONNECTED, deed(device, company.DEVICE)),
	]


def _troubles() -> list[tuple[int, str, int, dict[str, str]]]:
	"""(days ago, kind, minutes that it lasted, values)."""
	return [
		(12, alerts.DOWN, 25, {"device": company.DEVICE, "minutes": "5"}),
		(5, alerts.NO_WORKER, 8, {"queue": "short", "minutes": "6"}),
	]


def _solved(kind: str, since_ms: int, solved_ms: int, values: dict[str, str]) -> dict[str, Any]:
	moments = {"since": since_ms, "last": solved_ms, "notified": since_ms, "solved": solved_ms}
	return {
		"owner": company.OWNER,
		"kind": kind,
		"subject": alerts.MESSAGES[kind],
		"subject_values": json.dumps(values, ensure_ascii=False),
		"device": values.get("device", ""),
		"times": (solved_ms - since_ms) // MINUTE_MS,
		"is_notified": 1,
		"is_solved": 1,
		**{f"{name}_ms": at_ms for name, at_ms in moments.items()},
		**{f"{name}_on": site_time(at_ms) for name, at_ms in moments.items()},
	}


def _insert(doctype: str, values: dict[str, Any]) -> None:
	doc = frappe.get_doc({"doctype": doctype, "name": frappe.generate_hash(length=10), **values})
	doc.db_insert()
	frappe.db.set_value(doctype, doc.name, "owner", company.OWNER, update_modified=False)
