"""A real Chromium with the stand-in's page in it, for the tests of the WhatsApp Web driver."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import OutgoingMedia, OutgoingText
from khalifa_whatsapp.drivers.whatsapp_web import WhatsAppWebDriver
from simulation.simulators import Person, WhatsAppWebSimulator

CHROME = next(
	filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)
CHROMEDRIVER = shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(
	not (CHROME and CHROMEDRIVER), reason="no Chromium: needs chromium and chromedriver"
)
READ_TIMEOUT = 2.5  # seconds a page, a chat or a tick may take here
SAMY = Person(digits="201001234567", name="سامي")
MONA = Person(digits="201112223334", name="منى", lid="98765432109876")


def now_ms() -> int:
	return time.time_ns() // 1_000_000


def phone(person: Person) -> Identity:
	return Identity("phone", f"+{person.digits}")


def text(body: str, person: Person = SAMY, **more: Any) -> OutgoingText:
	return OutgoingText(recipient=(phone(person),), body=body, callback="key-1", **more)


def file(kind: str = "image", **more: Any) -> OutgoingMedia:
	settings = {
		"content": b"\xff\xd8fake",
		"mime_type": "image/jpeg",
		"file_name": "a.jpg",
		"caption": "صورة",
		**more,
	}
	return OutgoingMedia(recipient=(phone(SAMY),), kind=kind, **settings)


def browser_settings() -> dict[str, Any]:
	options = "--disable-gpu" + ("\n--no-sandbox" if os.geteuid() == 0 else "")
	return {"binary": CHROME, "driver": CHROMEDRIVER, "language": "en-US", "options": options}


@contextmanager
def chromium(folder: Path) -> Iterator[Any]:
	"""A headless Chromium as the registry would start it."""
	from selenium import webdriver
	from selenium.webdriver.chrome.service import Service

	from khalifa_whatsapp.drivers.base import DeviceConfig
	from khalifa_whatsapp.drivers.whatsapp_web.options import make_options

	config = DeviceConfig("shop", "whatsapp_web", browser=browser_settings())
	driver = webdriver.Chrome(
		options=make_options(config, folder / "profile"), service=Service(executable_path=CHROMEDRIVER)
	)
	driver.set_page_load_timeout(20)
	try:
		yield driver
	finally:
		driver.quit()


class Stage:
	"""A simulator, a driver, and the browser between them."""

	def __init__(
		self, browser: Any, simulator: WhatsAppWebSimulator, read_timeout: float = READ_TIMEOUT
	) -> None:
		self.browser, self.simulator = browser, simulator
		self.driver = WhatsAppWebDriver(simulator.config(read_timeout=read_timeout), browser)

	def open(self, state: str = "connected") -> Stage:
		"""Load the page and wait until it is so."""
		self.driver.start_session()
		self.until(lambda: self.driver.get_status().state == state)
		return self

	def until(self, condition: Callable[[], Any], seconds: float = 10) -> None:
		end = time.monotonic() + seconds
		while not condition():
			assert time.monotonic() < end, f"not within {seconds} s"
			time.sleep(0.05)

	def sent(self) -> list[tuple[str, str]]:
		"""To whom and what, as the gateway took it."""
		return [(row.to, row.body) for row in self.simulator.sent_log.rows()]


@contextmanager
def stage(browser: Any, **settings: Any) -> Iterator[Stage]:
	"""A page of its own in a browser that is shared: nothing is left of the test before."""
	with WhatsAppWebSimulator(now_ms) as simulator:
		for name, value in settings.items():
			assert hasattr(simulator, name)
			setattr(simulator, name, value)
		yield Stage(browser, simulator)
		browser.get("about:blank")
