"""Every way to every row, by everybody: methods and DocTypes × roles × own, queued, foreign. Nothing may
leak.

Each row carries a secret word of its own. What a role may not see must never be in an answer, and nothing
that a role may not change may change. That the ways do show what they may is checked too, else all of it
would be worth nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import frappe
from frappe.utils.password import update_password

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.doctypes import Rows, with_rows
from khalifa_whatsapp.tests.case import ALI, HUDA, MONA, PASSWORD, VISITOR, SiteCase
from khalifa_whatsapp.tests.records import NOW_MS, insert, make_conversation, make_user
from khalifa_whatsapp.tests.web import Answer, Caller

CLERK, GONE = "kw-clerk@example.com", "kw-gone@example.com"
# DocType → the field that holds the secret, and how its row is called after the ticket
OF_TICKET = {
	"Khalifa Ticket": ("preview", "{}"),
	"Khalifa Customer": ("notes", "C-{}"),
	"Khalifa Message": ("body", "M-{}"),
	"Khalifa Ticket Event": ("reason", "E-{}"),
	"Khalifa Turn": ("outcome", "U-{}"),
	"Khalifa Turn Segment": ("end_reason", "S-{}"),
	"Khalifa Delay Event": ("objection", "D-{}"),
	"Khalifa Satisfaction": ("comment", "V-{}"),
}
FOR_MANAGERS = {
	"Khalifa Customer Identity": ("value", "I-{}"),
	"Khalifa Message Status": ("error_text", "L-{}"),
	"Khalifa Close Batch": ("reason", "B-{}"),
	"Khalifa Consent Event": ("actor_name", "W-{}"),
}
OWN, FOREIGN, CLOSED, QUEUE, BRANCH_QUEUE = (f"KT-8100{n:02}" for n in range(5))
TICKETS = (OWN, FOREIGN, CLOSED, QUEUE, BRANCH_QUEUE)
SEES = {
	MONA: {OWN, CLOSED, QUEUE},
	ALI: {FOREIGN, QUEUE, BRANCH_QUEUE},
	HUDA: set(TICKETS),
	CLERK: set(),
	GONE: set(),
	VISITOR: set(),
	"Guest": set(),
}


def secret(ticket: str) -> str:
	"""The word that only those who may see the ticket's rows ever read."""
	return f"zz{ticket[-2:]}secret{ticket[-2:]}zz"


@dataclass(frozen=True)
class Route:
	"""A way to a row. `shows`: who may see the row finds its secret there."""

	name: str
	go: Callable[[Caller, str, str, str], Answer]
	shows: bool = True


def post(method: str, **fixed: Any) -> Callable[[Caller, str, str, str], Answer]:
	"""A method of Frappe's, with `$dt`, `$name` and `$field` filled in."""

	def go(who: Caller, doctype: str, name: str, field: str) -> Answer:
		filled = json.loads(
			json.dumps(fixed).replace("$dt", doctype).replace("$name", name).replace("$field", field)
		)
		return who.call(method, **filled)

	return go


def rest(http: str, body: bool = False) -> Callable[[Caller, str, str, str], Answer]:
	"""The REST endpoint of a single record."""

	def go(who: Caller, doctype: str, name: str, field: str) -> Answer:
		more = {"data": {field: "changed"}} if body else {}
		return who.send(http, f"/api/resource/{doctype}/{name}", **more)

	return go


def rest_list(who: Caller, doctype: str, name: str, field: str) -> Answer:
	"""The REST endpoint of a list."""
	query = {"filters": json.dumps([["name", "=", name]]), "fields": '["*"]'}
	return who.send("GET", f"/api/resource/{doctype}", query_string=query)


