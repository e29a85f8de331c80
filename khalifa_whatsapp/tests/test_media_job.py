"""A customer's picture: from the gateway's post to a private file
that only who sees the conversation can open.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
from pathlib import Path
from unittest.mock import patch

import frappe
from PIL import Image

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.jobs import intake, media
from khalifa_whatsapp.services.inbound import webhook
from khalifa_whatsapp.site_devices import forget_devices, get_device
from khalifa_whatsapp.tests.case import ALI, HUDA, MONA, SiteCase
from khalifa_whatsapp.tests.records import make_cloud_device
from khalifa_whatsapp.tests.web import METHOD
from simulation.simulators import Person
from simulation.simulators.cloud_api import CloudApiSimulator

SHOP = "Picture Shop"
BROKEN = b"\xff\xd8\xff\xe0" + bytes(200)  # says it is a picture, and is none


class TestMediaJob(SiteCase):
	def setUp(self) -> None:
		super().setUp()
		self.gateway = CloudApiSimulator(now_ms)
		self.gateway.start()
		self.addCleanup(self.gateway.stop)
		make_cloud_device(SHOP, self.gateway.config())
		self.addCleanup(self.remove)

	def remove(self) -> None:
		frappe.db.rollback()
		for name in frappe.get_all("File", {"attached_to_doctype": "Khalifa Message"}, pluck="name"):
			frappe.delete_doc("File", name, force=True)
		for table in ("Khalifa Message", "Khalifa Ticket", "Khalifa Webhook Event"):
			frappe.db.delete(table, {"device": SHOP})
		frappe.db.delete("Notification Log", {"document_name": SHOP})
		frappe.delete_doc("WhatsApp Device", SHOP, force=True)
		frappe.db.commit()
		forget_devices()

	def receive(self) -> records.Message:
		self.send()
		return self.only(records.Message, device=SHOP)

	def picture(self, turn: int = 1) -> bytes:
		out, exif = io.BytesIO(), Image.Exif()
		exif[0x0112], exif[0x010F] = turn, "SecretPhone"
		Image.new("RGB", (8, 8), "green").save(out, "JPEG", exif=exif.tobytes())
		return out.getvalue()

	def send(self, *contents: bytes, mime_type: str = "image/jpeg") -> None:
		"""Customers send files; their messages are taken in."""
		for number, content in enumerate(contents):
			self.gateway.customer_media(Person(f"20100123456{number}", "Samy"), "image", content, mime_type)
		device = get_device(SHOP)
		assert device is not None
		for post in self.gateway.take(everything=True):
			self.assertEqual(
				webhook.accept(on_site(), device.driver, post.call(), now_ms(), 10**7).status, 200
			)
		with self.quiet():
			intake.run(SHOP)

	def fetch(self) -> dict[str, int]:
		"""The media job, when every file is due."""
		frappe.db.sql("UPDATE `tabKhalifa Message` SET next_retry_ms = 0 WHERE media_state = 'Waiting'")
		frappe.db.commit()
		with self.quiet():
			return media.run(SHOP)

	def problem(self) -> str | None:
		frappe.db.rollback()
		return frappe.db.get_value("WhatsApp Device", SHOP, "files_problem") or None

	def notified(self) -> list[str]:
		frappe.db.rollback()
		rows = {"document_type": "WhatsApp Device", "document_name": SHOP, "for_user": HUDA}
		return frappe.get_all("Notification Log", rows, pluck="subject")

	def test_a_picture_that_can_not_be_opened_is_kept_all_the_same(self) -> None:
		self.gateway.customer_media(Person("201001234567", "Samy"), "image", BROKEN, "image/jpeg")
		message = self.receive()
		with self.quiet():
			self.assertEqual(media.run(SHOP)["stored"], 1)
		self.assertEqual(on_site().read_file(self.only(records.Message, name=message.name).file_url), BROKEN)

	def test_a_picture_becomes_a_private_file_of_its_message(self) -> None:
		picture = self.picture()
		self.gateway.customer_media(Person("201001234567", "Samy"), "image", picture, "image/jpeg", "الروشتة")
		message = self.receive()
		self.assertEqual((message.media_state, message.file_url), ("Waiting", None))
		with self.quiet():
			self.assertEqual(media.run(SHOP)["stored"], 1)
			self.assertEqual(media.run(SHOP)["stored"], 0)
		stored = self.only(records.Message, device=SHOP)
		self.assertEqual((stored.media_state, stored.mime_type), ("Stored", "image/jpeg"))
		file = frappe.get_doc("File", {"file_url": stored.file_url})
		self.assertEqual((file.is_private, file.attached_to_name), (1, stored.name))
		path, query = f"{METHOD}khalifa_whatsapp.api.media.download", {"message": stored.name}
		self.assertEqual(self.as_(HUDA).send("GET", path, query_string=query).raw[:3], picture[:3])
		frappe.db.set_value("Khalifa Ticket", stored.ticket, {"status": "Open", "agent": self.mona})
		frappe.db.commit()
		self.assertIn(self.as_(ALI).send("GET", path, query_string=query).status, (403, 404))
		self.assertEqual(self.as_(ALI).send("GET", stored.file_url).status, 403)

	def test_a_file_that_the_gateway_no_longer_has_says_so(self) -> None:
		self.gateway.customer_media(Person("201001234567", "Samy"), "image", BROKEN, "image/jpeg")
		self.receive()
		frappe.db.set_value("Khalifa Settings", "Khalifa Settings", "max_media_bytes", 10)
		frappe.db.commit()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(
			frappe.db.set_value, "Khalifa Settings", "Khalifa Settings", "max_media_bytes", 26_214_400
		)
		with self.quiet():
			self.assertEqual(media.run(SHOP)["failed"], 1)
		stored = self.only(records.Message, device=SHOP)
		self.assertEqual(stored.media_state, "Failed")
		self.assertTrue(stored.media_error)

	def test_the_bytes_that_came_are_the_bytes_that_are_kept_and_shown(self) -> None:
		grey = io.BytesIO()
		Image.new("LA", (8, 8), (100, 50)).save(grey, "PNG")
		contents = (
			grey.getvalue(),
			self.picture(turn=6),
			self.picture(),
			BROKEN,
			b"BM" + bytes(60),
			b"\x89PNG\r\n\x1a\n" + bytes(40),
		)
		self.send(*contents)
		self.assertEqual(self.fetch()["stored"], len(contents))
		kept = {
			hashlib.sha256(on_site().read_file(m.file_url) or b"").hexdigest()
			for m in self.all(records.Message, device=SHOP)
		}
		self.assertEqual(kept, {hashlib.sha256(content).hexdigest() for content in contents})
		for message in self.all(records.Message, device=SHOP):
			shown = self.as_(HUDA).read("khalifa_whatsapp.api.media.download", message=message.name)
			self.assertEqual(shown.raw, on_site().read_file(message.file_url))

	def test_equal_files_share_nothing(self) -> None:
		logo = frappe.get_doc(
			doctype="File", file_name="logo.jpg", is_private=1, content=self.picture()
		).insert()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.delete_doc, "File", logo.name)
		self.send(self.picture(), self.picture())
		self.fetch()
		urls = {m.file_url for m in self.all(records.Message, device=SHOP)}
		self.assertEqual(len(urls | {logo.file_url}), 3)
		for name in frappe.get_all("File", {"file_url": ("in", list(urls))}, pluck="name"):
			frappe.delete_doc("File", name)
		frappe.db.commit()
		self.assertTrue(Path(logo.get_full_path()).exists())

	def test_limits_for_what_employees_upload_do_not_lose_what_customers_send(self) -> None:
		before = frappe.db.get_single_value("System Settings", "max_file_size")
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.set_single_value, "System Settings", "max_file_size", before)
		frappe.db.set_single_value("System Settings", {"max_file_size": 1, "allowed_file_extensions": "PDF"})
		self.addCleanup(frappe.db.set_single_value, "System Settings", "allowed_file_extensions", None)
		frappe.db.commit()
		self.send(self.picture() + bytes(2 << 20))
		self.assertEqual(self.fetch(), {"stored": 1, "failed": 0, "later": 0})

	def test_what_a_site_refuses_fails_alone_and_says_why(self) -> None:
		self.send(self.picture(), self.picture(turn=3))
		first = min(m.name for m in self.all(records.Message, device=SHOP))
		frappe.get_doc(
			doctype="File",
			file_name="x",
			is_private=1,
			content=b"x",
			attached_to_doctype="Khalifa Message",
			attached_to_name=first,
		).insert()
		frappe.db.commit()
		with patch.object(frappe.get_meta("Khalifa Message"), "max_attachments", 1):
			self.assertEqual(self.fetch(), {"stored": 1, "failed": 1, "later": 0})
		self.assertIn("attachments", self.only(records.Message, name=first).media_error)

	def test_a_full_disk_is_said_once_leaves_nothing_half_and_ends_by_itself(self) -> None:
		self.send(self.picture(), self.picture(turn=3))
		before = set(os.listdir(frappe.get_site_path("private", "files")))
		full = OSError(errno.ENOSPC, "No space left on device")
		with patch("khalifa_whatsapp.access.stored_files.os.fsync", side_effect=full):
			for _ in range(3):
				self.assertEqual(self.fetch(), {"stored": 0, "failed": 0, "later": 1})
		self.assertEqual(set(os.listdir(frappe.get_site_path("private", "files"))), before)
		self.assertIn("full", self.problem() or "")
		self.assertEqual(len(self.notified()), 1)
		self.assertEqual(self.fetch()["stored"], 2)
		self.assertIsNone(self.problem())
		self.assertEqual(len(self.notified()), 1)
		self.send(self.picture())
		with patch("khalifa_whatsapp.access.stored_files.os.fsync", side_effect=full):
			self.fetch()
			self.assertEqual(len(self.notified()), 1, "the quiet time is not over")
			frappe.db.sql("UPDATE `tabKhalifa Alert` SET notified_ms = 1 WHERE device = %s", (SHOP,))
			frappe.db.commit()
			self.fetch()
		self.assertEqual(len(self.notified()), 2, "it was right meanwhile: this is news")

	def test_an_error_after_the_file_was_written_takes_it_away_again(self) -> None:
		self.send(self.picture())
		before = set(os.listdir(frappe.get_site_path("private", "files")))
		with patch("khalifa_whatsapp.access.files.keep_private", side_effect=RuntimeError("customer words")):
			self.assertEqual(self.fetch(), {"stored": 0, "failed": 0, "later": 1})
		self.assertEqual(set(os.listdir(frappe.get_site_path("private", "files"))), before)
		logged = frappe.get_last_doc("Error Log")
		self.assertNotIn("customer words", logged.error)
		self.assertIn("RuntimeError", logged.error)

	def test_a_refused_token_is_reported_once_and_mended_an_hour_later(self) -> None:
		self.send(self.picture(), self.picture(turn=3))
		token, self.gateway.access_token = self.gateway.access_token, "another"
		for _ in range(10):
			self.assertEqual(self.fetch(), {"stored": 0, "failed": 0, "later": 1})
		self.assertEqual({m.attempts for m in self.all(records.Message, device=SHOP)}, {0})
		self.assertTrue(self.problem())
		self.assertEqual(len(self.notified()), 1, self.notified())
		self.gateway.access_token = token
		self.assertEqual(self.fetch()["stored"], 2)
		self.assertIsNone(self.problem())

	def test_an_agent_has_a_lost_file_fetched_again(self) -> None:
		self.gateway.customer_media(Person("201001234567", "Samy"), "image", self.picture(), "image/jpeg")
		message = self.receive()
		file = self.gateway.media.files.pop(message.media_id)
		self.assertEqual(self.fetch()["failed"], 1)
		self.gateway.media.files[message.media_id] = file
		frappe.db.set_value("Khalifa Ticket", message.ticket, {"status": "Open", "agent": self.mona})
		frappe.db.commit()
		again = "khalifa_whatsapp.api.media.fetch_again"
		self.assertIn(self.as_(ALI).call(again, message=message.name).status, (403, 404))
		self.assertIn(self.as_(MONA).call(again, message="no-such").status, (403, 404))
		self.assertEqual(self.only(records.Message, name=message.name).media_state, "Failed")
		asked = self.as_(MONA).call(again, message=message.name)
		self.assertEqual((asked.status, asked.message["media_state"]), (200, "Waiting"), asked.text)
		with self.quiet():
			self.assertEqual(media.run(SHOP)["stored"], 1)
		self.assertEqual(self.as_(MONA).call(again, message=message.name).code, "file_is_there")
