"""What agents do beside answering, through `/api/method` as they are signed in."""

from __future__ import annotations

from typing import Any

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.jobs import minute
from khalifa_whatsapp.services.tickets import snoozing
from khalifa_whatsapp.tests.case import ALI, HUDA, MINUTE, MONA
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
