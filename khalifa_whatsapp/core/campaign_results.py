"""What came of a campaign: shares of what was tried; and which of two texts did better, where that is
sure.
"""

from __future__ import annotations

from dataclasses import dataclass

from khalifa_whatsapp.core.proportions import Interval, difference, wilson


@dataclass(frozen=True, slots=True)
class Results:
	"""How many recipients got how far. Each includes those who got further: a reply proves that it was
	read.
	"""

	tried: int = 0  # handed to the gateway, or failed before
	failed: int = 0
	sent: int = 0
	delivered: int = 0
	read: int = 0
	replied: int = 0
	opted_out: int = 0

	def part(self, figure: str) -> tuple[int, int]:
		"""The rows that a share counts, and of how many."""
		whole = {"failed": self.tried, "delivered": self.tried, "read": self.delivered}
		return getattr(self, figure), whole.get(figure, self.delivered)

	def share(self, figure: str) -> Interval | None:
		"""A share with its interval; None where there is nothing to measure."""
		return wilson(*self.part(figure))


SHARES = ("delivered", "read", "replied", "opted_out", "failed")
COMPARED = ("read", "replied", "opted_out", "failed")  # what a text can change
IS_BAD = frozenset({"opted_out", "failed"})  # less is better


@dataclass(frozen=True, slots=True)
class Comparison:
	"""How much larger a share is with text B than with text A. `better` is A, B, or empty when it may be
	chance.
	"""

	figure: str
	difference: Interval
	better: str


def compare(a: Results, b: Results) -> list[Comparison]:
	"""The shares that both texts have; none where one was not delivered to anybody yet."""
	compared = []
	for figure in COMPARED:
		between = difference(b.part(figure), a.part(figure))
		if between is not None:
			compared.append(Comparison(figure, between, _better(figure, between)))
	return compared


def _better(figure: str, between: Interval) -> str:
	if not between.excludes_zero:
		return ""
	return "B" if (between.estimate > 0) != (figure in IS_BAD) else "A"
