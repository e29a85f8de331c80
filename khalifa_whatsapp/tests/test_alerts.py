"""Managers are called: at once in Desk, together by mail, not again within the quiet time, and told when it
is over; also while the scheduler is dead.
"""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import frappe

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import alerts as rules
from khalifa_whatsapp.core.alerts import Condition
from khalifa_whatsapp.jobs import (
	alert_look,
	alert_mail,
	alerts,
	minute,
	minute_mark,
	nightly,
	scheduler_watch,
)
from khalifa_whatsapp.jobs.watch import look
from khalifa_whatsapp.khalifa_whatsapp.machine_written import KEEP_KEYS_DAYS
from khalifa_whatsapp.tests.case import DEVICE, HUDA, MINUTE, MONA, SiteCase, clear, settings
from khalifa_whatsapp.tests.records import make_user

ALERT, MAIL = "Khalifa Alert", "owner@company.example"
DAY = 24 * 60 * MINUTE


class AlertCase(SiteCase):
	def setUp(self) -> None:
		super().setUp()
		self.mails: list[dict[str, Any]] = []
		self.replace("frappe.sendmail", lambda **mail: self.mails.append(mail))
		self.clean()
		self.addCleanup(self.clean)
		minute_mark.write(now_ms())
		well = {"state": "Connected", "quality": "", "token_ends_ms": 0}
		frappe.db.set_value("WhatsApp Device", DEVICE, well)
		frappe.db.commit()

	def clean(self) -> None:
		frappe.db.rollback()
		clear(ALERT)
		frappe.db.delete("Notification Log")  # also what others have left
		frappe.db.set_value("User", HUDA, "language", "en")
		settings(alert_quiet_minutes=240, alert_addresses="", alert_is_mailed=1, audit_retention_days=0)

	def bells(self, user: str = HUDA) -> list[str]:
		frappe.db.rollback()
		return frappe.get_all("Notification Log", {"for_user": user}, pluck="subject", order_by="creation")

	def wrong(self) -> set[str]:
		frappe.db.rollback()
		return set(frappe.get_all(ALERT, alerts.WRONG_NOW, pluck="kind"))

	def later(self, minutes: int) -> None:
		"""As if so much time had passed since."""
		frappe.db.sql("UPDATE `tabKhalifa Alert` SET notified_ms = notified_ms - %s", (minutes * MINUTE,))
		frappe.db.commit()

	def recipients(self) -> set[str]:
		return {address for mail in self.mails for address in mail["recipients"]}


