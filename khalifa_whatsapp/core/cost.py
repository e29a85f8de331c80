"""What a delivered message costs: the gateway's own amount, or a rate of ours, or openly nothing known.

Money is whole micro-units (a millionth of the currency), so that sums are exact; amounts of different
currencies are never added. A message is priced once it is delivered, with the rate of that day, and keeps its
price: a rate that changes later is for later messages. What the price was made of stays in the row (category,
type, country, the day), so that it can be worked out again. Source: Meta's pricing of each message, as
`statuses[].pricing` says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

MICROS = 1_000_000
MAX_MICROS = 2_000_000_000  # fits the column; nobody pays two thousand for a message
MARKETING, UTILITY, AUTHENTICATION, SERVICE = "marketing", "utility", "authentication", "service"
AUTHENTICATION_INTERNATIONAL = "authentication_international"
CATEGORIES = (MARKETING, UTILITY, AUTHENTICATION, AUTHENTICATION_INTERNATIONAL, SERVICE)
EVERYWHERE = ""  # a rate's country: those that have no rate of their own
# Free-form answers, and utility templates within the window, were free before
SERVICE_CHARGED_FROM = date(2026, 10, 1)
NOT_BILLABLE = "not_billable"  # ours, for a gateway that says no type
FREE_TYPES = frozenset({"free_customer_service", "free_entry_point", NOT_BILLABLE})
_ALIASES = {"marketing_lite": MARKETING, "referral_conversion": SERVICE}
# Message.price_state: not delivered yet, to be priced, and what came of it
OPEN, DUE, PRICED, FREE, NO_RATE = "Open", "Due", "Priced", "Free", "No Rate"


@dataclass(frozen=True, slots=True)
class Pricing:
	"""What a gateway says of a message's price: by which category and kind of rate it is charged,
	and the amount where it names one.
	"""

	category: str = ""
	price_type: str = ""  # regular, free_customer_service, free_entry_point …
	micros: int | None = None  # millionths of the currency
	currency: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
	"""What a message of a category costs in a country (two letters; "" everywhere else) from a day on."""

	category: str
	country: str
	from_date: date
	currency: str
	micros: int


@dataclass(frozen=True, slots=True)
class Facts:
	"""What the price of a delivered message depends on, where the gateway named no amount."""

	category: str
	country: str
	day: date
	price_type: str = ""


@dataclass(frozen=True, slots=True)
class Price:
	"""A message's price: `state` is Priced, Free or No Rate; only a priced one has an amount."""

	state: str
	micros: int = 0
	currency: str = ""


def category_of(reported: str, template_category: str = "") -> str:
	"""The category as rates name it: the gateway's, else the template's, else that of a free-form answer."""
	name = (reported or template_category).lower()
	return _ALIASES.get(name, name) or SERVICE


def price_of(facts: Facts, rates: Sequence[Rate]) -> Price:
	"""The price of a delivered message."""
	if facts.price_type in FREE_TYPES:
		return Price(FREE)
	if facts.category == SERVICE and facts.day < SERVICE_CHARGED_FROM and not facts.price_type:
		return Price(FREE)
	rate = rate_for(facts.category, facts.country, facts.day, rates)
	return Price(PRICED, rate.micros, rate.currency) if rate else Price(NO_RATE)


def rate_for(category: str, country: str, day: date, rates: Iterable[Rate]) -> Rate | None:
	"""The latest rate of that day: the country's own before the one for everywhere else."""
	known = [
		rate
		for rate in rates
		if rate.category == category and rate.country in (country, EVERYWHERE) and rate.from_date <= day
	]
	return max(known, key=lambda rate: (rate.country != EVERYWHERE, rate.from_date), default=None)


@dataclass(frozen=True, slots=True)
class Estimate:
	"""What messages will cost: micro-units by currency, and how many have no rate."""

	micros: dict[str, int]
	unknown: int = 0


def estimate(category: str, countries: dict[str, int], day: date, rates: Sequence[Rate]) -> Estimate:
	"""What it costs to send so many messages to each country on a day."""
	micros: dict[str, int] = {}
	unknown = 0
	for country, count in countries.items():
		rate = rate_for(category, country, day, rates)
		if rate is None:
			unknown += count
		else:
			micros[rate.currency] = micros.get(rate.currency, 0) + count * rate.micros
	return Estimate(micros, unknown)


def micros_of(amount: object) -> int | None:
	"""An amount as micro-units; None for what is no amount: text, negative, endless, too much."""
	try:
		exact = Decimal(str(amount).strip()) * MICROS
	except (InvalidOperation, ValueError):
		return None
	if not exact.is_finite() or not 0 <= exact <= MAX_MICROS:
		return None
	return int(exact.to_integral_value())
