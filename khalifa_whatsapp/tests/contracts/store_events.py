"""The contract of webhook events: kept byte for byte, counted once, due in their order."""

from __future__ import annotations

from khalifa_whatsapp.stores.base import WebhookOutcome
from khalifa_whatsapp.tests.contracts.store_scene import BODIES, NOW, StoreScene


class WebhookEventsContract(StoreScene):
	"""What a store does with raw calls of gateways."""

	def test_a_webhook_event_is_kept_byte_for_byte(self) -> None:
		store = self.make_store()
		for body in BODIES:
			assert self.deliver(store, body), body
		assert [webhook_event.body for webhook_event in self.due(store)] == list(BODIES)
		assert {type(webhook_event.body) for webhook_event in self.due(store)} == {bytes}

	def test_a_webhook_event_of_four_megabytes_is_kept(self) -> None:
		store = self.make_store()
		body = ("عايز 😀 " * 400_000).encode()[: 4 * 1024 * 1024]
		self.deliver(store, body)
		self.deliver(store, b"\xff" + body)
		assert [webhook_event.body for webhook_event in self.due(store)] == [body, b"\xff" + body]

	def test_the_same_webhook_event_again_only_counts_up(self) -> None:
		store = self.make_store()
		assert self.deliver(store, b"one") is True
		assert self.deliver(store, b"one", at_ms=NOW + 5) is False
		assert self.deliver(store, b"one", device="other") is True
		assert self.deliver(store, b"One") is True
		webhook_events = self.due(store)
		assert [(d.body, d.seen_count, d.received_ms, d.attempts) for d in webhook_events] == [
			(b"one", 2, NOW, 0),
			(b"One", 1, NOW, 0),
		]
		assert {(d.device, d.provider) for d in webhook_events} == {(self.n("dev"), "loopback")}

	def test_webhook_events_come_in_the_order_of_arrival_up_to_the_limit(self) -> None:
		store = self.make_store()
		bodies = [f"{number}".encode() for number in (3, 1, 2, 10, 9, 11, 8)]
		for body in bodies:
			self.deliver(store, body, at_ms=NOW - len(body))
		assert [d.body for d in self.due(store)] == bodies
		assert [d.body for d in self.due(store, limit=3)] == bodies[:3]
		assert self.due(store, device="nobody") == []

	def test_a_finished_webhook_event_is_not_due_and_a_failed_one_when_its_time_has_come(self) -> None:
		store = self.make_store()
		for body in (b"done", b"ignored", b"failed", b"dead", b"new"):
			self.deliver(store, body)
		names = {d.body: d.name for d in self.due(store)}
		with store.transaction():
			store.finish_webhook_events(
				[
					WebhookOutcome(names[b"done"], "Done", "", 1),
					WebhookOutcome(names[b"ignored"], "Ignored", "noise", 1),
					WebhookOutcome(names[b"failed"], "Failed", "KeyError", 3, NOW + 1000),
					WebhookOutcome(names[b"dead"], "Dead", "not JSON", 8),
				],
				NOW,
			)
		assert [d.body for d in self.due(store)] == [b"new"]
		assert [d.body for d in self.due(store, NOW + 999)] == [b"new"]
		assert [(d.body, d.attempts) for d in self.due(store, NOW + 1000)] == [(b"failed", 3), (b"new", 0)]
		assert self.deliver(store, b"done") is False
		assert [d.body for d in self.due(store)] == [b"new"]

	def test_devices_with_due_webhook_events_are_named_once(self) -> None:
		store = self.make_store()
		self.deliver(store, b"1", "one")
		self.deliver(store, b"2", "one")
		self.deliver(store, b"3", "two")
		(first, second) = self.due(store, device="one")
		with store.transaction():
			store.finish_webhook_events([WebhookOutcome(d.name, "Done", "", 1) for d in (first, second)], NOW)
		devices = [
			d
			for d in self.read(lambda: store.devices_with_due_webhook_events(NOW), store)
			if d.startswith(self.tag)
		]
		assert devices == [self.n("two")]

	def test_an_outcome_is_undone_with_its_transaction(self) -> None:
		store = self.make_store()
		self.deliver(store, b"one")

		def act() -> None:
			with store.transaction():
				(webhook_event,) = store.due_webhook_events(self.n("dev"), NOW, 9)
				store.finish_webhook_events([WebhookOutcome(webhook_event.name, "Done", "", 1)], NOW)
				raise KeyError("on purpose")

		assert self.refused(act, KeyError)
		assert [d.body for d in self.due(store)] == [b"one"]

	def test_old_bodies_are_forgotten_and_their_keys_are_not(self) -> None:
		store = self.make_store()
		for body in (b"done", b"waiting"):
			self.deliver(store, body, at_ms=1_000)
		done = self.due(store)[0]
		with store.transaction():
			store.finish_webhook_events([WebhookOutcome(done.name, "Done", "", 1)], NOW)
		forgotten = self.read(lambda: store.forget_webhook_events(2_000, 100), store)
		assert forgotten == 1
		assert self.read(lambda: store.forget_webhook_events(2_000, 100), store) == 0
		assert self.deliver(store, b"done") is False
		assert [d.body for d in self.due(store)] == [b"waiting"]

	# -- tickets
