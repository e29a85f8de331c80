"""A device keeps its pace and its peace: caps from the database, pauses at once,
a breaker that a restart remembers.
"""

from __future__ import annotations

import dataclasses

import pytest

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.pacing import AUTO, CAMPAIGN, Pace
from khalifa_whatsapp.core.settings import Settings
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.services.unit_of_work import working
from tests.services.harness import MANAGER, MINUTE, Desk

HOUR = 60 * MINUTE
PHONES = [f"+20100123{number:04}" for number in range(30)]


def busy_desk(count: int, **settings: float) -> tuple[Desk, list[records.Message]]:
	"""A desk where `count` customers wait for an answer that is queued."""
	desk = Desk(agents=1, capacity=99, settings=Settings(**settings))  # type: ignore[arg-type]
	desk.online()
	return desk, [desk.reply(desk.write(phone), body=f"answer {n}") for n, phone in enumerate(PHONES[:count])]


def change(desk: Desk, message: records.Message, **fields: object) -> None:
	with working(desk.store, desk.now) as work:
		work.touch(dataclasses.replace(desk.message(message.name), **fields))


def set_device(desk: Desk, **fields: object) -> None:
	for name, value in fields.items():
		desk.store.run(f"UPDATE `tabWhatsApp Device` SET {name} = ? WHERE name = 'desk'", (value,))


def starts(desk: Desk) -> list[int]:
	return sorted(m.started_ms for m in desk.all(records.Message) if m.started_ms)


# -- pace


def test_sends_are_as_far_apart_as_the_gap_says():
	desk, _ = busy_desk(5)
	assert desk.send(Pace(min_gap_seconds=3, max_gap_seconds=6)).sent == 5
	gaps = [second - first for first, second in zip(starts(desk), starts(desk)[1:], strict=False)]
	assert all(3_000 <= gap <= 6_002 for gap in gaps), gaps
	assert len(set(gaps)) > 1


def test_a_cap_of_the_minute_is_kept_by_a_sender_that_has_just_been_started():
	desk, _ = busy_desk(6)
	pace = Pace(max_per_minute=2)
	first = desk.send(pace)
	assert (first.sent, first.waits.limit) == (2, "minute")
	desk.now += 20_000
	assert desk.send(pace).sent == 0, "another process counts what the first one sent"
	desk.now = first.waits.at_ms
	assert desk.send(pace).sent == 2


def test_a_long_wait_is_left_to_the_next_run():
	desk, _ = busy_desk(2)
	pace = Pace(min_gap_seconds=60, max_gap_seconds=60)
	before = desk.now
	sent = desk.send(pace)
	assert (sent.sent, sent.waits.limit, desk.now) == (1, "gap", before)


def test_a_doubtful_attempt_counts_like_a_sure_one():
	desk, _ = busy_desk(3)
	desk.driver.failures.append(base.UnknownOutcome("timed out"))
	result = desk.send(Pace(max_per_hour=2))
	assert (result.unknown, result.sent, result.waits.limit) == (1, 1, "hour")


def test_replies_go_before_a_campaign_that_was_queued_earlier():
	desk, messages = busy_desk(6)
	for message in messages[:4]:
		change(desk, message, priority=CAMPAIGN)
	change(desk, messages[4], priority=AUTO)
	desk.send(Pace(max_per_hour=3))
	assert [m.body for m in desk.driver.sent] == ["answer 5", "answer 4", "answer 0"]


def test_equal_texts_of_a_campaign_stop_at_their_cap_and_a_person_may_still_say_them():
	desk, messages = busy_desk(6)
	for message in messages[:5]:
		change(desk, message, priority=CAMPAIGN, text_key="same")
	change(desk, messages[5], text_key="same")
	sent = desk.send(Pace(max_identical_per_day=3))
	assert (sent.sent, sent.waits.limit) == (3, "equal_texts")
	assert desk.driver.sent[0].body == "answer 5"


# -- pauses


@pytest.mark.parametrize("where", ["device", "everywhere"])
def test_a_pause_counts_from_the_very_next_message_and_loses_nothing(where):
	desk, _ = busy_desk(4)
	honest = desk.driver.send

	def pauses(message: base.Outgoing) -> base.Accepted:
		if where == "device":
			set_device(desk, is_paused=1)
		else:
			desk.store._rules = dataclasses.replace(
				desk.store.rules(), settings=dataclasses.replace(desk.settings, is_sending_paused=1)
			)
		return honest(message)

	desk.driver.send = pauses  # type: ignore[method-assign]
	sent = desk.send()
	assert (sent.sent, sent.is_stopped) == (1, True)
	assert [m.status for m in desk.all(records.Message) if m.direction == records.OUTGOING].count(
		records.MSG_QUEUED
	) == 3


