"""The guest doors of gateways: verify, store, answer.

A call is verified on its raw bytes and stored with one insert; everything else happens after the answer has left.
Refusals say nothing. The work itself wakes after the response, best effort: the minute job finds what was missed.
"""

from __future__ import annotations

import frappe
from werkzeug.wrappers import Response

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.drivers.base import WebhookCall
from khalifa_whatsapp.jobs.wake import wake_intake
from khalifa_whatsapp.services import deliveries
from khalifa_whatsapp.site_devices import SiteDevice, get_device


@frappe.whitelist(allow_guest=True, methods=["GET", "POST"])
def cloud_api() -> Response:
	"""Meta's Cloud API: `?device=NAME`; GET is the subscription's handshake."""
	if frappe.request.method == "GET":
		return _handshake()
	return _receive("cloud_api")


@frappe.whitelist(allow_guest=True, methods=["POST"])
def wppconnect() -> Response:
	"""WPPConnect Server: `?device=NAME&k=SECRET`, as the device's form shows it once."""
	return _receive("wppconnect")


@frappe.whitelist(allow_guest=True, methods=["POST"])
def loopback() -> Response:
	"""The built-in gateway for trials and measurements; signed like the Cloud API."""
	return _receive("loopback")


def _receive(provider: str) -> Response:
	device = _device(provider)
	if device is None:
		return _answer(deliveries.REFUSED)
	answer = deliveries.accept(on_site(), device.driver, _call(), now_ms(), device.max_bytes)
	if answer.status == 200:
		name = device.driver.config.name
		frappe.request.after_response.add(lambda: wake_intake(name))
	return _answer(answer)


def _handshake() -> Response:
	device = _device("cloud_api")
	if device is None:
		return _answer(deliveries.REFUSED)
	return _answer(deliveries.handshake(device.driver, _call()))


def _device(provider: str) -> SiteDevice | None:
	"""The device the call names, if it is of this door's kind and the caller's address may use it."""
	device = get_device(frappe.request.args.get("device") or "")
	if device is None or device.driver.config.provider != provider:
		return None
	return device if device.allows(_address()) else None


def _address() -> str:
	"""The caller's address. What the headers say is believed only of our own proxy, and of it only its own word.

	The proxy is on this host, or its address is in the site's `khalifa_trusted_proxies`.
	"""
	request = frappe.request
	peer = request.remote_addr or ""
	forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
	trusted = ("127.0.0.1", "::1", *(frappe.conf.khalifa_trusted_proxies or ()))
	return forwarded if forwarded and peer in trusted else peer


def _call() -> WebhookCall:
	request = frappe.request
	headers = {name.lower(): value for name, value in request.headers.items()}
	return WebhookCall(request.get_data(), headers, request.args.to_dict(), request.method)


def _answer(answer: deliveries.Answer) -> Response:
	response = Response(answer.body, status=answer.status, content_type="text/plain; charset=utf-8")
	if answer.status == 503:
		response.headers["Retry-After"] = "5"
	return response
