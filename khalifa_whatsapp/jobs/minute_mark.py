"""When the minute job last began, kept where Desk, monitors and the scheduler's watch can see that it sleeps.

It is a default of a parent of our own. A default of the whole site (`__default`) empties the caches of the
whole site whenever it is written, and this one is written every minute.
"""

from __future__ import annotations

import frappe

from khalifa_whatsapp.bootstrap import now_ms

PARENT, KEY = "khalifa_whatsapp", "khalifa_minute_job_ms"


def write(at_ms: int | None = None) -> None:
	"""Write down and commit that it begins, now or at an instant in epoch milliseconds."""
	frappe.db.set_default(KEY, str(now_ms() if at_ms is None else at_ms), parent=PARENT)
	frappe.db.commit()


def age_ms() -> int:
	"""How long ago it began; since 1970 where it never did."""
	return now_ms() - int(frappe.db.get_default(KEY, parent=PARENT) or 0)


def delete(parent: str = PARENT) -> None:
	"""Forget it."""
	frappe.db.delete("DefaultValue", {"defkey": KEY, "parent": parent})
