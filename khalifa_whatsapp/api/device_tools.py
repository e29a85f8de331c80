"""What managers do with a device beside its login: see today's counts against its caps, try it,
sync its templates.
"""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _

from khalifa_whatsapp.api.decorators import endpoint
from khalifa_whatsapp.api.devices import refuse_device
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import phones
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.core.keys import delivery_key
from khalifa_whatsapp.core.pacing import HOUR_MS, MINUTE_MS, Pace, day_start_ms
from khalifa_whatsapp.drivers.abilities import TemplateSource
from khalifa_whatsapp.drivers.base import OutgoingText, SendError, SessionState
from khalifa_whatsapp.drivers.loopback import LoopbackDriver, message_item
from khalifa_whatsapp.guards import manager_only, require_read
from khalifa_whatsapp.jobs import intake, watch
from khalifa_whatsapp.jobs import templates as templates_job
from khalifa_whatsapp.setup import onboarding
from khalifa_whatsapp.site_devices import SiteDevice, get_device

MAX_TEST = 200
MAX_RECEIVED = 4096  # characters, as of a real message
LOCK_SECONDS = 5


@frappe.whitelist()
@manager_only
@endpoint
def counters(device: str) -> dict[str, Any]:
	"""What the device has sent in the last minute, hour and day, each with its cap (0: none),
	and what still waits.
	"""
	require_read("WhatsApp Device", device)
	site_device = get_device(device)
	pace = site_device.pace if site_device else Pace()
	store, now = on_site(), now_ms()
	traffic = store.traffic(device, pace, now, day_start_ms(now, store.rules().calendar), ())
	waiting = frappe.db.count("Khalifa Message", {"device": device, "status": "Queued"})
	return {
		"minute": {"sent": _since(device, now - MINUTE_MS), "cap": pace.max_per_minute},
		"hour": {"sent": _since(device, now - HOUR_MS), "cap": pace.max_per_hour},
		"day": {"sent": traffic.today, "cap": pace.max_per_day},
		"new_chats": {"sent": traffic.new_chats_today, "cap": pace.max_new_chats_per_day},
		"replies": {"sent": traffic.replies_today, "percent": pace.min_reply_percent},
		"waiting": waiting,
		"is_paused_everywhere": bool(store.rules().settings.is_sending_paused),
	}


def _since(device: str, from_ms: int) -> int:
	return frappe.db.count("Khalifa Message", {"device": device, "started_ms": (">", from_ms)})


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def test_message(device: str, phone: str, text: str) -> dict[str, str]:
	"""Send a text to a phone of your own, now and past the pace, to see that the device works.

	It is in no ticket.
	"""
	site_device = _enabled(device)
	if site_device.driver.capabilities.has_browser:
		raise UserError(
			"test_in_inbox",
			"This device sends from its browser: try it by answering a conversation in the inbox.",
		)
	number = _number(phone)
	if not text.strip() or len(text) > MAX_TEST:
		raise UserError("bad_test_text", "Write a short text, at most {limit} characters.", limit=MAX_TEST)
	with on_site().lock(f"out:{device}", LOCK_SECONDS) as is_ours:
		if not is_ours:
			raise UserError("device_sending", "The device is sending just now. Try again in a minute.")
		try:
			done = site_device.driver.send(OutgoingText(recipient=(Identity("phone", number),), body=text))
		except SendError as error:
			raise UserError("not_sent", "It was not sent: {reason}", reason=_(error.text)) from None
	watch.record_state(on_site(), device, SessionState("connected"))  # it has just taken a message
	onboarding.tick(onboarding.TEST_MESSAGE)
	return {"status": done.status}


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def receive_test_message(
	device: str, phone: str, text: str, customer_name: str = ""
) -> dict[str, str | None]:
	"""Let a message arrive on a device that talks to nobody, as if a customer had written; the conversation's
	name.

	It takes the way of every message from the webhook on, and is taken in at once, for a new site may have no
	worker yet.
	"""
	site_device = _enabled(device)
	if not isinstance(site_device.driver, LoopbackDriver):
		raise UserError("real_gateway", "This device has a real gateway: write to its number from a phone.")
	number = _number(phone)
	if not text.strip() or len(text) > MAX_RECEIVED:
		raise UserError(
			"bad_test_text", "Write a short text, at most {limit} characters.", limit=MAX_RECEIVED
		)
	gateway_id = f"test-{frappe.generate_hash(length=16)}"
	raw = site_device.driver.call(message_item(number, text, gateway_id, now_ms(), customer_name.strip())).raw
	on_site().record_webhook_event(
		device, site_device.driver.config.provider, delivery_key(device, raw), raw, now_ms()
	)
	intake.run(device)
	return {
		"ticket": frappe.db.get_value(
			"Khalifa Message", {"device": device, "gateway_id": gateway_id}, "ticket"
		)
	}


def _number(phone: str) -> str:
	try:
		return phones.from_person(phone, on_site().rules().settings.default_region).e164
	except phones.PhoneError as error:
		raise UserError("bad_phone", phones.MESSAGES[error.code], **error.values) from None


@frappe.whitelist(methods=["POST"])
@manager_only
@endpoint
def sync_templates(device: str) -> dict[str, int]:
	"""Bring the device's templates in step with the gateway; those that are gone there are removed here."""
	site_device = _enabled(device)
	if not isinstance(site_device.driver, TemplateSource):
		raise UserError("no_templates", "This gateway has no templates.")
	try:
		return templates_job.sync(device, site_device.driver)
	except SendError as error:
		raise UserError(
			"gateway_refused", "The gateway did not do it: {reason}", reason=_(error.text)
		) from None


def _enabled(device: str) -> SiteDevice:
	require_read("WhatsApp Device", device)
	site_device = get_device(device)
	if site_device is None:
		refuse_device(device)
	return site_device
