"""Which process owns a session, in a word that a recycled process number can't forge.

Host, boot and number space, process number, and when that process began. A process is «gone» only when we
know it: of another host, or of another container, we know nothing, and its lease must run out.
"""

from __future__ import annotations

import hashlib
import os
import socket
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Owner:
	"""A process: where it runs, its number, and when it began in ticks since the boot."""

	host: str
	place: str
	pid: int
	began: int

	@property
	def key(self) -> str:
		"""What names this process and no other, also after its number was given to another."""
		return f"{self.host}/{self.place}/{self.pid}/{self.began}"


def this_process() -> Owner:
	"""The owner that the running process is."""
	pid = os.getpid()
	return Owner(_host(), _place(), pid, _began(pid) or 0)


def owner_of(key: str) -> Owner | None:
	"""The owner behind a key; None when it is not a key of ours."""
	parts = key.rsplit("/", 3)
	if len(parts) != 4 or not (parts[2].isdigit() and parts[3].isdigit()):
		return None
	return Owner(parts[0], parts[1], int(parts[2]), int(parts[3]))


def is_gone(key: str) -> bool:
	"""Whether this owner's process is surely dead: it ran here, and is no more.

	False means alive, or not known.
	"""
	owner = owner_of(key)
	if owner is None or (owner.host, owner.place) != (_host(), _place()):
		return False
	return _began(owner.pid) != owner.began


def _host() -> str:
	return socket.gethostname()[:60]


@lru_cache
def _place() -> str:
	"""This boot and this space of process numbers: a container of the same name has another."""
	try:
		boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
		space = os.readlink("/proc/self/ns/pid")
	except OSError:  # no Linux: the machine's start is the boot
		boot, space = f"{psutil.boot_time():.0f}", ""
	return hashlib.sha256(f"{boot}{space}".encode()).hexdigest()[:12]


def _began(pid: int) -> int | None:
	"""When a process began; None when there is none, or only its remains that nobody has collected."""
	try:
		text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
	except OSError:
		return None if Path("/proc/self/stat").exists() else _began_elsewhere(pid)
	fields = text.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
	return None if fields[0] in ("Z", "X") else int(fields[19])


def _began_elsewhere(pid: int) -> int | None:
	try:
		process = psutil.Process(pid)
		return None if process.status() == psutil.STATUS_ZOMBIE else int(process.create_time())
	except psutil.Error:
		return None
