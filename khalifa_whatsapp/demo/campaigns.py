"""The month's two campaigns: a new branch is announced, and two texts of an offer are compared.

Planned, sent and followed by the real use cases; some of those who got one write back. Who gets which text
follows from rows' names, which differ each time; all else from the seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Protocol

from khalifa_whatsapp.core import campaigns as rules
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.audience import CUSTOMER_NAME, Audience, Columns, Line
from khalifa_whatsapp.core.campaign_content import TextContent
from khalifa_whatsapp.core.identity import PHONE, Identity
from khalifa_whatsapp.core.pacing import Pace
from khalifa_whatsapp.core.settings import DAY_MS, HOUR_MS, MINUTE_MS
from khalifa_whatsapp.demo import texts
from khalifa_whatsapp.demo.clock import Agenda, Clock
from khalifa_whatsapp.demo.company import DEVICE, Caller
from khalifa_whatsapp.demo.gateway import DemoGateway
from khalifa_whatsapp.demo.plan import Talk
from khalifa_whatsapp.demo.staff import MANAGER
from khalifa_whatsapp.services.campaigns import feeding, lifecycle, planning, watch
from khalifa_whatsapp.services.unit_of_work import working
from khalifa_whatsapp.stores.base import Store

HOUR_OF_START = 11
COLUMNS = Columns(0, ("", CUSTOMER_NAME), False)
BAD_LINES = (("19011", "خط ساخن"), ("بدون رقم", "هالة"))
LOOKS_MS = (HOUR_MS, 6 * HOUR_MS, DAY_MS, 8 * DAY_MS)  # after its end, at who has read and answered since


@dataclass(frozen=True, slots=True)
class Story:
	"""A campaign: when, to how many, and which share of them writes back to which text."""

	days_back: int
	title: str
	text_a: str
	text_b: str = ""
	size: int = 250
	reply_rates: tuple[float, float] = (0.05, 0)


STORIES = (
	Story(
		18,
		"افتتاح فرعنا الجديد",
		"أهلاً {customer}، افتتحنا فرعنا الجديد في شارع الكورنيش، ومواعيده من ٩ صباحاً حتى ٢ بعد منتصف الليل.",
	),
	Story(
		7,
		"خصم منتجات العناية بالبشرة",
		"أهلاً {customer}، خصم ٢٠٪ على كل منتجات العناية بالبشرة حتى نهاية الأسبوع في جميع فروعنا.",
		"يا {customer}، وحشتنا! خصم ٢٠٪ على منتجات العناية بالبشرة مستنيك. تحب نحجز لك حاجة في أقرب فرع؟",
		size=400,
		reply_rates=(0.04, 0.13),
	),
)


class Month(Protocol):
	"""What a campaign needs of the month that is being played."""

	store: Store
	gateway: DemoGateway
	clock: Clock
	agenda: Agenda
	rng: Random
	talks: dict[str, Talk]

	def begin(self, talk: Talk) -> None:
		"""A customer writes."""

	def send(self) -> None:
		"""What is queued goes out."""


@dataclass(slots=True)
class Campaign:
	"""One of them, from its plan to its last reply."""

	month: Month
	story: Story
	end_ms: int  # of the month
	name: str = ""
	callers: dict[str, Caller] = field(default_factory=dict)  # by phone

	def start(self) -> None:
		"""Plan it for customers who have written by now, and let it go."""
		store, now_ms = self.month.store, self.month.clock.now_ms
		known = sorted(self.month.talks)
		phones = self.month.rng.sample(known, min(self.story.size, len(known)))
		self.callers = {phone: self.month.talks[phone].caller for phone in phones}
		with working(store, now_ms, MANAGER) as work:
			self.name = work.new_name()
			story = self.story
			row = records.Campaign(self.name, story.title, DEVICE, text_a=story.text_a, text_b=story.text_b)
			row.per_minute = 30
			work.add(row)
		planning.begin(store, MANAGER, self.name, now_ms)
		content = TextContent(self.story.text_a, self.story.text_b)
		made = Audience(COLUMNS, content.needed)
		planning.plan(store, self.name, self._lines(made, phones), made, content, self._device(), now_ms)
		lifecycle.start(store, MANAGER, self.name, now_ms)
		self._minute()

	def _lines(self, made: Audience, phones: Sequence[str]) -> Iterator[Line]:
		"""As a list would be: the first number stands in it twice, two lines have none."""
		listed = [(phone, self.callers[phone].name) for phone in [*phones, *phones[:1]]]
		yield from (made.line(number, row) for number, row in enumerate([*listed, *BAD_LINES], 1))

	def _device(self) -> planning.Device:
		return planning.Device(Pace(), self.month.gateway.capabilities)

	def _minute(self) -> None:
		store, clock = self.month.store, self.month.clock
		feeding.feed(store, self.name, self._device(), clock.now_ms)
		self.month.send()
		campaign = watch.look_at(store, self.name, clock.now_ms)
		if campaign.status == rules.RUNNING:
			self.month.agenda.add(clock.now_ms + MINUTE_MS, self._minute)
			return
		self._expect_replies()
		for due_ms in (*(clock.now_ms + after_ms for after_ms in LOOKS_MS), self.end_ms - MINUTE_MS):
			self.month.agenda.add(due_ms, self._look)

	def _look(self) -> None:
		watch.look_at(self.month.store, self.name, self.month.clock.now_ms)

	def _expect_replies(self) -> None:
		rng, now_ms = self.month.rng, self.month.clock.now_ms
		for recipient in self._recipients():
			rate = self.story.reply_rates[recipient.variant == "B"]
			if recipient.sent_ms and rng.random() < rate:
				due_ms = now_ms + rng.randrange(3, 600) * MINUTE_MS
				self.month.agenda.add(due_ms, partial(self._reply, recipient.address))

	def _recipients(self) -> list[records.CampaignRecipient]:
		"""In an order that does not depend on rows' names."""
		store = self.month.store
		with store.transaction():
			rows = store.identities({Identity(PHONE, phone).key for phone in self.callers}).values()
			recipients = store.recipients_of_customers(self.name, {row.customer for row in rows})
		return sorted(recipients, key=lambda one: one.line)

	def _reply(self, phone: str) -> None:
		"""Unless the customer is in the middle of something else."""
		if self.month.talks[phone].is_over:
			lines = texts.reply_to_campaign(self.month.rng)
			self.month.begin(Talk(self.callers[phone], self.month.clock.now_ms, lines))


def schedule(month: Month, end_ms: int) -> None:
	"""Put the campaigns on the agenda, in the forenoon of their days."""
	calendar = month.store.rules().calendar
	for story in STORIES:
		day = calendar.local_date(end_ms - story.days_back * DAY_MS)
		due_ms = calendar.day_bounds_ms(day)[0] + HOUR_OF_START * HOUR_MS
		month.agenda.add(due_ms, Campaign(month, story, end_ms).start)