BY_NAME = [["$dt", "name", "=", "$name"]]
READS = (
	Route("rest", rest("GET")),
	Route("rest list", rest_list),
	Route("client.get", post("frappe.client.get", doctype="$dt", name="$name")),
	Route(
		"client.get_list",
		post("frappe.client.get_list", doctype="$dt", filters=BY_NAME, fields=["name", "$field"]),
	),
	Route(
		"client.get_value",
		post("frappe.client.get_value", doctype="$dt", filters="$name", fieldname="$field"),
	),
	Route(
		"reportview.get",
		post("frappe.desk.reportview.get", doctype="$dt", filters=BY_NAME, fields=["name", "$field"]),
	),
	Route(
		"reportview.export",
		post(
			"frappe.desk.reportview.export_query",
			doctype="$dt",
			filters=BY_NAME,
			fields=["`tab$dt`.`$field`"],
			file_format_type="CSV",
			title="x",
		),
		shows=False,
	),
	Route("getdoc", post("frappe.desk.form.load.getdoc", doctype="$dt", name="$name")),
	Route("docinfo", post("frappe.desk.form.load.get_docinfo", doctype="$dt", name="$name"), shows=False),
	Route("search_link", post("frappe.desk.search.search_link", doctype="$dt", txt="zz"), shows=False),
	Route(
		"group_by",
		post("frappe.desk.listview.get_group_by_count", doctype="$dt", current_filters="[]", field="$field"),
		shows=False,
	),
	Route("print", post("frappe.www.printview.get_html_and_style", doc="$dt", name="$name"), shows=False),
	Route(
		"linked_with", post("frappe.desk.form.linked_with.get", doctype="$dt", docname="$name"), shows=False
	),
	Route(
		"guess",
		post(
			"frappe.client.get_list",
			doctype="$dt",
			filters=[["$dt", "$field", "like", "zz%"]],
			fields=["$field"],
		),
	),
)
WRITES = (
	Route("rest put", rest("PUT", body=True)),
	Route("rest delete", rest("DELETE")),
	Route(
		"set_value",
		post("frappe.client.set_value", doctype="$dt", name="$name", fieldname="$field", value="changed"),
	),
	Route("client.delete", post("frappe.client.delete", doctype="$dt", name="$name")),
	Route("rename", post("frappe.client.rename_doc", doctype="$dt", old_name="$name", new_name="renamed")),
	Route(
		"comment",
		post(
			"frappe.desk.form.utils.add_comment",
			reference_doctype="$dt",
			reference_name="$name",
			content="x",
			comment_email="x@example.com",
			comment_by="x",
		),
	),
	Route("share", post("frappe.share.add", doctype="$dt", name="$name", user=ALI, read=1)),
	Route("assign", post("frappe.desk.form.assign_to.add", doctype="$dt", name="$name", assign_to=[ALI])),
	Route("tag", post("frappe.desk.doctype.tag.tag.add_tag", tag="zz", dt="$dt", dn="$name")),
	Route("like", post("frappe.desk.like.toggle_like", doctype="$dt", name="$name", add="Yes")),
	Route(
		"follow",
		post(
			"frappe.desk.form.document_follow.update_follow", doctype="$dt", doc_name="$name", following=True
		),
	),
)


