"""How long to wait before trying again."""

from __future__ import annotations

import random

FIRST_SECONDS = 5.0
LONGEST_SECONDS = 3600.0


def delay_ms(attempt: int, rng: random.Random, retry_after: float | None = None) -> int:
	"""Milliseconds before the next try after `attempt` (1, 2, …) tries: doubling, spread ±50 %, at most an
	hour.

	A gateway's own `retry_after` (seconds) is never undercut.
	"""
	doubled: float = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(attempt - 1, 20))
	spread = min(LONGEST_SECONDS, doubled * rng.uniform(0.5, 1.5))
	return round(1000 * max(spread, retry_after or 0.0))
