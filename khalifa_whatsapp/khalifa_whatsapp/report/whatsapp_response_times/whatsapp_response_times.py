"""How long customers waited for us: first answers, all answers, and whole conversations; by time, branch or
number.

These are the customers' measures: a wait counts whole, whoever held the conversation. Each counts at the
moment it ended. Median and p90 of any group, and of the total, come from all its waits, never from other
groups' medians.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp.core import records
from khalifa_whatsapp.khalifa_whatsapp import report_buckets as buckets
from khalifa_whatsapp.khalifa_whatsapp import reports

GROUPS = (
	buckets.DAY,
	buckets.WEEK,
	buckets.MONTH,
	buckets.HOUR,
	buckets.WEEKDAY,
	buckets.BRANCH,
	buckets.DEVICE,
)
OUTCOMES = (records.ANSWERED, records.NO_REPLY_NEEDED, records.CLOSED_UNANSWERED)
FIRST, RESPONSE, NEXT, RESOLUTION = "first", "response", "next", "resolution"


class Waits:
	"""All that one row tells."""

	def __init__(self) -> None:
		self.lengths = {name: buckets.Lengths() for name in (FIRST, RESPONSE, NEXT, RESOLUTION)}
		self.ended = self.delayed = self.not_needed = 0

	def cells(self) -> dict[str, Any]:
		"""The row's figures."""
		cells: dict[str, Any] = {"ended": self.ended, "delayed": self.delayed, "not_needed": self.not_needed}
		for name, lengths in self.lengths.items():
			cells |= lengths.cells(name)
		return {**cells, "delayed_share": reports.share(self.delayed, self.ended)}


@reports.for_managers
def execute(filters: Any) -> tuple[Any, ...]:
	group = buckets.group_of(filters, GROUPS)
	waits, total = _gather(filters, group)
	rows = [_row(group, key, waits[key], filters) for key in buckets.in_order(group, waits)]
	shown = [*rows, {**total.cells(), "bucket": _("Total"), "bold": 1}] if rows else []
	return _columns(group), shown, None, _chart(group, rows), _summary(total) if rows else []


def _gather(filters: Any, group: str) -> tuple[dict[Any, Waits], Waits]:
	waits: dict[Any, Waits] = defaultdict(Waits)
	total = Waits()
	for key, outcome, is_first_turn, seconds, count, delayed in _turns(filters, group):
		for row in (waits[key], total):
			_count_turn(row, outcome, is_first_turn, seconds, count, delayed)
	for name, measured in ((FIRST, _firsts(filters, group)), (RESOLUTION, _resolutions(filters, group))):
		for key, seconds, count in measured:
			for row in (waits[key], total):
				row.lengths[name].add(seconds, count)
	return waits, total


def _count_turn(row: Waits, outcome: int, is_first_turn: int, seconds: Any, count: int, delayed: Any) -> None:
	row.ended += count
	row.delayed += int(delayed)
	row.not_needed += count if OUTCOMES[outcome - 1] == records.NO_REPLY_NEEDED else 0
	if OUTCOMES[outcome - 1] == records.ANSWERED:
		row.lengths[RESPONSE].add(seconds, count)
		if not is_first_turn:
			row.lengths[NEXT].add(seconds, count)


def _turns(filters: Any, group: str) -> Iterator[Any]:
	"""Ended waits; those joined to another or taken back aren't ends of their own."""
	outcomes = ", ".join(f"'{name}'" for name in OUTCOMES)
	return _select(
		filters,
		group,
		"Khalifa Turn",
		"ended_ms",
		f"outcome in ({outcomes})",
		f"field(outcome, {outcomes}), is_first, cast(biz_time as signed), count(*), sum(is_delayed)",
		4,
	)


def _firsts(filters: Any, group: str) -> Iterator[Any]:
	return _select(
		filters,
		group,
		"Khalifa Ticket",
		"first_responded_ms",
		"first_response_time is not null",
		"cast(first_response_time as signed), count(*)",
		2,
	)


def _resolutions(filters: Any, group: str) -> Iterator[Any]:
	"""Conversations that people ended; silence, spam and «close all» say nothing of how fast we are."""
	by_people = "close_batch is null and coalesce(close_reason, '') not in ('inactive', 'spam')"
	return _select(
		filters,
		group,
		"Khalifa Ticket",
		"closed_ms",
		f"status = 'Closed' and {by_people}",
		"cast(waited_time as signed), count(*)",
		2,
	)


