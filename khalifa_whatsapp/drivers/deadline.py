"""A hard end for a call: when its time is over the connection is cut, whatever the caller waits for.

The timeouts of sockets count anew with every byte, so that a peer which says one header byte a second could
hold a sender for ever.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class Deadline:
	"""The end of one call, `seconds` after it begins.

	A context manager; `is_over` once it has cut the call off.
	"""

	def __init__(self, seconds: float) -> None:
		self.is_over = False
		self._socket: socket.socket | None = None
		self._lock = threading.Lock()
		self._timer = threading.Timer(seconds, self._cut)
		self._timer.daemon = True

	def __enter__(self) -> Deadline:
		self._outer: Token[Deadline | None] = _current.set(self)
		self._timer.start()
		return self

	def __exit__(
		self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
	) -> None:
		self._timer.cancel()
		with self._lock:
			self._socket = None  # it goes back to the pool, where it is not ours to cut
		_current.reset(self._outer)

	def guard(self, connection: socket.socket) -> None:
		"""Name the connection to cut."""
		with self._lock:
			self._socket = connection
			if self.is_over:
				_shut(connection)

	def _cut(self) -> None:
		with self._lock:
			self.is_over = True
			if self._socket is not None:
				_shut(self._socket)


_current: ContextVar[Deadline | None] = ContextVar("khalifa_whatsapp_deadline", default=None)


def _shut(connection: socket.socket) -> None:
	"""Wakes whoever reads or writes.

	Below TLS, whose own `shutdown` would change an object in use elsewhere.
	"""
	with contextlib.suppress(OSError):  # the peer was faster
		socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Watched:
	"""Mixed into urllib3's connections: tells the deadline of this thread which socket a call uses."""

	sock: socket.socket | None

	def connect(self) -> None:
		super().connect()  # type: ignore[misc]
		self._watch()

	def request(self, *args: Any, **more: Any) -> None:
		self._watch()  # a connection from the pool does not connect again
		super().request(*args, **more)  # type: ignore[misc]

	def _watch(self) -> None:
		deadline = _current.get()
		if deadline is not None and self.sock is not None:
			deadline.guard(self.sock)


class _PlainConnection(_Watched, HTTPConnection):
	pass


class _SecureConnection(_Watched, HTTPSConnection):
	pass


class _PlainPool(HTTPConnectionPool):
	ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
	ConnectionCls = _SecureConnection


class DeadlineAdapter(HTTPAdapter):
	"""Connections for requests that obey the `Deadline` around a call."""

	def init_poolmanager(self, *args: Any, **more: Any) -> None:
		"""Connections that watch the deadline, for direct requests."""
		super().init_poolmanager(*args, **more)
		self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}

	def proxy_manager_for(self, *args: Any, **more: Any) -> Any:
		"""The same for requests by way of a proxy."""
		manager = super().proxy_manager_for(*args, **more)
		manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
		return manager
