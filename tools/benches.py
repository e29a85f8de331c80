"""Benches of this machine, for tools that need a Frappe site: their services, the app, new sites.

Standard library only.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

APP = "khalifa_whatsapp"
SITE = "khalifa-test.localhost"
CHECKOUT = Path(__file__).resolve().parents[1]
RESULTS = CHECKOUT / "test-results"
LOG = RESULTS / "site.log"
START_SECONDS = 60
STEP_SECONDS = 3600
ABOUT_SITE = """
import json, sys, frappe
frappe.init(site=sys.argv[1], sites_path=".")
frappe.connect()
print(json.dumps([frappe.__version__, frappe.db.sql("select version()")[0][0]]))
frappe.destroy()
"""


class Failed(Exception):
	"""A step on the way to the tests did not succeed; the text says which and why."""


class TooSlow(Failed):
	"""A step ran into its time limit; `said` is what it had written until then."""

	def __init__(self, text: str, said: bytes) -> None:
		super().__init__(text)
		self.said = said.decode("utf-8", "replace")


@dataclass
class Bench:
	"""A Frappe bench and how to run commands in it, without needing the bench program."""

	path: Path
	config: dict[str, Any] = field(default_factory=dict)
	log: Path | None = None  # else LOG
	variables: dict[str, str] = field(default_factory=dict)  # of its own, in the environment of its commands

	def __post_init__(self) -> None:
		file = self.sites / "common_site_config.json"
		if file.exists():
			self.config = json.loads(file.read_text(encoding="utf-8"))

	@property
	def sites(self) -> Path:
		return self.path / "sites"

	@property
	def python(self) -> Path:
		return self.path / "env" / "bin" / "python"

	def run(self, step: str, *command: str | Path, **more: Any) -> str:
		"""Run a command in the sites folder, log what it says, and give it back."""
		return run(step, [str(part) for part in command], self.log, **{"cwd": self.sites, **more})

	def frappe(
		self, step: str, *arguments: str, site: str | None = SITE, options: tuple[str, ...] = ()
	) -> str:
		"""Run what `bench …` would run."""
		chosen = [*options, *(["--site", site] if site else [])]
		helper = (self.python, "-m", "frappe.utils.bench_helper", "frappe")
		return self.run(step, *helper, *chosen, *arguments, env=self.environment())

	def environment(self) -> dict[str, str]:
		return {**environment(), **self.variables}


def environment() -> dict[str, str]:
	"""This checkout first on the path; CI makes run-tests end with an exit code."""
	paths = [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]
	return {**os.environ, "CI": "true", "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def run(step: str, command: list[str], own_log: Path | None = None, **more: Any) -> str:
	"""Run a command with its output going to the log; `Failed` with the last lines when it fails."""
	file = own_log or LOG
	with file.open("a", encoding="utf-8") as log:
		log.write(f"\n== {step}\n")
		log.flush()
		start = log.tell()
		options: dict[str, Any] = {"timeout": STEP_SECONDS, **more}
		try:
			done = subprocess.run(
				command,
				stdin=subprocess.DEVNULL,
				stdout=log,
				stderr=subprocess.STDOUT,
				check=False,
				**options,
			)
		except OSError as error:
			raise Failed(f"{step}: {type(error).__name__}") from error
		except subprocess.TimeoutExpired as error:
			raise TooSlow(
				f"{step}: not done after {error.timeout:.0f} s", file.read_bytes()[start:]
			) from error
	said = file.read_bytes()[start:].decode("utf-8", "replace")
	if done.returncode:
		raise Failed(f"{step}: exit code {done.returncode}\n{tail(said)}")
	return said


def tail(text: str, lines: int = 40) -> str:
	"""The last lines of an output, progress bars left out."""
	return "\n".join([line.rpartition("\r")[2] for line in text.rstrip().splitlines()][-lines:])


def say(text: str) -> None:
	print(f"site tests: {text}", flush=True)


# -- the bench


def find_benches() -> list[Bench]:
	"""$FRAPPE_BENCH, one or several with colons between, which must be benches;
	else ~/frappe-bench, if it is one.
	"""
	named = os.environ.get("FRAPPE_BENCH")
	benches = [
		Bench(Path(name).expanduser().absolute())
		for name in (named or "~/frappe-bench").split(os.pathsep)
		if name
	]
	good = [bench for bench in benches if bench.python.exists() and (bench.path / "apps" / "frappe").exists()]
	if named and len(good) < len(benches):
		raise Failed("$FRAPPE_BENCH is no Frappe bench (no env/bin/python or apps/frappe in it)")
	return good


@contextmanager
def alone(bench: Bench, site: str = SITE) -> Iterator[None]:
	"""One run at a time on a bench: they share the site."""
	with (bench.sites / f".{site}.lock").open("w") as file:
		try:
			fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
		except BlockingIOError:
			say("another run uses the test site; waiting")
			fcntl.flock(file, fcntl.LOCK_EX)
		yield


def database_address(bench: Bench) -> tuple[str, int]:
	host = os.environ.get("FRAPPE_DB_HOST") or bench.config.get("db_host") or "127.0.0.1"
	return host, int(bench.config.get("db_port") or 3306)


def redis_addresses(bench: Bench) -> dict[str, tuple[str, int]]:
	"""Host and port by the name of the configuration file."""
	addresses = {}
	for name in ("redis_cache", "redis_queue"):
		url = urlsplit(bench.config.get(name, ""))
		if url.hostname:
			addresses[name] = (url.hostname, url.port or 6379)
	return addresses


def answers(address: tuple[str, int]) -> bool:
	try:
		with socket.create_connection(address, timeout=2):
			return True
	except OSError:
		return False


def services_down(bench: Bench) -> list[str]:
	wanted = {"database": database_address(bench), **redis_addresses(bench)}
	return [name for name, address in wanted.items() if not answers(address)]


def start_services(bench: Bench) -> None:
	"""Start what is down; a database on another machine is not ours to start."""
	down = services_down(bench)
	if not down:
		return
	say(f"starting {', '.join(down)}")
	if os.access(bench.path / "up.sh", os.X_OK):
		bench.run("start services", bench.path / "up.sh", cwd=bench.path)
	else:
		for name in down:
			if name == "database":
				start_database()
			else:
				config = bench.path / "config" / f"{name}.conf"
				bench.run(f"start {name}", "redis-server", config, "--daemonize", "yes", cwd=bench.path)
	wait_until(lambda: not services_down(bench), lambda: f"not running: {', '.join(services_down(bench))}")


def start_database() -> None:
	for service in ("mariadb", "mysql"):
		if shutil.which("service"):
			try:
				run(f"service {service} start", ["service", service, "start"])
				return
			except Failed:
				continue
	for program in ("mariadbd-safe", "mysqld_safe"):
		if shutil.which(program):
			with LOG.open("a", encoding="utf-8") as log:
				subprocess.Popen(
					[program],
					stdin=subprocess.DEVNULL,
					stdout=log,
					stderr=subprocess.STDOUT,
					start_new_session=True,
				)
			return
	raise Failed("MariaDB is down and neither `service` nor mariadbd-safe can start it")


def wait_until(condition: Callable[[], bool], complaint: Callable[[], str]) -> None:
	stop = time.monotonic() + START_SECONDS
	while not condition():
		if time.monotonic() > stop:
			raise Failed(complaint())
		time.sleep(0.5)


# -- the app on the bench


def add_app(bench: Bench) -> None:
	"""Make the app known to the bench, as `bench get-app` would, but leave what is there as it is."""
	pip = pip_of(bench)
	clean = {key: value for key, value in environment().items() if key != "PYTHONPATH"}
	check = f"import {APP}, importlib.metadata as m; m.version('{APP}')"
	link = bench.path / "apps" / APP
	if link.is_symlink() and not link.exists():
		link.unlink()
	if not link.exists():
		say("adding the app to the bench")
		link.symlink_to(CHECKOUT)
	if subprocess.run(
		[bench.python, "-c", check], cwd="/", env=clean, capture_output=True, check=False
	).returncode:
		bench.run("install the app", *pip, "-e", link.resolve())
	bench.run("install requirements", *pip, "-r", CHECKOUT / "requirements.txt", *voice_codec())
	names = bench.sites / "apps.txt"
	known = names.read_text(encoding="utf-8").split() if names.exists() else ["frappe"]
	if APP not in known:
		names.write_text("\n".join([*known, APP]) + "\n", encoding="utf-8")
	if subprocess.run([bench.python, "-c", "import xmlrunner"], capture_output=True, check=False).returncode:
		bench.run("install the XML test runner", *pip, "unittest-xml-reporting~=3.2")


def voice_codec() -> list[str]:
	"""What the extra `voice` brings, for the tests of recordings."""
	lines = (CHECKOUT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
	return [line for line in lines if line.startswith("av")]


def pip_of(bench: Bench) -> list[str]:
	"""How to install into the bench's environment; newer benches have no pip in it but come with uv."""
	pip = [str(bench.python), "-m", "pip"]
	if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode == 0:
		return [*pip, "install", "--quiet", "--no-input", "--disable-pip-version-check"]
	return ["uv", "pip", "install", "--quiet", "--python", str(bench.python)]


