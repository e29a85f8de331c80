"""Where the policy looks for our DocTypes: everywhere that Frappe takes a DocType, and nowhere else."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import frappe

from khalifa_whatsapp.access import method_policy
from khalifa_whatsapp.access.places import FILE, OURS, ROWS, is_ours, is_place, mentioned, names_ours
from khalifa_whatsapp.tests.case import ALI
from khalifa_whatsapp.tests.test_guesses import OF_FILTERS, SAMPLES, GuessCase, all_methods
from khalifa_whatsapp.tests.test_others import counting

TICKET = "Khalifa Ticket"
# Keys under which our words are words, whatever method they are for
FIELDS_OF_TEXT = (
	"q",
	"txt",
	"text",
	"title",
	"subject",
	"description",
	"content",
	"message",
	"name",
	"docname",
	"owner",
	"search",
	"tag",
)
NAMED = (
	{"doctype": TICKET},
	{"dt": " khalifa TICKET "},
	{"reference_doctype": TICKET},
	{"parenttype": TICKET},
	{"doctypes": [TICKET]},
	{"doctype": json.dumps({TICKET: ["KT-1"]})},
	{"doc": TICKET},
	{"doc": json.dumps({"doctype": TICKET})},
	{"docs": [{"doctype": TICKET}]},
	{"args": json.dumps({"doctype": TICKET})},
	{"kwargs": {"a": [{"b": {"ref_doctype": TICKET}}]}},
	{"unknown": json.dumps({"doctype": TICKET})},
	{"filters": json.dumps([[TICKET, "status", "=", "Open"]])},
	{"filters": [TICKET, "status", "=", "Open"]},
	{"filters": {"reference_doctype": TICKET}},
	{"filters": [["reference_doctype", "in", ["x", TICKET]]]},
	{"filters": [["Comment", "reference_doctype", "=", TICKET]]},
	{"or_filters": [[TICKET, "a", "=", "b"]]},
	{"fields": json.dumps(["`tabKhalifa Ticket`.name"])},
	{"order_by": "`tabkhalifa ticket`.modified desc"},
	{"group_by": "tabKhalifa Ticket.name"},
	{"filters": ["`tabKhalifa Ticket`.name = 1"]},
	{"filters": {"`tabKhalifa Ticket`.`a`": 1}},
	{"doctype": "User Permission", "doc": {"doctype": "User Permission", "allow": TICKET}},
	{"doctype": "User Permission", "filters": {"allow": TICKET}},
	{"doctype": "User Permission", "fieldname": "allow", "value": TICKET},
	{"doc": '{"doctype": "\\u004bhalifa Ticket"}'},
)
NOT_NAMED = (
	*({key: TICKET} for key in FIELDS_OF_TEXT),
	*({"doctype": "Note", key: "`tabKhalifa Ticket`"} for key in FIELDS_OF_TEXT),
	{"filters": [["Note", "title", "=", TICKET]]},
	{"filters": {"title": TICKET}},
	{"filters": [["title", "like", "%tabKhalifa Ticket%"]]},
	{"doc": json.dumps({"doctype": "Note", "title": TICKET, "content": json.dumps({"doctype": TICKET})})},
	{"content": json.dumps({"doctype": TICKET})},
	{"doctype": "Note", "fieldname": "title", "value": TICKET},
	{"doctype": "Khalifa Tickets"},
	{"doctype": "Ticket"},
	{"cmd": "ping", "x": [TICKET]},
	{"x": {"y": {"z": TICKET}}},
)


class TestPlaces(GuessCase):
	def test_a_doctype_is_found_in_every_place(self) -> None:
		for given in NAMED:
			self.assertTrue(names_ours(given), given)
			self.assertEqual(mentioned(given), OURS, given)

	def test_a_word_is_a_word(self) -> None:
		for given in NOT_NAMED:
			self.assertFalse(names_ours(given), given)

	def test_what_can_not_be_about_us_is_seen_at_once(self) -> None:
		arabic = json.dumps(
			{"title": "\u0645\u0644\u0627\u062d\u0638\u0629", "x": "\u0634\u0643\u0631\u0627\u064b"},
			ensure_ascii=False,
		)
		for given in (
			{},
			{"doctype": "Note"},
			{"doc": arabic},
			{"doc": json.dumps({"t": "\u0645"})},
			{"x": [1, None, {"y": "File.txt"}]},
		):
			self.assertIsNone(mentioned(given), given)
		self.assertEqual(mentioned({"doctype": "File"}), FILE)
		self.assertEqual(mentioned({}, ["api", "resource", "File"]), FILE)

	def test_names_are_compared_as_the_database_compares_them(self) -> None:
		for name in (
			"khalifa ticket",
			" Khalifa Ticket  ",
			"Kh\u00e1lifa Ticket",
			"\uff2bhalifa Ticket",
			"Khalifa\u200b Ticket",
		):
			self.assertTrue(is_ours(name), name)
			self.assertEqual(mentioned({"doctype": name}), OURS, name)

	def test_whatever_is_nested_too_deep_is_no_reason_to_fail(self) -> None:
		deep: Any = TICKET
		for _level in range(5_000):
			deep = [deep]
		self.assertEqual(mentioned({"x": deep}), OURS)
		self.assertFalse(names_ours({"x": deep}))
		self.assertTrue(names_ours({"doctype": deep}))

	def test_every_field_that_links_to_a_doctype_is_a_place_in_its_row(self) -> None:
		fields = frappe.get_all(
			"DocField", {"fieldtype": "Link", "options": "DocType"}, ["parent", "fieldname"]
		)
		self.assertGreater(len(fields), 40)
		for field in fields:
			doc = {"doctype": field.parent, field.fieldname: TICKET}
			self.assertTrue(names_ours({"doc": json.dumps(doc)}), field)
			self.assertTrue(
				names_ours({"doctype": field.parent, "filters": {field.fieldname: TICKET}}), field
			)


class TestParameters(GuessCase):
	"""The parameters of Frappe's methods, of the version that is installed."""

	def calls(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
		for path, parameters in sorted(all_methods()):
			for parameter in parameters:
				if not (is_place(parameter) or parameter in ROWS or OF_FILTERS.search(parameter)):
					others = {
						name: SAMPLES[name] for name in parameters if name in SAMPLES and name != parameter
					}
					yield path, parameter, {**others, parameter: "Khalifa Message"}

	def test_no_other_parameter_leads_to_our_rows(self) -> None:
		"""Each gets the name of one, without the policy; whoever reads its table because of that,
		belongs into `places`.
		"""
		leading, tried = set(), 0
		with patch.object(method_policy, "check_request", lambda: None):
			for path, parameter, given in self.calls():
				tried += 1
				with counting() as made:
					self.as_(ALI).call_json(path, **given)
				# their condition names ours
				of_files = [statement for statement in made if "`tabFile`" in statement]
				if any("tabKhalifa Message`" in statement for statement in made if statement not in of_files):
					leading.add((path, parameter))
		self.assertEqual(leading, set())
		self.assertGreater(tried, 700)

	def test_every_parameter_that_is_called_after_a_doctype_is_a_place(self) -> None:
		names = {name for path, parameters in all_methods() for name in parameters}
		called = {
			name
			for name in names
			if "doctype" in name.lower() or name in ("dt", "reference_dt", "document_type")
		}
		self.assertGreater(len(called), 10)
		self.assertEqual({name for name in called if not is_place(name)}, set())
		self.assertIn("doctype", inspect.signature(frappe.client.get_list).parameters)
