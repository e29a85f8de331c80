"""Files that jobs make of our rows, and files made of files: no formula in them,
and read by nobody who may not read the rows.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import frappe
import openpyxl
from frappe.core.doctype.prepared_report import prepared_report
from frappe.desk import reportview

from khalifa_whatsapp.access import background
from khalifa_whatsapp.tests.case import ALI, HUDA, MONA, VISITOR
from khalifa_whatsapp.tests.endpoints import call, signed_in
from khalifa_whatsapp.tests.records import make_conversation
from khalifa_whatsapp.tests.test_exports import (
	FIELDS,
	FORMULAS,
	LIST,
	PHONE,
	REPORT,
	ExportCase,
	reports_of_ours,
)
from khalifa_whatsapp.tests.web import METHOD, Answer

LATE, NOTE_REPORT = "WhatsApp Delayed Tickets Now", "Kw Notes"
IMPORT = "frappe.core.doctype.data_import.data_import."
CSV, PLAIN = 'name,notes\r\nx,"=1+1"\r\ny,plain\r\n', "=1+1"


class ResultCase(ExportCase):
	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(self.forget)
		self.mails: list[dict[str, Any]] = []
		self.replace("frappe.sendmail", lambda **mail: self.mails.append(mail))

	def forget(self) -> None:
		frappe.set_user("Administrator")
		for doctype in ("Prepared Report", "Data Import", "Data Import Log"):
			frappe.db.delete(doctype)
		frappe.db.delete("Report", {"name": NOTE_REPORT})
		frappe.db.delete("Notification Log", {"for_user": ("in", (HUDA, ALI, MONA))})
		for name in frappe.get_all("File", {"is_folder": 0, "is_home_folder": 0}, pluck="name"):
			frappe.delete_doc("File", name, force=True)
		frappe.db.commit()

	def check_file(self, file: Any, at_least: int) -> list[Any]:
		content = file.get_content()
		answer = Answer(200, content.encode() if isinstance(content, str) else content, {})
		return (self.check_xlsx if file.file_name.endswith(".xlsx") else self.check_csv)(answer, at_least)

	def readers(self, file: Any) -> set[str]:
		"""Who can download the file, or finds it in a list of files, or reads its row."""
		readers = set()
		for user in (HUDA, ALI, MONA, VISITOR):
			who = self.as_(user)
			listed = who.call("frappe.client.get_list", doctype="File", filters={"name": file.name}).json.get(
				"message"
			)
			opened = [
				who.send("GET", path).status for path in (file.unique_url, f"/api/resource/File/{file.name}")
			]
			readers |= {user} if listed or 200 in opened else set()
		return readers


class TestInTheBackground(ResultCase):
	def ask(self, user: str, method: str, **form: Any) -> Answer:
		sent = {
			key: json.dumps(value) if isinstance(value, list | dict) else value for key, value in form.items()
		}
		return self.as_(user).send("POST", METHOD + method, data={**sent, "export_in_background": 1})

	def made(self, method: str, **form: Any) -> Any:
		"""The file that the job makes."""
		self.run_job(method, **form)
		return frappe.get_last_doc("File", {"is_folder": 0})

	def run_job(self, method: str, **form: Any) -> None:
		answer = self.ask(HUDA, method, **form)
		self.assertEqual(answer.status, 200, answer.text)
		self.assertNotIn(PHONE, answer.text)
		path, given = self.enqueued.pop()
		self.assertEqual((path, given.pop("queue")), ("khalifa_whatsapp.access.background.export", "long"))
		with signed_in(HUDA):
			frappe.get_attr(path)(**given)
		frappe.db.commit()

	def of_list(self, doctype: str, kind: str) -> dict[str, Any]:
		fields = [f"`tab{doctype}`.`{field}`" for field in FIELDS[doctype]]
		return {
			"doctype": doctype,
			"fields": fields,
			"filters": [],
			"view": "Report",
			"file_format_type": kind,
			"title": doctype,
		}

	def test_lists(self) -> None:
		for doctype in ("Khalifa Ticket", "Khalifa Customer", "Khalifa Message"):
			for kind in ("CSV", "Excel"):
				with self.subTest(f"{doctype} {kind}"):
					file = self.made(LIST, **self.of_list(doctype, kind))
					self.check_file(file, 3 * len(FORMULAS))
					self.assertEqual(
						(file.attached_to_doctype, file.attached_to_name, file.is_private), (None, None, 1)
					)
					self.assertEqual(self.readers(file), {HUDA})

	def test_reports(self) -> None:
		guarded = 0
		for name in reports_of_ours():
			if name == "WhatsApp Counted Rows":  # it has no rows without its filters
				continue
			for kind in ("CSV", "Excel"):
				with self.subTest(f"{name} {kind}"):
					file = self.made(
						REPORT, report_name=name, filters={}, visible_idx=[], file_format_type=kind
					)
					guarded += len(
						[value for value in self.check_file(file, 0) if str(value).startswith("\u200b")]
					)
					self.assertEqual(self.readers(file), {HUDA})
		self.assertGreaterEqual(guarded, 6 * len(FORMULAS))

	def test_an_export_without_rows_says_so(self) -> None:
		made = frappe.db.count("File")
		self.run_job(
			REPORT, report_name="WhatsApp Counted Rows", filters={}, visible_idx=[], file_format_type="CSV"
		)
		self.assertEqual(frappe.db.count("File"), made)
		said = frappe.get_all(
			"Notification Log", {"for_user": HUDA, "subject": ("like", "%no rows%")}, ["owner", "link"]
		)
		self.assertEqual([(note.owner, note.link) for note in said], [(HUDA, None)])

	def test_whoever_asked_is_notified_and_nobody_else(self) -> None:
		file = self.made(LIST, **self.of_list("Khalifa Customer", "CSV"))
		notes = frappe.get_all("Notification Log", {"link": file.unique_url}, ["for_user", "subject"])
		self.assertEqual([(note.for_user, file.file_name in note.subject) for note in notes], [(HUDA, True)])
		self.assertEqual([mail["recipients"] for mail in self.mails], [[HUDA]])
		self.assertIn(file.unique_url, self.mails[0]["message"].replace("&amp;", "&"))

	def test_a_site_that_sends_no_mail_still_notifies(self) -> None:
		def fail(**mail: Any) -> None:
			raise frappe.OutgoingEmailError

		self.replace("frappe.sendmail", fail)
		file = self.made(LIST, **self.of_list("Khalifa Customer", "CSV"))
		self.assertTrue(frappe.db.exists("Notification Log", {"link": file.unique_url, "for_user": HUDA}))

	def test_who_may_not_export_asks_in_vain(self) -> None:
		for user in (MONA, VISITOR):
			for method, form in (
				(LIST, self.of_list("Khalifa Customer", "CSV")),
				(REPORT, {"report_name": LATE, "filters": {}}),
			):
				self.assertEqual(
					self.ask(
						user,
						method,
						**form,
						**({} if "file_format_type" in form else {"file_format_type": "CSV"}),
					).status,
					403,
				)
		self.assertEqual(self.enqueued, [])

	def test_others_are_exported_as_frappe_does(self) -> None:
		if not hasattr(reportview, "run_report_view_export_job"):
			self.skipTest("this Frappe makes no exports in the background")
		with signed_in("Administrator"):
			given = {
				"fields": ["`tabToDo`.`name`"],
				"filters": [],
				"view": "Report",
				"title": "x",
				"export_in_background": 1,
			}
			call(LIST, doctype="ToDo", **given, file_format_type="CSV")
		self.assertEqual(self.enqueued[-1][0], "frappe.desk.reportview.run_report_view_export_job")

	def test_an_export_goes_when_its_time_is_over_and_no_other_file_does(self) -> None:
		old = self.made(LIST, **self.of_list("Khalifa Customer", "CSV"))
		new = self.made(LIST, **self.of_list("Khalifa Ticket", "CSV"))
		other = frappe.get_doc(
			{"doctype": "File", "file_name": "x.txt", "content": "x", "is_private": 1}
		).insert()
		for file in (old, other):
			frappe.db.set_value(
				"File", file.name, "creation", frappe.utils.add_to_date(None, hours=-background.HOURS - 1)
			)
		background.delete_old()
		self.assertEqual(
			[bool(frappe.db.exists("File", file.name)) for file in (old, new, other)], [False, True, True]
		)


class TestWhatFrappesJobsStore(ResultCase):
	"""As on 15.101, also where the job was on its way before this was here."""

	def store(self, name: str, content: str | bytes, doctype: str, row: str) -> Any:
		file = {"doctype": "File", "file_name": name, "content": content, "is_private": 1}
		with signed_in(HUDA):
			made = frappe.get_doc({**file, "attached_to_doctype": doctype, "attached_to_name": row}).save(
				ignore_permissions=True
			)
		frappe.db.commit()
		return frappe.get_doc("File", made.name)

	def note_report(self) -> str:
		report = {
			"doctype": "Report",
			"report_name": NOTE_REPORT,
			"ref_doctype": "Note",
			"report_type": "Report Builder",
		}
		return frappe.get_doc({**report, "is_standard": "No"}).insert().name

	def test_a_result_that_is_attached_to_our_report_is_guarded_and_hangs_on_nothing(self) -> None:
		book = openpyxl.Workbook()
		book.active.append([PLAIN])
		out = io.BytesIO()
		book.save(out)
		for name, content in (("late.csv", CSV.encode()), ("late.xlsx", out.getvalue())):
			file = self.store(name, content, "Report", LATE)
			self.check_file(file, 1)
			self.assertEqual((file.attached_to_doctype, file.attached_to_name), (None, None))
			self.assertEqual(self.readers(file), {HUDA})

	def test_one_that_was_attached_before_is_closed(self) -> None:
		file = self.store("late.csv", CSV.encode(), "Report", LATE)
		for report, readers in ((LATE, {HUDA}), (self.note_report(), {HUDA, ALI, MONA})):
			attached = {"attached_to_doctype": "Report", "attached_to_name": report, "owner": HUDA}
			frappe.db.set_value("File", file.name, attached)
			frappe.db.commit()
			self.assertEqual(self.readers(frappe.get_doc("File", file.name)) | {HUDA}, readers, report)

	def test_others_results_stay_as_they_are(self) -> None:
		report = self.note_report()
		file = self.store("notes.csv", CSV.encode(), "Report", report)
		self.assertEqual((file.attached_to_doctype, file.attached_to_name), ("Report", report))
		self.assertEqual(file.get_content(), CSV)

	def prepare(self, owner: str) -> Any:
		row = {
			"doctype": "Prepared Report",
			"report_name": LATE,
			"filters": "{}",
			"status": "Queued",
			"owner": owner,
		}
		with signed_in(owner):
			doc = frappe.get_doc(row).insert(ignore_permissions=True)
			prepared_report.generate_report(doc.name)
		frappe.db.commit()
		return frappe.get_doc("Prepared Report", doc.name)

	def test_a_prepared_report_is_read_by_managers_and_its_csv_is_guarded(self) -> None:
		doc = self.prepare(HUDA)
		self.assertEqual(doc.status, "Completed", doc.error_message)
		if hasattr(prepared_report, "convert_json_to_csv"):
			with signed_in(HUDA):
				prepared_report.convert_json_to_csv(doc.name)
			frappe.db.commit()
		else:
			rows = json.loads(doc.get_prepared_data())["result"]
			self.store(
				"csv_late.csv",
				"\r\n".join(f'"{row["customer_name"]}"' for row in rows).encode(),
				"Prepared Report",
				doc.name,
			)
		file = frappe.get_last_doc("File", {"attached_to_name": doc.name, "file_name": ("like", "csv%")})
		self.check_file(file, 1)
		for made in frappe.get_all("File", {"attached_to_name": doc.name}, pluck="name"):
			self.assertEqual(self.readers(frappe.get_doc("File", made)) - {HUDA}, set())
		for user in (ALI, VISITOR):
			answer = self.as_(user).call(
				"frappe.core.doctype.prepared_report.prepared_report.download_attachment", dn=doc.name
			)
			self.assertNotEqual(answer.status, 200)
			self.assertNotIn(PHONE, answer.text)


class TestOfDataImport(ResultCase):
	def test_what_an_import_did_not_take_is_guarded(self) -> None:
		with signed_in("Administrator"):
			file = {
				"doctype": "File",
				"file_name": "in.csv",
				"content": f"Name,Address\r\nx,{PLAIN}\r\n",
				"is_private": 1,
			}
			url = frappe.get_doc(file).insert().file_url
			row = ("Import 1", "Khalifa Branch", url, "Insert New Records")
			frappe.db.bulk_insert(
				"Data Import", ["name", "reference_doctype", "import_file", "import_type"], [row]
			)
			log = ("Log 1", "Import 1", 0, "[2]", PLAIN, PLAIN)
			columns = ["name", "data_import", "success", "row_indexes", "messages", "exception"]
			frappe.db.bulk_insert("Data Import Log", columns, [log])
			for method in ("download_errored_template", "download_import_log"):
				call(IMPORT + method, data_import_name="Import 1")
				result = frappe.response.pop("result")
				self.check_csv(Answer(200, result.encode(), {}), 1)
				self.assertIn("1+1", result, method)
				frappe.db.set_value("Data Import", "Import 1", "reference_doctype", "ToDo")
				call(IMPORT + method, data_import_name="Import 1")
				self.assertIn(f'"{PLAIN}"', frappe.response.pop("result"), "others' as ever")
				frappe.db.set_value("Data Import", "Import 1", "reference_doctype", "Khalifa Branch")


class TestZippedFiles(ResultCase):
	ZIP = "frappe.core.api.file.zip_files"

	def test_a_file_goes_with_its_conversation_also_in_an_archive(self) -> None:
		"""Mona uploaded it, when the ticket was hers."""
		names = []
		for ticket, owner in (("OWN", self.mona), ("OTHER", self.ali)):
			make_conversation(ticket, owner, "x")
			file = {
				"doctype": "File",
				"file_name": f"{ticket}.txt",
				"content": f"words of {ticket}",
				"is_private": 1,
			}
			with signed_in(MONA):
				at = {"attached_to_doctype": "Khalifa Ticket", "attached_to_name": ticket}
				names.append(frappe.get_doc({**file, **at}).insert(ignore_permissions=True).name)
		own = {"doctype": "File", "file_name": "note.txt", "content": "a note", "is_private": 1}
		with signed_in(MONA):
			names.append(frappe.get_doc(own).insert().name)
		frappe.db.commit()
		for path in (self.ZIP, "frappe.core.doctype.file.file.zip_files"):
			answer = self.as_(MONA).call(path, files=names)
			archive = zipfile.ZipFile(io.BytesIO(answer.raw))
			self.assertEqual(
				{archive.read(name).decode() for name in archive.namelist()}, {"words of OWN", "a note"}, path
			)
