"""The outgoing half of a simulated gateway: what it has to post to us, when, and how badly."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import requests

from khalifa_whatsapp.drivers.base import WebhookCall

TIMEOUTS = (5.0, 30.0)  # connect, read: seconds


@dataclass(frozen=True, slots=True)
class Faults:
	"""How a gateway misbehaves. Chances are 0 to 1, times milliseconds of the simulated clock."""

	duplicate: float = 0.0  # a post is made twice
	reorder: float = 0.0  # an item changes places with another that is due
	late: float = 0.0  # an item comes later than it should
	late_ms: int = 60_000  # by up to this much
	batch_size: int = 1  # items in one post, at most; gateways that can't batch ignore it


@dataclass(frozen=True, slots=True)
class Post:
	"""One webhook call to make."""

	raw: bytes
	headers: Mapping[str, str]
	query: Mapping[str, str] = field(default_factory=dict)
	attempts: int = 0

	def call(self) -> WebhookCall:
		"""The same as a driver gets it, for tests without a server."""
		return WebhookCall(self.raw, dict(self.headers), dict(self.query))


@dataclass(frozen=True, slots=True)
class Report:
	"""What became of a round of deliveries: calls made, taken, to be made again, given up."""

	made: int = 0
	taken: int = 0
	retried: int = 0
	lost: int = 0


class WebhookQueue:
	"""Items wait here until they are due on the simulated clock, then leave as posts.

	`pack` makes posts of items. `retry_ms` are the waits after each refused post: none, and it is lost.
	Safe to use from many threads; with one thread and one seed every run is the same.
	"""

	def __init__(
		self,
		now_ms: Callable[[], int],
		rng: Random,
		faults: Faults,
		pack: Callable[[list[Any]], Post],
		retry_ms: Sequence[int] = (),
	) -> None:
		self.faults = faults
		self._now_ms, self._rng, self._pack, self._retry_ms = now_ms, rng, pack, tuple(retry_ms)
		self._heap: list[tuple[int, int, Any]] = []  # due, number, item or post
		self._count = 0
		self._lock = threading.Lock()

	def __len__(self) -> int:
		return len(self._heap)

	def push(self, item: Any, delay_ms: int = 0) -> None:
		"""Let an item (or a whole `Post`) leave after this much simulated time."""
		with self._lock:
			is_late = not isinstance(item, Post) and self._rng.random() < self.faults.late
			late_ms = self._rng.randrange(self.faults.late_ms + 1) if is_late else 0
			self._count += 1
			heapq.heappush(self._heap, (self._now_ms() + delay_ms + late_ms, self._count, item))

	def next_due_ms(self) -> int | None:
		"""When the next item is due, for a clock that jumps."""
		with self._lock:
			return self._heap[0][0] if self._heap else None

	def take(self, everything: bool = False) -> list[Post]:
		"""The posts that are due now, faults applied. `everything`: no matter when they are due."""
		with self._lock:
			now_ms = self._now_ms()
			due: list[Any] = []
			while self._heap and (everything or self._heap[0][0] <= now_ms):
				due.append(heapq.heappop(self._heap)[2])
			return self._posts(due)

	def deliver(self, url: str, workers: int = 4, everything: bool = False) -> Report:
		"""Make the calls that are due, `workers` at a time. Without a 200 they come again, or are lost."""
		posts = self.take(everything)
		if not posts:
			return Report()
		with requests.Session() as session, ThreadPoolExecutor(workers) as pool:
			session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=workers))
			results = list(pool.map(lambda post: _post(session, url, post), posts))
		refused = [post for post, is_taken in zip(posts, results, strict=True) if not is_taken]
		again = [post for post in refused if post.attempts < len(self._retry_ms)]
		for post in again:
			self.push(replace(post, attempts=post.attempts + 1), self._retry_ms[post.attempts])
		return Report(len(posts), len(posts) - len(refused), len(again), len(refused) - len(again))

	def _posts(self, due: list[Any]) -> list[Post]:
		posts = [item for item in due if isinstance(item, Post)]
		items = [item for item in due if not isinstance(item, Post)]
		for place in range(len(items)):
			if self._rng.random() < self.faults.reorder:
				other = self._rng.randrange(len(items))
				items[place], items[other] = items[other], items[place]
		while items:
			size = self._rng.randint(1, max(1, self.faults.batch_size))
			posts.append(self._pack(items[:size]))
			del items[:size]
		return posts + [post for post in posts if self._rng.random() < self.faults.duplicate]


def _post(session: requests.Session, url: str, post: Post) -> bool:
	try:
		answer = session.post(
			url,
			data=post.raw,
			headers=dict(post.headers),
			params=dict(post.query),
			timeout=TIMEOUTS,
			allow_redirects=False,
		)
	except requests.exceptions.RequestException:
		return False
	return answer.status_code == 200
