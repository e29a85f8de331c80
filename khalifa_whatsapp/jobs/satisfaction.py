"""Each minute: ask what is due, give up what nobody answered, notify managers of low scores."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.utils.user import get_users_with_role

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core.satisfaction import LOW
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.guards import MANAGER_ROLE
from khalifa_whatsapp.jobs.alerts import language_of, notify
from khalifa_whatsapp.jobs.steps import Steps
from khalifa_whatsapp.jobs.wake import wake_outbox
from khalifa_whatsapp.services.care import surveys
from khalifa_whatsapp.site_devices import get_device
from khalifa_whatsapp.stores.base import Store

SURVEY = "Khalifa Satisfaction"
LIMIT = 50  # low scores of one minute: each costs one notification for every manager


def ask(store: Store) -> int:
	"""Ask what is due; on how many devices something is to be sent now."""
	surveys.expire(store, now_ms())
	devices = surveys.ask_due(store, now_ms(), _capabilities)
	for device in devices:
		wake_outbox(device)
	return len(devices)


def _capabilities(device: str) -> Capabilities | None:
	site_device = get_device(device)
	return site_device.driver.capabilities if site_device and not site_device.is_held else None


def notify_managers() -> int:
	"""Notify of low scores, and of comments that came later, oldest first; how many."""
	wanted = {"score": ("between", (1, LOW)), "notified_ms": 0}
	fields = ["name", "score", "customer", "comment"]
	rows = frappe.get_all(SURVEY, wanted, fields, order_by="answered_ms, name", limit=LIMIT)
	managers = get_users_with_role(MANAGER_ROLE) if rows else []
	steps = Steps()
	for row in rows:
		steps.run("low ratings", lambda row=row: _notify_all(managers, row))  # type: ignore[misc]
	steps.check()
	return len(rows)


def _notify_all(managers: list[str], row: Any) -> None:
	customer = frappe.db.get_value("Khalifa Customer", row.customer, "customer_name") or row.customer
	for user in managers:
		language = language_of(user)
		text = _("{0} rated the service {1} of 5 and wrote why.", language)
		if not row.comment:
			text = _("{0} rated the service {1} of 5.", language)
		notify(user, SURVEY, row.name, text.format(customer, row.score))
	stamp = {"notified_ms": now_ms(), "notified_on": frappe.utils.now_datetime()}
	frappe.db.set_value(SURVEY, row.name, stamp, update_modified=False)
	frappe.db.commit()
