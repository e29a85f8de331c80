"""«How many agents do I need?»: the same day again and again, without HTTP,
with different numbers of agents.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from rich.table import Table
from rich.text import Text

from khalifa_whatsapp.bootstrap import embedded
from khalifa_whatsapp.demo.clock import Clock
from khalifa_whatsapp.drivers.http import HttpClient, Reply
from simulation import measures
from simulation.chaos import Chaos
from simulation.customers import Pen
from simulation.engine import make_day
from simulation.gateways import make_gateways
from simulation.measures import Service
from simulation.simulators import Post
from simulation.simulators.server import Request, SimulatorServer
from simulation.text import minutes
from simulation.webhook_sender import DirectRequester, WebhookSender
from simulation.world import make_world

MAX_POINTS = 8


class DirectHttp(HttpClient):
	"""A driver's connections that end in the simulator of this process, with no network between."""

	def __init__(self, simulator: SimulatorServer) -> None:
		super().__init__()
		self._simulator = simulator

	def request(self, method: str, url: str, *, token: str = "", **body: Any) -> Reply:
		"""Ask the simulator."""
		address = urlsplit(url)
		parts = tuple(part for part in address.path.split("/") if part)
		raw = json.dumps(body["json"]).encode() if "json" in body else b""
		headers = {"authorization": f"Bearer {token}"}
		answer = self._simulator.answer(Request(method, parts, dict(parse_qsl(address.query)), headers, raw))
		return Reply(
			answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.body
		)


@dataclass(frozen=True, slots=True)
class Point:
	"""One day to be simulated."""

	agents: int
	messages: int
	seed: int


def compare(
	agents: Sequence[int], messages: int, seed: int, workers: int = 0
) -> Iterator[tuple[int, Service]]:
	"""The same customers with each number of agents, in this order;
	as many at once as there are processors.
	"""
	points = [Point(count, messages, seed) for count in agents]
	workers = workers or min(len(points), os.cpu_count() or 1)
	if workers == 1:
		yield from ((point.agents, simulate(point)) for point in points)
		return
	with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
		for point, service in zip(points, pool.map(simulate, points), strict=True):
			yield point.agents, service


def simulate(point: Point) -> Service:
	"""One day with this many agents and no manager to step in. Receipts are left out: they change no wait."""
	world = make_world(point.messages, point.agents, point.seed)
	clock, rng = Clock(world.start_ms), Random(point.seed + 1)
	with contextlib.ExitStack() as stack:
		gateways = stack.enter_context(make_gateways(clock, point.seed, False, read_rate=0))
		gateways.wpp.has_self_messages = False
		gateways.settle()
		http = {name: DirectHttp(sim) for name, sim in gateways.sims.items()}
		host = embedded(world.rules, gateways.configs(), world.people, http=http)
		stack.callback(host.close)
		requester = DirectRequester(host.store, host.drivers, clock)
		webhook_sender = WebhookSender(gateways, requester, drop=is_receipt)
		pen, staff_rng = Pen(rng, gateways.cloud, gateways.wpp), Random(point.seed + 3)
		make_day(host, world, webhook_sender, pen, clock, Chaos(rng), staff_rng, has_manager=False).play()
		return measures.service_of(host.store, world.rules.calendar, world.end_ms)


def is_receipt(device: str, post: Post) -> bool:
	"""Whether a post holds nothing but receipts."""
	return b'"messages":[' not in post.raw and (b'"statuses":[' in post.raw or b'"onack"' in post.raw)


def spread(first: int, last: int, points: int = MAX_POINTS) -> list[int]:
	"""At most `points` numbers from `first` to `last`, both among them;
	closer together where few agents work.
	"""
	if last - first < points or first < 1:
		return list(range(first, last + 1))
	step = (last / first) ** (1 / (points - 1))
	return sorted({round(first * step**n) for n in range(points)})


def table(points: Sequence[tuple[int, Service]]) -> Table:
	"""The answer as a table."""
	lines = Table(
		title="How many agents do I need?", title_justify="left", header_style="bold", border_style="dim"
	)
	for name in ("Agents", "Waits", "Delayed", "Share", "First p50", "First p90", "Wait p90"):
		lines.add_column(name, justify="right")
	for agents, service in points:
		share = 100 * service.delay_share
		lines.add_row(
			str(agents),
			str(service.turns),
			str(service.delayed),
			Text(f"{share:.1f} %", "green" if share <= 5 else "yellow" if share <= 20 else "red"),
			minutes(service.first_median),
			minutes(service.first_p90),
			minutes(service.wait_p90),
		)
	return lines
