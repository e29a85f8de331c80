"""What is stored of a device, as `site_devices` makes a driver of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import frappe

DEVICE = "WhatsApp Device"


def device_row(name: str, fields: Sequence[str]) -> Any | None:
	"""These fields of a device; None when there is none of exactly this name."""
	device = frappe.qb.DocType(DEVICE)
	rows = frappe.qb.from_(device).select(*fields).where(device.name == name).run(as_dict=True)
	# the collation folds case: only the exact name counts
	return rows[0] if rows and rows[0].name == name else None


def encrypted_secrets(device: str, fields: Sequence[str]) -> list[tuple[str, str]]:
	"""(field, what is stored) of those of the device's secrets that are there, still encrypted."""
	if not fields:
		return []
	auth = frappe.qb.Table("__Auth")
	is_wanted = (auth.doctype == DEVICE) & (auth.name == device) & (auth.encrypted == 1)
	query = frappe.qb.from_(auth).select(auth.fieldname, auth.password)
	return query.where(is_wanted & auth.fieldname.isin(list(fields))).run()
