"""A device's login, for managers: connect, look at the code, disconnect, log out, and how it is.

Gateways that speak HTTP are asked directly, and briefly. A device that lives in a browser is asked through
the process that owns the browser.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import frappe
import redis
from frappe import _
from frappe.query_builder.functions import Count

from khalifa_whatsapp import site_audit
from khalifa_whatsapp.api.decorators import endpoint
from khalifa_whatsapp.bootstrap import leases, now_ms, on_site
from khalifa_whatsapp.core import audit
from khalifa_whatsapp.core import lease as rules
from khalifa_whatsapp.core.errors import NotFound, UserError
from khalifa_whatsapp.core.lease import Lease
from khalifa_whatsapp.drivers.abilities import QrCode, SessionDriver
from khalifa_whatsapp.drivers.base import MessageDriver, SendError, SessionState
from khalifa_whatsapp.drivers.factory import make_driver
from khalifa_whatsapp.guards import manager_only, require_read
from khalifa_whatsapp.jobs import device_problems, notices, watch
from khalifa_whatsapp.jobs import gateway_calls as calls
from khalifa_whatsapp.site_devices import get_device, problem_of

T = TypeVar("T")
CONNECT_SECONDS, READ_SECONDS = 3.0, 10.0  # a person waits for these answers
_FIELDS = (
	"state",
	"state_detail",
	"state_on",
	"last_error_text",
	"last_error_code",
	"last_error_on",
	"breaker_state",
	"breaker_reason",
	"is_paused",
	"enabled",
)


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def connect(device: str) -> dict[str, Any]:
	"""Begin the login, or go on with it; the state follows."""
	driver = _driver(device)
	_note(device, audit.CONNECTED)
	if driver.capabilities.has_browser:
		return _command(device, rules.CONNECT)
	state = _asked(_session(driver).start_session)
	_want(device, True)
	watch.record_state(on_site(), device, state)
	return {"state": state.state}


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def disconnect(device: str) -> dict[str, Any]:
	"""End the session and keep the login."""
	return _end(device, rules.DISCONNECT, lambda session: session.stop_session())


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def log_out(device: str) -> dict[str, Any]:
	"""End the session and forget the login: the next start needs a new code."""
	return _end(device, rules.LOG_OUT, lambda session: session.log_out())


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def qr(device: str) -> dict[str, Any]:
	"""The code to scan (`image`, its `age` and `lifetime` in seconds),
	or the `state` in which there is none.
	"""
	driver = _driver(device)
	if driver.capabilities.has_browser:
		return _ask_gateway(device)
	code = _asked(_session(driver).get_qr)
	return _qr_of(code) if code is not None else {"state": _asked(driver.get_status).state}


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def status(device: str) -> dict[str, Any]:
	"""How the device is: its state in words, its last error, its breaker, who owns its browser,
	and today's counts.
	"""
	require_read("WhatsApp Device", device)
	row = frappe.db.get_value("WhatsApp Device", device, _FIELDS, as_dict=True)
	site_device, problem = get_device(device), problem_of(device)
	has_browser = site_device is not None and site_device.driver.capabilities.has_browser
	return {
		"state": row.state,
		"text": _state_text(row.state, bool(row.enabled)),
		"detail": _(row.state_detail or ""),
		"problem": device_problems.text_of_problem(problem),
		"problem_kind": problem.kind if problem is not None else "",
		"is_held": site_device.is_held if site_device is not None else problem is not None,
		"since": row.state_on,
		"is_paused": bool(row.is_paused),
		"has_session": site_device is not None
		and (has_browser or isinstance(site_device.driver, SessionDriver)),
		"has_qr": site_device is not None and site_device.driver.capabilities.has_qr,
		"error": {"text": _(row.last_error_text or ""), "code": row.last_error_code, "on": row.last_error_on},
		"breaker": {"state": row.breaker_state, "reason": _(row.breaker_reason or "")},
		"gateway": _gateway(device) if has_browser else None,
		"today": _today(device),
		"notices": notices.latest(device),
	}


def _driver(device: str) -> MessageDriver:
	"""The enabled device's driver, in no hurry to wait."""
	require_read("WhatsApp Device", device)
	site_device = get_device(device)
	if site_device is None:
		refuse_device(device)
	if site_device.driver.capabilities.has_browser:
		return site_device.driver
	config = site_device.driver.config
	return make_driver(
		dataclasses.replace(
			config,
			connect_timeout=min(config.connect_timeout, CONNECT_SECONDS),
			read_timeout=min(config.read_timeout, READ_SECONDS),
		)
	)


def refuse_device(device: str) -> NoReturn:
	"""Say why the device can't be used: its own problem, or that it is off."""
	problem = problem_of(device)
	if problem is not None:
		raise UserError(
			"device_problem",
			"This device can't be used: {reason}",
			reason=device_problems.text_of_problem(problem),
		)
	raise NotFound("device_not_enabled", "This device is not enabled. Enable it, then try again.")


