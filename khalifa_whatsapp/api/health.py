"""Is the help desk alive? For uptime monitors and for managers."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from typing import Any

import frappe
import redis
from frappe import _
from frappe.query_builder.functions import Count, Min

from khalifa_whatsapp.api import safe_errors
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.guards import current_actor
from khalifa_whatsapp.jobs import device_problems, minute_mark, notices, scheduler_watch
from khalifa_whatsapp.jobs.steps import said_of
from khalifa_whatsapp.site_devices import problem_of

OLD_EVENT_MS = 120_000
Part = dict[str, Any]


@frappe.whitelist(allow_guest=True, methods=["GET"])
def check() -> dict[str, Any]:
	"""200 when messages flow, else 503. Guests learn no more than that; managers see every part."""
	scheduler_is_looked_after = _part(_look_after_scheduler)
	parts = {name: _part(act) for name, act in PARTS.items()}
	is_healthy = scheduler_is_looked_after["ok"] and all(part["ok"] for part in parts.values())
	frappe.local.response.http_status_code = 200 if is_healthy else 503
	status = "ok" if is_healthy else "failing"
	if not parts["database"]["ok"]:
		safe_errors.let_go_of_database()
		return {"status": status}
	if frappe.session.user == "Guest" or not current_actor().is_manager:
		return {"status": status}
	return {"status": status, "parts": parts}


def _part(act: Callable[[], Part]) -> Part:
	"""One part; what can't be found out is not well, and hides no other."""
	try:
		return act()
	except Exception as error:  # the check that fails is itself what a monitor must learn
		return {"ok": False, "error": said_of(error)}


def _database() -> Part:
	frappe.db.sql("SELECT 1")  # SQL: of no table
	return {"ok": True}


def _look_after_scheduler() -> Part:
	scheduler_watch.look()
	return {"ok": True}


def _intake() -> Part:
	backlog = on_site().backlog(now_ms())
	return {"ok": backlog.oldest_webhook_event_ms < OLD_EVENT_MS, **dataclasses.asdict(backlog)}


def _minute_job() -> Part:
	age = minute_mark.age_ms()
	return {"ok": age < scheduler_watch.LATE_MS, "age_ms": age}


def _jobs() -> Part:
	"""Steps that failed when they last ran: which, of which device, since when, and what kind of error."""
	fields = ["step", "subject", "device", "error", "times", "since_on", "since_ms", "last_on", "last_ms"]
	rows = frappe.get_all("Khalifa Alert", {"kind": "Job"}, fields, order_by="since_ms", limit=0)
	failing = [{**row, "subject": _(row.subject)} for row in rows]
	return {"ok": not failing, "failing": failing}


def _disk() -> Part:
	free = shutil.disk_usage(frappe.get_site_path()).free
	return {"ok": free > 1 << 30, "free_bytes": free}


def _answers(connection: Any) -> bool:
	try:
		return bool(
			(connection() if callable(connection) and not hasattr(connection, "ping") else connection).ping()
		)
	except redis.exceptions.RedisError:
		return False


def _devices() -> Part:
	rows = frappe.get_all(
		"WhatsApp Device", filters={"enabled": 1}, fields=["name", "state", "is_paused", "problem"], limit=0
	)
	failing = [row.name for row in rows if row.problem or row.state in ("Disconnected", "Restricted", "QR")]
	problems = {
		row.name: device_problems.text_of_problem(problem_of(row.name)) for row in rows if row.problem
	}
	said = {row.name: notice for row in rows if (notice := notices.latest(row.name))}
	return {"ok": not failing, "devices": rows, "failing": failing, "problems": problems, "notices": said}


def _files() -> dict[str, Any]:
	"""Customers' files: how many wait since when, and the devices whose files can't be had at all."""
	message = frappe.qb.DocType("Khalifa Message")
	count, oldest_ms = (
		frappe.qb.from_(message)
		.select(Count("*"), Min(message.received_ms))
		.where(message.media_state == "Waiting")
		.run()[0]
	)
	problems = dict(
		frappe.get_all(
			"WhatsApp Device",
			{"enabled": 1, "files_problem": ("is", "set")},
			["name", "files_problem"],
			as_list=True,
			ignore_permissions=True,
		)
	)
	age_ms = now_ms() - oldest_ms if oldest_ms else 0
	return {"ok": not problems, "waiting": count, "oldest_waiting_ms": age_ms, "problems": problems}


PARTS: dict[str, Callable[[], Part]] = {
	"database": _database,
	"cache": lambda: {"ok": _answers(frappe.cache)},
	"queue": lambda: {"ok": _answers(frappe.utils.background_jobs.get_redis_conn)},
	"intake": _intake,
	"minute_job": _minute_job,
	"jobs": _jobs,
	"disk": _disk,
	"devices": _devices,
	"files": _files,
}
