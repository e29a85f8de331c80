"""What agents do beside answering, through `/api/method` as they are signed in."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import frappe
import redis

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.jobs import minute, outbox, receipts
from khalifa_whatsapp.services.tickets import snoozing
from khalifa_whatsapp.site_devices import forget_devices
from khalifa_whatsapp.tests.case import ALI, DEVICE, HUDA, MINUTE, MONA
from khalifa_whatsapp.tests.desk import DeskCase

INBOX = "khalifa_whatsapp.api.inbox."


class TestSnooze(DeskCase):
	def listed(self, view: str) -> list[str]:
		return [
			row["ticket"] for row in self.as_(MONA).call(f"{INBOX}conversations", view=view).message["rows"]
		]

	def answered(self) -> str:
		ticket = self.ticket_of(self.mona)
		self.done(MONA, "reply", ticket=ticket, body="I look into it", client_key="k1")
		return ticket

	def test_it_leaves_the_list_and_comes_back_when_the_customer_writes(self) -> None:
		ticket = self.answered()
		self.done(MONA, "snooze", ticket=ticket)
		self.assertEqual((self.listed("mine"), self.listed("snoozed")), ([], [ticket]))
		head = self.as_(MONA).call(f"{INBOX}thread", ticket=ticket).message
		self.assertEqual(head["ticket"]["snoozed_until_ms"], 0)
		self.assertGreater(head["ticket"]["snoozed_ms"], 0)
		self.assertIn("until the customer writes", head["items"][-1]["text"])
		self.write(body="and?")
		self.assertEqual((self.listed("mine"), self.listed("snoozed")), ([ticket], []))
		texts = [
			one["text"]
			for one in self.as_(MONA).call(f"{INBOX}thread", ticket=ticket).message["items"]
			if one["kind"] == "event"
		]
		self.assertIn("The conversation is back: the customer wrote.", texts)

	def test_the_minute_brings_it_back(self) -> None:
		ticket = self.answered()
		self.done(MONA, "snooze", ticket=ticket, until_ms=now_ms() + 2 * MINUTE, reason="asked the pharmacy")
		self.assertEqual(self.ticket(ticket).snooze_reason, "asked the pharmacy")
		self.assertIn("snoozed", minute.PARTS)
		self.assertEqual(snoozing.bring_back(on_site(), now_ms()), 0)
		self.assertEqual(snoozing.bring_back(on_site(), now_ms() + 3 * MINUTE), 1)
		frappe.db.commit()
		self.assertEqual((self.ticket(ticket).unread_count, self.listed("mine")), (1, [ticket]))

	def test_what_is_owed_stays_in_the_list_and_takes_a_reason(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.refused(417, "snooze_owed", MONA, "snooze", ticket=ticket)
		self.done(MONA, "snooze", ticket=ticket, reason="the doctor is asked")
		self.assertEqual((self.listed("mine"), self.listed("snoozed")), ([ticket], [ticket]))
		self.done(MONA, "unsnooze", ticket=ticket)
		self.refused(409, "not_snoozed", MONA, "unsnooze", ticket=ticket)

	def test_others_are_refused(self) -> None:
		ticket = self.answered()
		self.refused(417, "snooze_past", MONA, "snooze", ticket=ticket, until_ms=1)
		self.refused(417, "bad_argument", MONA, "snooze", ticket=ticket, until_ms="soon")
		self.refused(403, "not_your_ticket", ALI, "snooze", ticket=ticket)
		self.done(HUDA, "snooze", ticket=ticket)
		event: Any = self.only(records.TicketEvent, event="snoozed")
		self.assertEqual(event.actor_name, "Huda")


class TestWhatCustomersSee(DeskCase):
	def setUp(self) -> None:
		super().setUp()
		for key in frappe.cache.get_keys("khalifa_receipts:*"):
			frappe.cache.delete(key)

	def shows(self, **settings: int) -> None:
		frappe.db.set_value(
			"WhatsApp Device", DEVICE, {"sends_read_receipts": 0, "shows_typing": 0, **settings}
		)
		frappe.db.commit()
		forget_devices()

	def enqueued_receipts(self) -> list[dict[str, Any]]:
		asked = [given for method, given in self.enqueued if method.endswith("receipts.run")]
		return [{key: given[key] for key in ("device", "ticket", "is_typing")} for given in asked]

	def test_nothing_is_shown_unless_the_device_says_so(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.shows()
		self.as_(MONA).call(f"{INBOX}open_conversation", ticket=ticket)
		self.as_(MONA).call(f"{INBOX}typing", ticket=ticket)
		self.assertEqual(self.enqueued_receipts(), [])

	def test_the_holder_s_eyes_and_hands_are_seen_once_and_behind_the_act(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.shows(sends_read_receipts=1, shows_typing=1)
		self.as_(HUDA).call(f"{INBOX}open_conversation", ticket=ticket)
		self.as_(HUDA).call(f"{INBOX}typing", ticket=ticket)
		self.assertEqual(self.enqueued_receipts(), [])
		for _ in range(2):
			self.as_(MONA).call(f"{INBOX}open_conversation", ticket=ticket)
			self.done(MONA, "mark_read", ticket=ticket)
			self.as_(MONA).call(f"{INBOX}typing", ticket=ticket)
		read = {"device": DEVICE, "ticket": ticket, "is_typing": False}
		self.assertEqual(self.enqueued_receipts(), [read, {**read, "is_typing": True}])
		for given in self.enqueued_receipts():
			receipts.run(**given)
		self.assertEqual([is_typing for _, is_typing in self.driver().reads], [False, True])
		with self.quiet():
			self.write(body="more")
		self.done(MONA, "mark_read", ticket=ticket)
		self.assertEqual(self.enqueued_receipts()[-1], read)
		self.assertEqual(len(self.enqueued_receipts()), 3)

	def test_a_device_is_not_flooded(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.shows(shows_typing=1)
		self.replace("khalifa_whatsapp.jobs.receipts.MAX_PER_MINUTE", 1)
		row = frappe.get_doc("Khalifa Ticket", ticket)
		who = Actor(MONA, "Mona Adel", self.mona)
		for name in ("one", "two", "three"):
			receipts.note_typing(who, frappe._dict(row.as_dict(), name=name))
		self.assertEqual([given["ticket"] for given in self.enqueued_receipts()], ["one"])

	def test_without_redis_agents_read_and_write_as_ever(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.shows(sends_read_receipts=1)
		with patch.object(frappe.cache, "set", side_effect=redis.exceptions.ConnectionError):
			receipts.note_read(Actor(MONA, "Mona", self.mona), frappe.get_doc("Khalifa Ticket", ticket))
		self.assertEqual(self.enqueued_receipts(), [])


class TestFirstContact(DeskCase):
	FIRST = "khalifa_whatsapp.api.first_contact."

	def begin(self, user: str = MONA, **given: Any) -> Any:
		sent = {"device": DEVICE, "client_key": self.key(), "body": "Your order is ready", **given}
		return self.as_(user).call(f"{self.FIRST}begin", **sent)

	def test_a_conversation_begins_and_its_answer_comes_back_to_it(self) -> None:
		begun = self.begin(phone="0100 123 4599")
		self.assertEqual(begun.status, 200, begun.text)
		ticket = self.ticket(begun.message["ticket"])
		self.assertEqual((ticket.agent, ticket.status, ticket.turn), (self.mona, "Pending", None))
		self.assertTrue(any(method.endswith("jobs.outbox.run") for method, _ in self.enqueued))
		shown = self.as_(MONA).call(f"{INBOX}thread", ticket=ticket.name).message
		self.assertIn(
			"Mona Adel began the conversation.",
			[one.get("text", "").replace("\u2068", "").replace("\u2069", "") for one in shown["items"]],
		)
		with self.quiet():
			outbox.run(DEVICE)
		self.assertEqual(len(self.driver().sent), 1)
		self.assertEqual(self.write("+201001234599"), ticket.name)

	def test_the_open_one_is_opened_and_a_colleague_s_is_named(self) -> None:
		ticket = self.ticket_of(self.mona)
		begun = self.begin(phone="+201001234567").message
		self.assertEqual((begun["ticket"], begun["is_new"]), (ticket, False))
		foreign = self.begin(ALI, phone="+201001234567")
		self.assertEqual((foreign.status, foreign.code), (409, "held_by_colleague"))
		self.assertNotIn("Samy", foreign.text)
		self.assertEqual(len(self.all(records.Message)), 1)

	def test_what_can_t_be_is_said(self) -> None:
		for given, code in (
			({"phone": "16000"}, "short_number"),
			({"phone": "+201001234599", "body": " "}, "empty_text"),
			({"phone": "+201001234599", "device": "none"}, "device_off"),
			({"phone": "+201001234599", "template": "none"}, "no_such_template"),
		):
			answer = self.begin(**given)
			self.assertEqual((answer.code, self.all(records.Ticket)), (code, []), answer.text)
		self.assertEqual(self.begin(HUDA, phone="+201001234599").code, "not_an_agent")

	def test_numbers_people_and_spellings(self) -> None:
		(number,) = self.as_(MONA).call(f"{self.FIRST}numbers").message
		self.assertEqual((number["device"], number["needs_template"]), (DEVICE, False))
		self.ticket_of(self.mona)
		(customer,) = self.as_(MONA).call(f"{self.FIRST}find", text="sam").message
		self.assertEqual(customer["phone"], "+201001234567")
		self.assertEqual(len(self.as_(MONA).call(f"{self.FIRST}find", text="0100123").message), 1)
		for text in ("sam", "0100123", "%", ""):
			self.assertEqual(self.as_(ALI).call(f"{self.FIRST}find", text=text).message, [])
		self.assertEqual(
			self.as_(ALI).call(f"{self.FIRST}templates", device=DEVICE, customer=customer["name"]).status, 403
		)
		looked = self.as_(ALI).call(f"{self.FIRST}look", phone="٠١٠٠ ١٢٣٤٥٦٧").message
		self.assertEqual(looked["phone"], "+201001234567")


class TestMacros(DeskCase):
	API = "khalifa_whatsapp.api.macros."

	def setUp(self) -> None:
		super().setUp()
		for doctype in ("Khalifa Macro", "Khalifa Macro Step"):
			frappe.db.delete(doctype)
			self.addCleanup(frappe.db.delete, doctype)

	def make(self, *steps: dict[str, Any], title: str = "Thank and close", agent: str = "") -> str:
		doc = frappe.get_doc(
			{"doctype": "Khalifa Macro", "title": title, "agent": agent, "steps": list(steps)}
		)
		name = doc.insert().name
		frappe.db.commit()
		return name

	def tap(self, user: str, ticket: str, macro: str, key: str = "tap") -> Any:
		return self.as_(user).call(f"{self.API}run", ticket=ticket, macro=macro, client_key=key)

	def test_all_steps_are_done_once(self) -> None:
		ticket = self.ticket_of(self.mona)
		macro = self.make(
			{"action": "Reply", "text": "Thank you {customer}, {agent}"},
			{"action": "Note", "text": "asked about {ticket}"},
			{"action": "Tag", "tag": "Diabetes"},
			{"action": "Close", "close_reason": "resolved"},
		)
		offered = self.as_(MONA).call(f"{self.API}offered").message
		self.assertEqual([one["title"] for one in offered], ["Thank and close"])
		done = self.tap(MONA, ticket, macro)
		self.assertEqual((done.status, done.message["is_done"]), (200, True), done.text)
		self.assertFalse(self.tap(MONA, ticket, macro).message["is_done"])
		ours = self.all(records.Message, direction=records.OUTGOING)
		self.assertEqual([one.body for one in ours], ["Thank you Samy, Mona Adel", f"asked about {ticket}"])
		self.assertEqual(self.ticket(ticket).status, records.CLOSED)
		tags = frappe.db.get_value("Khalifa Customer", self.ticket(ticket).customer, "_user_tags")
		self.assertEqual(tags, ",Diabetes")

	def test_what_can_t_be_done_is_said_and_nothing_is(self) -> None:
		ticket = self.ticket_of(self.mona)
		macro = self.make(
			{"action": "Tag", "tag": "Diabetes"},
			{"action": "Reply", "text": "Call {branch_phone}"},
			{"action": "Transfer", "to_agent": self.ali, "text": "go on"},
		)
		before = self.state()
		answer = self.tap(MONA, ticket, macro)
		self.assertEqual((answer.status, answer.code), (417, "macro_blanks_empty"))
		self.assertIn("step 2", answer.said)
		self.assertEqual(self.state(), before)
		self.assertFalse(frappe.db.get_value("Khalifa Customer", self.ticket(ticket).customer, "_user_tags"))
		frappe.db.set_value("Khalifa Branch", self.north, "phone", "0223334444")
		frappe.db.commit()
		self.assertIn("offline", self.tap(MONA, ticket, macro).said)
		self.assertEqual(self.state(), before)

	def test_everybody_s_and_one_s_own(self) -> None:
		self.make({"action": "Note", "text": "x"}, title="shared")
		foreign = self.make({"action": "Note", "text": "x"}, title="Ali's", agent=self.ali)
		steps = [{"action": "Snooze", "snooze_minutes": 60}]
		own = self.as_(MONA).call(f"{self.API}save", title="mine", steps=json.dumps(steps)).message
		titles = [one["title"] for one in self.as_(MONA).call(f"{self.API}offered").message]
		self.assertEqual(titles, ["mine", "shared"])
		self.as_(MONA).call(f"{self.API}save", macro=own["name"], title="mine again", steps=json.dumps(steps))
		ticket = self.ticket_of(self.mona)
		for answer in (
			self.tap(MONA, ticket, foreign),
			self.as_(MONA).call(f"{self.API}save", macro=foreign, title="hers", steps="[]"),
			self.as_(MONA).call(f"{self.API}remove", macro=foreign),
		):
			self.assertEqual((answer.status, answer.code), (404, "no_such_macro"))
		self.assertEqual(self.as_(MONA).call(f"{self.API}save", title="x", steps="{").code, "bad_argument")
		self.assertEqual(self.as_(MONA).call(f"{self.API}save", title="x", steps="[]").status, 417)
		self.as_(MONA).call(f"{self.API}remove", macro=own["name"])
		self.assertEqual(
			[one["title"] for one in self.as_(MONA).call(f"{self.API}offered").message], ["shared"]
		)
		self.assertEqual(self.as_(MONA).call("frappe.client.get_list", doctype="Khalifa Macro").status, 403)

	def test_a_form_refuses_what_nobody_could_do(self) -> None:
		for steps in (
			[{"action": "Close", "close_reason": "resolved"}, {"action": "Note", "text": "x"}],
			[{"action": "Reply", "text": "{price}"}],
			[{"action": "Reply"}],
		):
			with self.assertRaises(frappe.ValidationError):
				self.make(*steps)
