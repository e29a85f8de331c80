"""What is wrong now: written down, told to managers in Desk's own notifications at once, by mail within a
minute, and once more when it is right.

A row of `Khalifa Alert` is one thing that is, or was, wrong; when people are notified of it says
`core.alerts`. Parts that find out by themselves call `alert_managers` and `alert_of_job`; all else is looked
for each minute by `jobs.alert_look`.
"""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import frappe
import pymysql
from frappe import _
from frappe.utils import get_system_timezone
from frappe.utils.user import get_users_with_role

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import alerts as rules
from khalifa_whatsapp.core.alerts import Condition, State
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.core.settings import DAY_MS, MINUTE_MS
from khalifa_whatsapp.core.troubles import text_for
from khalifa_whatsapp.guards import MANAGER_ROLE

EVENT = "khalifa_whatsapp:device"
DEVICE, ALERT = "WhatsApp Device", "Khalifa Alert"
JOB, OF_DEVICE = rules.JOB, rules.DEVICE
MAX_ERROR = 1_000
WRONG_NOW = {"is_solved": 0}


def alert_managers(device: str, reason: str = "") -> bool:
	"""A device needs a person: one notification to each manager, in his or her own language; whether there
	was anything to notify of.

	The same reason is another time when the device was right meanwhile (`clear_alerts`), or nobody gave it
	for a day.
	"""
	row = frappe.db.get_value(DEVICE, device, ["device_name", "breaker_reason"], as_dict=True)
	if row is None:
		return False
	reason = reason or row.breaker_reason or ""
	if not keep(OF_DEVICE, reason, device):
		return False
	for user, language in managers():
		text = _("{0} needs you: {1}", language).format(
			row.device_name, _(reason, language) if reason else ""
		)
		notify(user, DEVICE, device, text)
		frappe.publish_realtime(EVENT, {"device": device}, user=user, after_commit=True)
	frappe.db.commit()
	return True


def notify_late() -> None:
	"""Notify of what came back within the quiet time and is still wrong now that it is over: the parts that
	find out by themselves say so once only.
	"""
	is_over = ("<=", now_ms() - quiet_ms())
	waiting = {"kind": OF_DEVICE, **WRONG_NOW, "is_notified": 0, "notified_ms": is_over}
	for device, reason in frappe.get_all(ALERT, waiting, ["device", "subject"], as_list=True):
		alert_managers(device, reason)


def publish_to_pages(device: str) -> None:
	"""Have managers' open pages look at the device again."""
	for user in get_users_with_role(MANAGER_ROLE):
		frappe.publish_realtime(EVENT, {"device": device}, user=user)


def alert_of_job(step: str, device: str, error: str) -> bool:
	"""A step of the jobs failed: kept with what happened; whether managers were notified.

	`error` names a kind and a place, nobody's words.
	"""
	step_text = text_for(step)
	if not keep(JOB, step_text, device, error, step):
		return False
	for user, language in managers():
		text = _("A part of the background work fails: {0}", language).format(_(step_text, language))
		notify(user, ALERT, _name(JOB, step_text, device), f"{text} ({device})" if device else text)
	frappe.db.commit()
	return True


def alert_of(condition: Condition, has_notice: bool = False) -> bool:
	"""Something that was looked for is wrong; whether managers were notified.

	`has_notice`: they have read it already, in what the gateway itself said.
	"""
	name = _name(condition.kind, condition.key, condition.device)
	if not keep(condition.kind, condition.text, condition.device, key=condition.key, values=condition.values):
		return False
	for user, language in () if has_notice else managers():
		notify(user, ALERT, name, sentence(condition.kind, condition.text, condition.values, language))
	frappe.db.commit()
	return True


def keep(
	kind: str,
	subject: str,
	device: str = "",
	error: str = "",
	step: str = "",
	*,
	key: str | None = None,
	values: Mapping[str, str] | None = None,
) -> bool:
	"""Write down that this is wrong now; whether it is time to notify people."""
	name, now = _name(kind, subject if key is None else key, device), now_ms()
	frappe.db.commit()  # what follows is read as it is now
	_insert_once(name, kind, subject, device)
	row = _locked(name)
	state = _state_of(row)
	if kind == OF_DEVICE and row.last_ms and row.last_ms < now - DAY_MS:
		state = rules.gone(state, now)[0]  # nobody has said so for a day: it is another time
	goes_on = state.is_wrong
	state, is_due = rules.seen(state, now, quiet_ms(), kind in rules.NOTIFIED_ONCE)
	frappe.db.set_value(
		ALERT,
		name,
		{
			**_columns(state),
			**_moment("last", now),
			"times": row.times + 1 if goes_on else 1,
			"error": error[:MAX_ERROR],
			"step": step,
			"subject_values": json.dumps(dict(values or {}), ensure_ascii=False),
			"needs_mail": 1 if is_due else row.needs_mail,
		},
	)
	frappe.db.commit()
	return is_due


def _insert_once(name: str, kind: str, subject: str, device: str) -> None:
	there = frappe.utils.now_datetime()
	# SQL: a row that another process has just inserted is no error
	frappe.db.sql(
		f"INSERT IGNORE INTO `tab{ALERT}` (name, creation, modified, owner, modified_by, kind, subject, "
		"device) VALUES (%s, %s, %s, 'Administrator', 'Administrator', %s, %s, %s)",
		(name, there, there, kind, subject, device),
	)


