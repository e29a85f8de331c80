"""What the process that owns the browsers does for one device, in that browser's own thread.

Each piece has a connection of its own to the site, and is over in a minute or so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import frappe

from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core.watchdog import CONNECTED
from khalifa_whatsapp.drivers.abilities import SessionDriver
from khalifa_whatsapp.drivers.base import MessageDriver, SendError, SessionState
from khalifa_whatsapp.jobs import watch
from khalifa_whatsapp.jobs.media import fetch
from khalifa_whatsapp.jobs.outbox import send_due
from khalifa_whatsapp.jobs.steps import Steps
from khalifa_whatsapp.site_devices import get_device
from khalifa_whatsapp.stores.base import Store

DRAIN_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Site:
	"""Which site, for threads that know nothing yet."""

	name: str
	sites_path: str

	@contextmanager
	def connected(self) -> Iterator[None]:
		"""The site's context in this thread."""
		frappe.init(site=self.name, sites_path=self.sites_path, force=True)
		try:
			frappe.connect()
			yield
		finally:
			frappe.destroy()


class DeviceWork:
	"""The duties for one device. `said` is what was last written of its state."""

	def __init__(self, site: Site, driver: MessageDriver) -> None:
		self.site, self.driver = site, driver
		self.said: SessionState | None = None

	def attach(self, page: Any) -> None:
		"""A new browser is there: give it to the driver, and begin the login."""
		self.driver.attach(page)  # type: ignore[attr-defined]  # every driver that lives in a browser has it
		if isinstance(self.driver, SessionDriver):
			self.driver.start_session()

	def look(self) -> None:
		"""Write down a change of the login, and take in what nobody has read."""
		with self.site.connected():
			state = self._status()
			self.record_state(on_site(), state)
			if state.state == CONNECTED:
				watch.take_in(on_site(), self.driver)

	def send(self) -> None:
		"""Send what is due, as the outbox job does for gateways without a browser."""
		with self.site.connected():
			device = get_device(self.driver.config.name)
			if device is not None:
				ours = dataclasses.replace(device, driver=self.driver)
				Steps().run("outbox", lambda: send_due(ours, DRAIN_SECONDS), self.driver.config.name)

	def fetch_files(self) -> None:
		"""Fetch the files that customers sent, as the media job does for other gateways."""
		with self.site.connected():
			Steps().run("media", lambda: fetch(self.driver, DRAIN_SECONDS), self.driver.config.name)

	def log_out(self) -> None:
		"""Forget the login; the page shows a new code."""
		if isinstance(self.driver, SessionDriver):
			self.driver.log_out()
		self.look()

	def qr(self) -> dict[str, Any]:
		"""The code to scan as data for one caller, or the state in which there is none."""
		code = self.driver.get_qr() if isinstance(self.driver, SessionDriver) else None
		if code is None:
			return {"state": self._status().state}
		return {
			"state": "qr",
			"image": code.image,
			"age": code.age_seconds,
			"lifetime": code.lifetime_seconds,
		}

	def record_state(self, store: Store, state: SessionState, given_up: str = "") -> None:
		"""Write the device's state and tell managers, when it has changed;
		call them when it needs a person.
		"""
		if self.said is not None and (self.said.state, self.said.detail) == (state.state, state.detail):
			return
		watch.record_state(store, self.driver.config.name, state)
		watch.note(self.driver.config.name, state.state, given_up)
		self.said = state

	def _status(self) -> SessionState:
		try:
			return self.driver.get_status()
		except SendError as error:
			return SessionState("disconnected", error.text)
