"""Which driver serves which device."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from khalifa_whatsapp.drivers.base import DeviceConfig, MessageDriver
from khalifa_whatsapp.drivers.http import HttpClient

# Provider → module and class, imported when first used: a site with one gateway loads one driver.
DRIVERS: Mapping[str, tuple[str, str]] = {
	"cloud_api": ("khalifa_whatsapp.drivers.cloud_api", "CloudApiDriver"),
	"wppconnect": ("khalifa_whatsapp.drivers.wppconnect", "WppConnectDriver"),
	"whatsapp_web": ("khalifa_whatsapp.drivers.whatsapp_web", "WhatsAppWebDriver"),
	"loopback": ("khalifa_whatsapp.drivers.loopback", "LoopbackDriver"),
}


class UnknownProvider(ValueError):
	"""A device whose provider has no driver. The text names those that have one."""


def make_driver(config: DeviceConfig, http: HttpClient | None = None) -> MessageDriver:
	"""The driver of a device. `http` replaces its connections, for tests. Raises `UnknownProvider`."""
	if config.provider not in DRIVERS:
		known = ", ".join(sorted(DRIVERS))
		raise UnknownProvider(
			f"Device {config.name!r}: no driver for provider {config.provider!r}. Use one of: {known}."
		)
	module, name = DRIVERS[config.provider]
	driver: MessageDriver = getattr(import_module(module), name)(config, http)
	return driver
