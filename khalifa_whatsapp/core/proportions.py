"""Shares of few: how far the true share may be from the one that was counted."""

from __future__ import annotations

import math

CONFIDENT = 1.959964  # standard deviations to either side that hold 95 % of a normal distribution


def wilson(part: int, whole: int, deviations: float = CONFIDENT) -> tuple[float, float]:
	"""The Wilson score interval of a share, both ends from 0 to 1; nothing is known of nothing: (0, 1).

	Unlike mean ± error it stays within 0 and 1 and is right for a handful of votes: of three good ones out of
	three it says "somewhere above 44 %", not "100 %". Raises ValueError unless 0 ≤ part ≤ whole.
	"""
	if not 0 <= part <= whole:
		raise ValueError(f"{part} of {whole} is no share")
	if not whole:
		return 0.0, 1.0
	share, square = part / whole, deviations * deviations
	middle = share + square / (2 * whole)
	spread = deviations * math.sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
	scale = 1 + square / whole
	# at the ends the bound is the share itself: what rounding leaves of it is cut off
	low = 0.0 if part == 0 else max(0.0, (middle - spread) / scale)
	high = 1.0 if part == whole else min(1.0, (middle + spread) / scale)
	return low, high
