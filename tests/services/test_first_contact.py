"""We write first: one conversation per customer, held by who began it, and nobody waits in it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khalifa_whatsapp.core import records, template_state
from khalifa_whatsapp.core.errors import Changed, NotAllowed, UserError
from khalifa_whatsapp.core.pacing import Pace
from khalifa_whatsapp.drivers.loopback import LoopbackDriver
from khalifa_whatsapp.services.outbound import first_contact
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.services.outbound.first_contact import Begun, Line, Whom
from khalifa_whatsapp.services.tickets import actions
from tests.services.harness import MANAGER, MINUTE, Desk

PHONE = "+201001234567"
CAN = LoopbackDriver.capabilities
WITH_WINDOW = dataclasses.replace(CAN, has_window=True)


@pytest.fixture
def desk() -> Desk:
	one = Desk()
	one.online()
	return one


def begin(desk: Desk, phone: str = PHONE, key: str = "k", agent: str = "A0", **more: Any) -> Begun:
	line = Line("desk", more.pop("can", CAN), more.pop("pace", Pace()))
	whom = Whom(customer=more["customer"]) if "customer" in more else Whom(phone)
	draft = more.get("draft", Draft("your order is ready"))
	return first_contact.begin(desk.store, desk.actor(agent), line, whom, lambda _: draft, key, desk.now)


@pytest.mark.parametrize("typed", ["01001234567", "+20 100 123 4567", "0020-100-1234567", "٠١٠٠١٢٣٤٥٦٧"])
def test_a_number_in_any_spelling_begins_a_conversation_in_which_nobody_waits(desk: Desk, typed: str) -> None:
	begun = begin(desk, typed)
	ticket = desk.ticket(begun.ticket)
	assert begun.is_new
	assert (ticket.status, ticket.agent, ticket.turn) == (records.PENDING, "A0", None)
	assert (ticket.waiting_since_ms, ticket.due_by_ms, ticket.next_check_ms) == (None, None, None)
	assert desk.events(ticket.name) == ["created", "assigned"]
	assert desk.send().sent == 1
	assert desk.driver.sent[0].recipient[0].value == PHONE
	desk.wait(60 * 24)
	assert desk.all(records.Turn) == desk.all(records.DelayEvent) == []


def test_the_customer_s_answer_comes_into_it_and_waits_on_who_began(desk: Desk) -> None:
	begun = begin(desk)
	desk.send()
	desk.wait(5)
	assert desk.write(PHONE) == begun.ticket
	ticket = desk.ticket(begun.ticket)
	assert (ticket.agent, ticket.status, ticket.waiting_since_ms) == ("A0", records.OPEN, desk.now)
	assert ticket.first_message_ms == desk.now
	assert ticket.first_response_time is None


def test_an_open_conversation_is_opened_instead(desk: Desk) -> None:
	ticket = desk.write(PHONE)
	holder = desk.ticket(ticket).agent or ""
	assert begin(desk, agent=holder) == Begun(ticket, is_new=False)
	other = next(agent for agent in desk.agents if agent != holder)
	with pytest.raises(Changed, match="already"):
		begin(desk, agent=other)
	assert len(desk.all(records.Ticket)) == 1
	assert [m for m in desk.all(records.Message) if m.direction == records.OUTGOING] == []


def test_one_click_begins_one(desk: Desk) -> None:
	first = begin(desk)
	assert begin(desk) == first
	assert begin(desk, key="another") == Begun(first.ticket, is_new=False)
	assert len(desk.all(records.Message)) == len(desk.all(records.Ticket)) == 1
	with pytest.raises(UserError) as error:
		begin(desk, agent="A1")
	assert error.value.code == "client_key_used"


def test_a_gateway_with_a_window_wants_a_template_first(desk: Desk) -> None:
	with pytest.raises(UserError) as error:
		begin(desk, can=WITH_WINDOW)
	assert error.value.code == "needs_template"
	assert desk.all(records.Customer) == desk.all(records.Ticket) == []
	template = Draft("hello", "template", data={"template": {"category": "UTILITY"}})
	assert begin(desk, can=WITH_WINDOW, draft=template).is_new


def test_whoever_wrote_today_may_be_written_to_freely(desk: Desk) -> None:
	ticket = desk.write(PHONE)
	actions.close(desk.store, MANAGER, ticket, desk.now)
	desk.wait(60)
	begun = begin(desk, can=WITH_WINDOW)
	assert begun.is_new
	assert begun.ticket != ticket
	(message,) = [m for m in desk.all(records.Message) if m.direction == records.OUTGOING]
	assert message.is_new_chat == 0


def test_new_chats_end_at_the_number_s_limit(desk: Desk) -> None:
	pace = Pace(max_new_chats_per_day=1)
	begin(desk, "01001234561", key="1", pace=pace)
	desk.send()
	with pytest.raises(UserError) as error:
		begin(desk, "01001234562", key="2", pace=pace)
	assert error.value.code == "new_chats_used"
	desk.wait(24 * 60)
	assert begin(desk, "01001234562", key="2", pace=pace).is_new


def test_who_stopped_promotions_is_refused_promotions_alone(desk: Desk) -> None:
	ticket = desk.write(PHONE)
	actions.close(desk.store, MANAGER, ticket, desk.now)
	desk.store.run("UPDATE `tabKhalifa Customer` SET is_opted_out = 1")
	promotion = Draft("sale", "template", data={"template": {"category": template_state.MARKETING}})
	with pytest.raises(UserError) as error:
		begin(desk, draft=promotion)
	assert error.value.code == "opted_out"
	assert begin(desk).is_new


def test_what_is_no_number_no_agent_or_no_device_begins_nothing(desk: Desk) -> None:
	for phone in ("", "16000", "call me", "+2010012345"):
		with pytest.raises(UserError):
			begin(desk, phone)
	with pytest.raises(UserError, match="can't send"):
		begin(desk, can=None)
	with pytest.raises(UserError, match="no such customer"):
		begin(desk, customer="nobody")
	with pytest.raises(NotAllowed):
		first_contact.begin(
			desk.store, MANAGER, Line("desk", CAN), Whom(PHONE), lambda _: Draft("x"), "k", desk.now
		)
	assert desk.all(records.Ticket) == []


def test_a_known_customer_is_written_to_by_name(desk: Desk) -> None:
	ticket = desk.ticket(desk.write(PHONE))
	actions.close(desk.store, MANAGER, ticket.name, desk.now)
	desk.wait(60 * 48)
	begun = begin(desk, customer=ticket.customer, agent="A1")
	made = desk.ticket(begun.ticket)
	assert (made.customer, made.agent, made.identity) == (ticket.customer, "A1", ticket.identity)
	desk.send()
	assert desk.driver.sent[-1].recipient[0].value == PHONE


@settings(max_examples=40, deadline=None)
@given(
	st.lists(
		st.tuples(st.sampled_from(["begin", "write", "close", "send"]), st.sampled_from(["A0", "A1"])),
		max_size=10,
	)
)
def test_there_is_never_a_second_open_conversation(steps: list[tuple[str, str]]) -> None:
	desk = Desk()
	desk.online()
	for number, (step, agent) in enumerate(steps):
		desk.now += MINUTE
		try:
			if step == "begin":
				begin(desk, key=f"k{number}", agent=agent)
			elif step == "write":
				desk.write(PHONE)
			elif step == "close":
				actions.close(desk.store, MANAGER, desk.all(records.Ticket)[-1].name, desk.now)
			else:
				desk.send()
		except (UserError, IndexError):
			continue
		tickets = desk.all(records.Ticket)
		assert sum(one.open_key is not None for one in tickets) <= 1
		assert len(desk.all(records.Customer)) <= 1
		assert all((one.turn is None) == (one.waiting_since_ms is None) for one in tickets)
