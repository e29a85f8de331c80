"""What forms check with the rules' own words: hours and phone numbers."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import get_system_timezone

from khalifa_whatsapp.core import calendar, phones


def validate_hours(weekly: Iterable[Document], exceptions: Iterable[Document] = ()) -> None:
	"""Refuse rows of hours that no calendar can be made of, naming the row."""
	try:
		calendar.calendar_from_rows(
			get_system_timezone(), [row.as_dict() for row in weekly], [row.as_dict() for row in exceptions]
		)
	except calendar.CalendarError as error:
		frappe.throw(_(calendar.MESSAGES[error.code]).format(**error.values), title=_("Working Hours"))


def normal_phone(text: str | None, region: str | None = None) -> str | None:
	"""The number as WhatsApp knows it, or a refusal that says what is wrong with it; None stays None."""
	if not text or not text.strip():
		return None
	try:
		return phones.from_person(text, region or default_region()).e164
	except phones.PhoneError as error:
		frappe.throw(_(phones.MESSAGES[error.code]).format(**error.values), title=_("Phone Number"))


def default_region() -> str:
	"""The country of numbers that are written without their country code."""
	return frappe.db.get_single_value("Khalifa Settings", "default_region") or phones.HOME_REGION


def is_network(text: str) -> bool:
	"""Whether it is an IP address or a network."""
	try:
		ip_network(text, strict=False)
	except ValueError:
		return False
	return True
