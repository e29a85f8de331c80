"""What every driver must do, as tests: mix `DriverContract` into a test class and say how to set the scene.

It uses nothing but `assert`, so that it runs under pytest and under unittest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.abilities import (
	MediaSource,
	ReadReceipts,
	TemplateAuthor,
	TemplateRefused,
	TemplateSource,
)
from khalifa_whatsapp.drivers.base import (
	ERROR_KINDS,
	Accepted,
	Choice,
	InboundMessage,
	Media,
	MessageDriver,
	MessageRef,
	NotVerified,
	Outgoing,
	OutgoingChoices,
	OutgoingContacts,
	OutgoingLocation,
	OutgoingMedia,
	OutgoingReaction,
	OutgoingTemplate,
	OutgoingText,
	PayloadError,
	SendError,
	Unhandled,
	WebhookCall,
)

SENT_MS = 1_795_160_400_000
SENDER = Identity("phone", "+201001234567")
TEXT = "عايز أعرف السعر 😀 <b>"
SECRETS = ("simulated-token", "simulated-secret", "1001234567")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
# One file of every kind that the Cloud API, the strictest of the gateways, takes.
FILES = {
	"image": ("image/jpeg", b"\xff\xd8\xff\xe0" + bytes(64)),
	"audio": ("audio/mpeg", b"ID3" + bytes(64)),
	"voice": ("audio/ogg", b"OggS" + bytes(64)),
	"video": ("video/mp4", b"\x00\x00\x00\x18ftypmp42" + bytes(64)),
	"document": ("application/pdf", b"%PDF-1.7" + bytes(64)),
	"sticker": ("image/webp", b"RIFF\x40\x00\x00\x00WEBPVP8 " + bytes(64)),
}


@dataclass(frozen=True)
class Inbound:
	"""Webhook calls as the gateway of the driver under test makes them."""

	text: WebhookCall  # TEXT from SENDER at SENT_MS
	other_device: WebhookCall  # the same for another device, proved by that device's secret
	unknown: WebhookCall  # an event nobody has seen
	garbage: WebhookCall  # provably from the gateway, and not its format
	foreign: WebhookCall | None = None  # proved by our secret, but about another number or session


@dataclass
class Scene:
	"""One driver, and a gateway it can talk to."""

	driver: MessageDriver
	inbound: Inbound
	failures: dict[str, Sequence[SceneFailure]] = field(default_factory=dict)  # error kind → ways to cause it
	# Hooks for what not every gateway has; without one its tests ask nothing of the driver.
	# kind → a message that this gateway would take
	samples: dict[str, Outgoing] = field(default_factory=dict)
	files: CustomerFiles | None = None  # for a `MediaSource`
	templates: Collection[tuple[str, str]] = ()  # for a `TemplateSource`: (name, language) of all there are
	reads: Callable[[], Sequence[tuple[str, bool]]] | None = None  # for `ReadReceipts`: gateway id, is typing


class CustomerFiles(Protocol):
	"""Lets SENDER send a file. Gives what `parse` says of it; a `sha256` there is the true one, or empty."""

	def __call__(self, content: bytes, mime_type: str) -> tuple[Media, MessageRef]: ...


class SceneFailure(Protocol):
	"""Makes the gateway fail the next send in one certain way."""

	def __call__(self) -> None: ...


class FetchedCalls(Protocol):
	"""How many messages the gateway took so far."""

	def __call__(self) -> int: ...


def _refused(driver: MessageDriver, call: WebhookCall) -> bool:
	try:
		driver.verify(call)
	except NotVerified as error:
		assert error.reason
		return True
	return False


def _failure(driver: MessageDriver, message: Outgoing) -> SendError:
	return _error(lambda: driver.send(message))


def _error(ask: Callable[[], object]) -> SendError:
	try:
		answer = ask()
	except SendError as error:
		return error
	raise AssertionError(f"it was not refused: {answer}")


def _quoted(scene: Scene) -> MessageRef:
	(event,) = scene.driver.parse(scene.inbound.text.raw)
	assert isinstance(event, InboundMessage)
	return event.ref


def _sample(scene: Scene, kind: str) -> Outgoing:
	"""A message of a kind: the scene's own, or one that any gateway should take."""
	if kind in scene.samples:
		return scene.samples[kind]
	to = (SENDER,)
	if kind == "reaction":
		return OutgoingReaction(recipient=to, target=_quoted(scene), emoji="👍")
	if kind in SAMPLES:
		return SAMPLES[kind]
	mime_type, content = FILES.get(kind, ("application/octet-stream", b"x"))
	return OutgoingMedia(recipient=to, kind=kind, content=content, mime_type=mime_type, file_name="a.bin")


