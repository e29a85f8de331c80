"""How many signed webhook deliveries are acknowledged in a second, beside a request that does nothing.

Compared on the same two gunicorn sync workers, by the same client (8 at a time, one connection each, as sync
workers close it anyway), in alternating rounds:
  ours  POST of a unique, signed JSON body of about 1 kB to the loopback endpoint: verified, stored, committed
  base  POST of the same kind of body (same content type, size and headers) to Frappe's own `ping`, which
        returns
Both pay for gunicorn, for Frappe's request, its JSON parsing, session and commit. No worker drains meanwhile.
"""

from __future__ import annotations

import sys
import time

import common

BOUND = common.Bound(0.70, is_minimum=True)
CONCURRENCY = 8
BODY_BYTES = 1000


def main() -> int:
	"""Run the rounds."""
	options = common.arguments(__doc__, rounds=9, requests=400)
	common.on_bench_python()
	with common.private_bench(options.site) as bench:
		with common.site_connection(bench):
			common.seed_site(agents=1)
		bench.web()
		run = f"{time.time_ns():x}"
		_rate(bench, _ours(bench, f"warm-{run}", 100))
		ours, base = common.interleaved(
			options.rounds,
			lambda number: _rate(bench, _ours(bench, f"{run}-{number}", options.requests)),
			lambda number: _rate(bench, _base(bench, f"{run}-{number}", options.requests)),
		)
		with common.site_connection(bench):
			_check_stored(options.rounds * options.requests + 100)
	return common.verdict(
		f"Webhook acknowledgements, {options.requests} requests a round, {CONCURRENCY} at a time",
		ours,
		base,
		BOUND,
		"/s",
		("signed deliveries", "no-op POST (ping)"),
	)


def _ours(bench: common.PrivateBench, run: str, count: int) -> list[bytes]:
	return [common.signed_post(bench.site, body) for body in _bodies(run, count)]


def _base(bench: common.PrivateBench, run: str, count: int) -> list[bytes]:
	headers = [("x-loopback-signature", "sha256=" + "0" * 64)]
	return [
		common.post("/api/method/ping?device=Bench%20Device", bench.site, body, headers)
		for body in _bodies(run, count)
	]


def _bodies(run: str, count: int) -> list[bytes]:
	now = time.time_ns() // 1_000_000
	return [common.loopback_body(place % 500, f"{run}-{place}", now, BODY_BYTES) for place in range(count)]


def _rate(bench: common.PrivateBench, requests: list[bytes]) -> float:
	start = time.perf_counter()
	answers = common.post_all(bench.web_port, requests, CONCURRENCY)
	spent = time.perf_counter() - start
	if any(answer.status != 200 for answer in answers):
		sys.exit(f"not all were answered 200: {sorted({answer.status for answer in answers})}")
	return len(requests) / spent


def _check_stored(expected: int) -> None:
	import frappe

	stored = frappe.db.sql("SELECT COUNT(*) FROM `tabKhalifa Webhook Event`")[0][0]
	if stored != expected:
		sys.exit(f"{expected} were acknowledged, {stored} are stored")


if __name__ == "__main__":
	sys.exit(main())