# -- when the device rests


def test_a_gateway_that_is_down_is_left_alone_and_every_message_goes_once_it_is_back():
	desk, messages = busy_desk(20)
	desk.driver.failures.extend(base.Retryable("refused") for _ in range(100))
	sent = desk.send()
	assert (sent.retried, sent.is_stopped, sent.is_alarming) == (5, True, True)
	for _ in range(10):  # ten minutes of an outage
		desk.now += MINUTE
		again = desk.send()
		assert (again.retried <= 1, again.is_alarming) == (True, False), "one probe, no second alarm"
	desk.driver.failures.clear()
	desk.now += HOUR
	assert desk.send().sent == 20
	assert {desk.message(m.name).status for m in messages} == {records.SENT}
	assert desk.store.send_gate("desk").breaker.failures == 0


def test_a_refused_login_never_uses_up_a_message_s_attempts():
	desk, (message,) = busy_desk(1, max_attempts=3)
	for _ in range(12):
		desk.driver.failures.append(base.AuthError("token expired", code="190"))
		desk.send()
		desk.now += 110 * MINUTE
	assert desk.message(message.name).status == records.MSG_QUEUED
	assert desk.send().sent == 1


def test_a_device_that_is_too_fast_rests_as_long_as_the_gateway_says():
	desk, _ = busy_desk(3)
	desk.driver.failures.append(base.RateLimited("too fast", retry_after=300))
	result = desk.send()
	assert (result.retried, result.sent, result.is_stopped) == (1, 0, True)
	desk.now += 299_000
	assert desk.send().sent == 0
	desk.now += 2 * MINUTE
	assert desk.send().sent == 3


def test_one_customer_who_is_written_to_too_fast_holds_up_nobody_else():
	desk, messages = busy_desk(3)
	desk.driver.failures.append(base.RateLimited("too fast", code="131056", retry_after=6, is_pair=True))
	assert desk.send().sent == 2
	assert desk.message(messages[0].name).status == records.MSG_QUEUED


def test_the_last_error_is_there_for_whoever_opens_the_device():
	desk, _ = busy_desk(1)
	desk.driver.failures.append(base.RecipientError("not on WhatsApp", code="131026"))
	desk.send()
	row = desk.store.rows("SELECT last_error_text, last_error_code, last_error_ms FROM `tabWhatsApp Device`")[
		0
	]
	assert tuple(row) == ("not on WhatsApp", "131026", desk.now)
	assert desk.store.send_gate("desk").breaker.failures == 0, "a wrong number says nothing of the gateway"


# -- the service window


def test_what_waited_past_the_window_fails_with_a_reason_and_never_reaches_the_gateway():
	desk, (message,) = busy_desk(1)
	desk.driver.capabilities = dataclasses.replace(desk.driver.capabilities, has_window=True)
	desk.now += 24 * HOUR
	assert (desk.send().failed, desk.driver.sent) == (1, [])
	stored = desk.message(message.name)
	assert (stored.status, stored.error_kind) == (records.FAILED, "window_closed")
	assert "template" in (stored.error_text or "")
	assert desk.ticket(message.ticket).waiting_since_ms is not None, "the customer waits still"


# -- a restored backup


def test_what_waited_in_a_restored_backup_is_never_sent_by_a_machine():
	desk, (message,) = busy_desk(1)
	set_device(desk, is_paused=1)
	desk.send()  # the last look before the backup
	set_device(desk, is_paused=0)
	desk.now += 3 * HOUR
	fresh = answers.reply(desk.store, MANAGER, desk.write("+201119876543"), "hello", "k", desk.now)
	sent = desk.send()
	assert (sent.unknown, sent.sent) == (1, 1)
	assert (desk.message(message.name).status, desk.message(fresh.name).status) == (
		records.UNKNOWN,
		records.SENT,
	)


def test_a_message_that_waits_for_its_next_attempt_is_no_such_case():
	desk, (message,) = busy_desk(1)
	desk.driver.failures.extend(base.RateLimited("slow", retry_after=3600) for _ in range(1))
	desk.send()
	desk.now += 70 * MINUTE
	assert desk.send().sent == 1
	assert desk.message(message.name).status == records.SENT
