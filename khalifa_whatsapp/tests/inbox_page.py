"""The inbox in a real Chromium: what people do there, what its requests are,
and what a bad network does to them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import records
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.jobs import intake
from khalifa_whatsapp.tests.case import DEVICE
from khalifa_whatsapp.tests.pages import PageCase

INBOX = "/app/khalifa-inbox"
MESSAGES = ".kin-log .kin-bubble .kin-text"
SAMY, LAILA = "+201001234567", "+201119876543"
# Every request to the server from now on, as the page sends it
WATCH = """window.khalifa_asked = []; if (!window.khalifa_fetch) {
	window.khalifa_fetch = window.fetch;
	window.fetch = (url, ...rest) => { window.khalifa_asked.push(String(url));
		return window.khalifa_fetch(url, ...rest); };
	const { open } = XMLHttpRequest.prototype;
	XMLHttpRequest.prototype.open = function (verb, url, ...rest) { window.khalifa_asked.push(String(url));
		return open.call(this, verb, url, ...rest); };
}"""


class InboxPageCase(PageCase):
	def enter(self, user: str, path: str = INBOX) -> None:
		self.sign_in(user)
		self.go(path, ".kin-tabs .kin-tab")

	def open(self, name: str, body: str) -> None:
		"""The conversation with this customer, in the list that is shown."""
		self.click(".kin-line", name)
		self.until(lambda: body in self.texts(MESSAGES), f"the thread of {name}")

	def write_answer(self, text: str) -> None:
		self.type_into(".kin-input", text)

	def written(self) -> str:
		return self.js("return document.querySelector('.kin-input').value")

	def may_send(self) -> bool:
		return self.js("return !document.querySelector('.kin-send').disabled")

	def is_note(self) -> bool:
		return self.js("return document.querySelector('.kin-composer').classList.contains('note')")

	def customer_writes(self, body: str, phone: str = SAMY, key: str = "in-1", name: str = "Samy") -> None:
		self.assertEqual(self.deliver(message_item(phone, body, key, now_ms(), name)).status, 200)
		with self.quiet():
			intake.run(DEVICE)

	def answers(self) -> list[str]:
		"""What was said to customers, as the database has it."""
		return [
			message.body for message in self.all(records.Message, direction="Outgoing", origin=records.AGENT)
		]

	def notes(self) -> list[str]:
		return [message.body for message in self.all(records.Message, origin=records.NOTE)]

	# -- the wire

	def watch(self) -> None:
		self.js(WATCH)

	def asked(self) -> list[str]:
		"""The methods that were asked for since `watch`."""
		urls = self.js("return window.khalifa_asked || []")
		return [
			url.split("/api/method/")[-1].split("?")[0].removeprefix("khalifa_whatsapp.api.") for url in urls
		]

	@contextlib.contextmanager
	def offline(self) -> Iterator[None]:
		self._set_network(is_offline=True)
		try:
			yield
		finally:
			self._set_network(is_offline=False)

	def _set_network(self, is_offline: bool) -> None:
		self.cdp(
			"Network.emulateNetworkConditions",
			offline=is_offline,
			latency=0,
			downloadThroughput=-1,
			uploadThroughput=-1,
		)

	def cdp(self, method: str, **given: Any) -> Any:
		return self.browser.execute_cdp_cmd(method, given)

	# -- keys and sizes

	def press(self, key: str, code: str, modifiers: int = 0) -> None:
		"""A key as a keyboard of any language sends it. Modifiers: 1 Alt, 2 Ctrl, 8 Shift."""
		for kind in ("rawKeyDown", "keyUp"):
			self.cdp("Input.dispatchKeyEvent", type=kind, key=key, code=code, modifiers=modifiers)

	def as_phone(self) -> None:
		self.cdp(
			"Emulation.setDeviceMetricsOverride", width=390, height=780, deviceScaleFactor=1, mobile=True
		)
		self.addCleanup(self.cdp, "Emulation.clearDeviceMetricsOverride")

	def is_shown(self, selector: str) -> bool:
		return bool(self.js("return document.querySelector(arguments[0])?.offsetParent != null", selector))
