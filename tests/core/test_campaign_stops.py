"""A campaign stops itself when it does harm, says why, and not before enough is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.campaign_records import Campaign
from khalifa_whatsapp.core.campaign_stops import Condition, Tally, why_stop

FINE = Condition("Connected", "GREEN")


def campaign(**limits: int) -> Campaign:
	return Campaign("C1", "Offer", "D1", **{"min_sample": 50, **limits})


@pytest.mark.parametrize(
	("tally", "said"),
	[
		(Tally(100, failed=21), "21.0 % of the messages failed; the limit is 20 %."),
		(Tally(100, opted_out=6), "6.0 % of the recipients stopped promotions; the limit is 5 %."),
		(Tally(100, held_back=11), "WhatsApp held back 11.0 % of the messages"),
	],
)
def test_a_share_above_its_limit_stops_and_says_which(tally, said):
	why = why_stop(campaign(), tally, FINE)
	assert why is not None
	assert why.text.format(**why.values).startswith(said)


@given(st.integers(1, 5000), st.integers(0, 100))
def test_exactly_at_the_limit_goes_on_and_one_more_stops(handed_over, limit):
	at_limit = handed_over * limit // 100
	known = campaign(min_sample=1, max_failure_percent=limit)
	assert why_stop(known, Tally(handed_over, failed=at_limit), FINE) is None
	stopped = why_stop(known, Tally(handed_over, failed=at_limit + 1), FINE)
	assert (stopped is not None) is bool(limit)


def test_nothing_is_judged_before_there_is_enough():
	assert why_stop(campaign(), Tally(49, failed=49), FINE) is None
	assert why_stop(campaign(), Tally(50, failed=50), FINE) is not None
	assert why_stop(campaign(min_sample=0), Tally(0), FINE) is None


@pytest.mark.parametrize("condition", [Condition("Restricted"), Condition("Connected", "RED")])
def test_a_number_in_trouble_stops_at_once(condition):
	assert why_stop(campaign(), Tally(), condition) is not None
