"""A device that can't be used, wholly or partly: what of it still works does,
and nothing else is touched by it.
"""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import frappe

from khalifa_whatsapp.api import devices
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.settings import HOUR_MS
from khalifa_whatsapp.core.troubles import MESSAGES, NEEDS_SECRETS, UNKNOWN_GATEWAY, WRONG_SETTINGS
from khalifa_whatsapp.drivers.cloud_api.verify import sign
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.jobs import hourly, intake, media, minute, nightly, outbox, watch
from khalifa_whatsapp.site_devices import SECRETS, find_device, forget_devices, problem_of
from khalifa_whatsapp.tests.broken import enter, lose, spoil
from khalifa_whatsapp.tests.case import DEVICE, HUDA, MONA, SECRET, clear, post_signed, settings
from khalifa_whatsapp.tests.endpoints import signed_in
from khalifa_whatsapp.tests.web import METHOD, Answer, Caller
from khalifa_whatsapp.tests.webhook_case import META_SECRET, TOKEN, make_device, post_meta, post_shop
from khalifa_whatsapp.tests.worker import JobCase

META, SHOP = "Meta", "Shop"
HEALTH = "khalifa_whatsapp.api.health.check"
HEARTBEAT = "khalifa_whatsapp.api.agents.heartbeat"
BODY = b'{"object": "whatsapp_business_account", "entry": []}'


class BrokenCase(JobCase):
	"""A number of Meta's and one of WPPConnect's beside the healthy loopback."""

	def setUp(self) -> None:
		super().setUp()
		self.clean()
		self.addCleanup(self.clean)
		settings(alert_quiet_minutes=0)
		self.addCleanup(settings, alert_quiet_minutes=240)
		make_device(
			META,
			"cloud_api",
			phone_number_id="600100200300400",
			access_token="t",
			app_secret=META_SECRET,
			base_url="http://127.0.0.1:9",
			state="Connected",
		)
		shop = make_device(
			SHOP, "wppconnect", base_url="http://127.0.0.1:9", session_name="shop1", gateway_secret="g"
		)
		self.k = shop.new_webhook_secret()["url"].rpartition("k=")[2]
		frappe.db.set_value("WhatsApp Device", DEVICE, "state", "Connected")
		frappe.db.commit()
		forget_devices()

	def clean(self) -> None:
		frappe.db.rollback()
		for name in (META, SHOP):
			frappe.db.sql("DELETE FROM `tabWhatsApp Device` WHERE name = %s", (name,))
			frappe.db.sql("DELETE FROM `__Auth` WHERE doctype = 'WhatsApp Device' AND name = %s", (name,))
		frappe.db.delete("Notification Log", {"document_type": ("in", ("WhatsApp Device", "Khalifa Alert"))})
		clear("Khalifa Alert")
		frappe.db.commit()
		forget_devices()

	def beat(self) -> Answer:
		return self.as_(MONA).call(HEARTBEAT)

	def health(self) -> dict[str, Any]:
		return self.as_(HUDA).read(HEALTH).message["parts"]

	def notifications(self, device: str) -> list[str]:
		"""What managers were notified of, each as often as Huda was."""
		frappe.db.rollback()
		return frappe.get_all(
			"Notification Log", {"document_name": device, "for_user": HUDA}, pluck="subject"
		)

	def row(self, device: str) -> Any:
		frappe.db.rollback()
		return frappe.db.get_value("WhatsApp Device", device, ["problem", "problem_fields"], as_dict=True)

	def everything_else_works(self) -> None:
		"""The heartbeat, the minute, the hour and the night, and the healthy device's customers."""
		answer = self.beat()
		self.assertEqual((answer.status, answer.said), (200, ""), answer.text)
		for job in (minute, hourly, nightly):
			job.run()
		self.deliver(message_item("+201001234567", "hello", f"other-{now_ms()}", now_ms()))
		self.assertEqual(intake.run(DEVICE)["messages"], 1)
		for kind in (intake, outbox, media, watch):
			for device in (META, SHOP):
				kind.run(device)
		self.assertEqual(self.health()["jobs"], {"ok": True, "failing": []})


