"""Automatic replies on a site: rules as managers save them, what they answer, and who learns of a circle."""

from __future__ import annotations

from typing import Any

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records, reply_loops
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.jobs import auto_replies, minute
from khalifa_whatsapp.tests.case import ALI, DEVICE, HUDA, MINUTE, MONA, SiteCase, clear
from khalifa_whatsapp.tests.endpoints import call, signed_in

API = "khalifa_whatsapp.api.auto_replies."
RULE = "Khalifa Auto Reply"
PHONE = "+201001234567"


class TestRules(SiteCase):
	def setUp(self) -> None:
		super().setUp()
		clear(RULE)
		frappe.db.delete("Khalifa Working Hour", {"parenttype": RULE})
		frappe.db.commit()

	def rule(self, title: str = "hours", **fields: Any) -> Any:
		given = {
			"kind": "Keyword",
			"terms": "hours",
			"body": "Nine to eleven.",
			"cooldown_minutes": 0,
			**fields,
		}
		with signed_in(HUDA):
			doc = frappe.get_doc(doctype=RULE, title=title, **given).insert()
		frappe.db.commit()
		return doc

	def refused(self, part: str, **fields: Any) -> None:
		with self.assertRaises(frappe.ValidationError) as refusal:
			self.rule("refused", **fields)
		frappe.db.rollback()
		self.assertIn(part, str(refusal.exception))

	def replies(self) -> list[str]:
		return [m.auto_reply for m in self.all(records.Message) if m.auto_reply]

	# -- saving
	def test_what_can_not_work_is_refused_with_words_that_say_why(self) -> None:
		self.refused("Nobody fills in {price}", body="It costs {price}")
		self.refused("Write what the reply says", body=" \n")
		self.refused("each on a line of its own", terms=" \n ")
		self.refused("can't be looked for", terms="hours\n؟!")
		self.refused("can't be looked for", terms="x" * 101)
		self.refused("missing )", match_type="Regular Expression", pattern="(a")
		self.refused("repeats too much", match_type="Regular Expression", pattern=r"((\pL{1,30}){1,30})b")
		self.refused("matches an empty text", match_type="Regular Expression", pattern="a*")
		self.refused("Latin letters only", match_type="Regular Expression", pattern=r"\bسعر\b")
		self.refused("between 1 and", kind="Waiting Long", wait_minutes=0)
		self.refused("between 0 and", cooldown_minutes=-1)
		self.refused(
			"Someday is not a day", hours=[{"day": "Someday", "start_time": "09:00", "end_time": "10:00"}]
		)

	def test_what_a_rule_does_not_use_is_not_kept(self) -> None:
		doc = self.rule(kind="New Conversation", terms="x", pattern="y")
		self.assertEqual((doc.terms, doc.pattern), (None, None))
		doc = self.rule("pattern", match_type="Regular Expression", pattern=" ho.rs ", terms="x")
		self.assertEqual((doc.terms, doc.pattern), (None, "ho.rs"))

	def test_agents_see_no_rules(self) -> None:
		self.rule()
		with signed_in(MONA):
			self.assertRaises(frappe.PermissionError, frappe.get_list, RULE)
			self.assertRaises(frappe.PermissionError, frappe.get_doc(doctype=RULE, title="x").insert)
		for method, given in (("usage", {"rule": "hours"}), ("try_text", {"text": "x"})):
			self.assertEqual(self.as_(ALI).send("POST", f"/api/method/{API}{method}", data=given).status, 403)

	def test_a_rule_called_like_a_branch_keeps_its_hours_to_itself(self) -> None:
		before = on_site().rules().of_branch(self.north).calendar
		hours = [{"day": "Monday", "start_time": "03:00", "end_time": "04:00"}]
		self.rule(self.north, hours=hours)
		rules = on_site().rules()
		self.assertEqual(rules.of_branch(self.north).calendar, before)
		(rule,) = rules.auto_replies.rules
		self.assertEqual(len(rule.hours.weekly), 1)

	def test_a_stored_rule_that_can_not_be_used_is_reported_and_the_others_answer(self) -> None:
		self.rule("bad")
		self.rule("good")
		bad = {"match_type": "Regular Expression", "pattern": "("}
		frappe.db.set_value(RULE, "bad", bad, update_modified=False)
		frappe.db.commit()
		self.write(body="your hours?")
		self.assertEqual(self.replies(), ["good"])
		self.assertIn(f"{RULE} bad", on_site().wrong_rules())

	# -- answering
	def test_a_customer_is_answered_and_goes_on_waiting(self) -> None:
		self.rule(body="Dear {customer}: nine to eleven.")
		name = self.write(body="Your HOURS?")
		message = self.only(records.Message, auto_reply="hours")
		self.assertEqual(
			(message.body, message.origin, message.status, message.sender),
			("Dear Samy: nine to eleven.", records.AUTO, records.MSG_QUEUED, None),
		)
		ticket = self.ticket(name)
		self.assertEqual((ticket.status, ticket.cycle_replies, ticket.unread_count), (records.QUEUED, 0, 1))
		self.assertEqual(on_site().devices_with_due_messages(now_ms()), [DEVICE])

	def test_a_long_wait_is_answered_by_the_minute(self) -> None:
		self.rule("sorry", kind="Waiting Long", wait_minutes=10)
		name = self.write()
		later = now_ms() - 11 * MINUTE
		frappe.db.set_value(
			"Khalifa Ticket", name, {"waiting_since_ms": later, "auto_check_ms": later + 10 * MINUTE}
		)
		frappe.db.commit()
		self.assertEqual(auto_replies.answer_waits(on_site()), 1)
		self.assertEqual(self.replies(), ["sorry"])
		self.assertEqual(auto_replies.answer_waits(on_site()), 0)
		minute.run()
		self.assertEqual(self.replies(), ["sorry"])

	def test_managers_and_the_holder_are_notified_once_of_a_circle(self) -> None:
		self.rule()
		name = self.ticket_of(self.mona)
		for number in range(7):
			self.write(body=f"hours {number}")
		self.assertEqual(self.replies(), ["hours"] * 3)
		self.assertEqual(self.ticket(name).auto_stop, reply_loops.STOP_NEW)
		before = frappe.db.count("Notification Log", {"document_name": name})
		self.assertEqual(auto_replies.notify_of_stopped(), 1)
		self.assertEqual(auto_replies.notify_of_stopped(), 0)
		notified = frappe.get_all("Notification Log", {"document_name": name}, pluck="for_user")
		self.assertEqual(len(notified) - before, len(set(notified)))
		self.assertLessEqual({HUDA, MONA}, set(notified))
		self.assertEqual(self.ticket(name).auto_stop, reply_loops.STOP_NOTIFIED)
		events = self.as_(MONA).call("khalifa_whatsapp.api.inbox.thread", ticket=name).text
		self.assertIn("Automatic replies stopped here", events)

	# -- asking
	def test_a_manager_is_told_what_would_answer_and_why_the_others_would_not(self) -> None:
		self.rule(body="Dear {customer}, nine.", priority=5)
		self.rule("welcome", kind="New Conversation", body="Welcome.")
		self.rule("off", enabled=0)
		with signed_in(HUDA):
			self.assertEqual(call(f"{API}try_text", text="hello")["text"], "Welcome.")
			self.assertEqual(call(f"{API}try_text", text="hours?")["text"], "Dear Customer, nine.")
		self.write()
		customer = self.only(records.Customer).name
		before = len(self.all(records.Message))
		with signed_in(HUDA):
			trial = call(f"{API}try_text", text="What are your hours?", customer=customer, device=DEVICE)
		self.assertEqual(trial["text"], "Dear Samy, nine.")
		self.assertEqual(
			{row["name"]: row["reason"] for row in trial["rules"]},
			{"hours": "", "welcome": "The conversation is not new.", "off": "It is disabled."},
		)
		self.assertEqual(len(self.all(records.Message)), before)

	def test_how_often_a_rule_answered(self) -> None:
		self.rule()
		self.write(body="hours 1")
		self.write(phone="+201001234568", body="hours 2")
		frappe.db.sql(
			"UPDATE `tabKhalifa Message` SET sent_ms = sent_ms - %s WHERE auto_reply = 'hours' "
			"ORDER BY name LIMIT 1",
			(31 * DAY_MS,),
		)
		frappe.db.commit()
		frappe.db.sql(
			"UPDATE `tabKhalifa Message` SET cost_micros = 12500, cost_currency = 'EGP' "
			"WHERE auto_reply = 'hours'"
		)
		frappe.db.commit()
		with signed_in(HUDA):
			use = call(f"{API}usage", rule="hours")
		self.assertEqual((use["total"], use["lately"], use["customers"]), (2, 1, 2))
		self.assertEqual(use["costs"], [{"currency": "EGP", "cost": 0.025}])
