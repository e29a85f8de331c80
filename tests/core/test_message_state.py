"""What became of a message does not depend on the order in which it was told, nor on how often."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.message_state import RANK, fold

STATUSES = ["queued", "sent", "delivered", "read", "played", "failed", "flown"]
ORDER = [records.SENT, records.DELIVERED, records.READ, records.PLAYED]


def message(direction: str = records.OUTGOING, status: str = records.SENT) -> records.Message:
	return records.Message("m", "t", "c", "d", direction, records.AGENT, "text", status, 1, 1, body="written")


def log(
	kind: str, value: str, at_ms: int = 1, author: str = "", code: str | None = None
) -> records.MessageLog:
	key = f"{kind}|{value}|{at_ms}|{author}"
	return records.MessageLog(key, key, "target", kind, value, at_ms, author=author, error_code=code)


def state(given_message: records.Message) -> tuple[object, ...]:
	m = given_message
	return m.status, m.error_code, m.body, m.is_edited, m.is_revoked, m.reactions


logs = st.one_of(
	st.builds(log, st.just("status"), st.sampled_from(STATUSES), st.integers(0, 5)),
	st.builds(log, st.just("edit"), st.sampled_from(["a", "b", ""]), st.integers(0, 5)),
	st.builds(log, st.just("revoke"), st.just(""), st.integers(0, 5)),
	st.builds(
		log,
		st.just("reaction"),
		st.sampled_from(["👍", "❤️", ""]),
		st.integers(0, 5),
		st.sampled_from(["x", "y"]),
	),
)


@given(
	st.lists(logs, max_size=10),
	st.randoms(use_true_random=False),
	st.sampled_from([records.INCOMING, records.OUTGOING]),
)
def test_any_order_any_repetition_and_any_cutting_gives_the_same(rows, rng, direction) -> None:
	whole, parts, again = message(direction), message(direction), message(direction)
	fold(whole, rows)
	shuffled = rows + rng.choices(rows, k=len(rows)) if rows else []
	rng.shuffle(shuffled)
	known: list[records.MessageLog] = []
	for row in shuffled:
		known.append(row)
		fold(parts, known)
	fold(again, shuffled)
	assert state(whole) == state(parts) == state(again)


@given(st.lists(logs, max_size=10))
def test_folding_twice_changes_nothing_and_says_so(rows) -> None:
	folded = message()
	before = state(folded)
	changed = fold(folded, rows)
	assert changed == (state(folded) != before)
	assert fold(folded, rows) is False


@given(st.permutations(["sent", "delivered", "read", "played"]), st.integers(0, 4))
def test_ticks_only_rise(statuses: list[str], count: int) -> None:
	"""Whatever times a gateway gives them."""
	folded = message()
	rows = [log("status", reported, at) for at, reported in enumerate(statuses[:count])]
	fold(folded, rows)
	assert folded.status == max(
		[records.SENT, *(reported.title() for reported in statuses[:count])], key=ORDER.index
	)


@pytest.mark.parametrize("proof", ["delivered", "read", "played"])
@pytest.mark.parametrize("order", [1, -1])
def test_what_was_delivered_did_not_fail_whichever_came_first(proof: str, order: int) -> None:
	folded = message()
	known: list[records.MessageLog] = []
	for row in [log("status", proof, 2), log("status", "failed", 1, code="131026")][::order]:
		known.append(row)
		fold(folded, known)
	assert (folded.status, folded.error_code) == (proof.title(), None)


def test_what_was_only_sent_may_still_fail_and_keeps_the_reason() -> None:
	for order in (1, -1):
		folded = message()
		for row in [log("status", "sent", 2), log("status", "failed", 1, code="131026")][::order]:
			fold(folded, [row])
		assert (folded.status, folded.error_code) == (records.FAILED, "131026")


def test_a_failure_of_our_own_making_is_lifted_by_delivery_and_not_by_a_bare_sent() -> None:
	folded = message(status=records.FAILED)
	assert fold(folded, [log("status", "sent")]) is False
	assert fold(folded, [log("status", "delivered")]) is True
	assert folded.status == records.DELIVERED


@pytest.mark.parametrize("status", [records.MSG_QUEUED, records.SENDING, records.UNKNOWN])
def test_every_status_settles_a_message_whose_fate_was_open(status: str) -> None:
	for reported in ("sent", "delivered", "read", "played", "failed"):
		folded = message(status=status)
		fold(folded, [log("status", reported)])
		assert folded.status == reported.title()


def test_statuses_say_nothing_of_a_customer_s_message_and_unknown_ones_nothing_at_all() -> None:
	assert fold(message(records.INCOMING, records.RECEIVED), [log("status", "failed")]) is False
	assert fold(message(), [log("status", "flown")]) is False


def test_the_latest_edit_stands_and_a_revoked_message_stays_revoked() -> None:
	folded = message()
	fold(folded, [log("edit", "second", 2), log("revoke", "", 1), log("edit", "first", 1)])
	assert (folded.body, folded.is_edited, folded.is_revoked) == ("second", 1, 1)


def test_each_side_of_a_chat_has_one_reaction_and_may_take_it_back() -> None:
	folded = message()
	rows = [log("reaction", "👍", 1, "x"), log("reaction", "❤️", 2, "x"), log("reaction", "😀", 1, "me")]
	fold(folded, rows)
	assert json.loads(folded.reactions or "") == {"customer": "❤️", "me": "😀"}
	fold(folded, [*rows, log("reaction", "", 3, "the same person's user id"), log("reaction", "", 3, "me")])
	assert folded.reactions is None


def test_every_status_but_failed_has_a_rank() -> None:
	assert set(RANK) == {records.MSG_QUEUED, records.SENDING, records.UNKNOWN, *ORDER}
