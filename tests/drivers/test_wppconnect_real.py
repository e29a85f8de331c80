"""The WPPConnect driver against a real server, if one is named: `WPPCONNECT_URL` and `WPPCONNECT_SECRET`.

Take a server that serves nobody: sessions are started here, and a start that is broken off leaves a browser
behind. No phone is needed, nothing is sent to anybody.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	AuthError,
	DeviceConfig,
	Media,
	MessageRef,
	OutgoingContacts,
	OutgoingLocation,
	OutgoingMedia,
	OutgoingReaction,
	OutgoingText,
	Retryable,
	SendError,
)
from khalifa_whatsapp.drivers.wppconnect import WppConnectDriver

URL, SECRET = os.environ.get("WPPCONNECT_URL", ""), os.environ.get("WPPCONNECT_SECRET", "")
REAL = Path(__file__).parent.parent / "data" / "wppconnect" / "real"
PHONE = Identity("phone", "+201001234567")
REF = MessageRef("3AFAKE0001", "in|201001234567@c.us")
OURS = MessageRef("3EB0FAKE0001", "out")
WEBHOOK = "http://127.0.0.1:9/hook?k=FAKE"
NEVER, CLOSED = "never started", "closed"

pytestmark = pytest.mark.skipif(
	not (URL and SECRET), reason="no WPPConnect Server is named in WPPCONNECT_URL and WPPCONNECT_SECRET"
)


def driver_of(session_name: str, **more: str) -> WppConnectDriver:
	settings = {"gateway_secret": SECRET, "webhook_url": WEBHOOK, **more}
	return WppConnectDriver(
		DeviceConfig(
			"real", "wppconnect", base_url=URL, session_name=session_name, read_timeout=60, **settings
		)
	)


@pytest.fixture
def session_name() -> Iterator[str]:
	"""A session that this server has never heard of, closed at the end."""
	name = f"test-{secrets.token_hex(6)}"
	yield name
	driver_of(name).stop_session()


@pytest.fixture
def driver(session_name: str) -> WppConnectDriver:
	return driver_of(session_name)


def test_a_session_that_was_never_started_is_disconnected_and_shows_no_code(driver: WppConnectDriver) -> None:
	assert driver.get_status().state == "disconnected"
	assert driver.get_qr() is None
	driver.stop_session()


@pytest.mark.parametrize(
	"login", [{"gateway_secret": "wrong"}, {"access_token": "wrong"}, {"gateway_secret": ""}]
)
def test_a_wrong_login_is_a_matter_for_a_person(session_name: str, login: dict[str, str]) -> None:
	stranger = driver_of(session_name, **login)
	for call in (stranger.get_status, stranger.start_session, lambda: send(stranger, "x")):
		with pytest.raises(AuthError) as caught:
			call()
		assert SECRET not in str(caught.value)


def test_a_token_that_the_server_refuses_is_renewed(driver: WppConnectDriver) -> None:
	driver.get_status()
	driver._login._token = "$2b$10$from.before.the.secret.was.changed"
	assert driver.get_status().state == "disconnected"


def send(driver: WppConnectDriver, body: str) -> object:
	return driver.send(OutgoingText(recipient=(PHONE,), body=body))


CALLS: dict[str, Callable[[WppConnectDriver], object]] = {
	"text": lambda it: send(it, "أهلاً"),
	"image": lambda it: it.send(
		OutgoingMedia(recipient=(PHONE,), kind="image", content=b"x", mime_type="image/jpeg")
	),
	"voice": lambda it: it.send(
		OutgoingMedia(recipient=(PHONE,), kind="voice", content=b"x", mime_type="audio/ogg")
	),
	"location": lambda it: it.send(OutgoingLocation(recipient=(PHONE,), latitude=31, longitude=31)),
	"contact": lambda it: it.send(OutgoingContacts(recipient=(PHONE,), cards=(("منى", "+201223456789"),))),
	"reaction": lambda it: it.send(OutgoingReaction(recipient=(PHONE,), target=OURS, emoji="👍")),
	"read": lambda it: it.mark_read(REF, (PHONE,), is_typing=True),
	"unread": lambda it: it.missed_webhook_events(),
	"last": lambda it: it.last_sent((PHONE,)),
	"resolve": lambda it: it.resolve(PHONE),
	"file": lambda it: it.fetch_media(Media("false_201001234567@c.us_3AFAKE0001"), REF, 1_000),
	"log out": lambda it: it.log_out(),
}


@pytest.mark.parametrize("name", CALLS)
def test_without_a_live_session_every_call_may_work_later(driver: WppConnectDriver, name: str) -> None:
	with pytest.raises(Retryable):
		CALLS[name](driver)


def test_a_start_that_can_not_end_can_be_closed(driver: WppConnectDriver) -> None:
	assert driver.start_session().state == "connecting"
	until = time.monotonic() + 30
	while (state := driver.get_status().state) == "disconnected":
		assert time.monotonic() < until
		time.sleep(0.2)
	assert state in ("connecting", "qr")
	for name in ("text", "unread", "log out"):
		with pytest.raises(SendError):
			CALLS[name](driver)
	driver.stop_session()
	assert driver.get_status().state == "disconnected"


def shapes() -> list[tuple[str, dict[str, Any]]]:
	"""What was recorded, ordered so that a session goes once through its life."""
	recorded = [
		(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in sorted(REAL.glob("*.json"))
	]
	states = {NEVER: 0, CLOSED: 2}
	last = ("close_unknown", "start", "close_initializing", "start_closed")
	kept = [one for one in recorded if isinstance(one[1]["body"], dict)]
	return sorted(kept, key=lambda one: (states.get(one[1]["session_before"], 1), one[0] in last, one[0]))


def test_the_recorded_answers_are_still_given(session_name: str) -> None:
	base = f"{URL}/api/{session_name}"
	made = requests.post(f"{base}/{quote(SECRET, safe='')}/generate-token", timeout=60).json()
	good = {"good": {"Authorization": f"Bearer {made['token']}"}, "wrong": {"Authorization": "Bearer wrong"}}
	for name, shape in shapes():
		method, _, path = shape["call"].partition(" ")
		address = path.replace("/api/shop1/", f"/api/{session_name}/").replace(
			"SECRET_KEY", quote(SECRET, safe="")
		)
		body = {"json": shape["json"]} if shape["json"] is not None else {}
		headers = good.get(shape["token"], {})
		answer = requests.request(method, URL + address, headers=headers, timeout=60, **body)
		assert (name, answer.status_code) == (name, shape["status"])
		given = answer.json()
		assert (name, set(given)) == (name, set(shape["body"]))
		for key in set(given) - {"token", "full", "session", "version"}:
			assert (name, given[key]) == (name, shape["body"][key])
