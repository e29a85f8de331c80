"""What all reports share: checked dates, columns, means that are weighted,
and cells that no spreadsheet runs.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

import frappe
from frappe import _
from frappe.query_builder import Criterion, Field
from frappe.utils import add_days, today
from frappe.utils.caching import request_cache

from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core.cells import guarded
from khalifa_whatsapp.guards import current_actor, refuse
from khalifa_whatsapp.stores.base import Store

MAX_DAYS = 366
BLUE, GREEN, ORANGE, RED = "#4463F0", "#29CD42", "#FFA00A", "#E24C4C"

Execute = Callable[[Any], tuple[Any, ...]]


@request_cache
def store() -> Store:
	"""The site's store, one for the whole request, which reads the settings once."""
	return on_site()


def for_managers(execute: Execute) -> Callable[..., tuple[Any, ...]]:
	"""A report for managers alone, also past Desk, for it tells of colleagues."""
	return _report(
		execute, lambda: current_actor().is_manager, lambda: _("Only WhatsApp managers can do this.")
	)


def for_the_desk(execute: Execute) -> Callable[..., tuple[Any, ...]]:
	"""A report for agents, too; what it tells them is its own affair."""

	def is_allowed() -> bool:
		return current_actor().is_manager or current_actor().is_agent

	return _report(execute, is_allowed, lambda: _("Only WhatsApp agents and managers can do this."))


def _report(
	execute: Execute, is_allowed: Callable[[], bool], refusal: Callable[[], str]
) -> Callable[..., tuple[Any, ...]]:
	"""Empty when its filters are refused; the refusal's words reach the reader all the same.

	An error that leaves a report makes Frappe turn the report into a background one, fifteen seconds later
	and for everybody: its watch for slow reports is not stopped then.
	"""

	@functools.wraps(execute)
	def opened(filters: dict[str, Any] | None = None) -> tuple[Any, ...]:
		if not is_allowed():
			refuse(refusal())
		try:
			return execute(frappe._dict(filters or {}))
		except frappe.ValidationError:
			return [], []

	return opened


def dates(filters: dict[str, Any]) -> tuple[date, date]:
	"""The period that was asked for, both days included; the last 30 days when nothing was."""
	end = _day(filters.get("to_date") or today())
	start = _day(filters.get("from_date") or add_days(end, -29))
	if start > end:
		frappe.throw(_("The first day lies after the last."))
	if (end - start).days >= MAX_DAYS:
		frappe.throw(_("Choose at most {0} days.").format(MAX_DAYS))
	return start, end


def _day(given: Any) -> date:
	try:
		return given if isinstance(given, date) else date.fromisoformat(str(given)[:10])
	except ValueError:
		frappe.throw(_("Write dates as 2026-11-21."))


def period_ms(filters: dict[str, Any]) -> tuple[int, int]:
	"""The same as instants [from, to) on the company's clock."""
	start, end = dates(filters)
	calendar = store().rules().calendar
	return calendar.day_bounds_ms(start)[0], calendar.day_bounds_ms(end)[1]


def chosen(filters: Mapping[str, Any], columns: Mapping[str, Field]) -> list[Criterion]:
	"""The conditions of the plain filters that were filled in: `{"branch": ticket.branch}`."""
	return [columns[name] == value for name, value in _filled(filters, columns).items()]


