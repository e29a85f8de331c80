"""«How many agents do I need?»: more agents, fewer delays."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulation import cli, staffing
from simulation.staffing import Point


def test_more_agents_mean_fewer_delays():
	few, some, many = (staffing.simulate(Point(agents, 250, 3)) for agents in (1, 4, 14))
	assert few.delay_share > some.delay_share >= many.delay_share
	assert few.first_p90 > many.first_p90
	assert few.turns > 50 and many.delay_share < 0.1


def test_the_same_point_gives_the_same_answer():
	assert staffing.simulate(Point(4, 80, 9)) == staffing.simulate(Point(4, 80, 9))


@pytest.mark.parametrize(
	("first", "last", "expected"),
	[(5, 30, [5, 6, 8, 11, 14, 18, 23, 30]), (3, 5, [3, 4, 5]), (7, 7, [7]), (9, 5, [])],
)
def test_a_range_becomes_a_few_numbers(first: int, last: int, expected: list[int]):
	assert staffing.spread(first, last) == expected


def test_the_command_prints_a_table_and_writes_a_page(capsys: pytest.CaptureFixture[str], tmp_path: Path):
	page = tmp_path / "staffing.html"
	assert cli.main(["simulate", "--agents", "2,6", "--messages", "60", "--report", str(page)]) == 0
	assert "How many agents do I need?" in capsys.readouterr().out
	text = page.read_text(encoding="utf-8")
	assert text.count("<svg") == 1 and text.count("<tr>") == 3
