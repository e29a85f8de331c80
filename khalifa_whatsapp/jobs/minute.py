"""Each minute: wake what is due, free what absent agents hold, hand out tickets, look at the clock."""

from __future__ import annotations

import frappe

from khalifa_whatsapp.api.door import now_ms
from khalifa_whatsapp.jobs.wake import MINUTE_MARK, wake_due
from khalifa_whatsapp.services import assignment, delays, outcomes, presence
from khalifa_whatsapp.stores.site_store import SiteStore

SCAN_LIMIT = 5_000


def run() -> None:
	"""The minute job; every part is bounded, and what one minute does not finish the next does."""
	store = SiteStore()
	frappe.db.set_default(MINUTE_MARK, str(now_ms()))
	wake_due()
	outcomes.apply_parked(store, now_ms())
	presence.sweep(store, now_ms())
	assignment.assign_queue(store, now_ms())
	delays.scan(store, now_ms(), SCAN_LIMIT)
