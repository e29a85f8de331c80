"""Answers: queued once, by whom they may be, and refused in words that say how to go on."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import frappe

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import records
from khalifa_whatsapp.stores.base import Conflict
from khalifa_whatsapp.stores.site_store import SiteStore
from khalifa_whatsapp.tests.case import (
	ALI,
	CONVERSATION,
	DEVICE,
	HUDA,
	MONA,
	nobody_answers,
)
from khalifa_whatsapp.tests.desk import DeskCase
from khalifa_whatsapp.tests.web import Caller


class TestReply(DeskCase):
	def test_an_answer_is_queued_and_ends_the_wait(self) -> None:
		ticket = self.ticket_of(self.mona)
		answer = self.reply(MONA, ticket, "أهلاً بك 👋")
		self.assertEqual(answer.message["sender_name"], "Mona Adel")
		self.assertEqual(answer.message["status"], records.MSG_QUEUED)
		message = self.only(records.Message, direction=records.OUTGOING)
		self.assertEqual(
			(message.body, message.agent, message.sender_name), ("أهلاً بك 👋", self.mona, "Mona Adel")
		)
		record = self.ticket(ticket)
		self.assertEqual(
			(record.status, record.waiting_since_ms, record.agent_name), (records.PENDING, None, "Mona Adel")
		)
		self.assertEqual(self.only(records.Turn).outcome, records.ANSWERED)
		self.assertIn(
			("khalifa_whatsapp.jobs.outbox.run", DEVICE), [(m, g.get("device")) for m, g in self.enqueued]
		)

	def test_a_double_click_is_one_message(self) -> None:
		ticket = self.ticket_of(self.mona)
		first = self.reply(MONA, ticket, client_key="twice")
		second = self.reply(MONA, ticket, client_key="twice")
		self.assertEqual(first.message["message"], second.message["message"])
		self.only(records.Message, direction=records.OUTGOING)

	def test_a_double_click_in_the_same_instant_is_one_message(self) -> None:
		given = {"ticket": self.ticket_of(self.mona), "body": "answer", "client_key": "twice"}
		mona = self.as_(MONA)
		with ThreadPoolExecutor(4) as pool:
			answers = list(pool.map(lambda _: mona.call(CONVERSATION + "reply", **given), range(4)))
		self.assertEqual([answer.status for answer in answers], [200] * 4)
		message = self.only(records.Message, direction=records.OUTGOING)
		self.assertEqual({answer.message["message"] for answer in answers}, {message.name})

	def test_two_who_answer_in_the_same_instant_do_not_both(self) -> None:
		ticket = self.ticket_of(self.mona)
		seen = now_ms()
		callers = [self.as_(MONA), self.as_(HUDA)]

		def reply(caller: Caller) -> int:
			given = {
				"ticket": ticket,
				"body": "answer",
				"client_key": f"key of {id(caller)}",
				"seen_ms": seen - 1,
			}
			return caller.call(CONVERSATION + "reply", **given).status

		with ThreadPoolExecutor(2) as pool:
			self.assertEqual(sorted(pool.map(reply, callers)), [200, 409])
		self.only(records.Message, direction=records.OUTGOING)

	def test_a_key_of_another_conversation_or_person_is_refused(self) -> None:
		ticket, other = self.ticket_of(self.mona), self.ticket_of(self.mona, "+201001234568")
		self.reply(MONA, ticket, client_key="mine")
		self.refused(417, "client_key_used", MONA, "reply", ticket=other, body="x", client_key="mine")
		self.refused(417, "client_key_used", HUDA, "reply", ticket=ticket, body="x", client_key="mine")

	def test_a_foreign_conversation_can_not_be_answered(self) -> None:
		ticket = self.ticket_of(self.mona)
		answer = self.refused(403, "not_your_ticket", ALI, "reply", ticket=ticket, body="x", client_key="k")
		self.assertNotIn("Mona Adel", answer.said)

	def test_a_waiting_conversation_is_taken_before_it_is_answered(self) -> None:
		ticket = self.write()
		self.refused(403, "not_assigned", MONA, "reply", ticket=ticket, body="x", client_key="k")

	def test_a_closed_conversation_is_opened_before_it_is_answered(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.done(MONA, "close", ticket=ticket)
		self.refused(409, "ticket_closed", MONA, "reply", ticket=ticket, body="x", client_key="k")

	def test_words_that_can_not_be_sent_are_refused(self) -> None:
		ticket = self.ticket_of(self.mona)
		for body in ("", "   \n\t", "\u200f"[:0]):
			self.refused(417, "empty_text", MONA, "reply", ticket=ticket, body=body, client_key="k")
		answer = self.refused(
			417, "text_too_long", MONA, "reply", ticket=ticket, body="x" * 100_000, client_key="k"
		)
		self.assertIn("100000", answer.said)
		self.assertNotIn("xxxx", answer.text)

	def test_the_longest_answer_arrives_whole(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.assertEqual(self.reply(MONA, ticket, "ش" * 4096).status, 200)
		self.assertEqual(self.only(records.Message, direction=records.OUTGOING).body, "ش" * 4096)

	def test_arguments_that_are_missing_or_impossible_are_refused(self) -> None:
		ticket = self.ticket_of(self.mona)
		good = {"ticket": ticket, "body": "x", "client_key": "k"}
		for missing in good:
			given = {name: value for name, value in good.items() if name != missing}
			answer = self.refused(417, "missing_argument", MONA, "reply", **given)
			self.assertIn(missing, answer.said)
		self.refused(417, "bad_argument", MONA, "reply", **good, seen_ms="yesterday")
		self.refused(417, "bad_argument", MONA, "reply", **good, take_over="perhaps")
		for value in (["x"], {"like": "%"}, True):
			before = self.state()
			answer = self.as_(MONA).call_json(CONVERSATION + "reply", **{**good, "ticket": value})
			self.assertEqual((answer.status, answer.code), (417, "bad_argument"))
			self.assertEqual(self.state(), before)
		for name in ("KT-999999", "' OR 1=1 -- ", "%", "", "x" * 10_000, "😀"):
			self.refused(404, "no_such_ticket", MONA, "reply", **{**good, "ticket": name})

	def test_half_a_character_is_no_reason_to_fail(self) -> None:
		ticket = self.ticket_of(self.mona)
		raw = json.dumps({"ticket": ticket, "body": "a\ud83d b\x00c", "client_key": "k"})
		headers = {"Content-Type": "application/json"}
		answer = self.as_(MONA).send("POST", f"/api/method/{CONVERSATION}reply", data=raw, headers=headers)
		self.assertEqual(answer.status, 200, answer.text)
		self.assertEqual(self.only(records.Message, direction=records.OUTGOING).body, "a? b\x00c")

	def test_a_no_is_a_no_as_text_too(self) -> None:
		self.online(self.mona)
		ticket = self.ticket_of(self.mona)
		agent = frappe.get_doc(
			{"doctype": "Khalifa Agent", "user": HUDA, "employee_name": "Huda Samir"}
		).insert()
		frappe.db.commit()
		for no in ("0", "false", ""):
			self.reply(HUDA, ticket, take_over=no)
			self.assertEqual(self.ticket(ticket).agent, self.mona)
		self.reply(HUDA, ticket, take_over="1")
		self.assertEqual(self.ticket(ticket).agent, agent.name)
		clear_agent(agent.name)

	def test_an_answer_is_refused_when_a_colleague_answered_meanwhile(self) -> None:
		ticket = self.ticket_of(self.mona)
		seen = now_ms()
		self.assertEqual(self.reply(HUDA, ticket, "I am faster", seen_ms=seen - 1).status, 200)
		answer = self.refused(
			409,
			"answered_meanwhile",
			MONA,
			"reply",
			ticket=ticket,
			body="x",
			client_key="k",
			seen_ms=seen - 1,
		)
		self.assertIn("Huda", answer.said)
		self.assertEqual(self.reply(MONA, ticket, seen_ms=now_ms()).status, 200)

	def test_a_manager_answers_on_behalf_and_both_are_on_record(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.done(HUDA, "reply", ticket=ticket, body="for Mona", client_key="k")
		message = self.only(records.Message, direction=records.OUTGOING)
		self.assertEqual(
			(message.sender_name, message.agent, message.on_behalf_of), ("Huda", None, self.mona)
		)
		self.assertEqual(self.only(records.TicketEvent, event="on_behalf").to_agent, self.mona)
		self.assertEqual(self.ticket(ticket).agent, self.mona)

	def test_a_reply_is_stored_without_any_redis(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.as_(MONA)
		with patch("frappe.enqueue", wraps=_really_enqueue), nobody_answers(cache=False):
			self.assertEqual(self.reply(MONA, ticket).status, 200)
		self.only(records.Message, direction=records.OUTGOING)

	def test_a_busy_database_is_reported_and_leaves_no_words_in_the_error_log(self) -> None:
		ticket = self.ticket_of(self.mona)
		before = frappe.db.count("Error Log")
		with patch.object(SiteStore, "save", side_effect=Conflict("deadlock")):
			answer = self.refused(
				503, "busy", MONA, "reply", ticket=ticket, body="very secret words", client_key="k"
			)
		self.assertIn("nothing was changed", answer.said)
		frappe.db.rollback()
		self.assertEqual(frappe.db.count("Error Log"), before)
		self.assertNotIn("very secret words", str(frappe.cache.lrange("insert_queue_for_Error Log", 0, -1)))

	def test_what_was_done_is_not_called_undone_when_handing_out_fails(self) -> None:
		ticket = self.ticket_of(self.mona)
		with patch(
			"khalifa_whatsapp.services.tickets.assignment._assign_batch", side_effect=Conflict("deadlock")
		):
			self.assertEqual(self.done(MONA, "close", ticket=ticket)["status"], records.CLOSED)


def clear_agent(name: str) -> None:
	frappe.db.sql("DELETE FROM `tabKhalifa Agent` WHERE name = %s", (name,))
	frappe.db.commit()


_really_enqueue = frappe.enqueue
