"""The minute's look at the clock: one indexed range scan over what is due, whatever is open.

And the deadlines of open waits once the hours or the limits have changed: each ticket says by which rules its
own were worked out, so those of other rules are found by an index, whoever changed what and whichever wake-up
was lost.
"""

from __future__ import annotations

from dataclasses import dataclass

from khalifa_whatsapp.core import deadlines
from khalifa_whatsapp.services.isolation import batch_or_one_by_one, check
from khalifa_whatsapp.services.tickets import turns
from khalifa_whatsapp.services.unit_of_work import working
from khalifa_whatsapp.stores.base import Store

BATCH = 500


@dataclass(slots=True)
class ScanResult:
	"""Tickets looked at, and delay events written."""

	tickets: int = 0
	events: int = 0


def scan(store: Store, now_ms: int, limit: int = 20_000) -> ScanResult:
	"""Write down every threshold passed by now. Its cost grows with what is due.

	Raises `RowsFailed` after all others were looked at.
	"""
	total, failed = ScanResult(), dict[str, str]()
	while total.tickets < limit:
		outcome = batch_or_one_by_one(
			lambda: _scan_batch(store, now_ms),
			lambda: _due(store, now_ms),
			lambda name: _scan_batch(store, now_ms, name),
		)
		done = sum(one.tickets for one in outcome.done)
		total.tickets += done
		total.events += sum(one.events for one in outcome.done)
		failed |= outcome.failed
		if not done or done + len(outcome.failed) < BATCH:
			break
	check(failed)
	return total


def _due(store: Store, now_ms: int) -> list[str]:
	with store.transaction():
		return [ticket.name for ticket in store.due_tickets(now_ms, BATCH)]


def _scan_batch(store: Store, now_ms: int, only: str | None = None) -> ScanResult:
	with working(store, now_ms) as work:
		due = [ticket for ticket in store.due_tickets(now_ms, BATCH) if only in (None, ticket.name)]
		work.read_ahead(due)
		events = 0
		for ticket in due:
			turn, segment = work.open_parts(ticket)
			if turn is None:
				deadlines.stop_clock(ticket)
			else:
				events += len(turns.look_at_clock(work, ticket, turn, segment).events)
				turns.schedule(work, ticket, turn, segment)
			work.touch(ticket)
		return ScanResult(len(due), events)


def renew_deadlines(store: Store, now_ms: int, limit: int = 20_000) -> int:
	"""Work out anew the deadlines and checks that other hours or limits than today's gave. How many tickets.

	Raises `RowsFailed` after all others.
	"""
	total, failed = 0, dict[str, str]()
	for branch, version in _outdated(store):
		while total < limit:
			done, missed = _renew(store, branch, version, now_ms)
			total += done
			failed |= missed
			if not done or done + len(missed) < BATCH:
				break
	check(failed)
	return total


def _renew(store: Store, branch: str | None, version: str, now_ms: int) -> tuple[int, dict[str, str]]:
	def names() -> list[str]:
		with store.transaction():
			return [ticket.name for ticket in store.tickets_of_rules(branch, version, BATCH)]

	def renew(only: str | None = None) -> int:
		return _renew_batch(store, branch, version, now_ms, only)

	outcome = batch_or_one_by_one(renew, names, renew)
	return sum(outcome.done), outcome.failed


def _outdated(store: Store) -> list[tuple[str | None, str]]:
	"""(branch, version) of open waits whose version is not the branch's present one."""
	rules = store.rules()
	return [
		(branch, version)
		for branch, version in store.rules_in_use()
		if version != deadlines.rules_version(rules.of_branch(branch), rules.settings)
	]


def _renew_batch(store: Store, branch: str | None, version: str, now_ms: int, only: str | None = None) -> int:
	with working(store, now_ms) as work:
		tickets = [t for t in store.tickets_of_rules(branch, version, BATCH) if only in (None, t.name)]
		work.read_ahead(tickets)
		for ticket in tickets:
			turn, segment = work.open_parts(ticket)
			if turn is None:
				deadlines.stop_clock(ticket)
			else:
				turns.schedule(work, ticket, turn, segment)
			work.touch(ticket)
		return len(tickets)
