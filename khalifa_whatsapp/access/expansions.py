"""Links that REST follows: the row behind a link instead of its name, whoever may read it.

`expand_links` puts rows into the answer without asking for a right to them. So nobody but a manager has links
followed from a row of ours, nor into one. `expand` does ask, but its rows would come with colleagues' logins.
"""

from __future__ import annotations

from typing import Any, NoReturn

import frappe
from frappe import _
from frappe.utils.data import sbool

from khalifa_whatsapp.access.places import IN_URL, is_ours, opened
from khalifa_whatsapp.guards import refuse

EXPAND, EXPAND_LINKS = "expand", "expand_links"


def is_wanted(given: dict[str, Any]) -> bool:
	"""Whether the request asks for the rows behind links as well."""
	return bool(opened(given.get(EXPAND)) or sbool(given.get(EXPAND_LINKS)))


def leads_to_ours(given: dict[str, Any], name: str | None) -> bool:
	"""Whether a link that will be followed from other apps' rows ends at one of ours.

	`name`: the row's, by REST.
	"""
	doctype = given.get(IN_URL) or given.get("doctype")
	if not isinstance(doctype, str) or not frappe.db.exists("DocType", doctype, cache=True):
		return False
	meta = frappe.get_meta(doctype)
	to_ours = [df.fieldname for df in meta.get_link_fields() if is_ours(df.options)]
	if name is None:
		return bool(to_ours)
	kinds = [df.options for df in meta.get_dynamic_link_fields()]
	if not (to_ours or kinds):
		return False
	row = frappe.db.get_value(doctype, name, [*to_ours, *kinds], as_dict=True) or {}
	return any(row.get(field) for field in to_ours) or any(is_ours(row.get(kind)) for kind in kinds)


def refuse_expansion() -> NoReturn:
	"""Refuse it, with the way that is open."""
	refuse(_("Links to records of WhatsApp are not followed here. Open the record itself."))