class TestCalling(AlertCase):
	def down(self, minutes: int = 10) -> None:
		fields = {"state": "Disconnected", "state_ms": now_ms() - minutes * MINUTE}
		frappe.db.set_value("WhatsApp Device", DEVICE, fields)
		frappe.db.commit()

	def up(self) -> None:
		frappe.db.set_value("WhatsApp Device", DEVICE, "state", "Connected")
		frappe.db.commit()

	def test_a_device_that_is_down_rings_at_once_and_is_mailed_with_what_to_do(self) -> None:
		self.down(minutes=2)
		alert_look.run()
		self.assertEqual((self.wrong(), self.mails), (set(), []))
		self.down()
		alert_look.run()
		self.assertEqual(self.bells(), [f"{DEVICE} has not been connected for 10 minutes."])
		(mail,) = self.mails
		self.assertEqual(mail["recipients"], [HUDA])
		self.assertIn("has not been connected", mail["subject"])
		self.assertIn("connect it", mail["message"])
		self.assertEqual(self.bells(MONA), [])

	def test_it_is_quiet_for_the_time_that_the_settings_say(self) -> None:
		self.down()
		for _ in range(3):
			alert_look.run()
		self.assertEqual((len(self.bells()), len(self.mails)), (1, 1))
		self.later(239)
		alert_look.run()
		self.assertEqual(len(self.mails), 1)
		self.later(2)
		alert_look.run()
		self.assertEqual((len(self.bells()), len(self.mails)), (2, 2))

	def test_what_comes_and_goes_is_told_once_in_the_quiet_time_and_that_it_is_over_once(self) -> None:
		for _ in range(3):
			self.down()
			alert_look.run()
			self.up()
			alert_look.run()
			alert_look.run()
		self.assertEqual(len(self.mails), 2)
		self.assertIn("Solved", self.mails[1]["subject"])
		self.assertEqual(len(self.bells()), 2)
		row = frappe.get_doc(ALERT, {"kind": rules.DOWN})
		self.assertTrue(row.is_solved and row.solved_on)

	def test_what_is_said_once_and_came_back_in_the_quiet_time_is_told_when_that_is_over(self) -> None:
		self.assertTrue(alerts.alert_managers(DEVICE, "It is broken."))
		alerts.clear_alerts(DEVICE)
		self.assertFalse(alerts.alert_managers(DEVICE, "It is broken."))
		alert_look.run()
		self.assertEqual(len(self.bells()), 1)
		self.later(241)
		for _ in range(2):
			alert_look.run()
		self.assertEqual(self.bells(), [f"{DEVICE} needs you: It is broken."] * 2)

	def test_many_things_are_one_mail(self) -> None:
		for kind, values in (
			(rules.DISK, {"free": "0.4"}),
			(rules.DEAD_EVENTS, {"count": "3"}),
			(rules.OLD_EVENT, {"minutes": "9"}),
		):
			alerts.alert_of(Condition(kind, values=values))
		alerts.alert_managers(DEVICE, "It is broken.")
		alert_mail.send()
		(mail,) = self.mails
		for part in ("0.4 GB", "3 calls", "9 minutes", "It is broken.", "bench doctor", DEVICE):
			self.assertIn(part, mail["message"])
		self.assertIn("and 3 more", mail["subject"])
		alert_mail.send()
		self.assertEqual(len(self.mails), 1, "once")

	def test_each_in_his_or_her_language(self) -> None:
		boss = frappe.get_doc("User", make_user("boss@company.example", "Boss", "WhatsApp Manager"))
		self.addCleanup(frappe.db.commit)
		self.addCleanup(lambda: frappe.get_doc("User", boss.name).remove_roles("WhatsApp Manager"))
		frappe.db.set_value("User", "boss@company.example", "language", "ar")
		frappe.db.commit()
		with patch.object(alerts, "_", lambda text, language=None: f"[{language}] {text}"):
			alerts.alert_of(Condition(rules.DISK, values={"free": "0.4"}))
			alert_mail.send()
		by_address = {mail["recipients"][0]: mail["message"] for mail in self.mails}
		self.assertIn('dir="rtl"', by_address["boss@company.example"])
		self.assertIn("[ar] ", by_address["boss@company.example"])
		self.assertIn("[en] ", by_address[HUDA])
		self.assertIn('dir="ltr"', by_address[HUDA])

	def test_addresses_of_the_settings_are_mailed_and_mails_can_be_switched_off(self) -> None:
		settings(alert_addresses=f"{MAIL}\n{HUDA}")
		alerts.alert_of(Condition(rules.DISK, values={"free": "0.4"}))
		alert_mail.send()
		self.assertEqual(self.recipients(), {HUDA, MAIL})
		self.mails.clear()
		settings(alert_is_mailed=0)
		alerts.alert_of(Condition(rules.DEAD_EVENTS, values={"count": "1"}))
		alert_mail.send()
		self.assertEqual((self.mails, len(self.bells())), ([], 2))

	def test_what_a_gateway_wrote_is_only_text_in_the_mail(self) -> None:
		alerts.alert_managers(DEVICE, "<img src=x onerror=alert(1)> broke")
		alert_mail.send()
		self.assertNotIn("<img", self.mails[0]["message"])

	def test_a_site_that_sends_no_mail_still_rings(self) -> None:
		def refuse(**_mail: Any) -> None:
			frappe.throw("no account", frappe.OutgoingEmailError)

		self.replace("frappe.sendmail", refuse)
		alerts.alert_of(Condition(rules.DISK, values={"free": "0.4"}))
		alert_mail.send()
		self.assertEqual(len(self.bells()), 1)
		self.assertEqual(frappe.db.count(ALERT, {"needs_mail": 1}), 0)

	def test_the_form_says_what_to_do(self) -> None:
		alerts.alert_of(Condition(rules.DISK, values={"free": "0.4"}))
		name = frappe.db.get_value(ALERT, {"kind": rules.DISK})
		doc = self.as_(HUDA).send("GET", f"/api/resource/{ALERT}/{name}").json["data"]
		self.assertIn("0.4 GB", doc["text"])
		self.assertIn("Free some space", doc["what_to_do"])


