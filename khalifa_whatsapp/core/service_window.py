"""The service window: for how long after a customer's message may we write freely?"""

from __future__ import annotations

from khalifa_whatsapp.core.settings import HOUR_MS

WINDOW_MS = 24 * HOUR_MS


def window_until_ms(last_in_ms: int | None) -> int | None:
	"""When the window closes that the customer's last message opened; None when he never wrote."""
	return last_in_ms + WINDOW_MS if last_in_ms else None


def is_window_open(last_in_ms: int | None, now_ms: int) -> bool:
	"""Whether free text may go now."""
	until = window_until_ms(last_in_ms)
	return until is not None and now_ms < until
