"""What the benchmarks share: a bench of their own beside yours, a seeded site, a client, medians, a
verdict.

The processes that a script starts (Redis, web, workers, scheduler) live in a folder of their own: the site is
the one you name, with its database, but its queues, its cache and its logs are private. So another scheduler
or worker of the same bench never sees their jobs, and flushing Redis hurts nobody. They end with the script.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DEVICE = "Bench Device"
SECRET = "bench-secret"
PROVIDER = "loopback"
WEBHOOK = f"/api/method/khalifa_whatsapp.api.webhook.{PROVIDER}?device=Bench%20Device"
AGENTS = 15
FIRST_PHONE = 201_000_000_000


# -- starting


def arguments(about: str | None, **numbers: int) -> argparse.Namespace:
	"""The options of a site benchmark; `numbers` become options with these defaults."""
	parser = argparse.ArgumentParser(description=(about or "").split("\n")[0])
	parser.add_argument("--site", required=True, help="a site made for benchmarks: ITS DATA ARE ERASED")
	for name, default in numbers.items():
		parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default)
	return parser.parse_args()


def bench_folder() -> Path:
	"""The bench: `$FRAPPE_BENCH`, else `~/frappe-bench`."""
	return Path(os.environ.get("FRAPPE_BENCH") or Path.home() / "frappe-bench").resolve()


def on_bench_python() -> None:
	"""Go on as the bench's own Python, which has frappe."""
	wanted = bench_folder() / "env" / "bin" / "python"
	if Path(sys.prefix).resolve() == (bench_folder() / "env").resolve():
		return
	if not wanted.exists():
		sys.exit(
			f"No bench at {bench_folder()}. Set FRAPPE_BENCH to the folder that holds env, apps and sites."
		)
	os.execv(wanted, [str(wanted), *sys.argv])


# -- a private bench


@dataclass
class PrivateBench:
	"""Processes on one site, with their own Redis, in a temporary folder."""

	site: str
	folder: Path
	queue_port: int
	cache_port: int
	web_port: int
	running: list[subprocess.Popen[bytes]] = field(default_factory=list)

	@property
	def sites(self) -> Path:
		return self.folder / "sites"

	def start(self, *command: str | Path, log: str = "processes") -> subprocess.Popen[bytes]:
		"""Start a process of this bench in a session of its own."""
		environment = {**os.environ, "FRAPPE_BENCH_ROOT": str(self.folder), "SITES_PATH": "."}
		environment.pop("DEV_SERVER", None)
		with (self.folder / "logs" / f"{log}.log").open("ab") as out:
			process = subprocess.Popen(
				[str(part) for part in command],
				cwd=self.sites,
				env=environment,
				stdin=subprocess.DEVNULL,
				stdout=out,
				stderr=out,
				start_new_session=True,
			)
		self.running.append(process)
		return process

	def frappe(self, *command: str) -> subprocess.Popen[bytes]:
		"""A bench command, as `bench COMMAND` runs it."""
		return self.start(
			sys.executable, "-m", "frappe.utils.bench_helper", "frappe", *command, log=command[0]
		)

	def worker(self) -> subprocess.Popen[bytes]:
		"""One RQ worker for all queues."""
		return self.frappe("worker", "--queue", "short,default,long")

	def schedule(self) -> subprocess.Popen[bytes]:
		"""Frappe's scheduler."""
		return self.frappe("schedule")

	def redis(self, port: int) -> subprocess.Popen[bytes]:
		"""A Redis that keeps nothing."""
		process = self.start(
			"redis-server",
			"--port",
			str(port),
			"--bind",
			"127.0.0.1",
			"--save",
			"",
			"--appendonly",
			"no",
			log="redis",
		)
		wait_for_port(port)
		return process

	def web(self, workers: int = 2) -> subprocess.Popen[bytes]:
		"""Gunicorn with sync workers, as in production; answers when this returns."""
		process = self.start(
			Path(sys.executable).parent / "gunicorn",
			"-b",
			f"127.0.0.1:{self.web_port}",
			"--workers",
			str(workers),
			"--worker-class",
			"sync",
			"-t",
			"120",
			"frappe.app:application",
			log="web",
		)
		wait_for_port(self.web_port)
		requests = [post("/api/method/ping", self.site, b"{}")] * 20
		answers = post_all(self.web_port, requests, concurrency=workers * 2)
		if any(answer.status != 200 for answer in answers):
			sys.exit(f"The site {self.site} does not answer: {answers[0].status}")
		return process

	def stop(self) -> None:
		"""End every process that this object started, and those they started."""
		for process in reversed(self.running):
			end(process)


