"""A call is one line of the thread, whatever is said of it and in which order;
one that nobody took is a customer waiting.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.service_window import window_until_ms
from khalifa_whatsapp.services.tickets import actions
from tests.services.harness import MANAGER, MINUTE, START, Desk
from tests.services.harness import message_item as written

PHONE = "+201001234567"
SECOND = 1_000


def call(state: str, at: int = 0, call_id: str = "call-1", **more: Any) -> dict[str, Any]:
	return {
		"type": "call",
		"id": call_id,
		"from": PHONE,
		"state": state,
		"at_ms": START + at * SECOND,
		**more,
	}


def open_desk() -> Desk:
	desk = Desk()
	desk.online()
	desk.now = START + 10 * MINUTE
	desk.beat()
	return desk


def calls_of(desk: Desk) -> list[records.Message]:
	return [message for message in desk.all(records.Message) if message.content_type == "call"]


def facts(desk: Desk) -> str:
	"""What must not depend on the order."""
	ticket = desk.ticket_of(PHONE)
	(message,) = calls_of(desk)
	turns = [(turn.started_ms, turn.outcome) for turn in desk.all(records.Turn) if turn.outcome != "joined"]
	return repr(
		(
			message.data,
			message.sent_ms,
			message.direction,
			ticket.status,
			ticket.waiting_since_ms,
			ticket.last_in_ms,
			ticket.last_message_ms,
			ticket.first_message_ms,
			ticket.preview,
			ticket.preview_label,
			ticket.unread_count,
			turns,
		)
	)


@pytest.mark.parametrize(
	("items", "label", "since"),
	[
		([call("missed", 45)], "call_missed", 45),
		([call("ringing"), call("missed", 45)], "call_missed", 0),
		([call("rang")], "call_rang", 0),
		([call("rang"), call("missed", 45)], "call_missed", 0),
		([call("ringing")], "call_ringing", None),
		([call("ringing"), call("answered", 195, duration=185)], "call_answered", None),
		([call("rang"), call("answered", 195, duration=185)], "call_answered", None),
	],
)
def test_who_called_in_vain_waits_and_who_was_answered_does_not(items, label, since) -> None:
	outcomes = set()
	for order in itertools.permutations([*items, items[0]]):
		desk = open_desk()
		for item in order:
			desk.deliver(item)
		outcomes.add(facts(desk))
		ticket = desk.ticket_of(PHONE)
		assert ticket.preview_label == label
		assert ticket.waiting_since_ms == (None if since is None else START + since * SECOND)
		assert ticket.unread_count == 1
	assert len(outcomes) == 1, outcomes
	desk = open_desk()
	desk.deliver(*items)
	assert facts(desk) in outcomes


def test_a_missed_call_is_given_to_an_agent_like_a_message() -> None:
	desk = open_desk()
	desk.deliver(call("missed", 45))
	desk.assign()
	ticket = desk.ticket_of(PHONE)
	assert (ticket.agent is not None, ticket.status) == (True, records.OPEN)


def test_every_call_of_a_customer_opens_the_window_and_none_of_ours_does() -> None:
	for state in ("ringing", "rang", "missed", "answered"):
		desk = open_desk()
		desk.deliver(call(state))
		assert window_until_ms(desk.ticket_of(PHONE).last_in_ms) == START + 24 * 60 * MINUTE
	desk = open_desk()
	desk.deliver(call("missed", is_ours=True))
	ticket = desk.ticket_of(PHONE)
	assert (ticket.last_in_ms, ticket.turn, ticket.unread_count) == (None, None, 0)
	assert (calls_of(desk)[0].direction, ticket.preview_label) == (records.OUTGOING, "call_out_missed")


def test_a_missed_call_opens_a_closed_conversation_again_and_an_answered_one_does_not() -> None:
	for state, status, cycle in (("missed", records.QUEUED, 2), ("answered", records.CLOSED, 1)):
		desk = open_desk()
		name = desk.write(PHONE)
		desk.reply(name)
		actions.close(desk.store, MANAGER, name, desk.now)
		desk.deliver(call(state, 700, duration=5))
		ticket = desk.ticket(name)
		assert (ticket.status == status or ticket.agent is not None, ticket.cycle) == (True, cycle)
		assert (ticket.turn is not None) == (state == "missed")


def test_two_calls_are_two_lines() -> None:
	desk = open_desk()
	desk.deliver(call("missed", 45), call("missed", 145, "call-2"))
	assert len(calls_of(desk)) == 2
	assert desk.ticket_of(PHONE).waiting_since_ms == START + 45 * SECOND


def test_an_answered_call_leaves_the_wait_that_a_message_began() -> None:
	desk = open_desk()
	desk.deliver(call("rang", 100), written(PHONE, "hello?", "m1", START + 50 * SECOND))
	desk.deliver(call("answered", 200, duration=60))
	assert desk.ticket_of(PHONE).waiting_since_ms == START + 50 * SECOND
	desk = open_desk()
	desk.deliver(call("rang", 100), written(PHONE, "hello?", "m1", START + 150 * SECOND))
	desk.deliver(call("answered", 200, duration=60))
	assert desk.ticket_of(PHONE).waiting_since_ms is not None


def test_a_wait_that_never_was_counts_nowhere() -> None:
	desk = open_desk()
	desk.deliver(call("rang", 590))
	desk.assign()
	desk.deliver(call("answered", 600, duration=60))
	ticket = desk.ticket_of(PHONE)
	(turn,), segments = desk.all(records.Turn), desk.all(records.Segment)
	assert (turn.outcome, turn.wall_time, ticket.waited_time, ticket.first_message_ms) == (
		"joined",
		0,
		0,
		None,
	)
	assert {segment.counted_ms for segment in segments} == {None}
	actions.close(desk.store, MANAGER, ticket.name, desk.now)
	assert desk.ticket(ticket.name).is_missed == 0


def test_an_answer_of_ours_is_not_undone_by_late_news_of_the_call() -> None:
	desk = open_desk()
	ticket = desk.answer_first(call("missed", 45), PHONE)
	for late in (
		call("missed", 45, duration=1),
		call("ringing"),
		call("rang"),
		call("answered", 46, duration=3),
	):
		desk.deliver(late)
		assert desk.ticket(ticket).turn is None, late
	assert desk.all(records.Turn)[0].outcome == records.ANSWERED


def test_a_later_wait_does_not_begin_with_an_old_call() -> None:
	desk = open_desk()
	ticket = desk.answer_first(call("missed", 45), PHONE)
	desk.now += MINUTE
	desk.write(PHONE)
	since = desk.ticket(ticket).waiting_since_ms
	desk.deliver(call("rang"))
	assert desk.ticket(ticket).waiting_since_ms == since == desk.now


def test_a_message_with_a_call_s_id_is_not_turned_into_a_call() -> None:
	desk = open_desk()
	desk.deliver(written(PHONE, "hello", "call-1", START))
	desk.deliver(call("answered"))
	(message,) = desk.all(records.Message)
	assert (message.content_type, message.body) == ("text", "hello")


def test_a_length_and_a_picture_are_kept() -> None:
	desk = open_desk()
	desk.deliver(call("ringing", is_video=True), call("answered", 195, duration=185))
	assert json.loads(calls_of(desk)[0].data or "") == {
		"state": "answered",
		"duration": 185,
		"is_video": True,
		"began_ms": START,
	}
