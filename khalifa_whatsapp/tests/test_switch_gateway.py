"""Moving a device to another gateway: asked first, written down, undone."""

from __future__ import annotations

import json

import frappe

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.jobs import intake, outbox, switch_gateway, watch
from khalifa_whatsapp.site_devices import forget_devices
from khalifa_whatsapp.tests.case import DEVICE
from khalifa_whatsapp.tests.worker import JobCase
from simulation.simulators.cloud_api import CloudApiSimulator

OTHER = "Other Device"


class TestSwitchGateway(JobCase):
	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(self.put_back)
		self.put_back()

	def put_back(self) -> None:
		frappe.db.set_value(
			"WhatsApp Device", DEVICE, {"provider": "loopback", "base_url": "", "phone_number_id": ""}
		)
		for path in switch_gateway._folder().glob("*"):
			path.unlink()
		frappe.delete_doc("WhatsApp Device", OTHER, force=True, ignore_missing=True)
		frappe.db.commit()
		forget_devices()

	def use_cloud_fields(self, cloud: CloudApiSimulator) -> None:
		config = cloud.config()
		doc = frappe.get_doc("WhatsApp Device", DEVICE)
		doc.update(
			{
				"base_url": config.base_url,
				"api_version": config.api_version,
				"phone_number_id": config.phone_number_id,
				"business_account_id": config.business_account_id,
				"access_token": config.access_token,
			}
		)
		doc.save(ignore_permissions=True)
		frappe.db.commit()

	def test_a_dry_run_asks_the_new_gateway_and_changes_nothing(self) -> None:
		ticket = self.ticket_of(self.mona)
		message = self.reply(ticket)
		with CloudApiSimulator(now_ms) as cloud:
			self.use_cloud_fields(cloud)
			plan = switch_gateway.plan(DEVICE, "cloud_api")
		self.assertEqual((plan.state, plan.problem), ("connected", ""))
		self.assertEqual((plan.tickets, plan.queued), ([ticket], [message.name]))
		self.assertEqual(frappe.db.get_value("WhatsApp Device", DEVICE, "provider"), "loopback")

	def test_what_waited_goes_out_by_the_new_gateway_and_what_went_keeps_the_old_one(self) -> None:
		before = self.reply(self.ticket_of(self.mona))
		outbox.run(DEVICE)
		waiting = self.reply(before.ticket, "second")
		with CloudApiSimulator(now_ms) as cloud:
			self.use_cloud_fields(cloud)
			path = switch_gateway.switch(switch_gateway.plan(DEVICE, "cloud_api"))
			self.assertEqual(outbox.run(DEVICE)["sent"], 1)
			self.assertEqual([row.callback for row in cloud.sent_log.rows()], [waiting.name])
		providers = [self.only(records.Message, name=one.name).provider for one in (before, waiting)]
		self.assertEqual(providers, ["loopback", "cloud_api"])
		self.assertNotIn("token", path.read_text().lower())
		self.assertEqual(path.stat().st_mode & 0o777, 0o600)
		self.assertEqual(switch_gateway.roll_back(DEVICE).source, "loopback")
		self.assertEqual(frappe.db.get_value("WhatsApp Device", DEVICE, "provider"), "loopback")
		with self.assertRaises(UserError):
			switch_gateway.roll_back(DEVICE)

	def test_a_gateway_that_is_not_there_is_not_switched_to(self) -> None:
		self.ticket_of(self.mona)
		with CloudApiSimulator(now_ms) as cloud:
			self.use_cloud_fields(cloud)
		plan = switch_gateway.plan(DEVICE, "cloud_api")
		self.assertTrue(plan.problem)
		with self.assertRaises(UserError):
			switch_gateway.switch(plan)
		with self.assertRaises(UserError):
			switch_gateway.plan(DEVICE, "no_such_thing")

	def test_how_an_official_number_is_stands_on_its_form(self) -> None:
		with CloudApiSimulator(now_ms) as cloud:
			self.use_cloud_fields(cloud)
			frappe.db.set_value("WhatsApp Device", DEVICE, "provider", "cloud_api")
			frappe.db.commit()
			forget_devices()
			self.assertEqual(watch.look(DEVICE), {"state": "connected"})
		frappe.db.rollback()
		row = frappe.db.get_value("WhatsApp Device", DEVICE, ["state", "state_detail"], as_dict=True)
		self.assertEqual(row.state, "Connected")
		self.assertTrue(row.state_detail)
		self.assertEqual(watch.look(DEVICE), {"state": "disconnected"})

	def test_missing_credentials_are_named(self) -> None:
		self.assertIn("Phone Number ID", switch_gateway.plan(DEVICE, "cloud_api").problem)

	def test_open_conversations_move_to_another_device_and_back_but_nobody_gets_two(self) -> None:
		frappe.get_doc(doctype="WhatsApp Device", device_name=OTHER, provider="loopback", enabled=1).insert(
			ignore_permissions=True
		)
		frappe.db.commit()
		ticket = self.ticket_of(self.mona)
		message = self.reply(ticket)
		plan = switch_gateway.plan(DEVICE, OTHER)
		switch_gateway.switch(plan)
		moved = self.only(records.Ticket, name=ticket)
		self.assertEqual((moved.device, self.only(records.Message, name=message.name).device), (OTHER, OTHER))
		self.deliver(message_item("+201001234567", "again", "on-the-old-number", now_ms()))
		intake.run(DEVICE)
		tickets = frappe.get_all("Khalifa Ticket", {"open_key": ("is", "set")}, ["name", "device"])
		self.assertEqual(
			len(tickets), 2, "a message that still comes in on the old number opens its own conversation"
		)
		switch_gateway.roll_back(DEVICE)
		self.assertEqual(
			self.only(records.Ticket, name=ticket).device, OTHER, "the customer has an open one there"
		)
		self.assertEqual(json.loads(json.dumps(plan.tickets)), [ticket])
