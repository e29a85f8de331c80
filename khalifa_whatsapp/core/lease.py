"""Who may own a device's browser: a lease with an end, and a generation that tells a late owner from the
present one.

The lease is a row. Whoever takes it raises its generation, so that nothing an earlier owner still writes
counts. An owner that can't renew lets go of its browser before anybody else may take the row: two browsers
never use one login. Hosts that share a site must agree on the time to within `MARGIN_MS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

LEASE_MS = 20_000
HEARTBEAT_MS = 5_000
MARGIN_MS = 5_000  # before its end: time for the owner to end its browser
REST_MS = 3_600_000  # before a browser that failed too often is tried again by itself
COMMAND_MS = 60_000  # a command nobody took by then is not meant any more

# Lease.state
STARTING, RUNNING, OFF, FAILED = "starting", "running", "off", "failed"
# Lease.command
CONNECT, DISCONNECT, LOG_OUT, TEST = "connect", "disconnect", "log_out", "test"
COMMANDS = (CONNECT, DISCONNECT, LOG_OUT, TEST)


@dataclass(slots=True)
class Lease:
	"""The row of one device's browser session. Without `owner_key` nobody has it."""

	DOCTYPE: ClassVar[str] = "Khalifa Browser Session"
	name: str
	device: str
	state: str | None = None
	generation: int = 0
	owner_host: str | None = None
	owner_pid: int = 0
	owner_key: str | None = None
	chrome_pids: str | None = None
	profile: str | None = None
	heartbeat_ms: int = 0
	lease_until_ms: int = 0
	command: str | None = None
	command_ms: int = 0

	def has_owner(self, now_ms: int) -> bool:
		"""Whether somebody holds it and has renewed it in time."""
		return bool(self.owner_key) and self.lease_until_ms > now_ms


def may_take(lease: Lease, owner_key: str, now_ms: int, is_owner_gone: bool = False) -> bool:
	"""Whether this owner may take the lease: free, run out, its own,
	or of a process that is known to be dead.
	"""
	return not lease.has_owner(now_ms) or lease.owner_key == owner_key or is_owner_gone


def may_keep(lease: Lease, owner_key: str, generation: int) -> bool:
	"""Whether the row is still of this owner and generation. One that ran out and that nobody took is."""
	return lease.owner_key == owner_key and lease.generation == generation


def must_let_go(renewed_ms: int, now_ms: int) -> bool:
	"""Whether an owner that renewed then must have ended its browser by now.

	Both on the owner's monotonic clock.
	"""
	return now_ms - renewed_ms >= LEASE_MS - MARGIN_MS


def may_command(lease: Lease, owner_key: str, now_ms: int, is_owner_gone: bool = False) -> bool:
	"""Whether this process is the one that must do what people ask of the device."""
	return bool(lease.command) and may_take(lease, owner_key, now_ms, is_owner_gone)


def current_command(lease: Lease, now_ms: int) -> str | None:
	"""What somebody asked lately; an old wish is forgotten."""
	return lease.command if lease.command in COMMANDS and now_ms - lease.command_ms <= COMMAND_MS else None


def is_wanted(lease: Lease | None, now_ms: int) -> bool:
	"""Whether the device should have a browser: not when people ended it,
	nor soon after it failed too often.
	"""
	if lease is None:
		return True
	return lease.state != OFF and (lease.state != FAILED or now_ms - lease.heartbeat_ms >= REST_MS)
