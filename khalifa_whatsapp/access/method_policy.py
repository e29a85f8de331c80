"""The policy before Frappe's general methods, for whoever is no manager.

Frappe has some five hundred methods that anybody who is signed in may call. Many take the name of a DocType,
and several of those read its rows without asking for a right, or take conditions where they expect a row's
name, and so answer guesses. Which do, changes with every version. So a request that names one of our DocTypes
(`places` says where) goes through if its method is written here, and `tests/test_guesses.py` calls every
method that there is. All other requests are none of our business: they cost no query, and nothing of them
changes.

What is executed counts, not the path that was asked for: a path may lead to a method by another module's
import.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import frappe
from frappe import _
from frappe.api import API_URL_MAP
from frappe.auth import SAFE_HTTP_METHODS
from frappe.handler import get_attr
from frappe.modules.utils import load_doctype_module
from werkzeug.exceptions import HTTPException

from khalifa_whatsapp.access import logins
from khalifa_whatsapp.access.expansions import EXPAND_LINKS, is_wanted, leads_to_ours, refuse_expansion
from khalifa_whatsapp.access.places import (
	CONDITIONS,
	FILE,
	IN_PATH,
	IN_URL,
	OURS,
	is_name,
	is_ours,
	mentioned,
	named_in,
	names_ours,
	nodes,
	opened,
)
from khalifa_whatsapp.access.queries import guard_queries
from khalifa_whatsapp.core.doctypes import GUARDED
from khalifa_whatsapp.guards import is_agent, is_manager, refuse

# Here for requests, of whatever DocType; `permissions` does so for jobs, which pass no gate
guard_queries(GUARDED)

APP = "khalifa_whatsapp."
OWN = f"{APP}api."
TAKES_BODIES = ("/api/resource/", "/api/v1/resource/")
RUN, UPLOAD = "frappe.handler.run_doc_method", "frappe.handler.upload_file"
REST = "REST"
# They ask for the right to each row, or answer about the DocType alone. Never the original of an override
ALLOWED_METHODS = frozenset(
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
# Other DocTypes whose rows may name one of ours: they have guards of their own, or only the browser reads
# them
ATTACHABLE = frozenset({"File", "List Filter"})
# What may be an object or a list of lists beside conditions. The name of a row never is
OBJECTS = frozenset(
	{
		"args",
		"chart",
		"data",
		"doc",
		"docs",
		"document",
		"fieldname",
		"fields",
		"kwargs",
		"user_settings",
		"value",
		"values",
	}
)
SEARCHES = f"{APP}access.overrides.search_"


class CheckedCall(NamedTuple):
	"""What Frappe was asked for. `path`: of the method that it will execute.

	`name`: the row's, if the URL says it.
	"""

	given: dict[str, Any]
	path: str = ""
	of_doctype: str | None = None
	endpoint: str | None = None
	name: str | None = None

	@property
	def method(self) -> str | None:
		"""Where the function stands that will be executed; or REST."""
		return self.endpoint or (_place_of(_module_of(self.of_doctype) + self.path) if self.path else None)


def check_request() -> None:
	"""Let nobody but managers ask about our rows where Frappe would answer guesses."""
	given, path = frappe.local.form_dict, frappe.local.request.path
	if _is_elsewhere(given, path):
		return
	_refuse_as_frappe(given, path)
	body = _body(given, path)
	about = mentioned(given, path.split("/"), body)
	if about or given.get(EXPAND_LINKS):
		asked = _asked({**given, **body})
		if about == OURS and not is_manager() and names_ours(asked.given):
			_check(asked)
		else:
			_check_others(asked)


def _is_elsewhere(given: dict[str, Any], path: str) -> bool:
	"""Pages of Desk and our own endpoints, which Frappe takes for such only if there is no `cmd`."""
	if f"/method/{OWN}" in path or str(given.get("cmd")).startswith(OWN):
		frappe.local.flags.disable_traceback = True  # a gateway that posts nonsense isn't shown our code
	return not given.get("cmd") and (path == "/app" or path.startswith(("/app/", f"/api/method/{OWN}")))


def _refuse_as_frappe(given: dict[str, Any], path: str) -> None:
	"""A guest whom Frappe will refuse a method is told by which name he asked,
	and not which of ours stands in its place.
	"""
	name = str(given.get("cmd") or path.partition("/method/")[2])
	if not name or frappe.session.user != "Guest":
		return
	paths = [name, *frappe.get_hooks("override_whitelisted_methods").get(name, ())]
	originals = [path for path in paths if not path.startswith(APP)]
	if originals and paths[-1].startswith(APP):
		frappe.is_whitelisted(get_attr(originals[-1]))


def _check(asked: CheckedCall) -> None:
	"""The request names one of our DocTypes, and comes from somebody who is no manager."""
	method = asked.method
	if is_agent() and not _finds_others(method, asked.given):
		logins.hide_in_answer()
	if (
		not _is_open(method, asked.given)
		or _asks_by_conditions(asked.given)
		or _is_attached_to_ours(method, asked.given)
	):
		refuse(_("This is not for agents. The inbox and the lists of WhatsApp show what is yours."))
	if is_wanted(asked.given):
		refuse_expansion()


def _check_others(asked: CheckedCall) -> None:
	"""The request names none of them, and may lead to our rows all the same."""
	if is_wanted(asked.given) and not is_manager() and leads_to_ours(asked.given, asked.name):
		refuse_expansion()
	if not is_agent():
		return
	files = [node.given for node in nodes(asked.given) if node.doctype == FILE or FILE in named_in(node)]
	if files:
		named = [row.get(key) for row in files for key in ("name", "docname", "dn")]
		logins.hide_in_answer_about_files([*named, asked.name])


def _asked(given: dict[str, Any]) -> CheckedCall:
	if cmd := given.get("cmd"):
		return CheckedCall(given, str(cmd))
	path = frappe.request.path
	if not path.startswith("/api/"):
		return CheckedCall({**given, IN_PATH: path.split("/")[1]})  # a row's page, or a list's
	try:
		endpoint, arguments = API_URL_MAP.bind_to_environ(frappe.request.environ).match()
	except HTTPException:
		return CheckedCall(given)
	doctype = arguments.get("doctype")
	given = {**given, IN_URL: doctype} if doctype else given
	if endpoint.__name__ == "handle_rpc_call":
		return CheckedCall(given, arguments["method"].split("/")[0], doctype)
	method = {"upload_file": UPLOAD, "<lambda>": RUN}.get(endpoint.__name__, REST)
	return CheckedCall(given, endpoint=method, name=arguments.get("name"))


def _module_of(doctype: str | None) -> str:
	try:
		return f"{load_doctype_module(doctype).__name__}." if doctype else ""
	except (ImportError, KeyError, frappe.DoesNotExistError):
		return ""  # Frappe will say so


def _body(given: dict[str, Any], path: str) -> dict[str, Any]:
	"""What REST takes for a row's values: JSON, by whatever content type it was sent."""
	request = frappe.request
	if given.get("cmd") or request.method in SAFE_HTTP_METHODS or not path.startswith(TAKES_BODIES):
		return {}
	data = given.get("data")
	body = opened(request.get_data(as_text=True) if data is None else data)
	return body if isinstance(body, dict) else {}


