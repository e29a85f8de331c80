"""What a site needs beside the DocTypes. Every step may run again at any time and changes nothing then."""

from __future__ import annotations

import frappe
from frappe.query_builder.functions import Cast, Max, Substring

from khalifa_whatsapp.guards import AGENT_ROLE, MANAGER_ROLE
from khalifa_whatsapp.setup.indexes import add_all_indexes
from khalifa_whatsapp.setup.onboarding import mark_steps

ROLES = (AGENT_ROLE, MANAGER_ROLE)
TICKET_NUMBERS = "Khalifa Ticket Number"  # its sequence: khalifa_ticket_number_seq
SEQUENCE_SLUG = "_seq"
TICKET_PREFIX, NAME_LENGTH = "KT-", 140


def after_install() -> None:
	"""Frappe calls it once the DocTypes are there."""
	prepare_site()


def after_migrate() -> None:
	"""Frappe calls it after every migration: what is there stays."""
	prepare_site()


def prepare_site() -> None:
	"""Roles, settings, numbers and indexes. Idempotent."""
	add_roles()
	fill_settings()
	add_ticket_numbers()
	add_all_indexes()
	open_reports_at_once()
	mark_steps()


def add_roles() -> None:
	"""Our roles, with access to Desk."""
	for role in ROLES:
		if not frappe.db.exists("Role", role):
			frappe.get_doc({"doctype": "Role", "role_name": role}).insert(ignore_permissions=True)
		frappe.db.set_value("Role", role, "desk_access", 1)


def fill_settings() -> None:
	"""Store the defaults of settings that have no value yet; what a manager chose stays."""
	stored = frappe.db.get_singles_dict("Khalifa Settings")
	fields = frappe.get_meta("Khalifa Settings").fields
	missing = {df.fieldname: df.default for df in fields if df.default and df.fieldname not in stored}
	for fieldname, value in missing.items():
		frappe.db.set_single_value("Khalifa Settings", fieldname, value)


def add_ticket_numbers() -> None:
	"""The sequence that tickets are numbered from.

	On a site restored without it, it goes on after the last.
	"""
	frappe.db.create_sequence(
		TICKET_NUMBERS, slug=SEQUENCE_SLUG, check_not_exists=True, start_value=last_ticket_number() + 1
	)


def last_ticket_number() -> int:
	"""The highest number that a ticket bears; 0 where there is none."""
	ticket = frappe.qb.DocType("Khalifa Ticket")
	number = Cast(Substring(ticket.name, len(TICKET_PREFIX) + 1, NAME_LENGTH), "UNSIGNED")
	last = frappe.qb.from_(ticket).select(Max(number)).where(ticket.name.like(f"{TICKET_PREFIX}%"))
	return int(last.run()[0][0] or 0)


def open_reports_at_once() -> None:
	"""Frappe makes a background report of one that failed once, as they do while code and workers change."""
	ours = {"module": "Khalifa WhatsApp", "is_standard": "Yes", "prepared_report": 1}
	frappe.db.set_value("Report", ours, "prepared_report", 0, update_modified=False)
