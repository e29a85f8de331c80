"""Runs the tests that need a Frappe site, on a bench of this machine, and writes test-results/site.json.

The bench is $FRAPPE_BENCH (several with colons between), else ~/frappe-bench. Database and Redis are started
when they are down and stay up. Where there are two processors, two processes share the modules out, each
with a site, a database and a Redis of its own. The test sites are made anew each time and kept afterwards;
other sites are not touched. The code under test is this checkout's, whatever copy of the app the bench has.
Standard library only.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benches import (
	ABOUT_SITE,
	APP,
	CHECKOUT,
	LOG,
	RESULTS,
	SITE,
	Bench,
	Failed,
	TooSlow,
	add_app,
	alone,
	commit,
	find_benches,
	make_site,
	say,
	start_services,
)
from reports import how_far, lines_of, merge, modules_in, read_report
from second_bench import SERVER, second_bench

JUNIT = RESULTS / "site.xml"
SECOND_LOG = RESULTS / "site-2.log"  # while it is written; then the end of LOG


@dataclass
class Part:
	"""What one process did of the tests."""

	report: Path
	about: list[str]  # versions of Frappe and of the database
	problem: str = ""
	unfinished: str = ""  # what it had said when it was stopped


@contextmanager
def workers(bench: Bench) -> Iterator[list[Bench]]:
	"""The bench, and another beside it where that is of use and can be had."""
	if len(os.sched_getaffinity(0)) < 2 or not SERVER:
		yield [bench]
		return
	SECOND_LOG.write_text("", encoding="utf-8")
	try:
		with second_bench(bench, SECOND_LOG) as second:
			yield [bench, second]
	finally:
		with LOG.open("ab") as log:
			log.write(b"\n== what the second process said\n" + SECOND_LOG.read_bytes())
		SECOND_LOG.unlink()


def build_pages(bench: Bench) -> dict[str, str]:
	"""Build what pages load, once: two builds at a time undo each other. Returns the mark of it."""
	if not (shutil.which("node") and shutil.which("yarn")):
		return {}
	bench.frappe("build the pages", "build", "--app", APP, site=None)
	return {"KHALIFA_PAGES_ARE_BUILT": "1"}


def work(bench: Bench, report: Path) -> Part:
	"""Make the bench's site and run on it whatever nobody else has taken."""
	make_site(bench)
	where = bench.run(
		"whose code", bench.python, "-c", f"import {APP}; print({APP}.__file__)", env=bench.environment()
	)
	if Path(where.strip()).resolve().parents[1] != CHECKOUT:
		raise Failed("the bench imports another copy of the app than this checkout")
	about = bench.run("versions", bench.python, "-c", ABOUT_SITE, SITE, env=bench.environment())
	part = Part(report, json.loads(about.strip().splitlines()[-1]))
	say(f"running on Frappe {part.about[0]}, {part.about[1]} in {bench.path}")
	report.unlink(missing_ok=True)
	arguments = ("--module", f"{APP}.tests.shared_out", "--junit-xml-output", str(report))
	try:
		# a line for each test, so that a run which hangs says how far it got
		bench.frappe("run-tests", "run-tests", *arguments, options=("--verbose",))
	except TooSlow as error:
		part.problem, part.unfinished = str(error), error.said
	except Failed as error:
		part.problem = str(error)
	return part


def share_out(bench: Bench) -> list[Part]:
	"""All modules, by one process or two."""
	built = build_pages(bench)
	with workers(bench) as benches, TemporaryDirectory(prefix="khalifa-taken-") as taken:
		shared = {"KHALIFA_SHARED": taken, **built}
		ends: list[dict[str, str]] = [{}, {"KHALIFA_FROM_END": "1"}]
		able = [
			replace(one, variables={**one.variables, **shared, **end})
			for one, end in zip(benches, ends, strict=False)
		]
		reports = [JUNIT.with_name(f"site-{number}.xml") for number in range(1, len(able) + 1)]
		with ThreadPoolExecutor(len(able)) as pool:
			return list(pool.map(work, able, reports))


def run_tests(bench: Bench, result: dict[str, Any]) -> None:
	"""Run them and note the counts; the verdict is read from the reports, not from the exit codes alone."""
	parts = share_out(bench)
	result["frappe"], result["database"] = parts[0].about
	merge([part.report for part in parts], JUNIT)
	for part in parts:
		part.report.unlink(missing_ok=True)
	counts, bad = read_report(JUNIT)
	stopped = [part for part in parts if part.unfinished]  # these have no report
	result.update(counts, tests=counts["tests"] + sum(len(lines_of(part.unfinished)) for part in stopped))
	problems = [part.problem for part in parts if part.problem]
	if bad:  # these say what a mere exit code doesn't
		problems = [
			f"{len(bad)} of {counts['tests']} tests failed",
			*bad,
			*(part.problem for part in stopped),
		]
	if problems:
		raise Failed("\n".join([*problems, *(how_far(part.unfinished) for part in stopped)]))
	if missing := test_modules() - modules_in(JUNIT):
		raise Failed(f"not run, though nothing failed: {', '.join(sorted(missing))}")
	if counts["tests"] - counts["skipped"] <= 0:
		raise Failed("not one test was executed")


def test_modules() -> set[str]:
	return {file.stem for file in (CHECKOUT / APP / "tests").glob("test_*.py")}


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
