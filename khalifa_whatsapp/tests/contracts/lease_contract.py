"""What every store of leases must do, as tests: mix `LeaseContract` into a test class and say how to make
one.

Nothing but `assert`, so that it runs under pytest and under unittest. Two stores of `make_leases` share one
database.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from khalifa_whatsapp.core import lease as rules
from khalifa_whatsapp.core.lease import COMMAND_MS, LEASE_MS

NOW = 1_795_160_400_123


@dataclass(frozen=True)
class Somebody:
	"""An owner that is no real process."""

	host: str
	pid: int

	@property
	def key(self) -> str:
		return f"{self.host}/place/{self.pid}/1"


ANN, BOB = Somebody("ann-host", 11), Somebody("bob-host", 22)


def nobody_is_gone(key: str) -> bool:
	return False


class LeaseContract:
	"""The promises of `drivers.sessions.ports.LeaseStore`."""

	def make_leases(self) -> Any:
		"""A store of leases, for this thread."""
		raise NotImplementedError

	def make_device(self, name: str) -> str:
		"""A device of this name, if the database asks for one."""
		return name

	def in_process(self, act: Callable[[Any], Any]) -> Callable[[], None]:
		"""`act` with leases of its own, ready to run in another thread."""
		raise NotImplementedError

	def device(self) -> str:
		return self.make_device(f"lease {uuid.uuid4().hex[:8]}")

	def take(self, leases: Any, device: str, owner: Somebody = ANN, now: int = NOW) -> Any:
		return leases.acquire(device, owner, "/profile", now, nobody_is_gone)

	# -- taking

	def test_a_device_nobody_has_is_taken(self) -> None:
		leases, device = self.make_leases(), self.device()
		assert leases.get(device) is None
		lease = self.take(leases, device)
		assert (lease.device, lease.generation, lease.owner_key, lease.owner_host) == (
			device,
			1,
			ANN.key,
			ANN.host,
		)
		assert leases.get(device) == lease
		assert lease in leases.all()

	def test_what_another_has_is_not_taken(self) -> None:
		leases, device = self.make_leases(), self.device()
		self.take(leases, device)
		assert self.take(leases, device, BOB, NOW + LEASE_MS - 1) is None
		assert leases.get(device).owner_key == ANN.key

	def test_a_lease_that_ran_out_is_taken_with_a_new_generation(self) -> None:
		leases, device = self.make_leases(), self.device()
		self.take(leases, device)
		assert self.take(leases, device, BOB, NOW + LEASE_MS).generation == 2

	def test_a_dead_owners_lease_is_taken_at_once(self) -> None:
		leases, device = self.make_leases(), self.device()
		self.take(leases, device)
		lease = leases.acquire(device, BOB, "/profile", NOW + 1, lambda key: key == ANN.key)
		assert (lease.generation, lease.owner_key) == (2, BOB.key)

	def test_the_same_owner_takes_it_again_as_a_new_generation(self) -> None:
		leases, device = self.make_leases(), self.device()
		self.take(leases, device)
		assert self.take(leases, device).generation == 2
		assert not leases.heartbeat(device, ANN.key, 1, NOW, "running", [])

	def test_names_that_differ_in_case_are_different_devices(self) -> None:
		leases, device = self.make_leases(), self.device()
		self.take(leases, device)
		assert leases.get(device.upper()) is None

	# -- keeping

	def test_a_heartbeat_keeps_it(self) -> None:
		leases, device = self.make_leases(), self.device()
		self.take(leases, device)
		assert leases.heartbeat(device, ANN.key, 1, NOW + LEASE_MS - 1, "running", [7, 5])
		lease = leases.get(device)
		assert (lease.state, lease.chrome_pids, lease.heartbeat_ms) == ("running", "5 7", NOW + LEASE_MS - 1)
		assert self.take(leases, device, BOB, NOW + LEASE_MS) is None

	def test_the_same_heartbeat_twice_counts(self) -> None:
		leases, device = self.make_leases(), self.device()
		self.take(leases, device)
		assert leases.heartbeat(device, ANN.key, 1, NOW, "running", [])
		assert leases.heartbeat(device, ANN.key, 1, NOW, "running", [])

	def test_one_that_ran_out_and_nobody_took_is_kept(self) -> None:
		leases, device = self.make_leases(), self.device()
		self.take(leases, device)
		assert leases.heartbeat(device, ANN.key, 1, NOW + 10 * LEASE_MS, "running", [])

	def test_a_late_writer_changes_nothing(self) -> None:
		leases, device = self.make_leases(), self.device()
		self.take(leases, device)
		taken = self.take(leases, device, BOB, NOW + LEASE_MS)
		for owner, generation in ((ANN, 1), (ANN, 2), (BOB, 1)):
			assert not leases.heartbeat(device, owner.key, generation, NOW + LEASE_MS, "running", [1])
			assert not leases.release(device, owner.key, generation, NOW + LEASE_MS, "off")
		assert leases.get(device) == taken

	def test_what_is_let_go_is_free_and_says_why(self) -> None:
		leases, device = self.make_leases(), self.device()
		self.take(leases, device)
		assert leases.release(device, ANN.key, 1, NOW, rules.OFF)
		lease = leases.get(device)
		assert (lease.state, bool(lease.owner_key), lease.has_owner(NOW)) == (rules.OFF, False, False)
		assert self.take(leases, device, BOB, NOW).generation == 2

	def test_the_state_of_a_device_that_another_owns_is_not_ours_to_write(self) -> None:
		leases, device = self.make_leases(), self.device()
		assert leases.set_state(device, ANN.key, NOW, rules.OFF)
		self.take(leases, device)
		assert not leases.set_state(device, BOB.key, NOW, rules.OFF)
		assert leases.get(device).state == rules.STARTING

	# -- commands

	def test_a_command_is_taken_once(self) -> None:
		leases, device = self.make_leases(), self.device()
		self.take(leases, device)
		leases.ask(device, rules.LOG_OUT, NOW)
		assert leases.take_command(device, ANN.key, NOW, nobody_is_gone) == rules.LOG_OUT
		assert leases.take_command(device, ANN.key, NOW, nobody_is_gone) is None

	def test_a_command_waits_for_the_owner(self) -> None:
		leases, device = self.make_leases(), self.device()
		self.take(leases, device)
		leases.ask(device, rules.DISCONNECT, NOW)
		assert leases.take_command(device, BOB.key, NOW, nobody_is_gone) is None
		assert leases.heartbeat(device, ANN.key, 1, NOW, "running", [])
		assert leases.take_command(device, ANN.key, NOW, nobody_is_gone) == rules.DISCONNECT

	def test_a_command_for_a_device_nobody_has_is_anybodys(self) -> None:
		leases, device = self.make_leases(), self.device()
		leases.ask(device, rules.CONNECT, NOW)
		assert leases.take_command(device, BOB.key, NOW, nobody_is_gone) == rules.CONNECT

	def test_an_old_wish_is_forgotten(self) -> None:
		leases, device = self.make_leases(), self.device()
		leases.ask(device, rules.LOG_OUT, NOW)
		assert leases.take_command(device, ANN.key, NOW + COMMAND_MS + 1, nobody_is_gone) is None
		assert not leases.get(device).command

	# -- at the same time

	def test_of_many_that_take_it_at_once_one_has_it(self) -> None:
		owners = [Somebody("host", number) for number in range(4)]
		devices = [self.device() for _ in range(15)]
		got: dict[str, list[Any]] = {device: [] for device in devices}
		barrier = threading.Barrier(len(owners))

		def fight(owner: Somebody) -> Callable[[Any], None]:
			def act(leases: Any) -> None:
				for device in devices:
					barrier.wait(30)
					lease = self.take(leases, device, owner)
					if lease is not None:
						got[device].append((owner.key, lease.generation))

			return act

		threads = [threading.Thread(target=self.in_process(fight(owner))) for owner in owners]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join(60)
		leases = self.make_leases()
		for device in devices:
			assert got[device] == [(leases.get(device).owner_key, 1)], got[device]
