"""The gate before Frappe's general doors, for whoever is no manager.

Frappe has some five hundred methods that anybody who is signed in may call. Many take the name of a DocType, and
several of those read its rows without asking for a right, or take conditions where they expect a row's name, and
so answer guesses. Which do, changes with every version. So a request that speaks of one of our DocTypes goes
through if its method is written here, and `tests/test_guesses.py` knocks at every door that there is.

What is executed counts, not the path that was asked for: a path may lead to a method by another module's import.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import frappe
from frappe import _
from frappe.api import API_URL_MAP
from frappe.handler import get_attr
from frappe.modules.utils import load_doctype_module
from werkzeug.exceptions import HTTPException

from khalifa_whatsapp.access.logins import hide_logins_in_answer
from khalifa_whatsapp.guards import current_actor, refuse
from khalifa_whatsapp.permissions import GUARDED

APP = "khalifa_whatsapp."
RUN, UPLOAD = "frappe.handler.run_doc_method", "frappe.handler.upload_file"
REST = "REST"
# They ask for the right to each row, or answer about the DocType alone. Never the original of an override
DOORS = frozenset(
	{
		"frappe.client.delete",
		"frappe.client.get_doc_permissions",
		"frappe.client.get_list",
		"frappe.client.get_value",
		"frappe.client.has_permission",
		"frappe.client.insert",
		"frappe.client.save",
		"frappe.client.set_value",
		"frappe.core.api.file.get_attached_images",
		"frappe.desk.doctype.dashboard_chart.dashboard_chart.get",
		"frappe.desk.doctype.kanban_board.kanban_board.get_kanban_boards",
		"frappe.desk.doctype.list_view_settings.list_view_settings.get_default_listview_fields",
		"frappe.desk.doctype.number_card.number_card.get_percentage_difference",
		"frappe.desk.doctype.number_card.number_card.get_result",
		"frappe.desk.doctype.tag.tag.get_tags",
		"frappe.desk.form.document_follow.follow_document",
		"frappe.desk.form.document_follow.unfollow_document",
		"frappe.desk.form.document_follow.update_follow",
		"frappe.desk.form.linked_with.get",
		"frappe.desk.form.linked_with.get_linked_doctypes",
		"frappe.desk.form.load.get_communications",
		"frappe.desk.form.load.get_docinfo",
		"frappe.desk.form.load.getdoc",
		"frappe.desk.form.load.getdoctype",
		"frappe.desk.form.save.savedocs",
		"frappe.desk.form.utils.add_comment",
		"frappe.desk.link_preview.get_preview_data",
		"frappe.desk.listview.get_list_settings",
		"frappe.desk.notifications.get_open_count",
		"frappe.desk.reportview.delete_items",
		"frappe.desk.reportview.get",
		"frappe.desk.reportview.get_count",
		"frappe.desk.reportview.get_list",
		"frappe.desk.reportview.get_sidebar_stats",
		"frappe.desk.reportview.get_stats",
		RUN,
		UPLOAD,
		REST,
		"frappe.model.utils.user_settings.get",
		"frappe.model.utils.user_settings.save",
		"frappe.realtime.can_subscribe_doc",
		"frappe.realtime.can_subscribe_doctype",
	}
)
# They take a whole row, of whatever DocType
WRITING = frozenset(
	{
		"frappe.client.insert",
		"frappe.client.save",
		"frappe.client.set_value",
		"frappe.desk.form.save.savedocs",
		RUN,
	}
)
# Other DocTypes whose rows may name one of ours: they have guards of their own, or only the browser reads them
HANGERS = frozenset({"File", "List Filter"})
NAMES = frozenset(name.casefold() for name in GUARDED)
TABLE = re.compile("tab(?:" + "|".join(sorted(map(re.escape, NAMES))) + ")", re.IGNORECASE)
CONDITIONS = frozenset({"filters", "or_filters", "current_filters", "applied_filters", "filters_json"})
# What else may be an object or a list of lists. The name of a row never is
OBJECTS = CONDITIONS | {
	"args", "chart", "data", "doc", "docs", "document", "fieldname", "fields", "kwargs", "user_settings", "value", "values",
}  # fmt: skip
IN_URL = ""  # the key under which a DocType that stands in the URL is looked at


def check_request() -> None:
	"""Let nobody but managers ask about our rows where Frappe would answer guesses."""
	given = dict(frappe.form_dict)
	if _is_elsewhere(given):
		return
	method, doctype = _asked(given)
	if method == REST:
		given.update(_body(given))
	if doctype:
		given[IN_URL] = doctype
	values = [value for value in _values(given) if isinstance(value, str)]
	is_about_us = any(map(_is_ours, values))
	if not (is_about_us or "File" in values) or current_actor().is_manager:
		return
	hide_logins_in_answer()  # files, too, belong to whoever sent them
	if not is_about_us:
		return
	if not _is_open(method, given) or _asks_by_conditions(given) or _hangs_on_ours(method, given):
		refuse(_("This is not for agents. The inbox and the lists of WhatsApp show what is yours."))


def _is_elsewhere(given: dict[str, Any]) -> bool:
	"""Pages of Desk and our own doors, which Frappe takes for such only if there is no `cmd`."""
	return not given.get("cmd") and frappe.request.path.startswith(("/app", f"/api/method/{APP}api."))


def _asked(given: dict[str, Any]) -> tuple[str | None, str | None]:
	"""The method that Frappe will execute, or REST, and the DocType that stands in the URL."""
	if cmd := given.get("cmd"):
		return _place_of(cmd), None
	try:
		endpoint, arguments = API_URL_MAP.bind_to_environ(frappe.request.environ).match()
	except HTTPException:
		return None, None
	doctype, method = arguments.get("doctype"), arguments.get("method")
	if endpoint.__name__ == "handle_rpc_call":
		module = f"{load_doctype_module(doctype).__name__}." if doctype else ""
		return _place_of(module + method.split("/")[0]), doctype
	return {"upload_file": UPLOAD, "<lambda>": RUN}.get(endpoint.__name__, REST), doctype


def _body(given: dict[str, Any]) -> dict[str, Any]:
	"""What REST takes for a row's values: JSON, by whatever content type it was sent."""
	body = _opened(given.get("data") or frappe.request.get_data(as_text=True))
	return body if isinstance(body, dict) else {}


