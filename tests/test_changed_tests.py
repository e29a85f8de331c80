"""`./test --changed` finds every test that what one touched can break, and looks at the nearest first."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).parents[1] / "tools" / "changed_tests.py"
TREE = {
	"khalifa_whatsapp/__init__.py": "",
	"khalifa_whatsapp/core/__init__.py": "",
	"khalifa_whatsapp/core/keys.py": "",
	"khalifa_whatsapp/services/__init__.py": "",
	"khalifa_whatsapp/services/work.py": "from khalifa_whatsapp.core import keys",
	"khalifa_whatsapp/services/late.py": "def now():\n\tfrom . import work",
	"khalifa_whatsapp/drivers/__init__.py": "",
	"khalifa_whatsapp/drivers/factory.py": 'DRIVERS = ("khalifa_whatsapp.drivers.wpp",)',
	"khalifa_whatsapp/drivers/wpp.py": 'PAGE = "page.js"',
	"tests/__init__.py": "",
	"tests/test_whole.py": "",
	"tests/core/test_keys.py": "from khalifa_whatsapp.core.keys import digest",
	"tests/services/harness.py": "import khalifa_whatsapp.services.late",
	"tests/services/test_late.py": "from tests.services.harness import Desk",
	"tests/drivers/test_factory.py": "from khalifa_whatsapp.drivers import factory",
	"tests/drivers/test_wpp.py": 'from khalifa_whatsapp.drivers.wpp import PAGE\nDATA = "wpp_payloads"',
}


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
	spec = importlib.util.spec_from_file_location("khalifa_changed_tests", TOOL)
	assert spec is not None and spec.loader is not None
	module = importlib.util.module_from_spec(spec)
	spec.loader.exec_module(module)
	return module


@pytest.fixture
def tree(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
	monkeypatch.setattr(tool, "texts", lambda: TREE)
	return tool


@pytest.mark.parametrize(
	("path", "expected"),
	[
		("khalifa_whatsapp/core/keys.py", ["core/test_keys.py", "services/test_late.py"]),
		("khalifa_whatsapp/services/work.py", ["services/test_late.py"]),
		("khalifa_whatsapp/drivers/wpp.py", ["drivers/test_wpp.py", "drivers/test_factory.py"]),
		("khalifa_whatsapp/drivers/static/page.js", ["drivers/test_wpp.py", "drivers/test_factory.py"]),
		("tests/data/wpp_payloads/voice.json", ["drivers/test_wpp.py"]),
		("tests/services/conftest.py", ["services/test_late.py"]),
		("tests/core/test_keys.py", ["core/test_keys.py"]),
		("khalifa_whatsapp/core/deleted.py", []),
		("docs/guide.md", []),
	],
)
def test_what_may_break_is_found(tree: ModuleType, path: str, expected: list[str]) -> None:
	tests = tree.nearest_first([path])
	assert sorted(tests) == sorted([f"tests/{name}" for name in expected] + ["tests/test_whole.py"])
	assert tests[: len(expected[:1])] == [f"tests/{name}" for name in expected[:1]], "the nearest first"


def test_a_package_concerns_whoever_imports_anything_of_it(tree: ModuleType) -> None:
	assert "tests/core/test_keys.py" in tree.nearest_first(["khalifa_whatsapp/core/__init__.py"])


def test_in_this_tree_the_rules_reach_far_and_a_leaf_does_not(tool: ModuleType) -> None:
	of_rules = tool.nearest_first(["khalifa_whatsapp/core/calendar.py"])
	assert of_rules.index("tests/core/test_calendar.py") < of_rules.index("tests/services/test_media.py")
	of_leaf = tool.nearest_first(["khalifa_whatsapp/drivers/vcards.py"])
	assert "tests/drivers/test_vcards.py" in of_leaf and "tests/core/test_calendar.py" not in of_leaf
	of_simulator = tool.nearest_first(["simulation/simulators/wire.py"])
	assert (
		"tests/simulation/test_run.py" in of_simulator and "tests/core/test_calendar.py" not in of_simulator
	)
	of_contract = tool.nearest_first(["khalifa_whatsapp/tests/contracts/store_rows.py"])
	assert "tests/stores/test_sqlite_store.py" in of_contract
	of_schema = tool.nearest_first(
		["khalifa_whatsapp/khalifa_whatsapp/doctype/khalifa_ticket/khalifa_ticket.json"]
	)
	assert {"tests/stores/test_sqlite_store.py", "tests/services/test_replies.py"} <= set(of_schema)
