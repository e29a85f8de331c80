"""Attachments of conversations: private, seen by whoever sees the conversation, never claimed by another.

Frappe lets everybody create a File that points to an URL, and whoever owns such a File may read what is
behind it. So a File must not point to a conversation's attachment that its maker can't read anyway.

The hooks see to that wherever permissions are asked for. `GuardedFile` adds the two places that have no hook:
inserts that ignore permissions (an Attach field that is saved with a foreign URL), and the download itself,
where Frappe lets an uploader in for ever. Should another app replace the File class, the hooks still hold.
"""

from __future__ import annotations

import posixpath
from typing import Any
from urllib.parse import unquote, urlsplit

import frappe
from frappe import _
from frappe.model.document import Document

from khalifa_whatsapp.access import attached_rows
from khalifa_whatsapp.access.exports import guard_result
from khalifa_whatsapp.access.stored_files import StoredFile
from khalifa_whatsapp.core.doctypes import DOCTYPES, GUARDED
from khalifa_whatsapp.guards import is_agent, is_manager, refuse
from khalifa_whatsapp.permissions import READING, query_conditions


class GuardedFile(StoredFile):
	"""A File that asks before it reads what its URL points to, and each time it is downloaded."""

	def before_insert(self) -> None:
		guard_result(self)
		refuse_claim(self)
		super().before_insert()

	def is_downloadable(self) -> bool:
		"""Frappe's answer, unless the file hangs on what the user may not read."""
		rules = (has_permission, attached_rows.has_permission)
		return super().is_downloadable() and all(rule(self, "read") is not False for rule in rules)


def before_insert(doc: Document, method: str | None = None) -> None:
	keep_private(doc)
	never_share_content(doc)


def validate(doc: Document, method: str | None = None) -> None:
	keep_private(doc)
	if not doc.is_new() and (doc.has_value_changed("file_url") or doc.has_value_changed("file_name")):
		refuse_claim(doc)


def keep_private(doc: Document) -> None:
	"""What customers send and get is never reachable without a login."""
	if _is_ours(doc) and not doc.is_private:
		frappe.throw(_("Files of conversations must be private."))


def refuse_claim(doc: Document) -> None:
	"""Refuse to point at a conversation's file that the present user can't read already."""
	if is_claim(doc):
		refuse(_("You may not use this file."))


def is_claim(doc: Document) -> bool:
	"""Whether the File would open a conversation's file to somebody whom it is closed to.

	However many Files share the place, the questions are as many: an URL may have thousands of them.
	"""
	if doc.is_new() and doc.get("content") and not doc.is_remote_file:
		return False  # what he brings along is stored under an URL of its own
	behind = _behind(doc)
	if not frappe.db.exists("File", {**behind, "attached_to_doctype": ("in", sorted(GUARDED))}):
		return False
	return not (_is_open_to_all(behind) or frappe.get_list("File", behind, limit=1))


def _is_open_to_all(behind: dict[str, Any]) -> bool:
	"""Or uploaded by the very user, and hanging on nothing of ours, which would ask for more."""
	seen = frappe.get_all("File", behind, ["is_private", "owner", "attached_to_doctype"], distinct=True)
	return any(
		not file.is_private or file.owner == frappe.session.user for file in seen if not _is_ours(file)
	)


def never_share_content(doc: Document) -> None:
	"""Give the file a hash of its own.

	Frappe stores equal contents once, by hash; then the upload of a picture that another conversation holds
	already would point at that conversation's file, which looks just like a claim.
	"""
	if _is_ours(doc):
		doc.content_hash = frappe.generate_hash(length=32)


def has_permission(
	doc: Document, ptype: str | None = None, user: str | None = None, **kwargs: Any
) -> bool | None:
	"""A conversation's file has the rights of its conversation, also for whoever uploaded it.

	None: not ours.
	"""
	if ptype == "create" and is_claim(doc):
		return False
	if not _is_ours(doc) or not doc.attached_to_name:
		return None
	right = "read" if (ptype or "read") in READING else "write"
	if not frappe.db.exists(doc.attached_to_doctype, doc.attached_to_name):
		return False
	parent = (doc.attached_to_doctype, right, doc.attached_to_name)
	return None if frappe.has_permission(*parent, user=user) else False


def query_conditions_of_files(user: str | None = None, doctype: str | None = None) -> str:
	"""Leave files of other apps to Frappe; of ours, those whose record passes its own condition."""
	if is_manager(user):
		return ""
	visible = [f"ifnull(`tabFile`.attached_to_doctype, '') not in ({_names_of_ours()})"]
	if is_agent(user):
		open_to_agents = [doctype.name for doctype in DOCTYPES if doctype.has_files]
		visible += [_attached_to_visible(name, user) for name in open_to_agents]
	return f"({' or '.join(visible)})"


def conditions_of_all_files(user: str | None = None) -> str:
	"""The same for queries that look at every row."""
	condition = query_conditions_of_files(user)
	attached = f"`tabFile`.attached_to_doctype in ({_names_of_ours()})"
	return f"not ({attached_rows.among('File', f'{attached} and not {condition}')})" if condition else ""


def _names_of_ours() -> str:
	return ", ".join(frappe.db.escape(name, percent=False) for name in sorted(GUARDED))


def _attached_to_visible(doctype: str, user: str | None) -> str:
	rows = f"select `tab{doctype}`.name from `tab{doctype}` where {query_conditions(user, doctype)}"
	attached = frappe.db.escape(doctype, percent=False)
	return f"(`tabFile`.attached_to_doctype = {attached} and `tabFile`.attached_to_name in ({rows}))"


def _is_ours(doc: Any) -> bool:
	return doc.attached_to_doctype in GUARDED


def _behind(doc: Document) -> dict[str, Any]:
	"""The Files that share the place on the disk which `doc` points at, however its URL is written."""
	urls = [url for url in (doc.file_url, _plain_path(doc)) if url]
	return {"file_url": ("in", urls), "name": ("!=", doc.name or "")}


def _plain_path(doc: Document) -> str:
	path = unquote(unquote(urlsplit(doc.file_url or "").path))
	if not path:
		path = f"/private/files/{doc.file_name or ''}"
	return posixpath.normpath(posixpath.join("/", path))
