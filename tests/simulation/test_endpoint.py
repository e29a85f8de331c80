"""The webhook endpoint over real HTTP, on this machine: what is let in, what is refused, and what is kept."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from khalifa_whatsapp.bootstrap import EmbeddedHost, embedded
from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.settings import Rules, Settings
from khalifa_whatsapp.drivers.base import DeviceConfig
from khalifa_whatsapp.drivers.cloud_api.verify import sign
from khalifa_whatsapp.drivers.wppconnect.verify import digest_of
from khalifa_whatsapp.services.inbound import drain
from khalifa_whatsapp.stores.base import StoreUnavailable
from simulation.endpoint import EndpointServer, WebhookEndpoint

NOW = 1_795_250_000_000
SECRET = "app-secret"
DEVICES = [
	DeviceConfig(
		"cloud", "cloud_api", phone_number_id="1", app_secrets=(SECRET, "old-secret"), verify_token="token"
	),
	DeviceConfig("wpp", "wppconnect", session_name="s", webhook_secret_digests=(digest_of("key"),)),
]


class Client:
	def __init__(self, host: EmbeddedHost, server: EndpointServer, woken: list[str]) -> None:
		self.host, self.server, self.woken = host, server, woken

	def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None):
		line = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
		try:
			line.request(method, path, body, headers or {})
			answer = line.getresponse()
			return answer.status, answer.read().decode(), dict(answer.getheaders())
		finally:
			line.close()

	def post(self, raw: bytes, device: str = "cloud", signature: str | None = None, query: str = "") -> int:
		headers = {"Content-Type": "application/json"}
		if signature is not None:
			headers["X-Hub-Signature-256"] = signature
		return self.ask("POST", f"/webhook/{device}{query}", raw, headers)[0]

	def signed(self, raw: bytes) -> int:
		return self.post(raw, signature=sign(SECRET, raw))

	def kept(self) -> list[tuple[str, int]]:
		return [
			tuple(row)
			for row in self.host.store.rows(
				"SELECT device, seen_count FROM `tabKhalifa Webhook Event` ORDER BY name"
			)
		]


@pytest.fixture
def client() -> Iterator[Client]:
	rules = Rules(Settings(max_webhook_bytes=2000, max_gateway_bytes=4000), Calendar.always("Africa/Cairo"))
	host, woken = embedded(rules, DEVICES), []
	with EndpointServer(WebhookEndpoint(host.store, host.drivers, lambda: NOW, woken.append)) as server:
		yield Client(host, server, woken)
	host.close()


def test_a_signed_post_is_stored_once_and_wakes_the_drain(client: Client):
	assert client.signed(b'{"a": 1}') == 200
	assert client.signed(b'{"a": 1}') == 200
	assert client.kept() == [("cloud", 2)]
	assert client.woken == ["cloud"]


def test_a_secret_in_rotation_is_still_good(client: Client):
	assert client.post(b"{}", signature=sign("old-secret", b"{}")) == 200


@pytest.mark.parametrize(
	"signature",
	[
		None,
		"",
		"sha256=",
		"sha256=" + "0" * 64,
		sign(SECRET, b"other"),
		sign("wrong", b"{}"),
		"sha1=" + "0" * 40,
		"é" * 8,
	],
	ids=["missing", "empty", "bare", "zeros", "other body", "other secret", "sha1", "not ascii"],
)
def test_a_post_that_proves_nothing_is_refused_and_not_stored(client: Client, signature: str | None):
	headers = {} if signature is None else {"X-Hub-Signature-256": signature.encode().decode("latin-1")}
	status, body, _ = client.ask("POST", "/webhook/cloud", b"{}", headers)
	assert (status, body) == (401, "unauthorized")
	assert client.kept() == []


def test_an_unknown_device_looks_like_a_wrong_signature(client: Client):
	signature = {"X-Hub-Signature-256": sign(SECRET, b"{}")}
	unknown = client.ask("POST", "/webhook/nobody", b"{}", signature)
	wrong = client.ask("POST", "/webhook/cloud", b"{}")
	assert unknown[:2] == wrong[:2] == (401, "unauthorized")
	assert client.ask("POST", "/webhook/wpp", b"{}", signature)[0] == 401


@pytest.mark.parametrize(
	("query", "status"), [("?k=key", 200), ("?k=wrong", 401), ("", 401), ("?k=", 401), ("?K=key", 401)]
)
def test_a_gateway_that_can_not_sign_needs_its_secret(client: Client, query: str, status: int):
	assert client.post(b'{"event":"x"}', "wpp", query=query) == status


@pytest.mark.parametrize(
	"raw",
	[
		b"",
		b"not json",
		b"[1, 2]",
		b"null",
		b"\xff\xfe\x00\x80",
		b"{" * 500,
		"مرحبا".encode("utf-16"),
		b"\x00" * 9,
	],
	ids=["empty", "text", "list", "null", "no utf-8", "nested", "utf-16", "zeros"],
)
def test_whatever_is_signed_is_stored_byte_for_byte_and_never_stops_the_drain(client: Client, raw: bytes):
	assert client.signed(raw) == 200
	(webhook_event,) = client.host.store.due_webhook_events("cloud", NOW, 5)
	assert webhook_event.body == raw
	drain.drain(client.host.store, client.host.drivers["cloud"], lambda: NOW)
	assert client.host.store.rows("SELECT status FROM `tabKhalifa Webhook Event`")[0][0] == "Dead"
	assert client.host.store.backlog(NOW).webhook_events == 0


def test_a_body_above_the_limit_is_refused_before_it_is_read(client: Client):
	line = http.client.HTTPConnection("127.0.0.1", client.server.port, timeout=10)
	line.putrequest("POST", "/webhook/cloud")
	line.putheader("Content-Length", "50000000000")
	line.endheaders()
	assert line.getresponse().status == 413  # although not one byte of the body was sent
	line.close()
	assert client.signed(b"x" * 2001) == 413
	assert client.signed(b"x" * 2000) == 200
	assert client.post(b"x" * 3999, "wpp", query="?k=key") == 200  # it may put files into its posts
	assert client.post(b"x" * 4001, "wpp", query="?k=key") == 413


def test_a_post_without_a_length_is_refused(client: Client):
	def parts() -> Iterator[bytes]:
		yield b"{}"

	line = http.client.HTTPConnection("127.0.0.1", client.server.port, timeout=10)
	line.request(
		"POST", "/webhook/cloud", parts(), {"X-Hub-Signature-256": sign(SECRET, b"{}")}, encode_chunked=True
	)
	assert line.getresponse().status == 411
	line.close()


def test_the_subscription_check_answers_only_who_knows_the_token(client: Client):
	def check(**query: str) -> tuple[int, str]:
		asked = {"hub.mode": "subscribe", "hub.verify_token": "token", "hub.challenge": "1158201444", **query}
		return client.ask("GET", f"/webhook/cloud?{urlencode(asked)}")[:2]

	assert check() == (200, "1158201444")
	assert check(**{"hub.verify_token": "wrong"}) == (401, "unauthorized")
	assert check(**{"hub.verify_token": "تجربة"}) == (401, "unauthorized")
	assert check(**{"hub.mode": "unsubscribe"})[0] == 401
	assert check(**{"hub.challenge": "<script>alert(1)</script>"})[0] == 401
	assert client.ask("GET", "/webhook/cloud")[0] == client.ask("GET", "/webhook/wpp")[0] == 401


@pytest.mark.parametrize(
	("method", "path", "status"),
	[
		("PUT", "/webhook/cloud", 405),
		("DELETE", "/webhook/cloud", 405),
		("GET", "/", 404),
		("POST", "/webhook", 404),
		("POST", "/webhook/cloud/more", 404),
		("POST", "/health", 405),
		("GET", "/webhook/../health", 404),
	],
)
def test_other_ways_in_are_closed(client: Client, method: str, path: str, status: int):
	assert client.ask(method, path, b"")[0] == status


def test_health_counts_what_waits(client: Client):
	client.signed(b'{"a": 1}')
	status, body, headers = client.ask("GET", "/health")
	assert status == 200 and json.loads(body)["deliveries"] == 1
	assert headers["Cache-Control"] == "no-store"


def test_an_absent_database_asks_to_come_again(client: Client, monkeypatch: pytest.MonkeyPatch):
	def away(*args: object) -> bool:
		raise StoreUnavailable("gone")

	monkeypatch.setattr(client.host.store, "record_webhook_event", away)
	status, _, headers = client.ask("POST", "/webhook/wpp?k=key", b"{}")
	assert status == 503 and int(headers["Retry-After"]) > 0
