"""At the endpoint: a good delivery is not turned away because a drain held a lock for a moment."""

import pytest

from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.services.inbound import webhook
from khalifa_whatsapp.stores.base import Conflict, StoreUnavailable
from tests.services.harness import Desk


@pytest.mark.parametrize(
	("errors", "status", "stored"),
	[
		([Conflict("deadlock")], 200, 1),
		([Conflict("deadlock")] * 9, 503, 0),
		([StoreUnavailable("gone")], 503, 0),
	],
)
def test_a_conflict_is_tried_again_and_a_database_that_is_away_is_said_so(errors, status, stored):
	desk = Desk()
	honest = desk.store.record_webhook_event

	def busy(*args):
		if errors:
			raise errors.pop()
		return honest(*args)

	desk.store.record_webhook_event = busy
	call = desk.driver.call(message_item("+201001234567", "hello", "in-1", desk.now))
	answer = webhook.accept(desk.store, desk.driver, call, desk.now, 10_000)
	count = desk.store.rows("SELECT COUNT(*) FROM `tabKhalifa Webhook Event`")[0][0]
	assert (answer.status, count, answer.retry_after is not None) == (status, stored, status == 503)
