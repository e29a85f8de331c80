"""One Chrome with its chromedriver: started with tags on a profile, asked whether it lives,
ended in steps.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from os import environ
from pathlib import Path
from typing import Any, cast

import psutil
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.chromium.service import ChromiumService
from selenium.webdriver.remote.remote_connection import RemoteConnection

from khalifa_whatsapp.drivers.base import DeviceConfig
from khalifa_whatsapp.drivers.sessions import processes
from khalifa_whatsapp.drivers.sessions.processes import QUIT_SECONDS, Tags
from khalifa_whatsapp.drivers.sessions.session import BrowserFailed
from khalifa_whatsapp.drivers.whatsapp_web.options import make_options

COMMAND_SECONDS = 90  # the longest a single command may take: a page that loads slowly
log = logging.getLogger(__name__)
_ALERT = "unexpected alert open"  # an answer too: the page waits for somebody


class Browser:
	"""A running Chrome. `answers` and `close` may be called from the thread that uses it; `kill` from any."""

	def __init__(self, driver: WebDriver, tags: Tags, profile: Path, temporary: Path) -> None:
		self.driver = driver
		self.tags = tags
		self.profile = profile
		self._service = driver.service
		self._temporary = temporary
		self._url = f"{driver.service.service_url}/session/{driver.session_id}"
		self._main = self._find_main()

	def _find_main(self) -> list[psutil.Process]:
		"""Chromedriver and Chrome's first process: without either the session is over."""
		running = processes.on_profile(self.profile)
		first = [process for process in running if " --type=" not in processes.command_line(process)]
		with contextlib.suppress(psutil.Error):
			first.append(psutil.Process(self._service.process.pid))
		return first

	def pids(self) -> list[int]:
		"""Process numbers of chromedriver and Chrome's first process, for people who look."""
		return [process.pid for process in self._main]

	def is_dead_or_stopped(self) -> bool:
		"""Whether a process it can't do without is gone or stopped. Asks the kernel only."""
		return any(
			not process.is_running() or processes.is_stopped(process) or _is_zombie(process)
			for process in self._main
		)

	def answers(self, seconds: float) -> bool:
		"""Whether the page runs a script within this time. Not while another command is under way."""
		try:
			reply = self._ask(
				"POST", f"{self._url}/execute/sync", {"script": "return 1", "args": []}, seconds
			)
		except (OSError, HTTPException, ValueError):
			return False
		value = reply.get("value")
		return value == 1 or (isinstance(value, dict) and value.get("error") == _ALERT)

	def close(self) -> int:
		"""Quit, and leave no process and no file behind but the profile; how many processes were left (0)."""
		return self._after(processes.stop(self._find, leave=self._leave))

	def kill(self) -> int:
		"""End it at once, whatever it does; a thread that waits for an answer gets an error."""
		return self._after(processes.kill(self._find))

	def _find(self) -> list[psutil.Process]:
		return processes.of_sessions(self.tags.realm, lambda tags: tags == self.tags)

	def _leave(self) -> None:
		"""Ask Chrome to write its profile and go."""
		with contextlib.suppress(OSError, HTTPException, ValueError):
			self._ask("DELETE", self._url, None, QUIT_SECONDS)

	def _after(self, left: int) -> int:
		_reap(self._service)
		_connection(self.driver).close()  # type: ignore[no-untyped-call]
		if not left:
			processes.remove_temporary(self._temporary)
		return left

	def _ask(self, method: str, url: str, body: Mapping[str, Any] | None, seconds: float) -> dict[str, Any]:
		data = None if body is None else json.dumps(body).encode()
		request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
		answer: dict[str, Any]
		try:
			with _direct.open(request, timeout=seconds) as response:
				answer = json.load(response)
		except urllib.error.HTTPError as error:
			with error:
				answer = json.load(error)
		return answer


_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # chromedriver is on this host


def launch(config: DeviceConfig, profile: Path, tags: Tags) -> Browser:
	"""Start Chrome on a profile that nobody else uses. Raises `BrowserFailed`, and then nothing runs.

	Only for whoever holds the device's lease.
	"""
	options, path = make_options(config, profile, tags), _chromedriver(config)
	if not processes.clear_profile_locks(profile):
		processes.kill(lambda: processes.on_profile(profile))  # a dead owner's: the lease is ours
		processes.clear_profile_locks(profile)
	temporary = processes.make_temporary(tags)
	service = _service(path, tags, temporary)
	try:
		driver = webdriver.Chrome(options=options, service=service)
		_connection(driver).client_config.timeout = COMMAND_SECONDS
		driver.set_page_load_timeout(COMMAND_SECONDS - 10)
		return Browser(driver, tags, profile, temporary)
	except (WebDriverException, OSError, HTTPException, psutil.Error) as error:
		processes.kill(lambda: processes.of_sessions(tags.realm, lambda other: other == tags))
		_reap(service)
		processes.remove_temporary(temporary)
		log.warning(
			"Chrome: %s", error.msg if isinstance(error, WebDriverException) else type(error).__name__
		)
		raise BrowserFailed(
			"Chrome could not be started. Look at the path of Chrome and its options."
		) from error


def _chromedriver(config: DeviceConfig) -> str:
	path = config.browser.get("driver") or shutil.which("chromedriver")
	if not path or not Path(path).exists():  # selenium would download one
		raise BrowserFailed("Chromedriver was not found. Install it, or set its path on the device.")
	return str(path)


def _service(path: str, tags: Tags, temporary: Path) -> Service:
	"""A chromedriver whose children all carry the tags, out of reach of the terminal's Ctrl+C."""
	return Service(
		executable_path=path,
		env={**environ, **tags.environment(), "TMPDIR": str(temporary)},
		popen_kw={"start_new_session": True},
	)


def _connection(driver: WebDriver) -> RemoteConnection:
	"""The way to chromedriver; only before it is made it may be an address."""
	return cast(RemoteConnection, driver.command_executor)


def _reap(service: ChromiumService) -> None:
	"""Collect what is left of chromedriver, and close our ends of its pipes."""
	process: subprocess.Popen[bytes] | None = getattr(service, "process", None)
	if process is None:
		return
	with contextlib.suppress(subprocess.TimeoutExpired):
		process.wait(timeout=2)
	for stream in (process.stdin, process.stdout, process.stderr):
		if stream is not None:
			with contextlib.suppress(OSError):
				stream.close()


def _is_zombie(process: psutil.Process) -> bool:
	try:
		return process.status() == psutil.STATUS_ZOMBIE
	except psutil.Error:
		return True
