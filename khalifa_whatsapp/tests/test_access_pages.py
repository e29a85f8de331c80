"""What the inbox and Desk offer an agent and a manager for one conversation, in a real Chromium:
all of it is done.
"""

from __future__ import annotations

import frappe

from khalifa_whatsapp.core import records
from khalifa_whatsapp.tests.case import ALI, HUDA, MONA
from khalifa_whatsapp.tests.inbox_page import INBOX, InboxPageCase

TAKE_BACK, TROUBLE = ".kin-tools button[title='Take Back']", ".kin-trouble button"


class TestWhatThePageOffers(InboxPageCase):
	def setUp(self) -> None:
		super().setUp()
		self.name = self.ticket_of(self.mona)
		self.message = self.reply(MONA, self.name, "we look for it").message["message"]
		self.done(MONA, "transfer", ticket=self.name, to_branch=self.south, reason="their stock")

	def look(self, user: str) -> None:
		self.enter(user, f"{INBOX}/{self.name}")
		self.until(lambda: "we look for it" in self.texts(".kin-log .kin-text"), "the thread")

	def test_an_agent_of_the_branch_writes_a_note_on_what_waits_for_it(self) -> None:
		self.look(ALI)
		self.until(self.is_note, "the composer writes notes")
		self.write_answer("asked the pharmacist")
		self.click(".kin-send")
		self.until(lambda: self.notes() == ["asked the pharmacist"], "the note is kept")
		self.until(
			lambda: "asked the pharmacist" in self.texts(".kin-bubble.note .kin-text"), "the note is shown"
		)
		self.assertEqual(self.complaints(), [])

	def test_what_became_of_a_message_is_asked_of_those_who_may_decide(self) -> None:
		for status in (records.MSG_QUEUED, records.UNKNOWN, records.FAILED):
			frappe.db.set_value("Khalifa Message", self.message, "status", status)
			frappe.db.commit()
			offers = {}
			for user in (ALI, HUDA):
				self.look(user)
				offers[user] = self.texts(TAKE_BACK) + self.texts(TROUBLE)
			of_manager = {
				records.MSG_QUEUED: ["✕"],
				records.UNKNOWN: ["Send Again", "It Was Sent", "It Was Not Sent"],
				records.FAILED: ["Send Again"],
			}
			self.assertEqual(offers, {ALI: [], HUDA: of_manager[status]}, status)

	def test_desk_s_form_of_a_message_asks_them_too(self) -> None:
		for user, offered in ((HUDA, ["Take Back"]), (ALI, [])):
			self.sign_in(user)
			self.go(f"/app/khalifa-message/{self.message}", ".form-layout")
			self.settle()
			self.assertEqual([text.strip() for text in self.texts(".custom-actions button")], offered, user)
