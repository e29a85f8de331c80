"""The time of a simulation: a clock that jumps, and what is to happen when."""

from __future__ import annotations

import heapq
from collections.abc import Callable

Action = Callable[[], None]


class Clock:
	"""The simulated time in epoch milliseconds; called, it gives it, as the use cases ask for it."""

	def __init__(self, now_ms: int) -> None:
		self.now_ms = now_ms

	def __call__(self) -> int:
		return self.now_ms

	def sleep(self, seconds: float) -> None:
		"""Move on: nobody really waits."""
		self.now_ms += round(seconds * 1000)


class Agenda:
	"""Actions by the moment at which they are due; those of one moment in the order they were added in."""

	def __init__(self, start_ms: int, end_ms: int) -> None:
		self._start_ms, self._end_ms = start_ms, end_ms
		self._heap: list[tuple[int, int, Action]] = []
		self._count = 0

	def add(self, due_ms: int, action: Action) -> None:
		"""Do this at that moment. What lies outside the simulated time does not happen."""
		self._count += 1
		if self._start_ms <= due_ms < self._end_ms:
			heapq.heappush(self._heap, (due_ms, self._count, action))

	def next_due_ms(self) -> int | None:
		"""When the next action is due."""
		return self._heap[0][0] if self._heap else None

	def run(self, now_ms: int) -> None:
		"""Do all that is due by now, including what these actions add."""
		while self._heap and self._heap[0][0] <= now_ms:
			heapq.heappop(self._heap)[2]()

	def clear(self) -> None:
		"""Nothing more is to happen."""
		self._heap.clear()