def chosen_sql(filters: Mapping[str, Any], columns: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
	"""The same as SQL to put after a condition, and its values: `{"branch": "t.branch"}`."""
	given = _filled(filters, columns)
	return "".join(f" and {columns[name]} = %({name})s" for name in given), given


def _filled(filters: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
	given = {name: filters[name] for name in names if filters.get(name)}
	if not all(isinstance(value, str) for value in given.values()):
		frappe.throw(_("A filter has a value that can't be used."))
	return given


def cut_message(shown: int, count: int) -> str | None:
	"""What stands above a report that does not show all of its rows."""
	return _("Showing {0} of {1} rows.").format(shown, count) if count > shown else None


def link(doctype: str, **filters: Any) -> str:
	"""The address of a list that shows the rows behind a cell."""
	sent = {
		name: value if isinstance(value, str) else json.dumps(value)
		for name, value in filters.items()
		if value
	}
	return f"/app/{frappe.scrub(doctype).replace('_', '-')}?{urlencode(sent)}"


def report_link(name: str, **filters: str) -> str:
	"""The address of a report with its filters filled in."""
	given = {key: value for key, value in filters.items() if value}
	return f"/app/query-report/{quote(name)}?{urlencode(given)}"


def between(start: date, end: date) -> list[Any]:
	"""A list's filter for days, both included."""
	return ["between", [str(start), str(end)]]


def column(
	fieldname: str, label: str, fieldtype: str = "Data", width: int = 120, options: str = ""
) -> dict[str, Any]:
	"""One column of a report; decimals have one place."""
	made = {
		"fieldname": fieldname,
		"label": label,
		"fieldtype": fieldtype,
		"width": width,
		"options": options,
	}
	return {**made, "precision": 1} if fieldtype == "Float" else made


def agent_columns(width: int, branch_width: int) -> list[dict[str, Any]]:
	"""Whom a row is about: the agent, by the name that people know, and the branch."""
	return [
		column("agent", _("Agent"), "Link", 10, "Khalifa Agent") | {"hidden": 1},
		column("agent_name", _("Agent"), width=width),
		column("branch", _("Branch"), "Link", branch_width, "Khalifa Branch"),
	]


@dataclass(frozen=True, slots=True)
class Line:
	"""One line or kind of bar of a chart: what it is called, its colour, its values (nothing counts as 0)."""

	name: str
	colour: str
	values: Sequence[float | None]


def chart(
	labels: Sequence[str], *lines: Line, is_line: bool = False, is_stacked: bool = False
) -> dict[str, Any] | None:
	"""The chart above a report; none where there is nothing to draw. A line needs two points."""
	if not labels:
		return None
	datasets = [{"name": line.name, "values": [value or 0 for value in line.values]} for line in lines]
	return {
		"data": {"labels": list(labels), "datasets": datasets},
		"colors": [line.colour for line in lines],
		"type": "line" if is_line and len(labels) > 1 else "bar",
		**({"barOptions": {"stacked": 1}} if is_stacked else {}),
	}


def figure(label: str, value: Any, indicator: str = "") -> dict[str, Any]:
	"""One figure above a report; a dash where there is nothing to measure.

	As a text: Desk would add decimals.
	"""
	return {
		"label": label,
		"value": "–" if value is None else str(value),
		"datatype": "Data",
		"indicator": indicator,
	}


def red_if(count: float | None) -> str:
	"""The colour of a figure that should be nothing."""
	return "Red" if count else "Green"


def minutes(seconds: float | None, count: float | None) -> float | None:
	"""A mean in minutes from a sum of seconds and how many there were; nothing when there were none."""
	return round(float(seconds or 0) / float(count) / 60, 1) if count else None


def share(part: float | None, whole: float | None) -> float | None:
	"""A percentage; nothing of nothing."""
	return round(100 * float(part or 0) / float(whole), 1) if whole else None


def percent(value: float | None) -> str | None:
	"""A share as a figure shows it."""
	return None if value is None else f"{value}%"


def safe(text: Any) -> str:
	"""A text from outside that reads the same and that no spreadsheet takes for a formula."""
	return guarded(str(text or ""))


def total_row(
	rows: Iterable[dict[str, Any]], sums: Iterable[str], finish: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
	"""A last row whose counts are sums and whose means `finish` works out of them."""
	listed = list(rows)
	total: dict[str, Any] = {name: sum(row.get(name) or 0 for row in listed) for name in sums}
	finish(total)
	return {**total, "bold": 1}
