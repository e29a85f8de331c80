"""The audit list on a site: what people change through forms, REST and Frappe's own ways.

A row is written in the request's own transaction, so that it is there if the change is. Of people who have
nothing to do with us nothing is asked, and nothing read: what a user's roles were is in memory already.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import frappe
from frappe.model import no_value_fields
from frappe.model.document import Document
from frappe.utils import flt

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import audit
from khalifa_whatsapp.core.actor import AGENT_ROLE, MANAGER_ROLE
from khalifa_whatsapp.core.audit import Change
from khalifa_whatsapp.guards import current_actor, is_setting_up

ENTRY = "Khalifa Audit Entry"
ROLES = frozenset({AGENT_ROLE, MANAGER_ROLE})
SECRETS = "khalifa_audit_secrets"  # a flag of the document: its secrets that this save changes


def note(
	kind: str,
	action: str,
	*,
	document_type: str = "",
	document: str = "",
	title: str = "",
	values: Mapping[str, Any] | None = None,
	changes: Sequence[Change] = (),
) -> None:
	"""Write down what the present user did; see `services.audit.note`, which does so for use cases.

	What patches and installers do is nobody's deed, and the list may not be there yet.
	"""
	if is_setting_up():
		return
	actor, more = current_actor(), values or {}
	doc = frappe.get_doc(
		doctype=ENTRY,
		kind=kind,
		action=action,
		at=frappe.utils.now_datetime(),
		at_ms=now_ms(),
		actor=actor.user,
		actor_name=actor.full_name,
		document_type=document_type,
		document=document,
		document_title=title[: audit.MAX_VALUE],
		summary=audit.summary_of(changes, more),
		details=json.dumps(audit.details_of(changes, more), ensure_ascii=False),
	)
	doc.flags.by_use_case = True
	doc.insert(ignore_permissions=True)


# -- documents that people save


def before_save(doc: Document, method: str | None = None) -> None:
	"""Secrets are looked at before Frappe puts asterisks in their place."""
	doc.flags[SECRETS] = list(_secrets_of(doc))


def on_update(doc: Document, method: str | None = None) -> None:
	"""A row of settings was saved: which fields changed, from what to what."""
	before = doc.get_doc_before_save()
	changes = [*_changes_of(doc, before), *(doc.flags.pop(SECRETS, None) or ())]
	if before is None and not doc.meta.issingle:
		_note_of(doc, audit.CREATED, changes)
	elif changes:
		_note_of(doc, audit.CHANGED, changes)


def on_trash(doc: Document, method: str | None = None) -> None:
	"""A row of settings was deleted."""
	_note_of(doc, audit.DELETED)


def after_rename(doc: Document, method: str | None, old: str, new: str, merge: bool = False) -> None:
	"""A row of settings has another name."""
	note(
		audit.WATCHED[doc.doctype],
		audit.RENAMED,
		document_type=doc.doctype,
		document=new,
		title=new,
		changes=[change for change in [audit.change_of("name", "Name", old, new)] if change],
	)


def _note_of(doc: Document, action: str, changes: Sequence[Change] = ()) -> None:
	title = doc.get_title() or doc.name
	note(
		audit.WATCHED[doc.doctype],
		action,
		document_type=doc.doctype,
		document=doc.name,
		title=title,
		changes=changes,
	)


def _changes_of(doc: Document, before: Document | None) -> Iterator[Change]:
	for df in doc.meta.fields:
		if df.fieldtype in no_value_fields and df.fieldtype not in frappe.model.table_fields:
			continue
		if df.read_only or df.is_virtual or df.fieldtype == "Password":
			continue
		new = _value_of(doc, df)
		old = _value_of(before, df) if before else ("" if new else new)  # of a new row, what was filled in
		if change := audit.change_of(df.fieldname, df.label or df.fieldname, old, new):
			yield change


def _value_of(doc: Document, df: Any) -> Any:
	if df.fieldtype in frappe.model.numeric_fieldtypes:
		return flt(doc.get(df.fieldname))
	if df.fieldtype not in frappe.model.table_fields:
		return doc.get(df.fieldname)
	columns = [field.fieldname for field in frappe.get_meta(df.options).fields]
	rows = (" ".join(audit.shown(row.get(name)) for name in columns) for row in doc.get(df.fieldname) or ())
	return " | ".join(" ".join(row.split()) for row in rows)


def _secrets_of(doc: Document) -> Iterator[Change]:
	for df in doc.meta.get("fields", {"fieldtype": "Password"}):
		value = doc.get(df.fieldname) or ""
		before = doc.get_doc_before_save()
		had_value = bool(before and before.get(df.fieldname))
		is_untouched = doc.is_dummy_password(value) if value else not had_value
		if not is_untouched:
			yield audit.secret_changed(df.fieldname, df.label, had_value, bool(value))


# -- roles


def user_saved(doc: Document, method: str | None = None) -> None:
	"""A user was saved: which of our roles he or she was given or lost; whether who has one may sign in."""
	before = doc.get_doc_before_save()
	had, has = _roles_of(before), _roles_of(doc)
	for role in sorted(has - had):
		_note_role(doc.name, audit.GIVEN, role)
	for role in sorted(had - has):
		_note_role(doc.name, audit.TAKEN, role)
	if before is not None and has and bool(before.enabled) != bool(doc.enabled):
		_note_role(doc.name, audit.ENABLED if doc.enabled else audit.DISABLED, ", ".join(sorted(has)))


def user_deleted(doc: Document, method: str | None = None) -> None:
	"""A user who had a role of ours was deleted."""
	for role in sorted(_roles_of(doc)):
		_note_role(doc.name, audit.TAKEN, role)


def _roles_of(user: Document | None) -> set[str]:
	return set() if user is None else ROLES & {row.role for row in user.get("roles") or ()}


def _note_role(user: str, action: str, role: str) -> None:
	note(
		audit.ROLE,
		action,
		document_type="User",
		document=user,
		title=frappe.db.get_value("User", user, "full_name") or user,
		values={"role": role},
	)
