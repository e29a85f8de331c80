"""What is wrong, by mail, and what is right again: one mail for all that a minute brought, each line with
what to do.

A row that waits says so (`needs_mail`). The mails lie in Frappe's own queue before the rows are done, in one
transaction, so nothing is lost and nothing sent twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import frappe
from frappe import _
from frappe.utils import escape_html, format_datetime, get_url, validate_email_address

from khalifa_whatsapp.jobs import alerts
from khalifa_whatsapp.jobs.alerts import ALERT

SETTINGS = "Khalifa Settings"
LIMIT = 50  # lines of one mail
FIELDS = ["name", "kind", "subject", "subject_values", "device", "is_solved", "since_on", "solved_on"]


def send(at_once: bool = False) -> int:
	"""Mail what nobody was mailed yet; how many things.

	`at_once`: past Frappe's queue, which the scheduler empties, for when the scheduler is what is wrong.
	"""
	rows = frappe.get_all(ALERT, {"needs_mail": 1}, FIELDS, order_by="is_solved, since_ms", limit=LIMIT)
	if not rows:
		return 0
	_notify_solved([row for row in rows if row.is_solved])
	if frappe.db.get_single_value(SETTINGS, "alert_is_mailed"):
		for language, addresses in _recipients().items():
			_mail(addresses, rows, language, at_once)
	frappe.db.set_value(ALERT, {"name": ("in", [row.name for row in rows])}, "needs_mail", 0)
	frappe.db.commit()
	return len(rows)


def _notify_solved(rows: list[Any]) -> None:
	"""One of Desk's notifications to each manager, for all that is right again."""
	for user, language in alerts.managers() if rows else ():
		alerts.notify(user, ALERT, rows[0].name, _("Solved: {0}", language).format(_subject(rows, language)))


def _recipients() -> dict[str, list[str]]:
	"""Addresses by the language that their owners read: managers, and whoever the settings name."""
	by_language: dict[str, list[str]] = defaultdict(list)
	default = frappe.db.get_default("lang") or "en"
	users = dict(alerts.managers())
	for name, email in frappe.get_all(
		"User", {"name": ("in", list(users) or [""])}, ["name", "email"], as_list=True
	):
		if validate_email_address(email or ""):
			by_language[users[name] or default].append(email)
	known = {address for addresses in by_language.values() for address in addresses}
	for address in (frappe.db.get_single_value(SETTINGS, "alert_addresses") or "").split():
		if validate_email_address(address) and address not in known:
			by_language[default].append(address)
	return by_language


def _mail(addresses: list[str], rows: list[Any], language: str, at_once: bool) -> None:
	wrong, right = ([row for row in rows if bool(row.is_solved) is is_solved] for is_solved in (False, True))
	subject = _subject(rows, language)
	if not wrong:
		subject = _("Solved: {0}", language).format(subject)
	try:
		frappe.sendmail(
			recipients=addresses, subject=subject[:140], message=body(wrong, right, language), now=at_once
		)
	except frappe.OutgoingEmailError:
		frappe.clear_last_message()  # a site that sends no mail: the notifications are there


def _subject(rows: list[Any], language: str | None) -> str:
	first = _line(rows[0], language)
	return first if len(rows) == 1 else _("{0} and {1} more", language).format(first, len(rows) - 1)


def body(wrong: Iterable[Any], right: Iterable[Any], language: str) -> str:
	"""The mail's HTML. Names and reasons that gateways gave are only ever text."""
	parts = [_paragraph(row, language) for row in wrong]
	solved = [f"<li>{escape_html(_line(row, language))}</li>" for row in right]
	if solved:
		parts.append(f"<h3>{escape_html(_('Solved', language))}</h3><ul>{''.join(solved)}</ul>")
	label = escape_html(_("All that is wrong now", language))
	link = f'<a href="{get_url("/app/khalifa-alert")}">{label}</a>'
	direction = "rtl" if language in ("ar", "he", "fa", "ps") else "ltr"
	return f'<div dir="{direction}">{"".join(parts)}<p>{link}</p></div>'


def _paragraph(row: Any, language: str) -> str:
	since = _("Since {0}", language).format(format_datetime(row.since_on))
	lines = (f"<b>{escape_html(_line(row, language))}</b>", escape_html(since))
	what = escape_html(alerts.advice(row.kind, language))
	return f"<p>{'<br>'.join(lines)}<br>{what}</p>"


def _line(row: Any, language: str | None) -> str:
	text = alerts.sentence(row.kind, row.subject, row.subject_values, language)
	is_named = not row.device or row.device in text
	return text if is_named else f"{row.device}: {text}"
