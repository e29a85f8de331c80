"""What is wrong now: written down once, told to managers once, in Desk's own notifications, and gone when it
is right.

A row of `Khalifa Alert` is a step of the jobs that fails, or a reason why a device needs a person.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator

import frappe
import pymysql
from frappe import _
from frappe.utils.user import get_users_with_role

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.core.troubles import text_for
from khalifa_whatsapp.guards import MANAGER_ROLE

EVENT = "khalifa_whatsapp:device"
DEVICE, ALERT = "WhatsApp Device", "Khalifa Alert"
JOB, OF_DEVICE = "Job", "Device"
MAX_ERROR = 1_000


def alert_managers(device: str, reason: str = "") -> bool:
	"""One notification to each manager, in his or her own language; whether there was anything new to tell.

	The same reason is told again when the device was right meanwhile (`clear_alerts`), or nobody gave it for
	a day.
	"""
	row = frappe.db.get_value(DEVICE, device, ["device_name", "breaker_reason"], as_dict=True)
	if row is None:
		return False
	reason = reason or row.breaker_reason or ""
	if not keep(OF_DEVICE, reason, device):
		return False
	for user, language in _managers():
		text = _("{0} needs you: {1}", language).format(
			row.device_name, _(reason, language) if reason else ""
		)
		notify(user, DEVICE, device, text)
		frappe.publish_realtime(EVENT, {"device": device}, user=user, after_commit=True)
	frappe.db.commit()
	return True


def publish_to_pages(device: str) -> None:
	"""Have managers' open pages look at the device again."""
	for user in get_users_with_role(MANAGER_ROLE):
		frappe.publish_realtime(EVENT, {"device": device}, user=user)


def alert_of_job(step: str, device: str, error: str) -> bool:
	"""A step of the jobs failed: kept with what happened, told once.

	`error` names a kind and a place, nobody's words.
	"""
	step_text = text_for(step)
	if not keep(JOB, step_text, device, error, step):
		return False
	for user, language in _managers():
		text = _("A part of the background work fails: {0}", language).format(_(step_text, language))
		notify(user, ALERT, _name(JOB, step_text, device), f"{text} ({device})" if device else text)
	frappe.db.commit()
	return True


def keep(kind: str, subject: str, device: str = "", error: str = "", step: str = "") -> bool:
	"""Write down that this is wrong now; whether it is news."""
	name, now, there = _name(kind, subject, device), now_ms(), frappe.utils.now_datetime()
	if kind == OF_DEVICE:  # nobody has said so for a day: it is another time
		frappe.db.delete(ALERT, {"name": name, "last_ms": ("<", now - DAY_MS)})
	# SQL: one statement that inserts or counts on, and says which it was
	frappe.db.sql(
		f"INSERT INTO `tab{ALERT}` (name, creation, modified, owner, modified_by, kind, subject, device, "
		"error, step, times, since_ms, since_on, last_ms, last_on) "
		"VALUES (%s, %s, %s, 'Administrator', 'Administrator', %s, %s, %s, %s, %s, 1, %s, %s, %s, %s) "
		"ON DUPLICATE KEY UPDATE times = times + 1, error = VALUES(error), last_ms = VALUES(last_ms), "
		"last_on = VALUES(last_on), modified = VALUES(modified)",
		(name, there, there, kind, subject, device, error[:MAX_ERROR], step, now, there, now, there),
	)
	is_new = frappe.db._cursor.rowcount == 1
	frappe.db.commit()
	return is_new


def clear_alerts(device: str, reason: str = "", but: Collection[str] = ()) -> None:
	"""The device is right again, in this respect or in all (but some): the next time is news."""
	filters = {"kind": OF_DEVICE, "device": device, **({"subject": reason} if reason else {})}
	for row in frappe.get_all(ALERT, filters, ["name", "subject"]):
		if row.subject not in but:
			_drop(row.name)


def clear_job(step: str, device: str = "") -> None:
	"""The step works again."""
	_drop(_name(JOB, text_for(step), device))


def failing() -> set[tuple[str, str]]:
	"""Steps that failed when they last ran, each with its device."""
	return set(frappe.get_all(ALERT, {"kind": JOB}, ["step", "device"], as_list=True, order_by=None))


def forget_old() -> None:
	"""Alerts that nobody has given for a day,
	and those of devices that are not there or not enabled any more.
	"""
	alert, device = frappe.qb.DocType(ALERT), frappe.qb.DocType(DEVICE)
	has_no_device = (alert.device != "") & device.name.isnull()
	is_old = (alert.kind == OF_DEVICE) & (alert.last_ms < now_ms() - DAY_MS)
	alerts = frappe.qb.from_(alert).left_join(device)
	alerts = alerts.on((device.name == alert.device) & (device.enabled == 1)).select(alert.name)
	for name in alerts.where(has_no_device | is_old).run(pluck=True):
		_drop(name)


def _drop(name: str) -> None:
	frappe.db.delete(ALERT, {"name": name})
	frappe.db.commit()


def language_of(user: str) -> str:
	"""The language in which a user reads Desk."""
	return frappe.db.get_value("User", user, "language") or frappe.db.get_default("lang")


def _name(kind: str, subject: str, device: str) -> str:
	return digest("alert", kind, subject, device)[:20]


def _managers() -> Iterator[tuple[str, str | None]]:
	default = frappe.db.get_default("lang")
	users = {"name": ("in", get_users_with_role(MANAGER_ROLE) or [""])}
	for user, language in frappe.get_all("User", users, ["name", "language"], as_list=True):
		yield user, language or default


def notify(user: str, doctype: str, name: str, text: str) -> None:
	"""One of Desk's own notifications, with a link."""
	subject = frappe.utils.escape_html(text)  # Desk shows a subject as HTML, and gateways say the reason
	frappe.get_doc(
		doctype="Notification Log",
		for_user=user,
		type="Alert",
		document_type=doctype,
		document_name=name,
		subject=subject,
	).insert(ignore_permissions=True)


@contextlib.contextmanager
def database_may_be_away() -> Iterator[None]:
	"""What is said of a failure must not fail in its place: without a database,
	only the log file hears of it.
	"""
	with contextlib.suppress(pymysql.err.Error):
		yield
