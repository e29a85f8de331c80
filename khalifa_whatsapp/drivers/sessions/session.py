"""One device's browser and the one thread that uses it.

Whoever wants something of the browser hands in a job; jobs run one after the other. Between jobs the thread
asks the browser whether it lives, and starts it again when it does not, so many times an hour and no more.
While a job runs, another thread watches (`watch`): it asks the kernel only, and kills what hangs, so that the
job ends with an error.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from khalifa_whatsapp.core.lease import FAILED, RUNNING, STARTING, Lease, must_let_go

T = TypeVar("T")
log = logging.getLogger(__name__)


class SessionClosed(Exception):
	"""The browser is not there (any more): ended, taken over, or it failed too often."""


class BrowserFailed(Exception):
	"""A browser could not be started. The text says what is missing, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Limits:
	"""How long things may take, in seconds, and how often a browser is started again."""

	ping_every: float = 4.0
	ping_wait: float = 4.0
	job: float = 180.0  # the longest one job may hold the browser
	restarts_an_hour: int = 5
	restart_pause: float = 1.0  # doubled with each restart, up to 30
	close: float = 15.0


class Page(Protocol):
	"""A running browser, as a session knows it."""

	driver: Any

	def pids(self) -> list[int]:
		"""The browser's processes."""

	def is_dead_or_stopped(self) -> bool:
		"""Whether its process has ended or was stopped by a signal."""

	def answers(self, seconds: float) -> bool:
		"""Whether it answers within so many seconds."""

	def close(self) -> int:
		"""End it gently; how many processes were left (0)."""

	def kill(self) -> int:
		"""End it at once; how many processes were left (0)."""


