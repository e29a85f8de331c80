"""Keeping the sessions of HTTP gateways alive, and taking in what they did not post.

A gateway that was down posts nothing of what came in meanwhile; asked for what nobody has read, it tells.
What was posted too is taken in once, by its id.
"""

from __future__ import annotations

import json
from dataclasses import asdict

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.keys import delivery_key
from khalifa_whatsapp.core.troubles import PROBLEMS
from khalifa_whatsapp.core.watchdog import CONNECTED, Watch
from khalifa_whatsapp.drivers.abilities import ChatLog, ExpiringLogin, SessionDriver
from khalifa_whatsapp.drivers.base import MessageDriver, SendError, SessionState
from khalifa_whatsapp.guards import MANAGER_ROLE
from khalifa_whatsapp.jobs.alerts import alert_managers, clear_alerts, site_time
from khalifa_whatsapp.jobs.steps import job
from khalifa_whatsapp.jobs.wake import allow_next_wake, wake_intake
from khalifa_whatsapp.services import sessions
from khalifa_whatsapp.services.unit_of_work import retrying, working
from khalifa_whatsapp.site_devices import get_device
from khalifa_whatsapp.stores.base import Store

DEVICE = "WhatsApp Device"
# `SessionState.data` → the device's field (`DEVICE_FACTS`)
FACT_OF = {"quality": "quality", "limit": "messaging_limit", "name_status": "name_status"}


@job("watch")
def run(device: str) -> dict[str, str | int]:
	"""One check of one device: its session, and then what nobody has read.

	A person who disconnected it is obeyed.
	"""
	site_device = get_device(device)
	if (
		site_device is None
		or site_device.driver.config.has_lost_login
		or not (is_watched(site_device.driver) and _is_wanted(device))
	):
		return {}
	allow_next_wake("watch", device)
	store = on_site()
	with store.lock(f"watch:{device}") as is_ours:
		return _watch(store, site_device.driver, device) if is_ours else {}


@job("look")
def look(device: str) -> dict[str, str]:
	"""Ask a gateway without sessions how its number is: quality, limits, whether it may send."""
	site_device = get_device(device)
	if site_device is None or is_watched(site_device.driver) or site_device.driver.capabilities.has_browser:
		return {}
	if site_device.driver.config.has_lost_login:  # there is nothing to ask with, and the device says so
		return {}
	try:
		state = site_device.driver.get_status()
	except SendError as error:
		state = SessionState("disconnected", error.text)
	before = frappe.db.get_value(DEVICE, device, "state")
	record_state(on_site(), device, state)
	if state.state == "restricted" and before != "Restricted":
		alert_managers(device, reason="WhatsApp has restricted this number.")
	_note_login_end(device, site_device.driver)
	return {"state": state.state}


def _note_login_end(device: str, driver: MessageDriver) -> None:
	"""Write down when the login ends, for the alert that comes before; what can't be asked stays so."""
	if not isinstance(driver, ExpiringLogin):
		return
	try:
		ends_ms = driver.login_ends_ms()
	except SendError:
		return
	values = {"token_ends_ms": ends_ms, "token_ends_on": site_time(ends_ms) if ends_ms else None}
	frappe.db.set_value(DEVICE, device, values, update_modified=False)
	frappe.db.commit()


def is_watched(driver: MessageDriver) -> bool:
	"""Whether the device has a session that nobody else looks after."""
	return isinstance(driver, SessionDriver) and not driver.capabilities.has_browser


def _is_wanted(device: str) -> bool:
	return bool(frappe.db.get_value(DEVICE, device, "is_connection_wanted"))


def _watch(store: Store, driver: MessageDriver, device: str) -> dict[str, str | int]:
	before = remembered(device)
	done = sessions.watch(driver, before, store.rules().settings, now_ms())  # type: ignore[arg-type]
	remember(device, done.memory)
	if done.seen is not None and done.memory.state != before.state:
		record_state(store, device, done.seen)
	if done.alert:
		alert_managers(device, reason=done.alert)
	elif done.memory.state == CONNECTED and before.state != CONNECTED:
		clear_alerts(device, but=PROBLEMS)
	count = 0
	if done.memory.state == CONNECTED and isinstance(driver, ChatLog):
		count = take_in(store, driver)
	return {"state": done.memory.state, "action": done.action, "missed": count}


def remembered(device: str) -> Watch:
	"""What is known of the session from check to check; nothing, when what was written down can't be read."""
	stored = frappe.db.get_value(DEVICE, device, "watch")
	try:
		return Watch(**json.loads(stored)) if stored else Watch()
	except (TypeError, ValueError):
		return Watch()


def remember(device: str, memory: Watch | None) -> None:
	"""Write it down; None begins anew."""
	value = json.dumps(asdict(memory)) if memory is not None else None
	frappe.db.set_value(DEVICE, device, "watch", value, update_modified=False)
	frappe.db.commit()


def note(device: str, state: str, given_up: str = "") -> None:
	"""Remember what became of a browser's session, and call people once when it needs them."""
	memory, alert = sessions.note(remembered(device), state, now_ms(), given_up)
	remember(device, memory)
	if alert:
		alert_managers(device, reason=alert)
	elif state == CONNECTED:
		clear_alerts(device, but=PROBLEMS)


def record_state(store: Store, device: str, state: SessionState) -> None:
	"""Write the device's state and tell managers."""
	at_ms = now_ms()
	facts = [(name, str(state.data[key]), at_ms) for key, name in FACT_OF.items() if state.data.get(key)]

	def write() -> None:
		with working(store, at_ms) as work:
			work.changes.device_states[device] = (state.state, state.detail, at_ms)
			work.changes.device_facts[device] = facts
			work.publish(
				"khalifa_whatsapp:device", {"device": device, "state": state.state}, role=MANAGER_ROLE
			)

	retrying(write)


def take_in(store: Store, driver: MessageDriver) -> int:
	"""Store what nobody has read as the webhook's endpoint does; how many deliveries were new."""
	if not isinstance(driver, ChatLog):
		return 0
	try:
		bodies = driver.missed_webhook_events()
	except SendError:  # the next minute asks again
		return 0
	config, count = driver.config, 0  # type: ignore[attr-defined]
	for body in bodies:
		key = delivery_key(config.name, body)
		count += retrying(
			lambda body=body, key=key: store.record_webhook_event(
				config.name, config.provider, key, body, now_ms()
			)  # type: ignore[misc]
		)
	if count:
		wake_intake(config.name)
	return count
