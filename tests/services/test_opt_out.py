"""A customer stops promotions: by every way, logged and confirmed once; people still answer him or her."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import pytest

from khalifa_whatsapp.core import consent as rules
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.consent import state_of
from khalifa_whatsapp.core.errors import NotAllowed, NotFound, UserError
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.core.settings import Settings
from khalifa_whatsapp.drivers.base import Capabilities, InboundMessage, MarketingPreference, MessageRef
from khalifa_whatsapp.services.care import consent
from khalifa_whatsapp.services.customers import decisions
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.services.tickets import actions
from tests.services.harness import MANAGER, MINUTE, START, Desk, WireDesk

PHONE, OTHER = "+201001234567", "+201001234568"
CAN = Capabilities(kinds=frozenset({"text"}))


@pytest.fixture
def desk() -> Desk:
	made = Desk(agents=1)
	made.online()
	return made


def log(desk: Desk) -> list[records.ConsentEvent]:
	return desk.all(records.ConsentEvent)


def customer(desk: Desk, phone: str = PHONE) -> records.Customer:
	return next(one for one in desk.all(records.Customer) if one.phone == phone)


def queued(desk: Desk) -> list[str]:
	return [one.body for one in desk.all(records.Message) if one.origin == records.AUTO]


def answered(desk: Desk, phone: str = PHONE) -> str:
	name = desk.write(phone)
	desk.reply(name)
	return name


def closed(desk: Desk, phone: str = PHONE) -> str:
	name = answered(desk, phone)
	actions.close(desk.store, desk.actor("A0"), name, desk.now)
	return name


def test_stop_is_logged_and_confirmed_once_and_nobody_has_to_answer_it(desk):
	name = answered(desk)
	desk.write(PHONE, "إيقاف")
	(event,) = log(desk)
	ticket = desk.ticket(name)
	assert (customer(desk).is_opted_out, event.wish, event.source) == (1, rules.STOPPED, rules.BY_TEXT)
	assert (event.at_ms, event.actor, event.ticket, event.is_confirmed) == (desk.now, None, name, 1)
	assert desk.message(event.message).body == "إيقاف"
	assert (ticket.turn, ticket.status, ticket.unread_count) == (None, records.PENDING, 0)
	assert queued(desk) == [Settings().opt_out_text]
	desk.write(PHONE, "STOP")
	assert (len(log(desk)), len(queued(desk))) == (2, 1)
	assert "promotions_stopped" in desk.events(name)


def test_start_resumes_and_a_new_stop_is_confirmed_again(desk):
	answered(desk)
	for body in ("stop", "START", "stop"):
		desk.now += MINUTE
		desk.write(PHONE, body)
	texts = Settings()
	assert queued(desk) == [texts.opt_out_text, texts.opt_in_text, texts.opt_out_text]
	assert customer(desk).is_opted_out == 1


def test_it_reopens_nothing_and_makes_no_new_ticket_however_old_the_last_one_is(desk):
	name = closed(desk)
	desk.now += 90 * 24 * 60 * MINUTE
	desk.write(PHONE, "Stop")
	assert [ticket.name for ticket in desk.all(records.Ticket)] == [name]
	assert (desk.ticket(name).status, desk.ticket(name).cycle) == (records.CLOSED, 1)
	assert customer(desk).is_opted_out


def test_somebody_unknown_who_writes_stop_leaves_nobody_anything_to_do(desk):
	name = desk.write(PHONE, "STOP")
	assert desk.ticket(name).status == records.CLOSED
	assert customer(desk).is_opted_out
	assert queued(desk) == [Settings().opt_out_text]
	desk.write(PHONE, "Do you have Panadol?")
	assert desk.ticket(name).status == records.OPEN  # and is answered like anybody else


@pytest.mark.parametrize("body", ["إلغاء", "cancel"])
def test_an_ambiguous_word_stops_promotions_and_goes_to_a_person(desk, body):
	name = closed(desk)
	desk.write(PHONE, body)
	assert customer(desk).is_opted_out
	assert desk.ticket(name).status == records.OPEN
	assert desk.ticket(name).turn is not None


@pytest.mark.parametrize("body", ["إلغاء الطلب", "please stop the delivery", "stop?"])
def test_a_sentence_stops_nothing(desk, body):
	desk.write(PHONE, body)
	assert (customer(desk).is_opted_out, log(desk)) == (0, [])


def test_one_who_has_opted_out_writes_and_is_answered(desk):
	answered(desk)
	desk.write(PHONE, "stop")
	name = desk.write(PHONE, "عندكم بنادول؟")
	assert desk.ticket(name).turn is not None
	desk.reply(name)
	assert desk.ticket(name).turn is None


def test_a_button_of_a_promotion_is_an_opt_out():
	desk = WireDesk(agents=1)
	tap = InboundMessage(
		MessageRef("in-1"),
		(Identity("phone", PHONE),),
		START,
		"button_reply",
		"أوقف العروض دي",
		data={"payload": rules.STOP_PAYLOAD},
	)
	desk.receive(tap)
	(event,) = log(desk)
	assert (event.source, customer(desk).is_opted_out) == (rules.BY_BUTTON, 1)


def test_without_confirmations_the_wish_counts_all_the_same():
	desk = Desk(agents=1, settings=Settings(confirms_opt_out=0))
	desk.write(PHONE, "stop")
	assert (customer(desk).is_opted_out, queued(desk), log(desk)[0].is_confirmed) == (1, [], 0)


def preference(is_stopped: bool, at_ms: int) -> MarketingPreference:
	return MarketingPreference((Identity("phone", PHONE),), is_stopped, at_ms)


def test_whatsapps_own_setting_is_logged_once_however_often_it_is_said():
	desk = WireDesk(agents=1)
	for _ in range(3):
		desk.receive(preference(True, START))
	assert [event.source for event in log(desk)] == [rules.BY_GATEWAY]
	assert (customer(desk).is_opted_out, queued(desk)) == (1, [])


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_latest_wish_counts_in_whatever_order_they_come(order):
	desk = WireDesk(agents=1)
	wishes = [preference(True, START), preference(False, START + 5), preference(True, START + 9)]
	for place in order:
		desk.receive(wishes[place])
	one = customer(desk)
	assert (one.is_opted_out, one.opted_out_ms) == state_of(log(desk)) == (1, START + 9)


def by_agent(desk: Desk, name: str, is_stop: bool = True, source: str = rules.BY_PHONE) -> records.Customer:
	return consent.set_by_agent(desk.store, desk.actor("A0"), name, is_stop, source, desk.now, CAN)


def test_an_agent_writes_down_what_was_said_by_phone_once(desk):
	name = answered(desk)
	by_agent(desk, name)
	by_agent(desk, name)
	(event,) = log(desk)
	assert (event.source, event.actor, event.actor_name) == (rules.BY_PHONE, "A0@example.com", "Agent A0")
	assert queued(desk) == [Settings().opt_out_text]
	by_agent(desk, name, is_stop=False, source=rules.IN_PERSON)
	assert customer(desk).is_opted_out == 0


def test_an_agent_needs_a_source_and_a_conversation_of_his_or_her_own(desk):
	name = answered(desk)
	with pytest.raises(UserError, match="in person"):
		by_agent(desk, name, source="Guessed")
	stranger = Actor("x@example.com", "X", "A9")
	with pytest.raises(NotFound):
		consent.set_by_agent(desk.store, stranger, name, True, rules.BY_PHONE, desk.now, CAN)
	assert log(desk) == []


LISTED = [
	"01001234567, محمد",
	"+20 100 123 4567",
	"0020-100-123-4567",
	"٠١٠٠١٢٣٤٥٦٧",
	'="+201001234567"',
	"phone",
	"",
	"=cmd|'/c calc'!A1",
	"16123",
	"01001234567 01001234568",
	"01001234568;Mona",
]


def test_a_list_gives_each_line_its_result(desk):
	answered(desk)
	lines = consent.stop_all(desk.store, MANAGER, LISTED, desk.now)
	assert [line.result for line in lines] == [
		consent.DONE,
		*[consent.TWICE] * 4,
		*[consent.WRONG] * 4,
		consent.DONE,
	]
	assert {line.number for line in lines if line.number} == {PHONE, OTHER}
	assert all(line.error is not None for line in lines if line.result == consent.WRONG)
	assert customer(desk).is_opted_out
	assert customer(desk, OTHER).is_opted_out
	assert [event.source for event in log(desk)] == [rules.BY_LIST] * 2
	assert queued(desk) == []  # nobody is written to
	again = consent.stop_all(desk.store, MANAGER, ["01001234567"], desk.now)
	assert [line.result for line in again] == [consent.ALREADY]


def test_a_list_is_a_managers_and_not_endless(desk):
	with pytest.raises(NotAllowed):
		consent.stop_all(desk.store, desk.actor("A0"), ["01001234567"], desk.now)
	with pytest.raises(UserError, match="1000 lines"):
		consent.stop_all(desk.store, MANAGER, ["x"] * 1_001, desk.now)


def test_two_who_are_one_have_the_state_that_their_logs_amount_to(desk):
	for phone, body in ((PHONE, "stop"), (OTHER, "stop"), (OTHER, "start")):
		desk.now += MINUTE
		desk.write(phone, body)
	source, target = customer(desk), customer(desk, OTHER)
	decisions.merge(desk.store, MANAGER, source.name, target.name, desk.now)
	kept = next(one for one in desk.all(records.Customer) if one.name == target.name)
	assert {event.customer for event in log(desk)} == {target.name}
	assert (kept.is_opted_out, kept.opted_out_ms) == state_of(log(desk)) == (0, desk.now)


def template(category: str) -> Draft:
	return Draft("", "template", data={"template": {"name": "x", "language": "ar", "category": category}})


def test_an_agents_marketing_template_is_refused_with_what_to_do(desk):
	name = answered(desk)
	desk.write(PHONE, "stop")
	send = partial(answers.send, desk.store, desk.actor("A0"), name)
	with pytest.raises(UserError, match="another category"):
		send(template("MARKETING"), "m1", desk.now)
	assert send(template("UTILITY"), "m2", desk.now).is_promotion == 0


def test_an_agents_marketing_template_that_waited_while_the_customer_stopped_does_not_go(desk):
	name = answered(desk)
	desk.send()
	message = answers.send(desk.store, desk.actor("A0"), name, template("MARKETING"), "m1", desk.now)
	by_agent(desk, name)
	desk.send()
	assert (desk.message(message.name).status, desk.message(message.name).error_kind) == (
		records.FAILED,
		"opted_out",
	)


def test_a_delivery_that_comes_again_changes_nothing(desk):
	def facts() -> Any:
		return len(log(desk)), len(queued(desk)), customer(desk).opted_out_ms

	desk.write(PHONE, "stop", at=START, gateway_id="same")
	before = facts()
	desk.now += MINUTE
	desk.write(PHONE, "stop", at=START, gateway_id="same")
	assert facts() == before
