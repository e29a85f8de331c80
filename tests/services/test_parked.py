"""A status and its message written at the same instant, each without seeing the other."""

from khalifa_whatsapp.core import records
from khalifa_whatsapp.services.inbound import parked
from khalifa_whatsapp.services.unit_of_work import working
from tests.services.harness import Desk


def test_a_status_that_missed_its_message_is_given_to_it():
	desk = Desk()
	desk.online()
	message = desk.reply(desk.write("+201001234567"))
	desk.send()
	stored = desk.message(message.name)
	with working(desk.store, desk.now) as work:
		work.add(records.MessageLog("lost", "key", stored.message_key, "status", "read", desk.now, "desk"))
	assert desk.message(message.name).status == records.SENT
	assert parked.apply_parked(desk.store, desk.now) == 1
	assert desk.message(message.name).status == records.READ
	assert parked.apply_parked(desk.store, desk.now) == 0
