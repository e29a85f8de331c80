"""What goes wrong on our own side in a run with faults: workers killed in the middle, the endpoint down."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from khalifa_whatsapp.core.settings import MINUTE_MS
from khalifa_whatsapp.drivers.base import Accepted, Event, MessageDriver, Outgoing
from simulation.crash_worker import IN, OUT, kill_worker
from simulation.gateways import Gateways
from simulation.webhook_sender import HttpRequester

PARSE_KILL, SEND_KILL = 0.006, 0.008  # chance per delivery, per send
HANG_UP = 0.01
SHUT_MINUTES = 3


class Killed(BaseException):
	"""The worker dies here.

	No `Exception`: nothing in the use cases may catch it, as nothing catches a kill.
	"""


class CrashingDriver:
	"""A driver whose caller may be killed while it parses, or after the gateway took a message."""

	def __init__(self, driver: MessageDriver, rng: Random) -> None:
		self._driver, self._rng = driver, rng
		self.is_calm = False

	def __getattr__(self, name: str) -> Any:
		return getattr(self._driver, name)

	def parse(self, raw: bytes) -> list[Event]:
		"""As the driver's, unless the worker dies."""
		self._risk(PARSE_KILL)
		return self._driver.parse(raw)

	def send(self, message: Outgoing) -> Accepted:
		"""The worst moment to die: the gateway has it, our database does not know."""
		self._risk(SEND_KILL / 2)
		accepted = self._driver.send(message)
		self._risk(SEND_KILL)
		return accepted

	def _risk(self, chance: float) -> None:
		if not self.is_calm and self._rng.random() < chance:
			raise Killed


@dataclass(slots=True)
class Chaos:
	"""Faults of a run; without `is_on` it does nothing."""

	rng: Random
	is_on: bool = False
	gateways: Gateways | None = None
	requester: HttpRequester | None = None
	endpoint: AbstractContextManager[Any] | None = None
	crashing_drivers: list[CrashingDriver] = field(default_factory=list)
	kills: int = 0
	worker_kills: int = 0  # real processes, killed by signal 9
	endpoint_down: int = 0
	database: str = ""  # the file that killed processes work on
	_worker_kills_ms: list[tuple[int, str]] = field(default_factory=list)  # due, which drain
	_down_until_ms: int | None = None
	_next_down_ms: int | None = None

	def stir(self, now_ms: int) -> None:
		"""What happens at this moment besides the usual."""
		if not self.is_on or self.endpoint is None:
			return
		if self._next_down_ms is None:
			self._next_down_ms = now_ms + self.rng.randrange(120, 240) * MINUTE_MS
		if self._down_until_ms is not None and now_ms >= self._down_until_ms:
			self._open()
		elif self._down_until_ms is None and now_ms >= self._next_down_ms:
			self.endpoint.__exit__(None, None, None)
			self.endpoint_down += 1
			self._down_until_ms = now_ms + SHUT_MINUTES * MINUTE_MS
			self._next_down_ms = now_ms + self.rng.randrange(180, 360) * MINUTE_MS

	def plot(self, start_ms: int, end_ms: int, count: int = 4) -> None:
		"""When processes are to be killed: now one that takes in, now one that sends."""
		span = (end_ms - start_ms) // (count + 1)
		self._worker_kills_ms = [(start_ms + span * (n + 1), (IN, OUT)[n % 2]) for n in range(count)]

	def survive(self, drain: str, driver: MessageDriver, now_ms: int, work: Callable[[], object]) -> None:
		"""Run a drain that may be killed. The next one finds what it left."""
		due = next((job for job in self._worker_kills_ms if job[0] <= now_ms and job[1] == drain), None)
		if due is not None and self.is_on:
			self._worker_kills_ms.remove(due)
			self.worker_kills += kill_worker(self.database, driver.config, now_ms, drain)
			return
		try:
			work()
		except Killed:
			self.kills += 1

	def calm(self) -> None:
		"""The books are to be closed: nothing more goes wrong."""
		if self._down_until_ms is not None:
			self._open()
		self.is_on = False
		for crashing_driver in self.crashing_drivers:
			crashing_driver.is_calm = True
		if self.requester is not None:
			self.requester.hang_up = 0
		if self.gateways is not None:
			self.gateways.settle()

	def _open(self) -> None:
		if self.endpoint is not None:
			self.endpoint.__enter__()
		self._down_until_ms = None
