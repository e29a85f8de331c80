"""Waking workers: best effort, after the commit. What is lost here the minute job finds in the tables.

Never `deduplicate`: it refuses for minutes after a worker is killed, and is no mutual exclusion. The drains
themselves exclude each other by a lock in the database.
"""

from __future__ import annotations

import contextlib

import frappe
import redis

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.site_devices import get_device

MINUTE_MARK = "khalifa_minute_job_ms"
HINT_SECONDS = 2
# What waits for a gateway, or keeps its pace, must not keep customers' messages from being taken in
QUEUES = {"intake": "short", "outbox": "default", "media": "default", "watch": "default", "templates": "default"}
CLOSE_ALL_MS = 120_000  # by then a batch is done, as a rule


def wake_intake(device: str) -> None:
	"""Have a worker take in what this device's gateway posted, at most once in two seconds."""
	_wake("intake", device)


def wake_outbox(device: str) -> None:
	"""Have a worker send what is queued for this device."""
	_wake("outbox", device)


def wake_media(device: str) -> None:
	"""Have a worker fetch the files that customers sent to this device."""
	_wake("media", device)


def wake_watch(device: str) -> None:
	"""Have a worker look after the session of this device."""
	_wake("watch", device)


def wake_due() -> None:
	"""Wake every device that has something due."""
	store, now = on_site(), now_ms()
	for device in store.devices_with_due_deliveries(now):
		wake_intake(device)
	for device in store.devices_with_due_messages(now):
		wake_outbox(device)
	for device in store.devices_without_files(now):
		wake_media(device)
	for device in devices_with_sessions():
		wake_watch(device)


def wake_templates() -> None:
	"""Have a worker sync the templates of devices whose gateway said that some of them changed."""
	for device in frappe.get_all("Khalifa Provider Template", {"needs_sync": 1}, pluck="device", distinct=True):
		_wake("templates", device)


def wake_all_templates() -> None:
	"""Have a worker sync every device's templates: a webhook may have been missed."""
	for device in frappe.get_all("WhatsApp Device", {"enabled": 1, "provider": "cloud_api"}, pluck="name"):
		_wake("templates", device)


def devices_with_sessions() -> list[str]:
	"""Enabled devices that a person wants connected and whose gateway has sessions."""
	wanted = frappe.get_all("WhatsApp Device", {"enabled": 1, "is_connection_wanted": 1}, pluck="name")
	found = [(name, get_device(name)) for name in wanted]
	return [
		name for name, device in found
		if device is not None and device.driver.capabilities.has_qr and not device.driver.capabilities.has_browser
	]  # fmt: skip


def wake_looks() -> None:
	"""Have a worker ask how each number is whose gateway has no session."""
	with contextlib.suppress(redis.exceptions.RedisError):
		for device in frappe.get_all("WhatsApp Device", {"enabled": 1, "provider": "cloud_api"}, pluck="name"):
			frappe.enqueue("khalifa_whatsapp.jobs.watch.look", queue="default", device=device)


def wake_deadlines() -> None:
	"""Have a worker work out the deadlines of open waits anew, once the hours or limits just saved are committed."""
	frappe.db.after_commit.add(_enqueue_deadlines)


def _enqueue_deadlines() -> None:
	with contextlib.suppress(redis.exceptions.RedisError):
		frappe.enqueue("khalifa_whatsapp.jobs.deadlines.run", queue="default")


def enqueue_close_all(batch: str) -> None:
	"""Have a worker go on with a «close all» batch, which is committed by now."""
	with contextlib.suppress(redis.exceptions.RedisError):
		frappe.enqueue("khalifa_whatsapp.jobs.close_all.run", queue="long", batch=batch)


def wake_close_all() -> None:
	"""Go on with batches whose worker may have died. One that lives holds the batch's lock: the second leaves."""
	unfinished = {"status": ("in", ("Running", "Undoing")), "requested_ms": ("<=", now_ms() - CLOSE_ALL_MS)}
	for batch in frappe.get_all("Khalifa Close Batch", filters=unfinished, pluck="name"):
		enqueue_close_all(batch)


def _wake(kind: str, device: str) -> None:
	"""With Redis down nothing is enqueued and nothing is lost."""
	with contextlib.suppress(redis.exceptions.RedisError):
		if frappe.cache.set(_hint(kind, device), 1, nx=True, ex=HINT_SECONDS):
			frappe.enqueue(f"khalifa_whatsapp.jobs.{kind}.run", queue=QUEUES[kind], device=device)


def allow_next_wake(kind: str, device: str) -> None:
	"""A job has begun: what comes from now on may wake another, for this one may already have looked."""
	with contextlib.suppress(redis.exceptions.RedisError):
		frappe.cache.delete(_hint(kind, device))


def _hint(kind: str, device: str) -> bytes:
	return frappe.cache.make_key(f"khalifa_wake:{kind}:{device}")
