"""Looking each minute for what is wrong and nobody else finds out: measured here, judged by `core.alerts`.

Every read is by an index and bounded by what waits, or by an hour's traffic; none goes through all messages.
While the scheduler is dead nobody looks: then what runs without it (`jobs.scheduler_watch`) looks at the
scheduler and the workers alone.
"""

from __future__ import annotations

import shutil
from datetime import timezone

import frappe
import redis
from frappe.query_builder.functions import Count, Min
from frappe.utils import background_jobs
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job
from tenacity import stop_after_attempt

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import alerts as rules
from khalifa_whatsapp.core.alerts import Condition, DeviceFacts, Facts, TemplateFacts
from khalifa_whatsapp.core.settings import HOUR_MS
from khalifa_whatsapp.jobs import alert_mail, alerts, minute_mark
from khalifa_whatsapp.jobs.steps import Steps

DEVICE, MESSAGE, EVENT = "WhatsApp Device", "Khalifa Message", "Khalifa Webhook Event"
QUEUES = ("short", "default", "long")
WATCHED_QUEUES = ("short", "default")  # a backup may hold the queue «long» for as long as it takes


def run() -> None:
	"""Write down what is wrong now and what is right again, notify, and mail what waits for it."""
	steps, store = Steps(), on_site()
	wrong = rules.conditions(facts(), store.rules().settings)
	for condition in wrong:
		steps.run("alerts", lambda condition=condition: _alert(condition))  # type: ignore[misc]
	steps.run("alerts", lambda: alerts.clear_conditions(rules.LOOKED_FOR, wrong))
	steps.run("alerts", alerts.notify_late)
	steps.run("alert mails", alert_mail.send)
	steps.check()


def look_at_schedule() -> None:
	"""The scheduler's own failures, looked for by what runs without it."""
	measured = Facts(now_ms(), minute_job_ms=minute_mark.age_ms(), queues=queue_ages())
	wrong = [c for c in rules.conditions(measured, on_site().rules().settings) if c.kind in rules.OF_SCHEDULE]
	notified = [condition for condition in wrong if alerts.alert_of(condition)]
	if notified:
		_have_mail_sent()


def _have_mail_sent() -> None:
	"""By a worker, if one lives: Frappe's own queue of mails waits for the scheduler."""
	try:
		queue_connection().ping()
		frappe.enqueue("khalifa_whatsapp.jobs.alert_mail.send", queue="short", at_once=True)
	except redis.exceptions.RedisError:  # the notifications are there
		return


def _alert(condition: Condition) -> None:
	has_notice = condition.kind in rules.HAS_NOTICE and _has_notice(condition.device)
	alerts.alert_of(condition, has_notice)


def _has_notice(device: str) -> bool:
	recent = {"device": device, "severity": ("!=", "Info"), "notified_ms": (">", now_ms() - HOUR_MS)}
	return bool(frappe.db.exists("Khalifa Device Notice", recent))


# -- measuring


def facts() -> Facts:
	"""All that `core.alerts` judges, as it is now."""
	now = now_ms()
	return Facts(
		now,
		devices(now),
		templates(now),
		oldest_event_ms=oldest_event_ms(now),
		dead_events=dead_events(),
		minute_job_ms=minute_mark.age_ms(),
		queues=queue_ages(),
		free_bytes=free_bytes(),
	)


def devices(now: int) -> list[DeviceFacts]:
	"""Every enabled device."""
	fields = ["name", "state", "state_ms", "problem", "quality", "token_ends_ms"]
	rows = frappe.get_all(DEVICE, {"enabled": 1}, fields, limit=0)
	wrong = {"kind": rules.DEVICE, **alerts.WRONG_NOW}
	reasons = set(frappe.get_all(alerts.ALERT, wrong, pluck="device")) if rows else set()
	names = [row.name for row in rows]
	sent, waiting = _of_last_hour(names, now), _oldest_due(now)
	return [
		DeviceFacts(
			row.name,
			row.state or "",
			row.state_ms,
			bool(row.problem),
			row.name in reasons,
			row.quality or "",
			row.token_ends_ms,
			*sent.get(row.name, (0, 0)),
			waiting.get(row.name, 0),
		)
		for row in rows
	]


