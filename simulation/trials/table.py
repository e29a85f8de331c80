"""All trials, one after the other, as one table."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from simulation.trials import browsers, gateways, kills
from simulation.trials.stand import Verdict

BOTH = ("cloud", "wpp")
CHROME = ("chrome",)
Trial = Callable[[Path, str, int], Verdict]


@dataclass(frozen=True, slots=True)
class Entry:
	"""A trial of the catalogue: its fault, the gateways it is tried on, how many messages or kills,
	and how many in full.
	"""

	fault: str
	run: Trial
	kinds: tuple[str, ...] = BOTH
	count: int = 6
	full: int = 50


ENTRIES = (
	Entry("F23", gateways.f23_accepts_then_is_silent),
	Entry("F24", gateways.f24_unreadable_answers),
	Entry("F25", gateways.f25_too_fast),
	Entry("F26", gateways.f26_known_refusals),
	Entry("F27", gateways.f27_slow_as_honey),
	Entry("F28", gateways.f28_not_reachable),
	Entry("F29", kills.f29_killed_while_sending, count=3),
	Entry("F30", gateways.f30_two_senders, count=20),
	Entry("F31", kills.f31_kills_and_a_bad_gateway, count=5),
	Entry("F32", kills.f32_pace_after_a_restart),
	Entry("F33", kills.f33_campaign_under_kill),
	Entry("F34", browsers.f34_owner_killed, CHROME),
	Entry("F35", browsers.f35_browser_killed, CHROME),
	Entry("F36", browsers.f36_start_and_stop, CHROME, count=5, full=200),
	Entry("F37", browsers.f37_many_want_one, ("lease",)),
	Entry("F38", gateways.f38_down_for_ten_minutes, ("wpp",)),
	Entry("F40", kills.f40_restored_backup),
)


@dataclass(frozen=True, slots=True)
class Line:
	"""One trial that was run."""

	fault: str
	gateway: str
	what: str
	verdict: Verdict
	seconds: float


def run_all(is_full: bool = False, only: tuple[str, ...] = ()) -> Iterator[Line]:
	"""Run the trials; each line as soon as it is there."""
	for entry in ENTRIES:
		if only and entry.fault not in only:
			continue
		for kind in entry.kinds:
			with tempfile.TemporaryDirectory(prefix="khalifa-trial-", ignore_cleanup_errors=True) as folder:
				began = time.monotonic()
				verdict = entry.run(Path(folder), kind, entry.full if is_full else entry.count)
				what = (entry.run.__doc__ or "").partition(":")[0].strip().rstrip(".")
				yield Line(entry.fault, kind, what, verdict, time.monotonic() - began)


def table(lines: list[Line]) -> Table:
	"""What came of it."""
	trials_table = Table(title="Faults of the outbox", title_justify="left")
	for heading in (
		"fault",
		"gateway",
		"messages",
		"taken",
		"twice",
		"lost",
		"false",
		"in doubt",
		"failed",
		"",
	):
		trials_table.add_column(heading)
	for line in lines:
		v = line.verdict
		counts = (v.messages, v.taken, v.doubled, v.lost, v.false, v.unknown, v.failed)
		note = f"{line.what}. {v.note} ({line.seconds:.1f} s)"
		trials_table.add_row(
			line.fault,
			line.gateway,
			*map(str, counts),
			note,
			style=("" if v.is_good else "red") if v.is_run else "yellow",
		)
	bad = sum(not line.verdict.is_good for line in lines)
	idle = sum(not line.verdict.is_run for line in lines)
	trials_table.caption = (
		f"{len(lines) - idle} trials run, {idle} not run, {bad} bad. In doubt: the gateway itself could "
		"not tell; a person looks."
	)
	return trials_table
