"""Taking in a message on a site, beside a bare document insert of the same message.

Compared in one process on one MariaDB connection, in alternating rounds over the same texts:
  ours  webhook event → parsed → customer, ticket, stored message, turn, history → assigned to an agent
  base  `frappe.get_doc(Khalifa Message).insert()` of a message row alone: no customer, no ticket, no ledger
Both commit once per hundred messages. The events of ours are stored beforehand: a gateway's request does
that.
"""

from __future__ import annotations

import sys
import time

import common

BOUND = common.Bound(1.0, is_minimum=True)
BATCH = 100
CUSTOMERS = 400


def main() -> int:
	"""Run the rounds."""
	options = common.arguments(__doc__, rounds=5, messages=1000)
	common.on_bench_python()
	with common.private_bench(options.site) as bench, common.site_connection(bench):
		common.seed_site(capacity=100_000)
		ours, base = common.interleaved(
			options.rounds,
			lambda number: _ours(number, options.messages),
			lambda number: _base(number, options.messages),
		)
		_check(options.rounds * options.messages)
	return common.verdict(
		f"Messages taken in on one worker, {options.messages} a round",
		ours,
		base,
		BOUND,
		"/s",
		("event to assigned ticket", "bare document insert"),
	)


def _ours(number: int, count: int) -> float:
	from khalifa_whatsapp.bootstrap import now_ms, on_site
	from khalifa_whatsapp.core.keys import delivery_key
	from khalifa_whatsapp.services.inbound import drain
	from khalifa_whatsapp.services.tickets import assignment
	from khalifa_whatsapp.site_devices import get_device

	store, device = on_site(), get_device(common.DEVICE)
	assert device is not None
	for place in range(count):
		body = common.loopback_body(place % CUSTOMERS, f"intake-{number}-{place}", now_ms())
		store.record_webhook_event(
			common.DEVICE, common.PROVIDER, delivery_key(common.DEVICE, body), body, now_ms()
		)
	start = time.perf_counter()
	taken = drain.drain(store, device.driver, now_ms, batch=BATCH)
	assignment.assign_queue(store, now_ms())
	spent = time.perf_counter() - start
	if taken.messages != count:
		sys.exit(f"{count} were posted, {taken.messages} taken in")
	return count / spent


def _base(number: int, count: int) -> float:
	import frappe

	start = time.perf_counter()
	for place in range(count):
		_insert(number, place)
		if place % BATCH == BATCH - 1:
			frappe.db.commit()
	spent = time.perf_counter() - start
	frappe.db.sql("DELETE FROM `tabKhalifa Message` WHERE ticket = 'KT-BASE'")
	frappe.db.commit()
	return count / spent


def _insert(number: int, place: int) -> None:
	import frappe

	now = time.time_ns() // 1_000_000
	doc = frappe.get_doc(
		{
			"doctype": "Khalifa Message",
			"ticket": "KT-BASE",
			"customer": "base",
			"device": common.DEVICE,
			"direction": "Incoming",
			"origin": "Customer",
			"content_type": "text",
			"status": "Received",
			"sent_ms": now,
			"received_ms": now,
			"body": f"hello, this is intake-{number}-{place}",
			"message_key": f"base-{number}-{place}",
			"gateway_id": f"intake-{number}-{place}",
		}
	)
	doc.flags.by_use_case = doc.flags.ignore_links = True
	doc.insert(ignore_permissions=True)


def _check(expected: int) -> None:
	import frappe

	stored = frappe.db.count("Khalifa Message")
	waiting = frappe.db.count("Khalifa Ticket", {"status": "Queued"})
	if (stored, waiting) != (expected, 0):
		sys.exit(f"{expected} messages expected, {stored} stored; {waiting} tickets without an agent")


if __name__ == "__main__":
	sys.exit(main())
