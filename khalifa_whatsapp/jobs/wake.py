"""Waking workers: best effort, after the commit. What is lost here the minute job finds in the tables.

Never `deduplicate`: it refuses for minutes after a worker is killed, and is no mutual exclusion. The drains
themselves exclude each other by a lock in the database.
"""

from __future__ import annotations

import contextlib

import frappe
import redis

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.jobs.steps import Steps
from khalifa_whatsapp.site_devices import get_device

HINT_SECONDS = 2
# What waits for a gateway, or keeps its pace, must not keep customers' messages from being taken in
QUEUES = {
	"intake": "short",
	"outbox": "default",
	"media": "default",
	"watch": "default",
	"templates": "default",
}
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
	"""Wake every device that has something due. What can't be found out, or woken, holds up nothing else."""
	store, now, steps = on_site(), now_ms(), Steps()
	for name, devices, wake in (
		("intake", lambda: store.devices_with_due_webhook_events(now), wake_intake),
		("outbox", lambda: store.devices_with_due_messages(now), wake_outbox),
		("media", lambda: store.devices_without_files(now), wake_media),
		("watch", devices_with_sessions, wake_watch),
	):
		step = f"wake {name}"
		steps.each(step, steps.run(step, devices) or (), wake)
	steps.check()


def wake_templates() -> None:
	"""Have a worker sync the templates of devices whose gateway said that some of them changed."""
	steps = Steps()
	waiting = frappe.get_all("Khalifa Provider Template", {"needs_sync": 1}, pluck="device", distinct=True)
	steps.each("wake templates", waiting, lambda device: _wake("templates", device))
	steps.check()


def wake_all_templates() -> None:
	"""Have a worker sync every device's templates: a webhook may have been missed."""
	steps = Steps()
	devices = frappe.get_all("WhatsApp Device", {"enabled": 1, "provider": "cloud_api"}, pluck="name")
	steps.each("wake templates", devices, lambda device: _wake("templates", device))
	steps.check()


def devices_with_sessions() -> list[str]:
	"""Enabled devices that a person wants connected and whose gateway has sessions."""
	wanted = frappe.get_all("WhatsApp Device", {"enabled": 1, "is_connection_wanted": 1}, pluck="name")
	steps = Steps()
	return [name for name in wanted if steps.run("sessions", lambda name=name: _has_session(name), name)]  # type: ignore[misc]


def _has_session(name: str) -> bool:
	device = get_device(name)
	return (
		device is not None
		and device.driver.capabilities.has_qr
		and not device.driver.capabilities.has_browser
	)


def wake_looks() -> None:
	"""Have a worker ask how each number is whose gateway has no session."""
	steps = Steps()
	steps.each(
		"wake look",
		frappe.get_all("WhatsApp Device", {"enabled": 1, "provider": "cloud_api"}, pluck="name"),
		_wake_look,
	)
	steps.check()


def _wake_look(device: str) -> None:
	with contextlib.suppress(redis.exceptions.RedisError):
		frappe.enqueue("khalifa_whatsapp.jobs.watch.look", queue="default", device=device)


def wake_deadlines() -> None:
	"""Have a worker work out the deadlines of open waits anew,
	once the hours or limits just saved are committed.
	"""
	frappe.db.after_commit.add(_enqueue_deadlines)


def _enqueue_deadlines() -> None:
	with contextlib.suppress(redis.exceptions.RedisError):
		frappe.enqueue("khalifa_whatsapp.jobs.deadlines.run", queue="default")


def enqueue_close_all(batch: str) -> None:
	"""Have a worker go on with a «close all» batch, which is committed by now."""
	with contextlib.suppress(redis.exceptions.RedisError):
		frappe.enqueue("khalifa_whatsapp.jobs.close_all.run", queue="long", batch=batch)


def wake_close_all() -> None:
	"""Go on with batches whose worker may have died.

	One that lives holds the batch's lock: the second leaves.
	"""
	unfinished = {"status": ("in", ("Running", "Undoing")), "requested_ms": ("<=", now_ms() - CLOSE_ALL_MS)}
	steps = Steps()
	for batch in frappe.get_all("Khalifa Close Batch", filters=unfinished, pluck="name"):
		steps.run("wake close all", lambda batch=batch: enqueue_close_all(batch))  # type: ignore[misc]
	steps.check()


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
