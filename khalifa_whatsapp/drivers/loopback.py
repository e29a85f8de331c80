"""A gateway inside this process, for tests and demos: what is sent ends in a list.

Its webhook format is its own: `{"device": name, "events": [{"type": "message", …}, …]}`, signed as Meta does.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from secrets import token_hex
from typing import Any

from khalifa_whatsapp.core import calls
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	Accepted,
	Call,
	Capabilities,
	DeviceConfig,
	Event,
	InboundMessage,
	MessageEdit,
	MessageRef,
	MessageRevoke,
	MessageStatus,
	Outgoing,
	OutgoingMedia,
	OutgoingText,
	PayloadError,
	Permanent,
	Reaction,
	SendError,
	SessionState,
	Unhandled,
	WebhookCall,
	unsupported,
)
from khalifa_whatsapp.drivers.cloud_api.verify import answer_challenge, sign, verify_signature
from khalifa_whatsapp.drivers.http import HttpClient
from khalifa_whatsapp.drivers.payload import (
	Malformed,
	dict_of,
	distinct,
	epoch_ms,
	identity_of,
	load_object,
	need_id,
	need_text,
	number_of,
	reason,
	text_of,
)

SIGNATURE_HEADER = "x-loopback-signature"
MAX_TEXT = 4096
MEDIA_KINDS = frozenset({"image", "audio", "voice", "video", "document", "sticker"})
KINDS = frozenset({"text", "template", "choices", "reaction", "location", "contacts"})
STATUSES = frozenset({"sent", "delivered", "read", "played", "failed"})


class LoopbackDriver:
	"""A driver whose gateway is a list. `failures` are raised by the next sends, one each, oldest first."""

	capabilities = Capabilities(
		has_callback=True,
		has_templates=True,
		kinds=KINDS | MEDIA_KINDS,
		media_kinds=MEDIA_KINDS,
		max_text=MAX_TEXT,
	)

	def __init__(self, config: DeviceConfig, http: HttpClient | None = None) -> None:
		self.config = config
		self.sent: list[Outgoing] = []
		self.series = (
			f"loop-{token_hex(4)}"  # each job of a site makes a driver: their messages are not the same
		)
		self.failures: deque[SendError] = deque()
		self.state = SessionState("connected")
		self.reads: list[tuple[str, bool]] = []  # message, and whether typing was shown

	def verify(self, call: WebhookCall) -> None:
		"""Raise `NotVerified` unless the body is signed with one of the device's secrets."""
		verify_signature(call, self.config, SIGNATURE_HEADER)

	def handshake(self, call: WebhookCall) -> str:
		"""As the Cloud API's."""
		return answer_challenge(call, self.config)

	def parse(self, raw: bytes) -> list[Event]:
		"""Everything in a delivery. `PayloadError` when it has no event list."""
		payload = load_object(raw)
		items = payload.get("events")
		if not isinstance(items, list):
			raise PayloadError("the delivery has no event list")
		if payload.get("device") != self.config.name:
			return [Unhandled("foreign device")]
		return [_parse_item(dict_of(item), place) for place, item in enumerate(items)]

	def send(self, message: Outgoing) -> Accepted:
		"""Put a message on the list, or raise what was programmed."""
		if isinstance(message, OutgoingText) and (not message.body.strip() or len(message.body) > MAX_TEXT):
			raise Permanent("A message has 1 to 4096 characters.", code="too_long")
		if isinstance(message, OutgoingMedia) and message.kind not in MEDIA_KINDS:
			raise unsupported(message)
		if isinstance(message, OutgoingMedia) and len(message.content) > self.capabilities.max_media_bytes:
			raise Permanent("The file is too big to be sent.", code="media_size")
		if self.failures:
			raise self.failures.popleft()
		self.sent.append(message)
		return Accepted(MessageRef(f"{self.series}-{len(self.sent)}"), recipient=message.recipient)

	def get_status(self) -> SessionState:
		"""Whatever the test put in `state`."""
		return self.state

	def mark_read(self, ref: MessageRef, sender: tuple[Identity, ...], is_typing: bool = False) -> None:
		"""Put it on a list of its own, or raise what was programmed."""
		if self.failures:
			raise self.failures.popleft()
		self.reads.append((ref.gateway_id, is_typing))

	def call(self, *items: Mapping[str, Any]) -> WebhookCall:
		"""A signed webhook call with these events, as the gateway would make it."""
		body = {"device": self.config.name, "events": list(items)}
		return signed_call(json.dumps(body, ensure_ascii=False).encode(), self.config.app_secrets)


