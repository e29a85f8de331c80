"""A stand-in for WhatsApp's page: its contract with whoever drives it, served on this machine, and a book of
what was sent.

It copies what the driver relies on (where things are, what the ticks mean, what happens after a link) and
none of WhatsApp's code. What really went out is written down here, on the server, whatever the page shows.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from khalifa_whatsapp.drivers.base import DeviceConfig
from simulation.simulators.server import (
	Answer,
	Failures,
	Request,
	SentMessage,
	SimulatorServer,
	json_answer,
)
from simulation.simulators.wire import Person

CODE_MS, CODES = 20_000, 6  # a code lives so long; after so many the page waits for a click
ACK_MS = ((1, 150), (2, 600), (3, 5_000))  # tick, and how long after the send
LATE_MS, NEVER_MS, STARTING_MS = 1_500, 3_600_000, 150
# What may befall the opening of a chat, and a send. In the first three of these it went, in the others not.
OPENINGS = frozenset({"invalid", "late", "never"})
SENDS = frozenset({"stuck", "vanish", "failed_sent", "stuck_lost", "failed", "log_out"})
TAKEN = frozenset({"", "stuck", "vanish", "failed_sent"})
STATES = frozenset({"ready", "qr", "loading", "conflict", "blocked", "blank"})
_HERE = Path(__file__).parent
_FILES = {
	"": ("page.html", "text/html"),
	"send": ("page.html", "text/html"),
	"app.js": ("app.js", "text/javascript"),
}
_ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@dataclass(slots=True)
class Message:
	"""A bubble. `ack` −1 and 0 are kept for ever, None steps on with time."""

	id: str
	is_own: bool
	text: str
	at_ms: int
	kind: str = "text"
	file: str = ""
	ack: int | None = None
	quoted: str = ""


@dataclass(slots=True)
class Chat:
	"""A chat with one person (or a group, which only has a key)."""

	key: str
	phone: str
	lid: str = ""
	name: str = ""  # as saved on the phone; empty: the title is the number
	is_group: bool = False
	is_listed: bool = False
	unread: int = 0
	draft: str = ""
	messages: list[Message] = field(default_factory=list)


class WhatsAppWebSimulator(SimulatorServer):
	"""One account of a make-believe WhatsApp Web.

	`state` is one of `STATES`. `language` en or ar. `ids` says how bubbles name their chat: phone, lid or
	opaque. `editor` is plain, controlled (keeps the text itself, as WhatsApp's does) or paste (and takes
	nothing but what is pasted). `astray` makes every link lead to that chat, `switch_to` changes to it while
	somebody writes. `invalid` are numbers that nobody has. Modes for `fail_next` are `OPENINGS` and `SENDS`.
	"""

	def __init__(self, now_ms: Callable[[], int], *, state: str = "ready", seed: int = 0) -> None:
		super().__init__(Random(seed))
		self.now_ms = now_ms
		self.state = state
		self.language, self.ids, self.editor = "en", "phone", "plain"
		self.has_old_icons = self.reloads = False
		self.alert = self.astray = self.switch_to = ""
		self.starting_ms = STARTING_MS
		self.invalid: set[str] = set()
		self.on_send: Callable[[], None] | None = (
			None  # called once a message was taken, before the page hears of it
		)
		self.chats: dict[str, Chat] = {}
		self.opened: list[str] = []  # phones that links asked for
		self.agents: list[str] = []  # what browsers called themselves that loaded the page
		self._openings = Failures(Random(seed + 1))
		self._rng = Random(seed + 2)
		self._lock = threading.RLock()
		self.code_ms, self._code_since, self._batch = CODE_MS, now_ms(), 0

	def __enter__(self) -> WhatsAppWebSimulator:
		self.start()
		return self

	def config(self, name: str = "web-sim", **more: Any) -> DeviceConfig:
		"""The settings of a device whose browser shows this page."""
		browser = {
			"url": f"{self.url}/",
			"language": self.language,
			"is_headless": 1,
			**more.pop("browser", {}),
		}
		return DeviceConfig(name, "whatsapp_web", browser=browser, **more)

	def fail_next(self, mode: str | int, times: int = 1) -> None:
		"""Let the next openings, or the next sends, fail so."""
		(self._openings if mode in OPENINGS else self.failures).add(str(mode), times)

	# -- what happens on the phone

	def chat_with(self, person: Person, *, is_saved: bool = False, draft: str = "") -> Chat:
		"""The chat with a person, made when there is none."""
		with self._lock:
			chat = self.chats.setdefault(
				person.digits, Chat(person.digits, person.digits, getattr(person, "lid", "") or "")
			)
			chat.name = person.name if is_saved else chat.name
			chat.draft = draft or chat.draft
			return chat

	def customer_text(self, person: Person, body: str, **more: Any) -> str:
		"""A customer writes; the message's id."""
		with self._lock:
			chat = self.chat_with(person)
			message = Message(self._new_id("3A"), False, body, self.now_ms(), **more)
			chat.messages.append(message)
			chat.unread, chat.is_listed = chat.unread + 1, True
			return message.id

	def phone_text(self, person: Person, body: str) -> str:
		"""Somebody answers on the phone itself."""
		with self._lock:
			message = Message(self._new_id("3EB0"), True, body, self.now_ms(), ack=2)
			chat = self.chat_with(person)
			chat.messages.append(message)
			chat.is_listed = True
			return message.id

	def scan(self) -> None:
		"""Somebody scans the code."""
		self.state = "ready"

	def code(self) -> str:
		"""What the code says now; opaque, as the real one."""
		turn = min((self.now_ms() - self._code_since) // self.code_ms, CODES)
		return f"2@FAKE{self._batch}-{turn},bm9pc2U=,aWRlbnRpdHk=,YWR2,1"

	@property
	def has_code_ended(self) -> bool:
		"""Whether the page waits for a click before it shows another code."""
		return self.now_ms() - self._code_since >= self.code_ms * CODES

	# -- what the page asks

	def answer(self, request: Request) -> Answer:
		"""The page's own files, and what it asks and tells."""
		name = request.parts[0] if request.parts else ""
		if name == "api" and len(request.parts) == 2:
			with self._lock:
				return self._api(request.parts[1], request.object())
		if name not in _FILES:
			return Answer(404)
		self.agents.append(request.headers.get("user-agent", ""))
		file, kind = _FILES[name]
		return Answer(
			200, (_HERE / file).read_bytes(), f"{kind}; charset=utf-8", {"Cache-Control": "no-store"}
		)

	def _api(self, route: str, body: dict[str, Any]) -> Answer:
		if route == "state":
			return json_answer(self._shown())
		if route == "open":
			return json_answer(self._open(str(body.get("phone", ""))))
		if route == "send":
			return json_answer(self._send(body))
		if route == "read" and body.get("key") in self.chats:
			self.chats[body["key"]].unread = 0
		elif route == "use_here":
			self.state = "ready"
		elif route == "log_out":
			self.state = "qr"
		elif route == "renew":
			self._code_since, self._batch = self.now_ms(), self._batch + 1
		return json_answer({})

	def _open(self, phone: str) -> dict[str, Any]:
		self.opened.append(phone)
		mode = self._openings.draw()
		opening: dict[str, Any] = {"key": "", "late_ms": {"late": LATE_MS, "never": NEVER_MS}.get(mode, 0)}
		if mode != "invalid" and phone not in self.invalid:
			opening["key"] = self.astray or phone
			self.chats.setdefault(opening["key"], Chat(opening["key"], opening["key"]))
		return {**opening, "starting_ms": self.starting_ms}

	def _send(self, body: dict[str, Any]) -> dict[str, Any]:
		mode = self.failures.draw()
		message = Message(
			str(body["id"]),
			True,
			str(body.get("text", "")),
			self.now_ms(),
			str(body.get("kind", "text")),
			str(body.get("file", "")),
		)
		if mode in TAKEN:
			payload = {"content": _decoded(str(body.get("content", ""))), "file": message.file}
			self.sent_log.add(
				SentMessage(
					message.id,
					str(body["phone"]),
					message.kind,
					message.text,
					"",
					message.at_ms,
					payload,
					mode,
				)
			)
		if self.on_send is not None:
			self.on_send()
		if mode.startswith(("stuck", "failed")):
			message.ack = -1 if mode.startswith("failed") else 0
		if mode == "log_out":
			self.state = "qr"
		if mode not in ("vanish", "log_out"):
			chat = self.chats[str(body["phone"])]
			chat.messages.append(message)
			chat.is_listed = True
		return {"hides": mode == "vanish", "logged_out": mode == "log_out"}

	def _shown(self) -> dict[str, Any]:
		keys = ("language", "ids", "editor", "has_old_icons", "reloads", "alert", "state", "switch_to")
		return {
			**{key: getattr(self, key) for key in keys},
			"code": self.code() if self.state == "qr" else "",
			"has_code_ended": self.state == "qr" and self.has_code_ended,
			"stamp": self._stamp(self.now_ms()),
			"chats": [self._chat(chat) for chat in self._newest_first()],
		}

	def _newest_first(self) -> Iterable[Chat]:
		return sorted(self.chats.values(), key=lambda chat: -max((m.at_ms for m in chat.messages), default=0))

	def _chat(self, chat: Chat) -> dict[str, Any]:
		keys = ("key", "phone", "lid", "name", "is_group", "is_listed", "unread", "draft")
		return {
			**{key: getattr(chat, key) for key in keys},
			"messages": [self._message(one) for one in chat.messages],
		}

	def _message(self, message: Message) -> dict[str, Any]:
		age = self.now_ms() - message.at_ms
		ack = message.ack if message.ack is not None else max((n for n, ms in ACK_MS if age >= ms), default=0)
		shown = {key: getattr(message, key) for key in ("id", "is_own", "text", "kind", "file", "quoted")}
		return {**shown, "ack": ack, "stamp": self._stamp(message.at_ms)}

	def _stamp(self, at_ms: int) -> str:
		"""The page's own clock, in the order and digits of its language."""
		moment = datetime.fromtimestamp(at_ms / 1000)  # noqa: DTZ006, the browser's own zone
		if self.language == "ar":
			half = "م" if moment.hour >= 12 else "ص"
			day = f"{moment.day}\u200f/{moment.month}\u200f/{moment.year}"
			return f"{moment.hour % 12 or 12}:{moment:%M} {half}، {day}".translate(_ARABIC)
		return f"{moment.hour % 12 or 12}:{moment:%M %p}, {moment.month}/{moment.day}/{moment.year}"

	def _new_id(self, start: str) -> str:
		return f"{start}{self._rng.getrandbits(64):016X}"


def _decoded(content: str) -> bytes:
	try:
		return base64.b64decode(content, validate=True)
	except binascii.Error:
		return b""