def end(process: subprocess.Popen[bytes]) -> None:
	"""End a process started by `PrivateBench.start` with its children, wherever these moved."""
	children = descendants(process.pid)
	with suppress(ProcessLookupError):
		os.kill(process.pid, signal.SIGTERM)
	with suppress(subprocess.TimeoutExpired):
		process.wait(5)
	for pid in [process.pid, *children]:
		if pid == process.pid and process.poll() is not None:
			continue
		with suppress(ProcessLookupError):
			os.kill(pid, signal.SIGKILL)
	process.wait()


def descendants(pid: int) -> list[int]:
	"""Children and their children, from /proc."""
	children: dict[int, list[int]] = {}
	for status in Path("/proc").glob("[0-9]*/stat"):
		with suppress(OSError, ValueError):
			parent = int(status.read_text().rpartition(")")[2].split()[1])
			children.setdefault(parent, []).append(int(status.parent.name))
	pids, rest = [], [pid]
	while rest:
		rest = [child for parent in rest for child in children.get(parent, [])]
		pids += rest
	return pids


@contextmanager
def private_bench(site: str) -> Iterator[PrivateBench]:
	"""Make the folder, start both Redis; end everything when the block ends."""
	bench = bench_folder()
	original = bench / "sites" / site
	if not (original / "site_config.json").exists():
		sys.exit(f"There is no site {site} in {bench}.")
	config = json.loads((original / "site_config.json").read_text())
	if not config.get("allow_tests"):
		sys.exit(
			f"{site} does not allow tests (site_config.json: allow_tests). This script erases the site's "
			"data."
		)
	with tempfile.TemporaryDirectory(prefix="khalifa-bench-", ignore_cleanup_errors=True) as folder:
		queue, cache, web = free_ports(3)
		made = PrivateBench(site, Path(folder), queue, cache, web)
		_lay_out(made, bench, config)
		try:
			made.redis(queue)
			made.redis(cache)
			yield made
		finally:
			made.stop()
			if kept := os.environ.get("KEEP_LOGS"):  # a folder to look into afterwards
				shutil.copytree(made.folder / "logs", kept, dirs_exist_ok=True)


def _lay_out(made: PrivateBench, bench: Path, config: dict[str, Any]) -> None:
	"""The same site under a configuration of its own: everything linked but the two config files."""
	for name in ("logs", "config", f"sites/{made.site}/logs", f"sites/{made.site}/locks"):
		(made.folder / name).mkdir(parents=True, exist_ok=True)
	original = bench / "sites"
	for name in ("apps.txt", "apps.json"):
		if (original / name).exists():
			shutil.copy(original / name, made.sites / name)
	(made.folder / "apps").symlink_to(bench / "apps")
	(made.sites / "assets").symlink_to(original / "assets")
	for name in ("public", "private"):
		(made.sites / made.site / name).symlink_to(original / made.site / name)
	common = json.loads((original / "common_site_config.json").read_text())
	common |= {
		"redis_queue": f"redis://127.0.0.1:{made.queue_port}",
		"redis_cache": f"redis://127.0.0.1:{made.cache_port}",
		"redis_socketio": f"redis://127.0.0.1:{made.cache_port}",
		"default_site": made.site,
	}
	own = {key: value for key, value in config.items() if key not in ("pause_scheduler", "developer_mode")}
	common.pop("developer_mode", None)
	_write_json(made.sites / "common_site_config.json", common)
	_write_json(made.sites / made.site / "site_config.json", own)


def _write_json(path: Path, content: dict[str, Any]) -> None:
	path.write_text(json.dumps(content, indent=1))
	path.chmod(0o600)


def free_ports(count: int) -> list[int]:
	"""Ports nobody listens on."""
	sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
	ports = [held.getsockname()[1] for held in sockets]
	for held in sockets:
		held.close()
	return ports


