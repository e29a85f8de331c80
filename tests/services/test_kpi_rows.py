"""Every figure opens the rows behind it, and they are as many as it says."""

from datetime import date, timedelta

import pytest

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.errors import NotFound, UserError
from khalifa_whatsapp.core.metrics import OPENABLE
from khalifa_whatsapp.services import kpi
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.services.tickets import actions
from tests.services.harness import MANAGER, Desk


def busy_desk() -> Desk:
	desk = Desk(agents=2)
	desk.online()
	for number in range(6):
		name = desk.write(f"+20100123456{number}")
		desk.wait(4 * number)
		if number == 3:
			answers.reply(desk.store, MANAGER, name, "on behalf", f"m{number}", desk.now)
		elif number != 5:
			desk.reply(name)
		actions.close(desk.store, MANAGER, name, desk.now)
	kpi.rollup_dirty(desk.store, desk.now)
	return desk


def behind(desk: Desk, actor: Actor, row: records.AgentKpi, metric: str) -> list[tuple[str, str, int]]:
	"""The rows of one cell, asked for by its agent and days."""
	first = last = date.fromisoformat(row.start_date)
	if row.period == "Monthly":
		last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
	return kpi.rows_behind(desk.store, actor, row.agent, metric, first, last)


def test_each_cell_opens_as_many_rows_as_it_counts():
	desk = busy_desk()
	rows = desk.all(records.AgentKpi)
	seen = 0
	for row in rows:
		for metric in OPENABLE:
			count = getattr(row, f"{metric}_count" if hasattr(row, f"{metric}_count") else metric)
			opened = behind(desk, MANAGER, row, metric)
			assert len({(kind, name) for kind, name, _at in opened}) == len(opened) == count, metric
			seen += count
	assert seen > 30


def test_an_agent_opens_only_his_or_her_own_figures():
	desk = busy_desk()
	days = [row for row in desk.all(records.AgentKpi) if row.period == kpi.DAILY]
	one, other = sorted(days, key=lambda row: row.agent)
	assert behind(desk, desk.actor(one.agent), one, "response")
	with pytest.raises(NotFound):
		behind(desk, desk.actor(one.agent), other, "response")


def test_a_figure_without_rows_is_refused_with_a_text():
	desk = busy_desk()
	with pytest.raises(UserError):
		behind(desk, MANAGER, desk.all(records.AgentKpi)[0], "online_time")