class Session:
	"""Made by the registry, once the lease is its process's."""

	def __init__(
		self, lease: Lease, launch: Callable[[], Page], attach: Callable[[Any], None], limits: Limits
	) -> None:
		self.device, self.generation = lease.device, lease.generation
		self.state = STARTING
		self.published_state = ""  # what the lease says
		self.last_state = ""  # what it will say once this is over
		self.error = ""
		self.used_at = time.monotonic()
		self.restarts: deque[float] = deque()
		self._launch, self._attach, self._limits = launch, attach, limits
		self._page: Page | None = None
		self._killed: Page | None = None
		self._lock = threading.Lock()  # guards _page: set by the thread, killed by others
		self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
		self._ending = threading.Event()
		self._ending_since = 0.0
		self._job_since: float | None = None
		self._pinged_at = 0.0
		self.renewed(time.monotonic())
		self._thread = threading.Thread(target=self._run, name=f"browser {self.generation}", daemon=True)

	def start(self) -> None:
		"""Start its thread, which opens the browser."""
		self._thread.start()

	# -- for any thread

	def submit(self, job: Callable[[], T], is_use: bool = True) -> Future[T]:
		"""Have the thread do something with the browser. `is_use` False: this keeps no idle browser open."""
		done: Future[T] = Future()
		if is_use:
			self.used_at = time.monotonic()
		self._jobs.put((job, done))
		if not self._thread.is_alive():
			self._refuse_waiting()
		return done

	def call(self, job: Callable[[], T], seconds: float) -> T:
		"""Do it and wait for it. `TimeoutError` when it takes longer: it may still be done later."""
		done = self.submit(job)
		try:
			return done.result(seconds)
		except CancelledError:
			raise SessionClosed(f"no browser: {self.state}") from None
		finally:
			done.cancel()  # what has not begun need not begin: nobody waits for it

	@property
	def is_busy(self) -> bool:
		"""Whether a job is under way or waits."""
		return self._job_since is not None or not self._jobs.empty()

	@property
	def is_over(self) -> bool:
		"""Whether its thread has ended."""
		return not self._thread.is_alive()

	def pids(self) -> list[int]:
		"""The browser's processes; none while there is no browser."""
		page = self._page
		return page.pids() if page is not None else []

	def renewed(self, at: float) -> None:
		"""The lease was renewed by a statement that began then:
		the browser may be used until shortly before its end.
		"""
		self._renewed_at = at

	@property
	def is_valid(self) -> bool:
		"""Whether the lease was renewed recently enough to go on using the browser."""
		return not must_let_go(round(self._renewed_at * 1000), round(time.monotonic() * 1000))

	def is_idle_for(self, seconds: float) -> bool:
		"""Whether nobody has used it for so many seconds."""
		return not self.is_busy and time.monotonic() - self.used_at >= seconds

	def watch(self) -> None:
		"""Look at the browser from outside, while its thread may be waiting for it:
		kill it when that is hopeless.
		"""
		page, since = self._page, self._job_since
		if page is None or page is self._killed:
			return
		now = time.monotonic()
		is_late = (since is not None and now - since > self._limits.job) or (
			self.is_ending and now - self._ending_since > self._limits.close
		)
		if is_late or not self.is_valid or page.is_dead_or_stopped():
			log.warning(
				"browser of generation %s: %s", self.generation, "too slow" if is_late else "hangs or died"
			)
			self._killed, self._pinged_at = page, 0.0
			page.kill()

	@property
	def is_ending(self) -> bool:
		"""Whether it was asked to end."""
		return self._ending.is_set()

	def leave(self, state: str = "") -> None:
		"""End thread and browser, gently; returns at once, and `watch` sees to it that it comes to an end.

		`state` is what is left written: `off` when people wanted it.
		"""
		if not self.is_ending:
			self.last_state, self._ending_since = state, time.monotonic()
		self._ending.set()
		self._jobs.put(None)

	def end(self, seconds: float) -> bool:
		"""The same, and wait: after `seconds` by force. Whether nothing is left."""
		self.leave()
		self._thread.join(seconds)
		if self._thread.is_alive():
			self.kill()
			self._thread.join(self._limits.close)
		return not self._thread.is_alive()

	def kill(self) -> None:
		"""End the browser at once and never start it again: the lease is another's."""
		self._ending.set()
		with self._lock:
			page = self._page
		if page is not None:
			page.kill()
		self._jobs.put(None)

	# -- the thread

	def _run(self) -> None:
		try:
			while not self._ending.is_set() and self.is_valid and self._has_browser():
				self._ping_if_due()
				self._next_job()
		except Exception as error:  # a thread that dies in silence would leave the device without anybody
			log.exception("browser of generation %s", self.generation)
			self.error = type(error).__name__
			self._fail()
		finally:
			self._drop_page(gently=self.is_valid)
			self._refuse_waiting()

	def _has_browser(self) -> bool:
		"""Start the browser if there is none; False when that is over."""
		while self._page is None and self.is_valid and not self._ending.is_set():
			if not self._may_start():
				self._fail()
				return False
			self.state = STARTING
			if self._started():
				self.state = RUNNING
		return self._page is not None

	def _fail(self) -> None:
		self.state = self.last_state = FAILED

	def _may_start(self) -> bool:
		"""Whether it may start (again) this hour; after a failure it waits a little longer each time."""
		now = time.monotonic()
		while self.restarts and now - self.restarts[0] > 3600:
			self.restarts.popleft()
		if len(self.restarts) > self._limits.restarts_an_hour:
			return False
		if self.restarts:
			self._ending.wait(min(self._limits.restart_pause * 2 ** (len(self.restarts) - 1), 30))
		self.restarts.append(now)
		return True

	def _started(self) -> bool:
		try:
			page = self._launch()
		except Exception as error:  # whatever stops Chrome counts against the cap
			self.error = str(error) if isinstance(error, BrowserFailed) else type(error).__name__
			log.warning("browser of generation %s does not start: %s", self.generation, self.error)
			return False
		with self._lock:
			self._page = page
		self._pinged_at = time.monotonic()
		if self._ending.is_set():
			return False
		return self._attached(page)

	def _attached(self, page: Page) -> bool:
		"""Give the driver its page. What it does there first is a job like any other: it may hang or fail."""
		self._job_since = time.monotonic()
		try:
			self._attach(page.driver)
		except Exception as error:
			# of the driver or of Chrome under it: a browser that can't be used is none
			log.warning("browser of generation %s is of no use: %s", self.generation, type(error).__name__)
			self.error = type(error).__name__
			self._drop_page(gently=False)
			return False
		finally:
			self._job_since = None
		self.error = ""
		return True

	def _ping_if_due(self) -> None:
		if self._page is None or time.monotonic() - self._pinged_at < self._limits.ping_every:
			return
		self._pinged_at = time.monotonic()
		if not self._page.is_dead_or_stopped() and (
			self._page.answers(self._limits.ping_wait) or self._page.answers(self._limits.ping_wait)
		):
			self._pinged_at = time.monotonic()
			return
		log.warning("browser of generation %s does not answer", self.generation)
		self._drop_page(gently=False)

	def _next_job(self) -> None:
		if self._page is None:
			return
		try:
			item = self._jobs.get(timeout=max(0.05, min(1.0, self._limits.ping_every)))
		except queue.Empty:
			return
		if item is not None and not self._ending.is_set():
			self._do(*item)
		elif item is not None:
			item[1].cancel()

	def _do(self, job: Callable[[], Any], done: Future[Any]) -> None:
		if not done.set_running_or_notify_cancel():
			return
		if not self.is_valid:
			done.set_exception(SessionClosed("the lease was not renewed"))
			return
		self._job_since = time.monotonic()
		try:
			done.set_result(job())
		except BaseException as error:  # it belongs to whoever asked, whatever it is
			done.set_exception(error)
			self._pinged_at = 0.0  # perhaps the browser is gone: look before the next job
		finally:
			self._job_since = None

	def _drop_page(self, gently: bool) -> None:
		with self._lock:
			page, self._page = self._page, None
		if page is not None:
			left = page.close() if gently else page.kill()
			if left:
				log.error("browser of generation %s: %s processes can't be ended", self.generation, left)

	def _refuse_waiting(self) -> None:
		while True:
			try:
				item = self._jobs.get_nowait()
			except queue.Empty:
				return
			if item is not None:
				item[1].cancel()
