"""Who is there, who waits for whom, and what each has done: now beside any days, today by default."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Criterion
from frappe.query_builder.functions import Coalesce, Count, Min, NullIf, Sum
from frappe.utils import today

from khalifa_whatsapp.api import lateness
from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core.metrics import SUMS
from khalifa_whatsapp.khalifa_whatsapp import report_kpi, reports

NOW = ("waiting", "open", "pending", "delayed")
ORDER = {"Online": 0, "Away": 1, "Offline": 2}


@reports.for_managers
def execute(filters: Any) -> tuple[Any, ...]:
	filters = frappe._dict({"from_date": today(), "to_date": today(), **filters})
	held, done = _held(filters), {row["agent"]: row for row in report_kpi.sums(filters)}
	first, last = (str(day) for day in reports.dates(filters))
	rows = [_row(agent, held, done, filters.get("branch")) for agent in _agents(filters, {*held, *done})]
	for row in rows:
		row["behind"] = {"agent": row["agent"], "first": first, "last": last}
	rows.sort(key=lambda row: (ORDER.get(row["state"], 3), -row["waiting"], -row["open"], row["agent_name"]))
	queue = _queue_row(held.get(None), filters.get("branch"))
	return _columns(), _shown(rows, queue), None, _chart(rows), _summary(rows, queue)


def _held(filters: Any) -> dict[str | None, dict[str, int]]:
	"""What each agent (None: the queue) has in hand at this moment; the oldest wait is in business time."""
	now, rules = now_ms(), reports.store().rules()
	by_agent: dict[str | None, dict[str, int]] = {}
	for row in _open_tickets(filters, now):
		kept = by_agent.setdefault(row.agent or None, {**dict.fromkeys(NOW, 0), "oldest_ms": 0})
		for name in NOW:
			kept[name] += int(row[name])
		waited = rules.of_branch(row.branch).calendar.business_ms(int(row.since), now)
		kept["oldest_ms"] = max(kept["oldest_ms"], waited)
	return by_agent


def _open_tickets(filters: Any, now: int) -> list[Any]:
	"""How many there are, and since when the first has waited (`now`: nobody waits), by agent and branch."""
	ticket = frappe.qb.DocType("Khalifa Ticket")
	counts = {
		"open": Count("*"),
		"pending": Sum(ticket.status == "Pending"),
		"waiting": Sum(ticket.waiting_since_ms > 0),
		"delayed": Sum(lateness.is_delayed(ticket, now)),
		"since": Coalesce(Min(NullIf(ticket.waiting_since_ms, 0)), now),
	}
	chosen = reports.chosen(filters, {"branch": ticket.branch})
	query = frappe.qb.from_(ticket).select(
		ticket.agent, ticket.branch, *(count.as_(name) for name, count in counts.items())
	)
	query = query.where(Criterion.all([ticket.status.isin(("Queued", "Open", "Pending")), *chosen]))
	return query.groupby(ticket.agent, ticket.branch).run(as_dict=True)


def _agents(filters: Any, with_figures: set[Any]) -> list[Any]:
	"""Enabled agents, and those who left and have figures all the same."""
	agent = frappe.qb.DocType("Khalifa Agent")
	is_there = Criterion.all([agent.enabled == 1, *reports.chosen(filters, {"branch": agent.branch})])
	has_figures = agent.name.isin([*filter(None, with_figures), ""])
	fields = ("name", "employee_name", "branch", "presence", "capacity", "enabled")
	return frappe.qb.from_(agent).select(*fields).where(is_there | has_figures).run(as_dict=True)


def _row(agent: Any, held: dict[Any, Any], done: dict[str, Any], branch: str | None) -> dict[str, Any]:
	settings = reports.store().rules().settings
	figures = done.get(agent.name) or {"agent": agent.name, **dict.fromkeys(SUMS, 0)}
	report_kpi.finish(figures, settings.min_sample_daily, settings, None)
	state = agent.presence if agent.enabled else "Disabled"
	return {
		**figures,
		**_in_hand(held.get(agent.name)),
		"agent": agent.name,
		"agent_name": reports.safe(agent.employee_name),
		"branch": agent.branch,
		"state": state,
		"presence": _(state),
		"capacity": agent.capacity,
		"links": _links(agent.name, branch),
	}


def _in_hand(row: dict[str, int] | None) -> dict[str, Any]:
	counts = {name: row[name] if row else 0 for name in NOW}
	return {**counts, "oldest": row["oldest_ms"] // lateness.MINUTE_MS if row and row["waiting"] else None}


def _links(agent: str | None, branch: str | None) -> dict[str, str]:
	"""Lists behind the figures of now."""
	whose = {"agent": agent or ["is", "not set"], "branch": branch}
	late = {"agent": agent or "", "branch": branch or "", "is_queued": "" if agent else "1"}
	return {
		**({"agent_name": f"/app/khalifa-agent/{agent}"} if agent else {}),
		"open": reports.link("Khalifa Ticket", **whose, status=["in", ["Queued", "Open", "Pending"]]),
		"pending": reports.link("Khalifa Ticket", **whose, status="Pending"),
		"waiting": reports.link(
			"Khalifa Ticket", **whose, status=["in", ["Queued", "Open"]], waiting_since=["is", "set"]
		),
		"delayed": reports.report_link("WhatsApp Delayed Tickets Now", **late),
	}


def _queue_row(row: dict[str, int] | None, branch: str | None) -> dict[str, Any]:
	return {**_in_hand(row), "agent_name": _("Waiting for an agent"), "links": _links(None, branch)}


def _shown(rows: list[dict[str, Any]], queue: dict[str, Any]) -> list[dict[str, Any]]:
	settings = reports.store().rules().settings

	def means(row: dict[str, Any]) -> None:
		report_kpi.finish(row, 1, settings, None)

	listed = [queue, *rows] if queue["open"] else rows
	total = reports.total_row(listed, (*NOW, *SUMS), means)
	return [*listed, {**total, "agent_name": _("Total"), "score": None}] if listed else []


def _columns() -> list[dict[str, Any]]:
	return [
		*reports.agent_columns(170, 130),
		reports.column("presence", _("Presence"), width=100),
		reports.column("waiting", _("Waiting Now"), "Int", 110),
		reports.column("delayed", _("Delayed Now"), "Int", 110),
		reports.column("oldest", _("Longest Wait (Minutes)"), "Int", 160),
		reports.column("open", _("Open"), "Int", 90),
		reports.column("pending", _("Customer's Turn"), "Int", 120),
		reports.column("capacity", _("Capacity"), "Int", 90),
		*report_kpi.columns(
			tickets_handled=90,
			messages_sent=100,
			first_response=170,
			response=150,
			delays=90,
			missed=90,
			satisfaction=110,
			online_hours=120,
		),
	]


def _chart(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
	loaded = [row for row in rows if row["open"]]
	return reports.chart(
		[row["agent_name"] for row in loaded],
		reports.Line(_("Waiting Now"), reports.ORANGE, [row["waiting"] for row in loaded]),
		reports.Line(_("Others Open"), reports.BLUE, [row["open"] - row["waiting"] for row in loaded]),
		is_stacked=True,
	)


def _summary(rows: list[dict[str, Any]], queue: dict[str, Any]) -> list[dict[str, Any]]:
	total = {name: queue[name] + sum(row[name] for row in rows) for name in NOW}
	online = sum(row["state"] == "Online" for row in rows)
	return [
		reports.figure(_("Online"), online, "Green" if online else "Red"),
		reports.figure(_("Open Conversations"), total["open"]),
		reports.figure(_("In the Queue"), queue["open"], "Orange" if queue["open"] else "Green"),
		reports.figure(_("Waiting Now"), total["waiting"]),
		reports.figure(_("Delayed Now"), total["delayed"], reports.red_if(total["delayed"])),
	]
