"""Plots as SVG text that can stand inside a page: no fonts, scripts or addresses from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import StringIO
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from simulation.measures import Hours, Service, share

GREEN, BLUE, RED, GREY = "#128c7e", "#34a0d0", "#c0392b", "#8a8f98"
SIZE = (8.2, 2.9)


def volume(hours: Hours) -> str:
	"""Messages in and out by hour."""
	figure, axes, xs = _by_hour("Messages by hour", "messages", hours)
	axes.bar([x - 0.2 for x in xs], [hours.incoming.get(x, 0) for x in xs], 0.4, color=GREEN, label="in")
	axes.bar([x + 0.2 for x in xs], [hours.outgoing.get(x, 0) for x in xs], 0.4, color=BLUE, label="out")
	return _svg(figure, axes)


def waits(hours: Hours) -> str:
	"""How long answered customers waited, by the hour they began to."""
	figure, axes, xs = _by_hour("Wait for an answer (business minutes)", "minutes", hours)
	for part, style in ((0.5, "-"), (0.9, "--"), (0.99, ":")):
		there = [x for x in xs if hours.waits.get(x)]
		values = [share(hours.waits[x], part) / 60 for x in there]
		axes.plot(there, values, style, color=GREEN, marker="o", markersize=3, label=f"p{part * 100:.0f}")
	axes.set_ylim(bottom=0)
	return _svg(figure, axes)


def delays(hours: Hours) -> str:
	"""Delay events by hour."""
	figure, axes, xs = _by_hour("Delays by hour", "delays", hours)
	ours = [hours.agent_delays.get(x, 0) for x in xs]
	axes.bar([x - 0.2 for x in xs], ours, 0.4, color=RED, label="of agents")
	axes.bar(
		[x + 0.2 for x in xs],
		[hours.customer_delays.get(x, 0) for x in xs],
		0.4,
		color=GREY,
		label="of customers",
	)
	return _svg(figure, axes)


def staffing(points: Sequence[tuple[int, Service]]) -> str:
	"""Delay share and p90 of the first response against the number of agents."""
	figure = Figure(figsize=SIZE, layout="constrained")
	axes = figure.subplots()
	xs = [agents for agents, _ in points]
	axes.plot(
		xs, [100 * service.delay_share for _, service in points], "o-", color=RED, label="delayed waits, %"
	)
	axes.plot(
		xs,
		[service.first_p90 / 60 for _, service in points],
		"s--",
		color=GREEN,
		label="p90 first response, min",
	)
	axes.set(xlabel="agents", title="How many agents do I need?", xticks=xs)
	axes.set_ylim(bottom=0)
	return _svg(figure, axes)


def _by_hour(title: str, label: str, hours: Hours) -> tuple[Figure, Any, list[int]]:
	seen = {*hours.incoming, *hours.outgoing, *hours.agent_delays, *hours.customer_delays, *hours.waits}
	xs = list(range(min(seen, default=9), max(seen, default=17) + 1))
	figure = Figure(figsize=SIZE, layout="constrained")
	axes = figure.subplots()
	axes.set(title=title, ylabel=label)
	axes.set_xticks(xs, [f"{x % 24:02d}" for x in xs])
	return figure, axes, xs


def _svg(figure: Figure, axes: Any) -> str:
	axes.grid(axis="y", color="#e5e7eb", linewidth=0.7)
	axes.set_axisbelow(True)
	axes.spines[["top", "right"]].set_visible(False)
	axes.legend(frameon=False)
	into = StringIO()
	settings = {"svg.fonttype": "none", "svg.hashsalt": axes.get_title(), "font.family": "sans-serif"}
	with matplotlib.rc_context(settings):
		figure.savefig(into, format="svg", metadata={"Date": None, "Creator": None})
	svg = into.getvalue()
	svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
	return svg[svg.index("<svg") :]
