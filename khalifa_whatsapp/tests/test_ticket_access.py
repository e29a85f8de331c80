"""Who may see and do what with a conversation: lists, single records,
pages and methods all say `core.ticket_access`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import frappe
from frappe.tests.utils import FrappeTestCase

from khalifa_whatsapp.api import cards, desk, inbox, inbox_rows, typing_status
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records, ticket_access
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.doctypes import Rows, with_rows
from khalifa_whatsapp.guards import AGENT_ROLE, current_actor
from khalifa_whatsapp.permissions import is_row_visible
from khalifa_whatsapp.stores.base import Changes
from khalifa_whatsapp.tests.case import ALI, HUDA, MONA
from khalifa_whatsapp.tests.desk import DeskCase
from khalifa_whatsapp.tests.endpoints import signed_in
from khalifa_whatsapp.tests.records import (
	NOW_MS,
	make_agent,
	make_branch,
	make_device,
	make_manager,
	make_message,
	make_user,
)

INBOX = "khalifa_whatsapp.api.inbox."
API = "khalifa_whatsapp.api."
STATES = (records.QUEUED, records.OPEN, records.PENDING, records.CLOSED)


def login(name: str) -> str:
	return f"kw-access-{name}@example.com"


# Who asks. Each of AGENTS has a record with this branch.
AGENTS = {
	"mona": "East",
	"neighbour": "East",
	"ali": "West",
	"rover": None,
	"disabled": "East",
	"unroled": "East",
	"boss": "West",
}
OTHERS = ("manager", "system", "recordless", "stranger")
HOLDERS = ("mona", "ali", "disabled")


def conversation(ticket: records.Ticket) -> list[Any]:
	"""The ticket with a row of everything that belongs to it."""
	name, customer, turn = ticket.name, ticket.customer, f"T-{ticket.name}"
	return [
		records.Customer(customer, customer_name=ticket.customer_name, created_ms=NOW_MS),
		ticket,
		records.TicketEvent(f"E-{name}", name, "created", NOW_MS),
		make_message(name, "words"),
		records.Turn(turn, name, customer, ticket.device, None, 1, NOW_MS, NOW_MS),
		records.Segment(f"S-{name}", turn, name, ticket.agent, None, NOW_MS),
		records.DelayEvent(f"D-{name}", name.ljust(64, "x"), "Agent", name, turn, NOW_MS, agent=ticket.agent),
		records.Satisfaction(f"V-{name}", f"V-{name}".ljust(64, "x"), name, customer, ticket.device, 1),
	]


class TestListsSayTheRule(FrappeTestCase):
	"""Every combination of state, holder, branch and mark,
	those that no use case makes as well; for everybody.
	"""

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.branches = {name: make_branch(f"Access {name}") for name in ("East", "West")}
		cls.agents = {
			name: make_agent(login(name), name.title(), cls.branches.get(b or ""))
			for name, b in AGENTS.items()
		}
		frappe.db.set_value("Khalifa Agent", cls.agents["disabled"], "enabled", 0)
		frappe.db.set_value("Khalifa Agent", list(cls.agents.values())[:4], "presence", "Online")
		frappe.get_doc("User", login("unroled")).remove_roles(AGENT_ROLE)
		for name in ("boss", "manager"):
			make_manager(login(name))
		make_user(login("system"), "System", "System Manager")
		make_user(login("recordless"), "Recordless", AGENT_ROLE)
		make_user(login("stranger"), "Stranger", "Blogger")
		make_device()
		cls.tickets = {ticket.name: ticket for ticket in cls.make_tickets()}
		rows = [row for ticket in cls.tickets.values() for row in conversation(ticket)]
		on_site().save(
			Changes(created={kind: [row for row in rows if type(row) is kind] for kind in map(type, rows)})
		)

	@classmethod
	def make_tickets(cls) -> Iterator[records.Ticket]:
		holders = [None, *(cls.agents[name] for name in HOLDERS)]
		branches = [None, "", *cls.branches.values()]
		for number, (status, agent, branch, mark) in enumerate(
			itertools.product(STATES, holders, branches, (0, 1))
		):
			name = f"KT-85{number:04}"
			key = None if status == records.CLOSED else name.ljust(64, "x")
			yield records.Ticket(
				name,
				f"C-{name}",
				"Test Device",
				status,
				key,
				f"Customer {name}",
				branch,
				mark,
				agent,
				opened_ms=NOW_MS,
			)

	def people(self) -> Iterator[tuple[str, Actor, set[str]]]:
		"""Signed in one after the other: the name, who that is, and which tickets the rule shows."""
		for name in (*AGENTS, *OTHERS):
			with signed_in(login(name)):
				who = current_actor()
				yield name, who, {t.name for t in self.tickets.values() if ticket_access.can_see(who, t)}

	def listed(self, doctype: str, **given: Any) -> set[str]:
		try:
			return set(frappe.get_list(doctype, limit=0, **given))
		except frappe.PermissionError:
			return set()

	def test_people_are_who_they_are_meant_to_be(self) -> None:
		people = {
			name: (who.is_agent, who.is_manager, who.branch, len(seen)) for name, who, seen in self.people()
		}
		east, west = self.branches["East"], self.branches["West"]
		own, count = len(self.tickets) // 4, len(self.tickets)
		self.assertEqual(count, 128)
		# of each holder's queued ones: those without the mark, and the marked one of the own branch
		queue = 4 + 1
		self.assertEqual(
			people,
			{
				"mona": (True, False, east, own + 3 * queue),
				"neighbour": (True, False, east, 4 * queue),
				"ali": (True, False, west, own + 3 * queue),
				"rover": (True, False, None, 4 * 4),
				"disabled": (False, False, None, 0),
				"unroled": (False, False, None, 0),
				"recordless": (False, False, None, 0),
				"stranger": (False, False, None, 0),
				"boss": (True, True, west, count),
				"manager": (False, True, None, count),
				"system": (False, True, None, count),
			},
		)

	def test_the_list_holds_what_may_be_seen_and_nothing_else(self) -> None:
		for name, _who, seen in self.people():
			self.assertEqual(self.listed("Khalifa Ticket", pluck="name") & set(self.tickets), seen, name)

	def test_what_belongs_to_a_ticket_is_listed_with_it(self) -> None:
		for name, _who, seen in self.people():
			for doctype in with_rows(Rows.OF_VISIBLE_TICKETS):
				tickets = self.listed(doctype, filters={"ticket": ("in", list(self.tickets))}, pluck="ticket")
				self.assertEqual(tickets, seen, (name, doctype))
			customers = self.listed("Khalifa Customer", pluck="name") & {
				f"C-{ticket}" for ticket in self.tickets
			}
			self.assertEqual(customers, {f"C-{ticket}" for ticket in seen}, name)

	def test_each_record_by_itself_says_the_same(self) -> None:
		for name, who, seen in self.people():
			for ticket in list(self.tickets)[:: 7 if who.is_manager else 1]:
				for doctype, row in (("Khalifa Ticket", ticket), ("Khalifa Message", f"M-{ticket}")):
					may_read = bool(frappe.has_permission(doctype, "read", doc=row))
					self.assertEqual(may_read, ticket in seen, (name, row))
				self.assertEqual(is_row_visible("Khalifa Ticket", ticket), ticket in seen, (name, ticket))
				if who.is_agent or who.is_manager:
					self.assertEqual(self.opens(ticket), ticket in seen, (name, ticket))

	def opens(self, ticket: str) -> bool:
		"""Whether the inbox page shows it; with the rights that the rule gives."""
		try:
			row = inbox._visible(ticket)
		except frappe.PermissionError:
			return False
		shown = inbox.inbox_thread.head(current_actor(), row)["rights"]
		self.assertEqual(shown, asdict(ticket_access.rights(current_actor(), self.tickets[ticket])))
		return True

	def test_the_inbox_its_search_its_counts_and_the_cards_hold_the_same(self) -> None:
		names, now = list(self.tickets), now_ms()
		for name, who, seen in self.people():
			if not (who.is_agent or who.is_manager):
				continue
			asked = inbox_rows.ListQuery("mine", "", "", 1_000)
			self.assertEqual(
				{row["ticket"] for row in inbox_rows.by_name(who, names, asked, now)}, seen, name
			)
			hits = inbox_rows.page(who, inbox_rows.ListQuery("mine", "Customer KT-85", "", 1_000), now)[0]
			self.assertEqual({row["ticket"] for row in hits} & set(names), seen, name)
			queue = {
				row["ticket"]
				for row in inbox_rows.page(who, inbox_rows.ListQuery("queue", "", "", 1_000), now)[0]
			}
			queued = {ticket for ticket in seen if self.tickets[ticket].status == records.QUEUED}
			self.assertEqual(queue & set(names), queued, name)
			others = frappe.db.count("Khalifa Ticket", {"name": ("not in", names)})
			if not others:
				self.assertEqual(inbox_rows.counts(who)["queue"], len(queued), name)
				is_open = [ticket for ticket in seen if self.tickets[ticket].status != records.CLOSED]
				self.assertEqual(cards.open_tickets()["value"], len(is_open), name)

	def test_desk_s_form_offers_what_the_rule_gives(self) -> None:
		for _name, who, seen in self.people():
			for ticket in sorted(seen)[::3]:
				may = ticket_access.rights(who, self.tickets[ticket])
				can = desk.ticket_form(ticket)["can"]
				taken = who.agent if may.take else ""
				self.assertEqual(
					can,
					{"transfer": may.transfer, "close": may.close, "reopen": may.reopen, "take": taken},
					ticket,
				)
				can = desk.message_form(f"M-{ticket}")["can"]
				self.assertEqual(can, {"send_again": may.reply, "settle": may.settle}, ticket)

	def test_nobody_is_notified_who_writes_in_what_he_does_not_see(self) -> None:
		notified: dict[str, set[str]] = {
			name: typing_status._readers(ticket) for name, ticket in self.tickets.items()
		}
		for name, who, seen in self.people():
			user = login(name)
			received = {ticket for ticket, users in notified.items() if user in users}
			self.assertLessEqual(received, seen, name)
			own = {ticket for ticket in seen if ticket_access.holds(who, self.tickets[ticket])}
			free = {
				ticket
				for ticket in seen
				if self.tickets[ticket].status == records.QUEUED and not self.tickets[ticket].agent
			}
			if name in ("mona", "neighbour", "ali", "rover"):  # they are online
				self.assertEqual(received, own | free, name)


class TestWhatThePageAllowsIsDone(DeskCase):
	def queue_of_south(self) -> str:
		ticket = self.write()
		self.done(HUDA, "transfer", ticket=ticket, to_branch=self.south, reason="their stock")
		record = self.ticket(ticket)
		self.assertEqual((record.agent, record.branch, record.is_branch_only), (None, self.south, 1))
		return ticket

	def rights(self, user: str, ticket: str) -> dict[str, Any]:
		answer = self.as_(user).send("GET", f"/api/method/{INBOX}thread", query_string={"ticket": ticket})
		self.assertEqual(answer.status, 200, answer.text)
		return answer.message["ticket"]["rights"]

	def test_an_agent_notes_on_what_waits_for_his_branch_and_another_branch_learns_nothing_of_it(
		self,
	) -> None:
		ticket = self.queue_of_south()
		self.assertTrue(self.rights(ALI, ticket)["note"])
		self.done(ALI, "note", ticket=ticket, body="asked the pharmacist")
		self.done(ALI, "mark_read", ticket=ticket)
		self.assertEqual(self.only(records.Message, origin=records.NOTE).sender_name, "Ali Hassan")
		for verb, more in (
			("note", {"body": "x"}),
			("mark_read", {}),
			("reply", {"body": "x", "client_key": "k"}),
			("close", {}),
			("transfer", {"reason": "r", "to_agent": self.mona}),
			("reopen", {}),
			("assign", {"agent": self.mona}),
			("assign", {"agent": self.ali}),
			("no_reply_needed", {}),
		):
			self.refused(404, "no_such_ticket", MONA, verb, ticket=ticket, **more)

	def test_what_waits_for_nobody_is_taken_by_nobody_who_does_not_see_it(self) -> None:
		ticket = self.write()
		frappe.db.set_value("Khalifa Ticket", ticket, "status", records.PENDING)
		frappe.db.set_value("Khalifa Agent", self.ali, "presence", "Away")
		frappe.db.commit()
		answer = self.as_(ALI).send("GET", f"/api/method/{INBOX}thread", query_string={"ticket": ticket})
		self.assertEqual(answer.status, 403)
		self.refused(404, "no_such_ticket", ALI, "assign", ticket=ticket, agent=self.ali)

	def test_a_closed_conversation_of_a_colleague_is_refused_as_none(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.done(MONA, "close", ticket=ticket)
		for verb, more in (
			("reply", {"body": "x", "client_key": "k"}),
			("close", {}),
			("assign", {"agent": self.ali}),
		):
			self.refused(404, "no_such_ticket", ALI, verb, ticket=ticket, **more)

	def test_what_becomes_of_a_message_is_offered_to_those_who_may_decide_it(self) -> None:
		ticket = self.ticket_of(self.mona)
		message = self.reply(MONA, ticket).message["message"]
		self.done(MONA, "transfer", ticket=ticket, to_branch=self.south, reason="r")
		form = f"{API}desk.message_form"
		for user, may in ((ALI, False), (HUDA, True)):
			self.assertEqual(self.rights(user, ticket)["settle"], may)
			answer = self.as_(user).send("GET", f"/api/method/{form}", query_string={"message": message})
			self.assertEqual(answer.message, {"can": {"send_again": may, "settle": may}})
		self.refused(403, "not_assigned", ALI, "discard_message", message=message)
		answer = self.as_(MONA).send("GET", f"/api/method/{form}", query_string={"message": message})
		self.assertEqual(answer.status, 403)
		self.done(HUDA, "discard_message", message=message)

	def test_a_file_is_brought_by_whoever_may_answer(self) -> None:
		ticket = self.queue_of_south()
		files = frappe.db.count("File")
		answer = self.as_(ALI).call(f"{API}media.upload", ticket=ticket)
		self.assertEqual((answer.status, answer.code), (403, "not_assigned"), answer.text)
		self.assertEqual(self.as_(MONA).call(f"{API}media.upload", ticket=ticket).status, 403)
		self.assertEqual(self.as_(HUDA).call(f"{API}media.upload", ticket=ticket).code, "no_file")
		self.assertEqual(frappe.db.count("File"), files)

	def test_a_ticket_that_is_free_is_taken_from_the_form_as_from_the_inbox(self) -> None:
		ticket = self.write()
		for user, agent in ((MONA, self.mona), (HUDA, "")):
			self.assertTrue(self.rights(user, ticket)["assign"])
			answer = self.as_(user).send(
				"GET", f"/api/method/{API}desk.ticket_form", query_string={"ticket": ticket}
			)
			self.assertEqual(answer.message["can"]["take"], agent)
		self.assertFalse(self.rights(MONA, ticket)["reply"])
