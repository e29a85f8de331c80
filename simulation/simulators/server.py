"""The incoming half of a simulated gateway: a server on 127.0.0.1 that takes sends, or fails on purpose."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

MAX_BODY = 160 * 1024 * 1024
DRIP_SECONDS = 0.05
# Failures of which the caller can't tell whether the message went. In these it did:
AFTER_ACCEPT = frozenset({"read_timeout", "reset", "html_200", "no_id", "502", "truncated", "cut", "drip"})
# …and in `read_timeout_lost`, `reset_lost` and `500` it did not, but the caller sees the same.


@dataclass(frozen=True, slots=True)
class Request:
	"""A call to the simulator. Header names are lower case, `parts` are the unquoted pieces of the path."""

	method: str
	parts: tuple[str, ...]
	query: Mapping[str, str]
	headers: Mapping[str, str]
	body: bytes

	@property
	def token(self) -> str:
		"""The bearer token of the call."""
		return self.headers.get("authorization", "").partition(" ")[2]

	def object(self) -> dict[str, Any]:
		"""Its JSON object; empty when it holds none."""
		try:
			value = json.loads(self.body)
		except ValueError:
			return {}
		return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class Answer:
	"""What to answer.

	`fate`: "stall" never answers, "reset" cuts the connection, "cut" ends half way, "drip" says a byte now
	and then.
	"""

	status: int = 200
	body: bytes = b""
	content_type: str = "application/json"
	headers: Mapping[str, str] = field(default_factory=dict)
	fate: str = ""


@dataclass(frozen=True, slots=True)
class SentMessage:
	"""One message that the gateway took, whether or not its answer reached the caller."""

	gateway_id: str
	to: str  # phone digits, user id or LID, as asked for
	kind: str
	body: str
	callback: str
	at_ms: int
	payload: Mapping[str, Any]
	failure: str = ""  # the failure that befell the answer


class SentLog:
	"""Everything a simulated gateway took, in order. Tests ask it what really went out."""

	def __init__(self) -> None:
		self._rows: list[SentMessage] = []
		self._lock = threading.Lock()

	def __len__(self) -> int:
		return len(self._rows)

	def add(self, row: SentMessage) -> None:
		"""Write down a message that was taken."""
		with self._lock:
			self._rows.append(row)

	def rows(self) -> list[SentMessage]:
		"""A copy of all rows."""
		with self._lock:
			return list(self._rows)

	def duplicates(self) -> list[str]:
		"""Callback keys that were taken more than once: none, if senders keep their promise."""
		counts = Counter(row.callback for row in self.rows() if row.callback)
		return sorted(key for key, count in counts.items() if count > 1)


class Failures:
	"""Which of the next sends fail, and how: a programme first, then chance."""

	def __init__(self, rng: Random) -> None:
		self.rates: dict[str, float] = {}  # mode → chance of 0 to 1
		self._rng = rng
		self._next: deque[str] = deque()
		self._lock = threading.Lock()

	def add(self, mode: str, times: int = 1) -> None:
		"""Programme the next sends to fail."""
		with self._lock:
			self._next.extend([mode] * times)

	def draw(self) -> str:
		"""The failure of this send; "" for none."""
		with self._lock:
			if self._next:
				return self._next.popleft()
			for mode, rate in self.rates.items():
				if self._rng.random() < rate:
					return mode
		return ""


def json_answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
	"""A JSON answer."""
	return Answer(status, json.dumps(body, ensure_ascii=False).encode(), headers=headers or {})


def failed_answer(mode: str) -> Answer | None:
	"""The answer of a failure that every gateway can have; None for modes that are a gateway's own."""
	if mode.startswith("read_timeout"):
		return Answer(fate="stall")
	if mode.startswith("reset"):
		return Answer(fate="reset")
	if mode == "html_200":
		return Answer(200, b"<html><body>Just a moment</body></html>", "text/html")
	if mode == "truncated":
		return Answer(200, b'{"messaging_product": "whatsapp", "messages": [{"id": "wam')
	if mode in ("cut", "drip"):
		return Answer(fate=mode)
	if mode in ("500", "502"):
		return Answer(int(mode), b"<html>Bad gateway</html>", "text/html")
	return None


