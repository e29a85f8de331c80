"""Snooze, macros, first contact, transfer and presence in a real Chromium."""

from __future__ import annotations

import json

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.services.tickets import snoozing
from khalifa_whatsapp.tests.case import HUDA, MINUTE, MONA
from khalifa_whatsapp.tests.inbox_page import InboxPageCase

LINES = ".kin-line .kin-name"
EVENTS = ".kin-log .kin-event"


class TestActsPages(InboxPageCase):
	def setUp(self) -> None:
		super().setUp()
		for doctype in ("Khalifa Macro", "Khalifa Macro Step"):
			frappe.db.delete(doctype)
			self.addCleanup(frappe.db.delete, doctype)
		frappe.db.commit()
		self.online(self.mona)

	def answered(self) -> str:
		"""Samy has written and was answered."""
		self.customer_writes("hello")
		ticket = self.only(records.Ticket).name
		self.done(MONA, ticket)
		return ticket

	def done(self, user: str, ticket: str) -> None:
		answer = self.as_(user).call(
			"khalifa_whatsapp.api.conversation.reply", ticket=ticket, body="I look into it", client_key="k"
		)
		self.assertEqual(answer.status, 200, answer.text)

	def act(self, label: str) -> None:
		self.click(".kin-actions button", label)
		self.until(lambda: self.js("return !!window.cur_dialog?.display"), label)

	def confirm(self, label: str) -> None:
		self.click(".modal.show .btn-primary", label)
		self.until(lambda: not self.js("return !!window.cur_dialog?.display"), f"{label} is done")

	# -- snooze

	def test_what_is_snoozed_leaves_the_list_and_comes_back_with_a_badge(self) -> None:
		ticket = self.answered()
		self.enter(MONA)
		self.open("Samy", "hello")
		self.act("Snooze")
		self.click(".modal.show .kin-choice", "In 1 hour")
		self.type_into(".modal.show .kin-reason", "asked the pharmacy")
		self.confirm("Snooze")
		self.until(lambda: self.texts(LINES) == [], "it has left the list")
		self.until(lambda: any("Snoozed until" in text for text in self.texts(".kin-chip")), "the chip")
		stored = self.only(records.Ticket)
		self.assertTrue(now_ms() + 55 * MINUTE < stored.snoozed_until_ms <= now_ms() + 60 * MINUTE)
		snoozing.bring_back(on_site(), now_ms() + 61 * MINUTE)
		frappe.db.commit()
		self.until(lambda: self.texts(LINES) == ["Samy"], "it is back")
		self.until(lambda: any("its time has come" in text for text in self.texts(EVENTS)), "the event")
		self.assertEqual(self.only(records.Ticket, name=ticket).snoozed_ms, None)

	def test_the_customer_s_words_bring_it_back(self) -> None:
		self.answered()
		self.enter(MONA)
		self.open("Samy", "hello")
		self.act("Snooze")
		self.confirm("Snooze")
		self.until(lambda: self.texts(LINES) == [], "it has left the list")
		self.customer_writes("and?", key="in-2")
		self.until(lambda: self.texts(LINES) == ["Samy"], "it is back")
		self.until(lambda: "Bring Back" not in self.texts(".kin-actions .kin-label"), "the head knows")

	def test_what_is_owed_asks_why(self) -> None:
		self.customer_writes("hello")
		self.enter(MONA)
		self.open("Samy", "hello")
		self.act("Snooze")
		self.click(".modal.show .btn-primary", "Snooze")
		self.until(lambda: any("Answer first" in text for text in self.texts(".desk-alert")), "why not")
		self.type_into(".modal.show .kin-reason", "the doctor is asked")
		self.confirm("Snooze")
		self.assertEqual(self.only(records.Ticket).snooze_reason, "the doctor is asked")
		self.click(".kin-actions button", "Bring Back")
		self.until(lambda: self.only(records.Ticket).snoozed_ms is None, "it is back")

	# -- macros

	def test_a_macro_is_one_tap(self) -> None:
		steps = [
			{"action": "Reply", "text": "Thank you {customer}"},
			{"action": "Tag", "tag": "VIP"},
			{"action": "Close", "close_reason": "resolved"},
		]
		frappe.get_doc({"doctype": "Khalifa Macro", "title": "Thank and close", "steps": steps}).insert()
		frappe.db.commit()
		self.customer_writes("hello")
		self.enter(MONA)
		self.open("Samy", "hello")
		self.act("Macros")
		self.click(".modal.show .kin-macro .kin-option", "Thank and close")
		self.until(lambda: self.only(records.Ticket).status == records.CLOSED, "it is closed")
		self.assertEqual(self.answers(), ["Thank you Samy"])

	def test_one_writes_one_s_own_and_hears_what_can_t_be_done(self) -> None:
		self.customer_writes("hello")
		self.enter(MONA)
		self.open("Samy", "hello")
		self.act("Macros")
		self.click(".modal.show button", "New Macro")
		self.type_into(".modal.show .kin-macro-title", "Look later")
		self.js(
			"const box = document.querySelector('.modal.show .kin-step select'); box.value = 'Snooze';"
			"box.dispatchEvent(new Event('change'))"
		)
		self.click(".modal.show .btn-primary", "Save")
		macro = self.until(
			lambda: frappe.db.rollback() or frappe.get_all("Khalifa Macro", ["title", "agent"])
		)
		self.assertEqual((macro[0].title, macro[0].agent), ("Look later", self.mona))
		self.until(lambda: not self.js("return !!window.cur_dialog?.display"), "saved")
		self.act("Macros")
		self.click(".modal.show .kin-macro .kin-option", "Look later")
		self.until(
			lambda: any("step 1" in text and "customer waits" in text for text in self.texts(".desk-alert")),
			"why not",
		)
		self.assertIsNone(self.only(records.Ticket).snoozed_ms)

	# -- first contact

	def test_a_conversation_begins_with_a_number_in_any_spelling(self) -> None:
		self.enter(MONA)
		self.click(".page-actions .primary-action", "New Conversation")
		self.type_into(".modal.show .kin-first-search", "0100 123 4599")
		self.click(".modal.show .kin-option", "Write to this number")
		self.js("const way = document.querySelector('.modal.show input[value=text]'); if (way) way.click()")
		self.type_into(".modal.show .kin-first-text", "Your order is ready")
		self.confirm("Send")
		ticket = self.only(records.Ticket)
		self.assertEqual((ticket.agent, ticket.status), (self.mona, records.PENDING))
		self.until(
			lambda: "Your order is ready" in self.texts(".kin-log .kin-bubble .kin-text"), "it is open"
		)
		self.assertEqual(self.answers(), ["Your order is ready"])

	def test_an_open_conversation_is_opened_and_the_words_wait_in_it(self) -> None:
		self.customer_writes("hello")
		self.enter(MONA)
		self.click(".page-actions .primary-action", "New Conversation")
		self.type_into(".modal.show .kin-first-search", "Sam")
		self.click(".modal.show .kin-option", "Samy")
		self.js("const way = document.querySelector('.modal.show input[value=text]'); if (way) way.click()")
		self.type_into(".modal.show .kin-first-text", "Your order")
		self.confirm("Send")
		self.until(lambda: "hello" in self.texts(".kin-log .kin-bubble .kin-text"), "it is open")
		self.assertEqual((len(self.all(records.Ticket)), self.answers()), (1, []))
		self.until(lambda: self.written() == "Your order", "the draft")

	# -- transfer

	def test_the_list_shows_who_is_there_and_how_full(self) -> None:
		self.customer_writes("hello")
		self.enter(MONA)
		self.open("Samy", "hello")
		self.act("Transfer")
		rows = self.texts(".modal.show .kin-receiver")
		self.assertTrue(
			any("Ali Hassan" in row and "Offline" in row and "0 of 6" in row for row in rows), rows
		)
		self.click(".modal.show .kin-receiver", "Ali Hassan")
		self.until(lambda: any("is offline" in text for text in self.texts(".desk-alert")), "why not")
		self.type_into(".modal.show .kin-picker-search", "south")
		self.until(lambda: len(self.texts(".modal.show .kin-receiver")) == 2, "Ali, and his branch")
		self.click(".modal.show .kin-receiver[data-branch]", "South")
		self.type_into(".modal.show .kin-reason", "their stock")
		self.confirm("Transfer")
		stored = self.only(records.Ticket)
		self.assertEqual((stored.branch, stored.status), (self.south, records.QUEUED))

	# -- presence

	def test_one_is_asked_on_arrival_and_comes_with_a_click(self) -> None:
		frappe.db.set_value("Khalifa Agent", self.mona, "presence", "Offline")
		frappe.db.commit()
		self.enter(MONA)
		self.until(lambda: any("Go online?" in text for text in self.texts(".kin-banner")), "the question")
		self.click(".kin-banner button", "Go Online")
		self.until(lambda: self.only(records.Agent, name=self.mona).presence == records.ONLINE, "online")
		self.until(lambda: not self.is_shown(".kin-banner"), "nothing more to ask")

	def test_a_shift_is_announced(self) -> None:
		self.enter(MONA)
		shift = (
			"khalifa.desk.answered({standing: {presence: arguments[0]}, now_ms: arguments[1], "
			"shift: arguments[2]})"
		)
		now = now_ms()
		self.js(shift, "Online", now, {"from_ms": now - MINUTE, "to_ms": now + 4 * MINUTE})
		self.until(lambda: any("Your shift ends at" in text for text in self.texts(".kin-banner")), "the end")
		self.js(shift, "Offline", now, {"from_ms": now - MINUTE, "to_ms": now + 99 * MINUTE})
		self.until(
			lambda: any("Your shift began at" in text for text in self.texts(".kin-banner")), "the start"
		)

	def test_a_manager_s_change_is_said_on_every_page_with_a_way_back(self) -> None:
		self.enter(MONA)
		self.route("List", "Khalifa Reply Template", "List")
		answer = self.as_(HUDA).call(
			"khalifa_whatsapp.api.agents.set_presence", presence="Away", agent=self.mona
		)
		self.assertEqual(answer.status, 200, json.dumps(answer.message))
		self.until(lambda: any("set you away" in text for text in self.texts(".desk-alert")), "the word")
		self.click(".desk-alert [data-action=online]", "Go Online")
		self.until(lambda: self.only(records.Agent, name=self.mona).presence == records.ONLINE, "back")
