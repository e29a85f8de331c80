"""What came of campaigns: where their recipients are, what they did, and which of two texts did better.

Each recipient is in one state, and each count opens its recipients. Shares are of those who could: read and
replied of those who got it, failed of those who were tried.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

import frappe
from frappe import _
from frappe.query_builder.functions import Count, Sum
from frappe.utils import escape_html
from pypika.terms import Criterion, Term

from khalifa_whatsapp.core import campaigns as rules
from khalifa_whatsapp.core.campaign_orders import Orders
from khalifa_whatsapp.core.campaign_results import SHARES, Comparison, Results, compare
from khalifa_whatsapp.core.cost import MICROS, PRICED
from khalifa_whatsapp.core.proportions import Interval
from khalifa_whatsapp.khalifa_whatsapp import reports
from khalifa_whatsapp.khalifa_whatsapp.campaign_orders import orders_after

CAMPAIGN, RECIPIENT = "Khalifa Campaign", "Khalifa Campaign Recipient"
DAYS, MAX_DAYS = 7, 90
FIELDS = {status: frappe.scrub(status) for status in rules.RECIPIENT_STATES}
RESULTS = tuple(field.name for field in fields(Results))
COLOURS = {
	rules.REPLIED: reports.BLUE,
	rules.READ: reports.GREEN,
	rules.DELIVERED: "#A6E4B4",
	rules.SENT: "#D5F0DC",
	rules.OPTED_OUT: "#9C45E3",
	rules.FAILED: reports.RED,
	rules.QUEUED: reports.ORANGE,
	rules.WAITS: "#C7CDD6",
}
MAX_CHARTED, MAX_REASONS = 12, 5
ALL = ""  # the row of both texts


@reports.for_managers
def execute(filters: Any) -> tuple[Any, ...]:
	chosen = _campaigns(filters)
	counted = _counted([row.name for row in chosen])
	extra = _Extra([row.name for row in chosen], _days(filters))
	rows = [row for campaign in chosen for row in _rows(campaign, counted[campaign.name], extra)]
	message = _message(chosen[0].name, counted[chosen[0].name]) if len(chosen) == 1 else None
	return _columns(extra), rows, message, _chart(rows), _summary(rows)


def _campaigns(filters: Any) -> list[Any]:
	"""The chosen one, or those that were started in the period."""
	campaign = frappe.qb.DocType(CAMPAIGN)
	conditions = reports.chosen(filters, {"campaign": campaign.name, "device": campaign.device})
	if not filters.get("campaign"):
		start, end = reports.period_ms(filters)
		conditions += [campaign.started_ms >= start, campaign.started_ms < end]
	fields = (campaign.name, campaign.title, campaign.status, campaign.started_on)
	query = frappe.qb.from_(campaign).select(*fields).where(Criterion.all(conditions))
	return query.orderby(campaign.started_ms, order=frappe.qb.desc).run(as_dict=True)


def _days(filters: Any) -> int:
	days = frappe.utils.cint(filters.get("days") or DAYS)
	if not 1 <= days <= MAX_DAYS:
		frappe.throw(_("Choose between {0} and {1} days.").format(1, MAX_DAYS))
	return days


# What is counted


def _counted(names: Sequence[str]) -> dict[str, dict[str, Any]]:
	"""By campaign and text: recipients in each state, and how far they got."""
	counted: dict[str, dict[str, Any]] = defaultdict(dict)
	if names:
		recipient = frappe.qb.DocType(RECIPIENT)
		states = [Sum(recipient.status == status).as_(name) for status, name in FIELDS.items()]
		facts = [Sum(fact).as_(f"n_{name}") for name, fact in _facts(recipient).items()]
		query = frappe.qb.from_(recipient).select(
			recipient.campaign, recipient.variant, Count("*").as_("total"), *states, *facts
		)
		query = query.where(recipient.campaign.isin(names)).groupby(recipient.campaign, recipient.variant)
		for row in query.run(as_dict=True):
			plain = {name: int(row[name] or 0) for name in row if name not in ("campaign", "variant")}
			counted[row.campaign][row.variant] = plain
	for by_text in counted.values():
		by_text[ALL] = {
			name: sum(row[name] for row in by_text.values()) for name in next(iter(by_text.values()))
		}
	return counted


def _facts(recipient: Any) -> dict[str, Term]:
	"""Who got how far; whoever got further has come by here."""
	replied = recipient.replied_ms > 0
	read = (recipient.read_ms > 0) | replied
	delivered = (recipient.delivered_ms > 0) | read
	sent = (recipient.sent_ms > 0) | delivered
	failed = recipient.status == rules.FAILED
	return {
		"tried": sent | failed,
		"failed": failed,
		"sent": sent,
		"delivered": delivered,
		"read": read,
		"replied": replied,
		"opted_out": (recipient.opted_out_ms > 0) & delivered,
	}


def _results(row: dict[str, int] | None) -> Results:
	return Results(**{name: row[f"n_{name}"] for name in RESULTS}) if row else Results()


class _Extra:
	"""What other tables know of the campaigns: conversations, orders, costs."""

	def __init__(self, names: Sequence[str], days: int) -> None:
		self.tickets = _tickets(names)
		self.orders = orders_after(names, days)
		self.costs = _costs(names)

	def of(self, campaign: str, texts: Sequence[str]) -> dict[str, Any]:
		keys = [(campaign, text) for text in texts]
		bought = Orders()
		for key in keys:
			bought.add((self.orders or {}).get(key, Orders()))
		costs = sum((self.costs.get(key, Counter()) for key in keys), Counter())
		return {
			"tickets": sum(self.tickets.get(key, 0) for key in keys),
			"buyers": len(bought.buyers) if self.orders is not None else None,
			"invoiced": _sums(bought.invoiced),
			"cost": _sums({currency: micros / MICROS for currency, micros in costs.items()}),
		}


def _sums(amounts: Mapping[str, Decimal | float]) -> str:
	return " + ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(amounts.items()))


def _tickets(names: Sequence[str]) -> dict[tuple[str, str], int]:
	"""Conversations that answer a campaign, by the text that their customer got."""
	if not names:
		return {}
	ticket, recipient = frappe.qb.DocType("Khalifa Ticket"), frappe.qb.DocType(RECIPIENT)
	is_recipient = (recipient.campaign == ticket.campaign) & (recipient.customer == ticket.customer)
	query = (
		frappe.qb.from_(ticket)
		.join(recipient)
		.on(is_recipient)
		.select(ticket.campaign, recipient.variant, Count(ticket.name).distinct())
		.where(ticket.campaign.isin(names) & (recipient.queued_ms > 0))
		.groupby(ticket.campaign, recipient.variant)
	)
	return {(campaign, text): count for campaign, text, count in query.run()}


def _costs(names: Sequence[str]) -> dict[tuple[str, str], Counter[str]]:
	"""What their messages cost so far, in millionths, by currency: they are never added up."""
	if not names:
		return {}
	message, recipient = frappe.qb.DocType("Khalifa Message"), frappe.qb.DocType(RECIPIENT)
	query = (
		frappe.qb.from_(recipient)
		.join(message)
		.on(message.name == recipient.message)
		.select(recipient.campaign, recipient.variant, message.cost_currency, Sum(message.cost_micros))
		.where(recipient.campaign.isin(names) & (message.price_state == PRICED))
		.groupby(recipient.campaign, recipient.variant, message.cost_currency)
	)
	costs: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
	for campaign, text, currency, micros in query.run():
		costs[campaign, text][currency or ""] += int(micros or 0)
	return costs


# What is shown


def _columns(extra: _Extra) -> list[dict[str, Any]]:
	shares = {
		"delivered": _("Delivered Share"),
		"read": _("Read Share"),
		"replied": _("Reply Share"),
		"opted_out": _("Opt-Out Share"),
		"failed": _("Failed Share"),
	}
	has_books, has_costs = extra.orders is not None, bool(extra.costs)
	return [
		reports.column("campaign", _("Campaign"), "Link", 10, CAMPAIGN) | {"hidden": 1},
		reports.column("title", _("Campaign"), width=220),
		reports.column("text", _("Text"), width=60),
		reports.column("started_on", _("Started On"), "Datetime", 170),
		reports.column("total", _("Recipients"), "Int", 100),
		*(reports.column(name, _(status), "Int", 90) for status, name in FIELDS.items()),
		*(reports.column(f"{name}_share", label, "Percent", 110) for name, label in shares.items()),
		reports.column("tickets", _("Conversations"), "Int", 110),
		*([reports.column("buyers", _("Buyers"), "Int", 90)] if has_books else []),
		*([reports.column("invoiced", _("Invoiced"), width=120)] if has_books else []),
		*([reports.column("cost", _("Cost"), width=120)] if has_costs else []),
		reports.column("comparison", _("Replies: B against A"), width=240),
	]


def _rows(campaign: Any, by_text: dict[str, Any], extra: _Extra) -> list[dict[str, Any]]:
	"""The campaign's row; below it those of its texts where it has two."""
	if not by_text:
		return []
	texts = sorted(text for text in by_text if text)
	whole = _row(campaign, ALL, by_text[ALL], extra.of(campaign.name, texts))
	whole["comparison"] = _brief(by_text)
	parts = [_row(campaign, text, by_text[text], extra.of(campaign.name, [text])) for text in texts]
	return [whole, *(parts if len(parts) > 1 else [])]


