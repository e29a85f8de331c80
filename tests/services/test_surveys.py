"""After a closing the customer is asked once; the answer is no new conversation, anything else is."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from khalifa_whatsapp.core import records, satisfaction
from khalifa_whatsapp.core.errors import Changed, NotFound, UserError
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.core.keys import template_key
from khalifa_whatsapp.core.settings import Settings
from khalifa_whatsapp.drivers.base import Capabilities, InboundMessage, MessageRef, Permanent
from khalifa_whatsapp.services.care import surveys
from khalifa_whatsapp.services.customers import decisions
from khalifa_whatsapp.services.kpi import rollup_day
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.services.tickets import actions, bulk_close
from khalifa_whatsapp.services.unit_of_work import working
from khalifa_whatsapp.stores.base import TicketFilter
from tests.services.harness import MANAGER, MINUTE, Desk, WireDesk

PHONE, OTHER = "+201001234567", "+201001234568"
TEXT = Capabilities(kinds=frozenset({"text"}))
LISTS = Capabilities(kinds=frozenset({"text", "choices"}))
WINDOW = Capabilities(has_window=True, kinds=frozenset({"text", "template", "choices"}))
ON = Settings(survey_enabled=1)
HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE


def make(kind: type[Desk] = Desk, settings: Settings = ON, agents: int = 2) -> Any:
	desk = kind(agents=agents, settings=settings)
	desk.online()
	return desk


@pytest.fixture
def desk() -> Desk:
	return make()


def closed(desk: Desk, phone: str = PHONE, reason: str = "resolved") -> str:
	name = desk.write(phone)
	desk.reply(name)
	return close(desk, name, reason)


def close(desk: Desk, name: str, reason: str = "resolved") -> str:
	actions.close(desk.store, desk.actor(desk.ticket(name).agent), name, desk.now, reason)
	return name


def ask(desk: Desk, minutes: float = 11, can: Capabilities | None = TEXT) -> set[str]:
	"""The minute in which surveys are due; what they ask is sent."""
	desk.now += round(minutes * MINUTE)
	desk.beat()
	surveys.expire(desk.store, desk.now)
	devices = surveys.ask_due(desk.store, desk.now, lambda device: can)
	desk.send()
	return devices


def rows(desk: Desk) -> list[records.Satisfaction]:
	return desk.all(records.Satisfaction)


def only(desk: Desk) -> records.Satisfaction:
	(row,) = rows(desk)
	return row


def asked(desk: Desk, can: Capabilities = TEXT, **how_closed: Any) -> str:
	name = closed(desk, **how_closed)
	assert ask(desk, can=can) == {"desk"}
	return name


def sent(desk: Desk) -> list[str]:
	return [one.body for one in desk.all(records.Message) if one.origin == records.SURVEY]


# -- asking


def test_a_closed_conversation_is_asked_about_after_the_delay_by_a_number(desk):
	name = closed(desk)
	assert (ask(desk, minutes=9), only(desk).state) == (set(), satisfaction.PLANNED)
	ask(desk, minutes=1)
	survey = only(desk)
	assert (survey.state, survey.ticket, survey.agent) == (satisfaction.SENT, name, "A0")
	assert sent(desk) == [f"{ON.survey_text}\n{satisfaction.HOW_TO_REPLY}"]
	assert desk.ticket(name).status == records.CLOSED
	assert ask(desk) == set()
	assert len(sent(desk)) == 1


def test_where_there_are_lists_it_is_asked_by_a_list_of_five():
	desk = make()
	asked(desk, LISTS)
	(out,) = desk.driver.sent[-1:]
	assert [choice.title for choice in out.choices] == ["⭐" * score for score in satisfaction.SCORES]
	assert out.list_button


def test_off_by_default():
	desk = make(settings=Settings())
	closed(desk)
	assert rows(desk) == []


@pytest.mark.parametrize("reason", ["spam"])
def test_some_closings_are_not_asked_about(desk, reason):
	closed(desk, reason=reason)
	assert rows(desk) == []


def test_a_conversation_that_nobody_answered_is_not_asked_about(desk):
	close(desk, desk.write(PHONE))
	assert rows(desk) == []


def test_bulk_closing_asks_nobody(desk):
	name = desk.write(PHONE)
	desk.reply(name)
	batch = bulk_close.start(desk.store, MANAGER, TicketFilter(), "night", desk.now)
	bulk_close.step(desk.store, MANAGER, batch.name, desk.now)
	assert (desk.ticket(name).status, rows(desk)) == (records.CLOSED, [])


def test_who_writes_again_within_the_delay_is_not_asked(desk):
	closed(desk)
	desk.now += MINUTE
	desk.write(PHONE, "one more thing")
	ask(desk)
	assert (only(desk).state, only(desk).why, sent(desk)) == (satisfaction.SKIPPED, satisfaction.REOPENED, [])


def test_each_cycle_is_asked_about_once(desk):
	name = asked(desk)
	desk.write(PHONE, "one more thing")
	desk.reply(name)
	close(desk, name)
	ask(desk)
	assert [row.cycle for row in rows(desk)] == [1, 2]
	assert len(sent(desk)) == 2


def test_outside_the_window_it_is_not_asked_without_a_template(desk):
	closed(desk)
	desk.now += DAY
	with working(desk.store, desk.now) as work:  # the delay was a day
		survey = work.store.surveys([only(desk).name])[only(desk).name]
		survey.due_ms = desk.now
		work.touch(survey)
	ask(desk, 0, WINDOW)
	assert (only(desk).state, only(desk).why) == (satisfaction.SKIPPED, satisfaction.WINDOW)


def with_template(category: str = "UTILITY", status: str = "APPROVED", device: str = "desk") -> Desk:
	settings = Settings(survey_enabled=1, survey_template="T1", survey_delay_minutes=25 * 60)
	desk = make(settings=settings)
	with working(desk.store, desk.now) as work:
		for name, of in (("T1", device), ("T2", "desk")):
			key = template_key(of, "rate_us", "ar")
			template = records.ProviderTemplate(name, key, of, name, "rate_us", "ar", status)
			template.category = category
			template.components = json.dumps(
				[{"type": "BODY", "text": "كيف كانت خدمتنا؟ أرسل رقمًا من 1 إلى 5."}]
			)
			if name == "T1" or device != "desk":
				work.add(template)
	return desk


@pytest.mark.parametrize("device", ["desk", "other number"])
def test_outside_the_window_the_chosen_template_asks(device):
	desk = with_template(device=device)
	name = asked_late(desk)
	(out,) = desk.driver.sent[-1:]
	assert (out.name, out.language, only(desk).state) == ("rate_us", "ar", satisfaction.SENT)
	desk.write(PHONE, "4")
	assert (only(desk).score, desk.ticket(name).status) == (4, records.CLOSED)


def asked_late(desk: Desk) -> str:
	name = closed(desk)
	ask(desk, 25 * 60, WINDOW)
	return name


@pytest.mark.parametrize(
	("how_made", "why"),
	[({"category": "MARKETING"}, satisfaction.OPTED_OUT), ({"status": "PAUSED"}, satisfaction.WINDOW)],
)
def test_a_template_that_may_not_go_does_not(how_made, why):
	desk = with_template(**how_made)
	desk.write(PHONE, "stop")
	asked_late(desk)
	assert (only(desk).state, only(desk).why) == (satisfaction.SKIPPED, why)


def test_a_number_that_is_off_keeps_its_surveys_for_a_while(desk):
	closed(desk)
	assert ask(desk, can=None) == set()
	assert only(desk).state == satisfaction.PLANNED
	assert ask(desk) == {"desk"}


def test_what_an_outage_held_up_for_hours_is_not_asked_any_more(desk):
	closed(desk)
	ask(desk, 7 * 60)
	assert (only(desk).state, only(desk).why) == (satisfaction.SKIPPED, satisfaction.LATE)


# -- what becomes of the question


def test_receipts_move_it_on_and_a_failure_ends_it(desk):
	asked(desk)
	question = desk.message(only(desk).message)
	desk.status(question, "delivered")
	assert (only(desk).state, only(desk).delivered_ms) == (satisfaction.DELIVERED, desk.now)
	desk.status(question, "read")
	assert only(desk).state == satisfaction.DELIVERED


def test_a_question_that_fails_was_never_asked(desk):
	closed(desk)
	desk.send()
	desk.driver.failures.append(Permanent("no", code="x"))
	ask(desk)
	assert (only(desk).state, only(desk).why) == (satisfaction.SKIPPED, satisfaction.NOT_DELIVERED)


def test_it_expires(desk):
	asked(desk)
	ask(desk, 24 * 60)
	assert only(desk).state == satisfaction.EXPIRED
	desk.write(PHONE, "5")
	assert (only(desk).score, desk.ticket_of(PHONE).status) == (None, records.OPEN)


# -- the answer


@pytest.mark.parametrize("body", ["5", "٥", "5/5", "five stars", "٥ نجوم", "⭐⭐⭐⭐⭐", "5️⃣"])
def test_a_score_reopens_nothing_and_makes_nobody_wait(desk, body):
	name = asked(desk)
	desk.now += MINUTE
	desk.write(PHONE, body)
	survey, ticket = only(desk), desk.ticket(name)
	assert (survey.state, survey.score, survey.answered_ms) == (satisfaction.ANSWERED, 5, desk.now)
	assert (ticket.status, ticket.cycle, ticket.turn, ticket.unread_count) == (records.CLOSED, 1, None, 0)
	assert desk.message(survey.answer).body == body
	assert "rated" in desk.events(name)
	assert len(sent(desk)) == 1


@pytest.mark.parametrize("body", ["5 علب بنادول", "شكرا", "6", "عايز 5"])
def test_anything_else_reopens(desk, body):
	name = asked(desk)
	desk.write(PHONE, body)
	assert (only(desk).score, desk.ticket(name).status) == (None, records.OPEN)
	desk.write(PHONE, "5")  # now it may be an answer to the agent
	assert only(desk).score is None


def test_a_second_number_is_a_message(desk):
	name = asked(desk)
	desk.write(PHONE, "5")
	desk.write(PHONE, "1")
	assert (only(desk).score, desk.ticket(name).status) == (5, records.OPEN)


def tap(desk: WireDesk, number: int, score: int, phone: str = PHONE, survey: str = "") -> None:
	desk.receive(
		InboundMessage(
			MessageRef(f"tap-{number}"),
			(Identity("phone", phone),),
			desk.now,
			"list_reply",
			"⭐" * score,
			data={"id": satisfaction.payload(survey or only(desk).name, score)},
		)
	)


def hello(desk: WireDesk, phone: str = PHONE, body: str = "hello") -> str:
	desk.keys += 1
	who = (Identity("phone", phone),)
	desk.receive(InboundMessage(MessageRef(f"m-{desk.keys}"), who, desk.now, "text", body))
	desk.assign()
	return desk.ticket_of(phone).name


def tappable(phone: str = PHONE) -> tuple[WireDesk, str]:
	desk = make(WireDesk)
	name = hello(desk, phone)
	desk.reply(name)
	close(desk, name)
	ask(desk, can=LISTS)
	return desk, name


def test_a_tap_counts_also_when_the_conversation_goes_on():
	desk, name = tappable()
	hello(desk, body="one more thing")
	assert desk.ticket(name).status == records.OPEN
	turn = desk.ticket(name).turn
	tap(desk, 1, 4)
	assert (only(desk).score, desk.ticket(name).turn) == (4, turn)


def test_a_second_tap_changes_nothing_and_opens_nothing():
	desk, name = tappable()
	for number, score in enumerate((3, 5)):
		desk.now += MINUTE
		tap(desk, number, score)
	assert (only(desk).score, desk.ticket(name).status) == (3, records.CLOSED)


def test_a_tap_after_the_expiry_counts_for_nothing_and_opens_nothing():
	desk, name = tappable()
	ask(desk, 24 * 60)
	tap(desk, 1, 5)
	assert (only(desk).state, only(desk).score) == (satisfaction.EXPIRED, None)
	assert desk.ticket(name).status == records.CLOSED


def test_nobody_rates_for_somebody_else():
	desk, _ = tappable()
	name = hello(desk, OTHER)
	desk.reply(name)
	tap(desk, 1, 1, OTHER, survey=only(desk).name)
	assert only(desk).score is None
	assert desk.ticket(name).turn is not None


# -- low scores


@pytest.mark.parametrize("score", [1, 2])
def test_a_low_score_is_asked_about_and_managers_are_told_at_once(desk, score):
	name = asked(desk)
	desk.notices.clear()
	desk.write(PHONE, str(score))
	ratings = [notice for notice in desk.notices if notice.event == "khalifa_whatsapp:rating"]
	assert [(one.role, one.data) for one in ratings] == [
		("WhatsApp Manager", {"ticket": name, "score": score})
	]
	assert sent(desk)[1:] == [ON.survey_comment_text]
	assert only(desk).notified_ms is None


def test_the_next_text_is_the_comment_and_the_one_after_it_is_a_message(desk):
	name = asked(desk)
	desk.write(PHONE, "1")
	desk.now += MINUTE
	desk.write(PHONE, "<b>الرد</b> اتأخر")
	assert (only(desk).comment, desk.ticket(name).status) == ("‹b›الرد‹/b› اتأخر", records.CLOSED)
	desk.write(PHONE, "وكمان الدوا ناقص")
	assert desk.ticket(name).status == records.OPEN
	assert only(desk).comment == "‹b›الرد‹/b› اتأخر"


def test_a_comment_that_asks_something_is_kept_and_answered(desk):
	name = asked(desk)
	desk.write(PHONE, "2")
	desk.write(PHONE, "ليه الطلب اتأخر؟")
	assert (only(desk).comment, desk.ticket(name).status) == ("ليه الطلب اتأخر؟", records.OPEN)


def test_a_comment_is_awaited_for_an_hour(desk):
	name = asked(desk)
	desk.write(PHONE, "1")
	desk.now += HOUR
	desk.beat()
	desk.write(PHONE, "الرد اتأخر")
	assert (only(desk).comment, desk.ticket(name).status) == ("", records.OPEN)


def test_thanks_only_when_they_are_written():
	desk = make(settings=Settings(survey_enabled=1, survey_thanks_text="شكرا لك"))
	asked(desk)
	desk.write(PHONE, "5")
	assert sent(desk)[1:] == ["شكرا لك"]


# -- by hand


def by_hand(desk: Desk, name: str, agent: str = "A0", can: Capabilities | None = TEXT) -> Any:
	return surveys.ask(desk.store, desk.actor(agent), name, desk.now, can)


def test_an_agent_asks_by_hand_once_also_with_surveys_off():
	desk = make(settings=Settings())
	name = closed(desk)
	by_hand(desk, name)
	desk.send()
	assert (only(desk).state, only(desk).is_by_hand) == (satisfaction.SENT, 1)
	with pytest.raises(Changed, match="already asked"):
		by_hand(desk, name)
	desk.write(PHONE, "5")
	assert only(desk).score == 5


def test_by_hand_takes_the_place_of_the_planned_one(desk):
	name = closed(desk)
	by_hand(desk, name)
	ask(desk)
	assert len(sent(desk)) == 1


def test_an_open_conversation_of_ones_own_is_asked_about_when_nobody_waits(desk):
	name = desk.write(PHONE)
	with pytest.raises(UserError, match="Answer first"):
		by_hand(desk, name)
	desk.reply(name)
	by_hand(desk, name)
	desk.now += MINUTE
	desk.write(PHONE, "5")
	assert (only(desk).score, desk.ticket(name).turn) == (5, None)


def test_the_answer_to_a_colleagues_question_is_no_score(desk):
	name = desk.write(PHONE)
	desk.reply(name)
	by_hand(desk, name)
	desk.now += MINUTE
	desk.reply(name, body="How many boxes?")
	desk.write(PHONE, "5")
	assert only(desk).score is None
	assert desk.ticket(name).turn is not None


def test_by_hand_is_refused_with_a_reason(desk):
	name = closed(desk)
	with pytest.raises(NotFound):
		by_hand(desk, name, "A1")
	with pytest.raises(UserError, match="can't send now"):
		by_hand(desk, name, can=None)
	desk.now += 2 * DAY
	with pytest.raises(UserError, match="no approved template"):
		by_hand(desk, name, can=WINDOW)


# -- credit and figures


def test_the_credit_is_frozen_and_counts_on_the_day_of_the_answer(desk):
	name = desk.write(PHONE)
	desk.reply(name)
	desk.reply(name)
	actions.transfer(desk.store, desk.actor("A0"), name, desk.now, "lunch", to_agent="A1")
	desk.reply(name, "A1")
	close(desk, name)
	ask(desk)
	desk.write(PHONE, "4")
	assert only(desk).agent == "A0"  # who wrote most
	day = desk.store.rules().calendar.local_date(desk.now)
	rollup_day(desk.store, day, desk.now)
	figures = {row.agent: (row.ratings, row.ratings_good) for row in desk.all(records.AgentKpi)}
	assert (figures["A0"], figures["A1"]) == ((1, 1), (0, 0))
	first, last = desk.store.rules().calendar.day_bounds_ms(day)
	behind = desk.store.rows_behind("ratings_good", "A0", first, last)
	assert [name for _kind, name, _at in behind] == [only(desk).name]


def test_a_managers_answers_are_nobodys_credit(desk):
	name = desk.write(PHONE)
	answers.reply(desk.store, MANAGER, name, "done", "k", desk.now)
	actions.close(desk.store, MANAGER, name, desk.now)
	ask(desk)
	desk.write(PHONE, "5")
	assert (only(desk).agent, only(desk).score) == (None, 5)


def test_the_survey_of_a_merged_customer_is_answered_by_whom_he_became(desk):
	asked(desk)
	desk.write(OTHER)
	customers = {one.phone: one.name for one in desk.all(records.Customer)}
	decisions.merge(desk.store, MANAGER, customers[OTHER], customers[PHONE], desk.now)
	assert only(desk).customer == customers[PHONE]


STEPS = st.sampled_from(("write", "score", "reply", "close", "bulk", "minutes", "hand"))


@how(max_examples=40, deadline=None)
@given(st.lists(STEPS, max_size=16))
def test_whatever_happens_each_cycle_is_asked_about_once_at_most(steps):
	desk = make(agents=1)
	name = desk.write(PHONE)
	for step in steps:
		ticket = desk.ticket(name)
		is_open = ticket.status != records.CLOSED
		if step in ("write", "score"):
			desk.write(PHONE, "5" if step == "score" else "hello")
		elif step == "reply" and ticket.agent and is_open:
			desk.reply(name)
		elif step == "close" and ticket.agent and is_open:
			close(desk, name)
		elif step == "bulk":
			batch = bulk_close.start(desk.store, MANAGER, TicketFilter(), "night", desk.now)
			bulk_close.step(desk.store, MANAGER, batch.name, desk.now)
		elif step == "hand" and ticket.agent and ticket.turn is None:
			with_refusals(lambda: by_hand(desk, name))
		elif step == "minutes":
			desk.beat()
			ask(desk)
		desk.now += MINUTE
	asked_of = [one.ticket for one in desk.all(records.Message) if one.origin == records.SURVEY]
	questions = [row for row in rows(desk) if row.message]
	assert len({(row.ticket, row.cycle) for row in rows(desk)}) == len(rows(desk))
	assert len(asked_of) == len(questions)
	assert all(row.score in (None, 5) for row in rows(desk))


def with_refusals(act: Any) -> None:
	with suppress(UserError):
		act()
