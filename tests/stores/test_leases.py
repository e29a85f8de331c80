"""Leases in the embedded store keep the lease contract;
processes that fight for one device leave one owner.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from khalifa_whatsapp.stores.leases import SqlLeases
from khalifa_whatsapp.stores.sqlite_store import SqliteStore
from khalifa_whatsapp.tests.contracts.lease_contract import LeaseContract

ROOT = Path(__file__).parents[2]
ROUNDS = 1000


class TestLeases(LeaseContract):
	@pytest.fixture(autouse=True)
	def database(self, tmp_path):
		self.path = tmp_path / "leases.sqlite3"

	def make_leases(self) -> SqlLeases:
		return SqlLeases(SqliteStore(self.path))

	def in_process(self, act: Callable[[Any], Any]) -> Callable[[], None]:
		leases = self.make_leases()
		return lambda: act(leases)


FIGHT = """
import sys
from khalifa_whatsapp.stores.leases import SqlLeases
from khalifa_whatsapp.stores.sqlite_store import SqliteStore
from khalifa_whatsapp.tests.contracts.lease_contract import Somebody

leases, owner = SqlLeases(SqliteStore(sys.argv[1])), Somebody("host", int(sys.argv[2]))
for turn in sys.stdin:
	lease = leases.acquire(turn.strip(), owner, "/p", 1, lambda key: False)
	print(lease.generation if lease is not None else "held", flush=True)
"""


def test_two_processes_that_fight_for_a_device_leave_one_owner_each_time(tmp_path):
	path = tmp_path / "leases.sqlite3"
	leases = SqlLeases(SqliteStore(path))
	pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
	fighters = [
		subprocess.Popen([sys.executable, "-c", FIGHT, str(path), str(number)], **pipes) for number in (1, 2)
	]
	for turn in range(ROUNDS):
		for fighter in fighters:
			fighter.stdin.write(f"d{turn}\n")
			fighter.stdin.flush()
		said = [fighter.stdout.readline().strip() for fighter in fighters]
		assert sorted(said) == ["1", "held"], turn
		assert leases.get(f"d{turn}").owner_pid == said.index("1") + 1
	for fighter in fighters:
		fighter.communicate(timeout=30)
		assert fighter.returncode == 0
