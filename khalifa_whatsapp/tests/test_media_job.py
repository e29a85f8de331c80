"""A customer's picture: from the gateway's post to a private file that only who sees the conversation can open."""

from __future__ import annotations

import io

import frappe
from PIL import Image

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.embedded.simulators import Person
from khalifa_whatsapp.embedded.simulators.cloud_api import CloudApiSimulator
from khalifa_whatsapp.jobs import intake, media
from khalifa_whatsapp.services import deliveries
from khalifa_whatsapp.site_devices import forget_devices, get_device
from khalifa_whatsapp.tests.case import ALI, HUDA, SiteCase
from khalifa_whatsapp.tests.web import METHOD

SHOP = "Picture Shop"
BROKEN = b"\xff\xd8\xff\xe0" + bytes(200)  # says it is a picture, and is none


class TestMediaJob(SiteCase):
	def setUp(self) -> None:
		super().setUp()
		self.gateway = CloudApiSimulator(now_ms)
		self.gateway.start()
		self.addCleanup(self.gateway.stop)
		config = self.gateway.config()
		frappe.get_doc(
			doctype="WhatsApp Device", device_name=SHOP, provider="cloud_api", enabled=1, base_url=config.base_url,
			api_version=config.api_version, phone_number_id=config.phone_number_id, access_token=config.access_token,
			business_account_id=config.business_account_id, app_secret=config.app_secrets[0], verify_token="v",
		).insert(ignore_permissions=True)  # fmt: skip
		frappe.db.commit()
		self.addCleanup(self.remove)

	def remove(self) -> None:
		frappe.db.rollback()
		for name in frappe.get_all("File", {"attached_to_doctype": "Khalifa Message"}, pluck="name"):
			frappe.delete_doc("File", name, force=True)
		for table in ("Khalifa Message", "Khalifa Ticket", "Khalifa Webhook Event"):
			frappe.db.delete(table, {"device": SHOP})
		frappe.delete_doc("WhatsApp Device", SHOP, force=True)
		frappe.db.commit()
		forget_devices()

	def receive(self) -> r.Message:
		device = get_device(SHOP)
		assert device is not None
		for post in self.gateway.take(everything=True):
			self.assertEqual(deliveries.accept(on_site(), device.driver, post.call(), now_ms(), 10**7).status, 200)
		with self.quiet():
			intake.run(SHOP)
		return self.only(r.Message, device=SHOP)

	def picture(self) -> bytes:
		out = io.BytesIO()
		Image.new("RGB", (8, 8), "green").save(out, "JPEG")
		return out.getvalue()

	def test_a_picture_that_can_not_be_opened_is_kept_all_the_same(self) -> None:
		self.gateway.customer_media(Person("201001234567", "Samy"), "image", BROKEN, "image/jpeg")
		message = self.receive()
		with self.quiet():
			self.assertEqual(media.run(SHOP)["stored"], 1)
		self.assertEqual(on_site().read_file(self.only(r.Message, name=message.name).file_url), BROKEN)

	def test_a_picture_becomes_a_private_file_of_its_message(self) -> None:
		picture = self.picture()
		self.gateway.customer_media(Person("201001234567", "Samy"), "image", picture, "image/jpeg", "الروشتة")
		message = self.receive()
		self.assertEqual((message.media_state, message.file_url), ("Waiting", None))
		with self.quiet():
			self.assertEqual(media.run(SHOP)["stored"], 1)
			self.assertEqual(media.run(SHOP)["stored"], 0)
		stored = self.only(r.Message, device=SHOP)
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
		self.addCleanup(frappe.db.set_value, "Khalifa Settings", "Khalifa Settings", "max_media_bytes", 26_214_400)
		with self.quiet():
			self.assertEqual(media.run(SHOP)["failed"], 1)
		stored = self.only(r.Message, device=SHOP)
		self.assertEqual(stored.media_state, "Failed")
		self.assertTrue(stored.media_error)
