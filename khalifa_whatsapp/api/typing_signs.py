"""Who else is writing in a conversation: for a few seconds, in Redis alone. With Redis down nobody is seen writing."""

from __future__ import annotations

import contextlib
import json
import time

import frappe
import redis

SECONDS = 8


def show(ticket: str, name: str) -> None:
	"""This person writes here now."""
	with contextlib.suppress(redis.exceptions.RedisError):
		key = _key(ticket)
		frappe.cache.hset(key, frappe.session.user, json.dumps([name, time.time()]))
		frappe.cache.expire(frappe.cache.make_key(key), SECONDS * 2)


def others(ticket: str) -> list[str]:
	"""Names of colleagues who have been writing in the last seconds."""
	with contextlib.suppress(redis.exceptions.RedisError):
		found = frappe.cache.hgetall(_key(ticket))
		return sorted(
			name
			for user, value in found.items()
			if (user.decode() if isinstance(user, bytes) else user) != frappe.session.user
			for name, at in [_read(value)]
			if time.time() - at < SECONDS
		)
	return []


def _read(value: object) -> tuple[str, float]:
	try:
		name, at = json.loads(str(value))
		return str(name), float(at)
	except (ValueError, TypeError):
		return "", 0.0


def _key(ticket: str) -> str:
	return f"khalifa_typing:{ticket}"
