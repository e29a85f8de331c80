"""Who bought after a campaign, and for how much: within its days, by recipient, text and currency."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.campaign_orders import Entry, Orders, Reached, orders_of

NOON = datetime(2026, 11, 1, 12)  # noqa: DTZ001, as the books store moments
DAY = timedelta(days=1)


def reached(name: str, customer: str, text: str = "A", campaign: str = "C") -> Reached:
	return Reached(campaign, text, name, customer, NOON)


def invoice(customer: str, days: float, amount: str = "10", currency: str = "EGP") -> Entry:
	return Entry(customer, NOON + days * DAY, Decimal(amount), currency)


def test_orders_within_the_days_are_counted_by_recipient_and_text():
	people = [
		reached("1", "mona"),
		reached("2", "ali", "B"),
		reached("3", "hala", "B"),
		reached("4", "omar", "B"),
	]
	entries = [
		Entry("mona", NOON + DAY),  # an order
		invoice("mona", 2, "90"),
		invoice("mona", 3, "10"),
		invoice("mona", 3, "5", "USD"),
		invoice("ali", 8, "50"),  # too late
		invoice("ali", -1, "50"),  # before
		invoice("omar", 7, "7"),
		invoice("nobody", 1),
	]
	orders = orders_of(people, entries, 7)
	assert {key: (one.buyers, dict(one.invoiced)) for key, one in orders.items()} == {
		("C", "A"): ({"1"}, {"EGP": 100, "USD": 5}),
		("C", "B"): ({"4"}, {"EGP": 7}),
	}


@given(
	st.lists(
		st.tuples(st.sampled_from("ab"), st.floats(-3, 12), st.sampled_from(["EGP", "USD", ""])), max_size=20
	)
)
def test_sums_are_of_what_lies_within_whatever_the_order(rows):
	people = [reached("1", "a"), reached("2", "b", "B")]
	entries = [invoice(customer, days, "1", currency) for customer, days, currency in rows]
	orders = orders_of(people, entries, 7)
	assert orders == orders_of(people[::-1], entries[::-1], 7)
	total = Orders()
	for one in orders.values():
		total.add(one)
	within = [
		(customer, currency)
		for customer, days, currency in rows
		if NOON <= NOON + days * DAY <= NOON + 7 * DAY
	]
	assert sum(total.invoiced.values()) == sum(bool(currency) for _customer, currency in within)
	assert total.buyers == {{"a": "1", "b": "2"}[customer] for customer, _currency in within}
