"""What pricing asks of the database: rates, delivered messages that are due, and those that had no rate."""

from __future__ import annotations

from datetime import date

from khalifa_whatsapp.core import cost, records
from khalifa_whatsapp.stores.schema import table_of
from khalifa_whatsapp.stores.sql_base import Statements

MESSAGE = table_of(records.Message).name
RATE = "`tabKhalifa Message Rate`"


class CostQueries(Statements):
	"""Reads and writes of the `Store` port that only pricing needs."""

	def message_rates(self) -> list[cost.Rate]:
		sql = f"SELECT category, region, from_date, currency, amount_micros FROM {RATE} ORDER BY name"
		return [
			cost.Rate(category, region or cost.EVERYWHERE, _day(from_date), currency, micros)
			for category, region, from_date, currency, micros in self.rows(sql)
		]

	def messages_to_price(self, limit: int) -> list[records.Message]:
		tail = f"ORDER BY delivered_ms, name LIMIT ? {self.SKIP}"
		return self._read(records.Message, "price_state = 'Due'", (limit,), tail)

	def price_again(self) -> int:
		return self.run(f"UPDATE {MESSAGE} SET price_state = 'Due' WHERE price_state = 'No Rate'")


def _day(value: date | str) -> date:
	return value if isinstance(value, date) else date.fromisoformat(value)
