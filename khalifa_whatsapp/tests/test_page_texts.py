"""Whatever anybody wrote, on whatever page it is shown, stays text: every screen in a real Chromium."""

from __future__ import annotations

import frappe

from khalifa_whatsapp.tests.case import HUDA, MONA
from khalifa_whatsapp.tests.hostile import PAYLOADS, WatchedCase, doctypes_of_ours
from khalifa_whatsapp.tests.test_exports import reports_of_ours

EVERY_COLUMN = """const fields = frappe.get_meta(arguments[0]).fields
	.filter(df => frappe.model.is_value_type(df) && !df.report_hide);
frappe.model.user_settings[arguments[0]] = {Report:
	{fields: fields.map(df => [df.fieldname, arguments[0]])}};"""
INBOX = "/app/khalifa-inbox"
SPEAKING = {
	"Khalifa Ticket",
	"Khalifa Customer",
	"Khalifa Message",
	"Khalifa Agent",
	"Khalifa Delay Event",
	"Khalifa Ticket Event",
}
SILENT = {
	"Khalifa Provider Template",
	"Khalifa Browser Session",
	"Khalifa KPI Day",
	"Khalifa Agent KPI",
	"Khalifa Presence Log",
}


class TestTextsStayTexts(WatchedCase):
	def test_the_check_itself_can_fail(self) -> None:
		self.sign_in(HUDA)
		self.go(INBOX, ".kin-tabs .kin-tab")
		self.assertEqual(self.traces(), [])
		for text in (PAYLOADS[2], PAYLOADS[15], PAYLOADS[16]):
			self.js(
				"localStorage.removeItem('hacked'); "
				"document.body.insertAdjacentHTML('beforeend', arguments[0])",
				text,
			)
			self.until(lambda: self.js("return window.hacked"), text, 10)
			self.assertGreaterEqual(len(self.traces()), 2, text)
			self.js("document.querySelectorAll('.k31').forEach(element => element.remove())")
		self.js("localStorage.removeItem('hacked')")
		for text in (
			f"<b title='{PAYLOADS[6]}'>",
			f'<b title="{PAYLOADS[6]}">',
			"<a href='javascript:hacked'>",
			"<b>219359",
		):
			self.js("document.body.innerHTML = arguments[0]", text)
			self.assertEqual(bool(self.traces()), not text.startswith("<b title='"), text)

	def test_on_no_screen(self) -> None:
		self.fill()
		self.sign_in(HUDA)
		self.see_inbox()
		for doctype in doctypes_of_ours():
			self.see_doctype(doctype)
		self.see_ticket_list()
		for report in reports_of_ours():
			self.route("query-report", report)
			self.until(
				lambda name=report: self.js("return frappe.query_report?.report_name === arguments[0]", name),
				report,
			)
			self.settle()
			self.check(report, is_shown=report == "WhatsApp Delayed Tickets Now")
		self.see_the_bar()
		self.see_workspace("whatsapp")
		self.sign_in(MONA)  # the other one is for agents alone
		self.see_workspace("whatsapp-desk")

	def see_workspace(self, name: str) -> None:
		self.go(f"/app/{name}", ".workspace .codex-editor, .layout-main-section .editor-js-container")
		self.settle()
		self.check(name, is_shown=False)

	# -- the inbox

	def see_inbox(self) -> None:
		self.go(INBOX, ".kin-tabs .kin-tab")
		self.click(".kin-tab", "All")
		self.until(lambda: len(self.texts(".kin-line")) >= len(PAYLOADS), "all conversations")
		self.check("the inbox")
		self.type_into(".kin-search", "hacked")
		self.until(lambda: self.texts(".kin-line"), "what was found")
		self.check("the inbox's search")
		for ticket in self.tickets[:5]:
			self.route("khalifa-inbox", ticket)
			self.until(lambda: len(self.texts(".kin-bubble")) > 1 and self.texts(".kin-panel h6"), ticket)
			self.check(f"the conversation {ticket}")
		self.see_inbox_dialogs()

	def see_inbox_dialogs(self) -> None:
		self.type_into(".kin-input", "/")
		self.until(
			lambda: len(self.texts(".kin-popup [role=option], .kin-popup button")) > 3, "quick replies"
		)
		self.check("quick replies")
		for terms in ("Transfer", "Close"):
			self.click(".kin-actions button", terms)
			self.until(lambda: self.js("return !!window.cur_dialog?.display"), terms)
			self.check(f"the inbox's dialog {terms}")
			self.js("cur_dialog.hide()")
			self.until(lambda: not self.texts(".modal.show"), "the dialog is gone")

	# -- Desk

	def see_doctype(self, doctype: str) -> None:
		is_shown = doctype not in SILENT
		self.route("List", doctype, "List")
		self.until(lambda: self.js("return cur_list?.doctype === arguments[0]", doctype), doctype)
		self.check(f"list of {doctype}", is_shown=False)
		self.js(EVERY_COLUMN, doctype)
		self.route("List", doctype, "Report")
		self.check(f"report view of {doctype}", is_shown=doctype in SPEAKING)
		for name in frappe.get_all(doctype, order_by="creation desc", limit=3, pluck="name"):
			self.route("Form", doctype, name)
			self.until(lambda shown=name: self.js("return cur_frm?.docname === arguments[0]", shown), name)
			self.check(f"form of {doctype} {name}", is_shown=is_shown and doctype in SPEAKING)

	def see_ticket_list(self) -> None:
		self.route("List", "Khalifa Ticket", "List")
		self.click(".list-tag-preview, .list-sidebar .show-tags, a", "Show Tags")
		self.settle()
		self.check("ticket list with tags")
		self.js("cur_list.filter_area.add([['Khalifa Ticket', 'customer_name', 'like', '%hacked%']])")
		self.settle()
		for terms in ("Close All Open Tickets",):
			self.click(".page-head button", terms)
			self.until(lambda: self.js("return !!window.cur_dialog?.display"), terms)
			self.check(f"dialog {terms}")
			self.js("cur_dialog.hide()")

	def see_the_bar(self) -> None:
		self.type_into("#navbar-search", "hacked")
		self.until(lambda: self.texts(".search-bar .awesomplete li"), "what the bar offers")
		self.settle()
		self.check("the search bar")
		self.js("new frappe.search.SearchDialog().init_search('hacked', 'global_search')")
		self.until(lambda: self.js("return !!window.cur_dialog?.display"), "search dialog")
		self.settle()
		self.check("global search")
		self.js("cur_dialog.hide()")
		self.js("document.querySelector('.dropdown-notifications .notifications-icon').click()")
		self.until(lambda: self.texts(".notification-list .recent-item, .notification-item"), "notifications")
		self.check("notifications")
