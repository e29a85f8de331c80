"""A simulated WPPConnect Server: one session, its sends and acks, and invented customers."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from khalifa_whatsapp.drivers.base import DeviceConfig
from khalifa_whatsapp.drivers.wppconnect.verify import SECRET_PARAMETER, digest_of
from khalifa_whatsapp.embedded.simulators import wire
from khalifa_whatsapp.embedded.simulators.deliveries import Faults, Post, Report, WebhookQueue
from khalifa_whatsapp.embedded.simulators.server import (
	AFTER_ACCEPT,
	Answer,
	Request,
	Sent,
	SimulatorServer,
	failed_answer,
	json_answer,
)
from khalifa_whatsapp.embedded.simulators.wire import Person

ACK_DELAYS_MS = {1: 300, 2: 1_500, 3: 20_000}
SEND_ROUTES = frozenset(
	{"send-message", "send-image", "send-file", "send-file-base64", "send-voice-base64", "send-reply"}
)


class WppConnectSimulator(SimulatorServer):
	"""One session of a make-believe WPPConnect Server.

	Modes for `fail_next`, beside those of `server`: "ack-1" (201, and nothing goes out), "not_exists" (400,
	nothing goes out), "not_exists_sent" (400, and it goes out all the same), "disconnected" (404), "401",
	"429". As the real one, it signs nothing, never repeats a post, and posts one event at a time. With
	`has_self_messages` what we send comes back as `onselfmessage` too.
	"""

	def __init__(
		self,
		now_ms: Callable[[], int],
		*,
		session_name: str = "shop1",
		own_number: str = "201055500011",
		access_token: str = "simulated-token",
		webhook_secret: str = "simulated-webhook-secret",
		seed: int = 0,
		faults: Faults | None = None,
		read_rate: float = 1.0,
		has_self_messages: bool = False,
		stall_seconds: float = 5.0,
	) -> None:
		self._rng = Random(seed)
		super().__init__(Random(seed + 1), stall_seconds)
		self.now_ms = now_ms
		self.session_name, self.own_number = session_name, own_number
		self.access_token, self.webhook_secret = access_token, webhook_secret
		self.read_rate, self.has_self_messages = read_rate, has_self_messages
		one_each = replace(faults or Faults(), batch_size=1)
		self.queue = WebhookQueue(now_ms, self._rng, one_each, self._pack)
		self.is_connected = True
		self.people: dict[str, Person] = {}  # by digits and by LID
		self.media: dict[str, tuple[bytes, str]] = {}  # by serialized message id
		self._count = 0
		self._lock = threading.Lock()

	def __enter__(self) -> WppConnectSimulator:
		self.start()
		return self

	def config(self, name: str = "wpp-sim", **more: Any) -> DeviceConfig:
		"""The settings of a device that talks to this simulator."""
		settings: dict[str, Any] = {
			"base_url": self.url,
			"session_name": self.session_name,
			"access_token": self.access_token,
			"webhook_secret_digests": (digest_of(self.webhook_secret),),
		}
		return DeviceConfig(name=name, provider="wppconnect", **{**settings, **more})

	def customer_text(self, person: Person, body: str, **more: Any) -> str:
		"""A customer writes. Gives the hex part of the message's id."""
		return self._receive(person, "chat", body, **more)

	def customer_media(
		self,
		person: Person,
		kind: str,
		content: bytes,
		mime_type: str,
		caption: str = "",
		is_inline: bool = False,
	) -> str:
		"""A customer sends a file: by id, or `is_inline` in the event itself."""
		encoded = base64.b64encode(content).decode() if is_inline else ""
		more = {"caption": caption, "mimetype": mime_type, "size": len(content)}
		hex_id = self._receive(person, wire.WPP_MEDIA.get(kind, kind), encoded, **more)
		self.media[f"false_{person.wid}_{hex_id}"] = (content, mime_type)
		return hex_id

	def phone_text(self, person: Person, body: str) -> str:
		"""Somebody answers on the phone itself: only an `onselfmessage` tells."""
		hex_id = self._new_id("3EB0")
		own = wire.wpp_own_message(person.wid, self.own_number, hex_id, self.now_ms(), body)
		self.push("onselfmessage", own)
		return hex_id

	def push(self, event: str, data: dict[str, Any], delay_ms: int = 0) -> None:
		"""Let any event be posted."""
		self.queue.push(wire.wpp_event(event, self.session_name, **data), delay_ms)

	def know(self, person: Person) -> None:
		"""Remember a person, so that acks name the chat as the browser does: by LID where there is one."""
		for key in filter(None, (person.digits, person.lid)):
			self.people[key] = person

	def set_connected(self, is_connected: bool) -> None:
		"""The phone unlinks us, or comes back; the gateway posts it, and sends answer 404 meanwhile."""
		self.is_connected = is_connected
		self.push("status-find", {"status": "inChat" if is_connected else "disconnectedMobile"})

	def take(self, everything: bool = False) -> list[Post]:
		"""The posts that are due, for hosts without a webhook door."""
		return self.queue.take(everything)

	def deliver(self, url: str, workers: int = 4, everything: bool = False) -> Report:
		"""Post what is due to a webhook door. What it does not take is lost: this gateway never repeats."""
		return self.queue.deliver(url, workers, everything)

	def answer(self, request: Request) -> Answer:
		"""The routes that a driver needs, with the server's own status codes and words."""
		if request.parts[:2] != ("api", self.session_name):
			return json_answer({"message": "Not found"}, 404)
		if request.token != self.access_token:
			return json_answer({"error": "Check that a token is correct"}, 401)
		route, rest = "/".join(request.parts[2:3]), request.parts[3:]
		if request.method == "POST" and route in SEND_ROUTES:
			return self._send(request, route)
		if route == "check-connection-session":
			message = "Connected" if self.is_connected else "Disconnected"
			return json_answer({"status": self.is_connected, "message": message})
		if route == "status-session":
			return json_answer({"status": "CONNECTED" if self.is_connected else "CLOSED", "qrcode": None})
		if route == "get-messages" and rest:
			return self._history(rest[0])
		if route == "get-media-by-message" and rest and rest[0] in self.media:
			content, mime_type = self.media[rest[0]]
			return json_answer({"base64": base64.b64encode(content).decode(), "mimetype": mime_type})
		return json_answer({"message": "Not found"}, 404)

	def _send(self, request: Request, route: str) -> Answer:
		body = request.object()
		mode = self.failures.draw()
		refusal = self._refusal(body, route, mode)
		if refusal is not None:
			return refusal
		common = failed_answer(mode)
		if common is not None and mode not in AFTER_ACCEPT:
			return common
		item = self._accept(body, route, mode)
		if mode == "not_exists_sent":
			return _not_exists(body)
		if mode == "no_id":
			return json_answer({"status": "success", "response": []}, 201)
		return common or json_answer(wire.wpp_accepted(self.session_name, item), 201)

	def _refusal(self, body: dict[str, Any], route: str, mode: str) -> Answer | None:
		"""The answer to a send that goes nowhere, or None."""
		if not self.is_connected or mode == "disconnected":
			words = {
				"response": None,
				"status": "Disconnected",
				"message": "A sessão do WhatsApp não está ativa.",
			}
			return json_answer(words, 404)
		if route in ("send-image", "send-file", "send-file-base64") and not body.get("base64"):
			return json_answer({"message": "Sending the file is mandatory"}, 401)
		if mode == "not_exists" or not body.get("phone"):
			return _not_exists(body)
		if mode == "ack-1":
			chat, own = self._chat(body), self.own_number
			item = wire.wpp_own_message(chat, own, self._new_id("3EB0"), self.now_ms(), _words(body), ack=-1)
			return json_answer(wire.wpp_accepted(self.session_name, item), 201)
		if mode == "500":
			failed = {"status": "Error", "message": "Erro ao enviar a mensagem.", "error": {}}
			return json_answer(failed, 500)
		if mode == "401":
			return json_answer({"error": "Check that a token is correct"}, 401)
		return json_answer({"message": "Too many"}, 429, {"Retry-After": "7"}) if mode == "429" else None

	def _accept(self, body: dict[str, Any], route: str, mode: str) -> dict[str, Any]:
		hex_id, now_ms, chat = self._new_id("3EB0"), self.now_ms(), self._chat(body)
		self.ledger.add(Sent(hex_id, str(body["phone"]), route, _words(body), "", now_ms, body, mode))
		own = wire.wpp_own_message(chat, self.own_number, hex_id, now_ms, _words(body))
		if self.has_self_messages:
			self.push("onselfmessage", own)
		with self._lock:
			is_read = self._rng.random() < self.read_rate
		for ack, delay_ms in ACK_DELAYS_MS.items():
			if ack < 3 or is_read:
				self.push("onack", wire.wpp_ack(chat, self.own_number, hex_id, ack, now_ms), delay_ms)
		return own if route == "send-message" else {"ack": own["ack"], "id": wire.wpp_id(chat, hex_id, True)}

	def _history(self, phone: str) -> Answer:
		"""The last messages we sent to a chat, oldest first: how a sender finds out about a doubtful one."""
		key = phone.partition("@")[0]
		rows = [row for row in self.ledger.rows() if row.to == key]
		own = self.own_number
		found = [
			wire.wpp_own_message(self._chat(dict(row.payload)), own, row.gateway_id, row.at_ms, row.body)
			for row in rows[-20:]
		]
		return json_answer({"status": "success", "response": found})

	def _chat(self, body: dict[str, Any]) -> str:
		"""The chat's id as the browser names it, whatever the caller named it by."""
		key = str(body.get("phone", ""))
		person = self.people.get(key)
		is_lid = body.get("isLid") is True
		return (person or Person(lid=key) if is_lid else person or Person(digits=key)).wid

	def _receive(self, person: Person, kind: str, body: str, **more: Any) -> str:
		self.know(person)
		hex_id = self._new_id("3A")
		message = wire.wpp_message(person, self.own_number, hex_id, self.now_ms(), kind, body, **more)
		self.push("onmessage", message)
		return hex_id

	def _pack(self, items: list[Any]) -> Post:
		return Post(wire.wpp_encode(items[0]), wire.JSON_TYPE, {SECRET_PARAMETER: self.webhook_secret})

	def _new_id(self, prefix: str) -> str:
		with self._lock:
			self._count += 1
			return f"{prefix}51A{self._count:013X}"


def _not_exists(body: dict[str, Any]) -> Answer:
	words = f"O número {body.get('phone')} não existe."
	return json_answer({"response": None, "status": "Connected", "message": words}, 400)


def _words(body: dict[str, Any]) -> str:
	return str(body.get("message") or body.get("caption") or "")