def _row(campaign: Any, text: str, counts: dict[str, int], more: dict[str, Any]) -> dict[str, Any]:
	results = _results(counts)
	links = {
		name: reports.link(RECIPIENT, campaign=campaign.name, status=status, variant=text)
		for status, name in FIELDS.items()
	}
	links["total"] = reports.link(RECIPIENT, campaign=campaign.name, variant=text)
	links["title"] = f"/app/khalifa-campaign/{campaign.name}"
	links["tickets"] = "" if text else reports.link("Khalifa Ticket", campaign=campaign.name)
	return {
		"campaign": campaign.name,
		"title": reports.safe(campaign.title),
		"text": text,
		"indent": int(bool(text)),
		"started_on": None if text else campaign.started_on,
		"total": counts["total"],
		**{name: counts[name] for name in FIELDS.values()},
		**{f"{name}_share": reports.share(*results.part(name)) for name in SHARES},
		**more,
		"links": links,
	}


def _brief(by_text: dict[str, Any]) -> str:
	"""The comparison of replies in a cell."""
	compared = {one.figure: one for one in _compared(by_text)}
	return _said_of(compared["replied"]) if "replied" in compared else ""


def _compared(by_text: dict[str, Any]) -> list[Comparison]:
	return compare(_results(by_text.get("A")), _results(by_text.get("B")))


