"""What all statements stand on: how they are run, and how whole records are read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, TypeVar

from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.stores.base import Changes
from khalifa_whatsapp.stores.schema import table_of

R = TypeVar("R")
CHUNK = 500


class Statements:
	"""Statements of one database; the two stores bring the connection."""

	LOCK = ""
	SKIP = ""

	# -- what a database must bring
	def rows(self, sql: str, values: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
		"""Run a reading statement."""
		raise NotImplementedError

	def run(self, sql: str, values: Sequence[Any] = ()) -> int:
		"""Run a writing statement; how many rows it touched."""
		raise NotImplementedError

	def save(self, changes: Changes) -> None:
		"""Write what a use case changed."""
		raise NotImplementedError

	def mark_day(self, day: date, is_dirty: int, computed_ms: int = 0) -> None:
		"""Insert or update a KPI day."""
		raise NotImplementedError

	def agents_in_shift(self) -> dict[str, Calendar]:
		"""Shift calendars by agent; who has none is in shift whenever online."""
		raise NotImplementedError

	def _local(self, instant_ms: int | None) -> Any:
		"""A moment as people read it; None where nobody reads the tables."""
		return None

	# -- reading records
	def _read(self, kind: type[R], where: str, values: Sequence[Any] = (), tail: str = "") -> list[R]:
		table = table_of(kind)
		sql = f"SELECT {table.select} FROM {table.name} WHERE {where} {tail}"
		return [kind(*row) for row in self.rows(sql, values)]

	def _in(
		self, kind: type[R], field: str, wanted: Collection[Any], tail: str = "", extra: str = ""
	) -> list[R]:
		"""Records whose field is one of `wanted`, sorted so that all transactions lock in one order."""
		ordered = sorted(wanted)
		stored: list[R] = []
		for start in range(0, len(ordered), CHUNK):
			part = ordered[start : start + CHUNK]
			marks = ", ".join("?" * len(part))
			stored += self._read(kind, f"`{field}` IN ({marks}){extra}", part, tail)
		return stored

	def _by_name(self, kind: type[R], names: Collection[str], tail: str = "") -> dict[str, R]:
		return {row.name: row for row in self._in(kind, "name", names, tail)}  # type: ignore[attr-defined]
