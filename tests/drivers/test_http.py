"""What becomes of every way in which a connection can fail, and what the client never does."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError, SSLError

from khalifa_whatsapp.drivers.base import (
	AuthError,
	Permanent,
	RateLimited,
	Retryable,
	SendError,
	UnknownOutcome,
)
from khalifa_whatsapp.drivers.http import (
	MAX_RETRY_AFTER,
	HttpClient,
	Reply,
	answer_without_code,
	mask,
	surely_not_sent,
	transport_error,
)

TOKEN = "simulated-token-that-nobody-may-see"


@contextmanager
def listener(serve: Callable[[socket.socket], None]) -> Iterator[str]:
	"""A server that treats each connection as `serve` does."""
	server = socket.create_server(("127.0.0.1", 0))
	server.settimeout(5)

	def run() -> None:
		while True:
			try:
				connection, _ = server.accept()
			except OSError:
				return
			with connection:
				serve(connection)

	thread = threading.Thread(target=run, daemon=True)
	thread.start()
	try:
		yield f"http://127.0.0.1:{server.getsockname()[1]}"
	finally:
		server.close()


def answering(head: bytes, body: bytes = b"") -> Callable[[socket.socket], None]:
	def serve(connection: socket.socket) -> None:
		connection.recv(65_536)
		connection.sendall(b"HTTP/1.1 " + head + b"\r\nConnection: close\r\n\r\n" + body)

	return serve


def failure(url: str) -> SendError:
	client = HttpClient(connect_timeout=0.3, read_timeout=0.3)
	with pytest.raises(SendError) as caught:
		client.request("POST", url, token=TOKEN, json={})
	assert TOKEN not in str(caught.value)
	assert "127.0.0.1" not in str(caught.value)
	return caught.value


def test_a_refused_connection_was_surely_not_sent() -> None:
	with socket.create_server(("127.0.0.1", 0)) as server:
		port = server.getsockname()[1]
	assert type(failure(f"http://127.0.0.1:{port}/")) is Retryable


def test_an_unknown_host_was_surely_not_sent() -> None:
	assert type(failure("http://gateway.invalid/")) is Retryable


def test_silence_is_an_unknown_outcome() -> None:
	with listener(lambda connection: threading.Event().wait(1)) as url:
		assert failure(url).code == "read_timeout"


def test_a_connection_closed_without_an_answer_is_an_unknown_outcome() -> None:
	with listener(lambda connection: connection.recv(65_536) and None) as url:
		assert type(failure(url)) is UnknownOutcome


def test_an_answer_that_stops_half_way_is_an_unknown_outcome() -> None:
	with listener(answering(b"200 OK\r\nContent-Length: 100", b"{")) as url:
		assert type(failure(url)) is UnknownOutcome


def test_an_answer_that_is_no_http_is_an_unknown_outcome() -> None:
	with listener(lambda connection: connection.sendall(b"220 mail ready\r\n\r\n")) as url:
		assert type(failure(url)) is UnknownOutcome


def test_an_endless_answer_is_given_up() -> None:
	def serve(connection: socket.socket) -> None:
		connection.recv(65_536)
		connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
		try:
			while True:
				connection.sendall(b"x" * 65_536)
		except OSError:
			return

	with listener(serve) as url:
		assert failure(url).code == "endless"


def test_a_dripping_answer_is_given_up() -> None:
	def serve(connection: socket.socket) -> None:
		connection.recv(65_536)
		connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		try:
			for _ in range(200):
				connection.sendall(b"1\r\nx\r\n")
				threading.Event().wait(0.1)
		except OSError:
			return

	with listener(serve) as url:
		assert failure(url).code == "deadline"


@pytest.mark.parametrize(
	"line", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Slow: "]
)
def test_dripping_headers_are_given_up(line: bytes) -> None:
	def serve(connection: socket.socket) -> None:
		connection.recv(65_536)
		connection.sendall(line)
		try:
			for byte in b"HTTP/1.1" + b"x" * 200:
				connection.sendall(bytes([byte]))
				threading.Event().wait(0.1)
		except OSError:
			return

	before = time.monotonic()
	with listener(serve) as url:
		assert failure(url).code == "deadline"
	assert time.monotonic() - before < 4  # 4 read timeouts of 0.3 s, and not the 20 s of the drip


def test_a_gateway_that_takes_a_byte_at_a_time_is_given_up() -> None:
	"""The body fills the sockets' buffers, so that the client waits for a reader that never comes."""

	def serve(connection: socket.socket) -> None:
		connection.settimeout(5)
		try:
			while connection.recv(1):
				threading.Event().wait(0.05)
		except OSError:
			return

	before = time.monotonic()
	with listener(serve) as url, pytest.raises(UnknownOutcome):
		HttpClient(5, 0.3).request("POST", url, data=b"x" * 64 * 1024 * 1024)
	assert time.monotonic() - before < 4


