"""What the gateway tells when asked: messages of a chat, unread ones, files, who is who.

Answers in, values out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import Any

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.abilities import FetchedMedia
from khalifa_whatsapp.drivers.base import Call, InboundMessage, Media, OutboundEcho, Permanent, Retryable
from khalifa_whatsapp.drivers.http import Reply
from khalifa_whatsapp.drivers.payload import dict_of, distinct, list_of, mime_of, text_of
from khalifa_whatsapp.drivers.wppconnect.errors import read_error
from khalifa_whatsapp.drivers.wppconnect.parse import parse
from khalifa_whatsapp.drivers.wppconnect.wid import is_ours, person, wid

MAX_ASKED = 100  # messages of a chat in one answer


def unread_from(reply: Reply, session_name: str) -> list[bytes]:
	"""Customers' unread messages as the posts that the gateway would have made of them."""
	posts = [_post("unreadmessages", item, session_name) for item in _messages(reply)]
	return [raw for raw in posts if isinstance(parse(raw, session_name)[0], InboundMessage | Call)]


def sent_from(reply: Reply, session_name: str) -> list[OutboundEcho]:
	"""What we said in a chat and WhatsApp has; a clock or a failure in the browser is not sent."""
	posts = [_post("onselfmessage", item, session_name) for item in _messages(reply) if _has_left(item)]
	events = [parse(raw, session_name)[0] for raw in posts]
	return [event for event in events if isinstance(event, OutboundEcho)]


def newest(echoes: Iterable[OutboundEcho], limit: int) -> list[OutboundEcho]:
	"""The last `limit` of these, each once, newest last."""
	distinct_ones = {echo.ref: echo for echo in echoes}.values()
	return sorted(distinct_ones, key=lambda echo: echo.sent_ms)[-limit:] if limit > 0 else []


def identities_from(reply: Reply, asked: Identity) -> tuple[Identity, ...]:
	"""The person's phone and privacy id, as far as the gateway knows both;
	the asked one is always among them.
	"""
	if not reply.is_success:
		raise read_error(reply)
	answer = reply.object() or {}
	identities = distinct(_identity(answer.get("phoneNumber")), _identity(answer.get("lid")), asked)
	return identities if asked in identities else (asked, *identities)


def media_limit(max_bytes: int) -> int:
	"""How long an answer with a file of this size may be: base64 adds a third."""
	return max_bytes * 4 // 3 + 65_536


def media_from(reply: Reply, media: Media, max_bytes: int) -> FetchedMedia:
	"""The file in an answer, if it is what the message said of it."""
	if not reply.is_success:
		raise _media_error(reply)
	answer = reply.object() or {}
	encoded, mime_type = answer.get("base64"), mime_of(text_of(answer.get("mimetype")))
	try:
		content = base64.b64decode(encoded, validate=True) if isinstance(encoded, str) else b""
	except ValueError:  # no base64 (binascii.Error), or letters beyond ASCII in it
		content = b""
	if not content:
		raise Retryable("The gateway could not read the file yet.", "no_file")
	check_size(len(content), max_bytes)
	_check_content(content, mime_type, media)
	return FetchedMedia(content, mime_type or mime_of(media.mime_type), media.file_name)


def check_size(size: int | None, max_bytes: int) -> None:
	"""`Permanent` when a file is bigger than we take."""
	if size is not None and size > max_bytes:
		raise Permanent("The file is bigger than what is taken here.", "too_big")


def _check_content(content: bytes, mime_type: str, media: Media) -> None:
	if media.mime_type and mime_type and mime_type != mime_of(media.mime_type):
		raise Permanent("The file is not of the kind that the message said.", "mime")
	if media.sha256:
		digest = hashlib.sha256(content).digest()
		given = (base64.b64encode(digest).decode(), digest.hex())
		if not any(hmac.compare_digest(one.encode(), media.sha256.encode()) for one in given):
			raise Permanent("The file is not the one that was sent.", "sha256")


def _media_error(reply: Reply) -> Exception:
	"""400: the browser has no such message, or it holds no file.

	500 also stands for a browser that is gone.
	"""
	if reply.status == 400:
		return Permanent("The file is gone from WhatsApp.", "gone")
	return read_error(reply)


def _messages(reply: Reply) -> list[dict[str, Any]]:
	if not reply.is_success:
		raise read_error(reply)
	answer = reply.object()
	items = answer.get("response") if answer is not None else None
	if not isinstance(items, list):
		raise Retryable("The gateway's answer holds no messages.", "no_messages")
	return [dict_of(item) for item in list_of(items) if isinstance(item, dict)]


def _post(event: str, message: dict[str, Any], session_name: str) -> bytes:
	"""A message inside the envelope of a post. Unlike the gateway's, this envelope can't be overwritten."""
	return json.dumps({**message, "event": event, "session": session_name}).encode()


def _has_left(message: dict[str, Any]) -> bool:
	"""Whether it is ours and WhatsApp has it."""
	ack = message.get("ack")
	return (
		is_ours(message.get("id")) is True and isinstance(ack, int) and not isinstance(ack, bool) and ack >= 1
	)


def _identity(value: Any) -> Identity | None:
	"""`{id, server, _serialized}`, where other answers say `user` for `id`."""
	holder = dict_of(value)
	whole = wid(holder) or (f"{text_of(holder.get('id'))}@{text_of(holder.get('server'))}" if holder else "")
	return person(whole)
