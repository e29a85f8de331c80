"""Automatic replies at the desk: they answer once, move no clock, and never run in a circle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khalifa_whatsapp.core import records, reply_loops
from khalifa_whatsapp.core.auto_replies import (
	ALL_OFFLINE,
	KEYWORD,
	OUT_OF_HOURS,
	WAITING_LONG,
	WELCOME,
	Rule,
	RuleBook,
)
from khalifa_whatsapp.core.calendar import Calendar, calendar_from_rows
from khalifa_whatsapp.core.keywords import CONTAINS, Keywords
from khalifa_whatsapp.core.settings import BranchRules, Rules, Settings
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.services.care import auto_replies
from khalifa_whatsapp.services.inbound import drain
from khalifa_whatsapp.services.isolation import RowsFailed
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.services.tickets import actions
from tests.services.harness import MANAGER, MINUTE, START, Desk
from tests.services.test_outbox import echoed

PHONE, OTHER = "+201001234567", "+201001234568"
HOURS = Keywords(CONTAINS, ("hours",))
NIGHT = calendar_from_rows("Africa/Cairo", [{"day": "Sunday", "start_time": "09:00", "end_time": "23:00"}])


def desk_with(*rules: Rule, most: int = 3, calendar: Calendar | None = None, **how: Any) -> Desk:
	made = Desk(settings=Settings(max_auto_replies=most), calendar=calendar, **how)
	made.store.set_rules(replace(made.store.rules(), auto_replies=RuleBook(rules)))
	return made


def keyword(name: str = "hours", **more: Any) -> Rule:
	return Rule(name, KEYWORD, more.pop("body", "Nine to eleven."), HOURS, **more)


def said_to(desk: Desk, phone: str = PHONE) -> list[str]:
	ticket = desk.ticket_of(phone).name
	return [
		m.auto_reply for m in desk.all(records.Message) if m.ticket == ticket and m.origin == records.AUTO
	]


def scan(desk: Desk, minutes: float = 0) -> None:
	desk.now += round(minutes * MINUTE)
	auto_replies.scan_waits(desk.store, lambda device: desk.driver.capabilities, desk.now)


def test_a_new_conversation_is_welcomed_once_and_the_customer_goes_on_waiting():
	desk = desk_with(Rule("welcome", WELCOME, "Welcome {customer}."))
	desk.online()
	name = desk.write(PHONE, "hello")
	ticket, (turn,) = desk.ticket(name), desk.all(records.Turn)
	assert [(m.body, m.auto_reply, m.sender, m.agent, m.priority) for m in desk.all(records.Message)[1:]] == [
		("Welcome Customer.", "welcome", None, None, 1)
	]
	assert (ticket.status, ticket.cycle_replies, ticket.first_responded_ms) == (records.OPEN, 0, None)
	assert (turn.ended_ms, ticket.waiting_since_ms, ticket.unread_count) == (None, START, 1)
	desk.write(PHONE, "are you there?")
	desk.reply(name)
	desk.wait(60)
	desk.write(PHONE, "thanks")
	assert said_to(desk) == ["welcome"]


def test_one_message_is_answered_once_however_often_it_is_delivered():
	desk = desk_with(keyword())
	for _ in range(3):
		desk.write(PHONE, "your hours?", gateway_id="the-same")
	assert said_to(desk) == ["hours"]


def test_messages_of_one_delivery_are_answered_as_if_they_came_one_by_one():
	desk = desk_with(keyword(cooldown_minutes=5), Rule("welcome", WELCOME, "Welcome."))
	items = [
		message_item(PHONE, body, f"m{n}", desk.now, "C") for n, body in enumerate(["hi", "hours", "hours?"])
	]
	desk.deliver(*items)
	assert said_to(desk) == ["welcome", "hours"]


def test_a_cool_down_is_each_customers_own_and_outlives_a_restart():
	desk = desk_with(keyword(cooldown_minutes=30))
	desk.write(PHONE, "hours")
	desk.wait(29)
	desk.write(PHONE, "hours please")
	desk.write(OTHER, "hours")
	assert (said_to(desk), said_to(desk, OTHER)) == (["hours"], ["hours"])
	desk.wait(1)
	desk.write(PHONE, "what are your hours")
	assert said_to(desk) == ["hours"] * 2


def test_only_once_is_for_ever_also_in_the_next_conversation():
	desk = desk_with(keyword(is_once=True))
	name = desk.write(PHONE, "hours")
	actions.close(desk.store, MANAGER, name, desk.now)
	desk.now += 72 * 60 * MINUTE
	assert desk.write(PHONE, "hours") != name
	assert said_to(desk) == []


def test_out_of_hours_says_when_the_branch_opens():
	desk = desk_with(Rule("night", OUT_OF_HOURS, "We open {opens}."), calendar=NIGHT)
	desk.write(PHONE, "hello")
	(message,) = (m for m in desk.all(records.Message) if m.auto_reply)
	assert message.body == "We open on Sunday at 9:00 AM."


def test_all_agents_offline_answers_only_while_nobody_is_there():
	desk = desk_with(Rule("away", ALL_OFFLINE, "A person will answer soon."))
	desk.write(PHONE, "hello")
	desk.online()
	desk.write(OTHER, "hello")
	assert (said_to(desk), said_to(desk, OTHER)) == (["away"], [])


def test_a_long_wait_is_answered_by_the_minutes_job_each_rule_once():
	rules = [Rule(f"wait {m}", WAITING_LONG, "Sorry.", wait_minutes=m) for m in (10, 20)]
	desk = desk_with(*rules)
	name = desk.write(PHONE, "hello")
	scan(desk, 9)
	assert said_to(desk) == []
	for _ in range(5):
		scan(desk, 1)
	assert said_to(desk) == ["wait 10"]
	scan(desk, 30)
	scan(desk, 30)
	assert said_to(desk) == ["wait 10", "wait 20"]
	assert desk.ticket(name).auto_check_ms is None


def test_who_was_answered_in_time_is_told_nothing_about_waiting():
	desk = desk_with(Rule("wait", WAITING_LONG, "Sorry.", wait_minutes=10))
	desk.online()
	name = desk.write(PHONE, "hello")
	assert desk.ticket(name).auto_check_ms == desk.now + 10 * MINUTE
	desk.reply(name)
	assert desk.ticket(name).auto_check_ms is None
	scan(desk, 30)
	assert said_to(desk) == []


def test_a_wait_is_counted_in_opening_hours():
	desk = desk_with(Rule("wait", WAITING_LONG, "Sorry.", wait_minutes=10), calendar=NIGHT)
	desk.write(PHONE, "hello")
	scan(desk, 120)
	assert said_to(desk) == []


def test_one_ticket_that_can_not_be_read_holds_up_no_other(monkeypatch):
	desk = desk_with(Rule("wait", WAITING_LONG, "Sorry.", wait_minutes=10))
	bad = desk.write(OTHER, "hello")
	desk.write(PHONE, "hello")
	real = auto_replies.facts_of_ticket

	def facts(work, ticket):
		if ticket.name == bad:
			raise ArithmeticError
		return real(work, ticket)

	monkeypatch.setattr(auto_replies, "facts_of_ticket", facts)
	with pytest.raises(RowsFailed, match=bad):
		scan(desk, 11)
	assert said_to(desk) == ["wait"]


def test_nothing_is_said_while_a_person_is_writing_with_the_customer():
	desk = desk_with(keyword())
	desk.online()
	name = desk.write(PHONE, "hello")
	desk.reply(name)
	desk.wait(1)
	desk.write(PHONE, "and your hours?")
	assert said_to(desk) == []
	desk.wait(4)
	desk.write(PHONE, "your hours?")
	assert said_to(desk) == ["hours"]


def test_nothing_goes_outside_the_window_or_to_what_the_gateway_can_not_send(monkeypatch):
	desk = desk_with(keyword())
	monkeypatch.setattr(
		type(desk.driver), "capabilities", Capabilities(has_window=True, kinds=frozenset({"image"}))
	)
	desk.write(PHONE, "hours")
	assert said_to(desk) == []
	late = desk_with(keyword())
	late.write(PHONE, "hours", at=late.now - 25 * 60 * MINUTE)
	assert said_to(late) == []


def test_what_we_write_on_the_phone_is_not_answered_and_the_customer_is_not_welcomed_after_it():
	desk = desk_with(keyword(), Rule("welcome", WELCOME, "Welcome."))
	name = desk.write(PHONE, "hello")
	echoed(desk, "typed", "our hours are nine to eleven", "out")
	assert said_to(desk) == ["welcome"]
	desk.now += MINUTE
	desk.write(PHONE, "hours?")
	assert said_to(desk) == ["welcome"], "a person of ours wrote a minute ago"
	assert desk.events(name).count("auto_stopped") == 0


# -- loops


def bot_duel(desk: Desk, rounds: int, seconds: float = 30) -> str:
	"""The other side is a machine as well: whatever we say, it writes again."""
	name = desk.write(PHONE, "hours 0")
	for number in range(1, rounds):
		desk.send()
		desk.now += round(seconds * 1000)
		desk.write(PHONE, f"hours {number}")
	return name


@pytest.mark.parametrize("most", [1, 3, 5])
def test_two_machines_fall_silent_after_n_messages_and_a_person_is_told_once(most):
	desk = desk_with(keyword(), most=most)
	name = bot_duel(desk, 30)
	assert said_to(desk) == ["hours"] * most
	assert desk.events(name).count("auto_stopped") == 1
	assert desk.ticket(name).auto_stop == reply_loops.STOP_NEW
	notified = [n for n in desk.notices if n.data.get("event") == "auto_stopped"]
	assert [(n.role, n.user) for n in notified] == [("WhatsApp Manager", None)]


def test_the_holder_is_told_as_well():
	desk = desk_with(keyword(), agents=1)
	desk.online()
	bot_duel(desk, 9)
	notified = [n for n in desk.notices if n.data.get("event") == "auto_stopped"]
	assert {n.user or n.role for n in notified} == {"A0@example.com", "WhatsApp Manager"}


def test_a_person_between_lets_machines_speak_again():
	desk = desk_with(keyword(), agents=1)
	desk.online()
	name = bot_duel(desk, 9)
	desk.reply(name)
	assert desk.ticket(name).auto_stop is None
	desk.wait(10)
	desk.write(PHONE, "hours?")
	assert len(said_to(desk)) == 4


def test_who_answers_at_once_twice_is_a_machine():
	desk = desk_with(keyword(), most=20)
	name = bot_duel(desk, 9, seconds=1)
	assert len(said_to(desk)) == 2
	(event,) = (e for e in desk.all(records.TicketEvent) if e.event == "auto_stopped")
	assert (event.ticket, event.reason) == (name, "too_fast")


def test_who_writes_the_same_three_times_is_a_machine():
	desk = desk_with(keyword(), most=20)
	for _ in range(9):
		desk.write(PHONE, "Hours")
		desk.send()
		desk.wait(3)
	assert len(said_to(desk)) == 2
	(event,) = (e for e in desk.all(records.TicketEvent) if e.event == "auto_stopped")
	assert event.reason == "same_text"


def test_a_stopped_conversation_is_told_nothing_about_waiting():
	desk = desk_with(keyword(), Rule("wait", WAITING_LONG, "Sorry.", wait_minutes=60))
	name = bot_duel(desk, 9)
	assert desk.ticket(name).auto_check_ms is None
	scan(desk, 120)
	assert "wait" not in said_to(desk)


STEPS = st.lists(
	st.tuples(
		st.sampled_from(["hours", "hello", "hours?", "reply", "close", "phone", "send", "scan"]),
		st.sampled_from([0, 1, 3, 20, 70]),
	),
	max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.integers(1, 4))
def test_no_sequence_breaks_a_cool_down_or_says_more_than_n_without_a_person(steps, most):
	cool = {"hours": 15, "away": 30, "wait": 20, "welcome": 0}
	desk = desk_with(
		keyword(cooldown_minutes=cool["hours"]),
		Rule("away", ALL_OFFLINE, "Soon.", cooldown_minutes=cool["away"]),
		Rule("wait", WAITING_LONG, "Sorry.", wait_minutes=5, cooldown_minutes=cool["wait"]),
		Rule("welcome", WELCOME, "Welcome."),
		most=most,
		agents=1,
	)
	for number, (step, minutes) in enumerate(steps):
		desk.now += minutes * MINUTE + 1
		_do(desk, step, number)
	rows = sorted(desk.all(records.Message), key=lambda m: (m.sent_ms, m.name))
	last: dict[str, int] = {}
	for message in rows:
		if message.auto_reply:
			gap = message.sent_ms - last.get(message.auto_reply, -(10**12))
			assert gap >= cool[message.auto_reply] * MINUTE
			last[message.auto_reply] = message.sent_ms
	_check_rows(desk, rows, most)


def _do(desk: Desk, step: str, number: int) -> None:
	ticket = desk.ticket_of(PHONE) if desk.all(records.Ticket) else None
	if step in ("hours", "hello", "hours?"):
		desk.write(PHONE, f"{step} {number}")
	elif step == "send":
		desk.send()
	elif step == "scan":
		scan(desk)
	elif ticket is None or ticket.status == records.CLOSED:
		return
	elif step == "close":
		actions.close(desk.store, MANAGER, ticket.name, desk.now)
	elif step == "reply":
		answers.reply(desk.store, MANAGER, ticket.name, "answer", f"p{number}", desk.now)


def _check_rows(desk: Desk, rows: list[records.Message], most: int) -> None:
	"""Between two acts of a person no conversation has more than so many automatic messages."""
	persons = [(e.ticket, e.at_ms) for e in desk.all(records.TicketEvent) if e.event == "closed"]
	persons += [(m.ticket, m.sent_ms) for m in rows if m.origin == records.AGENT]
	for ticket in {m.ticket for m in rows}:
		acts = sorted(at_ms for name, at_ms in persons if name == ticket)
		automatic = [m.sent_ms for m in rows if m.ticket == ticket and m.auto_reply]
		for start, end in zip([-1, *acts], [*acts, 10**15], strict=True):
			assert sum(start < at_ms <= end for at_ms in automatic) <= most


# -- what it costs


def test_no_rules_and_no_match_cost_no_query():
	def queries(*rules: Rule) -> int:
		desk = desk_with(*rules)
		desk.write(PHONE, "hello")
		count = 0
		real = desk.store.rows

		def counted(sql, values=()):
			nonlocal count
			count += 1
			return real(sql, values)

		desk.store.rows = counted  # type: ignore[method-assign]
		desk.write(PHONE, "hello again")
		return count

	assert queries() == queries(keyword()) == queries(Rule("welcome", WELCOME, "Welcome."))


def test_the_queries_of_a_batch_do_not_grow_with_its_messages_that_are_not_answered():
	def queries(count: int) -> int:
		desk = desk_with(keyword(is_once=True))
		phones = [f"+2010012{number:05d}" for number in range(count)]
		desk.deliver(*(message_item(p, "hours", f"a{p}", desk.now, "C") for p in phones))
		desk.now += MINUTE
		desk.deliver(*(message_item(p, "hours", f"b{p}", desk.now, "C") for p in phones), take=False)
		seen: list[str] = []
		real = desk.store.rows
		desk.store.rows = lambda sql, values=(): (seen.append(sql), real(sql, values))[1]  # type: ignore[method-assign]
		assert drain.drain(desk.store, desk.driver, lambda: desk.now).messages == count
		return len(seen)

	assert queries(40) == queries(5)


def test_rules_hold_for_their_branch_and_device():
	desk = desk_with(keyword(branch="North"))
	rules = desk.store.rules()
	desk.store.set_rules(
		Rules(
			rules.settings, rules.calendar, {"North": BranchRules(rules.calendar, 1, 1)}, rules.auto_replies
		)
	)
	name = desk.write(PHONE, "hours")
	assert said_to(desk) == []
	desk.store.run("UPDATE `tabKhalifa Ticket` SET branch = 'North' WHERE name = ?", (name,))
	desk.write(PHONE, "hours")
	assert said_to(desk) == ["hours"]
