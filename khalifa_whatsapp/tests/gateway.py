"""A gateway process for tests that kill it, with a driver that lives in a real browser and has a whole login.

	python -m khalifa_whatsapp.tests.gateway SITE SITES_PATH

Its driver reads the files of a folder as what nobody has read yet, and writes what it sends into another.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import khalifa_whatsapp.drivers.factory as factory
from khalifa_whatsapp.drivers.abilities import QrCode
from khalifa_whatsapp.drivers.base import (
	Accepted,
	Capabilities,
	MessageRef,
	Outgoing,
	Retryable,
	SessionState,
)
from khalifa_whatsapp.drivers.loopback import LoopbackDriver

FOLDER = "KHALIFA_TEST_FOLDER"
PROVIDER = "loopback"  # a kind of device that needs no settings
QR = "data:image/png;base64,secret-code"


class BrowserLoopback(LoopbackDriver):
	"""The loopback gateway inside a page of a real Chrome."""

	capabilities = Capabilities(has_browser=True, has_qr=True)

	def attach(self, page: Any) -> None:
		self.page: Any = page

	def start_session(self) -> SessionState:
		self.page.get("data:text/html,<title>ready</title>")
		return SessionState("connecting")

	def stop_session(self) -> None:
		self.page.get("about:blank")

	def log_out(self) -> None:
		(_folder() / "logged_out").touch()

	def get_qr(self) -> QrCode | None:
		return QrCode(QR, 1.0, 20.0) if self.page.title == "ready" else None

	def get_status(self) -> SessionState:
		if (_folder() / "logged_out").exists() or (_folder() / "unlinked").exists():
			return SessionState("qr")
		return SessionState("connected") if self.page.title == "ready" else SessionState("disconnected")

	def last_sent(self, recipient: Any, limit: int = 20) -> list[Any]:
		return []

	def missed_webhook_events(self) -> list[bytes]:
		return [path.read_bytes() for path in sorted(_folder().glob("in-*"))]

	def send(self, message: Outgoing) -> Accepted:
		if self.page.title != "ready":
			raise Retryable("not ready")
		with (_folder() / "sent").open("a") as sent:
			sent.write(f"{message.callback}\n")
		return Accepted(MessageRef(f"g-{message.callback}"))


def _folder() -> Path:
	return Path(os.environ[FOLDER])


def use_browser_driver() -> None:
	"""From now on, in this process, every loopback device lives in a browser."""
	factory.DRIVERS = {**factory.DRIVERS, PROVIDER: (__name__, "BrowserLoopback")}
	import khalifa_whatsapp.site_devices as devices

	devices.DRIVERS = factory.DRIVERS


if __name__ == "__main__":
	os.chdir(sys.argv[2])
	sys.modules["khalifa_whatsapp.tests.gateway"] = sys.modules["__main__"]
	use_browser_driver()
	from khalifa_whatsapp.jobs.gateway import serve

	serve(sys.argv[1])
