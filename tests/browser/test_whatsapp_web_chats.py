"""Real Chromium, a stand-in for WhatsApp's page: nobody gets another's message, the login,
and what is read of the chats.
"""

from __future__ import annotations

import base64
import re
import time
from datetime import timedelta

import pytest

pytest.importorskip("selenium", reason="needs selenium: pip install selenium")

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.abilities import ChatLog, SessionDriver
from khalifa_whatsapp.drivers.base import (
	InboundMessage,
	MessageStatus,
	OutboundEcho,
	RecipientError,
	Retryable,
	UnknownOutcome,
)
from simulation.simulators import Person
from simulation.simulators.whatsapp_web import Chat
from tests.browser.whatsapp_web import MONA, SAMY, chromium, file, needs_chromium, now_ms, phone, stage, text

pytestmark = [pytest.mark.browser, needs_chromium]
OTHER_SAMY = Person(digits="201009998887", name=SAMY.name)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
	with chromium(tmp_path_factory.mktemp("chromium")) as started:
		yield started


@pytest.fixture
def page(browser):
	with stage(browser) as made:
		yield made


def read(page):
	return [event for raw in page.driver.missed_webhook_events() for event in page.driver.parse(raw)]


# -- nobody gets another's message


@pytest.mark.parametrize("is_saved", [False, True])
@pytest.mark.parametrize("ids", ["phone", "lid", "opaque"])
def test_a_link_that_leads_to_another_chat_sends_nothing(page, ids, is_saved):
	page.simulator.ids, page.simulator.astray = ids, MONA.digits
	page.simulator.chat_with(MONA, is_saved=is_saved)
	page.simulator.customer_text(MONA, "أهلاً")
	page.open()
	for message in (text("سر"), file(caption="سر")):
		with pytest.raises(Retryable) as caught:
			page.driver.send(message)
		assert not isinstance(caught.value, UnknownOutcome)
	assert page.sent() == []


def test_a_chat_that_changes_while_we_write_sends_nothing(page):
	page.simulator.chat_with(MONA)
	page.simulator.switch_to = MONA.digits
	page.open()
	with pytest.raises(Retryable):
		page.driver.send(text("سر"))
	assert page.sent() == []
	page.simulator.switch_to = ""
	page.driver.send(text("لك", MONA))
	assert page.sent() == [(MONA.digits, "لك")]


@pytest.mark.parametrize("ids", ["phone", "lid", "opaque"])
def test_two_customers_of_the_same_name_each_get_their_own(page, ids):
	page.simulator.ids = ids
	for person in (SAMY, OTHER_SAMY):
		page.simulator.chat_with(person, is_saved=True)
	page.open()
	wanted = [(SAMY, "للأول"), (OTHER_SAMY, "للثاني"), (SAMY, "للأول أيضًا")]
	for person, body in wanted:
		page.driver.send(text(body, person))
	assert page.sent() == [(person.digits, body) for person, body in wanted]


def test_a_saved_name_that_looks_like_a_number_proves_nothing(page):
	page.simulator.chat_with(Person(digits=MONA.digits, name=f"+{SAMY.digits}"), is_saved=True)
	page.simulator.astray = MONA.digits
	page.simulator.customer_text(Person(digits=MONA.digits), "أهلاً")
	page.open()
	with pytest.raises(Retryable):
		page.driver.send(text("سر"))
	assert page.sent() == []


def test_a_customer_without_a_phone_can_not_be_written_to(page):
	page.open()
	lid = text("أهلاً").__class__(recipient=(Identity("lid", "98765432109876"),), body="أهلاً")
	with pytest.raises(RecipientError):
		page.driver.send(lid)
	assert page.simulator.opened == []


# -- the login


def test_the_code_is_a_picture_that_changes_and_can_be_renewed(browser):
	with stage(browser, state="qr") as made:
		made.open("qr")
		first = made.driver.get_qr()
		content = base64.b64decode(re.fullmatch(r"data:image/svg\+xml;base64,(.+)", first.image)[1])
		assert b"<svg" in content
		assert made.simulator.code().encode() not in content
		assert "svg" not in repr(first)
		time.sleep(0.3)
		again = made.driver.get_qr()
		assert again.image == first.image
		assert again.age_seconds > first.age_seconds
		made.simulator.code_ms = 1  # all of them have run out: the page waits for a click
		made.until(lambda: made.driver._page.look().may_renew)
		made.simulator.code_ms = 20_000
		made.simulator._code_since -= 200_000
		made.until(lambda: (made.driver.get_qr() or first).image != first.image)
		made.simulator.scan()
		made.until(lambda: made.driver.get_status().state == "connected")
		assert made.driver.get_qr() is None


def test_the_code_is_what_a_phone_would_read(browser):
	"""The picture is of the page's own words: drawn again from them it is the same."""
	from khalifa_whatsapp.drivers.whatsapp_web.qr import picture_of

	with stage(browser, state="qr") as made:
		made.open("qr")
		assert made.driver.get_qr().image == picture_of(made.simulator.code())


@pytest.mark.parametrize("language", ["en", "ar"])
def test_logging_out_shows_a_code_again(browser, language):
	with stage(browser, language=language) as made:
		made.open()
		assert isinstance(made.driver, SessionDriver)
		made.driver.log_out()
		assert made.simulator.state == "qr"
		made.until(lambda: made.driver.get_status().state == "qr")
		assert made.driver.get_status().detail == "logged_out"
		made.driver.log_out()  # nothing to do


def test_a_session_that_is_stopped_keeps_the_login_and_shows_nothing(page):
	page.open()
	page.driver.stop_session()
	assert page.browser.current_url == "about:blank"
	assert page.simulator.state == "ready"
	with pytest.raises(Retryable, match="not running"):
		page.driver.send(text("أهلاً"))


