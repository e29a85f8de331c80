"""Parameters of REST, of both versions: none shows an agent more than the own rows,
whatever Frappe makes of it.
"""

from __future__ import annotations

import json

import frappe

from khalifa_whatsapp.tests.case import ALI, HUDA
from khalifa_whatsapp.tests.test_guesses import RIGHT, SECRETS, GuessCase

# Parameters of REST, each with what it can be given
OF_REST = (
	("expand_links", ("1", "true", "True", "yes")),
	("parent", ("Khalifa Ticket", "WhatsApp Device", "User")),
	("debug", ("1", "true")),
	("as_dict", ("0", "1", "false")),
	("limit", ("0", "1000", "5,5")),
	("limit_start", ("0", "1", "0 union select 1")),
	("start", ("0", "1")),
	("limit_page_length", ("0", "1000")),
	("group_by", ("name", "owner", "agent", "`tabKhalifa Ticket`.closed_by")),
	("order_by", ("name asc", "owner desc", "`tabWhatsApp Device`.name asc")),
	("or_filters", ('[["name", "like", "%"]]', '{"owner": ["like", "%"]}')),
	(
		"filters",
		(
			'[["name", "like", "%"]]',
			'[["Khalifa Agent", "user", "like", "m0na%"]]',
			'{"customer.phone": ["like", "%"]}',
		),
	),
	(
		"run_method",
		(
			"as_dict",
			"get_title",
			"reload",
			"load_from_db",
			"save",
			"get_password",
			"apply_fieldlevel_read_permissions",
		),
	),
	("doctype", ("WhatsApp Device", "Khalifa Agent")),
	("distinct", ("1",)),
	("with_childnames", ("1",)),
	("ignore_permissions", ("1",)),
	("user", (HUDA, "Administrator")),
	("cmd", ("frappe.client.get_password", "frappe.client.get_list")),
	("name", ("%",)),
	("as_list", ("1",)),
	("pluck", ("owner",)),
	("join", ("left join",)),
	("strict", ("0",)),
	("reference_doctype", ("WhatsApp Device",)),
	("for_update", ("1",)),
	("with_comment_count", ("1",)),
	("ignore_fields", ("1",)),
	("copy", ("1",)),
	("flags", ('{"ignore_permissions": true}',)),
)


class TestRestParameters(GuessCase):
	def own_rows(self) -> dict[str, str]:
		ticket = self.handed_over()
		message = frappe.get_all("Khalifa Message", {"ticket": ticket}, pluck="name")[0]
		customer = frappe.db.get_value("Khalifa Ticket", ticket, "customer")
		return {
			"Khalifa Ticket": ticket,
			"Khalifa Message": message,
			"Khalifa Customer": customer,
			"Khalifa Agent": self.ali,
		}

	def test_no_parameter_of_rest_shows_more_than_ones_own_row(self) -> None:
		"""On one's own rows, on lists, and on others', in both versions of REST."""
		frappe.db.set_value("Khalifa Agent", self.mona, "branch", f"{RIGHT} words", update_modified=False)
		frappe.db.commit()
		tried = 0
		for doctype, own in self.own_rows().items():
			links = [
				df.fieldname
				for df in frappe.get_meta(doctype).fields
				if df.fieldtype in ("Link", "Dynamic Link")
			]
			for key, values in (*OF_REST, ("expand", (json.dumps(links), json.dumps(["*"]), links))):
				for value in values:
					for path in (
						f"resource/{doctype}",
						f"resource/{doctype}/{own}",
						f"resource/{doctype}/{self.rows[doctype]}",
					):
						for version in ("", "v1/", "v2/"):
							path_of = path.replace("resource", "document") if version == "v2/" else path
							answer = self.as_(ALI).send(
								"GET",
								f"/api/{version}{path_of}",
								query_string={key: value, "fields": '["*"]'},
							)
							tried += 1
							text = answer.raw.decode("utf-8", "replace")
							for term in (
								*SECRETS,
								HUDA,
								"verify_token",
								"app_secret",
								"webhook_secret_digest",
							):
								self.assertNotIn(term, text, (path_of, key, value))
		self.assertGreater(tried, 500)

	def test_links_are_not_followed_from_ours_nor_into_ours(self) -> None:
		own = self.own_rows()["Khalifa Ticket"]
		for key, value in (("expand_links", "1"), ("expand_links", "true"), ("expand", '["customer"]')):
			for path in (f"/api/resource/Khalifa Ticket/{own}", "/api/resource/Khalifa Ticket"):
				self.closed(self.as_(ALI).send("GET", path, query_string={key: value}))
				self.assertEqual(self.as_(HUDA).send("GET", path, query_string={key: value}).status, 200)
		self.closed(
			self.as_(ALI).call("frappe.client.get_list", doctype="Khalifa Message", expand=["ticket"])
		)
		for switch in ({"expand_links": "0"}, {"expand_links": "false"}, {"expand": "[]"}):
			answer = self.as_(ALI).send("GET", f"/api/resource/Khalifa Ticket/{own}", query_string=switch)
			self.assertEqual(answer.status, 200, switch)
		todo, asked = self.own_todo(), {"expand_links": "1"}
		self.assertEqual(
			self.as_(ALI).send("GET", f"/api/resource/ToDo/{todo}", query_string=asked).status, 200
		)
		frappe.db.set_value(
			"ToDo",
			todo,
			{"reference_type": "Khalifa Message", "reference_name": self.rows["Khalifa Message"]},
		)
		frappe.db.commit()
		self.closed(self.as_(ALI).send("GET", f"/api/resource/ToDo/{todo}", query_string=asked))
