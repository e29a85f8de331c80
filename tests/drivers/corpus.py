"""The payload corpus: one recorded shape per file, and ways to break them."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import Event, PayloadError

DATA = Path(__file__).parent.parent / "data"
EVENT_TYPES = get_args(Event)
# What a broken or hostile gateway may put where anything else belongs.
ODDITIES: tuple[Any, ...] = (
	None,
	True,
	0,
	-1,
	1.5,
	10**30,
	"",
	" ",
	"x",
	"12",
	"\ud83d",
	"é\x00\u202e",
	"a" * 10_000,
	[],
	[None],
	[[]],
	["x"],
	[{}],
	{},
	{"a": 1},
	{"_serialized": 5, "id": [], "user": {}, "server": 1},
)


def names(gateway: str) -> list[str]:
	"""The shapes of a gateway, by the names of their files."""
	return sorted(path.stem for path in (DATA / gateway).glob("*.json"))


def raw(gateway: str, name: str) -> bytes:
	return (DATA / gateway / f"{name}.json").read_bytes()


def matches(event: Event, expected: tuple[type, dict[str, Any]]) -> bool:
	"""Whether an event is of this type and has these fields; fields left out may be anything."""
	kind, fields = expected
	return type(event) is kind and all(getattr(event, key) == value for key, value in fields.items())


def paths(value: Any, prefix: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
	"""Where every value inside a JSON value is."""
	items: Any = ()
	if isinstance(value, dict):
		items = value.items()
	elif isinstance(value, list):
		items = enumerate(value)
	for key, item in items:
		yield (*prefix, key)
		yield from paths(item, (*prefix, key))


def mutants(payload: Any) -> Iterator[tuple[str, bytes]]:
	"""The payload with one field removed, and with one field replaced by each oddity; every field in turn."""
	for path in paths(payload):
		broken = copy.deepcopy(payload)
		holder = _holder(broken, path)
		del holder[path[-1]]
		yield f"without {path}", json.dumps(broken).encode()
		for oddity in ODDITIES:
			broken = copy.deepcopy(payload)
			_holder(broken, path)[path[-1]] = oddity
			yield f"{path} = {ascii(oddity)[:40]}", json.dumps(broken).encode()


def _holder(payload: Any, path: tuple[Any, ...]) -> Any:
	for key in path[:-1]:
		payload = payload[key]
	return payload


def check_with(
	parse: Callable[[bytes], list[Event]], payload: Any, path: tuple[Any, ...], value: Any
) -> None:
	"""The same with this value at this place of the payload."""
	_holder(payload, path)[path[-1]] = value
	check(parse, json.dumps(payload).encode())


def check_mutants(parse: Callable[[bytes], list[Event]], payload: Any) -> None:
	"""The same for all mutants; which of them it was stands in the failure."""
	for what, body in mutants(payload):
		try:
			check(parse, body)
		except Exception as error:  # any other than PayloadError is the defect that this looks for
			raise AssertionError(what) from error


def check(parse: Callable[[bytes], list[Event]], body: bytes) -> list[Event]:
	"""Parse what may be anything: events that a store can keep, or `PayloadError`, and nothing else."""
	try:
		events = parse(body)
	except PayloadError:
		return []
	for event in events:
		assert isinstance(event, EVENT_TYPES)
		_check_storable(event)
	return events


def _check_storable(value: Any) -> None:
	if isinstance(value, str):
		value.encode()  # half an emoji would stop here, as it would in the database
	elif isinstance(value, dict):
		json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
	elif isinstance(value, int):
		assert -(2**63) <= value < 2**63
	else:
		assert not isinstance(value, Identity) or value.is_person
		for item in _parts(value):
			_check_storable(item)


def _parts(value: Any) -> tuple[Any, ...]:
	if dataclasses.is_dataclass(value):
		return tuple(getattr(value, field.name) for field in dataclasses.fields(value))
	return value if isinstance(value, tuple) else ()
