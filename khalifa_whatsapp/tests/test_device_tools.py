"""What managers do with a device: counts against caps, a test message, templates;
and sending every kind through the endpoints.
"""

from __future__ import annotations

import io

import frappe
from pypdf import PdfWriter

from khalifa_whatsapp.api import device_tools
from khalifa_whatsapp.core import records
from khalifa_whatsapp.drivers.abilities import TemplateInfo
from khalifa_whatsapp.jobs import outbox, templates
from khalifa_whatsapp.setup import onboarding
from khalifa_whatsapp.site_devices import forget_devices
from khalifa_whatsapp.tests.case import ALI, DEVICE, HUDA, MONA
from khalifa_whatsapp.tests.endpoints import call, signed_in
from khalifa_whatsapp.tests.worker import JobCase

API = "khalifa_whatsapp.api.conversation"
READY = TemplateInfo(
	"1",
	"order_ready",
	"ar",
	"APPROVED",
	"UTILITY",
	components=({"type": "BODY", "text": "أهلاً {{1}}، طلبك جاهز"},),
)
DRAFT = TemplateInfo("2", "draft", "ar", "PENDING", "MARKETING")


def pdf(title: str) -> bytes:
	"""A real document, for newer Frappe reads what is called one."""
	writer = PdfWriter()
	writer.add_blank_page(width=72, height=72)
	writer.add_metadata({"/Title": title})
	content = io.BytesIO()
	writer.write(content)
	return content.getvalue()


