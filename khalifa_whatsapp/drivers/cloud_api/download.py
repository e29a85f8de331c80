"""Customers' files: what Meta says of one, from where it may be fetched, and whether it is what it was said
to be.

The address of a file comes from the network, and our token goes with the request: so only Meta's own hosts
are ever asked, whatever an answer or a redirect says.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from urllib.parse import urljoin

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from khalifa_whatsapp.drivers.abilities import FetchedMedia
from khalifa_whatsapp.drivers.base import Media, Permanent, RateLimited, Retryable, SendError
from khalifa_whatsapp.drivers.cloud_api.errors import code_of, error_from
from khalifa_whatsapp.drivers.http import Reply
from khalifa_whatsapp.drivers.payload import dict_of, mime_of, number_of, text_of

HOSTS = ("facebook.com", "fbcdn.net", "fbsbx.com", "whatsapp.net")  # and what is below them
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
MAX_REDIRECTS = 2
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Of a file's id: 33 no such object, 100 the same as newer versions say it, 131052 Meta can't get it any more
GONE = frozenset({33, 100, 131052})

_HEX = re.compile(r"[0-9a-fA-F]{64}")
_PRINTABLE = re.compile(r"[!-~]{1,4096}")


@dataclass(frozen=True, slots=True)
class MediaLocation:
	"""What Meta says of a file."""

	url: str
	mime_type: str
	digests: tuple[bytes, ...]  # sha256, of the webhook and of the look-up


def location_from(reply: Reply, media: Media, max_bytes: int) -> MediaLocation:
	"""Where the file is. `Permanent` when it is gone or too big."""
	answer = reply.object() or {}
	url = text_of(answer.get("url"))
	if not reply.is_success or not url:
		if code_of(dict_of(answer.get("error"))) in GONE:
			raise Permanent(
				"The file is no longer there. Ask the customer to send it again.", code="media_gone"
			)
		raise error_from(reply)
	size = number_of(answer.get("file_size"))
	if max(size or 0, media.size or 0) > max_bytes:
		raise too_big()
	given = (digest_of(media.sha256), digest_of(text_of(answer.get("sha256"))))
	mime_type = text_of(answer.get("mime_type"))[:255] or media.mime_type
	return MediaLocation(url, mime_type, tuple(digest for digest in given if digest is not None))


def fetched_from(reply: Reply, location: MediaLocation, media: Media) -> FetchedMedia:
	"""The file, checked.

	`Retryable` when the server of files gave an error, `Permanent` when it is another file.
	"""
	mime_type = mime_of(reply.headers.get("content-type", ""))
	is_error_page = mime_type == "text/html" and mime_of(location.mime_type) != "text/html"
	if not reply.is_success or is_error_page:
		raise _not_now(reply)
	digest = hashlib.sha256(reply.content).digest()
	if any(digest != given for given in location.digests):
		raise Permanent(
			"The file that came is not the one the customer sent. Ask for it again.", code="media_hash"
		)
	if not reply.content:
		raise Permanent("The customer's file is empty.", code="media_empty")
	return FetchedMedia(reply.content, location.mime_type or mime_type, media.file_name)


def is_redirect(reply: Reply) -> bool:
	"""Whether the file is said to be elsewhere."""
	return reply.status in REDIRECTS


def next_address(url: str, reply: Reply, own: str) -> str:
	"""The trusted address that the answer redirects to."""
	return trusted(urljoin(url, reply.headers.get("location", "")), own)


def trusted(url: str, own: str) -> str:
	"""The address, if our token may go there: https of Meta's hosts, or the device's own base URL on this
	machine.

	Read by the parser that opens the connection, for two parsers can be told two hosts.
	"""
	address = _parsed(url)
	if address is not None and (_is_metas(address) or _is_own(address, _parsed(own))):
		return url
	raise Permanent("The file's address is not one of WhatsApp's.", code="media_host")


def too_big() -> Permanent:
	"""The error for a file with more bytes than the company takes."""
	return Permanent("The customer's file is too big to be kept here.", code="media_size")


def digest_of(given: str) -> bytes | None:
	"""The bytes of a sha256 that Meta gives in hex or in base64; None when it is neither."""
	if _HEX.fullmatch(given):
		return bytes.fromhex(given)
	try:
		digest = base64.b64decode(given, validate=True)
	except (binascii.Error, ValueError):
		return None
	return digest if len(digest) == hashlib.sha256().digest_size else None


def _parsed(url: str) -> Url | None:
	if not _PRINTABLE.fullmatch(url) or "\\" in url:
		return None
	try:
		address = parse_url(url)
	except LocationParseError:
		return None
	return address if address.host and address.auth is None else None


def _is_metas(address: Url) -> bool:
	host = (address.host or "").lower()
	is_known = any(host == name or host.endswith(f".{name}") for name in HOSTS)
	return address.scheme == "https" and address.port in (None, 443) and is_known


def _is_own(address: Url, own: Url | None) -> bool:
	"""A simulator answers on the loopback, where there is no https and nobody between."""
	if own is None or (own.host or "").strip("[]") not in LOOPBACK:
		return False
	return (address.scheme, address.host, address.port) == (own.scheme, own.host, own.port)


def _not_now(reply: Reply) -> SendError:
	"""Every refusal of the server of files: its addresses live five minutes,
	so asking for a new one may help.
	"""
	if reply.status == 429:
		return RateLimited("Too many requests.", "http_429", reply.retry_after())
	return Retryable("The file can't be fetched just now.", code=f"http_{reply.status}")
