"""Between web workers and the process that owns the browsers: a request in its queue, and answers that are
never stored.

Commands are rows (`core.lease`); Redis only wakes. A code to scan goes through Redis alone, to one caller,
for seconds: whoever scans it owns the account, so it is in no table and in no log.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import frappe
import redis

from khalifa_whatsapp.bootstrap import now_ms

ANSWER_SECONDS = 8
EXPIRE_SECONDS = 10
MARK_SECONDS = 20
_MARK = "khalifa_gateway"


@dataclass(frozen=True, slots=True)
class Call:
	"""What a web worker asks of the process, and where it waits for the answer."""

	device: str
	what: str
	answer_key: str
	until_ms: int


def connection() -> redis.Redis:
	"""Redis without Frappe's prefixes: usable in any thread, with keys made by `_key`."""
	return redis.Redis(connection_pool=frappe.cache.connection_pool)


def mark_running() -> None:
	"""Say that a process owns this site's browsers, for the next seconds."""
	with contextlib.suppress(redis.exceptions.RedisError):
		connection().set(_key(_MARK), "1", ex=MARK_SECONDS)


def mark_stopped() -> None:
	"""Say so no more. Another process that runs says it again at once."""
	with contextlib.suppress(redis.exceptions.RedisError):
		connection().delete(_key(_MARK))


def is_running() -> bool:
	"""Whether a process has said so lately; with Redis down nobody can say."""
	with contextlib.suppress(redis.exceptions.RedisError):
		return bool(connection().exists(_key(_MARK)))
	return False


def wake(owner_key: str | None) -> None:
	"""Have the owner look at its commands now instead of in a second."""
	if owner_key:
		with contextlib.suppress(redis.exceptions.RedisError):
			_push(connection(), _queue_key(owner_key), {})


def ask(owner_key: str, device: str, what: str) -> dict[str, Any] | None:
	"""Ask the owner, and wait for its answer; None when none came in time. Raises Redis's errors."""
	answer_key = f"khalifa_answer:{secrets.token_hex(16)}"
	redis_ = connection()
	request = {
		"device": device,
		"what": what,
		"answer": answer_key,
		"until_ms": now_ms() + ANSWER_SECONDS * 1000,
	}
	_push(redis_, _queue_key(owner_key), request)
	popped = redis_.blpop([answer_key], timeout=ANSWER_SECONDS)
	return json.loads(popped[1]) if popped else None


def answer(redis_: redis.Redis, call: Call, data: dict[str, Any]) -> None:
	"""Give the answer; nobody may wait for it any more, and then it is gone in seconds. For any thread."""
	with contextlib.suppress(redis.exceptions.RedisError):
		_push(redis_, call.answer_key, data)


def wait(owner_key: str, seconds: float) -> Call | None:
	"""The next call for this owner; None when nothing (or a mere wake-up) came. Raises Redis's errors."""
	popped = connection().blpop([_queue_key(owner_key)], timeout=seconds)
	given = json.loads(popped[1]) if popped else {}
	if not given or given["until_ms"] < now_ms():
		return None
	return Call(given["device"], given["what"], given["answer"], given["until_ms"])


def _push(redis_: redis.Redis, key: str | bytes, data: dict[str, Any]) -> None:
	with redis_.pipeline() as pipe:
		pipe.rpush(key, json.dumps(data)).expire(key, EXPIRE_SECONDS).execute()


def _queue_key(owner_key: str) -> bytes:
	return _key(f"khalifa_gateway:{sha256(owner_key.encode()).hexdigest()[:16]}")


def _key(name: str) -> bytes:
	return frappe.cache.make_key(name)
