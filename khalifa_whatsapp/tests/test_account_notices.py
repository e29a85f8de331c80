"""What Meta says of the number, the account and its templates reaches managers,
their forms and whoever picks a template.
"""

from __future__ import annotations

import json
from typing import Any

import frappe

from khalifa_whatsapp.api import device_tools, health, inbox
from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.keys import template_key
from khalifa_whatsapp.drivers.abilities import TemplateInfo
from khalifa_whatsapp.drivers.cloud_api.verify import SIGNATURE_HEADER, sign
from khalifa_whatsapp.jobs import intake, minute, notices, templates
from khalifa_whatsapp.tests.case import HUDA, MONA, SiteCase, make_loop
from khalifa_whatsapp.tests.endpoints import call, signed_in
from khalifa_whatsapp.tests.web import METHOD, Caller

META, SECRET = "Meta", "app-secret-of-meta"
START_S = now_ms() // 1000 - 600
NAMED = {"message_template_id": 1, "message_template_name": "order_ready", "message_template_language": "ar"}
TEXT = ({"type": "BODY", "text": "طلبك جاهز"},)


class TestAccountNotices(SiteCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		make_loop(META, SECRET, provider="cloud_api", phone_number_id="600100200300400", access_token="t")
		frappe.db.commit()

	def setUp(self) -> None:
		super().setUp()
		frappe.db.delete("Notification Log")
		frappe.db.set_value(
			META_DEVICE, META, {"state": "Connected", "state_ms": 0, "quality": "", "quality_ms": 0}
		)
		frappe.db.commit()

	def said(self, field: str, value: dict[str, Any], at_s: int = START_S) -> None:
		"""Meta calls the webhook, a worker takes it in."""
		entry = {"id": "1", "time": at_s, "changes": [{"field": field, "value": value}]}
		raw = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
		headers = {"Content-Type": "application/json", SIGNATURE_HEADER: sign(SECRET, raw)}
		path = f"{METHOD}khalifa_whatsapp.api.webhook.cloud_api"
		answer = Caller().send("POST", path, query_string={"device": META}, data=raw, headers=headers)
		self.assertEqual(answer.status, 200)
		intake.run(META)
		frappe.db.rollback()

	def status(self, event: str, at_s: int = START_S, **more: Any) -> None:
		self.said("message_template_status_update", {**NAMED, "event": event, **more}, at_s)

	def subjects(self, user: str = HUDA) -> list[str]:
		return frappe.get_all(
			"Notification Log", {"for_user": user}, pluck="subject", order_by="creation, name"
		)

	# -- accounts and numbers
	def test_a_ban_is_seen_on_the_device_in_health_and_by_each_manager_once(self) -> None:
		for _ in range(2):
			self.said(
				"account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}
			)
			notices.notify_managers()
		self.assertEqual(self.subjects(), ["Meta: Meta has banned the account (not said)."])
		self.assertEqual(self.subjects(MONA), [])
		self.assertEqual(frappe.db.get_value(META_DEVICE, META, "state"), "Restricted")
		with signed_in(HUDA):
			devices = health.check()["parts"]["devices"]
			self.assertEqual((devices["failing"], list(devices["notices"])), ([META], [META]))
			(notice,) = call("khalifa_whatsapp.api.devices.status", device=META)["notices"]
			self.assertEqual(notice["text"], "Meta has banned the account (not said).")

	def test_each_manager_reads_it_in_his_own_language_and_hostile_words_stay_words(self) -> None:
		frappe.db.set_value("User", HUDA, "language", "ar")
		self.addCleanup(frappe.db.set_value, "User", HUDA, "language", "en")
		name = "<img src=x onerror=alert(1)>"
		self.said("phone_number_name_update", {"decision": "REJECTED", "requested_verified_name": name})
		notices.notify_managers()
		(subject,) = self.subjects()
		self.assertRegex(subject, "[\u0621-\u064a]")
		self.assertNotIn("<img", subject)
		with signed_in(HUDA):
			doc = frappe.get_doc("Khalifa Device Notice", {"device": META})
			frappe.local.lang = "ar"
			self.addCleanup(setattr, frappe.local, "lang", "en")
			self.assertRegex(doc.notice, "[\u0621-\u064a]")

	def test_a_low_quality_stands_on_the_form_with_its_moment(self) -> None:
		value = {"event": "FLAGGED", "display_phone_number": "201055500011", "current_limit": "TIER_2K"}
		self.said("phone_number_quality_update", value)
		row = frappe.db.get_value(META_DEVICE, META, ["quality", "messaging_limit", "quality_ms"])
		self.assertEqual(row, ("RED", "TIER_2K", START_S * 1000))

	def test_the_minute_job_notifies(self) -> None:
		self.said("account_update", {"event": "ACCOUNT_DELETED"}, now_ms() // 1000)
		minute.run()
		self.assertEqual(self.subjects(), ["Meta: The business account was deleted at Meta."])

	def test_agents_read_no_notice(self) -> None:
		self.said("account_update", {"event": "ACCOUNT_DELETED"})
		with signed_in(MONA), self.assertRaises(frappe.PermissionError):
			frappe.get_list("Khalifa Device Notice")

	# -- templates
	def pick(self) -> list[dict[str, Any]]:
		frappe.db.set_value("Khalifa Ticket", self.talk, "device", META)
		frappe.db.commit()
		with signed_in(MONA):
			return inbox.templates(self.talk)

	def test_a_paused_template_is_not_offered_and_an_approved_one_is_without_a_sync_by_hand(self) -> None:
		self.talk = self.ticket_of(self.mona)
		templates.store_templates(
			META, [TemplateInfo("1", "order_ready", "ar", "PENDING", "UTILITY", components=TEXT)]
		)
		self.assertEqual([row["why_not"] for row in self.pick()], ["Waits for Meta's approval."])
		later = frappe.utils.cint(frappe.db.get_value(TEMPLATE, {"device": META}, "status_ms")) // 1000 + 1
		self.status("APPROVED", later)
		self.assertEqual([row["why_not"] for row in self.pick()], [""])
		self.status("PAUSED", later + 1)
		(row,) = self.pick()
		self.assertEqual(row["why_not"], "Paused by Meta for its low quality.")
		with signed_in(MONA), self.assertRaisesRegex(frappe.ValidationError, "Paused by Meta"):
			call(
				"khalifa_whatsapp.api.conversation.send_template",
				ticket=self.talk,
				template=row["name"],
				client_key="t",
			)
		notices.notify_managers()
		self.assertEqual(len(self.subjects()), 2)

	def test_a_template_that_is_not_known_yet_is_asked_for_by_the_next_minute(self) -> None:
		self.status("APPROVED")
		self.enqueued.clear()
		minute.run()
		self.assertIn(
			("khalifa_whatsapp.jobs.templates.run", {"queue": "default", "device": META}), self.enqueued
		)
		self.talk = self.ticket_of(self.mona)
		self.assertIn("synced", self.pick()[0]["why_not"])
		templates.store_templates(
			META, [TemplateInfo("1", "order_ready", "ar", "APPROVED", "UTILITY", components=TEXT)]
		)
		self.assertEqual(self.pick()[0]["why_not"], "")
		self.assertEqual(frappe.db.count(TEMPLATE, {"needs_sync": 1}), 0)

	def test_one_template_that_cant_be_stored_does_not_stop_the_others(self) -> None:
		good = TemplateInfo("1", "order_ready", "ar", "APPROVED", "UTILITY", components=TEXT)
		bad = TemplateInfo("2", "x" * 600, "ar", "APPROVED", "UTILITY", components=TEXT)
		long = TemplateInfo("3", "y" * 512, "ar", "APPROVED", "UTILITY", components=TEXT)
		done = templates.store_templates(META, [bad, good, long])
		self.assertEqual(done, {"templates": 3, "new": 2, "removed": 0, "failed": 1})
		stored = set(frappe.get_all(TEMPLATE, {"device": META}, pluck="template_key"))
		self.assertEqual(stored, {template_key(META, one.name, "ar") for one in (good, long)})

	# -- promotions
	def test_a_refused_promotion_marks_the_customer(self) -> None:
		self.talk = self.ticket_of(self.mona)
		message = self.only(records.Message)
		frappe.db.set_value(
			"Khalifa Message", message.name, {"direction": "Outgoing", "status": "Sent", "device": META}
		)
		frappe.db.commit()
		status = {
			"id": "x",
			"status": "failed",
			"timestamp": str(START_S),
			"biz_opaque_callback_data": message.name,
		}
		frappe.db.set_value("Khalifa Message", message.name, "message_key", None)
		frappe.db.commit()
		metadata = {"phone_number_id": "600100200300400"}
		self.said("messages", {"metadata": metadata, "statuses": [{**status, "errors": [{"code": 131050}]}]})
		self.assertEqual(frappe.get_all("Khalifa Customer", pluck="is_opted_out"), [1])

	# -- trying a device out
	def test_a_device_that_has_just_sent_a_test_is_known_to_be_connected(self) -> None:
		frappe.db.set_value(META_DEVICE, "Loop", {"state": "Unknown", "state_ms": 0})
		frappe.db.commit()
		with signed_in(HUDA):
			device_tools.test_message("Loop", "01001234567", "hello")
		self.assertEqual(frappe.db.get_value(META_DEVICE, "Loop", "state"), "Connected")


META_DEVICE, TEMPLATE = "WhatsApp Device", "Khalifa Provider Template"
