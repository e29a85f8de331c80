"""The month on paper: who writes when, and who works when. Nothing here knows of tickets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.settings import DAY_MS, HOUR_MS, MINUTE_MS
from khalifa_whatsapp.demo import texts
from khalifa_whatsapp.demo.company import INTENSITY, OF_WEEKDAY, Caller, Employee
from khalifa_whatsapp.demo.texts import Line

RETURNING = 0.35
REST_MS = 4 * DAY_MS  # a customer comes back no sooner: until then it would be the same ticket
DAY_OFF = 0.07
# Minutes before the end at which somebody writes whom nobody has answered yet
UNANSWERED = (41, 33, 24, 19, 12.5, 11.5, 8, 6, 4, 2, 1)
TO_A_BRANCH = 3  # so many of them were handed to a branch where nobody is


@dataclass(slots=True)
class Talk:
	"""A conversation and how far it is."""

	caller: Caller
	start_ms: int
	lines: list[Line]
	place: int = 0
	is_left: bool = False  # nobody answers it: it is there to be seen waiting

	def take(self, is_ours: bool) -> list[Line]:
		"""The next lines of one side."""
		start = self.place
		while self.place < len(self.lines) and self.lines[self.place].is_ours == is_ours:
			self.place += 1
		return self.lines[start : self.place]

	@property
	def is_over(self) -> bool:
		"""Whether every line has been said."""
		return self.place >= len(self.lines)


@dataclass(slots=True)
class Plan:
	"""Everything that is known beforehand."""

	talks: list[Talk]
	coming: list[tuple[int, str, str]] = field(default_factory=list)  # due, user, presence


def make_plan(
	rng: Random,
	callers: Sequence[Caller],
	employees: Sequence[Employee],
	tickets: int,
	start_ms: int,
	end_ms: int,
	zone: str,
	is_live: bool,
) -> Plan:
	"""`tickets` conversations between two instants;
	with `is_live` the last ones are unanswered at the end.
	"""
	left = min(len(UNANSWERED), tickets // 4) if is_live else 0
	last = end_ms - 2 * HOUR_MS
	starts = moments(rng, tickets - left, start_ms, last, ZoneInfo(zone))
	fresh, seen = list(reversed(callers)), []
	talks = []
	for moment in starts:
		caller = _caller(rng, fresh, seen, moment)
		talks.append(Talk(caller, moment, texts.story(rng)))
		seen.append((moment, caller))
	for minutes in UNANSWERED[:left]:
		begin = end_ms - round(minutes * MINUTE_MS)
		talks.append(Talk(fresh.pop(), begin, texts.opening(rng), is_left=True))
	return Plan(talks, comings(rng, employees, start_ms, end_ms, ZoneInfo(zone)))


def _caller(rng: Random, fresh: list[Caller], seen: list[tuple[int, Caller]], now_ms: int) -> Caller:
	"""Somebody new, or somebody who was here days ago and not since."""
	if seen and rng.random() < RETURNING and now_ms - seen[0][0] > REST_MS:
		place = rng.randrange(len(seen))
		if now_ms - seen[place][0] > REST_MS:
			return seen.pop(place)[1]
	return fresh.pop()


def moments(rng: Random, count: int, start_ms: int, end_ms: int, zone: ZoneInfo) -> list[int]:
	"""`count` instants at which somebody writes, in their order, by the rhythm of day and week."""
	hours = range(start_ms, end_ms, HOUR_MS)
	weights = [_weight(moment, zone) for moment in hours]
	chosen = rng.choices(hours, weights, k=count)
	return sorted(min(hour + rng.randrange(HOUR_MS), end_ms) for hour in chosen)


def _weight(moment: int, zone: ZoneInfo) -> float:
	local = datetime.fromtimestamp(moment / 1000, zone)
	return INTENSITY[local.hour] * OF_WEEKDAY[local.weekday()]


def comings(
	rng: Random,
	employees: Sequence[Employee],
	start_ms: int,
	end_ms: int,
	zone: ZoneInfo,
	day_off: float = DAY_OFF,
) -> list[tuple[int, str, str]]:
	"""Who comes, takes a break and leaves when: (due, user, presence). `day_off`: the chance of a day off."""
	changes: list[tuple[int, str, str]] = []
	day = datetime.fromtimestamp(start_ms / 1000, zone).date()
	last = datetime.fromtimestamp(end_ms / 1000, zone).date()
	while day <= last:
		for employee in employees:
			is_off = rng.random() < day_off and day < last and len(employee.spans) > 1
			for begin, stop in () if is_off else employee.spans:
				changes += _span(rng, employee, instant(day, begin, zone), instant(day, stop, zone))
		day += timedelta(days=1)
	return [event for event in changes if start_ms <= event[0] < end_ms]


def _span(rng: Random, employee: Employee, begin: int, stop: int) -> list[tuple[int, str, str]]:
	"""A little late or early, and a break in a long stretch."""
	is_around_the_clock = stop - begin >= DAY_MS - HOUR_MS
	begin += rng.randrange(1, 8) * MINUTE_MS
	changes = [(begin, employee.user, records.ONLINE)]
	if not is_around_the_clock:
		changes.append((stop - rng.randrange(1, 4) * MINUTE_MS, employee.user, records.OFFLINE))
	if stop - begin >= 4 * HOUR_MS:
		pause = begin + rng.randrange(75, 170) * MINUTE_MS
		changes += [
			(pause, employee.user, records.AWAY),
			(pause + rng.randrange(10, 25) * MINUTE_MS, employee.user, records.ONLINE),
		]
	return changes


def instant(day: date, hour: float, zone: ZoneInfo) -> int:
	"""The moment at which the wall of the company shows this hour of the day; hours go on after midnight."""
	moment = datetime.combine(day, datetime.min.time(), zone) + timedelta(hours=hour)
	return round(moment.timestamp() * 1000)
