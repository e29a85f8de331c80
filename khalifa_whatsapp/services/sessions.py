"""Keeping a device's session alive: one check, and at most one step, each time it is called.

It keeps nothing: the caller gives what was remembered and stores what comes back, best before anything else
happens. Between the two steps of a restart it does not wait: the next call takes the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from khalifa_whatsapp.core import watchdog
from khalifa_whatsapp.core.settings import Settings
from khalifa_whatsapp.drivers.base import AuthError, SendError, SessionState

ALERTS: Mapping[str, str] = {
	watchdog.QR: "WhatsApp waits for a phone: scan the code, under Linked Devices.",
	watchdog.RESTRICTED: "WhatsApp has restricted this number. Look at the phone.",
	watchdog.REFUSED: "The gateway does not accept the device's login. Enter its secret or token anew.",
}
NOT_BACK = "The session does not come back by itself. Look at the gateway, then connect the device again."
NOT_RUNNING = "The process that owns the browsers has ended. Start khalifa-gateway again."


class WatchedDriver(Protocol):
	"""What watching needs of a driver that has sessions."""

	def get_status(self) -> SessionState:
		"""As in `MessageDriver`."""

	def start_session(self) -> SessionState:
		"""As in `SessionDriver`."""

	def stop_session(self) -> None:
		"""As in `SessionDriver`."""


@dataclass(frozen=True, slots=True)
class Watched:
	"""What a call found and did: `memory` is for the next call, `alert` (if any) for people, now and once."""

	memory: watchdog.Watch
	action: str = watchdog.NOTHING
	seen: SessionState | None = None  # None: nobody could be asked
	alert: str = ""


def watch(driver: WatchedDriver, memory: watchdog.Watch, settings: Settings, now_ms: int) -> Watched:
	"""Check the session of one device and take the one step that is due. Raises nothing that a gateway can
	cause.

	One watcher per device at a time. A device that a person has stopped is not watched; begin anew with
	`Watch()`.
	"""
	memory, seen = _check(driver, memory, now_ms)
	action = watchdog.next_action(memory, settings.restarts_per_hour, now_ms)
	if action == watchdog.RESTART:
		_close(driver)
		memory = watchdog.closed(memory, now_ms)
	elif action == watchdog.START:
		memory, seen = _start(driver, memory, now_ms)
	elif action == watchdog.ALERT:
		return Watched(watchdog.alerted(memory), action, seen, ALERTS.get(memory.state, NOT_BACK))
	return Watched(memory, action, seen)


def note(memory: watchdog.Watch, state: str, now_ms: int, given_up: str = "") -> tuple[watchdog.Watch, str]:
	"""What is remembered of a session that its own process starts again, and what to tell people, now and
	once.

	`given_up` says why nobody starts it again.
	"""
	memory = watchdog.observed(memory, state, now_ms)
	if not watchdog.needs_person(memory, bool(given_up)):
		return memory, ""
	return watchdog.alerted(memory), ALERTS.get(state, given_up)


def _check(
	driver: WatchedDriver, memory: watchdog.Watch, now_ms: int
) -> tuple[watchdog.Watch, SessionState | None]:
	try:
		seen = driver.get_status()
	except SendError as error:
		state = watchdog.REFUSED if isinstance(error, AuthError) else watchdog.NO_ANSWER
		return watchdog.observed(memory, state, now_ms), None
	return watchdog.observed(memory, seen.state, now_ms), seen


def _close(driver: WatchedDriver) -> None:
	try:
		driver.stop_session()
	except SendError:
		return  # a browser that hangs may not say that it closes; the start will show


def _start(
	driver: WatchedDriver, memory: watchdog.Watch, now_ms: int
) -> tuple[watchdog.Watch, SessionState | None]:
	try:
		seen = driver.start_session()
	except SendError:
		return watchdog.start_failed(memory), None
	return watchdog.started(memory, now_ms), replace(seen, at_ms=seen.at_ms or now_ms)
