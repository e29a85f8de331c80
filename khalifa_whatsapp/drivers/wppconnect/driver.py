"""The driver of WPPConnect Server: the port of `drivers.base` over the neighbouring files."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.abilities import FetchedMedia, QrCode
from khalifa_whatsapp.drivers.base import (
	SECRETS_LOST,
	Accepted,
	AuthError,
	Capabilities,
	DeviceConfig,
	Event,
	Media,
	MessageRef,
	NotVerified,
	OutboundEcho,
	Outgoing,
	OutgoingReaction,
	Permanent,
	SendError,
	SessionState,
	UnknownOutcome,
	WebhookCall,
)
from khalifa_whatsapp.drivers.http import MAX_ANSWER_BYTES, HttpClient, Reply, surely_not_sent
from khalifa_whatsapp.drivers.wppconnect import reads, session
from khalifa_whatsapp.drivers.wppconnect.errors import read_error
from khalifa_whatsapp.drivers.wppconnect.login import Login
from khalifa_whatsapp.drivers.wppconnect.parse import parse
from khalifa_whatsapp.drivers.wppconnect.send import (
	MAX_FILE,
	MAX_TEXT,
	ROUTES,
	accepted_from,
	chat_wids,
	keeps_chat,
	reaction_accepted_from,
	request_of,
	seen_body,
	wid_of,
)
from khalifa_whatsapp.drivers.wppconnect.verify import verify_secret
from khalifa_whatsapp.drivers.wppconnect.wid import serialized

RESOLVE_SECONDS = 5.0  # customers' messages wait for this answer
MAX_UNREAD_BYTES = 16 * 1024 * 1024  # of one answer with all unread messages, previews and all


class WppConnectDriver:
	"""One session of a WPPConnect Server. Never two sends of a device at once: they share a browser tab."""

	capabilities = Capabilities(
		has_qr=True,
		kinds=frozenset({"text", "reaction", "location", "contacts", *ROUTES}),
		media_kinds=frozenset(ROUTES),
		max_text=MAX_TEXT,
		max_media_bytes=MAX_FILE,
	)

	def __init__(self, config: DeviceConfig, http: HttpClient | None = None) -> None:
		self.config = config
		self._login = Login(config, http or HttpClient(config.connect_timeout, config.read_timeout))

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
		"""Hand a message over to its one recipient; every failure is one `SendError`."""
		route, body = request_of(message)
		reply = self._login.request("POST", route, json=body)
		if isinstance(message, OutgoingReaction):
			return reaction_accepted_from(reply, message)
		return accepted_from(reply)

	def get_status(self) -> SessionState:
		"""What the gateway says of the session now, asked in the browser and not from its memory."""
		return session.state_from(
			self._ask("GET", "check-connection-session"), self._ask("GET", "status-session")
		)

	def start_session(self) -> SessionState:
		"""Begin, or go on with, the login; its code and its end come later.

		Does nothing to a session that is up.
		"""
		if "webhook_address" in self.config.unreadable:  # it would begin without knowing where to post
			raise AuthError(SECRETS_LOST, "secrets_lost")
		return session.started_from(
			self._ask("POST", "start-session", json=session.start_body(self.config.webhook_url))
		)

	def stop_session(self) -> None:
		"""Close the browser and keep the login; a session that has none is closed already."""
		session.check_closed(self._ask("POST", "close-session", json={}))

	def log_out(self) -> None:
		"""Unlink the number. `Retryable` while it is not connected: only the live session can do it."""
		session.check_logged_out(self._ask("POST", "logout-session", json={}))

	def get_qr(self) -> QrCode | None:
		"""The code to scan, only while the session waits for one."""
		status = self._ask("GET", "status-session")
		code = session.qr_from_status(status)
		if code is None and session.waits_for_scan(status):
			code = session.qr_from_picture(self._ask("GET", "qrcode-session"))
		return code

	def fetch_media(self, media: Media, ref: MessageRef, max_bytes: int) -> FetchedMedia:
		"""The file of a customer's message, which the gateway's browser decrypts."""
		reads.check_size(media.size, max_bytes)
		name = media.media_id or serialized(ref, "")
		try:
			reply = self._login.request(
				"GET", f"get-media-by-message/{quote(name, safe='@')}", max_bytes=reads.media_limit(max_bytes)
			)
		except UnknownOutcome as error:
			if error.code == "endless":
				raise Permanent("The file is bigger than what is taken here.", "too_big") from None
			raise surely_not_sent(error) from None
		return reads.media_from(reply, media, max_bytes)

	def last_sent(self, recipient: tuple[Identity, ...], limit: int = 20) -> list[OutboundEcho]:
		"""What WhatsApp has of ours for this customer, newest last,
		from all chats that may be with him or her.
		"""
		echoes: list[OutboundEcho] = []
		failure: SendError | None = None
		is_answered = False
		for chat in chat_wids(recipient):
			try:
				echoes += reads.sent_from(self._messages_of(chat, limit), self.config.session_name)
				is_answered = True
			except SendError as error:
				failure = error  # the browser may know the customer by the other id only
		if failure is not None and not is_answered:
			raise failure
		return reads.newest(echoes, limit)

	def missed_webhook_events(self) -> list[bytes]:
		"""Posts of customers' messages that nobody has read: the gateway never repeats one that got lost."""
		reply = self._ask("GET", "all-unread-messages", max_bytes=MAX_UNREAD_BYTES)
		return reads.unread_from(reply, self.config.session_name)

	def mark_read(self, ref: MessageRef, sender: tuple[Identity, ...], is_typing: bool = False) -> None:
		"""Show the customer the blue ticks, and that somebody is writing."""
		body = seen_body(ref, sender)
		self._signal("send-seen", body)
		if is_typing and keeps_chat(body):
			self._signal("typing", {**body, "value": True})

	def resolve(self, identity: Identity) -> tuple[Identity, ...]:
		"""The phone behind a privacy id, or the other way round, as far as WhatsApp tells;
		the asked one is among them.
		"""
		if identity.kind not in ("phone", "lid"):
			return (identity,)
		path = f"contact/pn-lid/{quote(wid_of(identity), safe='@')}"
		return reads.identities_from(self._ask("GET", path, total_timeout=RESOLVE_SECONDS), identity)

	def _messages_of(self, chat: str, limit: int) -> Reply:
		count = min(max(limit, 1) * 3, reads.MAX_ASKED)  # the customer's own are among them
		query = {"count": str(count), "direction": "before"}
		return self._ask("GET", f"get-messages/{quote(chat, safe='@')}", params=query)

	def _signal(self, route: str, body: dict[str, Any]) -> None:
		reply = self._ask("POST", route, json=body)
		if not reply.is_success:
			raise read_error(reply)

	def _ask(self, method: str, path: str, *, max_bytes: int = MAX_ANSWER_BYTES, **body: Any) -> Reply:
		"""A call that sends nothing to anybody: doubt about its answer is no doubt about a message."""
		try:
			return self._login.request(method, path, max_bytes=max_bytes, **body)
		except SendError as error:
			raise surely_not_sent(error) from None
