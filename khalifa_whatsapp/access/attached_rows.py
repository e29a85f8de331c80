"""Rows that hang on ours by name have the rights of what they hang on: see `attachable` for which they are.

Frappe asks about such a row alone: who may read one comment, may read them all. So the hooks ask about the
record in its place, in lists and one by one. They leave every other row to Frappe, for which they cost no
query, and ask managers nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.permissions import get_role_permissions

from khalifa_whatsapp.access.attachable import ATTACHABLE, Ref, Through
from khalifa_whatsapp.access.queries import RULES
from khalifa_whatsapp.core.doctypes import DOCTYPES, GUARDED
from khalifa_whatsapp.guards import is_agent, is_manager, refuse
from khalifa_whatsapp.permissions import NOTHING, READING, is_row_visible
from khalifa_whatsapp.permissions import query_conditions as conditions_of_ours

# All of ours that have lists and forms. Branches have no condition of their own: a role opens all of them
OURS = GUARDED | {doctype.name for doctype in DOCTYPES if not doctype.is_child}
# Whoever knows the name of a board may call methods that save it, and give it back, without asking for a
# right
FORCED = ("Kanban Board",)
NAMES = frozenset(name.casefold() for name in OURS)


def query_conditions(user: str | None = None, doctype: str | None = None) -> str:
	"""The SQL condition that leaves out of `doctype` what hangs on records that `user` may not read."""
	if doctype is None or is_manager(user):
		return ""
	return " and ".join(f"not ({_hidden(doctype, ref, _user(user))})" for ref in _refs(doctype))


def conditions_of_all(user: str | None, doctype: str) -> str:
	"""The same, for queries that look at every row: what is hidden is found first, and once,
	and mostly by an index.
	"""
	if is_manager(user):
		return ""
	return " and ".join(f"not ({_hidden_of_all(doctype, ref, _user(user))})" for ref in _refs(doctype))


def has_permission(
	doc: Document, ptype: str | None = None, user: str | None = None, **kwargs: Any
) -> bool | None:
	"""None leaves it to Frappe: the row hangs on nothing of ours, or on what the user may read."""
	if is_manager(user):
		return None
	named = [(ref, doctype, name) for ref in _refs(doc.doctype) for doctype, name in _named_by(doc, ref)]
	ours = (reference for reference in named if is_ours(reference[1]))
	return (
		None if all(_is_open(doc, *reference, ptype or "read", _user(user)) for reference in ours) else False
	)


def validate(doc: Document, method: str | None = None) -> None:
	refuse_to_move(doc)
	mute(doc)


def refuse_to_move(doc: Document) -> None:
	"""Nobody takes a row away from a record that is closed to him: what it says would come along."""
	before, is_forced = doc.get_doc_before_save(), doc.flags.ignore_permissions
	if before and (not is_forced or doc.doctype in FORCED) and has_permission(before, "write") is False:
		refuse(_("You may not change this record."))


def mute(doc: Document) -> None:
	"""Whoever looks at a list of such rows is not told that one was written, and by whom."""
	columns = [ref.doctype for ref in ATTACHABLE[doc.doctype] if not ref.through]
	if any(is_ours(doc.get(column)) for column in (*columns, "attached_to_doctype")):
		doc.flags.notify_update = False


def is_attached(doc: Document) -> bool:
	"""Whether the row names a row of ours, by any of its references."""
	return any(is_ours(doctype) for ref in _refs(doc.doctype) for doctype, _name in _named_by(doc, ref))


# Here, because Frappe comes here for the condition of any such list before it runs it
RULES.update(dict.fromkeys(ATTACHABLE, (query_conditions, conditions_of_all)))


def is_ours(doctype: Any) -> bool:
	"""Whether this is the name of one of our DocTypes, in any spelling that the database takes for it."""
	return isinstance(doctype, str) and doctype.strip().casefold() in NAMES


def _user(user: str | None) -> str:
	return user or frappe.session.user


def _refs(doctype: str) -> Iterator[Ref]:
	"""Those whose columns there are: Frappe's versions differ."""
	for ref in ATTACHABLE[doctype]:
		if frappe.get_meta(ref.through.doctype if ref.through else doctype).has_field(ref.doctype):
			yield ref


# -- one row


def _named_by(doc: Document, ref: Ref) -> list[tuple[Any, Any]]:
	"""The DocTypes and names that stand in these columns."""
	if not ref.through:
		return [_pair(doc, ref)]
	if ref.in_lists:
		return []
	link, kind = doc.get(ref.through.column), ref.through.kind
	if not link or (kind and doc.get(kind[0]) != kind[1]):
		return []
	if frappe.get_meta(ref.through.doctype).istable:
		return [_pair(row, ref) for row in doc.get_all_children() if row.doctype == ref.through.doctype]
	columns = (ref.doctype, ref.name) if ref.name else (ref.doctype,)
	values = frappe.get_cached_value(ref.through.doctype, link, columns)
	return [_pair(dict(zip(columns, values, strict=True)), ref)] if values else []


def _pair(row: Any, ref: Ref) -> tuple[Any, Any]:
	return row.get(ref.doctype), row.get(ref.name) if ref.name else None


