"""Exports as a manager downloads them: no cell is a formula, every text is still there,
numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import frappe
import openpyxl

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.cells import ALWAYS, FORMULA, GUARD
from khalifa_whatsapp.tests.case import DEVICE, HUDA, MONA, SiteCase
from khalifa_whatsapp.tests.endpoints import call, signed_in
from khalifa_whatsapp.tests.records import insert
from khalifa_whatsapp.tests.web import METHOD, Answer

LIST, REPORT = "frappe.desk.reportview.export_query", "frappe.desk.query_report.export_query"
DATA, TEMPLATE = (
	"frappe.core.doctype.data_export.exporter.export_data",
	"frappe.core.doctype.data_import.data_import.download_template",
)
# Frappe takes control characters and tags out while it writes: what is left begins anew
FORMULAS = (
	"=cmd|' /C calc'!A0",
	"=1+1",
	"+1+1",
	"-2+3",
	"@SUM(1)",
	"\t=1",
	"\r=1",
	"\thello",
	"＝1+1",
	"＋1+1",
	"－1+1",
	"＠A1",
	"  =1",
	'"=1',
	"\x01=1+1",
	"<p>=1+1</p>",
	"<i></i>@SUM(1)",
	'=HYPERLINK("http://127.0.0.1/","x")',
	"=",
)
PHONE = "+201001234567"
FIELDS = {
	"Khalifa Ticket": (
		"name",
		"customer_name",
		"agent_name",
		"branch",
		"preview",
		"close_reason",
		"unread_count",
	),
	"Khalifa Customer": ("name", "customer_name", "phone", "branch", "notes"),
	"Khalifa Message": ("name", "body", "sender_name", "file_name", "error_text", "sent_ms"),
	"Khalifa Ticket Event": ("name", "actor_name", "to_branch", "reason"),
	"Khalifa Delay Event": ("name", "branch", "objection", "decision"),
	"Khalifa Close Batch": ("name", "reason", "requested_by_name"),
	"Khalifa Agent": ("name", "employee_name", "branch", "capacity"),
	"Khalifa Branch": ("name", "branch_name", "address", "phone"),
	"Khalifa Reply Template": ("name", "title", "body"),
}


class ExportCase(SiteCase):
	"""A site full of formulas, and files in which none may be."""

	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(self.remove)
		for number, text in enumerate(FORMULAS):
			self.fill(number, text)
		frappe.db.commit()

	def remove(self) -> None:
		for doctype in ("Khalifa Branch", "Khalifa Agent", "Khalifa Reply Template"):
			frappe.db.delete(doctype, {"name": ("like", "%91%")})
		frappe.db.delete("Khalifa Branch", {"name": ("in", FORMULAS)})
		frappe.db.commit()

	def fill(self, number: int, text: str) -> None:
		"""The text wherever somebody writes one, past every check that would have refused it."""
		now, key = now_ms(), f"91{number:04}"
		insert(records.Customer(f"KC-{key}", customer_name=text, phone=PHONE, branch=text, created_ms=now))
		insert(
			records.Ticket(
				f"KT-{key}",
				f"KC-{key}",
				DEVICE,
				status=records.OPEN,
				customer_name=text,
				preview=text,
				close_reason=text,
				waiting_since_ms=now - 9_000,
				due_by_ms=now - 5_000,
				unread_count=-7,
				agent=self.mona,
				agent_name=text,
				branch=text,
				opened_ms=now,
				open_key=frappe.generate_hash(length=64),
			)
		)
		insert(
			records.Message(
				f"KM-{key}",
				f"KT-{key}",
				f"KC-{key}",
				DEVICE,
				records.INCOMING,
				records.CUSTOMER,
				"text",
				records.RECEIVED,
				now,
				now,
				body=text,
				sender_name=text,
				file_name=text,
				error_text=text,
				message_key=frappe.generate_hash(length=64),
			)
		)
		self.fill_logs(key, text, now)

	def fill_logs(self, key: str, text: str, now: int) -> None:
		"""The same in what is written down of conversations, figures and the tables that people keep."""
		insert(
			records.TicketEvent(
				f"KE-{key}", f"KT-{key}", "transferred", now, actor_name=text, to_branch=text, reason=text
			)
		)
		insert(
			records.DelayEvent(
				f"KD-{key}", f"91{key}", "Agent", f"KT-{key}", "t", now, agent=self.mona, branch=text
			)
		)
		kpi = records.AgentKpi(
			f"KK-{key}",
			key.ljust(64, "x"),
			f"KA-{key}",
			text,
			text,
			"Daily",
			frappe.utils.today(),
			tickets_handled=1,
		)
		insert(kpi)
		insert(records.CloseBatch(f"KB-{key}", text, "{}", HUDA, text, now))
		frappe.db.set_value("Khalifa Delay Event", f"KD-{key}", {"objection": text, "decision": text})
		frappe.db.set_value("Khalifa Customer", f"KC-{key}", "notes", text)
		self.insert_plain("Khalifa Agent", f"KA-{key}", employee_name=text, branch=text, capacity=-3)
		self.insert_plain("Khalifa Branch", text, branch_name=text, address=text, phone=PHONE)
		self.insert_plain("Khalifa Reply Template", f"KR-{key}", shortcut=key, title=text, body=text)

	def insert_plain(self, doctype: str, name: str, **values: Any) -> None:
		frappe.db.delete(doctype, {"name": name})
		frappe.db.bulk_insert(doctype, ["name", *values], [[name, *values.values()]])

	# -- files

	def check_csv(self, answer: Answer, at_least: int, delimiter: str = ",") -> list[str]:
		text = answer.raw.decode("utf-8-sig")
		cells = [
			cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) for cell in row
		]
		return self.check(cells, at_least)

	def check_xlsx(self, answer: Answer, at_least: int) -> list[Any]:
		book = openpyxl.load_workbook(io.BytesIO(answer.raw))
		cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
		self.assertEqual([cell.value for cell in cells if cell.data_type == "f"], [])
		return self.check([cell.value for cell in cells if cell.value is not None], at_least)

	def check(self, values: list[Any], at_least: int) -> list[Any]:
		for text in filter(lambda value: isinstance(value, str), values):
			bare = text.lstrip('" \x01\n')
			self.assertFalse(bare.startswith(FORMULA) and not bare[1:].isdigit(), repr(text))
			self.assertFalse(text.startswith(ALWAYS), repr(text))
		self.assertGreaterEqual(sum(GUARD in str(value) for value in values), at_least)
		return values


class TestExports(ExportCase):
	# -- downloads

	def download(self, method: str, **form: Any) -> Answer:
		sent = {
			key: json.dumps(value) if isinstance(value, list | dict) else value for key, value in form.items()
		}
		answer = self.as_(HUDA).send("POST", METHOD + method, data=sent)
		self.assertEqual(answer.status, 200, answer.raw[:500])
		self.assertIn("filename", answer.headers.get("Content-Disposition", ""), "a page instead of a file")
		return answer

	def list_of(self, doctype: str, kind: str, **more: Any) -> Answer:
		fields = [f"`tab{doctype}`.`{field}`" for field in FIELDS[doctype]]
		given = {
			"doctype": doctype,
			"fields": fields,
			"filters": [],
			"view": "Report",
			"order_by": f"`tab{doctype}`.name",
		}
		return self.download(LIST, **given, file_format_type=kind, **more)

	# -- what is downloaded

	def test_lists_and_their_report_views(self) -> None:
		texts = {"Khalifa Ticket": 5, "Khalifa Customer": 3, "Khalifa Message": 4}
		for doctype in FIELDS:
			at_least = texts.get(doctype, 2) * len(FORMULAS)
			with self.subTest(doctype):
				self.check_csv(self.list_of(doctype, "CSV"), at_least)
				self.check_xlsx(self.list_of(doctype, "Excel"), at_least)

	def test_a_csv_of_any_delimiter_and_quoting(self) -> None:
		for delimiter in (";", "\t", "|"):
			for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL):
				answer = self.list_of("Khalifa Customer", "CSV", csv_delimiter=delimiter, csv_quoting=quoting)
				self.check_csv(answer, 3 * len(FORMULAS), delimiter)

	def test_texts_stay_readable_and_numbers_stay_numbers(self) -> None:
		cells = self.check_csv(self.list_of("Khalifa Customer", "CSV"), 1)
		self.assertIn(f"{GUARD}{FORMULAS[0]}", cells)
		self.assertEqual(cells.count(PHONE), len(FORMULAS), "a phone is copied from an export as it is")
		tickets = self.list_of("Khalifa Ticket", "CSV")
		self.assertEqual(self.check_csv(tickets, 1).count("-7"), len(FORMULAS))
		self.assertEqual(
			tickets.text.count(",-7,"), len(FORMULAS), "without quotes, as Frappe writes numbers"
		)
		self.assertEqual(self.check_xlsx(self.list_of("Khalifa Ticket", "Excel"), 1).count(-7), len(FORMULAS))

	def test_data_export_and_the_template_of_data_import(self) -> None:
		for doctype, fields in FIELDS.items():
			columns = {doctype: [field for field in fields if field != "name"]}
			plain = {
				"with_data": 1,
				"select_columns": columns,
				"filters": [],
				"template": "true",
				"export_without_column_meta": 0,
			}
			for kind, check in (("CSV", self.check_csv), ("Excel", self.check_xlsx)):
				with self.subTest(f"{doctype} {kind}"):
					check(self.download(DATA, doctype=doctype, file_type=kind, **plain), 1)
					stored = {"export_records": "all", "export_fields": columns, "export_filters": []}
					check(self.download(TEMPLATE, doctype=doctype, file_type=kind, **stored), 1)

	def test_every_report_of_ours(self) -> None:
		names = reports_of_ours()
		self.assertGreaterEqual(len(names), 3)
		guarded = 0
		for name in names:
			filters = {"agent": self.mona, "metric": "tickets_handled"}
			form = {
				"report_name": name,
				"filters": filters if name == "WhatsApp Counted Rows" else {},
				"visible_idx": [],
			}
			with self.subTest(name):
				texts = self.check_csv(self.download(REPORT, **form, file_format_type="CSV"), 0)
				self.check_xlsx(self.download(REPORT, **form, file_format_type="Excel"), 0)
				guarded += sum(GUARD in text for text in texts)
		self.assertGreaterEqual(guarded, 3 * len(FORMULAS), "delayed tickets name customers and branches")

	def test_other_doctypes_are_exported_as_ever(self) -> None:
		note = frappe.get_doc(
			doctype="ToDo", description="=1+1", allocated_to=HUDA, assigned_by=HUDA
		).insert()
		frappe.db.commit()
		self.addCleanup(self.forget, note.name)
		with signed_in("Administrator"):
			fields, given = ["`tabToDo`.`description`"], {"filters": {"name": note.name}, "view": "Report"}
			call(LIST, doctype="ToDo", fields=fields, **given, file_format_type="CSV")
		self.assertIn('"=1+1"', frappe.response.pop("filecontent").decode())

	def forget(self, name: str) -> None:
		frappe.delete_doc("ToDo", name, force=True)
		frappe.db.commit()

	def test_agents_still_export_nothing(self) -> None:
		for method, form in self.routes():
			answer = self.as_(MONA).call(method, **form)
			self.assertEqual(answer.status, 403, method)
			self.assertNotIn(PHONE, answer.text)

	def routes(self) -> Iterator[tuple[str, dict[str, Any]]]:
		doctype = "Khalifa Customer"
		yield (
			LIST,
			{
				"doctype": doctype,
				"fields": ["`tabKhalifa Customer`.`phone`"],
				"file_format_type": "CSV",
				"view": "Report",
			},
		)
		yield (
			REPORT,
			{"report_name": "WhatsApp Delayed Tickets Now", "filters": {}, "file_format_type": "CSV"},
		)
		yield DATA, {"doctype": doctype, "with_data": 1, "file_type": "CSV"}
		yield (
			TEMPLATE,
			{
				"doctype": doctype,
				"export_records": "all",
				"export_fields": {doctype: ["phone"]},
				"file_type": "CSV",
			},
		)


def reports_of_ours() -> list[str]:
	return frappe.get_all("Report", {"module": "Khalifa WhatsApp", "disabled": 0}, pluck="name")
