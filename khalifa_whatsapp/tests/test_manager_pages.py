"""What a manager looks at all day, in a real Chromium: the workspace,
and figures that open the rows they count.
"""

from __future__ import annotations

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.jobs.alerts import alert_managers, clear_alerts
from khalifa_whatsapp.services import kpi
from khalifa_whatsapp.services.media import DISK_FULL
from khalifa_whatsapp.tests.case import HUDA, MONA
from khalifa_whatsapp.tests.pages import PageCase
from khalifa_whatsapp.tests.records import insert

STEPS = [
	"Connect a device",
	"Add the branches",
	"Add the agents",
	"Set the business hours",
	"Send a test message",
]
CHARTS = ".widget.dashboard-widget-box .frappe-chart"


class TestManagerPages(PageCase):
	def setUp(self) -> None:
		super().setUp()
		self.online(self.mona)
		first, second = (self.write(f"+20100123400{number}") for number in range(2))
		self.write("+201001234009")
		for ticket in (first, second):
			self.done(MONA, "close", ticket=ticket)
		self.closed = {first, second}

	def show_first_steps(self, is_shown: int) -> None:
		frappe.db.set_single_value("System Settings", "enable_onboarding", is_shown)
		# what tests before this one may have completed
		for doctype in (
			"Module Onboarding",
			"Onboarding Step",
		):
			frappe.db.sql(f"UPDATE `tab{doctype}` SET is_complete = 0 WHERE is_complete = 1")
		frappe.db.commit()
		frappe.clear_cache()

	def test_the_workspace_has_figures_charts_and_first_steps(self) -> None:
		self.show_first_steps(1)
		self.addCleanup(self.show_first_steps, 0)
		self.sign_in(HUDA)
		self.go("/app/whatsapp", ".widget.number-widget-box .number")
		self.until(lambda: len(self.texts(CHARTS)) == 3, "three charts")
		self.assertEqual(
			[text.strip() for text in self.texts(".onboarding-step .step-title, .onboarding-step-title")],
			STEPS,
		)
		titles = self.texts(".number-widget-box .widget-title")
		self.until(lambda: len(self.texts(".number-widget-box .number")) == len(titles), "all figures")
		cards = dict(zip(titles, self.texts(".number-widget-box .number"), strict=True))
		figures = {title.strip(): text.strip() for title, text in cards.items()}
		self.assertEqual((figures["Open Conversations"], figures["Satisfaction 7 Days (%)"]), ("1", "–"))

	def test_an_agents_workspace_has_a_chart_of_his_own_days(self) -> None:
		key = f"{self.mona}{frappe.utils.today()}"
		for agent, handled in ((self.mona, 3), (self.ali, 40)):
			insert(
				records.AgentKpi(
					agent + key,
					(agent + key).ljust(64, "x"),
					agent,
					"A",
					None,
					"Daily",
					frappe.utils.today(),
					tickets_handled=handled,
				)
			)
		frappe.db.commit()
		self.sign_in(MONA)
		self.go("/app/whatsapp-desk", ".widget.number-widget-box .number")
		self.until(lambda: len(self.texts(CHARTS)) == 1, "one chart")
		answer = self.as_(MONA).call("khalifa_whatsapp.api.cards.my_days")
		self.assertEqual(answer.message["datasets"][0]["values"], [3])

	def test_a_figure_opens_the_rows_that_it_counts(self) -> None:
		self.sign_in(HUDA)
		self.go("/app/query-report/WhatsApp Agent KPI", ".datatable .dt-row")
		self.click("a[href*='metric=tickets_handled']", "2")
		self.sees_the_counted_rows()
		self.browser.refresh()
		self.sees_the_counted_rows()

	def sees_the_counted_rows(self) -> None:
		"""Exactly these, at an address that any server takes, also when the page is loaded again."""
		is_there = "return window.frappe?.query_report?.data?.[0]?.links?.at"
		self.until(lambda: self.js(is_there), "the rows")
		self.settle()
		self.assertEqual(set(self.js("return frappe.query_report.data.map(row => row.ticket)")), self.closed)
		self.assertLess(len(self.browser.current_url), 2_000)

	def test_a_kept_figure_opens_its_rows_too(self) -> None:
		kpi.rollup_today(on_site(), now_ms())
		frappe.db.commit()
		name = frappe.db.get_value("Khalifa Agent KPI", {"agent": self.mona, "period": "Daily"})
		self.sign_in(HUDA)
		self.go(f"/app/khalifa-agent-kpi/{name}", ".form-page")
		self.click(".inner-group-button button", "Show Rows")
		self.click(".inner-group-button .dropdown-item", "Tickets Handled: 2")
		self.sees_the_counted_rows()

	def test_a_number_of_now_opens_its_list(self) -> None:
		now = now_ms()
		self.sign_in(HUDA)
		self.go("/app/query-report/WhatsApp Team Overview", ".datatable .dt-row")
		self.click(".datatable a[href*='khalifa-ticket'][href*='waiting_since']", "1")
		self.until(
			lambda: self.js("return window.cur_list?.doctype === 'Khalifa Ticket' && cur_list.data?.length"),
			"the list",
		)
		self.settle()
		shown = self.js("return cur_list.data.map(row => row.name)")
		self.assertEqual([self.ticket(name).waiting_since_ms is not None for name in shown], [True])
		self.assertLess(self.ticket(shown[0]).waiting_since_ms, now)

	def test_a_stored_reason_is_read_in_the_readers_language(self) -> None:
		frappe.db.set_value("WhatsApp Device", "Loop", "files_problem", DISK_FULL)
		alert_managers("Loop", reason=DISK_FULL)
		self.addCleanup(clear_alerts, "Loop", DISK_FULL)
		self.speaks(HUDA, "ar")
		self.addCleanup(self.speaks, HUDA, "en")
		terms, alert = (
			frappe._(DISK_FULL, lang="ar"),
			frappe.db.get_value("Khalifa Alert", {"device": "Loop"}),
		)
		self.assertNotEqual(terms, DISK_FULL)
		self.sign_in(HUDA)
		for path, field in (
			("/app/whatsapp-device/Loop", "files_problem"),
			(f"/app/khalifa-alert/{alert}", "text"),
		):
			shown = f".form-layout [data-fieldname='{field}'] .like-disabled-input"
			self.go(path, shown)
			self.until(
				lambda shown=shown: [text.strip() for text in self.texts(shown)] == [terms],
				f"the words of {field}",
			)

	def speaks(self, user: str, language: str) -> None:
		frappe.db.set_value("User", user, "language", language)
		frappe.db.commit()
		frappe.clear_cache(user=user)
