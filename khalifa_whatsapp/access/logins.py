"""Colleagues have names. Their logins stay with managers, also in what Frappe itself hangs on a row.

Frappe writes logins on every row, comment, like, version and attachment, where they belong: they are the
audit. So they are stored as ever, and turned into names in what an agent gets back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp.core.doctypes import GUARDED

ALL, FILES = "all", "files"


def hide_in_answer() -> None:
	"""Remember that this request's answer is about our rows, and goes to an agent, who reads names only."""
	frappe.local.khalifa_hides_logins = ALL


def hide_in_answer_about_files(named: list[Any]) -> None:
	"""The same for what is said of conversations' files.

	`named`: the files that the request is about, if it says so.
	"""
	names = [name for name in named if isinstance(name, str) and name]
	ours = {"name": ("in", names), "attached_to_doctype": ("in", list(GUARDED))}
	is_ours = bool(names) and frappe.db.exists("File", ours)
	frappe.local.khalifa_hides_logins = ALL if is_ours else FILES


def hide(response: Any = None, request: Any = None) -> None:
	"""Put names in the place of the logins of others, wherever they stand in what an agent is told of our
	rows.

	Not in what went wrong: it repeats what was asked, and a name in the place of a guess would confirm it.
	"""
	hides = getattr(frappe.local, "khalifa_hides_logins", None)
	if not hides or getattr(response, "is_streamed", True) or response.status_code >= 400:
		return
	text = response.get_data(as_text=True)
	if "@" not in text:
		return
	is_json = response.mimetype == "application/json"
	if hides == ALL:
		response.set_data(with_names(text, is_json))
	elif is_json and "attached_to_doctype" in text:
		response.set_data(with_names_in_files(text))


def with_names_in_files(text: str) -> str:
	"""The same JSON, with names in the rows of conversations' files alone."""
	answer = json.loads(text)
	files = list(_files_in(answer))
	for row in files:
		row.update(json.loads(with_names(json.dumps(row))))
	return json.dumps(answer, separators=(",", ":")) if files else text


def _files_in(answer: Any) -> Iterator[dict[str, Any]]:
	rest = [answer]
	while rest:
		value = rest.pop()
		if isinstance(value, dict):
			if value.get("attached_to_doctype") in GUARDED:
				yield value
			rest.extend(value.values())
		elif isinstance(value, list):
			rest.extend(value)


def with_names(text: str, is_json: bool = True) -> str:
	"""The text with each colleague's login replaced by his or her name."""
	names = _names_in(text.casefold())
	if not names:
		return text
	names[frappe.session.user.casefold()] = frappe.session.user  # one's own stays: Desk goes by it
	logins = sorted(names, key=len, reverse=True)
	pattern = re.compile("|".join(map(re.escape, logins)), re.IGNORECASE)
	return pattern.sub(lambda login: _written(names[login[0].casefold()], is_json), text)


def _names_in(text: str) -> dict[str, str]:
	users = frappe.get_all("User", {"user_type": "System User"}, ["name", "full_name"], order_by=None)
	named = [user for user in users if "@" in user.name and user.name.casefold() in text]
	logins = [user.name for user in named]
	of_agents = frappe.get_all(
		"Khalifa Agent", {"user": ("in", logins)}, ["user", "employee_name"], as_list=True
	)
	real = dict(of_agents) if logins else {}
	return {user.name.casefold(): real.get(user.name) or _full_name(user) for user in named}


def _full_name(user: Any) -> str:
	return user.full_name if user.full_name and "@" not in user.full_name else _("Colleague")


def _written(name: str, is_json: bool) -> str:
	"""Fit for JSON, and for JSON within JSON."""
	plain = re.sub(r"[\"\\<>&]", "", name)
	return json.dumps(plain)[1:-1] if is_json and "@" not in name else plain
