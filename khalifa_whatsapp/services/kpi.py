"""Rolling facts up into KPI rows, for a day or a month, as often as wanted with the same result."""

from __future__ import annotations

from datetime import date

from khalifa_whatsapp.core import kpi, records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.errors import NotFound, UserError
from khalifa_whatsapp.core.keys import kpi_key
from khalifa_whatsapp.core.metrics import OPENABLE
from khalifa_whatsapp.core.settings import Rules
from khalifa_whatsapp.services.isolation import check, each_alone
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store

DAILY, MONTHLY = "Daily", "Monthly"


def rollup_day(store: Store, day: date, now_ms: int) -> int:
	"""Rebuild one day's rows. How many agents had any fact."""
	return retrying(lambda: _rollup(store, DAILY, day, now_ms))


def rollup_month(store: Store, day: date, now_ms: int) -> int:
	"""Rebuild the rows of the day's month, from the month's own facts."""
	return retrying(lambda: _rollup(store, MONTHLY, day.replace(day=1), now_ms))


def rollup_dirty(store: Store, now_ms: int, limit: int = 400) -> list[date]:
	"""Rebuild the days whose facts changed, and the months they lie in. Which days.

	Raises `RowsFailed` after all other months.
	"""
	days = store.dirty_days(limit)
	months = sorted({day.replace(day=1).isoformat() for day in days})
	done = each_alone(months, lambda month: _rebuild(store, date.fromisoformat(month), days, now_ms))
	check(done.failed)
	return days


def _rebuild(store: Store, month: date, dirty: list[date], now_ms: int) -> None:
	"""Days and their month in one transaction: a day is never clean while its month is not."""
	days = [day for day in dirty if day.replace(day=1) == month]
	with working(store, now_ms) as work:
		store.clean_days(days, now_ms)
		for day in days:
			_write(work, DAILY, day)
		_write(work, MONTHLY, month)


def rows_behind(
	store: Store, actor: Actor, agent: str, metric: str, first: date, last: date
) -> list[tuple[str, str, int]]:
	"""The rows that a figure over some days counts, both days included: for the agent, and for managers."""
	if not (actor.is_manager or (agent and actor.agent == agent)):
		raise NotFound("no_such_kpi", "There is no such figure, or it is not yours.")
	if metric not in OPENABLE:
		raise UserError("no_such_metric", "This figure has no rows of its own to open.")
	calendar = store.rules().calendar
	return store.rows_behind(metric, agent, calendar.day_bounds_ms(first)[0], calendar.day_bounds_ms(last)[1])


def day_so_far(store: Store, day: date, now_ms: int) -> list[records.AgentKpi]:
	"""One day's rows as they would be written now; nothing is written."""
	return _rows(store, DAILY, day, now_ms)


def rollup_today(store: Store, now_ms: int) -> int:
	"""Rebuild the rows of the day that `now_ms` lies in."""
	return rollup_day(store, store.rules().calendar.local_date(now_ms), now_ms)


def _rollup(store: Store, period: str, start: date, now_ms: int) -> int:
	with working(store, now_ms) as work:
		if period == DAILY:
			store.clean_days([start], now_ms)  # before reading: a fact that comes later marks it again
		return _write(work, period, start)


def _write(work: UnitOfWork, period: str, start: date) -> int:
	rows = _rows(work.store, period, start, work.now_ms)
	work.store.replace_kpi(period, start, rows)
	return len(rows)


def _bounds(rules: Rules, period: str, start: date) -> tuple[int, int]:
	calendar = rules.calendar
	return calendar.day_bounds_ms(start) if period == DAILY else calendar.month_bounds_ms(start)


def _rows(store: Store, period: str, start: date, now_ms: int) -> list[records.AgentKpi]:
	rules = store.rules()
	from_ms, to_ms = _bounds(rules, period, start)
	tallies = kpi.tally(store.facts(from_ms, min(to_ms, now_ms + 1)))
	ratings = sum(t.counts.get("ratings", 0) for t in tallies.values())
	good = sum(t.counts.get("ratings_good", 0) for t in tallies.values())
	team = 100 * good / ratings if ratings else None
	rows = []
	agents = store.agents(tallies)
	for name, facts_of_agent in sorted(tallies.items()):
		agent = agents.get(name)
		key = kpi_key(name, period, start.isoformat())
		row = records.AgentKpi(
			key[:20],
			key,
			name,
			agent.employee_name if agent else name,
			agent.branch if agent else None,
			period,
			start.isoformat(),
			computed_ms=now_ms,
		)
		kpi.fill(row, facts_of_agent, rules.settings, team)
		rows.append(row)
	return rows