class TestDeviceTools(JobCase):
	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(self.put_back)

	def put_back(self) -> None:
		frappe.db.set_value(
			"WhatsApp Device", DEVICE, {"max_per_hour": 0, "breaker_state": "Closed", "breaker_until_ms": 0}
		)
		frappe.db.delete("Khalifa Provider Template")
		frappe.db.delete("File", {"attached_to_doctype": "Khalifa Ticket"})
		frappe.db.commit()
		forget_devices()

	def test_counts_stand_beside_their_caps_and_are_for_managers(self) -> None:
		frappe.db.set_value("WhatsApp Device", DEVICE, "max_per_hour", 1)
		frappe.db.commit()
		forget_devices()
		ticket = self.ticket_of(self.mona)
		self.reply(ticket)
		self.reply(ticket, "second")
		outbox.run(DEVICE)
		with signed_in(HUDA):
			counters = device_tools.counters(DEVICE)
		self.assertEqual(counters["hour"], {"sent": 1, "cap": 1})
		self.assertEqual(
			(counters["day"]["sent"], counters["replies"]["sent"], counters["waiting"]), (1, 1, 1)
		)
		with signed_in(MONA), self.assertRaises(frappe.PermissionError):
			device_tools.counters(DEVICE)

	def test_a_test_message_goes_to_the_phone_and_into_no_ticket(self) -> None:
		with signed_in(HUDA):
			self.assertEqual(device_tools.test_message(DEVICE, "01001234567", "hello")["status"], "sent")
			with self.assertRaises(frappe.ValidationError):
				device_tools.test_message(DEVICE, "12", "hello")
		(out,) = self.driver().sent
		self.assertEqual((out.recipient[0].value, out.body), ("+201001234567", "hello"))
		self.assertEqual(self.all(records.Ticket), [])

	def test_a_message_can_be_made_to_arrive_where_there_is_no_gateway(self) -> None:
		self.online(self.mona)
		with signed_in(HUDA):
			first = device_tools.receive_test_message(DEVICE, "٠١٠٠١٢٣٤٥٦٧", "مساء الخير", "سامي")
			again = device_tools.receive_test_message(DEVICE, "+201001234567", "hello?")
			for phone, text in (("12", "hello"), ("01001234567", "  "), ("01001234567", "x" * 5000)):
				with self.assertRaises(frappe.ValidationError):
					device_tools.receive_test_message(DEVICE, phone, text)
		self.assertEqual(first, again)
		ticket = self.ticket(first["ticket"])
		self.assertEqual((ticket.agent, ticket.customer_name, ticket.unread_count), (self.mona, "سامي", 2))
		with signed_in(MONA), self.assertRaises(frappe.PermissionError):
			device_tools.receive_test_message(DEVICE, "01001234567", "hello")

	def test_a_real_gateway_makes_no_message_up(self) -> None:
		frappe.db.set_value("WhatsApp Device", DEVICE, "provider", "wppconnect")
		frappe.db.commit()
		forget_devices()
		self.addCleanup(frappe.db.set_value, "WhatsApp Device", DEVICE, "provider", "loopback")
		with signed_in(HUDA), self.assertRaises(frappe.ValidationError):
			device_tools.receive_test_message(DEVICE, "01001234567", "hello")
		self.assertEqual(self.all(records.Message), [])

	def test_the_first_steps_count_what_is_there(self) -> None:
		steps = "Onboarding Step"
		frappe.db.set_value(steps, {"name": ("in", list(onboarding.STEPS))}, "is_complete", 0)
		frappe.get_doc("WhatsApp Device", DEVICE).save()
		done = set(
			frappe.get_all(steps, {"name": ("in", list(onboarding.STEPS)), "is_complete": 1}, pluck="name")
		)
		self.assertEqual(done, {"WhatsApp Connect a Device", "WhatsApp Add Branches", "WhatsApp Add Agents"})
		with signed_in(HUDA):
			device_tools.test_message(DEVICE, "01001234567", "hello")
		self.assertTrue(frappe.db.get_value(steps, onboarding.TEST_MESSAGE, "is_complete"))

	def test_templates_are_kept_in_step(self) -> None:
		self.assertEqual(
			templates.store_templates(DEVICE, [READY, DRAFT]),
			{"templates": 2, "new": 2, "removed": 0, "failed": 0},
		)
		again = TemplateInfo(**{**{f: getattr(READY, f) for f in READY.__slots__}, "quality": "GREEN"})
		self.assertEqual(
			templates.store_templates(DEVICE, [again]), {"templates": 1, "new": 0, "removed": 1, "failed": 0}
		)
		self.assertEqual(frappe.get_all("Khalifa Provider Template", pluck="quality"), ["GREEN"])
		with signed_in(HUDA), self.assertRaises(frappe.ValidationError):
			device_tools.sync_templates(DEVICE)

	def test_a_template_is_filled_in_queued_and_sent(self) -> None:
		templates.store_templates(DEVICE, [READY, DRAFT])
		ticket = self.ticket_of(self.mona)
		names = dict(
			frappe.get_all("Khalifa Provider Template", fields=["template_name", "name"], as_list=True)
		)
		with signed_in(MONA):
			given = {"ticket": ticket, "values": ["منى"], "client_key": "t1"}
			self.assertEqual(
				call(f"{API}.send_template", template=names["order_ready"], **given)["status"], "Queued"
			)
			with self.assertRaises(frappe.ValidationError):
				call(f"{API}.send_template", ticket=ticket, template=names["draft"], client_key="t2")
		outbox.run(DEVICE)
		(out,) = self.driver().sent
		self.assertEqual((out.name, out.body_values), ("order_ready", ("منى",)))
		self.assertEqual(self.only(records.Message, direction="Outgoing").body, "أهلاً منى، طلبك جاهز")

	def test_a_file_of_the_ticket_is_sent_and_a_foreign_one_is_not(self) -> None:
		mine, foreign = self.ticket_of(self.mona), self.write("+201119876543")
		urls = []
		for ticket in (mine, foreign):
			doc = frappe.get_doc(
				doctype="File",
				file_name=f"{ticket}.pdf",
				is_private=1,
				content=pdf(ticket),
				attached_to_doctype="Khalifa Ticket",
				attached_to_name=ticket,
			).insert(ignore_permissions=True)
			urls.append(doc.file_url)
		frappe.db.commit()
		with signed_in(MONA):
			given = {"ticket": mine, "kind": "document", "caption": "العرض"}
			call(f"{API}.send_file", **given, file_url=urls[0], client_key="f1")
			with self.assertRaises(frappe.DoesNotExistError):
				call(f"{API}.send_file", **given, file_url=urls[1], client_key="f2")
		outbox.run(DEVICE)
		(out,) = self.driver().sent
		self.assertEqual((out.content, out.caption, out.kind), (pdf(mine), "العرض", "document"))

	def test_what_failed_is_said_again_by_who_may_answer_and_by_nobody_else(self) -> None:
		message = self.reply(self.ticket_of(self.mona))
		frappe.db.set_value("Khalifa Message", message.name, "status", "Unknown")
		frappe.db.commit()
		for method in ("retry_message", "discard_message", "confirm_message"):
			with signed_in(ALI), self.assertRaises(frappe.PermissionError):
				call(f"{API}.{method}", message=message.name)
		with signed_in(MONA):
			first = call(f"{API}.retry_message", message=message.name)
			self.assertEqual(call(f"{API}.retry_message", message=message.name), first)
		self.assertEqual(len(self.all(records.Message, direction="Outgoing")), 2)
