"""Indexes over several fields, which DocType JSON can't say."""

from __future__ import annotations

import frappe

from khalifa_whatsapp.stores.schema import INDEXES

FULL_TEXT = {"Khalifa Message": ("search_text",)}


def add_all_indexes() -> None:
	"""Add what is missing, on every table of ours. Idempotent."""
	for doctype in INDEXES:
		add_indexes(doctype)


def add_indexes(doctype: str) -> None:
	"""Add the DocType's missing indexes; those that are there stay as they are,
	but for our own earlier, shorter ones.
	"""
	for fields in INDEXES.get(doctype, ()):
		frappe.db.add_index(doctype, list(fields))
		_drop_shorter(doctype, fields)
	for field in FULL_TEXT.get(doctype, ()):
		_add_full_text(doctype, field)


def _drop_shorter(doctype: str, fields: tuple[str, ...]) -> None:
	"""Where both are there, the optimizer may take the shorter one, and then reads every row besides."""
	for length in range(2, len(fields)):
		name = frappe.db.get_index_name(fields[:length])
		if fields[:length] not in INDEXES[doctype] and _has_index(doctype, name):
			frappe.db.sql_ddl(f"ALTER TABLE `tab{doctype}` DROP INDEX `{name}`")


def _has_index(doctype: str, name: str) -> bool:
	return bool(frappe.db.has_index(f"tab{doctype}", name))


def _add_full_text(doctype: str, field: str) -> None:
	"""An index of words, for search."""
	name = f"{field}_words"
	if not _has_index(doctype, name):
		frappe.db.sql_ddl(f"ALTER TABLE `tab{doctype}` ADD FULLTEXT INDEX `{name}` (`{field}`)")