def _select(
	filters: Any, group: str, doctype: str, at_ms: str, where: str, what: str, grouped: int
) -> Iterator[Any]:
	"""Rows (bucket, …) of a period, grouped by the bucket and the first columns of `what`.

	There may be nearly as many groups as rows. Of numbers alone they fit into a table in memory; names take
	hundreds of bytes each there, so a branch or a device goes by its number.
	"""
	start, end = period = reports.period_ms(filters)
	also, values = reports.chosen_sql(filters, {"branch": "branch", "device": "device"})
	names = buckets.names_of(group)
	values |= {f"name_{number}": name for number, name in enumerate(names)}
	bucket = buckets.sql_of(group, at_ms, period)
	if names:
		bucket = f"field({bucket}, {', '.join(f'%(name_{number})s' for number in range(len(names)))})"
	groups = ", ".join(str(number) for number in range(1, grouped + 1))
	# SQL: as measured, over a year of waits; a bucket's key is arithmetic on instants, as text
	sql = (
		f"select {bucket}, {what} from `tab{doctype}` "
		f"where {at_ms} >= %(start)s and {at_ms} < %(end)s and {where}{also} group by {groups} order by null"
	)
	rows = frappe.db.sql(sql, {**values, "start": start, "end": end})
	keys = ["", *names].__getitem__ if names else partial(buckets.key_of, group)
	return ((keys(raw), *others) for raw, *others in rows)


def _row(group: str, key: Any, waits: Waits, filters: Any) -> dict[str, Any]:
	chosen = {name: filters.get(name) for name in ("branch", "device")}
	days = reports.dates(filters)
	turns, firsts = (
		buckets.rows_of(group, key, moment, *days) for moment in ("ended_on", "first_responded_on")
	)
	links = {}
	if turns is not None and firsts is not None:
		links["ended"] = reports.link("Khalifa Turn", **{**chosen, **turns})
		links["response_count"] = reports.link(
			"Khalifa Turn", **{**chosen, **turns, "outcome": records.ANSWERED}
		)
		links["delayed"] = reports.link("Khalifa Turn", **{**chosen, **turns, "is_delayed": 1})
		links["not_needed"] = reports.link(
			"Khalifa Turn", **{**chosen, **turns, "outcome": records.NO_REPLY_NEEDED}
		)
		links["first_count"] = reports.link("Khalifa Ticket", **{**chosen, **firsts})
	return {
		**waits.cells(),
		**buckets.cells(group, key),
		"links": links,
	}


def _columns(group: str) -> list[dict[str, Any]]:
	return [
		reports.column("bucket", buckets.title(group), width=150),
		reports.column("first_count", _("First Responses"), "Int", 130),
		reports.column("first_mean", _("First Response (Minutes)"), "Float", 170),
		reports.column("first_median", _("First: Median"), "Float", 120),
		reports.column("first_p90", _("First: p90"), "Float", 110),
		reports.column("response_count", _("Answered Waits"), "Int", 130),
		reports.column("response_mean", _("Response (Minutes)"), "Float", 150),
		reports.column("response_median", _("Response: Median"), "Float", 140),
		reports.column("response_p90", _("Response: p90"), "Float", 120),
		reports.column("next_mean", _("Next Response (Minutes)"), "Float", 170),
		reports.column("ended", _("Ended Waits"), "Int", 110),
		reports.column("delayed", _("Delayed Customers"), "Int", 140),
		reports.column("delayed_share", _("Delay Share"), "Percent", 110),
		reports.column("not_needed", _("No Reply Needed"), "Int", 130),
		reports.column("resolution_count", _("Resolved"), "Int", 100),
		reports.column("resolution_mean", _("Resolution (Minutes)"), "Float", 150),
		reports.column("resolution_median", _("Resolution: Median"), "Float", 150),
		reports.column("resolution_p90", _("Resolution: p90"), "Float", 130),
	]


def _chart(group: str, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
	firsts = reports.Line(_("First Response (Minutes)"), reports.BLUE, [row["first_mean"] for row in rows])
	answers = reports.Line(_("Response (Minutes)"), reports.GREEN, [row["response_mean"] for row in rows])
	return reports.chart([row["tick"] for row in rows], firsts, answers, is_line=group in buckets.DATED)


def _summary(total: Waits) -> list[dict[str, Any]]:
	cells = total.cells()
	return [
		reports.figure(_("First Response (Minutes)"), cells["first_mean"]),
		reports.figure(_("First: p90"), cells["first_p90"]),
		reports.figure(_("Response (Minutes)"), cells["response_mean"]),
		reports.figure(
			_("Delay Share"), reports.percent(cells["delayed_share"]), reports.red_if(cells["delayed"])
		),
	]
