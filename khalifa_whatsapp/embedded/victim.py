"""A worker process that dies by signal 9 in the middle of its work, started by a run with faults.

It gets its job as JSON on standard input (secrets don't belong on a command line): database, device, time, which drain.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from khalifa_whatsapp.bootstrap import embedded
from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.settings import Rules, Settings
from khalifa_whatsapp.drivers.base import Accepted, DeviceConfig, Event, MessageDriver, Outgoing
from khalifa_whatsapp.embedded.world import ZONE
from khalifa_whatsapp.services import intake, outbox

IN, OUT = "in", "out"
LONGEST = 60  # seconds


class Doomed:
	"""A driver that kills its process: before anything is written, or after the gateway took a message."""

	def __init__(self, driver: MessageDriver) -> None:
		self._driver = driver

	def __getattr__(self, name: str) -> Any:
		return getattr(self._driver, name)

	def parse(self, raw: bytes) -> list[Event]:
		"""Never comes back."""
		self._driver.parse(raw)
		os.kill(os.getpid(), signal.SIGKILL)
		return []

	def send(self, message: Outgoing) -> Accepted:
		"""Never comes back, but the message goes."""
		accepted = self._driver.send(message)
		os.kill(os.getpid(), signal.SIGKILL)
		return accepted


def murder(database: str, config: DeviceConfig, now_ms: int, drain: str) -> bool:
	"""Let another process drain the device and die of it. Whether it did."""
	job = {"database": database, "config": dataclasses.asdict(config), "now_ms": now_ms, "drain": drain}
	path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]))
	done = subprocess.run(
		[sys.executable, "-m", "khalifa_whatsapp.embedded.victim"], input=json.dumps(job).encode(), timeout=LONGEST,
		env={**os.environ, "PYTHONPATH": path}, check=False, capture_output=True,
	)  # fmt: skip
	return done.returncode == -signal.SIGKILL


def main() -> None:
	"""The victim's side."""
	job = json.load(sys.stdin)
	given = {key: tuple(value) if isinstance(value, list) else value for key, value in job["config"].items()}
	config = DeviceConfig(**given)
	host = embedded(Rules(Settings(), Calendar.always(ZONE)), [config], path=job["database"])
	driver: Any = Doomed(host.drivers[config.name])
	drain: Any = intake.drain if job["drain"] == IN else outbox.drain
	drain(host.store, driver, lambda: job["now_ms"])


if __name__ == "__main__":
	main()
