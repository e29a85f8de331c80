"""Colleagues have names. Their logins stay with managers, also in what Frappe itself hangs on a row.

Frappe writes logins on every row, comment, like, version and attachment, where they belong: they are the audit.
So they are stored as ever, and turned into names in what an agent gets back.
"""

from __future__ import annotations

import json
import re
from typing import Any

import frappe
from frappe import _


def hide_logins_in_answer() -> None:
	"""Remember that this request's answer goes to somebody who reads names only."""
	frappe.local.khalifa_hides_logins = True


def hide(response: Any = None, request: Any = None) -> None:
	"""Put names in the place of the logins of others, wherever they stand in an answer about our rows."""
	if not getattr(frappe.local, "khalifa_hides_logins", False) or getattr(response, "is_streamed", True):
		return
	text = response.get_data(as_text=True)
	if "@" in text:
		response.set_data(with_names(text, response.mimetype == "application/json"))


def with_names(text: str, is_json: bool = True) -> str:
	"""The text with each colleague's login replaced by his or her name."""
	names = _names_in(text.casefold())
	if not names:
		return text
	names[frappe.session.user.casefold()] = frappe.session.user  # one's own stays: Desk goes by it
	logins = sorted(names, key=len, reverse=True)
	found = re.compile("|".join(map(re.escape, logins)), re.IGNORECASE)
	return found.sub(lambda login: _written(names[login[0].casefold()], is_json), text)


def _names_in(text: str) -> dict[str, str]:
	users = frappe.get_all("User", {"user_type": "System User"}, ["name", "full_name"], order_by=None)
	named = [user for user in users if "@" in user.name and user.name.casefold() in text]
	logins = [user.name for user in named]
	of_agents = frappe.get_all("Khalifa Agent", {"user": ("in", logins)}, ["user", "employee_name"], as_list=True)
	real = dict(of_agents) if logins else {}
	return {user.name.casefold(): real.get(user.name) or _full_name(user) for user in named}


def _full_name(user: Any) -> str:
	return user.full_name if user.full_name and "@" not in user.full_name else _("Colleague")


def _written(name: str, is_json: bool) -> str:
	"""Fit for JSON, and for JSON within JSON."""
	plain = re.sub(r"[\"\\<>&]", "", name)
	return json.dumps(plain)[1:-1] if is_json and "@" not in name else plain