def _locked(name: str) -> Any:
	fields = ["since_ms", "last_ms", "notified_ms", "is_notified", "solved_ms", "is_solved", "times"]
	return frappe.db.get_value(ALERT, name, [*fields, "needs_mail"], as_dict=True, for_update=True)


def _state_of(row: Any) -> State:
	return State(row.since_ms, row.notified_ms, bool(row.is_notified), row.solved_ms)


def _columns(state: State) -> dict[str, Any]:
	return {
		**_moment("since", state.since_ms),
		**_moment("notified", state.notified_ms),
		**_moment("solved", state.solved_ms),
		"is_notified": int(state.is_notified),
		"is_solved": int(not state.is_wrong),
	}


def _moment(name: str, at_ms: int) -> dict[str, Any]:
	return {f"{name}_ms": at_ms, f"{name}_on": site_time(at_ms) if at_ms else None}


def site_time(at_ms: int) -> datetime:
	"""An instant in epoch milliseconds as the site's clock shows it."""
	return datetime.fromtimestamp(at_ms / 1000, ZoneInfo(get_system_timezone())).replace(tzinfo=None)


def quiet_ms() -> int:
	"""How long nobody is notified of the same thing again."""
	return round(on_site().rules().settings.alert_quiet_minutes * MINUTE_MS)


# -- what is right again


def clear_alerts(device: str, reason: str = "", but: Collection[str] = ()) -> None:
	"""The device is right again, in this respect or in all (but some)."""
	filters = {
		"kind": OF_DEVICE,
		"device": device,
		**WRONG_NOW,
		**({"subject": reason} if reason else {}),
	}
	for row in frappe.get_all(ALERT, filters, ["name", "subject"]):
		if row.subject not in but:
			solve(row.name)


def clear_job(step: str, device: str = "") -> None:
	"""The step works again."""
	solve(_name(JOB, text_for(step), device))


def clear_conditions(kinds: Collection[str], but: Collection[Condition]) -> None:
	"""Of these kinds nothing is wrong but this."""
	wrong = {_name(condition.kind, condition.key, condition.device) for condition in but}
	for name in frappe.get_all(ALERT, {"kind": ("in", list(kinds)), **WRONG_NOW}, pluck="name"):
		if name not in wrong:
			solve(name)


def solve(name: str) -> None:
	"""It is right again: people who know of it are to be told; a row of which nobody was told goes."""
	frappe.db.commit()
	row = _locked(name)
	if row is None:
		return
	state, is_due = rules.gone(_state_of(row), now_ms())
	if is_due:
		frappe.db.set_value(ALERT, name, {**_columns(state), "needs_mail": 1})
	elif not state.notified_ms:
		frappe.db.delete(ALERT, {"name": name})
	elif not row.is_solved:
		frappe.db.set_value(ALERT, name, _columns(state))
	frappe.db.commit()


def failing() -> set[tuple[str, str]]:
	"""Steps that failed when they last ran, each with its device."""
	wrong = {"kind": JOB, **WRONG_NOW}
	return set(frappe.get_all(ALERT, wrong, ["step", "device"], as_list=True, order_by=None))


def forget_old() -> None:
	"""Alerts of devices that are not there or not enabled any more, and reasons that nobody has given for a
	day.
	"""
	alert, device = frappe.qb.DocType(ALERT), frappe.qb.DocType(DEVICE)
	has_no_device = (alert.device != "") & device.name.isnull()
	is_old = (alert.kind == OF_DEVICE) & (alert.last_ms < now_ms() - DAY_MS)
	alerts = frappe.qb.from_(alert).left_join(device)
	alerts = alerts.on((device.name == alert.device) & (device.enabled == 1)).select(alert.name)
	for name in alerts.where((alert.is_solved == 0) & (has_no_device | is_old)).run(pluck=True):
		frappe.db.delete(ALERT, {"name": name})
		frappe.db.commit()


# -- words


def sentence(
	kind: str, subject: str | None, values: Mapping[str, Any] | str | None, language: str | None = None
) -> str:
	"""What is wrong, in a person's language."""
	given = json.loads(values or "{}") if isinstance(values, str | None) else dict(values)
	if kind == JOB:
		return _(rules.MESSAGES[JOB], language).format(step=_(subject or "", language))
	if kind == OF_DEVICE:
		return _(subject or "", language)
	if given.get("date_ms"):
		given["date"] = frappe.utils.formatdate(site_time(int(given["date_ms"])))
	return _(subject or "", language).format_map(defaultdict(str, given))


def advice(kind: str, language: str | None = None) -> str:
	"""What to do about it, in a person's language."""
	text = rules.REASONS.get(kind)
	return _(text, language) if text else ""


def language_of(user: str) -> str:
	"""The language in which a user reads Desk."""
	return frappe.db.get_value("User", user, "language") or frappe.db.get_default("lang")


def _name(kind: str, subject: str, device: str) -> str:
	return digest("alert", kind, subject, device)[:20]


def managers() -> Iterator[tuple[str, str | None]]:
	"""Whoever is notified, each with his or her language."""
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
