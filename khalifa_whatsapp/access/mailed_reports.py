"""Reports that Frappe sends by mail («Auto Email Report»): no formulas, no markup, and for managers alone.

Such a mail is an export that nobody presses. Frappe writes its cells as they are, also into the HTML; it runs
a list with the rights of whatever user its row names, and a script report with those of the scheduler, who
may all. So who wrote the row last, who asks, and the user it names must each be managers; agents export
nothing, and neither by mail.

Scheduler, «Send Now» and «Download» share one method of the DocType's class, for which there is no event: the
class is the one place that all of them pass. Should another app replace it, the event on saving still holds.
Reports on other apps' DocTypes stay as they were.
"""

from __future__ import annotations

import re
from typing import Any

import frappe
from frappe import _
from frappe.email.doctype.auto_email_report.auto_email_report import AutoEmailReport
from frappe.model.document import Document
from frappe.utils import escape_html, get_url

from khalifa_whatsapp.access.exports import MODULE, guarded_xlsx
from khalifa_whatsapp.core.cells import guarded_csv
from khalifa_whatsapp.core.doctypes import GUARDED
from khalifa_whatsapp.guards import current_actor, is_agent, refuse

# Lists of Frappe's that show a manager what belongs to conversations: nobody borrows his rights for them
OF_CONVERSATIONS = frozenset({"File", "Tag Link"})
LINK = re.compile(r'<a href="([^"<>]*)">(.*)</a>', re.DOTALL)


class GuardedAutoEmailReport(AutoEmailReport):
	"""An Auto Email Report that asks for rights, and whose cells stay texts when they are ours."""

	def get_report_content(self) -> Any:
		"""What is mailed; nothing when its owner may not run the report."""
		if not may_run(self):
			return self.leave_out()
		content = super().get_report_content()
		if not content or not is_ours(self):
			return content
		return {"XLSX": guarded_xlsx, "CSV": guarded_csv}.get(self.format, lambda html: html)(content)

	def get_html_table(self, columns: Any = None, data: Any = None) -> str:
		"""Frappe's table, with our texts as text."""
		if data and is_ours(self):
			data = [frappe._dict({key: as_html(value) for key, value in row.items()}) for row in data]
		return super().get_html_table(columns, data)

	def leave_out(self) -> None:
		"""No error where nobody asks: it would keep the scheduler
		from the reports that come after this one.
		"""
		if not is_manager(frappe.session.user):
			refuse_report()
		self.log_error(f"{self.name}: its user, or who saved it last, is no WhatsApp manager")


def validate(doc: Document, method: str | None = None) -> None:
	if not may_run(doc):
		refuse_report()


def refuse_report() -> None:
	"""Refuse to mail it, and say who may."""
	refuse(_("Reports of WhatsApp are mailed by managers, and with a manager's rights."))


def may_run(doc: Document) -> bool:
	"""Whether all who have a part in it may see what it tells."""
	asking = {frappe.session.user, doc.modified_by}
	report = _report(doc)
	if report.ref_doctype in GUARDED or report.module == MODULE:
		return all(map(is_manager, asking | {doc.user}))
	if report.ref_doctype in OF_CONVERSATIONS and (is_agent(doc.user) or is_manager(doc.user)):
		return all(user == doc.user or is_manager(user) for user in asking)
	return True


def is_manager(user: str) -> bool:
	"""A manager who has not left: roles stay with a login that was closed."""
	return current_actor(user).is_manager and bool(frappe.db.get_value("User", user, "enabled"))


def is_ours(doc: Document) -> bool:
	"""Whether the report, or the DocType that it reads, is one of ours."""
	report = _report(doc)
	return MODULE in (report.module, frappe.get_cached_value("DocType", report.ref_doctype, "module"))


def _report(doc: Document) -> Any:
	return frappe.get_cached_doc("Report", doc.report)


def as_html(value: Any) -> Any:
	"""What shows a text as it is; of a link that Frappe has made out of a record's name, the name."""
	if not isinstance(value, str):
		return value
	link = LINK.fullmatch(value)
	if link and link[1].startswith(get_url("/app/")):
		return f'<a href="{link[1]}">{escape_html(link[2])}</a>'
	return escape_html(value)
