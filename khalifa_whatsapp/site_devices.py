"""Devices of a site as drivers.

A driver is kept in the process for up to a minute, secrets and all, so that a webhook is verified without a
query; it is never kept in Redis. A changed secret therefore counts everywhere within a minute.

What can't be used of a device (a secret that nobody can decrypt, an impossible setting) is that device's
problem and nobody else's, and as little of the device stands still for it as possible.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

import frappe
from frappe.utils.password import decrypt

from khalifa_whatsapp.core.errors import describe
from khalifa_whatsapp.core.pacing import Pace, minute_of
from khalifa_whatsapp.core.settings import Settings
from khalifa_whatsapp.core.troubles import NEEDS_SECRETS, UNKNOWN_GATEWAY, WRONG_SETTINGS
from khalifa_whatsapp.drivers.base import CannotVerify, DeviceConfig, MessageDriver
from khalifa_whatsapp.drivers.factory import DRIVERS, make_driver
from khalifa_whatsapp.drivers.whatsapp_web import options
from khalifa_whatsapp.stores.site_device_rows import device_row, encrypted_secrets
from khalifa_whatsapp.stores.site_store import stored_settings

KEEP_SECONDS = 60
_PACE = (
	"min_gap_seconds",
	"max_gap_seconds",
	"max_per_minute",
	"max_per_hour",
	"max_per_day",
	"max_new_chats_per_day",
	"max_identical_per_day",
	"min_reply_percent",
	"quiet_from",
	"quiet_to",
	"is_quiet_for_replies",
)
BROWSER_FIELDS = (
	"browser_url",
	"browser_user_agent",
	"browser_language",
	"browser_is_headless",
	"browser_binary",
	"browser_driver",
	"browser_idle_minutes",
	"browser_options",
)
_FIELDS = (
	"name",
	"provider",
	"enabled",
	"is_paused",
	"base_url",
	"api_version",
	"phone_number_id",
	"business_account_id",
	"session_name",
	"connect_timeout",
	"read_timeout",
	"webhook_secret_digest",
	"previous_webhook_secret_digest",
	"previous_webhook_secret_until",
	"previous_app_secret_until",
	"allowed_ips",
	"sends_read_receipts",
	"shows_typing",
	*_PACE,
	*BROWSER_FIELDS,
)
_SIGNED = ("app_secret", "previous_app_secret", "verify_token")
# What each gateway uses. A secret of the gateway that a device used before troubles nobody
SECRETS = {
	"cloud_api": ("access_token", *_SIGNED),
	"wppconnect": ("access_token", "gateway_secret", "webhook_address"),
	"loopback": _SIGNED,
}
# How the fields are called whose settings a browser can't use
_OF_BROWSER = {
	"switch": "browser_options",
	"url": "browser_url",
	"language": "browser_language",
	"user_agent": "browser_user_agent",
	"binary": "browser_binary",
	"driver": "browser_driver",
}


@dataclass(frozen=True, slots=True)
class Problem:
	"""Why a device can't be used as it is set up.

	`about`: names of its fields; `error`: kind and place, for our log.
	"""

	kind: str
	about: tuple[str, ...] = ()
	error: str = ""


class Unusable(Exception):
	"""No driver can be made of the device: it can neither send nor verify what is posted to it."""

	def __init__(self, problem: Problem, provider: str = "") -> None:
		super().__init__(problem.kind)
		self.problem, self.provider = problem, provider


@dataclass(frozen=True, slots=True)
class SiteDevice:
	"""A device ready for use: its driver, and what its webhook endpoint must know."""

	driver: MessageDriver
	enabled: bool
	is_paused: bool
	max_bytes: int
	networks: tuple[Any, ...]
	pace: Pace
	problem: Problem | None = None
	sends_read_receipts: bool = False  # customers see that their messages were read
	shows_typing: bool = False

	def allows(self, address: str) -> bool:
		"""Whether a caller's address may use the endpoint; without a list, any may.

		`CannotVerify` for an address that a line which nobody can read might mean.
		"""
		is_doubtful = self.has_wrong("allowed_ips")
		if not self.networks and not is_doubtful:
			return True
		try:
			caller = ip_address(address)
		except ValueError:  # a caller may write anything into a header
			return False
		if any(caller in network for network in self.networks):
			return True
		if is_doubtful:
			raise CannotVerify
		return False

	def has_wrong(self, *fields: str) -> bool:
		"""Whether one of these settings can't be used."""
		return self.problem is not None and not set(fields).isdisjoint(self.problem.about)

	@property
	def is_held(self) -> bool:
		"""Whether nothing may be sent, for nobody knows at what pace, or because its login can't be read."""
		return self.has_wrong(*_PACE) or self.driver.config.has_lost_login


_kept: dict[tuple[str, str], tuple[float, SiteDevice]] = {}


def get_device(name: str) -> SiteDevice | None:
	"""The enabled device of this name; None when there is none, or none that could be used for anything."""
	try:
		return find_device(name)
	except Unusable:
		return None


def find_device(name: str) -> SiteDevice | None:
	"""The enabled device of this name; None when there is none.

	`Unusable` when nothing can be done with it.
	"""
	key = (frappe.local.site, name)
	until, device = _kept.get(key, (0.0, None))
	if device is None or time.monotonic() > until:
		_kept.pop(key, None)
		device = _read(name)
		if device is None:
			return None
		_kept[key] = (time.monotonic() + KEEP_SECONDS, device)
	return device if device.enabled else None


def problem_of(name: str) -> Problem | None:
	"""What is wrong with a device as it is stored now; None too when it is not there or not enabled."""
	try:
		device = _read(name)
	except Unusable as error:
		return error.problem
	return device.problem if device is not None and device.enabled else None


