"""The parts of these tests: `browser` (in real Chromium) and `long` (processes killed in earnest, days played to the end)
are a part of their own, which `./test --quick` leaves out. Shared out among workers, browsers come one at a time.
"""

from __future__ import annotations

import pytest

BROWSER, MONTH = "browser", "month"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
	"""All browsers on one worker: two at once would be slower on two cores than one after the other."""
	for item in items:
		if item.get_closest_marker(BROWSER):
			item.add_marker(pytest.mark.xdist_group(BROWSER))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
	"""Reports name a test as it is named without workers: xdist appends its group, and `--lf` would not find it again."""
	for group in (BROWSER, MONTH):
		report.nodeid = report.nodeid.removesuffix(f"@{group}")

