"""The driver of the Cloud API: the port of `drivers.base` over the neighbouring files."""

from __future__ import annotations

from typing import Any

from khalifa_whatsapp.drivers.base import (
	Accepted,
	Capabilities,
	DeviceConfig,
	Event,
	Outgoing,
	OutgoingMedia,
	OutgoingText,
	SendError,
	SessionState,
	WebhookCall,
	unsupported,
)
from khalifa_whatsapp.drivers.cloud_api.parse import parse
from khalifa_whatsapp.drivers.cloud_api.send import (
	MAX_TEXT,
	MEDIA_LIMITS,
	STATUS_FIELDS,
	accepted_from,
	address,
	check_media,
	media_body,
	media_id_from,
	state_from,
	text_body,
)
from khalifa_whatsapp.drivers.cloud_api.verify import answer_challenge, verify_signature
from khalifa_whatsapp.drivers.http import HttpClient, Reply, surely_not_sent

BASE_URL = "https://graph.facebook.com"


class CloudApiDriver:
	"""One number of the official API. Keeps nothing between calls but its connections."""

	capabilities = Capabilities(
		has_window=True,
		has_callback=True,
		has_templates=True,
		media_kinds=frozenset(MEDIA_LIMITS),
		max_text=MAX_TEXT,
	)

	def __init__(self, config: DeviceConfig, http: HttpClient | None = None) -> None:
		self.config = config
		self._http = http or HttpClient(config.connect_timeout, config.read_timeout)
		parts = (
			config.base_url.rstrip("/") or BASE_URL,
			config.api_version.strip("/"),
			config.phone_number_id,
		)
		self._url = "/".join(part for part in parts if part)

	def verify(self, call: WebhookCall) -> None:
		"""Raise `NotVerified` unless the body is signed with one of the app's secrets."""
		verify_signature(call, self.config.app_secrets)

	def handshake(self, call: WebhookCall) -> str:
		"""The challenge of Meta's subscription check; `NotVerified` when the token is not ours."""
		return answer_challenge(call, self.config.verify_token)

	def parse(self, raw: bytes) -> list[Event]:
		"""Everything a delivery says of this number. `PayloadError` when it is no envelope of Meta's."""
		return parse(raw, self.config.phone_number_id, self.config.business_account_id)

	def send(self, message: Outgoing) -> Accepted:
		"""Hand a message over; every failure is one `SendError`."""
		if isinstance(message, OutgoingText):
			return self._send_text(message)
		if isinstance(message, OutgoingMedia):
			return self._send_media(message)
		raise unsupported(message)

	def _send_text(self, message: OutgoingText) -> Accepted:
		"""Hand a text over; every failure is one `SendError`."""
		return accepted_from(self._call("POST", "/messages", json=text_body(message)))

	def _send_media(self, message: OutgoingMedia) -> Accepted:
		"""Upload the file, then send it by its id: a private file has no address that Meta could fetch."""
		check_media(message)
		address(message.recipient)
		try:
			media_id = media_id_from(self._upload(message))
		except SendError as error:
			raise surely_not_sent(error) from None
		return accepted_from(self._call("POST", "/messages", json=media_body(message, media_id)))

	def get_status(self) -> SessionState:
		"""What Meta says of the number now."""
		try:
			return state_from(self._call("GET", "", params={"fields": STATUS_FIELDS}))
		except SendError as error:
			raise surely_not_sent(error) from None

	def _upload(self, message: OutgoingMedia) -> Reply:
		name = (message.file_name or "file").encode("utf-8", "replace").decode()
		return self._call(
			"POST",
			"/media",
			data={"messaging_product": "whatsapp", "type": message.mime_type},
			files={"file": (name, message.content, message.mime_type)},
		)

	def _call(self, method: str, path: str, **body: Any) -> Reply:
		return self._http.request(method, self._url + path, token=self.config.access_token, **body)
