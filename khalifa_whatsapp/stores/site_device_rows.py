"""What is stored of a device, as `site_devices` makes a driver of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import frappe

DEVICE = "WhatsApp Device"


def device_row(name: str, fields: Sequence[str]) -> Any | None:
	"""These fields of a device; None when there is none of exactly this name."""
	columns = ", ".join(f"`{field}`" for field in fields)
	rows = frappe.db.sql(f"SELECT {columns} FROM `tab{DEVICE}` WHERE name = %s", (name,), as_dict=True)
	# the collation folds case: only the exact name counts
	return rows[0] if rows and rows[0].name == name else None


def encrypted_secrets(device: str, fields: Sequence[str]) -> list[tuple[str, str]]:
	"""(field, what is stored) of those of the device's secrets that are there, still encrypted."""
	if not fields:
		return []
	sql = (
		"SELECT fieldname, password FROM `__Auth` "
		"WHERE doctype = %s AND name = %s AND encrypted = 1 AND fieldname IN %s"
	)
	return frappe.db.sql(sql, (DEVICE, device, fields))
