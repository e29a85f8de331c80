"""Exports of ours that are made in the background: guarded as all others, and read by whoever asked for them,
alone.

Frappe (since 15.101) writes such files as they are and attaches them to the report, which every user of Desk
may read. So ours are made here, by the very ways that download them, into a private file that hangs on
nothing: its owner reads it, and it goes after as many hours as Frappe's own.
"""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.core.doctype.file.file import File
from frappe.utils import add_to_date, cint, escape_html, get_url, now_datetime

FOLDER = "WhatsApp Exports"
HOURS = 48


def enqueue(method: str) -> None:
	"""Do later what `method`, which downloads a file, was asked for now."""
	form = {
		key: value for key, value in frappe.form_dict.items() if key not in ("cmd", "export_in_background")
	}
	frappe.enqueue(f"{__name__}.export", queue="long", route=method, form=form)
	frappe.msgprint(
		_("Your export is being made. You will find it among your notifications, and get a link by mail.")
	)


def export(route: str, form: dict[str, Any]) -> None:
	"""The job, with the rights of whoever asked."""
	frappe.local.form_dict, frappe.local.response = frappe._dict(form), frappe._dict(docs=[])
	frappe.get_attr(route)()
	answer = frappe.response
	if answer.get("filename"):
		notify(store(answer.pop("filename"), answer.pop("filecontent")))
	else:  # Frappe makes no file of nothing
		_notify(_("Your export has no rows, so there is no file. Choose other filters."))


def store(name: str, content: bytes) -> File:
	"""Keep the export as a private file in the asker's own folder."""
	file = {"doctype": "File", "file_name": name, "content": content, "is_private": 1, "folder": _folder()}
	return frappe.get_doc(file).save(ignore_permissions=True)


def notify(file: File) -> None:
	"""Notify the asker on the bell and by mail that the file is there."""
	user, link = frappe.session.user, file.unique_url
	subject = _("Your export is ready: {0}").format(escape_html(file.file_name))
	_notify(subject, link)
	text = _("It can be downloaded for {0} hours:").format(_hours())
	mail = {"recipients": [frappe.get_cached_value("User", user, "email")], "subject": subject}
	try:
		frappe.sendmail(
			**mail, message=f'{text}<br><a href="{get_url(link)}">{escape_html(file.file_name)}</a>'
		)
	except frappe.OutgoingEmailError:
		frappe.clear_last_message()  # a site that sends no mail: the notification is there


def _notify(subject: str, link: str | None = None) -> None:
	notice = {"for_user": frappe.session.user, "type": "Alert", "subject": subject, "link": link}
	frappe.get_doc({"doctype": "Notification Log", **notice}).insert(ignore_permissions=True)


def delete_old() -> None:
	"""Exports whose time is over, each by itself."""
	before = add_to_date(now_datetime(), hours=-_hours())
	for name in frappe.get_all("File", {"folder": f"Home/{FOLDER}", "creation": ("<", before)}, pluck="name"):
		frappe.delete_doc("File", name, ignore_permissions=True, delete_permanently=True)
		frappe.db.commit()


def _hours() -> int:
	return cint(frappe.get_system_settings("delete_background_exported_reports_after")) or HOURS


def _folder() -> str:
	name = f"Home/{FOLDER}"
	if not frappe.db.exists("File", name):
		folder = {"doctype": "File", "file_name": FOLDER, "is_folder": 1, "folder": "Home", "is_private": 1}
		frappe.get_doc(folder).insert(ignore_permissions=True, ignore_if_duplicate=True)
	return name
