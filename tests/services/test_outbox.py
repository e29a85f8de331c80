"""Sending: what surely did not go is tried again, what nobody knows never is,
and each customer reads in order.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.backoff import LONGEST_SECONDS
from khalifa_whatsapp.core.keys import message_key
from khalifa_whatsapp.core.settings import Settings
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.drivers.loopback import status_item
from khalifa_whatsapp.services.tickets import actions
from khalifa_whatsapp.services.unit_of_work import working
from khalifa_whatsapp.stores.base import Conflict, StoreUnavailable
from tests.services.harness import MANAGER, MINUTE, Desk

PHONE, OTHER = "+201001234567", "+201119876543"
HOUR = 60 * MINUTE


def desk_with_answer(body: str = "answer", **settings: float) -> tuple[Desk, records.Message]:
	desk = Desk(agents=1, settings=Settings(**settings))  # type: ignore[arg-type]
	desk.online()
	return desk, desk.reply(desk.write(PHONE), body=body)


def bodies(desk: Desk) -> list[str]:
	return [message.body for message in desk.driver.sent]


def echoed(desk: Desk, gateway_id: str, body: str = "answer", scope: str = "") -> None:
	"""The gateway's own copy of something that left our number."""
	echo = base.OutboundEcho(
		base.MessageRef(gateway_id, scope),
		desk.driver.parse(desk.driver.call(_message(gateway_id)).raw)[0].sender,
		desk.now,
		"text",
		body,
	)
	honest = desk.driver.parse
	desk.driver.parse = lambda raw: [echo]  # type: ignore[method-assign]
	desk.deliver({"type": "echo", "id": gateway_id, "at": desk.now})
	desk.driver.parse = honest  # type: ignore[method-assign]


def _message(gateway_id: str) -> dict[str, object]:
	return {"type": "message", "id": gateway_id, "from": PHONE, "text": "", "at_ms": 1}


# -- trying again


def test_what_surely_was_not_sent_waits_longer_each_time_and_then_fails():
	desk, message = desk_with_answer(breaker_failures=99)  # here only the message's own waits count
	waits = []
	for attempt in range(1, desk.settings.max_attempts):
		desk.driver.failures.append(base.Retryable("refused", code="503"))
		assert (desk.send().retried, desk.send().sent) == (1, 0)
		stored = desk.message(message.name)
		assert (stored.status, stored.attempts, stored.generation) == (records.MSG_QUEUED, attempt, attempt)
		waits.append((stored.next_retry_ms or 0) - desk.now)
		desk.now = stored.next_retry_ms or 0
	for attempt, wait in enumerate(waits):
		assert 2_500 * 2**attempt <= wait <= 7_500 * 2**attempt
	desk.driver.failures.append(base.Retryable("refused", code="503"))
	assert desk.send().failed == 1
	stored = desk.message(message.name)
	assert (stored.status, stored.error_kind, stored.error_code, stored.error_text) == (
		records.FAILED,
		"retryable",
		"503",
		"refused",
	)
	assert bodies(desk) == []


def test_it_goes_out_once_when_the_gateway_is_back_and_the_error_is_forgotten():
	desk, message = desk_with_answer()
	desk.driver.failures.append(base.Retryable("refused"))
	desk.send()
	desk.now += HOUR
	assert (desk.send().sent, desk.send().sent) == (1, 0)
	stored = desk.message(message.name)
	assert (stored.status, stored.error_kind, stored.error_text) == (records.SENT, None, None)
	assert bodies(desk) == ["answer"]


def test_a_gateway_that_says_how_long_to_wait_is_not_asked_sooner():
	desk, message = desk_with_answer()
	desk.driver.failures.append(base.RateLimited("too fast", retry_after=2 * LONGEST_SECONDS))
	desk.send()
	assert desk.message(message.name).next_retry_ms == desk.now + 2 * HOUR


@pytest.mark.parametrize("error", [base.RecipientError, base.Permanent, base.WindowClosed])
def test_what_can_not_be_mended_by_waiting_fails_at_once_with_its_reason(error):
	desk, message = desk_with_answer()
	desk.driver.failures.append(error("no such number", code="131026"))
	assert desk.send().failed == 1
	stored = desk.message(message.name)
	assert (stored.status, stored.error_kind, stored.error_text) == (
		records.FAILED,
		error.kind,
		"no such number",
	)


def test_a_refused_login_stops_the_device_and_loses_nothing():
	desk, message = desk_with_answer()
	other = desk.reply(desk.write(OTHER))
	desk.driver.failures.append(base.AuthError("token expired", code="190"))
	sent = desk.send()
	assert (sent.is_stopped, sent.sent, bodies(desk)) == (True, 0, [])
	assert {desk.message(m.name).status for m in (message, other)} == {records.MSG_QUEUED}
	desk.now += HOUR
	assert desk.send().sent == 2


