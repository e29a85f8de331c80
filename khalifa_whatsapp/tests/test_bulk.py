"""Many conversations at once: who may, what comes of each, and what Desk shows beside lists and forms."""

from __future__ import annotations

from typing import Any

import frappe

from khalifa_whatsapp.api import bulk
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.jobs import reassign
from khalifa_whatsapp.services.tickets import delays
from khalifa_whatsapp.tests.case import ALI, HOST, HUDA, MINUTE, MONA, nobody_answers
from khalifa_whatsapp.tests.desk import DeskCase
from khalifa_whatsapp.tests.web import Answer

REASSIGN = "khalifa_whatsapp.api.bulk.reassign"
STATUS = "khalifa_whatsapp.api.bulk.reassign_status"
FORMS = "khalifa_whatsapp.api.desk."


class TestReassign(DeskCase):
	def phones(self, count: int) -> list[str]:
		return [f"+20100123{number:04d}" for number in range(count)]

	def waiting(self, count: int) -> list[str]:
		return [self.write(phone) for phone in self.phones(count)]

	def ask(self, user: str = HUDA, **arguments: Any) -> Answer:
		return self.as_(user).call(REASSIGN, **{"reason": "one shift for all", **arguments})

	def test_each_ticket_is_handed_on_and_its_history_says_by_whom_and_why(self) -> None:
		tickets = self.waiting(3)
		self.online(self.mona)
		frappe.db.set_value("Khalifa Agent", self.ali, "presence", records.ONLINE)
		frappe.db.commit()
		answer = self.ask(tickets=tickets, to_agent=self.ali)
		self.assertEqual((answer.status, answer.message["status"]), (200, "Done"), answer.text)
		self.assertEqual([row["ticket"] for row in answer.message["results"]], tickets)
		self.assertTrue(all(row["is_done"] for row in answer.message["results"]))
		for name in tickets:
			self.assertEqual(self.ticket(name).agent, self.ali)
			event = self.only(records.TicketEvent, ticket=name, event="transferred")
			self.assertEqual((event.actor_name, event.reason), ("Huda", "one shift for all"))

	def test_what_can_not_be_handed_on_says_why_and_stops_nothing(self) -> None:
		closed, already, free = self.waiting(3)
		self.online(self.mona)
		self.done(HUDA, "close", ticket=closed)
		frappe.db.set_value("Khalifa Agent", self.ali, "presence", records.ONLINE)
		frappe.db.commit()
		self.done(HUDA, "transfer", ticket=already, reason="first", to_agent=self.ali)
		answer = self.ask(tickets=[closed, already, "KT-none", free], to_agent=self.ali)
		results = {row["ticket"]: row for row in answer.message["results"]}
		self.assertEqual(
			[results[name]["is_done"] for name in (closed, already, "KT-none", free)], [False] * 3 + [True]
		)
		self.assertIn("closed", results[closed]["why"])
		self.assertIn("already with this agent", results[already]["why"])
		self.assertIn("no such conversation", results["KT-none"]["why"])

	def test_to_a_branch(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.assertEqual(self.ask(tickets=[ticket], to_branch=self.south).status, 200)
		record = self.ticket(ticket)
		self.assertEqual((record.status, record.branch, record.agent), (records.QUEUED, self.south, None))

	def test_agents_may_not(self) -> None:
		ticket = self.ticket_of(self.mona)
		before = self.state()
		answer = self.ask(MONA, tickets=[ticket], to_branch=self.south)
		self.assertEqual(answer.status, 403)
		self.assertEqual(self.as_(MONA).call(STATUS, run="x").status, 403)
		self.assertEqual(self.state(), before)

	def test_what_makes_no_sense_is_refused_before_anything_is_done(self) -> None:
		ticket = self.ticket_of(self.mona)
		before = self.state()
		for code, given in (
			("no_tickets", {"tickets": [], "to_branch": self.south}),
			("no_tickets", {"tickets": "KT", "to_branch": self.south}),
			("missing_argument", {"to_branch": self.south}),
			("no_reason", {"tickets": [ticket], "reason": "  ", "to_branch": self.south}),
			("reason_too_long", {"tickets": [ticket], "reason": "x" * 501, "to_branch": self.south}),
			("no_receiver", {"tickets": [ticket]}),
			("no_receiver", {"tickets": [ticket], "to_agent": self.ali, "to_branch": self.south}),
			("too_many", {"tickets": [f"KT-{n}" for n in range(bulk.MAX + 1)], "to_branch": self.south}),
		):
			answer = self.ask(**given)
			self.assertEqual((answer.status, answer.code), (417, code), answer.text)
		self.assertEqual(self.state(), before)

	def test_many_are_left_to_a_worker_whose_results_only_the_asker_reads(self) -> None:
		self.replace("khalifa_whatsapp.api.bulk.AT_ONCE", 2)
		tickets = self.waiting(3)
		answer = self.ask(tickets=tickets, to_branch=self.south)
		run = answer.message["run"]
		self.assertEqual((answer.message["status"], answer.message["total"]), ("Running", 3))
		self.assertFalse(any(self.ticket(name).is_branch_only for name in tickets))
		method, given = next(one for one in self.enqueued if "reassign" in one[0])
		self.assertEqual(method, "khalifa_whatsapp.jobs.reassign.run")
		given.pop("queue")
		reassign.run(**given)
		state = self.as_(HUDA).read(STATUS, run=run).message
		self.assertEqual((state["status"], state["done"], len(state["results"])), ("Done", 3, 3))
		self.assertNotIn("user", state)
		self.assertTrue(all(self.ticket(name).branch == self.south for name in tickets))
		self.assertEqual(reassign.state_of(run)["user"], HUDA)
		frappe.cache.set_value(f"khalifa_reassign:{run}", {**reassign.state_of(run), "user": MONA})
		self.assertEqual(self.as_(HUDA).read(STATUS, run=run).status, 404)

	def test_a_worker_asks_again_whether_the_user_is_a_manager(self) -> None:
		ticket = self.ticket_of(self.mona)
		reassign.run("gone", ALI, [ticket], "r", None, self.south)
		state = reassign.state_of("gone")
		self.assertFalse(state["results"][0]["is_done"])
		self.assertEqual(self.ticket(ticket).agent, self.mona)

	def test_without_redis_a_few_are_handed_on_and_many_are_refused(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.replace("khalifa_whatsapp.api.bulk.AT_ONCE", 0)
		caller = self.as_(HUDA)
		with nobody_answers(cache=False):
			self.replace("frappe.enqueue", frappe.utils.background_jobs.enqueue)
			answer = caller.call(REASSIGN, tickets=[ticket], reason="r", to_branch=self.south)
		self.assertEqual((answer.status, answer.code), (417, "no_workers"), answer.text)
		self.assertEqual(self.ticket(ticket).agent, self.mona)


class TestForms(DeskCase):
	def ask(self, user: str, form: str, **arguments: Any) -> Answer:
		return self.as_(user).read(FORMS + form, **arguments)

	def test_a_tickets_history_is_sentences_with_names(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.reply(HUDA, ticket)
		self.online(self.ali)
		self.done(MONA, "transfer", ticket=ticket, reason="is in the South", to_agent=self.ali)
		self.done(HUDA, "close", ticket=ticket)
		answer = self.ask(ALI, "ticket_form", ticket=ticket)
		self.assertNotIn(HOST, answer.text)
		said = " | ".join(line["text"] for line in answer.message["history"])
		said = said.replace("\u2068", "").replace("\u2069", "")
		for part in (
			"The customer wrote and the conversation began.",
			"Given to Mona Adel automatically",
			"Huda answered on behalf of Mona Adel.",
			"Mona Adel transferred the conversation to Ali Hassan: is in the South",
			"Huda closed the conversation: Resolved",
		):
			self.assertIn(part, said)
		self.assertEqual(
			answer.message["can"], {"transfer": False, "close": False, "reopen": True, "take": ""}
		)

	def test_delays_stand_in_the_history_and_colour_the_list(self) -> None:
		ticket = self.ticket_of(self.mona)
		delays.scan(on_site(), now_ms() + 16 * MINUTE)
		# not late yet, whoever looked
		self.assertEqual(self.ask(MONA, "waiting_states", tickets=f'["{ticket}"]').message, {})
		frappe.db.set_value("Khalifa Ticket", ticket, "due_by_ms", now_ms() - 1)
		frappe.db.commit()
		self.assertEqual(
			self.ask(MONA, "waiting_states", tickets=f'["{ticket}"]').message, {ticket: "Delayed"}
		)
		self.assertEqual(self.ask(ALI, "waiting_states", tickets=f'["{ticket}"]').message, {})
		lines = self.ask(MONA, "ticket_form", ticket=ticket).message["history"]
		self.assertTrue(any("took longer than allowed" in line["text"] for line in lines))

	def test_a_foreign_ticket_or_customer_has_no_form(self) -> None:
		ticket = self.ticket_of(self.mona)
		customer = self.ticket(ticket).customer
		self.assertEqual(self.ask(ALI, "ticket_form", ticket=ticket).status, 403)
		self.assertEqual(self.ask(ALI, "customer_form", customer=customer).status, 403)
		self.assertEqual(self.ask(MONA, "customer_form", customer=customer).message["identities"], [])
		seen = self.ask(HUDA, "customer_form", customer=customer).message
		self.assertEqual(
			([row["name"] for row in seen["tickets"]], seen["identities"][0]["kind"]), ([ticket], "phone")
		)

	def test_a_customers_other_tickets_are_shown_only_to_who_may_see_them(self) -> None:
		first = self.ticket_of(self.mona)
		self.done(MONA, "close", ticket=first)
		customer = self.ticket(first).customer
		frappe.db.set_value("Khalifa Customer", customer, "last_agent", self.ali)
		frappe.db.commit()
		self.assertEqual(self.ask(ALI, "customer_form", customer=customer).message["tickets"], [])

	def test_loads_are_for_managers_and_match_what_agents_hold(self) -> None:
		self.ticket_of(self.mona)
		self.assertEqual(self.ask(MONA, "agent_loads").status, 403)
		rows = {row["agent"]: row for row in self.ask(HUDA, "agent_loads").message}
		self.assertEqual((rows[self.mona]["open"], rows[self.mona]["load"]), (1, 1.0))
		self.assertEqual((rows[self.ali]["open"], rows[self.ali]["presence"]), (0, records.OFFLINE))

	def test_a_run_of_close_all_shows_what_was_left_alone_first(self) -> None:
		kept, shut = self.write("+201001230001"), self.write("+201001230002")
		batch = self.done(HUDA, "close_all_start", reason="end of day")["name"]
		self.write("+201001230001", "one more thing")
		self.run_close_all(batch)
		items = self.as_(HUDA).read(f"{FORMS}batch_items", batch=batch).message
		self.assertEqual(
			[(row["ticket"], row["result"]) for row in items["rows"]], [(kept, "Skipped"), (shut, "Closed")]
		)
		self.assertEqual(items["rows"][0]["why"], "changed meanwhile")
		self.assertEqual(self.as_(MONA).read(f"{FORMS}batch_items", batch=batch).status, 403)

	def run_close_all(self, batch: str) -> None:
		from khalifa_whatsapp.jobs import close_all

		close_all.run(batch)
