"""A campaign from its plan to its last status: each recipient in one state, nobody twice,
nobody who said stop.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from khalifa_whatsapp.core import campaigns, records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.audience import Audience, Columns, Line
from khalifa_whatsapp.core.campaign_content import content_of
from khalifa_whatsapp.core.cost import Rate
from khalifa_whatsapp.core.errors import Changed, NotAllowed
from khalifa_whatsapp.core.pacing import HOUR_MS, Pace
from khalifa_whatsapp.core.phones import from_person
from khalifa_whatsapp.core.settings import DAY_MS, Settings
from khalifa_whatsapp.drivers.base import Capabilities
from khalifa_whatsapp.services.campaigns import feeding, lifecycle, planning, trial, watch
from khalifa_whatsapp.services.campaigns.planning import Device
from khalifa_whatsapp.services.unit_of_work import working
from tests.services.harness import MANAGER, MINUTE, Desk

OTHER = Actor("other@example.com", "Other Manager", None, is_manager=True)
UNOFFICIAL = Capabilities(kinds=frozenset({"text"}))
COLUMNS = Columns(0, ("", "customer", "offer"), True)


def phone(number: int) -> str:
	return f"+2010012{number:05}"


def lines(numbers: Iterable[int]) -> list[Line]:
	return [
		Line(n, phone(n), phone(n), values={"customer": f"Person {n}", "offer": f"{n} %"}) for n in numbers
	]


class CampaignDesk(Desk):
	"""A desk with one campaign."""

	def __init__(self, pace: Pace | None = None, can: Capabilities = UNOFFICIAL, **how: Any) -> None:
		super().__init__(**how)
		self.device = Device(pace or Pace(), can)

	def make(self, **fields: Any) -> str:
		given = {"text_a": "Dear {customer}, {offer} off.", **fields}
		with working(self.store, self.now) as work:
			return work.add(records.Campaign("C1", "Offer", "desk", **given)).name

	def plan(self, audience: list[Line], **fields: Any) -> records.Campaign:
		name = self.make(**fields)
		planning.begin(self.store, MANAGER, name, self.now)
		return self.go_on(audience)

	def go_on(self, audience: Iterable[Line]) -> records.Campaign:
		campaign = self.campaign
		content = content_of(campaign)
		made = Audience(COLUMNS, content.needed)
		planning.plan(self.store, campaign.name, audience, made, content, self.device, self.now)
		return self.campaign

	def start(self, audience: list[Line], **fields: Any) -> records.Campaign:
		self.plan(audience, **fields)
		return lifecycle.start(self.store, MANAGER, "C1", self.now)

	def feed(self) -> int:
		return feeding.feed(self.store, "C1", self.device, self.now)

	def minute(self) -> None:
		self.feed()
		self.send(self.device.pace)
		self.now += MINUTE
		watch.look(self.store, self.now)

	@property
	def campaign(self) -> records.Campaign:
		return self.store.campaigns(["C1"])["C1"]

	def rows(self) -> list[records.CampaignRecipient]:
		return sorted(self.all(records.CampaignRecipient), key=lambda row: row.line)

	def states(self) -> dict[str, int]:
		return dict(Counter(row.status for row in self.rows()))

	def opt_out(self, number: int) -> None:
		with working(self.store, self.now) as work:
			customer = next(c for c in self.all(records.Customer) if c.phone == phone(number))
			work.touch(replace(customer, is_opted_out=1, opted_out_ms=self.now))


@pytest.fixture
def desk() -> CampaignDesk:
	return CampaignDesk(agents=1)


# The plan


def test_each_line_becomes_one_recipient_or_says_why_not(desk):
	desk.write(phone(1))
	desk.write(phone(2))
	desk.opt_out(2)
	audience = [*lines([1, 2, 3]), replace(lines([1])[0], number=4), Line(5, "x", why="letters")]
	campaign = desk.plan(audience)
	rows = desk.rows()
	assert [row.status for row in rows] == ["Planned", "Skipped", "Planned", "Skipped", "Skipped"]
	assert [row.text for row in rows[:3:2]] == ["Dear Person 1, 1 % off.", "Dear Person 3, 3 % off."]
	assert json.loads(rows[0].parameters) == {"customer": "Person 1", "offer": "1 %"}
	assert (rows[0].customer is None, rows[2].customer) == (False, None)
	assert rows[1].reason == "Wants no promotions."
	assert rows[3].reason.format(**json.loads(rows[3].reason_values)) == "The same person as in line 1."
	assert (campaign.plan_state, campaign.planned_count, campaign.skipped_count) == ("Planned", 2, 3)
	assert (campaign.total_count, campaign.planned_by, campaign.estimated_days) == (5, MANAGER.user, 1)


def test_what_is_planned_is_frozen(desk):
	desk.plan(lines([1]))
	with working(desk.store, desk.now) as work:
		work.touch(replace(desk.campaign, text_a="changed"))
	lifecycle.start(desk.store, MANAGER, "C1", desk.now)
	desk.minute()
	assert [out.body for out in desk.driver.sent] == ["Dear Person 1, 1 % off."]


def test_a_plan_that_was_interrupted_goes_on_where_it_was(desk, monkeypatch):
	monkeypatch.setattr(planning, "CHUNK", 4)
	planning.begin(desk.store, MANAGER, desk.make(), desk.now)
	audience = [*lines(range(1, 11)), replace(lines([3])[0], number=11)]

	def broken() -> Iterable[Line]:
		yield from audience[:9]
		raise OSError("killed")

	with pytest.raises(OSError, match="killed"):
		desk.go_on(broken())
	assert (len(desk.rows()), desk.campaign.plan_cursor, desk.campaign.plan_state) == (8, "8", "Planning")
	with pytest.raises(Changed):
		lifecycle.start(desk.store, MANAGER, "C1", desk.now)
	desk.go_on(audience)
	assert desk.states() == {"Planned": 10, "Skipped": 1}
	assert [row.line for row in desk.rows()] == list(range(1, 12))
	assert desk.rows()[-1].reason.startswith("The same person")


def test_a_plan_that_is_taken_back_leaves_a_draft_and_no_recipients(desk):
	desk.plan(lines(range(1, 6)))
	planning.take_back(desk.store, MANAGER, "C1", desk.now)
	assert (desk.rows(), desk.campaign.status, desk.campaign.plan_state) == ([], "Draft", "")
	assert desk.campaign.total_count == 0
	planning.begin(desk.store, MANAGER, "C1", desk.now)
	assert desk.go_on(lines([7])).planned_count == 1


def test_taking_a_plan_back_goes_on_after_a_crash(desk):
	desk.plan(lines(range(1, 6)))
	with working(desk.store, desk.now) as work:
		work.touch(replace(desk.campaign, plan_state=campaigns.CLEARING))
	watch.finish_clearing(desk.store, desk.now)
	assert (desk.rows(), desk.campaign.plan_state) == ([], "")


def test_only_managers_plan_and_start(desk):
	nobody = Actor("a@example.com", "A", "A0")
	name = desk.make()
	for act in (planning.begin, planning.take_back, lifecycle.start, lifecycle.cancel, lifecycle.pause):
		with pytest.raises(NotAllowed):
			act(desk.store, nobody, name, desk.now)


def test_where_there_is_a_window_a_text_reaches_only_those_who_wrote_lately():
	desk = CampaignDesk(can=Capabilities(has_window=True, kinds=frozenset({"text"})), agents=1)
	desk.write(phone(1))
	desk.now += 25 * HOUR_MS
	desk.write(phone(2))
	desk.plan(lines([1, 2, 3]))
	assert [row.status for row in desk.rows()] == ["Skipped", "Planned", "Skipped"]
	assert "24 hours" in desk.rows()[0].reason


def test_the_plan_says_what_it_costs_by_the_rates_of_each_country():
	can = Capabilities(has_templates=True, kinds=frozenset({"text"}))
	desk = CampaignDesk(can=can, agents=0)
	desk.store.message_rates = lambda: [Rate("service", "EG", date(2026, 1, 1), "USD", 50_000)]
	saudi = Line(4, "+966501234567", "+966501234567", values={"customer": "S", "offer": "1"})
	campaign = desk.plan([*lines([1, 2, 3]), saudi])
	assert (campaign.estimated_cost, campaign.estimated_currency, campaign.unpriced_count) == (0.15, "USD", 1)


def test_a_price_that_a_person_wrote_counts_before_the_rates(desk):
	campaign = desk.plan(lines([1, 2]), price=0.5, currency="EGP")
	assert (campaign.estimated_cost, campaign.estimated_currency) == (1.0, "EGP")


# Approval and start


def test_a_large_campaign_is_approved_by_another_manager():
	desk = CampaignDesk(agents=0, settings=Settings(campaign_approval_size=2))
	assert desk.start(lines([1, 2, 3])).status == "Awaiting Approval"
	assert desk.feed() == 0
	with pytest.raises(NotAllowed, match="Somebody else"):
		lifecycle.approve(desk.store, MANAGER, "C1", desk.now)
	approved = lifecycle.approve(desk.store, OTHER, "C1", desk.now)
	assert (approved.status, approved.approved_by) == ("Running", OTHER.user)


def test_who_starts_what_somebody_else_planned_has_approved_it():
	desk = CampaignDesk(agents=0, settings=Settings(campaign_approval_size=2))
	desk.plan(lines([1, 2, 3]))
	started = lifecycle.start(desk.store, OTHER, "C1", desk.now)
	assert (started.status, started.approved_by) == ("Running", OTHER.user)


def test_a_scheduled_campaign_begins_at_its_time(desk):
	assert desk.start(lines([1]), scheduled_ms=desk.now + HOUR_MS).status == "Scheduled"
	assert desk.feed() == 0
	desk.now += HOUR_MS
	assert desk.feed() == 1
	assert desk.campaign.status == "Running"


# The run


def test_everybody_gets_it_once_and_the_campaign_ends(desk):
	desk.start(lines(range(1, 31)))
	for _ in range(3):
		desk.minute()
	bodies = Counter(out.body for out in desk.driver.sent)
	assert (len(bodies), max(bodies.values())) == (30, 1)
	assert desk.states() == {"Sent": 30}
	assert (desk.campaign.status, desk.campaign.sent_count) == ("Finished", 30)


def test_nobody_waits_because_of_a_campaign(desk):
	desk.online()
	desk.start(lines([1, 2]))
	desk.minute()
	tickets = desk.all(records.Ticket)
	assert {(t.status, t.turn, t.open_key, t.agent) for t in tickets} == {("Closed", None, None, None)}
	assert desk.all(records.Turn) == []


def test_it_goes_into_the_open_conversation_and_moves_no_clock(desk):
	desk.online()
	ticket = desk.write(phone(1))
	before = desk.ticket(ticket)
	desk.start(lines([1]))
	desk.minute()
	after = desk.ticket(ticket)
	assert (after.status, after.turn, after.due_by_ms) == (before.status, before.turn, before.due_by_ms)
	assert [row.ticket for row in desk.rows()] == [ticket]
	assert desk.message(desk.rows()[0].message).is_new_chat == 0


def test_statuses_move_recipients_in_whatever_order_they_come(desk):
	desk.start(lines([1, 2, 3]))
	desk.minute()
	messages = [desk.message(row.message) for row in desk.rows()]
	desk.status(messages[0], "read")
	desk.status(messages[0], "delivered")
	desk.status(messages[1], "failed")
	assert [row.status for row in desk.rows()] == ["Read", "Failed", "Sent"]
	desk.status(messages[1], "delivered")
	assert desk.rows()[1].status == "Delivered"


def test_a_reply_marks_the_recipient_and_its_conversation_shows_the_campaign(desk):
	desk.online()
	desk.start(lines([1, 2]))
	desk.minute()
	ticket = desk.ticket(desk.write(phone(1)))
	assert [row.status for row in desk.rows()] == ["Replied", "Sent"]
	assert (ticket.campaign, ticket.status, ticket.turn is None) == ("C1", "Open", False)
	watch.look(desk.store, desk.now)
	assert desk.campaign.replied_count == 1


def test_what_comes_after_the_days_of_a_campaign_is_no_reply(desk):
	desk.start(lines([1]), reply_window_days=2)
	desk.minute()
	desk.now += 3 * DAY_MS
	ticket = desk.write(phone(1))
	assert desk.rows()[0].status == "Sent"
	assert desk.ticket(ticket).campaign is None


def test_what_was_written_before_is_no_reply(desk):
	desk.start(lines([1]))
	desk.minute()
	desk.write(phone(1), at=desk.now - 2 * HOUR_MS)
	assert desk.rows()[0].status == "Sent"


def test_who_stops_promotions_before_it_is_queued_is_skipped_and_after_it_is_marked(desk):
	for number in (1, 2, 3):
		desk.write(phone(number))
	desk.start(lines([1, 2, 3]), per_minute=1)
	desk.opt_out(2)
	desk.feed()
	desk.opt_out(3)
	desk.send()
	desk.now += MINUTE
	desk.send()
	desk.opt_out(1)
	desk.now += MINUTE
	watch.look(desk.store, desk.now)
	assert [row.status for row in desk.rows()] == ["Opted Out", "Skipped", "Opted Out"]
	assert [out.body for out in desk.driver.sent] == ["Dear Person 1, 1 % off."]
	assert desk.campaign.opted_out_count == 2


def test_news_that_are_no_promotion_reach_those_who_stopped_promotions(desk):
	desk.write(phone(1))
	desk.opt_out(1)
	desk.start(lines([1]), is_promotion=0)
	desk.minute()
	assert len(desk.driver.sent) == 1


def test_two_lines_who_became_one_customer_get_it_once(desk):
	desk.write(phone(1))
	desk.write(phone(2))
	desk.start(lines([1, 2]))
	one, two = (c.name for c in sorted(desk.all(records.Customer), key=lambda c: c.phone))
	with desk.store.transaction():
		desk.store.move_customer(two, one)
	desk.minute()
	assert desk.states() == {"Sent": 1, "Skipped": 1}
	assert desk.rows()[1].reason == campaigns.TWICE


# Pause, resume, cancel


def test_a_pause_holds_what_waits_and_a_resume_lets_it_go(desk):
	desk.start(lines(range(1, 11)))
	desk.feed()
	lifecycle.pause(desk.store, MANAGER, "C1", desk.now)
	for _ in range(3):
		desk.minute()
	assert (desk.driver.sent, desk.states()) == ([], {"Queued": 10})
	lifecycle.resume(desk.store, MANAGER, "C1", desk.now)
	desk.minute()
	assert len(desk.driver.sent) == 10


def test_a_person_answers_while_a_campaign_is_paused(desk):
	desk.online()
	desk.start(lines(range(1, 41)))
	desk.feed()
	lifecycle.pause(desk.store, MANAGER, "C1", desk.now)
	desk.reply(desk.write(phone(99)))
	assert desk.send().sent == 1


def test_a_cancelled_campaign_takes_back_what_waits():
	desk = CampaignDesk(pace=Pace(max_per_minute=10), agents=0)
	desk.start(lines(range(1, 401)))
	assert desk.feed() == 30
	cancelled = lifecycle.cancel(desk.store, MANAGER, "C1", desk.now)
	assert (cancelled.status, desk.states()) == ("Cancelled", {"Cancelled": 400})
	desk.minute()
	assert desk.driver.sent == []
	assert {m.error_kind for m in desk.all(records.Message)} == {"discarded"}
	with pytest.raises(Changed):
		lifecycle.resume(desk.store, MANAGER, "C1", desk.now)


def test_what_was_being_handed_over_at_the_cancellation_and_comes_back_is_taken_back(desk):
	desk.start(lines([1]))
	desk.feed()
	name = desk.rows()[0].message
	with working(desk.store, desk.now) as work:
		work.touch(replace(desk.message(name), status=records.SENDING, started_ms=desk.now))
	lifecycle.cancel(desk.store, MANAGER, "C1", desk.now)
	assert desk.states() == {"Queued": 1}
	with working(desk.store, desk.now) as work:
		work.touch(replace(desk.message(name), status=records.MSG_QUEUED))
	assert desk.send().sent == 0
	assert (desk.states(), desk.message(name).status) == ({"Cancelled": 1}, "Failed")


def test_cancelling_goes_on_after_a_crash(desk):
	desk.start(lines(range(1, 6)))
	with working(desk.store, desk.now) as work:
		work.touch(replace(desk.campaign, status=campaigns.CANCELLED, ended_ms=desk.now))
	watch.look(desk.store, desk.now)
	assert desk.states() == {"Cancelled": 5}


# Limits


def test_no_more_are_queued_than_may_go_soon():
	desk = CampaignDesk(pace=Pace(max_per_minute=10), agents=0)
	desk.start(lines(range(1, 201)))
	assert (desk.feed(), desk.feed()) == (30, 0)


def test_two_who_feed_at_once_fill_the_room_once(desk):
	desk.start(lines(range(1, 4)))
	with desk.store.lock("feed:desk"):
		assert feeding.feed_all(desk.store, lambda name: desk.device, desk.now) == {"desk": 0}
	assert feeding.feed_all(desk.store, lambda name: desk.device, desk.now) == {"desk": 3}
	assert feeding.feed_all(desk.store, lambda name: None, desk.now) == {}


def test_the_cap_of_a_day_and_of_a_minute_are_kept_and_tomorrow_goes_on(desk):
	desk.start(lines(range(1, 31)), daily_cap=12, per_minute=5)
	for _ in range(60):
		desk.minute()
	assert desk.states() == {"Sent": 12, "Planned": 18}
	starts = sorted(m.started_ms for m in desk.all(records.Message))
	assert all(starts[place + 5] - starts[place] >= MINUTE for place in range(7))
	desk.now += DAY_MS
	for _ in range(60):
		desk.minute()
	assert desk.states() == {"Sent": 24, "Planned": 6}


def test_quiet_hours_hold_even_what_was_queued_before():
	desk = CampaignDesk(agents=0)
	local = desk.store.rules().calendar
	midnight = local.day_bounds_ms(local.local_date(desk.now))[0]
	desk.now = midnight + 20 * HOUR_MS + 59 * MINUTE
	desk.start(lines(range(1, 6)), quiet_from="21:00", quiet_to="09:00")
	desk.feed()
	desk.now += 2 * MINUTE
	desk.minute()
	assert (desk.driver.sent, desk.feed()) == ([], 0)
	while desk.now < midnight + 33 * HOUR_MS:
		assert desk.driver.sent == []
		desk.minute()
		desk.now += 29 * MINUTE
	desk.minute()
	assert len(desk.driver.sent) == 5


def test_metas_limit_of_customers_in_24_hours_is_kept():
	can = Capabilities(has_templates=True, kinds=frozenset({"text", "template"}))
	desk = CampaignDesk(can=can, agents=0)
	desk.store.run("UPDATE `tabWhatsApp Device` SET messaging_limit = 'TIER_250' WHERE name = 'desk'")
	desk.start(lines(range(1, 401)))
	with working(desk.store, desk.now) as work:
		for row in desk.rows():
			work.touch(replace(row, data=json.dumps({"template": {"name": "x", "language": "ar"}})))
		work.touch(replace(desk.campaign, content_type="Template", template="TPL"))
	desk.store.run(
		"INSERT INTO `tabKhalifa Provider Template` (name, device, template_name, status) "
		"VALUES ('TPL', 'desk', 'x', 'APPROVED')"
	)
	for _ in range(10):
		desk.minute()
	assert len(desk.driver.sent) == 250
	desk.now += DAY_MS
	for _ in range(10):
		desk.minute()
	assert len(desk.driver.sent) == 400


# Stopping by itself


def test_it_stops_itself_when_too_many_fail_and_says_why_and_goes_on_when_told(desk):
	desk.start(lines(range(1, 61)), min_sample=10, per_minute=20)
	desk.minute()
	for row in desk.rows()[:6]:
		desk.status(desk.message(row.message), "failed")
	watch.look(desk.store, desk.now)
	campaign = desk.campaign
	assert campaign.status == "Paused"
	said = campaign.status_reason.format(**json.loads(campaign.status_values))
	assert said == "30.0 % of the messages failed; the limit is 20 %."
	assert [n.kind for n in desk.all(records.DeviceNotice)] == ["campaign"]
	lifecycle.resume(desk.store, MANAGER, "C1", desk.now)
	for _ in range(4):
		desk.minute()
	assert (desk.campaign.status, desk.states()["Sent"]) == ("Finished", 54)


def test_it_stops_when_the_number_is_in_trouble(desk):
	desk.start(lines(range(1, 61)))
	desk.store.run("UPDATE `tabWhatsApp Device` SET quality = 'RED' WHERE name = 'desk'")
	watch.look(desk.store, desk.now)
	assert desk.campaign.status == "Paused"


def test_what_nobody_knows_does_not_keep_a_campaign_from_ending(desk):
	desk.start(lines([1, 2]))
	desk.feed()
	with working(desk.store, desk.now) as work:
		message = work.store.messages([desk.rows()[0].message])[desk.rows()[0].message]
		message.status = records.SENDING
		work.touch(message)
	desk.minute()
	desk.minute()
	assert desk.states() == {"Queued": 1, "Sent": 1}
	assert desk.rows()[0].reason == campaigns.IN_DOUBT
	assert desk.campaign.status == "Finished"


# A look at it first


def test_a_trial_goes_to_my_own_phone_and_counts_nowhere(desk):
	name = desk.make()
	content = content_of(desk.campaign)
	mine = from_person("01001299999", "EG")
	args = (desk.store, MANAGER, name, mine, "A", content, desk.device)
	first = trial.send(*args, "key", desk.now)
	assert trial.send(*args, "key", desk.now).name == first.name
	desk.minute()
	assert [out.body for out in desk.driver.sent] == ["Dear (customer), (offer) off."]
	assert (desk.rows(), desk.message(first.name).campaign) == ([], None)
