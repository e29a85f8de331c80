"""The worker's drain of one device's webhook events."""

from __future__ import annotations

import time

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.drivers.base import MessageDriver
from khalifa_whatsapp.jobs import counters
from khalifa_whatsapp.jobs.steps import Steps
from khalifa_whatsapp.jobs.wake import allow_next_wake, wake_media, wake_outbox
from khalifa_whatsapp.services.inbound import drain
from khalifa_whatsapp.services.isolation import check
from khalifa_whatsapp.services.tickets import assignment
from khalifa_whatsapp.site_devices import get_device
from khalifa_whatsapp.stores.base import Store

SECONDS = 60


@counters.timed("intake")
def run(device: str) -> dict[str, int]:
	"""Take in what is due, then hand out tickets.

	Another drain at work, or a database gone: the next wake does it.
	"""
	steps = Steps()
	taken = steps.run("intake", lambda: _take(device), device)
	if taken is None:
		return {}
	steps.run("care", lambda: check(taken.without_care), device)
	given = steps.run("assignment", lambda: assignment.assign_queue(on_site(), now_ms()))
	steps.run("wake", lambda: _wake_others(on_site(), device), device)
	return {"webhook_events": taken.webhook_events, "messages": taken.messages, "assigned": len(given or ())}


def _take(device: str) -> drain.IntakeResult | None:
	site_device = get_device(device)
	if site_device is None:
		return None
	allow_next_wake("intake", device)
	return _drain(on_site(), site_device.driver, device)


def _wake_others(store: Store, device: str) -> None:
	if device in store.devices_with_due_messages(now_ms()):
		wake_outbox(device)
	if device in store.devices_without_files(now_ms()):
		wake_media(device)


def _drain(store: Store, driver: MessageDriver, device: str) -> drain.IntakeResult:
	"""Drain, let go of the lock, and look once more: what came in between found the lock taken and left."""
	stop = time.monotonic() + SECONDS
	total = drain.drain(store, driver, now_ms, SECONDS)
	while (
		not total.is_busy
		and time.monotonic() < stop
		and device in store.devices_with_due_webhook_events(now_ms())
	):
		more = drain.drain(store, driver, now_ms, stop - time.monotonic())
		total.add(more)
		if more.is_busy:
			break
	return total