def _is_open(doc: Document, ref: Ref, doctype: str, name: Any, ptype: str, user: str) -> bool:
	"""Whoever may read the record may read the row.

	To change somebody else's, he must be able to change the record.
	"""
	if ref.own and (owner := doc.get(ref.own)):
		return owner == user
	if not ref.name:
		return _may_read_any(doctype, user)
	if not name or not _may_read(doctype, str(name), user):
		return False
	is_enough = ptype in READING or doc.is_new() or doc.owner == user
	return is_enough or bool(frappe.has_permission(doctype, "write", doc=name, user=user))


def _may_read(doctype: str, name: str, user: str) -> bool:
	if not _may_read_any(doctype, user):
		return False
	return (
		is_row_visible(doctype, name, user) if doctype in GUARDED else bool(frappe.db.exists(doctype, name))
	)


def _may_read_any(doctype: str, user: str) -> bool:
	return _condition(doctype, user) != NOTHING


def _condition(doctype: str, user: str) -> str:
	"""Of a list of ours: roles say whether there is one at all, `permissions` what is in it."""
	if not get_role_permissions(frappe.get_meta(doctype), user=user).get("read"):
		return NOTHING
	return conditions_of_ours(user, doctype) if doctype in GUARDED else ""


# -- lists


@cache
def _ours() -> str:
	return ", ".join(map(_escape, sorted(OURS)))


def _hidden(doctype: str, ref: Ref, user: str) -> str:
	"""SQL: the row hangs on what the user may not read.

	Never NULL, in which a condition would lose other rows.
	"""
	table = f"`tab{doctype}`"
	there = f"`tab{ref.through.doctype}`" if ref.through else table
	named = f"{there}.{ref.doctype}"
	is_attached = f"{named if ref.through else _filled(named)} in ({_ours()})"
	closed = _closed(is_attached, there, ref, user)
	if not ref.own:
		return _reached(table, ref, closed)
	own = _filled(f"{table}.{ref.own}")
	of_others = f"{_reached(table, ref, is_attached)} and {own} not in ('', {_escape(user)})"
	return f"({of_others}) or ({_reached(table, ref, closed)} and {own} = '')"


def _hidden_of_all(doctype: str, ref: Ref, user: str) -> str:
	"""SQL: the row is among those that hang on what the user may not read."""
	table = f"`tab{doctype}`"
	if not ref.through:
		return among(doctype, f"{table}.{ref.doctype} in ({_ours()}) and ({_hidden(doctype, ref, user)})")
	if not frappe.get_meta(ref.through.doctype).istable:
		return _hidden(doctype, ref, user)
	there = f"`tab{ref.through.doctype}`"
	closed = _closed(f"{there}.{ref.doctype} in ({_ours()})", there, ref, user)
	return among(doctype, f"{there}.{ref.through.out} is not null and {closed}", ref.through)


def among(doctype: str, condition: str, through: Through | None = None) -> str:
	"""SQL: the row is one of those for which the condition holds, or its child row is."""
	column, other, out, _kind = through or Through("name", doctype)
	return f"`tab{doctype}`.{column} in (select `tab{other}`.{out} from `tab{other}` where {condition})"


def _closed(is_attached: str, there: str, ref: Ref, user: str) -> str:
	visible = _visible(there, ref, user)
	return f"{is_attached} and not ({visible})" if visible else is_attached


def _reached(table: str, ref: Ref, condition: str) -> str:
	"""SQL: the condition, which is about the columns of `ref`, holds where they stand.

	By an index, however long the tables.
	"""
	if not ref.through:
		return condition
	column, doctype, out, kind = ref.through
	there = f"`tab{doctype}`"
	if frappe.get_meta(doctype).istable:
		return f"(select count(*) from {there} where {there}.{out} = {table}.{column} and {condition}) > 0"
	of_kind = f"ifnull({table}.{kind[0]}, '') = {_escape(kind[1])} and " if kind else ""
	return (
		f"({of_kind}{_filled(f'{table}.{column}')} in (select {there}.{out} from {there} where {condition}))"
	)


def _filled(column: str) -> str:
	return f"ifnull({column}, '')"


def _visible(there: str, ref: Ref, user: str) -> str:
	"""SQL: the user may read what the columns name. Empty if he may read nothing of ours."""
	lists = {name: _condition(name, user) for name in sorted(OURS if is_agent(user) else OURS - GUARDED)}
	return " or ".join(
		_names_one(there, ref, name, condition)
		for name, condition in lists.items()
		if condition != NOTHING and not frappe.get_meta(name).issingle
	)


def _names_one(there: str, ref: Ref, doctype: str, condition: str) -> str:
	named = f"{_filled(f'{there}.{ref.doctype}')} = {_escape(doctype)}"
	if not ref.name:
		return f"({named})"
	rows = f"select `tab{doctype}`.name from `tab{doctype}` where {condition or '1 = 1'}"
	return f"({named} and {_filled(f'{there}.{ref.name}')} in ({rows}))"


def _escape(value: str) -> str:
	return frappe.db.escape(value, percent=False)
