"""Copying the month that was played into the site, all of it in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any

import frappe

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.keys import survey_key
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.demo import company, texts
from khalifa_whatsapp.demo.play import Month
from khalifa_whatsapp.stores.base import Changes
from khalifa_whatsapp.stores.schema import table_of
from khalifa_whatsapp.stores.site_store import SiteStore

CHUNK = 5_000
OBJECTIONS, NOTED, TAGGED = 6, 40, 60
COPIED = (
	records.Customer,
	records.CustomerIdentity,
	records.Ticket,
	records.TicketEvent,
	records.Message,
	records.MessageLog,
	records.Turn,
	records.Segment,
	records.DelayEvent,
	records.PresenceLog,
	records.CloseBatch,
	records.CloseBatchItem,
	records.ConsentEvent,
	records.Satisfaction,
	records.Campaign,
	records.CampaignRecipient,
)
OF_CUSTOMERS = (
	records.CustomerIdentity,
	records.Ticket,
	records.Message,
	records.Turn,
	records.DelayEvent,
	records.ConsentEvent,
	records.Satisfaction,
	records.CampaignRecipient,
)
# (table, creation, modified): lists sort and show by these
TIMES = (
	("Khalifa Customer", "created_on", "last_in_on"),
	("Khalifa Ticket", "opened_on", "last_message_on"),
	("Khalifa Message", "received_on", "sent_on"),
	("Khalifa Delay Event", "at_on", "at_on"),
	("Khalifa Close Batch", "requested_on", "requested_on"),
	("Khalifa Satisfaction", "planned_on", "answered_on"),
	("Khalifa Consent Event", "known", "known"),
	("Khalifa Campaign", "planned_on", "ended_on"),
)


def copy(
	month: Month, store: SiteStore, rng: Random, is_shared: bool, report_progress: Callable[[float], None]
) -> dict[str, int]:
	"""Write every row of the month to the site; how many of each kind."""
	rows = {kind: _rows(month, kind) for kind in COPIED}
	_number_tickets(rows, store)
	_mark_customers(rows)
	_object(rows[records.DelayEvent], rng)
	total = sum(map(len, rows.values()))
	done = 0
	with store.transaction():
		for kind, stored in rows.items():
			for start in range(0, len(stored), CHUNK):
				store.save(Changes(created={kind: stored[start : start + CHUNK]}))
				done += len(stored[start : start + CHUNK])
				report_progress(done / total)
		_date(store, rows)
		_write_desk_texts(store, rows, rng)
		_set_presence(month, store, is_shared)
		store.run(
			"UPDATE `tabWhatsApp Device` SET enabled = 1, state = 'Connected' WHERE name = ?",
			(company.DEVICE,),
		)
	return {kind.DOCTYPE: len(stored) for kind, stored in rows.items()}


def _rows(month: Month, kind: Any) -> list[Any]:
	table = table_of(kind)
	rows = month.host.store.rows(f"SELECT {table.select} FROM {table.name} ORDER BY name")
	return [kind(*row) for row in rows]


def _number_tickets(rows: dict[Any, list[Any]], store: SiteStore) -> None:
	"""Give tickets numbers of the site's own sequence, everywhere."""
	tickets = rows[records.Ticket]
	numbers = dict(zip([t.name for t in tickets], store.next_ticket_names(len(tickets)), strict=True))
	for ticket in tickets:
		ticket.name = numbers[ticket.name]
	for kind in (
		records.TicketEvent,
		records.Message,
		records.Turn,
		records.Segment,
		records.DelayEvent,
		records.CloseBatchItem,
		records.Satisfaction,
	):
		for record in rows[kind]:
			record.ticket = numbers[record.ticket]
	for survey in rows[records.Satisfaction]:
		survey.survey_key = survey_key(survey.ticket, survey.cycle)
		survey.notified_ms = survey.answered_ms  # nobody is notified of a month that never was
	for event in rows[records.ConsentEvent]:
		event.ticket = numbers.get(event.ticket)
	for recipient in rows[records.CampaignRecipient]:
		recipient.ticket = numbers.get(recipient.ticket)


def _mark_customers(rows: dict[Any, list[Any]]) -> None:
	"""Give customers names that no other row can have: the alphabet of names has no «o»."""
	for customer in rows[records.Customer]:
		customer.name = _marked(customer.name)
	for kind in OF_CUSTOMERS:
		for record in rows[kind]:
			record.customer = record.customer and _marked(record.customer)


def _marked(name: str) -> str:
	return company.CUSTOMER_MARK + name[len(company.CUSTOMER_MARK) :]


