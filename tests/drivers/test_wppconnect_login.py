"""How the WPPConnect driver gets its token, renews it, and never says it."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests
import responses

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	AuthError,
	DeviceConfig,
	OutgoingText,
	Retryable,
	SendError,
	UnknownOutcome,
)
from khalifa_whatsapp.drivers.wppconnect import WppConnectDriver

URL = "http://127.0.0.1:21465"
SECRET = "s3cret/with+odd?signs%and#more"
TOKENS = ("$2b$10$FAKE.first", "$2b$10$FAKE.second")
GENERATE = f"{URL}/api/shop1/{quote(SECRET, safe='')}/generate-token"
SEND = f"{URL}/api/shop1/send-message"
TEXT = OutgoingText(recipient=(Identity("phone", "+201001234567"),), body="أهلاً")
WRONG = {"error": "Check that the Session and Token are correct"}
TAKEN = {"status": "success", "response": [{"id": "true_201001234567@c.us_3EB0FAKE", "ack": 1}]}


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
	with responses.RequestsMock() as mock:
		yield mock


def driver(**more: Any) -> WppConnectDriver:
	settings: dict[str, Any] = {"session_name": "shop1", "gateway_secret": SECRET, **more}
	return WppConnectDriver(DeviceConfig("shop", "wppconnect", **settings))


def give(wire: responses.RequestsMock, *tokens: str) -> None:
	for token in tokens:
		made = {"status": "success", "session": "shop1", "token": token, "full": f"shop1:{token}"}
		wire.post(GENERATE, json=made, status=201)


def bearers(wire: responses.RequestsMock) -> list[str | None]:
	return [call.request.headers.get("Authorization") for call in wire.calls]


def test_a_token_is_made_once_and_kept(wire: responses.RequestsMock) -> None:
	give(wire, TOKENS[0])
	wire.post(SEND, json=TAKEN, status=201)
	gateway = driver()
	gateway.send(TEXT)
	gateway.send(TEXT)
	assert bearers(wire) == [None, f"Bearer {TOKENS[0]}", f"Bearer {TOKENS[0]}"]


def test_a_token_of_the_device_is_used_and_never_replaced(wire: responses.RequestsMock) -> None:
	wire.post(SEND, json=WRONG, status=401)
	with pytest.raises(AuthError):
		driver(access_token="given").send(TEXT)
	assert bearers(wire) == ["Bearer given"]


def test_a_refused_token_is_renewed_and_the_call_made_again(wire: responses.RequestsMock) -> None:
	give(wire, *TOKENS)
	wire.post(SEND, json=WRONG, status=401)
	wire.post(SEND, json=TAKEN, status=201)
	assert driver().send(TEXT).ref.gateway_id == "3EB0FAKE"
	assert bearers(wire) == [None, f"Bearer {TOKENS[0]}", None, f"Bearer {TOKENS[1]}"]


def test_a_token_is_renewed_only_once(wire: responses.RequestsMock) -> None:
	give(wire, *TOKENS)
	wire.post(SEND, json=WRONG, status=401)
	with pytest.raises(AuthError):
		driver().send(TEXT)
	assert len(wire.calls) == 4


@pytest.mark.parametrize(
	("body", "status"),
	[
		({"message": "Sending the file is mandatory"}, 401),
		({"status": "error", "response": "…"}, 401),
		({}, 403),
	],
)
def test_other_refusals_renew_nothing(wire: responses.RequestsMock, body: Any, status: int) -> None:
	give(wire, TOKENS[0])
	wire.post(SEND, json=body, status=status)
	with pytest.raises(SendError):
		driver().send(TEXT)
	assert len(wire.calls) == 2


@pytest.mark.parametrize(
	("status", "body", "kind"),
	[
		(400, {"response": False, "message": "The SECRET_KEY is incorrect"}, AuthError),
		(404, b"<html>", AuthError),
		(500, b"", Retryable),
		(201, b"<html>", Retryable),
		(201, {"token": ""}, Retryable),
	],
)
def test_without_a_token_nothing_was_sent(
	wire: responses.RequestsMock, status: int, body: Any, kind: type[SendError]
) -> None:
	wire.post(GENERATE, status=status, **({"body": body} if isinstance(body, bytes) else {"json": body}))
	with pytest.raises(kind) as caught:
		driver().send(TEXT)
	assert not isinstance(caught.value, UnknownOutcome)


def test_a_device_without_token_and_secret_says_so() -> None:
	with pytest.raises(AuthError, match="secret"):
		driver(gateway_secret="").get_status()


def test_a_gateway_that_is_down_has_surely_sent_nothing(wire: responses.RequestsMock) -> None:
	wire.post(GENERATE, body=requests.exceptions.ConnectionError(f"no route to {GENERATE}"))
	with pytest.raises(Retryable) as caught:
		driver().send(TEXT)
	assert quote(SECRET, safe="") not in "".join(traceback.format_exception(caught.value))


def test_neither_secret_nor_token_is_ever_shown(wire: responses.RequestsMock) -> None:
	give(wire, TOKENS[0])
	wire.post(SEND, json={"message": f"{SECRET} {TOKENS[0]}"}, status=500)
	gateway = driver()
	with pytest.raises(SendError) as caught:
		gateway.send(TEXT)
	for text in (str(caught.value), repr(caught.value), repr(gateway), repr(gateway.config)):
		assert SECRET not in text
		assert TOKENS[0] not in text


def test_the_connections_own_log_holds_no_secret(caplog: pytest.LogCaptureFixture) -> None:
	"""urllib3 writes every path at DEBUG, and here the secret is in one."""
	log = logging.getLogger("urllib3.connectionpool")
	path = f"/api/shop1/{quote(SECRET, safe='')}/generate-token"
	with caplog.at_level(logging.DEBUG, logger=log.name):
		log.debug('%s://%s:%s "%s %s %s" %s %s', "http", "127.0.0.1", 1, "POST", path, "HTTP/1.1", 201, 99)
	(line,) = caplog.messages
	assert line == 'http://127.0.0.1:1 "POST /api/shop1/…/generate-token HTTP/1.1" 201 99'
