"""The demonstration's month is played by the real use cases: its books add up,
and it tells what it should.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.calendar import Calendar, calendar_from_rows
from khalifa_whatsapp.core.settings import DAY_MS, MINUTE_MS, BranchRules, Rules, Settings
from khalifa_whatsapp.demo import company, texts
from khalifa_whatsapp.demo.campaigns import STORIES
from khalifa_whatsapp.demo.plan import REST_MS, make_plan
from khalifa_whatsapp.demo.play import Month, make_month
from khalifa_whatsapp.services import kpi
from simulation.checks import check_desk

ZONE = "Africa/Cairo"
END = 1_795_228_000_000  # a Saturday at seven in the morning: only those who never close are there
TICKETS, DAYS = 300, 21  # long enough for a «close all» and one that is undone


def play(seed: int, tickets: int = TICKETS, days: int = DAYS) -> Month:
	start = END - days * DAY_MS
	# one for all: only then do the parts of a wait add up to the whole, whoever held it
	hours = Calendar.always(ZONE)
	branches = {name: BranchRules(hours, 15 * MINUTE_MS, 15 * MINUTE_MS) for name in company.branch_names()}
	rules = Rules(Settings(), hours, branches)
	people, staff = [], company.employees()
	for number, employee in enumerate(staff):
		rows = company.shift_rows(employee.spans)
		agent = records.Agent(f"KA-{number:04d}", employee.user, employee.name, employee.branch)
		people.append((agent, calendar_from_rows(ZONE, rows, []) if rows else None))
	rng = Random(seed)
	plan = make_plan(rng, company.callers(rng, tickets, ()), staff, tickets, start, END, ZONE, True)
	month = make_month(rules, people, plan, seed, start, END)
	month.play()
	return month


@pytest.fixture(scope="module")
def month():
	played = play(3)
	yield played
	played.host.close()


def count(month: Month, sql: str) -> dict:
	return {row[0]: row[1] for row in month.host.store.rows(sql)}


def test_every_tickets_history_adds_up(month):
	kpi.rollup_dirty(month.host.store, END)
	assert check_desk(month.host.store) == []


def test_close_all_was_used_and_once_undone(month):
	batches = "SELECT status, total FROM `tabKhalifa Close Batch`"
	assert set(count(month, batches)) == {"Done", "Undone"}


def test_there_are_as_many_tickets_as_were_asked_for_and_some_wait_now(month):
	status = count(month, "SELECT status, COUNT(*) FROM `tabKhalifa Ticket` GROUP BY status")
	answers = count(
		month, "SELECT 'of campaigns', COUNT(*) FROM `tabKhalifa Ticket` WHERE campaign IS NOT NULL"
	)
	assert TICKETS < sum(status.values()) <= TICKETS + answers["of campaigns"]
	assert status[records.CLOSED] > TICKETS // 2
	month.leave_some_in_queues()
	status = count(month, "SELECT status, COUNT(*) FROM `tabKhalifa Ticket` GROUP BY status")
	assert status[records.OPEN] > 0 and status[records.QUEUED] > 0
	late = (
		"SELECT level, COUNT(*) FROM `tabKhalifa Turn Segment` WHERE to_ms = "
		"0 AND agent IS NOT NULL GROUP BY level"
	)
	assert {1, 2} <= set(count(month, late))


def test_two_campaigns_have_come_to_their_end_and_one_of_them_compares_two_texts(month):
	ended = count(month, "SELECT title, status FROM `tabKhalifa Campaign`")
	assert ended == {story.title: "Finished" for story in STORIES}
	states = count(month, "SELECT status, COUNT(*) FROM `tabKhalifa Campaign Recipient` GROUP BY status")
	assert not {"Planned", "Queued"} & states.keys()
	assert states["Skipped"] >= 3 * len(STORIES)  # and those who had stopped promotions by then
	assert states["Read"] > states["Replied"] > 0
	texts_of = (
		"SELECT title, COUNT(DISTINCT variant) FROM `tabKhalifa Campaign Recipient` r "
		"JOIN `tabKhalifa Campaign` c ON c.name = r.campaign GROUP BY title"
	)
	assert sorted(count(month, texts_of).values()) == [1, 2]


def test_nothing_is_left_to_be_sent(month):
	status = count(month, "SELECT status, COUNT(*) FROM `tabKhalifa Message` GROUP BY status")
	assert not {records.MSG_QUEUED, records.SENDING, records.UNKNOWN} & set(status)
	assert status[records.READ] > status.get(records.FAILED, 0)


def test_the_same_seed_gives_the_same_story():
	def said(played: Month) -> Counter:
		return Counter(
			tuple(row)
			for row in played.host.store.rows("SELECT body, sent_ms, sender_name FROM `tabKhalifa Message`")
		)

	first, again, other = (play(seed, tickets=60, days=5) for seed in (3, 3, 4))
	assert said(again) == said(first) and len(said(first)) > 100
	assert said(other) != said(first)
	for played in (first, again, other):
		played.host.close()


@given(st.integers(0, 10_000))
def test_a_conversation_begins_with_the_customer_and_has_no_empty_slot(seed):
	for lines in (texts.story(Random(seed)), texts.opening(Random(seed)), texts.sequel(Random(seed))):
		assert not lines[0].is_ours
		assert not any("{" in line.body or "}" in line.body for line in lines)
		assert all(line.body for line in lines if line.kind == "text")


@given(st.integers(0, 10_000), st.sets(st.integers(1, 40)))
def test_a_customer_never_has_a_number_that_is_taken_and_rests_between_two_tickets(seed, numbers):
	taken = {f"+20105{5_000_000 + number:07d}" for number in numbers}
	rng = Random(seed)
	callers = company.callers(rng, 60, taken)
	assert not {caller.phone for caller in callers} & taken
	plan = make_plan(rng, callers, company.employees(), 60, END - 20 * DAY_MS, END, ZONE, False)
	last: dict[str, int] = {}
	for talk in sorted(plan.talks, key=lambda talk: talk.start_ms):
		before = last.get(talk.caller.phone)
		assert before is None or talk.start_ms - before > REST_MS
		last[talk.caller.phone] = talk.start_ms


def test_customers_rate_say_why_not_and_stop_promotions(month):
	states = count(month, "SELECT state, COUNT(*) FROM `tabKhalifa Satisfaction` GROUP BY state")
	assert {"Answered", "Expired"} <= set(states)
	assert states["Answered"] > TICKETS // 6
	scores = count(
		month, "SELECT score, COUNT(*) FROM `tabKhalifa Satisfaction` WHERE score > 0 GROUP BY score"
	)
	assert scores[5] > scores.get(1, 0)
	sources = count(month, "SELECT source, COUNT(*) FROM `tabKhalifa Consent Event` GROUP BY source")
	assert sources.get("Message")
