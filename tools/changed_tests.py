"""Which test files the files one touched concern, the nearest first: `./test --changed`.

Python files concern whatever imports them, directly or not. Another file (a payload, a DocType, a script)
concerns the Python files that name it in quotes, or else the nearest of its folders that somebody names.
Tests directly in `tests/` read the tree itself and are always among them. Nothing is remembered between two
runs, nothing is traced: the answer is the same in a fresh clone, and tests that measure time are not slowed
down.

Touched is what differs from BASE; without one, what is not committed, or the last commit when nothing is.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("khalifa_whatsapp", "simulation", "tests")
ON_A_SITE = ("khalifa_whatsapp/tests/", "khalifa_whatsapp/patches/")
CONTRACTS = "khalifa_whatsapp/tests/contracts/"  # on a site and without one
BY_NAME = ("khalifa_whatsapp.", "simulation.")
EVERYWHERE = SOURCES  # folders that everybody names


def touched(base: str | None) -> list[str]:
	"""The files that differ from `base`, by their paths in the checkout; deleted ones too."""
	if base is None:
		base = "HEAD" if git("status", "--porcelain") else "HEAD~1"
	return sorted({*git("diff", "--name-only", base), *git("ls-files", "--others", "--exclude-standard")})


def git(*arguments: str) -> list[str]:
	done = subprocess.run(
		["git", "-c", "core.quotePath=false", *arguments],
		cwd=ROOT,
		capture_output=True,
		text=True,
		check=True,
	)
	return done.stdout.splitlines()


@cache
def texts() -> dict[str, str]:
	"""Every Python file that takes part without a site, with its text."""
	paths = (path for top in SOURCES for path in sorted((ROOT / top).rglob("*.py")))
	named = ((path.relative_to(ROOT).as_posix(), path) for path in paths)
	return {
		name: path.read_text(encoding="utf-8")
		for name, path in named
		if not name.startswith(ON_A_SITE) or name.startswith(CONTRACTS)
	}


def imported(name: str, text: str) -> Iterator[str]:
	"""The files of ours that a file imports, and the packages they lie in."""
	package = Path(name).parent.as_posix().replace("/", ".")
	for node in ast.walk(ast.parse(text)):
		# imported by its name
		if isinstance(node, ast.Constant) and str(node.value).startswith(BY_NAME):
			yield from files_of(node.value)
		elif isinstance(node, ast.Import):
			for alias in node.names:
				yield from files_of(alias.name)
		elif isinstance(node, ast.ImportFrom):
			above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
			base = ".".join([*above, *filter(None, [node.module])])
			for alias in node.names:
				yield from files_of(f"{base}.{alias.name}")


def files_of(dotted: str) -> Iterator[str]:
	"""A module's file, as far as it is one, and those of the packages around it."""
	parts = dotted.split(".")
	for length in range(1, len(parts) + 1):
		path = "/".join(parts[:length])
		yield from (file for file in (f"{path}.py", f"{path}/__init__.py") if file in texts())


@cache
def importers() -> dict[str, set[str]]:
	"""For each file those that import it."""
	by_target: dict[str, set[str]] = defaultdict(set)
	for name, text in texts().items():
		for target in imported(name, text):
			by_target[target].add(name)
	return by_target


def concerned(path: str) -> set[str]:
	"""Where a touched file comes in: itself, or who names it."""
	if path.endswith("conftest.py"):
		return {name for name in texts() if name.startswith(Path(path).parent.as_posix())}
	if path.endswith(".py"):
		return {path}
	for part in (path, *Path(path).parents):
		term = Path(part).name
		if term in EVERYWHERE:
			break
		if term and (names := {name for name, text in texts().items() if f'"{term}"' in text}):
			return names
	return set()


def nearest_first(paths: Iterable[str]) -> list[str]:
	"""The test files that the touched files concern."""
	by = importers()
	distance = dict.fromkeys(sorted({name for path in paths for name in concerned(path)}), 0)
	waiting = deque(distance)
	while waiting:
		name = waiting.popleft()
		for importer in sorted(by[name]):
			if importer not in distance:
				distance[importer] = distance[name] + 1
				waiting.append(importer)
	reached = [name for name in distance if is_test(name) and name in texts()]
	always = [name for name in texts() if is_test(name) and name.count("/") == 1 and name not in distance]
	return sorted(reached, key=distance.__getitem__) + always


def is_test(name: str) -> bool:
	return name.startswith("tests/") and Path(name).name.startswith("test_")


def main() -> None:
	arguments = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	arguments.add_argument("base", nargs="?", help="a branch or commit to compare with")
	paths = touched(arguments.parse_args().base)
	tests = nearest_first(paths) if paths else []
	print(
		f"{len(paths)} files touched, {len(tests)} of {sum(map(is_test, texts()))} test files concern them",
		file=sys.stderr,
	)
	print("\n".join(tests))


if __name__ == "__main__":
	main()
