"""Planning a campaign of 100,000 lines beside one of 10,000: time grows with the lines, memory hardly.

Each round plans both on a fresh SQLite file, in a process of its own that says how much of the processor's
time (a short plan and a long one meet different neighbours) and how much memory it needed at most. Lists have
doubles, words and numbers in several spellings; every tenth person is a customer already. No site, no bench
needed.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import common

from khalifa_whatsapp.bootstrap import embedded
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.pacing import Pace
from khalifa_whatsapp.demo.staff import MANAGER
from khalifa_whatsapp.drivers.base import DeviceConfig
from khalifa_whatsapp.services.campaigns import planning
from khalifa_whatsapp.services.unit_of_work import working
from simulation.campaign_audience import RULES, Crowd

BOUND = common.Bound(12, is_minimum=False)
MAX_MORE_MB = 64  # what ten times the lines may need besides: whom the list has named already
NOW = 1_795_160_400_000
LONGEST = 1_800  # seconds


def main() -> int:
	"""Run the rounds, or in a process of its own one plan."""
	parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
	parser.add_argument("--rounds", type=int, default=3)
	parser.add_argument("--many", type=int, default=100_000)
	parser.add_argument("--few", type=int, default=10_000)
	parser.add_argument("--one", type=int, default=0, help=argparse.SUPPRESS)
	options = parser.parse_args()
	if options.one:
		print(*_plan(options.one))
		return 0
	ours, base, memory = [], [], []
	for _ in range(options.rounds):
		few, many = _in_process(options.few), _in_process(options.many)
		base.append(few[0])
		ours.append(many[0])
		memory.append(many[1] - few[1])
	code = common.verdict(
		"Planning a campaign", ours, base, BOUND, "s", (f"{options.many:,} lines", f"{options.few:,} lines")
	)
	is_small = max(memory) <= MAX_MORE_MB
	print(
		f"  memory besides: {max(memory):.1f} MB, must be ≤ {MAX_MORE_MB}: "
		f"{'ok' if is_small else 'BEYOND ITS BOUND'}"
	)
	return code if is_small else 1


def _in_process(lines: int) -> tuple[float, float]:
	done = subprocess.run(
		[sys.executable, __file__, "--one", str(lines)], capture_output=True, check=True, timeout=LONGEST
	)
	seconds, megabytes = done.stdout.split()
	return float(seconds), float(megabytes)


def _plan(lines: int) -> tuple[float, float]:
	"""Seconds of the processor, and the most memory that this process ever needed, in MB."""
	with tempfile.TemporaryDirectory() as folder:
		host = embedded(RULES, [DeviceConfig("wpp", "loopback")], path=Path(folder) / "plan.sqlite")
		store, crowd = host.store, Crowd(40_000_000, lines)
		device = planning.Device(Pace(), host.drivers["wpp"].capabilities)
		campaign = records.Campaign("c", "Offer", "wpp", text_a="Dear {customer}: {offer}")
		with working(store, NOW) as work:
			work.add(campaign)
		with working(store, NOW) as work:
			crowd.know(work)
		planning.begin(store, MANAGER, "c", NOW)
		made, source = crowd.audience()
		began = time.process_time()
		planning.plan(store, "c", source, made, planning.content_for(store, campaign), device, NOW)
		seconds = time.process_time() - began
		planned = store.recipient_counts("c")["Planned"]
		host.close()
	if planned < crowd.distinct() * 0.97:  # all but those who want no promotions
		raise SystemExit(f"only {planned} of {crowd.distinct()} people were planned")
	return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
	sys.exit(main())
