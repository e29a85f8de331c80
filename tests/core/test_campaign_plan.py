"""The plan says how long a campaign takes and what it costs, and the feed never passes a limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.campaign_plan import (
	LIMITS,
	MAX_AHEAD,
	Audience,
	Gateway,
	Room,
	allowance,
	cost_of,
	estimate,
	pace_of,
	portfolio_limit,
	warnings,
)
from khalifa_whatsapp.core.campaign_records import Campaign
from khalifa_whatsapp.core.pacing import HOUR_MS, MINUTE_MS, Pace

CAIRO = Calendar.always("Africa/Cairo")
NOON = 1_795_168_800_000  # 2026-11-20 12:00 in Cairo
MIDNIGHT = NOON + 12 * HOUR_MS
FREE = Pace()


@pytest.mark.parametrize(
	("said", "limit"),
	[
		("TIER_250", 250),
		("TIER_2K", 2_000),
		("TIER_100K", 100_000),
		("250", 250),
		("TIER_UNLIMITED", None),
		("", None),
		(None, None),
	],
)
def test_metas_limit_is_read_in_all_its_spellings(said, limit):
	assert portfolio_limit(said) == limit


def test_today_250_so_forty_days():
	plan = estimate(Audience(10_000), FREE, FREE, 250, NOON, CAIRO)
	assert (plan.days, plan.limited_by, plan.limit) == (40, "portfolio", 250)
	assert plan.reason is not None
	assert plan.reason.text.format(**plan.reason.values) == "Meta's limit of 250 customers in 24 hours."


def test_what_fits_into_today_ends_today():
	plan = estimate(Audience(600), Pace(max_per_minute=10), FREE, None, NOON, CAIRO)
	assert (plan.days, plan.limited_by) == (1, "device_minute")
	assert NOON + 59 * MINUTE_MS <= (plan.end_ms or 0) <= NOON + 62 * MINUTE_MS


@pytest.mark.parametrize(
	("device", "own", "audience", "days", "by"),
	[
		(FREE, Pace(max_per_day=100), Audience(950), 10, "campaign_day"),
		(Pace(max_per_day=300), Pace(max_per_day=400), Audience(950), 4, "device_day"),
		(Pace(max_new_chats_per_day=15), FREE, Audience(200, new_chats=60), 4, "new_chats"),
		(Pace(max_identical_per_day=40), FREE, Audience(120, equal_texts=120), 3, "equal_texts"),
		(Pace(max_per_hour=40), FREE, Audience(480 + 960), 2, "device_hour"),
		(
			Pace(max_per_minute=1, quiet_from_minute=20 * 60, quiet_to_minute=10 * 60),
			FREE,
			Audience(480 + 600 + 1),
			3,
			"device_minute",
		),
	],
)
def test_the_tightest_limit_decides(device, own, audience, days, by):
	plan = estimate(audience, device, own, None, NOON, CAIRO)
	assert (plan.days, plan.limited_by) == (days, by)


PACES = st.builds(
	Pace,
	max_per_minute=st.sampled_from([0, 1, 7, 60]),
	max_per_hour=st.sampled_from([0, 40, 900]),
	max_per_day=st.sampled_from([0, 1, 150, 5000]),
	max_new_chats_per_day=st.sampled_from([0, 15]),
	max_identical_per_day=st.sampled_from([0, 40]),
	quiet_from_minute=st.sampled_from([None, 0, 21 * 60]),
	quiet_to_minute=st.sampled_from([None, 9 * 60, 23 * 60 + 59]),
)


@given(PACES, PACES, st.integers(0, 100_000), st.sampled_from([None, 250, 2000]), st.integers(0, 86_399))
def test_every_plan_ends_and_names_what_limits_it(device, own, count, portfolio, second):
	start = NOON + second * 1000
	plan = estimate(Audience(count, count // 2, count // 3), device, own, portfolio, start, CAIRO)
	assert plan.end_ms is not None
	assert plan.end_ms >= start
	assert plan.days >= bool(count)
	assert not count or plan.limited_by in LIMITS
	more = estimate(Audience(count + 1, count // 2, count // 3), device, own, portfolio, start, CAIRO)
	assert more.days >= plan.days or plan.limited_by in ("new_chats", "equal_texts")


@given(
	PACES, PACES, st.sampled_from([None, 250]), st.integers(0, 700), st.integers(0, 6000), st.integers(0, 300)
)
def test_the_feed_never_queues_beyond_a_limit(device, own, portfolio, waiting, today, customers):
	more = allowance(device, own, portfolio, Room(waiting, today, customers))
	assert 0 <= more <= MAX_AHEAD
	assert not more or not own.max_per_day or today + waiting + more <= own.max_per_day
	assert not more or not portfolio or customers + waiting + more <= portfolio


def test_a_free_device_is_fed_enough_and_a_slow_one_little():
	assert allowance(FREE, FREE, None, Room()) == MAX_AHEAD
	assert allowance(Pace(min_gap_seconds=20, max_gap_seconds=40), FREE, None, Room()) == 20
	assert allowance(Pace(max_per_minute=60), FREE, None, Room(waiting=100)) == 80


def test_a_campaigns_limits_are_a_pace_and_what_cannot_be_read_limits_nothing():
	campaign = Campaign("C1", "t", "d", daily_cap=5, per_minute=2, quiet_from="21:00", quiet_to="9:30")
	assert pace_of(campaign) == Pace(
		max_per_minute=2, max_per_day=5, quiet_from_minute=21 * 60, quiet_to_minute=9 * 60 + 30
	)
	assert pace_of(Campaign("C1", "t", "d", quiet_from="x", quiet_to="9")) == FREE


def test_an_unofficial_gateway_is_warned_of_and_its_new_chats_are_counted():
	said = warnings(Campaign("C1", "t", "d"), Audience(50, 20), Gateway(False, FREE))
	assert ["not WhatsApp's own" in one.text for one in said] == [True, False]
	assert said[1].values == {"count": 20}
	assert not warnings(Campaign("C1", "t", "d"), Audience(50, 0), Gateway(True, FREE))
	capped = warnings(
		Campaign("C1", "t", "d"), Audience(50, 20), Gateway(False, Pace(max_new_chats_per_day=5))
	)
	assert capped[1].values == {"count": 20, "limit": 5}


def test_what_it_costs():
	assert cost_of(1000, 0.0523) == 52.3
