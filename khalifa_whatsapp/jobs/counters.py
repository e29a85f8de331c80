"""Counting for the metrics, cheaply: what happens often is counted in Redis and moved to rows each minute;
messages are counted from their rows, a stretch of time at a time, each stretch once.

Nothing that is refused, and no job, writes to the database for being counted: whoever posts rubbish to us all
day costs an increment in memory. A Redis that is away or was emptied loses a minute's counts of jobs and
refusals, never those of messages.
"""

from __future__ import annotations

import functools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import frappe
import redis
from frappe.query_builder.functions import Count

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import metric_names as names
from khalifa_whatsapp.core.keys import digest, first_name
from khalifa_whatsapp.core.metric_names import Increment
from khalifa_whatsapp.core.settings import HOUR_MS, MINUTE_MS
from khalifa_whatsapp.stores.base import Store

COUNTER = "Khalifa Metric Counter"
KEY = "khalifa_counters"
LAG_MS = 2 * MINUTE_MS  # by then what was made in a stretch is committed, and most of it is sent
MAX_STRETCH_MS = HOUR_MS  # of one minute: after a long sleep the rest follows minute by minute
Method = TypeVar("Method", bound=Callable[..., Any])


# -- as it happens


def count(metric: str, by: int = 1, **labels: str) -> None:
	"""Add to a counter, in memory."""
	try:
		frappe.cache.hincrby(_key(), _field(metric, labels), by)
	except redis.exceptions.RedisError:  # a count is worth no failure
		return


def timed(job: str) -> Callable[[Method], Method]:
	"""Count the runs of a job, how long they took, and when the last one began."""

	def decorate(run: Method) -> Method:
		@functools.wraps(run)
		def counted(*args: Any, **kwargs: Any) -> Any:
			began_ms, start = now_ms(), time.monotonic()
			result = "failed"
			try:
				done = run(*args, **kwargs)
				result = "ok"
				return done
			finally:
				_note_run(job, result, began_ms, round((time.monotonic() - start) * 1000))

		return counted  # type: ignore[return-value]

	return decorate


def _note_run(job: str, result: str, began_ms: int, took_ms: int) -> None:
	fields = {
		_field(names.JOB_RUNS, {"job": job, "result": result}): 1,
		_field(names.JOB_MS, {"job": job}): took_ms,
	}
	try:
		pipeline = frappe.cache.pipeline()
		for field, by in fields.items():
			pipeline.hincrby(_key(), field, by)
		pipeline.hset(_key(), _field(names.JOB_LAST_MS, {"job": job}), began_ms)
		pipeline.execute()
	except redis.exceptions.RedisError:
		return


def in_memory() -> list[Increment]:
	"""What was counted since the last minute."""
	return _counts(frappe.cache.pipeline().hgetall(_key()).execute()[0])


def _taken() -> list[Increment]:
	"""The same, and the memory begins anew."""
	return _counts(frappe.cache.pipeline().hgetall(_key()).delete(_key()).execute()[0])


def _counts(stored: dict[bytes, bytes]) -> list[Increment]:
	pairs = ((json.loads(field), int(value)) for field, value in stored.items())
	return [Increment(metric, labels, value) for (metric, labels), value in pairs]


def _key() -> bytes:
	return frappe.cache.make_key(KEY)


def _field(metric: str, labels: dict[str, str]) -> str:
	return json.dumps([metric, labels], sort_keys=True)


# -- each minute


def run(store: Store) -> None:
	"""Move what was counted in memory to rows, and count what came since the last minute."""
	with store.lock("counters") as is_ours:
		if not is_ours:
			return
		try:
			taken = _taken()
		except redis.exceptions.RedisError:
			taken = []
		add(taken)
		frappe.db.commit()
		_count_rows()


def _count_rows() -> None:
	"""One stretch of time: its counts and the mark that it is counted, in one transaction."""
	until = now_ms() - LAG_MS
	since = stored_value(names.COUNTED_UNTIL, {}) or until - LAG_MS
	until = min(until, since + MAX_STRETCH_MS)
	if until <= since:
		return
	add([*_made(since, until), *_handed_over(since, until), *_said(since, until)])
	add([Increment(names.COUNTED_UNTIL, {}, until)])
	frappe.db.commit()


