"""The guest endpoints of gateways: verify, store, answer.

A call is verified on its raw bytes and stored with one insert; everything else happens after the answer has
left. Refusals say nothing. The work itself wakes after the response, best effort: the minute job finds what
was missed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import frappe
from werkzeug.wrappers import Response

from khalifa_whatsapp.api import callers, safe_errors
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.metric_names import REFUSALS
from khalifa_whatsapp.drivers.base import CannotVerify, WebhookCall
from khalifa_whatsapp.drivers.wppconnect.verify import SECRET_PARAMETER
from khalifa_whatsapp.jobs import counters
from khalifa_whatsapp.jobs.steps import log_file
from khalifa_whatsapp.jobs.wake import wake_intake
from khalifa_whatsapp.services.inbound import webhook
from khalifa_whatsapp.site_devices import SiteDevice, Unusable, find_device

SECRET_HEADER = "x-khalifa-webhook-secret"


def endpoint(method: Callable[[], webhook.Answer]) -> Callable[[], Response]:
	"""Answer a gateway.

	Whatever fails is told with a time to come again, and nothing of the call gets into a log.
	"""

	@functools.wraps(method)
	def guarded() -> Response:
		try:
			return _answer(_noted(method()))
		except CannotVerify:
			return _answer(_noted(webhook.UNSURE))
		except Exception as error:
			# no gateway may be refused for good for a fault of ours, and Frappe would log the call
			safe_errors.give_up("webhook", error)
			return _answer(webhook.AWAY)
		finally:
			safe_errors.forget_call()

	return guarded


@frappe.whitelist(allow_guest=True, methods=["GET", "POST"])
@endpoint
def cloud_api() -> webhook.Answer:
	"""Meta's Cloud API: `?device=NAME`; GET is the subscription's handshake."""
	if frappe.request.method == "GET":
		return _handshake()
	return _receive("cloud_api")


@frappe.whitelist(allow_guest=True, methods=["POST"])
@endpoint
def wppconnect() -> webhook.Answer:
	"""WPPConnect Server: `?device=NAME&k=SECRET`, as the device's form shows it once."""
	return _receive("wppconnect")


@frappe.whitelist(allow_guest=True, methods=["POST"])
@endpoint
def loopback() -> webhook.Answer:
	"""The built-in gateway for trials and measurements; signed like the Cloud API."""
	return _receive("loopback")


def _receive(provider: str) -> webhook.Answer:
	device = _device(provider)
	if device is None:
		return webhook.REFUSED
	answer = webhook.accept(on_site(), device.driver, _call(), now_ms(), device.max_bytes)
	if answer.status == 200:
		name = device.driver.config.name
		frappe.request.after_response.add(lambda: safe_errors.run(lambda: wake_intake(name)))
	return answer


def _handshake() -> webhook.Answer:
	device = _device("cloud_api")
	return webhook.REFUSED if device is None else webhook.handshake(device.driver, _call())


def _device(provider: str) -> SiteDevice | None:
	"""The device the call names, if it is of this endpoint's kind and the caller's address may use it."""
	try:
		device = find_device(frappe.request.args.get("device") or "")
	except Unusable as error:  # nobody can say whether the call is genuine; it must not be lost for that
		if error.provider == provider:
			raise CannotVerify from None
		return None
	if device is None or device.driver.config.provider != provider:
		return None
	return device if device.allows(callers.address()) else None


def _call() -> WebhookCall:
	request = frappe.request
	headers = {name.lower(): value for name, value in request.headers.items()}
	query = request.args.to_dict()
	if SECRET_HEADER in headers:  # a proxy that keeps secrets out of addresses
		query[SECRET_PARAMETER] = headers[SECRET_HEADER]
	return WebhookCall(request.get_data(), headers, query, request.method)


def _noted(answer: webhook.Answer) -> webhook.Answer:
	"""Why a call was refused stands in our log file, and is counted, in memory alone: the caller must not
	learn it, and whoever looks after the site must.
	"""
	if answer.reason:
		counters.count(REFUSALS, status=str(answer.status), reason=answer.reason)
		log_file(f"webhook: {answer.status}, {answer.reason}")
	return answer


def _answer(answer: webhook.Answer) -> Response:
	response = Response(answer.body, status=answer.status, content_type="text/plain; charset=utf-8")
	if answer.retry_after is not None:
		response.headers["Retry-After"] = str(answer.retry_after)
	return response
