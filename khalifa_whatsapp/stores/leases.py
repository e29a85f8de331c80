"""Leases of browser sessions in the store's database: one text for both, as all statements are.

A row is read locked, `core.lease` decides, the row is written back, all in one transaction. What is written
carries the generation it was read with, so a late owner changes nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Any, Protocol, TypeVar

from khalifa_whatsapp.core import lease as rules
from khalifa_whatsapp.core.lease import LEASE_MS, Lease
from khalifa_whatsapp.stores.base import Conflict
from khalifa_whatsapp.stores.schema import table_of

T = TypeVar("T")
ATTEMPTS = 8
MAX_PIDS = 12  # as many as the field shows
_TABLE = table_of(Lease)


class Database(Protocol):
	"""As much of a store as leases need."""

	LOCK: str

	def transaction(self) -> AbstractContextManager[None]: ...

	def rows(self, sql: str, values: Any = ()) -> Any: ...


class Process(Protocol):
	"""As much of an owner as leases need."""

	@property
	def host(self) -> str:
		"""The machine it runs on."""

	@property
	def pid(self) -> int:
		"""Its number there."""

	@property
	def key(self) -> str:
		"""What names it and no other process."""


class SqlLeases:
	"""Leases in a SQLite file or on a site. Use it from the thread that the store belongs to."""

	def __init__(self, store: Database) -> None:
		self._store = store

	def get(self, device: str) -> Lease | None:
		"""The row as it is now."""
		return self._do(lambda: self._read(device, locked=False))

	def all(self) -> list[Lease]:
		"""All rows."""
		sql = f"SELECT {_TABLE.select} FROM {_TABLE.name} ORDER BY device"
		return self._do(lambda: [Lease(*row) for row in self._store.rows(sql)])

	def acquire(
		self, device: str, owner: Process, profile: str, now_ms: int, is_gone: Callable[[str], bool]
	) -> Lease | None:
		"""Take the lease with a new generation; None while another owner has it."""

		def take() -> Lease | None:
			lease = self._present(device)
			if not rules.may_take(lease, owner.key, now_ms, _is_gone(lease, is_gone)):
				return None
			lease.generation += 1
			lease.owner_key, lease.owner_host, lease.owner_pid = owner.key, owner.host, owner.pid
			lease.state, lease.profile, lease.chrome_pids = rules.STARTING, profile, None
			lease.heartbeat_ms, lease.lease_until_ms = now_ms, now_ms + LEASE_MS
			self._write(lease)
			return lease

		return self._do(take)

	def heartbeat(
		self, device: str, owner_key: str, generation: int, now_ms: int, state: str, pids: Iterable[int]
	) -> bool:
		"""Renew; False when the lease is another's by now."""

		def renew(lease: Lease) -> None:
			lease.state, lease.chrome_pids = state, " ".join(str(pid) for pid in sorted(pids)[:MAX_PIDS])
			lease.heartbeat_ms, lease.lease_until_ms = now_ms, now_ms + LEASE_MS

		return self._as_owner(device, owner_key, generation, renew)

	def release(self, device: str, owner_key: str, generation: int, now_ms: int, state: str) -> bool:
		"""Let go, leaving word in what state; False when it was another's already."""

		def let_go(lease: Lease) -> None:
			lease.state, lease.chrome_pids, lease.owner_key = state, None, None
			lease.heartbeat_ms, lease.lease_until_ms = now_ms, 0

		return self._as_owner(device, owner_key, generation, let_go)

	def ask(self, device: str, command: str, now_ms: int) -> None:
		"""Leave a command for whoever owns the device, in the place of an earlier one."""
		if command not in rules.COMMANDS:
			raise ValueError(f"no such command: {command}")

		def leave() -> None:
			lease = self._present(device)
			lease.command, lease.command_ms = command, now_ms
			self._write(lease)

		self._do(leave)

	def take_command(
		self, device: str, owner_key: str, now_ms: int, is_gone: Callable[[str], bool]
	) -> str | None:
		"""The command left, once, if this owner has the lease or might."""

		def take() -> str | None:
			lease = self._read(device, locked=True)
			if lease is None or not rules.may_command(lease, owner_key, now_ms, _is_gone(lease, is_gone)):
				return None
			command = rules.current_command(lease, now_ms)
			lease.command, lease.command_ms = None, 0
			self._write(lease)
			return command

		return self._do(take)

	def set_state(self, device: str, owner_key: str, now_ms: int, state: str) -> bool:
		"""Write the state of a session that nobody runs; False while another owner has it."""

		def write() -> bool:
			lease = self._present(device)
			if lease.has_owner(now_ms) and lease.owner_key != owner_key:
				return False
			lease.state = state
			self._write(lease)
			return True

		return self._do(write)

	def _as_owner(
		self, device: str, owner_key: str, generation: int, change: Callable[[Lease], None]
	) -> bool:
		def write() -> bool:
			lease = self._read(device, locked=True)
			if lease is None or not rules.may_keep(lease, owner_key, generation):
				return False
			change(lease)
			self._write(lease)
			return True

		return self._do(write)

	def _do(self, act: Callable[[], T]) -> T:
		"""In one transaction; again, a little later, when another was in the way."""
		for _ in range(ATTEMPTS - 1):
			try:
				with self._store.transaction():
					return act()
			except Conflict:
				time.sleep(random.uniform(0.01, 0.1))
		with self._store.transaction():
			return act()

	def _present(self, device: str) -> Lease:
		"""The row, locked; a new one if there was none.

		Two that make it at once meet on the unique device.
		"""
		lease = self._read(device, locked=True)
		if lease is None:
			lease = Lease(sha256(device.encode()).hexdigest()[:20], device)
			marks = ", ".join(_TABLE.values)
			names = ", ".join(f"`{field}`" for field in _TABLE.fields)
			self._store.rows(f"INSERT INTO {_TABLE.name} ({names}) VALUES ({marks})", _values(lease))
		return lease

	def _read(self, device: str, locked: bool) -> Lease | None:
		tail = self._store.LOCK if locked else ""
		sql = f"SELECT {_TABLE.select} FROM {_TABLE.name} WHERE device = ?{tail}"
		rows = [Lease(*row) for row in self._store.rows(sql, (device,))]
		return next((row for row in rows if row.device == device), None)  # the collation folds case

	def _write(self, lease: Lease) -> None:
		pairs = ", ".join(
			f"`{field}` = {value}" for field, value in zip(_TABLE.fields, _TABLE.values, strict=True)
		)
		self._store.rows(f"UPDATE {_TABLE.name} SET {pairs} WHERE name = ?", [*_values(lease), lease.name])


def _values(lease: Lease) -> list[Any]:
	return [getattr(lease, field) for field in _TABLE.fields]


def _is_gone(lease: Lease, is_gone: Callable[[str], bool]) -> bool:
	return bool(lease.owner_key) and is_gone(lease.owner_key or "")
