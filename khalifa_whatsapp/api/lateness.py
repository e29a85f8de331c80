"""How late conversations are at this moment, for every list, figure, form and report that says it.

The rule is `core.deadlines`; here it is as SQL, for counting and choosing rows, and as what a row shows. Both
read the deadlines that the ticket holds, never what the minute job has or has not done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import frappe
from frappe.query_builder import Criterion, Table

from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core import deadlines
from khalifa_whatsapp.core.deadlines import Lateness
from khalifa_whatsapp.core.settings import Rules

FIELDS = ("waiting_since_ms", "customer_due_by_ms", "response_by_ms", "due_by_ms", "late_soon_ms")
MINUTE_MS = 60_000


def is_delayed(ticket: Table, now: int) -> Criterion:
	"""The condition on tickets whose customer has waited, or whose agent has taken, too long by now."""
	return (ticket.due_by_ms > 0) & (ticket.due_by_ms < int(now))


def delayed_sql(now: int) -> str:
	"""The same as text, for statements that are written in SQL."""
	condition = is_delayed(frappe.qb.DocType("Khalifa Ticket"), now)
	return f"({condition.get_sql(quote_char='`', with_namespace=True)})"


class Clock:
	"""How long waits have lasted at one moment, in the business hours of their branches."""

	def __init__(self, now: int, rules: Rules | None = None) -> None:
		self.now = now
		self._rules = rules

	@property
	def rules(self) -> Rules:
		"""Read when somebody waits."""
		if self._rules is None:
			self._rules = on_site().rules()
		return self._rules

	def lateness(self, row: Mapping[str, Any]) -> Lateness:
		"""How a ticket's wait stands; `row` has `FIELDS` and the branch."""
		if not row["waiting_since_ms"]:
			return Lateness(deadlines.ON_TIME)
		calendar = self.rules.of_branch(row["branch"]).calendar
		return deadlines.lateness(
			self.now, row["waiting_since_ms"], row["due_by_ms"], row["late_soon_ms"], calendar
		)

	def minutes(self, row: Mapping[str, Any]) -> dict[str, Any]:
		"""The same as people read it: the state, and whole minutes of business time."""
		lateness = self.lateness(row)
		return {
			"state": lateness.state,
			"waited": lateness.waited_ms // MINUTE_MS,
			"late": lateness.late_ms // MINUTE_MS,
		}

	def waited(self, row: Mapping[str, Any]) -> dict[str, int | None] | None:
		"""What a page needs to count on by itself; None: nobody waits.

		The business time that has been waited is the moment, kept between `from_ms` and `until_ms`, less
		`zero_ms`. It may be `limit_ms` long; None: there is no limit.
		"""
		if not row["waiting_since_ms"]:
			return None
		calendar = self.rules.of_branch(row["branch"]).calendar
		from_ms, until_ms = calendar.open_stretch_ms(self.now) or (0, 0)
		counted = min(max(self.now, from_ms), until_ms)
		due_by_ms = row["due_by_ms"]
		return {
			"zero_ms": counted - self.lateness(row).waited_ms,
			"from_ms": from_ms,
			"until_ms": until_ms,
			"limit_ms": calendar.business_ms(row["waiting_since_ms"], due_by_ms) if due_by_ms else None,
		}
