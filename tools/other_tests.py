"""Runs Frappe's own server tests on a site without the app and on one with it, and compares them test by
test.

The app must leave alone what is not its own, so both must end alike; the verdict is in
test-results/others.json. A module that ends differently is run once more on both sites: Frappe has tests that
pass and fail by chance, and a difference counts if it is there both times. The two sites are made anew and
kept; others are not touched. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import benches
from benches import RESULTS, Bench, Failed, say

WITHOUT, WITH = "khalifa-without.localhost", "khalifa-with.localhost"
REPORT = RESULTS / "others.json"
JUNIT = RESULTS / "others.xml"
# What people and other apps do with a site, as far as the app's hooks reach. What a Frappe hasn't got is left
# out
MODULES = (
	"frappe.core.doctype.comment.test_comment",
	"frappe.core.doctype.communication.test_communication",
	"frappe.core.doctype.data_import.test_exporter",
	"frappe.core.doctype.docshare.test_docshare",
	"frappe.core.doctype.file.test_file",
	"frappe.core.doctype.report.test_report",
	"frappe.core.doctype.user.test_user",
	"frappe.core.doctype.version.test_version",
	"frappe.core.doctype.view_log.test_view_log",
	"frappe.desk.doctype.dashboard_chart.test_dashboard_chart",
	"frappe.desk.doctype.kanban_board.test_kanban_board",
	"frappe.desk.doctype.note.test_note",
	"frappe.desk.doctype.notification_log.test_notification_log",
	"frappe.desk.doctype.number_card.test_number_card",
	"frappe.desk.doctype.tag.test_tag",
	"frappe.desk.doctype.todo.test_todo",
	"frappe.desk.form.test_form",
	"frappe.email.doctype.auto_email_report.test_auto_email_report",
	"frappe.tests.test_api",
	"frappe.tests.test_api_v2",
	"frappe.tests.test_assign",
	"frappe.tests.test_auth",
	"frappe.tests.test_boot",
	"frappe.tests.test_child_table",
	"frappe.tests.test_client",
	"frappe.tests.test_cors",
	"frappe.tests.test_db_query",
	"frappe.tests.test_document",
	"frappe.tests.test_dynamic_links",
	"frappe.tests.test_form_load",
	"frappe.tests.test_frappe_client",
	"frappe.tests.test_global_search",
	"frappe.tests.test_goal",
	"frappe.tests.test_hooks",
	"frappe.tests.test_linked_with",
	"frappe.tests.test_listview",
	"frappe.tests.test_permissions",
	"frappe.tests.test_printview",
	"frappe.tests.test_query",
	"frappe.tests.test_query_report",
	"frappe.tests.test_rate_limiter",
	"frappe.tests.test_rename_doc",
	"frappe.tests.test_reportview",
	"frappe.tests.test_safe_exec",
	"frappe.tests.test_search",
	"frappe.tests.test_seen",
	"frappe.tests.test_webform",
	"frappe.tests.test_website",
	"frappe.website.doctype.web_form.test_web_form",
	"frappe.website.doctype.web_page.test_web_page",
)
# Of Frappe's own list of what its tests need, what these modules import
NEEDED = ("faker", "freezegun", "hypothesis", "responses", "unittest-xml-reporting")
MODULE_SECONDS = 900
Outcomes = dict[str, str]
# What Frappe does before its tests, the setup wizard above all, and leaves out where another app is installed
BEFORE_TESTS = """
import sys, frappe
from frappe.utils.install import before_tests
frappe.init(site=sys.argv[1], sites_path=".")
frappe.connect()
frappe.get_installed_apps = lambda *given, **named: ["frappe"]
before_tests()
frappe.db.commit()
frappe.destroy()
"""


def add_requirements(bench: Bench) -> None:
	"""What Frappe's pyproject.toml asks for in the versions that it asks for, where it isn't there yet."""
	text = (bench.path / "apps" / "frappe" / "pyproject.toml").read_text(encoding="utf-8")
	section = text.partition("[tool.bench.dev-dependencies]")[2].partition("\n[")[0]
	wanted = re.findall(r'^([\w-]+) = "(.+)"$', section, re.MULTILINE)
	missing = [
		name + version for name, version in wanted if name.lower() in NEEDED and not is_there(bench, name)
	]
	if missing:
		say(f"installing {', '.join(missing)}")
		bench.run("install what Frappe's tests need", *benches.pip_of(bench), *missing)


def is_there(bench: Bench, name: str) -> bool:
	check = [bench.python, "-c", f"import importlib.metadata as m; m.version({name!r})"]
	return subprocess.run(check, cwd="/", capture_output=True, check=False).returncode == 0


def is_in(bench: Bench, module: str) -> bool:
	return (bench.path / "apps" / "frappe" / Path(*module.split("."))).with_suffix(".py").exists()


def outcomes(bench: Bench, site: str, module: str) -> Outcomes:
	"""How each test of the module ended; under the module's own name, why it could not be run."""
	JUNIT.unlink(missing_ok=True)
	problem = ""
	arguments = ("run-tests", "--module", module, "--junit-xml-output", str(JUNIT))
	try:
		helper = (bench.python, "-m", "frappe.utils.bench_helper", "frappe", "--site", site, *arguments)
		environment = benches.environment()
		bench.run(f"{module} on {site}", *helper, env=environment, timeout=MODULE_SECONDS)
	except Failed as error:
		problem = str(error).splitlines()[-1].strip()
	ended = read(JUNIT)
	return ended or {module: f"not run: {problem or 'it has no tests'}"}


