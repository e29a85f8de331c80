"""One poisonous row: the others are worked on as if it were not there,
and what is said of it holds nobody's words.
"""

from __future__ import annotations

import re
from datetime import date
from unittest.mock import patch

import pytest

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.errors import describe
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.services import kpi
from khalifa_whatsapp.services.inbound import parked
from khalifa_whatsapp.services.isolation import RowsFailed, check
from khalifa_whatsapp.services.outbound import dispatch, status_changes
from khalifa_whatsapp.services.tickets import actions, assignment, delays, presence, turns
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, working
from khalifa_whatsapp.stores.base import StoreUnavailable
from tests.services.harness import MINUTE, Desk

PHONES = [f"+2010012345{number:02}" for number in range(5)]
PRIVATE_TEXT = "words of a customer"


def poisoned(module: object, name: str, is_bad: object) -> object:
	"""The function, which can't work on what `is_bad` says."""
	really = getattr(module, name)

	def act(work: UnitOfWork, row: object, *given: object, **more: object) -> object:
		if is_bad(row):  # type: ignore[operator]
			raise ValueError(PRIVATE_TEXT)
		return really(work, row, *given, **more)

	return patch.object(module, name, act)


def failing(act: object) -> str:
	with pytest.raises(RowsFailed) as failed:
		act()  # type: ignore[operator]
	assert PRIVATE_TEXT not in str(failed.value)
	assert "ValueError at " in str(failed.value)
	return str(failed.value)


def test_a_ticket_that_can_t_be_looked_at_costs_no_other_its_delay():
	desk = Desk()
	desk.online()
	tickets = [desk.write(phone) for phone in PHONES]
	desk.wait(16, scan=False)
	with poisoned(turns, "look_at_clock", lambda ticket: ticket.name == tickets[2]):
		said = failing(lambda: delays.scan(desk.store, desk.now))
	assert tickets[2] in said and tickets[1] not in said
	late = {event.ticket for event in desk.all(records.DelayEvent) if event.kind == "Agent"}
	assert late == {*tickets} - {tickets[2]}
	assert delays.scan(desk.store, desk.now).tickets == 1, "and it is looked at again"
	assert len({event.ticket for event in desk.all(records.DelayEvent)}) == len(tickets)


def test_a_ticket_that_can_t_be_handed_out_keeps_no_other_waiting():
	desk = Desk()
	tickets = [desk.write(phone) for phone in PHONES]
	with poisoned(assignment, "give", lambda ticket: ticket.name == tickets[0]), pytest.raises(RowsFailed):
		desk.online()
	assert [desk.ticket(name).agent is not None for name in tickets] == [False, True, True, True, True]
	desk.assign()
	assert desk.ticket(tickets[0]).agent is not None


def test_a_ticket_that_can_t_be_returned_holds_neither_others_nor_other_agents():
	desk = Desk()
	desk.online()
	tickets = [desk.write(phone) for phone in PHONES]
	holders = {name: desk.ticket(name).agent for name in tickets}
	assert len(set(holders.values())) > 1
	desk.now += 60 * MINUTE
	with poisoned(presence, "give_back", lambda ticket: ticket.name == tickets[0]):
		failing(lambda: presence.sweep(desk.store, desk.now))
	assert [desk.ticket(name).status == records.QUEUED for name in tickets] == [False, True, True, True, True]
	there = {agent.name for agent in desk.all(records.Agent) if agent.presence != records.OFFLINE}
	assert there == {holders[tickets[0]]}, "who holds it is looked at again"
	assert presence.sweep(desk.store, desk.now) == 1
	assert {agent.presence for agent in desk.all(records.Agent)} == {records.OFFLINE}


def test_a_status_that_can_t_be_applied_holds_up_no_other():
	desk = Desk()
	desk.online()
	messages = [desk.reply(desk.write(phone)) for phone in PHONES[:3]]
	desk.send()
	keys = [desk.message(message.name).message_key for message in messages]
	with working(desk.store, desk.now) as work:
		for number, key in enumerate(keys):
			work.add(
				records.MessageLog(f"lost-{number}", f"key-{number}", key, "status", "read", desk.now, "desk")
			)
	with poisoned(status_changes, "status_changed", lambda message: message.name == messages[0].name):
		assert keys[0] in failing(lambda: parked.apply_parked(desk.store, desk.now))
	assert [desk.message(message.name).status for message in messages] == [
		records.SENT,
		records.READ,
		records.READ,
	]


