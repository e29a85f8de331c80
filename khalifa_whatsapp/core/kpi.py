"""The arithmetic of KPI rows: counts and sums from facts, median and p90 from histograms, the score.

A month is computed from the facts of the month with the same functions, never from its days; counts and sums
add up all the same, because every fact counts for exactly one instant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.core.metrics import COUNTS, SAMPLES, SCORED, SUMS
from khalifa_whatsapp.core.records import AgentKpi
from khalifa_whatsapp.core.settings import Settings

SATISFACTION = "satisfaction"  # single votes are pulled towards the team's


@dataclass(frozen=True, slots=True)
class Fact:
	"""`count` things of one kind happened to an agent, each of them `value` long (seconds; 0: no length)."""

	agent: str
	metric: str
	count: int
	value: int = 0


@dataclass(slots=True)
class Tally:
	"""One agent's facts, gathered."""

	counts: dict[str, int] = field(default_factory=dict)
	histograms: dict[str, dict[int, int]] = field(default_factory=dict)

	def add(self, fact: Fact) -> None:
		"""Count a fact; samples also keep their lengths."""
		if fact.metric in SAMPLES:
			histogram = self.histograms.setdefault(fact.metric, {})
			histogram[fact.value] = histogram.get(fact.value, 0) + fact.count
		elif fact.metric in COUNTS:
			self.counts[fact.metric] = self.counts.get(fact.metric, 0) + fact.count
		else:
			raise ValueError(f"unknown metric {fact.metric!r}")


def tally(facts: Iterable[Fact]) -> dict[str, Tally]:
	"""Facts by agent."""
	agents: dict[str, Tally] = {}
	for fact in facts:
		agents.setdefault(fact.agent, Tally()).add(fact)
	return agents


def quantile(histogram: Mapping[int, int], share: float) -> int:
	"""The smallest value that at least `share` of the samples do not exceed; 0 without samples."""
	total = sum(histogram.values())
	needed, seen = share * total, 0
	for value in sorted(histogram):
		seen += histogram[value]
		if seen >= needed:
			return value
	return 0


def fill(row: AgentKpi, facts: Tally, settings: Settings, team_satisfaction: float | None) -> None:
	"""Write an agent's counts, sums, median, p90 and score into its row."""
	for metric in COUNTS:
		setattr(row, metric, facts.counts.get(metric, 0))
	for metric in SAMPLES:
		histogram = facts.histograms.get(metric, {})
		setattr(row, f"{metric}_count", sum(histogram.values()))
		setattr(row, f"{metric}_sum", sum(value * count for value, count in histogram.items()))
		setattr(row, f"{metric}_median", quantile(histogram, 0.5))
		setattr(row, f"{metric}_p90", quantile(histogram, 0.9))
	minimum = settings.min_sample_daily if row.period == "Daily" else settings.min_sample_monthly
	result = score(measures(row, settings, team_satisfaction, minimum), settings)
	row.score, row.coverage = result.score, result.coverage
	row.weights_version = weights_version(settings)


def measures(
	row: AgentKpi, settings: Settings, team_satisfaction: float | None, minimum: int
) -> dict[str, float]:
	"""The measures with enough samples, in minutes and per cent."""
	sums = {name: getattr(row, name) for name in SUMS}
	values: dict[str, float] = {}
	for metric in SCORED:
		part, whole = metric.parts(sums)
		if metric.name != SATISFACTION and whole >= max(minimum, 1):
			values[metric.scored_as] = metric.value(part, whole)
	least = 1 if row.period == "Daily" else 5
	if row.ratings >= least and team_satisfaction is not None:
		values[SATISFACTION] = smoothed(row.ratings_good, row.ratings, team_satisfaction, settings)
	return values


def smoothed(good: int, ratings: int, team_percent: float, settings: Settings) -> float:
	"""Satisfaction in per cent, pulled towards the team's, so that one vote can't ruin a month."""
	weight = settings.satisfaction_smoothing
	return 100 * (good + weight * team_percent / 100) / (ratings + weight)


@dataclass(frozen=True, slots=True)
class Score:
	"""0–100, and the share of the weights (per cent) that had enough data; no score below half of them."""

	score: float | None
	coverage: int


def score(values: Mapping[str, float], settings: Settings) -> Score:
	"""The weighted mean of the normalised measures that are there."""
	scale = _scale(settings)
	total = sum(weight for weight, _, _ in scale.values())
	used = sum(scale[name][0] for name in values)
	coverage = round(100 * used / total) if total else 0
	if not used or coverage < 50:
		return Score(None, coverage)
	points = sum(scale[name][0] * _normal(value, *scale[name][1:]) for name, value in values.items())
	return Score(round(100 * points / used, 1), coverage)


def _scale(settings: Settings) -> dict[str, tuple[float, float, float]]:
	s = settings
	return {
		"first_response": (
			s.weight_first_response,
			s.first_response_target_minutes,
			s.first_response_worst_minutes,
		),
		"response": (s.weight_response, s.response_target_minutes, s.response_worst_minutes),
		"delays": (s.weight_delays, s.delay_rate_target, s.delay_rate_worst),
		"resolution": (s.weight_resolution, s.resolution_rate_target, s.resolution_rate_worst),
		"satisfaction": (s.weight_satisfaction, s.satisfaction_target, s.satisfaction_worst),
	}


def _normal(value: float, target: float, worst: float) -> float:
	"""1 at the target or better, 0 at the worst or beyond; works for measures that should rise or fall."""
	if target == worst:
		return 1.0 if value == target else 0.0
	return min(1.0, max(0.0, (worst - value) / (worst - target)))


def weights_version(settings: Settings) -> str:
	"""A short name for the weights and targets a score was made with."""
	return digest(*(f"{name}:{values}" for name, values in sorted(_scale(settings).items())))[:8]
