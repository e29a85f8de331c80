"""A login is nobody's business but a manager's: agents read colleagues' names, by whatever way they come."""

from __future__ import annotations

import json
from typing import Any

import frappe

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.doctypes import BY_NAME
from khalifa_whatsapp.tests.case import ALI, HOST, HUDA, MONA
from khalifa_whatsapp.tests.desk import DeskCase
from khalifa_whatsapp.tests.endpoints import signed_in
from khalifa_whatsapp.tests.web import Answer

WRITTEN = ("Khalifa Ticket", "Khalifa Ticket Event", "Khalifa Message", "Khalifa Turn")
LOGINS = {doctype: BY_NAME[doctype].hidden for doctype in WRITTEN}
STANDARD = ("owner", "modified_by")
HANGING = {"Comment": "reference_doctype", "File": "attached_to_doctype", "Tag Link": "document_type"}
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
		"""What the ways to the rows of a DocType give this user."""
		table = f"`tab{doctype}`."
		answers = [
			self.ask(user, LIST, doctype=doctype, fields=["*"]),
			self.ask(user, LIST, doctype=doctype, fields=["name", *columns]),
			self.ask(user, LIST, doctype=doctype, fields=[f"{column} as shown" for column in columns]),
			self.ask(user, LIST, doctype=doctype, fields=[f"max({column}) as shown" for column in columns]),
			self.ask(user, "frappe.desk.reportview.get", doctype=doctype, fields=["*"]),
			self.ask(user, "frappe.desk.reportview.get_list", doctype=doctype, fields=["*"]),
			self.ask(
				user,
				"frappe.desk.reportview.get",
				doctype=doctype,
				fields=[table + column for column in ("name", *columns)],
			),
			self.as_(user).send(
				"GET", f"/api/resource/{doctype}", query_string={"fields": json.dumps(["*"])}
			),
		]
		for name in self.names(doctype):
			answers += [
				self.ask(user, "frappe.client.get", doctype=doctype, name=name),
				self.ask(user, "frappe.desk.form.load.getdoc", doctype=doctype, name=name),
				self.ask(
					user,
					"frappe.client.get_value",
					doctype=doctype,
					fieldname=list(columns),
					filters={"name": name},
				),
				self.as_(user).send("GET", f"/api/resource/{doctype}/{name}"),
			]
		return answers

	def test_no_route_shows_an_agent_a_colleagues_login(self) -> None:
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
		answer = self.ask(
			ALI, LIST, doctype="Khalifa Message", fields=["*"], filters={"origin": records.AGENT}
		)
		self.assertEqual([row["sender_name"] for row in answer.message], ["Mona Adel"])
		answer = self.ask(
			ALI, LIST, doctype="Khalifa Ticket Event", fields=["*"], filters={"event": "closed"}
		)
		self.assertEqual([row["actor_name"] for row in answer.message], ["Huda"])

	def test_rows_belong_to_nobody_who_can_be_named(self) -> None:
		for doctype in LOGINS:
			owners = frappe.get_all(doctype, fields=["owner", "modified_by"], as_list=True)
			self.assertEqual(set(owners), {("Administrator", "Administrator")}, doctype)

	def test_the_use_cases_still_know_who_wrote(self) -> None:
		self.assertEqual(self.only(records.Message, origin=records.AGENT).sender, MONA)
		self.assertEqual(self.ticket(self.ticket_name).closed_by, HUDA)


