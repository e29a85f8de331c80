"""What a message costs: by the rate of its day and country, free where Meta says so, never a guess."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import cost, records
from khalifa_whatsapp.core.cost import Facts, Price, Rate
from khalifa_whatsapp.core.message_state import fold
from khalifa_whatsapp.core.phones import country_of

DAY = date(2026, 11, 20)
EGYPT = Rate("service", "EG", date(2026, 10, 1), "AED", 13_200)
MARKETING = Rate("marketing", "EG", date(2026, 10, 1), "AED", 236_400)
ELSEWHERE = Rate("service", "", date(2026, 10, 1), "AED", 20_000)
RATES = (EGYPT, MARKETING, ELSEWHERE)

days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
countries = st.sampled_from(["EG", "SA", ""])
rates = st.builds(
	Rate,
	st.sampled_from(cost.CATEGORIES),
	countries,
	days,
	st.sampled_from(["AED", "USD"]),
	st.integers(0, 10**6),
)
facts = st.builds(
	Facts,
	st.sampled_from(cost.CATEGORIES),
	countries,
	days,
	st.sampled_from(["", "regular", "free_customer_service"]),
)


@pytest.mark.parametrize(
	("given_facts", "price"),
	[
		(Facts("service", "EG", DAY), Price(cost.PRICED, 13_200, "AED")),
		(Facts("service", "SA", DAY), Price(cost.PRICED, 20_000, "AED")),
		(Facts("service", "", DAY), Price(cost.PRICED, 20_000, "AED")),
		(Facts("marketing", "EG", DAY), Price(cost.PRICED, 236_400, "AED")),
		(Facts("marketing", "SA", DAY), Price(cost.NO_RATE)),
		(Facts("service", "EG", date(2026, 9, 30)), Price(cost.FREE)),
		(Facts("service", "EG", date(2026, 9, 30), "regular"), Price(cost.NO_RATE)),
		(Facts("marketing", "EG", date(2026, 9, 30)), Price(cost.NO_RATE)),
		(Facts("marketing", "EG", DAY, "free_entry_point"), Price(cost.FREE)),
		(Facts("service", "EG", DAY, "free_customer_service"), Price(cost.FREE)),
	],
)
def test_prices(given_facts, price):
	assert cost.price_of(given_facts, RATES) == price


@pytest.mark.parametrize(
	("reported", "template", "category"),
	[
		("marketing", "", "marketing"),
		("MARKETING", "UTILITY", "marketing"),
		("marketing_lite", "", "marketing"),
		("", "UTILITY", "utility"),
		("", "", "service"),
		("group_service", "", "group_service"),
	],
)
def test_the_gateways_category_comes_first_then_the_templates(reported, template, category):
	assert cost.category_of(reported, template) == category


@given(facts, st.lists(rates), rates)
def test_a_later_rate_changes_no_earlier_price(message, known, later):
	if later.from_date > message.day:
		assert cost.price_of(message, [*known, later]) == cost.price_of(message, known)


@given(
	facts, st.lists(rates, max_size=8, unique_by=lambda rate: (rate.category, rate.country, rate.from_date))
)
def test_the_order_of_rates_does_not_matter(message, known):
	assert cost.price_of(message, known) == cost.price_of(message, known[::-1])


@given(facts, st.lists(rates))
def test_only_what_is_priced_has_an_amount(message, known):
	price = cost.price_of(message, known)
	assert (price.state == cost.PRICED) == bool(price.currency)
	assert price.state == cost.PRICED or price.micros == 0


@given(
	st.sampled_from(cost.CATEGORIES),
	st.dictionaries(countries, st.integers(0, 100_000)),
	days,
	st.lists(rates, unique_by=lambda rate: (rate.category, rate.country, rate.from_date)),
)
def test_an_estimate_is_the_sum_of_its_messages(category, wanted, day, known):
	whole = cost.estimate(category, wanted, day, known)
	parts = [cost.estimate(category, {country: count}, day, known) for country, count in wanted.items()]
	assert whole.unknown == sum(part.unknown for part in parts)
	for currency in ("AED", "USD"):
		assert whole.micros.get(currency, 0) == sum(part.micros.get(currency, 0) for part in parts)


@pytest.mark.parametrize(
	("amount", "micros"),
	[
		("0.0132", 13_200),
		(0.0132, 13_200),
		(" 1 ", 1_000_000),
		(0, 0),
		("0.0000004", 0),
		("", None),
		(None, None),
		("a lot", None),
		(-1, None),
		("NaN", None),
		("Infinity", None),
		(10**9, None),
		({}, None),
	],
)
def test_amounts(amount, micros):
	assert cost.micros_of(amount) == micros


@pytest.mark.parametrize(
	("phone", "country"),
	[
		("+201001234567", "EG"),
		("+966501234567", "SA"),
		("+80012345678", ""),
		("+1", ""),
		("", ""),
		("letters", ""),
	],
)
def test_the_country_of_a_number(phone, country):
	assert country_of(phone) == country


def _message(**fields):
	return records.Message("m", "t", "c", "d", "Outgoing", "Agent", "text", "Sent", 1, 1, **fields)


def _status(status, *pricing):
	row = records.MessageLog(f"{status}{pricing}", f"{status}{pricing}", "key", "status", status, 5)
	row.pricing = json.dumps(pricing) if pricing else None
	return row


@pytest.mark.parametrize("pricing", [("marketing_lite", "regular", None, ""), ("", "regular", None, "")])
def test_a_status_that_says_the_same_again_does_not_price_anew(pricing):
	message = _message(price_state=cost.OPEN)
	fold(message, [_status("delivered", *pricing)])
	assert message.price_state == cost.DUE
	message.price_category = cost.category_of(message.price_category)  # as pricing leaves it
	message.price_state = cost.PRICED
	fold(message, [_status("delivered", *pricing), _status("read", *pricing)])
	assert message.price_state == cost.PRICED


def test_what_has_no_type_and_is_not_billable_is_free():
	assert (
		cost.price_of(cost.Facts("utility", "EG", date(2026, 11, 1), "not_billable"), []).state == cost.FREE
	)
