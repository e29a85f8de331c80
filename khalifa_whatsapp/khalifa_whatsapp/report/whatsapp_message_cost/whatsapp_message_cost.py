"""What delivered messages cost, by whom or what they were sent. Amounts of two currencies are never added.

A message counts on the day on which it was delivered. One that has no rate is counted as such, not as free.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Field, functions
from frappe.utils import get_last_day
from pypika.terms import CustomFunction, PseudoColumn

from khalifa_whatsapp.core.cost import DUE, FREE, MICROS, NO_RATE, PRICED
from khalifa_whatsapp.khalifa_whatsapp import report_buckets as buckets
from khalifa_whatsapp.khalifa_whatsapp import reports

MESSAGE = frappe.qb.DocType("Khalifa Message")
JSON_VALUE = CustomFunction("JSON_VALUE", ["json", "path"])
STATES = {"priced": PRICED, "free": FREE, "no_rate": NO_RATE, "due": DUE}
COUNTS = ("messages", *STATES)
MAX_BARS = 20
NONE = "–"
# By what the rows may be grouped: the column, and the DocType that it names
GROUPS: dict[str, tuple[Field, str]] = {
	"Category": (MESSAGE.price_category, ""),
	buckets.MONTH: (MESSAGE.delivered_ms, ""),
	"Agent": (MESSAGE.agent, "Khalifa Agent"),
	"Campaign": (MESSAGE.campaign, "Khalifa Campaign"),
	"Template": (JSON_VALUE(MESSAGE.data, "$.template.name"), ""),
	"Automatic Reply": (MESSAGE.auto_reply, "Khalifa Auto Reply"),
	buckets.DEVICE: (MESSAGE.device, "WhatsApp Device"),
	"Country": (MESSAGE.price_country, ""),
}
# A list can be asked for these; the others are no columns of it
LISTED = {
	"Category": "price_category",
	"Agent": "agent",
	"Campaign": "campaign",
	"Automatic Reply": "auto_reply",
	buckets.DEVICE: "device",
	"Country": "price_country",
}


@reports.for_managers
def execute(filters: Any) -> tuple[Any, ...]:
	group = buckets.group_of(filters, GROUPS)
	rows = _rows(filters, group)
	for row in rows:
		_finish(row)
		row["links"] = _links(filters, group, row)
	return _columns(group), [*rows, *_totals(rows)], _note(rows), _chart(rows), _summary(rows)


def _rows(filters: Any, group: str) -> list[dict[str, Any]]:
	key = _key(filters, group)
	start, end = reports.period_ms(filters)
	count = functions.Count("*")
	counts = [functions.Sum(MESSAGE.price_state == state).as_(name) for name, state in STATES.items()]
	query = (
		frappe.qb.from_(MESSAGE)
		.select(key, MESSAGE.cost_currency.as_("currency"), count.as_("messages"), *counts)
		.select(functions.Sum(MESSAGE.cost_micros).as_("micros"))
		.where(MESSAGE.price_state.isin(list(STATES.values())))
		.where((MESSAGE.delivered_ms >= start) & (MESSAGE.delivered_ms < end))
		.groupby(key, MESSAGE.cost_currency)
	)
	for condition in reports.chosen(filters, {"device": MESSAGE.device, "agent": MESSAGE.agent}):
		query = query.where(condition)
	names = ("group_key", "currency", *COUNTS, "micros")
	rows = [dict(zip(names, row, strict=True)) for row in query.run()]
	return _named(group, _joined(rows))


def _key(filters: Any, group: str) -> Any:
	if group != buckets.MONTH:
		return functions.Coalesce(GROUPS[group][0], "")
	# A month on the company's clock
	return PseudoColumn(
		buckets.sql_of(group, "`tabKhalifa Message`.`delivered_ms`", reports.period_ms(filters))
	)


def _joined(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
	"""What has no amount has no currency: its group's row of the most used currency counts it."""
	by_key: dict[Any, list[dict[str, Any]]] = defaultdict(list)
	for row in sorted(rows, key=lambda row: (not row["currency"], -row["messages"])):
		listed = by_key[row["group_key"]]
		if listed and not row["currency"]:
			for name in COUNTS:
				listed[0][name] += row[name]
		else:
			listed.append(row)
	return [row for listed in by_key.values() for row in listed]


