"""What the registry asks of a host's database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from khalifa_whatsapp.core.lease import Lease
from khalifa_whatsapp.drivers.sessions.owner import Owner


class LeaseStore(Protocol):
	"""Leases in a database.

	Every method is a transaction of its own; any process of the site may call them.
	"""

	def get(self, device: str) -> Lease | None:
		"""The row as it is now."""

	def all(self) -> list[Lease]:
		"""All rows."""

	def acquire(
		self, device: str, owner: Owner, profile: str, now_ms: int, is_gone: Callable[[str], bool]
	) -> Lease | None:
		"""Take the lease with a new generation; None while another owner has it.

		`is_gone` says of an owner key whether its process is surely dead.
		"""

	def heartbeat(
		self, device: str, owner_key: str, generation: int, now_ms: int, state: str, pids: Iterable[int]
	) -> bool:
		"""Renew; False when the lease is another's by now, and then nothing was written."""

	def release(self, device: str, owner_key: str, generation: int, now_ms: int, state: str) -> bool:
		"""Let go, leaving word in what state; False when it was another's already."""

	def ask(self, device: str, command: str, now_ms: int) -> None:
		"""Leave a command for whoever owns the device, in the place of an earlier one."""

	def take_command(
		self, device: str, owner_key: str, now_ms: int, is_gone: Callable[[str], bool]
	) -> str | None:
		"""The command left, once, if this owner has the lease or might; None otherwise."""

	def set_state(self, device: str, owner_key: str, now_ms: int, state: str) -> bool:
		"""Write the state of a session that nobody runs (off, failed); False while another owner has it."""
