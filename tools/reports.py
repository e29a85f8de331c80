"""What runs of tests said: test by test while they run, and in their JUnit reports. Standard library only."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

from benches import tail

LINE = re.compile(r"^\s*(test_\w+) \(([\w.]+)\) \.\.\. ?(\w*)", re.MULTILINE)


def lines_of(said: str) -> list[tuple[str, str]]:
	"""Each test that was begun and how it ended ("" while it is at work), in their order."""
	return [
		(place if place.endswith(f".{name}") else f"{place}.{name}", outcome)
		for name, place, outcome in LINE.findall(said)
	]


def how_far(said: str) -> str:
	"""Which tests had passed when a run was stopped, and which one was at work."""
	begun = lines_of(said)
	passed = [name for name, outcome in begun if outcome == "ok"]
	at_work = [name for name, outcome in begun if not outcome]
	return f"{len(passed)} tests had passed:\n{chr(10).join(passed)}\nat work: {', '.join(at_work) or 'none'}"


def read_report(path: Path) -> tuple[dict[str, int], list[str]]:
	"""Counts, and a text for each test that failed."""
	counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
	bad: list[str] = []
	for case in cases(path):
		counts["tests"] += 1
		name = f"{case.get('classname', '')}.{case.get('name', '')}"
		for tag, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
			for entry in case.findall(tag):
				counts[count] += 1
				if tag != "skipped":
					bad.append(
						f"-- {tag.upper()}: {name}\n{tail(entry.text or entry.get('message') or '', 25)}"
					)
	return counts, bad


def modules_in(path: Path) -> set[str]:
	"""The last names of the modules whose tests, or fixtures of a class, are in a report."""
	text = " ".join(f"{case.get('classname', '')} {case.get('name', '')}" for case in cases(path))
	return set(re.findall(r"tests\.(test_\w+)", text))


def cases(path: Path) -> list[ET.Element]:
	"""All tests of a report; none, if it isn't there or was not finished."""
	try:
		return list(ET.parse(path).getroot().iter("testcase"))
	except (OSError, ET.ParseError):
		return []


def merge(parts: Iterable[Path], whole: Path) -> None:
	"""One report of what several say."""
	root = ET.Element("testsuites")
	for part in parts:
		try:
			root.extend(ET.parse(part).getroot())
		except (OSError, ET.ParseError):
			continue  # a process that was stopped leaves none: its own outcome says so
	ET.ElementTree(root).write(whole, encoding="utf-8", xml_declaration=True)
