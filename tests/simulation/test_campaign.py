"""The played campaigns keep their promises, and the books would notice if they did not."""

from __future__ import annotations

import pytest

from simulation import campaign
from simulation.campaign_audience import Crowd


def test_a_small_campaign_reaches_everybody_once():
	show = campaign.play(120, kills=2)
	assert show.broken == []
	assert sum(show.states["on-cloud"].values()) == 72
	assert show.states["on-wpp"]["Cancelled"] > 0


@pytest.mark.long
def test_workers_that_are_killed_lose_nobody_and_send_to_nobody_twice():
	show = campaign.play(1_500, kills=8)
	assert show.broken == []
	assert show.kills >= 6


def test_nearly_all_that_the_pace_allows_goes():
	assert min(campaign.throughput(count=400).values()) >= 0.9  # short runs lose most at their ends


def test_the_list_has_what_lists_have():
	made, lines = Crowd(10_000_000, 202).audience()
	why = [line.why for line in lines]
	assert (why.count("duplicate"), why.count("letters"), len(made.needed)) == (4, 2, 2)
