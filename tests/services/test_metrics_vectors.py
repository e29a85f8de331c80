"""The project's definitions of measures, to the letter: every vector of them,
and every rule about who is charged.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from khalifa_whatsapp.core import kpi as rules
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.calendar import Calendar, Interval
from khalifa_whatsapp.core.errors import NotAllowed, NotFound, UserError
from khalifa_whatsapp.core.metrics import SUMS
from khalifa_whatsapp.core.settings import BranchRules, Rules, Settings
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services import kpi
from khalifa_whatsapp.services.isolation import RowsFailed
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.services.tickets import actions, bulk_close, delays, objections, presence
from khalifa_whatsapp.stores.base import TicketFilter
from tests.services.harness import MANAGER, MINUTE, START, Desk

PHONE, OTHER = "+201001234567", "+201119876543"
MONA, ALI = "A0", "A1"
DAY = 24 * 60
PHARMACY = Calendar(
	"Africa/Cairo",
	(
		*(Interval(day, 9 * 60, 14 * 60) for day in range(7) if day != 4),
		*(Interval(day, 17 * 60, 2 * 60) for day in range(7) if day != 4),
		Interval(4, 14 * 60, 2 * 60),
	),
)


def cairo(text: str) -> int:
	return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Africa/Cairo")).timestamp()) * 1000


def handed_to(desk: Desk, ticket: str, agent: str, **fields: Any) -> None:
	actions.transfer(
		desk.store, desk.actor(desk.ticket(ticket).agent), ticket, desk.now, "why", agent, **fields
	)


def on_behalf(desk: Desk, ticket: str, **more: Any) -> records.Message:
	desk.keys += 1
	return answers.reply(desk.store, MANAGER, ticket, "from the manager", f"m{desk.keys}", desk.now, **more)


def close(desk: Desk, ticket: str, reason: str = "resolved") -> records.Ticket:
	return actions.close(desk.store, MANAGER, ticket, desk.now, reason)


def kpi_of(desk: Desk, agent: str) -> records.AgentKpi:
	"""The agent's row of today, rebuilt; an empty one when there is none."""
	kpi.rollup_today(desk.store, desk.now)
	today = desk.store.rules().calendar.local_date(desk.now).isoformat()
	rows = [
		k for k in desk.all(records.AgentKpi) if (k.agent, k.period, k.start_date) == (agent, "Daily", today)
	]
	return rows[0] if rows else records.AgentKpi("", "", agent, "", None, "Daily", today)


