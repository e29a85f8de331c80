"""A login is nobody's business but a manager's: agents read colleagues' names, by whatever road they come."""

from __future__ import annotations

import json
from typing import Any

import frappe

from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.tests.case import ALI, HOST, HUDA, MONA
from khalifa_whatsapp.tests.desk import DeskCase
from khalifa_whatsapp.tests.web import Answer

LOGINS = {
	"Khalifa Ticket": ("closed_by",), "Khalifa Ticket Event": ("actor",), "Khalifa Message": ("sender",),
	"Khalifa Turn": ("answered_by_user",),
}  # fmt: skip
STANDARD = ("owner", "modified_by")
LIST = "frappe.client.get_list"


class TestLogins(DeskCase):
	def setUp(self) -> None:
		"""Mona answers and hands on, Huda closes and opens again: Ali now holds rows that speak of both."""
		super().setUp()
		self.ticket_name = self.ticket_of(self.mona)
		self.reply(MONA, self.ticket_name)
		self.online(self.ali)
		self.done(MONA, "transfer", ticket=self.ticket_name, reason="is in the South", to_agent=self.ali)
		self.done(HUDA, "close", ticket=self.ticket_name)
		self.assertEqual(self.ticket(self.ticket_name).agent, self.ali)

	def ask(self, user: str, method: str, **arguments: Any) -> Answer:
		return self.as_(user).call(method, **arguments)

	def names(self, doctype: str) -> list[str]:
		frappe.db.rollback()
		return frappe.get_all(doctype, pluck="name")

	def answers(self, user: str, doctype: str, columns: tuple[str, ...]) -> list[Answer]:
		"""What the roads to the rows of a DocType give this user."""
		table = f"`tab{doctype}`."
		found = [
			self.ask(user, LIST, doctype=doctype, fields=["*"]),
			self.ask(user, LIST, doctype=doctype, fields=["name", *columns]),
			self.ask(user, LIST, doctype=doctype, fields=[f"{column} as shown" for column in columns]),
			self.ask(user, LIST, doctype=doctype, fields=[f"max({column}) as shown" for column in columns]),
			self.ask(user, "frappe.desk.reportview.get", doctype=doctype, fields=["*"]),
			self.ask(user, "frappe.desk.reportview.get_list", doctype=doctype, fields=["*"]),
			self.ask(
				user, "frappe.desk.reportview.get", doctype=doctype, fields=[table + column for column in ("name", *columns)]
			),
			self.as_(user).send("GET", f"/api/resource/{doctype}", query_string={"fields": json.dumps(["*"])}),
		]  # fmt: skip
		for name in self.names(doctype):
			found += [
				self.ask(user, "frappe.client.get", doctype=doctype, name=name),
				self.ask(user, "frappe.desk.form.load.getdoc", doctype=doctype, name=name),
				self.ask(
					user, "frappe.client.get_value", doctype=doctype, fieldname=list(columns), filters={"name": name}
				),
				self.as_(user).send("GET", f"/api/resource/{doctype}/{name}"),
			]  # fmt: skip
		return found

	def test_no_road_shows_an_agent_a_colleagues_login(self) -> None:
		for doctype, columns in LOGINS.items():
			answers = self.answers(ALI, doctype, (*columns, *STANDARD))
			self.assertTrue(any(answer.status == 200 for answer in answers), doctype)
			for answer in answers:
				self.assertNotIn(f"m0na@{HOST}", answer.text, doctype)
				self.assertNotIn(f"hud4@{HOST}", answer.text, doctype)

	def test_no_link_leads_to_a_login(self) -> None:
		for doctype, path in (("Khalifa Turn", "answer.sender"), ("Khalifa Message", "ticket.closed_by")):
			for method in (LIST, "frappe.desk.reportview.get"):
				answer = self.ask(ALI, method, doctype=doctype, fields=["name", f"{path} as shown"])
				self.assertEqual(answer.status, 200, answer.text)
				self.assertNotIn("@", answer.text, path)

	def test_the_rows_do_hold_the_logins_and_managers_read_them(self) -> None:
		for doctype, columns in LOGINS.items():
			said = "".join(answer.text for answer in self.answers(HUDA, doctype, columns))
			self.assertIn(HOST, said, doctype)

	def test_agents_still_read_the_names(self) -> None:
		answer = self.ask(ALI, LIST, doctype="Khalifa Message", fields=["*"], filters={"origin": r.AGENT})
		self.assertEqual([row["sender_name"] for row in answer.message], ["Mona Adel"])
		answer = self.ask(ALI, LIST, doctype="Khalifa Ticket Event", fields=["*"], filters={"event": "closed"})
		self.assertEqual([row["actor_name"] for row in answer.message], ["Huda"])

	def test_rows_belong_to_nobody_who_can_be_named(self) -> None:
		for doctype in LOGINS:
			owners = frappe.get_all(doctype, fields=["owner", "modified_by"], as_list=True)
			self.assertEqual(set(owners), {("Administrator", "Administrator")}, doctype)

	def test_the_use_cases_still_know_who_wrote(self) -> None:
		self.assertEqual(self.only(r.Message, origin=r.AGENT).sender, MONA)
		self.assertEqual(self.ticket(self.ticket_name).closed_by, HUDA)


class TestGuesses(DeskCase):
	"""A refusal must not say whether the guess was right."""

	def test_a_guess_about_a_colleagues_words_is_never_answered(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.assertEqual(self.only(r.Message, ticket=ticket).body, "hello")
		for doctype, field, right in (("Khalifa Message", "body", "hel%"), ("Khalifa Agent", "user", "m0na%")):
			for road in (
				lambda guess, doctype=doctype: self.as_(ALI).call("frappe.client.get", doctype=doctype, filters=guess),
				lambda guess, doctype=doctype: self.as_(ALI).call_json("frappe.client.get", doctype=doctype, name=guess),
			):
				answers = [road({field: ["like", pattern]}) for pattern in (right, "no such words%")]
				told = {(answer.status, answer.code, answer.said) for answer in answers}
				self.assertEqual(len(told), 1, told)
				self.assertEqual(answers[0].status, 403)

	def test_one_may_still_pick_ones_own_rows_by_a_filter(self) -> None:
		ticket = self.ticket_of(self.mona)
		given = {"doctype": "Khalifa Message", "filters": {"body": ["like", "hel%"]}}
		for user in (MONA, HUDA):
			answer = self.as_(user).call("frappe.client.get", **given)
			self.assertEqual((answer.status, answer.message["ticket"]), (200, ticket))
		answer = self.as_(HUDA).call("frappe.client.get", doctype="Khalifa Settings")
		self.assertEqual(answer.status, 200)
