"""All modules of tests as one suite that two processes share: each takes the next one that nobody has taken.

	bench run-tests --module khalifa_whatsapp.tests.shared_out

$KHALIFA_SHARED is a folder that both know: whoever makes the file of a module's name there runs it. One
begins at the front, the other ($KHALIFA_FROM_END) at the end. What lives in a browser stands in front, so
that browsers run one at a time until hardly anything else is left; beyond that the order is that of names.
"""

from __future__ import annotations

import os
import re
import unittest
from collections.abc import Iterable, Iterator
from pathlib import Path

IN_A_BROWSER = re.compile(r"\b(PageCase|InboxPageCase|WatchedCase|GatewayCase|chromedriver)\b")


class SharedOut(unittest.TestSuite):
	"""Finds out what it has to run only when it gets there."""

	_cleanup = False  # there is no list of tests from which those that have run could be taken

	def __init__(self, names: Iterable[str], taken: Path) -> None:
		super().__init__()
		self.names, self.taken = tuple(names), taken

	def __iter__(self) -> Iterator[unittest.TestSuite]:
		for name in self.names:
			if take(self.taken / name):
				yield unittest.defaultTestLoader.loadTestsFromName(f"{__package__}.{name}")


def take(mark: Path) -> bool:
	"""Whether one is the first to make the mark."""
	try:
		mark.touch(exist_ok=False)
	except FileExistsError:
		return False
	return True


def modules() -> list[str]:
	"""All of them, those that live in a browser first."""
	files = sorted(Path(__file__).parent.glob("test_*.py"))
	return [file.stem for file in sorted(files, key=lambda file: not is_in_a_browser(file))]


def is_in_a_browser(file: Path) -> bool:
	return bool(IN_A_BROWSER.search(file.read_text(encoding="utf-8")))


def load_tests(_loader: unittest.TestLoader, _tests: unittest.TestSuite, _pattern: str | None) -> SharedOut:
	"""What unittest asks a module for, instead of looking into it."""
	names = modules()
	return SharedOut(
		reversed(names) if "KHALIFA_FROM_END" in os.environ else names, Path(os.environ["KHALIFA_SHARED"])
	)
