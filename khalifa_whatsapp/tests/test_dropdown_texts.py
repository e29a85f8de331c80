"""Whatever anybody wrote stays text in what opens below a field while one types: each drop-down in a real
Chromium.

Once with words that are in the database as they were thrown at it, which no endpoint of ours would let in;
and once with words that came in by the endpoints.
"""

from __future__ import annotations

from collections import Counter
from html import unescape
from typing import TYPE_CHECKING, Any

import frappe

from khalifa_whatsapp.tests.case import HUDA
from khalifa_whatsapp.tests.hostile import PAYLOADS, RECORDS, WatchedCase, doctypes_of_ours
from khalifa_whatsapp.tests.pages import wait_for
from khalifa_whatsapp.tests.test_exports import reports_of_ours

if TYPE_CHECKING:
	from selenium.webdriver.remote.webelement import WebElement

TERM = "hacked"
BAR = ".search-bar .awesomplete li"
# How to find the fields that lead to other records, by where they are
FIELDS = {
	"list": "Object.values(cur_list.page.fields_dict)",
	"form": "cur_frm.fields",
	"report": "frappe.query_report.filters",
	"dialog": "cur_dialog.fields_list",
}
NAMES_OF = """return {}.filter(field => /Link$|^Autocomplete$/.test(field.df.fieldtype) && field.$input
	&& !field.df.hidden && (field.df.fieldtype !== 'Autocomplete' || field.frm || field.df.options)
	&& (!field.frm || field.get_status() === 'Write') && (field.frm || field.$input.is(':visible')))
	.map(field => field.df.fieldname);"""
FIND = "window.k31 = {}.find(field => field.df.fieldname === arguments[0]); return k31.$input[0];"
ARRIVED = """const {awesomplete, $input} = k31, cached = $input.cache?.[k31.get_options()]?.[$input.val()];
return awesomplete.ul.children.length > 0
	&& (!$input.cache || (cached && awesomplete.ul.children.length === cached.length));"""
# What the server said, where it is not to be found as text in the item that shows it
OFFERED = """const {awesomplete} = k31, target = k31.get_options?.() || k31.df.fieldname;
const fits = one => (one.label + one.value).toLowerCase().includes('hacked');
const told = k31.$input.cache ? k31.$input.cache[target]?.[k31.$input.val()] || []
	: awesomplete._list.filter(fits);
const items = [...awesomplete.ul.children].filter(item => item.offsetParent);
const lost = told.flatMap((one, place) => one.html ? [] : [one.label || one.value, one.description]
	.filter(text => text && !items[place]?.textContent.includes(text)));
return [target, items.filter(item => item.textContent.includes('hacked')).length, lost];"""
ROWS = """return [...cur_dialog.$wrapper.find('.link-select-row')]
	.map(row => [$(row).find('a').attr('data-value'), row.textContent]);"""
DIALOG = "return !!(window.cur_dialog?.display && cur_dialog.$wrapper.is('.show'))"
NO_DIALOG = "return !document.querySelector('.modal.show, .modal-backdrop')"
# Choices that are constants of ours: nobody's words are among them
CONSTANTS = {("Khalifa Provider Template", "language"), ("Khalifa Provider Template", "category")}
LOOKALIKES = str.maketrans("<>&", "‹›＆")  # what choices of our own dialogs show instead


