"""The runner of the site tests runs each module once, and says how that ended or how far it was."""

from __future__ import annotations

import importlib
import sys
import unittest
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from khalifa_whatsapp.tests import shared_out

ROOT = Path(__file__).parents[1]
REPORT = """<testsuites><testsuite name="a">
<testcase classname="khalifa_whatsapp.tests.{0}.TestA" name="test_one">{1}</testcase>
</testsuite></testsuites>"""
SAID = """
Running tests...
  test_one (khalifa_whatsapp.tests.test_a.TestA.test_one) ... ok (0.001s)
  test_two (khalifa_whatsapp.tests.test_a.TestA) ... ok (0.1s)
  test_three (khalifa_whatsapp.tests.test_a.TestA.test_three) ... FAIL (0.1s)
  test_four (khalifa_whatsapp.tests.test_a.TestA.test_four) ... """


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
	monkeypatch.syspath_prepend(str(ROOT / "tools"))
	module = importlib.import_module("site_tests")
	monkeypatch.setattr(sys.modules["benches"], "LOG", tmp_path / "site.log")
	monkeypatch.setattr(module, "LOG", tmp_path / "site.log")
	monkeypatch.setattr(module, "JUNIT", tmp_path / "site.xml")
	return module


@pytest.fixture
def benches(tool: ModuleType) -> ModuleType:
	return sys.modules["benches"]


def test_it_knows_what_had_passed_and_what_was_at_work(tool: ModuleType) -> None:
	assert tool.lines_of(SAID) == [
		("khalifa_whatsapp.tests.test_a.TestA.test_one", "ok"),
		("khalifa_whatsapp.tests.test_a.TestA.test_two", "ok"),
		("khalifa_whatsapp.tests.test_a.TestA.test_three", "FAIL"),
		("khalifa_whatsapp.tests.test_a.TestA.test_four", ""),
	]


def test_a_step_that_hangs_is_stopped_and_says_how_far_it_was(tool: ModuleType, benches: ModuleType) -> None:
	code = f"import time; print({SAID!r}, end='', flush=True); time.sleep(30)"
	with pytest.raises(tool.TooSlow, match="run-tests: not done after 1 s") as caught:
		benches.run("run-tests", [sys.executable, "-c", code], timeout=1)
	progress = tool.how_far(caught.value.said)
	assert (
		progress.startswith("2 tests had passed:")
		and "at work: khalifa_whatsapp.tests.test_a.TestA.test_four" in progress
	)


def test_the_summary_names_the_versions(tool: ModuleType) -> None:
	counts = {"tests": 3, "failures": 0, "errors": 0, "skipped": 1, "seconds": 2.0, "status": "passed"}
	assert "Frappe 15.101.1, 10.11" in tool.summary({**counts, "frappe": "15.101.1", "database": "10.11"})


def test_one_bench_that_failed_is_a_failure_and_no_bench_is_not_run(tool: ModuleType) -> None:
	counts = {"tests": 3, "failures": 0, "errors": 0, "skipped": 0, "seconds": 2.0}
	good = {**counts, "status": "passed", "frappe": "15.55.1"}
	bad = {**counts, "status": "failed", "frappe": "15.101.1"}
	verdict = tool.verdict([good, bad])
	assert (verdict["status"], verdict["tests"], verdict["frappe"]) == ("failed", 6, ["15.55.1", "15.101.1"])
	assert (tool.verdict([good])["status"], tool.verdict([])["status"]) == ("passed", "not run")


