"""Whether a webhook call really comes from Meta."""

from __future__ import annotations

import hashlib
import hmac
import re

from khalifa_whatsapp.drivers.base import CannotVerify, DeviceConfig, NotVerified, WebhookCall

SIGNATURE_HEADER = "x-hub-signature-256"
APP_SECRETS = frozenset({"app_secret", "previous_app_secret"})

_SIGNATURE = re.compile(r"sha256=([0-9a-fA-F]{64})")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{1,200}")  # Meta sends digits; nothing that a browser could run


def sign(secret: str, raw: bytes) -> str:
	"""The header value that Meta puts on a body: HMAC-SHA256 with the app's secret, over the raw bytes."""
	return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def verify_signature(call: WebhookCall, config: DeviceConfig, header: str = SIGNATURE_HEADER) -> None:
	"""Raise `NotVerified` unless the body is signed with one of the app's secrets. All are tried, always."""
	if call.method != "POST":
		raise NotVerified("not a POST")
	given = call.headers.get(header)
	if not given:
		raise NotVerified("no signature")
	match = _SIGNATURE.fullmatch(given)
	if not match:
		raise NotVerified("not a sha256 signature")
	digest = "sha256=" + match[1].lower()
	matches = [hmac.compare_digest(sign(secret, call.raw), digest) for secret in config.app_secrets if secret]
	if any(matches):
		return
	if not APP_SECRETS.isdisjoint(config.unreadable):
		raise CannotVerify
	raise NotVerified("wrong signature" if matches else "the device has no app secret")


def answer_challenge(call: WebhookCall, config: DeviceConfig) -> str:
	"""The challenge to give back to Meta's subscription check; `NotVerified` when the token is not ours."""
	given = call.query.get("hub.verify_token")
	challenge = call.query.get("hub.challenge")
	if call.method != "GET" or call.query.get("hub.mode") != "subscribe":
		raise NotVerified("not a subscription check")
	if isinstance(given, str) and "verify_token" in config.unreadable:
		raise CannotVerify
	if not isinstance(given, str) or not config.verify_token or not _same(given, config.verify_token):
		raise NotVerified("wrong verify token")
	if not isinstance(challenge, str) or not _CHALLENGE.fullmatch(challenge):
		raise NotVerified("no challenge")
	return challenge


def _same(given: str, expected: str) -> bool:
	return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))