class TestWhatIsLookedFor(AlertCase):
	def test_all_is_well_on_a_site_at_work(self) -> None:
		self.write()
		minute.run()
		self.assertEqual(self.wrong(), set())

	def test_events_that_wait_or_were_given_up(self) -> None:
		self.deliver({"type": "poke"})
		frappe.db.sql("UPDATE `tabKhalifa Webhook Event` SET received_ms = received_ms - %s", (3 * MINUTE,))
		frappe.db.commit()
		alert_look.run()
		self.assertEqual(self.wrong(), {rules.OLD_EVENT})
		frappe.db.sql("UPDATE `tabKhalifa Webhook Event` SET status = 'Dead'")
		frappe.db.commit()
		alert_look.run()
		self.assertEqual(self.wrong(), {rules.DEAD_EVENTS})

	def test_an_answer_that_should_have_gone_but_none_that_a_person_has_paused(self) -> None:
		self.messages("Queued", 1, next_retry_ms=now_ms() - 20 * MINUTE)
		alert_look.run()
		self.assertEqual(self.wrong(), {rules.OLD_MESSAGE})
		frappe.db.set_value("WhatsApp Device", DEVICE, "is_paused", 1)
		self.addCleanup(frappe.db.set_value, "WhatsApp Device", DEVICE, "is_paused", 0)
		alert_look.run()
		self.assertEqual(self.wrong(), set())

	def test_a_campaign_waits_for_its_turn(self) -> None:
		self.messages("Queued", 1, next_retry_ms=now_ms() - 20 * MINUTE, priority=2)
		alert_look.run()
		self.assertEqual(self.wrong(), set())

	def test_too_many_failures_of_an_hour(self) -> None:
		self.messages("Sent", 16)
		self.messages("Failed", 3)
		alert_look.run()
		self.assertEqual(self.wrong(), set())
		self.messages("Failed", 1)
		alert_look.run()
		self.assertEqual(self.wrong(), {rules.FAILURES})
		self.assertIn("20 % of the 20 messages", self.bells()[0])

	def test_a_template_that_meta_stopped(self) -> None:
		doc = frappe.get_doc(
			doctype="Khalifa Provider Template",
			device=DEVICE,
			template_key="k-offer",
			template_name="offer",
			category="MARKETING",
			language="ar",
			status="REJECTED",
			status_ms=now_ms(),
		)
		doc.flags.by_use_case = True
		doc.insert(ignore_permissions=True)
		alert_look.run()
		self.assertEqual(self.wrong(), {rules.TEMPLATE})
		self.assertIn("offer", self.mails[0]["message"])
		frappe.db.set_value(doc.doctype, doc.name, "status", "APPROVED")
		alert_look.run()
		self.assertEqual(self.wrong(), set())

	def test_low_quality_that_a_notice_has_told_is_mailed_and_rings_no_second_time(self) -> None:
		frappe.db.set_value("WhatsApp Device", DEVICE, "quality", "RED")
		notice = frappe.get_doc(
			doctype="Khalifa Device Notice",
			device=DEVICE,
			notice_key="n-1",
			severity="Critical",
			notified_ms=now_ms(),
		)
		notice.flags.by_use_case = True
		notice.insert(ignore_permissions=True)
		alert_look.run()
		self.assertEqual((self.wrong(), self.bells(), len(self.mails)), ({rules.QUALITY}, [], 1))

	def test_a_token_that_ends_soon(self) -> None:
		frappe.db.set_value("WhatsApp Device", DEVICE, "token_ends_ms", now_ms() + 3 * DAY)
		alert_look.run()
		self.assertEqual(self.wrong(), {rules.TOKEN})
		self.assertNotIn("{date}", self.bells()[0])

	def test_when_the_token_ends_is_asked_each_hour_and_a_refusal_changes_nothing(self) -> None:
		device = type(self.driver())
		with patch.object(device, "login_ends_ms", lambda driver: 1_900_000_000_000, create=True):
			look(DEVICE)
		self.assertEqual(frappe.db.get_value("WhatsApp Device", DEVICE, "token_ends_ms"), 1_900_000_000_000)

	def messages(self, status: str, count: int, **fields: Any) -> None:
		ticket = self.write()
		customer = self.ticket(ticket).customer
		for _ in range(count):
			self.keys += 1
			doc = frappe.get_doc(
				doctype="Khalifa Message",
				ticket=ticket,
				customer=customer,
				device=DEVICE,
				direction="Outgoing",
				origin="Agent",
				content_type="text",
				status=status,
				client_key=f"alerted-{self.keys}",
				sent_ms=now_ms(),
				received_ms=now_ms(),
				started_ms=0 if status == "Queued" else now_ms(),
				**fields,
			)
			doc.flags.by_use_case = True
			doc.insert(ignore_permissions=True)
		frappe.db.commit()