def test_the_page_is_not_informed_that_there_is_no_window(page):
	page.open()
	assert page.browser.capabilities["browserVersion"].partition(".")[0] in page.simulator.agents[-1]
	assert not any("Headless" in agent for agent in page.simulator.agents)


# -- what is read


@pytest.mark.parametrize(
	"settings",
	[{}, {"language": "ar"}, {"ids": "lid"}, {"ids": "opaque"}, {"language": "ar", "ids": "opaque"}],
	ids=str,
)
def test_unread_messages_become_webhook_events_once(browser, settings):
	with stage(browser, **settings) as made:
		assert isinstance(made.driver, ChatLog)
		long = "كلام طويل " * 500 + "آخر"
		made.simulator.chat_with(SAMY, is_saved=True)
		ids = [
			made.simulator.customer_text(SAMY, body)
			for body in ("السلام عليكم 😀", "عندكم *بانادول*؟\nكام؟", long.strip())
		]
		ids.append(made.simulator.customer_text(MONA, "<b>صباح الخير</b>", quoted="رسالة أقدم"))
		made.open()
		raws = made.driver.missed_webhook_events()
		events = [event for raw in raws for event in made.driver.parse(raw)]
		assert all(isinstance(event, InboundMessage) for event in events)
		assert {event.ref.gateway_id for event in events} == set(ids)
		by_id = {event.ref.gateway_id: event for event in events}
		assert [by_id[one].body for one in ids] == [
			"السلام عليكم 😀",
			"عندكم *بانادول*؟\nكام؟",
			long.strip(),
			"<b>صباح الخير</b>",
		]
		assert by_id[ids[0]].sender[0] == phone(SAMY)
		assert by_id[ids[0]].profile_name == SAMY.name
		assert by_id[ids[3]].sender[0] == phone(MONA)
		assert all(0 <= now_ms() - event.sent_ms < 120_000 for event in events)
		assert all(not chat.unread for chat in made.simulator.chats.values())
		assert set(made.driver.missed_webhook_events()) <= set(raws)


def test_what_comes_into_the_open_chat_is_read_though_nothing_marks_it(page):
	page.open()
	page.driver.send(text("أهلاً"))
	read(page)
	message = page.simulator.customer_text(SAMY, "شكرًا")
	page.simulator.chats[SAMY.digits].unread = 0
	page.until(lambda: message in {e.ref.gateway_id for e in read(page) if isinstance(e, InboundMessage)})


def test_a_marked_chat_is_read_whenever_its_mark_comes(page):
	page.open()
	assert read(page) == []
	for person in (SAMY, MONA, SAMY):
		message = page.simulator.customer_text(person, "هل من أحد؟")
		page.until(lambda wanted=message: wanted in {event.ref.gateway_id for event in read(page)})


def test_after_a_crash_the_newest_chats_are_read_again(page):
	page.open()
	message = page.simulator.customer_text(SAMY, "هل من أحد؟")
	page.until(lambda: read(page))
	page.driver.attach(page.browser)  # what was read just now was never written down
	page.browser.get(page.driver._page.home)
	page.until(lambda: page.driver.get_status().state == "connected")
	assert message in {event.ref.gateway_id for event in read(page)}


def test_groups_are_left_alone(page):
	page.simulator.chats["g"] = Chat("g", "20100", name="العائلة", is_group=True, is_listed=True, unread=3)
	page.open()
	assert read(page) == []
	assert page.simulator.chats["g"].unread == 3


def test_a_file_of_a_customer_is_reported_though_it_can_not_be_fetched(page):
	page.simulator.customer_text(SAMY, "الروشتة", kind="image")
	page.open()
	(event,) = read(page)
	assert (event.content_type, event.body, dict(event.data)) == (
		"unsupported",
		"الروشتة",
		{"type": "image", "on_phone": True},
	)


def test_how_far_ours_got_is_reported(page):
	page.open()
	ref = page.driver.send(text("أهلاً")).ref
	page.until(
		lambda: any(
			isinstance(e, MessageStatus) and e.ref == ref and e.status == "delivered" for e in read(page)
		)
	)


def test_the_chats_log_settles_doubt(page):
	"""What stood at the clock and went is found; what never went is not."""
	page.open()
	page.simulator.fail_next("stuck")
	with pytest.raises(UnknownOutcome):
		page.driver.send(text("*وصلت*"))
	page.simulator.fail_next("stuck_lost")
	with pytest.raises(UnknownOutcome):
		page.driver.send(text("لم تصل"))
	assert page.driver.last_sent((phone(SAMY),)) == []
	page.simulator.chats[SAMY.digits].messages[0].ack = None
	page.until(lambda: page.driver.last_sent((phone(SAMY),)))
	(echo,) = page.driver.last_sent((phone(SAMY),))
	assert isinstance(echo, OutboundEcho)
	assert (echo.ref.gateway_id, echo.body) == (page.simulator.sent_log.rows()[0].gateway_id, "*وصلت*")
	assert timedelta(0) <= timedelta(milliseconds=now_ms() - echo.sent_ms) < timedelta(minutes=2)


def test_what_was_typed_on_the_phone_is_in_the_log(page):
	page.simulator.phone_text(SAMY, "من الهاتف")
	page.open()
	assert [echo.body for echo in page.driver.last_sent((phone(SAMY),))] == ["من الهاتف"]
	assert any(isinstance(event, OutboundEcho) for event in read(page))


def test_reading_needs_a_login(browser):
	with stage(browser, state="qr") as made:
		made.open("qr")
		for act in (made.driver.missed_webhook_events, lambda: made.driver.last_sent((phone(SAMY),))):
			with pytest.raises(Exception, match="not logged in"):
				act()
