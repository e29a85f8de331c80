"""The minute's look at the clock with many tickets open, beside the same with few.

Both rounds have 1,000 tickets whose threshold has passed, with their turns and segments; in ours they lie
among 1,000,000 open tickets, in base among 10,000. The scan must cost what is due, not what is open.
"""

from __future__ import annotations

import sys
import time

import common

BOUND = common.Bound(1.5, is_minimum=False)
DUE = 1_000
CHUNK = 50_000


def main() -> int:
	"""Fill, scan, fill more, scan again."""
	options = common.arguments(__doc__, rounds=5, many=1_000_000, few=10_000)
	common.on_bench_python()
	with common.private_bench(options.site) as bench, common.site_connection(bench):
		agents = common.seed_site()
		_fill(0, options.few, agents)
		base = [_scan(number, agents) for number in range(options.rounds + 1)][1:]
		_fill(options.few, options.many, agents)
		ours = [_scan(100 + number, agents) for number in range(options.rounds + 1)][1:]
		_check(options.many)
		common.erase()
	return common.verdict(
		f"Delay scan of {DUE} due tickets",
		ours,
		base,
		BOUND,
		"ms",
		(f"among {options.many:,} open", f"among {options.few:,} open"),
	)


def _fill(start: int, end: int, agents: list[str]) -> None:
	"""Open tickets whose threshold lies far ahead, by one statement a chunk."""
	import frappe

	later = time.time_ns() // 1_000_000 + 10**9
	for first in range(start, end, CHUNK):
		last = min(first + CHUNK, end)
		frappe.db.sql(
			"INSERT INTO `tabKhalifa Ticket` (name, customer, device, status, open_key, "
			"agent, waiting_since_ms, "
			f"next_check_ms, creation, modified) SELECT CONCAT('F-', seq), CONCAT('c', seq), %s, 'Open', "
			f"SHA2(CONCAT('open', seq), 256), ELT(1 + seq %% %s, {', '.join(['%s'] * len(agents))}), %s, %s "
			"+ seq, NOW(), NOW() "
			f"FROM `seq_{first + 1}_to_{last}`",
			(common.DEVICE, len(agents), *agents, later, later),
		)
		frappe.db.commit()
	frappe.db.sql("ANALYZE TABLE `tabKhalifa Ticket`")


def _scan(number: int, agents: list[str]) -> float:
	"""Put 1,000 due tickets in place, scan once; milliseconds."""
	from khalifa_whatsapp.bootstrap import now_ms, on_site
	from khalifa_whatsapp.core import records
	from khalifa_whatsapp.services.tickets import delays
	from khalifa_whatsapp.stores.base import Changes

	store, now = on_site(), now_ms()
	since = now - 20 * 60_000
	made: dict[type, list[object]] = {records.Ticket: [], records.Turn: [], records.Segment: []}
	for place in range(DUE):
		name, agent = f"D{number}-{place}", agents[place % len(agents)]
		made[records.Turn].append(records.Turn(f"t{name}", name, name, common.DEVICE, None, 1, since, since))
		made[records.Segment].append(records.Segment(f"s{name}", f"t{name}", name, agent, None, since))
		made[records.Ticket].append(
			records.Ticket(
				name,
				name,
				common.DEVICE,
				records.OPEN,
				f"open-{name}",
				agent=agent,
				turn=f"t{name}",
				segment=f"s{name}",
				waiting_since_ms=since,
				next_check_ms=now - 1,
			)
		)
	with store.transaction():
		store.save(Changes(created=made))
	start = time.perf_counter()
	scanned = delays.scan(store, now)
	spent = time.perf_counter() - start
	if (scanned.tickets, scanned.events) != (DUE, 2 * DUE):
		sys.exit(f"{DUE} were due, {scanned.tickets} looked at, {scanned.events} events written")
	return 1000 * spent


def _check(expected: int) -> None:
	import frappe

	count = frappe.db.sql("SELECT COUNT(*) FROM `tabKhalifa Ticket` WHERE name LIKE 'F-%'")[0][0]
	if count != expected:
		sys.exit(f"{expected} open tickets expected, {count} there")


if __name__ == "__main__":
	sys.exit(main())
