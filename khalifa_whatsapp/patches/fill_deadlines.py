"""Give the waits that were open before tickets had deadlines of their own theirs.

What stood in `response_by` was the moment of the minute job's next look. A run that was cut off, or a second
one, finds what is left.
"""

from __future__ import annotations

import frappe
from frappe.query_builder.functions import Coalesce

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.services.tickets import delays

TICKET = "Khalifa Ticket"
OLD = "before"  # the version of no rules
OLD_INDEX = ("response_by_ms", "status", "agent")


def execute() -> None:
	"""Mark the open waits without a version, and work out what all that are marked lack."""
	ticket = frappe.qb.DocType(TICKET)
	is_waiting = ticket.status.isin(("Queued", "Open")) & (ticket.waiting_since_ms > 0)
	has_no_version = Coalesce(ticket.rules_version, "") == ""
	frappe.qb.update(ticket).set(ticket.rules_version, OLD).where(is_waiting & has_no_version).run()
	without_deadline = frappe.qb.update(ticket).set(ticket.response_by_ms, 0).set(ticket.response_by, None)
	without_deadline.where((ticket.response_by_ms > 0) & (ticket.waiting_since_ms == 0)).run()
	frappe.db.commit()
	while delays.renew_deadlines(on_site(), now_ms()):
		pass
	_drop_old_index()


def _drop_old_index() -> None:
	name = frappe.db.get_index_name(OLD_INDEX)
	if frappe.db.has_index(f"tab{TICKET}", name):
		frappe.db.sql_ddl(f"alter table `tab{TICKET}` drop index `{name}`")
