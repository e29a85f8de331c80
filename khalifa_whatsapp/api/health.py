"""Is the help desk alive? For uptime monitors and for managers."""

from __future__ import annotations

import dataclasses
import shutil
from typing import Any

import frappe
import redis
from frappe.query_builder.functions import Count, Min

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.guards import current_actor
from khalifa_whatsapp.jobs import notices
from khalifa_whatsapp.jobs.wake import MINUTE_MARK

OLD_DELIVERY_MS = 120_000
OLD_MINUTE_MS = 180_000


@frappe.whitelist(allow_guest=True, methods=["GET"])
def check() -> dict[str, Any]:
	"""200 when messages flow, else 503. Guests learn no more than that; managers see every part."""
	parts = _parts()
	is_healthy = all(part["ok"] for part in parts.values())
	frappe.local.response.http_status_code = 200 if is_healthy else 503
	status = "ok" if is_healthy else "failing"
	if frappe.session.user == "Guest" or not current_actor().is_manager:
		return {"status": status}
	return {"status": status, "parts": parts}


def _parts() -> dict[str, dict[str, Any]]:
	backlog = on_site().backlog(now_ms())
	minute_age = now_ms() - int(frappe.db.get_default(MINUTE_MARK) or 0)
	free = shutil.disk_usage(frappe.get_site_path()).free
	return {
		"database": {"ok": True},
		"cache": {"ok": _answers(frappe.cache)},
		"queue": {"ok": _answers(frappe.utils.background_jobs.get_redis_conn)},
		"intake": {"ok": backlog.oldest_delivery_ms < OLD_DELIVERY_MS, **dataclasses.asdict(backlog)},
		"minute_job": {"ok": minute_age < OLD_MINUTE_MS, "age_ms": minute_age},
		"disk": {"ok": free > 1 << 30, "free_bytes": free},
		"devices": _devices(),
		"files": _files(),
	}


def _answers(connection: Any) -> bool:
	try:
		return bool((connection() if callable(connection) and not hasattr(connection, "ping") else connection).ping())
	except redis.exceptions.RedisError:
		return False


def _devices() -> dict[str, Any]:
	rows = frappe.get_all(
		"WhatsApp Device", filters={"enabled": 1}, fields=["name", "state", "is_paused"], ignore_permissions=True
	)
	failing = [row.name for row in rows if row.state in ("Disconnected", "Restricted", "QR")]
	said = {row.name: found for row in rows if (found := notices.latest(row.name))}
	return {"ok": not failing, "devices": rows, "failing": failing, "notices": said}


def _files() -> dict[str, Any]:
	"""Customers' files: how many wait since when, and the devices whose files can't be had at all."""
	message = frappe.qb.DocType("Khalifa Message")
	count, oldest_ms = (
		frappe.qb.from_(message).select(Count("*"), Min(message.received_ms)).where(message.media_state == "Waiting").run()[0]
	)  # fmt: skip
	problems = dict(
		frappe.get_all(
			"WhatsApp Device", {"enabled": 1, "files_problem": ("is", "set")}, ["name", "files_problem"], as_list=True,
			ignore_permissions=True,
		)
	)  # fmt: skip
	age_ms = now_ms() - oldest_ms if oldest_ms else 0
	return {"ok": not problems, "waiting": count, "oldest_waiting_ms": age_ms, "problems": problems}