class TestWithoutTheScheduler(AlertCase):
	def dead(self, queues: dict[str, int] | None = None) -> None:
		minute_mark.write(now_ms() - 10 * MINUTE)
		frappe.cache.delete(frappe.cache.make_key("khalifa_scheduler_look"))
		self.replace("khalifa_whatsapp.jobs.alert_look.queue_ages", lambda: queues or {})

	def test_who_looks_at_the_inbox_has_managers_called(self) -> None:
		self.dead()
		del self.enqueued[:]
		self.as_(MONA).call("khalifa_whatsapp.api.agents.heartbeat")
		self.assertEqual(self.wrong(), {rules.LATE_JOB})
		self.assertEqual(self.bells(), ["The background work has not run for 10 minutes."])
		at_once = {"queue": "short", "at_once": True}
		self.assertIn(("khalifa_whatsapp.jobs.alert_mail.send", at_once), self.enqueued)
		alert_mail.send(at_once=True)
		self.assertTrue(self.mails[0]["now"], "past the queue that the scheduler empties")

	def test_when_it_runs_again_that_is_told(self) -> None:
		self.dead()
		scheduler_watch.look()
		minute.run()
		self.assertEqual(self.wrong(), set())
		self.assertIn("Solved", self.bells()[-1])

	def test_workers_that_take_nothing(self) -> None:
		self.dead({"short": 6 * MINUTE, "long": MINUTE})
		scheduler_watch.look()
		self.assertEqual(self.wrong(), {rules.LATE_JOB, rules.NO_WORKER})
		self.assertIn("queue short", " ".join(self.bells()))


class TestLogSettings(AlertCase):
	def test_what_log_settings_clear_is_ours_and_can_be_cleared(self) -> None:
		from frappe.core.doctype.log_settings.log_settings import _supports_log_clearing

		hooked = frappe.get_hooks("default_log_clearing_doctypes")
		ours = [doctype for doctype in hooked if doctype.startswith("Khalifa")]
		self.assertEqual(len(ours), 3)
		for doctype in ours:
			self.assertTrue(_supports_log_clearing(doctype), doctype)

	def test_only_calls_that_were_taken_in_and_not_before_a_gateway_may_come_again(self) -> None:
		for status in ("New", "Failed", "Dead", "Done", "Ignored"):
			self.deliver({"type": "poke", "n": status})
			frappe.db.sql(
				"UPDATE `tabKhalifa Webhook Event` SET status = %s, error = 'x', received_ms = %s "
				"WHERE COALESCE(error, '') = ''",
				(status, now_ms() - (KEEP_KEYS_DAYS - 1) * DAY),
			)
			frappe.db.commit()
		self.clear_logs("Khalifa Webhook Event", 1)
		self.assertEqual(len(self.events()), 5, "their keys say that they are known")
		frappe.db.sql("UPDATE `tabKhalifa Webhook Event` SET received_ms = received_ms - %s", (2 * DAY,))
		frappe.db.commit()
		self.clear_logs("Khalifa Webhook Event", 1)
		self.assertEqual({event.status for event in self.events()}, {"New", "Failed", "Dead"})

	def test_alerts_that_are_right_again_and_were_told(self) -> None:
		alerts.alert_of(Condition(rules.DISK, values={"free": "0.4"}))
		alerts.alert_of(Condition(rules.DEAD_EVENTS, values={"count": "1"}))
		alert_mail.send()
		alerts.clear_conditions([rules.DISK], [])
		frappe.db.sql("UPDATE `tabKhalifa Alert` SET last_ms = last_ms - %s", (40 * DAY,))
		frappe.db.commit()
		self.clear_logs(ALERT, 30)
		self.assertEqual(frappe.db.count(ALERT), 2, "it is still to be told that one is over")
		alert_mail.send()
		self.clear_logs(ALERT, 30)
		self.assertEqual(frappe.get_all(ALERT, pluck="kind"), [rules.DEAD_EVENTS])

	def test_audit_entries_stay_unless_the_settings_say_for_how_long(self) -> None:
		frappe.get_doc("WhatsApp Device", DEVICE).new_webhook_secret()
		frappe.db.sql("UPDATE `tabKhalifa Audit Entry` SET at_ms = at_ms - %s", (400 * DAY,))
		frappe.db.commit()
		count = frappe.db.count("Khalifa Audit Entry")
		nightly.forget_old_audit_entries()
		self.assertEqual(frappe.db.count("Khalifa Audit Entry"), count)
		settings(audit_retention_days=365)
		nightly.forget_old_audit_entries()
		self.assertEqual(frappe.db.count("Khalifa Audit Entry"), 0)

	def clear_logs(self, doctype: str, days: int) -> None:
		frappe.model.base_document.get_controller(doctype).clear_old_logs(days=days)
		frappe.db.rollback()