def _named(group: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
	"""The rows with what their groups are called, in the order in which people read them."""
	titles = _titles(GROUPS[group][1], [row["group_key"] for row in rows])
	for row in rows:
		row["group_key"] = buckets.key_of(group, row["group_key"])
		row["bucket"] = _label(group, row["group_key"], titles)
	if group == buckets.MONTH:
		return sorted(rows, key=lambda row: row["group_key"])
	return sorted(rows, key=lambda row: (-(row["micros"] or 0), -row["messages"], row["bucket"]))


def _titles(doctype: str, names: list[str]) -> dict[str, str]:
	if not doctype:
		return {}
	title = frappe.get_meta(doctype).title_field or "name"
	rows = frappe.get_all(doctype, {"name": ("in", names)}, ["name", f"{title} as title"], limit=0)
	return {row.name: row.title for row in rows}


def _label(group: str, key: Any, titles: dict[str, str]) -> str:
	if group == buckets.MONTH:
		return buckets.label(group, key)
	if group == "Category":
		return _categories().get(key) or reports.safe(key) or _("Not Said")
	return reports.safe(titles.get(key) or key) or NONE


def _categories() -> dict[str, str]:
	return {
		"service": _("Free-Form Answers"),
		"utility": _("Utility"),
		"marketing": _("Marketing"),
		"authentication": _("Authentication"),
		"authentication_international": _("Authentication (International)"),
	}


def _finish(row: dict[str, Any]) -> None:
	for name in COUNTS:
		row[name] = int(row[name] or 0)
	row["cost"] = round(float(row["micros"] or 0) / MICROS, 4) if row["priced"] else None
	row["mean"] = round(float(row["micros"] or 0) / MICROS / row["priced"], 6) if row["priced"] else None


def _totals(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
	"""A last row for each currency."""
	currencies = list(dict.fromkeys(row["currency"] or "" for row in rows))
	return [
		{**total, "bucket": _("Total"), "currency": currency}
		for currency in currencies
		for total in [
			reports.total_row(
				[row for row in rows if (row["currency"] or "") == currency], (*COUNTS, "micros"), _finish
			)
		]
	]


def _links(filters: Any, group: str, row: dict[str, Any]) -> dict[str, str]:
	field = LISTED.get(group)
	if group != buckets.MONTH and not field:
		return {}
	start, end = reports.dates(filters)
	if group == buckets.MONTH:
		start, end = max(start, row["group_key"]), min(end, get_last_day(row["group_key"]))
	given = {name: filters[name] for name in ("device", "agent") if filters.get(name)}
	given |= {field: row["group_key"] or ["is", "not set"]} if field else {}
	days = reports.between(start, end)
	return {
		name: reports.link("Khalifa Message", delivered_on=days, price_state=STATES[name], **given)
		for name in ("free", "no_rate")
		if row[name]
	} | _priced_link(row, {**given, "delivered_on": days})


def _priced_link(row: dict[str, Any], given: dict[str, Any]) -> dict[str, str]:
	"""Those of the row's currency alone."""
	if not row["priced"]:
		return {}
	given = {**given, "price_state": PRICED, "cost_currency": row["currency"]}
	return {"priced": reports.link("Khalifa Message", **given)}


def _columns(group: str) -> list[dict[str, Any]]:
	return [
		reports.column("bucket", buckets.title(group), width=220),
		reports.column("messages", _("Delivered"), "Int", 110),
		reports.column("cost", _("Cost"), "Float", 120) | {"precision": 4},
		reports.column("currency", _("Currency"), width=90),
		reports.column("mean", _("Each"), "Float", 110) | {"precision": 6},
		reports.column("priced", _("With a Price"), "Int", 120),
		reports.column("free", _("Free of Charge"), "Int", 120),
		reports.column("no_rate", _("Without a Rate"), "Int", 130),
	]


def _note(rows: list[dict[str, Any]]) -> str | None:
	missing = sum(row["no_rate"] for row in rows)
	if not missing:
		return None
	return _("{0} delivered messages have no rate and are in no sum. Add one under Message Rates.").format(
		missing
	)


def _chart(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
	currencies = {row["currency"] for row in rows if row["cost"]}
	shown = [row for row in rows if row["cost"]][:MAX_BARS]
	if len(currencies) != 1:  # bars of two currencies can't be compared
		return None
	line = reports.Line(_("Cost"), reports.BLUE, [row["cost"] for row in shown])
	return reports.chart([row["bucket"] for row in shown], line)


def _summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
	if not rows:
		return []
	missing = sum(row["no_rate"] for row in rows)
	sums: dict[str, int] = defaultdict(int)
	for row in rows:
		if row["priced"]:
			sums[row["currency"]] += int(row["micros"] or 0)
	return [
		reports.figure(_("Delivered"), sum(row["messages"] for row in rows)),
		*(
			reports.figure(_("Cost ({0})").format(name), round(micros / MICROS, 2))
			for name, micros in sums.items()
		),
		reports.figure(_("Without a Rate"), missing, reports.red_if(missing)),
	]
