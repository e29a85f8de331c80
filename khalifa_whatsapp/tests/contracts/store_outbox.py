"""The store contract's part on sending: lanes, traffic, doubt, files, and the state of a device."""

from __future__ import annotations

from typing import Any

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.breaker import OPEN, Breaker
from khalifa_whatsapp.core.pacing import HOUR_MS, MINUTE_MS, Pace, Traffic
from khalifa_whatsapp.stores.base import Store
from khalifa_whatsapp.tests.contracts.store_scene import NOW, StoreScene

PACE = Pace(max_per_minute=2, max_per_hour=4, max_per_day=9, max_identical_per_day=1)


class OutboxContract(StoreScene):
	"""What sending asks of a store."""

	def make_device(self, store: Store) -> str:
		"""A device's row, as people make them in a form."""
		name = self.n("dev")
		with store.transaction():
			store.run(  # type: ignore[attr-defined]
				"INSERT INTO `tabWhatsApp Device` (name, device_name, provider, enabled) VALUES (?, "
				"?, 'loopback', 1)",
				(name, name),
			)
		return name

	def handed(self, name: object, started_ms: int, **fields: Any) -> records.Message:
		return self.queued(name, name, status=records.SENT, started_ms=started_ms, **fields)

	def test_conversations_go_before_campaigns_and_automatic_ones_between(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.queued("m1", "c1", priority=2, sent_ms=NOW),
			self.queued("m2", "c2", priority=1, sent_ms=NOW + 1),
			self.queued("m3", "c3", priority=0, sent_ms=NOW + 2),
			self.queued("m4", "c1", priority=0, sent_ms=NOW + 3),
		)
		with store.transaction():
			due = [m.name[8:] for m in store.due_messages(self.n("dev"), NOW + 9, 9)]
		assert due == ["m3", "m4", "m2"], (
			"a campaign's message to the same customer waits for the conversation"
		)

	def test_traffic_counts_what_was_handed_over_whatever_became_of_it(self) -> None:
		store = self.make_store()
		day = NOW - 2 * HOUR_MS
		self.save(
			store,
			self.handed("m1", NOW - 50_000, text_key="a", priority=2),
			self.handed("m2", NOW - 40_000, text_key="a", is_new_chat=1, priority=1),
			self.queued("m3", "c3", status=records.UNKNOWN, started_ms=NOW - 10_000, text_key="b"),
			self.queued("m4", "c4", status=records.FAILED, started_ms=NOW - HOUR_MS + 1),
			self.handed("m5", day - 1, text_key="a"),
			self.queued("m6", "c6", text_key="a"),
		)
		traffic = self.read(lambda: store.traffic(self.n("dev"), PACE, NOW, day, {"a", "b", "c"}), store)
		assert traffic == Traffic(NOW - 10_000, NOW - 40_000, NOW - HOUR_MS + 1, 4, 2, 1, {"a": 2, "b": 1})
		later = NOW + MINUTE_MS - 40_000
		assert (
			self.read(lambda: store.traffic(self.n("dev"), PACE, later, day, ()), store).minute_edge_ms
			is None
		)

	def test_a_device_that_sent_nothing_has_no_traffic(self) -> None:
		store = self.make_store()
		assert self.read(lambda: store.traffic(self.n("none"), PACE, NOW, NOW, {"a"}), store) == Traffic()

	def test_a_breaker_is_kept_and_nothing_else_of_the_device_is_touched(self) -> None:
		store = self.make_store()
		device = self.make_device(store)
		assert self.read(lambda: store.send_gate(device), store).breaker == Breaker()
		tripped = Breaker(OPEN, 5, NOW - 9, NOW + 60_000, "the gateway is down")
		with store.transaction():
			store.save_breaker(device, tripped)
			store.note_error(device, "503", "x" * 2_000, NOW)
		send_gate = self.read(lambda: store.send_gate(device), store)
		assert (send_gate.is_paused, send_gate.breaker) == (False, tripped)

	def test_what_a_gateway_says_of_itself_is_kept_without_markup(self) -> None:
		store = self.make_store()
		device = self.make_device(store)
		with store.transaction():
			store.save_breaker(device, Breaker(OPEN, 5, NOW, NOW, "down <img src=x onerror=run()>"))
		reason = self.read(lambda: store.send_gate(device), store).breaker.reason
		assert reason.startswith("down ") and not {"<", ">"} & set(reason)

	def test_when_the_outbox_was_last_looked_at_is_kept(self) -> None:
		store = self.make_store()
		device = self.make_device(store)
		with store.transaction():
			store.note_drain(device, NOW)
		assert self.read(lambda: store.send_gate(device), store).drained_ms == NOW
		self.save(store, self.queued("m1", sent_ms=NOW), self.queued("m2", "c2", sent_ms=NOW + 1))
		assert [m.name[8:] for m in self.read(lambda: store.stale_messages(self.n("dev"), NOW), store)] == [
			"m1"
		]

	def test_a_device_that_is_not_there_sends_nothing(self) -> None:
		store = self.make_store()
		assert self.read(lambda: store.send_gate(self.n("gone")), store).is_paused

	def test_doubtful_messages_are_those_whose_attempt_began_in_the_period(self) -> None:
		store = self.make_store()
		doubtful = {"status": records.UNKNOWN}
		self.save(
			store,
			self.queued("m1", "c1", **doubtful, started_ms=NOW - 10),
			self.queued("m2", "c2", **doubtful, started_ms=NOW - 20),
			self.queued("m3", "c3", **doubtful, started_ms=NOW - 21),
			self.queued("m4", "c4", **doubtful, started_ms=NOW - 9),
			self.handed("m5", NOW - 15),
		)

		def names_of_doubtful(limit: int) -> list[str]:
			rows = self.read(lambda: store.unknown_messages(self.n("dev"), NOW - 20, NOW - 10, limit), store)
			return [row.name[8:] for row in rows]

		assert (names_of_doubtful(9), names_of_doubtful(1)) == (["m2", "m1"], ["m2"])

	def test_the_file_that_was_tried_least_is_fetched_first(self) -> None:
		store = self.make_store()
		waiting = {"media_state": "Waiting", "media_id": "x"}
		self.save(
			store,
			self.message("m1", received_ms=NOW, attempts=3, **waiting),
			self.message("m2", received_ms=NOW + 2, **waiting),
			self.message("m3", received_ms=NOW + 1, attempts=1, **waiting),
		)
		rows = self.read(lambda: store.messages_without_file(self.n("dev"), NOW, 2), store)
		assert [row.name[8:] for row in rows] == ["m2", "m3"]

	def test_files_are_fetched_oldest_first_and_when_they_are_due(self) -> None:
		store = self.make_store()
		waiting = {"media_state": "Waiting", "media_id": "x"}
		self.save(
			store,
			self.message("m1", received_ms=NOW + 2, **waiting),
			self.message("m2", received_ms=NOW + 1, **waiting),
			self.message("m3", received_ms=NOW, next_retry_ms=NOW + 50, **waiting),
			self.message("m4", media_state="Stored", media_id="x"),
			self.message("m5"),
		)

		def due(now_ms: int) -> list[str]:
			rows = self.read(lambda: store.messages_without_file(self.n("dev"), now_ms, 9), store)
			return [row.name[8:] for row in rows]

		assert (due(NOW + 49), due(NOW + 50)) == (["m2", "m1"], ["m3", "m2", "m1"])
		assert self.n("dev") in self.read(lambda: store.devices_without_files(NOW), store)

	def test_a_file_that_is_not_there_is_none(self) -> None:
		store = self.make_store()
		assert self.read(lambda: store.read_file(f"/private/files/{self.n('no')}.pdf"), store) is None
