"""A simulated Cloud API: takes sends, answers with statuses, and lets invented customers write."""

from __future__ import annotations

import threading
from collections.abc import Callable
from random import Random
from typing import Any

from khalifa_whatsapp.drivers.base import DeviceConfig
from khalifa_whatsapp.drivers.payload import dict_of
from simulation.simulators import wire
from simulation.simulators.cloud_api_checks import (
	BAD_VALUE,
	INVALID,
	PairLimit,
	Refused,
	check_content,
	check_frame,
)
from simulation.simulators.cloud_api_media import LIMITS, ROUTE, MediaStore
from simulation.simulators.cloud_api_template_review import TemplateReview
from simulation.simulators.cloud_api_templates import TemplateStore
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

RETRY_MS = tuple(1_000 * 4**step for step in range(8))  # 1 s to 4½ h; the real one goes on for 7 days
STATUS_DELAYS_MS = {"sent": 300, "delivered": 1_500, "read": 20_000}
WINDOW_MS = 24 * 3_600_000
NO_OBJECT, NO_TOKEN, THROUGHPUT = 33, 190, 130429


class CloudApiSimulator(SimulatorServer):
	"""One number of a make-believe Cloud API.

	Modes for `fail_next`, beside those of `server`: a code such as 131047 refuses the send with it; "429"
	refuses with 130429 and Retry-After; "503:131016" refuses with that HTTP status and code; "status:131047"
	takes the send and lets it fail by webhook. With `has_window` a text to somebody who did not write in 24
	hours fails so by itself, with `has_pair_limit` too many to one customer are refused. `failures.rates`
	makes modes come by chance. `media` and `templates` are the shelves of files and templates, `review` takes
	new ones, `reads` is what we marked as read.
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
		has_pair_limit: bool = False,
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
		self.people: dict[str, Person] = {}  # by digits and by user id
		self.media = MediaStore(now_ms, seed + 2)
		self.templates = TemplateStore(self.media)
		self.review = TemplateReview(self.templates)
		self.reads: list[tuple[str, bool]] = []  # message, and whether typing was shown
		self.number = _number(phone_number_id, display_number)
		self._pairs = PairLimit(now_ms) if has_pair_limit else None
		self._known: set[str] = set()  # ids of all messages, ours and theirs
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
		media_id = self.media.keep(content, mime_type)
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

	def decide_template(self, template_id: str, status: str, reason: str = "NONE") -> None:
		"""Let Meta's people decide on a template; it is posted with the next delivery."""
		self.push("message_template_status_update", self.review.verdict(template_id, status, reason))

	def know(self, person: Person) -> None:
		"""Remember a person, so that statuses name them by phone and by user id."""
		for key in filter(None, (person.digits, person.user_id)):
			self.people[key] = person

	def take(self, everything: bool = False) -> list[Post]:
		"""The posts that are due, for hosts without a webhook endpoint."""
		return self.queue.take(everything)

	def deliver(self, url: str, workers: int = 4, everything: bool = False) -> Report:
		"""Post what is due to a webhook endpoint."""
		return self.queue.deliver(url, workers, everything)

	def answer(self, request: Request) -> Answer:
		"""The Graph routes that a driver needs; everything else is an error as Graph words it."""
		has_token = request.token == self.access_token
		if request.parts == ROUTE and request.method == "GET":
			return self.media.download(request, has_token)
		if not has_token:
			return Refused(NO_TOKEN, "Invalid OAuth access token", 401).answer()
		parts = request.parts[1:] if request.parts[:1] and request.parts[0].startswith("v") else request.parts
		try:
			return self._route(request, parts)
		except Refused as refused:
			return refused.answer()

	def _route(self, request: Request, parts: tuple[str, ...]) -> Answer:
		routes: dict[tuple[str, tuple[str, ...]], Callable[[Request], Answer]] = {
			("POST", (self.phone_number_id, "messages")): self._messages,
			("POST", (self.phone_number_id, "media")): self.media.upload,
			("GET", (self.phone_number_id,)): self._describe,
			("GET", (self.account_id, "message_templates")): self.templates.page,
			("POST", (self.account_id, "message_templates")): self.review.create,
			("POST", ("app", "uploads")): self.review.open_upload,
		}
		route = routes.get((request.method, parts))
		if route is not None:
			return route(request)
		if request.method == "POST" and len(parts) == 1 and parts[0] in self.review.sessions:
			return self.review.upload(request, parts[0])
		if request.method == "POST" and len(parts) == 1 and parts[0] in self.templates.ids:
			return self.review.edit(request, parts[0])
		is_ours = request.query.get("phone_number_id", self.phone_number_id) == self.phone_number_id
		if request.method == "GET" and len(parts) == 1 and parts[0] in self.media.files and is_ours:
			return self.media.look_up(parts[0], self.url)
		raise Refused(NO_OBJECT, "Object does not exist")

	def _messages(self, request: Request) -> Answer:
		body = request.object()
		if "status" in body:
			return self._read(body)
		kind, content = check_frame(body)
		check_content(kind, content, self._known.__contains__)
		if kind in LIMITS:
			self.media.check(kind, content)
		if kind == "template":
			self.templates.check(content, bool(body.get("to")))
		return self._take(body)

	def _take(self, body: dict[str, Any]) -> Answer:
		mode = self.failures.draw()
		common = failed_answer(mode)
		if common is not None and mode not in AFTER_ACCEPT:
			return common
		if mode == "429":
			return json_answer(wire.cloud_error(THROUGHPUT, "Rate limit hit"), 429, {"Retry-After": "7"})
		status, _, code = mode.rpartition(":")
		if common is None and code.isdigit() and status != "status":
			raise Refused(int(code), status=int(status) if status else 401 if code == "190" else 400)
		if self._pairs is not None:
			self._pairs.take(str(body.get("to") or body.get("recipient")))
		accepted = self._accept(body, mode)
		if mode == "no_id":
			return json_answer({"messaging_product": "whatsapp"})
		return common or json_answer(accepted)

	def _read(self, body: dict[str, Any]) -> Answer:
		"""Mark a customer's message as read, perhaps with the sign that somebody types."""
		message_id, typing = str(body.get("message_id", "")), body.get("typing_indicator")
		if body.get("status") != "read" or body.get("messaging_product") != "whatsapp":
			raise Refused(INVALID, "Param status must be read")
		if message_id not in self._known or (typing is not None and dict_of(typing).get("type") != "text"):
			raise Refused(BAD_VALUE, "Param message_id names no message, or the indicator is unknown")
		self.reads.append((message_id, typing is not None))
		return json_answer({"success": True})

	def _accept(self, body: dict[str, Any], mode: str) -> dict[str, Any]:
		to, recipient = str(body.get("to", "")), str(body.get("recipient", ""))
		key = to or recipient
		person = self.people.get(key) or Person(digits=to, user_id=recipient)
		gateway_id, kind, now_ms = self._new_id("OUT"), str(body["type"]), self.now_ms()
		callback = str(body.get("biz_opaque_callback_data", ""))
		self.sent_log.add(SentMessage(gateway_id, key, kind, _text(body), callback, now_ms, body, mode))
		code = int(mode.removeprefix("status:")) if mode.startswith("status:") else None
		if self.has_window and kind != "template" and now_ms - self._last_in_ms.get(key, 0) > WINDOW_MS:
			code = 131047
		category = self._category_of(body)
		self._push_statuses(person, gateway_id, callback, code, category)
		return wire.cloud_accepted(gateway_id, to, "" if to else recipient)

	def _category_of(self, body: dict[str, Any]) -> str:
		"""By which a message is charged: a template's own category, else as a free-form answer."""
		wanted = dict_of(body.get("template")).get("name")
		names = (row["category"] for row in self.templates.rows if row["name"] == wanted)
		return str(next(names, "service")).lower()

	def _push_statuses(
		self, person: Person, gateway_id: str, callback: str, code: int | None, category: str
	) -> None:
		terms = ["failed"] if code is not None else list(STATUS_DELAYS_MS)
		with self._lock:
			if self._rng.random() >= self.read_rate and "read" in terms:
				terms.remove("read")
		for term in terms:
			delay_ms = STATUS_DELAYS_MS.get(term, 1_000)
			at_ms = self.now_ms() + delay_ms
			status = wire.cloud_status(
				person, gateway_id, term, at_ms, callback, code, category if code is None else ""
			)
			self._push_value(delay_ms, statuses=[status])

	def _push_value(self, delay_ms: int = 0, **lists: Any) -> None:
		value = wire.cloud_value(self.phone_number_id, self.display_number, **lists)
		self.queue.push(("messages", value), delay_ms)

	def _pack(self, items: list[Any]) -> Post:
		raw = wire.cloud_encode(wire.cloud_envelope(self.account_id, items, self._rng))
		return Post(raw, wire.cloud_headers(self.app_secret, raw))

	def fail_next_upload(self, mode: str) -> None:
		"""Let the next upload fail in one of the common modes of `server`."""
		self.media.upload_failures.add(mode)

	def fail_next_download(self, mode: str) -> None:
		"""Let the next download of a file fail, in a mode of `MediaStore`."""
		self.media.download_failures.add(mode)

	def _describe(self, request: Request) -> Answer:
		"""The fields of the number that were asked for."""
		wanted = request.query.get("fields", "display_phone_number,verified_name,quality_rating").split(",")
		if not set(wanted) <= set(self.number):
			raise Refused(INVALID, "Tried accessing nonexistent field")
		return json_answer({**{key: self.number[key] for key in wanted}, "id": self.phone_number_id})

	def _new_id(self, term: str) -> str:
		with self._lock:
			self._count += 1
			wamid = f"wamid.SIM{term}{self._count:08d}{self.phone_number_id[-4:]}"
			self._known.add(wamid)
		return wamid


def _number(phone_number_id: str, display_number: str) -> dict[str, Any]:
	"""A phone number object, in good health."""
	return {
		"id": phone_number_id,
		"display_phone_number": f"+{display_number}",
		"verified_name": "صيدليات التجربة",
		"name_status": "APPROVED",
		"quality_rating": "GREEN",
		"status": "CONNECTED",
		"throughput": {"level": "STANDARD"},
		"whatsapp_business_manager_messaging_limit": "TIER_2K",
		"account_mode": "LIVE",
		"health_status": {"can_send_message": "AVAILABLE", "entities": []},
	}


def _text(body: dict[str, Any]) -> str:
	content = body[body["type"]]
	if not isinstance(content, dict):  # contact cards
		return ""
	inner = content.get("body")
	text = inner.get("text") if isinstance(inner, dict) else inner
	return str(text or content.get("caption") or content.get("name") or content.get("emoji") or "")