def root_password(bench: Bench) -> str:
	"""Of the database's root user."""
	file = bench.path / ".db_root_password"
	if "DB_ROOT_PASSWORD" in os.environ:
		return os.environ["DB_ROOT_PASSWORD"]
	if file.exists():
		return file.read_text(encoding="utf-8").strip()
	if "root_password" in bench.config:
		return str(bench.config["root_password"])
	raise Failed("the database's root password is not known: set DB_ROOT_PASSWORD")


def database_name(bench: Bench, site: str) -> str:
	"""Frappe's own way to name a site's database, with the bench in it:
	benches that share a database server don't share a site.
	"""
	return "_" + hashlib.sha1(f"{bench.path}:{site}".encode()).hexdigest()[:16]


def make_site(bench: Bench, site: str = SITE, with_app: bool = True) -> None:
	"""A new site, with the app, in place of the one the last run left."""
	say(f"making {site} in {bench.path}")
	host = database_address(bench)[0]
	scope = "localhost" if host in ("127.0.0.1", "localhost", "::1") else "%"
	user = os.environ.get("DB_ROOT_USER") or bench.config.get("root_login") or "root"
	bench.frappe(
		"new site",
		"new-site",
		site,
		"--force",
		"--db-name",
		database_name(bench, site),
		"--admin-password",
		"admin",
		"--db-root-username",
		user,
		"--db-root-password",
		root_password(bench),
		f"--mariadb-user-host-login-scope={scope}",
		site=None,
	)
	bench.frappe("allow tests", "set-config", "-p", "allow_tests", "True", site=site)
	if with_app:
		say("installing the app and migrating")
		bench.frappe("install the app on the site", "install-app", APP, site=site)
		bench.frappe("migrate", "migrate", site=site)


def commit() -> dict[str, Any]:
	"""Which code this was."""

	def git(*arguments: str) -> str:
		done = subprocess.run(["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False)
		return done.stdout.strip() if done.returncode == 0 else ""

	try:
		return {
			"commit": git("rev-parse", "--verify", "HEAD") or None,
			"is_changed": bool(git("status", "--porcelain")),
		}
	except OSError:
		return {"commit": None, "is_changed": None}
