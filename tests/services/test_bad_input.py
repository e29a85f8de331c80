"""What nobody should post and somebody will: it is stored or refused by rule, and never stops the others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.keys import delivery_key
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.services.inbound import drain
from khalifa_whatsapp.services.unit_of_work import retrying
from khalifa_whatsapp.stores.base import Conflict, StoreUnavailable
from tests.services.harness import MINUTE, START, Desk

PHONE = "+201001234567"
HOUR = 60 * MINUTE
FINAL = {"Done", "Ignored", "Dead"}


def post(desk: Desk, raw: bytes) -> None:
	desk.store.record_webhook_event("desk", "loopback", delivery_key("desk", raw), raw, desk.now)


def body(*items: Any, **more: Any) -> bytes:
	return json.dumps({"device": "desk", "events": list(items), **more}).encode("utf-8", "surrogatepass")


def fates(desk: Desk) -> list[tuple[str, int]]:
	return [
		tuple(row)
		for row in desk.store.rows("SELECT status, attempts FROM `tabKhalifa Webhook Event` ORDER BY name")
	]


def fate(raw: bytes) -> tuple[str, Desk]:
	"""What becomes of a delivery, between two good ones that must be taken in."""
	desk = Desk(agents=0)
	post(desk, body(message_item(PHONE, "before", "before", START)))
	post(desk, raw)
	post(desk, body(message_item(PHONE, "after", "after", START)))
	desk.take()
	statuses = [status for status, _ in fates(desk)]
	assert (statuses[0], statuses[2]) == ("Done", "Done")
	assert {"before", "after"} <= {m.body for m in desk.all(records.Message)}
	return statuses[1], desk


GOOD = message_item(PHONE, "hello", "g1", START, "Sara")


@pytest.mark.parametrize(
	"raw",
	[
		b"",
		b" ",
		b"{",
		b"null",
		b"3",
		b'"text"',
		b"[]",
		b"[{}]",
		b"\xff\xfe",
		b"\x00",
		b"{}",
		b'{"events": 3}',
		b'{"events": null, "device": "desk"}',
		body()[:-1],
		b"[" * 100_000,
		b'{"a":' * 100_000,
		b"1" * 5_000,
		b"\x1f\x8b\x08gzip",
	],
)
def test_what_is_not_the_gateway_s_format_is_dead_at_once_and_kept(raw):
	status, desk = fate(raw)
	assert status == "Dead"
	stored = desk.store.rows("SELECT body, is_base64, error FROM `tabKhalifa Webhook Event` ORDER BY name")[1]
	assert stored[2]
	assert len(desk.all(records.Message)) == 2


@pytest.mark.parametrize(
	"item",
	[
		{},
		[],
		None,
		7,
		"x",
		{"type": "mystery"},
		{"type": ["message"]},
		{**GOOD, "id": ""},
		{**GOOD, "id": None},
		{**GOOD, "id": "x" * 10_000},
		{**GOOD, "from": ""},
		{**GOOD, "from": "120363@g.us"},
		{**GOOD, "from": {"a": 1}},
		{**GOOD, "text": None},
		{**GOOD, "text": 3},
		{"type": "status", "id": "x", "status": "flown"},
		{"type": "reaction", "id": "x", "from": "nobody"},
		{"type": "edit", "id": "x"},
	],
)
def test_what_lacks_what_it_needs_is_ignored_and_says_why(item):
	status, desk = fate(body(item))
	assert status == "Ignored"
	assert desk.store.rows("SELECT error FROM `tabKhalifa Webhook Event` ORDER BY name")[1][0]
	assert len(desk.all(records.Message)) == 2


def test_one_bad_entry_does_not_take_the_good_ones_with_it():
	status, desk = fate(body({"type": "mystery"}, GOOD, {**GOOD, "id": ""}))
	assert status == "Done"
	assert len(desk.all(records.Message)) == 3


TEXTS = [
	"",
	" ",
	"x" * 100_000,
	"😀" * 20_000,
	"a\x00b",
	"".join(map(chr, range(32))),
	"\u202edrow",
	"{{7*7}} %s '; DROP TABLE x; --",
	"<img src=x onerror=alert(1)>",
	"مُحَـمَّـد",
	"👨‍👩‍👧‍👦",
	"\u2028\u2029",
	"\ufffe",
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_any_text_is_stored_as_it_was_and_shown_in_one_safe_line(text):
	status, desk = fate(body({**GOOD, "text": text, "name": text}))
	assert status == "Done"
	(stored,) = [m for m in desk.all(records.Message) if m.gateway_id == "g1"]
	assert stored.body == text
	for shown in (
		desk.ticket_of(PHONE).preview,
		desk.ticket_of(PHONE).customer_name,
		desk.all(records.Customer)[0].customer_name,
	):
		assert len(shown) <= 140
		assert not set(shown) & set("<>\"'\x00\n\r\u2028\u202e")


@pytest.mark.parametrize("text", ["\ud83d", "a\udc00b", "\ud83d\ud83d😀"])
def test_half_an_emoji_becomes_a_sign_that_every_database_takes(text):
	status, desk = fate(body({**GOOD, "text": text, "name": text}))
	assert status == "Done"
	(stored,) = [m for m in desk.all(records.Message) if m.gateway_id == "g1"]
	assert "\ufffd" in stored.body
	stored.body.encode()


@pytest.mark.parametrize(
	("name", "shown"),
	[
		("x" * 5_000, "x" * 140),
		("  \u200b\u2060  ", PHONE),
		("", PHONE),
		("<b>Sara</b>", "bSara/b"),
		("\u202eevil", "evil"),
		('"<img src=x onerror=alert(1)>"', "”img src=x onerror=alert(1)”"),
	],
)
def test_a_name_is_made_safe_and_short_or_is_the_phone(name, shown):
	desk = Desk(agents=0)
	desk.deliver(message_item(PHONE, "x", "g1", START, name))
	assert desk.ticket_of(PHONE).customer_name == shown


@pytest.mark.parametrize(
	"at",
	[
		None,
		"",
		"yesterday",
		-1,
		0,
		1,
		5_000,
		"0",
		2**63,
		1e400,
		[],
		True,
		"9" * 30,
		1_230_000_000,
		32_503_680_000_000,
	],
)
def test_a_nonsense_time_becomes_ours(at):
	desk = Desk(agents=0)
	desk.deliver({**GOOD, "at_ms": at})
	(message,) = desk.all(records.Message)
	assert START <= message.sent_ms <= START + 5 * MINUTE
	assert desk.ticket_of(PHONE).waiting_since_ms == message.sent_ms


def test_a_time_in_the_future_is_at_most_five_minutes_ahead_and_an_old_one_is_kept():
	desk = Desk(agents=0)
	desk.deliver({**GOOD, "at_ms": START + HOUR}, {**GOOD, "id": "g2", "at_ms": START - 30 * 24 * HOUR})
	assert sorted(m.sent_ms for m in desk.all(records.Message)) == [
		START - 30 * 24 * HOUR,
		START + 5 * MINUTE,
	]


def test_ids_that_look_alike_are_different_messages_and_the_same_id_is_one():
	desk = Desk(agents=0)
	ids = ["Aa", "aA", "AA", "Áa", "A\u0301a", "😀", "😁", "x" * 512]
	desk.deliver(
		*({**GOOD, "id": one} for one in ids), *({**GOOD, "id": one, "text": "other"} for one in ids)
	)
	assert sorted(m.gateway_id for m in desk.all(records.Message)) == sorted(ids)


def test_a_thousand_entries_in_one_call_are_taken_in():
	desk = Desk(agents=0)
	desk.deliver(*({**GOOD, "id": f"g{n}", "from": f"+2010012{n % 50:05}"} for n in range(1_000)))
	assert (len(desk.all(records.Message)), len(desk.all(records.Ticket))) == (1_000, 50)


# -- poison


def poisoned(desk: Desk, error: type[Exception] = KeyError) -> None:
	honest = desk.driver.parse

	def parse(raw: bytes) -> Any:
		if b"POISON" in raw:
			raise error("secret words of a customer")
		return honest(raw)

	desk.driver.parse = parse  # type: ignore[method-assign]


@pytest.mark.parametrize("error", [KeyError, RecursionError, ValueError, AssertionError])
def test_a_poisonous_webhook_event_fails_alone_comes_back_less_and_less_often_and_dies(error):
	desk = Desk(agents=0)
	poisoned(desk, error)
	for number in range(5):
		post(desk, body({**GOOD, "id": f"a{number}"}))
	post(desk, body({**GOOD, "text": "POISON"}))
	for number in range(5):
		post(desk, body({**GOOD, "id": f"b{number}"}))
	taken = desk.take()
	assert (taken.webhook_events, taken.messages, taken.failed) == (10, 10, 1)
	waits = []
	while fates(desk)[5][0] == "Failed":
		at = desk.store.rows("SELECT next_ms FROM `tabKhalifa Webhook Event` WHERE status = 'Failed'")[0][0]
		waits.append(at - desk.now)
		desk.now = at - 1
		assert desk.take().failed == 0
		desk.now = at
		assert desk.take().failed == 1
	assert fates(desk)[5] == ("Dead", drain.MAX_ATTEMPTS)
	assert waits == sorted(waits)
	assert (len(waits), max(waits) <= HOUR) == (drain.MAX_ATTEMPTS - 1, True)
	desk.now += 24 * HOUR
	assert desk.take() == drain.IntakeResult()
	error_text = desk.store.rows("SELECT error FROM `tabKhalifa Webhook Event` WHERE status = 'Dead'")[0][0]
	assert error.__name__ in error_text
	assert "secret" not in error_text


def test_poison_that_is_cured_is_taken_in_at_its_next_turn():
	desk = Desk(agents=0)
	honest = desk.driver.parse
	poisoned(desk)
	post(desk, body({**GOOD, "text": "POISON"}))
	desk.take()
	desk.driver.parse = honest  # type: ignore[method-assign]
	desk.now += MINUTE
	assert desk.take().messages == 1


def test_a_failure_half_way_leaves_nothing_of_its_webhook_event():
	desk = Desk(agents=0)
	honest = desk.store.save

	def save(changes: Any) -> None:
		honest(changes)
		if any(m.body == "POISON" for m in changes.created.get(records.Message, ())):
			raise KeyError("late")

	desk.store.save = save  # type: ignore[method-assign]
	post(desk, body({**GOOD, "id": "a"}))
	post(desk, body({**GOOD, "from": "+966501234567", "text": "POISON"}))
	post(desk, body({**GOOD, "id": "b"}))
	desk.notices.clear()
	desk.take()
	assert [m.gateway_id for m in desk.all(records.Message)] == ["a", "b"]
	assert [c.phone for c in desk.all(records.Customer)] == [PHONE]
	assert {n.data["ticket"] for n in desk.notices if n.data} == {desk.ticket_of(PHONE).name}


def test_a_conflict_is_tried_again_and_never_makes_a_webhook_event_dead(monkeypatch):
	monkeypatch.setattr("khalifa_whatsapp.services.unit_of_work._random.uniform", lambda low, high: 0)
	desk = Desk(agents=0)
	honest, conflicts = desk.store.finish_webhook_events, [3]

	def finish(outcomes: Any, now_ms: int) -> None:
		if conflicts[0]:
			conflicts[0] -= 1
			raise Conflict("deadlock")
		honest(outcomes, now_ms)

	desk.store.finish_webhook_events = finish  # type: ignore[method-assign]
	post(desk, body(GOOD))
	assert desk.take().webhook_events == 1
	conflicts[0] = 10**9
	post(desk, body({**GOOD, "id": "g2"}))
	with pytest.raises(Conflict):
		desk.take()
	conflicts[0] = 0
	assert desk.take().webhook_events == 1
	assert {status for status, _ in fates(desk)} == {"Done"}


def test_an_outage_is_no_webhook_event_s_fault():
	desk = Desk(agents=0)
	honest = desk.store.save
	desk.store.save = _raise_unavailable  # type: ignore[method-assign]
	post(desk, body(GOOD))
	with pytest.raises(StoreUnavailable):
		desk.take()
	assert fates(desk) == [("New", 0)]
	desk.store.save = honest  # type: ignore[method-assign]
	assert desk.take().messages == 1


def _raise_unavailable(changes: Any) -> None:
	raise StoreUnavailable("gone")


def test_a_use_case_in_the_way_of_others_is_given_up_after_some_tries():
	tries = []

	def act() -> None:
		tries.append(1)
		raise Conflict("deadlock")

	with pytest.raises(Conflict):
		retrying(act, attempts=4, sleep=lambda seconds: None)
	assert len(tries) == 4


def test_only_one_drain_works_on_a_device():
	desk = Desk(agents=0)
	post(desk, body(GOOD))
	with desk.store.lock("in:desk"):
		assert desk.take().is_busy
	assert desk.take().messages == 1


# -- anything at all

scalars = st.one_of(
	st.none(),
	st.booleans(),
	st.integers(),
	st.floats(),
	st.text(st.characters(exclude_categories=[]), max_size=20),
	st.sampled_from(
		[
			"message",
			"status",
			"reaction",
			"edit",
			"revoke",
			"session",
			PHONE,
			"g1",
			"delivered",
			"failed",
			"desk",
		]
	),
)
values = st.recursive(
	scalars,
	lambda inner: st.one_of(
		st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
	),
)
fields = st.sampled_from(
	["type", "id", "from", "text", "at_ms", "name", "status", "emoji", "callback", "state"]
)
kinds = st.sampled_from(["message", "status", "reaction", "edit", "revoke", "session"])
spoilt = st.builds(
	lambda kind, more: {**GOOD, "status": "read", "emoji": "👍", "state": "connected", "type": kind, **more},
	kinds,
	st.dictionaries(fields, values, max_size=3),
)


def _encoded(payload: Any) -> bytes:
	return json.dumps(payload).encode()


raws = st.one_of(
	st.binary(max_size=60),
	values.map(_encoded),
	st.lists(st.one_of(spoilt, values), max_size=4).map(
		lambda items: _encoded({"device": "desk", "events": items})
	),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(raws, max_size=6))
def test_whatever_is_posted_the_drain_goes_on_and_each_webhook_event_ends_as_the_rules_say(posted):
	desk = Desk(agents=1)
	desk.online()
	for raw in posted:
		post(desk, raw)
	post(desk, body({**GOOD, "id": "the last"}))
	desk.take()
	assert {status for status, _ in fates(desk)} <= FINAL
	assert fates(desk)[-1][0] == "Done"
	assert "the last" in {m.gateway_id for m in desk.all(records.Message)}
	for message in desk.all(records.Message):
		message.body.encode()
		assert message.sent_ms > 0
	keys = [m.message_key for m in desk.all(records.Message)]
	assert len(keys) == len(set(keys))
	assert len([t for t in desk.all(records.Ticket) if t.open_key]) == len(
		{t.customer for t in desk.all(records.Ticket)}
	)
