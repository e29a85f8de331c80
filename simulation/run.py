"""One run: put host, gateways, endpoint and people together, play the day, close the books."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from khalifa_whatsapp.bootstrap import EmbeddedHost, embedded
from khalifa_whatsapp.demo.clock import Clock
from khalifa_whatsapp.drivers.base import MessageDriver
from simulation import care, checks, costs, summary
from simulation.chaos import HANG_UP, Chaos, CrashingDriver
from simulation.customers import Pen
from simulation.delivery_log import MESSAGE, NOTICE
from simulation.endpoint import EndpointServer, WebhookEndpoint
from simulation.engine import Day, make_day
from simulation.gateways import make_gateways
from simulation.webhook_sender import HttpRequester, WebhookSender
from simulation.world import make_world


@dataclass(frozen=True, slots=True)
class Options:
	"""What a run is to be."""

	messages: int = 1500
	agents: int = 15
	seed: int = 1
	has_faults: bool = False
	database: str = ""  # a file; empty: memory, or a file of its own where workers are killed


@dataclass(slots=True)
class Result:
	"""A run that is over."""

	day: Day
	summary: summary.Summary
	seconds: float = 0.0


def run_day(
	options: Options,
	watch: Callable[[Day], None] = lambda day: None,
	finish: Callable[[Result], None] = lambda result: None,
) -> Result:
	"""Play one day with real HTTP on this machine, and check everything afterwards.

	`watch` is called after every step, `finish` at the end while the database is still open.
	"""
	began = time.monotonic()
	with staged(options) as day:
		day.watch = watch
		day.play()
		result = Result(day, close_books(day), time.monotonic() - began)
		finish(result)
		return result


@contextmanager
def staged(options: Options) -> Iterator[Day]:
	"""A day ready to be played: gateways and endpoint are open, the database is new."""
	world = make_world(options.messages, options.agents, options.seed)
	clock = Clock(world.start_ms)
	with contextlib.ExitStack() as stack:
		gateways = stack.enter_context(make_gateways(clock, options.seed, options.has_faults))
		host = embedded(world.rules, gateways.configs(), world.people, database_of(options, stack))
		stack.callback(host.close)
		costs.add_rates(host)
		chaos = Chaos(Random(options.seed + 2), options.has_faults, gateways)
		endpoint = EndpointServer(WebhookEndpoint(host.store, dict(host.drivers), clock))
		requester = HttpRequester(endpoint.webhook, chaos.rng, HANG_UP if options.has_faults else 0.0)
		if options.has_faults:
			chaos.endpoint, chaos.requester, chaos.database = endpoint, requester, host.store.path
			chaos.plot(world.start_ms, world.end_ms)
			chaos.crashing_drivers = _make_crashing(host, chaos.rng)
		stack.enter_context(endpoint)
		webhook_sender = WebhookSender(gateways, requester, workers=4 if options.has_faults else 1)
		stack.callback(webhook_sender.close)
		pen = Pen(Random(options.seed + 1), gateways.cloud, gateways.wpp)
		yield make_day(host, world, webhook_sender, pen, clock, chaos, Random(options.seed + 3))


def database_of(options: Options, stack: contextlib.ExitStack) -> str:
	"""Where the run keeps its data.

	A file that is there already is refused: books of two runs don't add up.
	"""
	if not options.database:
		return (
			":memory:" if not options.has_faults else str(Path(stack.enter_context(_folder())) / "run.sqlite")
		)
	if Path(options.database).exists():
		raise FileExistsError(f"{options.database} is there already. Name a new file, or remove it.")
	return options.database


def _folder() -> tempfile.TemporaryDirectory[str]:
	return tempfile.TemporaryDirectory(prefix="khalifa-run-", ignore_cleanup_errors=True)


def _make_crashing(host: EmbeddedHost, rng: Random) -> list[CrashingDriver]:
	crashing_drivers = {name: CrashingDriver(driver, rng) for name, driver in host.drivers.items()}
	drivers: dict[str, MessageDriver] = host.drivers
	drivers.update(crashing_drivers)  # type: ignore[arg-type]
	return list(crashing_drivers.values())


def close_books(day: Day) -> summary.Summary:
	"""Compare both halves of the books, and check every ticket's history."""
	store, book = day.host.store, day.webhook_sender.book
	written = {(MESSAGE, device, gateway_id) for device, gateway_id in day.written}
	books = summary.Summary(
		summary.inbound(book, MESSAGE, written, summary.stored_messages(store)),
		summary.inbound(book, NOTICE, book.attempts(NOTICE), summary.stored_notices(store)),
		summary.outbound(store, [sim.sent_log.rows() for sim in day.webhook_sender.gateways.sims.values()]),
	)
	books.facts = facts_of(day)
	books.cost = costs.cost_of_day(store)
	sent_logs = [sim.sent_log.rows() for sim in day.webhook_sender.gateways.sims.values()]
	books.problems = [
		*problems_of(books, day),
		*summary.automatic(store, sent_logs),
		*day.overloads,
		*checks.check_desk(store),
	]
	return books


def problems_of(books: summary.Summary, day: Day) -> list[str]:
	"""What the books themselves say is wrong."""
	problems = []
	for name, book in (("messages", books.messages), ("receipts and reactions", books.notices)):
		if not book.adds_up:
			problems.append(
				f"{name} in: {book.lost} lost, {book.duplicated} duplicated, {book.unexpected} unexpected"
			)
	if not books.outbound.adds_up:
		problems.append(f"answers out do not add up: {books.outbound}")
	if books.outbound.written != day.staff.counts.replies:
		problems.append(
			f"the staff wrote {day.staff.counts.replies} answers, {books.outbound.written} are stored"
		)
	if day.show.closed != day.show.undone or day.show.open_before != day.show.open_after:
		problems.append("undoing «close all» did not bring back what it had closed")
	return problems


def facts_of(day: Day) -> dict[str, float]:
	"""A few numbers for the summary."""
	counts, book = day.staff.counts, day.webhook_sender.book
	return {
		"posts": book.posts,
		"posts_refused": book.refused,
		"kills": day.chaos.kills,
		"worker_kills": day.chaos.worker_kills,
		"endpoint_down": day.chaos.endpoint_down,
		"transfers": counts.transfers,
		"closed": counts.closed,
		"no_replies": counts.no_replies,
		"rescues": counts.rescues,
		"refused": counts.refused,
		"close_all": day.show.closed,
		"automatic_replies": len(day.host.store.rows(summary.AUTOMATIC)),
		**care.figures(day.host.store),
	}
