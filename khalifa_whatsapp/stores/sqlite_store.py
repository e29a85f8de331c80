"""The store for trying, testing and simulating: one SQLite file (or memory), tables made from the DocType
JSON.

One writer at a time, which SQLite enforces; so `LOCK` and `SKIP` say nothing here. Locks across processes are
those of the file's own transactions plus, for `lock`, `flock` on files beside it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from khalifa_whatsapp.core.arabic import safe_name
from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.records import Agent
from khalifa_whatsapp.core.settings import Rules, Settings
from khalifa_whatsapp.stores.base import Changes, Conflict, Notice, StoreUnavailable
from khalifa_whatsapp.stores.schema import doctypes, sqlite_ddl, table_of
from khalifa_whatsapp.stores.sql import EVENT, WRITE_ORDER, SqlStore
from khalifa_whatsapp.stores.sql_values import pack_body


@cache
def _schema() -> str:
	"""What makes all tables, in one transaction: each would wait for the disk by itself."""
	statements = [statement for name in doctypes() for statement in sqlite_ddl(name)]
	statements += [
		"CREATE TABLE IF NOT EXISTS ticket_number (last INTEGER NOT NULL)",
		"INSERT INTO ticket_number SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM ticket_number)",
	]
	return ";\n".join(["BEGIN IMMEDIATE", *statements, "COMMIT;"])


class SqliteStore(SqlStore):
	"""A `Store` in one SQLite database. One instance may be shared by threads: a transaction holds it."""

	def __init__(self, path: str | Path = ":memory:", rules: Rules | None = None) -> None:
		self.path = str(path)
		self.shifts: dict[str, Calendar] = {}
		self.files: dict[str, bytes] = {}
		self.on_notices: Callable[[list[Notice]], None] = lambda notices: None
		self._rules = rules or Rules(Settings(), Calendar.always("Africa/Cairo"))
		self._mutex = threading.RLock()
		self._locks: dict[str, threading.Lock] = {}  # of a database in memory
		self._depth = 0
		self._notices: list[Notice] = []
		self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=10)
		self._db.execute("PRAGMA journal_mode = WAL")
		self._db.execute("PRAGMA synchronous = FULL")
		self._db.execute("PRAGMA cache_size = -32768")  # KiB: indexes of digests have no place that is hot
		self._make_tables()

	def _make_tables(self) -> None:
		self._db.executescript(_schema())

	def close(self) -> None:
		"""Close the file."""
		self._db.close()

	def seed(
		self, devices: Iterable[tuple[str, str]], agents: Iterable[tuple[Agent, Calendar | None]]
	) -> None:
		"""Put devices (name, provider), the rules' branches and agents where they are missing."""
		with self.transaction():
			for name, provider in devices:
				self.run(
					"INSERT OR IGNORE INTO `tabWhatsApp Device` "
					"(name, device_name, provider, enabled) VALUES (?, ?, ?, 1)",
					(name, name, provider),
				)
			for branch in self._rules.branches:
				self.run(
					"INSERT OR IGNORE INTO `tabKhalifa Branch` (name, branch_name, enabled) VALUES (?, ?, 1)",
					(branch, branch),
				)
			for agent, shift in agents:
				if self.agent(agent.name) is None:
					self.save(Changes(created={Agent: [agent]}))
				if shift is not None:
					self.shifts[agent.name] = shift

	# -- transactions and locks
	@contextmanager
	def transaction(self) -> Iterator[None]:
		with self._mutex:
			if self._depth:
				raise RuntimeError("transactions don't nest")
			self._begin()
			try:
				yield
				self._commit()
			except sqlite3.Error as error:
				self._rollback()
				raise _translated(error) from error
			except BaseException:  # rolls back whatever stopped it, then lets it go on
				self._rollback()
				raise
			notices, self._notices = self._notices, []
		if notices:
			self.on_notices(notices)

	def _begin(self) -> None:
		try:
			self._db.execute("BEGIN IMMEDIATE")
		except sqlite3.Error as error:
			raise _translated(error) from error
		self._depth = 1

	def _commit(self) -> None:
		self._db.execute("COMMIT")
		self._depth = 0

	def _rollback(self) -> None:
		self._notices = []
		self._depth = 0
		if self._db.in_transaction:
			self._db.execute("ROLLBACK")

	@contextmanager
	def lock(self, name: str, wait_seconds: float = 0) -> Iterator[bool]:
		"""`flock` on a file beside the database: the kernel frees it when its holder dies.

		Memory needs no file.
		"""
		if self.path == ":memory:":
			with self._mutex:
				held = self._locks.setdefault(name, threading.Lock())
			is_ours = held.acquire(timeout=wait_seconds) if wait_seconds > 0 else held.acquire(blocking=False)
			try:
				yield is_ours
			finally:
				if is_ours:
					held.release()
			return
		tag = hashlib.sha256(name.encode()).hexdigest()[:12]
		stop = time.monotonic() + wait_seconds
		with Path(f"{os.path.abspath(self.path)}-{tag}.lock").open("w") as handle:
			while not (is_ours := _try_flock(handle.fileno())) and time.monotonic() < stop:
				time.sleep(0.01)
			yield is_ours

	# -- statements
	def rows(self, sql: str, values: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
		with self._mutex:
			try:
				return self._db.execute(sql, values).fetchall()
			except sqlite3.Error as error:
				raise _translated(error) from error

	def run(self, sql: str, values: Sequence[Any] = ()) -> int:
		with self._mutex:
			return self._db.execute(sql, values).rowcount

	def read_file(self, url: str) -> bytes | None:
		"""Files live beside the database only as long as the process: this store is for trying out."""
		return self.files.get(url)

	# -- writing
	def save(self, changes: Changes) -> None:
		for kind in sorted({*changes.created, *changes.updated}, key=WRITE_ORDER.__getitem__):
			self._insert(kind, changes.created.get(kind, []))
			self._update(kind, list(changes.updated.get(kind, {}).values()))
		self.save_names(changes.renamed)
		for day in changes.dirty_days:
			self.mark_day(day, is_dirty=1)
		for device, (state, detail, at_ms) in changes.device_states.items():
			self.run(
				"UPDATE `tabWhatsApp Device` SET state = ?, state_detail = ?, "
				"state_ms = ? WHERE name = ? AND state_ms <= ?",
				(state.title(), safe_name(detail), at_ms, device, at_ms),
			)
		self.save_device_facts(changes.device_facts)
		self._notices += changes.notices

	def _insert(self, kind: type, records: list[Any]) -> None:
		if not records:
			return
		table = table_of(kind)
		names = ", ".join(f"`{field}`" for field in table.fields)
		sql = f"INSERT INTO {table.name} ({names}) VALUES ({', '.join(table.values)})"
		self._db.executemany(sql, map(attrgetter(*table.fields), records))

	def _update(self, kind: type, records: list[Any]) -> None:
		if not records:
			return
		table = table_of(kind)
		pairs = ", ".join(
			f"`{f}` = {v}" for f, v in zip(table.fields, table.values, strict=True) if f != "name"
		)
		order = [field for field in table.fields if field != "name"]
		self._db.executemany(
			f"UPDATE {table.name} SET {pairs} WHERE name = ?", map(attrgetter(*order, "name"), records)
		)

	def mark_day(self, day: date, is_dirty: int, computed_ms: int = 0) -> None:
		self.run(
			"INSERT INTO `tabKhalifa KPI Day` (name, kpi_date, is_dirty, computed_ms) VALUES (?, ?, ?, ?) "
			"ON CONFLICT (name) DO UPDATE SET is_dirty = excluded.is_dirty, "
			"computed_ms = MAX(computed_ms, excluded.computed_ms)",
			(day.isoformat(), day.isoformat(), is_dirty, computed_ms),
		)

	def next_ticket_names(self, count: int) -> list[str]:
		self.run("UPDATE ticket_number SET last = last + ?", (count,))
		last = self.rows("SELECT last FROM ticket_number")[0][0]
		return [f"KT-{number:06d}" for number in range(last - count + 1, last + 1)]

	def record_webhook_event(
		self, device: str, provider: str, key: str, body: bytes, received_ms: int
	) -> bool:
		text, is_base64 = pack_body(body)
		with self.transaction():
			new = self.run(
				f"INSERT OR IGNORE INTO {EVENT} (device, provider, delivery_key, body, is_base64, "
				"received_ms, "
				"seen_count, status) VALUES (?, ?, ?, ?, ?, ?, 1, 'New')",
				(device, provider, key, text, is_base64, received_ms),
			)
			if not new:
				self.run(f"UPDATE {EVENT} SET seen_count = seen_count + 1 WHERE delivery_key = ?", (key,))
		return bool(new)

	# -- settings and agents
	def rules(self) -> Rules:
		return self._rules

	def set_rules(self, rules: Rules) -> None:
		"""Change the settings; transactions that began earlier keep theirs."""
		self._rules = rules

	def agents_in_shift(self) -> dict[str, Calendar]:
		return self.shifts


def _try_flock(descriptor: int) -> bool:
	with contextlib.suppress(BlockingIOError):
		fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
		return True
	return False


def _translated(error: sqlite3.Error) -> Exception:
	if isinstance(error, sqlite3.IntegrityError) or "locked" in str(error):
		return Conflict(str(error))
	if isinstance(error, sqlite3.OperationalError) and ("disk" in str(error) or "open" in str(error)):
		return StoreUnavailable(str(error))
	return error
