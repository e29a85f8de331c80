"""The embedded store keeps the store contract, in memory and in a file, and what only it promises."""

from __future__ import annotations

import threading
from pathlib import Path
from tempfile import mkdtemp

import pytest

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.keys import delivery_key
from khalifa_whatsapp.stores.base import Changes, Conflict, Notice, Store, StoreUnavailable
from khalifa_whatsapp.stores.sqlite_store import SqliteStore
from khalifa_whatsapp.tests.contracts.store_contract import StoreContract


class TestSqliteStore(StoreContract):
	"""A file; the other process is another connection to it."""

	@pytest.fixture(autouse=True)
	def _folder(self, tmp_path: Path) -> None:
		self.folder = tmp_path

	def make_store(self) -> Store:
		return self.kept(SqliteStore(Path(mkdtemp(dir=self.folder)) / "desk.sqlite3"))

	def kept(self, store: SqliteStore) -> SqliteStore:
		self.__dict__.setdefault("published", {})[id(store)] = notices = []
		store.on_notices = notices.extend
		return store

	def other_store(self, store: Store) -> Store:
		assert isinstance(store, SqliteStore)
		return SqliteStore(store.path)

	def notices_of(self, store: Store) -> list[Notice]:
		return self.__dict__["published"][id(store)]


class TestSqliteStoreInMemory(TestSqliteStore):
	"""Nothing on disk; the other thread uses the same object."""

	def make_store(self) -> Store:
		return self.kept(SqliteStore(":memory:"))

	def other_store(self, store: Store) -> Store:
		return store


def test_what_was_stored_is_there_when_the_file_is_opened_again(tmp_path):
	store = SqliteStore(tmp_path / "desk.sqlite3")
	store.record_webhook_event("d", "loopback", delivery_key("d", b"x"), b"x", 5)
	store.close()
	again = SqliteStore(tmp_path / "desk.sqlite3")
	assert [webhook_event.body for webhook_event in again.due_webhook_events("d", 5, 9)] == [b"x"]


def test_a_file_that_can_not_be_opened_is_an_outage(tmp_path):
	store = SqliteStore(tmp_path / "desk.sqlite3")
	store._db.execute("PRAGMA max_page_count = 1")
	with pytest.raises(StoreUnavailable):
		store.record_webhook_event("d", "loopback", delivery_key("d", b"x"), b"x" * 10_000_000, 5)


def test_a_writer_who_waits_too_long_is_a_conflict(tmp_path):
	one, two = SqliteStore(tmp_path / "desk.sqlite3"), SqliteStore(tmp_path / "desk.sqlite3")
	two._db.execute("PRAGMA busy_timeout = 50")
	with one.transaction(), pytest.raises(Conflict), two.transaction():
		pass


def test_threads_may_share_a_store():
	store = SqliteStore(":memory:")

	def work(number: int) -> None:
		for place in range(20):
			with store.transaction():
				store.save(Changes({records.Customer: [records.Customer(f"c{number}-{place}")]}))

	threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	assert store.rows("SELECT COUNT(*) FROM `tabKhalifa Customer`")[0][0] == 80