def test_a_deadline_leaves_the_next_call_alone() -> None:
	connections: list[socket.socket] = []

	def serve(connection: socket.socket) -> None:
		connections.append(connection)
		while connection.recv(65_536):
			connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

	with listener(serve) as url:
		client = HttpClient(0.3, 0.3)
		assert client.request("GET", url, total_timeout=0.4).status == 200
		threading.Event().wait(0.6)  # the first call's end passes while its connection is back in the pool
		assert client.request("GET", url).status == 200
		client.close()
	assert len(connections) == 1


def test_a_redirect_is_not_followed() -> None:
	with listener(answering(b"302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0")) as url:
		assert HttpClient(0.3, 0.3).request("POST", url, json={}).status == 302


def test_a_netrc_does_not_replace_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
	netrc = tmp_path / "netrc"
	netrc.write_text("machine 127.0.0.1 login somebody password else\n")
	monkeypatch.setenv("NETRC", str(netrc))
	seen: list[bytes] = []

	def serve(connection: socket.socket) -> None:
		seen.append(connection.recv(65_536))
		connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

	with listener(serve) as url:
		HttpClient(0.3, 0.3).request("GET", url, token=TOKEN)
	assert f"Authorization: Bearer {TOKEN}".encode() in seen[0]


@pytest.mark.parametrize("token", ["two\nlines", "رمز", "null\x00"])
def test_a_token_that_is_no_token_is_an_auth_error(token: str) -> None:
	with pytest.raises(AuthError):
		HttpClient(0.3, 0.3).request("GET", "http://127.0.0.1:1/", token=token)


@pytest.mark.parametrize(
	"url", ["", "gateway", "ftp://x/", "http://[bad", "http://:80/", "http://" + "a" * 70]
)
def test_an_address_that_is_no_address_is_permanent(url: str) -> None:
	assert type(failure(url)) is Permanent


@pytest.mark.parametrize(
	("error", "kind"),
	[
		(requests.exceptions.ConnectTimeout(), Retryable),
		(requests.exceptions.ReadTimeout(), UnknownOutcome),
		(requests.exceptions.ProxyError(), Retryable),
		(requests.exceptions.ConnectionError(NewConnectionError(None, "x")), Retryable),  # type: ignore[arg-type]
		(requests.exceptions.ConnectionError(ProtocolError("reset")), UnknownOutcome),
		(requests.exceptions.ConnectionError(), UnknownOutcome),
		(requests.exceptions.ChunkedEncodingError(), UnknownOutcome),
		(requests.exceptions.ContentDecodingError(), UnknownOutcome),
		(requests.exceptions.TooManyRedirects(), UnknownOutcome),
		(requests.exceptions.RequestException(), UnknownOutcome),
		(requests.exceptions.SSLError("?"), UnknownOutcome),
	],
)
def test_every_transport_failure_has_one_meaning(error: Exception, kind: type[SendError]) -> None:
	assert type(transport_error(error)) is kind


@pytest.mark.parametrize(
	("inner", "kind"),
	[
		(ssl.SSLCertVerificationError("self-signed"), Retryable),
		(ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), UnknownOutcome),
	],
)
def test_a_bad_certificate_is_not_sent_and_a_broken_stream_is_unknown(
	inner: ssl.SSLError, kind: type[SendError]
) -> None:
	error = requests.exceptions.SSLError(MaxRetryError(None, "/", SSLError(inner)))  # type: ignore[arg-type]
	assert type(transport_error(error)) is kind


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status_has_one_meaning(status: int) -> None:
	error = answer_without_code(Reply(status, {}, b""))
	assert isinstance(error, SendError)
	if status >= 500 or status < 300 or status == 408:
		assert type(error) is UnknownOutcome


@pytest.mark.parametrize(
	("given", "expected"),
	[
		("7", 7.0),
		("1.5", 1.5),
		("999999999", MAX_RETRY_AFTER),
		("", None),
		("-1", None),
		("nan", None),
		("Fri, 20 Nov 2026 10:00:00 GMT", None),
		("٣", None),
	],
)
def test_retry_after_is_seconds_within_a_day(given: str, expected: float | None) -> None:
	error = answer_without_code(Reply(429, {"retry-after": given}, b""))
	assert isinstance(error, RateLimited)
	assert error.retry_after == expected


def test_doubt_about_a_question_is_retryable() -> None:
	assert type(surely_not_sent(UnknownOutcome("x"))) is Retryable
	assert type(surely_not_sent(AuthError("x"))) is AuthError


@pytest.mark.parametrize(
	"secret",
	["201001234567", "+20 100 123-4567", "EAAGm0PX4ZCpsBAFAKEFAKEFAKE", "$2b$10$FAKE_hash-value.FAKE/x"],
)
def test_words_of_a_gateway_are_masked(secret: str) -> None:
	assert secret not in mask(f"failed for {secret} today")
	assert mask("Param text['body'] is too long") == "Param text['body'] is too long"
