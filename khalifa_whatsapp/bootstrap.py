"""The only wiring: which store, which drivers and which rules make a host."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.records import Agent
from khalifa_whatsapp.core.settings import Rules
from khalifa_whatsapp.drivers.base import DeviceConfig, MessageDriver
from khalifa_whatsapp.drivers.factory import make_driver
from khalifa_whatsapp.drivers.http import HttpClient
from khalifa_whatsapp.stores.leases import SqlLeases
from khalifa_whatsapp.stores.sqlite_store import SqliteStore

if TYPE_CHECKING:
	from khalifa_whatsapp.services.voice_notes import VoiceCodec
	from khalifa_whatsapp.stores.site_store import SiteStore


def now_ms() -> int:
	"""This moment in epoch milliseconds: the one clock of all machine times."""
	return time.time_ns() // 1_000_000


def on_site() -> SiteStore:
	"""The store of the Frappe site this process works for. One per request, job or loop."""
	from khalifa_whatsapp.stores.site_store import SiteStore

	return SiteStore()


def leases(store: SiteStore | SqliteStore) -> SqlLeases:
	"""Leases of browser sessions in a host's store, for the thread the store belongs to."""
	return SqlLeases(store)


def voice_codec() -> VoiceCodec | None:
	"""What converts recordings; None where PyAV, the extra `voice`, is not installed."""
	try:
		from khalifa_whatsapp.media.voice import PyAvCodec
	except ImportError:
		return None
	return PyAvCodec()


@dataclass(slots=True)
class EmbeddedHost:
	"""One process, one SQLite database: the store, and a driver for each device by name."""

	store: SqliteStore
	drivers: dict[str, MessageDriver]

	def close(self) -> None:
		"""Close the database."""
		self.store.close()


def embedded(
	rules: Rules,
	devices: Iterable[DeviceConfig],
	agents: Iterable[tuple[Agent, Calendar | None]] = (),
	path: str | Path = ":memory:",
	http: Mapping[str, HttpClient] | None = None,
) -> EmbeddedHost:
	"""A host without Frappe. `agents` come with their shifts; rows that are there already stay as they are.

	`http` replaces the connections of some devices' drivers, by device.
	"""
	store = SqliteStore(path, rules)
	configs = list(devices)
	store.seed([(config.name, config.provider) for config in configs], agents)
	clients = http or {}
	return EmbeddedHost(store, {c.name: make_driver(c, clients.get(c.name)) for c in configs})
