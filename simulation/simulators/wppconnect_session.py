"""The browser session of a simulated WPPConnect Server,
with the answers a real one (2.10.4) gave of its life.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from simulation.simulators.server import Answer, Request, json_answer

VERSION = "2.10.4"
CLOSED, INITIALIZING, QRCODE, CONNECTED = "CLOSED", "INITIALIZING", "QRCODE", "CONNECTED"
QR_ROTATION_MS = 20_000
PNG = base64.b64decode(
	"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)
Push = Callable[[str, dict[str, Any]], None]


class SimulatedSession:
	"""What the server thinks of its session (`status_text`), and what is true of the browser behind it.

	`has_login`: a start ends connected, not at a code. `boot_ms`: how long a start takes. `is_hung`: the tab
	no longer answers while the server goes on saying CONNECTED. `is_stuck`: no start gets beyond
	INITIALIZING. `calls` holds every start, close and logout with its moment.
	"""

	def __init__(self, name: str, now_ms: Callable[[], int], push: Push) -> None:
		self.name, self.now_ms, self._push = name, now_ms, push
		self.has_login, self.is_hung, self.is_stuck, self.boot_ms = True, False, False, 0
		self.webhook, self.calls = "", list[tuple[str, int]]()
		self._status_text: str | None = CONNECTED  # None after a close: the server keeps an empty entry
		self._is_known = True
		self._ready_ms = 0
		self._has_shown_code = False

	@property
	def status_text(self) -> str | None:
		"""The server's cached word, after whatever time has brought."""
		if self._status_text == INITIALIZING and not self.is_stuck and self.now_ms() >= self._ready_ms:
			self._status_text = CONNECTED if self.has_login else QRCODE
			self._has_shown_code |= self._status_text == QRCODE
		return self._status_text

	@property
	def is_connected(self) -> bool:
		"""Whether the browser answers and may send."""
		return self.status_text == CONNECTED and not self.is_hung

	def forget(self) -> None:
		"""The server has just been started: it has never heard of the session."""
		self._status_text, self._is_known = None, False

	def unlink(self) -> None:
		"""The phone unlinks us: the server closes and forgets."""
		self.forget()
		self.has_login = False

	def link(self) -> None:
		"""The phone links us again, or somebody scans the code."""
		self._status_text, self._is_known, self.has_login, self.is_hung = CONNECTED, True, True, False

	def answer(self, request: Request, route: str) -> Answer | None:
		"""The answer to a route of the session's life; None for other routes."""
		if request.method == "POST":
			routes = {
				"start-session": self._start,
				"close-session": self._close,
				"logout-session": self._log_out,
			}
			if route in routes:
				self.calls.append((route.removesuffix("-session"), self.now_ms()))
				return routes[route](request)
		if route == "status-session":
			return json_answer(self._status())
		if route == "check-connection-session":
			texts = "Connected" if self.is_connected else "Disconnected"
			return json_answer({"status": self.is_connected, "message": texts})
		return self._qr() if route == "qrcode-session" else None

	def disconnected(self, request: Request) -> Answer:
		"""What every route answers that needs a live session."""
		texts = "A sessão do WhatsApp não está ativa."
		body = {"response": None, "status": "Disconnected", "message": texts}
		return json_answer(self.signed(request, body), 404)

	def signed(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
		"""The server adds its session's name to answers, if the question was JSON;
		of a closed one it knows none.
		"""
		is_nameless = self._is_known and self._status_text is None
		if request.headers.get("content-type") != "application/json" or is_nameless:
			return body
		return {**body, "session": self.name if self._is_known else ""}

	def code(self) -> bytes:
		"""The picture of the code that is shown now."""
		return PNG + b"2@FAKE" + str(self.now_ms() // QR_ROTATION_MS).encode()

	def _status(self) -> dict[str, Any]:
		status_text = self.status_text
		if status_text is None:
			return {"status": CLOSED, "qrcode": None}
		if not self._has_shown_code:
			return {"status": status_text, "qrcode": None, "version": VERSION}
		picture = f"data:image/png;base64,{base64.b64encode(self.code()).decode()}"
		return {"status": status_text, "qrcode": picture, "urlcode": "2@FAKE", "version": VERSION}

	def _qr(self) -> Answer:
		if self.status_text is not None and self._has_shown_code:
			return Answer(200, self.code(), "image/png")
		if not self._is_known:
			texts = (
				"Session not started. Please, use the /start-session route, for initialization your session"
			)
			return json_answer({"status": None, "message": texts})
		return json_answer({"status": self.status_text, "message": "QRCode is not available..."})

	def _start(self, request: Request) -> Answer:
		before = self.signed(request, self._status())
		if self.status_text in (None, CLOSED):
			self.webhook = str(request.object().get("webhook") or "")
			self._status_text, self._is_known, self.is_hung = INITIALIZING, True, False
			self._ready_ms, self._has_shown_code = self.now_ms() + self.boot_ms, False
		return json_answer(before)

	def _close(self, request: Request) -> Answer:
		before, failed = (
			self.status_text,
			{"status": False, "message": "Error closing session", "error": {"level": "error"}},
		)
		answer = json_answer(self.signed(request, failed), 500)
		self._status_text = None
		if not self._is_known or before == INITIALIZING:  # there is no browser yet that could be closed
			return answer
		if before is not None:
			self._push("closesession", {"message": f"Session: {self.name} disconnected", "connected": False})
		return json_answer({"status": True, "message": "Session successfully closed"})

	def _log_out(self, request: Request) -> Answer:
		if not self.is_connected:
			return self.disconnected(request)
		self.unlink()
		self._push("logoutsession", {"message": f"Session: {self.name} logged out", "connected": False})
		return json_answer({"status": True, "message": "Session successfully closed"})
