"""Taking in messages on the embedded host, beside raw SQLite inserts of the very same rows.

  ours  webhook events (stored beforehand) → parsed → customers, tickets, messages, ledger, history → assigned
  base  the rows that this left behind (messages, customers, identities, tickets, turns, segments, history),
        read back and inserted into an empty database of the same tables and indexes, with as many commits

Both write to a file with the same durability. No site, no bench needed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import argparse

import common

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.keys import delivery_key
from khalifa_whatsapp.core.settings import Rules, Settings
from khalifa_whatsapp.drivers.base import DeviceConfig
from khalifa_whatsapp.drivers.loopback import LoopbackDriver
from khalifa_whatsapp.services.inbound import drain
from khalifa_whatsapp.services.tickets import assignment, presence
from khalifa_whatsapp.services.unit_of_work import working
from khalifa_whatsapp.stores.base import Changes
from khalifa_whatsapp.stores.sqlite_store import SqliteStore

BOUND = common.Bound(0.25, is_minimum=True)
BATCH = 100
CUSTOMERS = 3_000
NOW = 1_795_160_400_000


def main() -> int:
	"""Run the rounds, each on fresh files."""
	parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
	parser.add_argument("--rounds", type=int, default=5)
	parser.add_argument("--messages", type=int, default=10_000)
	options = parser.parse_args()
	ours, base = [], []
	for _ in range(options.rounds):
		with tempfile.TemporaryDirectory() as folder:
			store = _desk(Path(folder) / "ours.sqlite")
			ours.append(_take_in(store, options.messages))
			base.append(_insert_raw(store, Path(folder) / "base.sqlite", options.messages))
			store.close()
	return common.verdict(
		f"Embedded intake of {options.messages:,} messages",
		ours,
		base,
		BOUND,
		"/s",
		("event to assigned ticket", "raw inserts of those rows"),
	)


def _desk(path: Path) -> SqliteStore:
	store = SqliteStore(path, Rules(Settings(), Calendar.always("Africa/Cairo")))
	with working(store, NOW) as work:
		for number in range(common.AGENTS):
			work.add(
				records.Agent(f"A{number}", f"a{number}@example.com", f"Agent {number}", capacity=100_000)
			)
	for number in range(common.AGENTS):
		presence.set_presence(store, Actor(), f"A{number}", records.ONLINE, NOW)
	return store


def _take_in(store: SqliteStore, count: int) -> float:
	driver = LoopbackDriver(DeviceConfig(common.DEVICE, "loopback", app_secrets=(common.SECRET,)))
	for place in range(count):
		body = common.loopback_body(place % CUSTOMERS, f"in-{place}", NOW)
		store.record_webhook_event(common.DEVICE, "loopback", delivery_key(common.DEVICE, body), body, NOW)
	start = time.perf_counter()
	taken = drain.drain(store, driver, lambda: NOW, batch=BATCH)
	assignment.assign_queue(store, NOW)
	spent = time.perf_counter() - start
	if taken.messages != count:
		sys.exit(f"{count} were posted, {taken.messages} taken in")
	return count / spent


def _insert_raw(store: SqliteStore, path: Path, count: int) -> float:
	kinds = (
		records.Message,
		records.Customer,
		records.CustomerIdentity,
		records.Ticket,
		records.Turn,
		records.Segment,
		records.TicketEvent,
	)
	rows = {kind: store._read(kind, "1 = 1") for kind in kinds}
	empty, commits = SqliteStore(path), count // BATCH
	start = time.perf_counter()
	for number in range(commits):
		part = {
			kind: stored[number * len(stored) // commits : (number + 1) * len(stored) // commits]
			for kind, stored in rows.items()
		}
		with empty.transaction():
			empty.save(Changes(created=part))
	spent = time.perf_counter() - start
	empty.close()
	return count / spent


if __name__ == "__main__":
	sys.exit(main())
