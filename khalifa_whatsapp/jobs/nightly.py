"""Each night: days whose facts changed, their months, what may be forgotten,
and whether search finds what is there.
"""

from __future__ import annotations

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.jobs import counters, search_index
from khalifa_whatsapp.jobs.steps import Steps
from khalifa_whatsapp.jobs.wake import wake_all_templates
from khalifa_whatsapp.services import kpi

CHUNK = 2_000
AUDIT = "Khalifa Audit Entry"


@counters.timed("nightly")
def run() -> None:
	"""Roll up dirty days, clear the bodies of old webhook events (their keys stay),
	look whether search works.
	"""
	steps = Steps()
	steps.all(
		{
			"kpi days": lambda: kpi.rollup_dirty(on_site(), now_ms()),
			"old events": forget_old_events,
			"old audit entries": forget_old_audit_entries,
			"templates": wake_all_templates,
			"search": search_index.run,
		}
	)
	steps.check()


def forget_old_events() -> None:
	"""Chunk by chunk, each in a transaction of its own."""
	store = on_site()
	before = now_ms() - store.rules().settings.raw_event_retention_days * DAY_MS
	while True:
		with store.transaction():
			cleared = store.forget_webhook_events(before, CHUNK)
		if cleared < CHUNK:
			break


def forget_old_audit_entries() -> None:
	"""Only where the settings say for how many days they are kept: without that they stay for ever."""
	days = on_site().rules().settings.audit_retention_days
	before = now_ms() - days * DAY_MS
	while days:
		names = frappe.get_all(AUDIT, {"at_ms": ("<", before)}, pluck="name", limit=CHUNK)
		frappe.db.delete(AUDIT, {"name": ("in", names or [""])})
		frappe.db.commit()
		if len(names) < CHUNK:
			break
