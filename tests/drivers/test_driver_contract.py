"""Every driver keeps the contract: the loopback in process, the others over HTTP with their simulators."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import ClassVar

from khalifa_whatsapp.drivers.base import (
	AuthError,
	DeviceConfig,
	InboundMessage,
	Media,
	MessageRef,
	Permanent,
	RateLimited,
	RecipientError,
	Retryable,
	UnknownOutcome,
	WebhookCall,
	WindowClosed,
)
from khalifa_whatsapp.drivers.factory import make_driver
from khalifa_whatsapp.drivers.loopback import LoopbackDriver, message_item, signed_call
from khalifa_whatsapp.tests.contracts.driver_contract import SENT_MS, TEXT, DriverContract, Inbound, Scene
from simulation.simulators import CloudApiSimulator, Person, Post, WppConnectSimulator, wire

WRITER = Person(digits="201001234567", name="سامي")


def only(posts: list[Post]) -> WebhookCall:
	(post,) = posts
	return post.call()


class TestLoopback(DriverContract):
	@contextmanager
	def scene(self) -> Iterator[Scene]:
		config = DeviceConfig("loop", "loopback", app_secrets=("simulated-secret",))
		driver = self.driver = LoopbackDriver(config)
		other = LoopbackDriver(DeviceConfig("loop2", "loopback", app_secrets=("other",)))
		item = message_item("+201001234567", TEXT, "in-1", SENT_MS, "سامي")
		foreign = signed_call(other.call(item).raw, config.app_secrets)
		garbage = signed_call(b'{"device": "loop"}', config.app_secrets)
		unknown = driver.call({"type": "hologram"})
		inbound = Inbound(driver.call(item), other.call(item), unknown, garbage, foreign)
		kinds = (Retryable, RateLimited, RecipientError, Permanent, WindowClosed, AuthError, UnknownOutcome)
		ways = {one.kind: [partial(driver.failures.append, one("simulated"))] for one in kinds}
		yield Scene(driver, inbound, ways, reads=lambda: driver.reads)

	def taken(self) -> int:
		return len(self.driver.sent)


class TestCloudApi(DriverContract):
	FAILURES: ClassVar[dict[str, tuple[str, ...]]] = {
		"retryable": ("131000", "131016", "1", "131057"),
		"rate_limited": ("429", "130429", "131056", "80007"),
		"recipient": ("131026", "131030"),
		"opted_out": ("131050",),
		"permanent": ("100", "131009", "132001", "777777"),
		"window_closed": ("131047",),
		"auth": ("190", "10", "368"),
		"unknown": (
			"500",
			"502",
			"html_200",
			"no_id",
			"truncated",
			"cut",
			"drip",
			"reset",
			"reset_lost",
			"read_timeout",
		),
	}

	@contextmanager
	def scene(self) -> Iterator[Scene]:
		with CloudApiSimulator(lambda: SENT_MS, stall_seconds=2) as simulator:
			self.simulator = simulator
			driver = make_driver(simulator.config(read_timeout=0.3))
			ways = {kind: [self.way(mode) for mode in modes] for kind, modes in self.FAILURES.items()}
			body = {"type": "BODY", "text": "طلبك جاهز."}
			keys = [("order_ready", "ar"), ("order_ready", "en"), *((f"offer_{n}", "ar") for n in range(240))]
			for name, language in keys:
				simulator.templates.add(name, language, [body])
			inbound = self.inbound(simulator)
			yield Scene(driver, inbound, ways, files=self.file, templates=keys, reads=lambda: simulator.reads)

	def file(self, content: bytes, mime_type: str) -> tuple[Media, MessageRef]:
		self.simulator.customer_media(WRITER, "image", content, mime_type)
		(event,) = make_driver(self.simulator.config()).parse(self.simulator.take()[0].raw)
		assert isinstance(event, InboundMessage)
		assert event.media is not None
		return event.media, event.ref

	def way(self, mode: str) -> Callable[[], None]:
		return lambda: self.simulator.fail_next(mode)

	def inbound(self, simulator: CloudApiSimulator) -> Inbound:
		simulator.customer_text(WRITER, TEXT)
		text = only(simulator.take())
		simulator.push("flying_carpets", {"event": "X"})
		unknown = only(simulator.take())
		garbage = b'{"object": "whatsapp_business_account"}'
		other = CloudApiSimulator(lambda: SENT_MS, phone_number_id="699999999999999", app_secret="other")
		other.customer_text(WRITER, TEXT)
		other_call = only(other.take())
		return Inbound(
			text,
			other_call,
			unknown,
			WebhookCall(garbage, wire.cloud_headers(simulator.app_secret, garbage), {}),
			WebhookCall(other_call.raw, wire.cloud_headers(simulator.app_secret, other_call.raw), {}),
		)

	def taken(self) -> int:
		return len(self.simulator.sent_log)


class TestWppConnect(DriverContract):
	FAILURES: ClassVar[dict[str, tuple[str, ...]]] = {
		"retryable": ("disconnected",),
		"rate_limited": ("429",),
		"permanent": ("ack-1",),
		"auth": ("401",),
		"unknown": (
			"500",
			"not_exists",
			"not_exists_sent",
			"html_200",
			"no_id",
			"reset",
			"read_timeout",
			"502",
		),
	}

	@contextmanager
	def scene(self) -> Iterator[Scene]:
		with WppConnectSimulator(lambda: SENT_MS, stall_seconds=2) as simulator:
			self.simulator = simulator
			driver = make_driver(simulator.config(read_timeout=0.3))
			ways = {kind: [self.way(mode) for mode in modes] for kind, modes in self.FAILURES.items()}
			yield Scene(driver, self.inbound(simulator), ways, reads=lambda: simulator.chats.reads)

	def way(self, mode: str) -> Callable[[], None]:
		return lambda: self.simulator.fail_next(mode)

	def inbound(self, simulator: WppConnectSimulator) -> Inbound:
		simulator.customer_text(WRITER, TEXT)
		text = only(simulator.take())
		simulator.push("onsomethingnew", {"value": 1})
		unknown = only(simulator.take())
		other = WppConnectSimulator(lambda: SENT_MS, session_name="shop2", webhook_secret="other")
		other.customer_text(WRITER, TEXT)
		other_call = only(other.take())
		return Inbound(
			text,
			other_call,
			unknown,
			WebhookCall(json.dumps(["onmessage"]).encode(), {}, text.query),
			WebhookCall(other_call.raw, other_call.headers, text.query),
		)

	def taken(self) -> int:
		return len(self.simulator.sent_log)
