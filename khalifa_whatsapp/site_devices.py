"""Devices of a site as drivers.

A driver is kept in the process for up to a minute, secrets and all, so that a webhook is verified without a query;
it is never kept in Redis. A changed secret therefore counts everywhere within a minute.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

import frappe
from frappe.utils.password import get_decrypted_password

from khalifa_whatsapp.core.pacing import Pace, minute_of
from khalifa_whatsapp.core.settings import Settings
from khalifa_whatsapp.drivers.base import DeviceConfig, MessageDriver
from khalifa_whatsapp.drivers.factory import DRIVERS, make_driver

KEEP_SECONDS = 60
_PACE = (
	"min_gap_seconds", "max_gap_seconds", "max_per_minute", "max_per_hour", "max_per_day", "max_new_chats_per_day",
	"max_identical_per_day", "min_reply_percent", "quiet_from", "quiet_to", "is_quiet_for_replies",
)  # fmt: skip
_BROWSER = (
	"browser_url", "browser_user_agent", "browser_language", "browser_is_headless", "browser_binary", "browser_driver",
	"browser_idle_minutes", "browser_options",
)  # fmt: skip
_FIELDS = (
	"name", "provider", "enabled", "is_paused", "base_url", "api_version", "phone_number_id", "business_account_id",
	"session_name", "connect_timeout", "read_timeout", "webhook_secret_digest", "previous_webhook_secret_digest",
	"previous_webhook_secret_until", "previous_app_secret_until", "allowed_ips", *_PACE, *_BROWSER,
)  # fmt: skip
_SECRETS = ("access_token", "app_secret", "previous_app_secret", "verify_token", "gateway_secret", "webhook_address")


@dataclass(frozen=True, slots=True)
class SiteDevice:
	"""A device ready for use: its driver, and what its webhook door must know."""

	driver: MessageDriver
	enabled: bool
	is_paused: bool
	max_bytes: int
	networks: tuple[Any, ...]
	pace: Pace

	def allows(self, address: str) -> bool:
		"""Whether a caller's address may use the door; without a list, any may."""
		if not self.networks:
			return True
		try:
			found = ip_address(address)
		except ValueError:  # a caller may write anything into a header
			return False
		return any(found in network for network in self.networks)


_kept: dict[tuple[str, str], tuple[float, SiteDevice]] = {}


def get_device(name: str) -> SiteDevice | None:
	"""The enabled device of this name; None when there is none."""
	key = (frappe.local.site, name)
	until, device = _kept.get(key, (0.0, None))
	if device is None or time.monotonic() > until:
		device = _read(name)
		if device is None:
			_kept.pop(key, None)
			return None
		_kept[key] = (time.monotonic() + KEEP_SECONDS, device)
	return device if device.enabled else None


def forget_devices() -> None:
	"""Read devices again at their next use (in this process)."""
	_kept.clear()


def driver_for(name: str, provider: str) -> MessageDriver:
	"""The driver that the device would have with another provider; nothing is kept."""
	found = _row_and_secrets(name)
	if found is None or provider not in DRIVERS:
		raise frappe.DoesNotExistError(name)
	row, secrets = found
	row.provider = provider
	return make_driver(_config(row, secrets))


def _row_and_secrets(name: str) -> tuple[Any, dict[str, str]] | None:
	columns = ", ".join(f"`{field}`" for field in _FIELDS)
	rows = frappe.db.sql(f"SELECT {columns} FROM `tabWhatsApp Device` WHERE name = %s", (name,), as_dict=True)
	if not rows or rows[0].name != name:  # the collation folds case: only the exact name counts
		return None
	secrets = {
		field: get_decrypted_password("WhatsApp Device", name, field, raise_exception=False) or ""
		for field in _SECRETS
	}
	return rows[0], secrets


def _read(name: str) -> SiteDevice | None:
	found = _row_and_secrets(name)
	if found is None or found[0].provider not in DRIVERS:
		return None
	row, secrets = found
	settings = Settings.from_row(
		dict(frappe.db.sql("SELECT field, value FROM `tabSingles` WHERE doctype = 'Khalifa Settings'"))
	)
	is_inline = row.provider == "wppconnect"
	return SiteDevice(
		make_driver(_config(row, secrets)), bool(row.enabled), bool(row.is_paused),
		settings.max_gateway_bytes if is_inline else settings.max_webhook_bytes,
		tuple(ip_network(line, strict=False) for line in (row.allowed_ips or "").split()),
		_pace(row),
	)  # fmt: skip


def _pace(row: Any) -> Pace:
	return Pace(
		row.min_gap_seconds, row.max_gap_seconds, row.max_per_minute, row.max_per_hour, row.max_per_day,
		row.max_new_chats_per_day, row.max_identical_per_day, row.min_reply_percent, minute_of(row.quiet_from),
		minute_of(row.quiet_to), bool(row.is_quiet_for_replies),
	)  # fmt: skip


def _config(row: Any, secrets: dict[str, str]) -> DeviceConfig:
	now = frappe.utils.now_datetime()
	app_secrets = [secrets["app_secret"]]
	if row.previous_app_secret_until and row.previous_app_secret_until > now:
		app_secrets.append(secrets["previous_app_secret"])
	digests = [row.webhook_secret_digest]
	if row.previous_webhook_secret_until and row.previous_webhook_secret_until > now:
		digests.append(row.previous_webhook_secret_digest)
	return DeviceConfig(
		row.name, row.provider, row.base_url or "", row.api_version or "", row.phone_number_id or "",
		row.business_account_id or "", row.session_name or "", secrets["access_token"],
		tuple(secret for secret in app_secrets if secret), secrets["verify_token"],
		tuple(digest for digest in digests if digest), secrets["gateway_secret"],
		row.connect_timeout or 5.0, row.read_timeout or 30.0, secrets["webhook_address"],
		{field.removeprefix("browser_"): row[field] for field in _BROWSER},
	)  # fmt: skip
