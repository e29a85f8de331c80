"""Reports as Frappe mails them: no formula, no markup,
and nothing that whoever asks or gets it may not see.
"""

from __future__ import annotations

import inspect
import json
from typing import Any

import frappe
from bs4 import BeautifulSoup
from frappe.desk.doctype.dashboard_chart import dashboard_chart
from frappe.email.doctype.auto_email_report import auto_email_report
from frappe.utils import background_jobs, get_url

from khalifa_whatsapp.core.cells import GUARD
from khalifa_whatsapp.guards import forget_actors
from khalifa_whatsapp.tests.case import ALI, HUDA, MONA, VISITOR
from khalifa_whatsapp.tests.endpoints import signed_in
from khalifa_whatsapp.tests.hostile import PAYLOADS
from khalifa_whatsapp.tests.records import make_conversation
from khalifa_whatsapp.tests.test_exports import FIELDS, FORMULAS, PHONE, ExportCase, reports_of_ours
from khalifa_whatsapp.tests.web import Answer

ENDPOINT = "frappe.email.doctype.auto_email_report.auto_email_report."
LATE = "WhatsApp Delayed Tickets Now"
TAGS = {"table", "thead", "tbody", "tr", "th", "td", "b", "p", "a", "br"}  # of Frappe's own template
CHART = {
	"chart_name": "Mailed Chart",
	"chart_type": "Group By",
	"document_type": "Khalifa Ticket",
	"group_by_type": "Count",
	"group_by_based_on": "customer_name",
	"filters_json": "[]",
	"type": "Bar",
	"is_public": 1,
}
CARD = {
	"label": "Mailed Card",
	"type": "Document Type",
	"document_type": "Khalifa Ticket",
	"function": "Count",
	"is_public": 1,
}


JOB_OPTIONS = frozenset(inspect.signature(background_jobs.enqueue).parameters) - {"method", "kwargs"}


def run_at_once(method: Any, **given: Any) -> Any:
	"""What a worker would run, in this process."""
	call = frappe.get_attr(method) if isinstance(method, str) else method
	return call(**{name: value for name, value in given.items() if name not in JOB_OPTIONS})


class MailCase(ExportCase):
	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(self.forget)
		frappe.local.conf.max_reports_per_user = 1000  # else 20 of them
		self.addCleanup(frappe.local.conf.pop, "max_reports_per_user")
		self.mails: list[dict[str, Any]] = []
		self.replace("frappe.sendmail", lambda **mail: self.mails.append(mail))
		# newer Frappe mails from jobs: a queue that keeps them mails nothing
		self.replace("frappe.enqueue", run_at_once)

	def forget(self) -> None:
		frappe.set_user("Administrator")
		frappe.db.delete("Auto Email Report")
		for doctype in ("Report", "Dashboard Chart", "Number Card"):
			frappe.db.delete(doctype, {"name": ("like", "Mailed%")})
		for user in (MONA, HUDA):
			frappe.get_doc("User", user).remove_roles("Report Manager")
		frappe.db.set_value("User", HUDA, "enabled", 1)
		frappe.db.commit()

	def list_of(self, doctype: str, fields: tuple[str, ...] = ("name",)) -> str:
		"""A list as somebody saved it («Report Builder»)."""
		saved = {
			"fields": [[field, doctype] for field in fields],
			"filters": [],
			"order_by": f"`tab{doctype}`.`name` asc",
		}
		made = {
			"doctype": "Report",
			"report_name": f"Mailed {doctype}",
			"ref_doctype": doctype,
			"json": json.dumps(saved),
		}
		if not frappe.db.exists("Report", made["report_name"]):
			frappe.get_doc({**made, "report_type": "Report Builder", "is_standard": "No"}).insert(
				ignore_permissions=True
			)
		return made["report_name"]

	def row(self, report: str, kind: str = "CSV", **given: Any) -> dict[str, Any]:
		report_type = frappe.db.get_value("Report", report, "report_type")
		made = {
			"doctype": "Auto Email Report",
			"report": report,
			"report_type": report_type,
			"format": kind,
			"user": HUDA,
		}
		return {
			**made,
			"email_to": HUDA,
			"frequency": "Daily",
			"no_of_rows": 1000,
			"enabled": 1,
			"send_if_data": 0,
			**given,
		}

	def mailed(self, report: str, kind: str = "CSV", by: str = HUDA, **given: Any) -> Any:
		with signed_in(by):
			doc = frappe.get_doc(self.row(report, kind, **given)).insert(ignore_permissions=True)
		frappe.db.commit()
		return doc

	def check_file(self, report: str, kind: str, at_least: int) -> list[Any]:
		content = self.mailed(report, kind).get_report_content()
		answer = Answer(200, content if isinstance(content, bytes) else content.encode(), {})
		return {"CSV": self.check_csv, "XLSX": self.check_xlsx}[kind](answer, at_least)


