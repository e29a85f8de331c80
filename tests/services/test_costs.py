"""A message's price from its statuses, in any order, and from the rates of its day."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from khalifa_whatsapp.core import cost, message_state, records
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.services import costs
from khalifa_whatsapp.services.unit_of_work import working
from tests.services.harness import Desk

PHONE = "+201001234567"


@pytest.fixture
def desk() -> Desk:
	made = Desk(agents=1)
	made.online()
	made.driver.capabilities = made.driver.capabilities.__class__(
		**{name: getattr(made.driver.capabilities, name) for name in made.driver.capabilities.__slots__}
		| {"is_charged": True}
	)
	return made


def rate(desk: Desk, category: str = "service", micros: int = 13_200, country: str = "EG") -> None:
	desk.store.run(
		"INSERT INTO `tabKhalifa Message Rate` (name, category, region, from_date, currency, amount_micros) "
		"VALUES (?, ?, ?, '2026-10-01', 'AED', ?)",
		(f"{category}{country}", category, country, micros),
	)


def price_again(desk: Desk) -> int:
	with desk.store.transaction():
		return desk.store.price_again()


def answered(desk: Desk) -> records.Message:
	message = desk.reply(desk.write(PHONE))
	desk.send()
	return message


def price(desk: Desk, message: records.Message) -> tuple[Any, ...]:
	stored = desk.message(message.name)
	return stored.price_state, stored.cost_micros, stored.cost_currency


def test_a_message_is_priced_once_it_is_delivered(desk):
	rate(desk)
	message = answered(desk)
	assert (desk.message(message.name).price_state, costs.settle(desk.store, desk.now)) == ("Open", 0)
	desk.status(message, "delivered")
	assert price(desk, message) == ("Due", None, "")
	assert costs.settle(desk.store, desk.now) == 1
	assert price(desk, message) == ("Priced", 13_200, "AED")
	stored = desk.message(message.name)
	assert (stored.price_category, stored.price_country, stored.delivered_ms) == ("service", "EG", desk.now)
	desk.status(message, "read")
	assert (price(desk, message), costs.settle(desk.store, desk.now)) == (("Priced", 13_200, "AED"), 0)


def test_without_a_rate_it_says_so_until_there_is_one(desk):
	message = answered(desk)
	desk.status(message, "delivered")
	costs.settle(desk.store, desk.now)
	assert price(desk, message) == ("No Rate", None, "")
	rate(desk)
	assert (price_again(desk), costs.settle(desk.store, desk.now)) == (1, 1)
	assert price(desk, message) == ("Priced", 13_200, "AED")


def test_a_rate_that_changes_leaves_what_was_priced(desk):
	rate(desk)
	message = answered(desk)
	desk.status(message, "delivered")
	costs.settle(desk.store, desk.now)
	desk.store.run("UPDATE `tabKhalifa Message Rate` SET amount_micros = 99")
	assert (price_again(desk), costs.settle(desk.store, desk.now)) == (0, 0)
	assert price(desk, message) == ("Priced", 13_200, "AED")


def test_what_no_gateway_charges_for_has_no_price():
	desk = Desk(agents=1)
	desk.online()
	message = answered(desk)
	desk.status(message, "delivered")
	assert (price(desk, message), costs.settle(desk.store, desk.now)) == (("", None, ""), 0)


def test_a_failed_message_costs_nothing(desk):
	message = answered(desk)
	desk.status(message, "failed")
	assert (desk.message(message.name).status, costs.settle(desk.store, desk.now)) == ("Failed", 0)


def log(status: str, at_ms: int, *pricing: Any) -> records.MessageLog:
	reported = json.dumps(pricing) if pricing else None
	return records.MessageLog(status, digest(status), "key", "status", status, at_ms, pricing=reported)


LOGS = (
	log("sent", 1),
	log("delivered", 3, "utility", "regular", None, ""),
	log("read", 2, "utility", "regular", 3_600, "USD"),
)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_statuses_in_any_order_and_one_by_one_end_in_the_same_price(desk, order):
	message = answered(desk)
	known: list[records.MessageLog] = []
	for place in order:
		known.append(LOGS[place])
		with working(desk.store, desk.now) as work:
			row = work.store.messages([message.name])[message.name]
			message_state.fold(row, known)
			work.touch(row)
		costs.settle(desk.store, desk.now)
	stored = desk.message(message.name)
	assert price(desk, message) == (cost.PRICED, 3_600, "USD")
	assert (stored.price_category, stored.price_type, stored.delivered_ms) == ("utility", "regular", 2)
