"""Unique keys and row names.

A key is always 64 lower-case hex digits: the database's collation folds case, accents and emoji, so text that
a gateway chose can't be unique there by itself. Each kind of key begins with its own word, so that two kinds
never meet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from random import Random

# Crockford's base 32: in ASCII order, so names sort as their times do; no i, l, o, u to misread.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
NAME_LENGTH = 20
TIME_BITS = 48
RANDOM_BITS = 52
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_SHIFTS = range(5 * (NAME_LENGTH - 2), -1, -10)


def digest(*parts: str) -> str:
	"""SHA-256 in hex of the parts and where they end: ("a", "bc") and ("ab", "c") differ.

	Any str is accepted, lone surrogates too.
	"""
	return _digest([part.encode("utf-8", "surrogatepass") for part in parts])


def delivery_key(device: str, body: bytes) -> str:
	"""Key of one webhook call: the same raw body for the same device is the same delivery."""
	return _digest((b"delivery", device.encode("utf-8", "surrogatepass"), body))


def template_key(device: str, name: str, language: str) -> str:
	"""Key of a gateway's message template: the same name in two languages is two templates."""
	return digest("template", device, name, language)


def message_key(device: str, scope: str, gateway_id: str) -> str:
	"""Key of one message. `scope` (direction and chat) is empty where the gateway's ids are unique alone."""
	return digest("message", device, scope, gateway_id)


def open_key(customer: str, device: str) -> str:
	"""Key of the one open ticket a customer may have on a device."""
	return digest("open", customer, device)


def kpi_key(agent: str, period: str, start: str) -> str:
	"""Key of an agent's measures in a period that starts on an ISO date."""
	return digest("kpi", agent, period, start)


def survey_key(ticket: str, cycle: int) -> str:
	"""Key of the one survey about a ticket's cycle."""
	return digest("survey", ticket, str(cycle))


def new_name(now_ms: int, rng: Random) -> str:
	"""A row name of 20 characters that sorts by time: 48 bits of epoch milliseconds, then 51 random bits.

	`rng` is a seeded `random.Random`, or `secrets.SystemRandom()` where nobody may guess names. Raises
	ValueError for a time before 1970 or above 48 bits.
	"""
	return _name(_number(now_ms, rng))


class Names:
	"""Names in the order they were made, also within one millisecond: a history reads as it happened."""

	def __init__(self, rng: Random) -> None:
		self._rng = rng
		self._last = 0

	def next(self, now_ms: int) -> str:
		"""A new name; later than all this object gave for the same millisecond."""
		number = _number(now_ms, self._rng)
		if number >> RANDOM_BITS == self._last >> RANDOM_BITS:
			number = self._last + 1 + self._rng.getrandbits(RANDOM_BITS // 2)
		self._last = number
		return _name(number)


def first_name(at_ms: int) -> str:
	"""No name made at this instant or later sorts before it."""
	return _name(at_ms << RANDOM_BITS)


def _number(now_ms: int, rng: Random) -> int:
	if not 0 <= now_ms < 1 << TIME_BITS:
		raise ValueError(f"{now_ms} is not a time in epoch milliseconds")
	# The highest random bit stays free, so that counting on within a millisecond never reaches the next one.
	return now_ms << RANDOM_BITS | rng.getrandbits(RANDOM_BITS - 1)


def _name(number: int) -> str:
	return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def _digest(parts: Iterable[bytes]) -> str:
	return hashlib.sha256(b"".join([len(part).to_bytes(8, "big") + part for part in parts])).hexdigest()
