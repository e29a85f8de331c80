"""What people do with conversations, through `/api/method` as they are signed in;
and every way to be refused.
"""

from __future__ import annotations

import contextlib
from typing import Any
from unittest.mock import patch

import frappe
from frappe.database.mariadb.database import MariaDBDatabase

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.jobs import close_all, intake, minute_mark, outbox, wake
from khalifa_whatsapp.services.tickets import delays
from khalifa_whatsapp.tests.case import (
	ALI,
	CONVERSATION,
	DEVICE,
	HUDA,
	MINUTE,
	MONA,
	nobody_answers,
)
from khalifa_whatsapp.tests.desk import DeskCase


class TestOtherVerbs(DeskCase):
	def test_a_note_is_for_colleagues_and_stops_no_clock(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.done(MONA, "note", ticket=ticket, body="asked before")
		note = self.only(records.Message, origin=records.NOTE)
		self.assertEqual((note.sender_name, note.status), ("Mona Adel", records.SENT))
		self.assertIsNotNone(self.ticket(ticket).waiting_since_ms)
		outbox.run(DEVICE)
		self.assertEqual(self.driver().sent, [])

	def test_notes_are_refused_as_answers_are(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.refused(417, "empty_text", MONA, "note", ticket=ticket, body=" ")
		self.refused(417, "text_too_long", MONA, "note", ticket=ticket, body="x" * 100_000)
		self.refused(404, "no_such_ticket", ALI, "note", ticket=ticket, body="x")

	def test_a_transfer_hands_over_with_its_reason(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.online(self.ali)
		shown = self.done(MONA, "transfer", ticket=ticket, to_agent=self.ali, reason="speaks English")
		self.assertEqual((shown["agent"], shown["agent_name"]), (self.ali, "Ali Hassan"))
		event = self.only(records.TicketEvent, event="transferred")
		self.assertEqual(
			(event.from_agent, event.to_agent, event.reason), (self.mona, self.ali, "speaks English")
		)
		self.assertEqual(event.actor_name, "Mona Adel")
		self.refused(403, "not_your_ticket", MONA, "reply", ticket=ticket, body="x", client_key="k")

	def test_transfers_that_lead_nowhere_are_refused(self) -> None:
		ticket = self.ticket_of(self.mona)
		to = {"ticket": ticket, "reason": "r"}
		self.refused(417, "agent_offline", MONA, "transfer", **to, to_agent=self.ali)
		self.online(self.ali)
		frappe.db.set_value("Khalifa Agent", self.ali, "capacity", 1)
		frappe.db.commit()
		self.write("+201001234599")
		self.only(records.Ticket, agent=self.ali)
		self.refused(417, "agent_full", MONA, "transfer", **to, to_agent=self.ali)
		self.refused(404, "no_such_agent", MONA, "transfer", **to, to_agent="KA-9999")
		self.refused(417, "same_agent", MONA, "transfer", **to, to_agent=self.mona)
		self.refused(417, "no_receiver", MONA, "transfer", **to)
		self.refused(404, "no_such_branch", MONA, "transfer", **to, to_branch="Atlantis")
		self.refused(417, "no_reason", MONA, "transfer", ticket=ticket, reason="  ", to_agent=self.ali)
		self.refused(403, "not_your_ticket", ALI, "transfer", **to, to_branch=self.south)

	def test_a_reason_of_a_hundred_thousand_letters_is_no_crash(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.online(self.ali)
		for verb, more in (
			("transfer", {"to_agent": self.ali}),
			("close", {}),
			("reopen", {}),
			("close_all_start", {}),
		):
			given = {} if verb == "close_all_start" else {"ticket": ticket}
			answer = self.do(HUDA, verb, **given, reason="س" * 100_000, **more)
			self.assertIn(answer.status, (200, 417), (verb, answer.text[:300]))
			self.assertLess(len(answer.raw), 2_000)

	def test_a_branch_receives_into_its_own_queue(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.done(MONA, "transfer", ticket=ticket, to_branch=self.south, reason="their stock")
		record = self.ticket(ticket)
		self.assertEqual((record.agent, record.branch, record.is_branch_only), (None, self.south, 1))
		self.refused(404, "no_such_ticket", MONA, "note", ticket=ticket, body="x")
		self.refused(404, "no_such_ticket", MONA, "assign", ticket=ticket, agent=self.mona)
		self.online(self.ali)
		self.assertEqual(self.ticket(ticket).agent, self.ali)

	def test_an_agent_takes_from_the_queue_and_gives_nothing_to_others(self) -> None:
		ticket = self.write()
		self.online(self.ali)
		self.assertEqual(self.ticket(ticket).agent, self.ali)
		self.refused(403, "only_managers_assign", MONA, "assign", ticket=ticket, agent=self.mona)
		self.refused(403, "only_managers_assign", ALI, "assign", ticket=ticket, agent=self.mona)
		self.done(HUDA, "transfer", ticket=ticket, to_branch=self.north, reason="r")
		frappe.db.sql("UPDATE `tabKhalifa Agent` SET presence = 'Away' WHERE name = %s", (self.mona,))
		frappe.db.commit()
		shown = self.done(MONA, "assign", ticket=ticket, agent=self.mona)
		self.assertEqual(shown["agent_name"], "Mona Adel")

	def test_closing_settles_the_ticket(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.reply(MONA, ticket)
		self.done(MONA, "close", ticket=ticket)
		record = self.ticket(ticket)
		self.assertEqual(
			(record.status, record.open_key, record.resolved_for), (records.CLOSED, None, self.mona)
		)
		self.refused(409, "ticket_closed", MONA, "close", ticket=ticket)

	def test_closings_that_can_not_be_are_refused(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.refused(417, "bad_reason", MONA, "close", ticket=ticket, reason="bored")
		self.refused(417, "customer_waits", MONA, "close", ticket=ticket, reason="inactive")
		self.refused(403, "not_your_ticket", ALI, "close", ticket=ticket)

	def test_reopening(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.refused(417, "already_open", MONA, "reopen", ticket=ticket)
		self.done(MONA, "close", ticket=ticket)
		self.refused(404, "no_such_ticket", ALI, "reopen", ticket=ticket)
		shown = self.done(MONA, "reopen", ticket=ticket, reason="called back")
		self.assertEqual((shown["agent"], shown["status"]), (self.mona, records.OPEN))

	def test_a_second_open_conversation_with_one_customer_is_refused(self) -> None:
		old = self.ticket_of(self.mona)
		self.done(MONA, "close", ticket=old)
		long_ago = now_ms() - 100 * 60 * MINUTE
		frappe.db.sql("UPDATE `tabKhalifa Ticket` SET closed_ms = %s WHERE name = %s", (long_ago, old))
		frappe.db.commit()
		self.deliver(message_item("+201001234567", "again", "in-again", now_ms(), "Samy"))
		intake.run(DEVICE)
		answer = self.refused(417, "other_open", MONA, "reopen", ticket=old)
		self.assertRegex(answer.said, r"KT-\d{6}")

	def test_last_words_need_no_answer(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.refused(403, "not_your_ticket", ALI, "no_reply_needed", ticket=ticket)
		self.done(MONA, "no_reply_needed", ticket=ticket)
		self.assertEqual(self.only(records.Turn).outcome, records.NO_REPLY_NEEDED)
		self.assertEqual(self.ticket(ticket).status, records.PENDING)

	def test_only_the_holder_marks_as_read(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.assertEqual(self.ticket(ticket).unread_count, 1)
		self.refused(404, "no_such_ticket", ALI, "mark_read", ticket=ticket)
		self.done(HUDA, "mark_read", ticket=ticket)
		self.assertEqual(self.ticket(ticket).unread_count, 1)
		self.done(MONA, "mark_read", ticket=ticket)
		self.assertEqual(self.ticket(ticket).unread_count, 0)

	def test_presence(self) -> None:
		agents = "khalifa_whatsapp.api.agents."
		ticket = self.write()
		answer = self.as_(MONA).call(f"{agents}set_presence", presence="Online")
		self.assertEqual(
			answer.message, {"agent": self.mona, "presence": "Online", "returned": 0, "assigned": 1}
		)
		answer = self.as_(MONA).call(f"{agents}set_presence", presence="Offline")
		self.assertEqual(answer.message["returned"], 1)
		self.assertEqual(self.ticket(ticket).queue_rank, 0)
		for wrong in ("Invisible", "", "online"):
			answer = self.as_(MONA).call(f"{agents}set_presence", presence=wrong)
			self.assertEqual((answer.status, answer.code), (417, "bad_presence"))
		answer = self.as_(MONA).call(f"{agents}set_presence", presence="Online", agent=self.ali)
		self.assertEqual((answer.status, answer.code), (404, "no_such_agent"))
		answer = self.as_(HUDA).call(f"{agents}set_presence", presence="Online")
		self.assertEqual((answer.status, answer.code), (404, "not_an_agent"))
		self.assertEqual(
			self.as_(HUDA).call(f"{agents}set_presence", presence="Away", agent=self.ali).status, 200
		)

	def test_a_heartbeat_keeps_an_agent_here_and_wakes_what_was_forgotten(self) -> None:
		frappe.db.sql("UPDATE `tabKhalifa Agent` SET heartbeat_ms = 1")
		frappe.db.commit()
		self.deliver({"type": "poke"})
		del self.enqueued[:]
		wake.allow_next_wake("intake", DEVICE)
		minute_mark.write(now_ms())
		answer = self.as_(MONA).call("khalifa_whatsapp.api.agents.heartbeat")
		self.assertEqual(answer.message["agent"], self.mona)
		self.assertGreater(self.only(records.Agent, name=self.mona).heartbeat_ms, 1)
		self.assertEqual([method for method, _ in self.enqueued], ["khalifa_whatsapp.jobs.intake.run"])


class TestDelays(DeskCase):
	def delay(self) -> str:
		self.ticket_of(self.mona)
		delays.scan(on_site(), now_ms() + 60 * MINUTE)
		return self.only(records.DelayEvent, kind="Agent").name

	def test_an_agent_objects_and_a_manager_decides(self) -> None:
		agents, name = "khalifa_whatsapp.api.agents.", self.delay()
		answer = self.as_(ALI).call(f"{agents}object_to_delay", delay=name, objection="not mine")
		self.assertEqual((answer.status, answer.code), (404, "no_such_delay"))
		terms = "<b>العميل</b> اتصل"
		self.assertEqual(
			self.as_(MONA).call(f"{agents}object_to_delay", delay=name, objection=terms).status, 200
		)
		answer = self.as_(MONA).call(f"{agents}decide_objection", delay=name, is_accepted=1)
		self.assertEqual((answer.status, answer.code), (403, "only_managers_decide"))
		answer = self.as_(HUDA).call(
			f"{agents}decide_objection", delay=name, is_accepted="false", decision="no"
		)
		self.assertEqual(answer.message, {"delay": name, "is_accepted": False})
		answer = self.as_(MONA).call(f"{agents}object_to_delay", delay=name, objection="please")
		self.assertEqual((answer.status, answer.code), (417, "already_decided"))
		frappe.db.rollback()
		row = frappe.db.get_value(
			"Khalifa Delay Event", name, ["objection", "objection_status", "decided_by"], as_dict=True
		)
		self.assertEqual((row.objection, row.objection_status, row.decided_by), (terms, "Rejected", HUDA))

	def test_a_crash_at_any_statement_leaves_no_objection_and_no_decision_by_half(self) -> None:
		name = self.delay()
		for verb, user, given, whole in (
			(
				"object_to_delay",
				MONA,
				{"objection": "a call"},
				("Open", "a call", MONA, True, None, None, False),
			),
			(
				"decide_objection",
				HUDA,
				{"is_accepted": 1, "decision": "yes"},
				("Accepted", "a call", MONA, True, "yes", HUDA, True),
			),
		):
			before, deaths = self.said(name), 0
			while self.dies(deaths, user, verb, delay=name, **given):
				self.assertIn(self.said(name), (before, whole), (verb, f"after {deaths} statements"))
				deaths += 1
			self.assertGreater(deaths, 2)
			self.assertEqual(self.said(name), whole)

	def said(self, name: str) -> tuple[Any, ...]:
		"""What is written of it; whether both moments are there as people read them."""
		frappe.db.rollback()
		terms = [
			"objection_status",
			"objection",
			"objected_by",
			"objected_on",
			"decision",
			"decided_by",
			"decided_on",
		]
		row = frappe.db.get_value("Khalifa Delay Event", name, terms, as_dict=True)
		return tuple(bool(row[term]) if term.endswith("_on") else row[term] for term in terms)

	def dies(self, statements: int, user: str, verb: str, **given: Any) -> bool:
		"""The request, with the process dying after so many statements on the delay;
		whether it came to that.
		"""
		caller, really, seen = self.as_(user), MariaDBDatabase.sql, []

		def until_it_dies(db: Any, query: Any, *values: Any, **more: Any) -> Any:
			if "tabKhalifa Delay Event" in str(query) or (seen and str(query).lower() == "commit"):
				seen.append(query)
				if len(seen) > statements:
					raise SystemExit
			return really(db, query, *values, **more)

		with patch.object(MariaDBDatabase, "sql", until_it_dies), contextlib.suppress(SystemExit):
			caller.call(f"khalifa_whatsapp.api.agents.{verb}", **given)
		return len(seen) > statements


class TestCloseAll(DeskCase):
	def tickets(self, count: int = 5) -> list[str]:
		return [self.write(f"+2010012345{number:02d}") for number in range(count)]

	def run_job(self) -> str:
		(given,) = [given for method, given in self.enqueued if method.endswith("close_all.run")]
		del self.enqueued[:]
		return close_all.run(batch=given["batch"])

	def test_agents_do_not_close_all(self) -> None:
		self.tickets(2)
		for verb, given in (
			("close_all_start", {"reason": "r"}),
			("close_all_undo", {"batch": "x"}),
			("close_all_status", {"batch": "x"}),
			("count_open", {}),
		):
			self.refused(403, "not_permitted", MONA, verb, **given)

	def test_a_manager_closes_all_watches_and_undoes(self) -> None:
		names = self.tickets()
		self.assertEqual(self.done(HUDA, "count_open"), {"count": 5})
		batch = self.done(HUDA, "close_all_start", reason="end of the campaign")
		self.assertEqual(
			(batch["status"], batch["total"], batch["requested_by_name"]), ("Running", 5, "Huda")
		)
		self.write("+201001234500")  # this one changes meanwhile
		self.assertEqual(self.run_job(), "Done")
		status = self.done(HUDA, "close_all_status", batch=batch["name"])
		self.assertEqual((status["status"], status["closed"], status["skipped"]), ("Done", 4, 1))
		open_now = [ticket.name for ticket in self.all(records.Ticket) if ticket.open_key]
		self.assertEqual(open_now, [names[0]])
		self.assertEqual(len(self.all(records.TicketEvent, event="closed")), 4)
		self.assertEqual(
			{t.close_reason for t in self.all(records.Ticket, status=records.CLOSED)}, {"end of the campaign"}
		)
		undone = self.done(HUDA, "close_all_undo", batch=batch["name"])
		if undone["status"] != "Undone":
			self.run_job()
		self.assertTrue(all(ticket.open_key for ticket in self.all(records.Ticket)))
		self.assertEqual(self.done(HUDA, "close_all_status", batch=batch["name"])["undone"], 4)

	def test_filters_choose_and_what_is_no_filter_is_refused(self) -> None:
		names = self.tickets(4)
		self.online(self.mona)
		self.assertEqual(self.done(HUDA, "count_open", agent=self.mona), {"count": 4})
		self.assertEqual(self.done(HUDA, "count_open", agent=self.ali), {"count": 0})
		self.assertEqual(self.done(HUDA, "count_open", names=names[:2]), {"count": 2})
		self.assertEqual(self.done(HUDA, "count_open", opened_before_ms=1), {"count": 0})
		self.assertEqual(
			self.done(HUDA, "count_open", branch="", status="", opened_before_ms=""), {"count": 4}
		)
		for wrong in ({"agents": "x"}, {"Agent": "x"}, {"filters": [["x"]]}):
			self.refused(417, "unknown_filter", HUDA, "close_all_start", reason="r", **wrong)
		for wrong in ([], "none", "[", [1], {"a": 1}, "null"):
			self.refused(417, "no_tickets", HUDA, "close_all_start", reason="r", names=wrong)
		for wrong in ("soon", "-1", "9" * 40):
			self.refused(417, "bad_filter", HUDA, "close_all_start", reason="r", opened_before_ms=wrong)
		answer = self.as_(HUDA).call_json(CONVERSATION + "close_all_start", reason="r", agent=["like", "%"])
		self.assertEqual(answer.code, "bad_filter")

	def test_a_reason_is_needed_and_has_an_end(self) -> None:
		self.tickets(1)
		self.refused(417, "missing_argument", HUDA, "close_all_start")
		self.refused(417, "no_reason", HUDA, "close_all_start", reason=" ")
		self.refused(417, "reason_too_long", HUDA, "close_all_start", reason="س" * 100_000)

	def test_a_batch_that_is_not_there(self) -> None:
		for verb in ("close_all_status", "close_all_undo"):
			self.refused(404, "no_such_batch", HUDA, verb, batch="none")

	def test_a_batch_is_stored_without_any_redis(self) -> None:
		self.tickets(1)
		self.as_(HUDA)
		with patch("frappe.enqueue", wraps=_really_enqueue), nobody_answers(cache=False):
			self.assertEqual(self.do(HUDA, "close_all_start", reason="r").status, 200)
		self.only(records.CloseBatch)


class TestLanguage(DeskCase):
	def speak(self, user: str, language: str) -> None:
		frappe.db.set_value("User", user, "language", language)
		frappe.db.commit()
		frappe.clear_cache(user=user)
		self.addCleanup(self.callers.pop, user, None)
		self.callers.pop(user, None)

	def test_refusals_are_in_the_users_language(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.speak(MONA, "ar")
		self.addCleanup(self.speak, MONA, "en")
		source = "The message is empty. Write something first."
		arabic = "الرسالة فارغة. اكتب شيئاً أولاً."
		own = frappe.get_doc(
			{"doctype": "Translation", "language": "ar", "source_text": source, "translated_text": arabic}
		).insert()
		frappe.db.commit()
		self.addCleanup(lambda: (own.delete(), frappe.db.commit()))
		answer = self.refused(417, "empty_text", MONA, "reply", ticket=ticket, body=" ", client_key="k")
		self.assertEqual(answer.said, arabic)

	def test_every_refusal_has_the_translation_that_the_app_brings_else_english(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.speak(ALI, "ar")
		self.addCleanup(self.speak, ALI, "en")
		source = "A colleague answers this conversation. Ask for a transfer first."
		answer = self.refused(403, "not_your_ticket", ALI, "reply", ticket=ticket, body="x", client_key="k")
		self.assertEqual(answer.said, frappe._(source, lang="ar"))
		self.assertNotIn("Mona", answer.said)
		guard = self.refused(403, "not_permitted", ALI, "close_all_start", reason="r")
		self.assertEqual(guard.said, frappe._("Only WhatsApp managers can do this.", lang="ar"))


_really_enqueue = frappe.enqueue
