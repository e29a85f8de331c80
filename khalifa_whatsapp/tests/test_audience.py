"""A campaign's audience on a site: customers by a filter, reports, pasted lists and attached files."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any
from unittest.mock import patch

import frappe
import openpyxl

from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core import records, table_text
from khalifa_whatsapp.core.audience import Line, reason
from khalifa_whatsapp.core.cells import is_formula
from khalifa_whatsapp.core.errors import NotAllowed, UserError
from khalifa_whatsapp.core.identity import PHONE, Identity
from khalifa_whatsapp.jobs import audience, uploaded_tables
from khalifa_whatsapp.services.campaigns.audience import with_people
from khalifa_whatsapp.tests.case import DEVICE, HUDA, MONA, SiteCase
from khalifa_whatsapp.tests.records import insert

API = "khalifa_whatsapp.api.campaign_audience."
SPELLINGS = ["01001234567", "+20 100 123 4567", "0020 100 1234567", "٠١٠٠١٢٣٤٥٦٧", "(010) 0123-4567"]


def workbook(*rows: list[Any]) -> bytes:
	book, out = openpyxl.Workbook(), io.BytesIO()
	for row in rows:
		book.active.append(row)
	book.save(out)
	return out.getvalue()


class AudienceCase(SiteCase):
	def setUp(self) -> None:
		super().setUp()
		frappe.db.delete("Khalifa Campaign")

	def campaign(self, **fields: Any) -> Any:
		row = {"doctype": "Khalifa Campaign", "title": "Autumn", "device": DEVICE, "text_a": "Hello"}
		doc = frappe.get_doc({**row, **fields}).insert()
		frappe.db.commit()
		return doc

	def lines(self, doc: Any, needed: tuple[str, ...] = ()) -> list[Line]:
		"""Read by a manager, as a plan does."""
		frappe.set_user(HUDA)
		self.addCleanup(frappe.set_user, "Administrator")
		source = audience.source_of(doc.name, needed)
		store = on_site()
		with store.transaction():
			lines = with_people(store, source.made, list(source.lines))
		self.assertEqual(len(lines), source.total)
		frappe.set_user("Administrator")
		return lines

	def of_list(self, text: str, **fields: Any) -> list[Line]:
		needed = fields.pop("needed", ())
		return self.lines(self.campaign(audience_source="List", audience_list=text, **fields), needed)

	def of_file(self, name: str, content: bytes, **fields: Any) -> list[Line]:
		doc = self.campaign(audience_source="List", **fields)
		self.attach(doc, name, content)
		return self.lines(doc)

	def attach(self, doc: Any, name: str, content: bytes) -> None:
		file = {"doctype": "File", "file_name": name, "content": content, "is_private": 1}
		made = frappe.get_doc(
			{**file, "attached_to_doctype": doc.doctype, "attached_to_name": doc.name}
		).insert()
		doc.db_set("audience_file", made.file_url)
		frappe.db.commit()

	def customers(self, count: int) -> list[str]:
		names = []
		for n in range(count):
			phone = Identity(PHONE, f"+2010{n:08d}")
			branch = self.north if n % 2 else None
			names.append(insert(records.Customer(f"cust{n:04d}", f"Customer {n}", phone.value, branch)))
			insert(records.CustomerIdentity(f"id{n:04d}", phone.key, PHONE, phone.value, names[-1]))
		return names

	def refusal(self, doc: Any, needed: tuple[str, ...] = ()) -> str:
		with self.assertRaises(UserError) as refused:
			audience.source_of(doc.name, needed)
		return refused.exception.code

	def report(self, columns: list[Any], rows: list[Any]) -> str:
		name = f"Audience {frappe.generate_hash(length=8)}"
		doc = {"doctype": "Report", "report_name": name, "ref_doctype": "Khalifa Customer"}
		frappe.get_doc({**doc, "report_type": "Script Report", "is_standard": "No"}).insert()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.delete_doc, "Report", name, force=True)
		self.replace(
			"frappe.core.doctype.report.report.Report.execute_script", lambda _self, _filters: (columns, rows)
		)
		frappe.db.commit()
		return name


class TestAudience(AudienceCase):
	# Lists

	def test_a_pasted_list_in_five_spellings_is_one_recipient(self) -> None:
		lines = self.of_list("\n".join([*SPELLINGS, "Mona", "=1+1"]))
		self.assertEqual([line.why for line in lines], ["", *["duplicate"] * 4, "letters", "formula"])

	def test_a_workbook_is_read_without_evaluating_anything(self) -> None:
		content = workbook(
			["الاسم", "رقم الموبايل", "Amount"],
			["Mona", 1001234567, 50.0],
			["Ali", "01112345678", "=1+1"],
			["Hala", "=1223456789+0", None],
		)
		lines = self.of_file("autumn.xlsx", content)
		self.assertEqual([line.number for line in lines], [2, 3, 4])
		self.assertEqual([line.phone for line in lines], ["+201001234567", "+201112345678", ""])
		self.assertEqual(lines[0].values, {"customer": "Mona", "Amount": "50"})
		self.assertEqual(lines[1].values["Amount"], "=1+1")
		self.assertEqual(lines[2].why, "formula")

	def test_excels_arabic_csv_is_read_whatever_its_encoding_and_separator(self) -> None:
		text = "الاسم;الهاتف\r\nمنى;٠١٠٠١٢٣٤٥٦٧\r\n"
		for encoding in ("utf-8-sig", "utf-16"):
			(line,) = self.of_file("list.csv", text.encode(encoding))
			self.assertEqual((line.phone, line.values["customer"]), ("+201001234567", "منى"))
		(line,) = self.of_file("list.csv", "الاسم;الهاتف\r\nمنى;01001234567\r\n".encode("cp1256"))
		self.assertEqual(line.values["customer"], "منى")

	def test_files_that_are_no_table_are_refused_before_the_first_line(self) -> None:
		bomb = io.BytesIO()
		with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
			archive.writestr("xl/worksheets/sheet1.xml", b"0" * 2_000_000)
		for content, code in (
			(b"\x89PNG\r\n\x1a\n\x00", "table_no_text"),
			(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old_workbook"),
			(workbook(["phone"], ["01001234567"])[:-300], "damaged_workbook"),
			(bomb.getvalue(), "table_too_large"),
			(b'phone,name\n01001234567,"Mona\n01112345678,Ali\n', "table_quote"),
			(b"phone\n", "audience_empty"),
			(workbook(["phone"]), "audience_empty"),
		):
			doc = self.campaign(audience_source="List")
			self.attach(doc, "list.xlsx", content)
			with patch.object(uploaded_tables, "MAX_UNPACKED", 1_000_000), self.subTest(code):
				self.assertEqual(self.refusal(doc), code)

	def test_a_file_that_hangs_on_another_campaign_is_not_read(self) -> None:
		doc, other = self.campaign(audience_source="List"), self.campaign(audience_source="List")
		self.attach(doc, "list.csv", b"01001234567")
		other.db_set("audience_file", doc.audience_file)
		self.assertEqual(self.refusal(other), "audience_no_file")

	def test_a_text_that_asks_for_a_column_that_is_not_there_is_refused(self) -> None:
		doc = self.campaign(audience_source="List", audience_list="phone,Amount\n01001234567,5")
		self.assertEqual(self.refusal(doc, ("Amont",)), "audience_no_value")
		self.assertEqual([line.why for line in self.lines(doc, ("amount",))], [""])

	def test_a_list_longer_than_allowed_is_refused_whole(self) -> None:
		doc = self.campaign(audience_source="List", audience_list="01001234567\n" * 5)
		with patch.object(table_text, "MAX_ROWS", 3):
			self.assertEqual(self.refusal(doc), "table_too_long")

	# Customers

	def test_customers_of_a_filter_are_read_page_by_page(self) -> None:
		self.customers(7)
		insert(records.Customer("gone", "Merged", "+201009999999", self.north, merged_into="cust0001"))
		doc = self.campaign(audience_filters=frappe.as_json([["branch", "=", self.north]]))
		with patch.object(audience, "PAGE", 2):
			lines = self.lines(doc, ("customer", "branch"))
		self.assertEqual([line.customer for line in lines], ["cust0001", "cust0003", "cust0005"])
		self.assertEqual([line.number for line in lines], [1, 2, 3])
		self.assertEqual(lines[0].values["branch"], self.north)

	def test_filters_that_can_not_be_used_are_refused(self) -> None:
		self.customers(1)
		for bad in (
			'{"nope": 1}',
			"[[",
			'[["Khalifa Ticket", "name", "=", "x"]]',
			'[["name", "resembles", 1]]',
			"7",
		):
			doc = self.campaign(audience_filters="[]")
			doc.db_set("audience_filters", bad)
			with self.subTest(bad):
				self.assertEqual(self.refusal(doc), "audience_filter")
		self.assertEqual(
			self.refusal(self.campaign(audience_filters='{"customer_name": "Nobody"}')),
			"audience_no_customers",
		)

	# Reports

	def test_a_report_gives_numbers_and_values(self) -> None:
		name = self.report(["Phone", "Amount:Currency"], [["01001234567", 50], ["nobody", 1]])
		doc = self.campaign(audience_source="Report", audience_report=name)
		lines = self.lines(doc, ("Amount",))
		self.assertEqual([(line.phone, line.why) for line in lines], [("+201001234567", ""), ("", "letters")])
		self.assertEqual(lines[0].values, {"Amount": "50"})

	def test_a_report_gives_customers_by_their_names(self) -> None:
		self.customers(2)
		name = self.report(
			["Shop:Link/Khalifa Customer", "Visits:Int"], [["cust0001", 3], ["cust0000", 1], ["nobody", 1]]
		)
		lines = self.lines(self.campaign(audience_source="Report", audience_report=name))
		self.assertEqual([line.customer for line in lines], ["cust0001", "cust0000", ""])
		self.assertEqual(lines[0].values["Visits"], "3")
		self.assertEqual(lines[2].why, "no_customer")

	def test_the_chosen_column_is_taken_and_one_that_is_not_there_refused(self) -> None:
		name = self.report(["Phone", "Guardian"], [["01001234567", "01112345678"]])
		doc = self.campaign(audience_source="Report", audience_report=name, phone_column="guardian")
		self.assertEqual(self.lines(doc)[0].phone, "+201112345678")
		doc.db_set("phone_column", "Father")
		self.assertEqual(self.refusal(doc), "report_no_column")

	def test_a_report_that_the_manager_may_not_run_gives_nothing(self) -> None:
		doc = self.campaign(audience_source="Report", audience_report="Addresses And Contacts")
		frappe.set_user(HUDA)
		self.addCleanup(frappe.set_user, "Administrator")
		with self.assertRaises((NotAllowed, frappe.PermissionError)):
			audience.source_of(doc.name)


class TestPages(AudienceCase):
	"""What the form asks for."""

	def ask(self, method: str, user: str = HUDA, **given: Any) -> Any:
		return self.as_(user).read(f"{API}{method}", **given)

	def skip(self, campaign: str, line: int, why: str, address: str, detail: str = "") -> None:
		text, values = reason(why, address, detail)
		row = records.CampaignRecipient(
			f"R{line}", f"key-{line}", campaign, line, address=address, reason=text
		)
		row.reason_values, row.status = frappe.as_json(values), "Skipped"
		insert(row)

	def test_the_first_lines_are_shown_as_a_plan_reads_them(self) -> None:
		(mona, *_others) = self.customers(1)
		text = "phone,Amount\n+201000000000,5\nnobody,6\n" + "01001234567,7\n" * 20
		doc = self.campaign(audience_source="List", audience_list=text, text_a="{customer}: {Amount} {Prize}")
		shown = self.ask("preview", campaign=doc.name).message
		self.assertEqual((shown["values"], shown["unknown"], shown["total"]), (["Amount"], ["Prize"], None))
		self.assertEqual(shown["texts"], [{"variant": "A", "text": "Customer 0: 5 "}])
		self.assertEqual(len(shown["rows"]), 10)
		self.assertEqual(shown["rows"][0]["values"], {"Amount": "5", "customer": "Customer 0"})
		self.assertIn("nobody contains more than a phone number", shown["rows"][1]["why"])
		doc = self.campaign(audience_filters=frappe.as_json({"name": mona}))
		shown = self.ask("preview", campaign=doc.name).message
		self.assertEqual(
			(shown["total"], shown["rows"][0]["phone"], shown["rows"][0]["why"]),
			(1, "+201000000000", ""),
		)

	def test_what_is_wrong_with_a_list_is_said_in_words(self) -> None:
		doc = self.campaign(audience_source="List", audience_list='phone,name\n01001234567,"Mona\n0111,Ali\n')
		answer = self.ask("preview", campaign=doc.name)
		self.assertEqual((answer.status, answer.code), (417, "table_quote"))
		self.assertIn("line 2", answer.said)

	def test_a_report_says_which_columns_it_has(self) -> None:
		name = self.report(["Shop:Link/Khalifa Customer", "Visits:Int"], [])
		columns = self.ask("report_columns", report=name).message
		self.assertEqual([column["value"] for column in columns], ["shop", "visits"])

	def test_lines_that_are_left_out_are_summed_up_and_downloaded_without_formulas(self) -> None:
		doc = self.campaign()
		self.skip(doc.name, 1, "letters", "=cmd|' /C calc'!A0")
		self.skip(doc.name, 2, "duplicate", "+201001234567", "1")
		self.skip(doc.name, 3, "duplicate", "+201001234567", "1")
		frappe.db.commit()
		summary = self.ask("skipped", campaign=doc.name).message
		self.assertEqual(
			summary, [{"reason": "Duplicates", "count": 2}, {"reason": "No usable number", "count": 1}]
		)
		book = openpyxl.load_workbook(io.BytesIO(self.ask("download_skipped", campaign=doc.name).raw))
		rows = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
		self.assertEqual(len(rows), 4)
		self.assertFalse(any(is_formula(str(cell)) for row in rows for cell in row))
		self.assertIn("line 1", rows[2][3])
		text = self.ask("download_skipped", campaign=doc.name, file_type="csv").raw.decode("utf-8-sig")
		self.assertEqual([len(row) for row in csv.reader(io.StringIO(text))], [4] * 4)

	def test_a_template_says_which_places_it_has(self) -> None:
		parts = [
			{"type": "HEADER", "format": "TEXT", "text": "Hi {{1}}"},
			{"type": "BODY", "text": "{{1}}, {{2}}"},
		]
		template = records.ProviderTemplate(
			"T1", "T1".ljust(64, "x"), DEVICE, "77", "autumn", "ar", "APPROVED"
		)
		insert(template)
		frappe.db.set_value("Khalifa Provider Template", "T1", "components", frappe.as_json(parts))
		frappe.db.commit()
		answer = self.as_(HUDA).read("khalifa_whatsapp.api.campaign_template.places", template="T1").message
		self.assertEqual(answer, {"text": "Hi {{1}}\n{{1}}, {{2}}", "places": ["header.1", "1", "2"]})
		self.assertEqual(
			self.as_(HUDA).read("khalifa_whatsapp.api.campaign_template.places", template="none").status, 404
		)

	def test_agents_learn_nothing_of_it(self) -> None:
		doc = self.campaign(audience_source="List", audience_list="01001234567")
		for method, given in (
			("preview", {"campaign": doc.name}),
			("skipped", {"campaign": doc.name}),
			("download_skipped", {"campaign": doc.name}),
			("report_columns", {"report": "WhatsApp Team Overview"}),
		):
			self.assertEqual(self.ask(method, MONA, **given).status, 403, method)
