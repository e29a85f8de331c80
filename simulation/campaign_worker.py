"""A worker of a campaign that dies by signal 9 in the middle of planning, feeding, sending or taking in.

It gets its job as JSON on standard input: database, device, pace, time, what to do and when to die.
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
from khalifa_whatsapp.core.pacing import Pace
from khalifa_whatsapp.drivers.base import DeviceConfig
from khalifa_whatsapp.services.campaigns import feeding, planning
from khalifa_whatsapp.services.campaigns.planning import Device
from khalifa_whatsapp.services.inbound import drain
from khalifa_whatsapp.services.outbound import dispatch
from simulation.campaign_audience import RULES, Crowd
from simulation.crash_worker import CLAIM, SelfKillingDriver

PLAN, FEED, SEND, TAKE = "plan", "feed", "send", "take"
LONGEST = 120  # seconds


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
	"""What the process does, and where it dies: at a place of a send, or while it saves for the n-th time."""

	database: str
	config: dict[str, Any]
	pace: dict[str, Any]
	now_ms: int
	act: str
	campaign: str
	crowd: dict[str, Any]
	spared: int = 0
	place: str = ""


def kill_worker(job: Job) -> bool:
	"""Let another process do it and die of it. Whether it did."""
	path = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]))
	done = subprocess.run(
		[sys.executable, "-m", "simulation.campaign_worker"],
		input=json.dumps(dataclasses.asdict(job)).encode(),
		timeout=LONGEST,
		env={**os.environ, "PYTHONPATH": path},
		check=False,
		capture_output=True,
	)
	return done.returncode == -signal.SIGKILL


def main() -> None:
	"""The worker's side."""
	job = Job(**json.load(sys.stdin))
	given = {key: tuple(value) if isinstance(value, list) else value for key, value in job.config.items()}
	config, pace = DeviceConfig(**given), Pace(**job.pace)
	host = embedded(RULES, [config], path=job.database)
	driver: Any = host.drivers[config.name]
	store: Any = host.store
	device = Device(pace, driver.capabilities)
	if not job.place or job.place == CLAIM:
		_die_while_saving(store, job.spared)
	if job.act == PLAN:
		crowd = Crowd(**job.crowd)
		made, lines = crowd.audience()
		content = planning.content_for(store, store.campaigns([job.campaign])[job.campaign])
		planning.plan(store, job.campaign, lines, made, content, device, job.now_ms)
	elif job.act == FEED:
		feeding.feed(store, job.campaign, device, job.now_ms)
	elif job.act == TAKE:
		drain.drain(store, driver, lambda: job.now_ms)
	else:
		killing: Any = SelfKillingDriver(driver, job.place, job.spared)
		dispatch.drain(store, killing, lambda: job.now_ms, pace=pace)


def _die_while_saving(store: Any, spared: int) -> None:
	"""The process is gone when all is written and nothing is committed."""
	save, left = store.save, [spared]

	def counted(changes: Any) -> None:
		save(changes)
		if not left[0]:
			os.kill(os.getpid(), signal.SIGKILL)
		left[0] -= 1

	store.save = counted


if __name__ == "__main__":
	main()
