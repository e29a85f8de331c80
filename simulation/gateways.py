"""The two simulated gateways of a run, and how badly they behave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from khalifa_whatsapp.drivers.base import DeviceConfig
from simulation.simulators import CloudApiSimulator, Faults, WppConnectSimulator

CLOUD, WPP = "cloud", "wpp"
READ_TIMEOUT = 10.0  # seconds of real time
STALLED_TIMEOUT = 1.0  # the same where gateways stall on purpose
STALL_SECONDS = 1.2
USUAL = Faults(duplicate=0.03, reorder=0.1, late=0.05, late_ms=120_000, batch_size=4)
ROUGH = Faults(duplicate=0.15, reorder=0.3, late=0.15, late_ms=600_000, batch_size=8)
USUAL_RATES = {"status:131026": 0.004}
# Chance of each failure per send; the modes are those of the simulators.
ROUGH_CLOUD = {
	"429": 0.03,
	"131056": 0.01,
	"131016": 0.01,
	"131026": 0.01,
	"131047": 0.01,
	"status:131026": 0.02,
	"read_timeout": 0.004,
	"read_timeout_lost": 0.002,
	"reset": 0.02,
	"reset_lost": 0.01,
	"500": 0.01,
	"502": 0.01,
	"html_200": 0.01,
	"no_id": 0.005,
}
ROUGH_WPP = {
	"429": 0.02,
	"disconnected": 0.03,
	"not_exists": 0.01,
	"not_exists_sent": 0.01,
	"ack-1": 0.01,
	"read_timeout": 0.004,
	"read_timeout_lost": 0.002,
	"reset": 0.02,
	"reset_lost": 0.01,
	"500": 0.01,
	"502": 0.01,
	"html_200": 0.01,
	"no_id": 0.005,
}


@dataclass(slots=True)
class Gateways:
	"""Both simulators, running. `sims` has them by the device they serve."""

	cloud: CloudApiSimulator
	wpp: WppConnectSimulator
	read_timeout: float = READ_TIMEOUT

	@property
	def sims(self) -> dict[str, CloudApiSimulator | WppConnectSimulator]:
		"""By device."""
		return {CLOUD: self.cloud, WPP: self.wpp}

	def configs(self) -> list[DeviceConfig]:
		"""The devices' settings."""
		more = {"connect_timeout": 2.0, "read_timeout": self.read_timeout}
		return [self.cloud.config(CLOUD, **more), self.wpp.config(WPP, **more)]

	def next_due_ms(self) -> int | None:
		"""When the next post leaves, of either."""
		due = [sim.queue.next_due_ms() for sim in self.sims.values()]
		return min((moment for moment in due if moment is not None), default=None)

	def settle(self) -> None:
		"""No more failures: what is under way ends in peace, so that the books can be closed."""
		self.cloud.failures.rates, self.wpp.failures.rates = {}, {}

	def __enter__(self) -> Gateways:
		self.cloud.start()
		self.wpp.start()
		return self

	def __exit__(self, *error: object) -> None:
		self.cloud.stop()
		self.wpp.stop()


def make_gateways(clock: Callable[[], int], seed: int, is_rough: bool, read_rate: float = 0.8) -> Gateways:
	"""Two gateways on this machine; `is_rough` makes them fail as gateways do on a bad day."""
	faults = ROUGH if is_rough else USUAL
	cloud = CloudApiSimulator(
		clock, seed=seed, faults=faults, read_rate=read_rate, has_window=True, stall_seconds=STALL_SECONDS
	)
	wpp = WppConnectSimulator(
		clock,
		own_number="201055500022",
		seed=seed + 50,
		faults=faults,
		read_rate=read_rate,
		has_self_messages=True,
		stall_seconds=STALL_SECONDS,
	)
	cloud.failures.rates = dict(ROUGH_CLOUD if is_rough else USUAL_RATES)
	wpp.failures.rates = dict(ROUGH_WPP) if is_rough else {}
	return Gateways(cloud, wpp, STALLED_TIMEOUT if is_rough else READ_TIMEOUT)
