"""The worker's drain of one device's webhook events."""

from __future__ import annotations

import contextlib

import frappe
import redis

from khalifa_whatsapp.api.door import now_ms
from khalifa_whatsapp.jobs.wake import HINT_SECONDS, wake_outbox
from khalifa_whatsapp.services import assignment, intake
from khalifa_whatsapp.site_devices import get_device
from khalifa_whatsapp.stores.base import StoreUnavailable
from khalifa_whatsapp.stores.site_store import SiteStore

SECONDS = 60


def run(device: str) -> dict[str, int]:
	"""Take in what is due, then hand out tickets. Another drain at work, or a database gone: the next wake does it."""
	found = get_device(device)
	if found is None:
		return {}
	store = SiteStore()
	_allow_next_wake(device)
	try:
		taken = intake.drain(store, found.driver, now_ms, SECONDS)
		assigned = assignment.assign_queue(store, now_ms())
	except StoreUnavailable:
		return {}
	if store.devices_with_due_messages(now_ms()):
		wake_outbox(device)
	return {"deliveries": taken.deliveries, "messages": taken.messages, "assigned": len(assigned)}


def _allow_next_wake(device: str) -> None:
	"""A delivery that comes from now on may wake another job: this one may already have looked."""
	with contextlib.suppress(redis.exceptions.RedisError):
		frappe.cache.expire(frappe.cache.make_key(f"khalifa_wake:intake:{device}"), HINT_SECONDS)
