"""Real browsers for trials and tests of sessions, here and in processes of their own that may be killed.

	python -m simulation.trials.browser_host FOLDER DEVICE

opens the device's browser as a host would and says `running PIDS` once it answers, `held` while another owner
has it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from khalifa_whatsapp.bootstrap import embedded, leases, now_ms
from khalifa_whatsapp.core import lease as rules
from khalifa_whatsapp.drivers.base import DeviceConfig
from khalifa_whatsapp.drivers.sessions import processes
from khalifa_whatsapp.drivers.sessions.registry import SessionRegistry
from khalifa_whatsapp.drivers.sessions.session import Limits, Session
from simulation.trials.stand import RULES

ROOT = Path(__file__).parents[2]
CHROME = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
CHROMEDRIVER = shutil.which("chromedriver")
PAGE = "data:text/html,<title>ready</title>"
BROWSER = {
	"url": "",
	"user_agent": "",
	"language": "en",
	"is_headless": 1,
	"binary": CHROME,
	"driver": CHROMEDRIVER,
	"idle_minutes": 0.0,
	"options": "--no-sandbox\n--disable-gpu",
}


def config(device: str) -> DeviceConfig:
	return DeviceConfig(device, "whatsapp_web", browser=BROWSER)


def open_page(driver: Any) -> None:
	driver.get(PAGE)


def make_registry(folder: Path, limits: Limits | None = None) -> SessionRegistry:
	return SessionRegistry(
		leases(embedded(RULES, [], path=folder / "db.sqlite3").store), folder / "profiles", now_ms, limits
	)


class Host:
	"""A registry, kept as a host keeps it."""

	def __init__(self, folder: Path, limits: Limits | None = None) -> None:
		self.folder = folder
		self.registry = make_registry(folder, limits)

	def until(self, condition: Callable[[], Any], seconds: float = 60) -> float:
		"""Keep the registry until it is so; how many seconds it took."""
		began = time.monotonic()
		while not condition():
			assert time.monotonic() - began < seconds, f"not within {seconds} s"
			self.registry.keep()
			time.sleep(0.05)
		return time.monotonic() - began

	def running(self, device: str = "d") -> Session:
		session = self.registry.open(config(device), open_page)
		assert session is not None, "another has it"
		self.until(lambda: session.state == rules.RUNNING)
		return session

	def title(self, session: Session) -> str:
		page = session._page
		assert page is not None
		return session.call(lambda: page.driver.title, 20)


def living(folder: Path) -> list[psutil.Process]:
	"""Processes of the folder's sessions that live, whoever started them."""
	return processes.of_sessions(str((folder / "profiles").absolute()), lambda tags: True)


def find(folder: Path, is_it: Callable[[str], bool]) -> list[psutil.Process]:
	"""Those whose command line is such; there is at least one."""
	matching = [process for process in living(folder) if is_it(processes.command_line(process))]
	assert matching, is_it
	return matching


def is_chromedriver(line: str) -> bool:
	return "chromedriver " in line and " --user-data-dir=" not in line


def is_browser(line: str) -> bool:
	return " --user-data-dir=" in line and " --type=" not in line


def is_renderer(line: str) -> bool:
	return " --type=renderer" in line


class Elsewhere:
	"""The same in another process, which may be killed."""

	def __init__(self, folder: Path, device: str = "d") -> None:
		self.process = subprocess.Popen(
			[sys.executable, "-m", "simulation.trials.browser_host", str(folder), device],
			stdout=subprocess.PIPE,
			text=True,
			cwd=ROOT,
			start_new_session=True,
		)

	def says(self) -> str:
		assert self.process.stdout is not None
		return self.process.stdout.readline().strip()

	def until_says(self, term: str) -> None:
		while (said := self.says()).partition(" ")[0] != term:
			assert said, "it ended"

	def send(self, number: int) -> None:
		os.kill(self.process.pid, number)

	def end(self) -> None:
		if self.process.returncode is None:
			self.process.kill()
			self.process.communicate()


def main(folder: Path, device: str) -> None:
	host, stop = Host(folder), threading.Event()
	host.registry.close_at_exit(stop.set)
	said = ""
	while not stop.is_set():
		host.registry.keep()
		session = host.registry.open(config(device), open_page)
		say = "held" if session is None else session.state
		if say != said:
			print(say, *(session.pids() if session else ()), flush=True)
			said = say
		stop.wait(0.1)
	print("leaving", flush=True)


if __name__ == "__main__":
	signal.alarm(300)  # a test that died must not leave this behind
	main(Path(sys.argv[1]), sys.argv[2])
