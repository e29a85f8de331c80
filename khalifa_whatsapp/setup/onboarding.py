"""The first steps of a new site, counted by what is there: whoever added agents another way is not asked to
add some.

Frappe ticks a step only when it is done from the workspace itself, by the person who sees it there.
"""

from __future__ import annotations

from collections.abc import Callable

import frappe
from frappe.model.document import Document

SENT = ("Sent", "Delivered", "Read", "Played")
TEST_MESSAGE = "WhatsApp Send a Test Message"


def _exists(doctype: str, **filters: object) -> bool:
	return bool(frappe.db.exists(doctype, filters))


STEPS: dict[str, Callable[[], bool]] = {
	"WhatsApp Connect a Device": lambda: _exists("WhatsApp Device", enabled=1),
	"WhatsApp Add Branches": lambda: _exists("Khalifa Branch", enabled=1),
	"WhatsApp Add Agents": lambda: _exists("Khalifa Agent", enabled=1),
	"WhatsApp Business Hours": lambda: _exists("Khalifa Working Hour", parent="Khalifa Settings"),
	TEST_MESSAGE: lambda: _exists("Khalifa Message", direction="Outgoing", status=("in", SENT)),
}


def mark_steps(doc: Document | None = None, method: str | None = None) -> None:
	"""Tick the steps that are done. One query when all of them are ticked already."""
	open_steps = frappe.get_all(
		"Onboarding Step", {"name": ("in", list(STEPS)), "is_complete": 0}, pluck="name"
	)
	for step in open_steps:
		if STEPS[step]():
			tick(step)


def tick(step: str) -> None:
	"""This step is done."""
	frappe.db.set_value("Onboarding Step", step, "is_complete", 1, update_modified=False)
