"""Devices that can't be used as they are set up, and secrets that nobody can decrypt any more."""

from __future__ import annotations

from typing import Any

import frappe
from cryptography.fernet import Fernet
from frappe.utils.password import encrypt

from khalifa_whatsapp.site_devices import forget_devices


def lose(device: str, *fields: str) -> None:
	"""As after a restore without the encryption key: what is stored was encrypted with another one."""
	for field in fields:
		lost = encrypt("lost", encryption_key=Fernet.generate_key().decode())
		frappe.db.sql(
			"INSERT INTO `__Auth` (doctype, name, fieldname, password, "
			"encrypted) VALUES ('WhatsApp Device', %s, %s, %s, 1) "
			"ON DUPLICATE KEY UPDATE password = VALUES(password)",
			(device, field, lost),
		)
	frappe.db.commit()
	forget_devices()


def spoil(device: str, **fields: Any) -> None:
	"""Settings that the form would refuse: from an import, or a hand in the database."""
	for field, value in fields.items():
		frappe.db.sql(f"UPDATE `tabWhatsApp Device` SET `{field}` = %s WHERE name = %s", (value, device))
	frappe.db.commit()
	forget_devices()


def enter(device: str, **secrets: str) -> Any:
	"""A manager types them into the form again."""
	doc = frappe.get_doc("WhatsApp Device", device)
	doc.update(secrets)
	doc.save()
	frappe.db.commit()
	return doc
