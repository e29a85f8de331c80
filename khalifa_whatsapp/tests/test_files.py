"""Names of files: shown as people wrote them, in headers that every server lets pass, and never another's
place on disk.

The headers are looked at behind gunicorn: Frappe's own test client lets pass what it refuses.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import unittest
from email.message import Message as Headers
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

import frappe
import requests
from frappe.core.doctype.file.file import File
from PIL import Image
from pypdf import PdfWriter

from khalifa_whatsapp.access.stored_files import DAMAGED, StoredFile, keep
from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.file_names import MAX_BYTES
from khalifa_whatsapp.tests.case import MONA, PASSWORD, SiteCase
from khalifa_whatsapp.tests.pages import start
from khalifa_whatsapp.tests.records import make_user
from khalifa_whatsapp.tests.test_real_workers import free_port
from khalifa_whatsapp.tests.web import METHOD

OGG = b"OggS" + bytes(24) + b"OpusHead" + bytes(100)
UPLOAD, DOWNLOAD = (
	f"{METHOD}khalifa_whatsapp.api.media.upload",
	f"{METHOD}khalifa_whatsapp.api.media.download",
)
CLERK = "c1erk@desk.example"


@cache
def web_server() -> str:
	"""The site behind gunicorn, without what a page needs."""
	port, sites = free_port(), Path(frappe.local.sites_path).absolute()
	command = [
		sys.executable,
		"-m",
		"gunicorn",
		"-b",
		f"127.0.0.1:{port}",
		"--threads",
		"4",
		"frappe.app:application",
	]
	start(command, port, cwd=sites, env=dict(os.environ))
	return f"http://127.0.0.1:{port}"


def pdf() -> bytes:
	"""A whole one: newer versions of Frappe read it before they keep it."""
	out, writer = io.BytesIO(), PdfWriter()
	writer.add_blank_page(72, 72)
	writer.write(out)
	return out.getvalue()


PDF = pdf()


def jpeg(turn: int = 6) -> bytes:
	out, exif = io.BytesIO(), Image.Exif()
	exif[0x0112], exif[0x010F] = turn, "SecretPhone"
	exif.get_ifd(0x8825).update({1: "N", 2: (30.0, 2.0, 39.0)})
	Image.effect_noise((32, 24), 60).convert("RGB").save(out, "JPEG", exif=exif.tobytes())
	return out.getvalue()


class FilesCase(SiteCase):
	def setUp(self) -> None:
		super().setUp()
		self.ticket_name = self.ticket_of(self.mona)
		self.addCleanup(self.remove)

	def remove(self) -> None:
		frappe.db.rollback()
		frappe.set_user("Administrator")
		for name in frappe.get_all("File", {"attached_to_doctype": ("like", "Khalifa %")}, pluck="name"):
			frappe.delete_doc("File", name, force=True)
		frappe.db.commit()

	def bring(
		self, content: bytes, name: str, mime_type: str = "application/octet-stream", **more: str
	) -> Any:
		data = {"ticket": self.ticket_name, "file": (io.BytesIO(content), name, mime_type), **more}
		return self.as_(MONA).send("POST", UPLOAD, data=data)

	def kept(self, answer: Any) -> bytes:
		"""What lies on the disk of an upload."""
		self.assertEqual(answer.status, 200, answer.text)
		frappe.db.rollback()  # to see what the web server's thread has committed
		return on_site().read_file(answer.message["file_url"]) or b""

	def store(self, content: bytes, file_name: str | None, mime_type: str) -> str:
		"""A customer's message with this file, called so by whoever stored it; its name."""
		message = self.all(records.Message, ticket=self.ticket_name)[0]
		doc = keep(content, file_name or "x", "Khalifa Message", message.name)
		values = {
			"file_url": doc.file_url,
			"file_name": file_name,
			"mime_type": mime_type,
			"media_state": "Stored",
		}
		frappe.db.set_value("Khalifa Message", message.name, values)
		frappe.db.commit()
		return message.name


