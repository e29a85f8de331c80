"""The arithmetic of measures: the pinned scores, smoothing, quantiles, samples, and counts that add up."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.kpi import (
	Fact,
	Tally,
	fill,
	measures,
	quantile,
	score,
	smoothed,
	tally,
	weights_version,
)
from khalifa_whatsapp.core.metrics import COUNTS, SAMPLES, SUMS
from khalifa_whatsapp.core.records import AgentKpi
from khalifa_whatsapp.core.settings import Settings

SETTINGS = Settings()
PINNED = {"first_response": 5.0, "response": 6.0, "delays": 5.0, "resolution": 88.0, "satisfaction": 90.0}
BEST = {"first_response": 3.0, "response": 0.0, "delays": 2.0, "resolution": 100.0, "satisfaction": 95.0}
WORST = {"first_response": 15.0, "response": 99.0, "delays": 20.0, "resolution": 0.0, "satisfaction": 60.0}
facts = st.builds(
	Fact,
	st.sampled_from(["a", "b"]),
	st.sampled_from([*SAMPLES, *sorted(COUNTS)]),
	st.integers(1, 5),
	st.integers(0, 900),
)


def row(period: str = "Daily", **counts: int) -> AgentKpi:
	return AgentKpi("n", "k", "a", "A", None, period, "2026-11-21", **counts)


def test_the_pinned_scores() -> None:
	assert (score(PINNED, SETTINGS).score, score(PINNED, SETTINGS).coverage) == (81.6, 100)
	without = {name: value for name, value in PINNED.items() if name != "satisfaction"}
	assert (score(without, SETTINGS).score, score(without, SETTINGS).coverage) == (80.6, 80)


@pytest.mark.parametrize(
	("good", "ratings", "percent"), [(3, 3, 87.7), (0, 1, 76.4), (45, 50, 89.0), (0, 0, 84.0)]
)
def test_the_pinned_satisfaction(good: int, ratings: int, percent: float) -> None:
	assert round(smoothed(good, ratings, 84, SETTINGS), 1) == percent


def test_at_the_target_or_better_it_is_a_hundred_and_at_the_worst_or_beyond_nothing() -> None:
	assert (score(BEST, SETTINGS).score, score(WORST, SETTINGS).score) == (100, 0)


def test_below_half_of_the_weights_there_is_no_score_but_the_coverage() -> None:
	few = {name: PINNED[name] for name in ("first_response", "satisfaction")}
	assert (score(few, SETTINGS).score, score(few, SETTINGS).coverage) == (None, 45)
	half = Settings(weight_first_response=30)
	assert (score(few, half).score is None, score(few, half).coverage) == (True, 48)
	assert score({"first_response": 3.0, "delays": 2.0, "satisfaction": 95.0}, SETTINGS).coverage == 65
	assert score({}, SETTINGS).score is None
	assert (
		score({}, Settings(**{name: 0 for name in Settings.__slots__ if name.startswith("weight_")})).score
		is None
	)


@given(st.fixed_dictionaries({name: st.floats(0, 200) for name in PINNED}))
def test_a_score_lies_between_nothing_and_a_hundred(values: dict[str, float]) -> None:
	points = score(values, SETTINGS).score
	assert points is not None
	assert 0 <= points <= 100


@given(st.sampled_from(sorted(PINNED)), st.floats(0, 100), st.floats(0, 100))
def test_a_better_measure_never_lowers_the_score(name: str, one: float, other: float) -> None:
	lower_is_better = name in ("first_response", "response", "delays")
	worse, better = (
		(max(one, other), min(one, other)) if lower_is_better else (min(one, other), max(one, other))
	)
	assert (score({**PINNED, name: better}, SETTINGS).score or 0) >= (
		score({**PINNED, name: worse}, SETTINGS).score or 0
	)


def test_a_target_equal_to_the_worst_is_all_or_nothing() -> None:
	strict = Settings(delay_rate_target=0, delay_rate_worst=0, weight_delays=100)
	values = {"delays": 0.0}
	assert score(values, strict).score == 100
	assert score({"delays": 0.1}, strict).score == 0


@pytest.mark.parametrize(("period", "minimum", "ratings"), [("Daily", 5, 1), ("Monthly", 20, 5)])
def test_a_measure_needs_its_samples(period: str, minimum: int, ratings: int) -> None:
	def measured(n: int, votes: int) -> set[str]:
		counts = {
			"first_response_count": n,
			"response_count": n,
			"segments_counted": n,
			"tickets_handled": n,
			"ratings": votes,
		}
		return set(measures(row(period, **counts), SETTINGS, 84.0, minimum))

	assert measured(minimum - 1, ratings - 1) == set()
	assert measured(minimum, ratings) == set(PINNED)


def test_measures_are_minutes_and_per_cent_and_a_late_transfer_is_half_a_delay() -> None:
	given_row = row(
		first_response_count=5,
		first_response_sum=5 * 300,
		response_count=10,
		response_sum=10 * 360,
		segments_counted=40,
		delays=1,
		late_transfers=2,
		tickets_handled=27,
		tickets_excluded=2,
		tickets_resolved=22,
		ratings=50,
		ratings_good=45,
	)
	values = measures(given_row, SETTINGS, 84.0, 5)
	assert {name: round(value, 1) for name, value in values.items()} == {
		"first_response": 5.0,
		"response": 6.0,
		"delays": 5.0,
		"resolution": 88.0,
		"satisfaction": 89.0,
	}


def test_without_any_rating_of_the_team_there_is_no_satisfaction() -> None:
	assert measures(row(ratings=3), SETTINGS, None, 5) == {}


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.sampled_from([0.5, 0.9]))
def test_a_quantile_is_the_smallest_value_that_enough_samples_do_not_exceed(
	values: list[int], share: float
) -> None:
	histogram = {value: values.count(value) for value in values}
	assert quantile(histogram, share) == sorted(values)[max(math.ceil(share * len(values) - 1e-9), 1) - 1]
	if len(values) % 2:
		assert quantile(histogram, 0.5) == statistics.median(values)


def test_without_samples_a_quantile_is_nothing() -> None:
	assert quantile({}, 0.9) == 0


@given(st.lists(facts, max_size=30), st.integers(0, 30))
def test_counts_and_sums_of_parts_add_up_and_order_does_not_matter(many: list[Fact], cut: int) -> None:
	def sums(some: list[Fact]) -> dict[tuple[str, str], int]:
		totals: dict[tuple[str, str], int] = {}
		for agent, facts_of_agent in tally(some).items():
			filled = row()
			fill(filled, facts_of_agent, SETTINGS, None)
			for name in SUMS:
				totals[agent, name] = getattr(filled, name)
		return totals

	whole, first, second = sums(many), sums(many[:cut]), sums(many[cut:])
	assert whole == {key: first.get(key, 0) + second.get(key, 0) for key in whole}
	assert sums(many[::-1]) == whole


def test_a_fact_of_an_unknown_kind_is_an_error_and_not_lost() -> None:
	with pytest.raises(ValueError, match="unknown metric"):
		Tally().add(Fact("a", "smiles", 1))


def test_the_version_of_the_weights_changes_with_them_and_with_nothing_else() -> None:
	assert weights_version(Settings()) == weights_version(Settings(delay_minutes=99))
	assert weights_version(Settings()) != weights_version(Settings(weight_delays=21))
	assert weights_version(Settings()) != weights_version(Settings(delay_rate_worst=21))