def wait_for_port(port: int, seconds: float = 30) -> None:
	"""Wait until somebody listens."""
	stop = time.monotonic() + seconds
	while time.monotonic() < stop:
		with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
			return
		time.sleep(0.05)
	sys.exit(f"Nothing listens on port {port}.")


# -- the site


@contextmanager
def site_connection(bench: PrivateBench) -> Iterator[None]:
	"""This process on the site, with the private Redis."""
	import frappe

	os.environ["FRAPPE_BENCH_ROOT"] = str(bench.folder)
	before = os.getcwd()
	os.chdir(bench.sites)
	frappe.init(site=bench.site, sites_path=".")
	frappe.connect()
	if "khalifa_whatsapp" not in frappe.get_installed_apps():
		sys.exit(
			f"{bench.site} has no khalifa_whatsapp: bench --site {bench.site} install-app khalifa_whatsapp"
		)
	try:
		yield
	finally:
		frappe.destroy()
		os.chdir(before)


def seed_site(agents: int = AGENTS, capacity: int = 1000) -> list[str]:
	"""An empty desk: one loopback device, agents who are online. The agents' names."""
	import frappe

	from khalifa_whatsapp.core import records

	erase()
	frappe.db.set_single_value("Khalifa Settings", "heartbeat_stale_minutes", 600)
	frappe.db.set_single_value("Khalifa Settings", "heartbeat_requeue_minutes", 600)
	_device()
	_be_in_use()
	names = [_agent(number) for number in range(agents)]
	now = time.time_ns() // 1_000_000
	frappe.db.sql("UPDATE `tabKhalifa Agent` SET enabled = 0")
	frappe.db.sql(
		"UPDATE `tabKhalifa Agent` SET enabled = 1, capacity = %s, presence = %s, "
		"presence_ms = %s, heartbeat_ms = %s "
		"WHERE name IN %s",
		(capacity, records.ONLINE, now, now, names),
	)
	frappe.db.commit()
	return names


def _device() -> None:
	"""The device, its secret encrypted anew: a private bench may have made an encryption key of its own."""
	import frappe
	from frappe.utils.password import set_encrypted_password

	if not frappe.db.exists("WhatsApp Device", DEVICE):
		made = {"doctype": "WhatsApp Device", "device_name": DEVICE, "provider": PROVIDER}
		frappe.get_doc(made).insert()
	set_encrypted_password("WhatsApp Device", DEVICE, SECRET, "app_secret")


def _be_in_use() -> None:
	"""Frappe's scheduler sleeps on sites where nobody has logged in for days,
	and on such a site nobody has.
	"""
	import frappe

	frappe.get_doc({"doctype": "Activity Log", "subject": "Benchmark", "status": "Success"}).insert()


def _agent(number: int) -> str:
	import frappe

	user = f"bench-agent-{number}@example.com"
	if not frappe.db.exists("User", user):
		made = {"doctype": "User", "email": user, "first_name": f"Agent {number}", "send_welcome_email": 0}
		frappe.get_doc(made).insert()
	name = frappe.db.get_value("Khalifa Agent", {"user": user})
	made = {"doctype": "Khalifa Agent", "user": user, "employee_name": f"Agent {number}"}
	return name or frappe.get_doc(made).insert().name


def erase() -> None:
	"""Empty every table that use cases write, except agents."""
	import frappe

	from khalifa_whatsapp.core import records

	kinds = [kind.DOCTYPE for kind in (*records.RECORDS, records.WebhookEvent) if kind is not records.Agent]
	for doctype in [*kinds, "Khalifa KPI Day"]:
		frappe.db.sql_ddl(f"TRUNCATE TABLE `tab{doctype}`")


def loopback_body(sender: int, gateway_id: str, sent_ms: int, size: int = 0) -> bytes:
	"""A delivery of one text; `size` pads the text so that the body has about so many bytes."""
	item = {
		"type": "message",
		"id": gateway_id,
		"from": f"+{FIRST_PHONE + sender}",
		"text": "",
		"at_ms": sent_ms,
		"name": f"Customer {sender}",
	}
	body = {"device": DEVICE, "events": [item]}
	text = f"hello, this is {gateway_id} "
	item["text"] = text + "x" * max(0, size - len(json.dumps(body)) - len(text))
	return json.dumps(body).encode()


