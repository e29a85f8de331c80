"""The demonstration on a site: seeded with plain documents, then filled in one transaction.

Whatever belongs to it carries a mark: its device, its customers' names, its people's mail domain, or the
owner of its documents. So no list of its rows is kept, an interrupted filling leaves nothing half done, and
`remove` finds all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from random import Random

import frappe
from frappe import _
from frappe.desk.doctype.notification_settings.notification_settings import create_notification_settings
from frappe.utils import get_system_timezone

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.demo import auto_replies, company, costs, fill, templates, watch
from khalifa_whatsapp.demo.clear import remove_all
from khalifa_whatsapp.demo.plan import make_plan
from khalifa_whatsapp.demo.play import Month, make_month
from khalifa_whatsapp.guards import AGENT_ROLE, MANAGER_ROLE, forget_actors
from khalifa_whatsapp.services import kpi
from khalifa_whatsapp.site_devices import forget_devices

MAX_TICKETS, MAX_DAYS = 20_000, 180
LOCK = "demo"
ReportProgress = Callable[[str, float], None]


class DemoRefused(Exception):
	"""The demonstration was not built; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Order:
	"""What was asked for."""

	tickets: int = 3000
	days: int = 30
	seed: int = 1
	is_forced: bool = False


def build(order: Order, report_progress: ReportProgress = lambda what, share: None) -> dict[str, int]:
	"""Put the demonstration on the site; how many rows of each kind. Nothing when it is there already."""
	if not (1 <= order.tickets <= MAX_TICKETS and 1 <= order.days <= MAX_DAYS):
		raise DemoRefused(_("Choose 1 to {0} tickets in 1 to {1} days.").format(MAX_TICKETS, MAX_DAYS))
	with on_site().lock(LOCK) as is_ours:
		if not is_ours:
			raise DemoRefused(_("Somebody else is at the demonstration of this site. Wait until it is done."))
		if is_complete():
			return {}
		is_shared = has_own_work()
		if is_shared and not order.is_forced:
			raise DemoRefused(_("This site has devices or tickets of its own. Use another site, or --force."))
		_refuse_other_device()
		remove_all()  # what an interrupted run left
		seed_company(is_shared)
		month = _play(order, is_shared, report_progress)
		try:
			return _fill(month, order, is_shared, report_progress)
		finally:
			month.host.close()


def remove() -> dict[str, list[str]]:
	"""Take the demonstration away; gives what had to stay, for others' rows speak of it."""
	with on_site().lock(LOCK) as is_ours:
		if not is_ours:
			raise DemoRefused(_("Somebody else is at the demonstration of this site. Wait until it is done."))
		return remove_all()


def is_complete() -> bool:
	"""Whether the demonstration is there: its device is switched on last."""
	return bool(
		frappe.db.exists("WhatsApp Device", {"name": company.DEVICE, "owner": company.OWNER, "enabled": 1})
	)


def has_own_work() -> bool:
	"""Whether people work on this site: another device, or a ticket of one."""
	other = {"name": ("!=", company.DEVICE)}
	return bool(
		frappe.db.exists("WhatsApp Device", other)
		or frappe.db.exists("Khalifa Ticket", {"device": ("!=", company.DEVICE)})
	)


def _refuse_other_device() -> None:
	owner = frappe.db.get_value("WhatsApp Device", company.DEVICE, "owner")
	if owner not in (None, company.OWNER):
		raise DemoRefused(_("{0} is there already, and not of the demonstration.").format(company.DEVICE))
	for branch in company.branch_names():
		if frappe.db.get_value("Khalifa Branch", branch, "owner") not in (None, company.OWNER):
			raise DemoRefused(_("{0} is there already, and not of the demonstration.").format(branch))


# -- the company
def seed_company(is_shared: bool) -> None:
	"""Branches, people, quick replies and the device. On a shared site no holiday is declared, and its people
	stay offline until somebody signs in as one of them: so they take none of the site's own conversations.
	"""
	_add(
		"WhatsApp Device", device_name=company.DEVICE, provider="loopback", enabled=0, is_connection_wanted=0
	)
	for number, name in enumerate(company.branch_names()):
		_add(
			"Khalifa Branch",
			branch_name=name,
			address=f"المنصورة، {company.STREETS[number]}",
			always_open=int(number < company.ALWAYS_OPEN),
			working_hours=company.working_hours(number),
		)
	_add_user(company.OWNER, company.MANAGER_NAME, MANAGER_ROLE)
	for employee in company.employees():
		_add_user(employee.user, employee.name, AGENT_ROLE)
		_add(
			"Khalifa Agent",
			user=employee.user,
			employee_name=employee.name,
			branch=employee.branch,
			enabled=1,
			shifts=company.shift_rows(employee.spans),
		)
	templates.add()
	add_auto_replies(is_shared)
	if not is_shared:
		_add_holidays(frappe.utils.getdate())
	frappe.db.commit()
	forget_actors()


