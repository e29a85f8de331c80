"""The figures of the workspace: each for what its reader may see, and each opening what it counts."""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

import frappe
from frappe import _
from frappe.query_builder import Criterion
from frappe.query_builder.functions import Count, Sum
from frappe.utils import add_days, formatdate, get_first_day, today

from khalifa_whatsapp.api import inbox_rows
from khalifa_whatsapp.api.decorators import endpoint
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.alerts import is_down
from khalifa_whatsapp.core.cost import MICROS, PRICED
from khalifa_whatsapp.core.satisfaction import GOOD
from khalifa_whatsapp.guards import AGENT_ROLE, agent_only, current_actor, manager_only
from khalifa_whatsapp.jobs import minute_mark, scheduler_watch
from khalifa_whatsapp.permissions import query_conditions

TICKET = "`tabKhalifa Ticket`"
NOTHING = "–"  # as a text: Desk can't draw a card whose number is missing
LIST = ["List", "Khalifa Ticket", "List"]
Method = TypeVar("Method", bound=Callable[..., Any])


def agents_card(nothing: Any = NOTHING) -> Callable[[Method], Method]:
	"""For agents and managers. Whose agent record is not there yet has the agents' workspace before them, and
	finds in it `nothing`: the inbox says what is missing, and five refusals over each other would not.
	"""

	def made(method: Method) -> Method:
		guarded = agent_only(method)

		@functools.wraps(method)
		def card(*args: Any, **kwargs: Any) -> Any:
			actor = current_actor()
			can_t_work_yet = not (actor.is_agent or actor.is_manager) and AGENT_ROLE in frappe.get_roles()
			return nothing if can_t_work_yet else guarded(*args, **kwargs)

		return card

	return made


@frappe.whitelist()
@agents_card()
@endpoint
def open_tickets(**_given: Any) -> dict[str, Any]:
	"""Open conversations that the reader may see."""
	value = _tickets(f"{TICKET}.status in ('Queued', 'Open', 'Pending')")
	return _card(value, {"status": ["in", ["Queued", "Open", "Pending"]]})


@frappe.whitelist()
@agents_card()
@endpoint
def waiting_now(**_given: Any) -> dict[str, Any]:
	"""Customers who wait for an answer now."""
	value = _tickets(f"{TICKET}.waiting_since_ms > 0 and {TICKET}.status in ('Queued', 'Open')")
	return _card(value, {"status": ["in", ["Queued", "Open"]], "waiting_since": ["is", "set"]})


@frappe.whitelist()
@agents_card()
@endpoint
def delayed_now(**_given: Any) -> dict[str, Any]:
	"""Customers who have waited too long."""
	return {**_card(inbox_rows.counts(current_actor())["delayed"], {}), "route": ["khalifa-inbox", "delayed"]}


@frappe.whitelist()
@agents_card()
@endpoint
def answered_today(**_given: Any) -> dict[str, Any]:
	"""Answers of people today: the reader's own, or everybody's for managers."""
	actor, (from_ms, _to_ms) = current_actor(), _today()
	message = frappe.qb.DocType("Khalifa Message")
	whose = [] if actor.is_manager else [message.agent == (actor.agent or "")]
	is_answer = [message.origin == "Agent", message.sent_ms >= from_ms, message.status != "Failed"]
	answers = frappe.qb.from_(message).select(Count("*")).where(Criterion.all([*is_answer, *whose]))
	return {"value": int(answers.run()[0][0]), "fieldtype": "Int"}


@frappe.whitelist()
@agents_card()
@endpoint
def first_response_today(**_given: Any) -> dict[str, Any] | str:
	"""Mean time to the first answer of today's first answers, in business minutes;
	nothing to show without any.
	"""
	from_ms, to_ms = _today()
	seen = (query_conditions(current_actor().user, "Khalifa Ticket") or "1 = 1").replace("%", "%%")
	# SQL: the condition of the permissions is text
	sql = (
		f"select avg(first_response_time) from {TICKET} where first_responded_ms >= %s and "
		"first_responded_ms < %s "
		f"and first_response_time is not null and ({seen})"
	)
	seconds = frappe.db.sql(sql, (from_ms, to_ms))[0][0]
	return NOTHING if seconds is None else _decimal(float(seconds) / 60)


@frappe.whitelist()
@manager_only
@endpoint
def satisfaction(**_given: Any) -> dict[str, Any] | str:
	"""Good ratings of the last seven days, in per cent of all; nothing to show without any."""
	calendar = on_site().rules().calendar
	last = calendar.local_date(now_ms())
	first = add_days(last, -6)
	survey = frappe.qb.DocType("Khalifa Satisfaction")
	rated = frappe.qb.from_(survey).select(Count("*"), Sum(survey.score >= GOOD))
	ratings, good = rated.where(survey.answered_ms >= calendar.day_bounds_ms(first)[0]).run()[0]
	if not ratings:
		return NOTHING
	return {
		**_decimal(100 * float(good) / ratings),
		"route": ["query-report", "WhatsApp Satisfaction"],
		"route_options": {"from_date": str(first), "to_date": str(last)},
	}


