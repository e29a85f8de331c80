"""Indexes over several fields, which DocType JSON can't say."""

from __future__ import annotations

import frappe

from khalifa_whatsapp.stores.schema import INDEXES

FULL_TEXT = {"Khalifa Message": ("search_text",)}


def add_all_indexes() -> None:
	for doctype in INDEXES:
		add_indexes(doctype)


def add_indexes(doctype: str) -> None:
	"""Add the DocType's missing indexes; those that are there stay as they are."""
	for fields in INDEXES.get(doctype, ()):
		frappe.db.add_index(doctype, list(fields))
	for field in FULL_TEXT.get(doctype, ()):
		_add_full_text(doctype, field)


def _add_full_text(doctype: str, field: str) -> None:
	"""An index of words, for search."""
	name = f"{field}_words"
	if not frappe.db.sql(f"SHOW INDEX FROM `tab{doctype}` WHERE Key_name = %s", (name,)):
		frappe.db.sql_ddl(f"ALTER TABLE `tab{doctype}` ADD FULLTEXT INDEX `{name}` (`{field}`)")
