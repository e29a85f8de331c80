"""What a month has of consent and satisfaction: customers rate, say why not, stop promotions.

It is drawn by chances of its own, so that the conversations are what they were without it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Protocol

from khalifa_whatsapp.bootstrap import EmbeddedHost
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.consent import BY_PHONE, IN_PERSON
from khalifa_whatsapp.core.settings import MINUTE_MS
from khalifa_whatsapp.demo.clock import Agenda, Clock
from khalifa_whatsapp.demo.gateway import DemoGateway
from khalifa_whatsapp.demo.plan import Talk
from khalifa_whatsapp.demo.staff import Staff
from khalifa_whatsapp.demo.texts import Line
from khalifa_whatsapp.services.care import consent, surveys

ANSWER_RATE, COMMENT_RATE = 0.42, 0.7
SCORES, WEIGHTS = (5, 4, 3, 2, 1), (58, 24, 9, 5, 4)
SPELLED = {
	5: ("5", "٥", "⭐⭐⭐⭐⭐", "5/5"),
	4: ("4", "٤"),
	3: ("3", "٣"),
	2: ("2", "٢"),
	1: ("1", "١"),
}
COMMENTS = (
	"استنيت أكتر من نص ساعة لحد ما حد رد",
	"الدوا طلع مش موجود بعد ما وصلت الفرع",
	"التوصيل اتأخر ساعتين",
	"محدش بلغني إن السعر اتغير",
	"الرد كان ناشف شوية",
)
STOP_RATE, RESUME_RATE, ASIDE_RATE = 0.016, 0.3, 0.004
STOPS = ("إيقاف", "مش عايز رسائل", "STOP", "بلاش رسايل")


class Playing(Protocol):
	"""What is needed of a month that is being played."""

	host: EmbeddedHost
	gateway: DemoGateway
	clock: Clock
	agenda: Agenda
	staff: Staff

	def write(self, talk: Talk, line: Line) -> None:
		"""A customer writes."""


class CareOfMonth:
	"""The part of a month in which the system writes and customers answer it."""

	def __init__(self, month: Playing, rng: Random) -> None:
		self.month = month
		self.rng = rng

	def closed(self, talk: Talk) -> None:
		"""A conversation was closed: its customer is asked in a while."""
		delay = round(self.month.host.store.rules().settings.survey_delay_minutes) + 1
		self._later(delay, partial(self._ask, talk))

	def _ask(self, talk: Talk) -> None:
		month, now_ms = self.month, self.month.clock.now_ms
		surveys.expire(month.host.store, now_ms)
		if surveys.ask_due(month.host.store, now_ms, lambda device: month.gateway.capabilities):
			month.staff.has_replied = True  # something is to be sent
		if self.rng.random() < ANSWER_RATE:
			self._later(self.rng.randrange(1, 40), partial(self._rate, talk))
		if self.rng.random() < STOP_RATE:
			self._later(self.rng.randrange(60, 600), partial(self._say, talk, self.rng.choice(STOPS)))
			if self.rng.random() < RESUME_RATE:
				self._later(self.rng.randrange(1_000, 5_000), partial(self._say, talk, "اشتراك"))

	def _rate(self, talk: Talk) -> None:
		if not self._is_awaited(talk):
			return
		score = self.rng.choices(SCORES, WEIGHTS)[0]
		self._say(talk, self.rng.choice(SPELLED[score]))
		if score <= 2 and self.rng.random() < COMMENT_RATE:
			self._later(self.rng.randrange(1, 20), partial(self._say, talk, self.rng.choice(COMMENTS)))

	def _is_awaited(self, talk: Talk) -> bool:
		"""Whether this customer was asked and has not answered."""
		sql = (
			"SELECT 1 FROM `tabKhalifa Satisfaction` s JOIN `tabKhalifa Customer` c ON c.name = s.customer "
			"JOIN `tabKhalifa Ticket` t ON t.name = s.ticket AND t.cycle = s.cycle AND t.status = 'Closed' "
			"WHERE c.phone = ? AND s.state IN ('Sent', 'Delivered')"
		)
		return bool(self.month.host.store.rows(sql, (talk.caller.phone,)))

	def _say(self, talk: Talk, text: str) -> None:
		self.month.write(talk, Line(False, "text", text))

	def written_down(self, ticket: str, agent: records.Agent) -> None:
		"""Now and then a customer says it in the shop, or by phone."""
		if self.rng.random() < ASIDE_RATE:
			actor = self.month.staff.workers[agent.name].actor
			source = self.rng.choice((IN_PERSON, BY_PHONE))
			can = self.month.gateway.capabilities
			now_ms = self.month.clock.now_ms
			consent.set_by_agent(self.month.host.store, actor, ticket, True, source, now_ms, can)
			self.month.staff.has_replied = True

	def _later(self, minutes: int, act: Callable[[], None]) -> None:
		self.month.agenda.add(self.month.clock.now_ms + minutes * MINUTE_MS, act)
