"""No answer about a row of one's own may depend on a guess of a login that it holds: every column,
list and spelling.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import frappe

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.doctypes import DOCTYPES
from khalifa_whatsapp.tests.case import ALI, HOST, HUDA
from khalifa_whatsapp.tests.endpoints import signed_in
from khalifa_whatsapp.tests.records import NOW_MS, insert
from khalifa_whatsapp.tests.test_guesses import RIGHT, WRONG, GuessCase, said
from khalifa_whatsapp.tests.web import Answer

# Of the columns that every row has, some with each DocType
STANDARD = {
	"Khalifa Ticket": ("owner", "modified_by", "_liked_by"),
	"Khalifa Ticket Event": ("owner",),
	"Khalifa Message": ("modified_by",),
	"Khalifa Agent": ("owner",),
}
HIDDEN = {
	doctype.name: (*doctype.hidden, *STANDARD.get(doctype.name, ())) for doctype in DOCTYPES if doctype.hidden
}
CARD = {"doctype": "Number Card", "function": "Count", "name": "x"}
# They take filters and little else: as what, and what else they need
OF_CONDITIONS = {
	"client.get_count": ("filters", {}),
	"client.get": ("filters", {}),
	"client.get_value": ("filters", {"fieldname": "name"}),
	"desk.reportview.get_count": ("filters", {"distinct": 0}),
	"desk.reportview.get_stats": ("filters", {"stats": ["status", "event", "kind"]}),
	"desk.search.search_link": ("filters", {"txt": ""}),
	"desk.listview.get_group_by_count": ("current_filters", {"field": "creation"}),
}
EXPORT = "desk.reportview.export_query"  # agents export nothing


class TestColumns(GuessCase):
	"""Ali asks about the logins on rows that he may read, in every way to put a condition."""

	def setUp(self) -> None:
		super().setUp()
		ticket = self.handed_over()
		delay = records.DelayEvent("D-guess", "9" * 64, "Agent", ticket, "T-guess", NOW_MS, agent=self.ali)
		self.addCleanup(frappe.db.delete, "Khalifa Delay Event", {"name": insert(delay)})
		named = {"Khalifa Agent": self.ali, "Khalifa Ticket": ticket}
		for doctype, columns in HIDDEN.items():
			row = named.get(doctype) or frappe.get_all(doctype, {"ticket": ticket}, pluck="name")[0]
			logins = {column: f"{RIGHT}@{HOST}" for column in columns if column != "user"}
			frappe.db.set_value(doctype, row, logins, update_modified=False)
		frappe.db.commit()

	def routes(self, doctype: str, **given: Any) -> Iterator[tuple[str, Answer]]:
		ali, asked = self.as_(ALI), {"fields": ["name"], **given}
		url = {key: value if isinstance(value, str) else json.dumps(value) for key, value in asked.items()}
		yield "rest", ali.send("GET", f"/api/resource/{doctype}", query_string=url)
		yield "rest v2", ali.send("GET", f"/api/v2/document/{doctype}", query_string=url)
		for method in ("client.get_list", "desk.reportview.get", "desk.reportview.get_list"):
			yield method, ali.call(f"frappe.{method}", doctype=doctype, **asked)
		yield EXPORT, ali.call(f"frappe.{EXPORT}", doctype=doctype, **asked, file_format_type="CSV")
		if "filters" in given:
			yield from self.routes_of_conditions(doctype, given["filters"])

	def routes_of_conditions(self, doctype: str, filters: Any) -> Iterator[tuple[str, Answer]]:
		ali = self.as_(ALI)
		for method, (key, more) in OF_CONDITIONS.items():
			yield method, ali.call(f"frappe.{method}", doctype=doctype, **{key: filters}, **more)
		card = {"doc": {**CARD, "document_type": doctype}, "filters": filters}
		yield "number card", ali.call("frappe.desk.doctype.number_card.number_card.get_result", **card)
		url = {"filters": json.dumps(filters)}
		yield "v2 count", ali.send("GET", f"/api/v2/doctype/{doctype}/count", query_string=url)

	def pairs(self, doctype: str, right: Any, wrong: Any) -> Iterator[tuple[str, Answer, Answer]]:
		routes = self.routes(doctype, **right), self.routes(doctype, **wrong)
		for (route, one), (_road, other) in zip(*routes, strict=True):
			yield route, one, other

	def spellings(self, doctype: str, column: str, guess: str) -> Iterator[dict[str, Any]]:
		like = ["like", f"{guess}%"]
		yield {"filters": [[column, *like]]}
		yield {"filters": [[doctype, column, *like]]}
		yield {"filters": {column: like}}
		yield {"filters": [[doctype, column.upper(), *like]]}
		yield {"filters": [[doctype, f"ifnull({column},'')", *like]]}
		yield {"filters": [[doctype, f"ifnull(`tab{doctype}`.`{column}`,'')", *like]]}
		yield {"or_filters": [[doctype, column, *like]]}
		yield {"fields": ["name", f"locate('{guess}', {column}) as hit"]}
		yield {"fields": ["name", f"({column} like '{guess}%') as hit"]}
		yield {"order_by": f"locate('{guess}', `tab{doctype}`.`{column}`)"}
		yield {"group_by": f"locate('{guess}', {column})"}

	def known(self, doctype: str, column: str) -> str:
		return "a1i" if column == "user" else RIGHT  # of agents, only the own row is there

	def test_no_spelling_is_answered_on_any_route(self) -> None:
		tried, leaks = 0, []
		for doctype, column in [
			(doctype, column) for doctype, columns in HIDDEN.items() for column in columns
		]:
			known = self.known(doctype, column)
			spellings = self.spellings(doctype, column, known), self.spellings(doctype, column, WRONG)
			for right, wrong in zip(*spellings, strict=True):
				for route, one, other in self.pairs(doctype, right, wrong):
					tried += 1
					if said(one, known) != said(other):
						leaks.append((route, doctype, right))
		self.assertEqual(leaks, [])
		self.assertGreater(tried, 1_000)

	def test_no_order_and_no_group_reveals_a_login(self) -> None:
		for doctype, columns in HIDDEN.items():
			for column in columns:
				for given in (
					{"order_by": f"{column} asc"},
					{"order_by": f"`tab{doctype}`.`{column}` desc"},
					{"order_by": f"modified, {column}"},
					{"group_by": column},
					{"fields": [f"name as {column}", "name"], "group_by": column},
					{"fields": ["name", f"max({column}) as name_"], "order_by": "name_"},
				):
					for route, answer in self.routes(doctype, **given):
						self.assertGreaterEqual(answer.status, 403, (route, doctype, given, answer.text))
						self.assertNotIn(RIGHT, answer.text)

	def test_what_may_be_read_may_be_asked(self) -> None:
		"""On each of these ways a right guess about a readable column does find the row."""
		shows = Counter[str]()
		located = {"fields": ["name", "locate('Ali', agent_name) as hit"]}
		for right in ({"filters": [["agent_name", "like", "Ali%"]]}, located):
			wrong = json.loads(json.dumps(right).replace("Ali", "Xyz"))
			for route, one, other in self.pairs("Khalifa Ticket", right, wrong):
				shows[route] += one.status == 200 and said(one, "Ali") != said(other, "Xyz")
		self.assertEqual({route for route, count in shows.items() if not count}, {EXPORT})

	def test_managers_still_ask_by_login(self) -> None:
		for filters in ([["sender", "like", "zzright%"]], [["modified_by", "like", "zzright%"]]):
			rows = self.as_(HUDA).call("frappe.client.get_list", doctype="Khalifa Message", filters=filters)
			self.assertEqual(len(rows.message), 1, rows.text)

	def test_a_column_after_a_hidden_one_is_hidden_too(self) -> None:
		"""Frappe's own step skips the field behind one that it takes out."""
		with signed_in(ALI):
			rows = frappe.get_list("Khalifa Message", fields=["name", "sender", "sender as s", "sender as t"])
			self.assertEqual({tuple(row) for row in rows}, {("name",)})
			rows = frappe.get_list("Khalifa Message", fields=["name", "sender", "sender as s"], as_list=True)
			self.assertEqual({row[1:] for row in rows}, {(None, None)})

	def test_a_link_to_a_user_is_not_followed(self) -> None:
		for fields in (["name", "sender.full_name as x"], ["name", "sender.name as x"]):
			answer = self.as_(ALI).call("frappe.client.get_list", doctype="Khalifa Message", fields=fields)
			self.assertNotEqual(answer.status, 200, answer.text)
