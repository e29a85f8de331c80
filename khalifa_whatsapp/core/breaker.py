"""A circuit breaker per device: a gateway that fails again and again is left alone for a while.

It opens after some failures in a row within a window, or at once when the login is refused; it then lets one
message through after a pause that doubles with each probe that fails. Any success closes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from khalifa_whatsapp.core.settings import Settings

CLOSED, OPEN = "Closed", "Open"
LONGEST_PAUSE_MS = 60 * 60_000
# kinds that say something of the gateway, not of a message
FAILURES = frozenset({"retryable", "unknown", "auth"})


@dataclass(frozen=True, slots=True)
class Breaker:
	"""What is remembered of a device's failures; instants are epoch milliseconds."""

	state: str = CLOSED
	failures: int = 0  # in a row; while open: failed probes too
	failed_ms: int = 0  # the first of them
	until_ms: int = 0  # when open: no attempt before
	reason: str = ""

	def may_try(self, now_ms: int) -> bool:
		"""Whether an attempt may be made now; when the pause is over, one is the probe."""
		return self.state == CLOSED or now_ms >= self.until_ms


def succeeded(breaker: Breaker) -> Breaker:
	"""After a message was taken."""
	return Breaker()


def failed(breaker: Breaker, kind: str, reason: str, now_ms: int, settings: Settings) -> Breaker:
	"""After an attempt failed with a kind of `FAILURES`; other kinds leave it as it is."""
	if kind not in FAILURES:
		return breaker
	window_ms = settings.breaker_window_seconds * 1000
	is_in_row = breaker.failures > 0 and (breaker.state != CLOSED or now_ms - breaker.failed_ms <= window_ms)
	count = breaker.failures + 1 if is_in_row else 1
	first_ms = breaker.failed_ms if is_in_row else now_ms
	if breaker.state == CLOSED and kind != "auth" and count < max(settings.breaker_failures, 1):
		return Breaker(CLOSED, count, first_ms)
	probes = 0 if breaker.state == CLOSED else count - max(settings.breaker_failures, 1)
	return Breaker(
		OPEN, max(count, settings.breaker_failures), first_ms, now_ms + _pause_ms(settings, probes), reason
	)


def held(breaker: Breaker, reason: str, now_ms: int, pause_ms: int) -> Breaker:
	"""After the gateway said that the whole device is too fast: quiet until then, with no blame."""
	return replace(breaker, state=OPEN, until_ms=max(breaker.until_ms, now_ms + pause_ms), reason=reason)


def _pause_ms(settings: Settings, failed_probes: int) -> int:
	first = settings.breaker_open_seconds * 1000
	doubled: float = first * 2 ** min(max(failed_probes, 0), 20)
	return round(min(LONGEST_PAUSE_MS, doubled))
