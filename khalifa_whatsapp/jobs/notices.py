"""Managers are notified of what gateways said of numbers, accounts and templates: each thing once, each
manager once.

A row that waits is a row without `notified_ms`; the minute job comes for it, so a notice outlives whatever
was killed between the gateway's call and here.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import frappe
from frappe import _
from frappe.utils.user import get_users_with_role

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.guards import MANAGER_ROLE
from khalifa_whatsapp.jobs.alerts import language_of, notify
from khalifa_whatsapp.jobs.steps import Steps

NOTICE = "Khalifa Device Notice"
SHOWN_MS = 30 * DAY_MS
LIMIT = 50  # rows of one minute: each costs one notification for every manager


def notify_managers() -> int:
	"""Notify of what nobody was notified of yet, oldest first; how many."""
	filters = {"notified_ms": 0}
	fields = ["name", "device", "text", "text_values"]
	rows = frappe.get_all(NOTICE, filters, fields, order_by="at_ms, name", limit=LIMIT)
	managers = get_users_with_role(MANAGER_ROLE) if rows else []
	steps = Steps()
	for row in rows:
		steps.run("notices", lambda row=row: _notify_all(managers, row))  # type: ignore[misc]
	steps.check()
	return len(rows)


def _notify_all(managers: list[str], row: frappe._dict) -> None:
	for user in managers:
		_notify(user, row)
	stamp = {"notified_ms": now_ms(), "notified_on": frappe.utils.now_datetime()}
	frappe.db.set_value(NOTICE, row.name, stamp, update_modified=False)
	frappe.db.commit()


def latest(device: str, count: int = 3) -> list[dict[str, Any]]:
	"""What was last said of a device and matters, in the reader's language, the newest first."""
	wanted = {"device": device, "severity": ("!=", "Info"), "at_ms": (">", now_ms() - SHOWN_MS)}
	rows = frappe.get_all(
		NOTICE, wanted, ["at", "severity", "text", "text_values"], order_by="at_ms desc", limit=count
	)
	return [
		{"on": row.at, "severity": row.severity, "text": sentence(row.text, row.text_values)} for row in rows
	]


def sentence(text: str, text_values: str | None, language: str | None = None) -> str:
	"""A notice in a person's language."""
	values = json.loads(text_values) if text_values else {}
	return _(text, language).format_map(defaultdict(lambda: _("not said", language), values))


def _notify(user: str, row: frappe._dict) -> None:
	reported_texts = sentence(row.text, row.text_values, language_of(user))
	notify(user, NOTICE, row.name, f"{row.device}: {reported_texts}")
