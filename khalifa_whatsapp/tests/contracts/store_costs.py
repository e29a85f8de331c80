"""The store contract's part on cost: rates, what is due, what had no rate."""

from __future__ import annotations

from datetime import date

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.cost import DUE, NO_RATE, PRICED, Rate
from khalifa_whatsapp.stores.base import Store
from khalifa_whatsapp.tests.contracts.store_scene import NOW, StoreScene


class CostsContract(StoreScene):
	"""What pricing asks of a store."""

	def outgoing_message(self, name: str, state: str, delivered_ms: int = NOW) -> records.Message:
		message = self.queued(name, status=records.DELIVERED)
		message.price_state, message.delivered_ms = state, delivered_ms
		return message

	def make_rate(self, store: Store, country: str) -> Rate:
		with store.transaction():
			store.run(  # type: ignore[attr-defined]
				"INSERT INTO `tabKhalifa Message Rate` "
				"(name, category, region, from_date, currency, amount_micros) "
				"VALUES (?, ?, ?, '2026-10-01', 'AED', 13200)",
				(self.n(f"rate{country}"), self.n("service"), country),
			)
		return Rate(self.n("service"), country, date(2026, 10, 1), "AED", 13_200)

	def test_rates_are_read_as_they_were_written(self) -> None:
		store = self.make_store()
		made = {self.make_rate(store, "EG"), self.make_rate(store, "")}
		read = self.read(store.message_rates, store)
		assert {rate for rate in read if rate.category == self.n("service")} == made

	def test_only_what_is_due_is_priced_the_oldest_first(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.outgoing_message("m1", DUE, NOW + 1),
			self.outgoing_message("m2", PRICED),
			self.outgoing_message("m3", NO_RATE),
			self.outgoing_message("m4", DUE, NOW),
			self.outgoing_message("m5", ""),
		)
		due = self.read(lambda: store.messages_to_price(50), store)
		assert [row.name for row in due if row.device == self.n("dev")] == [self.n("m4"), self.n("m1")]

	def test_what_had_no_rate_is_due_again(self) -> None:
		store = self.make_store()
		self.save(store, self.outgoing_message("m1", NO_RATE), self.outgoing_message("m2", PRICED))
		with store.transaction():
			assert store.price_again() >= 1
		states = {row.name: row.price_state for row in self.read(lambda: self.both(store), store)}
		assert states == {self.n("m1"): DUE, self.n("m2"): PRICED}

	def both(self, store: Store) -> list[records.Message]:
		return list(store.messages([self.n("m1"), self.n("m2")]).values())
