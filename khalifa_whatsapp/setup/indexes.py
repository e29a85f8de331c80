"""Indexes over several fields, which DocType JSON can't say."""

from __future__ import annotations

import frappe

from khalifa_whatsapp.stores.schema import INDEXES


def add_all_indexes() -> None:
	for doctype in INDEXES:
		add_indexes(doctype)


def add_indexes(doctype: str) -> None:
	"""Add the DocType's missing indexes; those that are there stay as they are."""
	for fields in INDEXES.get(doctype, ()):
		frappe.db.add_index(doctype, list(fields))
