"""Shares of small numbers, with the interval in which the true share lies: 2 of 2 is not «100 %».

Wilson's interval for one share, and Newcombe's for the difference of two (his method 10, which is made of two
of Wilson's). Both stay between their bounds and say something useful of a handful of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z_95 = 1.959963984540054  # of 95 % of the normal distribution


@dataclass(frozen=True, slots=True)
class Interval:
	"""An estimate, and where the true value lies with 95 % confidence; shares from 0 to 1, or a difference
	of two.
	"""

	estimate: float
	low: float
	high: float

	@property
	def excludes_zero(self) -> bool:
		"""Whether a difference is more than chance."""
		return self.low > 0 or self.high < 0


def wilson(successes: int, n: int, z: float = Z_95) -> Interval | None:
	"""The share of `successes` among `n`, with its interval; None of nothing.

	Raises ValueError for counts that can't be: fewer than none, or more than `n`.
	"""
	if not 0 <= successes <= n:
		raise ValueError(f"{successes} of {n}")
	if not n:
		return None
	share, weight = successes / n, z * z / n
	centre = (share + weight / 2) / (1 + weight)
	half = z * sqrt(share * (1 - share) / n + weight / (4 * n)) / (1 + weight)
	# The bounds of none and of all are exact; arithmetic would miss them by a hair
	low = 0.0 if successes == 0 else max(centre - half, 0.0)
	high = 1.0 if successes == n else min(centre + half, 1.0)
	return Interval(share, low, high)


def difference(first: tuple[int, int], second: tuple[int, int], z: float = Z_95) -> Interval | None:
	"""How much larger the first share is than the second, each given as (successes, n); None if one is of
	nothing.
	"""
	a, b = wilson(*first, z), wilson(*second, z)
	if a is None or b is None:
		return None
	between = a.estimate - b.estimate
	below = sqrt((a.estimate - a.low) ** 2 + (b.high - b.estimate) ** 2)
	above = sqrt((a.high - a.estimate) ** 2 + (b.estimate - b.low) ** 2)
	return Interval(between, between - below, between + above)
