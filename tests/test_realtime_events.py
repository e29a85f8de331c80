"""Every event that open pages are told of has a listener, and none is the only trace of what matters."""

from __future__ import annotations

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "khalifa_whatsapp"
PREFIX = "khalifa_whatsapp:"
LISTENER = re.compile(r"realtime\.on\(\s*[\"'`]khalifa_whatsapp:([\w${}]+)[\"'`]")
LOOP = re.compile(r"for \(const kind of \[([^\]]+)\]\)\s+frappe\.realtime\.on\(`khalifa_whatsapp:\$\{kind\}`")
# What a reader finds without having been there: the rows that lists, forms and reports show
LASTS = {
	"campaign": "the campaign's row, its counts and its recipients",
	"close_all": "the batch's row and its items",
	"delay": "delay events, and the deadline on the ticket",
	"device": "the device's state and facts; Khalifa Device Notice, of which managers are notified",
	"here": "nothing: the answer to a page's own sign of life",
	"presence": "the agent's presence log, which says by whom and why; each heartbeat's answer",
	"queue": "tickets",
	"rating": "the survey's row, of which managers are notified",
	"status": "the message's status",
	"ticket": "tickets, their events and messages",
	"typing": "nothing: true for seconds only",
}


def published() -> set[str]:
	"""Event names in the app's Python: every text constant that begins as our events do."""
	names = set()
	for path in PACKAGE.rglob("*.py"):
		if "tests" in path.parts:
			continue
		for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
			if (
				isinstance(node, ast.Constant)
				and isinstance(node.value, str)
				and node.value.startswith(PREFIX)
			):
				names.add(node.value.removeprefix(PREFIX))
	return names


def listened_to() -> set[str]:
	names = set()
	for path in PACKAGE.rglob("*.js"):
		if "dist" in path.parts or "node_modules" in path.parts:
			continue
		text = path.read_text(encoding="utf-8")
		names |= {name for name in LISTENER.findall(text) if "$" not in name}
		names |= {name.strip(" \"'") for names in LOOP.findall(text) for name in names.split(",")}
	return names


def test_every_event_has_a_listener() -> None:
	assert published() - listened_to() == set()


def test_no_page_listens_to_what_nobody_says() -> None:
	assert listened_to() - published() == set()


def test_of_every_event_it_is_said_what_lasts() -> None:
	assert published() == set(LASTS)
