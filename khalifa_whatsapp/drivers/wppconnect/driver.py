"""The driver of WPPConnect Server: the port of `drivers.base` over the neighbouring files."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from khalifa_whatsapp.drivers.base import (
	Accepted,
	Capabilities,
	DeviceConfig,
	Event,
	NotVerified,
	Outgoing,
	OutgoingMedia,
	OutgoingText,
	SendError,
	SessionState,
	WebhookCall,
	unsupported,
)
from khalifa_whatsapp.drivers.http import HttpClient, Reply, surely_not_sent
from khalifa_whatsapp.drivers.wppconnect.parse import parse
from khalifa_whatsapp.drivers.wppconnect.send import (
	MAX_TEXT,
	ROUTES,
	accepted_from,
	media_body,
	state_from,
	text_body,
)
from khalifa_whatsapp.drivers.wppconnect.verify import verify_secret

BASE_URL = "http://127.0.0.1:21465"


class WppConnectDriver:
	"""One session of a WPPConnect Server. Never two sends of a device at once: they share a browser tab."""

	capabilities = Capabilities(has_qr=True, media_kinds=frozenset(ROUTES), max_text=MAX_TEXT)

	def __init__(self, config: DeviceConfig, http: HttpClient | None = None) -> None:
		self.config = config
		self._http = http or HttpClient(config.connect_timeout, config.read_timeout)
		base = config.base_url.rstrip("/") or BASE_URL
		self._url = f"{base}/api/{quote(config.session_name, safe='')}"

	def verify(self, call: WebhookCall) -> None:
		"""Raise `NotVerified` unless the address holds a secret of this device."""
		verify_secret(call, self.config.webhook_secret_digests)

	def handshake(self, call: WebhookCall) -> str:
		"""This gateway checks no subscription: always `NotVerified`."""
		raise NotVerified("this gateway has no subscription check")

	def parse(self, raw: bytes) -> list[Event]:
		"""The event of a post. `PayloadError` when it is no JSON object."""
		return parse(raw, self.config.session_name)

	def send(self, message: Outgoing) -> Accepted:
		"""Hand a message over; every failure is one `SendError`."""
		if isinstance(message, OutgoingText):
			return self._send_text(message)
		if isinstance(message, OutgoingMedia):
			return self._send_media(message)
		raise unsupported(message)

	def _send_text(self, message: OutgoingText) -> Accepted:
		"""Hand a text over; every failure is one `SendError`."""
		return accepted_from(self._call("POST", "send-message", json=text_body(message)))

	def _send_media(self, message: OutgoingMedia) -> Accepted:
		"""Hand a file over inside the request itself: the gateway need not reach our disk."""
		route, body = media_body(message)
		return accepted_from(self._call("POST", route, json=body))

	def get_status(self) -> SessionState:
		"""What the gateway says of the session now, asked in the browser and not from its memory."""
		try:
			return state_from(
				self._call("GET", "check-connection-session"), self._call("GET", "status-session")
			)
		except SendError as error:
			raise surely_not_sent(error) from None

	def _call(self, method: str, path: str, **body: Any) -> Reply:
		return self._http.request(method, f"{self._url}/{path}", token=self.config.access_token, **body)
