"""The right to call a session: a token of the device's own, or one that the gateway makes for its secret.

Such a token never expires and is worth the account: it lives in this object alone. The gateway wants the
secret inside an address, so addresses are masked before a logger of the connections can write them down.
"""

from __future__ import annotations

import logging
import re
from typing import Any
from urllib.parse import quote

from khalifa_whatsapp.drivers.base import AuthError, DeviceConfig, Retryable, SendError
from khalifa_whatsapp.drivers.http import HttpClient, Reply, answer_without_code, surely_not_sent
from khalifa_whatsapp.drivers.payload import text_of
from khalifa_whatsapp.drivers.wppconnect.errors import is_token_refused

BASE_URL = "http://127.0.0.1:21465"

_SECRET_IN_PATH = re.compile(r"(/api/[^/\s]+)/[^/\s]+(?=/generate-token)")


class _MaskedPaths(logging.Filter):
	"""Takes the secret out of what the connection pool would log at its lowest level."""

	def filter(self, record: logging.LogRecord) -> bool:
		if isinstance(record.args, tuple):
			record.args = tuple(
				_SECRET_IN_PATH.sub(r"\1/…", one) if isinstance(one, str) else one for one in record.args
			)
		return True


logging.getLogger("urllib3.connectionpool").addFilter(_MaskedPaths())


class Login:
	"""Calls to one session, each with a token that the gateway takes."""

	def __init__(self, config: DeviceConfig, http: HttpClient) -> None:
		self._http, self._config = http, config
		self._given, self._secret = config.access_token, config.gateway_secret
		self._token = self._given
		base = config.base_url.rstrip("/") or BASE_URL
		self._url = f"{base}/api/{quote(config.session_name, safe='')}"

	def request(self, method: str, path: str, **body: Any) -> Reply:
		"""Ask the session.

		A token that was refused is renewed once, which is safe: it is looked at before all else.
		"""
		reply = self._ask(method, path, self._token or self._renewed(), body)
		if is_token_refused(reply) and self._secret and not self._given:
			reply = self._ask(method, path, self._renewed(), body)
		return reply

	def _ask(self, method: str, path: str, token: str, body: dict[str, Any]) -> Reply:
		return self._http.request(method, f"{self._url}/{path}", token=token, **body)

	def _renewed(self) -> str:
		"""A new token. Raises `AuthError` for a wrong secret, `Retryable` when nobody can be asked."""
		self._config.check_login()
		if not self._secret:
			raise AuthError(
				"The device has neither an access token nor the gateway's secret: enter one.", "no_login"
			)
		self._token = ""
		try:
			self._token = token_from(self._generate())
		except SendError as error:
			raise surely_not_sent(error) from None
		return self._token

	def _generate(self) -> Reply:
		address = f"{self._url}/{quote(self._secret, safe='')}/generate-token"
		return self._http.request("POST", address)


def token_from(reply: Reply) -> str:
	"""The token in an answer to generate-token, or the error that it means."""
	answer = reply.object() or {}
	if reply.status == 400:
		raise AuthError("The gateway does not accept its secret: enter its SECRET_KEY anew.", "secret")
	if reply.status == 404:
		raise AuthError("The gateway does not know this address or session: check the base URL.", "http_404")
	if not reply.is_success:
		raise answer_without_code(reply)
	token = text_of(answer.get("token"))
	if not token:
		raise Retryable("The gateway gave no token.", "no_token")
	return token