class TestDropDowns(WatchedCase):
	def setUp(self) -> None:
		super().setUp()
		self.seen: Counter[str] = Counter()
		self.is_page_trusted = True

	def test_words_that_nothing_has_cleaned(self) -> None:
		self.plant()
		self.is_page_trusted = False
		self.see_all()
		self.enough("Khalifa Customer", "Khalifa Ticket", "Khalifa Agent", least=len(PAYLOADS))
		self.enough("Khalifa Reply Template", "Khalifa Close Batch", least=len(PAYLOADS))
		self.enough(
			"Khalifa Branch", "WhatsApp Device", "Khalifa Provider Template", "tags", least=len(RECORDS)
		)

	def test_words_that_came_in_by_the_endpoints(self) -> None:
		self.fill()
		self.see_all()
		self.enough("Khalifa Customer", "Khalifa Ticket", "Khalifa Reply Template", least=len(PAYLOADS))
		self.enough(
			"Khalifa Agent", "Khalifa Branch", "Khalifa Close Batch", "to_agent", "to_branch", "tags", least=1
		)

	def enough(self, *targets: str, least: int) -> None:
		"""The words were there to be seen, else nothing was tried."""
		self.assertEqual(
			{target: self.seen[target] for target in targets if self.seen[target] < least}, {}, self.seen
		)

	def see_all(self) -> None:
		self.sign_in(HUDA)
		self.go("/app/khalifa-inbox", ".kin-tabs .kin-tab")
		self.js("frappe.boot.sysdefaults.link_field_results_limit = 50")
		for doctype in doctypes_of_ours():
			self.see_list(doctype)
			self.see_form(doctype)
		for report in reports_of_ours():
			self.see_report(report)
		self.see_handing_on()
		self.see_merging()
		self.see_tags()
		self.see_the_bar()

	def open(self, route: tuple[str, ...], is_there: str) -> None:
		self.route(*route)
		self.until(lambda: self.js(f"return {is_there}", *route[-1:]), f"{route}")

	def see_list(self, doctype: str) -> None:
		self.js("frappe.route_options = {name: 'none'}")  # lists and what they show have tests of their own
		self.route("List", doctype, "List")
		self.until(lambda: self.js("return cur_list?.doctype === arguments[0]", doctype), doctype)
		self.see_fields("list", f"list of {doctype}", doctype)

	def see_form(self, doctype: str) -> None:
		for name in frappe.get_all(doctype, order_by="creation desc", limit=1, pluck="name"):
			self.open(("Form", doctype, name), "cur_frm?.docname === arguments[0]")
			self.see_fields("form", f"form of {doctype}", doctype)

	def see_report(self, report: str) -> None:
		if not self.is_page_trusted:
			# no rows: they have tests of their own
			self.js("frappe.views.QueryReport.prototype.refresh = () => Promise.resolve()")
		self.open(("query-report", report), "frappe.query_report?.report_name === arguments[0]")
		self.settle()
		self.see_fields("report", f"report {report}")

	# -- one drop-down

	def see_fields(self, place: str, screen: str, doctype: str = "") -> None:
		for name in self.js(NAMES_OF.format(FIELDS[place])):
			if (doctype, name) in CONSTANTS:
				continue
			field = self.js(FIND.format(FIELDS[place]), name)
			if place == "form":
				self.js("cur_frm.scroll_to_field(arguments[0])", name)
			if self.js("return k31.df.fieldtype") == "Dynamic Link":
				self.see_dynamic(field, screen)
			else:
				self.see_drop_down(field, f"{screen}: {name}")

	def see_dynamic(self, field: WebElement, screen: str) -> None:
		for target in doctypes_of_ours():
			if frappe.db.count(target):
				self.js("cur_frm.set_value(k31.df.options, arguments[0])", target)
				self.settle()
				self.see_drop_down(field, f"{screen}: a {target}")

	def see_drop_down(self, field: WebElement, screen: str) -> None:
		self.begin()
		self.type_anew(field, TERM)
		self.until(lambda: self.js(ARRIVED), f"items of {screen}", 10)
		self.settle()
		with self.subTest(screen):
			target, count, lost = self.js(OFFERED)
			self.seen[target] = max(self.seen[target], count)
			self.assertEqual(lost, [], screen)
		self.check(screen, is_shown=False)
		self.js("arguments[0].value = ''; arguments[0].blur()", field)

	def begin(self) -> None:
		"""Forget what a page made of words that no endpoint lets in: only what opens next is looked at."""
		if not self.is_page_trusted:
			self.settle()
			self.js("localStorage.removeItem('hacked')")
			self.known.update(self.traces())

	def type_anew(self, field: WebElement, text: str) -> None:
		self.js("arguments[0].focus(); arguments[0].value = ''", field)
		field.send_keys(text)

	# -- dialogs

	def see_dialog(self, screen: str) -> None:
		self.until(lambda: self.js(DIALOG), screen)
		self.settle()
		self.see_fields("dialog", screen)

	def leave_dialog(self) -> None:
		self.js("$('.modal').modal('hide')")
		self.until(lambda: self.js(NO_DIALOG), "the dialog is gone")

	def see_handing_on(self) -> None:
		self.js("frappe.route_options = {name: 'none'}")
		self.route("List", "Khalifa Ticket", "List")
		self.js("khalifa.reassign({get_checked_items: () => ['none']})")
		self.see_dialog("reassign to an agent")
		self.js("cur_dialog.set_value('to', 'branch')")
		self.see_dialog("reassign to a branch")
		self.leave_dialog()
		ticket = frappe.get_all("Khalifa Ticket", {"status": "Open"}, limit=1, pluck="name")[0]
		self.open(("khalifa-inbox", ticket), "!!document.querySelector('.kin-actions button')")
		self.click(".kin-actions button", "Transfer")
		self.see_dialog("transfer")
		texts = self.texts(".modal.show .kin-receiver .kin-name")
		others = {
			"name": ("!=", frappe.db.get_value("Khalifa Ticket", ticket, "agent")),
			"presence": ("!=", "Offline"),
		}
		for name in (*self.named("Khalifa Branch"), *self.named("Khalifa Agent", "employee_name", **others)):
			self.assertIn(name, texts)
		self.check("transfer", is_shown=False)
		self.leave_dialog()

	def see_merging(self) -> None:
		name = frappe.get_all("Khalifa Customer", limit=1, pluck="name")[0]
		self.open(("Form", "Khalifa Customer", name), "cur_frm?.docname === arguments[0]")
		self.click(".page-head button", "Merge into")
		self.see_dialog("merge")
		self.js("k31.$input.val(arguments[0]); k31.open_advanced_search()", TERM)
		rows = self.until(lambda: self.js(ROWS), "rows of the advanced search")
		for customer, text in rows:
			self.assertIn(frappe.db.get_value("Khalifa Customer", customer, "customer_name"), text)
		self.check("advanced search", is_shown=False)
		self.leave_dialog()

	# -- tags and the bar

	def see_tags(self) -> None:
		self.begin()
		field = self.js(
			"return cur_frm.sidebar.sidebar.find('.add-tags-btn').click().end().find('.tags-input')[0]"
		)
		self.type_anew(field, TERM)
		self.see_items(".form-tags .awesomplete li", "tags", self.named("Tag"))
		self.js("arguments[0].value = ''; arguments[0].blur()", field)

	def see_the_bar(self) -> None:
		for doctype in ("Khalifa Branch", "WhatsApp Device"):
			self.see_form(doctype)  # the bar offers again what one has opened
		self.js("frappe.tags.utils.fetch_tags()")
		self.settle()
		field = self.js("return document.querySelector('#navbar-search')")
		for terms, expected in ((TERM, []), (f"#{TERM}", self.named("Tag"))):
			self.begin()
			for _ in range(3):  # the bar listens with a pause, and now and then shows what was typed before
				self.js("document.activeElement.blur()")
				self.type_anew(field, terms)
				if wait_for(lambda expected=expected: self.are_there(BAR, expected), 5):
					break
			self.see_items(BAR, f"the bar: {terms}", expected)

	def named(self, doctype: str, field: str = "name", **filters: Any) -> list[str]:
		return frappe.get_all(doctype, {field: ("like", f"%{TERM}%"), **filters}, pluck=field)

	def are_there(self, selector: str, expected: list[Any]) -> bool:
		shown = [unescape(text) for text in self.texts(selector)]
		return any(TERM in text for text in shown) and all(
			any(unescape(text) in one for one in shown) for text in expected
		)

	def see_items(self, selector: str, screen: str, expected: list[Any]) -> None:
		"""Frappe's own drop-downs, which decode `&lt;` and show it as text."""

		def lost() -> list[str]:
			self.texts_there = [unescape(text) for text in self.texts(selector)]
			return [
				text for text in expected if not any(unescape(text) in shown for shown in self.texts_there)
			]

		wait_for(lambda: any(TERM in text for text in self.texts(selector)) and not lost(), 10)
		self.settle()
		self.assertEqual(lost(), [], (screen, self.texts_there))
		self.seen[screen] = sum(TERM in text for text in self.texts_there)
		self.check(screen, is_shown=False)
