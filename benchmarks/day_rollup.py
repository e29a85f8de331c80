"""Rolling up a day of 100,000 messages, beside one bare GROUP BY over the same message rows.

  ours  `kpi.rollup_day`: every count, sum, median and p90 of every agent, from messages, turns, tickets and
        history, written as KPI rows and committed
  base  SELECT agent, COUNT(*), MIN, MAX, SUM over the day's 100,000 message rows, GROUP BY agent, as one scan
        of the table, which is its fastest plan here (left alone, the optimizer takes an index and three times
        as long)

The day: 50,000 messages of customers, 50,000 answers of 15 agents, 25,000 turns with 30,000 segments, 6,000
tickets that ended, 9,000 history rows, 1,500 delays.
"""

from __future__ import annotations

import sys
import time

import common

BOUND = common.Bound(2.0, is_minimum=False)
DAY_MS = 86_400_000
COLUMNS = "creation, modified"


def main() -> int:
	"""Fill a day, then alternate."""
	options = common.arguments(__doc__, rounds=7, messages=100_000)
	common.on_bench_python()
	with common.private_bench(options.site) as bench, common.site_connection(bench):
		agents = common.seed_site()
		start, day = _yesterday()
		_fill(start, options.messages, agents)
		_ours(day)
		_base(start, options.messages)
		ours, base = common.interleaved(
			options.rounds, lambda number: _ours(day), lambda number: _base(start, options.messages)
		)
		_check(day, options.messages)
		common.erase()
	return common.verdict(
		f"Day rollup over {options.messages:,} messages",
		ours,
		base,
		BOUND,
		"ms",
		("rollup of the day", "one bare GROUP BY"),
	)


def _yesterday():
	from datetime import timedelta

	from khalifa_whatsapp.bootstrap import now_ms, on_site

	calendar = on_site().rules().calendar
	day = calendar.local_date(now_ms()) - timedelta(days=1)
	return calendar.day_bounds_ms(day)[0], day


def _fill(start: int, messages: int, agents: list[str]) -> None:
	"""The day's rows, by one INSERT … SELECT each."""
	import frappe

	agent = f"ELT(1 + seq % {len(agents)}, {', '.join(frappe.db.escape(name) for name in agents)})"
	at = f"{start} + (seq * 863) % {DAY_MS}"
	for kind, fields, values, count in (
		(
			"Khalifa Message",
			"ticket, origin, direction, status, agent, sent_ms, body, message_key",
			"CONCAT('R', seq % 6000), IF(seq % 2, 'Agent', 'Customer'), IF(seq % 2, "
			"'Outgoing', 'Incoming'), "
			f"IF(seq % 2, 'Read', 'Received'), IF(seq % 2, {agent}, NULL), {at}, REPEAT('سلام ', 8), "
			"SHA2(seq, 256)",
			messages,
		),
		(
			"Khalifa Turn Segment",
			"turn, ticket, agent, from_ms, to_ms, counted_ms, end_reason, is_first, biz_time, wall_time",
			f"CONCAT('T', seq % 25000), CONCAT('R', seq % 6000), IF(seq % 6, {agent}, NULL), {at} - 240000, "
			f"{at}, {at}, "
			"IF(seq % 6, 'answered', 'assigned'), seq % 4 = 1, seq * 7 % 900, seq * 7 % 900",
			messages * 3 // 10,
		),
		(
			"Khalifa Ticket",
			"customer, device, status, agent, resolved_for, closed_ms, waited_time, close_reason",
			f"seq, 'd', 'Closed', {agent}, {agent}, {at}, seq * 11 % 3000, 'resolved'",
			messages * 6 // 100,
		),
		(
			"Khalifa Ticket Event",
			"ticket, event, at_ms, to_agent",
			f"CONCAT('R', seq % 6000), IF(seq % 3, 'assigned', 'transferred'), {at}, {agent}",
			messages * 9 // 100,
		),
		(
			"Khalifa Delay Event",
			"kind, ticket, turn, agent, at_ms, delay_key",
			f"'Agent', CONCAT('R', seq), CONCAT('T', seq), {agent}, {at}, SHA2(seq, 256)",
			messages * 15 // 1000,
		),
	):
		frappe.db.sql(
			f"INSERT INTO `tab{kind}` (name, {fields}, {COLUMNS}) SELECT CONCAT('R', seq), {values}, NOW(), "
			"NOW() "
			f"FROM `seq_1_to_{count}`"
		)
		frappe.db.commit()
		frappe.db.sql(f"ANALYZE TABLE `tab{kind}`")


def _ours(day) -> float:
	from khalifa_whatsapp.bootstrap import now_ms, on_site
	from khalifa_whatsapp.services import kpi

	store = on_site()
	store.rules()
	start = time.perf_counter()
	kpi.rollup_day(store, day, now_ms())
	return 1000 * (time.perf_counter() - start)


def _base(start: int, expected: int) -> float:
	import frappe

	frappe.db.commit()
	begin = time.perf_counter()
	rows = frappe.db.sql(
		"SELECT agent, COUNT(*), MIN(sent_ms), MAX(sent_ms), "
		"SUM(status = 'Read') FROM `tabKhalifa Message` USE INDEX () "
		"WHERE sent_ms >= %s AND sent_ms < %s GROUP BY agent",
		(start, start + DAY_MS),
	)
	spent = 1000 * (time.perf_counter() - begin)
	if sum(row[1] for row in rows) != expected:
		sys.exit(f"{expected} messages expected, {sum(row[1] for row in rows)} grouped")
	return spent


def _check(day, messages: int) -> None:
	import frappe

	sent = frappe.db.sql(
		"SELECT SUM(messages_sent) FROM `tabKhalifa Agent KPI` WHERE start_date = %s", (day,)
	)[0][0]
	if sent != messages // 2:
		sys.exit(f"{messages // 2} answers expected, {sent} counted")


if __name__ == "__main__":
	sys.exit(main())
