"""No answer may depend on whether a guess is right: about a colleague's rows, or about a login on one's own.

The cells are generated. First every whitelisted method of Frappe that takes a DocType and a row, with
conditions in the place of the row's name; then every column that an agent may not read, in every list and
every spelling.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import frappe

from khalifa_whatsapp import api
from khalifa_whatsapp.access import method_policy
from khalifa_whatsapp.core import records
from khalifa_whatsapp.tests.case import ALI, HOST, HUDA, MONA
from khalifa_whatsapp.tests.desk import DeskCase
from khalifa_whatsapp.tests.web import Answer

RIGHT, WRONG = "zzright", "zzwrong"
NOT_OURS = re.compile(r"\.(tests?|test_\w+|commands|patches|test_runner|parallel_test_runner|testing)(\.|$)")
# They end the session, or run for minutes, whatever they are given
NEVER_CALLED = {"frappe.handler.logout", "frappe.handler.web_logout", "frappe.sessions.clear"}
OF_DOCTYPES = re.compile(r"^(dt|doctype|\w+_(dt|doctype)|doctype_name|document_type)$")
OF_NAMES = re.compile(
	r"^(dn|docs?|docnames?|documents?|names?|value|source_names?|\w+_(name|docname|doc)|items?|ids?)$"
)
OF_FILTERS = re.compile(r"filters$")
SAMPLES: dict[str, Any] = {
	"fieldname": "body",
	"field": "body",
	"txt": "",
	"fields": ["name"],
	"action": "Save",
	"content": "x",
	"prev": 0,
	"start": 0,
	"page_len": 5,
	"page_length": 5,
	"searchfield": "name",
	"current_filters": [],
	"user": ALI,
	"read": 1,
	"tag": "x",
	"tags": ["x"],
	"workflow_state_field": "body",
	"states": ["none"],
	"end": "2100-01-01",
	"field_map": {"start": "creation", "end": "modified", "title": "body"},
	"stats": ["body"],
	"type": "coordinates",
	"method": "frappe.client.get_list",
	"label": "x",
	"parent": "",
	"tree_method": "frappe.client.get_list",
	"goal_field": "name",
	"date_field": "creation",
	"aggregation": "count",
	"title": "t",
	"goal_value_field": "idx",
	"goal_total_field": "idx",
	"goal_history_field": "none",
	"sort_field": "creation",
	"following": True,
	"perm_type": "read",
	"assign_to": [ALI],
	"merge": False,
	"add": "Yes",
	"format": "Standard",
}
CHANGING = re.compile(r"[0-9a-f]{40,}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")
GUESSES = {
	"Khalifa Message": "body",
	"Khalifa Ticket": "preview",
	"Khalifa Agent": "user",
	"Khalifa Customer": "phone",
}


def all_methods() -> Iterator[tuple[str, list[str]]]:
	"""Every method of Frappe that somebody who is signed in may call, with its parameters."""
	for module in pkgutil.walk_packages(frappe.__path__, "frappe.", onerror=lambda name: None):
		if not NOT_OURS.search(module.name):
			importlib.import_module(module.name)
	for method in frappe.whitelisted:
		path = f"{method.__module__}.{method.__name__}"
		is_function = method.__qualname__ == method.__name__
		if is_function and path.startswith("frappe.") and path not in NEVER_CALLED:
			yield path, list(inspect.signature(method).parameters)


def said(answer: Answer, guessed: str = RIGHT) -> Any:
	"""What an answer tells, without the guess itself and what differs each time."""
	text = answer.raw.decode("utf-8", "replace")
	for guess in (guessed, guessed.upper(), RIGHT, WRONG, "m0na"):
		text = text.replace(guess, "…")
	text = CHANGING.sub("", text)
	try:
		comparable = json.loads(text)
	except ValueError:
		return answer.status, text
	if isinstance(comparable, dict):
		comparable.pop("exc", None)
		comparable.pop("_exc_source", None)
	return answer.status, json.dumps(comparable, sort_keys=True)


SECRETS = (f"{RIGHT} words", f"{RIGHT}5", f"m0na@{HOST}")


class GuessCase(DeskCase):
	def setUp(self) -> None:
		"""One conversation is Mona's, with words that Ali tries to guess; one was hers and is Ali's now."""
		super().setUp()
		self.foreign = self.ticket_of(self.mona)
		message = self.only(records.Message, ticket=self.foreign)
		frappe.db.set_value("Khalifa Message", message.name, "body", f"{RIGHT} words")
		frappe.db.set_value("Khalifa Ticket", self.foreign, "preview", f"{RIGHT} words")
		frappe.db.set_value("Khalifa Customer", message.customer, "phone", f"{RIGHT}5")
		frappe.db.commit()
		self.rows = {
			"Khalifa Message": message.name,
			"Khalifa Ticket": self.foreign,
			"Khalifa Agent": self.mona,
			"Khalifa Customer": message.customer,
		}

	def handed_over(self) -> str:
		"""A conversation that was Mona's and is Ali's; Huda has closed it once, and liked it."""
		ticket = self.ticket_of(self.mona, "+201001234999")
		self.reply(MONA, ticket)
		self.online(self.ali)
		self.done(MONA, "transfer", ticket=ticket, reason="is in the South", to_agent=self.ali)
		self.as_(HUDA).call("frappe.desk.like.toggle_like", doctype="Khalifa Ticket", name=ticket, add="Yes")
		return ticket

	def own_todo(self) -> str:
		doc = {"doctype": "ToDo", "description": "x", "allocated_to": ALI}
		todo = self.as_(ALI).call("frappe.client.insert", doc=doc)
		self.addCleanup(frappe.db.delete, "ToDo", {"allocated_to": ALI})
		self.assertEqual(todo.status, 200, todo.text)
		return todo.message["name"]

	def closed(self, answer: Answer) -> None:
		self.assertEqual(answer.status, 403, answer.text)
		for term in SECRETS:
			self.assertNotIn(term, answer.text)

	def pattern(self, doctype: str, is_right: bool) -> str:
		if GUESSES[doctype] == "user":
			return "m0na%" if is_right else f"{WRONG}%"
		return f"{RIGHT if is_right else WRONG}%"


class TestEndpoints(GuessCase):
	"""Ali has the name of Mona's row, or a guess about what is in it."""

	def arguments(self, parameters: list[str], doctype: str, name: Any, filters: Any) -> dict[str, Any]:
		given: dict[str, Any] = {}
		for parameter in parameters:
			if OF_DOCTYPES.match(parameter):
				given[parameter] = doctype
			elif parameter in ("doc", "docs", "document"):
				given[parameter] = {"doctype": doctype, "name": name}
			elif OF_FILTERS.search(parameter):
				given[parameter] = filters
			elif OF_NAMES.match(parameter):
				given[parameter] = name
			elif parameter in SAMPLES:
				given[parameter] = SAMPLES[parameter]
		return given

	def shapes(self, doctype: str, is_right: bool) -> Iterator[tuple[str, Any, Any]]:
		"""How a guess can be put: as the name and as the filters."""
		field, pattern = GUESSES[doctype], self.pattern(doctype, is_right)
		as_object, as_list = {field: ["like", pattern]}, [[field, "like", pattern]]
		yield "object", as_object, []
		yield "list", as_list, []
		yield "filters", self.rows[doctype], as_object
		yield "list of filters", self.rows[doctype], [[doctype, *as_list[0]]]

	def cells(self, *doctypes: str) -> Iterator[tuple[str, str, str, Answer]]:
		for path, parameters in sorted(all_methods()):
			named = [p for p in parameters if OF_DOCTYPES.match(p) or p in ("doc", "docs", "document")]
			if not named or (len(parameters) < 2 and not named[0].startswith("doc")):
				continue
			for doctype in doctypes:
				pairs = zip(self.shapes(doctype, True), self.shapes(doctype, False), strict=True)
				for right, wrong in pairs:
					answers = [
						self.as_(ALI).call_json(path, **self.arguments(parameters, doctype, *shape[1:]))
						for shape in (right, wrong)
					]
					yield path, doctype, right[0], answers

	def leaks(self, *doctypes: str) -> tuple[int, list[str]]:
		"""How many cells there are, and those whose answers differ or show what they may not."""
		tried, leaks = 0, []
		for path, doctype, shape, answers in self.cells(*doctypes):
			tried += 1
			text = " ".join(answer.raw.decode("utf-8", "replace") for answer in answers)
			if any(term in text for term in SECRETS) or said(answers[0]) != said(answers[1]):
				leaks.append(f"{path}: {shape} on {doctype}")
		return tried, leaks

	def test_no_method_answers_a_guess(self) -> None:
		tried, leaks = self.leaks(*GUESSES)
		self.assertEqual(leaks, [])
		self.assertGreater(tried, 1_500)

	def test_without_the_gate_there_would_be_answers(self) -> None:
		"""Else the cells above would prove nothing."""
		with patch.object(method_policy, "check_request", lambda: None):
			_tried, leaks = self.leaks("Khalifa Message")
		methods = {leak.split(":")[0] for leak in leaks}
		self.assertLessEqual(
			{
				"frappe.client.set_value",
				"frappe.desk.form.load.getdoc",
				"frappe.workflow.doctype.workflow.workflow.get_workflow_state_count",
			},
			methods,
		)