@unittest.skipUnless(find_spec("gunicorn"), "needs gunicorn")
class TestNamesOnTheWire(FilesCase):
	def setUp(self) -> None:
		super().setUp()
		self.browser = requests.Session()
		self.browser.headers["X-Frappe-Site-Name"] = frappe.local.site
		self.browser.post(
			f"{web_server()}{METHOD}login", data={"usr": MONA, "pwd": PASSWORD}, timeout=60
		).raise_for_status()

	def ask(self, message: str, **headers: str) -> requests.Response:
		return self.browser.get(
			web_server() + DOWNLOAD, params={"message": message}, headers=headers, timeout=60
		)

	def saved_as(self, answer: requests.Response) -> str:
		"""The name under which a browser saves it."""
		given = Headers()
		given["Content-Disposition"] = answer.headers["Content-Disposition"]
		encoded = answer.headers["Content-Disposition"].partition("filename*=UTF-8''")[2]
		return unquote(encoded) if encoded else given.get_filename() or ""

	def test_whatever_a_file_is_called_it_opens_under_a_name_that_can_be_read(self) -> None:
		names = {
			"عقد.pdf": "عقد.pdf",
			"فاتورة ١٢.pdf": "فاتورة ١٢.pdf",
			"😀.pdf": "😀.pdf",
			"a;b=c, d.pdf": "a;b=c, d.pdf",
			'say "hi".pdf': "say ”hi”.pdf",
			"back\\slash.pdf": "slash.pdf",
			"two\r\nSet-Cookie: a=b.pdf": "two Set-Cookie_ a=b.pdf",
			"nul\0l.pdf": "null.pdf",
			"cod\u202efdp.pdf": "codfdp.pdf",
			"../../x.pdf": "x.pdf",
			"%0d%0a.pdf": "_0d_0a.pdf",
			"": None,
			"...": None,
			"عقد": "عقد.pdf",
			"résumé.pdf": "résumé.pdf",
		}
		for name, shown in names.items():
			message = self.store(PDF, name, "application/pdf")
			answer = self.ask(message)
			self.assertEqual((answer.status_code, answer.content), (200, PDF), name)
			self.assertEqual(self.saved_as(answer), shown or f"{message}.pdf", name)
			self.assertTrue(answer.headers["Content-Disposition"].startswith("inline"), name)
			self.assertNotIn("Set-Cookie", [key for key in answer.headers if "a=b" in answer.headers[key]])

	def test_a_long_name_is_cut_before_its_ending(self) -> None:
		answer = self.ask(self.store(PDF, "ع" * 250 + ".pdf", "application/pdf"))
		name = self.saved_as(answer)
		self.assertEqual(answer.status_code, 200)
		self.assertTrue(name.endswith("ع.pdf") and len(name.encode()) <= MAX_BYTES, name)

	def test_a_voice_note_has_the_ending_of_its_kind(self) -> None:
		message = self.store(OGG, None, "audio/ogg; codecs=opus")
		answer = self.ask(message)
		self.assertEqual((answer.status_code, self.saved_as(answer)), (200, f"{message}.ogg"))
		self.assertEqual(answer.headers["Content-Type"], "audio/ogg")
		part = self.ask(message, Range="bytes=4-9")
		self.assertEqual((part.status_code, part.content), (206, OGG[4:10]))

	def test_a_kind_from_outside_can_not_break_the_answer(self) -> None:
		for mime_type in (
			"text/plain\r\nX-Bad: 1",
			"نص/عادي",
			"",
			"text/html",
			"image/svg+xml",
			"application/xhtml+xml",
			"a" * 140,
		):
			answer = self.ask(self.store(b"<script>alert(1)</script>", "x.html", mime_type))
			self.assertEqual(answer.status_code, 200, mime_type)
			self.assertEqual(answer.headers["Content-Type"], "application/octet-stream", mime_type)
			self.assertTrue(answer.headers["Content-Disposition"].startswith("attachment"), mime_type)
			self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
			self.assertNotIn("X-Bad", answer.headers)

	def test_a_customers_program_is_never_opened_in_the_page_by_any_address(self) -> None:
		message = self.store(b"<script>alert(1)</script>", "page.xhtml", "text/plain")
		self.assertTrue(self.ask(message).headers["Content-Disposition"].startswith("attachment"))
		url = frappe.db.get_value("Khalifa Message", message, "file_url")
		direct = self.browser.get(web_server() + url, timeout=60)
		self.assertEqual(
			(direct.status_code, direct.headers["Content-Type"]), (200, "application/octet-stream")
		)


