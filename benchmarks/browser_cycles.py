"""Do browsers that come and go leave anything behind? Starts and stops one, again and again, and kills every
tenth.

Counted before the first cycle and after the last: processes of the session, this process's open files and
threads, and temporary folders. Needs Chromium, chromedriver and the app's extra `browser`; no Frappe.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from khalifa_whatsapp.drivers.sessions import processes
from simulation.trials.browser_host import CHROME, CHROMEDRIVER, Host, find, is_browser, living


def main() -> int:
	"""Run the cycles; 1 when something is left."""
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--cycles", type=int, default=200, metavar="N", help="how many times (200)")
	cycles = parser.parse_args().cycles
	if not (CHROME and CHROMEDRIVER):
		print("needs Chromium and chromedriver")
		return 2
	with tempfile.TemporaryDirectory() as folder:
		host = Host(Path(folder))
		try:
			return run(host, cycles)
		finally:
			host.registry.close_all()


def run(host: Host, cycles: int) -> int:
	"""The cycles, and what they left."""
	cycle(host, is_killed=False)  # what is loaded once, is
	before, took = left(host), []
	for number in range(cycles):
		began = time.monotonic()
		cycle(host, is_killed=number % 10 == 9)
		took.append(time.monotonic() - began)
	after = left(host)
	print(f"{cycles} cycles, {statistics.median(took):.2f} s each (slowest {max(took):.1f} s)")
	for name, count in after.items():
		print(f"  {name:18} before {before[name]:4}   after {count:4}")
	is_clean = all(after[name] <= before[name] for name in after)
	print("nothing is left behind" if is_clean else "SOMETHING IS LEFT BEHIND")
	return 0 if is_clean else 1


def cycle(host: Host, is_killed: bool) -> None:
	"""One browser comes, shows its page and goes."""
	session = host.running()
	if is_killed:
		find(host.folder, is_browser)[0].kill()
	session.leave()
	host.until(lambda: host.registry.get("d") is None)


def left(host: Host) -> dict[str, int]:
	"""What can be left behind."""
	return {
		"processes": len(living(host.folder)),
		"open files": len(os.listdir("/proc/self/fd")),
		"threads": threading.active_count(),
		"temporary folders": len(processes._temporary_folders(host.registry.realm)),
	}


if __name__ == "__main__":
	sys.exit(main())
