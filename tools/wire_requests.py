"""The requests that `wire_compare` sends, and who sends them. Pure data: the same list for both sites."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

PASSWORD = "wire-Compare-1"
COLLEAGUE = "colleague@wire.example"
AGENT = "agent@wire.example"
# An agent's own page, workspace, and a card on it
MORE = (("/app/note",), ("get_workspace_sidebar_items",), ("get_next", "Number Card"))
VISITOR = "visitor@wire.example"
# Who is on both sites, with which roles: none of the app's. The agent has the app's role where the app is
PEOPLE: dict[str, tuple[str, ...]] = {
	"Guest": (),
	VISITOR: (),
	"clerk@wire.example": (),
	"editor@wire.example": ("Website Manager", "Blogger", "Report Manager", "Inbox User"),
	AGENT: ("Website Manager",),
}
TERMS = (
	"Khalifa Ticket",
	"WhatsApp Device",
	"khalifa message",
	"File",
	"tabKhalifa Ticket",
	"`tabKhalifa Message`",
)
# Rows of others, by DocType: wire_rows.py makes them
ROWS = {
	"Activity Log": "wr-activity",
	"Comment": "wr-comment",
	"Communication": "wr-communication",
	"Contact": "wr-contact",
	"DocShare": "wr-share",
	"Document Follow": "wr-follow",
	"Error Log": "wr-error",
	"Event": "wr-event",
	"File": "wr-file",
	"Kanban Board": "wr-board",
	"List Filter": "wr-filter",
	"Note": "wr-note",
	"Notification Log": "wr-notice",
	"Number Card": "wr-card",
	"Prepared Report": "wr-prepared",
	"Tag Link": "wr-taglink",
	"ToDo": "wr-todo",
	"User": COLLEAGUE,
	"Version": "wr-version",
	"View Log": "wr-view",
	"Web Page": "wr-page",
	"Blog Category": "wr-category",
	"Web Form": "wr-form",
	"Report": "ToDo",
	"Role": "Blogger",
	"Language": "ar",
	"Currency": "EGP",
	"Country": "Egypt",
}
# DocTypes in whose rows the app has its own, as every app: names that are not its own are compared
WITH_OURS = ("Number Card", "Report", "Role")


# Methods of Frappe in whose place the app's stand: they refuse, and complain of arguments, in the same words
REPLACED = (
	"frappe.client.get",
	"frappe.client.get_count",
	"frappe.client.validate_link",
	"frappe.core.api.file.zip_files",
	"frappe.core.doctype.data_export.exporter.export_data",
	"frappe.core.doctype.data_import.data_import.download_errored_template",
	"frappe.core.doctype.data_import.data_import.download_import_log",
	"frappe.core.doctype.data_import.data_import.download_template",
	"frappe.core.doctype.file.file.zip_files",
	"frappe.desk.doctype.event.event.get_events",
	"frappe.desk.doctype.tag.tag.add_tag",
	"frappe.desk.doctype.tag.tag.add_tags",
	"frappe.desk.doctype.tag.tag.get_tagged_docs",
	"frappe.desk.doctype.tag.tag.remove_tag",
	"frappe.desk.form.utils.get_next",
	"frappe.desk.like.toggle_like",
	"frappe.desk.listview.get_group_by_count",
	"frappe.desk.query_report.export_query",
	"frappe.desk.reportview.export_query",
	"frappe.desk.search.get_link_title",
	"frappe.desk.search.search_link",
	"frappe.desk.search.search_widget",
	"frappe.realtime.can_subscribe_doc",
	"frappe.realtime.can_subscribe_doctype",
	"frappe.utils.global_search.search",
)


class Ask(NamedTuple):
	"""One request.

	`query` and `form` hold texts, or what is sent as JSON; `upload`: name and content of a file.
	"""

	http: str
	path: str
	query: dict[str, Any] | None = None
	form: dict[str, Any] | None = None
	json: Any = None
	upload: tuple[str, str] | None = None

	def encoded(self) -> tuple[str, bytes | None, dict[str, str]]:
		path = quote(self.path, safe="/@%") + (f"?{urlencode(as_texts(self.query))}" if self.query else "")
		if self.json is not None:
			return path, json.dumps(self.json).encode(), {"Content-Type": "application/json"}
		if self.upload:
			return path, *_multipart(as_texts(self.form or {}), *self.upload)
		if self.form is None:
			return path, None, {}
		return (
			path,
			urlencode(as_texts(self.form)).encode(),
			{"Content-Type": "application/x-www-form-urlencoded"},
		)

	def __str__(self) -> str:
		return (
			f"{self.http} {self.path} "
			f"{json.dumps(self.query or self.form or self.json, ensure_ascii=False)[:200]}"
		)


def as_texts(given: dict[str, Any]) -> dict[str, str]:
	return {key: held if isinstance(held, str) else json.dumps(held) for key, held in given.items()}


def _multipart(form: dict[str, str], name: str, content: str) -> tuple[bytes, dict[str, str]]:
	parts = [
		f'--wire\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{held}\r\n'
		for key, held in form.items()
	]
	parts.append(
		'--wire\r\nContent-Disposition: form-data; name="file"; '
		f'filename="{name}"\r\n\r\n{content}\r\n--wire--\r\n'
	)
	return "".join(parts).encode(), {"Content-Type": "multipart/form-data; boundary=wire"}


def get(path: str, /, **query: Any) -> Ask:
	return Ask("GET", path, query)


def call(method: str, /, **form: Any) -> Ask:
	return Ask("POST", f"/api/method/{method}", form=form)


def requests_of(user: str) -> Iterator[Ask]:
	"""All of this person's. An agent's without those in which he or she has something more there."""
	return (
		ask
		for ask in _all_of(user)
		if user != AGENT or not any(all(term in str(ask) for term in terms) for terms in MORE)
	)


def _all_of(user: str) -> Iterator[Ask]:
	yield from pages()
	yield get("/app/note")
	yield from logins()
	yield from terms()
	yield from complaints()
	for doctype in ("Comment", "File", "Note", "Web Page", "User") if user in ("Guest", VISITOR) else ROWS:
		yield from reads(doctype, ROWS[doctype])
	if user == "Guest":
		return
	yield from files()
	yield from writes()
	yield from parameters()
	yield call("logout")
	yield get("/api/resource/ToDo")


def pages() -> Iterator[Ask]:
	for path in (
		"/",
		"/about",
		"/contact",
		"/login",
		"/me",
		"/search",
		"/blog",
		"/wr-page",
		"/wr-form",
		"/wr-form/new",
		"/robots.txt",
		"/sitemap.xml",
		"/website_script.js",
		"/no-such-page",
		"/no/such/page",
		"/printview",
		"/message",
		"/list",
		"/update-password",
		"/files/wr-file.txt",
		"/private/files/wr-private.txt",
		"/private/files/none.txt",
		"/third_party_apps",
		"/rss",
		"/apps",
		"/_test/none",
		"/api",
		"/api/",
		"/api/method",
		"/api/resource",
		"/api/v2",
		"/api/v3/method/ping",
	):
		yield get(path)
	yield from (Ask(http, "/api/method/ping") for http in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"))
	for path in (
		"/api/method/version",
		"/api/v2/method/ping",
		"/api/method/frappe.translate.get_app_translations",
		"/printview",
	):
		yield get(path, doctype="ToDo", name="wr-todo", lang="ar")
	yield call(
		"frappe.website.doctype.web_form.web_form.get_form_data", doctype="Note", web_form_name="wr-form"
	)
	yield call(
		"frappe.website.doctype.web_form.web_form.accept",
		web_form="wr-form",
		data={"title": "Khalifa Ticket", "content": "File"},
	)
	yield call("frappe.client.get_js", items=["x"])
	yield call(
		"frappe.core.doctype.user.user.sign_up",
		email="new@wire.example",
		full_name="WhatsApp Device",
		redirect_to="",
	)
	yield call("frappe.core.doctype.user.user.reset_password", user="none@wire.example")
	yield get("/api/method/frappe.auth.get_logged_user")


def logins() -> Iterator[Ask]:
	"""Whether somebody works here, and how he or she is called."""
	for login in (COLLEAGUE, AGENT, "nobody@wire.example"):
		for path in (
			"/{}",
			"/api/method/{}",
			"/api/resource/{}",
			"/api/resource/Note/{}",
			"/api/v2/method/{}",
			"/api/v2/document/{}",
			"/api/resource/User/{}",
		):
			yield get(path.format(login))
			yield from (
				get(path.format(login), **{key: term})
				for key in ("x", "doctype", "q")
				for term in ("File", "Note")
			)
		yield get("/api/method/ping", cmd=login, x="File")


def complaints() -> Iterator[Ask]:
	for method in REPLACED:
		for prefix in ("/api/method/", "/api/v2/method/"):
			yield Ask("POST", prefix + method, form={})
			yield get(prefix + method, x="1")
		yield Ask("POST", "/", form={"cmd": method})
		for value in ({"a": 1}, [1], 5, "none"):
			wrong = dict.fromkeys(
				(
					"doctype",
					"txt",
					"text",
					"name",
					"docname",
					"dt",
					"dn",
					"tag",
					"value",
					"files",
					"start",
					"end",
				),
				value,
			)
			yield Ask("POST", f"/api/method/{method}", json=wrong)


def terms() -> Iterator[Ask]:
	"""Our words where they mean nothing."""
	for term in TERMS:
		yield from (get(path, q=term) for path in ("/", "/search", "/about", "/no-such-page"))
		yield from (
			get("/api/method/ping", **{key: term})
			for key in ("x", "txt", "search", "title", "subject", "_lang", "redirect-to")
		)
		yield Ask("POST", "/", form={"cmd": "ping", "x": term})
		yield Ask("POST", "/api/method/ping", json={"x": {"title": term, "y": [term]}})
		yield call(
			"frappe.www.contact.send_message",
			subject=term,
			message=f"{term}, please",
			sender="guest@wire.example",
		)
		yield call("frappe.utils.global_search.web_search", text=term)
		yield call("frappe.utils.global_search.search", text=term)
		yield get("/api/resource/Note", filters=[["title", "=", term]])
		yield get(
			"/api/resource/Note",
			fields=["name", "title", "owner"],
			or_filters=[["title", "like", f"%{term}%"], ["content", "like", term]],
		)
		yield get("/api/v2/document/Note", filters={"title": term})
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
		yield call(
			"frappe.desk.search.search_widget", doctype="ToDo", txt=term, filters={"description": term}
		)
		yield call("frappe.client.validate_link", doctype="Note", docname=term)
		yield call("frappe.desk.doctype.tag.tag.get_tags", doctype="Note", txt=term)


def reads(doctype: str, name: str) -> Iterator[Ask]:
	"""A DocType of others and one of its rows, by every way."""
	others = (
		[
			["name", "not like", "%WhatsApp%"],
			["name", "not like", "%Khalifa%"],
			["name", "not like", "%Delay%"],
		]
		if doctype in WITH_OURS
		else []
	)
	others += (
		[["owner", "=", COLLEAGUE]] if doctype in (*WITH_OURS, "Activity Log") and doctype != "Role" else []
	)
	full = [[doctype, *part] for part in others]
	by_age = f"`tab{doctype}`.creation asc, `tab{doctype}`.name asc"  # most names are drawn
	listed = {"order_by": by_age, "filters": others, "limit_page_length": "50"}
	yield from (
		get(f"/api/resource/{doctype}", fields=fields, **listed)
		for fields in (["name", "owner"], ["*"], ["name", "owner as x", "modified_by"])
	)
	yield get(
		f"/api/resource/{doctype}",
		fields=["owner", "count(name) as n"],
		group_by="owner",
		filters=others,
		order_by="owner",
	)
	yield get(
		f"/api/v2/document/{doctype}", fields=["name", "owner"], filters=others, order_by=by_age, limit="50"
	)
	yield from (
		get(path)
		for path in (
			f"/api/resource/{doctype}/{name}",
			f"/api/v2/document/{doctype}/{name}",
			f"/api/resource/{doctype}/none",
		)
	)
	yield get(f"/api/v2/doctype/{doctype}/meta")
	yield get(f"/api/v2/doctype/{doctype}/count", filters=others)
	yield call("frappe.client.get_count", doctype=doctype, filters=others)
	yield call("frappe.client.get_count", doctype=doctype, filters=full)
	yield call("frappe.client.get_count", doctype=doctype, filters={"owner": COLLEAGUE, "name": name})
	yield call(
		"frappe.client.get_list",
		doctype=doctype,
		fields=["name"],
		filters=others,
		order_by=by_age,
		limit_page_length="0",
	)
	yield call("frappe.client.get", doctype=doctype, name=name)
	yield call("frappe.client.get", doctype=doctype, filters={"name": name})
	yield call(
		"frappe.client.get_value", doctype=doctype, filters={"name": name}, fieldname=["name", "owner"]
	)
	yield call("frappe.client.has_permission", doctype=doctype, docname=name, perm_type="read")
	yield call("frappe.client.get_doc_permissions", doctype=doctype, docname=name)
	yield call("frappe.client.validate_link", doctype=doctype, docname=name, fields=["owner"])
	yield from (
		call(f"frappe.desk.search.{verb}", doctype=doctype, txt=name[:4], page_length=20, filters=full)
		for verb in ("search_link", "search_widget")
	)
	yield call("frappe.desk.search.search_link", doctype=doctype, txt=name, ignore_user_permissions=1)
	yield call("frappe.desk.search.get_link_title", doctype=doctype, docname=name)
	view = {
		"doctype": doctype,
		"fields": [f"`tab{doctype}`.`name`", f"`tab{doctype}`.`owner`"],
		"filters": full,
		"order_by": by_age,
	}
	yield call("frappe.desk.reportview.get", **view, page_length=50, start=0, view="List")
	yield call("frappe.desk.reportview.get_list", **view, page_length=50)
	yield call("frappe.desk.reportview.get_count", doctype=doctype, fields=[], filters=full, distinct="false")
	yield call(
		"frappe.desk.reportview.get_count",
		doctype=doctype,
		fields=[],
		filters=full,
		distinct="false",
		limit=1001,
	)
	yield from (
		call("frappe.desk.reportview.export_query", **view, title="x", view="Report", file_format_type=kind)
		for kind in ("CSV",)
	)
	yield call(
		"frappe.desk.reportview.get_sidebar_stats", doctype=doctype, stats=["_user_tags"], filters=full
	)
	yield call(
		"frappe.desk.listview.get_group_by_count", doctype=doctype, current_filters=full, field="owner"
	)
	yield call("frappe.desk.listview.get_list_settings", doctype=doctype)
	yield call("frappe.desk.form.load.getdoc", doctype=doctype, name=name)
	yield call("frappe.desk.form.load.getdoctype", doctype=doctype, with_parent=1)
	yield call("frappe.desk.form.load.get_docinfo", doctype=doctype, name=name)
	yield call("frappe.desk.form.utils.get_next", doctype=doctype, value=name, prev=0, filters=[])
	if doctype in ("Contact", "Event"):  # nothing of ours links to
		yield call("frappe.desk.form.linked_with.get_linked_doctypes", doctype=doctype)
	yield call("frappe.desk.link_preview.get_preview_data", doctype=doctype, docname=name)
	yield call("frappe.realtime.can_subscribe_doctype", doctype=doctype)
	yield call("frappe.realtime.can_subscribe_doc", doctype=doctype, docname=name)
	yield call("frappe.realtime.has_permission", doctype=doctype, name=name)
	yield call("frappe.www.printview.get_html_and_style", doc=doctype, name=name)


def files() -> Iterator[Ask]:
	for private in (0, 1):
		yield Ask(
			"POST",
			"/api/method/upload_file",
			form={"is_private": private, "folder": "Home"},
			upload=(f"up{private}.txt", f"text {private}"),
		)
		yield Ask(
			"POST",
			"/api/method/upload_file",
			form={"is_private": private, "doctype": "Note", "docname": "wr-note"},
			upload=("عقد.txt", "نص"),
		)
	yield Ask(
		"POST", "/api/v2/method/upload_file", form={"is_private": 1}, upload=("Khalifa Ticket.txt", "x")
	)
	yield from (
		get("/api/method/frappe.utils.file_manager.download_file", file_url=url)
		for url in ("/files/wr-file.txt", "/private/files/wr-private.txt")
	)
	yield get("/api/method/download_file", file_url="/private/files/wr-private.txt")
	yield call("frappe.core.api.file.get_files_in_folder", folder="Home")
	yield call("frappe.core.api.file.get_files_by_search_text", text="wr-")
	yield call("frappe.core.api.file.zip_files", files=["wr-none"])
	yield call(
		"frappe.client.attach_file",
		filename="a.txt",
		filedata="x",
		doctype="Note",
		docname="wr-note",
		is_private=1,
	)
	yield call(
		"frappe.client.insert",
		doc={"doctype": "File", "file_name": "wr-again.txt", "file_url": "/files/wr-file.txt"},
	)
	yield call(
		"frappe.client.insert",
		doc={"doctype": "File", "file_name": "wr-claim.txt", "file_url": "/private/files/wr-private.txt"},
	)


def writes() -> Iterator[Ask]:
	"""Changes; the names that Frappe draws are not compared."""
	note = {"doctype": "Note", "public": 1}
	for term in TERMS:
		yield call("frappe.client.insert", doc={**note, "title": term, "content": f"{term} {COLLEAGUE}"})
		yield Ask(
			"POST",
			"/api/resource/Note",
			json={"title": f"{term} 2", "content": json.dumps({"doctype": term})},
		)
		yield Ask("POST", "/api/v2/document/Note", json={"title": f"{term} 3", "content": term})
		yield call(
			"frappe.desk.form.save.savedocs",
			doc={**note, "__islocal": 1, "title": f"{term} 4"},
			action="Save",
		)
		yield call(
			"frappe.client.insert", doc={"doctype": "ToDo", "description": term, "allocated_to": COLLEAGUE}
		)
		yield call("frappe.client.set_value", doctype="ToDo", name="wr-todo", fieldname={"description": term})
	yield Ask("PUT", "/api/resource/Note/wr-note", json={"content": "WhatsApp Device"})
	yield Ask("PUT", "/api/v2/document/Note/wr-note", json={"content": "tabKhalifa Ticket"})
	yield call(
		"frappe.client.save",
		doc={
			"doctype": "Web Page",
			"name": "wr-page",
			"title": "File",
			"route": "wr-page",
			"owner": COLLEAGUE,
			"content_type": "Rich Text",
		},
	)
	for doctype, name in (
		("Note", "wr-note"),
		("ToDo", "wr-todo"),
		("Event", "wr-event"),
		("Contact", "wr-contact"),
		("File", "wr-file"),
		("User", COLLEAGUE),
	):
		at = {"doctype": doctype, "name": name}
		yield from (call("frappe.desk.like.toggle_like", **at, add=add) for add in ("Yes", "No"))
		yield from (
			call(f"frappe.desk.doctype.tag.tag.{verb}", tag="wr-tag", dt=doctype, dn=name)
			for verb in ("add_tag", "remove_tag")
		)
		yield call("frappe.desk.doctype.tag.tag.add_tags", tags=["wr-tags"], dt=doctype, docs=[name])
		yield call("frappe.desk.doctype.tag.tag.get_tagged_docs", doctype=doctype, tag="wr-tags")
		yield call(
			"frappe.desk.form.utils.add_comment",
			reference_doctype=doctype,
			reference_name=name,
			content="File",
			comment_email="x@wire.example",
			comment_by="x",
		)
		yield call("frappe.desk.form.document_follow.follow_document", doctype=doctype, doc_name=name)
		yield call(
			"frappe.desk.form.document_follow.update_follow", doctype=doctype, doc_name=name, following=0
		)
		yield call(
			"frappe.desk.form.assign_to.add",
			doctype=doctype,
			name=name,
			assign_to=[COLLEAGUE],
			description="Khalifa Ticket",
		)
		yield call("frappe.desk.form.assign_to.remove", doctype=doctype, name=name, assign_to=COLLEAGUE)
		yield call("frappe.share.add", doctype=doctype, name=name, user=COLLEAGUE, read=1)
		yield call("frappe.desk.form.load.getdoc", **at)
		yield call(
			"frappe.core.doctype.communication.email.make",
			doctype=doctype,
			name=name,
			content="File",
			subject="WhatsApp Device",
			send_email=0,
		)
	yield call("frappe.desk.doctype.event.event.get_events", start="2030-01-01", end="2030-01-31")
	yield call("frappe.desk.doctype.notification_log.notification_log.get_notification_logs")
	yield call("frappe.desk.doctype.notification_log.notification_log.mark_all_as_read")
	yield call(
		"frappe.model.utils.user_settings.save",
		doctype="Note",
		user_settings={"List": {"filters": [["Note", "title", "=", "Khalifa Ticket"]]}},
	)
	yield call("frappe.model.utils.user_settings.get", doctype="Note")
	yield call("frappe.desk.query_report.run", report_name="ToDo", filters={})
	yield call("frappe.client.delete", doctype="Note", name="none")
	yield Ask("DELETE", "/api/resource/ToDo/none")
	yield call("frappe.client.get_count")
	yield call("frappe.client.get_count", doctype="ToDo", filters={"no_such": 1})
	yield call("frappe.client.get_count", doctype="No Such")
	yield call("run_doc_method", dt="ToDo", dn="wr-todo", method="as_dict")
	yield call("frappe.desk.desktop.get_workspace_sidebar_items")


def parameters() -> Iterator[Ask]:
	"""Of REST, of both versions."""
	for key, value in (
		("expand", ["owner"]),
		("expand_links", "1"),
		("parent", "File"),
		("as_dict", "0"),
		("limit", "1,1"),
		("limit_start", "1"),
		("order_by", "owner desc"),
		("group_by", "owner"),
		("or_filters", [["owner", "=", COLLEAGUE]]),
		("filters", {"owner": COLLEAGUE}),
		("run_method", "as_dict"),
		("distinct", "1"),
		("with_comment_count", "1"),
		("fields", ["allocated_to.full_name"]),
		("fields", ["count(*) as n"]),
	):
		for path in (
			"/api/resource/ToDo",
			"/api/resource/File",
			"/api/resource/ToDo/wr-todo",
			"/api/v2/document/ToDo",
			"/api/v2/document/File/wr-file",
		):
			yield get(path, **{key: value})