def _place_of(path: Any) -> str | None:
	"""Where the function stands that this path leads to, overrides and imports included."""
	overrides = frappe.get_hooks("override_whitelisted_methods", {})
	try:
		method = get_attr((overrides.get(path) or [path])[-1])
		return f"{method.__module__}.{method.__qualname__}"
	except (AttributeError, ImportError, KeyError, TypeError, ValueError, frappe.AppNotInstalledError):
		return None  # Frappe will say so


def _is_open(method: str | None, given: dict[str, Any]) -> bool:
	called = given.get("query") or APP  # a method that a link search calls in its turn
	return method is not None and (method in DOORS or method.startswith(APP)) and str(called).startswith(APP)


def _asks_by_conditions(given: dict[str, Any]) -> bool:
	"""Whether an object, or a list of lists, stands where a row of ours should be named."""
	return any(
		key not in OBJECTS and not key.startswith("__") and _is_structured(_opened(value))
		for node in _objects(given)
		if any(map(_is_ours, node.values()))
		for key, value in node.items()
	)


def _is_structured(value: Any) -> bool:
	inner = value if isinstance(value, list) else ()
	return isinstance(value, dict) or any(isinstance(item, dict | list) for item in inner)


def _hangs_on_ours(method: str | None, given: dict[str, Any]) -> bool:
	"""Whether a row of another DocType is written that names ours: boards and the like ask about it later."""
	if method not in WRITING and not (method == REST and frappe.request.method != "GET"):
		return False
	return any(_is_of_others(node) and any(map(_is_ours, node.values())) for node in _objects(given))


def _is_of_others(node: dict[str, Any]) -> bool:
	named = [node[key] for key in (IN_URL, "doctype", "dt") if node.get(key)]
	return any(not _is_ours(name) and name not in HANGERS for name in named)


def _is_ours(value: Any) -> bool:
	return isinstance(value, str) and (value.strip().casefold() in NAMES or bool(TABLE.search(value)))


def _objects(value: Any) -> Iterator[dict[str, Any]]:
	"""The objects in it, without those that are conditions."""
	value = _opened(value)
	if isinstance(value, dict):
		yield value
		inner = [held for key, held in value.items() if key not in CONDITIONS]
	else:
		inner = value if isinstance(value, list) else []
	for held in inner:
		yield from _objects(held)


def _values(value: Any) -> Iterator[Any]:
	"""Everything in it, keys too."""
	value = _opened(value)
	yield value
	if isinstance(value, dict):
		yield from value
	if isinstance(value, dict | list):
		for held in value.values() if isinstance(value, dict) else value:
			yield from _values(held)


def _opened(value: Any) -> Any:
	"""What is JSON, as the methods of Frappe would read it."""
	if not isinstance(value, str) or not value.lstrip().startswith(("{", "[", '"')):
		return value
	try:
		return json.loads(value)
	except (ValueError, RecursionError):
		return value
