"""Rows of Frappe that hang on records of ours, one of each kind, and every way to read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import frappe
from frappe.permissions import setup_custom_perms
from frappe.utils.password import update_password

from khalifa_whatsapp.access import attached_rows, queries
from khalifa_whatsapp.access.attachable import ATTACHABLE, Ref
from khalifa_whatsapp.tests.case import ALI, HUDA, PASSWORD, SiteCase
from khalifa_whatsapp.tests.records import make_conversation, make_user
from khalifa_whatsapp.tests.web import Answer, Caller

CLERK, ROLE = "kw-reader@example.com", "Kw Reader"
HERS, HIS = "KT-820001", "KT-820002"
# What says how DocTypes look and work, and names no record; and logs that only Frappe's own pages write and
# read
DEFINITIONS = {
	"Assignment Rule",
	"Bulk Update",
	"Client Script",
	"Custom Field",
	"Custom Role",
	"Customize Form",
	"Data Export",
	"Desktop Icon",
	"DocType",
	"DocType Layout",
	"Document Naming Rule",
	"Email Account",
	"Energy Point Rule",
	"Form Tour",
	"Milestone Tracker",
	"Notification",
	"Onboarding Step",
	"Permission Inspector",
	"Audit Trail",
	"Print Format",
	"Print Format Field Template",
	"Property Setter",
	"Role Permission for Page and Report",
	"Scheduler Event",
	"Server Script",
	"Success Action",
	"Translation",
	"User Type",
	"Web Form",
	"Webhook",
	"Workflow",
}
QUIET = {
	"Email Queue": {"status": "Sent"},
	"Webhook": {"enabled": 0},
	"Auto Repeat": {"disabled": 1},
	"Event": {"event_type": "Public"},
	"File": {"is_private": 1},
}
RIGHTS = dict.fromkeys(("read", "write", "create", "delete", "export", "print", "report", "share"), 1)
Route = Callable[[Caller, str, str], Answer]


def call(method: str, **fixed: Any) -> Route:
	def go(who: Caller, doctype: str, name: str) -> Answer:
		return who.call(
			f"frappe.{method}", **json.loads(json.dumps(fixed).replace("$dt", doctype).replace("$name", name))
		)

	return go


def get(path: str, **query: str) -> Route:
	def go(who: Caller, doctype: str, name: str) -> Answer:
		given = {key: value.replace("$dt", doctype).replace("$name", name) for key, value in query.items()}
		return who.send("GET", path.replace("$dt", doctype).replace("$name", name), query_string=given)

	return go


OF_OURS = '[["name", "like", "kw-%"]]'
LISTS = {
	"rest": get("/api/resource/$dt", filters=OF_OURS, limit_page_length="100"),
	"rest v2": get("/api/v2/document/$dt", filters=OF_OURS, limit="100"),
	"all of rest": get("/api/resource/$dt", filters=OF_OURS, limit_page_length="0"),
	"get_list": call(
		"client.get_list", doctype="$dt", filters=[["name", "like", "kw-%"]], limit_page_length=100
	),
	"report view": call(
		"desk.reportview.get",
		doctype="$dt",
		fields=["name"],
		filters=[["$dt", "name", "like", "kw-%"]],
		page_length=100,
	),
	"list view": call(
		"desk.reportview.get_list",
		doctype="$dt",
		fields=["name"],
		filters=[["$dt", "name", "like", "kw-%"]],
		page_length=100,
	),
	"search": call("desk.search.search_link", doctype="$dt", txt="kw-", page_length=100),
	"search of all": call(
		"desk.search.search_widget", doctype="$dt", txt="kw-", page_length=100, ignore_user_permissions=1
	),
	"export": call(
		"desk.reportview.export_query",
		doctype="$dt",
		fields=["`tab$dt`.`name`"],
		filters=[["$dt", "name", "like", "kw-%"]],
		file_format_type="CSV",
		title="x",
		view="Report",
	),
}
ROWS = {
	"rest": get("/api/resource/$dt/$name"),
	"rest v2": get("/api/v2/document/$dt/$name"),
	"get": call("client.get", doctype="$dt", name="$name"),
	"value": call("client.get_value", doctype="$dt", filters="$name", fieldname=["name", "owner"]),
	"form": call("desk.form.load.getdoc", doctype="$dt", name="$name"),
	"print": call("www.printview.get_html_and_style", doc="$dt", name="$name"),
}
COUNTS = {
	"count": call("client.get_count", doctype="$dt", filters=[["$dt", "name", "=", "$name"]]),
	"report view": call(
		"desk.reportview.get_count",
		doctype="$dt",
		filters=[["$dt", "name", "=", "$name"]],
		fields=[],
		distinct="false",
	),
	"rest v2": get("/api/v2/doctype/$dt/count", filters='[["name", "=", "$name"]]'),
}


def tables() -> dict[str, str]:
	"""The DocTypes of Frappe whose rows can name a record, or a DocType."""
	kind_by_table = {}
	for name in frappe.get_all(
		"DocType", {"module": ("in", modules_of_frappe()), "is_virtual": 0}, pluck="name"
	):
		meta = frappe.get_meta(name)
		kinds = [df.fieldname for df in meta.get_link_fields() if df.options in ("DocType", "Report")]
		if (
			kinds
			or meta.get_dynamic_link_fields()
			or any(meta.has_field(f) for f in ("deleted_doctype", "export_from"))
		):
			kind_by_table[name] = "child" if meta.istable else "single" if meta.issingle else ""
	return kind_by_table


def modules_of_frappe() -> list[str]:
	return frappe.get_all("Module Def", {"app_name": "frappe"}, pluck="name")


@contextmanager
def without_hooks() -> Iterator[None]:
	"""As if the app hung no condition on these DocTypes."""
	with (
		patch.object(attached_rows, "query_conditions", lambda *given, **more: ""),
		patch.object(attached_rows, "has_permission", lambda *given, **more: None),
		patch.dict(queries.RULES, clear=True),
	):
		yield


class AttachedRowsCase(SiteCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.addClassCleanup(cls.take_back)
		frappe.get_doc({"doctype": "Role", "role_name": ROLE}).insert(ignore_if_duplicate=True)
		for doctype in (*cls.with_rights(), "Contact"):
			setup_custom_perms(doctype)
			cls.insert(
				"Custom DocPerm",
				{"name": f"kw-{frappe.scrub(doctype)}", "parent": doctype, "role": ROLE, **RIGHTS},
			)
		make_user(CLERK, "Reader")
		update_password(CLERK, PASSWORD)
		for user in (CLERK, ALI, HUDA):
			frappe.get_doc("User", user).add_roles(ROLE)
		frappe.db.commit()
		frappe.clear_cache()

	@staticmethod
	def with_rights() -> list[str]:
		return [name for name in ATTACHABLE if not frappe.get_meta(name).istable]

	@classmethod
	def take_back(cls) -> None:
		frappe.db.rollback()
		frappe.db.delete("Custom DocPerm", {"parent": ("in", [*ATTACHABLE, "Contact"])})
		frappe.db.delete("Has Role", {"role": ROLE})
		frappe.delete_doc("User", CLERK, force=True)
		frappe.delete_doc("Role", ROLE, force=True)
		frappe.db.commit()
		frappe.clear_cache()

	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(self.clear_rows)
		make_conversation(HERS, self.mona, "x")
		make_conversation(HIS, self.ali, "x")
		for doctype in ATTACHABLE:
			for kind in ("hers", "his", "else"):
				self.attach(doctype, kind)
		frappe.db.commit()

	def clear_rows(self) -> None:
		frappe.db.rollback()
		for doctype in {*ATTACHABLE, "Webhook"}:
			frappe.db.delete(doctype, {"name": ("like", "kw-%")})
		frappe.db.commit()

	def attach(self, doctype: str, kind: str, ref: Ref | None = None, **more: Any) -> str:
		"""A row on Mona's ticket, on Ali's, or on something else, by one of its references."""
		name, ref = f"kw-{kind}-{frappe.scrub(doctype)}", ref or next(attached_rows._refs(doctype))
		record = {"hers": HERS, "his": HIS}.get(kind, "Guest")
		named = {ref.doctype: "User" if kind == "else" else "Khalifa Ticket"} | (
			{ref.name: record} if ref.name else {}
		)
		values = {"name": name, **QUIET.get(doctype, {})}
		if not ref.through:
			values |= named
		elif ref.through.out == "parent":
			(field,) = (
				df.fieldname
				for df in frappe.get_meta(doctype).get_table_fields()
				if df.options == ref.through.doctype
			)
			part = {"name": f"{name}-part", "parent": name, "parenttype": doctype, "parentfield": field}
			self.insert(ref.through.doctype, part | named)
		else:
			other = {
				"name": f"kw-{kind}-{frappe.scrub(ref.through.doctype)}",
				**QUIET.get(ref.through.doctype, {}),
				**named,
			}
			self.insert(ref.through.doctype, other)
			values |= {ref.through.column: other["name"]} | dict(
				[ref.through.kind] if ref.through.kind else []
			)
		if ref.own:
			values[ref.own] = HUDA
		return self.insert(doctype, values | more)

	@staticmethod
	def insert(doctype: str, values: dict[str, Any]) -> str:
		frappe.db.delete(doctype, {"name": values["name"]})
		row = {
			"owner": HUDA,
			"modified_by": HUDA,
			"creation": frappe.utils.now(),
			"modified": frappe.utils.now(),
			**values,
		}
		frappe.db.bulk_insert(doctype, list(row), [list(row.values())])
		return values["name"]

	def may_read(self, user: str, doctype: str, kind: str) -> bool:
		"""By what the row hangs on; Frappe may have a rule of its own beside."""
		ref = next(attached_rows._refs(doctype))
		if kind == "else" or user == HUDA:
			return True
		return user == ALI and not ref.own and (not ref.name or kind == "his")