class TestWhatIsMailed(MailCase):
	def test_no_cell_of_a_list_is_a_formula(self) -> None:
		for doctype, fields in FIELDS.items():
			for kind in ("CSV", "XLSX"):
				with self.subTest(f"{doctype} {kind}"):
					self.check_file(self.list_of(doctype, fields), kind, len(FORMULAS))

	def test_no_cell_of_our_reports_is_a_formula(self) -> None:
		guarded = 0
		for name in reports_of_ours():
			for kind in ("CSV", "XLSX"):
				with self.subTest(f"{name} {kind}"):
					guarded += sum(GUARD in str(text) for text in self.check_file(name, kind, 0))
		self.assertGreaterEqual(guarded, 6 * len(FORMULAS))

	def test_numbers_and_phones_stay_what_they_are(self) -> None:
		tickets = self.check_file(self.list_of("Khalifa Ticket", FIELDS["Khalifa Ticket"]), "XLSX", 1)
		self.assertEqual(tickets.count(-7), len(FORMULAS))
		customers = self.check_file(self.list_of("Khalifa Customer", FIELDS["Khalifa Customer"]), "CSV", 1)
		self.assertEqual(customers.count(PHONE), len(FORMULAS))

	def test_no_text_is_markup(self) -> None:
		for number, text in enumerate(PAYLOADS):
			self.fill(5000 + number, text)
		self.addCleanup(frappe.db.delete, "Khalifa Branch", {"name": ("in", PAYLOADS)})
		for doctype, fields in FIELDS.items():
			with self.subTest(doctype):
				shown = self.check_html(
					self.mailed(self.list_of(doctype, fields), "HTML").get_report_content()
				)
				self.assertEqual([text for text in PAYLOADS if text not in shown], [])
		for name in reports_of_ours():
			with self.subTest(name):
				self.check_html(self.mailed(name, "HTML").get_report_content())

	def check_html(self, content: str) -> str:
		page = BeautifulSoup(content, "html.parser")
		elements = page.find_all(True)
		self.assertLessEqual({element.name for element in elements}, TAGS)
		self.assertLessEqual(
			{name for element in elements for name in element.attrs if element.name == "td"}, {"class"}
		)
		for link in page.find_all("a"):
			self.assertLessEqual(set(link.attrs), {"href", "target"})
			self.assertTrue(link["href"].startswith(get_url("/app/")), link)
		return page.get_text()

	def test_a_name_still_leads_to_its_record(self) -> None:
		content = self.mailed(self.list_of("Khalifa Branch", ("name", "phone")), "HTML").get_report_content()
		self.assertIn(f'<a href="{get_url("/app/khalifa-branch/North")}">North</a>', content)

	def test_other_doctypes_are_mailed_as_ever(self) -> None:
		todo = frappe.get_doc(
			{"doctype": "ToDo", "description": "=1+1 <b>x</b>", "allocated_to": VISITOR}
		).insert()
		self.addCleanup(frappe.db.delete, "ToDo", {"name": todo.name})
		with signed_in("Administrator"):
			report = self.list_of("ToDo", ("name", "description"))
		given = {"user": "Administrator", "by": "Administrator"}
		self.assertIn('"=1+1 <b>x</b>"', self.mailed(report, **given).get_report_content())
		self.assertIn("=1+1 <b>x</b>", self.mailed(report, "HTML", **given).get_report_content())


