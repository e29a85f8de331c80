"""Trials of browsers in real Chromium: F34 to F37.

Without Chromium, chromedriver, selenium and psutil they say so.
"""

from __future__ import annotations

import importlib.util
import shutil
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from simulation.trials.stand import Verdict

NOTICED = 15  # seconds within which a dead or stopped browser must be noticed, and another 10 to start anew
GONE = 60  # seconds within which nothing of a killed owner may be left


@dataclass(frozen=True)
class Fighter:
	"""An owner that is only a name."""

	key: str
	host: str = "here"
	pid: int = 1


def can_run() -> bool:
	"""Whether this machine has what the trials need."""
	programs = all(map(shutil.which, ("chromium", "chromedriver")))
	return programs and all(importlib.util.find_spec(name) is not None for name in ("selenium", "psutil"))


def f34_owner_killed(folder: Path, kind: str, count: int) -> Verdict:
	"""The process that owns the browser is killed: nothing of it is left,
	another goes on with the same profile.
	"""
	if not can_run():
		return _not_run()
	from simulation.trials import browser_host as browsers

	other, host = browsers.Elsewhere(folder), browsers.Host(folder)
	try:
		other.until_says("running")
		old = {process.pid for process in browsers.living(folder)}
		other.end()  # by signal 9
		began = time.monotonic()
		host.running()
		left = sum(process.pid in old for process in browsers.living(folder))
		took = time.monotonic() - began
		title = host.title(host.registry.sessions()[0])
		return Verdict(
			len(old),
			lost=left + (took > GONE),
			false=int(title != "ready"),
			note=f"taken over after {took:.1f} s, {left} orphans",
		)
	finally:
		other.end()
		host.registry.close_all(20)


def f35_browser_killed(folder: Path, kind: str, count: int) -> Verdict:
	"""Chromedriver, Chrome or its renderers are killed or stopped: noticed, ended and started again."""
	if not can_run():
		return _not_run()
	from simulation.trials import browser_host as browsers

	host, times, verdict = browsers.Host(folder), [], Verdict()
	targets = (browsers.is_chromedriver, browsers.is_browser, browsers.is_renderer)
	try:
		for device, (is_target, number) in enumerate(product(targets, (signal.SIGKILL, signal.SIGSTOP))):
			times.append(_damage(host, folder, f"d{device}", is_target, number))
			verdict.messages += 1
		verdict.lost = sum(took > NOTICED + 10 for took in times)
		verdict.note = f"back after {max(times):.1f} s at most"
		return verdict
	finally:
		host.registry.close_all(20)


def _damage(host: Any, folder: Path, device: str, is_target: Callable[[str], bool], number: int) -> float:
	"""Seconds until the device's browser is another one and runs."""
	from khalifa_whatsapp.core.lease import RUNNING
	from simulation.trials import browser_host as browsers

	session = host.running(device)
	before = set(session.pids())
	for target in browsers.find(folder, is_target):
		target.send_signal(number)
	took = host.until(
		lambda: session.state == RUNNING and session.pids() and not before & set(session.pids())
	)
	session.leave()
	host.until(lambda: host.registry.get(device) is None)
	return took


def f36_start_and_stop(folder: Path, kind: str, count: int) -> Verdict:
	"""Browsers are started and ended again and again, some killed: no process, file or folder is left."""
	if not can_run():
		return _not_run()
	from simulation.trials import browser_host as browsers

	host, verdict = browsers.Host(folder), Verdict(count)
	try:
		for number in range(count):
			session = host.running()
			if number % 10 == 9:
				browsers.find(folder, browsers.is_browser)[0].kill()
			session.leave()
			host.until(lambda: host.registry.get("d") is None)
			verdict.lost += len(browsers.living(folder))
		verdict.note = f"{verdict.lost} processes left"
		return verdict
	finally:
		host.registry.close_all(20)


def f37_many_want_one(folder: Path, kind: str, count: int) -> Verdict:
	"""Owners fight for one device: one has it each time."""
	from khalifa_whatsapp.bootstrap import embedded, leases
	from khalifa_whatsapp.demo.clock import Clock
	from simulation.trials.stand import RULES, START_MS

	clock, rounds, verdict = Clock(START_MS), count * 20, Verdict(count * 20)
	stores = [leases(embedded(RULES, [], path=folder / "leases.sqlite").store) for _ in range(2)]
	for number in range(rounds):
		got: list[str] = []
		barrier = threading.Barrier(2)

		def fight(
			name: str, store: object, got: list[str] = got, barrier: threading.Barrier = barrier
		) -> None:
			barrier.wait(10)
			if store.acquire("d", Fighter(name), "profile", clock(), lambda key: False) is not None:  # type: ignore[attr-defined]
				got.append(name)

		threads = [
			threading.Thread(target=fight, args=(f"o{number}-{n}", store)) for n, store in enumerate(stores)
		]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join(20)
		verdict.doubled += max(len(got) - 1, 0)
		verdict.lost += not got
		clock.now_ms += 60_000  # the lease has run out: the next two fight for it
	verdict.note = f"{rounds} fights, {rounds - verdict.lost - verdict.doubled} with one owner"
	return verdict


def _not_run() -> Verdict:
	return Verdict(note="NOT RUN: needs Chromium, chromedriver, selenium and psutil", is_run=False)
