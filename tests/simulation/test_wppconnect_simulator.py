"""The simulated WPPConnect Server: it answers as the real one did,
and the driver can do with it all that it can do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	AuthError,
	InboundMessage,
	Media,
	OutgoingContacts,
	OutgoingLocation,
	OutgoingMedia,
	OutgoingReaction,
	OutgoingText,
	Permanent,
	Retryable,
	SendError,
	UnknownOutcome,
)
from khalifa_whatsapp.drivers.wppconnect import WppConnectDriver
from simulation.simulators import Person, WppConnectSimulator

REAL = Path(__file__).parent.parent / "data" / "wppconnect" / "real"
SHAPES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(REAL.glob("*.json"))}
TOO_BIG = "send_too_big"  # 51 MB that need not travel in every run
START_MS = 1_795_160_400_000
SAMY = Person(digits="201001234567", name="سامي")
MONA = Person(digits="201223456789", name="منى", lid="98765432109876")
PHONE, MONA_PHONE = Identity("phone", "+201001234567"), Identity("phone", "+201223456789")
MONA_LID = Identity("lid", MONA.lid)


class Clock:
	def __init__(self) -> None:
		self.ms = START_MS

	def __call__(self) -> int:
		return self.ms


@pytest.fixture
def clock() -> Clock:
	return Clock()


@pytest.fixture
def wpp(clock: Clock) -> Iterator[WppConnectSimulator]:
	with WppConnectSimulator(clock, stall_seconds=2) as simulator:
		yield simulator


@pytest.fixture
def driver(wpp: WppConnectSimulator) -> WppConnectDriver:
	return driver_of(wpp)


def driver_of(wpp: WppConnectSimulator, **more: Any) -> WppConnectDriver:
	settings = {
		"access_token": "",
		"gateway_secret": wpp.secret_key,
		"webhook_url": "http://127.0.0.1:9/k",
		**more,
	}
	return WppConnectDriver(wpp.config(**settings))


def bring_to(wpp: WppConnectSimulator, before: str) -> None:
	"""Bring the session into the state in which a shape was recorded."""
	wpp.session.forget()
	wpp.session.is_stuck = True
	headers = {"Authorization": f"Bearer {wpp.access_token}"}
	for route in {"never started": [], "closed": ["start", "close"]}.get(before, ["start"]):
		requests.post(f"{wpp.url}/api/shop1/{route}-session", json={}, headers=headers, timeout=5)


def ask(wpp: WppConnectSimulator, shape: dict[str, Any]) -> requests.Response:
	method, _, path = shape["call"].partition(" ")
	tokens = {
		"good": {"Authorization": f"Bearer {wpp.access_token}"},
		"wrong": {"Authorization": "Bearer wrong"},
	}
	body: dict[str, Any] = {"json": shape["json"]} if shape["json"] is not None else {}
	headers = dict(tokens.get(shape["token"], {}))
	if isinstance(shape["json"], str):
		body = {"data": shape["json"]}
		headers["Content-Type"] = "application/json"
	address = wpp.url + path.replace("SECRET_KEY", wpp.secret_key)
	return requests.request(method, address, headers=headers, timeout=5, **body)


@pytest.mark.parametrize("name", [name for name in SHAPES if name != TOO_BIG])
def test_it_answers_as_the_real_server_did(wpp: WppConnectSimulator, name: str) -> None:
	shape = SHAPES[name]
	bring_to(wpp, shape["session_before"])
	answer = ask(wpp, shape)
	assert answer.status_code == shape["status"]
	if shape["body"] == "<html>":
		assert answer.headers["Content-Type"] == shape["content_type"]
		return
	given, expected = answer.json(), dict(shape["body"])
	for key in ("token", "full"):
		assert bool(given.pop(key, "")) == bool(expected.pop(key, ""))
	assert given == expected


def test_the_driver_makes_its_token_and_survives_a_change_of_the_secret(wpp: WppConnectSimulator) -> None:
	driver = driver_of(wpp)
	assert driver.get_status().state == "connected"
	assert len(wpp.tokens) == 1
	wpp.tokens.clear()  # the server does not know it any more
	assert driver.send(OutgoingText(recipient=(PHONE,), body="أهلاً")).ref.gateway_id
	assert len(wpp.tokens) == 1
	wpp.change_secret("another")
	with pytest.raises(AuthError):
		driver.send(OutgoingText(recipient=(PHONE,), body="أهلاً"))
	assert len(wpp.sent_log) == 1


def test_a_login_goes_from_closed_over_a_code_to_connected(
	wpp: WppConnectSimulator, driver: WppConnectDriver, clock: Clock
) -> None:
	wpp.session.forget()
	wpp.session.has_login, wpp.session.boot_ms = False, 5_000
	assert driver.get_status().state == "disconnected"
	assert driver.start_session().state == "connecting"
	assert wpp.session.webhook == "http://127.0.0.1:9/k"
	assert (driver.get_status().state, driver.get_qr()) == ("connecting", None)
	clock.ms += 5_000
	assert driver.get_status().state == "qr"
	first = driver.get_qr()
	clock.ms += 20_000
	second = driver.get_qr()
	assert first is not None and second is not None
	assert first.image.startswith("data:image/png;base64,")
	assert first.image != second.image
	wpp.set_connected(True)
	assert (driver.get_status().state, driver.get_qr()) == ("connected", None)


def test_stop_keeps_the_login_and_log_out_does_not(
	wpp: WppConnectSimulator, driver: WppConnectDriver
) -> None:
	driver.stop_session()
	assert driver.get_status().state == "disconnected"
	driver.stop_session()
	driver.start_session()
	assert driver.get_status().state == "connected"
	driver.log_out()
	assert driver.get_status().state == "disconnected"
	with pytest.raises(Retryable):
		driver.log_out()
	driver.start_session()
	assert driver.get_status().state == "qr"
	terms = [state.detail for post in wpp.take() for state in driver.parse(post.raw)]  # type: ignore[union-attr]
	assert terms == ["closesession", "logoutsession"]


def test_a_hung_browser_is_not_believed(wpp: WppConnectSimulator, driver: WppConnectDriver) -> None:
	wpp.session.is_hung = True
	status = driver.get_status()
	assert (status.state, status.detail) == ("disconnected", "CONNECTED")


@pytest.mark.parametrize(
	("message", "route", "kind"),
	[
		(OutgoingText(recipient=(PHONE,), body="أهلاً"), "send-message", "text"),
		(
			OutgoingMedia(recipient=(PHONE,), kind="image", content=b"x", mime_type="image/jpeg"),
			"send-image",
			"image",
		),
		(
			OutgoingMedia(recipient=(PHONE,), kind="voice", content=b"x", mime_type="audio/ogg"),
			"send-voice-base64",
			"voice",
		),
		(OutgoingLocation(recipient=(PHONE,), latitude=31, longitude=31), "send-location", "location"),
		(
			OutgoingContacts(recipient=(PHONE,), cards=(("منى", "+201223456789"),)),
			"contact-vcard",
			"contacts",
		),
	],
)
def test_everything_it_carries_is_found_again_in_the_chat(
	wpp: WppConnectSimulator, driver: WppConnectDriver, message: Any, route: str, kind: str
) -> None:
	accepted = driver.send(message)
	assert [(row.kind, row.to) for row in wpp.sent_log.rows()] == [(route, SAMY.digits)]
	(echo,) = driver.last_sent((PHONE,))
	assert (echo.ref, echo.content_type, echo.sent_ms) == (accepted.ref, kind, START_MS)


def test_a_reaction_is_no_message_of_the_chat(wpp: WppConnectSimulator, driver: WppConnectDriver) -> None:
	accepted = driver.send(OutgoingText(recipient=(PHONE,), body="أهلاً"))
	reaction = driver.send(
		OutgoingReaction(recipient=(PHONE,), target=accepted.ref, emoji="👍", callback="WA-2")
	)
	assert reaction.ref != accepted.ref
	assert wpp.sent_log.rows()[1].payload["msgId"] == f"true_{SAMY.wid}_{accepted.ref.gateway_id}"
	assert len(driver.last_sent((PHONE,))) == 1


def test_a_doubtful_send_is_found_and_a_failed_one_is_not(
	wpp: WppConnectSimulator, driver: WppConnectDriver
) -> None:
	for mode, kind in (("reset", UnknownOutcome), ("500", UnknownOutcome), ("ack-1", Permanent)):
		wpp.fail_next(mode)
		with pytest.raises(kind):
			driver.send(OutgoingText(recipient=(PHONE,), body=mode))
	assert [echo.body for echo in driver.last_sent((PHONE,))] == ["reset"]


def test_a_chat_is_looked_for_under_every_id(wpp: WppConnectSimulator, driver: WppConnectDriver) -> None:
	wpp.know(MONA)
	accepted = driver.send(OutgoingText(recipient=(MONA_PHONE,), body="أهلاً"))
	assert [echo.ref for echo in driver.last_sent((MONA_PHONE, MONA_LID))] == [accepted.ref]
	with pytest.raises(Retryable):
		driver.last_sent((MONA_PHONE,))  # the browser keeps the chat under the privacy id
	assert driver.last_sent((Identity("bsuid", "EG.9"),)) == []


def test_the_last_words_are_the_newest(
	wpp: WppConnectSimulator, driver: WppConnectDriver, clock: Clock
) -> None:
	for number in range(5):
		clock.ms += 1_000
		driver.send(OutgoingText(recipient=(PHONE,), body=str(number)))
		wpp.customer_text(SAMY, f"answer {number}")
	assert [echo.body for echo in driver.last_sent((PHONE,), limit=2)] == ["3", "4"]


def test_a_lost_webhook_is_found_among_the_unread(wpp: WppConnectSimulator, driver: WppConnectDriver) -> None:
	wpp.customer_text(SAMY, "وصلت؟")
	wpp.customer_media(MONA, "image", b"\xff\xd8", "image/jpeg", "الفاتورة")
	posted = [driver.parse(post.raw)[0] for post in wpp.take()]
	missed = [driver.parse(raw)[0] for raw in driver.missed_webhook_events()]
	assert all(isinstance(event, InboundMessage) for event in missed)
	assert [event.ref for event in missed] == [event.ref for event in posted]  # type: ignore[union-attr]
	assert [event.body for event in missed] == ["وصلت؟", "الفاتورة"]  # type: ignore[union-attr]


def test_what_is_marked_as_read_is_unread_no_more(wpp: WppConnectSimulator, driver: WppConnectDriver) -> None:
	for person in (SAMY, MONA):
		wpp.customer_text(person, "سؤال")
	events = [driver.parse(post.raw)[0] for post in wpp.take()]
	for event in events:
		assert isinstance(event, InboundMessage)
		driver.mark_read(event.ref, event.sender, is_typing=True)
	assert driver.missed_webhook_events() == []
	assert wpp.typing == [SAMY.wid]  # Mona's id would be taken for a stranger's phone


def test_a_customers_file_is_fetched_whole_or_not_at_all(
	wpp: WppConnectSimulator, driver: WppConnectDriver
) -> None:
	content = bytes(range(256)) * 24_000  # bigger than other answers may be
	wpp.customer_media(SAMY, "document", content, "application/pdf")
	(event,) = driver.parse(wpp.take()[0].raw)
	assert isinstance(event, InboundMessage) and event.media is not None
	assert driver.fetch_media(event.media, event.ref, len(content)).content == content
	assert driver.fetch_media(Media(), event.ref, len(content)).mime_type == "application/pdf"
	for limit in (len(content) - 1, 1_000_000):
		for media in (event.media, Media()):
			with pytest.raises(Permanent):
				driver.fetch_media(media, event.ref, limit)
	with pytest.raises(Permanent):
		driver.fetch_media(Media(media_id="false_201001234567@c.us_3ANONE"), event.ref, 1_000)


def test_who_is_who(wpp: WppConnectSimulator, driver: WppConnectDriver) -> None:
	wpp.know(MONA)
	assert driver.resolve(MONA_LID) == driver.resolve(MONA_PHONE) == (MONA_PHONE, MONA_LID)
	assert driver.resolve(PHONE) == (PHONE,)
	assert driver.resolve(Identity("bsuid", "EG.9")) == (Identity("bsuid", "EG.9"),)


def test_a_gateway_that_is_gone_is_never_a_doubtful_send() -> None:
	with WppConnectSimulator(Clock()) as gone:
		driver = driver_of(gone, connect_timeout=0.3)
		driver.get_status()
	for call in (
		driver.get_status,
		driver.start_session,
		driver.stop_session,
		driver.log_out,
		driver.get_qr,
		driver.missed_webhook_events,
		lambda: driver.last_sent((PHONE,)),
		lambda: driver.resolve(PHONE),
	):
		with pytest.raises(SendError) as caught:
			call()
		assert caught.value.kind == "retryable"
