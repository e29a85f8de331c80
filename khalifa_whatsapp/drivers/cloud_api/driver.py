"""The driver of the Cloud API: the port of `drivers.base` over the neighbouring files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.abilities import FetchedMedia, SubmittedTemplate, TemplateInfo
from khalifa_whatsapp.drivers.base import (
	Accepted,
	Capabilities,
	DeviceConfig,
	Event,
	Media,
	MessageRef,
	Outgoing,
	OutgoingChoices,
	OutgoingContacts,
	OutgoingLocation,
	OutgoingMedia,
	OutgoingReaction,
	OutgoingTemplate,
	OutgoingText,
	Permanent,
	SessionState,
	UnknownOutcome,
	WebhookCall,
	unsupported,
)
from khalifa_whatsapp.drivers.cloud_api import choices, download, number, send, template_writing, templates
from khalifa_whatsapp.drivers.cloud_api.parse import parse
from khalifa_whatsapp.drivers.cloud_api.verify import answer_challenge, verify_signature
from khalifa_whatsapp.drivers.http import HttpClient, Reply, asking

BASE_URL = "https://graph.facebook.com"
UPLOAD_FACTOR = 10  # read timeouts that an upload may take in all: branches have slow lines


class CloudApiDriver:
	"""One number of the official API. Keeps nothing between calls but its connections."""

	capabilities = Capabilities(
		is_charged=True,
		has_window=True,
		has_callback=True,
		has_templates=True,
		kinds=frozenset(
			{"text", "template", "choices", "reaction", "location", "contacts", *send.MEDIA_LIMITS}
		),
		media_kinds=frozenset(send.MEDIA_LIMITS),
		max_text=send.MAX_TEXT,
		max_media_bytes=max(most for _, most in send.MEDIA_LIMITS.values()),
	)

	def __init__(self, config: DeviceConfig, http: HttpClient | None = None) -> None:
		self.config = config
		self._http = http or HttpClient(config.connect_timeout, config.read_timeout)
		self._root = "/".join(
			filter(None, (config.base_url.rstrip("/") or BASE_URL, config.api_version.strip("/")))
		)

	def verify(self, call: WebhookCall) -> None:
		"""Raise `NotVerified` unless the body is signed with one of the app's secrets."""
		verify_signature(call, self.config)

	def handshake(self, call: WebhookCall) -> str:
		"""The challenge of Meta's subscription check; `NotVerified` when the token is not ours."""
		return answer_challenge(call, self.config)

	def parse(self, raw: bytes) -> list[Event]:
		"""Everything a delivery says of this number. `PayloadError` when it is no envelope of Meta's."""
		return parse(raw, self.config.phone_number_id, self.config.business_account_id)

	def send(self, message: Outgoing) -> Accepted:
		"""Hand a message over; every failure is one `SendError`."""
		body = self._body(message)
		return send.accepted_from(self._ask_number("POST", "/messages", json=body))

	def get_status(self) -> SessionState:
		"""What Meta says of the number now: its quality, limit and display number are in `data`."""
		with asking():
			reply = self._ask_number("GET", params={"fields": number.FIELDS})
			if number.is_field_unknown(reply):
				reply = self._ask_number("GET", params={"fields": number.BASIC_FIELDS})
			return number.state_from(reply)

	def login_ends_ms(self) -> int:
		"""When the access token ends: asked of Meta with the token itself; 0 when it never does."""
		with asking():
			params = {"input_token": self.config.access_token}
			return number.token_end_from(self._ask("GET", f"{self._root}/debug_token", params=params))

	def mark_read(self, ref: MessageRef, sender: tuple[Identity, ...], is_typing: bool = False) -> None:
		"""Mark a message (and all before it) as read;
		`is_typing` also shows that an answer is being written.
		"""
		body: dict[str, Any] = {
			"messaging_product": "whatsapp",
			"status": "read",
			"message_id": ref.gateway_id,
		}
		if is_typing:
			body["typing_indicator"] = {"type": "text"}
		with asking():
			send.check_success(self._ask_number("POST", "/messages", json=body))

	def list_templates(self) -> list[TemplateInfo]:
		"""All templates of the business account."""
		infos: list[TemplateInfo] = []
		params = {"fields": templates.FIELDS, "limit": str(templates.PAGE_SIZE)}
		url = self._templates_url()
		for _ in range(templates.MAX_PAGES):
			with asking():
				page, params["after"] = templates.page_from(self._ask("GET", url, params=params))
			infos += page
			if not params["after"]:
				return infos
		raise Permanent("The list of templates does not end.", code="endless")

	def upload_example(self, content: bytes, mime_type: str, file_name: str) -> str:
		"""The example of a header's file, brought as bytes in a resumable upload."""
		asked = {"file_length": str(len(content)), "file_type": mime_type, "file_name": file_name}
		with asking():
			reply = self._ask("POST", f"{self._root}/app/uploads", params=asked)
			session = template_writing.session_from(reply)
			reply = self._ask(
				"POST",
				f"{self._root}/{session}",
				scheme="OAuth",
				headers={"file_offset": "0", "Content-Type": "application/octet-stream"},
				data=content,
				total_timeout=UPLOAD_FACTOR * self.config.read_timeout,
			)
			return template_writing.handle_from(reply)

	def create_template(
		self,
		name: str,
		language: str,
		category: str,
		parameter_format: str,
		components: Sequence[Mapping[str, Any]],
	) -> SubmittedTemplate:
		"""Submit a template for Meta's review."""
		body = template_writing.create_body(name, language, category, parameter_format, components)
		return template_writing.submitted_from(self._ask("POST", self._templates_url(), json=body))

	def edit_template(
		self, template_id: str, category: str, components: Sequence[Mapping[str, Any]]
	) -> SubmittedTemplate:
		"""Submit another text for a template that Meta knows."""
		url = f"{self._root}/{quote(template_id, safe='')}"
		reply = self._ask("POST", url, json=template_writing.edit_body(category, components))
		return template_writing.submitted_from(reply, template_id)

	def fetch_media(self, media: Media, ref: MessageRef, max_bytes: int) -> FetchedMedia:
		"""A customer's file: first where it is, then the file itself, from Meta's own hosts only."""
		if not media.media_id:
			raise Permanent("The message names no file.", code="media_gone")
		url = f"{self._root}/{quote(media.media_id, safe='')}"
		with asking():
			reply = self._ask("GET", url, params={"phone_number_id": self.config.phone_number_id})
			location = download.location_from(reply, media, max_bytes)
			return download.fetched_from(self._download(location.url, max_bytes), location, media)

	def _body(self, message: Outgoing) -> dict[str, Any]:
		"""The request that sends a message; files are uploaded first,
		for a private one has no address for Meta.
		"""
		if isinstance(message, OutgoingMedia):
			send.check_media(message)
			send.address(message.recipient)
			return send.media_body(message, self._upload(message))
		if isinstance(message, OutgoingTemplate):
			templates.check_template(message)
			file = message.header_media
			return templates.template_body(message, self._upload(file) if file is not None else "")
		write = BODIES.get(type(message))
		if write is None:
			raise unsupported(message)
		return write(message)

	def _upload(self, message: OutgoingMedia) -> str:
		name = (message.file_name or "file").encode("utf-8", "replace").decode()
		with asking():
			reply = self._ask_number(
				"POST",
				"/media",
				data={"messaging_product": "whatsapp", "type": message.mime_type},
				files={"file": (name, message.content, message.mime_type)},
				total_timeout=UPLOAD_FACTOR * self.config.read_timeout,
			)
			return send.media_id_from(reply)

	def _download(self, url: str, max_bytes: int) -> Reply:
		"""The answer of the server of files, over at most `MAX_REDIRECTS` redirects that stay with Meta."""
		url = download.trusted(url, self.config.base_url)
		for _ in range(download.MAX_REDIRECTS + 1):
			try:
				reply = self._ask("GET", url, max_bytes=max_bytes)
			except UnknownOutcome as error:
				raise (download.too_big() if error.code == "endless" else error) from None
			if not download.is_redirect(reply):
				break
			url = download.next_address(url, reply, self.config.base_url)
		return reply

	def _templates_url(self) -> str:
		if not self.config.business_account_id:
			raise Permanent(
				"The device has no business account id: templates can't be read.", code="no_account"
			)
		return f"{self._root}/{self.config.business_account_id}/message_templates"

	def _ask_number(self, method: str, path: str = "", **body: Any) -> Reply:
		parts = (self._root, self.config.phone_number_id)
		return self._ask(method, "/".join(filter(None, parts)) + path, **body)

	def _ask(self, method: str, url: str, **body: Any) -> Reply:
		self.config.check_login()
		return self._http.request(method, url, token=self.config.access_token, **body)


BODIES: Mapping[type[Outgoing], Callable[[Any], dict[str, Any]]] = {
	OutgoingText: send.text_body,
	OutgoingChoices: choices.choices_body,
	OutgoingReaction: send.reaction_body,
	OutgoingLocation: send.location_body,
	OutgoingContacts: send.contacts_body,
}
