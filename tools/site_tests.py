"""Runs the tests that need a Frappe site, on a bench of this machine, and writes test-results/site.json.

The bench is $FRAPPE_BENCH (several with colons between), else ~/frappe-bench. Database and Redis are started
when they are down and stay up. The test site is made anew each time and kept afterwards; other sites are not
touched. The code under test is this checkout's, whatever copy of the app the bench has. Standard library
only.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

APP = "khalifa_whatsapp"
SITE = "khalifa-test.localhost"
CHECKOUT = Path(__file__).resolve().parents[1]
RESULTS = CHECKOUT / "test-results"
LOG = RESULTS / "site.log"
JUNIT = RESULTS / "site.xml"
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
		return run(step, [str(part) for part in command], **{"cwd": self.sites, **more})

	def frappe(
		self, step: str, *arguments: str, site: str | None = SITE, options: tuple[str, ...] = ()
	) -> str:
		"""Run what `bench …` would run."""
		chosen = [*options, *(["--site", site] if site else [])]
		helper = (self.python, "-m", "frappe.utils.bench_helper", "frappe")
		return self.run(step, *helper, *chosen, *arguments, env=environment())


def environment() -> dict[str, str]:
	"""This checkout first on the path; CI makes run-tests end with an exit code."""
	paths = [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]
	return {**os.environ, "CI": "true", "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def run(step: str, command: list[str], **more: Any) -> str:
	"""Run a command with its output going to the log; `Failed` with the last lines when it fails."""
	with LOG.open("a", encoding="utf-8") as log:
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
				f"{step}: not done after {error.timeout:.0f} s", LOG.read_bytes()[start:]
			) from error
	said = LOG.read_bytes()[start:].decode("utf-8", "replace")
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
	say(f"making {site}")
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


# -- the tests


def run_tests(bench: Bench, result: dict[str, Any]) -> None:
	"""Run them and note the counts; the verdict is read from the report, not from the exit code alone."""
	where = bench.run(
		"whose code", bench.python, "-c", f"import {APP}; print({APP}.__file__)", env=environment()
	)
	if Path(where.strip()).resolve().parents[1] != CHECKOUT:
		raise Failed("the bench imports another copy of the app than this checkout")
	about = bench.run("versions", bench.python, "-c", ABOUT_SITE, SITE, env=environment())
	result["frappe"], result["database"] = json.loads(about.strip().splitlines()[-1])
	say(f"running on Frappe {result['frappe']}, {result['database']}")
	JUNIT.unlink(missing_ok=True)
	problem = ""
	try:
		# a line for each test, so that a run which hangs says how far it got
		bench.frappe(
			"run-tests", "run-tests", "--app", APP, "--junit-xml-output", str(JUNIT), options=("--verbose",)
		)
	except TooSlow as error:
		result["tests"] = len(lines_of(error.said))
		raise Failed(f"{error}; {how_far(error.said)}") from error
	except Failed as error:
		problem = str(error)
	counts, bad = read_report(JUNIT)
	result.update(counts)
	if bad:
		raise Failed("\n".join([f"{len(bad)} of {counts['tests']} tests failed", *bad]))
	if problem:
		raise Failed(problem)
	if counts["tests"] - counts["skipped"] <= 0:
		raise Failed("not one test was executed")


LINE = re.compile(r"^\s*(test_\w+) \(([\w.]+)\) \.\.\. ?(\w*)", re.MULTILINE)


def lines_of(said: str) -> list[tuple[str, str]]:
	"""Each test that was begun and how it ended ("" while it is at work), in their order."""
	return [
		(place if place.endswith(f".{name}") else f"{place}.{name}", outcome)
		for name, place, outcome in LINE.findall(said)
	]


def how_far(said: str) -> str:
	"""Which tests had passed when a run was stopped, and which one was at work."""
	begun = lines_of(said)
	passed = [name for name, outcome in begun if outcome == "ok"]
	at_work = [name for name, outcome in begun if not outcome]
	return f"{len(passed)} tests had passed:\n{chr(10).join(passed)}\nat work: {', '.join(at_work) or 'none'}"


def read_report(path: Path) -> tuple[dict[str, int], list[str]]:
	"""Counts, and a text for each test that failed."""
	counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
	bad: list[str] = []
	try:
		root = ET.parse(path).getroot()
	except (OSError, ET.ParseError):
		return counts, bad
	for case in root.iter("testcase"):
		counts["tests"] += 1
		name = f"{case.get('classname', '')}.{case.get('name', '')}"
		for tag, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
			for entry in case.findall(tag):
				counts[count] += 1
				if tag != "skipped":
					bad.append(
						f"-- {tag.upper()}: {name}\n{tail(entry.text or entry.get('message') or '', 25)}"
					)
	return counts, bad


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


def summary(result: dict[str, Any]) -> str:
	counts = ", ".join(f"{result[key]} {key}" for key in ("tests", "failures", "errors", "skipped"))
	host = f"Frappe {result['frappe']}, {result['database']}" if result["frappe"] else "no site"
	return f"{result['status'].upper()}: {counts} in {result['seconds']} s ({host})"


def run_on(bench: Bench) -> dict[str, Any]:
	"""All site tests on one bench; how it went."""
	started = time.monotonic()
	result: dict[str, Any] = {
		"status": "failed",
		"tests": 0,
		"failures": 0,
		"errors": 0,
		"skipped": 0,
		"seconds": 0.0,
		"frappe": None,
		"database": None,
	}
	try:
		with alone(bench):
			start_services(bench)
			add_app(bench)
			make_site(bench)
			run_tests(bench, result)
		result["status"] = "passed"
	except Failed as error:
		result["reason"] = str(error).splitlines()[0]
		say(f"{error}\n(all output: {LOG.relative_to(CHECKOUT)})")
	result["seconds"] = round(time.monotonic() - started, 1)
	say(summary(result))
	return result


def verdict(runs: list[dict[str, Any]]) -> dict[str, Any]:
	"""One verdict over the benches: passed only if each did."""
	status = (
		"not run" if not runs else "passed" if all(run["status"] == "passed" for run in runs) else "failed"
	)
	sums = {
		key: sum(run[key] for run in runs) for key in ("tests", "failures", "errors", "skipped", "seconds")
	}
	return {"status": status, **sums, "frappe": [run["frappe"] for run in runs], "runs": runs}


def main() -> int:
	"""Run everything and write down how it went."""
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--needed", action="store_true", help="fail when there is no bench")
	is_needed = parser.parse_args().needed
	RESULTS.mkdir(exist_ok=True)
	LOG.write_text("", encoding="utf-8")
	report = RESULTS / "site.json"
	report.unlink(missing_ok=True)  # whatever happens, an earlier verdict is not this one's
	head = {**commit(), "at": datetime.now(timezone.utc).isoformat(timespec="seconds")}
	try:
		result = verdict([run_on(bench) for bench in find_benches()])
	except Failed as error:
		result = {**verdict([]), "status": "failed", "reason": str(error)}
		say(str(error))
	if result["status"] == "not run":
		result["reason"] = "no Frappe bench found; set FRAPPE_BENCH"
		say(f"NOT RUN ({result['reason']})")
	report.write_text(json.dumps({**result, **head}, indent=1) + "\n", encoding="utf-8")
	return 1 if result["status"] == "failed" or (is_needed and result["status"] == "not run") else 0


if __name__ == "__main__":
	sys.exit(main())
