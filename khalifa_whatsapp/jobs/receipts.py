"""Blue ticks and «typing…» on the customer's phone, behind the agent's back: enqueued, rarely, and forgotten.

A look at the device's settings and one key in Redis are all that an agent's act pays for it.
"""

from __future__ import annotations

import contextlib
from typing import Any

import frappe
import redis

from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.records import CLOSED
from khalifa_whatsapp.core.ticket_access import holds
from khalifa_whatsapp.services.outbound import receipts
from khalifa_whatsapp.site_devices import get_device

READ_SECONDS = 3600  # the same message is marked once
TYPING_SECONDS = 15  # a phone shows it for about 25
MAX_PER_MINUTE = 60  # of one device


def note_read(actor: Actor, row: Any) -> None:
	"""The holder has seen the customer's latest words."""
	device = get_device(row.device) if holds(actor, row) and row.last_in_ms else None
	if device is not None and device.sends_read_receipts:
		_enqueue(row, f"read:{row.name}:{row.last_in_ms}", READ_SECONDS, is_typing=False)


def note_typing(actor: Actor, row: Any) -> None:
	"""The holder writes an answer."""
	is_answering = holds(actor, row) and row.status != CLOSED and row.last_in_ms
	device = get_device(row.device) if is_answering else None
	if device is not None and device.shows_typing:
		_enqueue(row, f"typing:{row.name}", TYPING_SECONDS, is_typing=True)


def _enqueue(row: Any, key: str, seconds: int, is_typing: bool) -> None:
	with contextlib.suppress(redis.exceptions.RedisError):
		if not frappe.cache.set(_key(key), 1, nx=True, ex=seconds) or _is_too_much(row.device):
			return
		given = {"device": row.device, "ticket": row.name, "is_typing": is_typing}
		frappe.enqueue("khalifa_whatsapp.jobs.receipts.run", queue="default", timeout=60, **given)


def _is_too_much(device: str) -> bool:
	key = _key(f"count:{device}")
	count = frappe.cache.incr(key)
	if count == 1:
		frappe.cache.expire(key, 60)
	return count > MAX_PER_MINUTE


def _key(name: str) -> bytes:
	return frappe.cache.make_key(f"khalifa_receipts:{name}")


def run(device: str, ticket: str, is_typing: bool) -> bool:
	"""Tell the gateway; whether it took it. What fails is no trouble worth a word."""
	site_device = get_device(device)
	if site_device is None or site_device.is_paused or site_device.driver.config.has_lost_login:
		return False
	return receipts.show(on_site(), site_device.driver, ticket, is_typing)
