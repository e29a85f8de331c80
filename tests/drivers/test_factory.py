"""Every provider has a driver, and a wrong one a clear answer."""

from __future__ import annotations

import pytest

from khalifa_whatsapp.drivers.base import DeviceConfig, MessageDriver
from khalifa_whatsapp.drivers.factory import DRIVERS, UnknownProvider, make_driver


@pytest.mark.parametrize("provider", DRIVERS)
def test_every_provider_has_a_driver(provider: str) -> None:
	config = DeviceConfig("shop", provider, phone_number_id="6", session_name="s")
	driver = make_driver(config)
	assert isinstance(driver, MessageDriver)
	assert driver.config is config


def test_an_unknown_provider_is_reported_with_those_that_exist() -> None:
	with pytest.raises(
		UnknownProvider, match=r"'shop'.*'telegram'.*cloud_api, loopback, whatsapp_web, wppconnect"
	):
		make_driver(DeviceConfig("shop", "telegram"))