def _made(since: int, until: int) -> Iterator[Increment]:
	"""Messages that came or were written, by their names, which sort by time."""
	message = frappe.qb.DocType("Khalifa Message")
	made = (message.name >= first_name(since)) & (message.name < first_name(until))
	query = frappe.qb.from_(message).select(message.device, message.direction, message.origin, Count("*"))
	grouped = query.where(made & (message.origin != "Note"))
	for device, direction, origin, number in grouped.groupby(
		message.device, message.direction, message.origin
	).run():
		status = {"Customer": "received", "Phone": "typed on the phone"}.get(origin, "queued")
		yield _messages(device, direction, status, number)


def _handed_over(since: int, until: int) -> Iterator[Increment]:
	"""Attempts to send and what had come of them, and how long the messages had waited by then."""
	devices = frappe.get_all("WhatsApp Device", pluck="name", order_by=None)
	if not devices:
		return
	wait = "started_ms - received_ms"
	classes = ", ".join(f"SUM({wait} <= {end})" for end in names.WAIT_MS)
	# SQL: sums of conditions, one for each class of the histogram
	sql = (
		f"SELECT device, status, COUNT(*), {classes}, SUM(GREATEST({wait}, 0)) FROM `tabKhalifa Message` "
		"WHERE device IN %s AND started_ms >= %s AND started_ms < %s GROUP BY device, status"
	)
	for device, status, number, *rest in frappe.db.sql(sql, (devices, since, until)):
		*counts, sum_ms = (int(value or 0) for value in rest)
		come_to = names.COME_TO.get(status)
		if come_to:
			yield _messages(device, "Outgoing", come_to, number)
		if come_to == "sent":
			yield from names.waits(device, counts, number, sum_ms)


def _said(since: int, until: int) -> Iterator[Increment]:
	"""What gateways said later: delivered, read, failed."""
	log = frappe.qb.DocType("Khalifa Message Status")
	made = (log.name >= first_name(since)) & (log.name < first_name(until)) & (log.kind == "status")
	query = frappe.qb.from_(log).select(log.device, log.value, Count("*"))
	for device, value, number in query.where(made).groupby(log.device, log.value).run():
		if value in names.SAID_LATER:
			yield _messages(device, "Outgoing", value, number)


def _messages(device: str | None, direction: str, status: str, number: int) -> Increment:
	labels = {"device": device or "", "direction": direction.lower(), "status": status}
	return Increment(names.MESSAGES, labels, int(number))


# -- rows


def add(counts: Iterable[Increment]) -> None:
	"""Add to the rows, in the present transaction."""
	sums: Counter[tuple[str, str]] = Counter()
	for one in counts:
		key = (one.metric, json.dumps(dict(one.labels), sort_keys=True, ensure_ascii=False))
		sums[key] = max(sums[key], one.by) if one.metric in names.MARKS else sums[key] + one.by
	there = frappe.utils.now_datetime()
	for (metric, labels), value in sorted(sums.items()):
		grown = "GREATEST(value, VALUES(value))" if metric in names.MARKS else "value + VALUES(value)"
		# SQL: one statement that inserts or adds
		frappe.db.sql(
			f"INSERT INTO `tab{COUNTER}` (name, creation, modified, owner, modified_by, metric, labels, "
			"value) VALUES (%s, %s, %s, 'Administrator', 'Administrator', %s, %s, %s) "
			f"ON DUPLICATE KEY UPDATE value = {grown}, modified = VALUES(modified)",
			(_name(metric, labels), there, there, metric, labels, value),
		)


def stored() -> list[Increment]:
	"""All counters as they are in the database."""
	rows = frappe.get_all(COUNTER, fields=["metric", "labels", "value"], limit=0, order_by=None)
	return [Increment(row.metric, json.loads(row.labels), row.value) for row in rows]


def stored_value(metric: str, labels: dict[str, str]) -> int:
	"""One counter's value; 0 where there is none."""
	name = _name(metric, json.dumps(labels, sort_keys=True, ensure_ascii=False))
	return int(frappe.db.get_value(COUNTER, name, "value") or 0)


def _name(metric: str, labels: str) -> str:
	return digest("counter", metric, labels)[:20]
