"""The worker's drain of one device's outgoing messages."""

from __future__ import annotations

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.troubles import PROBLEMS
from khalifa_whatsapp.jobs import campaigns
from khalifa_whatsapp.jobs.alerts import alert_managers, clear_alerts
from khalifa_whatsapp.jobs.steps import Steps, job
from khalifa_whatsapp.jobs.wake import allow_next_wake, wake_outbox
from khalifa_whatsapp.services.isolation import check
from khalifa_whatsapp.services.outbound import dispatch, unknown_outcomes
from khalifa_whatsapp.site_devices import SiteDevice, get_device

SECONDS = 60


@job("outbox")
def run(device: str) -> dict[str, int]:
	"""Send what is due. A device that lives in a browser is served by the process that owns the browser."""
	site_device = get_device(device)
	if site_device is None or site_device.driver.capabilities.has_browser:
		return {}
	allow_next_wake("outbox", device)
	return send_due(site_device)


def send_due(device: SiteDevice, seconds: float = SECONDS) -> dict[str, int]:
	"""Settle what the chat's own log can settle, then send what is due; what came of it."""
	store, driver, steps = on_site(), device.driver, Steps()
	name, settled = driver.config.name, 0
	if not device.is_held:
		settled = steps.run("reconcile", lambda: unknown_outcomes.reconcile(store, driver, now_ms), name) or 0
	sent = dispatch.drain(store, driver, now_ms, seconds, device.pace, is_held=device.is_held)
	if sent.sent:
		steps.run("campaign refill", lambda: campaigns.refill(name), name)
	is_over = sent.waits or sent.is_stopped or sent.is_busy or driver.capabilities.has_browser
	if sent.sent and not is_over:  # the process that owns a browser looks by itself, each second
		_go_on(name)
	if sent.is_alarming:
		alert_managers(name)
	elif sent.sent:
		clear_alerts(name, but=PROBLEMS)
	check(sent.not_tried)
	return {
		"sent": sent.sent,
		"retried": sent.retried,
		"failed": sent.failed,
		"unknown": sent.unknown,
		"settled": settled,
	}


def _go_on(device: str) -> None:
	"""The time was up before the messages were."""
	if device in on_site().devices_with_due_messages(now_ms()):
		wake_outbox(device)