# -- order


def test_each_customer_s_messages_go_out_in_order_and_wait_for_each_other():
	desk, _ = desk_with_answer("one")
	name = desk.ticket_of(PHONE).name
	desk.reply(name, body="two")
	desk.reply(desk.write(OTHER), body="other")
	desk.driver.failures.append(base.Retryable("refused"))
	assert desk.send().sent == 1
	assert bodies(desk) == ["other"]
	desk.now += HOUR
	assert desk.send().sent == 2
	assert bodies(desk) == ["other", "one", "two"]


def test_a_failed_message_does_not_hold_up_the_next():
	desk, _ = desk_with_answer("one")
	desk.reply(desk.ticket_of(PHONE).name, body="two")
	desk.driver.failures.append(base.RecipientError("no"))
	desk.send()
	assert bodies(desk) == ["two"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["ok", "retry", "unknown", "recipient"]), max_size=12))
def test_whatever_fails_no_customer_reads_anything_twice_or_out_of_order(plan):
	desk = Desk(agents=1)
	desk.online()
	names = [desk.write(phone) for phone in (PHONE, OTHER)]
	for number in range(3):
		for name in names:
			desk.reply(name, body=f"{number}")
	errors = {
		"retry": base.Retryable("r"),
		"unknown": base.UnknownOutcome("u"),
		"recipient": base.RecipientError("n"),
	}
	honest = desk.driver.send
	steps = iter(plan)

	def send(message: base.OutgoingText) -> base.Accepted:
		step = next(steps, "ok")
		if step == "unknown":
			honest(message)  # it went, and nobody heard
		if step != "ok":
			raise errors[step]
		return honest(message)

	desk.driver.send = send  # type: ignore[method-assign]
	for _ in range(12):
		desk.send()
		desk.now += 2 * HOUR
	for phone in (PHONE, OTHER):
		got = [m.body for m in desk.driver.sent if m.recipient[0].value == phone]
		assert got == sorted(set(got))
	assert {m.status for m in desk.all(records.Message) if m.direction == records.OUTGOING} <= {
		records.SENT,
		records.UNKNOWN,
		records.FAILED,
	}


# -- doubt


def test_a_sender_that_dies_between_claim_and_answer_leaves_unknown_and_nothing_is_sent_twice():
	desk, message = desk_with_answer()
	honest = desk.driver.send

	def dies(outgoing: base.OutgoingText) -> base.Accepted:
		honest(outgoing)
		raise KeyboardInterrupt

	desk.driver.send = dies  # type: ignore[method-assign]
	with pytest.raises(KeyboardInterrupt):
		desk.send()
	assert desk.message(message.name).status == records.SENDING
	desk.driver.send = honest  # type: ignore[method-assign]
	assert desk.store.devices_with_due_messages(desk.now) == ["desk"]
	again = desk.send()
	assert (again.unknown, again.sent, bodies(desk)) == (1, 0, ["answer"])
	desk.now += 24 * HOUR
	assert (desk.send().sent, desk.message(message.name).status) == (0, records.UNKNOWN)


@pytest.mark.parametrize("where", ["before the claim", "after the send"])
def test_a_database_that_goes_away_loses_no_message_and_doubles_none(where):
	desk, message = desk_with_answer()
	honest, saves = desk.store.save, []

	def save(changes):
		saves.append(1)
		if len(saves) == (1 if where == "before the claim" else 2):
			raise StoreUnavailable("gone")
		honest(changes)

	desk.store.save = save  # type: ignore[method-assign]
	with pytest.raises(StoreUnavailable):
		desk.send()
	desk.store.save = honest  # type: ignore[method-assign]
	desk.send()
	assert (desk.message(message.name).status, bodies(desk)) == (
		(records.SENT, ["answer"]) if where == "before the claim" else (records.UNKNOWN, ["answer"])
	)


def test_a_conflict_while_writing_the_answer_down_is_tried_again_without_sending_again():
	desk, message = desk_with_answer()
	honest, saves = desk.store.save, []

	def save(changes):
		saves.append(1)
		if len(saves) == 2:
			raise Conflict("deadlock")
		honest(changes)

	desk.store.save = save  # type: ignore[method-assign]
	assert desk.send().sent == 1
	assert (desk.message(message.name).status, bodies(desk)) == (records.SENT, ["answer"])


