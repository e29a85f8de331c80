"""The demonstration's company on one day, with as many agents and messages as a run asks for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from khalifa_whatsapp.core.calendar import Calendar, calendar_from_rows
from khalifa_whatsapp.core.records import Agent
from khalifa_whatsapp.core.settings import HOUR_MS, MINUTE_MS, BranchRules, Rules, Settings
from khalifa_whatsapp.demo import auto_replies, company, plan
from khalifa_whatsapp.demo.names import BRANCHES
from simulation.customers import Customer, make_customers
from simulation.gateways import CLOUD, WPP
from simulation.staff import with_crashes

ZONE = "Africa/Cairo"
DAY = date(2026, 11, 21)  # a Saturday with ordinary hours
OPENS, CLOSES = 8.5, 26.25  # hours of the local day between which a run plays; 26.25 is 02:15 of the next
FOLLOW_UP = 0.6  # chance that a message comes from somebody who wrote lately
RETURNING = 0.25  # chance that a beginning is somebody's who was here before


@dataclass(slots=True)
class World:
	"""Everything about the company and its day that is known before the day begins."""

	rules: Rules
	people: list[tuple[Agent, Calendar]]  # agents with their shifts
	comings: list[tuple[int, str, str]]  # who comes and goes when: due, user, presence
	moments: list[int]  # when customers write, one each
	customers: list[Customer]
	start_ms: int
	end_ms: int


def make_world(messages: int, agents: int, seed: int) -> World:
	"""A company with this many agents, and a day with this many messages of customers."""
	rng, zone = Random(seed), ZoneInfo(ZONE)
	settings = Settings(min_sample_monthly=5, survey_enabled=1)  # the month of a demonstration is one day
	start_ms, end_ms = local_ms(DAY, OPENS), local_ms(DAY, CLOSES)
	staff = [employee(number) for number in range(agents)]
	comings = plan.comings(rng, staff, start_ms, end_ms, zone, day_off=0)
	return World(
		replace(
			company_rules(settings, calendar_from_rows(ZONE, company.open_hours())),
			auto_replies=auto_replies.book(has_welcome=True),
		),
		[(agent_of(number, one, settings), _calendar(one)) for number, one in enumerate(staff)],
		list(with_crashes(comings, rng)),
		plan.moments(rng, messages, start_ms, end_ms - HOUR_MS // 2, zone),
		_make_customers(rng, max(4, messages // 3)),
		start_ms,
		end_ms,
	)


def company_rules(settings: Settings, hours: Calendar) -> Rules:
	"""The same hours and thresholds for all branches."""
	agent_ms = round(settings.delay_minutes * MINUTE_MS)
	customer_ms = round(settings.customer_delay_minutes * MINUTE_MS)
	return Rules(settings, hours, {name: BranchRules(hours, agent_ms, customer_ms) for name in BRANCHES})


def employee(number: int) -> company.Employee:
	"""The employee of this number, counted from 0; nobody works around the clock on a played day."""
	shifts = company.SHIFTS
	return company.employee(number, BRANCHES[number % len(BRANCHES)], shifts[number % len(shifts)])


def agent_of(number: int, one: company.Employee, settings: Settings) -> Agent:
	"""An employee as the app knows agents."""
	name = f"agent-{number + 1:02d}"
	return Agent(name, one.user, one.name, one.branch, capacity=settings.default_capacity)


def local_ms(day: date, hour: float) -> int:
	"""The instant at which the wall of the company shows this hour of the day; hours go on after midnight."""
	return plan.instant(day, hour, ZoneInfo(ZONE))


def _calendar(one: company.Employee) -> Calendar:
	return calendar_from_rows(ZONE, company.shift_rows(one.spans))


def _make_customers(rng: Random, count: int) -> list[Customer]:
	on_cloud = count * 3 // 5
	customers = make_customers(rng, CLOUD, on_cloud, 0) + make_customers(rng, WPP, count - on_cloud, on_cloud)
	rng.shuffle(customers)
	return customers


class CustomerPool:
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
