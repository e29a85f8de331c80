"""What the driver makes of a session's life: of every answer a real server gave, and of odder ones."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.abilities import (
	ChatLog,
	IdentityResolver,
	MediaSource,
	ReadReceipts,
	SessionDriver,
	TemplateSource,
)
from khalifa_whatsapp.drivers.base import (
	AuthError,
	DeviceConfig,
	Media,
	MessageRef,
	OutgoingMedia,
	OutgoingReaction,
	OutgoingText,
	Permanent,
	Retryable,
	SendError,
	SessionState,
	UnknownOutcome,
)
from khalifa_whatsapp.drivers.http import Reply
from khalifa_whatsapp.drivers.wppconnect import WppConnectDriver, session

REAL = Path(__file__).parent.parent / "data" / "wppconnect" / "real"
URL = "http://127.0.0.1:21465"
PHONE = Identity("phone", "+201001234567")
REF = MessageRef("3AFAKE0001", "in|201001234567@c.us")
TEXT = OutgoingText(recipient=(PHONE,), body="أهلاً")
FILE = OutgoingMedia(recipient=(PHONE,), kind="image", content=b"x", mime_type="image/jpeg")
REACTION = OutgoingReaction(recipient=(PHONE,), target=MessageRef("3EB0FAKE0001", "out"), emoji="👍")
PICTURE = "data:image/png;base64," + base64.b64encode(b"\x89PNG fake").decode()


def recorded(name: str) -> dict[str, Any]:
	shape: dict[str, Any] = json.loads((REAL / f"{name}.json").read_text(encoding="utf-8"))
	return shape


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
	with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
		yield mock


def replay(wire: responses.RequestsMock, *names: str) -> None:
	"""The wire answers as the real server did."""
	for name in names:
		shape = recorded(name)
		method, _, path = shape["call"].partition(" ")
		body = shape["body"] if isinstance(shape["body"], str) else json.dumps(shape["body"])
		address = URL + path.partition("?")[0]
		wire.add(method, address, body=body, status=shape["status"], content_type=shape["content_type"])


def driver(**more: Any) -> WppConnectDriver:
	settings: dict[str, Any] = {"session_name": "shop1", "access_token": "token", **more}
	return WppConnectDriver(DeviceConfig("shop", "wppconnect", **settings))


def test_it_has_the_abilities_of_a_session_and_no_templates() -> None:
	for ability in (SessionDriver, MediaSource, ChatLog, ReadReceipts, IdentityResolver):
		assert isinstance(driver(), ability)
	assert not isinstance(driver(), TemplateSource)


@pytest.mark.parametrize(
	("state", "meaning"),
	[("unknown", "disconnected"), ("initializing", "connecting"), ("closed", "disconnected")],
)
def test_the_states_of_a_real_session(wire: responses.RequestsMock, state: str, meaning: str) -> None:
	replay(wire, f"check_{state}", f"status_{state}")
	assert driver().get_status().state == meaning
	assert driver().get_qr() is None


CALLS: dict[str, Callable[[WppConnectDriver], object]] = {
	"send_message": lambda it: it.send(TEXT),
	"send_image_without_file": lambda it: it.send(FILE),
	"react": lambda it: it.send(REACTION),
	"send_seen": lambda it: it.mark_read(REF, (PHONE,)),
	"unread": lambda it: it.missed_webhook_events(),
	"get_messages": lambda it: it.last_sent((PHONE,)),
	"pn_lid": lambda it: it.resolve(PHONE),
	"media": lambda it: it.fetch_media(Media("false_201001234567@c.us_3AFAKE0001"), REF, 1_000),
	"logout": lambda it: it.log_out(),
}


@pytest.mark.parametrize("state", ["unknown", "initializing"])
@pytest.mark.parametrize("name", CALLS)
def test_without_a_live_session_everything_may_work_later(
	wire: responses.RequestsMock, name: str, state: str
) -> None:
	replay(wire, f"{name}_{state}")
	with pytest.raises(Retryable):
		CALLS[name](driver())


@pytest.mark.parametrize(
	("name", "meaning"),
	[("start", "connecting"), ("start_again", "connecting"), ("start_closed", "connecting")],
)
def test_a_start_goes_on_in_the_background(wire: responses.RequestsMock, name: str, meaning: str) -> None:
	replay(wire, name)
	assert driver(webhook_url="http://127.0.0.1:9/hook?k=FAKE").start_session().state == meaning
	assert json.loads(wire.calls[0].request.body or b"") == recorded("start")["json"]


@pytest.mark.parametrize("name", ["close_unknown", "close_initializing", "close_closed"])
def test_a_session_without_a_browser_is_closed_already(wire: responses.RequestsMock, name: str) -> None:
	replay(wire, name)
	driver().stop_session()


@pytest.mark.parametrize(
	("name", "kind"),
	[
		("start_without_token", AuthError),
		("start_wrong_token", AuthError),
		("start_malformed", Retryable),
	],
)
def test_a_refused_start(wire: responses.RequestsMock, name: str, kind: type[SendError]) -> None:
	replay(wire, name)
	with pytest.raises(kind):
		driver().start_session()


@pytest.mark.parametrize(
	"name", ["status_without_token", "status_wrong_token", "status_token_of_another_session"]
)
def test_a_refused_token_is_a_matter_for_a_person(wire: responses.RequestsMock, name: str) -> None:
	replay(wire, name)
	with pytest.raises(AuthError):
		driver(session_name="shop2" if "another" in name else "shop1").get_qr()


def test_a_real_token_is_taken_and_a_wrong_secret_is_not(wire: responses.RequestsMock) -> None:
	replay(wire, "generate_token", "status_unknown")
	driver(access_token="", gateway_secret="SECRET_KEY").get_qr()
	assert wire.calls[1].request.headers["Authorization"] == "Bearer $2b$10$RECORDED.TOKEN"
	replay(wire, "generate_token_wrong_secret")
	with pytest.raises(AuthError) as caught:
		driver(access_token="", gateway_secret="wrong").get_qr()
	assert caught.value.code == "secret"


def test_a_file_that_is_too_big_for_the_server_is_no_mystery(wire: responses.RequestsMock) -> None:
	replay(wire, "send_too_big")
	with pytest.raises(Permanent):
		driver().send(FILE)


def answer(body: Any, status: int = 200, kind: str = "application/json; charset=utf-8") -> Reply:
	content = body if isinstance(body, bytes) else json.dumps(body).encode()
	return Reply(status, {"content-type": kind}, content)


@pytest.mark.parametrize("term", ["CONNECTED", "CLOSED", "INITIALIZING", None, "qrcode"])
def test_a_code_is_shown_only_while_one_is_waited_for(term: str | None) -> None:
	"""The server goes on giving the last code after the login."""
	assert session.qr_from_status(answer({"status": term, "qrcode": PICTURE})) is None


def test_a_code_comes_as_a_picture_that_a_page_may_show() -> None:
	code = session.qr_from_status(answer({"status": "QRCODE", "qrcode": PICTURE, "urlcode": "2@SECRET"}))
	assert code is not None
	assert code.image == PICTURE
	assert PICTURE not in repr(code)


@pytest.mark.parametrize(
	("reply", "image"),
	[
		(answer(b"\x89PNG fake", kind="image/png"), PICTURE),
		(answer({"qrcode": PICTURE}), PICTURE),
		(answer({"qrcode": PICTURE.partition(",")[2]}), PICTURE),
		(answer({"status": "INITIALIZING", "message": "QRCode is not available..."}), None),
		(answer({"qrcode": 'data:image/svg+xml;base64,AAAA" onload="x'}), None),
		(answer({"qrcode": "javascript:alert(1)"}), None),
		(answer(b"", kind="image/png"), None),
		(answer(b"<html>", kind="text/html"), None),
	],
)
def test_a_code_is_a_picture_in_whatever_form_or_it_is_none(reply: Reply, image: str | None) -> None:
	code = session.qr_from_picture(reply)
	assert (code.image if code else None) == image


def test_the_other_route_is_asked_when_the_state_brings_no_picture(wire: responses.RequestsMock) -> None:
	wire.get(f"{URL}/api/shop1/status-session", json={"status": "QRCODE", "qrcode": None})
	wire.get(f"{URL}/api/shop1/qrcode-session", body=b"\x89PNG fake", content_type="image/png")
	code = driver().get_qr()
	assert code is not None
	assert code.image == PICTURE


@pytest.mark.parametrize(
	("term", "state"),
	[("QRCODE", "qr"), ("CONNECTED", "connected"), (None, "connecting"), ("?", "connecting")],
)
def test_a_start_of_a_session_that_is_up_says_so(term: str | None, state: str) -> None:
	assert session.started_from(answer({"status": term, "qrcode": PICTURE})).state == state


READERS: tuple[Callable[[Reply], object], ...] = (
	session.started_from,
	session.check_closed,
	session.check_logged_out,
	session.qr_from_status,
	session.qr_from_picture,
)
BODIES = st.binary(max_size=30) | st.dictionaries(
	st.sampled_from(["status", "qrcode", "message", "error"]),
	st.none() | st.booleans() | st.text() | st.integers() | st.lists(st.text()),
)


@given(st.integers(100, 599), BODIES, st.sampled_from(READERS))
def test_whatever_is_answered_is_understood_or_one_error(status: int, body: Any, reader: Any) -> None:
	try:
		understood = reader(answer(body, status))
	except SendError as error:
		assert not isinstance(error, UnknownOutcome)
	else:
		assert status in range(200, 300) or status == 500
		assert not isinstance(understood, SessionState) or understood.state in (
			"connecting",
			"connected",
			"qr",
		)
