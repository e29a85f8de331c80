"""Take away all that the app put on the site.

Frappe itself drops the DocTypes and their tables in between.
"""

from __future__ import annotations

import frappe

from khalifa_whatsapp.jobs import minute_mark
from khalifa_whatsapp.setup.install import ROLES, SEQUENCE_SLUG, TICKET_NUMBERS

SEQUENCES = (f"{TICKET_NUMBERS}{SEQUENCE_SLUG}", "Khalifa Webhook Event_id_seq")
# Frappe's own tables that name a DocType, and the column that does
TRACES = {
	"Comment": "reference_doctype",
	"Version": "ref_doctype",
	"Tag Link": "document_type",
	"Notification Log": "document_type",
	"Logs To Clear": "ref_doctype",
	"Singles": "doctype",
	"__Auth": "doctype",
	"__UserSettings": "doctype",
}


def before_uninstall() -> None:
	"""Everything that is deleted row by row: Frappe commits these rows together with its own."""
	doctypes = our_doctypes()
	delete_files(doctypes)
	delete_traces(doctypes)
	delete_jobs()
	delete_roles()
	frappe.db.delete("Series", {"name": "KA-"})
	minute_mark.delete()


def after_uninstall() -> None:
	"""Frappe calls it once the DocTypes are gone."""
	drop_sequences()


def our_doctypes() -> list[str]:
	"""The names of the DocTypes of our module."""
	return frappe.get_all("DocType", {"module": "Khalifa WhatsApp"}, pluck="name")


def delete_files(doctypes: list[str]) -> None:
	"""Customers' media must not outlive their conversations."""
	for name in frappe.get_all("File", {"attached_to_doctype": ("in", doctypes)}, pluck="name"):
		frappe.delete_doc("File", name, force=True, ignore_permissions=True)


def delete_traces(doctypes: list[str]) -> None:
	"""What Frappe's own tables hold about our DocTypes."""
	for table, column in TRACES.items():
		frappe.db.delete(table, {column: ("in", doctypes)})


def delete_jobs() -> None:
	"""Our scheduled jobs and their logs."""
	jobs = frappe.get_all("Scheduled Job Type", {"method": ("like", "khalifa_whatsapp.%")}, pluck="name")
	frappe.db.delete("Scheduled Job Log", {"scheduled_job_type": ("in", jobs)})
	frappe.db.delete("Scheduled Job Type", {"name": ("in", jobs)})


def drop_sequences() -> None:
	"""The counters behind names that count up."""
	for name in SEQUENCES:
		frappe.db.sql_ddl(f"drop sequence if exists `{frappe.scrub(name)}`")


def delete_roles() -> None:
	"""Our roles, and who has them."""
	for role in ROLES:
		frappe.db.delete("Has Role", {"role": role})
		frappe.delete_doc("Role", role, force=True, ignore_missing=True, ignore_permissions=True)
