"""Who may read the details of the health check and the metrics: managers, the addresses that the settings
name, and whoever knows the settings' token.

Frappe takes every `Authorization: Bearer` for OAuth's and refuses what it does not know before any method
is reached. So a call with our token is answered where Frappe asks its hooks who is calling; a wrong token is
Frappe's to refuse. All other requests pass with one look at their path.
"""

from __future__ import annotations

import hmac

import frappe
from frappe.utils.password import get_decrypted_password
from werkzeug.exceptions import HTTPException

from khalifa_whatsapp.api import callers
from khalifa_whatsapp.guards import current_actor

SETTINGS = "Khalifa Settings"
HEALTH, METRICS = "khalifa_whatsapp.api.health.check", "khalifa_whatsapp.api.metrics.scrape"
PATHS = {f"/api/{version}{name}": name for name in (HEALTH, METRICS) for version in ("method/", "v1/method/")}


def answer_token() -> None:
	"""The hook: answer a call for the health check or the metrics that brings the right token."""
	method = PATHS.get(frappe.request.path)
	if method is None or frappe.request.method not in ("GET", "HEAD"):
		return
	if frappe.session.user in ("", "Guest") and has_token():
		frappe.local.flags.khalifa_is_monitor = True
		raise HTTPException(response=frappe.get_attr(f"{method.rpartition('.')[0]}.respond")())


def may_see_details() -> bool:
	"""Whether the caller may: see above."""
	if frappe.local.flags.khalifa_is_monitor:
		return True
	if frappe.session.user not in ("", "Guest"):
		return current_actor().is_manager
	listed = (frappe.db.get_single_value(SETTINGS, "monitor_addresses") or "").split()
	return bool(listed) and callers.is_among(callers.address(), listed)


def has_token() -> bool:
	"""Whether the call brings the settings' token; never, while the settings have none."""
	scheme, _space, given = frappe.get_request_header("Authorization", "").partition(" ")
	if scheme.lower() != "bearer" or not given.strip():
		return False
	wanted = get_decrypted_password(SETTINGS, SETTINGS, "monitor_token", raise_exception=False)
	return bool(wanted) and hmac.compare_digest(given.strip().encode(), wanted.encode())