def _place_of(path: Any) -> str | None:
	"""Where the function stands that this path leads to, overrides and imports included."""
	overrides = frappe.get_hooks("override_whitelisted_methods", {})
	try:
		method = get_attr((overrides.get(path) or [path])[-1])
		return f"{method.__module__}.{method.__qualname__}"
	except (AttributeError, ImportError, KeyError, TypeError, ValueError):
		return None  # Frappe will say so
	except frappe.AppNotInstalledError:
		frappe.clear_last_message()
		return None


def _is_open(method: str | None, given: dict[str, Any]) -> bool:
	called = given.get("query") or APP  # a method that a link search calls in its turn
	return (
		method is not None
		and (method in ALLOWED_METHODS or method.startswith(APP))
		and str(called).startswith(APP)
	)


def _finds_others(method: str | None, given: dict[str, Any]) -> bool:
	"""A search for other apps' rows, by a link in a form of ours."""
	return str(method).startswith(SEARCHES) and not is_ours(given.get("doctype"))


def _asks_by_conditions(given: dict[str, Any]) -> bool:
	"""Whether an object, or a list of lists, stands where a row of ours should be named."""
	return any(
		key not in OBJECTS
		and not CONDITIONS.search(key)
		and not key.startswith("__")
		and _is_structured(opened(value))
		for node in nodes(given)
		if any(map(is_name, named_in(node)))
		for key, value in node.given.items()
	)


def _is_structured(value: Any) -> bool:
	inner = value if isinstance(value, list) else ()
	return isinstance(value, dict) or any(isinstance(item, dict | list) for item in inner)


def _is_attached_to_ours(method: str | None, given: dict[str, Any]) -> bool:
	"""Whether a row of another DocType is written that names ours: boards and the like ask about it later."""
	if method not in WRITING and not (method == REST and frappe.request.method != "GET"):
		return False
	of_others = (
		node for node in nodes(given) if node.doctype not in ATTACHABLE and not is_ours(node.doctype)
	)
	return any(node.doctype and any(map(is_name, named_in(node))) for node in of_others)