def read(report: Path) -> Outcomes:
	try:
		root = ET.parse(report).getroot()
	except (OSError, ET.ParseError):
		return {}
	by_test = {}
	for case in root.iter("testcase"):
		ended = [tag for tag in ("error", "failure", "skipped") if case.find(tag) is not None]
		by_test[f"{case.get('classname', '')}.{case.get('name', '')}"] = ended[0] if ended else "passed"
	return by_test


def differences(without: Outcomes, with_app: Outcomes) -> dict[str, list[str]]:
	"""By test: how it ended without the app, and how with it."""
	ended = {
		name: [both.get(name, "missing") for both in (without, with_app)] for name in {**without, **with_app}
	}
	return {name: both for name, both in ended.items() if both[0] != both[1]}


def compare(bench: Bench, module: str) -> tuple[Outcomes, dict[str, list[str]]]:
	differing: dict[str, list[str]] = {}
	for attempt in range(2):
		without, with_app = (outcomes(bench, site, module) for site in (WITHOUT, WITH))
		now = differences(without, with_app)
		differing = (
			{name: both for name, both in now.items() if not attempt or name in differing} if attempt else now
		)
		if not differing:
			break
	return with_app, differing


def run(bench: Bench, modules: list[str], result: dict[str, Any]) -> None:
	for module in modules:
		ended, differing = compare(bench, module)
		counts = ", ".join(f"{list(ended.values()).count(how)} {how}" for how in sorted(set(ended.values())))
		say(f"{module}: {counts}{'; DIFFERENT' if differing else ''}")
		result["modules"][module] = ended
		result["differences"].update(differing)
	tests = [how for ended in result["modules"].values() for how in ended.values()]
	result.update(tests=len(tests), passed=tests.count("passed"))
	if result["differences"]:
		lines = [
			f"{name}: without the app {one}, with it {two}"
			for name, (one, two) in result["differences"].items()
		]
		raise Failed("\n".join([f"{len(lines)} tests end differently", *lines]))
	if not result["passed"]:
		raise Failed("not one test passed")


def prepare(bench: Bench, is_kept: bool) -> None:
	benches.start_services(bench)
	benches.add_app(bench)
	add_requirements(bench)
	for site in (WITHOUT, WITH):
		if not is_kept or not (bench.sites / site).exists():
			benches.make_site(bench, site, with_app=site == WITH)
			environment = benches.environment()
			bench.run(f"set {site} up", bench.python, "-c", BEFORE_TESTS, site, env=environment)


def about(bench: Bench) -> list[str]:
	said = bench.run("versions", bench.python, "-c", benches.ABOUT_SITE, WITH, env=benches.environment())
	return json.loads(said.strip().splitlines()[-1])


def main() -> int:
	"""Run everything and write down how it went."""
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--needed", action="store_true", help="fail when there is no bench")
	parser.add_argument("--keep", action="store_true", help="use the two sites that the last run left")
	parser.add_argument("modules", nargs="*", help="only these modules of tests")
	given = parser.parse_args()
	result: dict[str, Any] = {
		"status": "failed",
		"tests": 0,
		"passed": 0,
		"differences": {},
		"modules": {},
		"frappe": None,
		"database": None,
		**benches.commit(),
		"at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
	}

	def work(bench: Bench) -> None:
		prepare(bench, given.keep)
		result["frappe"], result["database"] = about(bench)
		run(bench, given.modules or [module for module in MODULES if is_in(bench, module)], result)

	on_first_bench(REPORT, WITH, work, result)
	say(summary(result))
	return exit_code(result, given.needed)


def on_first_bench(report: Path, site: str, work: Callable[[Bench], None], result: dict[str, Any]) -> None:
	"""Do the work on the first bench, with its site for oneself,
	and write into `result` and the report how it ended.
	"""
	RESULTS.mkdir(exist_ok=True)
	benches.LOG = report.with_suffix(".log")
	benches.LOG.write_text("", encoding="utf-8")
	report.unlink(missing_ok=True)  # whatever happens, an earlier verdict is not this one's
	started = time.monotonic()
	try:
		bench = next(iter(benches.find_benches()), None)
		if bench is None:
			result.update(status="not run", reason="no Frappe bench found; set FRAPPE_BENCH")
		else:
			with benches.alone(bench, site):
				work(bench)
			result["status"] = "passed"
	except Failed as error:
		result["reason"] = str(error).splitlines()[0]
		say(f"{error}\n(all output: {benches.LOG.name})")
	result["seconds"] = round(time.monotonic() - started, 1)
	report.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def exit_code(result: dict[str, Any], is_needed: bool) -> int:
	return 1 if result["status"] == "failed" or (is_needed and result["status"] == "not run") else 0


def summary(result: dict[str, Any]) -> str:
	if result["status"] == "not run":
		return f"NOT RUN ({result['reason']})"
	summary = (
		f"{result['tests']} of Frappe's tests, {result['passed']} passed, {len(result['differences'])} differ"
	)
	return (
		f"{result['status'].upper()}: {summary} in {result['seconds']} s (Frappe {result['frappe']}, "
		f"{result['database']})"
	)


if __name__ == "__main__":
	sys.exit(main())
