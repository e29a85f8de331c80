"""Who may see and do what with a conversation: the page, the methods and the lists say the same."""

from __future__ import annotations

from typing import Any

import frappe

from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.tests.case import ALI, HUDA, MONA
from khalifa_whatsapp.tests.desk import DeskCase

INBOX = "khalifa_whatsapp.api.inbox."


class TestWhatThePageAllowsIsDone(DeskCase):
	def queue_of_south(self) -> str:
		ticket = self.write()
		self.done(HUDA, "transfer", ticket=ticket, to_branch=self.south, reason="their stock")
		found = self.ticket(ticket)
		self.assertEqual((found.agent, found.branch, found.is_branch_only), (None, self.south, 1))
		return ticket

	def rights(self, user: str, ticket: str) -> dict[str, Any]:
		answer = self.as_(user).send("GET", f"/api/method/{INBOX}thread", query_string={"ticket": ticket})
		self.assertEqual(answer.status, 200, answer.text)
		return answer.message["ticket"]["rights"]

	def test_an_agent_notes_on_what_waits_for_his_branch_and_another_branch_learns_nothing_of_it(self) -> None:
		ticket = self.queue_of_south()
		self.assertTrue(self.rights(ALI, ticket)["note"])
		self.done(ALI, "note", ticket=ticket, body="asked the pharmacist")
		self.done(ALI, "mark_read", ticket=ticket)
		self.assertEqual(self.only(r.Message, origin=r.NOTE).sender_name, "Ali Hassan")
		for verb, more in (
			("note", {"body": "x"}), ("mark_read", {}), ("reply", {"body": "x", "client_key": "k"}), ("close", {}),
			("transfer", {"reason": "r", "to_agent": self.mona}), ("reopen", {}), ("assign", {"agent": self.mona}),
			("assign", {"agent": self.ali}), ("no_reply_needed", {}),
		):  # fmt: skip
			self.refused(404, "no_such_ticket", MONA, verb, ticket=ticket, **more)

	def test_what_waits_for_nobody_is_taken_by_nobody_who_does_not_see_it(self) -> None:
		ticket = self.write()
		frappe.db.set_value("Khalifa Ticket", ticket, "status", r.PENDING)
		frappe.db.commit()
		frappe.db.set_value("Khalifa Agent", self.ali, "presence", "Away")
		frappe.db.commit()
		answer = self.as_(ALI).send("GET", f"/api/method/{INBOX}thread", query_string={"ticket": ticket})
		self.assertEqual(answer.status, 403)
		self.refused(404, "no_such_ticket", ALI, "assign", ticket=ticket, agent=self.ali)
