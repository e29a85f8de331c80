"""The ids of WhatsApp Web, which come as text in one event and as an object in the next."""

from __future__ import annotations

import re
from typing import Any

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import MessageRef
from khalifa_whatsapp.drivers.payload import Malformed, dict_of, id_of, identity_of

NOT_PEOPLE = ("@g.us", "@newsletter", "@broadcast")
OUT = "out"

# true_201001234567@c.us_3EB0…, in groups also _author@…, sometimes _out
_SERIALIZED = re.compile(r"(true|false)_([^_\s]+@[A-Za-z.]+)_([^_\s]+)(?:_(\S+))?")


def wid(value: Any) -> str:
	"""The text of an id that is a text, or an object with `_serialized`, or one with `user` and `server`."""
	if isinstance(value, dict):
		whole = id_of(value.get("_serialized"))
		user, server = id_of(value.get("user")), id_of(value.get("server"))
		return whole or (f"{user}@{server}" if user and server else "")
	return id_of(value)


def is_person(chat: str) -> bool:
	"""Whether a chat is with one person, not a group, a channel or the status list."""
	return not chat.endswith(NOT_PEOPLE)


def person(value: Any) -> Identity | None:
	"""Whom an id means; None for groups, channels and nonsense."""
	identity = identity_of(wid(value))
	return identity if identity is not None and identity.is_person else None


def ref_of(value: Any, chat: str = "", is_ours: bool | None = None) -> MessageRef:
	"""Our name for a message id. `chat` and `is_ours` fill in for an id that is only the hex part.

	A customer's phone chooses the hex part of what it sends, so an inbound id counts only inside its chat.
	For our own messages the chat is left out: the gateway calls one chat now by phone, now by LID.
	`Malformed` when the direction can't be told.
	"""
	match = _SERIALIZED.fullmatch(wid(value))
	if match:
		return MessageRef(match[3], OUT if match[1] == "true" else f"in|{match[2]}")
	bare = id_of(dict_of(value).get("id")) or wid(value)
	if not bare or is_ours is None or (not is_ours and not chat):
		raise Malformed("no id")
	return MessageRef(bare, OUT if is_ours else f"in|{chat}")


def chat_of(value: Any) -> str:
	"""The chat inside a message id, or nothing."""
	match = _SERIALIZED.fullmatch(wid(value))
	return match[2] if match else wid(dict_of(value).get("remote"))


def is_ours(value: Any) -> bool | None:
	"""Whether a message id says that we sent it; None when it does not say."""
	match = _SERIALIZED.fullmatch(wid(value))
	if match:
		return match[1] == "true"
	flag = dict_of(value).get("fromMe")
	return flag if isinstance(flag, bool) else None


def serialized(ref: MessageRef, chat: str) -> str:
	"""The gateway's own text for one of our refs. `chat` is used for messages of ours, which carry none."""
	if ref.scope.startswith("in|"):
		return f"false_{ref.scope[3:]}_{ref.gateway_id}"
	return f"true_{chat}_{ref.gateway_id}"


def chat_of_ref(ref: MessageRef) -> str:
	"""The chat that a customer's message came in, or nothing for one of ours."""
	return ref.scope[3:] if ref.scope.startswith("in|") else ""
