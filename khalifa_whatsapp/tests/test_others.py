"""Whoever has nothing to do with WhatsApp meets Frappe as it is, to the byte; and so do agents in what is not
ours.

Each request is sent twice, once as if the app were not installed: without any of its hooks.
`tools/other_tests.py` compares two sites, with Frappe's own tests.
"""

from __future__ import annotations

import json
import re
import unittest
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest.mock import patch

import frappe
from frappe.database.database import Database
from frappe.utils import set_request
from frappe.utils.password import update_password
from werkzeug.wrappers import Response

from khalifa_whatsapp.access import attached_rows, closed_rows, logins, method_policy, overrides
from khalifa_whatsapp.access.attachable import ATTACHABLE
from khalifa_whatsapp.setup import install
from khalifa_whatsapp.tests.case import ALI, HUDA, MONA, PASSWORD, VISITOR, SiteCase
from khalifa_whatsapp.tests.endpoints import signed_in
from khalifa_whatsapp.tests.others_requests import (
	Send,
	call,
	for_everybody,
	for_files,
	for_those_signed_in,
	get,
)
from khalifa_whatsapp.tests.records import make_user
from khalifa_whatsapp.tests.web import Answer, Caller

CLERK, CHIEF = "clerk@other.example", "chief@other.example"
# What differs between two answers to the same request
CHANGING = re.compile(
	r"\b[a-z0-9]{10}\b|[0-9a-f]{8,}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?|csrf_token[^;]+;|[?&]v=\d+"
)


@contextmanager
def without_the_app() -> Iterator[None]:
	"""Frappe's hooks alone, as on another site that the same process serves.

	Classes of DocTypes are forgotten between.
	"""
	original = frappe.get_hooks

	def get_hooks(*given: Any, **named: Any) -> Any:
		return without_ours(original(*given, **named))

	with patch.object(frappe, "get_hooks", get_hooks):
		frappe.controllers.clear()
		yield
	frappe.controllers.clear()


def without_ours(hooks: Any) -> Any:
	if isinstance(hooks, dict):
		return frappe._dict({key: without_ours(held) for key, held in hooks.items()})
	if isinstance(hooks, list):
		return [held for held in hooks if str(held).partition(".")[0] != "khalifa_whatsapp"]
	return hooks


@contextmanager
def counting() -> Iterator[list[str]]:
	"""The statements that all connections of this process execute meanwhile."""
	made: list[str] = []
	execute = Database.sql

	def sql(self: Database, query: Any, *given: Any, **named: Any) -> Any:
		made.append(str(query))
		return execute(self, query, *given, **named)

	with patch.object(Database, "sql", sql):
		yield made


def comparable(answer: Answer) -> tuple[int, str]:
	"""Status and body; a traceback names the files that it came through."""
	text = CHANGING.sub("", answer.raw.decode("utf-8", "replace"))
	if '"exc"' in text or '"exception"' in text:
		comparable = json.loads(text)
		for key in ("exc", "_exc_source"):
			comparable.pop(key, None)
		text = json.dumps(comparable)
	return answer.status, text


