"""Whether a webhook call comes from our gateway. It signs nothing: it can only prove its address."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from khalifa_whatsapp.drivers.base import NotVerified, WebhookCall

SECRET_PARAMETER = "k"


def digest_of(secret: str) -> str:
	"""What the device keeps of a webhook secret: SHA-256 in hex. Nobody can call with it."""
	return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def verify_secret(call: WebhookCall, digests: Sequence[str]) -> None:
	"""Raise `NotVerified` unless the address holds a secret of this device. All digests are tried, always."""
	if call.method != "POST":
		raise NotVerified("not a POST")
	given = call.query.get(SECRET_PARAMETER)
	if not isinstance(given, str) or not given:
		raise NotVerified("no webhook secret")
	given_digest = digest_of(given).encode()
	matches = [hmac.compare_digest(given_digest, digest.lower().encode()) for digest in digests if digest]
	if not any(matches):
		raise NotVerified("wrong webhook secret" if matches else "the device has no webhook secret")
