"""A month of sending on a fast clock: does a device really keep its pace, and do replies go before campaigns?

The outbox, the store and the rules are those of production; the gateway takes everything, except for one hour
a week in which it is down, and the sender is started anew every simulated minute, as the minute job does.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

from rich.table import Table

from khalifa_whatsapp.bootstrap import embedded
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.calendar import DAY_MS, Calendar
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.core.pacing import AUTO, CAMPAIGN, HOUR_MS, MINUTE_MS, REPLY, Pace, day_start_ms
from khalifa_whatsapp.core.settings import Rules, Settings
from khalifa_whatsapp.demo.clock import Clock
from khalifa_whatsapp.drivers.base import Accepted, DeviceConfig, Outgoing, Retryable
from khalifa_whatsapp.services.outbound import dispatch
from khalifa_whatsapp.services.unit_of_work import working
from simulation.world import ZONE

DEVICE = "paced"
START_MS = 1_793_480_400_000  # 2026-11-01 00:00 in Cairo
PACE = Pace(
	min_gap_seconds=3,
	max_gap_seconds=9,
	max_per_minute=8,
	max_per_hour=40,
	max_per_day=220,
	max_new_chats_per_day=15,
	max_identical_per_day=40,
	min_reply_percent=50,
	quiet_from_minute=23 * 60,
	quiet_to_minute=8 * 60,
)
REPLIES_A_DAY, AUTO_A_DAY, CAMPAIGN_A_DAY = 130, 15, 120
CAMPAIGN_HOUR = 10
DOWN_WEEKDAY, DOWN_HOUR = 2, 15  # the gateway is down in this hour, once a week


@dataclass(slots=True)
class Month:
	"""What was sent, and every promise that was broken (there must be none)."""

	days: int
	queued: int = 0
	sends: list[tuple[int, records.Message]] = field(default_factory=list)
	refused: int = 0
	broken: list[str] = field(default_factory=list)
	left: int = 0

	def worst(self, length_ms: int) -> int:
		"""The most sends in any stretch of this length."""
		starts = [at for at, _ in self.sends]
		return max(
			(bisect_left(starts, at + length_ms) - place for place, at in enumerate(starts)), default=0
		)

	def shortest_gap_ms(self) -> int:
		"""The least time between two sends."""
		starts = [at for at, _ in self.sends]
		return min((second - first for first, second in pairwise(starts)), default=0)

	def by_day(self, wanted: Any = lambda message: True) -> Counter[int]:
		"""Sends by local day."""
		return Counter(day_start_ms(at, CALENDAR) for at, message in self.sends if wanted(message))


CALENDAR = Calendar.always(ZONE)


class Gateway:
	"""The loopback driver with an hour a week in which it is down; it writes down what it took."""

	def __init__(self, driver: Any, clock: Clock, month: Month, waiting: dict[str, records.Message]) -> None:
		self._driver, self._clock, self._month, self._waiting = driver, clock, month, waiting

	def __getattr__(self, name: str) -> Any:
		return getattr(self._driver, name)

	def send(self, message: Outgoing) -> Accepted:
		now_ms = self._clock()
		hour = (now_ms - day_start_ms(now_ms, CALENDAR)) // HOUR_MS
		if hour == DOWN_HOUR and CALENDAR.local_date(now_ms).weekday() == DOWN_WEEKDAY:
			self._month.refused += 1
			self._waiting[message.callback].attempts += 1
			raise Retryable("The gateway refused the connection.", code="refused")
		sent = self._waiting.pop(message.callback)
		overtaken = [
			one for one in self._waiting.values() if one.priority == REPLY and sent.priority == CAMPAIGN
		]
		if any(one.sent_ms <= now_ms - MINUTE_MS and not one.attempts for one in overtaken):
			self._month.broken.append(f"a campaign message went at {now_ms} while a reply waited")
		self._month.sends.append((now_ms, sent))
		return self._driver.send(message)


def simulate(days: int = 30, seed: int = 1, pace: Pace = PACE, kept: Pace = PACE) -> Month:
	"""Play `days` days with a pace; check the promises of `kept` against what the gateway really got."""
	rng, clock, month = Random(seed), Clock(START_MS), Month(days)
	host = embedded(Rules(Settings(), CALENDAR), [DeviceConfig(DEVICE, "loopback")])
	waiting: dict[str, records.Message] = {}
	gateway = Gateway(host.drivers[DEVICE], clock, month, waiting)
	plan = _plan(rng, days)
	month.queued = len(plan)
	end_ms, place = START_MS + days * DAY_MS, 0
	while clock.now_ms < end_ms:
		place = _queue(host.store, plan, place, clock.now_ms, waiting)
		started_ms = clock.now_ms
		if waiting:
			dispatch.drain(host.store, gateway, clock, pace=pace, sleep=clock.sleep)  # type: ignore[arg-type]
		clock.now_ms = max(clock.now_ms, started_ms + MINUTE_MS - started_ms % MINUTE_MS)
	month.left = len(waiting)
	_check(month, kept)
	host.close()
	return month


def _plan(rng: Random, days: int) -> list[records.Message]:
	"""Everything that will be queued, in its order."""
	rows = []
	for day in range(days):
		start = START_MS + day * DAY_MS
		for _ in range(REPLIES_A_DAY):
			rows.append(_message(rng, len(rows), start + round(rng.triangular(8, 24, 19) * HOUR_MS), REPLY))
		for _ in range(AUTO_A_DAY):
			rows.append(_message(rng, len(rows), start + rng.randrange(DAY_MS), AUTO))
		for _ in range(CAMPAIGN_A_DAY if day % 2 == 0 else 0):
			rows.append(_message(rng, len(rows), start + CAMPAIGN_HOUR * HOUR_MS, CAMPAIGN))
	return sorted(rows, key=lambda row: row.sent_ms)


def _message(rng: Random, number: int, at_ms: int, priority: int) -> records.Message:
	text = rng.choice(("offer one", "offer two")) if priority == CAMPAIGN else f"text {number}"
	return records.Message(
		f"m{number:06}",
		f"t{number}",
		f"c{number}",
		DEVICE,
		records.OUTGOING,
		records.AGENT if priority == REPLY else records.AUTO,
		"text",
		records.MSG_QUEUED,
		at_ms,
		at_ms,
		body=text,
		priority=priority,
		text_key=digest("text", text)[:20],
		is_new_chat=int(priority == CAMPAIGN and rng.random() < 0.25),
	)


def _queue(
	store: Any, plan: list[records.Message], place: int, now_ms: int, waiting: dict[str, records.Message]
) -> int:
	"""Put what people have written by now into the database."""
	with working(store, now_ms) as work:
		while place < len(plan) and plan[place].sent_ms <= now_ms:
			waiting[plan[place].name] = work.add(plan[place])
			work.add(
				records.CustomerIdentity(
					f"i{place}", plan[place].customer, "phone", f"+2010{place:08}", f"phone:{place}"
				)
			)
			place += 1
	return place


def _check(month: Month, pace: Pace) -> None:
	"""What the pace promised, asked of what the gateway got."""
	for length_ms, cap, unit in (
		(MINUTE_MS, pace.max_per_minute, "minute"),
		(HOUR_MS, pace.max_per_hour, "hour"),
	):
		if cap and month.worst(length_ms) > cap:
			month.broken.append(f"{month.worst(length_ms)} messages in one {unit}")
	if month.sends and month.shortest_gap_ms() < 1000 * pace.min_gap_seconds:
		month.broken.append(f"two messages {month.shortest_gap_ms()} ms apart")
	_check_days(month, pace)
	for at_ms, message in month.sends:
		minute = (at_ms - day_start_ms(at_ms, CALENDAR)) // MINUTE_MS
		if message.priority != REPLY and not (pace.quiet_to_minute or 0) <= minute < (
			pace.quiet_from_minute or 1440
		):
			month.broken.append(f"a message in the quiet hours, at {at_ms}")


def _check_days(month: Month, pace: Pace) -> None:
	per_day = [
		("messages", month.by_day(), pace.max_per_day),
		("new chats", month.by_day(lambda message: message.is_new_chat), pace.max_new_chats_per_day),
	]
	for text in ("offer one", "offer two"):
		equal = month.by_day(lambda message, text=text: message.body == text)
		per_day.append((f"times «{text}»", equal, pace.max_identical_per_day))
	for unit, counts, cap in per_day:
		month.broken += [f"{count} {unit} on one day" for count in counts.values() if cap and count > cap]


def table(month: Month, pace: Pace = PACE) -> Table:
	"""The month against its limits."""
	limits_table = Table(title=f"{month.days} days of sending", title_justify="left")
	for heading in ("limit", "allowed", "most (least) seen"):
		limits_table.add_column(heading)
	equal = max(
		max(month.by_day(lambda m, t=t: m.body == t).values(), default=0) for t in ("offer one", "offer two")
	)
	for name, allowed, seen in (
		("shortest gap", f"{pace.min_gap_seconds:g} s", f"{month.shortest_gap_ms() / 1000:.1f} s"),
		("in any minute", pace.max_per_minute, month.worst(MINUTE_MS)),
		("in any hour", pace.max_per_hour, month.worst(HOUR_MS)),
		("on any day", pace.max_per_day, max(month.by_day().values(), default=0)),
		(
			"new chats a day",
			pace.max_new_chats_per_day,
			max(month.by_day(lambda m: m.is_new_chat).values(), default=0),
		),
		("equal campaign texts a day", pace.max_identical_per_day, equal),
	):
		limits_table.add_row(name, str(allowed), str(seen))
	kinds = Counter(message.priority for _, message in month.sends)
	limits_table.caption = (
		f"{month.queued} queued; sent: {kinds[REPLY]} replies, {kinds[AUTO]} automatic, {kinds[CAMPAIGN]} of "
		"campaigns; "
		f"{month.left} still wait; {month.refused} attempts refused while the gateway was down; "
		f"promises broken: {len(month.broken)}"
	)
	return limits_table
