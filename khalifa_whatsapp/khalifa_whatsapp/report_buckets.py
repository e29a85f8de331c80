"""Rows of a report by day, week, month, hour, weekday, branch or device: in SQL, in order,
and in people's words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.utils import formatdate, get_last_day
from frappe.utils.data import get_start_of_week_index

from khalifa_whatsapp.core.clock import offsets
from khalifa_whatsapp.core.kpi import quantile
from khalifa_whatsapp.khalifa_whatsapp import reports

DAY, WEEK, MONTH, HOUR, WEEKDAY = "Day", "Week", "Month", "Hour", "Weekday"
BRANCH, DEVICE = "Branch", "Device"
DATED = frozenset({DAY, WEEK, MONTH})
EPOCH, THURSDAY = date(1970, 1, 1), 4  # the epoch's weekday, Sunday being 0
A_SUNDAY = date(2026, 11, 22)


def group_of(filters: Mapping[str, Any], allowed: Iterable[str]) -> str:
	"""What the reader groups by; the first that is allowed when nothing was said. Others are refused."""
	names = list(allowed)
	wanted = filters.get("group_by") or names[0]
	if wanted not in names:
		frappe.throw(_("Group by one of: {0}.").format(", ".join(title(name) for name in names)))
	return wanted


def title(group: str) -> str:
	"""What the column of a group's buckets is called."""
	titles = {
		DAY: _("Day"),
		WEEK: _("Week"),
		MONTH: _("Month"),
		HOUR: _("Hour"),
		WEEKDAY: _("Weekday"),
		BRANCH: _("Branch"),
		DEVICE: _("Device"),
	}
	return titles.get(group) or _(group)


def sql_of(
	group: str, at_ms: str, period: tuple[int, int], branch: str = "branch", device: str = "device"
) -> str:
	"""The SQL expression of a group's raw key (see `key_of`); `at_ms` is a column of instants within the
	period.

	It needs no other column than the instant, so that an index alone can answer.
	"""
	local = _local_seconds(at_ms, period)
	day = f"({local} div 86400)"
	return {
		DAY: day,
		WEEK: f"{day} - {_since_week_start(day)}",
		MONTH: f"extract(year_month from '1970-01-01' + interval {day} day)",
		HOUR: f"mod({local} div 3600, 24)",
		WEEKDAY: f"mod({day} + {THURSDAY}, 7)",
		BRANCH: f"coalesce({branch}, '')",
		DEVICE: f"coalesce({device}, '')",
	}[group]


def sql_of_date(group: str, column: str) -> str:
	"""The same for a Date column."""
	day = f"datediff({column}, '1970-01-01')"
	return {
		DAY: day,
		WEEK: f"{day} - {_since_week_start(day)}",
		MONTH: f"extract(year_month from {column})",
	}[group]


def _since_week_start(day: str) -> str:
	return f"mod({day} + {(THURSDAY - get_start_of_week_index()) % 7}, 7)"


def _local_seconds(at_ms: str, period: tuple[int, int]) -> str:
	"""Seconds on the company's wall since 1970: the clock may have changed within the period."""
	changes = offsets(reports.store().rules().calendar.zone, *period)
	cases = "".join(f"when {at_ms} < {until} then {offset} " for offset, until in changes[:-1])
	offset = f"case {cases}else {changes[-1][0]} end" if cases else str(changes[-1][0])
	return f"({at_ms} div 1000 + {offset})"


