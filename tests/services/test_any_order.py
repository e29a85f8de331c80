"""Gateways promise no order: the same deliveries in any order, any number of times,
in any batches, end the same.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khalifa_whatsapp.core import records
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.drivers.loopback import message_item, status_item
from khalifa_whatsapp.services.inbound import drain
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.services.tickets import actions
from tests.services.harness import MANAGER, MINUTE, START, Desk, facts_of

Item = dict[str, Any]
PHONES = ("+201001234567", "+201119876543", "+966501234567")
ANSWERED, NEW, CLOSED = PHONES  # waits for nothing · never wrote · wrote, and the ticket was closed
REPLIES = ("loop-out-1", "loop-out-2")


class ButtonDesk(Desk):
	"""A desk whose gateway also knows button replies and messages of the system."""

	def __init__(self) -> None:
		super().__init__(agents=1, capacity=99)
		self.plain = self.driver.parse
		self.driver.parse = self.parse  # type: ignore[method-assign]

	def parse(self, raw: bytes) -> list[base.Event]:
		return [_typed(event) for event in self.plain(raw)]


def _typed(event: base.Event) -> base.Event:
	"""The loopback gateway has one kind of message; its first word tells what it stands for here."""
	if not isinstance(event, base.InboundMessage) or not event.body.startswith("#"):
		return event
	kind, _, body = event.body[1:].partition(" ")
	return base.InboundMessage(
		event.ref,
		event.sender,
		event.sent_ms,
		kind,
		body,
		event.profile_name,
		sequence=event.sequence,
		data={"payload": body},
	)


def desk_with_history() -> Desk:
	"""One customer got two answers, one was closed, one never wrote."""
	desk = ButtonDesk()
	desk.online()
	for phone in (ANSWERED, CLOSED):
		name = desk.write(phone, gateway_id=f"old-{phone}")
	desk.now += MINUTE
	first = desk.ticket_of(ANSWERED).name
	for body in ("one", "two"):
		desk.reply(first, body=body)
	desk.send()
	actions.close(desk.store, MANAGER, name, desk.now)
	desk.now += MINUTE
	return desk


def take(desk: Desk, items: Iterable[Item], size: int = 1, limit: int | None = None) -> None:
	"""Deliver the items, `size` in a delivery, then take them in, `limit` deliveries in a transaction."""
	items = list(items)
	for start in range(0, len(items), size):
		desk.deliver(*items[start : start + size], take=False)
	drain.drain(desk.store, desk.driver, lambda: desk.now, batch=limit)


class Again:
	"""A desk that is made once; each call gives it back with the rows it had then.

	Nobody but `take` may touch it.
	"""

	def __init__(self, make: Callable[[], Desk]) -> None:
		self.make = make

	@cached_property
	def _made(self) -> tuple[Desk, str]:
		"""The desk, and what puts its rows back.

		(A backup would do, but then SQLite reads every statement anew.)
		"""
		desk = self.make()
		tables = [name for (name,) in desk.store.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
		keep = [f"CREATE TABLE kept.`kept {name}` AS SELECT * FROM main.`{name}`" for name in tables]
		desk.store._db.executescript(";".join(["ATTACH ':memory:' AS kept", *keep]))
		back = [
			f"DELETE FROM main.`{name}`; INSERT INTO main.`{name}` SELECT * FROM kept.`kept {name}`"
			for name in tables
		]
		return desk, ";".join(["BEGIN", *back, "COMMIT"])

	def __call__(self) -> Desk:
		desk, back = self._made
		desk.store._db.executescript(back)
		return desk


with_history, with_nobody = Again(desk_with_history), Again(ButtonDesk)


def outcome(items: Sequence[Item], make: Callable[[], Desk] = with_history, **how: Any) -> str:
	desk = make()
	take(desk, items, **how)
	return facts_of(desk)


def moment(offset: int) -> int:
	return START + 2 * MINUTE + offset * 1000


def reaction(target: str, author: str, emoji: str, at: int) -> Item:
	return {"type": "reaction", "id": target, "from": author, "emoji": emoji, "at_ms": at}


# -- six chosen deliveries in all 720 orders

SIX = {
	"messages around an answer that failed": [
		message_item(ANSWERED, "b", "m1", moment(0), "Sara"),
		message_item(ANSWERED, "a", "m2", moment(-90), "Sara"),
		status_item(REPLIES[0], "failed", moment(1)),
		status_item(REPLIES[1], "failed", moment(2)),
		status_item(REPLIES[1], "sent", moment(0)),
		message_item(CLOSED, "again", "m3", moment(3)),
	],
	"everything about a message, and the message": [
		message_item(NEW, "first", "n1", moment(0), "Omar"),
		reaction("n1", NEW, "👍", moment(1)),
		reaction("n1", NEW, "", moment(2)),
		{"type": "edit", "id": "n1", "text": "second", "at_ms": moment(3)},
		{"type": "edit", "id": "n1", "text": "third", "at_ms": moment(4)},
		{"type": "revoke", "id": "n1", "at_ms": moment(5)},
	],
	"news of a message that could not be read, and of a call": [
		{**message_item(NEW, "", "n1", moment(0), "Omar"), "is_missing": True},
		message_item(NEW, "first", "n1", moment(0), "Omar"),
		{"type": "edit", "id": "n1", "from": NEW, "text": "second", "at_ms": moment(3)},
		{"type": "call", "id": "c1", "from": NEW, "state": "ringing", "at_ms": moment(1)},
		{"type": "call", "id": "c1", "from": NEW, "state": "missed", "at_ms": moment(2)},
		{"type": "call", "id": "c2", "from": CLOSED, "state": "missed", "at_ms": moment(2)},
	],
	"ticks before, between and after": [
		status_item(REPLIES[0], "read", moment(3)),
		status_item(REPLIES[0], "delivered", moment(2)),
		status_item(REPLIES[0], "sent", moment(1)),
		status_item(REPLIES[1], "played", moment(3)),
		message_item(ANSWERED, "#button_reply Yes", "b1", moment(4)),
		message_item(ANSWERED, "#system changed number", "s1", moment(4)),
	],
}


@pytest.mark.parametrize("items", SIX.values(), ids=SIX.keys())
def test_all_720_orders_of_six_webhook_events_end_the_same(items):
	expected = outcome(items)
	for order in itertools.permutations(items):
		assert outcome(order) == expected


# -- generated histories

phones = st.sampled_from(PHONES)
# the answers were given 60 s before; some messages are older, some equally old
offsets = st.integers(-100, 30)
ids = st.integers(0, 5).map(lambda number: f"g{number}")
targets = st.one_of(ids, st.sampled_from([*REPLIES, "nobody-knows"]))
call_states = st.sampled_from(["ringing", "missed"])
emojis = st.sampled_from(["👍", "❤️", ""])
bodies = st.sampled_from(["hello", "سلام", "#button_reply Yes", "#system number changed", "#image", ""])


def _fate(steps: tuple[str, ...]) -> list[tuple[str, int]]:
	return [(status, place) for place, status in enumerate(steps)]


fates = st.sampled_from(
	[(), ("sent",), ("failed",), ("sent", "failed"), ("sent", "delivered", "read"), ("played",)]
)


@st.composite
def histories(draw: st.DrawFn) -> list[Item]:
	"""Up to 24 things a gateway may say. One id is one message, whoever repeats it."""
	items: list[Item] = []
	for gateway_id in draw(st.lists(ids, unique=True, max_size=6)):
		phone = draw(phones)
		offset = draw(offsets)
		item = message_item(phone, draw(bodies), gateway_id, moment(offset), f"Name of {phone}")
		items.append(item)
		if item["text"].startswith("#system"):  # nobody's message: never unreadable, never edited
			continue
		if draw(st.booleans()):
			items.append({**item, "is_missing": True})
		if draw(st.booleans()):
			edit = {"type": "edit", "id": gateway_id, "from": phone, "text": draw(bodies)}
			items.append({**edit, "at_ms": moment(offset + draw(st.integers(0, 30)))})
	for number, states in enumerate(
		draw(st.lists(st.lists(call_states, min_size=1, max_size=3), max_size=2))
	):
		phone, at = draw(phones), draw(offsets)
		items += [
			{"type": "call", "id": f"c{number}", "from": phone, "state": state, "at_ms": moment(at + place)}
			for place, state in enumerate(states)
		]
	for gateway_id in REPLIES:
		items += [status_item(gateway_id, status, moment(place)) for status, place in _fate(draw(fates))]
	about = st.one_of(
		st.builds(reaction, targets, phones, emojis, offsets.map(moment)),
		st.builds(
			lambda i, t, at: {"type": "edit", "id": i, "text": t, "at_ms": at},
			ids,
			bodies,
			offsets.map(moment),
		),
		st.builds(lambda i, at: {"type": "revoke", "id": i, "at_ms": at}, ids, offsets.map(moment)),
	)
	return items + draw(st.lists(about, max_size=8))


@settings(max_examples=120, deadline=None)
@given(
	items=histories(),
	seed=st.integers(0, 2**32),
	size=st.integers(1, 12),
	limit=st.sampled_from([1, 2, 3, 7, 100]),
)
def test_shuffled_repeated_and_cut_otherwise_the_same_webhook_events_end_the_same(items, seed, size, limit):
	rng = random.Random(seed)
	shuffled = items + rng.choices(items, k=len(items) // 2) if items else []
	rng.shuffle(shuffled)
	expected = outcome(items)
	assert outcome(shuffled, size=size, limit=limit) == expected
	assert outcome(items, size=len(items) or 1) == expected
	assert outcome(items[::-1], limit=100) == expected


@settings(max_examples=40, deadline=None)
@given(items=histories(), seed=st.integers(0, 2**32))
def test_with_nobody_at_the_desk_it_is_the_same(items, seed):
	shuffled = random.Random(seed).sample(items, len(items))
	assert outcome(shuffled, with_nobody) == outcome(items, with_nobody)


@settings(max_examples=40, deadline=None)
@given(items=histories(), seed=st.integers(0, 2**32))
def test_nothing_already_taken_in_changes_anything_after_people_acted(items, seed):
	rng = random.Random(seed)
	desk = desk_with_history()
	take(desk, items)
	desk.now += MINUTE
	for ticket in desk.all(records.Ticket):
		if ticket.open_key is not None:
			_act(desk, ticket, rng.choice(["reply", "no_reply", "close", "nothing"]))
	before = everything(desk)
	again = rng.choices(items, k=2 * len(items)) if items else []
	take(desk, again, size=rng.randint(1, 4))
	assert everything(desk) == before


def _act(desk: Desk, ticket: records.Ticket, what: str) -> None:
	desk.keys += 1
	if what == "reply":
		answers.reply(desk.store, MANAGER, ticket.name, "answer", f"k{desk.keys}", desk.now)
	if what == "no_reply":
		actions.no_reply_needed(desk.store, MANAGER, ticket.name, desk.now)
	if what == "close":
		actions.close(desk.store, MANAGER, ticket.name, desk.now)


def everything(desk: Desk) -> list[list[Any]]:
	return [desk.all(kind) for kind in records.RECORDS if kind is not records.PresenceLog]


# -- things that once went wrong


def test_a_replayed_webhook_event_after_the_answer_opens_no_wait():
	desk = desk_with_history()
	take(desk, [message_item(ANSWERED, "x", "g0", moment(0))])
	desk.reply(desk.ticket_of(ANSWERED).name)
	before = everything(desk)
	take(desk, [message_item(ANSWERED, "x", "g0", moment(0)), reaction("g0", ANSWERED, "", moment(0))])
	assert [len(rows) for rows in everything(desk)][:-1] != []
	assert desk.ticket_of(ANSWERED).waiting_since_ms is None
	assert [row for row in everything(desk) if row and isinstance(row[0], records.Turn)] == [
		row for row in before if row and isinstance(row[0], records.Turn)
	]


def test_an_older_message_that_arrives_after_the_answer_opens_a_wait_from_its_own_time():
	desk = desk_with_history()
	take(desk, [message_item(ANSWERED, "late", "g0", moment(-100))])
	assert desk.ticket_of(ANSWERED).waiting_since_ms == moment(-100)


def test_a_message_of_the_system_neither_waits_nor_opens_a_closed_ticket():
	desk = desk_with_history()
	take(desk, [message_item(CLOSED, "#system changed number", "g0", moment(0))])
	ticket = desk.ticket_of(CLOSED)
	assert (ticket.status, ticket.turn, ticket.cycle) == (records.CLOSED, None, 1)
	assert [m.content_type for m in desk.all(records.Message) if m.gateway_id == "g0"] == ["system"]


def test_a_status_found_by_our_own_key_settles_a_message_although_the_same_status_was_parked_before():
	desk = desk_with_history()
	message = desk.reply(desk.ticket_of(ANSWERED).name)
	desk.driver.failures.append(base.UnknownOutcome("timed out"))
	desk.send()
	take(desk, [status_item("late", "delivered", moment(5))])
	take(desk, [status_item("late", "delivered", moment(5), message.name)])
	assert (desk.message(message.name).status, desk.message(message.name).gateway_id) == (
		records.DELIVERED,
		"late",
	)


def test_customers_who_write_at_once_fill_an_agent_no_more_than_one_by_one():
	"""A batch must see that the customers in it begin to wait:
	the agent has no room for a reopened ticket then.
	"""
	held = [f"+2010012345{number:02}" for number in range(4)]

	def make() -> Desk:
		desk = Desk(agents=1, capacity=4)
		desk.online()
		for phone in [*held, CLOSED]:
			name = desk.write(phone)
			desk.reply(name)
			if phone == CLOSED:
				actions.close(desk.store, MANAGER, name, desk.now)
		return desk

	items = [message_item(phone, "x", f"x{phone}", moment(0)) for phone in [*held, CLOSED]]
	assert (
		outcome(items, make, size=1, limit=1)
		== outcome(items, make, size=9)
		== outcome(items, make, limit=100)
	)
	desk = make()
	take(desk, items, size=9)
	assert desk.ticket_of(CLOSED).status == records.QUEUED


def test_the_two_sides_of_a_chat_are_distinguished_and_each_has_one_reaction():
	desk = desk_with_history()
	take(desk, [message_item(NEW, "x", "g0", moment(0))])
	take(
		desk,
		[reaction("g0", phone, emoji, moment(at)) for phone in PHONES for at, emoji in [(2, "❤️"), (1, "👍")]],
	)
	(message,) = [m for m in desk.all(records.Message) if m.gateway_id == "g0"]
	assert json.loads(message.reactions or "") == {"customer": "❤️"}
