"""Metrics as Prometheus reads them, made at each scrape from tables: so every web worker says the same.

Counters are rows that only grow (`jobs.counters`); what changes both ways is read as it is now, each by an
index. Labels are names of ours: devices, jobs, states. No phone, no person's name and no customer's word is
in them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import frappe
import redis
from frappe.query_builder.functions import Count
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
	CounterMetricFamily,
	GaugeMetricFamily,
	HistogramMetricFamily,
	Metric,
	SummaryMetricFamily,
)
from prometheus_client.registry import Collector
from werkzeug.wrappers import Response

from khalifa_whatsapp.api import health, monitors, safe_errors
from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import metric_names as names
from khalifa_whatsapp.core.alerts import is_down
from khalifa_whatsapp.core.metric_names import Increment
from khalifa_whatsapp.jobs import alert_look, alerts, counters, minute_mark

STATES = ("Unknown", "Connected", "Connecting", "QR", "Disconnected", "Restricted")
WAITING = ("Queued", "Sending", "Unknown")
PLAIN = "text/plain; charset=utf-8"


@frappe.whitelist(allow_guest=True, methods=["GET", "HEAD"])
def scrape() -> Response:
	"""The metrics, for monitors and managers alone; nobody else learns what there is."""
	try:
		if not monitors.may_see_details():
			return Response("forbidden\n", status=403, content_type=PLAIN)
		return respond()
	except Exception as error:  # Frappe would answer with what it was doing, and log the call
		safe_errors.give_up("metrics", error)
		return Response("try again\n", status=503, content_type=PLAIN)


def respond() -> Response:
	"""The metrics, for whoever may have them."""
	registry = CollectorRegistry(auto_describe=False)
	registry.register(SiteCollector())
	return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class SiteCollector(Collector):
	"""Everything that is measured, read when it is asked for."""

	def collect(self) -> Iterable[Metric]:
		"""The families of metrics, one after the other."""
		now = now_ms()
		yield from _counted([*counters.stored(), *_in_memory()])
		yield from _devices()
		yield from _webhook_events(now)
		yield from _outgoing(now)
		yield from _workers()
		yield from _host()


def _in_memory() -> list[Increment]:
	try:
		return counters.in_memory()
	except redis.exceptions.RedisError:
		return []


# -- what only grows


def _counted(counts: Iterable[Increment]) -> Iterator[Metric]:
	sums = _summed(counts)
	messages = CounterMetricFamily(
		"khalifa_messages", "Messages that have come to a status.", labels=["device", "direction", "status"]
	)
	for (device, direction, status), value in sums[names.MESSAGES].items():
		messages.add_metric([device, direction, status], value)
	refusals = CounterMetricFamily(
		"khalifa_webhook_refusals", "Webhook calls that were refused.", labels=["reason", "status"]
	)
	for (reason, status), value in sums[names.REFUSALS].items():
		refusals.add_metric([reason, status], value)
	runs = CounterMetricFamily("khalifa_job_runs", "Runs of background jobs.", labels=["job", "result"])
	for (job, result), value in sums[names.JOB_RUNS].items():
		runs.add_metric([job, result], value)
	yield from (messages, refusals, runs, *_durations(sums), _waits(sums[names.SEND_WAIT]))


def _summed(counts: Iterable[Increment]) -> dict[str, dict[tuple[str, ...], int]]:
	"""By metric, the values by the labels' values, in the order of the labels' names."""
	sums: dict[str, dict[tuple[str, ...], int]] = defaultdict(dict)
	for one in counts:
		key = tuple(value for _name, value in sorted(one.labels.items()))
		before = sums[one.metric].get(key, 0)
		is_mark = one.metric in names.MARKS
		sums[one.metric][key] = max(before, one.by) if is_mark else before + one.by
	return sums


def _durations(sums: dict[str, dict[tuple[str, ...], int]]) -> Iterator[Metric]:
	seconds = SummaryMetricFamily("khalifa_job_seconds", "How long background jobs took.", labels=["job"])
	runs: dict[str, int] = defaultdict(int)
	for (job, _result), value in sums[names.JOB_RUNS].items():
		runs[job] += value
	for (job,), value in sums[names.JOB_MS].items():
		seconds.add_metric([job], count_value=runs[job], sum_value=value / 1000)
	last = GaugeMetricFamily(
		"khalifa_job_last_run_timestamp_seconds", "When a background job last began.", labels=["job"]
	)
	for (job,), value in sums[names.JOB_LAST_MS].items():
		last.add_metric([job], value / 1000)
	yield from (seconds, last)


def _waits(values: dict[tuple[str, ...], int]) -> Metric:
	"""The classes hold all that waited less, as Prometheus wants them."""
	family = HistogramMetricFamily(
		"khalifa_send_wait_seconds",
		"How long a message waited in the outbox until it was handed to its gateway.",
		labels=["device"],
	)
	ends = (*(str(end / 1000) for end in names.WAIT_MS), "+Inf")
	for device in sorted({device for device, _end in values}):
		buckets = [(end, values.get((device, end), 0)) for end in ends]
		family.add_metric([device], buckets, sum_value=values.get((device, names.SUM), 0) / 1000)
	return family


# -- what is so now


def _devices() -> Iterator[Metric]:
	up = GaugeMetricFamily("khalifa_device_up", "1: the device carries messages.", labels=["device"])
	state = GaugeMetricFamily("khalifa_device_state", "1: the state it is in.", labels=["device", "state"])
	breaker = GaugeMetricFamily(
		"khalifa_device_breaker_open", "1: its circuit breaker holds what is to be sent.", labels=["device"]
	)
	paused = GaugeMetricFamily("khalifa_device_paused", "1: a person has paused it.", labels=["device"])
	fields = ["name", "state", "problem", "breaker_state", "is_paused"]
	for row in frappe.get_all("WhatsApp Device", {"enabled": 1}, fields, limit=0, order_by="name"):
		up.add_metric([row.name], int(not is_down(row.state or "", bool(row.problem))))
		breaker.add_metric([row.name], int((row.breaker_state or "Closed") != "Closed"))
		paused.add_metric([row.name], int(row.is_paused))
		for one in STATES:
			state.add_metric([row.name, one], int(row.state == one))
	yield from (up, state, breaker, paused)


def _webhook_events(now: int) -> Iterator[Metric]:
	depth = GaugeMetricFamily("khalifa_webhook_events", "Webhook events not taken in.", labels=["status"])
	for status in ("New", "Failed", "Dead"):
		depth.add_metric([status], frappe.db.count("Khalifa Webhook Event", {"status": status}))
	yield depth
	yield GaugeMetricFamily(
		"khalifa_webhook_event_oldest_seconds",
		"Age of the oldest webhook event that waits.",
		value=alert_look.oldest_event_ms(now) / 1000,
	)


def _outgoing(now: int) -> Iterator[Metric]:
	depth = GaugeMetricFamily(
		"khalifa_outgoing_messages",
		"Messages in the outbox, and those whose outcome nobody knows.",
		labels=["device", "status"],
	)
	message = frappe.qb.DocType("Khalifa Message")
	query = frappe.qb.from_(message).select(message.device, message.status, Count("*"))
	rows = query.where(message.status.isin(WAITING)).groupby(message.device, message.status).run()
	for device, status, count in rows:
		depth.add_metric([device or "", status], count)
	oldest = GaugeMetricFamily(
		"khalifa_outgoing_oldest_seconds", "How long the oldest answer has been due.", labels=["device"]
	)
	for device in alert_look.devices_that_wait(now):
		oldest.add_metric([device.name], device.oldest_due_ms / 1000)
	files = frappe.db.count("Khalifa Message", {"media_state": "Waiting"})
	yield from (depth, oldest)
	yield GaugeMetricFamily("khalifa_files_waiting", "Customers' files not fetched yet.", value=files)


def _workers() -> Iterator[Metric]:
	depth = GaugeMetricFamily("khalifa_rq_jobs", "Jobs in Frappe's queues, of all apps.", labels=["queue"])
	oldest = GaugeMetricFamily(
		"khalifa_rq_oldest_seconds", "How long the oldest of them has been waiting.", labels=["queue"]
	)
	ages = alert_look.queue_ages()
	for queue in alert_look.QUEUES:
		oldest.add_metric([queue], ages.get(queue, 0) / 1000)
	for queue, length in alert_look.queue_lengths().items():
		depth.add_metric([queue], length)
	yield from (depth, oldest)


def _host() -> Iterator[Metric]:
	well = GaugeMetricFamily("khalifa_health", "1: the part is well.", labels=["part"])
	for name, part in health.examine().items():
		well.add_metric([name], int(part["ok"]))
	wrong = GaugeMetricFamily("khalifa_alerts", "What is wrong now, by kind.", labels=["kind"])
	alert = frappe.qb.DocType(alerts.ALERT)
	query = frappe.qb.from_(alert).select(alert.kind, Count("*")).where(alert.is_solved == 0)
	for kind, count in query.groupby(alert.kind).run():
		wrong.add_metric([kind], count)
	yield from (well, wrong)
	yield GaugeMetricFamily(
		"khalifa_minute_job_age_seconds",
		"How long ago the minute's job began.",
		value=minute_mark.age_ms() / 1000,
	)
	yield GaugeMetricFamily(
		"khalifa_disk_free_bytes",
		"Free space where the site keeps its files.",
		value=alert_look.free_bytes(),
	)
