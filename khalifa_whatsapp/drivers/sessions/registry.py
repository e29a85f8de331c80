"""All browser sessions of one process, and the promise that none outlives it.

The host calls `keep` every second or so from the thread its database belongs to; everything that touches a
browser happens in that browser's own thread. So a hanging page holds up neither the heartbeat nor another
device. What a killed process leaves behind is swept up by the next (`sweep`).
"""

from __future__ import annotations

import atexit
import logging
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from khalifa_whatsapp.core.lease import HEARTBEAT_MS
from khalifa_whatsapp.drivers.base import DeviceConfig
from khalifa_whatsapp.drivers.sessions import processes
from khalifa_whatsapp.drivers.sessions.owner import Owner, is_gone, this_process
from khalifa_whatsapp.drivers.sessions.ports import LeaseStore
from khalifa_whatsapp.drivers.sessions.processes import Tags
from khalifa_whatsapp.drivers.sessions.session import Limits, Page, Session

SWEEP_SECONDS = 30
log = logging.getLogger(__name__)

Launch = Callable[[DeviceConfig, Path, Tags], Page]


def _launch_chrome(config: DeviceConfig, profile: Path, tags: Tags) -> Page:
	from khalifa_whatsapp.drivers.sessions.chrome import launch  # selenium is there only where browsers are

	return launch(config, profile, tags)


class SessionRegistry:
	"""The sessions of this process. `root` is the folder of the site's profiles: private, on this host."""

	def __init__(
		self,
		leases: LeaseStore,
		root: Path,
		clock: Callable[[], int],
		limits: Limits | None = None,
		launch: Launch = _launch_chrome,
		owner: Owner | None = None,
	) -> None:
		self.root = root.absolute()
		self.owner = owner or this_process()
		self.limits = limits or Limits()
		self._leases, self._clock, self._launch = leases, clock, launch
		self._sessions: dict[str, Session] = {}
		self._idle: dict[str, float] = {}
		self._mutex = threading.Lock()  # for the dictionary alone: never held while a browser works
		self._beaten_at = self._swept_at = float("-inf")

	@property
	def realm(self) -> str:
		"""The folder of profiles, which tells the browsers of one installation from those of another."""
		return str(self.root)

	def get(self, device: str) -> Session | None:
		"""The running session of a device, if this process has it."""
		with self._mutex:
			return self._sessions.get(device)

	def sessions(self) -> list[Session]:
		"""The running sessions of this process."""
		with self._mutex:
			return list(self._sessions.values())

	def open(self, config: DeviceConfig, attach: Callable[[Any], None]) -> Session | None:
		"""Take the device's lease and start its browser; None while another process has it, or the last one
		is ending.

		`attach` gets each new webdriver, in the session's thread. Returns at once: the session's state
		follows.
		"""
		known = self.get(config.name)
		if known is not None:
			return None if known.is_ending else known
		profile = processes.make_profile(self.root, config.name)
		lease = self._leases.acquire(config.name, self.owner, str(profile), self._clock(), is_gone)
		if lease is None:
			return None
		tags = Tags(self.realm, config.name, lease.generation, self.owner.key)
		session = Session(lease, lambda: self._launch(config, profile, tags), attach, self.limits)
		with self._mutex:
			self._sessions[config.name] = session
			self._idle[config.name] = float(config.browser.get("idle_minutes") or 0) * 60
		session.start()
		return session

	def keep(self) -> list[Session]:
		"""Watch, close what is idle, renew, forget what is over, sweep. Sessions that have ended.

		What concerns browsers comes first: it must happen even when the database is away and this raises.
		"""
		for session in self.sessions():
			session.watch()
			idle = self._idle[session.device]
			if idle and session.is_idle_for(idle):
				session.leave()
		over = [session for session in self.sessions() if session.is_over]
		for session in over:
			self._drop(session.device)
		for session in over:
			self._release(session)
		if self._is_beat_due():
			over += self._beat()
			self._beaten_at = time.monotonic()
		if time.monotonic() - self._swept_at >= SWEEP_SECONDS:
			self.sweep()
		return over

	def _is_beat_due(self) -> bool:
		"""Every few seconds, and whenever there is something to tell."""
		is_time = time.monotonic() - self._beaten_at >= HEARTBEAT_MS / 1000
		return is_time or any(session.state != session.published_state for session in self.sessions())

	def _beat(self) -> list[Session]:
		lost = []
		for session in self.sessions():
			begun, state = time.monotonic(), session.state
			if self._leases.heartbeat(
				session.device, self.owner.key, session.generation, self._clock(), state, session.pids()
			):
				session.renewed(begun)
				session.published_state = state
				continue
			log.warning("the lease of generation %s is another's: its browser is ended", session.generation)
			session.kill()
			self._drop(session.device)
			lost.append(session)
		return lost

	def _release(self, session: Session) -> None:
		self._leases.release(
			session.device, self.owner.key, session.generation, self._clock(), session.last_state
		)

	def close(self, device: str, state: str = "") -> None:
		"""Begin to end a session: `keep` lets its lease go when nothing of it runs any more,
		with word of its state.
		"""
		session = self.get(device)
		if session is not None:
			session.leave(state)

	def close_all(self, seconds: float = 30) -> int:
		"""End all sessions at the same time, and by force what takes longer; how many processes are left (0).

		The leases are let go last, and nothing waits for that: they run out by themselves.
		"""
		with self._mutex:
			sessions, self._sessions = list(self._sessions.values()), {}
		enders = [threading.Thread(target=s.end, args=(seconds / 2,), daemon=True) for s in sessions]
		for ender in enders:
			ender.start()
		until = time.monotonic() + seconds
		for ender in enders:
			ender.join(max(0.1, until - time.monotonic()))
		left = processes.kill(self._own)
		for session in sessions:
			self._release(session)
		return left

	def _own(self) -> list[Any]:
		return processes.of_sessions(self.realm, lambda tags: tags.owner_key == self.owner.key)

	def sweep(self) -> int:
		"""Kill what dead owners left on this host; how many processes."""
		self._swept_at = time.monotonic()
		generations = {lease.device: lease.generation for lease in self._leases.all()}
		killed = processes.sweep(self.realm, is_gone, generations)
		if killed:
			log.warning("%s browser processes of dead owners were ended", killed)
		return killed

	def _drop(self, device: str) -> Session | None:
		with self._mutex:
			self._idle.pop(device, None)
			return self._sessions.pop(device, None)

	def close_at_exit(self, stop: Callable[[], None]) -> None:
		"""At SIGTERM and SIGINT call `stop`, which must make the main thread leave; at exit close all.

		For the main thread. A second signal ends the process at once: the next one's sweep does the rest.
		"""

		def ask(number: int, frame: Any) -> None:
			signal.signal(number, signal.SIG_DFL)
			stop()

		for number in (signal.SIGTERM, signal.SIGINT):
			signal.signal(number, ask)
		atexit.register(self._at_exit)

	def _at_exit(self) -> None:
		if self.sessions():
			self.close_all()
