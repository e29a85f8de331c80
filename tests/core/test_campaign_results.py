"""Shares of a campaign and the comparison of two texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.campaign_results import COMPARED, SHARES, Results, compare


@st.composite
def results(draw):
	tried = draw(st.integers(0, 5_000))
	sent = draw(st.integers(0, tried))
	delivered = draw(st.integers(0, sent))
	read = draw(st.integers(0, delivered))
	replied = draw(st.integers(0, read))
	return Results(tried, tried - delivered, sent, delivered, read, replied, draw(st.integers(0, delivered)))


def test_each_share_is_of_those_who_could():
	got = Results(tried=100, failed=10, sent=95, delivered=80, read=60, replied=20, opted_out=4)
	shares = {figure: got.share(figure).estimate for figure in SHARES}
	assert shares == {"delivered": 0.8, "read": 0.75, "replied": 0.25, "opted_out": 0.05, "failed": 0.1}


def test_nothing_sent_has_no_shares_and_nothing_to_compare():
	assert all(Results().share(figure) is None for figure in SHARES)
	assert compare(Results(), Results(tried=5, sent=5, delivered=5)) == []


def by_figure(a, b):
	return {one.figure: one for one in compare(a, b)}


def test_the_better_text_is_named_only_when_it_can_be_told():
	a = Results(tried=1000, sent=1000, delivered=1000, read=700, replied=60, opted_out=30)
	b = Results(tried=1000, sent=1000, delivered=1000, read=705, replied=120, opted_out=90)
	compared = by_figure(a, b)
	assert compared["replied"].better == "B"
	assert compared["opted_out"].better == "A"
	assert compared["read"].better == ""
	assert compared["replied"].difference.estimate == pytest.approx(0.06)


def test_a_handful_of_replies_says_nothing():
	a, b = Results(tried=5, sent=5, delivered=5, replied=0), Results(tried=5, sent=5, delivered=5, replied=2)
	assert by_figure(a, b)["replied"].better == ""


@given(results(), results())
def test_the_other_way_round_is_the_mirror(a, b):
	one, other = by_figure(a, b), by_figure(b, a)
	assert one.keys() == other.keys() <= set(COMPARED)
	mirror = {"A": "B", "B": "A", "": ""}
	for figure in one:
		assert one[figure].better == mirror[other[figure].better]
		assert one[figure].difference.estimate == pytest.approx(-other[figure].difference.estimate)
