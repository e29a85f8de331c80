"""A WPPConnect device from the form's buttons to the answer, over real sockets: code, link,
watchdog, unread, send.
"""

from __future__ import annotations

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.jobs import intake, outbox, watch
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.site_devices import forget_devices
from khalifa_whatsapp.tests.case import HUDA, SiteCase
from simulation.simulators import Person
from simulation.simulators.wppconnect import WppConnectSimulator

API = "khalifa_whatsapp.api.devices."
SHOP = "Wire Shop"
SAMY = Person("201001234567", "Samy")


class TestSessionOnTheWire(SiteCase):
	def setUp(self) -> None:
		super().setUp()
		self.gateway = WppConnectSimulator(now_ms)
		self.gateway.start()
		self.addCleanup(self.gateway.stop)
		self.gateway.session.forget()
		self.gateway.session.has_login = False
		self.device = frappe.get_doc(
			doctype="WhatsApp Device",
			device_name=SHOP,
			provider="wppconnect",
			enabled=1,
			base_url=self.gateway.url,
			session_name=self.gateway.session_name,
			gateway_secret=self.gateway.secret_key,
			connect_timeout=2,
			read_timeout=5,
			min_gap_seconds=0.01,
		).insert(ignore_permissions=True)
		frappe.db.commit()
		self.addCleanup(self.remove)

	def remove(self) -> None:
		frappe.db.rollback()
		for table in ("Khalifa Message", "Khalifa Ticket", "Khalifa Webhook Event"):
			frappe.db.delete(table, {"device": SHOP})
		frappe.delete_doc("WhatsApp Device", SHOP, force=True)
		frappe.db.commit()
		forget_devices()

	def ask(self, what: str) -> object:
		answer = self.as_(HUDA).call(API + what, device=SHOP)
		self.assertEqual(answer.status, 200, answer.text)
		frappe.db.rollback()  # see what the request wrote
		return answer.message

	def test_from_the_button_to_the_answer(self) -> None:
		self.ask("connect")
		self.assertTrue(self.ask("qr")["image"].startswith("data:image/png;base64,"))
		self.gateway.session.link()
		self.assertEqual(self.ask("qr"), {"state": "connected"})
		with self.quiet():
			self.assertEqual(watch.run(SHOP)["state"], "connected")
		frappe.db.rollback()
		self.assertEqual(frappe.db.get_value("WhatsApp Device", SHOP, "state"), "Connected")
		self.gateway.customer_text(SAMY, "are you there?")
		self.gateway.take(everything=True)  # posted while our endpoint was shut: never posted again
		with self.quiet():
			self.assertEqual(watch.run(SHOP)["missed"], 1)
			intake.run(SHOP)
			watch.run(SHOP)
			intake.run(SHOP)
		asked = self.only(records.Message, device=SHOP)
		actor = Actor(HUDA, "Huda", None, is_manager=True)
		answers.reply(on_site(), actor, asked.ticket, "yes", "wire-1", now_ms())
		self.assertEqual(outbox.run(SHOP)["sent"], 1)
		self.assertEqual([row.body for row in self.gateway.sent_log.rows()], ["yes"])

	def test_a_person_who_disconnects_is_obeyed_and_a_session_that_dies_is_not_left_alone(self) -> None:
		self.gateway.session.link()
		with self.quiet():
			watch.run(SHOP)
		self.ask("disconnect")
		with self.quiet():
			self.assertEqual(watch.run(SHOP), {})
		self.ask("connect")
		self.gateway.session.link()
		with self.quiet():
			watch.run(SHOP)
			self.gateway.session.is_hung = True
			actions = [watch.run(SHOP).get("action") for _ in range(3)]
		self.assertIn("restart", actions)
		self.assertIn("close", [what for what, _ in self.gateway.session.calls])
