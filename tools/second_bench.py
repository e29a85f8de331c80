"""A second folder beside a bench, so that two processes run tests at the same time and never meet.

The bench's apps, Python and assets, with a site, a database and a Redis of its own: what Frappe queues and
publishes in Redis is the bench's, not a site's. Standard library only.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benches import START_SECONDS, Bench, answers, wait_until

FOLDER = "khalifa-second"
SERVER = shutil.which("redis-server")


@contextmanager
def second_bench(bench: Bench, log: Path) -> Iterator[Bench]:
	"""The second folder, and its Redis for as long as the block lasts; folder and site are kept."""
	folder, port = make_folder(bench), free_port()
	server = subprocess.Popen(
		[str(SERVER), "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
		stdin=subprocess.DEVNULL,
		stdout=subprocess.DEVNULL,
		stderr=subprocess.DEVNULL,
		cwd=folder,
	)
	redis = f"redis://127.0.0.1:{port}"
	variables = {
		"FRAPPE_BENCH_ROOT": str(folder),
		"FRAPPE_REDIS_CACHE": redis,
		"FRAPPE_REDIS_QUEUE": redis,
	}
	try:
		wait_until(lambda: answers(("127.0.0.1", port)), lambda: "a second Redis doesn't answer")
		yield Bench(folder, log=log, variables=variables)
	finally:
		server.terminate()
		server.wait(START_SECONDS)


def make_folder(bench: Bench) -> Path:
	"""As a bench is built, with links to what both share."""
	folder = bench.path / FOLDER
	for name in ("sites", "config", "logs"):
		(folder / name).mkdir(parents=True, exist_ok=True)
	for name in ("apps", "env", "sites/assets", ".db_root_password"):
		link = folder / name
		link.unlink(missing_ok=True)
		if (bench.path / name).exists():
			link.symlink_to(bench.path / name)
	for name in ("apps.txt", "common_site_config.json"):
		shutil.copy(bench.sites / name, folder / "sites")
	return folder


def free_port() -> int:
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		return int(probe.getsockname()[1])
