"""Is the help desk alive? For uptime monitors and for managers.

Cheap: some ten reads by an index, none of which grows with what was ever sent. What is wrong says
`core.alerts`, as it does for alerts and metrics.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import frappe
import redis
from frappe import _
from frappe.query_builder.functions import Count, Min
from werkzeug.wrappers import Response

from khalifa_whatsapp.api import monitors, safe_errors
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import alerts as rules
from khalifa_whatsapp.core.alerts import Facts
from khalifa_whatsapp.core.settings import Settings
from khalifa_whatsapp.jobs import alert_look, alerts, device_problems, minute_mark, notices, scheduler_watch
from khalifa_whatsapp.jobs.steps import said_of
from khalifa_whatsapp.site_devices import problem_of

Part = dict[str, Any]


@frappe.whitelist(allow_guest=True, methods=["GET", "HEAD"])
def check() -> dict[str, Any]:
	"""200 when messages flow, else 503. Guests learn no more than that; managers and monitors with a token or
	a listed address see every part.
	"""
	status, answer = _examined()
	frappe.local.response.http_status_code = status
	return answer


def respond() -> Response:
	"""The same as a whole response, in the shape that Frappe gives a method's answer."""
	status, answer = _examined()
	body = json.dumps({"message": answer}, default=str)
	return Response(body, status=status, content_type="application/json; charset=utf-8")


def _examined() -> tuple[int, dict[str, Any]]:
	scheduler_is_looked_after = _part(_look_after_scheduler)
	parts = examine()
	is_healthy = scheduler_is_looked_after["ok"] and all(part["ok"] for part in parts.values())
	status, answer = (200 if is_healthy else 503), {"status": "ok" if is_healthy else "failing"}
	if not parts["database"]["ok"]:
		safe_errors.let_go_of_database()
	elif monitors.may_see_details():
		answer["parts"] = {name: {**part, **_part(DETAILS[name])} for name, part in parts.items()}
	return status, answer


def examine() -> dict[str, Part]:
	"""Every part: whether it is well. Once the database is away, no other part asks it."""
	parts = {"database": _part(_database)}
	judge = Judge() if parts["database"]["ok"] else None
	for name, examined in PARTS.items():
		parts[name] = _part(lambda examined=examined: examined(judge))  # type: ignore[misc]
	return parts


def _part(act: Callable[[], Part]) -> Part:
	"""One part; what can't be found out is not well, and hides no other."""
	try:
		return act()
	except Exception as error:  # the check that fails is itself what a monitor must learn
		return {"ok": False, "error": said_of(error)}


class Judge:
	"""What the rules say of measures, with the settings' thresholds."""

	def __init__(self) -> None:
		self.settings = Settings.from_row(frappe.db.get_singles_dict("Khalifa Settings"))
		self.now_ms = now_ms()

	def finds(self, **measured: Any) -> Part:
		"""A part that is well when nothing is wrong with what was measured."""
		wrong = rules.conditions(Facts(self.now_ms, **measured), self.settings)
		return {"ok": not wrong}


def _database() -> Part:
	frappe.db.sql("SELECT 1")  # SQL: of no table
	return {"ok": True}


def _look_after_scheduler() -> Part:
	scheduler_watch.look()
	return {"ok": True}


def _intake(judge: Judge) -> Part:
	return judge.finds(oldest_event_ms=alert_look.oldest_event_ms(judge.now_ms))


def _outbox(judge: Judge) -> Part:
	return judge.finds(devices=alert_look.devices_that_wait(judge.now_ms))


def _minute_job(judge: Judge) -> Part:
	age_ms = minute_mark.age_ms()
	return {**judge.finds(minute_job_ms=age_ms), "age_ms": age_ms}


def _workers(judge: Judge) -> Part:
	ages = alert_look.queue_ages()
	return {**judge.finds(queues=ages), "oldest_job_ms": ages}


def _disk(judge: Judge) -> Part:
	free = alert_look.free_bytes()
	return {**judge.finds(free_bytes=free), "free_bytes": free}


def _jobs(judge: Judge) -> Part:
	return {"ok": not frappe.db.exists(alerts.ALERT, {"kind": rules.JOB, **alerts.WRONG_NOW})}


def _devices(judge: Judge) -> Part:
	rows = frappe.get_all("WhatsApp Device", {"enabled": 1}, ["name", "state", "problem"], limit=0)
	failing = [row.name for row in rows if rules.is_down(row.state or "", bool(row.problem))]
	return {"ok": not failing, "failing": failing}


def _files(judge: Judge) -> Part:
	return {"ok": not frappe.db.exists("WhatsApp Device", {"enabled": 1, "files_problem": ("is", "set")})}


def _answers(connection: Callable[[], redis.Redis]) -> bool:
	try:
		return bool(connection().ping())
	except redis.exceptions.RedisError:
		return False


# The database comes first, and by itself
PARTS: dict[str, Callable[[Any], Part]] = {
	"cache": lambda judge: {"ok": _answers(lambda: frappe.cache)},
	"queue": lambda judge: {"ok": _answers(alert_look.queue_connection)},
	"workers": _workers,
	"intake": _intake,
	"outbox": _outbox,
	"minute_job": _minute_job,
	"jobs": _jobs,
	"disk": _disk,
	"devices": _devices,
	"files": _files,
}


# -- what only those learn who may


def _backlog() -> Part:
	return dataclasses.asdict(on_site().backlog(now_ms()))


def _failing_jobs() -> Part:
	"""Steps that failed when they last ran: which, of which device, since when, and what kind of error."""
	fields = ["step", "subject", "device", "error", "times", "since_on", "since_ms", "last_on", "last_ms"]
	rows = frappe.get_all(
		alerts.ALERT, {"kind": rules.JOB, **alerts.WRONG_NOW}, fields, order_by="since_ms", limit=0
	)
	return {"failing": [{**row, "subject": _(row.subject)} for row in rows]}


def _device_rows() -> Part:
	rows = frappe.get_all(
		"WhatsApp Device",
		filters={"enabled": 1},
		fields=["name", "state", "is_paused", "problem", "breaker_state"],
		limit=0,
	)
	problems = {
		row.name: device_problems.text_of_problem(problem_of(row.name)) for row in rows if row.problem
	}
	said = {row.name: notice for row in rows if (notice := notices.latest(row.name))}
	return {"devices": rows, "problems": problems, "notices": said}


def _waiting_files() -> Part:
	"""Customers' files: how many wait since when, and the devices whose files can't be had at all."""
	message = frappe.qb.DocType("Khalifa Message")
	count, oldest_ms = (
		frappe.qb.from_(message)
		.select(Count("*"), Min(message.received_ms))
		.where(message.media_state == "Waiting")
		.run()[0]
	)
	wanted = {"enabled": 1, "files_problem": ("is", "set")}
	rows = frappe.get_all("WhatsApp Device", wanted, ["name", "files_problem"], as_list=True)
	return {
		"waiting": count,
		"oldest_waiting_ms": now_ms() - oldest_ms if oldest_ms else 0,
		"problems": dict(rows),
	}


def _nothing() -> Part:
	return {}


DETAILS: dict[str, Callable[[], Part]] = {
	**dict.fromkeys(("database", *PARTS), _nothing),
	"intake": _backlog,
	"jobs": _failing_jobs,
	"devices": _device_rows,
	"files": _waiting_files,
}
