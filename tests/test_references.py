"""What is imported from us is there, and dotted paths in hooks, JSON, scripts and documents lead somewhere.

What belongs to a site is imported on a site only: here a name that was renamed in one of two places shows
at once.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("khalifa_whatsapp", "simulation", "tests", "tools", "benchmarks")
DOTTED = re.compile(r"\bkhalifa_whatsapp(?:\.[a-z_][a-z_0-9]*)+(?:\.[A-Z]\w*)*")
# Examples in tests, attributes of the package itself, and what a page's scripts or a log file are called
NOT_PATHS = re.compile(
	r"\.(__\w+__|log|reports(\.ready)?|js|css|test_a\b.*|wpp|late|an_import)$|\.bundle\.|^khalifa_whatsapp\.tests\.test_a\b"
)
ELSEWHERE = ("tests/data/", "khalifa_whatsapp/locale/", "tests/test_references.py")


def files(*endings: str) -> list[str]:
	listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
	names = [name for name in listed.stdout.split("\0") if name.endswith(endings)]
	kept = [name for name in names if not name.startswith(ELSEWHERE) and (ROOT / name).is_file()]
	return kept or pytest.skip("this is no checkout")


@cache
def module_file(dotted: str) -> Path | None:
	"""The file of a module or package; None when there is none."""
	base = ROOT.joinpath(*dotted.split("."))
	candidates = (base.with_suffix(".py"), base / "__init__.py")
	return next((path for path in candidates if path.is_file()), None)


@cache
def names_in(path: Path) -> frozenset[str]:
	"""Every name that a module binds, at whatever depth: rather too many than too few."""
	names: set[str] = set()
	for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
		if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
			names.add(node.name)
		elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
			names.add(node.id)
		elif isinstance(node, ast.Import | ast.ImportFrom):
			names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
	return frozenset(names)


def missing_imports(source: str) -> Iterator[str]:
	"""`module: name` of what a source imports from us and is not there."""
	for node in ast.walk(ast.parse(source)):
		if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in OURS:
			module = node.module or ""
			path = module_file(module)
			for alias in node.names:
				is_there = module_file(f"{module}.{alias.name}") or (path and alias.name in names_in(path))
				if not is_there:
					yield f"{module}: {alias.name}"


def leads_nowhere(dotted: str) -> bool:
	parts = dotted.split(".")
	for length in range(len(parts), 0, -1):
		path = module_file(".".join(parts[:length]))
		if path is not None:
			return length < len(parts) and parts[length] not in names_in(path)
		if ROOT.joinpath(*parts[:length]).is_dir():
			return length < len(parts)
	return True


def test_what_is_imported_from_us_is_there() -> None:
	sources = {name: (ROOT / name).read_text(encoding="utf-8") for name in files(".py")}
	wrong = [f"{name}: {what}" for name, source in sources.items() for what in missing_imports(source)]
	assert wrong == []


def test_dotted_paths_lead_somewhere() -> None:
	wrong = [
		f"{name}: {path}"
		for name in files(".py", ".js", ".json", ".md", ".txt", ".toml")
		for path in sorted(set(DOTTED.findall((ROOT / name).read_text(encoding="utf-8"))))
		if not NOT_PATHS.search(path) and leads_nowhere(path)
	]
	assert wrong == []


def test_scripts_call_methods_that_are_there() -> None:
	apis = {path.stem for path in (ROOT / "khalifa_whatsapp" / "api").glob("*.py")}
	called = {
		(name, method)
		for name in files(".js")
		for method in re.findall(
			r"""["'`]([a-z_]+\.[a-z_]+)["'`]""", (ROOT / name).read_text(encoding="utf-8")
		)
		if method.partition(".")[0] in apis
	}
	assert len(called) > 30
	assert [each for each in sorted(called) if leads_nowhere(f"khalifa_whatsapp.api.{each[1]}")] == []


@pytest.mark.parametrize("path", ["khalifa_whatsapp.no_such", "khalifa_whatsapp.api.inbox.no_such"])
def test_a_path_that_leads_nowhere_is_seen(path: str) -> None:
	assert leads_nowhere(path)


def test_a_name_that_is_not_there_is_seen() -> None:
	assert list(missing_imports("from khalifa_whatsapp.core.keys import digest, no_such"))
