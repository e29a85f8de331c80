"""Ten thousand signed deliveries while workers are killed and Redis is emptied. A fault run, not a speed
test.

A real site: gunicorn with two sync workers, one RQ worker, Frappe's own scheduler. 32 deliveries at a time,
one in ten a repetition (byte for byte, or the same message in another delivery). Meanwhile the RQ worker and
its work-horse are killed with SIGKILL five times, in the middle of a drain, and started again; once, while no
worker is there, the Redis of the queues loses all it holds. Then, each for a while, the queue's and the
cache's Redis are down altogether.

Told in these words (of messages, by their ids):
  attempts      sent, each once however often it was repeated
  acknowledged  answered 200 at least once
  lost          acknowledged, but not stored
  duplicated    stored more than once, or counted more than once on its ticket
  unexpected    stored, but never sent
  recovered     stored, though no answer told the sender so
Exit code 1 unless all were answered 200 and stored once, no customer has two open tickets and nothing is left
over.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from subprocess import Popen

import common

CONCURRENCY = 32
CUSTOMERS = 2_000
KILLS = 5
QUIET_SECONDS = 180
OUTAGE_EVENTS = 300


@dataclass
class SentRequest:
	"""What the sender knows: the message of each request, and the answers."""

	ids: list[str] = field(default_factory=list)
	requests: list[bytes] = field(default_factory=list)
	answers: list[common.Answer] = field(default_factory=list)

	def extend(self, other: SentRequest) -> None:
		"""Add what was sent later."""
		self.ids += other.ids
		self.requests += other.requests
		self.answers += other.answers

	@property
	def attempts(self) -> set[str]:
		return set(self.ids)

	@property
	def acknowledged(self) -> set[str]:
		return {name for name, answer in zip(self.ids, self.answers, strict=True) if answer.status == 200}


@dataclass
class FaultInjector:
	"""Kills the worker with its work-horse, and empties the queue's Redis, at given moments of the burst."""

	bench: common.PrivateBench
	total: int
	worker: Popen[bytes]
	answered: int = 0
	kills: int = 0
	flushed: int = 0
	forgotten: int = 0
	mid_drain: int = 0
	failure: str = ""

	def run(self) -> None:
		"""The program: five kills spread over the burst, the third with FLUSHALL."""
		try:
			for number in range(KILLS):
				self._wait_for((number + 1) * self.total // (KILLS + 2))
				self.kill(with_flush=number == 2)
		except Exception as error:  # of a thread: whatever stopped it is told by the verdict
			self.failure = f"{type(error).__name__}: {error}"

	def _wait_for(self, answered: int) -> None:
		while self.answered < answered:
			time.sleep(0.02)

	def kill(self, with_flush: bool) -> None:
		"""Both die at once, preferably in the middle of a drain;
		a supervisor would start the worker again.
		"""
		horses = self._work_horses(5)
		time.sleep(random.uniform(0.0, 0.4))
		self.mid_drain += any(_is_alive(horse) for horse in horses)
		for pid in [self.worker.pid, *common.descendants(self.worker.pid), *horses]:
			with suppress(ProcessLookupError):
				os.kill(pid, signal.SIGKILL)
		self.worker.wait()
		self.kills += 1
		time.sleep(1)
		if with_flush:
			self.flush()
		self.worker = self.bench.worker()

	def _work_horses(self, seconds: float) -> list[int]:
		stop = time.monotonic() + seconds
		while time.monotonic() < stop:
			if workers := common.descendants(self.worker.pid):
				return workers
			time.sleep(0.01)
		return []

	def flush(self) -> None:
		"""The queue's Redis forgets everything, as soon as a job waits there."""
		import redis

		queue, stop = redis.Redis(port=self.bench.queue_port), time.monotonic() + 5
		while not self.forgotten and time.monotonic() < stop:
			self.forgotten = sum(queue.llen(key) for key in queue.scan_iter("rq:queue:*"))
		queue.flushall()
		self.flushed += 1


def _is_alive(pid: int) -> bool:
	with suppress(ProcessLookupError):
		os.kill(pid, 0)
		return True
	return False


def main() -> int:
	"""The burst, the outages, the ledger."""
	options = common.arguments(__doc__, webhook_events=10_000, seed=1)
	common.on_bench_python()
	random.seed(options.seed)
	with common.private_bench(options.site) as bench:
		with common.site_connection(bench):
			common.seed_site()
		bench.web()
		bench.schedule()
		sent, injector, seconds = burst(bench, options.webhook_events)
		with common.site_connection(bench):
			left = Drained.wait(time.monotonic())
			print_burst(sent, injector, seconds, left)
			outages = [outage(bench, "queue"), outage(bench, "cache")]
			for other in outages:
				sent.extend(other)
			left_after = Drained.wait(time.monotonic())
			print(f"  taken in and handed out {left_after.seconds:.1f} s after the outages")
			problems = judge(sent) + judge_tickets() + left.problems() + left_after.problems()
	if injector.failure or injector.kills < KILLS:
		problems.append(f"the injector failed: {injector.failure or 'too few kills'}")
	print("  passed" if not problems else "  FAILED: " + "; ".join(problems))
	return 1 if problems else 0


# -- the traffic


def burst(bench: common.PrivateBench, webhook_events: int) -> tuple[SentRequest, FaultInjector, float]:
	"""Send everything while the injector is at work."""
	sent = traffic(bench, f"burst-{time.time_ns():x}", webhook_events, repeated=webhook_events // 10)
	injector = FaultInjector(bench, len(sent.requests), bench.worker())
	turn = threading.Lock()

	def count(place: int, answer: common.Answer) -> None:
		with turn:
			injector.answered += 1

	thread = threading.Thread(target=injector.run)
	thread.start()
	start = time.perf_counter()
	sent.answers = common.post_all(bench.web_port, sent.requests, CONCURRENCY, count)
	seconds = time.perf_counter() - start
	thread.join()
	return sent, injector, seconds


def traffic(bench: common.PrivateBench, run: str, webhook_events: int, repeated: int) -> SentRequest:
	"""Deliveries in random order; of the repetitions, half are byte for byte,
	half new deliveries of old messages.
	"""
	now = time.time_ns() // 1_000_000
	made = []
	for number in range(webhook_events - repeated):
		name = f"{run}-{number}"
		made.append((name, common.loopback_body(random.randrange(CUSTOMERS), name, now + number, 600)))
	for number, (name, body) in enumerate(random.sample(made, repeated)):
		made.append((name, body if number % 2 else body + b"\n"))
	random.shuffle(made)
	return SentRequest([name for name, _ in made], [common.signed_post(bench.site, body) for _, body in made])


def outage(bench: common.PrivateBench, which: str) -> SentRequest:
	"""One Redis is down while deliveries come: all must be taken in all the same."""
	port = bench.queue_port if which == "queue" else bench.cache_port
	common.end(next(process for process in bench.running if str(port) in process.args))
	sent = traffic(bench, f"no-{which}-{time.time_ns():x}", OUTAGE_EVENTS, repeated=30)
	start = time.perf_counter()
	sent.answers = common.post_all(bench.web_port, sent.requests, CONCURRENCY)
	seconds = time.perf_counter() - start
	bench.redis(port)
	supervise(bench)
	good = sum(answer.status == 200 for answer in sent.answers)
	print(
		f"  {which} Redis down: {good} of {len(sent.answers)} answered 200, "
		f"{len(sent.answers) / seconds:.0f}/s"
	)
	return sent


def supervise(bench: common.PrivateBench) -> None:
	"""Start the worker and the scheduler again if losing Redis ended them, as a supervisor would."""
	for command, start in (("worker", bench.worker), ("schedule", bench.schedule)):
		if all(process.poll() is not None for process in bench.running if command in process.args):
			start()


# -- the ledger


@dataclass(frozen=True)
class Drained:
	"""How long it took until nothing was left to take in or to hand out,
	and what was left when patience ended.
	"""

	seconds: float
	left: int
	dead: int

	@classmethod
	def wait(cls, start: float) -> Drained:
		"""Look each fifth of a second; only the site's own worker and scheduler work meanwhile."""
		while True:
			left, dead = _count_left()
			waited = time.monotonic() - start
			if not left or waited > QUIET_SECONDS:
				return cls(waited, left, dead)
			time.sleep(0.2)

	def problems(self) -> list[str]:
		"""In words."""
		problems = [f"{self.left} deliveries or tickets left after {self.seconds:.0f} s"] if self.left else []
		return problems + ([f"{self.dead} deliveries are dead"] if self.dead else [])


def _count_left() -> tuple[int, int]:
	"""Deliveries not yet taken in and tickets in the queue; dead deliveries."""
	import frappe

	frappe.db.commit()
	events = dict(frappe.db.sql("SELECT status, COUNT(*) FROM `tabKhalifa Webhook Event` GROUP BY status"))
	queued = frappe.db.sql("SELECT COUNT(*) FROM `tabKhalifa Ticket` WHERE status = 'Queued'")[0][0]
	return events.get("New", 0) + events.get("Failed", 0) + queued, events.get("Dead", 0)


def print_burst(sent: SentRequest, injector: FaultInjector, seconds: float, left: Drained) -> None:
	"""Answers, kills, drain."""
	times = [1000 * answer.seconds for answer in sent.answers]
	statuses = Counter(answer.status for answer in sent.answers)
	print(
		f"Burst of {len(times):,} deliveries, {CONCURRENCY} at a time, {len(times) / seconds:.0f}/s in "
		f"{seconds:.1f} s"
	)
	print(
		"  answers "
		+ ", ".join(f"{status or 'none'}: {count:,}" for status, count in sorted(statuses.items()))
	)
	p50, p95, p99 = (common.percentile(times, share) for share in (0.50, 0.95, 0.99))
	print(
		f"  answered after p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms, mean "
		f"{statistics.mean(times):.0f} ms"
	)
	print(
		f"  {injector.kills} × kill -9 of worker and work-horse ({injector.mid_drain} in the middle of a "
		"drain), "
		f"{injector.flushed} × FLUSHALL of the queue (jobs in it: {injector.forgotten})"
	)
	print(f"  taken in and handed out {left.seconds:.1f} s after the last answer")


def judge(sent: SentRequest) -> list[str]:
	"""The six words over all that was sent."""
	import frappe

	rows = frappe.db.sql("SELECT gateway_id, COUNT(*) FROM `tabKhalifa Message` GROUP BY gateway_id")
	stored = dict(rows)
	lost = sent.acknowledged - stored.keys()
	duplicated = {name for name, count in stored.items() if count > 1}
	unexpected = stored.keys() - sent.attempts
	recovered = stored.keys() & sent.attempts - sent.acknowledged
	unread = int(frappe.db.sql("SELECT SUM(unread_count) FROM `tabKhalifa Ticket`")[0][0] or 0)
	print(
		f"  attempts {len(sent.attempts):,}, acknowledged {len(sent.acknowledged):,}, lost {len(lost)}, "
		f"duplicated {len(duplicated)}, unexpected {len(unexpected)}, recovered {len(recovered)}"
	)
	refused = sum(answer.status != 200 for answer in sent.answers)
	checks = {
		f"{refused} answers other than 200": refused,
		f"{len(lost)} lost": lost,
		f"{len(duplicated)} duplicated": duplicated,
		f"{len(unexpected)} unexpected": unexpected,
		f"tickets count {unread} messages, stored are {len(stored)}": unread != len(stored),
	}
	return [text for text, is_wrong in checks.items() if is_wrong]


def judge_tickets() -> list[str]:
	"""One open ticket per customer and device, one customer per phone, one wait per ticket."""
	import frappe

	checks = {
		"customers with two open tickets": "SELECT customer FROM `tabKhalifa Ticket` "
		"WHERE status <> 'Closed' "
		"GROUP BY customer, device HAVING COUNT(*) > 1",
		"phones with two customers": "SELECT phone FROM `tabKhalifa Customer` "
		"GROUP BY phone HAVING COUNT(*) > 1",
		"tickets with two open turns": "SELECT ticket FROM `tabKhalifa Turn` WHERE ended_ms = 0 "
		"GROUP BY ticket HAVING COUNT(*) > 1",
		"turns with two open segments": "SELECT turn FROM `tabKhalifa Turn Segment` WHERE to_ms = 0 "
		"GROUP BY turn HAVING COUNT(*) > 1",
		"tickets without an agent": "SELECT name FROM `tabKhalifa Ticket` WHERE agent IS NULL",
	}
	counts = {name: len(frappe.db.sql(sql)) for name, sql in checks.items()}
	tickets = frappe.db.sql("SELECT COUNT(*) FROM `tabKhalifa Ticket`")[0][0]
	print(f"  tickets {tickets:,}; " + ", ".join(f"{name} {count}" for name, count in counts.items()))
	return [f"{count} {name}" for name, count in counts.items() if count]


if __name__ == "__main__":
	sys.exit(main())