class TestIndirectCalls(GuessCase):
	"""Ways to a method that the policy keeps, or to a condition, by way of something else."""

	STATES = "frappe.workflow.doctype.workflow.workflow.get_workflow_state_count"

	def test_every_way_to_call_a_method_leads_to_the_gate(self) -> None:
		given = {"doctype": "Khalifa Message", "workflow_state_field": "body", "states": "[]"}
		count = {"doctype": "Khalifa Message", "filters": json.dumps({"body": ["like", f"{RIGHT}%"]})}
		ali = self.as_(ALI)
		for version in ("", "/v1", "/v2"):
			self.closed(ali.send("POST", f"/api{version}/method/{self.STATES}", data=given))
			self.closed(ali.send("GET", f"/api{version}/method/{self.STATES}", query_string=given))
		self.closed(ali.send("POST", "/api/v2/method/Workflow/get_workflow_state_count", data=given))
		self.closed(ali.send("POST", f"/api/method/{self.STATES}/more", data=given))
		for path in ("/", "/api/method/ping", "/api/method/khalifa_whatsapp.api.inbox.boot", "/app"):
			self.closed(ali.send("POST", path, data={**given, "cmd": self.STATES}))
		about = {"doctype": "Khalifa Message", "txt": "x", "label": "x", "parent": "body", "states": []}
		self.closed(ali.call("frappe.desk.treeview.get_all_nodes", tree_method=self.STATES, **about))
		self.closed(ali.call("frappe.desk.search.search_widget", query=self.STATES, **about))
		self.closed(ali.call("frappe.api.v1.frappe.client.get_count", **count))

	def test_an_original_is_not_reached_by_anothers_import(self) -> None:
		count = {"doctype": "Khalifa Message", "filters": json.dumps({"body": ["like", f"{RIGHT}%"]})}
		originals = set(frappe.get_hooks("override_whitelisted_methods"))
		self.assertEqual(method_policy.ALLOWED_METHODS & originals, set())
		with patch("khalifa_whatsapp.access.overrides.an_import", frappe.client.get_count, create=True):
			self.closed(self.as_(ALI).call("khalifa_whatsapp.access.overrides.an_import", **count))

	def test_our_own_endpoints_are_no_way_to_frappes(self) -> None:
		"""The policy lets every path below `khalifa_whatsapp.api` pass without a look."""
		for module in pkgutil.walk_packages(api.__path__, f"{api.__name__}."):
			for name, method in vars(importlib.import_module(module.name)).items():
				if callable(method) and getattr(method, "__hash__", None) and method in frappe.whitelisted:
					self.assertTrue(
						method.__module__.startswith("khalifa_whatsapp.api."), (module.name, name)
					)

	def test_a_name_in_disguise_is_seen(self) -> None:
		for doctype in ("Khalifa Message", "khalifa message", " Khalifa Message "):
			given = {"doctype": doctype, "workflow_state_field": "body", "states": "[]"}
			self.closed(self.as_(ALI).call(self.STATES, **given))
		hidden = '{"doctype": "\\u004bhalifa Message", "name": {"body": ["like", "zzright%"]}}'
		self.closed(self.as_(ALI).call("frappe.desk.form.save.savedocs", doc=hidden, action="Save"))

	def test_a_guess_is_no_name_in_a_body_that_does_not_say_it_is_json(self) -> None:
		template = {"doctype": "Khalifa Reply Template", "title": "hours", "shortcut": "hours", "body": "x"}
		own = self.as_(ALI).call("frappe.client.insert", doc={**template, "agent": self.ali}).message["name"]
		self.addCleanup(frappe.db.delete, "Khalifa Reply Template", {"name": own})
		guess = json.dumps({"name": {"agent": ["=", self.ali]}})
		path, sent = f"/api/resource/Khalifa Reply Template/{own}", {"content_type": "text/plain"}
		self.closed(self.as_(ALI).send("PUT", path, data=guess, **sent))
		self.closed(self.as_(ALI).send("PUT", path, data={"data": guess}))
		self.assertEqual(self.as_(ALI).send("PUT", path, data=json.dumps({"body": "y"}), **sent).status, 200)

	def test_figures_of_a_row_of_ones_own_do_not_count_those_of_others(self) -> None:
		given = {
			"title": "t",
			"doctype": "ToDo",
			"docname": self.own_todo(),
			"goal_value_field": "idx",
			"goal_total_field": "idx",
			"goal_history_field": "color",
			"goal_doctype": "Khalifa Message",
			"goal_doctype_link": "direction",
			"goal_field": "name",
			"date_field": "creation",
			"aggregation": "count",
			"filters": {"body": ["like", f"{RIGHT}%"]},
		}
		self.closed(self.as_(ALI).call("frappe.utils.goal.get_monthly_goal_graph_data", **given))

	def test_assignments_of_ones_own_do_not_count_the_rows_of_others(self) -> None:
		frappe.db.set_value("ToDo", self.own_todo(), "reference_name", self.rows["Khalifa Message"])
		frappe.db.commit()
		for guess in (RIGHT, WRONG):
			answer = self.as_(ALI).call(
				"frappe.desk.listview.get_group_by_count",
				doctype="Khalifa Message",
				field="assigned_to",
				current_filters=[["Khalifa Message", "body", "like", f"{guess}%"]],
			)
			self.assertEqual((answer.status, answer.message), (200, []))

	def test_a_search_can_not_leave_permissions_aside(self) -> None:
		for method in ("search_link", "search_widget"):
			for doctype in GUESSES:
				wish = {"doctype": doctype, "txt": "", "ignore_user_permissions": 1}
				answer = self.as_(ALI).call(f"frappe.desk.search.{method}", **wish)
				self.assertEqual(answer.status, 200, answer.text)
				self.assertNotIn(self.rows[doctype], answer.text)
			answer = self.as_(HUDA).call(f"frappe.desk.search.{method}", doctype="Khalifa Ticket", txt="")
			self.assertIn(self.foreign, answer.text)

	def test_the_next_row_is_not_found_from_one_that_is_closed(self) -> None:
		given = {"doctype": "Khalifa Message", "prev": 0, "sort_field": "body"}
		answers = [
			self.as_(ALI).call_json("frappe.desk.form.utils.get_next", value=value, **given)
			for value in (self.rows["Khalifa Message"], "none")
		]
		self.closed(answers[0])
		self.assertEqual(said(answers[0]), said(answers[1]))

	def test_a_row_that_would_ask_later_is_not_made(self) -> None:
		about = {"reference_doctype": "Khalifa Ticket"}
		board = {"doctype": "Kanban Board", "kanban_board_name": "x", "field_name": "status", **about}
		ali = self.as_(ALI)
		self.closed(ali.call("frappe.client.insert", doc=board))
		self.closed(ali.call("frappe.desk.form.save.savedocs", doc=board, action="Save"))
		self.closed(ali.send("POST", "/api/resource/Kanban Board", json=board))
		self.closed(ali.send("POST", "/api/resource/Kanban Board", json={**board, "doctype": "File"}))
		kept = ali.call("frappe.client.insert", doc={"doctype": "List Filter", "filter_name": "x", **about})
		self.assertEqual(kept.status, 200, kept.text)

	def test_agents_still_find_their_way(self) -> None:
		"""What Desk asks for when an agent opens a list and a form."""
		ticket = self.handed_over()
		liked = [["Khalifa Ticket", "_liked_by", "like", f"%{ALI}%"]]
		opened = [["Khalifa Ticket", "status", "=", "Open"]]
		by_date = {"order_by": "`tabKhalifa Ticket`.`modified` desc"}
		for method, given in (
			(
				"desk.reportview.get",
				{"fields": ["`tabKhalifa Ticket`.`name`", "_liked_by", "owner"], "filters": liked, **by_date},
			),
			("desk.reportview.get_count", {"filters": opened, "distinct": "false", "limit": 1001}),
			("desk.reportview.get_sidebar_stats", {"stats": ["_user_tags"], "filters": []}),
			("desk.listview.get_group_by_count", {"current_filters": [], "field": "status"}),
			("desk.listview.get_list_settings", {}),
			("desk.form.load.getdoctype", {"with_parent": 1}),
			("desk.form.load.getdoc", {"name": ticket}),
			("desk.form.load.get_docinfo", {"name": ticket}),
			(
				"desk.form.utils.get_next",
				{"value": ticket, "prev": 0, "filters": [], "sort_field": "modified"},
			),
			("desk.notifications.get_open_count", {"name": ticket, "items": ["Khalifa Message"]}),
			("desk.search.search_link", {"txt": "Samy", "filters": {"status": "Open"}}),
			(
				"client.get_list",
				{"fields": ["count(name) as total"], "group_by": "status", "order_by": "total desc"},
			),
			("client.get_value", {"filters": {"name": ticket}, "fieldname": ["status", "agent_name"]}),
			("model.utils.user_settings.save", {"user_settings": {"List": {"filters": opened}}}),
		):
			answer = self.as_(ALI).call(f"frappe.{method}", doctype="Khalifa Ticket", **given)
			self.assertEqual(answer.status, 200, (method, answer.text))
