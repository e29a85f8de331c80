"""Telling managers that a device needs a person: in Desk's own notifications, and on their open pages."""

from __future__ import annotations

import frappe
from frappe import _
from frappe.utils.user import get_users_with_role

from khalifa_whatsapp.guards import MANAGER_ROLE

EVENT = "khalifa_whatsapp:device"


def alert_managers(device: str, reason: str = "") -> None:
	"""One notification to each manager, in his or her own language; the form of the device says more."""
	row = frappe.db.get_value("WhatsApp Device", device, ["device_name", "breaker_reason"], as_dict=True)
	if row is None:
		return
	for user in get_users_with_role(MANAGER_ROLE):
		notify(user, "WhatsApp Device", device, _subject(user, row.device_name, reason or row.breaker_reason or ""))
		frappe.publish_realtime(EVENT, {"device": device}, user=user, after_commit=True)
	frappe.db.commit()


def _subject(user: str, device_name: str, reason: str) -> str:
	language = language_of(user)
	text = _("{0} needs you: {1}", language).format(device_name, _(reason, language) if reason else "")
	return frappe.utils.escape_html(text)  # Desk shows a subject as HTML, and gateways say the reason


def language_of(user: str) -> str:
	"""The language in which a user reads Desk."""
	return frappe.db.get_value("User", user, "language") or frappe.db.get_default("lang")


def notify(user: str, doctype: str, name: str, subject: str) -> None:
	"""One of Desk's own notifications, with a link. The subject is HTML: whatever is in it must be escaped."""
	frappe.get_doc(
		doctype="Notification Log", for_user=user, type="Alert", document_type=doctype, document_name=name,
		subject=subject,
	).insert(ignore_permissions=True)  # fmt: skip