def devices_that_wait(now: int) -> list[DeviceFacts]:
	"""Devices with an answer that should have gone by now, and nothing else of them."""
	return [DeviceFacts(name, oldest_due_ms=age_ms) for name, age_ms in _oldest_due(now).items()]


def _of_last_hour(names: list[str], now: int) -> dict[str, tuple[int, int]]:
	"""By device, how many messages were handed over within the hour, and how many of them failed."""
	message = frappe.qb.DocType(MESSAGE)
	began = message.device.isin(names or [""]) & (message.started_ms >= now - HOUR_MS)
	counts: dict[str, tuple[int, int]] = {}
	query = frappe.qb.from_(message).select(message.device, message.status, Count("*")).where(began)
	for device, status, count in query.groupby(message.device, message.status).run():
		tried, failed = counts.get(device, (0, 0))
		counts[device] = (tried + count, failed + count * (status == "Failed"))
	return counts


def _oldest_due(now: int) -> dict[str, int]:
	"""By device, how long the oldest answer of a person has been due. Campaigns wait for their turn, and what
	a person has paused waits for that person.
	"""
	if frappe.db.get_single_value("Khalifa Settings", "is_sending_paused"):
		return {}
	message, device = frappe.qb.DocType(MESSAGE), frappe.qb.DocType(DEVICE)
	is_due = (message.status == "Queued") & (message.priority == 0) & (message.next_retry_ms <= now)
	sends = (device.name == message.device) & (device.enabled == 1) & (device.is_paused == 0)
	query = frappe.qb.from_(message).join(device).on(sends).select(message.device, Min(message.next_retry_ms))
	rows = query.where(is_due).groupby(message.device).run()
	return {name: now - due_ms for name, due_ms in rows if due_ms}


def templates(now: int) -> list[TemplateFacts]:
	"""Templates that changed lately and can't be sent."""
	changed = {"status_ms": (">", now - rules.TEMPLATE_NEWS_MS)}
	fields = ["device", "template_name", "language", "status", "status_ms"]
	rows = frappe.get_all("Khalifa Provider Template", changed, fields, limit=0)
	return [
		TemplateFacts(*(row[field] or "" for field in fields[:-1]), status_ms=row.status_ms) for row in rows
	]


def oldest_event_ms(now: int) -> int:
	"""How long the oldest webhook event has been due to be taken in."""
	event = frappe.qb.DocType(EVENT)
	oldest = frappe.qb.from_(event).select(Min(event.received_ms)).where(event.status.isin(["New", "Failed"]))
	oldest_ms = oldest.run()[0][0]
	return now - oldest_ms if oldest_ms else 0


def dead_events() -> int:
	"""Webhook events that were given up."""
	return int(frappe.db.count(EVENT, {"status": "Dead"}))


def queue_ages() -> dict[str, int]:
	"""How long the oldest job of each queue that is ours to watch has been waiting, in milliseconds.

	Nothing for a queue that is empty, or when Redis does not answer.
	"""
	try:
		return {name: age for name in WATCHED_QUEUES if (age := _queue_age(name))}
	except redis.exceptions.RedisError:
		return {}


def queue_lengths() -> dict[str, int]:
	"""How many jobs wait in each of Frappe's queues; nothing when Redis does not answer."""
	try:
		return {name: len(_queue(name)) for name in QUEUES}
	except redis.exceptions.RedisError:
		return {}


def queue_connection() -> redis.Redis:
	"""Frappe's connection to the Redis of its queues, asked once: its own way tries for five seconds."""
	return background_jobs.get_redis_conn.retry_with(stop=stop_after_attempt(1))()


def _queue(name: str) -> Queue:
	return Queue(background_jobs.generate_qname(name), connection=queue_connection())


def _queue_age(name: str) -> int:
	queue = _queue(name)
	first = queue.get_job_ids(0, 1)
	try:
		since = Job.fetch(first[0], connection=queue.connection).enqueued_at if first else None
	except NoSuchJobError:
		return 0
	if since is None:
		return 0
	return max(0, now_ms() - round(since.replace(tzinfo=timezone.utc).timestamp() * 1000))


def free_bytes() -> int:
	"""Free space where the site keeps its files."""
	return shutil.disk_usage(frappe.get_site_path()).free