class TestSecretsLost(BrokenCase):
	def test_what_can_be_verified_still_is_and_is_stored(self) -> None:
		lose(META, "access_token", "verify_token")
		self.assertEqual(post_meta(BODY).status, 200)
		self.assertEqual(post_meta(BODY + b" ", sign("wrong", BODY)).status, 401)
		lose(SHOP, *SECRETS["wppconnect"])
		self.assertEqual(post_shop(b'{"event": "x"}', self.k).status, 200)
		self.assertEqual(post_shop(b'{"event": "y"}', "wrong").status, 401)
		self.assertEqual([event.device for event in self.events()], [META, SHOP])

	def test_what_nobody_can_verify_is_neither_taken_nor_refused_for_good(self) -> None:
		lose(META, "app_secret")
		for signature in (None, sign("wrong", BODY)):
			answer = post_meta(BODY, signature)
			self.assertEqual((answer.status, answer.headers["Retry-After"]), (503, "60"))
		self.assertEqual(post_meta(BODY, "no signature").status, 401)
		self.assertEqual(self.events(), [])
		enter(META, app_secret=META_SECRET)
		self.assertEqual(post_meta(BODY).status, 200)
		self.assertEqual(len(self.events()), 1)

	def test_a_secret_that_is_being_changed_may_be_the_one(self) -> None:
		later = frappe.utils.add_to_date(None, hours=1, as_datetime=True)
		lose(META, "previous_app_secret")
		self.assertEqual(post_meta(BODY, sign("old", BODY)).status, 401, "nobody uses it any more")
		spoil(META, previous_app_secret_until=later)
		self.assertEqual(post_meta(BODY, sign("old", BODY)).status, 503)
		self.assertEqual(post_meta(BODY).status, 200)

	def test_the_subscription_is_neither_confirmed_nor_refused_for_good(self) -> None:
		lose(META, "verify_token")
		query = {"device": META, "hub.mode": "subscribe", "hub.verify_token": TOKEN, "hub.challenge": "1"}
		path = f"{METHOD}khalifa_whatsapp.api.webhook.cloud_api"
		self.assertEqual(Caller().send("GET", path, query_string=query).status, 503)

	def test_nobody_else_notices(self) -> None:
		lose(META, *SECRETS["cloud_api"])
		lose(SHOP, *SECRETS["wppconnect"])
		self.everything_else_works()

	def test_its_own_webhook_events_are_taken_in_too(self) -> None:
		post_signed(
			json.dumps(
				{"device": DEVICE, "events": [message_item("+201001234567", "hi", "i", now_ms())]}
			).encode()
		)
		lose(DEVICE, *SECRETS["loopback"])
		self.addCleanup(enter, DEVICE, app_secret=SECRET, verify_token="v-token")
		self.assertEqual(intake.run(DEVICE)["messages"], 1)

	def test_the_device_says_so_until_they_are_entered_again(self) -> None:
		lose(META, "access_token", "app_secret")
		for _ in range(3):
			minute.run()
		self.assertEqual(
			self.row(META), {"problem": NEEDS_SECRETS, "problem_fields": "access_token\napp_secret"}
		)
		self.assertEqual(len(self.notifications(META)), 1)
		self.assertIn("Enter them again", self.notifications(META)[0])
		part = self.health()["devices"]
		self.assertIn(META, part["failing"])
		self.assertIn("Access Token", part["problems"][META])
		with signed_in(HUDA):
			said = devices.status(META)
			self.assertIn("App Secret", said["problem"])
			self.assertTrue(said["is_held"])
			self.assertEqual(
				self.as_(HUDA).call("khalifa_whatsapp.api.cards.devices_down").message["value"], 1
			)
		doc = enter(META, access_token="new", app_secret="new")
		self.assertEqual((doc.problem, self.row(META).problem), ("", ""))
		minute.run()
		self.assertEqual(self.health()["devices"]["failing"], [])
		self.assertEqual(frappe.get_all("Khalifa Alert", {"is_solved": 0}), [])
		lose(META, "access_token")
		minute.run()
		self.assertEqual(len(self.notifications(META)), 2, "the next time is news")

	def test_messages_wait_without_an_attempt_and_go_when_the_secrets_are_there(self) -> None:
		message = self.queued()
		lose(META, "access_token")
		for hours in (0, 1.5, 3, 4.5):  # a worker looks each minute
			with patch.object(outbox, "now_ms", lambda hours=hours: now_ms() + round(hours * HOUR_MS)):
				self.assertEqual(outbox.run(META)["sent"], 0)
		stored = self.only(records.Message, name=message)
		self.assertEqual((stored.status, stored.attempts, stored.error_text), (records.MSG_QUEUED, 0, None))
		enter(META, access_token="new")
		self.assertEqual(outbox.run(META)["retried"], 1, "now it is tried, and nobody listens there")
		self.assertEqual(self.only(records.Message, name=message).attempts, 1)

	def queued(self) -> str:
		ticket = self.ticket_of(self.mona)
		message = self.reply(ticket)
		frappe.db.sql("UPDATE `tabKhalifa Message` SET device = %s WHERE name = %s", (META, message.name))
		frappe.db.sql(
			"UPDATE `tabKhalifa Ticket` SET device = %s, last_in_ms = %s", (META, now_ms() + 9 * HOUR_MS)
		)
		frappe.db.commit()
		return message.name

	def test_an_agent_is_informed_why_what_he_writes_waits(self) -> None:
		self.queued()
		ticket = self.only(records.Ticket).name
		lose(META, "access_token")
		answer = self.as_(MONA).call("khalifa_whatsapp.api.inbox.thread", ticket=ticket)
		self.assertIn("a manager must enter its secrets again", answer.message["can"]["held"])
		enter(META, access_token="new")
		self.assertEqual(
			self.as_(MONA).call("khalifa_whatsapp.api.inbox.thread", ticket=ticket).message["can"]["held"], ""
		)
		spoil(META, provider="telegram")
		answer = self.as_(MONA).call("khalifa_whatsapp.api.inbox.thread", ticket=ticket)
		self.assertIn("correct its settings", answer.message["can"]["held"])

	def test_a_person_who_asks_the_gateway_is_given_why_not_in_his_language(self) -> None:
		lose(META, "access_token")
		for language, terms in (("en", "secrets can't be read"), ("ar", "")):
			frappe.db.set_value("User", HUDA, "language", language)
			frappe.db.commit()
			frappe.clear_cache(user=HUDA)
			given = {"device": META, "phone": "01001234567", "text": "x"}
			answer = self.as_(HUDA).call("khalifa_whatsapp.api.device_tools.test_message", **given)
			self.assertEqual((answer.status, answer.code), (417, "not_sent"), answer.text)
			self.assertIn(terms, answer.said)
			self.assertNotIn("site_config", answer.text)
		frappe.db.set_value("User", HUDA, "language", "en")
		frappe.db.commit()

	def test_a_session_is_not_started_without_knowing_where_to_post(self) -> None:
		lose(SHOP, "webhook_address")
		answer = self.as_(HUDA).call("khalifa_whatsapp.api.devices.connect", device=SHOP)
		self.assertEqual((answer.status, answer.code), (417, "gateway_refused"))
		self.assertIn("secrets", answer.said)

	def test_one_of_two_logins_that_can_be_read_is_enough(self) -> None:
		lose(SHOP, "access_token")
		device = find_device(SHOP)
		self.assertFalse(device.is_held)
		self.assertEqual(problem_of(SHOP).about, ("access_token",))

	def test_secrets_of_another_gateway_trouble_nobody(self) -> None:
		lose(SHOP, "app_secret", "verify_token")
		self.assertIsNone(problem_of(SHOP))

	def test_whatever_stands_where_a_secret_should_is_that_secrets_fault(self) -> None:
		for stored in ("", "x", "gAAAA", "é" * 20, "0" * 200):
			frappe.db.sql(
				"UPDATE `__Auth` SET password = %s WHERE name = %s AND fieldname = 'access_token'",
				(stored, META),
			)
			frappe.db.commit()
			forget_devices()
			self.assertEqual(problem_of(META).about, ("access_token",), stored)
			self.assertEqual(post_meta(BODY).status, 200)


