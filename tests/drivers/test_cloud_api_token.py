"""When Meta says that an access token ends."""

from __future__ import annotations

import contextlib
import json

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.drivers.abilities import ExpiringLogin
from khalifa_whatsapp.drivers.base import AuthError, DeviceConfig, SendError
from khalifa_whatsapp.drivers.cloud_api import CloudApiDriver
from khalifa_whatsapp.drivers.cloud_api.number import token_end_from
from khalifa_whatsapp.drivers.http import Reply

TOKEN = "EAAG-secret"
JSON = st.recursive(
	st.none() | st.booleans() | st.integers() | st.text(),
	lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
	max_leaves=8,
)


def driver() -> CloudApiDriver:
	config = DeviceConfig(name="Shop", provider="cloud_api", access_token=TOKEN, api_version="v26.0")
	return CloudApiDriver(config)


def reply(body: object, status: int = 200) -> Reply:
	return Reply(status, {}, json.dumps(body).encode())


def test_the_driver_can_tell():
	assert isinstance(driver(), ExpiringLogin)


@responses.activate
def test_it_is_asked_with_the_token_itself_and_comes_in_milliseconds():
	url = "https://graph.facebook.com/v26.0/debug_token"
	responses.get(url, json={"data": {"expires_at": 1_800_000_000, "is_valid": True, "type": "USER"}})
	assert driver().login_ends_ms() == 1_800_000_000_000
	assert responses.calls[0].request.headers["Authorization"] == f"Bearer {TOKEN}"


@responses.activate
def test_a_refused_token_is_an_error_that_does_not_show_it():
	url = "https://graph.facebook.com/v26.0/debug_token"
	responses.get(url, status=401, json={"error": {"code": 190, "message": f"bad {TOKEN}"}})
	with pytest.raises(AuthError) as refused:
		driver().login_ends_ms()
	assert TOKEN not in refused.value.text


@pytest.mark.parametrize(
	("said", "ends_ms"),
	[
		({"expires_at": 0}, 0),
		({"expires_at": 1_800_000_000}, 1_800_000_000_000),
		({"expires_at": "1800000000"}, 1_800_000_000_000),
		({}, 0),
		({"expires_at": "soon"}, 0),
		({"expires_at": -1}, 0),
		({"expires_at": 10**40}, 0),
	],
)
def test_what_meta_says_and_does_not_say(said, ends_ms):
	assert token_end_from(reply({"data": said})) == ends_ms


@given(JSON, st.sampled_from((200, 400, 500)))
def test_whatever_comes_back_is_a_time_or_a_send_error(body, status):
	with contextlib.suppress(SendError):
		assert token_end_from(reply(body, status)) >= 0
