"""The endpoint of the embedded host: a small WSGI app that gateways post to, served on this machine only.

`POST /webhook/<device>` takes a delivery, `GET /webhook/<device>` answers a subscription check, `GET /health`
says what waits. For real traffic from outside use the Frappe host: this server is for trying and testing.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from khalifa_whatsapp.core.settings import Settings
from khalifa_whatsapp.drivers.base import MessageDriver, WebhookCall
from khalifa_whatsapp.services.inbound import webhook
from khalifa_whatsapp.services.inbound.webhook import Answer
from khalifa_whatsapp.stores.base import Conflict, Store, StoreUnavailable

HOST = "127.0.0.1"
IDLE_SECONDS = 10  # a caller that says nothing for so long is cut off
NOT_FOUND = Answer(404, "not found")
WRONG_METHOD = Answer(405, "method not allowed")
NO_LENGTH = Answer(411, "length required")


class WebhookEndpoint:
	"""The WSGI app. `on_new` is called with the device after something new was stored."""

	def __init__(
		self,
		store: Store,
		drivers: Mapping[str, MessageDriver],
		clock: Callable[[], int],
		on_new: Callable[[str], None] = lambda device: None,
	) -> None:
		self.store, self.drivers, self.clock, self.on_new = store, drivers, clock, on_new

	def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
		answer = self.answer(Request(environ))
		headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
		if answer.retry_after is not None:
			headers["Retry-After"] = str(answer.retry_after)
		return Response(answer.body, answer.status, headers, content_type="text/plain")(
			environ, start_response
		)

	def answer(self, request: Request) -> Answer:
		"""What a request gets."""
		parts = request.path.strip("/").split("/")
		if parts == ["health"]:
			return self._health() if request.method == "GET" else WRONG_METHOD
		if len(parts) != 2 or parts[0] != "webhook":
			return NOT_FOUND
		return self._webhook(request, parts[1])

	def _webhook(self, request: Request, device: str) -> Answer:
		driver = self.drivers.get(device)
		if request.method == "GET":
			return webhook.handshake(driver, _call(request, b""))
		if request.method != "POST":
			return WRONG_METHOD
		limit = self._limit(driver)
		if request.content_length is None:
			return NO_LENGTH
		if request.content_length > limit:
			return webhook.TOO_LARGE
		request.max_content_length = limit
		try:
			raw = request.get_data(cache=False)
		except RequestEntityTooLarge:
			return webhook.TOO_LARGE
		except ClientDisconnected:
			return Answer(400, "incomplete")
		answer = webhook.accept(self.store, driver, _call(request, raw), self.clock(), limit)
		if answer.is_new:
			self.on_new(device)
		return answer

	def _limit(self, driver: MessageDriver | None) -> int:
		"""Meta's posts are small; a gateway that puts files into them may send more."""
		settings: Settings = self.store.rules().settings
		is_signed = driver is None or driver.capabilities.has_callback
		return settings.max_webhook_bytes if is_signed else settings.max_gateway_bytes

	def _health(self) -> Answer:
		try:
			backlog = self.store.backlog(self.clock())
		except (Conflict, StoreUnavailable):
			return webhook.AWAY
		waiting = {
			"deliveries": backlog.webhook_events,
			"outgoing": backlog.outgoing,
			"unknown": backlog.unknown,
		}
		return Answer(200, json.dumps({"status": "ok", **waiting, "dead": backlog.dead_webhook_events}))


def _call(request: Request, raw: bytes) -> WebhookCall:
	headers = {name.lower(): value for name, value in request.headers.items()}
	return WebhookCall(raw, headers, request.args.to_dict(), request.method)


class _Handler(WSGIRequestHandler):
	timeout = IDLE_SECONDS

	def log(self, type: str, message: str, *args: Any) -> None:
		"""Say nothing: addresses hold the secrets of gateways that can't sign."""


class EndpointServer:
	"""The endpoint, with a thread per caller, on 127.0.0.1.

	A context manager; it may be opened again at its old port.
	"""

	def __init__(self, endpoint: WebhookEndpoint, port: int = 0) -> None:
		self.endpoint = endpoint
		self.port = port
		self._server: BaseWSGIServer | None = None
		self._thread: threading.Thread | None = None

	@property
	def url(self) -> str:
		"""Where it listens, or listened last."""
		return f"http://{HOST}:{self.port}"

	def webhook(self, device: str) -> str:
		"""The address a device's gateway posts to."""
		return f"{self.url}/webhook/{device}"

	def __enter__(self) -> EndpointServer:
		self._server = make_server(HOST, self.port, self.endpoint, threaded=True, request_handler=_Handler)
		self._server.daemon_threads = True  # type: ignore[attr-defined]
		self.port = self._server.server_port
		self._thread = threading.Thread(
			target=self._server.serve_forever, args=(0.05,), name="endpoint", daemon=True
		)
		self._thread.start()
		return self

	def __exit__(self, *error: object) -> None:
		if self._server is not None and self._thread is not None:
			self._server.shutdown()
			self._thread.join(5)
			self._server.server_close()
			self._server = self._thread = None
