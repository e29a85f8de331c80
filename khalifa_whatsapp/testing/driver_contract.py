"""What every driver must do, as tests: mix `DriverContract` into a test class and say how to set the scene.

It uses nothing but `assert`, so that it runs under pytest and under unittest.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	ERROR_KINDS,
	Accepted,
	InboundMessage,
	MessageDriver,
	MessageRef,
	NotVerified,
	OutgoingMedia,
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


class SceneFailure(Protocol):
	"""Makes the gateway fail the next send in one certain way."""

	def __call__(self) -> None: ...


class Taken(Protocol):
	"""How many messages the gateway took so far."""

	def __call__(self) -> int: ...


def _refused(driver: MessageDriver, call: WebhookCall) -> bool:
	try:
		driver.verify(call)
	except NotVerified as error:
		assert error.reason
		return True
	return False


def _failure(driver: MessageDriver, message: OutgoingText) -> SendError:
	try:
		accepted = driver.send(message)
	except SendError as error:
		return error
	raise AssertionError(f"the send was accepted: {accepted}")


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
			recipient=(SENDER,), kind="image", content=b"\xff\xd8fake", mime_type="image/jpeg",
			file_name="a.jpg", caption="صورة",
		)  # fmt: skip

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

	def test_the_same_delivery_gives_the_same_events(self) -> None:
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
			(event,) = scene.driver.parse(scene.inbound.text.raw)
			assert isinstance(event, InboundMessage)
			assert scene.driver.send(self.message(reply_to=event.ref)).ref.gateway_id

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
