"""The runner of the site tests says what it ran and, when it is stopped, how far it had got."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).parents[1] / "tools" / "site_tests.py"
SAID = """
Running tests...
  test_one (khalifa_whatsapp.tests.test_a.TestA.test_one) ... ok (0.001s)
  test_two (khalifa_whatsapp.tests.test_a.TestA) ... ok (0.1s)
  test_three (khalifa_whatsapp.tests.test_a.TestA.test_three) ... FAIL (0.1s)
  test_four (khalifa_whatsapp.tests.test_a.TestA.test_four) ... """


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
	spec = importlib.util.spec_from_file_location("khalifa_site_tests", TOOL)
	assert spec is not None and spec.loader is not None
	module = importlib.util.module_from_spec(spec)
	sys.modules[spec.name] = module
	spec.loader.exec_module(module)
	monkeypatch.setattr(module, "LOG", tmp_path / "site.log")
	return module


def test_it_knows_what_had_passed_and_what_was_at_work(tool: ModuleType) -> None:
	assert tool.lines_of(SAID) == [
		("khalifa_whatsapp.tests.test_a.TestA.test_one", "ok"),
		("khalifa_whatsapp.tests.test_a.TestA.test_two", "ok"),
		("khalifa_whatsapp.tests.test_a.TestA.test_three", "FAIL"),
		("khalifa_whatsapp.tests.test_a.TestA.test_four", ""),
	]


def test_a_step_that_hangs_is_stopped_and_says_how_far_it_was(tool: ModuleType) -> None:
	code = f"import time; print({SAID!r}, end='', flush=True); time.sleep(30)"
	with pytest.raises(tool.TooSlow, match="run-tests: not done after 1 s") as caught:
		tool.run("run-tests", [sys.executable, "-c", code], timeout=1)
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


def test_two_benches_on_one_database_server_do_not_share_a_site(tool: ModuleType, tmp_path: Path) -> None:
	benches = [tool.Bench(tmp_path / name) for name in ("one", "two")]
	names = {tool.database_name(bench, site) for bench in benches for site in (tool.SITE, "other.localhost")}
	assert len(names) == 4 and all(len(name) <= 17 for name in names)
