"""Carries the gateways' posts to our endpoint, keeps the book,
and makes refused ones again as the gateway would.
"""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from random import Random
from urllib.parse import urlencode, urlsplit

import requests

from khalifa_whatsapp.drivers.base import MessageDriver
from khalifa_whatsapp.services.inbound import webhook
from khalifa_whatsapp.stores.base import Store
from simulation.delivery_log import DeliveryLog
from simulation.gateways import CLOUD, Gateways
from simulation.simulators import Post
from simulation.simulators.cloud_api import RETRY_MS

TIMEOUTS = (2.0, 10.0)  # connect, read: seconds
Requester = Callable[[str, Post], int]  # device and post → HTTP status; 0: no answer was seen


class HttpRequester:
	"""Real posts to a real endpoint. With `hang_up` some callers close the line before the answer."""

	def __init__(self, address: Callable[[str], str], rng: Random, hang_up: float = 0.0) -> None:
		self._address, self._rng, self.hang_up = address, rng, hang_up
		self._session = requests.Session()
		self._session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=8))
		self._session.trust_env = (
			False  # a proxy of the environment has no business on this machine's own address
		)

	def __call__(self, device: str, post: Post) -> int:
		if self.hang_up and self._rng.random() < self.hang_up:
			return self._hang_up(device, post)
		try:
			answer = self._session.post(
				self._address(device),
				data=post.raw,
				headers=dict(post.headers),
				params=dict(post.query),
				timeout=TIMEOUTS,
				allow_redirects=False,
			)
		except requests.exceptions.RequestException:
			return 0
		return answer.status_code

	def _hang_up(self, device: str, post: Post) -> int:
		address = urlsplit(self._address(device))
		line = http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUTS[1])
		with contextlib.suppress(OSError):
			line.request("POST", f"{address.path}?{urlencode(post.query)}", post.raw, dict(post.headers))
		line.close()
		return 0


class DirectRequester:
	"""The same check and the same insert as the endpoint's, without the network between."""

	def __init__(self, store: Store, drivers: dict[str, MessageDriver], clock: Callable[[], int]) -> None:
		self._store, self._drivers, self._clock = store, drivers, clock

	def __call__(self, device: str, post: Post) -> int:
		driver, limit = self._drivers.get(device), self._store.rules().settings.max_gateway_bytes
		return webhook.accept(self._store, driver, post.call(), self._clock(), limit).status


class WebhookSender:
	"""Makes the posts that are due. `drop` says which need not be made at all."""

	def __init__(
		self,
		gateways: Gateways,
		requester: Requester,
		workers: int = 1,
		drop: Callable[[str, Post], bool] | None = None,
	) -> None:
		self.gateways, self.requester = gateways, requester
		self.book = DeliveryLog()
		self._drop = drop
		self._pool = ThreadPoolExecutor(workers) if workers > 1 else None

	def deliver(self) -> set[str]:
		"""Post what is due. The devices at whose endpoint something arrived."""
		posts = [(device, post) for device, sim in self.gateways.sims.items() for post in sim.take()]
		if self._drop is not None:
			posts = [(device, post) for device, post in posts if not self._drop(device, post)]
		if self._pool is not None and len(posts) > 1:
			statuses = list(self._pool.map(lambda pair: self.requester(*pair), posts))
		else:
			statuses = [self.requester(*pair) for pair in posts]
		for (device, post), status in zip(posts, statuses, strict=True):
			self._settle(device, post, status)
		return {device for device, _ in posts}

	def _settle(self, device: str, post: Post, status: int) -> None:
		self.book.note(device, post, status)
		if status != 200 and device == CLOUD and post.attempts < len(RETRY_MS):
			again = replace(post, attempts=post.attempts + 1)
			self.gateways.cloud.queue.push(again, RETRY_MS[post.attempts])

	def close(self) -> None:
		"""Let the workers go."""
		if self._pool is not None:
			self._pool.shutdown()
