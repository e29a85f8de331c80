"""The rules of Desk's pages that need no browser: `tests/js/*.test.mjs`, run by node where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "js"
NODE = shutil.which("node")
NEEDED = (20, 19)  # reads a .js file that imports as a module, whatever a package.json says


def version() -> tuple[int, ...]:
	printed = subprocess.run(
		[str(NODE), "--version"], capture_output=True, text=True, timeout=20, check=True
	).stdout
	return tuple(int(part) for part in re.findall(r"\d+", printed)[:2])


@pytest.mark.skipif(NODE is None, reason="the rules of the pages are NOT tested: there is no node here")
@pytest.mark.parametrize("path", sorted(HERE.glob("*.test.mjs")), ids=lambda path: path.name)
def test_rules_of_the_pages(path):
	if version() < NEEDED:
		pytest.skip(f"the rules of the pages are NOT tested: node is older than {NEEDED}")
	done = subprocess.run(
		[str(NODE), "--test", str(path)], capture_output=True, text=True, timeout=60, check=False
	)
	assert done.returncode == 0, done.stdout + done.stderr
	assert re.search(r"^# pass [1-9]", done.stdout, re.MULTILINE), "no test was run"
