"""Give the waits that were open before tickets had deadlines of their own theirs.

What stood in `response_by` was the moment of the minute job's next look. A run that was cut off, or a second
one, finds what is left.
"""

from __future__ import annotations

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.services.tickets import delays

OLD = "before"  # the version of no rules
OLD_INDEX = ("response_by_ms", "status", "agent")


def execute() -> None:
	"""Mark the open waits without a version, and work out what all that are marked lack."""
	table = "`tabKhalifa Ticket`"
	frappe.db.sql(
		f"update {table} set rules_version = %s where status in ('Queued', 'Open') and waiting_since_ms > 0 "
		"and coalesce(rules_version, '') = ''",
		(OLD,),
	)
	frappe.db.sql(
		f"update {table} set response_by_ms = 0, response_by = null where response_by_ms > 0 and "
		"waiting_since_ms = 0"
	)
	frappe.db.commit()
	while delays.renew_deadlines(on_site(), now_ms()):
		pass
	_drop_old_index()


def _drop_old_index() -> None:
	name = frappe.db.get_index_name(OLD_INDEX)
	if frappe.db.sql("show index from `tabKhalifa Ticket` where Key_name = %s", (name,)):
		frappe.db.sql_ddl(f"alter table `tabKhalifa Ticket` drop index `{name}`")
