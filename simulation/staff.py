"""The staff of a played day: the demonstration's, with answers to any message, and with pages that crash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.settings import MINUTE_MS
from khalifa_whatsapp.demo import texts
from khalifa_whatsapp.demo.clock import Agenda, Clock
from khalifa_whatsapp.demo.staff import OpenStore, Staff, Waiting, Worker
from khalifa_whatsapp.services.tickets import presence

SILENT = "Silent"  # the page crashed: nothing is said, heartbeats stop
BREAKS = ((records.AWAY, records.OFFLINE, SILENT), (6, 3, 1))  # what a break looks like, and how often
BEAT_MS = 2 * MINUTE_MS
OVER_RATE = 0.6  # chance that an answer was the last one


def with_crashes(comings: Iterable[tuple[int, str, str]], rng: Random) -> Iterator[tuple[int, str, str]]:
	"""The same comings and goings, but some go offline for their break, and now and then a page crashes."""
	for due_ms, user, term in comings:
		yield due_ms, user, rng.choices(*BREAKS)[0] if term == records.AWAY else term


class DayStaff(Staff):
	"""The staff of a day, and the customers' side as far as it notices it (see `Dialogue`)."""

	distracted_rate = 0.0  # how many agents are enough must not hang on who was unlucky

	def __init__(
		self, store: OpenStore, agents: Iterable[records.Agent], clock: Clock, agenda: Agenda, rng: Random
	) -> None:
		super().__init__(store, agents, clock, agenda, rng, self)
		self._beats: dict[str, int] = {}

	def is_unattended(self, waiting: Waiting) -> bool:
		"""Everybody is answered."""
		return False

	def answers(self, waiting: Waiting) -> list[str]:
		"""Anything; nothing to somebody who says thanks."""
		return [] if texts.is_thanks(waiting.preview) else [texts.answer(self.rng)]

	def answered(self, waiting: Waiting) -> None:
		"""Customers of this day write by chance: an answer may have been the last one, or not."""
		if self.rng.random() < OVER_RATE:
			self.close_later(waiting.ticket, lambda: True)

	def reply(self, actor: Actor, ticket: str, body: str, now_ms: int) -> None:
		"""No two answers are alike: the books tell them apart by their texts."""
		super().reply(actor, ticket, f"{body} (رقم {1001 + self.counts.replies})", now_ms)

	# -- pages
	def set_presence(self, worker: Worker, term: str) -> None:
		"""As usual; but of a page that crashes the app hears nothing."""
		if term == SILENT:
			worker.presence = SILENT
			return
		super().set_presence(worker, term)
		self._beats[worker.agent.name] = self.clock.now_ms

	def finish(self, worker: Worker, waiting: Waiting) -> None:
		"""Nobody answers on a page that crashed."""
		if worker.presence == SILENT:
			worker.is_busy = False
		else:
			super().finish(worker, waiting)

	def beat(self) -> None:
		"""The open pages give their sign of life."""
		now_ms = self.clock.now_ms
		for name, worker in self.workers.items():
			is_open = worker.presence in (records.ONLINE, records.AWAY)
			if is_open and now_ms - self._beats.get(name, 0) >= BEAT_MS:
				presence.heartbeat(self.store, name, now_ms)
				self._beats[name] = now_ms
