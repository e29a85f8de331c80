"""The customer beside a conversation: who it is, what is noted, what was before."""

from __future__ import annotations

from typing import Any

import frappe

from khalifa_whatsapp.api import inbox_books, inbox_care
from khalifa_whatsapp.api.message_text import last_line
from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core.accounts import is_left
from khalifa_whatsapp.core.arabic import safe_name
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.identity import PHONE
from khalifa_whatsapp.core.markup import without_tags

CUSTOMER, TICKET = "Khalifa Customer", "Khalifa Ticket"
LATEST = 10
MAX_NOTES = 10_000
MAX_TAG = 60


def panel(ticket: Any) -> dict[str, Any]:
	"""Everything of the panel; earlier conversations are those that the reader may see."""
	row = frappe.db.get_value(
		CUSTOMER,
		ticket.customer,
		[
			"name",
			"customer_name",
			"phone",
			"notes",
			"is_opted_out",
			"branch",
			"_user_tags",
			"reference_doctype",
			"reference_name",
		],
		as_dict=True,
	)
	identities = sorted(
		on_site().identities_of([ticket.customer]).get(ticket.customer, []),
		key=lambda one: (one.kind, one.value),
	)
	former = [one.value for one in identities if one.kind == PHONE and is_left(one)]
	phones = dict.fromkeys([row.phone or "", *(one.value for one in identities if one.kind == PHONE)])
	earlier = frappe.get_list(
		TICKET,
		filters={"customer": ticket.customer, "name": ("!=", ticket.name)},
		fields=[
			"name as ticket",
			"status",
			"opened_ms",
			"closed_ms",
			"agent_name",
			"preview",
			"preview_label",
		],
		order_by="opened_ms desc",
		limit=LATEST,
	)
	for one in earlier:
		one.preview = last_line(one.preview, one.pop("preview_label"))
	return {
		"customer": row.name,
		"name": row.customer_name,
		"phones": [one for one in phones if one and one not in former],
		"former_phones": former,
		"notes": row.notes or "",
		"branch": row.branch,
		"identities": [{"kind": one.kind, "value": one.value} for one in identities if one.kind != PHONE],
		"tags": _tags(row._user_tags),
		"opted_out": bool(row.is_opted_out),
		"consent": inbox_care.consent(row.name),
		"tickets": earlier,
		"erpnext": inbox_books.of(row),
	}


def save_notes(customer: str, notes: str) -> dict[str, Any]:
	"""Write the notes. Whoever sees the conversation may."""
	if len(notes) > MAX_NOTES:
		raise UserError(
			"text_too_long",
			"The message has {length} characters; at most {limit} fit. Split it in two.",
			length=len(notes),
			limit=MAX_NOTES,
		)
	notes = without_tags(notes)
	frappe.db.set_value(CUSTOMER, customer, "notes", notes)
	return {"notes": notes}


def change_tag(customer: str, tag: str, is_added: bool) -> dict[str, Any]:
	"""Put a tag on the customer, or take it off: Frappe's own tags,
	for people who may not write the whole record.
	"""
	plain = safe_name(tag.replace(",", " "))
	if not plain or len(plain) > MAX_TAG:
		raise UserError("bad_tag", "A tag has 1 to {limit} characters.", limit=MAX_TAG)
	tags = _tags(frappe.db.get_value(CUSTOMER, customer, "_user_tags"))
	others = [one for one in tags if one.lower() != plain.lower()]
	tags = [*others, plain] if is_added else others
	frappe.db.set_value(
		CUSTOMER, customer, "_user_tags", "".join(f",{one}" for one in tags), update_modified=False
	)
	link = {"document_type": CUSTOMER, "document_name": customer, "tag": plain}
	frappe.db.delete("Tag Link", link)
	if is_added:
		if not frappe.db.exists("Tag", plain):
			frappe.get_doc(doctype="Tag", name=plain).insert(ignore_permissions=True)
		frappe.get_doc(doctype="Tag Link", **link).insert(ignore_permissions=True)
	return {"tags": tags}


def _tags(stored: str | None) -> list[str]:
	return [tag for tag in (stored or "").split(",") if tag]