class SimulatorServer:
	"""A server thread around `answer`. Use it as a context manager, or call `start` and `stop`."""

	def __init__(self, rng: Random, stall_seconds: float = 5.0) -> None:
		self.sent_log = SentLog()
		self.failures = Failures(rng)
		self.stall_seconds = stall_seconds
		self.stopped = threading.Event()
		self._server: ThreadingHTTPServer | None = None
		self._thread: threading.Thread | None = None
		self.connections: set[socket.socket] = set()

	@property
	def url(self) -> str:
		"""Where it listens. Only while it runs."""
		if self._server is None:
			raise RuntimeError("the simulator does not run: call start()")
		return f"http://127.0.0.1:{self._server.server_address[1]}"

	def answer(self, request: Request) -> Answer:
		"""What this gateway answers. Called from many threads."""
		raise NotImplementedError

	def fail_next(self, mode: str | int, times: int = 1) -> None:
		"""Let the next sends fail so. Common modes stand at `AFTER_ACCEPT`."""
		self.failures.add(str(mode), times)

	def start(self, port: int = 0) -> SimulatorServer:
		"""Listen on 127.0.0.1; port 0 takes a free one."""
		handler = type("Handler", (_Handler,), {"simulator": self})
		self.stopped.clear()
		self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
		self._server.daemon_threads = True
		self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
		self._thread.start()
		return self

	def stop(self) -> None:
		"""Stop listening, let stalled calls go, and hang up: a kept connection would go on answering."""
		self.stopped.set()
		if self._server is not None and self._thread is not None:
			self._server.shutdown()
			self._thread.join(5)
			self._server.server_close()
			self._server = self._thread = None
		for connection in list(self.connections):
			with contextlib.suppress(OSError):
				connection.shutdown(socket.SHUT_RDWR)

	def __exit__(
		self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
	) -> None:
		self.stop()


class _Handler(BaseHTTPRequestHandler):
	simulator: SimulatorServer
	protocol_version = "HTTP/1.1"
	disable_nagle_algorithm = True

	def log_message(self, format: str, *args: Any) -> None:
		"""Say nothing: paths hold phone number ids and sessions."""

	def setup(self) -> None:
		super().setup()
		self.simulator.connections.add(self.connection)

	def finish(self) -> None:
		self.simulator.connections.discard(self.connection)
		super().finish()

	def do_GET(self) -> None:
		self._serve()

	def do_POST(self) -> None:
		self._serve()

	def _serve(self) -> None:
		answer = self.simulator.answer(self._request())
		if answer.fate == "stall":
			self.simulator.stopped.wait(self.simulator.stall_seconds)
			self.close_connection = True
		elif answer.fate == "reset":
			self._reset()
		elif answer.fate:
			self._maybe_fail(answer.fate)
		else:
			self._write(answer)

	def _request(self) -> Request:
		length = self.headers.get("Content-Length", "0")
		size = min(int(length), MAX_BODY) if length.isdigit() else 0
		address = urlsplit(self.path)
		parts = tuple(unquote(part) for part in address.path.split("/") if part)
		headers = {name.lower(): value for name, value in self.headers.items()}
		return Request(self.command, parts, dict(parse_qsl(address.query)), headers, self.rfile.read(size))

	def _write(self, answer: Answer) -> None:
		self.send_response(answer.status)
		headers = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body))}
		for name, value in {**headers, **answer.headers}.items():
			self.send_header(name, value)
		self.end_headers()
		self.wfile.write(answer.body)

	def _maybe_fail(self, fate: str) -> None:
		"""Promise more than is given, or give it so slowly that no
		timeout between two bytes is ever reached.
		"""
		self.close_connection = True
		self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{"messages": [')
		end = time.monotonic() + self.simulator.stall_seconds
		with contextlib.suppress(OSError):  # the caller had enough
			while fate == "drip" and time.monotonic() < end and not self.simulator.stopped.wait(DRIP_SECONDS):
				self.wfile.write(b" ")

	def _reset(self) -> None:
		"""Close with RST, as a crashing gateway does, and not with a polite FIN."""
		self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		self.close_connection = True
		self.rfile.close()
		self.connection.close()