class TestMatrix(SiteCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		make_user(CLERK, "Clerk", "Blogger")
		make_user(GONE, "Gone", "WhatsApp Agent")
		for user in (CLERK, GONE):
			update_password(user, PASSWORD)
		frappe.db.commit()

	def setUp(self) -> None:
		super().setUp()
		made = {
			OWN: (self.mona, {}),
			FOREIGN: (self.ali, {}),
			CLOSED: (self.mona, {"status": records.CLOSED}),
			QUEUE: (None, {}),
			BRANCH_QUEUE: (None, {"branch": self.south, "is_branch_only": 1}),
		}
		for ticket, (agent, more) in made.items():
			self.make_rows(ticket, agent, **more)
		frappe.db.commit()

	def make_rows(self, ticket: str, agent: str | None, **more: Any) -> None:
		term = secret(ticket)
		make_conversation(ticket, agent, term, **more)
		customer = f"C-{ticket}"
		insert(
			records.Turn(
				f"U-{ticket}", ticket, customer, "Test Device", None, 1, NOW_MS, NOW_MS, outcome=term
			)
		)
		insert(records.Segment(f"S-{ticket}", f"U-{ticket}", ticket, agent, None, NOW_MS, end_reason=term))
		insert(
			records.DelayEvent(
				f"D-{ticket}", ticket.ljust(64, "x"), "Agent", ticket, f"U-{ticket}", NOW_MS, agent=agent
			)
		)
		survey_key, wish_key = f"v{ticket}".ljust(64, "x"), f"w{ticket}".ljust(64, "x")
		insert(records.Satisfaction(f"V-{ticket}", survey_key, ticket, customer, "Test Device", 1))
		insert(
			records.ConsentEvent(
				f"W-{ticket}", wish_key, customer, "Stopped", "Message", NOW_MS, NOW_MS, ticket=ticket
			)
		)
		insert(records.CustomerIdentity(f"I-{ticket}", customer, "phone", term, f"phone:{term}"))
		insert(
			records.MessageLog(f"L-{ticket}", f"l-{ticket}", "x", "status", "sent", NOW_MS, error_text=term)
		)
		insert(records.CloseBatch(f"B-{ticket}", term, "{}", "Administrator", "Manager", NOW_MS))
		for doctype, (field, named) in {**OF_TICKET, **FOR_MANAGERS}.items():
			frappe.db.set_value(doctype, named.format(ticket), field, term, update_modified=False)

	def caller(self, user: str) -> Caller:
		return Caller() if user == "Guest" else self.as_(user)

	def cells(
		self, routes: tuple[Route, ...], doctypes: dict[str, tuple[str, str]]
	) -> Iterator[tuple[Any, ...]]:
		for user, seen in SEES.items():
			who = self.caller(user)
			for doctype, (field, named) in doctypes.items():
				for ticket in TICKETS:
					may_see = ticket in seen if doctype in OF_TICKET else user == HUDA
					for route in routes:
						yield user, who, doctype, field, ticket, named.format(ticket), route, may_see

	def hidden_texts(self, user: str, doctype: str) -> set[str]:
		if user == HUDA:
			return set()
		seen = SEES[user] if doctype in OF_TICKET else set()
		return {secret(ticket) for ticket in TICKETS if ticket not in seen}

	def test_everything_that_is_seen_with_a_ticket_is_tried(self) -> None:
		with_tickets = (Rows.VISIBLE_TICKETS, Rows.OF_VISIBLE_TICKETS, Rows.KNOWN_CUSTOMERS)
		self.assertEqual(set(OF_TICKET), with_rows(*with_tickets))
		self.assertLessEqual(set(FOR_MANAGERS), with_rows(Rows.NONE))

	def test_no_route_shows_what_its_traveller_may_not_see(self) -> None:
		counted, shown = Counter[str](), Counter[str]()
		for user, who, doctype, field, ticket, name, route, may_see in self.cells(
			READS, {**OF_TICKET, **FOR_MANAGERS}
		):
			answer = route.go(who, doctype, name, field)
			counted["cells"] += 1
			text = answer.raw.decode("utf-8", "replace")
			for term in self.hidden_texts(user, doctype):
				self.assertNotIn(term, text, (user, doctype, ticket, route.name, answer.status))
			if may_see and route.shows:
				shown[route.name] += secret(ticket) in text
				counted["allowed"] += 1
		self.assertGreater(counted["cells"], 4_000)
		for route in READS:
			if route.shows:
				self.assertGreater(
					shown[route.name], 20, f"{route.name} shows nothing to anybody: it proves nothing"
				)

	def test_no_route_changes_what_its_traveller_may_not_change(self) -> None:
		doctypes = {
			name: OF_TICKET[name] for name in ("Khalifa Ticket", "Khalifa Message", "Khalifa Customer")
		}
		before, tried = self.everything(doctypes), 0
		for user, who, doctype, field, ticket, name, route, may_see in self.cells(WRITES, doctypes):
			if user == HUDA or (may_see and route.name in ("tag", "comment", "like", "follow")):
				continue  # managers may; and an agent may comment on what is his
			tried += 1
			answer = route.go(who, doctype, name, field)
			self.assertNotIn(
				secret(ticket) if not may_see else "\0",
				answer.raw.decode("utf-8", "replace"),
				(user, route.name),
			)
			if not may_see and route.name != "follow":  # Frappe answers that kindly, and does nothing
				self.assertNotEqual(
					answer.status, 200, (user, doctype, ticket, route.name, answer.text[:300])
				)
		self.assertGreater(tried, 800)
		self.assertEqual(self.everything(doctypes), before)

	def everything(self, doctypes: dict[str, Any]) -> Any:
		"""All rows, and all that Frappe hangs on rows."""
		frappe.db.rollback()
		ours = [frappe.db.sql(f"SELECT * FROM `tab{name}` ORDER BY name") for name in doctypes]
		hung = [
			frappe.db.sql(f"SELECT COUNT(*) FROM `tab{table}` WHERE {column} LIKE 'Khalifa%%'")
			for table, column in (
				("DocShare", "share_doctype"),
				("ToDo", "reference_type"),
				("Comment", "reference_doctype"),
				("Document Follow", "ref_doctype"),
				("Tag Link", "document_type"),
			)
		]
		return ours, hung