def _said_of(one: Comparison) -> str:
	points = f"{100 * one.difference.estimate:+.1f} ({_range(one.difference)})"
	if not one.better:
		return _("{0}: may be chance").format(points)
	return _("{0}: {1} is better").format(points, one.better)


def _range(interval: Interval) -> str:
	return f"{100 * interval.low:+.1f} … {100 * interval.high:+.1f}"


def _message(campaign: str, by_text: dict[str, Any]) -> str | None:
	"""Of a single campaign: how its texts compare, and why messages failed."""
	lines = [*_comparison_lines(by_text), *_failure_lines(campaign)]
	return "<br>".join(escape_html(line) for line in lines) or None


def _comparison_lines(by_text: dict[str, Any]) -> list[str]:
	labels = {
		"read": _("Read"),
		"replied": _("Replied"),
		"opted_out": _("Opted Out"),
		"failed": _("Failed"),
	}
	lines = []
	for one in _compared(by_text):
		(in_a, of_a), (in_b, of_b) = (_results(by_text.get(text)).part(one.figure) for text in ("A", "B"))
		lines.append(
			_(
				"{0}: A {1} of {2}, B {3} of {4}; difference in percentage points with 95 % certainty {5}"
			).format(labels[one.figure], in_a, of_a, in_b, of_b, _said_of(one))
		)
	return lines


def _failure_lines(campaign: str) -> list[str]:
	rows = frappe.get_all(
		RECIPIENT,
		{"campaign": campaign, "status": rules.FAILED},
		["reason", "reason_values", "count(name) as count"],
		group_by="reason, reason_values",
		order_by="count desc",
		limit=MAX_REASONS,
	)
	return [_("Failed: {0} ({1})").format(_reason(row), row["count"]) for row in rows]


def _reason(row: Any) -> str:
	values = json.loads(row.reason_values or "{}")
	text = _(row.reason) if row.reason else _("no reason was given")
	return text.format(**values) if values else text


def _chart(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
	is_split = len({row["campaign"] for row in rows}) == 1 and len(rows) > 1
	shown = [row for row in rows if bool(row["text"]) == is_split][:MAX_CHARTED]
	lines = [
		reports.Line(_(status), colour, [row[FIELDS[status]] for row in shown])
		for status, colour in COLOURS.items()
	]
	labels = [_("Text {0}").format(row["text"]) if is_split else row["title"][:30] for row in shown]
	return reports.chart(labels, *lines, is_stacked=True)


def _summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
	whole = [row for row in rows if not row["text"]]
	if not whole:
		return []
	total = {name: sum(row[name] or 0 for row in whole) for name in ("total", "failed", "replied", "tickets")}
	sent = sum(
		row["total"] - row["planned"] - row["skipped"] - row["queued"] - row["cancelled"] for row in whole
	)
	return [
		reports.figure(_("Campaigns"), len(whole)),
		reports.figure(_("Recipients Written To"), sent),
		reports.figure(_("Replied"), total["replied"]),
		reports.figure(_("Conversations"), total["tickets"]),
		reports.figure(_("Failed"), total["failed"], reports.red_if(total["failed"])),
	]
