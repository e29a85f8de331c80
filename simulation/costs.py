"""What the day's messages cost, by the price list of the demonstration."""

from __future__ import annotations

from dataclasses import dataclass, field

from khalifa_whatsapp.bootstrap import EmbeddedHost
from khalifa_whatsapp.core.cost import FREE, MICROS, NO_RATE, PRICED, micros_of
from khalifa_whatsapp.demo.price_list import CURRENCY, FROM_DATE, RATES
from khalifa_whatsapp.demo.staff import OpenStore


@dataclass(slots=True)
class CostOfDay:
	"""Delivered messages of gateways that charge, by what is known of their price; in micro-units."""

	priced: int = 0
	free: int = 0
	no_rate: int = 0
	micros: dict[str, int] = field(default_factory=dict)

	def line(self) -> str:
		"""In one sentence. Amounts of two currencies are never added."""
		amounts = [f"{micros / MICROS:,.4f} {currency}" for currency, micros in sorted(self.micros.items())]
		return (
			f"What it cost: {' + '.join(amounts) or 'nothing'} for {self.priced} delivered messages with a "
			f"price; {self.free} were free, {self.no_rate} have no rate."
		)


def add_rates(host: EmbeddedHost) -> None:
	"""Give its new database the price list."""
	sql = (
		"INSERT INTO `tabKhalifa Message Rate` (name, category, from_date, currency, amount_micros) "
		"VALUES (?, ?, ?, ?, ?)"
	)
	for category, amount in RATES.items():
		host.store.run(sql, (category, category, FROM_DATE, CURRENCY, micros_of(amount)))


def cost_of_day(store: OpenStore) -> CostOfDay:
	"""Everything that was delivered and priced."""
	cost = CostOfDay()
	sql = (
		"SELECT price_state, COALESCE(cost_currency, ''), COUNT(*), SUM(cost_micros) "
		"FROM `tabKhalifa Message` WHERE price_state IN (?, ?, ?) "
		"GROUP BY price_state, COALESCE(cost_currency, '')"
	)
	for state, currency, count, micros in store.rows(sql, (PRICED, FREE, NO_RATE)):
		cost.priced += count * (state == PRICED)
		cost.free += count * (state == FREE)
		cost.no_rate += count * (state == NO_RATE)
		if state == PRICED:
			cost.micros[currency] = int(micros)
	return cost