def add_auto_replies(is_shared: bool) -> None:
	"""Rules for the demonstration's device; where others work, they stay disabled."""
	for row in auto_replies.RULES:
		if not frappe.db.exists("Khalifa Auto Reply", row["title"]):
			enabled = 0 if is_shared else row.get("enabled", 1)
			_add("Khalifa Auto Reply", **{**row, "device": company.DEVICE, "enabled": enabled})


def _add(doctype: str, **fields: object) -> None:
	doc = frappe.get_doc({"doctype": doctype, **fields})
	doc.insert(ignore_permissions=True)
	doc.db_set("owner", company.OWNER, update_modified=False)


def _add_user(email: str, full_name: str, role: str) -> None:
	"""Straight to the table: a saved User is looked up in the network for a picture, and gets a contact."""
	first, _, last = full_name.partition(" ")
	frappe.get_doc(
		{
			"doctype": "User",
			"name": email,
			"email": email,
			"first_name": first,
			"last_name": last,
			"full_name": full_name,
			"enabled": 1,
			"user_type": "System User",
			"send_welcome_email": 0,
		}
	).db_insert()
	frappe.get_doc(
		{
			"doctype": "Has Role",
			"name": frappe.generate_hash(length=10),
			"parent": email,
			"parenttype": "User",
			"parentfield": "roles",
			"role": role,
			"idx": 1,
		}
	).db_insert()
	create_notification_settings(email)


def _add_holidays(today: date) -> None:
	for row in company.holidays(today):
		if not frappe.db.exists("Khalifa Calendar Exception", {"date": row["date"]}):
			child = frappe.get_doc(
				{
					"doctype": "Khalifa Calendar Exception",
					"name": frappe.generate_hash(length=10),
					**row,
					"parent": "Khalifa Settings",
					"parenttype": "Khalifa Settings",
					"idx": 99,
					"parentfield": "calendar_exceptions",
					"owner": company.OWNER,
				}
			)
			child.db_insert()
			child.db_set("owner", company.OWNER, update_modified=False)
	frappe.clear_document_cache("Khalifa Settings", "Khalifa Settings")


# -- its month
def _play(order: Order, is_shared: bool, report_progress: ReportProgress) -> Month:
	store = on_site()
	end = now_ms() // 1000 * 1000
	start = end - order.days * DAY_MS
	users = {employee.user: employee for employee in company.employees()}
	names = frappe.get_all("Khalifa Agent", {"user": ("in", list(users))}, pluck="name", order_by="user")
	agents, shifts = store.agents(names), store.agents_in_shift()
	for agent in agents.values():
		agent.enabled = 1
	people = [(agents[name], shifts.get(name)) for name in names]
	taken = set(frappe.get_all("Khalifa Customer Identity", {"kind": "phone"}, pluck="value"))
	rng = Random(order.seed)
	callers = company.callers(rng, order.tickets, taken)
	plan = make_plan(
		rng, callers, list(users.values()), order.tickets, start, end, get_system_timezone(), not is_shared
	)
	month = make_month(store.rules(), people, plan, order.seed, start, end)
	month.report_progress = lambda share: report_progress("play", share)
	month.play()
	if is_shared:
		month.go_home()
	else:
		month.leave_some_in_queues()
	return month


def _fill(month: Month, order: Order, is_shared: bool, report_progress: ReportProgress) -> dict[str, int]:
	store = on_site()
	counts = fill.copy(
		month, store, Random(f"{order.seed} desk"), is_shared, lambda share: report_progress("store", share)
	)
	watch.fill(month.end_ms - order.days * DAY_MS, month.end_ms)
	forget_devices()
	costs.fill(store, now_ms())
	report_progress("figures", 0)
	kpi.rollup_dirty(store, now_ms())
	frappe.clear_cache()
	report_progress("figures", 1)
	return counts
