"""Tags on tickets and customers: for everybody who may see the record, and told to nobody else.

Frappe asks for the right to write the record, which nobody has on a ticket, and shows all users which records
carry a tag, with their titles.
"""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.desk.doctype.tag import tag as core
from frappe.model.document import Document

from khalifa_whatsapp.core.doctypes import GUARDED, TAGGABLE
from khalifa_whatsapp.guards import is_manager, refuse, require_read

MAX_LENGTH = 60


@frappe.whitelist()
def add_tag(tag: str, dt: str, dn: str, color: str | None = None) -> str:
	"""Frappe's method; on our rows whoever may read them may tag them."""
	if _is_one_of(TAGGABLE, dt):
		return add_to_record(dt, dn, tag)
	_require_write(dt, dn)
	return core.add_tag(tag, dt, dn, color)


@frappe.whitelist()
def add_tags(tags: Any, dt: str, docs: Any, color: str | None = None) -> None:
	"""The same for several rows, each with its own rights."""
	if not _is_one_of(GUARDED, dt):
		return core.add_tags(tags, dt, docs, color)
	for name in frappe.parse_json(docs):
		for tag in frappe.parse_json(tags):
			add_tag(tag, dt, name, color)
	return None


@frappe.whitelist()
def remove_tag(tag: str, dt: str, dn: str) -> None:
	"""Frappe's method, with the rights of `add_tag`."""
	if _is_one_of(TAGGABLE, dt):
		return remove_from_record(dt, dn, tag)
	_require_write(dt, dn)
	return core.remove_tag(tag, dt, dn)


@frappe.whitelist()
def get_tagged_docs(doctype: str, tag: str) -> Any:
	"""The caller's own records with a tag; the original names everybody's."""
	if not _is_one_of(GUARDED, doctype):
		return core.get_tagged_docs(doctype, tag)
	return frappe.get_list(doctype, filters={"_user_tags": ("like", tag)}, as_list=True, limit=0)


def _is_one_of(names: frozenset[str], doctype: Any) -> bool:
	"""What is no text, the original complains of."""
	return isinstance(doctype, str) and doctype in names


def add_to_record(doctype: str, name: str, tag: str) -> str:
	"""Put a tag on a row of ours that the user may read; the tag as it was written. Idempotent."""
	require_read(doctype, name)
	tag = clean_tag(tag)
	present = _tags_of(doctype, name)
	if tag.casefold() not in {other.casefold() for other in present}:
		_make_tag(tag)
		_save(doctype, name, [*present, tag])
		_link(doctype, name, tag)
	return tag


def remove_from_record(doctype: str, name: str, tag: str) -> None:
	"""Take a tag from a row of ours that the user may read. Idempotent."""
	require_read(doctype, name)
	kept = [other for other in _tags_of(doctype, name) if other.casefold() != tag.casefold()]
	_save(doctype, name, kept)
	frappe.db.delete("Tag Link", {"document_type": doctype, "document_name": name, "tag": tag})


def clean_tag(tag: str) -> str:
	"""A tag that neither breaks Frappe's comma-separated list nor runs in a browser."""
	cleaned = " ".join("".join(char for char in str(tag) if char not in ",<>&\"'`").split())
	if not 1 <= len(cleaned) <= MAX_LENGTH:
		frappe.throw(_("A tag has between {0} and {1} characters.").format(1, MAX_LENGTH))
	return cleaned


def query_conditions(user: str | None = None, doctype: str | None = None) -> str:
	"""Tag Links of conversations are for managers; agents see tags on their own records."""
	if is_manager(user):
		return ""
	ours = ", ".join(frappe.db.escape(name, percent=False) for name in sorted(GUARDED))
	return f"ifnull(`tabTag Link`.document_type, '') not in ({ours})"


def has_permission(
	doc: Document, ptype: str | None = None, user: str | None = None, **kwargs: Any
) -> bool | None:
	"""None leaves other apps' tags to Frappe."""
	if doc.document_type not in GUARDED or is_manager(user):
		return None
	return False


def _require_write(doctype: str, name: str) -> None:
	"""The original asks only after it has written, and then hides the refusal behind another error."""
	if _is_one_of(GUARDED, doctype) and not frappe.has_permission(doctype, "write", doc=name):
		refuse(_("You may not change this record."))


def _tags_of(doctype: str, name: str) -> list[str]:
	stored = frappe.db.get_value(doctype, name, "_user_tags") or ""
	return [tag for tag in stored.split(",") if tag]


def _make_tag(tag: str) -> None:
	if not frappe.db.exists("Tag", tag):
		frappe.get_doc({"doctype": "Tag", "name": tag}).insert(ignore_permissions=True)


def _save(doctype: str, name: str, tags: list[str]) -> None:
	stored = "".join(f",{tag}" for tag in tags)
	frappe.db.set_value(doctype, name, "_user_tags", stored, update_modified=False)


def _link(doctype: str, name: str, tag: str) -> None:
	"""What the tag's own page lists; without the record's title, which would be a customer's name."""
	link = {"doctype": "Tag Link", "document_type": doctype, "document_name": name, "title": name, "tag": tag}
	frappe.get_doc(link).insert(ignore_permissions=True)