@frappe.whitelist()
@agents_card({})
@endpoint
def my_days(**_given: Any) -> dict[str, Any]:
	"""The reader's conversations and late answers of the last two weeks, as a chart; a manager's:
	everybody's.

	Not a chart over a list: Frappe keeps those by the chart's name, so that one agent would be shown
	another's.
	"""
	since = {"period": "Daily", "start_date": (">=", add_days(today(), -13))}
	days: dict[Any, Counter[str]] = defaultdict(Counter)
	for row in frappe.get_list(
		"Khalifa Agent KPI",
		since,
		["start_date", "tickets_handled", "delays"],
		order_by="start_date",
		limit=0,
	):
		days[row.start_date].update(handled=row.tickets_handled, late=row.delays)
	names = {"handled": _("Handled"), "late": _("Delays")}
	datasets = [
		{"name": name, "values": [counts[key] for counts in days.values()]} for key, name in names.items()
	]
	return {"labels": [formatdate(day) for day in days], "datasets": datasets} if days else {}


@frappe.whitelist()
@manager_only
@endpoint
def devices_down(**_given: Any) -> dict[str, Any]:
	"""Enabled numbers that are not connected, or that their breaker or a person has stopped."""
	down = frappe.get_all(
		"WhatsApp Device",
		{"enabled": 1},
		["name", "provider", "state", "breaker_state", "is_paused", "problem"],
	)
	bad = [
		row.name
		for row in down
		if row.breaker_state == "Open" or row.is_paused or is_down(row.state or "", bool(row.problem))
	]
	shown = {"name": ["in", bad]} if bad else {"enabled": 1}
	return {
		"value": len(bad),
		"fieldtype": "Int",
		"route": ["List", "WhatsApp Device", "List"],
		"route_options": shown,
	}


@frappe.whitelist()
@manager_only
@endpoint
def last_minute_job(**_given: Any) -> dict[str, Any] | str:
	"""Minutes since the background work last began: more than three, and nothing moves by itself."""
	scheduler_watch.look()
	age_ms = minute_mark.age_ms()
	return NOTHING if age_ms >= now_ms() else {"value": age_ms // 60_000, "fieldtype": "Int"}


@frappe.whitelist()
@manager_only
@endpoint
def failing_jobs(**_given: Any) -> dict[str, Any]:
	"""Parts of the background work that failed when they last ran."""
	failing = {"kind": "Job", "is_solved": 0}
	count = frappe.db.count("Khalifa Alert", failing)
	return {
		"value": count,
		"fieldtype": "Int",
		"route": ["List", "Khalifa Alert", "List"],
		"route_options": failing,
	}


@frappe.whitelist()
@manager_only
@endpoint
def cost_this_month(**_given: Any) -> str:
	"""What the messages delivered this month cost; each currency by itself.

	A text alone: what comes with a route Frappe takes for a number, and a text without digits would leave the
	card at «Loading».
	"""
	first = get_first_day(today())
	start_ms = on_site().rules().calendar.day_bounds_ms(first)[0]
	message = frappe.qb.DocType("Khalifa Message")
	rows = (
		frappe.qb.from_(message)
		.select(message.cost_currency, Sum(message.cost_micros))
		.where((message.price_state == PRICED) & (message.delivered_ms >= start_ms))
		.groupby(message.cost_currency)
		.orderby(message.cost_currency)
		.run()
	)
	sums = [f"{float(micros or 0) / MICROS:,.2f} {currency}" for currency, micros in rows]
	return " + ".join(sums) or NOTHING


def _tickets(where: str) -> int:
	seen = query_conditions(current_actor().user, "Khalifa Ticket") or "1 = 1"
	# SQL: the condition of the permissions is text
	return int(frappe.db.sql(f"select count(*) from {TICKET} where {where} and ({seen})")[0][0])


def _card(value: int, filters: dict[str, Any]) -> dict[str, Any]:
	return {"value": value, "fieldtype": "Int", "route": LIST, "route_options": filters}


def _decimal(value: float) -> dict[str, Any]:
	return {"value": round(value, 1), "fieldtype": "Float", "precision": 1}


def _today() -> tuple[int, int]:
	calendar = on_site().rules().calendar
	return calendar.day_bounds_ms(calendar.local_date(now_ms()))