# -- a client


@dataclass(frozen=True, slots=True)
class Answer:
	"""What came back: the status (0: no answer) and after how many seconds."""

	status: int
	seconds: float


def post(path: str, host: str, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> bytes:
	"""A POST of JSON as bytes, as gateways send it, on a connection of its own."""
	lines = [
		f"POST {path} HTTP/1.1",
		f"Host: {host}",
		"Content-Type: application/json",
		f"Content-Length: {len(body)}",
		"Accept: */*",
		"Connection: close",
		*(f"{name}: {value}" for name, value in headers),
	]
	return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def signed_post(site: str, body: bytes) -> bytes:
	"""A webhook call as the loopback gateway makes it."""
	from khalifa_whatsapp.drivers.cloud_api.verify import sign
	from khalifa_whatsapp.drivers.loopback import SIGNATURE_HEADER

	return post(WEBHOOK, site, body, [(SIGNATURE_HEADER, sign(SECRET, body))])


def post_all(
	port: int, requests: Sequence[bytes], concurrency: int, seen: Callable[[int, Answer], None] | None = None
) -> list[Answer]:
	"""Send all, `concurrency` at a time; answers in the order of the requests.

	`seen` hears of each at once.
	"""
	answers: list[Answer] = [Answer(0, 0.0)] * len(requests)
	places = iter(range(len(requests)))
	turn = threading.Lock()

	def send() -> None:
		while True:
			with turn:
				place = next(places, None)
			if place is None:
				return
			answers[place] = send_one(port, requests[place])
			if seen is not None:
				seen(place, answers[place])

	threads = [threading.Thread(target=send) for _ in range(concurrency)]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	return answers


def send_one(port: int, request: bytes, timeout: float = 30) -> Answer:
	"""One request, one connection."""
	start = time.perf_counter()
	status = 0
	with (
		suppress(OSError, ValueError, IndexError),
		socket.create_connection(("127.0.0.1", port), timeout) as connection,
	):
		connection.sendall(request)
		received = b"".join(iter(lambda: connection.recv(65536), b""))
		status = int(received.split(b" ", 2)[1])
	return Answer(status, time.perf_counter() - start)


# -- figures


@dataclass(frozen=True, slots=True)
class Bound:
	"""What a ratio must keep: at least, or at most."""

	limit: float
	is_minimum: bool

	def holds(self, ratio: float) -> bool:
		return ratio >= self.limit if self.is_minimum else ratio <= self.limit

	def __str__(self) -> str:
		return f"{'≥' if self.is_minimum else '≤'} {self.limit:.2f}"


def interleaved(
	rounds: int, ours: Callable[[int], float], base: Callable[[int], float]
) -> tuple[list[float], list[float]]:
	"""Measure both in every round, each first in every other one, so that a busy minute hits both."""
	seconds: tuple[list[float], list[float]] = ([], [])
	for number in range(rounds):
		pair = [(0, ours), (1, base)]
		for place, measure in pair if number % 2 else reversed(pair):
			seconds[place].append(measure(number))
	return seconds


def verdict(
	what: str, ours: Sequence[float], base: Sequence[float], bound: Bound, unit: str, names: tuple[str, str]
) -> int:
	"""Print both medians with their spread and the median of the rounds' ratios; the exit code."""
	ratios = [one / other for one, other in zip(ours, base, strict=True)]
	ratio = statistics.median(ratios)
	print(what)
	for name, values in zip(names, (ours, base), strict=True):
		print(
			f"  {name:<28} {statistics.median(values):>12,.2f} {unit}   ({min(values):,.2f} … "
			f"{max(values):,.2f})"
		)
	term = "ok" if bound.holds(ratio) else "BEYOND ITS BOUND"
	print(
		f"  ratio {ratio:.3f} (rounds {min(ratios):.3f} … {max(ratios):.3f}, n = {len(ratios)}), must be "
		f"{bound}: {term}"
	)
	return 0 if bound.holds(ratio) else 1


def percentile(values: Sequence[float], share: float) -> float:
	"""The smallest value that at least `share` of all do not exceed."""
	ordered = sorted(values)
	return ordered[max(0, math.ceil(len(ordered) * share) - 1)] if ordered else 0.0
