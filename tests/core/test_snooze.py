"""Snooze: who may put aside what, and how it is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import records, snooze
from khalifa_whatsapp.core.settings import DAY_MS, MINUTE_MS
from khalifa_whatsapp.core.snooze import Refusal

NOW = 1_795_160_400_000


def ticket(**fields: object) -> records.Ticket:
	given = {"status": records.PENDING, "agent": "A1", **fields}
	return records.Ticket("T1", "C1", "D1", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
	("fields", "until_ms", "reason", "expected"),
	[
		({}, None, "", None),
		({}, NOW + MINUTE_MS, "", None),
		({}, NOW + MINUTE_MS - 1, "", Refusal.PAST),
		({}, NOW + 90 * DAY_MS, "", None),
		({}, NOW + 90 * DAY_MS + 1, "", Refusal.TOO_FAR),
		({"status": records.CLOSED}, None, "why", Refusal.CLOSED),
		({"status": records.QUEUED, "agent": None}, None, "why", Refusal.NOBODY_S),
		({"status": records.OPEN, "waiting_since_ms": NOW}, None, "  ", Refusal.NO_REASON),
		({"status": records.OPEN, "waiting_since_ms": NOW}, None, "asked the pharmacy", None),
	],
)
def test_what_may_be_put_aside(
	fields: dict[str, object], until_ms: int | None, reason: str, expected: Refusal | None
) -> None:
	assert snooze.refusal(ticket(**fields), until_ms, reason, NOW) is expected


@given(st.one_of(st.none(), st.integers(1, 2**48)), st.text(max_size=600))
def test_history_gives_back_what_it_was_told(until_ms: int | None, reason: str) -> None:
	one = ticket()
	snooze.begin(one, until_ms, reason, NOW)
	assert snooze.is_snoozed(one)
	kept = one.snooze_reason
	assert len(kept) <= snooze.MAX_REASON
	read_until, read_reason = snooze.read(snooze.written(until_ms, kept))
	assert (read_until, read_reason.strip()) == (until_ms, kept.strip())
	snooze.end(one)
	assert (one.snoozed_ms, one.snoozed_until_ms, one.snooze_reason) == (None, None, "")


def test_a_history_line_that_nobody_can_read_says_nothing_wrong() -> None:
	assert snooze.read("") == (None, "")
