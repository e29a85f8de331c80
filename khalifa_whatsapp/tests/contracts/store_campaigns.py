"""The store contract's part on campaigns: whose turn it is, what has gone, who is in which state."""

from __future__ import annotations

from typing import Any

from khalifa_whatsapp.core import campaigns as rules
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.campaign_stops import Tally
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.core.pacing import MINUTE_MS, Pace
from khalifa_whatsapp.stores.base import Store
from khalifa_whatsapp.tests.contracts.store_scene import DAY, NOW, StoreScene


class CampaignsContract(StoreScene):
	"""What campaigns ask of a store."""

	def campaign(self, name: object = "k1", **fields: Any) -> records.Campaign:
		given = {"status": rules.RUNNING, "plan_state": rules.PLANNED, **fields}
		return records.Campaign(self.n(name), f"Offer {name}", self.n("dev"), **given)

	def recipient(
		self, line: int, customer: object | None = None, campaign: object = "k1", **facts: Any
	) -> records.CampaignRecipient:
		name = self.n(f"r{campaign}{line:03}")
		row = records.CampaignRecipient(
			name,
			digest("recipient", name),
			self.n(campaign),
			line,
			customer=self.n(customer) if customer else None,
			**facts,
		)
		row.status = rules.status_of(row)
		return row

	def test_a_campaign_comes_back_as_it_was_saved(self) -> None:
		store = self.make_store()
		campaign = self.campaign(text_a="{customer} 😀", price=0.0125, planned_ms=NOW, scheduled_ms=NOW + 1)
		self.save(store, campaign)
		assert self.read(lambda: store.campaigns([campaign.name]), store) == {campaign.name: campaign}

	def test_what_use_cases_keep_of_a_campaign_is_updated(self) -> None:
		store, campaign = self.make_store(), self.campaign()
		self.save(store, campaign)
		campaign.status, campaign.status_reason, campaign.sent_count = rules.PAUSED, "because", 7
		self.save(store, updated=[campaign])
		stored = self.read(lambda: store.campaigns([campaign.name]), store)[campaign.name]
		assert (stored.status, stored.status_reason, stored.sent_count) == (rules.PAUSED, "because", 7)

	def test_campaigns_are_found_by_state_device_and_end(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.campaign("k1", planned_ms=2),
			self.campaign("k2", status=rules.PAUSED, planned_ms=1),
			self.campaign("k3", status=rules.FINISHED, ended_ms=NOW),
			self.campaign("k4", status=rules.FINISHED, ended_ms=NOW - DAY),
			self.campaign("k5", status=rules.DRAFT, plan_state=rules.PLANNING),
		)

		def named(rows: list[records.Campaign]) -> list[str]:
			return [row.name[8:] for row in rows if row.name.startswith(self.tag)]

		with store.transaction():
			assert named(store.campaigns_in([rules.PAUSED, rules.RUNNING])) == ["k2", "k1"]
			assert sorted(named(store.campaigns_on(self.n("dev")))) == ["k1", "k2"]
			assert store.campaigns_on(self.n("other")) == []
			assert named(store.campaigns_to_count(NOW - MINUTE_MS)) == ["k1", "k2", "k3"]

	def test_planned_recipients_wait_in_the_order_of_their_lines(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.recipient(3),
			self.recipient(1),
			self.recipient(2, reason="Not a number."),
			self.recipient(4, queued_ms=NOW),
			self.recipient(5),
			self.recipient(1, campaign="k2"),
		)
		waiting = self.read(lambda: store.waiting_recipients(self.n("k1"), 2), store)
		assert [row.line for row in waiting] == [1, 3]
		assert self.read(lambda: store.recipient_lines([waiting[1].recipient_key, "none"]), store) == {
			waiting[1].recipient_key: 3
		}

	def test_recipients_are_found_by_message_and_by_customer(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.recipient(1, "c1", queued_ms=NOW, message=self.n("m1")),
			self.recipient(2, "c2", queued_ms=NOW - DAY, message=self.n("m2")),
			self.recipient(3, "c3"),
			self.recipient(1, "c1", campaign="k2", queued_ms=NOW - 1, message=self.n("m3")),
		)
		with store.transaction():
			by_message = store.recipients_of_messages([self.n("m2"), self.n("m9")])
			of_campaign = store.recipients_of_customers(self.n("k1"), [self.n("c1"), self.n("c3")])
			written_to = store.recipients_written_to([self.n("c1"), self.n("c2"), self.n("c3")], NOW - 1)
		assert [row.line for row in by_message] == [2]
		assert sorted(row.line for row in of_campaign) == [1, 3]
		assert sorted(row.campaign[8:] for row in written_to) == ["k1", "k2"]

	def test_counts_and_the_tally_say_who_is_in_which_state(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.recipient(1),
			self.recipient(2, reason="Not a number."),
			self.recipient(3, queued_ms=NOW),
			self.recipient(4, queued_ms=NOW, reason=rules.IN_DOUBT),
			self.recipient(5, queued_ms=NOW, sent_ms=NOW),
			self.recipient(6, queued_ms=NOW, failed_ms=NOW, error_code="131049"),
			self.recipient(7, queued_ms=NOW, sent_ms=NOW, opted_out_ms=NOW),
			self.recipient(8, queued_ms=NOW - DAY, sent_ms=NOW, failed_ms=NOW),
		)
		with store.transaction():
			counts = store.recipient_counts(self.n("k1"))
			assert counts == {"Planned": 1, "Skipped": 1, "Queued": 2, "Sent": 1, "Failed": 2, "Opted Out": 1}
			assert store.count_under_way(self.n("k1")) == 1
			assert [row.line for row in store.queued_recipients(self.n("k1"), 9)] == [3]
			assert store.campaign_tally(self.n("k1"), NOW) == Tally(3, 1, 1, 1)
			assert store.campaign_tally(self.n("k1"), 0) == Tally(4, 2, 1, 1)
			assert store.campaign_tally(self.n("none"), 0) == Tally()

	def test_only_what_was_never_queued_is_dropped(self) -> None:
		store = self.make_store()
		self.save(store, self.recipient(1), self.recipient(2, reason="x"), self.recipient(3, queued_ms=NOW))
		with store.transaction():
			assert store.drop_recipients(self.n("k1"), 1) == 1
			assert store.drop_recipients(self.n("k1"), 9) == 1
			assert store.drop_recipients(self.n("k1"), 9) == 0
			assert store.recipient_counts(self.n("k1")) == {"Queued": 1}

	def test_a_campaigns_traffic_is_its_own(self) -> None:
		store, pace = self.make_store(), Pace(max_per_minute=2, max_per_day=9)
		mine = {"campaign": self.n("k1"), "origin": records.CAMPAIGN, "priority": 2, "status": records.SENT}
		self.save(
			store,
			self.queued("m1", "c1", started_ms=NOW - 2 * MINUTE_MS, **mine),
			self.queued("m2", "c2", started_ms=NOW - 20_000, **mine),
			self.queued("m3", "c3", started_ms=NOW - 10_000, **mine),
			self.queued("m4", "c4", started_ms=NOW - DAY, **mine),
			self.queued("m5", "c5", started_ms=NOW - 1, **{**mine, "campaign": self.n("k2")}),
			self.queued("m6", "c6", **{**mine, "status": records.MSG_QUEUED}),
			self.queued("m7", "c7", status=records.SENT, started_ms=NOW),
		)
		with store.transaction():
			traffic = store.campaign_traffic(self.n("k1"), pace, NOW, NOW - 3 * MINUTE_MS)
			assert (traffic.minute_edge_ms, traffic.today) == (NOW - 20_000, 3)
			assert store.customers_promoted_to(self.n("dev"), NOW - MINUTE_MS) == 3

	def test_messages_of_campaigns_that_are_held_are_passed_over(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.queued("m1", "c1", campaign=self.n("k1"), priority=2),
			self.queued("m2", "c2", campaign=self.n("k2"), priority=2),
			self.queued("m3", "c3"),
		)
		with store.transaction():
			due = store.due_messages(self.n("dev"), NOW, 9, [self.n("k1")])
		assert [message.name[8:] for message in due] == ["m3", "m2"]

	def test_numbers_are_counted_by_their_beginning(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.recipient(1, address="+201001234567"),
			self.recipient(2, address="+201101234567"),
			self.recipient(3, address="+966501234567"),
			self.recipient(4, address="+966501234568", reason="x"),
		)
		numbers = self.read(lambda: store.recipient_numbers(self.n("k1")), store)
		assert sorted(numbers) == [("+201001234567", 2), ("+966501234567", 1)]

	def test_who_was_never_written_to_on_the_device_is_a_new_chat(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.ticket("t1", "c1"),
			self.recipient(1, "c1"),
			self.recipient(2, "c2"),
			self.recipient(3),
			self.recipient(4, reason="x"),
		)
		assert self.read(lambda: store.count_new_chats(self.n("k1"), self.n("dev")), store) == 2

	def test_those_who_stopped_promotions_are_found_by_when(self) -> None:
		store = self.make_store()
		self.save(
			store,
			self.customer("c1", is_opted_out=1, opted_out_ms=NOW + DAY),
			self.customer("c2", is_opted_out=1, opted_out_ms=NOW),
			self.customer("c3", is_opted_out=0, opted_out_ms=NOW + DAY),
			self.customer("c4", is_opted_out=1, opted_out_ms=NOW - 1),
		)
		stored = self.read(lambda: store.customers_opted_out(NOW, 100), store)
		assert [(name[8:], at) for name, at in stored if name.startswith(self.tag)] == [
			("c2", NOW),
			("c1", NOW + DAY),
		]

	def test_a_customer_who_became_another_takes_recipients_along(self) -> None:
		store: Store = self.make_store()
		self.save(store, self.customer("c1"), self.customer("c2"), self.recipient(1, "c1"))
		with store.transaction():
			store.move_customer(self.n("c1"), self.n("c2"))
			assert len(store.recipients_of_customers(self.n("k1"), [self.n("c2")])) == 1
