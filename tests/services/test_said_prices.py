"""What statuses say of a price is kept whatever their order, also when one comes again and says more."""

from __future__ import annotations

from datetime import date
from itertools import permutations

from khalifa_whatsapp.core.cost import DUE, OPEN, PRICED, Pricing
from khalifa_whatsapp.core.identity import PHONE, Identity
from khalifa_whatsapp.drivers.base import InboundMessage, MessageRef, MessageStatus
from khalifa_whatsapp.services import costs
from tests.services.harness import WireDesk

FROM = str(date(2020, 1, 1))
UTILITY, AMOUNT = Pricing("utility", "regular"), Pricing("utility", "regular", 14_000, "USD")


def _answered() -> tuple[WireDesk, str]:
	"""A desk on a number that charges, and its answer to a customer from Egypt."""
	desk = WireDesk()
	desk.online()
	who = (Identity(PHONE, "+201001234567"),)
	desk.receive(InboundMessage(MessageRef("in-1"), who, desk.now, "text", "hello"))
	desk.assign()
	name = desk.reply(desk.ticket_of("+201001234567").name).name
	desk.send()
	desk.store.run("UPDATE `tabKhalifa Message` SET price_state = ? WHERE name = ?", (OPEN, name))
	return desk, name


def _status(desk: WireDesk, name: str, term: str, pricing: Pricing | None) -> MessageStatus:
	message = desk.message(name)
	ref = MessageRef(message.gateway_id or "", message.scope)
	return MessageStatus(ref, term, desk.now, pricing=pricing)


def test_a_status_that_comes_again_with_a_price_is_heard_in_any_order() -> None:
	outcomes = set()
	for order in permutations(range(4)):
		desk, name = _answered()
		said = [
			_status(desk, name, "sent", UTILITY),
			_status(desk, name, "delivered", None),
			_status(desk, name, "delivered", AMOUNT),
			_status(desk, name, "read", None),
		]
		for place in (*order, order[0]):
			desk.receive(said[place])
		message = desk.message(name)
		outcomes.add(
			(message.price_state, message.price_category, message.cost_micros, message.cost_currency)
		)
	assert outcomes == {(PRICED, "utility", 14_000, "USD")}


def test_a_later_rate_leaves_what_was_priced() -> None:
	desk, name = _answered()
	add = (
		"INSERT INTO `tabKhalifa Message Rate` (name, category, from_date, currency, amount_micros) "
		"VALUES (?, 'utility', ?, 'AED', ?)"
	)
	desk.store.run(add, ("first", FROM, 13_200))
	desk.receive(_status(desk, name, "delivered", UTILITY))
	assert desk.message(name).price_state == DUE
	assert costs.settle(desk.store, desk.now) == 1
	desk.store.run(add, ("second", str(date(2020, 1, 2)), 99))
	desk.receive(_status(desk, name, "read", UTILITY))
	assert costs.settle(desk.store, desk.now) == 0
	message = desk.message(name)
	assert (message.price_state, message.price_country, message.cost_micros) == (PRICED, "EG", 13_200)
