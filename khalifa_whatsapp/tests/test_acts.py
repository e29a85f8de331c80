"""What agents do beside answering, through `/api/method` as they are signed in."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import frappe
import redis

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.jobs import minute, receipts
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