def _session(driver: MessageDriver) -> SessionDriver:
	if not isinstance(driver, SessionDriver):
		raise UserError("no_session", "This gateway has no session to connect: its token is its login.")
	return driver


def _want(device: str, is_wanted: bool) -> None:
	"""Whether the watchdog shall keep the session alive; it forgets what it knew."""
	values = {"is_connection_wanted": int(is_wanted), "watch": None}
	frappe.db.set_value("WhatsApp Device", device, values, update_modified=False)
	frappe.db.commit()


def _end(device: str, command: str, end: Callable[[SessionDriver], None]) -> dict[str, Any]:
	"""End the session: by the process that owns its browser, or by asking the gateway."""
	driver = _driver(device)
	_note(device, audit.LOGGED_OUT if command == rules.LOG_OUT else audit.DISCONNECTED)
	if driver.capabilities.has_browser:
		return _command(device, command)
	session = _session(driver)
	_want(device, False)  # first, and whatever the gateway says: the watchdog must not start it again
	_asked(lambda: end(session))
	watch.record_state(on_site(), device, SessionState("disconnected"))
	return {"state": "disconnected"}


def _note(device: str, action: str) -> None:
	"""Who began or ended a login, whatever the gateway makes of it."""
	site_audit.note(audit.DEVICE, action, document_type="WhatsApp Device", document=device, title=device)


def _asked(act: Callable[[], T]) -> T:
	"""What the gateway answers; its refusal becomes ours, in its own safe words."""
	try:
		return act()
	except SendError as error:
		raise UserError(
			"gateway_refused", "The gateway did not do it: {reason}", reason=_(error.text)
		) from None


def _qr_of(code: QrCode) -> dict[str, Any]:
	return {"state": "qr", "image": code.image, "age": code.age_seconds, "lifetime": code.lifetime_seconds}


# -- devices that live in a browser


def _command(device: str, command: str) -> dict[str, Any]:
	lease = _owned(device)
	leases(on_site()).ask(device, command, now_ms())
	calls.wake(lease.owner_key if lease is not None else None)
	return {"state": "disconnected" if command == rules.DISCONNECT else "connecting"}


def _ask_gateway(device: str) -> dict[str, Any]:
	lease = _owned(device)
	if lease is None or not lease.has_owner(now_ms()):
		return {"state": "disconnected"}
	try:
		answer = calls.ask(lease.owner_key or "", device, "qr")
	except redis.exceptions.RedisError:
		answer = None
	if answer is None:
		raise UserError("gateway_silent", "The browser did not answer in time. Try again in a moment.")
	return answer


def _owned(device: str) -> Lease | None:
	"""The device's lease; a refusal when no process is there that could do anything with it."""
	lease = leases(on_site()).get(device)
	if not calls.is_running() and not (lease is not None and lease.has_owner(now_ms())):
		raise UserError(
			"gateway_not_running",
			"The process that owns the browsers is not running. Start it on the server: {command}",
			command=f"bench --site {frappe.local.site} khalifa-gateway",
		)
	return lease


def _gateway(device: str) -> dict[str, Any]:
	lease = leases(on_site()).get(device)
	has_owner = lease is not None and lease.has_owner(now_ms())
	return {
		"is_running": has_owner or calls.is_running(),
		"command": f"bench --site {frappe.local.site} khalifa-gateway",
		"state": lease.state if lease is not None else None,
		"host": lease.owner_host if has_owner and lease is not None else None,
	}


# -- words and counts


def _state_text(state: str | None, is_enabled: bool) -> str:
	if not is_enabled:
		return _("The device is not enabled.")
	texts = {
		"Connected": _("Connected: messages come in and go out."),
		"Connecting": _("Connecting: this can take a minute."),
		"QR": _("Waiting for a phone: scan the code with WhatsApp, under Linked Devices."),
		"Disconnected": _("Not connected: messages wait until it is."),
		"Restricted": _("WhatsApp has restricted this number."),
	}
	return texts.get(state or "", _("Nothing is known of it yet."))


def _today(device: str) -> dict[str, int]:
	"""Messages by status whose sending began today."""
	calendar = on_site().rules().calendar
	start_ms = calendar.day_bounds_ms(calendar.local_date(now_ms()))[0]
	message = frappe.qb.DocType("Khalifa Message")
	began = (message.device == device) & (message.started_ms >= start_ms)
	query = frappe.qb.from_(message).select(message.status, Count("*")).where(began)
	counts = dict(query.groupby(message.status).run())
	gone = sum(counts.get(state, 0) for state in ("Sent", "Delivered", "Read", "Played"))
	return {"sent": gone, "failed": counts.get("Failed", 0), "unknown": counts.get("Unknown", 0)}
