"""What all reports share: checked dates, columns, means that are weighted, and cells that no spreadsheet runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import frappe
from frappe import _
from frappe.utils import add_days, getdate, today

from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.guards import current_actor, refuse

MOST_DAYS = 366
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
GUARD = "\u200b"  # shows nothing, and keeps a spreadsheet from reading a formula


def managers_only() -> None:
	"""Reports tell of colleagues: for managers alone, also when somebody calls them past Desk."""
	if not current_actor().is_manager:
		refuse(_("Only WhatsApp managers can do this."))


def dates(filters: dict[str, Any]) -> tuple[date, date]:
	"""The period that was asked for, both days included; the last 30 days when nothing was."""
	try:
		end = getdate(filters.get("to_date") or today())
		start = getdate(filters.get("from_date") or add_days(end, -29))
	except (ValueError, TypeError, frappe.ValidationError):
		frappe.throw(_("Write dates as 2026-11-21."))
	if start > end:
		frappe.throw(_("The first day lies after the last."))
	if (end - start).days >= MOST_DAYS:
		frappe.throw(_("Choose at most {0} days.").format(MOST_DAYS))
	return start, end


def period_ms(filters: dict[str, Any]) -> tuple[int, int]:
	"""The same as instants [from, to) on the company's clock."""
	start, end = dates(filters)
	calendar = on_site().rules().calendar
	return calendar.day_bounds_ms(start)[0], calendar.day_bounds_ms(end)[1]


def column(fieldname: str, label: str, fieldtype: str = "Data", width: int = 120, options: str = "") -> dict[str, Any]:
	"""One column of a report."""
	return {"fieldname": fieldname, "label": label, "fieldtype": fieldtype, "width": width, "options": options}


def minutes(seconds: float | None, count: float | None) -> float | None:
	"""A mean in minutes from a sum of seconds and how many there were; nothing when there were none."""
	return round(float(seconds or 0) / float(count) / 60, 1) if count else None


def share(part: float | None, whole: float | None) -> float | None:
	"""A percentage; nothing of nothing."""
	return round(100 * float(part or 0) / float(whole), 1) if whole else None


def safe(text: Any) -> str:
	"""A text from outside that reads the same and that no spreadsheet takes for a formula."""
	plain = str(text or "")
	return GUARD + plain if plain.lstrip(" ").startswith(FORMULA) else plain


def total_row(rows: Iterable[dict[str, Any]], sums: Iterable[str], finish: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
	"""A last row whose counts are sums and whose means `finish` works out of them."""
	listed = list(rows)
	total: dict[str, Any] = {name: sum(row.get(name) or 0 for row in listed) for name in sums}
	finish(total)
	return {**total, "bold": 1}
