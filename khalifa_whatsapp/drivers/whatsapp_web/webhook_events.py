"""What was read from the page, as raw deliveries of a format of our own, which `parse` takes.

There is no webhook: the process that owns the browser puts these into the inbox itself. One delivery, one
JSON object:

	device   our device
	type     message (a customer wrote), own (left our number), status (how far it got)
	id       the message's id, such as 3EB0…
	people   all names of the chat's other side: 201001234567@c.us, 98765432109876@lid
	text     message and own: the words, or what stands below a picture
	kind     message and own: text, image, voice, video, document, unknown
	at_ms    message and own: epoch milliseconds, to the minute; 0 when the page did not say
	name     message: what the customer is called
	status   status: delivered, read, failed

The same message gives the same bytes however often it is read, so that the inbox keeps it once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	Event,
	InboundMessage,
	MessageRef,
	MessageStatus,
	OutboundEcho,
	PayloadError,
	Unhandled,
)
from khalifa_whatsapp.drivers.payload import (
	Malformed,
	distinct,
	epoch_ms,
	identity_of,
	list_of,
	load_object,
	need_id,
	need_text,
	reason,
	text_of,
)
from khalifa_whatsapp.drivers.whatsapp_web.page import Bubble
from khalifa_whatsapp.drivers.whatsapp_web.stamps import author_of, moment_ms

OUT = "out"  # scope of our own messages, as for the other gateway that shows WhatsApp Web
LEFT = frozenset({"sent", "delivered", "read"})  # ticks of what WhatsApp has
MAX_PEOPLE = 8
_ID = re.compile(r"(?:true|false)_[^_\s]+_([^_\s]+)")


def id_of_bubble(shown: str) -> str:
	"""The message's own id in what the page calls it:
	the last part of `true_2010…@c.us_3EB0…`, or all of it.
	"""
	match = _ID.match(shown)
	return match[1] if match else shown


def wid_of(identity: Identity) -> str:
	"""A phone or a privacy id as the page spells it."""
	return f"{identity.value.removeprefix('+')}@{'lid' if identity.kind == 'lid' else 'c.us'}"


class Reader:
	"""Turns bubbles of one chat into raw deliveries.

	`people` are all names of whom the chat is with, phones first.
	"""

	def __init__(
		self, device: str, people: Iterable[Identity], title: str, now_ms: int, minutes: int
	) -> None:
		self._device = device
		self._people = [wid_of(one) for one in people]
		self._title = title if not title.startswith("+") else ""
		self._now_ms, self._minutes = now_ms, minutes

	def webhook_events(self, bubbles: Iterable[Bubble]) -> list[bytes]:
		"""Every message that has an id and has left, and how far ours got."""
		bodies: list[bytes] = []
		for bubble in bubbles:
			if not bubble.id or (bubble.is_own and bubble.tick not in LEFT | {"failed"}):
				continue
			if bubble.tick != "failed":
				bodies.append(self._message(bubble))
			if bubble.is_own and bubble.tick != "sent":
				bodies.append(self._write(bubble, type="status", status=bubble.tick))
		return bodies

	def _message(self, bubble: Bubble) -> bytes:
		body = {
			"text": bubble.text,
			"kind": bubble.media or ("text" if bubble.has_text else "unknown"),
			"at_ms": moment_ms(bubble.stamp, self._now_ms, self._minutes),
		}
		if bubble.is_own:
			return self._write(bubble, type="own", **body)
		return self._write(bubble, type="message", name=self._title or author_of(bubble.stamp), **body)

	def _write(self, bubble: Bubble, **more: Any) -> bytes:
		whole = {"device": self._device, "id": id_of_bubble(bubble.id), "people": self._people, **more}
		return json.dumps(whole, sort_keys=True).encode()


def parse(raw: bytes, device: str) -> list[Event]:
	"""Everything in a delivery. `PayloadError` when it is not one of ours."""
	payload = load_object(raw)
	if not isinstance(payload.get("type"), str):
		raise PayloadError("the delivery has no type")
	if payload.get("device") != device:
		return [Unhandled("foreign device")]
	reader = READERS.get(payload["type"])
	if reader is None:
		return [Unhandled(reason("type", payload["type"]))]
	try:
		return [reader(payload)]
	except Malformed as error:
		return [Unhandled(reason("malformed", payload["type"], error))]


def _message(payload: dict[str, Any]) -> Event:
	people = _people(payload)
	kind = text_of(payload.get("kind"))
	is_text = kind == "text"
	return InboundMessage(
		ref=MessageRef(need_id(payload), f"in|{wid_of(people[0])}"),
		sender=people,
		sent_ms=epoch_ms(payload.get("at_ms")),
		content_type="text" if is_text else "unsupported",  # the page gives no file: it is on the phone
		body=need_text(payload, "text"),
		profile_name=text_of(payload.get("name")),
		data={} if is_text else {"type": kind[:60], "on_phone": True},
	)


def _own(payload: dict[str, Any]) -> Event:
	kind = text_of(payload.get("kind"))
	ref = MessageRef(need_id(payload), OUT)
	return OutboundEcho(
		ref, _people(payload), epoch_ms(payload.get("at_ms")), kind[:60], need_text(payload, "text")
	)


def _status(payload: dict[str, Any]) -> Event:
	status = text_of(payload.get("status"))
	if status not in {"delivered", "read", "failed"}:
		raise Malformed("no status")
	is_failed = status == "failed"
	return MessageStatus(
		ref=MessageRef(need_id(payload), OUT),
		status=status,
		at_ms=epoch_ms(payload.get("at_ms")),
		error_kind="permanent" if is_failed else "",
		error_text="WhatsApp shows that this message was not sent." if is_failed else "",
		recipient=_people(payload),
	)


def _people(payload: dict[str, Any]) -> tuple[Identity, ...]:
	identities = distinct(*(identity_of(text_of(one)) for one in list_of(payload.get("people"))[:MAX_PEOPLE]))
	if not identities:
		raise Malformed("no people")
	return identities


READERS: Mapping[str, Callable[[dict[str, Any]], Event]] = {
	"message": _message,
	"own": _own,
	"status": _status,
}