class OthersCase(SiteCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		make_user(CLERK, "Clerk", "Blogger", "Website Manager")
		make_user(CHIEF, "Chief", "Report Manager", "Dashboard Manager")
		for user in (CLERK, CHIEF):
			update_password(user, PASSWORD)
		frappe.db.commit()

	def tearDown(self) -> None:
		frappe.db.rollback()
		for doctype in ("Note", "ToDo"):
			frappe.db.delete(doctype)
		frappe.db.delete("File", {"file_name": ("like", "of-others%")})
		frappe.db.delete("Comment", {"reference_doctype": ("in", ("User", "File", "Note"))})
		frappe.db.delete("Comment", {"content": "of-others"})
		frappe.db.set_value("User", MONA, "_liked_by", None, update_modified=False)
		frappe.db.commit()
		super().tearDown()

	def caller(self, user: str) -> Caller:
		return Caller() if user == "Guest" else self.as_(user)

	def file_of(self, user: str, **more: Any) -> str:
		with signed_in(user):
			made = {
				"doctype": "File",
				"file_name": "of-others.txt",
				"content": f"of {user}",
				"is_private": 0,
				**more,
			}
			name = frappe.get_doc(made).insert(ignore_permissions=True).name
		frappe.db.commit()
		return name

	def compare(self, user: str, requests: Iterator[Send]) -> int:
		who, number = self.caller(user), 0
		for number, send in enumerate(requests, 1):
			with without_the_app():
				before = comparable(send(who))
			after = comparable(send(who))
			self.assertEqual(after, before, (user, number))
		return number


class TestTerms(OthersCase):
	def test_guests_and_visitors_meet_frappe_as_it_is(self) -> None:
		for user in ("Guest", VISITOR):
			self.assertGreater(self.compare(user, for_everybody()), 90)

	def test_others_who_are_signed_in_do_too(self) -> None:
		for user in (VISITOR, CLERK, CHIEF):
			self.assertGreater(self.compare(user, for_those_signed_in()), 100)

	def test_agents_do_in_what_is_not_ours(self) -> None:
		self.compare(ALI, for_everybody())
		self.compare(ALI, for_those_signed_in())

	def test_files_of_others_keep_their_uploader(self) -> None:
		for user in (CLERK, VISITOR, ALI):
			file = self.file_of(HUDA)
			self.compare(user, for_files(file))
			self.assertIn(HUDA, get(f"/api/resource/File/{file}")(self.caller(ALI)).text)

	def test_a_file_that_an_agent_opened_can_be_saved(self) -> None:
		"""The form sends the owner back, and Frappe refuses another one."""
		name = self.file_of(HUDA, attached_to_doctype="User", attached_to_name=ALI)
		doc = self.as_(ALI).call("frappe.desk.form.load.getdoc", doctype="File", name=name).json["docs"][0]
		self.assertEqual(doc["owner"], HUDA)
		saved = self.as_(ALI).call("frappe.desk.form.save.savedocs", doc=doc, action="Save")
		self.assertEqual(saved.status, 200, saved.text)
		self.assertEqual(saved.json["docs"][0]["owner"], HUDA)

	def test_what_does_name_ours_is_still_refused(self) -> None:
		"""Not even a count, and by whatever key."""
		states = "frappe.workflow.doctype.workflow.workflow.get_workflow_state_count"
		for user in (VISITOR, CLERK, CHIEF, ALI):
			for doctype in (
				"Khalifa Message",
				" khalifa message",
				"Khalifa\u200b Message",
				"Kh\u00e1lifa Message",
			):
				given = {"doctype": doctype, "workflow_state_field": "body", "states": []}
				for answer in (
					self.as_(user).call(states, **given),
					self.as_(user).call_json(states, **given),
				):
					self.assertEqual(answer.status, 403, (user, doctype, answer.text))
			for send in (
				get("/Khalifa Ticket"),
				get("/khalifa ticket/KT-000001"),
				get("/Khalifa Ticket/no-such-row"),
				get("/printview", doctype="Khalifa Ticket", name="KT-000001"),
				get("/list", doctype="Khalifa Ticket"),
			):
				self.assertEqual(send(self.caller(user)).status, 403, user)
		for user in (VISITOR, CLERK, CHIEF):
			for filters in ([], {"body": ["like", "%"]}, [["Khalifa Message", "body", "like", "%"]]):
				answer = self.as_(user).call(
					"frappe.client.get_count", doctype="Khalifa Message", filters=filters
				)
				self.assertIn(answer.status, (403, 417), (user, answer.text))

	def test_nobody_counts_what_hangs_on_ours(self) -> None:
		"""Frappe counts all rows for everybody, newer versions those that one may read.

		Ours are left out, the others stay.
		"""
		ticket = self.ticket_of(self.mona)
		for doctype, name in (("Khalifa Ticket", ticket), ("User", VISITOR)):
			comment = {
				"doctype": "Comment",
				"reference_doctype": doctype,
				"reference_name": name,
				"content": "of-others",
			}
			frappe.get_doc({**comment, "comment_type": "Info"}).insert(ignore_permissions=True)
			self.file_of(HUDA, attached_to_doctype=doctype, attached_to_name=name, is_private=1)
		frappe.db.commit()
		for user in (VISITOR, CHIEF):
			for doctype, filters in (
				("Comment", {"content": "of-others"}),
				("File", [["file_name", "like", "of-others%"]]),
			):
				counted = self.as_(user).call("frappe.client.get_count", doctype=doctype, filters=filters)
				with without_the_app():
					all_there_is = self.as_(user).call(
						"frappe.client.get_count", doctype=doctype, filters=filters
					)
				self.assertEqual(counted.status, all_there_is.status)
				self.assertEqual(
					counted.message,
					1 if all_there_is.message == 2 else all_there_is.message,
					(user, counted.text),
				)
				attached_rows = [
					[
						"attached_to_doctype" if doctype == "File" else "reference_doctype",
						"=",
						"Khalifa Ticket",
					]
				]
				counted = self.as_(user).call(
					"frappe.client.get_count", doctype=doctype, filters=attached_rows
				)
				self.assertNotIn(counted.message, (1, 2), (user, doctype, counted.text))

	def test_a_guest_learns_no_name_and_no_login(self) -> None:
		for path in (f"/api/method/{MONA}", f"/api/resource/{MONA}", f"/{MONA}", f"/api/v2/method/{MONA}"):
			for query in ({"x": "File"}, {"doctype": "File"}, {"doctype": "Khalifa Ticket"}):
				there = Caller().send("GET", path, query_string=query)
				none = Caller().send("GET", path.replace(MONA, "n0ne@desk.example"), query_string=query)
				self.assertNotIn("Mona", there.text, (path, query))
				self.assertEqual(
					comparable(there), (none.status, comparable(none)[1].replace("n0ne", "m0na"))
				)

	def test_an_agent_learns_no_name_from_a_guess_that_the_answer_repeats(self) -> None:
		for path in (
			"/api/resource/Khalifa Ticket/{}",
			"/api/v2/document/Khalifa Customer/{}",
			"/api/method/{}",
		):
			for query in ({}, {"doctype": "Khalifa Ticket"}, {"x": "File"}):
				there, none = (
					self.as_(ALI).send("GET", path.format(login), query_string=query)
					for login in (MONA, "n0ne@desk.example")
				)
				self.assertNotIn("Mona", there.text)
				self.assertEqual(
					comparable(there), (none.status, comparable(none)[1].replace("n0ne", "m0na"))
				)
		echo = {"doctype": "Khalifa Ticket", "fields": ["name", f"ifnull(nullif(name, name), '{MONA}') as x"]}
		self.assertNotEqual(self.as_(ALI).call("frappe.client.get_list", **echo).status, 200)


class TestTracebacks(OthersCase):
	"""Whether a site shows them is the site's business. Our own endpoints never do."""

	def setUp(self) -> None:
		super().setUp()
		before = frappe.db.get_single_value("System Settings", "allow_error_traceback")
		self.addCleanup(self.allow, before)
		self.allow(1)

	def allow(self, is_allowed: int) -> None:
		frappe.db.set_single_value("System Settings", "allow_error_traceback", is_allowed)
		frappe.db.commit()

	def test_our_own_endpoints_show_none_and_frappes_do(self) -> None:
		ours = "khalifa_whatsapp.api.conversation.reply"
		for path in (f"/api/method/{ours}", f"/api/v1/method/{ours}", f"/api/v2/method/{ours}"):
			answer = self.as_(MONA).send("POST", path, json={"ticket": {"a": 1}})
			self.assertNotEqual(answer.status, 200)
			self.assertNotIn("Traceback", answer.text, path)
		answer = self.as_(MONA).send("POST", "/", json={"cmd": ours, "ticket": {"a": 1}})
		self.assertNotIn("Traceback", answer.text)
		self.assertIn("Traceback", self.as_(MONA).call("frappe.client.get_value").text)

	def test_installing_leaves_the_setting_as_it_is(self) -> None:
		for is_allowed in (1, 0):
			self.allow(is_allowed)
			install.after_install()
			self.assertEqual(
				frappe.db.get_single_value("System Settings", "allow_error_traceback"), is_allowed
			)


class TestCosts(OthersCase):
	"""Numbers of queries, which are the same on every machine. `benchmarks/others.py` takes the time."""

	REQUESTS = (
		("GET", "/", {}),
		("GET", "/search", {"q": "Khalifa Ticket"}),
		("GET", "/api/method/ping", {}),
		(
			"POST",
			"/api/method/frappe.desk.reportview.get",
			{"doctype": "Note", "fields": '["name"]', "order_by": "modified desc"},
		),
		(
			"POST",
			"/api/method/frappe.desk.form.save.savedocs",
			{"doc": '{"doctype": "Note", "title": "\u0645\u0644\u0627\u062d\u0638\u0629"}'},
		),
		("GET", "/api/resource/ToDo", {"filters": '[["description", "like", "%WhatsApp Device%"]]'}),
		("POST", "/api/method/upload_file", {"is_private": "1", "folder": "Home"}),
		("GET", "/app/note", {}),
	)

	def test_the_hooks_ask_the_database_nothing_about_other_requests(self) -> None:
		for user in ("Guest", VISITOR, CLERK, ALI, HUDA):
			for http, path, given in self.REQUESTS:
				with signed_in(user):
					frappe.get_roles()  # which Frappe keeps
					set_request(method=http, path=path)
					frappe.local.form_dict = frappe._dict(given)
					frappe.get_meta("Note"), frappe.get_meta("ToDo")
					with counting() as made:
						method_policy.check_request()
						logins.hide(Response("{}"), frappe.request)
					self.assertEqual(made, [], (user, path))

	def statements(self, user: str, send: Send) -> tuple[int, int]:
		"""How many a request takes without the app, and with it,
		when everything that is kept has been read.
		"""
		who = self.caller(user)
		with without_the_app():
			send(who)
			with counting() as alone:
				send(who)
		send(who)
		with counting() as together:
			send(who)
		return len(alone), len(together)

	def test_requests_take_as_many_queries_as_without_the_app(self) -> None:
		for user in ("Guest", VISITOR, CLERK):
			for send in (
				get("/api/method/ping"),
				get("/api/resource/Note"),
				call("frappe.client.get_count", doctype="Role"),
				get("/api/resource/File", fields=["name", "owner"]),
				call("frappe.desk.search.search_link", doctype="User", txt="x"),
				call("frappe.client.insert", doc={"doctype": "ToDo", "description": "WhatsApp Device"}),
				*(
					call("frappe.client.get_count", doctype=doctype)
					for doctype in ("Comment", "Event", "File", "ToDo")
				),
				call("frappe.client.get_count", doctype="Event", filters={"subject": ["like", "%x%"]}),
				call("frappe.desk.search.search_link", doctype="ToDo", txt=""),
				get("/api/resource/Event", limit_page_length="0"),
			):
				alone, together = self.statements(user, send)
				self.assertEqual(together, alone, user)

	def test_a_process_that_served_the_app_leaves_sites_without_it_alone(self) -> None:
		"""All sites of a bench share its processes, and what was changed in Frappe's class;
		ours are no DocTypes there.
		"""
		lists = 0
		for user in (CLERK, CHIEF):
			with signed_in(user), without_the_app(), counting() as made:
				readable = [
					name
					for name in ATTACHABLE
					if not frappe.get_meta(name).istable and frappe.has_permission(name)
				]
				for doctype in readable:
					# newer ones fail on charts for whoever may see no report
					with suppress(frappe.db.ProgrammingError):
						lists += len([frappe.get_list(doctype)])
			self.assertFalse([statement for statement in made if attached_rows._ours() in statement])
		self.assertGreater(lists, 8)

	@unittest.skipUnless(overrides.COUNTS_ALL, "this Frappe counts by permission, as lists do")
	def test_a_count_has_one_statement_in_which_percent_signs_are_text(self) -> None:
		with (
			signed_in(CLERK),
			patch.object(closed_rows, "_open_of_all", lambda doctype: "'50%' != '%s'"),
			counting() as made,
		):
			for filters in (
				None,
				{},
				[],
				"none",
				["none"],
				{"name": "none"},
				[["name", "=", "none"]],
				[["ToDo", "name", "like", "%"]],
			):
				counted = frappe.call(
					"khalifa_whatsapp.access.overrides.get_count", doctype="ToDo", filters=filters
				)
				self.assertEqual(
					counted, frappe.call("frappe.client.get_count", doctype="ToDo", filters=filters), filters
				)
		self.assertEqual(sum("'50%" in statement for statement in made), 8)

	def insert_by_url(self, url: str) -> int:
		with signed_in(CLERK), counting() as made:
			frappe.get_doc({"doctype": "File", "file_name": "of-others.txt", "file_url": url}).insert()
		return len(made)

	def test_a_file_that_many_rows_share_costs_no_more(self) -> None:
		url = frappe.db.get_value("File", self.file_of(CLERK), "file_url")
		self.insert_by_url(url)
		few = self.insert_by_url(url)
		columns = ["name", "file_url", "file_name", "owner", "is_private", "creation", "modified"]
		now = frappe.utils.now()
		rows = [[f"of-others-{n}", url, "of-others.txt", HUDA, n % 2, now, now] for n in range(400)]
		frappe.db.bulk_insert("File", columns, rows)
		self.assertEqual(self.insert_by_url(url), few)
