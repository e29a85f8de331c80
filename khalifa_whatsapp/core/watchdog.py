"""When is a gateway's session brought back, and when is a person called?

A session that has died is closed, left alone for a moment and started again, a few times in an hour at most.
It needs a person instead when a code has to be scanned, when WhatsApp has restricted the number, and when
starting it did not help. All instants are epoch milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

CONNECTED, CONNECTING, QR, RESTRICTED = "connected", "connecting", "qr", "restricted"
REFUSED, NO_ANSWER = "refused", "no_answer"  # our login is not accepted; the gateway could not say
NOTHING, CHECK, RESTART, START, ALERT = "nothing", "check", "restart", "start", "alert"
HOUR_MS = 3_600_000
CHECKS_NEEDED = 2  # one failed check may be a tab that was busy
CLOSE_WAIT_MS = 10_000  # between close and start: the browser gives its profile back
CONNECTING_MS = 3 * 60_000  # how long a start, and the loading of all chats after it, may take


@dataclass(frozen=True, slots=True)
class Watch:
	"""What is remembered of a session from check to check.

	What nobody has ever seen connected no machine starts, and nobody is called because it is not: a person is
	just setting it up. `restarts` are those of which none came an hour after the one before it, the latest at
	`restarts_ms`.
	"""

	state: str = ""
	since_ms: int = 0
	failed_checks: int = 0  # in a row
	was_connected: bool = False
	has_login: bool = False  # it was connected, and no code has been asked for since
	restarts: int = 0
	restarts_ms: int = 0
	start_ms: int = 0  # closed, and started no earlier than this; 0: nothing is under way
	is_alerted: bool = False

	def restarts_in_hour(self, now_ms: int) -> int:
		"""Restarts that count against the cap.

		Never fewer than there were in the past hour, sometimes more.
		"""
		return self.restarts if now_ms - self.restarts_ms < HOUR_MS else 0


def observed(watch: Watch, state: str, now_ms: int) -> Watch:
	"""After a check, or after the gateway itself said so."""
	since_ms = watch.since_ms if state == watch.state else now_ms
	if state == CONNECTED:
		return Watch(state, since_ms, 0, True, True, watch.restarts, watch.restarts_ms)
	if state == QR:  # the login is gone: a restart would only show another code
		return replace(watch, state=state, since_ms=since_ms, failed_checks=0, has_login=False, start_ms=0)
	is_patient = state == CONNECTING and now_ms - since_ms < CONNECTING_MS
	failed = watch.failed_checks if is_patient else watch.failed_checks + 1
	return replace(watch, state=state, since_ms=since_ms, failed_checks=failed)


def next_action(watch: Watch, restarts_per_hour: int, now_ms: int) -> str:
	"""What to do now about what was observed last."""
	if watch.start_ms:
		return START if now_ms >= watch.start_ms else NOTHING
	if watch.state in ("", CONNECTED):
		return NOTHING
	if watch.state in (RESTRICTED, REFUSED):
		return _call(watch)
	if watch.state == QR:
		return _call(watch) if watch.was_connected else NOTHING
	if watch.state == CONNECTING and now_ms - watch.since_ms < CONNECTING_MS:
		return NOTHING
	if not watch.was_connected:
		return NOTHING
	if watch.failed_checks < CHECKS_NEEDED:
		return CHECK
	if not watch.has_login or watch.restarts_in_hour(now_ms) >= restarts_per_hour:
		return _call(watch)
	return RESTART


def closed(watch: Watch, now_ms: int) -> Watch:
	"""After the first half of a restart: it counts, whatever becomes of it."""
	restarts = watch.restarts_in_hour(now_ms) + 1
	return replace(watch, restarts=restarts, restarts_ms=now_ms, start_ms=now_ms + CLOSE_WAIT_MS)


def started(watch: Watch, now_ms: int) -> Watch:
	"""After the second half: its checks begin anew, with patience."""
	return replace(watch, state=CONNECTING, since_ms=now_ms, failed_checks=0, start_ms=0)


def start_failed(watch: Watch) -> Watch:
	"""The start was not taken: the next check decides on another restart."""
	return replace(watch, start_ms=0)


def alerted(watch: Watch) -> Watch:
	"""After a person was called: once, until the session has been connected again."""
	return replace(watch, is_alerted=True)


def needs_person(watch: Watch, is_given_up: bool = False) -> bool:
	"""Whether a session that somebody else starts again needs a person now: its login is gone, WhatsApp has
	restricted the number, or it was given up after it had worked.
	"""
	is_over = watch.was_connected and (is_given_up or watch.state == QR)
	return not watch.is_alerted and (is_over or watch.state == RESTRICTED)


def _call(watch: Watch) -> str:
	return NOTHING if watch.is_alerted else ALERT