def signed_call(raw: bytes, secrets: Iterable[str]) -> WebhookCall:
	"""A webhook call with this body, signed with the first of the secrets."""
	return WebhookCall(raw, {SIGNATURE_HEADER: sign(next(iter(secrets), ""), raw)}, {})


def message_item(sender: str, body: str, gateway_id: str, sent_ms: int, name: str = "") -> dict[str, Any]:
	"""A text of a customer in the loopback's format. `sender` is a phone with its plus, or a user id."""
	return {"type": "message", "id": gateway_id, "from": sender, "text": body, "at_ms": sent_ms, "name": name}


def status_item(gateway_id: str, status: str, at_ms: int, callback: str = "") -> dict[str, Any]:
	"""A status of one of our messages in the loopback's format."""
	return {"type": "status", "id": gateway_id, "status": status, "at_ms": at_ms, "callback": callback}


def _parse_item(item: dict[str, Any], place: int) -> Event:
	reader = READERS.get(text_of(item.get("type")))
	if reader is None:
		return Unhandled(reason("type", item.get("type")))
	try:
		return reader(item, place)
	except Malformed as error:
		return Unhandled(reason("malformed", item.get("type"), error))


def _person(item: dict[str, Any], key: str) -> tuple[Identity, ...]:
	given = text_of(item.get(key))
	identities = distinct(identity_of(f"{given[1:]}@c.us" if given.startswith("+") else given))
	if not identities:
		raise Malformed(f"no {key}")
	return identities


def _message(item: dict[str, Any], place: int) -> Event:
	is_missing = item.get("is_missing") is True
	return InboundMessage(
		ref=MessageRef(need_id(item)),
		sender=_person(item, "from"),
		sent_ms=epoch_ms(item.get("at_ms")),
		content_type="missing" if is_missing else "text",
		body="" if is_missing else need_text(item, "text"),
		is_missing=is_missing,
		profile_name=text_of(item.get("name")),
		sequence=place,
	)


def _status(item: dict[str, Any], place: int) -> Event:
	status = text_of(item.get("status"))
	if status not in STATUSES:
		raise Malformed("no status")
	return MessageStatus(
		ref=MessageRef(need_id(item)),
		status=status,
		at_ms=epoch_ms(item.get("at_ms")),
		error_kind="permanent" if status == "failed" else "",
		callback=text_of(item.get("callback")),
	)


def _reaction(item: dict[str, Any], place: int) -> Event:
	author = _person(item, "from")[0].key
	return Reaction(
		MessageRef(need_id(item)), author, text_of(item.get("emoji")), epoch_ms(item.get("at_ms"))
	)


def _edit(item: dict[str, Any], place: int) -> Event:
	customer = _person(item, "from") if item.get("from") else ()
	return MessageEdit(
		MessageRef(need_id(item)), need_text(item, "text"), epoch_ms(item.get("at_ms")), customer
	)


def _call(item: dict[str, Any], place: int) -> Event:
	state = text_of(item.get("state"))
	if state not in calls.RANK:
		raise Malformed("no state")
	return Call(
		MessageRef(need_id(item)),
		_person(item, "from"),
		epoch_ms(item.get("at_ms")),
		state,
		is_ours=item.get("is_ours") is True,
		duration=number_of(item.get("duration")) or 0,
		is_video=item.get("is_video") is True,
	)


def _revoke(item: dict[str, Any], place: int) -> Event:
	return MessageRevoke(MessageRef(need_id(item)), epoch_ms(item.get("at_ms")))


def _session(item: dict[str, Any], place: int) -> Event:
	return SessionState(need_text(item, "state"), at_ms=epoch_ms(item.get("at_ms")))


READERS: Mapping[str, Callable[[dict[str, Any], int], Event]] = {
	"message": _message,
	"status": _status,
	"reaction": _reaction,
	"edit": _edit,
	"call": _call,
	"revoke": _revoke,
	"session": _session,
}
