"""The demonstration's company: 15 branches, its hours, its agents with shifts, and when customers write."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from khalifa_whatsapp.core.calendar import Calendar, Interval
from khalifa_whatsapp.core.records import Agent
from khalifa_whatsapp.core.settings import HOUR_MS, MINUTE_MS, BranchRules, Rules, Settings
from khalifa_whatsapp.demo.names import AGENTS, BRANCHES
from simulation.customers import Customer, make_customers
from simulation.gateways import CLOUD, WPP

ZONE = "Africa/Cairo"
FRIDAY = 4
DAY = date(2026, 11, 21)  # a Saturday with ordinary hours
OPENS, CLOSES = 8.5, 26.25  # hours of the local day between which a run plays; 26.25 is 02:15 of the next
# How many customers begin to write in each hour, relatively. Some write while the branches are closed.
INTENSITY = {
	8: 1.0,
	9: 4,
	10: 6,
	11: 7,
	12: 7.5,
	13: 6,
	14: 1.5,
	15: 1,
	16: 1.5,
	17: 5,
	18: 6.5,
	19: 8,
	20: 9,
	21: 9.5,
	22: 8,
	23: 6,
	24: 3.5,
	25: 1.5,
}
# Shifts as (from, to) in hours of the local day; together they follow the traffic.
SHIFTS: tuple[tuple[tuple[float, float], ...], ...] = (
	((9, 14), (17, 21)),
	((17, 26),),
	((10, 14), (18, 23)),
	((9, 14), (19, 24)),
	((12, 14), (17, 25)),
)
FOLLOW_UP = 0.6  # chance that a message comes from somebody who wrote lately
RETURNING = 0.25  # chance that a beginning is somebody's who was here before


@dataclass(frozen=True, slots=True)
class Person:
	"""An agent and the hours he or she works."""

	agent: Agent
	shift: Calendar
	spans: tuple[tuple[float, float], ...]


@dataclass(slots=True)
class World:
	"""Everything about the company and its day that is known before the day begins."""

	rules: Rules
	people: list[Person]
	moments: list[int]  # when customers write, one each
	customers: list[Customer]
	start_ms: int
	end_ms: int
	day: date


def business_hours(zone: str = ZONE) -> Calendar:
	"""Saturday to Thursday 09–14 and 17–02, Friday 14–02."""
	usual = ((9 * 60, 14 * 60), (17 * 60, 2 * 60))
	spans = [(day, span) for day in range(7) for span in (((14 * 60, 2 * 60),) if day == FRIDAY else usual)]
	return Calendar(zone, tuple(Interval(day, *span) for day, span in spans))


def make_world(
	messages: int, agents: int, seed: int, day: date = DAY, settings: Settings | None = None
) -> World:
	"""A company with this many agents, and a day with this many messages of customers."""
	rng = Random(seed)
	settings = settings or Settings(min_sample_monthly=5)  # the month of a demonstration is one day
	hours = business_hours()
	agent_ms = round(settings.delay_minutes * MINUTE_MS)
	customer_ms = round(settings.customer_delay_minutes * MINUTE_MS)
	rules = Rules(settings, hours, {name: BranchRules(hours, agent_ms, customer_ms) for name in BRANCHES})
	midnight = local_ms(day, 0)
	count = max(4, messages // 3)
	on_cloud = count * 3 // 5
	customers = make_customers(rng, CLOUD, on_cloud, 0) + make_customers(rng, WPP, count - on_cloud, on_cloud)
	rng.shuffle(customers)
	return World(
		rules,
		[_person(number, settings) for number in range(agents)],
		_moments(rng, messages, midnight),
		customers,
		midnight + round(OPENS * HOUR_MS),
		midnight + round(CLOSES * HOUR_MS),
		day,
	)


def local_ms(day: date, hour: float) -> int:
	"""The instant at which the wall of the company shows this hour of the day; hours go on after midnight."""
	moment = datetime.combine(day, datetime.min.time(), ZoneInfo(ZONE)) + timedelta(hours=hour)
	return round(moment.timestamp() * 1000)


def agent_names(count: int) -> list[str]:
	"""Real names for the demonstration; a second round of them gets a Roman numeral."""
	return [AGENTS[n % len(AGENTS)] + " Ⅱ" * (n // len(AGENTS)) for n in range(count)]


def _person(number: int, settings: Settings) -> Person:
	name = agent_names(number + 1)[-1]
	spans = SHIFTS[number % len(SHIFTS)]
	intervals = [
		Interval(day, round(start * 60) % 1440, round(end * 60)) for day in range(7) for start, end in spans
	]
	agent = Agent(
		f"agent-{number + 1:02d}",
		f"agent{number + 1:02d}@example.com",
		name,
		BRANCHES[number % len(BRANCHES)],
		capacity=settings.default_capacity,
	)
	return Person(agent, Calendar(ZONE, tuple(intervals)), spans)


def _moments(rng: Random, count: int, midnight: int) -> list[int]:
	hours = sorted(INTENSITY)
	chosen = rng.choices(hours, [INTENSITY[hour] for hour in hours], k=count)
	first, last = round(OPENS * HOUR_MS), round((CLOSES - 0.5) * HOUR_MS)
	spread = (min(max(hour * HOUR_MS + rng.randrange(HOUR_MS), first), last) for hour in chosen)
	return sorted(midnight + moment for moment in spread)


class Crowd:
	"""Who writes next: somebody who wrote lately, somebody who was here before, or somebody new."""

	def __init__(self, rng: Random, customers: Sequence[Customer]) -> None:
		self._rng = rng
		self._fresh = list(customers)
		self._seen: list[Customer] = []
		self._recent: list[Customer] = []

	def next(self) -> Customer:
		"""The customer who writes now."""
		customer = self._choose()
		if customer in self._recent:
			self._recent.remove(customer)
		self._recent = [*self._recent, customer][-25:]
		return customer

	def _choose(self) -> Customer:
		if self._recent and self._rng.random() < FOLLOW_UP:
			weights = list(accumulate(range(1, len(self._recent) + 1)))
			return self._recent[bisect_left(weights, self._rng.random() * weights[-1])]
		if self._seen and (not self._fresh or self._rng.random() < RETURNING):
			return self._rng.choice(self._seen)
		self._seen.append(self._fresh.pop())
		return self._seen[-1]
