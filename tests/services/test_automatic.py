"""What a machine writes: it moves no clock, keeps to the window, and promotes to nobody who said stop."""

from __future__ import annotations

from typing import Any

import pytest

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.services.outbound import automatic
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.services.unit_of_work import working
from tests.services.harness import MINUTE, Desk

PHONE = "+201001234567"
DAY = 24 * 60 * MINUTE
GATEWAY = Capabilities(has_window=True, kinds=frozenset({"text", "template"}))


@pytest.fixture
def desk() -> Desk:
	made = Desk(agents=1)
	made.online()
	return made


def queue(desk: Desk, ticket: str, origin: str = records.AUTO, key: str = "one", **more: Any) -> Any:
	draft = more.pop("draft", Draft("We open at nine."))
	with working(desk.store, desk.now) as work:
		row = work.store.tickets([ticket])[ticket]
		return automatic.queue(work, row, draft, automatic.Cause(origin, key, **more), GATEWAY)


def opt_out(desk: Desk, ticket: str) -> None:
	with working(desk.store, desk.now) as work:
		name = work.store.tickets([ticket])[ticket].customer
		customer = work.read_customers([name])[name]
		customer.is_opted_out = 1
		work.touch(customer)


@pytest.mark.parametrize("origin", [records.AUTO, records.SURVEY, records.CAMPAIGN])
def test_it_goes_out_and_the_customer_goes_on_waiting(desk, origin):
	name = desk.write(PHONE)
	before = desk.ticket(name)
	queue(desk, name, origin)
	assert desk.send().sent == 1
	after = desk.ticket(name)
	assert (after.turn, after.status, after.waiting_since_ms, after.due_by_ms) == (
		before.turn,
		before.status,
		before.waiting_since_ms,
		before.due_by_ms,
	)
	assert (after.cycle_replies, after.first_responded_ms, after.unread_count) == (0, None, 1)
	assert after.preview == "We open at nine."


def test_the_same_cause_is_queued_once(desk):
	name = desk.write(PHONE)
	assert queue(desk, name).name == queue(desk, name).name
	assert queue(desk, name, key="two").name != queue(desk, name).name
	assert desk.send().sent == 2


def test_outside_the_window_only_a_template_goes(desk):
	name = desk.write(PHONE)
	desk.now += DAY
	with pytest.raises(UserError, match="24 hours"):
		queue(desk, name)
	template = Draft("", "template", data={"name": "hours", "language": "ar"})
	assert queue(desk, name, draft=template).status == records.MSG_QUEUED


def test_a_promotion_is_refused_to_whoever_has_stopped_them_and_nothing_else_is(desk):
	name = desk.write(PHONE)
	opt_out(desk, name)
	with pytest.raises(UserError, match="stopped promotions"):
		queue(desk, name, records.CAMPAIGN, is_promotion=True)
	queue(desk, name, records.CAMPAIGN, is_promotion=False)
	assert desk.send().sent == 1


def test_a_promotion_that_waited_while_the_customer_stopped_them_does_not_go(desk):
	name = desk.write(PHONE)
	message = queue(desk, name, records.CAMPAIGN, is_promotion=True)
	opt_out(desk, name)
	assert desk.send().failed == 1
	stored = desk.message(message.name)
	assert (stored.status, stored.error_kind, desk.driver.sent) == (records.FAILED, "opted_out", [])


def test_people_go_first(desk):
	name = desk.write(PHONE)
	other = desk.write("+201001234568")
	queue(desk, name, records.CAMPAIGN, draft=Draft("an offer"))
	queue(desk, other)
	desk.reply(desk.write("+201001234569"), body="a person")
	desk.send()
	assert [out.body for out in desk.driver.sent] == ["a person", "We open at nine.", "an offer"]