class TestWhoMayMail(MailCase):
	"""Mona is an agent whom somebody made a Report Manager, too."""

	def setUp(self) -> None:
		super().setUp()
		frappe.get_doc("User", MONA).add_roles("Report Manager")
		self.reports = (LATE, self.list_of("Khalifa Customer", FIELDS["Khalifa Customer"]))
		frappe.db.commit()

	def plant(self, report: str, **given: Any) -> str:
		"""A row that was saved when nobody asked."""
		name = self.mailed(report).name
		frappe.db.set_value("Auto Email Report", name, given, update_modified=False)
		frappe.db.commit()
		return name

	def test_no_agent_makes_one(self) -> None:
		for report in self.reports:
			for user in (MONA, HUDA, "Administrator"):
				answer = self.as_(MONA).call(
					"frappe.client.insert", doc=self.row(report, user=user, email_to=MONA)
				)
				self.assertEqual(answer.status, 403, (report, user, answer.text))
		self.assertEqual(frappe.db.count("Auto Email Report"), 0)

	def test_no_agent_takes_over_a_managers(self) -> None:
		for report in self.reports:
			name = self.mailed(report).name
			change = {"doctype": "Auto Email Report", "name": name, "fieldname": "email_to", "value": MONA}
			self.assertEqual(self.as_(MONA).call("frappe.client.set_value", **change).status, 403)
			for verb in ("download", "send_now"):
				answer = self.as_(MONA).call(ENDPOINT + verb, name=name)
				self.assertEqual(answer.status, 403, (report, verb))
				self.assertNotIn(PHONE, answer.text)
		self.assertEqual(self.mails, [])

	def test_a_manager_still_gets_them(self) -> None:
		frappe.get_doc("User", HUDA).add_roles("Report Manager")
		frappe.db.commit()
		for report in self.reports:
			made = self.as_(HUDA).call("frappe.client.insert", doc=self.row(report))
			self.assertEqual(made.status, 200, made.text)
			answer = self.as_(HUDA).call(ENDPOINT + "download", name=made.message["name"])
			self.assertEqual(answer.status, 200, answer.text)
			self.check_csv(answer, len(FORMULAS))

	def test_the_scheduler_lends_nobody_its_rights(self) -> None:
		for report in self.reports:
			self.plant(report, user=MONA)
			self.plant(report, modified_by=MONA)
		auto_email_report.send_daily()
		self.assertEqual(self.mails, [])

	def test_the_scheduler_still_mails_a_managers(self) -> None:
		for report in self.reports:
			self.mailed(report)
		auto_email_report.send_daily()
		self.assertEqual(len(self.mails), 2)

	def test_nothing_is_mailed_for_a_manager_who_left(self) -> None:
		for report in self.reports:
			self.mailed(report)
		frappe.db.set_value("User", HUDA, "enabled", 0)
		auto_email_report.send_daily()
		self.assertEqual(self.mails, [])

	def test_what_is_left_out_does_not_stop_the_next(self) -> None:
		for report in self.reports:
			self.plant(report, user=MONA, frequency="Monthly")
		with signed_in("Administrator"):
			todo = self.mailed(
				self.list_of("ToDo", ("name",)), by="Administrator", user="Administrator", frequency="Monthly"
			)
		frappe.db.set_value("Auto Email Report", todo.name, "modified", "2000-01-01", update_modified=False)
		auto_email_report.send_monthly()
		self.assertEqual([mail["subject"] for mail in self.mails], [todo.name])

	def test_files_of_conversations_are_nobodys_to_borrow(self) -> None:
		for doctype in ("File", "Tag Link"):
			report = self.list_of(doctype)
			frappe.db.commit()
			for user, status in ((HUDA, 403), (ALI, 403), (MONA, 200)):
				answer = self.as_(MONA).call("frappe.client.insert", doc=self.row(report, user=user))
				self.assertEqual(answer.status, status, (doctype, user, answer.text))


class TestChartsOfOthers(MailCase):
	"""Charts and cards are not mailed, but shown to all; each is filled with the rights of who looks."""

	def test_a_managers_chart_and_card_show_an_agent_his_own(self) -> None:
		make_conversation("OWN", self.mona, "x")
		make_conversation("OTHER", self.ali, "x")
		with signed_in(HUDA):
			frappe.get_doc({"doctype": "Dashboard Chart", **CHART}).insert(ignore_permissions=True)
			card = frappe.get_doc({"doctype": "Number Card", **CARD}).insert(ignore_permissions=True)
			seen = dashboard_chart.get(chart_name="Mailed Chart", refresh=1)
		frappe.db.commit()
		forget_actors()
		self.assertIn("Customer OTHER", seen["labels"])
		ali = self.as_(ALI)
		for refresh in (0, 1):
			chart = ali.call(
				"frappe.desk.doctype.dashboard_chart.dashboard_chart.get",
				chart_name="Mailed Chart",
				refresh=refresh,
			)
			self.assertEqual(chart.message["labels"], ["Customer OTHER"], chart.text)
		given = {"doc": card.as_dict(convert_dates_to_str=True), "filters": []}
		answer = ali.call("frappe.desk.doctype.number_card.number_card.get_result", **given)
		self.assertEqual(answer.message, 1, answer.text)
