"""Numbers of a day for plots: what happened in which hour, and how long customers waited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.demo.staff import OpenStore
from simulation.text import local


@dataclass(slots=True)
class Hours:
	"""Counts and waits by hour of the day; hours after midnight go on from 24."""

	incoming: dict[int, int] = field(default_factory=dict)
	outgoing: dict[int, int] = field(default_factory=dict)
	agent_delays: dict[int, int] = field(default_factory=dict)
	customer_delays: dict[int, int] = field(default_factory=dict)
	# business seconds of turns by the hour they began
	waits: dict[int, list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Service:
	"""How customers fared: what «how many agents do I need» is about. Lengths are business seconds."""

	turns: int
	delayed: int
	first_median: float
	first_p90: float
	wait_p90: float
	agent_delays: int

	@property
	def delay_share(self) -> float:
		"""The share of waits that were too long."""
		return self.delayed / self.turns if self.turns else 0.0


def hours_of(store: OpenStore, start_ms: int) -> Hours:
	"""The day by hours."""
	first = local(start_ms).date()

	def hour(at_ms: int) -> int:
		moment = local(at_ms)
		return (moment.date() - first).days * 24 + moment.hour

	hours = Hours()
	for direction, at_ms in store.rows(
		"SELECT direction, received_ms FROM `tabKhalifa Message` WHERE origin <> 'Note'"
	):
		_count(hours.incoming if direction == "Incoming" else hours.outgoing, hour(at_ms))
	for kind, at_ms in store.rows("SELECT kind, at_ms FROM `tabKhalifa Delay Event`"):
		_count(hours.agent_delays if kind == "Agent" else hours.customer_delays, hour(at_ms))
	for at_ms, waited in store.rows(
		"SELECT started_ms, biz_time FROM `tabKhalifa Turn` WHERE outcome = 'answered'"
	):
		hours.waits.setdefault(hour(at_ms), []).append(int(waited or 0))
	return hours


def service_of(store: OpenStore, calendar: Calendar, now_ms: int) -> Service:
	"""How customers fared; who still waits counts with the wait so far."""
	firsts = [
		int(answered) if answered is not None and done else calendar.business_ms(start, now_ms) // 1000
		for start, done, answered in store.rows(
			"SELECT first_message_ms, first_responded_ms, "
			"first_response_time FROM `tabKhalifa Ticket` WHERE first_message_ms > 0"
		)
	]
	waits = [
		int(biz or 0) if ended else calendar.business_ms(start, now_ms) // 1000
		for start, ended, biz in store.rows("SELECT started_ms, ended_ms, biz_time FROM `tabKhalifa Turn`")
	]
	delays = dict(store.rows("SELECT kind, COUNT(*) FROM `tabKhalifa Delay Event` GROUP BY kind"))
	return Service(
		len(waits),
		delays.get("Customer", 0),
		share(firsts, 0.5),
		share(firsts, 0.9),
		share(waits, 0.9),
		delays.get("Agent", 0),
	)


def share(values: Sequence[int], part: float) -> float:
	"""The value that `part` of the values do not exceed."""
	ordered = sorted(values)
	return float(ordered[min(len(ordered) - 1, int(part * len(ordered)))]) if ordered else 0.0


def _count(counts: dict[int, int], hour: int) -> None:
	counts[hour] = counts.get(hour, 0) + 1