class TestUploads(FilesCase):
	def test_names_are_made_safe_and_whatever_they_were_nothing_escapes(self) -> None:
		for name, kept in {
			"a\0b.txt": "ab.txt",
			"%2e%2e%2fx.txt": "_2e_2e_2fx.txt",
			"../../../x.txt": "x.txt",
			".htaccess": "htaccess.txt",
			"a/b\\c.txt": "c.txt",
			"x" * 300 + ".txt": "x" * 116 + ".txt",
			"CON.txt": "_CON.txt",
			"gpj\u202etxt.txt": "gpjtxt.txt",
			"عقد.txt": "عقد.txt",
			"a?b#c%d.txt": "a_b_c_d.txt",
		}.items():
			answer = self.bring(b"hello", name, "text/plain")
			self.assertEqual(self.kept(answer), b"hello", name)
			self.assertEqual(answer.message["file_name"], kept, name)
			self.assertRegex(answer.message["file_url"], r"^/private/files/[0-9a-f]{32}\.txt$")

	def test_programs_scripts_and_pages_are_refused_with_a_text(self) -> None:
		before = frappe.db.count("File")
		for name, content, mime_type in (
			("setup.exe", b"MZ" + bytes(100), "application/x-msdownload"),
			("bill.pdf.exe", b"x", "application/pdf"),
			("bill.pdf", b"MZ" + bytes(100), "application/pdf"),
			("cod\u202efdp.exe", b"x", "text/plain"),
			("x.exe. ", b"x", ""),
			("run.bat", b"x", ""),
			("a.js", b"x", ""),
			("p.html", b"<html>", "text/plain"),
			("p.svg", b"<svg/>", ""),
			("p", b"<html>", "text/html"),
			("x.EXE", b"x", ""),
			("a.lnk", b"x", ""),
			("a.ps1", b"x", ""),
			("a.apk", b"PK", ""),
		):
			answer = self.bring(content, name, mime_type)
			self.assertEqual((answer.status, answer.code), (417, "file_can_run"), (name, answer.text))
			self.assertIn("Programs", answer.said)
		self.assertEqual(frappe.db.count("File"), before)

	def test_what_pharmacies_send_each_other_is_taken(self) -> None:
		for name in (
			"sums.xlsx",
			"macro.xlsm",
			"list.csv",
			"a.docx",
			"a.zip",
			"a.rar",
			"invoice.xml",
			"card.vcf",
			"x.pdf",
		):
			self.assertEqual(self.bring(PDF if name.endswith(".pdf") else b"hello", name).status, 200, name)

	def test_without_the_voice_codec_a_recording_is_refused_with_the_way_out_and_all_else_goes(self) -> None:
		chrome = b"\x1a\x45\xdf\xa3" + bytes(100)
		self.assertEqual(self.bring(chrome, "a.webm", is_voice="1").code, "bad_recording")
		with patch.dict(sys.modules, {"av": None}):
			sys.modules.pop("khalifa_whatsapp.media.voice", None)
			refused = self.bring(chrome, "a.webm", is_voice="1")
			self.assertEqual((refused.status, refused.code), (417, "no_voice_codec"))
			self.assertIn("bench pip install", refused.text)
			self.assertEqual(self.bring(OGG, "a.ogg", is_voice="1").message["kind"], "voice")
			self.assertEqual(self.bring(PDF, "a.pdf").status, 200)

	def test_a_damaged_file_is_taken_or_refused_with_a_text(self) -> None:
		"""Newer versions of Frappe take a PDF apart when it is brought, and stumble over what isn't one."""
		is_read = hasattr(File, "check_content")
		loop = (
			b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 1 0 R/Kids[1 0 R]>>endobj\ntrailer<</Root 1 0 "
			b"R>>\nstartxref\n9\n%%EOF"
		)
		for content in (b"hello", PDF[:60], PDF[: len(PDF) // 2], loop, b"%PDF-1.7\n" + bytes(100)):
			answer = self.bring(content, "x.pdf", "application/pdf")
			if is_read and answer.status != 200:
				self.assertEqual(answer.status, 417, answer.text)
				self.assertIn(frappe._(DAMAGED), answer.said)
			else:
				self.assertEqual(self.kept(answer), content)

	def test_a_photo_goes_out_without_its_place_and_is_the_same_picture(self) -> None:
		photo = jpeg(turn=6)
		frappe.db.set_single_value("System Settings", "strip_exif_metadata_from_uploaded_images", 1)
		frappe.db.commit()
		sent = self.kept(self.bring(photo, "p.jpg", "image/jpeg"))
		before, after = Image.open(io.BytesIO(photo)), Image.open(io.BytesIO(sent))
		self.assertEqual((before.tobytes(), after.getexif()[0x0112]), (after.tobytes(), 6))
		self.assertNotIn(b"SecretPhone", sent)
		frappe.db.set_single_value("System Settings", "strip_exif_metadata_from_uploaded_images", 0)
		frappe.db.commit()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(
			frappe.db.set_single_value, "System Settings", "strip_exif_metadata_from_uploaded_images", 1
		)
		self.assertEqual(self.kept(self.bring(photo, "p.jpg", "image/jpeg")), photo)

	def test_a_damaged_picture_is_sent_as_it_is_and_no_500(self) -> None:
		for content in (b"\xff\xd8\xff\xe0" + bytes(200), b"\xff\xd8\xff", jpeg()[:200]):
			self.assertEqual(self.kept(self.bring(content, "p.jpg", "image/jpeg")), content)

	def test_limits_of_the_site_hold_for_employees(self) -> None:
		frappe.db.set_single_value("System Settings", "allowed_file_extensions", "PDF")
		frappe.db.commit()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.set_single_value, "System Settings", "allowed_file_extensions", None)
		self.assertEqual(self.bring(b"hello", "a.txt", "text/plain").status, 417)
		self.assertEqual(self.bring(PDF, "a.pdf", "application/pdf").status, 200)


class TestPlacesOnTheDisk(FilesCase):
	"""Nobody's file is written over one of a conversation, whatever Frappe makes of its name."""

	def setUp(self) -> None:
		super().setUp()
		make_user(CLERK, "Clerk")
		frappe.db.commit()
		self.old = self.old_file("vic_tim9.txt", b"a customer's words")

	def old_file(self, name: str, content: bytes) -> Path:
		"""A conversation's file that an earlier version stored under the customer's own name."""
		doc = keep(content, name, "Khalifa Ticket", self.ticket_name)
		path = Path(doc.get_full_path()).rename(Path(doc.get_full_path()).with_name(name))
		frappe.db.set_value("File", doc.name, "file_url", f"/private/files/{name}")
		frappe.db.commit()
		self.addCleanup(path.unlink, missing_ok=True)
		return path

	def insert(self, **values: Any) -> Any:
		frappe.set_user(CLERK)
		self.addCleanup(frappe.set_user, "Administrator")
		doc = frappe.get_doc(doctype="File", is_private=1, **values).insert(ignore_permissions=True)
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.delete_doc, "File", doc.name, force=True, ignore_permissions=True)
		return doc

	def test_a_name_that_becomes_anothers_is_given_another_place(self) -> None:
		"""As newer versions of Frappe do: the place is free, then the name is written another way."""
		frappe.set_user(CLERK)
		self.addCleanup(frappe.set_user, "Administrator")
		doc = frappe.get_doc(doctype="File", is_private=1, file_name="vic%tim9.txt", content=b"mine")
		doc.name, doc.file_url, doc._content = "x", "/private/files/vic_tim9.txt", b"mine"
		doc.write_file()
		self.addCleanup(Path(doc.get_full_path()).unlink)
		self.assertEqual(self.old.read_bytes(), b"a customer's words")
		self.assertEqual(
			(Path(doc.get_full_path()).read_bytes(), doc.file_url == "/private/files/vic_tim9.txt"),
			(b"mine", False),
		)

	def test_the_odd_names_themselves(self) -> None:
		for name in ("vic%tim9.txt", "vic?tim9.txt", "vic#tim9.txt", "vic\\tim9.txt", "vic_tim9.txt"):
			doc = self.insert(file_name=name, content=f"mine {name}".encode())
			self.assertEqual(self.old.read_bytes(), b"a customer's words", name)
			self.assertEqual(Path(doc.get_full_path()).read_bytes(), f"mine {name}".encode())

	def test_a_picture_that_is_renamed_and_optimised_writes_over_nothing(self) -> None:
		picture = self.old_file("photo9.jpg", jpeg())
		before = hashlib.sha256(picture.read_bytes()).hexdigest()
		doc = self.insert(file_name="mine9.jpg", content=jpeg(turn=1))
		doc.db_set("file_name", "photo9.jpg")
		doc.reload()
		doc.optimize_file()
		frappe.db.commit()
		self.assertEqual(hashlib.sha256(picture.read_bytes()).hexdigest(), before)

	def test_a_conversations_file_is_not_made_smaller_by_anybody(self) -> None:
		doc = keep(jpeg(), "p.jpg", "Khalifa Ticket", self.ticket_name)
		frappe.db.commit()
		with self.assertRaises(frappe.ValidationError):
			frappe.get_doc("File", doc.name).optimize_file()
		self.assertEqual(on_site().read_file(doc.file_url), jpeg_of(doc))

	def test_what_hangs_on_our_rows_is_kept_so_by_every_route(self) -> None:
		for values in ({"content": jpeg()}, {"file_url": f"/private/files/{self.old.name}"}):
			doc = frappe.get_doc(
				doctype="File",
				file_name="a%b.jpg",
				is_private=1,
				attached_to_doctype="Khalifa Ticket",
				attached_to_name=self.ticket_name,
				**values,
			).insert()
			self.assertIsInstance(doc, StoredFile)
			self.assertRegex(doc.file_url, r"^/private/files/[0-9a-f]{32}\.jpg$")
			self.assertEqual(doc.file_name, "a_b.jpg")
			self.assertEqual(
				on_site().read_file(doc.file_url), values.get("content") or self.old.read_bytes()
			)

	def test_a_file_from_above_our_folders_is_not_copied(self) -> None:
		with self.assertRaises(frappe.ValidationError):
			frappe.get_doc(
				doctype="File",
				file_name="c.json",
				file_url="/private/files/../../site_config.json",
				is_private=1,
				attached_to_doctype="Khalifa Ticket",
				attached_to_name=self.ticket_name,
			).insert()

	def test_files_of_others_are_frappes_own(self) -> None:
		doc = self.insert(file_name="theirs 9.txt", content=b"words")
		self.assertEqual((doc.file_name, doc.file_url), ("theirs 9.txt", "/private/files/theirs 9.txt"))


def jpeg_of(doc: Any) -> bytes:
	return Path(doc.get_full_path()).read_bytes()