class TestImpossibleSettings(BrokenCase):
	def test_no_setting_of_one_device_is_anybody_elses_affair(self) -> None:
		for fields, kind in (
			({"allowed_ips": "nonsense 10.0.0.0/99"}, WRONG_SETTINGS),
			({"quiet_from": "25:99"}, WRONG_SETTINGS),
			({"provider": "telegram"}, UNKNOWN_GATEWAY),
			({"provider": "whatsapp_web", "browser_options": '{"remote": --debug'}, WRONG_SETTINGS),
			({"watch": "{broken", "base_url": "http://[::1"}, ""),
			({"connect_timeout": -1, "read_timeout": -1}, ""),
		):
			with self.subTest(fields):
				self.setUp()
				spoil(SHOP, **fields)
				self.everything_else_works()
				self.assertEqual(self.row(SHOP).problem or "", kind)
				self.assertEqual(len(self.notifications(SHOP)), 1 if kind else 0)

	def test_a_driver_that_can_t_be_made_stops_its_own_device_only(self) -> None:
		import khalifa_whatsapp.site_devices as module

		really = module.make_driver

		def make(config: Any) -> Any:
			if config.name == SHOP:
				raise RuntimeError("secret words")
			return really(config)

		with patch.object(module, "make_driver", make):
			forget_devices()
			self.everything_else_works()
			self.assertEqual(self.row(SHOP).problem, WRONG_SETTINGS)
			answer = post_shop(b"{}", self.k)
			self.assertEqual((answer.status, answer.headers["Retry-After"]), (503, "60"))
			self.assertEqual(post_meta(BODY, device=SHOP).status, 401, "that is not its endpoint")
			refused = self.as_(HUDA).call("khalifa_whatsapp.api.devices.connect", device=SHOP)
			self.assertEqual(refused.code, "device_problem")
			self.assertNotIn("secret words", refused.text + json.dumps(self.health(), default=str))
		forget_devices()
		minute.run()
		self.assertEqual(self.row(SHOP).problem, "")

	def test_a_list_of_addresses_that_can_t_be_read_lets_nobody_in_and_loses_nothing(self) -> None:
		spoil(SHOP, allowed_ips="10.1.0.0/16 nonsense")

		def post(peer: str) -> int:
			query = {"device": SHOP, "k": self.k}
			path = f"{METHOD}khalifa_whatsapp.api.webhook.wppconnect"
			env = {"REMOTE_ADDR": peer}
			return Caller().send("POST", path, query_string=query, data=b"{}", environ_base=env).status

		self.assertEqual((post("10.1.2.3"), post("10.2.0.1")), (200, 503))
		self.assertEqual(len(self.events()), 1)
		spoil(SHOP, allowed_ips="nonsense")
		self.assertEqual(post("10.1.2.3"), 503)

	def test_nothing_is_sent_at_a_pace_that_nobody_knows(self) -> None:
		self.reply(self.ticket_of(self.mona))
		spoil(DEVICE, quiet_from="25:99")
		self.addCleanup(spoil, DEVICE, quiet_from="")
		self.assertEqual(outbox.run(DEVICE)["sent"], 0)
		spoil(DEVICE, quiet_from="")
		self.assertEqual(outbox.run(DEVICE)["sent"], 1)

	def test_a_deleted_device_leaves_messages_and_holds_up_nothing(self) -> None:
		self.reply(self.ticket_of(self.mona))
		frappe.db.sql("UPDATE `tabKhalifa Message` SET device = 'Gone' WHERE direction = 'Outgoing'")
		frappe.db.sql("UPDATE `tabKhalifa Webhook Event` SET device = 'Gone', status = 'New'")
		frappe.db.commit()
		self.everything_else_works()
		self.assertEqual((outbox.run("Gone"), intake.run("Gone")), ({}, {}))

	def test_a_session_s_memory_that_can_t_be_read_begins_anew(self) -> None:
		for stored in ("{", "[]", '{"nonsense": 1}'):
			spoil(SHOP, watch=stored)
			self.assertEqual(watch.remembered(SHOP).state, watch.Watch().state)

	def test_a_setting_or_hours_that_can_t_be_read_are_left_out_and_shown(self) -> None:
		ticket = self.ticket_of(self.mona)
		frappe.db.sql(
			"UPDATE `tabSingles` SET value = 'soon' WHERE doctype = 'Khalifa "
			"Settings' AND field = 'warn_percent'"
		)
		for parenttype, parent, table in (
			("Khalifa Branch", self.north, "Khalifa Working Hour"),
			("Khalifa Agent", self.mona, "Khalifa Agent Shift"),
		):
			frappe.db.sql(
				f"INSERT INTO `tab{table}` (name, parent, parenttype, parentfield, idx, day, start_time, "
				"end_time) "
				"VALUES (%s, %s, %s, 'hours', 1, 'Someday', '09:00', '17:00')",
				(f"wrong-{table}", parent, parenttype),
			)
		frappe.db.commit()
		self.addCleanup(self.set_right)
		self.assertEqual(on_site().rules().settings.warn_percent, 70)
		self.assertEqual(self.beat().status, 200)
		self.assertEqual(self.ticket(ticket).agent, self.mona)
		with self.assertRaisesRegex(Exception, "settings"):
			minute.run()
		(failing,) = self.health()["jobs"]["failing"]
		self.assertEqual(failing["step"], "settings")
		for name in (
			"warn_percent",
			f"Khalifa Working Hour {self.north} 1",
			f"Khalifa Agent Shift {self.mona} 1",
		):
			self.assertIn(name, failing["error"])
		self.set_right()
		minute.run()
		self.assertTrue(self.health()["jobs"]["ok"])

	def set_right(self) -> None:
		frappe.db.sql(
			"UPDATE `tabSingles` SET value = '70' WHERE doctype = 'Khalifa "
			"Settings' AND field = 'warn_percent'"
		)
		frappe.db.sql("DELETE FROM `tabKhalifa Working Hour` WHERE name LIKE 'wrong-%'")
		frappe.db.sql("DELETE FROM `tabKhalifa Agent Shift` WHERE name LIKE 'wrong-%'")
		frappe.db.commit()

	def test_the_words_of_every_problem_are_there(self) -> None:
		for kind in (NEEDS_SECRETS, WRONG_SETTINGS, UNKNOWN_GATEWAY):
			self.assertTrue(MESSAGES[kind].endswith("."))
		options = frappe.get_meta("WhatsApp Device").get_field("problem").options.split("\n")
		self.assertEqual(options, ["", NEEDS_SECRETS, WRONG_SETTINGS, UNKNOWN_GATEWAY])