def _object(delays: list[records.DelayEvent], rng: Random) -> None:
	"""Some agents object to their delays; on some a manager has decided."""
	charged = [delay for delay in delays if delay.kind == "Agent" and delay.closed_ms]
	latest = sorted(charged, key=lambda delay: delay.at_ms)[-5 * OBJECTIONS :]
	chosen = rng.sample(latest, min(OBJECTIONS, len(latest)))
	users = dict(frappe.get_all("Khalifa Agent", fields=["name", "user"], as_list=True))
	for number, delay in enumerate(chosen):
		delay.objection_status = ("Open", "Open", "Accepted", "Rejected")[number % 4]
		delay.objection, delay.objected_by = rng.choice(texts.OBJECTIONS), users.get(delay.agent)
		delay.objected_ms = delay.closed_ms
		if delay.objection_status != "Open":
			delay.decision, delay.decided_by = texts.DECISION, company.OWNER
			delay.decided_ms = (delay.closed_ms or 0) + DAY_MS


def _date(store: SiteStore, rows: dict[Any, list[Any]]) -> None:
	"""The days of the month are to be added up, and are ours where they are new;
	rows get the age of their story.
	"""
	calendar = store.rules().calendar
	moments = [ticket.opened_ms for ticket in rows[records.Ticket]] + [
		event.at_ms for event in rows[records.TicketEvent]
	]
	days = sorted({calendar.local_date(moment) for moment in moments})
	known = {row[0] for row in store.rows("SELECT kpi_date FROM `tabKhalifa KPI Day`")}
	for day in days:
		store.mark_day(day, is_dirty=1)
	_own_days(store, [day for day in days if day not in known])
	ours = {
		"Khalifa Customer": ("name LIKE ?", f"{company.CUSTOMER_MARK}%"),
		"Khalifa Close Batch": ("requested_by = ?", company.OWNER),
		"Khalifa Consent Event": ("customer LIKE ?", f"{company.CUSTOMER_MARK}%"),
		"Khalifa Delay Event": (
			"ticket IN (SELECT name FROM `tabKhalifa Ticket` WHERE device = ?)",
			company.DEVICE,
		),
	}
	for table, creation, modified in TIMES:
		where, value = ours.get(table, ("device = ?", company.DEVICE))
		store.run(
			f"UPDATE `tab{table}` SET creation = COALESCE({creation}, creation), "
			f"modified = COALESCE({modified}, modified) WHERE {where}",
			(value,),
		)


def _own_days(store: SiteStore, days: list[date]) -> None:
	for day in days:
		store.run("UPDATE `tabKhalifa KPI Day` SET owner = ? WHERE kpi_date = ?", (company.OWNER, day))


def _write_desk_texts(store: SiteStore, rows: dict[Any, list[Any]], rng: Random) -> None:
	"""What people wrote in Desk: notes on customers, tags."""
	customers = [customer.name for customer in rows[records.Customer]]
	for name in rng.sample(customers, min(NOTED, len(customers))):
		store.run(
			"UPDATE `tabKhalifa Customer` SET notes = ? WHERE name = ?", (rng.choice(texts.NOTES), name)
		)
	for name in rng.sample(customers, min(TAGGED, len(customers))):
		_tag(store, "Khalifa Customer", name, rng.choice(texts.TAGS))


def _tag(store: SiteStore, doctype: str, name: str, tag: str) -> None:
	if not frappe.db.exists("Tag", tag):
		frappe.get_doc({"doctype": "Tag", "name": tag}).insert(ignore_permissions=True)
		frappe.db.set_value("Tag", tag, "owner", company.OWNER, update_modified=False)
	store.run(f"UPDATE `tab{doctype}` SET _user_tags = ? WHERE name = ?", (f",{tag}", name))
	link = {"doctype": "Tag Link", "document_type": doctype, "document_name": name, "title": name, "tag": tag}
	frappe.get_doc(link).insert(ignore_permissions=True)


def _set_presence(month: Month, store: SiteStore, is_shared: bool) -> None:
	"""As the month ended.

	Nobody's page is open: their last sign of life lies a day ahead, so that they stay.
	"""
	agents = {}
	for agent in _rows(month, records.Agent):
		if agent.presence != records.OFFLINE:
			agent.heartbeat_ms = month.end_ms + DAY_MS
		agents[agent.name] = agent
	store.save(Changes(updated={records.Agent: agents}))
	# what people read of it
	store.run(
		"UPDATE `tabKhalifa Agent` SET heartbeat_on = presence_on WHERE user LIKE ?", (f"%@{company.DOMAIN}",)
	)
