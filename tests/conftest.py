"""The parts of these tests: `browser` (in real Chromium) and `long` (processes killed in earnest, days played
to the end) are a part of their own, which `./test --quick` leaves out. And how workers share all of them out.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

IN_CHROMIUM = "chromium"
# What these make once for all their tests takes longer than the tests
MADE_ONCE = ("tests/demo/test_month.py", "tests/test_translations.py")
# Of real time: a neighbour may have the processor meanwhile. What must be fast says so in its own test.
settings.register_profile("shared", deadline=timedelta(seconds=5))
settings.load_profile("shared")


class Sharing(LoadScopeScheduling):
	"""Test by test, but browsers one at a time:
	two at once are slower on two processors than one after the other.
	"""

	def _split_scope(self, nodeid: str) -> str:
		if nodeid.startswith("tests/browser/") or nodeid.endswith("-chrome]"):
			return IN_CHROMIUM
		file = nodeid.partition("::")[0]
		return file if file in MADE_ONCE else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Sharing:
	"""What `-n` shares the tests out with; the largest part, the browsers, comes first."""
	return Sharing(config, log)
