"""There is one simulated company: a played day has the people, hours and words of the demonstration."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from khalifa_whatsapp import demo
from khalifa_whatsapp.core.settings import HOUR_MS
from khalifa_whatsapp.demo import company, names
from simulation import world

ARABIC = re.compile(r"[\u0621-\u064A] +[\u0621-\u064A]")
SIMULATION = Path(world.__file__).parent
DEMO = Path(demo.__file__).parent


def arabic_texts(folder: Path) -> Iterator[str]:
	"""What is said in Arabic, in more than one word, in the files of a folder."""
	for path in folder.rglob("*.py"):
		for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
			if isinstance(node, ast.Constant) and isinstance(node.value, str) and ARABIC.search(node.value):
				yield node.value


def test_a_played_day_has_the_people_and_branches_of_the_demonstration():
	day = world.make_world(messages=60, agents=40, seed=1)
	assert tuple(day.rules.branches) == names.BRANCHES
	agents = [agent for agent, _ in day.people]
	assert [agent.employee_name for agent in agents[:30]] == list(names.AGENTS)
	assert agents[30].employee_name.startswith(names.AGENTS[0]) and len({a.user for a in agents}) == 40
	assert {user for _, user, _ in day.comings} == {agent.user for agent in agents}
	assert all(agent.user.endswith(company.DOMAIN) for agent in agents)


def test_its_branches_are_open_when_those_of_the_demonstration_are():
	hours = world.make_world(messages=4, agents=1, seed=1).rules.calendar
	for start, end, expected in ((8, 9, 0), (9, 14, 5), (14, 17, 0), (17, 26, 9), (26, 33, 0)):  # a Saturday
		open_ms = hours.business_ms(world.local_ms(world.DAY, start), world.local_ms(world.DAY, end))
		assert open_ms == expected * HOUR_MS, (start, end)


def test_nothing_that_the_demonstration_says_is_written_a_second_time():
	said = "\n".join(arabic_texts(DEMO))
	twice = [text for text in arabic_texts(SIMULATION) if text in said]
	assert not twice