def test_a_month_that_can_t_be_rolled_up_holds_up_no_other():
	desk = Desk()
	desk.online()
	desk.reply(desk.write(PHONES[0]))
	with working(desk.store, desk.now) as work:
		work.changes.dirty_days.add(date(2020, 2, 3))
	really = desk.store.replace_kpi

	def replace(period: str, start: date, rows: list[records.AgentKpi]) -> None:
		if start.year == 2020:
			raise ValueError(PRIVATE_TEXT)
		really(period, start, rows)

	desk.store.replace_kpi = replace
	assert "2020-02" in failing(lambda: kpi.rollup_dirty(desk.store, desk.now))
	assert desk.store.dirty_days(9) == [date(2020, 2, 3)]


def test_a_database_that_is_away_is_no_fault_of_a_row():
	desk = Desk()
	desk.write(PHONES[0])
	with (
		patch.object(desk.store, "due_tickets", side_effect=StoreUnavailable("away")),
		pytest.raises(StoreUnavailable),
	):
		delays.scan(desk.store, desk.now)


def test_an_error_is_reported_by_kind_number_and_place_alone():
	with pytest.raises(AttributeError) as caught:
		actions.close(None, None, PRIVATE_TEXT, 0)  # type: ignore[arg-type]
	assert re.fullmatch(r"AttributeError at services/unit_of_work\.py:\d+ working", describe(caught.value))
	for error, said in (
		(OSError(28, "No space left", "/home/customer name.pdf"), "OSError 28"),
		(KeyError(201_001_234_567), "KeyError"),
		(KeyError(PRIVATE_TEXT), "KeyError"),
	):
		assert describe(error) == said


def test_of_many_failures_a_few_are_named():
	check({})
	with pytest.raises(RowsFailed, match=r"^9 failed\. KT-0: E; KT-1: E; KT-2: E; KT-3: E; KT-4: E$"):
		check({f"KT-{number}": "E" for number in range(9)})


def test_a_message_whose_fate_can_t_be_written_down_holds_up_no_other_and_is_not_sent_again():
	desk = Desk()
	desk.online()
	messages = [desk.reply(desk.write(phone)) for phone in PHONES[:3]]
	with patch.object(dispatch, "accepted", not_for(messages[0].name)):
		sent = dispatch.drain(desk.store, desk.driver, lambda: desk.now)
	assert (sent.sent, list(sent.not_tried)) == (2, [messages[0].name])
	assert len(desk.driver.sent) == 3
	assert [desk.message(one.name).status for one in messages] == [
		records.SENDING,
		records.SENT,
		records.SENT,
	]
	dispatch.drain(desk.store, desk.driver, lambda: desk.now)
	assert desk.message(messages[0].name).status == records.UNKNOWN
	assert len(desk.driver.sent) == 3


def not_for(name: str) -> object:
	really = dispatch.accepted

	def accepted(work: UnitOfWork, driver: object, message: records.Message, done: object) -> bool:
		if message.name == name:
			raise ValueError(PRIVATE_TEXT)
		return really(work, driver, message, done)

	return accepted


def test_what_may_have_gone_already_is_not_sent_while_nobody_can_write_that_down():
	desk = Desk()
	desk.online()
	desk.reply(desk.write(PHONES[0]))
	with patch.object(dispatch, "doubt_after_silence", side_effect=ValueError(PRIVATE_TEXT)):
		sent = dispatch.drain(desk.store, desk.driver, lambda: desk.now)
	assert (sent.sent, list(sent.not_tried), desk.driver.sent) == (0, ["doubt after silence"], [])
	assert PRIVATE_TEXT not in sent.not_tried["doubt after silence"]


def test_an_abandoned_message_that_can_t_be_settled_holds_up_no_other():
	desk = Desk()
	desk.online()
	desk.reply(desk.write(PHONES[0]))
	with patch.object(dispatch, "gave_up", side_effect=ValueError(PRIVATE_TEXT)):
		assert dispatch.drain(desk.store, desk.driver, lambda: desk.now).sent == 1


CARE = "khalifa_whatsapp.services"


@pytest.mark.parametrize(
	"part",
	[
		f"{CARE}.care.auto_replies.AutoReplies.answer",
		f"{CARE}.care.responses.wish_of",
		f"{CARE}.care.responses.satisfaction.tapped",
		f"{CARE}.campaigns.replies.note",
	],
)
def test_what_the_system_does_by_itself_keeps_no_customer_s_words_from_people(part):
	desk = Desk()
	desk.online()
	with patch(part, side_effect=ValueError(PRIVATE_TEXT)):
		desk.deliver(message_item(PHONES[0], PRIVATE_TEXT, "in-1", desk.now), take=False)
		taken = desk.take()
	assert (taken.failed, taken.messages) == (0, 1)
	said = failing(lambda: check(taken.without_care))
	assert desk.driver.config.name in said
	desk.assign()
	assert desk.ticket_of(PHONES[0]).waiting_since_ms
