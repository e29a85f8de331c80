"""A worker process that dies by signal 9 in the middle of its work, started by a run with faults.

It gets its job as JSON on standard input (secrets don't belong on a command line): database, device, time,
which drain.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from khalifa_whatsapp.bootstrap import embedded
from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.settings import Rules, Settings
from khalifa_whatsapp.drivers.base import Accepted, DeviceConfig, Event, MessageDriver, Outgoing
from khalifa_whatsapp.services.inbound import drain
from khalifa_whatsapp.services.outbound import dispatch
from simulation.world import ZONE

IN, OUT = "in", "out"
# Where a sender dies: before «Sending» is committed, before the socket opens, in the middle of the request,
# and after the gateway's answer but before it is written down
CLAIM, SOCKET, BODY, ANSWER = "claim", "socket", "body", "answer"
PLACES = (CLAIM, SOCKET, BODY, ANSWER)
LONGEST = 60  # seconds


class SelfKillingDriver:
	"""A driver that kills its process when it parses, or at a certain place of its n-th send."""

	def __init__(self, driver: MessageDriver, place: str = ANSWER, spared: int = 0) -> None:
		self._driver, self._place, self._spared = driver, place, spared

	def __getattr__(self, name: str) -> Any:
		return getattr(self._driver, name)

	def parse(self, raw: bytes) -> list[Event]:
		"""Never comes back."""
		self._driver.parse(raw)
		_die()
		return []

	def send(self, message: Outgoing) -> Accepted:
		"""Comes back for those that are spared, and then never again."""
		if self._spared:
			self._spared -= 1
			return self._driver.send(message)
		if self._place == SOCKET:
			_die()
		if self._place == BODY:
			_die_half_way()
		accepted = self._driver.send(message)
		_die()
		return accepted


def _die(*_: Any) -> None:
	os.kill(os.getpid(), signal.SIGKILL)


def _die_half_way() -> None:
	"""The next bytes that leave this process are only half of what was to be said."""
	really = socket.socket.sendall

	def half(line: socket.socket, data: bytes, *flags: int) -> None:
		really(line, data[: len(data) // 2], *flags)
		_die()

	socket.socket.sendall = half  # type: ignore[method-assign,assignment]


def kill_worker(
	database: str, config: DeviceConfig, now_ms: int, drain: str, place: str = ANSWER, spared: int = 0
) -> bool:
	"""Let another process drain the device and die of it. Whether it did."""
	job = {
		"database": database,
		"config": dataclasses.asdict(config),
		"now_ms": now_ms,
		"drain": drain,
		"place": place,
		"spared": spared,
	}
	path = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]))
	done = subprocess.run(
		[sys.executable, "-m", "simulation.crash_worker"],
		input=json.dumps(job).encode(),
		timeout=LONGEST,
		env={**os.environ, "PYTHONPATH": path},
		check=False,
		capture_output=True,
	)
	return done.returncode == -signal.SIGKILL


def main() -> None:
	"""The crash worker's side."""
	job = json.load(sys.stdin)
	given = {key: tuple(value) if isinstance(value, list) else value for key, value in job["config"].items()}
	config = DeviceConfig(**given)
	host = embedded(Rules(Settings(), Calendar.always(ZONE)), [config], path=job["database"])
	driver: Any = SelfKillingDriver(host.drivers[config.name], job["place"], job["spared"])
	if job["place"] == CLAIM:
		host.store.save = _die  # type: ignore[method-assign]
	run: Any = drain.drain if job["drain"] == IN else dispatch.drain
	run(host.store, driver, lambda: job["now_ms"])


if __name__ == "__main__":
	main()
