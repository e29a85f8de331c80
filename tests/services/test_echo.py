"""The gateway's own copies of what left our number: they settle doubt, and quotes keep what they point at."""

from khalifa_whatsapp.core import records
from khalifa_whatsapp.drivers import base
from tests.services.harness import Desk
from tests.services.test_outbox import desk_with_answer, echoed

PHONE = "+201001234567"


def test_an_echo_settles_a_message_of_unknown_fate_instead_of_showing_it_twice():
	desk, message = desk_with_answer("on its way")
	desk.driver.failures.append(base.UnknownOutcome("timed out"))
	desk.send()
	echoed(desk, "from-the-gateway", "on its way", "out")
	outgoing = [m for m in desk.all(records.Message) if m.direction == records.OUTGOING]
	assert [(m.name, m.status, m.gateway_id) for m in outgoing] == [
		(message.name, records.SENT, "from-the-gateway")
	]


def test_an_echo_of_other_words_settles_nothing():
	desk, message = desk_with_answer("on its way")
	desk.driver.failures.append(base.UnknownOutcome("timed out"))
	desk.send()
	echoed(desk, "from-the-phone", "typed by hand", "out")
	assert desk.message(message.name).status == records.UNKNOWN
	assert sum(m.origin == records.PHONE for m in desk.all(records.Message)) == 1


def test_two_doubtful_messages_of_the_same_words_take_one_echo_each():
	desk, first = desk_with_answer("ok")
	desk.driver.failures.extend([base.UnknownOutcome("timed out")] * 2)
	desk.send()
	second = desk.reply(desk.message(first.name).ticket, body="ok")
	desk.send()
	echoed(desk, "one", "ok", "out")
	echoed(desk, "two", "ok", "out")
	assert [desk.message(m.name).gateway_id for m in (first, second)] == ["one", "two"]


def test_a_quoted_answer_names_the_customer_s_message_with_its_scope():
	desk = Desk()
	desk.online()
	ticket = desk.write(PHONE, gateway_id="asked")
	desk.store.run("UPDATE `tabKhalifa Message` SET scope = 'in|chat' WHERE gateway_id = 'asked'")
	asked = next(m for m in desk.all(records.Message) if m.gateway_id == "asked")
	desk.reply(ticket, reply_to=asked.message_key)
	desk.send()
	assert desk.driver.sent[0].reply_to == base.MessageRef("asked", "in|chat")


def test_ticket_numbers_have_no_gaps_when_nothing_went_wrong():
	desk = Desk()
	names = [desk.write(f"+2010012345{number:02d}") for number in range(12)]
	assert names == [f"KT-{number:06d}" for number in range(1, 13)]