def forget_devices() -> None:
	"""Read devices again at their next use (in this process)."""
	_kept.clear()


def driver_for(name: str, provider: str) -> MessageDriver:
	"""The driver that the device would have with another provider; nothing is kept."""
	row = device_row(name, _FIELDS)
	if row is None or provider not in DRIVERS:
		raise frappe.DoesNotExistError(name)
	row.provider = provider
	return make_driver(_config(row, *_secrets(row)))


def _secrets(row: Any) -> tuple[dict[str, str], tuple[str, ...]]:
	"""What the device's gateway needs: what can be read, and the names of what is there and can't be."""
	wanted = [
		field
		for field in SECRETS.get(row.provider, ())
		if field != "previous_app_secret" or _is_rotating(row)
	]
	readable: dict[str, str] = {}
	lost = set()
	for field, stored in encrypted_secrets(row.name, wanted):
		try:
			readable[field] = _decrypted(stored)
		except Exception:
			# another key, none, cut off, not what Frappe wrote: whatever it is, it is this secret's alone
			lost.add(field)
	return readable, tuple(sorted(lost))


def _is_rotating(row: Any) -> bool:
	until = row.previous_app_secret_until
	return bool(until and until > frappe.utils.now_datetime())


def _decrypted(stored: str) -> str:
	"""Frappe also shows whoever asks that it failed, in a text for administrators: that is taken back."""
	shown = len(frappe.local.message_log)
	try:
		return decrypt(stored) or ""
	finally:
		del frappe.local.message_log[shown:]


def _read(name: str) -> SiteDevice | None:
	row = device_row(name, _FIELDS)
	if row is None:
		return None
	if row.provider not in DRIVERS:
		raise Unusable(Problem(UNKNOWN_GATEWAY, ("provider",)))
	secrets, lost = _secrets(row)
	networks, wrong = _networks(row)
	pace, wrong_pace = _pace(row)
	about = (*lost, *wrong, *wrong_pace, *_wrong_browser(row))
	problem = Problem(NEEDS_SECRETS if lost else WRONG_SETTINGS, about) if about else None
	settings = Settings.from_row(stored_settings())
	is_inline = row.provider == "wppconnect"
	return SiteDevice(
		_driver(_config(row, secrets, lost)),
		bool(row.enabled),
		bool(row.is_paused),
		settings.max_gateway_bytes if is_inline else settings.max_webhook_bytes,
		networks,
		pace,
		problem,
		bool(row.sends_read_receipts),
		bool(row.shows_typing),
	)


def _driver(config: DeviceConfig) -> MessageDriver:
	try:
		return make_driver(config)
	except Exception as error:
		# settings may be anything that once got into the row: they stop this device only
		raise Unusable(Problem(WRONG_SETTINGS, error=describe(error)), config.provider) from None


def _networks(row: Any) -> tuple[tuple[Any, ...], tuple[str, ...]]:
	"""The networks that may call, and the field's name when not all of its lines could be read."""
	networks, lines = [], (row.allowed_ips or "").split()
	for line in lines:
		try:
			networks.append(ip_network(line, strict=False))
		except ValueError:  # the form refuses it: an import, or a hand in the database
			continue
	return tuple(networks), ("allowed_ips",) if len(networks) < len(lines) else ()


def _pace(row: Any) -> tuple[Pace, tuple[str, ...]]:
	quiet, wrong = {}, []
	for field in ("quiet_from", "quiet_to"):
		try:
			quiet[field] = minute_of(row[field])
		except ValueError:  # as above
			quiet[field] = None
			wrong.append(field)
	pace = Pace(
		row.min_gap_seconds,
		row.max_gap_seconds,
		row.max_per_minute,
		row.max_per_hour,
		row.max_per_day,
		row.max_new_chats_per_day,
		row.max_identical_per_day,
		row.min_reply_percent,
		quiet["quiet_from"],
		quiet["quiet_to"],
		bool(row.is_quiet_for_replies),
	)
	return pace, tuple(wrong)


def _seconds(given: float | None, otherwise: float) -> float:
	return given if given and given > 0 else otherwise


def _wrong_browser(row: Any) -> tuple[str, ...]:
	"""The browser setting with which no browser would start."""
	if row.provider != "whatsapp_web":
		return ()
	try:
		options.check_settings({field.removeprefix("browser_"): row[field] for field in BROWSER_FIELDS})
	except options.BadBrowserSetting as error:
		return (_OF_BROWSER.get(error.code, "browser_options"),)
	return ()


def _config(row: Any, secrets: dict[str, str], lost: tuple[str, ...]) -> DeviceConfig:
	digests = [row.webhook_secret_digest]
	until = row.previous_webhook_secret_until
	if until and until > frappe.utils.now_datetime():
		digests.append(row.previous_webhook_secret_digest)
	app_secrets = (secrets.get("app_secret", ""), secrets.get("previous_app_secret", ""))
	return DeviceConfig(
		row.name,
		row.provider,
		row.base_url or "",
		row.api_version or "",
		row.phone_number_id or "",
		row.business_account_id or "",
		row.session_name or "",
		secrets.get("access_token", ""),
		tuple(filter(None, app_secrets)),
		secrets.get("verify_token", ""),
		tuple(filter(None, digests)),
		secrets.get("gateway_secret", ""),
		_seconds(row.connect_timeout, 5.0),
		_seconds(row.read_timeout, 30.0),
		secrets.get("webhook_address", ""),
		{field.removeprefix("browser_"): row[field] for field in BROWSER_FIELDS},
		lost,
	)