@pytest.mark.parametrize("late", ["accepted", "refused"])
def test_a_late_writer_of_an_older_attempt_changes_nothing(late):
	desk, message = desk_with_answer()
	honest = desk.driver.send

	def slow(outgoing: base.OutgoingText) -> base.Accepted:
		"""While this attempt hangs, somebody else takes the message over."""
		with working(desk.store, desk.now) as work:
			stored = desk.store.messages([message.name])[message.name]
			stored.generation, stored.status, stored.gateway_id = (
				stored.generation + 1,
				records.SENT,
				"the other's",
			)
			work.touch(stored)
		if late == "refused":
			raise base.Retryable("refused")
		return honest(outgoing)

	desk.driver.send = slow  # type: ignore[method-assign]
	desk.send()
	stored = desk.message(message.name)
	assert (stored.status, stored.gateway_id, stored.next_retry_ms) == (records.SENT, "the other's", None)


@pytest.mark.parametrize(
	("status", "then"),
	[
		("sent", records.SENT),
		("delivered", records.DELIVERED),
		("read", records.READ),
		("failed", records.FAILED),
	],
)
def test_a_status_with_our_own_key_settles_what_was_unknown(status, then):
	desk, message = desk_with_answer()
	desk.driver.failures.append(base.UnknownOutcome("timed out"))
	assert desk.send().unknown == 1
	desk.deliver(status_item("theirs", status, desk.now, message.name))
	stored = desk.message(message.name)
	assert (stored.status, stored.gateway_id, stored.message_key) == (
		then,
		"theirs",
		message_key("desk", "", "theirs"),
	)
	desk.now += HOUR
	assert desk.send().sent == 0


def test_a_status_that_overtakes_the_gateway_s_answer_is_kept():
	desk, message = desk_with_answer()
	honest = desk.driver.send

	def send(outgoing: base.OutgoingText) -> base.Accepted:
		accepted = honest(outgoing)
		desk.deliver(status_item(accepted.ref.gateway_id, "read", desk.now, outgoing.callback))
		return accepted

	desk.driver.send = send  # type: ignore[method-assign]
	assert desk.send().sent == 1
	assert desk.message(message.name).status == records.READ


def test_a_failure_that_the_gateway_s_statuses_contradict_is_no_reason_to_send_again():
	desk, message = desk_with_answer()

	def send(outgoing: base.OutgoingText) -> base.Accepted:
		desk.deliver(status_item("theirs", "delivered", desk.now, outgoing.callback))
		raise base.Retryable("bad gateway")

	desk.driver.send = send  # type: ignore[method-assign]
	desk.send()
	assert desk.message(message.name).status == records.DELIVERED
	desk.now += HOUR
	assert desk.send().retried == 0


# -- echoes


def test_the_gateway_s_own_copy_that_came_first_is_absorbed_with_its_ticks():
	desk, message = desk_with_answer()
	echoed(desk, "loop-out-1")
	desk.deliver(status_item("loop-out-1", "read", desk.now))
	assert len([m for m in desk.all(records.Message) if m.direction == records.OUTGOING]) == 2
	desk.send()
	(stored,) = [m for m in desk.all(records.Message) if m.direction == records.OUTGOING]
	assert (stored.name, stored.status, stored.origin) == (message.name, records.READ, records.AGENT)
	assert {log.message for log in desk.all(records.MessageLog)} == {message.name}


def test_the_gateway_s_own_copy_that_comes_later_adds_nothing():
	desk, _ = desk_with_answer()
	desk.send()
	echoed(desk, "loop-out-1")
	assert len([m for m in desk.all(records.Message) if m.direction == records.OUTGOING]) == 1


def test_what_is_typed_on_the_phone_is_shown_and_ends_no_wait():
	desk = Desk(agents=1)
	desk.online()
	name = desk.write(PHONE)
	echoed(desk, "phone-1", "typed")
	shown = [m for m in desk.all(records.Message) if m.origin == records.PHONE]
	assert [(m.body, m.ticket, m.status) for m in shown] == [("typed", name, records.SENT)]
	assert desk.ticket(name).waiting_since_ms is not None


def test_a_conversation_begun_on_the_phone_waits_for_nobody_and_is_not_missed():
	desk = Desk(agents=1)
	desk.online()
	echoed(desk, "phone-1", "typed")
	(ticket,) = desk.all(records.Ticket)
	assert (ticket.status, ticket.turn, desk.assign()) == (records.PENDING, None, [])
	assert actions.close(desk.store, MANAGER, ticket.name, desk.now).is_missed == 0


def test_only_one_sender_works_on_a_device():
	desk, _ = desk_with_answer()
	with desk.store.lock("out:desk"):
		assert desk.send().is_busy
	assert desk.send().sent == 1