def test_what_is_no_bench_is_refused_and_none_at_all_is_said(
	tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setenv("FRAPPE_BENCH", f"{tmp_path}:{tmp_path}/other")
	with pytest.raises(tool.Failed, match="no Frappe bench"):
		tool.find_benches()
	monkeypatch.delenv("FRAPPE_BENCH")
	monkeypatch.setenv("HOME", str(tmp_path))
	assert tool.find_benches() == []


def test_two_benches_on_one_database_server_do_not_share_a_site(benches: ModuleType, tmp_path: Path) -> None:
	both = [benches.Bench(tmp_path / name) for name in ("one", "two")]
	names = {
		benches.database_name(bench, site) for bench in both for site in (benches.SITE, "other.localhost")
	}
	assert len(names) == 4 and all(len(name) <= 17 for name in names)


def test_what_two_processes_share_is_run_once_each_from_its_end(
	tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setattr(unittest.defaultTestLoader, "loadTestsFromName", lambda name: name.rpartition(".")[2])
	names = shared_out.modules()
	one, other = (iter(shared_out.SharedOut(order, tmp_path)) for order in (names, reversed(names)))
	assert [next(one), next(other), next(one), next(other)] == [names[0], names[-1], names[1], names[-2]]
	assert [*one, *other] == names[2:-2]


def test_no_test_of_the_app_is_anywhere_else() -> None:
	paths = {path for path in (ROOT / "khalifa_whatsapp").rglob("test_*.py") if "public" not in path.parts}
	assert {path.parent for path in paths} == {ROOT / "khalifa_whatsapp" / "tests"}
	assert sorted(path.stem for path in paths) == sorted(shared_out.modules())


def test_browsers_stand_in_front() -> None:
	names = shared_out.modules()
	split = names.index("test_account_notices")
	assert {"test_inbox_page", "test_gateway", "test_gateway_web", "test_page_texts"} <= set(names[:split])
	assert {"test_attached_rows", "test_jobs", "test_webhook"} <= set(names[split:])


def parts(tool: ModuleType, folder: Path, *said: tuple[str, str, str]) -> list[Any]:
	"""What processes say that ran one module each: its name, how its test ended, and a problem besides."""
	parts = []
	for number, (module, outcome, problem) in enumerate(said):
		report = folder / f"part-{number}.xml"
		report.write_text(REPORT.format(module, outcome))
		parts.append(tool.Part(report, ["15.101.1", "10.11"], problem))
	return parts


@pytest.mark.parametrize(
	("second", "complaint"),
	[
		(("test_b", "", ""), ""),
		(("test_b", "<failure>wrong</failure>", "exit code 1"), "1 of 2 tests failed"),
		(("test_b", "", "exit code 137"), "exit code 137"),
		(("test_a", "", ""), "not run, though nothing failed: test_b"),
	],
)
def test_both_processes_make_one_result(
	tool: ModuleType,
	tmp_path: Path,
	monkeypatch: pytest.MonkeyPatch,
	second: tuple[str, str, str],
	complaint: str,
) -> None:
	said = parts(tool, tmp_path, ("test_a", "", ""), second)
	monkeypatch.setattr(tool, "share_out", lambda bench: said)
	monkeypatch.setattr(tool, "test_modules", lambda: {"test_a", "test_b"})
	result: dict[str, Any] = {}
	if complaint:
		with pytest.raises(tool.Failed, match=complaint):
			tool.run_tests(None, result)
	else:
		tool.run_tests(None, result)
	assert (result["tests"], result["frappe"]) == (2, "15.101.1")
	assert sorted(path.name for path in tmp_path.iterdir()) == ["site.xml"]


def test_a_process_that_was_stopped_says_how_far_it_was_beside_what_failed_in_the_other(
	tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
	failed, stopped = parts(
		tool, tmp_path, ("test_a", "<error>wrong</error>", ""), ("test_b", "", "not done")
	)
	stopped.report.unlink()
	stopped.unfinished = SAID
	monkeypatch.setattr(tool, "share_out", lambda bench: [failed, stopped])
	result: dict[str, Any] = {}
	with pytest.raises(tool.Failed) as caught:
		tool.run_tests(None, result)
	progress = str(caught.value)
	assert progress.startswith("1 of 1 tests failed") and "ERROR: khalifa_whatsapp.tests.test_a" in progress
	assert "not done" in progress and "2 tests had passed" in progress and result["tests"] == 5


def test_the_second_folder_shares_apps_and_has_a_site_of_its_own(
	tool: ModuleType, benches: ModuleType, tmp_path: Path
) -> None:
	for folder in ("apps", "env", "sites/assets", "sites/others.localhost"):
		(tmp_path / folder).mkdir(parents=True)
	(tmp_path / "sites" / "apps.txt").write_text("frappe\n")
	(tmp_path / "sites" / "common_site_config.json").write_text('{"db_port": 3307}')
	first = benches.Bench(tmp_path)
	second = benches.Bench(sys.modules["second_bench"].make_folder(first))
	assert (second.path / "apps").resolve() == tmp_path / "apps"
	assert not (second.sites / "others.localhost").exists() and second.config == first.config
	assert benches.database_name(first, benches.SITE) != benches.database_name(second, benches.SITE)