SAMPLES: dict[str, Outgoing] = {
	"text": OutgoingText(recipient=(SENDER,), body="أهلاً"),
	"template": OutgoingTemplate(recipient=(SENDER,), name="order_ready", language="ar"),
	"choices": OutgoingChoices(
		recipient=(SENDER,), body="تأكيد الطلب؟", choices=(Choice("yes", "نعم"), Choice("no", "لا"))
	),
	"location": OutgoingLocation(
		recipient=(SENDER,), latitude=31.0409, longitude=31.3785, title="الفرع الرئيسي", address="المنصورة"
	),
	"contacts": OutgoingContacts(recipient=(SENDER,), cards=(("فرع طلخا", "+201223456789"),)),
}
ALL_KINDS = frozenset({*SAMPLES, "reaction", *FILES})


class DriverContract:
	"""Subclasses give `scene()`, a context that stands up driver and gateway anew, and `taken()` of it."""

	def scene(self) -> AbstractContextManager[Scene]:
		"""Driver and gateway for one test. `failures` names every kind that the gateway can cause."""
		raise NotImplementedError

	def taken(self) -> int:
		"""How many messages the gateway of the current scene took."""
		raise NotImplementedError

	def message(self, body: str = "أهلاً", **more: MessageRef | str) -> OutgoingText:
		"""A text that the gateway would take."""
		return OutgoingText(recipient=(SENDER,), body=body, callback="key-1", **more)  # type: ignore[arg-type]

	def picture(self) -> OutgoingMedia:
		"""A file that the gateway would take."""
		return OutgoingMedia(
			recipient=(SENDER,),
			kind="image",
			content=b"\xff\xd8fake",
			mime_type="image/jpeg",
			file_name="a.jpg",
			caption="صورة",
		)

	def test_a_driver_fulfils_the_port(self) -> None:
		with self.scene() as scene:
			assert isinstance(scene.driver, MessageDriver)
			assert scene.driver.capabilities.max_text > 0

	def test_a_call_of_the_gateway_is_verified(self) -> None:
		with self.scene() as scene:
			for call in (scene.inbound.text, scene.inbound.unknown, scene.inbound.garbage):
				scene.driver.verify(call)

	def test_a_call_without_proof_is_refused(self) -> None:
		with self.scene() as scene:
			call = scene.inbound.text
			assert _refused(scene.driver, replace(call, headers={}, query={}))
			assert _refused(scene.driver, replace(call, headers=dict.fromkeys(call.headers, ""), query={}))
			assert _refused(scene.driver, replace(call, method="GET"))

	def test_a_wrong_proof_is_refused(self) -> None:
		with self.scene() as scene:
			call = scene.inbound.text
			for twist in (_last_changed, _cut, _padded, _not_ascii):
				headers = {name: twist(value) for name, value in call.headers.items()}
				query = {name: twist(value) for name, value in call.query.items()}
				assert _refused(scene.driver, replace(call, headers=headers, query=query)), twist.__name__

	def test_the_proof_of_another_device_is_refused(self) -> None:
		with self.scene() as scene:
			assert _refused(scene.driver, scene.inbound.other_device)

	def test_a_signed_body_cant_be_changed(self) -> None:
		with self.scene() as scene:
			call = scene.inbound.text
			if call.query:
				return  # this gateway signs nothing: its proof is the address alone
			assert _refused(scene.driver, replace(call, raw=call.raw + b" "))

	def test_a_text_of_a_customer_is_understood(self) -> None:
		with self.scene() as scene:
			(event,) = scene.driver.parse(scene.inbound.text.raw)
			assert isinstance(event, InboundMessage)
			assert event.ref.gateway_id
			assert (event.content_type, event.body, event.sent_ms) == ("text", TEXT, SENT_MS)
			assert event.sender[0] == SENDER

	def test_the_same_webhook_event_gives_the_same_events(self) -> None:
		with self.scene() as scene:
			raw = scene.inbound.text.raw
			assert scene.driver.parse(raw) == scene.driver.parse(raw)

	def test_an_unknown_event_is_unhandled(self) -> None:
		with self.scene() as scene:
			(event,) = scene.driver.parse(scene.inbound.unknown.raw)
			assert isinstance(event, Unhandled)
			assert event.reason
			assert not event.is_noise

	def test_what_is_meant_for_another_device_is_unhandled(self) -> None:
		with self.scene() as scene:
			if scene.inbound.foreign is not None:
				scene.driver.verify(scene.inbound.foreign)
				assert all(
					isinstance(one, Unhandled) for one in scene.driver.parse(scene.inbound.foreign.raw)
				)

	def test_garbage_is_a_payload_error(self) -> None:
		with self.scene() as scene:
			for raw in (scene.inbound.garbage.raw, b"", b"\xff", b"[]", b"[" * 100_000):
				try:
					scene.driver.parse(raw)
				except PayloadError:
					continue
				raise AssertionError(f"{raw[:20]!r} was parsed")

	def test_an_accepted_text_has_a_name(self) -> None:
		with self.scene() as scene:
			first, second = scene.driver.send(self.message()), scene.driver.send(self.message())
			assert isinstance(first, Accepted)
			assert first.ref.gateway_id
			assert first.ref != second.ref
			assert first.status in ("sent", "queued")
			assert self.taken() == 2

	def test_a_reply_is_accepted(self) -> None:
		with self.scene() as scene:
			assert scene.driver.send(self.message(reply_to=_quoted(scene))).ref.gateway_id

	def test_a_file_is_accepted(self) -> None:
		with self.scene() as scene:
			assert "image" in scene.driver.capabilities.media_kinds
			assert scene.driver.send(self.picture()).ref.gateway_id
			assert self.taken() == 1

	def test_a_file_of_an_unknown_kind_is_refused_before_the_network(self) -> None:
		with self.scene() as scene:
			try:
				scene.driver.send(replace(self.picture(), kind="hologram"))
			except SendError as error:
				assert error.kind == "permanent"
			else:
				raise AssertionError("the file was accepted")
			assert self.taken() == 0

	def test_every_kind_it_can_do_is_accepted(self) -> None:
		with self.scene() as scene:
			can = scene.driver.capabilities
			assert can.kinds <= ALL_KINDS, "a kind that nobody else knows"
			for kind in sorted(can.kinds | can.media_kinds):
				accepted = scene.driver.send(_sample(scene, kind))
				assert isinstance(accepted, Accepted), kind
				# a reaction is no message of its own
				assert accepted.ref.gateway_id or kind == "reaction", kind

	def test_every_kind_it_cant_do_is_refused_before_the_network(self) -> None:
		with self.scene() as scene:
			can = scene.driver.capabilities
			for kind in sorted(ALL_KINDS - can.kinds - can.media_kinds):
				error = _failure(scene.driver, _sample(scene, kind))
				assert (error.kind, error.code) == ("permanent", "unsupported"), kind
			assert self.taken() == 0

	def test_a_file_that_is_too_big_is_refused_before_the_network(self) -> None:
		with self.scene() as scene:
			can = scene.driver.capabilities
			for kind in sorted(can.media_kinds & set(FILES)):
				message = _sample(scene, kind)
				if can.max_media_bytes > 128 * 1024 * 1024 or not isinstance(message, OutgoingMedia):
					continue  # this gateway takes what this machine should not hold
				much = replace(message, content=bytes(can.max_media_bytes + 1))
				assert _failure(scene.driver, much).kind == "permanent", kind
			assert self.taken() == 0

	def test_a_customers_file_comes_as_it_was_sent(self) -> None:
		with self.scene() as scene:
			if isinstance(scene.driver, MediaSource) and scene.files is not None:
				media, ref = scene.files(PNG, "image/png")
				fetched = scene.driver.fetch_media(media, ref, len(PNG))
				assert (fetched.content, fetched.mime_type) == (PNG, "image/png")
				assert "PNG" not in repr(fetched)

	def test_a_customers_file_that_is_too_big_or_another_is_refused_for_good(self) -> None:
		with self.scene() as scene:
			driver = scene.driver
			if isinstance(driver, MediaSource) and scene.files is not None:
				media, ref = scene.files(PNG, "image/png")
				for given, limit in ((media, len(PNG) - 1), (replace(media, sha256="0" * 64), len(PNG))):
					error = _error(lambda given=given, limit=limit: driver.fetch_media(given, ref, limit))
					assert error.kind == "permanent", error

	def test_a_customers_file_that_nobody_has_is_an_error_and_no_file(self) -> None:
		with self.scene() as scene:
			driver = scene.driver
			if isinstance(driver, MediaSource) and scene.files is not None:
				media, ref = scene.files(PNG, "image/png")
				gone, elsewhere = replace(media, media_id="1"), replace(ref, gateway_id="false_1@c.us_1")
				error = _error(lambda: driver.fetch_media(gone, elsewhere, len(PNG)))
				assert error.kind in ("permanent", "retryable"), error

	def test_the_templates_are_all_there(self) -> None:
		with self.scene() as scene:
			if isinstance(scene.driver, TemplateSource) and scene.templates:
				templates = scene.driver.list_templates()
				assert {(one.name, one.language) for one in templates} == set(scene.templates)
				assert len(templates) == len(scene.templates)
				assert all(one.template_id and one.status for one in templates)

	def test_a_template_that_was_submitted_is_in_the_list_and_waits(self) -> None:
		with self.scene() as scene:
			if isinstance(scene.driver, TemplateAuthor) and isinstance(scene.driver, TemplateSource):
				parts = [{"type": "BODY", "text": "أهلاً، طلبك جاهز."}]
				given = ("from_the_contract", "ar", "UTILITY", "POSITIONAL", parts)
				done = scene.driver.create_template(*given)
				listed = {one.template_id: one for one in scene.driver.list_templates()}
				assert listed[done.template_id].name == "from_the_contract"
				assert listed[done.template_id].status != "APPROVED"
				error = _error(lambda: scene.driver.create_template(*given))
				assert isinstance(error, TemplateRefused) and error.explanation

	def test_a_message_is_marked_as_read(self) -> None:
		with self.scene() as scene:
			if isinstance(scene.driver, ReadReceipts) and scene.reads is not None:
				ref = _quoted(scene)
				scene.driver.mark_read(ref, (SENDER,))
				scene.driver.mark_read(ref, (SENDER,), is_typing=True)
				assert {gateway_id for gateway_id, _ in scene.reads()} == {ref.gateway_id}
				assert not scene.reads()[0][1]
				assert scene.reads()[-1][1]
				assert self.taken() == 0

	def test_a_text_that_is_too_long_or_empty_is_refused_before_the_network(self) -> None:
		with self.scene() as scene:
			longest = scene.driver.capabilities.max_text
			for body in ("x" * (longest + 1), "", " \n"):
				assert _failure(scene.driver, self.message(body)).kind == "permanent"
			assert self.taken() == 0
			scene.driver.send(self.message("ع" * longest))

	def test_every_failure_has_its_kind_and_says_no_secret(self) -> None:
		with self.scene() as scene:
			for kind, ways in scene.failures.items():
				assert kind in ERROR_KINDS
				for way in ways:
					way()
					error = _failure(scene.driver, self.message())
					assert error.kind == kind, (kind, way, error)
					assert error.text
					assert not any(secret in str(error) for secret in SECRETS)

	def test_after_a_failure_the_next_text_is_accepted(self) -> None:
		with self.scene() as scene:
			for way in scene.failures["unknown"]:
				way()
				_failure(scene.driver, self.message())
			assert scene.driver.send(self.message()).ref.gateway_id

	def test_the_state_of_a_working_device_is_connected(self) -> None:
		with self.scene() as scene:
			assert scene.driver.get_status().state == "connected"

	def test_a_false_subscription_check_is_refused(self) -> None:
		with self.scene() as scene:
			wrong = {"hub.mode": "subscribe", "hub.verify_token": "no", "hub.challenge": "1"}
			for query in ({}, wrong):
				try:
					scene.driver.handshake(WebhookCall(b"", {}, query, "GET"))
				except NotVerified:
					continue
				raise AssertionError("the check was answered")


def _last_changed(value: str) -> str:
	return value[:-1] + ("0" if value[-1:] != "0" else "1")


def _cut(value: str) -> str:
	return value[:-1]


def _padded(value: str) -> str:
	return value + " " * 8_192


def _not_ascii(value: str) -> str:
	return "é" + value[1:]