class Play:
	"""One customer's turn, played in minutes; the minute job runs every `scan` minutes, or never (0)."""

	def __init__(self, scan: float = 1) -> None:
		self.scan = scan
		self.desk = Desk(agents=2)

	def wait(self, minutes: float) -> None:
		whole, rest = divmod(minutes, self.scan) if self.scan else (0, minutes)
		for _ in range(int(whole)):
			self.desk.wait(self.scan)
		self.desk.wait(rest, scan=bool(self.scan))

	def queue(self, minutes: float, then: str = MONA) -> None:
		self.ticket = self.desk.write(PHONE)
		self.wait(minutes)
		self.desk.online(then)
		self.desk.online()

	def result(self) -> dict[str, Any]:
		(turn,) = self.desk.all(records.Turn)
		delayed = {
			e.kind: (e.agent, e.cause, (e.at_ms - START) // MINUTE) for e in self.desk.all(records.DelayEvent)
		}
		rows = {name: kpi_of(self.desk, name) for name in (MONA, ALI)}
		return {
			"customer": turn.biz_time // 60,
			"samples": {n: row.response_sum // 60 for n, row in rows.items() if row.response_count},
			"firsts": {
				n: row.first_response_sum // 60 for n, row in rows.items() if row.first_response_count
			},
			"delays": delayed,
			"late": [s.agent for s in self.desk.all(records.Segment) if s.is_late_transfer],
			"rescues": {n: row.rescues for n, row in rows.items() if row.rescues},
		}


def play_a(play: Play) -> None:
	play.queue(2)
	play.wait(7)
	play.desk.reply(play.ticket)


def play_b(play: Play) -> None:
	play.queue(1)
	play.wait(10)
	handed_to(play.desk, play.ticket, ALI)
	play.wait(9)
	play.desk.reply(play.ticket)


def play_c(play: Play) -> None:
	play.queue(0)
	play.wait(22)
	handed_to(play.desk, play.ticket, ALI)
	play.wait(8)
	play.desk.reply(play.ticket)


def play_d(play: Play) -> None:
	play.queue(0)
	play.wait(12)
	on_behalf(play.desk, play.ticket)


def play_e(play: Play) -> None:
	play.queue(0)
	play.wait(25)
	on_behalf(play.desk, play.ticket)


def play_f(play: Play) -> None:
	play.queue(40, then=ALI)
	play.wait(4)
	play.desk.reply(play.ticket)


NONE: dict[str, Any] = {}
VECTORS = [
	(play_a, 9, {MONA: 7}, NONE, [], NONE),
	(play_b, 20, {ALI: 9}, {"Customer": (None, "Transfers", 15)}, [MONA], NONE),
	(play_c, 30, {ALI: 8}, {"Agent": (MONA, "Agent", 15), "Customer": (None, "Transfers", 15)}, [], NONE),
	(play_d, 12, NONE, NONE, [], {MONA: 1}),
	(play_e, 25, NONE, {"Agent": (MONA, "Agent", 15), "Customer": (None, "Agent", 15)}, [], {MONA: 1}),
	(play_f, 44, {ALI: 4}, {"Customer": (None, "Queue", 15)}, [], NONE),
]


@pytest.mark.parametrize("scan", [0, 0.5, 1, 7], ids=lambda scan: f"scan each {scan}")
@pytest.mark.parametrize(("act", "customer", "samples", "delayed", "late", "rescues"), VECTORS)
def test_a_turn_is_measured_as_defined_whenever_the_clock_is_looked_at(
	act, customer, samples, delayed, late, rescues, scan
):
	play = Play(scan)
	act(play)
	assert play.result() == {
		"customer": customer,
		"samples": samples,
		"firsts": samples,
		"delays": delayed,
		"late": late,
		"rescues": rescues,
	}


@pytest.mark.parametrize("act", [vector[0] for vector in VECTORS])
def test_all_rows_of_the_ledger_are_the_same_whenever_the_clock_is_looked_at(act):
	"""The cause of an open wait is a forecast; all else, and the cause once it ended, is fixed."""

	def sent_log(scan: float) -> list[list[Any]]:
		play = Play(scan)
		act(play)
		names = {
			row.name: number
			for kind in (records.Turn, records.Segment)
			for number, row in enumerate(play.desk.all(kind))
		}
		rows = [
			row for kind in (records.Turn, records.Segment, records.DelayEvent) for row in play.desk.all(kind)
		]
		hidden = {"name", "customer", "delay_key", "answer"}
		return sorted(
			(
				[names.get(value, value) for key, value in asdict(row).items() if key not in hidden]
				for row in rows
			),
			key=repr,
		)

	assert sent_log(1) == sent_log(0) == sent_log(0.25) == sent_log(11)


# -- thresholds


def test_exactly_the_threshold_is_no_delay_and_a_millisecond_more_is_one():
	desk = Desk()
	desk.online()
	desk.write(PHONE)
	desk.wait(15)
	assert (delays.scan(desk.store, desk.now).events, desk.all(records.DelayEvent)) == (0, [])
	desk.now += 1
	assert delays.scan(desk.store, desk.now).events == 2
	assert {e.at_ms for e in desk.all(records.DelayEvent)} == {START + 15 * MINUTE}


def test_at_seventy_per_cent_the_agent_is_warned_at_all_of_it_notified_at_twice_the_manager_each_once():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	agent = desk.ticket(name).agent

	def notified(until: float) -> list[tuple[str, int]]:
		desk.notices.clear()
		desk.now = START + round(until * MINUTE)
		desk.beat()
		delays.scan(desk.store, desk.now)
		delays.scan(desk.store, desk.now)
		notices = [n for n in desk.notices if n.event == "khalifa_whatsapp:delay"]
		return [(n.user or n.role, n.data["level"]) for n in notices]

	user, manager = f"{agent}@example.com", "WhatsApp Manager"
	assert notified(10.49) == []
	assert notified(10.5) == [(user, 1)]
	assert notified(15) == []
	assert notified(15.01) == [(user, 2)]
	assert [e.is_escalated for e in desk.all(records.DelayEvent) if e.kind == "Agent"] == [0]
	assert notified(30) == []
	assert notified(30.01) == [(user, 3), (manager, 3)]
	assert [e.is_escalated for e in desk.all(records.DelayEvent) if e.kind == "Agent"] == [1]
	assert desk.ticket(name).next_check_ms is None
	# everybody was told, and it is late all the same
	assert desk.ticket(name).response_by_ms == START + 15 * MINUTE
	assert len(desk.all(records.DelayEvent)) == 2


def test_the_manager_is_notified_of_a_customer_who_waits_in_the_queue():
	desk = Desk()
	desk.write(PHONE)
	desk.notices.clear()
	desk.wait(16)
	assert [n.role for n in desk.notices if n.event == "khalifa_whatsapp:delay"] == ["WhatsApp Manager"]


def test_the_scan_touches_only_what_is_due():
	desk = Desk()
	desk.online()
	for number in range(5):
		desk.write(f"+20100123456{number}")
	desk.now += 5 * MINUTE
	assert delays.scan(desk.store, desk.now).tickets == 0
	desk.now += 10 * MINUTE
	assert delays.scan(desk.store, desk.now).tickets == 5
	assert delays.scan(desk.store, desk.now).tickets == 0


@pytest.mark.parametrize(
	("wrote", "in_time", "too_late"),
	[
		("2026-11-21 13:50", "2026-11-21 17:05", "2026-11-21 17:06"),
		("2026-11-21 23:30", "2026-11-21 23:45", "2026-11-21 23:46"),
		("2026-11-22 01:50", "2026-11-22 09:05", "2026-11-22 09:06"),
		("2026-11-22 03:00", "2026-11-22 09:15", "2026-11-22 09:16"),
	],
)
def test_a_threshold_runs_in_business_hours_only(wrote, in_time, too_late):
	desk = Desk(calendar=PHARMACY, start=cairo(wrote))
	desk.online()
	desk.write(PHONE)
	desk.now = cairo(in_time)
	assert delays.scan(desk.store, desk.now).events == 0
	desk.now = cairo(too_late)
	assert delays.scan(desk.store, desk.now).events == 2
	assert {e.at_ms for e in desk.all(records.DelayEvent)} == {cairo(in_time)}


def test_an_answer_given_while_closed_took_no_time_and_counts():
	desk = Desk(calendar=PHARMACY, start=cairo("2026-11-22 03:00"))
	desk.online()
	name = desk.write(PHONE)
	desk.wait(20)
	desk.reply(name)
	turn = desk.all(records.Turn)[0]
	assert (turn.outcome, turn.biz_time, turn.wall_time) == (records.ANSWERED, 0, 1200)
	assert turn.calendar_version == PHARMACY.version
	assert desk.ticket(name).first_response_time == 0


def test_the_sender_is_measured_by_the_sender_s_branch_and_the_receiver_by_the_receiver_s():
	desk = Desk(agents=2)
	always = Calendar.always("Africa/Cairo")
	branches = {
		"North": BranchRules(always, 15 * MINUTE, 60 * MINUTE),
		"South": BranchRules(always, 5 * MINUTE, 60 * MINUTE),
	}
	desk.store.set_rules(Rules(desk.settings, always, branches))
	desk.store.run("UPDATE `tabKhalifa Agent` SET branch = CASE name WHEN 'A0' THEN 'North' ELSE 'South' END")
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.online(ALI)
	desk.wait(6)
	handed_to(desk, name, ALI)
	assert (
		desk.all(records.DelayEvent),
		[s.is_late_transfer for s in desk.all(records.Segment) if s.agent == MONA],
	) == (
		[],
		[0],
	)
	desk.wait(5)
	assert desk.all(records.DelayEvent) == []
	desk.wait(1)
	assert [(e.agent, e.branch) for e in desk.all(records.DelayEvent)] == [(ALI, "South")]


# -- segments and who is charged


def test_late_transfer_begins_at_half_the_threshold_and_costs_half_a_delay():
	for minutes, late in ((7.49, 0), (7.5, 1), (15, 1)):
		desk = Desk()
		desk.online(MONA)
		name = desk.write(PHONE)
		desk.online(ALI)
		desk.wait(minutes)
		handed_to(desk, name, ALI)
		row = kpi_of(desk, MONA)
		assert (row.late_transfers, row.transfers_out, row.delays) == (late, 1, 0), minutes
	row.segments_counted = 10
	row.late_transfers = 3
	assert rules.measures(row, Settings(), None, 5)["delays"] == 15


def test_going_offline_is_neither_a_transfer_nor_a_late_one():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.wait(10)
	desk.offline(MONA)
	row = kpi_of(desk, MONA)
	assert (row.transfers_out, row.late_transfers, row.segments_counted) == (0, 0, 1)
	assert [s.end_reason for s in desk.all(records.Segment) if s.agent == MONA] == ["requeued"]
	assert desk.ticket(name).status == records.QUEUED


def test_who_takes_over_a_slow_ticket_gets_a_full_threshold():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.online(ALI)
	desk.wait(20)
	handed_to(desk, name, ALI)
	desk.wait(15)
	assert [e.agent for e in desk.all(records.DelayEvent) if e.kind == "Agent"] == [MONA]
	desk.wait(1)
	assert {e.agent for e in desk.all(records.DelayEvent) if e.kind == "Agent"} == {MONA, ALI}


def test_a_delay_is_closed_when_the_ticket_leaves_the_agent():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.online(ALI)
	desk.wait(16)
	handed_to(desk, name, ALI)
	assert {e.kind: e.closed_ms for e in desk.all(records.DelayEvent)} == {
		"Agent": desk.now,
		"Customer": None,
	}


def test_a_message_known_late_is_no_fault_of_the_agent_but_the_customer_s_wait():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE, at=desk.now - 40 * MINUTE)
	desk.wait(3)
	desk.reply(name)
	turn = desk.all(records.Turn)[0]
	assert (turn.biz_time, kpi_of(desk, MONA).response_sum) == (43 * 60, 3 * 60)
	assert [e.kind for e in desk.all(records.DelayEvent)] == ["Customer"]


def test_a_gateway_whose_clock_is_ahead_gives_no_negative_time():
	desk = Desk()
	name = desk.write(PHONE, at=desk.now + 60 * MINUTE)
	desk.online(MONA)
	desk.wait(1)
	desk.reply(name)
	assert desk.all(records.Turn)[0].biz_time == 0
	parts = sorted(desk.all(records.Segment), key=lambda s: s.name)
	assert [s.biz_time for s in parts] == [0, 0]
	assert parts[0].to_ms == parts[1].from_ms == START + 5 * MINUTE


def test_segments_follow_each_other_also_when_a_wait_begins_earlier_than_was_thought():
	desk = Desk()
	name = desk.write(PHONE, at=desk.now + MINUTE)
	actions.transfer(desk.store, MANAGER, name, desk.now, "why", to_branch="North")
	desk.write(PHONE, "and this", at=desk.now - MINUTE)
	actions.transfer(desk.store, MANAGER, name, desk.now, "why", to_branch="South")
	assert desk.ticket(name).waiting_since_ms == START - MINUTE
	parts = sorted(desk.all(records.Segment), key=lambda s: s.name)
	assert [(s.from_ms - START, s.to_ms and s.to_ms - START) for s in parts] == [
		(MINUTE, MINUTE),
		(MINUTE, MINUTE),
		(MINUTE, None),
	]


def test_further_messages_do_not_restart_a_wait_and_notes_echoes_and_reactions_do_not_end_it():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	desk.wait(5)
	desk.write(PHONE, "still there?")
	agent = desk.ticket(name).agent
	answers.note(desk.store, desk.actor(agent), name, "asks for the price", desk.now)
	desk.deliver({"type": "reaction", "id": "in-1", "from": PHONE, "emoji": "👍", "at_ms": desk.now})
	assert desk.ticket(name).waiting_since_ms == START
	desk.reply(name)
	assert [t.biz_time for t in desk.all(records.Turn)] == [300]


def test_a_reaction_never_starts_a_wait():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	desk.reply(name)
	desk.deliver({"type": "reaction", "id": "in-1", "from": PHONE, "emoji": "👍", "at_ms": desk.now})
	assert (len(desk.all(records.Turn)), desk.ticket(name).status) == (1, records.PENDING)


def test_a_manager_who_takes_over_becomes_the_owner_and_others_do_not():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.online(ALI)
	boss = Actor("A1@example.com", "Agent A1", ALI, is_manager=True)
	answers.reply(desk.store, boss, name, "one", "b1", desk.now)
	assert desk.ticket(name).agent == MONA
	desk.wait(1)
	desk.write(PHONE)
	answers.reply(desk.store, boss, name, "two", "b2", desk.now, take_over=True)
	assert desk.ticket(name).agent == ALI
	assert kpi_of(desk, ALI).response_count == 0


# -- credit at closing


def test_the_owner_who_replied_has_the_credit_else_the_last_who_did_else_nobody():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.online(ALI)
	desk.reply(name)
	handed_to(desk, name, ALI)
	assert close(desk, name).resolved_for == MONA
	other = desk.write(OTHER)
	owner = desk.ticket(other).agent
	second = ALI if owner == MONA else MONA
	desk.reply(other)
	handed_to(desk, other, second)
	desk.reply(other)
	assert close(desk, other).resolved_for == second
	silent = desk.write("+201001234599")
	assert close(desk, silent).resolved_for is None


def test_a_manager_s_own_answer_gives_nobody_the_credit():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	on_behalf(desk, name)
	closed = close(desk, name)
	assert (closed.resolved_for, closed.is_missed) == (None, 0)


def test_reopening_withdraws_the_credit_and_thanks_gives_it_back():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.wait(2)
	desk.reply(name)
	close(desk, name)
	assert kpi_of(desk, MONA).tickets_resolved == 1
	desk.wait(60)
	desk.write(PHONE, "thanks")
	ticket = desk.ticket(name)
	assert (ticket.cycle, ticket.resolved_for, ticket.first_response_time) == (2, None, 120)
	row = kpi_of(desk, MONA)
	assert (row.tickets_resolved, row.tickets_reopened) == (0, 1)
	assert close(desk, name, "no_reply_needed").resolved_for == MONA
	assert kpi_of(desk, MONA).tickets_resolved == 1


def test_a_reopened_ticket_closed_without_a_new_answer_gives_no_credit():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.reply(name)
	close(desk, name)
	desk.wait(60)
	desk.write(PHONE, "and the delivery?")
	closed = close(desk, name)
	assert (closed.resolved_for, closed.is_missed) == (None, 0)


def test_in_a_new_cycle_only_who_answers_in_it_has_the_credit():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.online(ALI)
	desk.reply(name)
	close(desk, name)
	desk.wait(60)
	desk.write(PHONE, "once more")
	handed_to(desk, name, ALI)
	desk.reply(name)
	handed_to(desk, name, MONA)
	assert close(desk, name).resolved_for == ALI


def test_a_reopened_ticket_counts_its_wait_and_not_the_time_it_was_closed():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.wait(2)
	desk.reply(name)
	close(desk, name)
	desk.wait(60)
	desk.write(PHONE)
	desk.wait(3)
	desk.reply(name)
	desk.wait(10)
	close(desk, name)
	row = kpi_of(desk, MONA)
	assert (row.resolution_count, row.resolution_sum) == (1, 5 * 60)
	assert (row.first_response_count, row.response_count) == (1, 2)


def test_a_ticket_closed_for_silence_is_credited_and_left_out_of_the_times():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	with pytest.raises(UserError) as refusal:
		close(desk, name, "inactive")
	assert refusal.value.code == "customer_waits"
	desk.wait(2)
	desk.reply(name)
	close(desk, name, "inactive")
	row = kpi_of(desk, MONA)
	assert (row.tickets_resolved, row.tickets_handled, row.resolution_count) == (1, 1, 0)


def test_spam_is_excluded_and_blames_nobody():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.wait(20)
	closed = close(desk, name, "spam")
	assert (closed.is_missed, closed.missed_for, closed.resolved_for) == (0, None, None)
	row = kpi_of(desk, MONA)
	assert (row.tickets_handled, row.tickets_excluded, row.missed, row.delays) == (1, 1, 0, 1)


@pytest.mark.parametrize(("minutes", "charged"), [(15, None), (15.1, MONA)])
def test_a_missed_ticket_is_the_owner_s_only_when_the_owner_s_own_time_passed_the_threshold(minutes, charged):
	desk = Desk()
	name = desk.write(PHONE)
	desk.wait(30)
	desk.online(MONA)
	desk.wait(minutes)
	closed = close(desk, name)
	assert (closed.is_missed, closed.missed_for) == (1, charged)
	assert kpi_of(desk, MONA).missed == (1 if charged else 0)


def test_a_ticket_that_needed_no_reply_is_not_missed():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	desk.wait(20)
	closed = close(desk, name, "no_reply_needed")
	assert (closed.is_missed, desk.all(records.Turn)[0].outcome) == (0, records.NO_REPLY_NEEDED)


def test_closing_all_counts_nowhere_keeps_delays_and_marks_the_unanswered_as_missed():
	desk = Desk()
	desk.online(MONA)
	slow = desk.write(PHONE)
	desk.wait(16)
	quick = desk.write(OTHER)
	answered = desk.write("+201001234599")
	desk.reply(answered)
	batch = bulk_close.start(desk.store, MANAGER, TicketFilter(), "end of season", desk.now)
	assert bulk_close.step(desk.store, MANAGER, batch.name, desk.now).closed == 3
	missed = {
		name: (desk.ticket(name).is_missed, desk.ticket(name).missed_for) for name in (slow, quick, answered)
	}
	assert missed == {slow: (1, None), quick: (1, None), answered: (0, None)}
	row = kpi_of(desk, MONA)
	assert (row.tickets_resolved, row.resolution_count, row.missed) == (0, 0, 0)
	assert row.tickets_handled == row.tickets_excluded == 3
	# the delayed and the answered one
	assert (row.delays, row.segments_counted, row.response_count) == (
		1,
		2,
		1,
	)
	assert {t.outcome for t in desk.all(records.Turn)} == {records.ANSWERED, records.BULK_CLOSED}


# -- answers that fail


def failed_answer(desk: Desk, ticket: str, agent: str | None = None) -> records.Message:
	message = desk.reply(ticket, agent)
	desk.driver.failures.append(base.RecipientError("not on WhatsApp", code="131026"))
	desk.wait(1, scan=False)
	desk.send()
	assert desk.message(message.name).status == records.FAILED
	return message


def test_an_answer_that_failed_leaves_no_sample_no_first_response_and_no_credit():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.wait(3)
	failed_answer(desk, name)
	ticket = desk.ticket(name)
	assert (ticket.waiting_since_ms, ticket.first_responded_ms, ticket.first_response_time) == (
		START,
		None,
		None,
	)
	assert ticket.repliers == ""
	row = kpi_of(desk, MONA)
	assert (row.response_count, row.first_response_count, row.turns_answered, row.messages_sent) == (
		0,
		0,
		0,
		0,
	)
	desk.wait(2)
	desk.reply(name)
	row = kpi_of(desk, MONA)
	# charged again from the failure only
	assert (row.response_sum, row.first_response_sum) == (
		2 * 60,
		2 * 60,
	)
	assert desk.ticket(name).first_response_time == 6 * 60
	assert [t.biz_time for t in desk.all(records.Turn)] == [6 * 60]


def test_a_failed_answer_gives_no_credit_at_closing():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.online(ALI)
	desk.reply(name)
	desk.send()
	handed_to(desk, name, ALI)
	desk.write(PHONE)
	failed_answer(desk, name)
	assert close(desk, name).resolved_for == MONA


def test_a_failed_answer_changes_nothing_when_another_one_arrived():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.wait(3)
	first, second = desk.reply(name, body="one"), desk.reply(name, body="two")
	desk.send()
	desk.status(first, "failed")
	ticket = desk.ticket(name)
	assert (ticket.status, ticket.turn, kpi_of(desk, MONA).response_count) == (records.PENDING, None, 1)
	desk.status(second, "failed")
	assert (desk.ticket(name).waiting_since_ms, kpi_of(desk, MONA).response_count) == (START, 0)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("together", [True, False])
def test_two_answers_that_fail_in_any_order_open_the_wait_again(order, together):
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	sent = [desk.reply(name, body="one"), desk.reply(name, body="two")]
	desk.send()
	items = [
		{
			"type": "status",
			"id": desk.message(sent[n].name).gateway_id,
			"status": "failed",
			"at_ms": desk.now + n,
		}
		for n in order
	]
	for part in [items] if together else [[item] for item in items]:
		desk.deliver(*part)
	assert (desk.ticket(name).waiting_since_ms, desk.ticket(name).status) == (START, records.OPEN)


def test_when_the_customer_wrote_after_a_failed_answer_it_is_one_wait_with_one_charge():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.wait(3)
	message = desk.reply(name)
	desk.send()
	desk.wait(4)
	desk.write(PHONE, "hello?")
	desk.wait(1)
	desk.status(message, "failed")
	desk.wait(1)
	desk.reply(name)
	waits = [(t.outcome, t.biz_time) for t in desk.all(records.Turn)]
	assert sorted(waits) == [(records.ANSWERED, 9 * 60), ("joined", 0)]
	assert desk.ticket(name).waited_time == 9 * 60
	assert kpi_of(desk, MONA).response_sum == 2 * 60


def test_a_wait_that_opens_again_goes_to_the_queue_when_the_holder_has_left():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	message = desk.reply(name)
	desk.send()
	desk.offline(MONA)
	assert desk.ticket(name).agent == MONA
	desk.status(message, "failed")
	ticket = desk.ticket(name)
	assert (ticket.status, ticket.agent, ticket.queue_rank, ticket.waiting_since_ms) == (
		records.QUEUED,
		None,
		0,
		START,
	)


def test_a_failure_known_only_after_the_closing_touches_neither_that_cycle_nor_the_next():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	message = desk.reply(name)
	desk.send()
	close(desk, name)
	desk.wait(10)
	desk.write(PHONE, "again")
	since = desk.now
	desk.wait(1)
	desk.status(message, "failed")
	assert desk.ticket(name).waiting_since_ms == since


def test_a_wait_that_opens_again_has_its_customer_delay_open_again():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.wait(16)
	failed_answer(desk, name)
	assert {e.kind: e.closed_ms is None for e in desk.all(records.DelayEvent)} == {
		"Agent": False,
		"Customer": True,
	}
	desk.reply(name)
	assert {e.closed_ms for e in desk.all(records.DelayEvent) if e.kind == "Customer"} == {desk.now}


# -- objections


def test_an_accepted_objection_takes_the_delay_out_and_marks_the_day():
	desk = Desk()
	desk.online(MONA)
	desk.write(PHONE)
	desk.wait(16)
	assert kpi_of(desk, MONA).delays == 1
	kpi.rollup_dirty(desk.store, desk.now)
	assert desk.store.dirty_days(9) == []
	(event,) = [e for e in desk.all(records.DelayEvent) if e.kind == "Agent"]
	objections.object_to_delay(desk.store, desk.actor(MONA), event.name, "a call", desk.now)
	assert desk.store.dirty_days(9) == []
	with pytest.raises(NotAllowed):
		objections.decide_on_objection(desk.store, desk.actor(MONA), event.name, True, "", desk.now)
	objections.decide_on_objection(desk.store, MANAGER, event.name, True, "", desk.now)
	day = desk.store.rules().calendar.local_date(event.at_ms)
	assert desk.store.dirty_days(9) == [day]
	kpi.rollup_dirty(desk.store, desk.now)
	rows = {k.period: k for k in desk.all(records.AgentKpi) if k.agent == MONA}
	assert [(row.delays, row.segments_counted) for row in rows.values()] == [(0, 1), (0, 1)]
	with pytest.raises(UserError):
		objections.object_to_delay(desk.store, desk.actor(MONA), event.name, "please", desk.now)
	objections.decide_on_objection(desk.store, MANAGER, event.name, False, "", desk.now)
	assert kpi_of(desk, MONA).delays == 1


def test_only_the_charged_agent_may_object():
	desk = Desk()
	desk.online(MONA)
	desk.write(PHONE)
	desk.wait(16)
	for event in desk.all(records.DelayEvent):
		with pytest.raises(NotFound):
			objections.object_to_delay(desk.store, desk.actor(ALI), event.name, "not mine", desk.now)


# -- rows of days and months


def test_a_late_failure_marks_the_day_it_changes():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	message = desk.reply(name)
	desk.send()
	first = desk.store.rules().calendar.local_date(desk.now)
	kpi.rollup_dirty(desk.store, desk.now)
	desk.wait(2 * DAY)
	kpi.rollup_dirty(desk.store, desk.now)
	desk.status(message, "failed")
	assert first in desk.store.dirty_days(9)
	kpi.rollup_dirty(desk.store, desk.now)
	(row,) = [
		k
		for k in desk.all(records.AgentKpi)
		if (k.agent, k.start_date, k.period) == (MONA, first.isoformat(), "Daily")
	]
	assert (row.messages_sent, row.response_count) == (0, 0)


def test_a_late_failure_of_a_second_answer_marks_the_day_it_was_counted_on():
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.reply(name, body="one")
	second = desk.reply(name, body="two")
	desk.send()
	first = desk.store.rules().calendar.local_date(desk.now)
	desk.wait(2 * DAY)
	kpi.rollup_dirty(desk.store, desk.now)
	desk.status(second, "failed")
	assert first in desk.store.dirty_days(9)


@pytest.mark.parametrize("act", ["reply", "transfer", "assign", "reopen"])
def test_whatever_is_counted_marks_its_own_day(act):
	desk = Desk()
	desk.online(MONA)
	name = desk.write(PHONE)
	desk.wait(20)
	desk.online()
	if act == "reply":
		desk.reply(name)
	if act == "reopen":
		close(desk, name)
	desk.wait(DAY - 100 if act == "reopen" else DAY)
	kpi.rollup_dirty(desk.store, desk.now)
	if act == "reply":
		desk.reply(name)
	if act == "transfer":
		handed_to(desk, name, ALI)
	if act == "assign":
		desk.offline(MONA)
	if act == "reopen":
		actions.reopen(desk.store, MANAGER, name, desk.now)
	assert desk.store.rules().calendar.local_date(desk.now) in desk.store.dirty_days(9)


def test_online_time_of_days_adds_up_to_the_month_s_across_midnight():
	desk = Desk(start=cairo("2026-11-21 22:00") + 777)
	desk.online(MONA)
	kpi.rollup_dirty(desk.store, desk.now)
	desk.now = cairo("2026-11-23 01:00") + 333
	presence.set_presence(desk.store, Actor(), MONA, records.OFFLINE, desk.now)
	kpi.rollup_dirty(desk.store, desk.now)
	rows = [k for k in desk.all(records.AgentKpi) if k.agent == MONA]
	days = {k.start_date: k.online_time for k in rows if k.period == "Daily"}
	(month,) = [k.online_time for k in rows if k.period == "Monthly"]
	assert days == {"2026-11-21": 2 * 3600, "2026-11-22": 24 * 3600, "2026-11-23": 3600}
	assert month == sum(days.values())


def test_a_rollup_that_dies_between_day_and_month_leaves_the_day_dirty():
	desk = Desk()
	desk.online(MONA)
	desk.reply(desk.write(PHONE))
	days = desk.store.dirty_days(9)
	honest = desk.store.replace_kpi

	def dies(period, start, rows):
		honest(period, start, rows)
		if period == "Monthly":
			raise OSError("power cut")

	desk.store.replace_kpi = dies
	with pytest.raises(RowsFailed, match="OSError"):
		kpi.rollup_dirty(desk.store, desk.now)
	desk.store.replace_kpi = honest
	assert (desk.store.dirty_days(9), desk.all(records.AgentKpi)) == (days, [])
	kpi.rollup_dirty(desk.store, desk.now)
	assert {k.period for k in desk.all(records.AgentKpi)} == {"Daily", "Monthly"}


def test_the_month_is_made_from_facts_and_a_second_rollup_changes_nothing():
	desk = Desk(start=cairo("2026-11-21 20:00"))
	desk.online()
	for number in range(4):
		name = desk.write(f"+2010012345{number:02}")
		desk.wait(number * 6)
		desk.reply(name)
		desk.wait(8 * 60)
		close(desk, name)
	kpi.rollup_dirty(desk.store, desk.now)
	before = desk.all(records.AgentKpi)
	for day in {datetime.fromisoformat(k.start_date).date() for k in before}:
		kpi.rollup_day(desk.store, day, desk.now)
		kpi.rollup_month(desk.store, day, desk.now)
	assert desk.all(records.AgentKpi) == before
	for agent in (MONA, ALI):
		days = [k for k in before if (k.agent, k.period) == (agent, "Daily")]
		(month,) = [k for k in before if (k.agent, k.period) == (agent, "Monthly")]
		assert {f: getattr(month, f) for f in SUMS} == {f: sum(getattr(k, f) for k in days) for f in SUMS}
	assert sum(k.turns_answered for k in before if k.period == "Monthly") == 4
