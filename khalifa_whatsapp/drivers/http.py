"""The one way drivers speak HTTP: always with timeouts, never following a redirect, never saying a secret.

Every transport failure ends here as one of two things: surely not sent (`Retryable`), or nobody knows
(`UnknownOutcome`). What an answer means is each driver's to say.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.auth import AuthBase
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError

from khalifa_whatsapp.drivers.base import (
	AuthError,
	Permanent,
	RateLimited,
	Retryable,
	SendError,
	UnknownOutcome,
)
from khalifa_whatsapp.drivers.deadline import Deadline, DeadlineAdapter

MAX_ANSWER_BYTES = 4 * 1024 * 1024
CHUNK_BYTES = 16 * 1024
MAX_RETRY_AFTER = 24 * 3600.0  # seconds: no gateway may stop us for longer than a day
USER_AGENT = "khalifa-whatsapp"

_SECRET = re.compile(r"[A-Za-z0-9_\-+/=.$|]{24,}")
_DIGITS = re.compile(r"\d[\d ()\-]{5,}\d")
_NEVER_CONNECTED = (ConnectTimeoutError, NewConnectionError)  # a name without address is one of the second
_HANDSHAKE = ("CERTIFICATE", "HANDSHAKE", "VERSION", "PROTOCOL")  # in OpenSSL's own reasons


@dataclass(frozen=True, slots=True)
class Reply:
	"""What a gateway answered, whole and in memory. Header names are lower case."""

	status: int
	headers: Mapping[str, str]
	content: bytes

	@property
	def is_success(self) -> bool:
		"""Whether the gateway says that all went well (2xx)."""
		return 200 <= self.status < 300

	def object(self) -> dict[str, Any] | None:
		"""The JSON object it holds, or None when it holds something else."""
		try:
			value = json.loads(self.content)
		except (ValueError, RecursionError):
			return None
		return value if isinstance(value, dict) else None

	def retry_after(self) -> float | None:
		"""Seconds the gateway asks us to wait, if it says so in seconds."""
		given = self.headers.get("retry-after", "").strip()
		if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", given):
			return None
		return min(float(given), MAX_RETRY_AFTER)


class _Bearer(AuthBase):
	"""The token as an auth object: a plain header would give way to the password of a `.netrc`."""

	def __init__(self, token: str, scheme: str) -> None:
		self.token, self.scheme = token, scheme

	def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
		if self.token:
			request.headers["Authorization"] = f"{self.scheme} {self.token}"
		return request


class HttpClient:
	"""A connection pool of one driver.

	Timeouts are seconds; a call may take `total_factor` read timeouts in all.
	"""

	total_factor = 4.0

	def __init__(self, connect_timeout: float = 5.0, read_timeout: float = 30.0) -> None:
		self.connect_timeout = connect_timeout
		self.read_timeout = read_timeout
		self._session = requests.Session()
		self._session.headers["User-Agent"] = USER_AGENT
		self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # no memory between calls
		adapter = DeadlineAdapter(max_retries=0, pool_maxsize=4)
		self._session.mount("https://", adapter)
		self._session.mount("http://", adapter)

	def request(
		self,
		method: str,
		url: str,
		*,
		token: str = "",
		scheme: str = "Bearer",
		max_bytes: int = MAX_ANSWER_BYTES,
		total_timeout: float | None = None,
		**body: Any,
	) -> Reply:
		"""Ask, and give whatever was answered. `body`: requests' own `json`, `data`, `files`, `params` or
		`headers`. `scheme`: the word before the token.

		`Retryable` when no connection came about, `UnknownOutcome` when it broke later, `AuthError` or
		`Permanent` when token or address can't even be written down.
		"""
		_check_token(token)
		with Deadline(total_timeout or self.total_factor * self.read_timeout) as deadline:
			try:
				reply = self._exchange(method, url, _Bearer(token, scheme), max_bytes, body)
			except (requests.exceptions.RequestException, HTTPError) as error:
				failure = transport_error(error)
				is_cut = deadline.is_over and isinstance(failure, UnknownOutcome)
				# `from None`: the error's own text may hold the address with its query
				raise (_too_slow() if is_cut else failure) from None
			if deadline.is_over:  # what looks whole may be cut
				raise _too_slow()
			return reply

	def close(self) -> None:
		"""Give the connections back."""
		self._session.close()

	def _exchange(self, method: str, url: str, auth: _Bearer, max_bytes: int, body: dict[str, Any]) -> Reply:
		with self._session.request(
			method,
			url,
			auth=auth,
			timeout=(self.connect_timeout, self.read_timeout),
			allow_redirects=False,
			stream=True,
			**body,
		) as response:
			return _read(response, max_bytes)


def _read(response: requests.Response, max_bytes: int) -> Reply:
	content = bytearray()
	for chunk in response.iter_content(CHUNK_BYTES):
		content += chunk
		if len(content) > max_bytes:
			raise UnknownOutcome("The gateway's answer does not end.", code="endless")
	headers = {name.lower(): value for name, value in response.headers.items()}
	return Reply(response.status_code, headers, bytes(content))


def _too_slow() -> UnknownOutcome:
	return UnknownOutcome("The gateway did not answer in time.", code="deadline")


def transport_error(error: Exception) -> SendError:
	"""What a failure of the connection means for a send. Total: everything unknown is `UnknownOutcome`."""
	if isinstance(error, requests.exceptions.ReadTimeout):
		return UnknownOutcome("The gateway did not answer in time.", code="read_timeout")
	if isinstance(error, requests.exceptions.ConnectTimeout):
		return Retryable("The gateway can't be reached (timeout).", code="connect_timeout")
	if isinstance(error, requests.exceptions.SSLError) and _is_handshake(_cause(error)):
		return Retryable("No safe connection to the gateway: check its certificate.", code="tls")
	if isinstance(error, requests.exceptions.ProxyError) or isinstance(_cause(error), _NEVER_CONNECTED):
		return Retryable("The gateway can't be reached.", code="connect")
	if isinstance(error, requests.exceptions.InvalidHeader):
		return AuthError("The access token holds characters that no token has.", code="token")
	if isinstance(error, ValueError) and not isinstance(error, requests.exceptions.JSONDecodeError):
		return Permanent("The gateway's address is not a valid URL.", code="url")
	return UnknownOutcome("The connection to the gateway broke.", code="reset")


def answer_without_code(reply: Reply) -> SendError:
	"""What an answer means by its HTTP status alone, when the gateway gave no code that we know. Total."""
	status, code = reply.status, f"http_{reply.status}"
	if status == 429:
		return RateLimited("Too many requests.", code, reply.retry_after())
	if status in (401, 403, 407):
		return AuthError("The gateway does not accept the access token.", code)
	if 300 <= status < 400:
		return Retryable("The gateway's address only redirects: check the base URL.", code)
	if 400 <= status < 500 and status != 408:
		return Permanent("The gateway refused the request.", code)
	if reply.is_success:
		return UnknownOutcome("The gateway's answer can't be read.", code)
	return UnknownOutcome("The gateway failed while it worked on the request.", code)


def surely_not_sent(error: SendError) -> SendError:
	"""The same failure for a call that can't have sent anything: doubt becomes `Retryable`."""
	return Retryable(error.text, error.code) if isinstance(error, UnknownOutcome) else error


@contextmanager
def asking() -> Iterator[None]:
	"""Around calls that send nothing, and may be made again: doubt becomes `Retryable`."""
	try:
		yield
	except SendError as error:
		raise surely_not_sent(error) from None


def mask(text: str) -> str:
	"""A gateway's own words without phone numbers and tokens, short enough to show."""
	return _DIGITS.sub("…", _SECRET.sub("…", text))[:300]


def _check_token(token: str) -> None:
	if not (token.isascii() and token.isprintable()):
		raise AuthError("The access token holds characters that no token has.", code="token")


def _cause(error: BaseException) -> object:
	"""What urllib3 met, below the two layers that requests wraps around it."""
	cause: object = error.args[0] if error.args else None
	return cause.reason if isinstance(cause, MaxRetryError) else cause


def _is_handshake(cause: object) -> bool:
	"""Whether TLS failed before anything was said; an end of file may come after the request as well."""
	inner = cause.args[0] if isinstance(cause, Exception) and cause.args else cause
	name = getattr(inner, "reason", None) or ""
	return isinstance(inner, ssl.SSLCertVerificationError) or any(fragment in name for fragment in _HANDSHAKE)