def key_of(group: str, raw: Any) -> Any:
	"""A bucket's key out of what the SQL gave: a date, a number, or a name."""
	if group in (DAY, WEEK):
		return EPOCH + timedelta(days=int(raw))
	if group == MONTH:
		return date(int(raw) // 100, int(raw) % 100, 1)
	return raw


def names_of(group: str) -> list[str]:
	"""The names of a group's buckets where they are records:
	a branch or device that has rows can't be deleted.
	"""
	doctype = {BRANCH: "Khalifa Branch", DEVICE: "WhatsApp Device"}.get(group)
	return frappe.get_all(doctype, pluck="name", order_by="name") if doctype else []


def week_order() -> list[int]:
	"""Weekdays (0 is Sunday) from the day on which the site's week begins."""
	first = get_start_of_week_index()
	return [(first + number) % 7 for number in range(7)]


def in_order(group: str, keys: Iterable[Any]) -> list[Any]:
	"""Buckets as people read them: days and hours by the clock, weekdays from the site's first one,
	names by letter.
	"""
	if group == WEEKDAY:
		return sorted(keys, key=week_order().index)
	return sorted(keys)


def without_gaps(group: str, keys: Iterable[Any]) -> list[Any]:
	"""The same, and between the first and the last day, week or month those in which nothing was counted.

	For counts only: on a day without any wait the mean wait is not 0.
	"""
	ordered = in_order(group, keys)
	if group not in DATED or not ordered:
		return ordered
	every = [ordered[0]]
	while every[-1] < ordered[-1]:
		every.append(_next(group, every[-1]))
	return every


def _next(group: str, key: date) -> date:
	if group == MONTH:
		return (key + timedelta(days=31)).replace(day=1)
	return key + timedelta(days=7 if group == WEEK else 1)


def label(group: str, key: Any) -> str:
	"""A bucket in the reader's language."""
	if group == MONTH:
		return formatdate(key, "MMMM yyyy")
	if group in DATED:
		return formatdate(key)
	if group == WEEKDAY:
		return weekday(key)
	if group == HOUR:
		return f"{key:02}:00"
	return reports.safe(key) or {BRANCH: _("No Branch"), DEVICE: _("No Device")}[group]


def tick(group: str, key: Any) -> str:
	"""A bucket under a chart, where Desk cuts off what is longer than its bar."""
	if group == DAY:
		return str(key.day)
	if group == WEEK:
		return f"{key.day}/{key.month}"
	return str(key) if group == HOUR else label(group, key)


def cells(group: str, key: Any) -> dict[str, Any]:
	"""How a row's bucket is called, in the table and under a chart."""
	return {"bucket": label(group, key), "tick": tick(group, key)}


def weekday(number: int) -> str:
	"""The name of a weekday; 0 is Sunday."""
	return formatdate(A_SUNDAY + timedelta(days=number), "EEEE")


def rows_of(group: str, key: Any, moment: str, start: date, end: date) -> dict[str, Any] | None:
	"""The list filters that choose a bucket's rows;
	None where a list can't choose by it (hours, weekdays).
	"""
	if group in DATED:
		last = {DAY: key, WEEK: key + timedelta(days=6), MONTH: get_last_day(key)}[group]
		return {moment: reports.between(max(key, start), min(last, end))}
	if group in (BRANCH, DEVICE):
		return {group.lower(): key or ["is", "not set"], moment: reports.between(start, end)}
	return None


class Lengths:
	"""Lengths in seconds, gathered as a histogram: exact median and p90 however many there are."""

	def __init__(self) -> None:
		self.histogram: dict[int, int] = {}

	def add(self, seconds: Any, count: int) -> None:
		"""Count some lengths of so many seconds."""
		value = int(seconds or 0)
		self.histogram[value] = self.histogram.get(value, 0) + int(count)

	@property
	def count(self) -> int:
		"""How many lengths there are."""
		return sum(self.histogram.values())

	def cells(self, name: str) -> dict[str, Any]:
		"""`name`_count, and mean, median and p90 in minutes; nothing where there is nothing to measure."""
		count = self.count
		if not count:
			return {f"{name}_count": 0, f"{name}_mean": None, f"{name}_median": None, f"{name}_p90": None}
		return {
			f"{name}_count": count,
			f"{name}_mean": reports.minutes(
				sum(value * times for value, times in self.histogram.items()), count
			),
			f"{name}_median": reports.minutes(quantile(self.histogram, 0.5), 1),
			f"{name}_p90": reports.minutes(quantile(self.histogram, 0.9), 1),
		}
