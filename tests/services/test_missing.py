"""News of a message that has not come stands in its place; the message takes the place when it comes,
as if it had been first.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.inbound import drain
from tests.services.harness import MINUTE, START, Desk, facts_of
from tests.services.harness import message_item as written

PHONE = "+201001234567"
WHO = (Identity("phone", PHONE),)
SECOND = 1_000


def unread(at: int = 0) -> dict[str, Any]:
	return {**written(PHONE, "", "m1", START + at * SECOND), "is_missing": True}


def edited(text: str, at: int) -> dict[str, Any]:
	return {"type": "edit", "id": "m1", "from": PHONE, "text": text, "at_ms": START + at * SECOND}


def open_desk() -> Desk:
	desk = Desk(agents=1)
	desk.online()
	desk.now = START + MINUTE
	return desk


def state_of(desk: Desk) -> str:
	ticket = desk.ticket_of(PHONE)
	rows = [
		(m.gateway_id, m.content_type, m.body, m.sent_ms, m.is_edited, m.data)
		for m in desk.all(records.Message)
	]
	return repr((facts_of(desk), ticket.preview, ticket.preview_label, sorted(rows)))


HELLO = written(PHONE, "hello", "m1", START)
OTHER = written(PHONE, "other", "m2", START + 5 * SECOND)
SETS = {
	"could not be read at first": [unread(), HELLO, OTHER],
	"edited": [HELLO, edited("hullo", 10), OTHER],
	"its words edited away": [HELLO, edited("", 10), OTHER],
	"edited twice": [HELLO, edited("hullo", 10), edited("hallo", 20)],
	"could not be read, and was edited": [unread(), HELLO, edited("hullo", 10), OTHER],
	"edited, taken back": [
		HELLO,
		edited("hullo", 10),
		{"type": "revoke", "id": "m1", "at_ms": START + 30 * SECOND},
	],
}


@pytest.mark.parametrize("items", SETS.values(), ids=SETS.keys())
def test_the_message_ends_the_same_whatever_came_first(items: list[dict[str, Any]]) -> None:
	states = {}
	for order in itertools.permutations(items):
		desk = open_desk()
		for item in order:
			desk.deliver(item)
		states[state_of(desk)] = order
		together = open_desk()
		together.deliver(*order)
		states[state_of(together)] = order
	assert len(states) == 1, "\n".join(f"{order}\n{state}" for state, order in states.items())


def test_what_could_not_be_read_is_shown_and_waits() -> None:
	desk = open_desk()
	desk.deliver(unread())
	ticket = desk.ticket_of(PHONE)
	assert (ticket.preview_label, ticket.waiting_since_ms, ticket.unread_count) == ("missing", START, 1)
	desk.deliver(HELLO)
	ticket = desk.ticket_of(PHONE)
	assert (ticket.preview, ticket.preview_label, ticket.waiting_since_ms, ticket.unread_count) == (
		"hello",
		"",
		START,
		1,
	)


def test_an_edit_of_a_message_that_never_came_is_shown_with_its_words() -> None:
	desk = open_desk()
	desk.deliver(edited("hullo", 10))
	(message,) = desk.all(records.Message)
	ticket = desk.ticket_of(PHONE)
	assert (message.content_type, message.body, message.is_edited) == ("missing", "hullo", 1)
	assert (ticket.preview, ticket.waiting_since_ms) == ("⏳ hullo", START + 10 * SECOND)
	assert ticket.last_in_ms is None, (
		"an edit does not say when the message was written, so it opens no window"
	)
	desk.deliver(edited("hallo", 20))
	assert [message.body for message in desk.all(records.Message)] == ["hallo"]


def test_the_message_that_comes_after_the_answer_changes_the_line_and_opens_no_wait() -> None:
	desk = open_desk()
	ticket = desk.answer_first(unread(), PHONE)
	before = desk.ticket(ticket).preview
	desk.deliver(HELLO)
	assert desk.ticket(ticket).turn is None
	assert desk.ticket(ticket).preview == before
	assert {message.body for message in desk.all(records.Message)} == {"hello", "answer"}


def test_a_later_wait_does_not_begin_with_a_message_that_came_late() -> None:
	desk = open_desk()
	ticket = desk.answer_first(edited("hullo", 10), PHONE)
	desk.now += MINUTE
	desk.write(PHONE)
	desk.deliver(HELLO)
	assert desk.ticket(ticket).waiting_since_ms == desk.now


def test_whoever_has_it_open_is_notified() -> None:
	desk = open_desk()
	desk.deliver(unread())
	desk.notices.clear()
	desk.deliver(HELLO)
	assert "changed" in {notice.data.get("event") for notice in desk.notices}


def echo(desk: Desk, **fields: Any) -> None:
	"""The gateway tells of a message that left our number without us."""
	event = {
		"ref": base.MessageRef("e1", "out"),
		"recipient": WHO,
		"sent_ms": START,
		"content_type": "text",
		**fields,
	}
	post(desk, base.OutboundEcho(**event))


def post(desk: Desk, event: base.Event) -> None:
	desk.keys += 1
	raw = json.dumps({"n": desk.keys}).encode()
	desk.store.record_webhook_event("desk", "loopback", f"key-{desk.keys}", raw, desk.now)
	real, desk.driver.parse = desk.driver.parse, lambda _raw: [event]  # type: ignore[method-assign]
	drain.drain(desk.store, desk.driver, lambda: desk.now)
	desk.driver.parse = real  # type: ignore[method-assign]


def test_what_was_typed_on_the_phone_keeps_its_quote_and_its_details() -> None:
	desk = open_desk()
	desk.deliver(HELLO)
	asked = desk.all(records.Message)[0]
	place = {"latitude": 31.04, "longitude": 31.37, "name": "Shop"}
	echo(
		desk,
		content_type="location",
		body="Shop",
		data=place,
		reply_to=base.MessageRef("m1"),
		is_forwarded=True,
	)
	(message,) = [m for m in desk.all(records.Message) if m.origin == records.PHONE]
	assert message.reply_to == asked.message_key
	assert json.loads(message.data or "") == {**place, "is_forwarded": True}


def test_our_own_message_that_could_not_be_read_is_shown_and_becomes_itself() -> None:
	desk = open_desk()
	echo(desk, content_type="missing", is_missing=True)
	assert (desk.ticket_of(PHONE).preview_label, desk.ticket_of(PHONE).turn) == ("missing", None)
	echo(desk, body="from the phone")
	echo(desk, content_type="missing", is_missing=True)
	(message,) = desk.all(records.Message)
	assert (message.content_type, message.body, desk.ticket_of(PHONE).preview) == (
		"text",
		"from the phone",
		"from the phone",
	)


def test_our_own_message_that_was_edited_on_the_phone_and_never_seen_makes_nobody_wait() -> None:
	desk = open_desk()
	post(desk, base.MessageEdit(base.MessageRef("e1", "out"), "corrected", START, WHO, is_ours=True))
	(message,) = desk.all(records.Message)
	assert (message.body, message.is_edited, message.direction) == ("corrected", 1, records.OUTGOING)
	assert desk.ticket_of(PHONE).turn is None


def test_words_of_the_gateway_open_no_window_and_are_no_unread_message() -> None:
	desk = open_desk()
	post(desk, base.InboundMessage(base.MessageRef("s1"), WHO, START, "system", "joined"))
	ticket = desk.ticket_of(PHONE)
	assert (ticket.last_in_ms, ticket.unread_count, ticket.turn, ticket.preview) == (None, 0, None, "joined")
