"""Who of a campaign's recipients bought afterwards, and for how much was invoiced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

Key = tuple[str, str]  # campaign, text


@dataclass(frozen=True, slots=True)
class Reached:
	"""A recipient whose message went; `customer` is that of the books."""

	campaign: str
	variant: str
	name: str
	customer: str
	sent_on: datetime


@dataclass(frozen=True, slots=True)
class Entry:
	"""An order or an invoice of the books. `amount`: of an invoice, in `currency`; of an order nothing."""

	customer: str
	entered_on: datetime
	amount: Decimal = Decimal(0)
	currency: str = ""


@dataclass(slots=True)
class Orders:
	"""Recipients who bought, and what was invoiced to them by currency: several are never added up."""

	buyers: set[str] = field(default_factory=set)
	invoiced: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

	def add(self, other: Orders) -> None:
		"""Sum up."""
		self.buyers |= other.buyers
		for currency, amount in other.invoiced.items():
			self.invoiced[currency] += amount


def orders_of(reached: Iterable[Reached], entries: Iterable[Entry], days: int) -> dict[Key, Orders]:
	"""By campaign and text: what was entered within so many days after the recipient's message went."""
	by_customer: dict[str, list[Entry]] = defaultdict(list)
	for entry in entries:
		by_customer[entry.customer].append(entry)
	orders: dict[Key, Orders] = defaultdict(Orders)
	for one in reached:
		until = one.sent_on + timedelta(days=days)
		for entry in by_customer[one.customer]:
			if one.sent_on <= entry.entered_on <= until:
				bought = orders[one.campaign, one.variant]
				bought.buyers.add(one.name)
				if entry.currency:
					bought.invoiced[entry.currency] += entry.amount
	return dict(orders)
