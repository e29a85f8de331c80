"""Who is believed at the webhook endpoint, and who is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.drivers.base import DeviceConfig, NotVerified, WebhookCall
from khalifa_whatsapp.drivers.cloud_api import CloudApiDriver
from khalifa_whatsapp.drivers.cloud_api.verify import SIGNATURE_HEADER, sign
from khalifa_whatsapp.drivers.wppconnect import WppConnectDriver
from khalifa_whatsapp.drivers.wppconnect.verify import digest_of

RAW = b'{"a":"\\u0623"}'
CLOUD = CloudApiDriver(
	DeviceConfig("c", "cloud_api", app_secrets=("new", "old"), verify_token="tök", phone_number_id="6")
)
WPP = WppConnectDriver(
	DeviceConfig(
		"w", "wppconnect", session_name="s", webhook_secret_digests=(digest_of("new"), digest_of("old"))
	)
)


def signed(header: str, raw: bytes = RAW, method: str = "POST") -> WebhookCall:
	return WebhookCall(raw, {SIGNATURE_HEADER: header}, {}, method)


@pytest.mark.parametrize("secret", ["new", "old"])
def test_each_secret_in_rotation_is_believed(secret: str) -> None:
	CLOUD.verify(signed(sign(secret, RAW)))
	CLOUD.verify(signed(sign(secret, RAW).upper().replace("SHA256", "sha256")))
	WPP.verify(WebhookCall(RAW, {}, {"k": secret}))


GOOD = sign("new", RAW)


@pytest.mark.parametrize(
	"header",
	[
		"",
		"sha256=",
		GOOD[:-1],
		GOOD + "0",
		GOOD + "\n",
		" " + GOOD,
		GOOD.replace("sha256", "sha1"),
		GOOD.removeprefix("sha256="),
		GOOD + "," + GOOD,
		"é" * 71,
		"sha256=" + "٣" * 64,
		"sha256=" + "z" * 64,
		"x" * 8_192,
		sign("other", RAW),
		sign("", RAW),
		sign("new", RAW + b" "),
	],
	ids=lambda header: ascii(header[:14]),
)
def test_any_other_signature_is_not_believed(header: str) -> None:
	with pytest.raises(NotVerified):
		CLOUD.verify(signed(header))


def test_a_device_without_secrets_believes_nobody() -> None:
	for secrets in ((), ("",)):
		driver = CloudApiDriver(DeviceConfig("c", "cloud_api", app_secrets=secrets))
		for header in (sign("", RAW), "sha256="):
			with pytest.raises(NotVerified):
				driver.verify(signed(header))
		gateway = WppConnectDriver(DeviceConfig("w", "wppconnect", webhook_secret_digests=secrets))
		with pytest.raises(NotVerified):
			gateway.verify(WebhookCall(RAW, {}, {"k": ""}))


@pytest.mark.parametrize(
	"query", [{}, {"k": ""}, {"k": "wrong"}, {"k": digest_of("new")}, {"K": "new"}, {"k": "é"}]
)
def test_a_wrong_webhook_secret_is_not_believed(query: Mapping[str, str]) -> None:
	with pytest.raises(NotVerified):
		WPP.verify(WebhookCall(RAW, {}, query))


@given(st.text(), st.binary())
def test_no_header_and_no_body_breaks_the_endpoint(header: str, raw: bytes) -> None:
	with pytest.raises(NotVerified):
		CLOUD.verify(signed(header, raw))
	with pytest.raises(NotVerified):
		WPP.verify(WebhookCall(raw, {}, {"k": header}))


def check(method: str = "GET", **query: Any) -> str:
	whole = {"hub.mode": "subscribe", "hub.verify_token": "tök", "hub.challenge": "1158201444"}
	return CLOUD.handshake(WebhookCall(b"", {}, {**whole, **query}, method))


def test_the_subscription_check_is_answered_with_its_challenge() -> None:
	assert check() == "1158201444"


@pytest.mark.parametrize(
	"query",
	[
		{"hub.mode": "unsubscribe"},
		{"hub.mode": None},
		{"hub.verify_token": "tok"},
		{"hub.verify_token": ""},
		{"hub.verify_token": None},
		{"hub.verify_token": ["tök"]},
		{"hub.verify_token": "\ud83d"},
		{"hub.challenge": ""},
		{"hub.challenge": "<script>"},
		{"hub.challenge": None},
		{"hub.challenge": "1\n2"},
		{"hub.challenge": "1" * 5_000},
	],
	ids=str,
)
def test_any_other_subscription_check_is_refused(query: dict[str, Any]) -> None:
	with pytest.raises(NotVerified):
		check(**query)


def test_a_check_by_post_or_without_a_token_of_ours_is_refused() -> None:
	with pytest.raises(NotVerified):
		check("POST")
	query = {"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1"}
	with pytest.raises(NotVerified):
		CloudApiDriver(DeviceConfig("c", "cloud_api")).handshake(WebhookCall(b"", {}, query, "GET"))
	with pytest.raises(NotVerified):
		WPP.handshake(WebhookCall(b"", {}, query, "GET"))


def test_a_config_keeps_its_secrets_out_of_its_text() -> None:
	config = DeviceConfig("c", "cloud_api", access_token="tokentoken", app_secrets=("secretsecret",))
	assert "tokentoken" not in repr(config)
	assert "secretsecret" not in repr(config)