class TestForms(DeskCase):
	"""What Frappe hangs on a row is signed with logins. An agent who opens the form reads names."""

	def setUp(self) -> None:
		"""Mona and Huda leave their traces on a conversation, and Ali holds it."""
		super().setUp()
		self.name = self.ticket_of(self.mona)
		about = {"doctype": "Khalifa Ticket", "name": self.name}
		for user in (MONA, HUDA):
			who = self.as_(user)
			who.call("frappe.desk.like.toggle_like", add="Yes", **about)
			who.call("frappe.desk.doctype.tag.tag.add_tag", tag="late", dt="Khalifa Ticket", dn=self.name)
			comment = {
				"content": f"by <b>{user}</b>\n{user.upper()}",
				"comment_email": user,
				"comment_by": "x",
			}
			comment |= {"reference_doctype": "Khalifa Ticket", "reference_name": self.name}
			answer = who.call("frappe.desk.form.utils.add_comment", **comment)
			self.assertEqual(answer.status, 200, answer.text)
			with signed_in(user):
				self.attach(f"of {user}")
		self.online(self.ali)
		self.done(MONA, "transfer", ticket=self.name, reason="is in the South", to_agent=self.ali)
		for column in ("owner", "modified_by"):
			frappe.db.set_value("Khalifa Ticket", self.name, column, HUDA, update_modified=False)
		frappe.db.commit()

	def attach(self, content: str) -> None:
		frappe.db.rollback()
		file = {"doctype": "File", "file_name": "note.txt", "content": content, "is_private": 1}
		at = {"attached_to_doctype": "Khalifa Ticket", "attached_to_name": self.name}
		frappe.get_doc({**file, **at}).insert(ignore_permissions=True)
		frappe.db.commit()

	def tearDown(self) -> None:
		for doctype, field in HANGING.items():
			frappe.db.delete(doctype, {field: "Khalifa Ticket"})
		frappe.db.commit()
		super().tearDown()

	def answers(self, user: str) -> dict[str, Answer]:
		who, row = self.as_(user), {"doctype": "Khalifa Ticket", "name": self.name}
		of_files = {"doctype": "File", "filters": {"attached_to_name": self.name}, "fields": ["*"]}
		return {
			"form": who.call("frappe.desk.form.load.getdoc", **row),
			"docinfo": who.call("frappe.desk.form.load.get_docinfo", **row),
			"rest": who.send("GET", f"/api/resource/Khalifa Ticket/{self.name}"),
			"rest v2": who.send("GET", f"/api/v2/document/Khalifa Ticket/{self.name}"),
			"client.get": who.call("frappe.client.get", **row),
			"list": who.call("frappe.desk.reportview.get", doctype="Khalifa Ticket", fields=["*"]),
			"files": who.call(LIST, **of_files),
			"files by REST": who.send("GET", "/api/resource/File", query_string={"fields": '["owner"]'}),
		}

	def test_no_login_of_a_colleague_is_in_it(self) -> None:
		for route, answer in self.answers(ALI).items():
			self.assertEqual(answer.status, 200, (route, answer.text))
			for login in (MONA, HUDA):
				self.assertNotIn(login, answer.text.casefold(), route)

	def test_names_stand_in_their_place(self) -> None:
		docinfo = self.answers(ALI)["form"].json["docinfo"]
		self.assertEqual({comment["owner"] for comment in docinfo["comments"]}, {"Mona Adel", "Huda"})
		self.assertEqual({log["owner"] for log in docinfo["like_logs"]}, {"Mona Adel", "Huda"})
		self.assertEqual(docinfo["user_info"]["Mona Adel"]["name"], "Mona Adel")
		self.assertEqual(
			json.loads(self.answers(ALI)["client.get"].message["_liked_by"]), ["Mona Adel", "Huda"]
		)

	def test_the_audit_keeps_logins_and_managers_read_them(self) -> None:
		for route, answer in self.answers(HUDA).items():
			self.assertIn(HUDA, answer.text, route)
		comments = {"reference_name": self.name, "comment_type": "Comment"}
		self.assertEqual(set(frappe.get_all("Comment", comments, pluck="owner")), {MONA, HUDA})

	def test_one_keeps_ones_own_login(self) -> None:
		"""Desk goes by it: one's own comments can be edited."""
		who = self.as_(ALI)
		who.call("frappe.desk.like.toggle_like", doctype="Khalifa Ticket", name=self.name, add="Yes")
		self.assertIn(ALI, self.answers(ALI)["form"].text)

	def test_a_name_in_a_row_that_comes_back_is_not_stored(self) -> None:
		"""The browser sends the whole row back. The owner is who it was."""
		row = {"doctype": "Khalifa Reply Template", "title": "hours", "shortcut": "hours", "body": "9 to 5"}
		made = self.as_(HUDA).call("frappe.client.insert", doc={**row, "agent": self.ali})
		self.assertEqual(made.status, 200, made.text)
		self.addCleanup(frappe.db.delete, "Khalifa Reply Template", {"name": made.message["name"]})
		asked = {"doctype": row["doctype"], "name": made.message["name"]}
		opened = self.as_(ALI).call("frappe.desk.form.load.getdoc", **asked)
		doc = opened.json["docs"][0]
		self.assertEqual((doc["owner"], doc["modified_by"]), ("Huda", "Huda"))
		doc["body"] = "9 to 6"
		saved = self.as_(ALI).call("frappe.desk.form.save.savedocs", doc=doc, action="Save")
		self.assertEqual(saved.status, 200, saved.text)
		frappe.db.rollback()
		stored = frappe.db.get_value(row["doctype"], doc["name"], ["body", "owner", "modified_by"])
		self.assertEqual(stored, ("9 to 6", HUDA, ALI))


class TestGuesses(DeskCase):
	"""A refusal must not say whether the guess was right."""

	def test_a_guess_about_a_colleagues_words_is_never_answered(self) -> None:
		ticket = self.ticket_of(self.mona)
		self.assertEqual(self.only(records.Message, ticket=ticket).body, "hello")
		for doctype, field, right in (
			("Khalifa Message", "body", "hel%"),
			("Khalifa Agent", "user", "m0na%"),
		):
			for route in (
				lambda guess, doctype=doctype: self.as_(ALI).call(
					"frappe.client.get", doctype=doctype, filters=guess
				),
				lambda guess, doctype=doctype: self.as_(ALI).call_json(
					"frappe.client.get", doctype=doctype, name=guess
				),
			):
				answers = [route({field: ["like", pattern]}) for pattern in (right, "no such words%")]
				refusals = {(answer.status, answer.code, answer.said) for answer in answers}
				self.assertEqual(len(refusals), 1, refusals)
				self.assertEqual(answers[0].status, 403)

	def test_one_may_still_pick_ones_own_rows_by_a_filter(self) -> None:
		ticket = self.ticket_of(self.mona)
		given = {"doctype": "Khalifa Message", "filters": {"body": ["like", "hel%"]}}
		for user in (MONA, HUDA):
			answer = self.as_(user).call("frappe.client.get", **given)
			self.assertEqual((answer.status, answer.message["ticket"]), (200, ticket))
		answer = self.as_(HUDA).call("frappe.client.get", doctype="Khalifa Settings")
		self.assertEqual(answer.status, 200)
