"""A simulated WPPConnect Server: its tokens, one session, sends and acks, and invented customers."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from khalifa_whatsapp.drivers.base import DeviceConfig
from khalifa_whatsapp.drivers.wppconnect.verify import SECRET_PARAMETER, digest_of
from simulation.simulators import wire
from simulation.simulators.server import (
	AFTER_ACCEPT,
	Answer,
	Request,
	SentMessage,
	SimulatorServer,
	failed_answer,
	json_answer,
)
from simulation.simulators.webhooks import Faults, Post, Report, WebhookQueue
from simulation.simulators.wire import Person
from simulation.simulators.wppconnect_chats import Chats
from simulation.simulators.wppconnect_session import SimulatedSession

ACK_DELAYS_MS = {1: 300, 2: 1_500, 3: 20_000}
# Route of a send → type of the message that appears in the chat
SEND_ROUTES = {
	"send-message": "chat",
	"send-reply": "chat",
	"send-image": "image",
	"send-file": "document",
	"send-file-base64": "document",
	"send-voice-base64": "ptt",
	"send-location": "location",
	"contact-vcard": "vcard",
	"react-message": "reaction",
}
LIVE_ROUTES = {
	*SEND_ROUTES,
	"send-seen",
	"typing",
	"all-unread-messages",
	"get-messages",
	"get-media-by-message",
	"contact",
}
MAX_JSON = 50 * 1024 * 1024  # bytes
NO_TOKEN = {"message": "Token is not present. Check your header and try again"}
WRONG_TOKEN = {"error": "Check that the Session and Token are correct"}


class WppConnectSimulator(SimulatorServer):
	"""One session of a make-believe WPPConnect Server.

	Modes for `fail_next`, beside those of `server`: "ack-1" (201, and nothing goes out), "not_exists" (400,
	nothing goes out), "not_exists_sent" (400, and it goes out all the same), "disconnected" (404), "401",
	"429". As the real one, it signs nothing, never repeats a post, and posts one event at a time. With
	`has_self_messages` what we send comes back as `onselfmessage` too. `session` is the browser's life,
	`chats` what it shows. It takes `access_token`, and whatever tokens it made for its `secret_key`.
	"""

	def __init__(
		self,
		now_ms: Callable[[], int],
		*,
		session_name: str = "shop1",
		own_number: str = "201055500011",
		access_token: str = "simulated-token",
		secret_key: str = "simulated-secret-key",
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
		self.access_token, self.secret_key, self.webhook_secret = access_token, secret_key, webhook_secret
		self.read_rate, self.has_self_messages = read_rate, has_self_messages
		one_each = replace(faults or Faults(), batch_size=1)
		self.queue = WebhookQueue(now_ms, self._rng, one_each, self._pack)
		self.session = SimulatedSession(session_name, now_ms, self.push)
		self.chats = Chats()
		self.tokens: list[str] = []  # made for the secret, oldest first
		self.typing: list[str] = []  # chats in which we were seen typing
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
		self.chats.media[f"false_{person.wid}_{hex_id}"] = (content, mime_type)
		return hex_id

	def phone_text(self, person: Person, body: str) -> str:
		"""Somebody answers on the phone itself: only an `onselfmessage` tells."""
		hex_id = self._new_id("3EB0")
		own = wire.wpp_own_message(person.wid, self.own_number, hex_id, self.now_ms(), body)
		self.chats.add(person.wid, own)
		self.push("onselfmessage", own)
		return hex_id

	def push(self, event: str, data: dict[str, Any], delay_ms: int = 0) -> None:
		"""Let any event be posted."""
		self.queue.push(wire.wpp_event(event, self.session_name, **data), delay_ms)

	def know(self, person: Person) -> None:
		"""Remember a person, so that acks name the chat as the browser does: by LID where there is one."""
		self.chats.know(person)

	def set_connected(self, is_connected: bool) -> None:
		"""The phone unlinks us, or comes back; the gateway posts it, and sends answer 404 meanwhile."""
		(self.session.link if is_connected else self.session.unlink)()
		self.push("status-find", {"status": "inChat" if is_connected else "disconnectedMobile"})

	def change_secret(self, secret_key: str) -> None:
		"""Somebody sets another SECRET_KEY: no token is good any more."""
		self.secret_key, self.access_token, self.tokens = secret_key, "", []

	def take(self, everything: bool = False) -> list[Post]:
		"""The posts that are due, for hosts without a webhook endpoint."""
		return self.queue.take(everything)

	def deliver(self, url: str, workers: int = 4, everything: bool = False) -> Report:
		"""Post what is due to a webhook endpoint. What it does not take is lost: it never repeats."""
		return self.queue.deliver(url, workers, everything)

	def answer(self, request: Request) -> Answer:
		"""The routes that a driver needs, with the server's own status codes and words."""
		if len(request.body) > MAX_JSON or not _is_readable(request):
			return _page(413 if len(request.body) > MAX_JSON else 400)
		if request.parts[:1] != ("api",) or len(request.parts) < 3:
			return _page(404)
		if request.method == "POST" and request.parts[3:] == ("generate-token",):
			return self._generate(request.parts[1], request.parts[2])
		if not request.token:
			return json_answer(NO_TOKEN, 401)
		is_good = request.token in {self.access_token, *self.tokens} - {""}
		if request.parts[1] != self.session_name or not is_good:
			return json_answer(WRONG_TOKEN, 401)
		route, rest = request.parts[2], "/".join(request.parts[3:])
		return self.session.answer(request, route) or self._live_answer(request, route, rest)

	def _generate(self, session: str, secret: str) -> Answer:
		if secret != self.secret_key:
			return json_answer({"response": False, "message": "The SECRET_KEY is incorrect"}, 400)
		with self._lock:
			token = f"$2b$10$simulated-token.{len(self.tokens)}"
			self.tokens.append(token)
		made = {"status": "success", "session": session, "token": token, "full": f"{session}:{token}"}
		return json_answer(made, 201)

	def _live_answer(self, request: Request, route: str, rest: str) -> Answer:
		"""Routes that need a browser which answers."""
		if route == "get-media-by-message" and not self.session.is_connected:
			lost = {"status": "error", "message": "The session is not active", "error": {"level": "error"}}
			return json_answer(lost, 500)
		if route not in LIVE_ROUTES:
			return _page(404)
		if not self.session.is_connected:
			return self.session.disconnected(request)
		if request.method == "POST" and route in SEND_ROUTES:
			return self._send(request, route)
		if request.method == "POST" and route in ("send-seen", "typing"):
			return self._presence(request, route)
		if route == "all-unread-messages":
			return self.chats.unread()
		if route == "get-messages" and rest:
			return self.chats.history(request, rest)
		if route == "get-media-by-message" and rest:
			return self.chats.file(rest)
		if route == "contact" and rest.startswith("pn-lid/"):
			return self.chats.names(rest.removeprefix("pn-lid/"))
		return _page(404)

	def _presence(self, request: Request, route: str) -> Answer:
		chat = self._chat(request.object())
		if route == "typing":
			self.typing.append(chat)
			self.chats.saw(chat, is_typing=True)
			return json_answer({"status": "success"})
		self.chats.read(chat)
		data = {"message": "Information retrieved successfully.", "contact": [chat], "data": [None]}
		return json_answer({"status": "Success", "response": data}, 201)

	def _send(self, request: Request, route: str) -> Answer:
		body = request.object()
		mode = self.failures.draw()
		refusal = self._refusal(request, body, route, mode)
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
		return common or self._taken(route, item)

	def _taken(self, route: str, item: dict[str, Any]) -> Answer:
		if route == "react-message":
			return json_answer({"status": "success", "response": {"message": "Reaction sended"}})
		if route == "contact-vcard":
			return json_answer({"status": "success", "response": item})
		return json_answer(wire.wpp_accepted(self.session_name, item), 201)

	def _refusal(self, request: Request, body: dict[str, Any], route: str, mode: str) -> Answer | None:
		"""The answer to a send that goes nowhere, or None."""
		if mode == "disconnected":
			return self.session.disconnected(request)
		if route in ("send-image", "send-file", "send-file-base64") and not body.get("base64"):
			return json_answer({"message": "Sending the file is mandatory"}, 401)
		if mode == "not_exists" or not (body.get("phone") or route == "react-message"):
			return _not_exists(body)
		if mode == "ack-1":
			item = self._own(body, route, self._new_id("3EB0"), ack=-1)
			self.chats.add(self._chat(body), item)
			return json_answer(wire.wpp_accepted(self.session_name, item), 201)
		if mode == "500":
			failed = {"status": "Error", "message": "Erro ao enviar a mensagem.", "error": {}}
			return json_answer(failed, 500)
		if mode == "401":
			return json_answer(WRONG_TOKEN, 401)
		return json_answer({"message": "Too many"}, 429, {"Retry-After": "7"}) if mode == "429" else None

	def _accept(self, body: dict[str, Any], route: str, mode: str) -> dict[str, Any]:
		hex_id, now_ms, chat = self._new_id("3EB0"), self.now_ms(), self._chat(body)
		to = str(body.get("phone") or body.get("msgId"))
		self.sent_log.add(SentMessage(hex_id, to, route, _text(body), "", now_ms, body, mode))
		own = self._own(body, route, hex_id)
		if route == "react-message":
			return own
		self.chats.add(chat, own)
		if self.has_self_messages:
			self.push("onselfmessage", own)
		with self._lock:
			is_read = self._rng.random() < self.read_rate
		for ack, delay_ms in ACK_DELAYS_MS.items():
			if ack < 3 or is_read:
				self.push("onack", wire.wpp_ack(chat, self.own_number, hex_id, ack, now_ms), delay_ms)
		return own if route == "send-message" else {"ack": own["ack"], "id": wire.wpp_id(chat, hex_id, True)}

	def _own(self, body: dict[str, Any], route: str, hex_id: str, ack: int = 1) -> dict[str, Any]:
		"""What we send as it appears in the chat."""
		terms, kind = _text(body), SEND_ROUTES[route]
		own = wire.wpp_own_message(self._chat(body), self.own_number, hex_id, self.now_ms(), terms, ack)
		return own if kind == "chat" else {**own, "type": kind, "caption": terms, "body": ""}

	def _chat(self, body: dict[str, Any]) -> str:
		return self.chats.chat_of(str(body.get("phone", "")), body.get("isLid") is True)

	def _receive(self, person: Person, kind: str, body: str, **more: Any) -> str:
		self.know(person)
		hex_id = self._new_id("3A")
		message = wire.wpp_message(person, self.own_number, hex_id, self.now_ms(), kind, body, **more)
		self.chats.add(person.wid, message, is_unread=True)
		self.push("onmessage", message)
		return hex_id

	def _pack(self, items: list[Any]) -> Post:
		return Post(wire.wpp_encode(items[0]), wire.JSON_TYPE, {SECRET_PARAMETER: self.webhook_secret})

	def _new_id(self, prefix: str) -> str:
		with self._lock:
			self._count += 1
			return f"{prefix}51A{self._count:013X}"


def _page(status: int) -> Answer:
	"""What the framework below the server answers by itself."""
	return Answer(status, b"<!DOCTYPE html><pre>Error</pre>", "text/html; charset=utf-8")


def _is_readable(request: Request) -> bool:
	"""Whether a body that says that it is JSON is any; this is looked at before the token."""
	if request.headers.get("content-type") != "application/json" or not request.body:
		return True
	try:
		json.loads(request.body)
	except ValueError:
		return False
	return True


def _not_exists(body: dict[str, Any]) -> Answer:
	terms = f"O número {body.get('phone')} não existe."
	return json_answer({"response": None, "status": "Connected", "message": terms}, 400)


def _text(body: dict[str, Any]) -> str:
	return str(body.get("message") or body.get("caption") or body.get("reaction") or body.get("title") or "")
