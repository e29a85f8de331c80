"""Requests that have nothing to do with WhatsApp, by everybody, by whoever is signed in,
about files of others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import frappe

from khalifa_whatsapp.tests.case import HUDA, MONA
from khalifa_whatsapp.tests.web import Answer, Caller

TERMS = (
	"Khalifa Ticket",
	"WhatsApp Device",
	"khalifa message",
	"File",
	"tabKhalifa Ticket",
	"`tabKhalifa Message`",
)
NOTE = {"doctype": "Note", "public": 1}
Send = Callable[[Caller], Answer]


def get(path: str, **query: Any) -> Send:
	given = {key: value if isinstance(value, str) else json.dumps(value) for key, value in query.items()}
	return lambda who: who.send("GET", path, query_string=given)


def call(method: str, **given: Any) -> Send:
	return lambda who: who.call(method, **given)


def call_json(method: str, **given: Any) -> Send:
	return lambda who: who.call_json(method, **given)


def for_everybody() -> Iterator[Send]:
	"""Anybody's, a guest's too."""
	yield from (
		get(path)
		for path in ("/", "/about", "/login", "/no-such-page", "/api/method/ping", "/api/v2/method/ping")
	)
	yield from (
		get(path)
		for path in (f"/{MONA}", f"/api/resource/{MONA}", f"/api/v2/document/{MONA}", f"/api/method/{MONA}")
	)
	yield from (get(f"/api/method/{MONA}", **{key: "File"}) for key in ("x", "doctype", "cmd"))
	yield get(f"/api/v2/method/{MONA}", x="File")
	yield get(f"/api/resource/Note/{MONA}", x="File")
	for term in TERMS:
		yield from (
			get(path, q=term) for path in ("/", "/search", "/no-such-page", "/printview", "/app-of-others")
		)
		yield from (
			get("/api/method/ping", **{key: term})
			for key in ("x", "txt", "search", "name", "title", "redirect-to")
		)
		yield get("/", cmd="ping", x=term)
		yield get("/contact", subject=term)
		yield call(
			"frappe.www.contact.send_message", subject=term, message=term, sender="guest@other.example"
		)
		yield call("frappe.utils.global_search.web_search", text=term)
		yield call_json("ping", x={"title": term, "y": [term]})
		yield get("/api/resource/Note", filters=[["title", "=", term]])

	for method in frappe.get_hooks("override_whitelisted_methods"):
		if method.startswith("frappe."):
			yield call(method)


def for_those_signed_in() -> Iterator[Send]:
	"""Whoever has a desk: wrong arguments, our names as text, rows that are not there."""
	yield from of_wrong_kinds()
	for term in TERMS:
		yield from with_text(term)
	yield from of_rows()


def of_wrong_kinds() -> Iterator[Send]:
	for wrong in ({"a": 1}, [1], 5):
		tag = {"tag": "x", "dn": "none", "docs": ["none"], "tags": ["x"]}
		yield from (
			call_json(f"frappe.desk.doctype.tag.tag.{verb}", dt=wrong, **tag)
			for verb in ("add_tag", "add_tags", "remove_tag")
		)
		yield call_json("frappe.desk.doctype.tag.tag.get_tagged_docs", doctype=wrong, tag="x")
		yield call_json("frappe.desk.listview.get_group_by_count", doctype=wrong)
		yield call_json("frappe.core.api.file.zip_files", files=wrong)
		yield call_json("frappe.client.get_count", doctype=wrong, filters=wrong)


def with_text(term: str) -> Iterator[Send]:
	yield get(
		"/api/resource/Note",
		fields=["name", "title", "owner"],
		filters=[["Note", "title", "like", f"%{term}%"]],
	)
	yield get("/api/v2/document/Note", filters={"title": term})
	yield call(
		"frappe.client.get_list",
		doctype="Note",
		or_filters=[["title", "=", term], ["content", "like", term]],
	)
	yield call("frappe.client.get_count", doctype="Note", filters={"content": term})
	yield call(
		"frappe.client.get_value", doctype="Note", filters={"title": term}, fieldname=["name", "owner"]
	)
	yield call(
		"frappe.desk.reportview.get",
		doctype="Note",
		fields=["name", "owner"],
		filters=[["Note", "title", "=", term]],
	)
	yield call("frappe.desk.search.search_link", doctype="Note", txt=term)
	yield call("frappe.desk.search.search_widget", doctype="Note", txt=term, filters={"title": term})
	yield call("frappe.utils.global_search.search", text=term)
	yield call("frappe.desk.doctype.tag.tag.get_tags", doctype="Note", txt=term)
	yield call("frappe.client.validate_link", doctype="Note", docname=term)
	yield call("frappe.client.insert", doc={**NOTE, "title": term, "content": f"{term} and {MONA}"})
	yield call("frappe.client.insert", doc={**NOTE, "title": term, "content": json.dumps({"doctype": term})})
	yield call_json("frappe.client.insert", doc={**NOTE, "title": term, "content": term})
	yield lambda who: who.send("POST", "/api/resource/Note", json={"title": term, "content": term})
	yield lambda who: who.send("POST", "/api/resource/Note", data={"data": json.dumps({"title": term})})
	yield call(
		"frappe.desk.form.save.savedocs",
		doc={**NOTE, "__islocal": 1, "title": term, "content": MONA},
		action="Save",
	)
	yield call("frappe.client.insert", doc={"doctype": "ToDo", "description": term, "color": term})
	yield call(
		"frappe.client.set_value", doctype="Note", name="none", fieldname={"title": term, "content": term}
	)


def of_rows() -> Iterator[Send]:
	yield from (
		call("frappe.client.get_count", doctype=doctype)
		for doctype in ("Role", "Error Log", "User", "No Such", "")
	)
	yield call("frappe.client.get_count")
	yield call("frappe.client.get_count", doctype="ToDo", filters={"no_such": 1})
	yield get("/api/v2/doctype/Role/count")
	yield call("frappe.client.get", doctype="User", name=MONA)
	yield call("frappe.client.get", doctype="Note", filters={"title": "none"})
	yield call("frappe.client.validate_link", doctype="User", docname=MONA)
	yield call("frappe.desk.search.get_link_title", doctype="User", docname=MONA)
	yield call("frappe.desk.search.search_link", doctype="User", txt="m0na")
	yield call("frappe.desk.like.toggle_like", doctype="User", name=MONA, add="Yes")
	yield call("frappe.desk.like.toggle_like", doctype="User", name=MONA, add="No")
	yield call("frappe.desk.like.toggle_like", doctype="User", name="none@other.example", add="Yes")
	yield call(
		"frappe.desk.listview.get_group_by_count", doctype="ToDo", current_filters="[]", field="assigned_to"
	)
	yield call("frappe.desk.form.utils.get_next", doctype="ToDo", value="none", prev=0)
	yield call("frappe.desk.doctype.tag.tag.add_tags", tags=["x"], dt="ToDo", docs=["none"])
	yield call("frappe.desk.doctype.tag.tag.get_tagged_docs", doctype="ToDo", tag="x")
	yield call(
		"frappe.desk.reportview.export_query",
		doctype="Note",
		fields=["name"],
		file_format_type="CSV",
		title="x",
	)


def for_files(file: str) -> Iterator[Send]:
	"""Of others' Files, who brought them is no secret of ours."""
	for fields in (
		["name", "owner"],
		["*"],
		["owner as x"],
		["max(owner) as x"],
		["count(name) as x", "owner"],
	):
		yield get("/api/resource/File", fields=fields, filters=[["name", "=", file]])
		yield call(
			"frappe.desk.reportview.get", doctype="File", fields=fields, filters=[["File", "name", "=", file]]
		)
	yield get("/api/resource/File", fields=["name", "owner"], filters={"owner": HUDA}, order_by="owner")
	yield get(
		"/api/resource/File", fields=["owner", "count(name) as n"], group_by="owner", filters={"name": file}
	)
	yield get(f"/api/resource/File/{file}")
	yield get(f"/api/v2/document/File/{file}")
	yield call("frappe.client.get", doctype="File", name=file)
	yield call(
		"frappe.client.get_value", doctype="File", filters={"name": file}, fieldname=["owner", "modified_by"]
	)
	yield call("frappe.client.get_count", doctype="File", filters={"name": file})
	yield call("frappe.client.get_count", doctype="File", filters=[["File", "owner", "=", HUDA]])
	yield call("frappe.client.validate_link", doctype="File", docname=file, fields=["file_name", "owner"])
	yield call("frappe.desk.form.load.getdoc", doctype="File", name=file)
	yield call(
		"frappe.desk.search.search_link",
		doctype="File",
		txt="",
		ignore_user_permissions=1,
		filters={"name": file},
	)
