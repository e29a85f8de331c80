"""A simulated Cloud API: takes sends, answers with statuses, and lets invented customers write."""

from __future__ import annotations

import threading
from collections.abc import Callable
from io import BytesIO
from random import Random
from typing import Any

from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from khalifa_whatsapp.drivers.base import DeviceConfig
from khalifa_whatsapp.embedded.simulators import wire
from khalifa_whatsapp.embedded.simulators.deliveries import Faults, Post, Report, WebhookQueue
from khalifa_whatsapp.embedded.simulators.server import (
	AFTER_ACCEPT,
	Answer,
	Failures,
	Request,
	Sent,
	SimulatorServer,
	failed_answer,
	json_answer,
)
from khalifa_whatsapp.embedded.simulators.wire import Person

RETRY_MS = tuple(1_000 * 4**step for step in range(8))  # 1 s to 4½ h; the real one goes on for 7 days
STATUS_DELAYS_MS = {"sent": 300, "delivered": 1_500, "read": 20_000}
WINDOW_MS = 24 * 3_600_000


class CloudApiSimulator(SimulatorServer):
	"""One number of a make-believe Cloud API.

	Modes for `fail_next`, beside those of `server`: a code such as 131047 refuses the send with it; "429"
	refuses with 130429 and Retry-After; "status:131047" takes the send and lets it fail by webhook. With
	`has_window` a text to somebody who did not write in 24 hours fails so by itself. `failures.rates` makes
	modes come by chance.
	"""

	def __init__(
		self,
		now_ms: Callable[[], int],
		*,
		phone_number_id: str = "600100200300400",
		account_id: str = "500100200300400",
		display_number: str = "201055500011",
		access_token: str = "simulated-token",
		app_secret: str = "simulated-secret",
		verify_token: str = "simulated-verify-token",
		seed: int = 0,
		faults: Faults | None = None,
		read_rate: float = 1.0,
		has_window: bool = False,
		stall_seconds: float = 5.0,
	) -> None:
		self._rng = Random(seed)
		super().__init__(Random(seed + 1), stall_seconds)
		self.now_ms = now_ms
		self.phone_number_id, self.account_id, self.display_number = (
			phone_number_id,
			account_id,
			display_number,
		)
		self.access_token, self.app_secret, self.verify_token = access_token, app_secret, verify_token
		self.read_rate, self.has_window = read_rate, has_window
		self.queue = WebhookQueue(now_ms, self._rng, faults or Faults(), self._pack, RETRY_MS)
		self.upload_failures = Failures(Random(seed + 2))
		self.people: dict[str, Person] = {}  # by digits and by user id
		self.media: dict[str, tuple[bytes, str]] = {}  # uploaded and sent by customers: bytes and MIME type
		self._last_in_ms: dict[str, int] = {}
		self._count = 0
		self._lock = threading.Lock()

	def __enter__(self) -> CloudApiSimulator:
		self.start()
		return self

	def config(self, name: str = "cloud-sim", **more: Any) -> DeviceConfig:
		"""The settings of a device that talks to this simulator."""
		settings: dict[str, Any] = {
			"base_url": self.url,
			"api_version": "v26.0",
			"phone_number_id": self.phone_number_id,
			"business_account_id": self.account_id,
			"access_token": self.access_token,
			"app_secrets": (self.app_secret,),
			"verify_token": self.verify_token,
		}
		return DeviceConfig(name=name, provider="cloud_api", **{**settings, **more})

	def customer_text(self, person: Person, body: str, reply_to: str = "") -> str:
		"""A customer writes; it leaves with the next delivery. Gives the message's id."""
		return self.customer_message(person, "text", {"body": body}, reply_to=reply_to)

	def customer_media(
		self, person: Person, kind: str, content: bytes, mime_type: str, caption: str = ""
	) -> str:
		"""A customer sends a file, which can be fetched by its id. Kind "voice" is a voice note."""
		media_id = self._keep(content, mime_type)
		item: dict[str, Any] = {"id": media_id, "mime_type": mime_type}
		if kind == "voice":
			kind, item["voice"] = "audio", True
		if caption:
			item["caption"] = caption
		return self.customer_message(person, kind, item)

	def customer_message(
		self, person: Person, kind: str, content: Any, reply_to: str = "", **more: Any
	) -> str:
		"""A customer sends anything: `content` goes under the key that `kind` names."""
		gateway_id, now_ms = self._new_id("IN"), self.now_ms()
		self.know(person)
		for key in filter(None, (person.digits, person.user_id)):
			self._last_in_ms[key] = now_ms
		message = wire.cloud_message(person, gateway_id, now_ms, kind, content, reply_to, **more)
		self._push_value(messages=[message], contacts=[wire.cloud_contact(person)])
		return gateway_id

	def push(self, field: str, value: dict[str, Any], delay_ms: int = 0) -> None:
		"""Let any change be posted: account notices, template verdicts, shapes nobody has seen."""
		self.queue.push((field, value), delay_ms)

	def know(self, person: Person) -> None:
		"""Remember a person, so that statuses name them by phone and by user id."""
		for key in filter(None, (person.digits, person.user_id)):
			self.people[key] = person

	def take(self, everything: bool = False) -> list[Post]:
		"""The posts that are due, for hosts without a webhook door."""
		return self.queue.take(everything)

	def deliver(self, url: str, workers: int = 4, everything: bool = False) -> Report:
		"""Post what is due to a webhook door."""
		return self.queue.deliver(url, workers, everything)

	def answer(self, request: Request) -> Answer:
		"""The Graph routes that a driver needs; everything else is an error as Graph words it."""
		parts = request.parts[1:] if request.parts[:1] and request.parts[0].startswith("v") else request.parts
		if request.token != self.access_token:
			return json_answer(wire.cloud_error(190, "Invalid OAuth access token"), 401)
		if parts[:1] == (self.phone_number_id,):
			routes = {
				("POST", "messages"): self._messages,
				("POST", "media"): self._upload,
				("GET", ""): self._number,
			}
			route = routes.get((request.method, "/".join(parts[1:])))
			if route is not None:
				return route(request)
		if request.method == "GET" and parts and parts[-1] in self.media:
			return self._file(parts)
		return json_answer(wire.cloud_error(33, "Object does not exist"), 400)

	def _messages(self, request: Request) -> Answer:
		body = request.object()
		if body.get("status") == "read":
			return json_answer({"success": True})
		refusal = _refusal(body)
		if refusal is not None:
			return json_answer(refusal, 400)
		mode = self.failures.draw()
		common = failed_answer(mode)
		if common is not None and mode not in AFTER_ACCEPT:
			return common
		if mode == "429":
			return json_answer(wire.cloud_error(130429, "Rate limit hit"), 429, {"Retry-After": "7"})
		if mode.isdigit() and mode != "502":
			return json_answer(wire.cloud_error(int(mode)), 401 if mode == "190" else 400)
		accepted = self._accept(body, mode)
		if mode == "no_id":
			return json_answer({"messaging_product": "whatsapp"})
		return common or json_answer(accepted)

	def _accept(self, body: dict[str, Any], mode: str) -> dict[str, Any]:
		to, recipient = str(body.get("to", "")), str(body.get("recipient", ""))
		key = to or recipient
		person = self.people.get(key) or Person(digits=to, user_id=recipient)
		gateway_id, kind, now_ms = self._new_id("OUT"), str(body["type"]), self.now_ms()
		callback = str(body.get("biz_opaque_callback_data", ""))
		self.ledger.add(Sent(gateway_id, key, kind, _words(body), callback, now_ms, body, mode))
		code = int(mode.removeprefix("status:")) if mode.startswith("status:") else None
		if self.has_window and kind != "template" and now_ms - self._last_in_ms.get(key, 0) > WINDOW_MS:
			code = 131047
		self._push_statuses(person, gateway_id, callback, code)
		return wire.cloud_accepted(gateway_id, to, "" if to else recipient)

	def _push_statuses(self, person: Person, gateway_id: str, callback: str, code: int | None) -> None:
		words = ["failed"] if code is not None else list(STATUS_DELAYS_MS)
		with self._lock:
			if self._rng.random() >= self.read_rate and "read" in words:
				words.remove("read")
		for word in words:
			delay_ms = STATUS_DELAYS_MS.get(word, 1_000)
			at_ms = self.now_ms() + delay_ms
			status = wire.cloud_status(person, gateway_id, word, at_ms, callback, code)
			self._push_value(delay_ms, statuses=[status])

	def _push_value(self, delay_ms: int = 0, **lists: Any) -> None:
		value = wire.cloud_value(self.phone_number_id, self.display_number, **lists)
		self.queue.push(("messages", value), delay_ms)

	def _pack(self, items: list[Any]) -> Post:
		raw = wire.cloud_encode(wire.cloud_envelope(self.account_id, items, self._rng))
		return Post(raw, wire.cloud_headers(self.app_secret, raw))

	def fail_next_upload(self, mode: str) -> None:
		"""Let the next upload fail in one of the common modes of `server`."""
		self.upload_failures.add(mode)

	def _upload(self, request: Request) -> Answer:
		failed = failed_answer(self.upload_failures.draw())
		if failed is not None:
			return failed
		mime, options = parse_options_header(request.headers.get("content-type", ""))
		_, form, files = FormDataParser().parse(BytesIO(request.body), mime, len(request.body), options)
		file = files.get("file")
		if form.get("messaging_product") != "whatsapp" or file is None:
			return json_answer(wire.cloud_error(100, "file is required"), 400)
		content = file.read()
		file.close()
		return json_answer({"id": self._keep(content, form.get("type", ""))})

	def _number(self, request: Request) -> Answer:
		health = {"can_send_message": "AVAILABLE"}
		status = {"status": "CONNECTED", "quality_rating": "GREEN", "health_status": health}
		return json_answer({**status, "id": self.phone_number_id})

	def _file(self, parts: tuple[str, ...]) -> Answer:
		content, mime_type = self.media[parts[-1]]
		if parts[0] == "bytes":
			return Answer(200, content, mime_type)
		found = {"messaging_product": "whatsapp", "id": parts[-1], "mime_type": mime_type}
		return json_answer({**found, "file_size": len(content), "url": f"{self.url}/bytes/{parts[-1]}"})

	def _keep(self, content: bytes, mime_type: str) -> str:
		with self._lock:
			media_id = str(770_000_000_000 + len(self.media))
			self.media[media_id] = (content, mime_type)
		return media_id

	def _new_id(self, word: str) -> str:
		with self._lock:
			self._count += 1
			return f"wamid.SIM{word}{self._count:08d}{self.phone_number_id[-4:]}"


def _refusal(body: dict[str, Any]) -> dict[str, Any] | None:
	"""The error for a request that Meta would not take, or None."""
	kind = body.get("type", "text")
	content = body.get(kind) if isinstance(kind, str) else None
	if body.get("messaging_product") != "whatsapp" or not isinstance(content, dict):
		return wire.cloud_error(100, "Invalid parameter")
	if not body.get("to") and not body.get("recipient"):
		return wire.cloud_error(131008, "The parameter to is required")
	if kind == "text" and not 0 < len(str(content.get("body", ""))) <= 4096:
		return wire.cloud_error(100, "Param text['body'] must be at most 4096 characters long")
	return None


def _words(body: dict[str, Any]) -> str:
	content = body[body["type"]]
	return str(content.get("body") or content.get("caption") or content.get("name") or "")
