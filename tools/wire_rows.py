"""Puts people and rows of others on a site, the same on each: for `wire_compare`,
which runs it by the bench's Python.
"""

from __future__ import annotations

import sys
from typing import Any

import frappe
from frappe.utils.password import update_password
from wire_requests import COLLEAGUE, PEOPLE, ROWS, VISITOR

AT = "2030-01-02 03:04:05.000000"
VALUES: dict[str, dict[str, Any]] = {
	"Activity Log": {
		"subject": "x",
		"user": COLLEAGUE,
		"reference_doctype": "User",
		"reference_name": COLLEAGUE,
	},
	"Comment": {
		"comment_type": "Comment",
		"reference_doctype": "Note",
		"reference_name": "wr-note",
		"content": "Khalifa Ticket",
	},
	"Communication": {
		"subject": "File",
		"content": "x",
		"communication_type": "Communication",
		"reference_doctype": "Note",
		"reference_name": "wr-note",
	},
	"Contact": {"first_name": "Khalifa Ticket"},
	"DocShare": {"user": COLLEAGUE, "share_doctype": "Note", "share_name": "wr-note", "read": 1},
	"Document Follow": {"ref_doctype": "Note", "ref_docname": "wr-note", "user": COLLEAGUE},
	"Error Log": {"method": "x", "error": "WhatsApp Device"},
	"Event": {"subject": "File", "event_type": "Public", "starts_on": AT, "status": "Open"},
	"File": {"file_name": "wr-file.txt", "file_url": "/files/wr-file.txt", "is_private": 0, "folder": "Home"},
	"Kanban Board": {"kanban_board_name": "wr-board", "reference_doctype": "ToDo", "field_name": "status"},
	"List Filter": {"filter_name": "x", "reference_doctype": "ToDo", "for_user": COLLEAGUE, "filters": "[]"},
	"Note": {"title": "Khalifa Ticket", "content": "WhatsApp Device", "public": 1},
	"Notification Log": {
		"subject": "x",
		"for_user": COLLEAGUE,
		"document_type": "Note",
		"document_name": "wr-note",
	},
	"Number Card": {"label": "wr-card", "document_type": "ToDo", "function": "Count", "is_public": 1},
	"Prepared Report": {"report_name": "ToDo", "status": "Completed"},
	"Tag Link": {"document_type": "Note", "document_name": "wr-note", "tag": "wr-old"},
	"ToDo": {
		"description": "Khalifa Message",
		"allocated_to": COLLEAGUE,
		"status": "Open",
		"reference_type": "Note",
		"reference_name": "wr-note",
	},
	"Version": {"ref_doctype": "Note", "docname": "wr-note", "data": "{}"},
	"View Log": {"viewed_by": COLLEAGUE, "reference_doctype": "Note", "reference_name": "wr-note"},
	"Web Page": {
		"title": "File",
		"route": "wr-page",
		"published": 1,
		"main_section": "WhatsApp Device",
		"content_type": "Rich Text",
	},
	"Blog Category": {"title": "File", "published": 1},
	"Web Form": {
		"title": "File",
		"route": "wr-form",
		"doc_type": "Note",
		"published": 1,
		"module": "Website",
		"introduction_text": "Khalifa Ticket",
	},
}


def make_people(agent: str, password: str) -> None:
	for email, roles in {COLLEAGUE: (), **PEOPLE}.items():
		if email == "Guest":
			continue
		frappe.delete_doc("User", email, force=True, ignore_missing=True)
		user = {
			"doctype": "User",
			"email": email,
			"first_name": email.partition("@")[0],
			"send_welcome_email": 0,
		}
		made = frappe.get_doc({**user, "roles": [{"role": role} for role in roles]})
		made.flags.no_welcome_mail = True
		made.insert(ignore_permissions=True)
		# Frappe takes whoever has no role for a visitor of the website
		frappe.db.set_value("User", email, "user_type", "Website User" if email == VISITOR else "System User")
		update_password(email, password)
	if "khalifa_whatsapp" in frappe.get_installed_apps():
		make_agent(agent)


def make_agent(user: str) -> None:
	if not frappe.db.exists("Khalifa Agent", {"user": user}):
		frappe.get_doc(
			{"doctype": "Khalifa Agent", "user": user, "employee_name": "Ali", "capacity": 5}
		).insert(ignore_permissions=True)
	frappe.get_doc("User", user).add_roles("WhatsApp Agent")


def make_rows() -> None:
	for doctype in (
		"Activity Log",
		"Comment",
		"Communication",
		"DocShare",
		"Document Follow",
		"Error Log",
		"Note",
		"Tag Link",
		"ToDo",
		"Version",
	):
		frappe.db.delete(doctype)
	frappe.db.delete("File", {"owner": ("like", "%@wire.example")})
	for doctype, values in VALUES.items():
		insert(doctype, ROWS[doctype], values)
	for name, private in (("wr-file.txt", 0), ("wr-private.txt", 1)):
		path = frappe.get_site_path("private" if private else "public", "files", name)
		with open(path, "w", encoding="utf-8") as file:
			file.write(name)
	private = {
		"file_name": "wr-private.txt",
		"file_url": "/private/files/wr-private.txt",
		"is_private": 1,
		"folder": "Home",
	}
	insert("File", "wr-private", private)


def insert(doctype: str, name: str, values: dict[str, Any]) -> None:
	row = {
		"name": name,
		"owner": COLLEAGUE,
		"modified_by": COLLEAGUE,
		"creation": AT,
		"modified": AT,
		**values,
	}
	row = {key: value for key, value in row.items() if frappe.db.has_column(doctype, key)}  # versions differ
	frappe.db.delete(doctype, {"name": name})
	frappe.db.bulk_insert(doctype, list(row), [list(row.values())])


def main() -> None:
	site, agent, password = sys.argv[1:]
	frappe.init(site=site, sites_path=".")
	frappe.connect()
	frappe.flags.mute_emails = True
	make_people(agent, password)
	make_rows()
	frappe.db.commit()
	frappe.clear_cache()
	frappe.destroy()


if __name__ == "__main__":
	main()
