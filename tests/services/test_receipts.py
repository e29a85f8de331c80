"""What customers see of us while we read and write: a courtesy that never fails an act."""

from __future__ import annotations

import pytest

from khalifa_whatsapp.core import records
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.outbound import receipts
from khalifa_whatsapp.services.tickets import actions
from tests.services.harness import MANAGER, Desk

PHONE = "+201001234567"


@pytest.fixture
def desk() -> Desk:
	one = Desk()
	one.online()
	return one


def test_the_latest_message_is_marked(desk: Desk) -> None:
	desk.write(PHONE, gateway_id="in-a")
	ticket = desk.write(PHONE, gateway_id="in-b")
	assert receipts.show(desk.store, desk.driver, ticket)
	assert receipts.show(desk.store, desk.driver, ticket, is_typing=True)
	assert desk.driver.reads == [("in-b", False), ("in-b", True)]


def test_nothing_is_changed_by_it(desk: Desk) -> None:
	ticket = desk.write(PHONE)
	before = [desk.all(kind) for kind in records.RECORDS]
	receipts.show(desk.store, desk.driver, ticket)
	assert [desk.all(kind) for kind in records.RECORDS] == before


def test_a_gateway_that_fails_fails_nobody(desk: Desk) -> None:
	ticket = desk.write(PHONE)
	desk.driver.failures.append(base.UnknownOutcome("timed out"))
	assert not receipts.show(desk.store, desk.driver, ticket)


def test_nobody_is_seen_typing_in_what_is_closed(desk: Desk) -> None:
	ticket = desk.write(PHONE)
	actions.close(desk.store, MANAGER, ticket, desk.now)
	assert not receipts.show(desk.store, desk.driver, ticket, is_typing=True)
	assert receipts.show(desk.store, desk.driver, ticket)


def test_a_ticket_that_is_gone_and_a_gateway_that_can_t_are_no_trouble(desk: Desk) -> None:
	assert not receipts.show(desk.store, desk.driver, "KT-999999")
	assert not receipts.show(desk.store, object(), "KT-999999")  # type: ignore[arg-type]
