"""The main job, end to end on the embedded store: a message becomes a ticket, an agent,
an answer, a measure.
"""

from __future__ import annotations

import pytest

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.errors import Changed, NotAllowed, NotFound, UserError
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services import kpi
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.services.tickets import actions, presence
from tests.services.harness import MANAGER, START, Desk

PHONE, OTHER = "+201001234567", "+201119876543"


def test_a_message_becomes_a_ticket_with_an_agent_an_answer_and_a_measure():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE, "عايز أعرف السعر")
	ticket = desk.ticket(name)
	assert (ticket.status, ticket.agent in desk.agents) == (records.OPEN, True)
	assert ticket.preview == "عايز أعرف السعر"
	desk.wait(4)
	message = desk.reply(name, body="أهلاً بك")
	assert desk.send().sent == 1
	assert desk.message(message.name).status == records.SENT
	assert [sent.body for sent in desk.driver.sent] == ["أهلاً بك"]
	desk.status(message, "read")
	desk.status(message, "delivered")
	assert desk.message(message.name).status == records.READ
	turn = desk.all(records.Turn)[0]
	assert (turn.outcome, turn.biz_time, turn.answered_by) == (records.ANSWERED, 240, ticket.agent)
	actions.close(desk.store, desk.actor(ticket.agent), name, desk.now)
	kpi.rollup_today(desk.store, desk.now)
	row = next(row for row in desk.all(records.AgentKpi) if row.agent == ticket.agent)
	assert (row.turns_answered, row.first_response_sum, row.tickets_resolved, row.messages_sent) == (
		1,
		240,
		1,
		1,
	)
	assert desk.events(name) == ["created", "assigned", "closed"]


def test_the_same_webhook_event_again_changes_nothing():
	desk = Desk()
	desk.online()
	desk.write(PHONE, gateway_id="same")
	before = desk.ticket_of(PHONE)
	desk.write(PHONE, gateway_id="same", at=START)
	assert desk.ticket_of(PHONE) == before
	assert len(desk.all(records.Message)) == 1


def test_tickets_go_to_the_least_loaded_and_wait_when_all_are_full():
	desk = Desk(agents=2, capacity=1)
	desk.online()
	held = {desk.ticket(desk.write(f"+20100123456{n}")).agent for n in range(2)}
	assert held == set(desk.agents)
	waiting = desk.write("+201001234569")
	assert desk.ticket(waiting).status == records.QUEUED
	first = desk.ticket_of("+201001234560")
	actions.close(desk.store, desk.actor(first.agent), first.name, desk.now)
	desk.assign()
	assert desk.ticket(waiting).agent == first.agent


def test_an_agent_who_comes_online_gets_no_more_than_fits():
	desk = Desk(agents=1, capacity=2)
	for number in range(4):
		desk.write(f"+20100123456{number}")
	desk.online()
	assert [t.status for t in desk.all(records.Ticket)] == [
		records.OPEN,
		records.OPEN,
		records.QUEUED,
		records.QUEUED,
	]


def test_who_writes_to_an_absent_agent_waits_in_the_queue_and_the_history_says_why():
	desk = Desk(agents=1)
	desk.online()
	name = desk.write(PHONE)
	desk.reply(name)
	desk.offline("A0")
	assert desk.ticket(name).agent == "A0"
	desk.write(PHONE, "one more thing")
	assert (desk.ticket(name).status, desk.ticket(name).agent) == (records.QUEUED, None)
	assert desk.events(name) == ["created", "assigned", "requeued"]


def test_an_agent_takes_from_the_own_branch_s_queue_only():
	desk = Desk(agents=2)
	desk.store.run("UPDATE `tabKhalifa Agent` SET branch = CASE name WHEN 'A0' THEN 'North' ELSE 'South' END")
	desk.online("A0")
	name = desk.write(PHONE)
	_transfer(desk, name, to_branch="South")
	presence.set_presence(desk.store, Actor(), "A1", records.ONLINE, desk.now)
	with pytest.raises(NotFound):
		actions.assign(desk.store, desk.actor("A0"), name, "A0", desk.now)
	assert actions.assign(desk.store, desk.actor("A1"), name, "A1", desk.now).agent == "A1"


def test_the_customer_goes_back_to_the_agent_who_knows_him():
	desk = Desk(agents=3)
	desk.online()
	name = desk.write(PHONE)
	agent = desk.ticket(name).agent
	for number in range(3):
		desk.write(f"+20111987654{number}")
	actions.close(desk.store, desk.actor(agent), name, desk.now)
	desk.wait(25 * 60)
	fresh = desk.write(PHONE)
	assert fresh != name
	assert desk.ticket(fresh).agent == agent


def test_a_closed_ticket_opens_again_within_the_window_only():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	actions.close(desk.store, MANAGER, name, desk.now)
	desk.wait(23 * 60)
	assert desk.write(PHONE) == name
	assert (desk.ticket(name).cycle, desk.ticket(name).resolved_for) == (2, None)
	actions.close(desk.store, MANAGER, name, desk.now)
	desk.wait(24 * 60 + 1)
	assert desk.write(PHONE) != name


def test_going_offline_gives_waiting_tickets_back_with_their_time():
	desk = Desk(agents=2)
	desk.online("A0")
	name = desk.write(PHONE)
	desk.wait(5)
	desk.offline("A0")
	ticket = desk.ticket(name)
	assert (ticket.status, ticket.agent, ticket.queue_rank, ticket.waiting_since_ms) == (
		records.QUEUED,
		None,
		0,
		START,
	)
	desk.wait(2)
	desk.online("A1")
	assert desk.ticket(name).agent == "A1"
	segments = sorted(desk.all(records.Segment), key=lambda s: (s.from_ms, s.name))
	assert [s.agent for s in segments if s.to_ms != s.from_ms] == ["A0", None, "A1"]


def test_a_delay_is_charged_to_the_agent_and_stays():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	agent = desk.ticket(name).agent
	desk.wait(11)
	assert [s.level for s in desk.all(records.Segment) if s.agent] == [1]
	desk.wait(5)
	kinds = {(e.kind, e.agent) for e in desk.all(records.DelayEvent)}
	assert kinds == {("Agent", agent), ("Customer", None)}
	desk.reply(name)
	assert all(e.closed_ms == desk.now for e in desk.all(records.DelayEvent))
	assert {e.at_ms for e in desk.all(records.DelayEvent)} == {START + 15 * 60_000}


def test_a_manager_answers_on_behalf_and_both_names_are_kept():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	agent = desk.ticket(name).agent
	desk.wait(12)
	message = answers.reply(desk.store, MANAGER, name, "معك المدير", "m1", desk.now)
	assert (message.sender, message.on_behalf_of, message.agent) == (MANAGER.user, agent, None)
	kpi.rollup_today(desk.store, desk.now)
	row = next(row for row in desk.all(records.AgentKpi) if row.agent == agent)
	assert (row.response_count, row.rescues, row.delays) == (0, 1, 0)
	assert desk.ticket(name).agent == agent


def test_an_answer_that_fails_opens_the_wait_again_from_its_start():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	desk.wait(3)
	message = desk.reply(name)
	desk.driver.failures.append(base.RecipientError("not on WhatsApp", code="131026"))
	desk.wait(2)
	assert desk.send().failed == 1
	assert desk.message(message.name).error_code == "131026"
	ticket = desk.ticket(name)
	assert (ticket.status, ticket.waiting_since_ms) == (records.OPEN, START)
	held = [(s.from_ms, s.to_ms, s.end_reason) for s in desk.all(records.Segment) if s.agent]
	assert sorted(held) == [(START, START + 3 * 60_000, "answer_failed"), (desk.now, None, None)]


def test_what_nobody_knows_is_unknown_until_a_status_shows():
	desk = Desk()
	desk.online()
	message = desk.reply(desk.write(PHONE))
	desk.driver.failures.append(base.UnknownOutcome("timed out"))
	assert desk.send().unknown == 1
	assert desk.send().sent == 0
	desk.deliver(
		{
			"type": "status",
			"id": "late-id",
			"status": "delivered",
			"at_ms": desk.now,
			"callback": message.name,
		}
	)
	assert (desk.message(message.name).status, desk.message(message.name).gateway_id) == (
		records.DELIVERED,
		"late-id",
	)


def test_a_status_that_comes_before_its_message_is_kept_for_it():
	desk = Desk()
	desk.online()
	message = desk.reply(desk.write(PHONE))
	desk.deliver({"type": "status", "id": "loop-out-1", "status": "read", "at_ms": desk.now})
	desk.send()
	assert desk.message(message.name).status == records.READ


@pytest.mark.parametrize(
	("act", "error", "code"),
	[
		(lambda k, t: k.reply(t, body=""), UserError, "empty_text"),
		(lambda k, t: k.reply(t, body=" \n"), UserError, "empty_text"),
		(lambda k, t: k.reply(t, body="x" * 100_000), UserError, "text_too_long"),
		(lambda k, t: k.reply(t, agent=_other(k, t)), NotAllowed, "not_your_ticket"),
		(lambda k, t: k.reply("KT-999999", agent="A0"), NotFound, "no_such_ticket"),
		(lambda k, t: _transfer(k, t, to_agent="nobody"), NotFound, "no_such_agent"),
		(lambda k, t: _transfer(k, t, to_agent="A2"), UserError, "agent_offline"),
		(lambda k, t: _transfer(k, t, to_agent="A1", reason=" "), UserError, "no_reason"),
		(lambda k, t: _transfer(k, t, reason="why"), UserError, "no_receiver"),
		(lambda k, t: _transfer(k, t, to_branch="West"), NotFound, "no_such_branch"),
		(
			lambda k, t: actions.close(k.store, k.actor(_other(k, t)), t, k.now),
			NotAllowed,
			"not_your_ticket",
		),
		(
			lambda k, t: actions.assign(k.store, k.actor("A1"), t, "A1", k.now),
			NotAllowed,
			"only_managers_assign",
		),
		(
			lambda k, t: answers.note(k.store, k.actor(_other(k, t)), t, "n", k.now),
			NotFound,
			"no_such_ticket",
		),
		(lambda k, t: actions.reopen(k.store, MANAGER, t, k.now), UserError, "already_open"),
	],
)
def test_what_can_not_be_done_is_refused_with_a_text_and_changes_nothing(act, error, code):
	desk = Desk(agents=3)
	desk.online("A0", "A1")
	name = desk.write(PHONE)
	before = (
		desk.store.rows("SELECT COUNT(*) FROM `tabKhalifa Message`"),
		desk.ticket(name),
		desk.events(name),
	)
	with pytest.raises(error) as refusal:
		act(desk, name)
	assert refusal.value.code == code
	assert str(refusal.value)
	after = desk.store.rows("SELECT COUNT(*) FROM `tabKhalifa Message`"), desk.ticket(name), desk.events(name)
	assert after == before


def _other(desk, ticket):
	return next(name for name in ("A0", "A1") if name != desk.ticket(ticket).agent)


def _transfer(desk, ticket, reason="why", **to):
	return actions.transfer(desk.store, desk.actor(desk.ticket(ticket).agent), ticket, desk.now, reason, **to)


def test_a_full_agent_takes_no_transfer_but_a_manager_may_insist():
	desk = Desk(agents=2, capacity=1)
	desk.online()
	one, two = desk.write(PHONE), desk.write(OTHER)
	target = desk.ticket(two).agent
	with pytest.raises(UserError) as refusal:
		_transfer(desk, one, to_agent=target)
	assert refusal.value.code == "agent_full"
	actions.transfer(desk.store, MANAGER, one, desk.now, "urgent", to_agent=target)
	assert desk.ticket(one).agent == target


def test_a_reply_to_a_closed_ticket_is_refused():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	agent = desk.ticket(name).agent
	actions.close(desk.store, MANAGER, name, desk.now)
	with pytest.raises(Changed) as refusal:
		desk.reply(name, agent=agent)
	assert refusal.value.code == "ticket_closed"


def test_a_colleague_who_answered_meanwhile_stops_the_second_answer():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	seen = desk.now
	desk.wait(1)
	answers.reply(desk.store, MANAGER, name, "first", "m1", desk.now)
	with pytest.raises(Changed) as refusal:
		desk.reply(name, seen_ms=seen)
	assert refusal.value.code == "answered_meanwhile"


def test_a_double_click_makes_one_message():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	one = desk.reply(name, key="click")
	two = desk.reply(name, key="click")
	assert one.name == two.name
	assert desk.send().sent == 1


def test_a_transfer_to_a_branch_waits_for_that_branch():
	desk = Desk(agents=2)
	desk.online()
	name = desk.write(PHONE)
	_transfer(desk, name, to_branch="South")
	desk.assign()
	assert (desk.ticket(name).status, desk.ticket(name).branch) == (records.QUEUED, "South")
	agent = desk.store.agent("A1")
	desk.store.run("UPDATE `tabKhalifa Agent` SET branch = 'South' WHERE name = 'A1'")
	assert agent is not None
	desk.assign()
	assert desk.ticket(name).agent == "A1"


def test_the_system_may_set_presence_but_an_agent_only_his_own():
	desk = Desk()
	with pytest.raises(NotFound):
		presence.set_presence(
			desk.store, Actor("A0@example.com", "Agent A0", "A0"), "A1", records.ONLINE, desk.now
		)
	with pytest.raises(UserError):
		presence.set_presence(desk.store, MANAGER, "A1", "Sleeping", desk.now)


def test_a_conversation_closed_on_an_answer_that_never_arrived_is_open_again():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	agent = desk.ticket(name).agent
	message = desk.reply(name)
	desk.send()
	actions.close(desk.store, desk.actor(agent), name, desk.now)
	desk.wait(2)
	desk.status(message, "failed")
	ticket = desk.ticket(name)
	assert (ticket.status, ticket.agent, ticket.waiting_since_ms, ticket.resolved_for) == (
		records.OPEN,
		agent,
		START,
		None,
	)
	assert desk.events(name)[-2:] == ["closed", "reopened"]


def test_it_stays_closed_when_the_customer_has_a_newer_conversation():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	message = desk.reply(name)
	desk.send()
	actions.close(desk.store, MANAGER, name, desk.now)
	desk.wait(25 * 60)
	newer = desk.write(PHONE)
	desk.status(message, "failed")
	assert (desk.ticket(name).status, desk.ticket(newer).open_key is not None) == (records.CLOSED, True)


def test_a_customer_s_delay_says_at_once_where_the_time_went():
	desk = Desk()
	desk.write(PHONE)
	desk.wait(16)
	assert [(e.kind, e.cause) for e in desk.all(records.DelayEvent)] == [("Customer", "Queue")]


def test_the_wait_that_a_closing_gave_up_goes_on_with_the_one_whose_answer_failed():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	message = desk.reply(name)
	desk.send()
	desk.wait(1)
	desk.write(PHONE, "and?")
	actions.close(desk.store, MANAGER, name, desk.now)
	desk.status(message, "failed")
	assert (desk.ticket(name).status, desk.ticket(name).waiting_since_ms) == (records.OPEN, START)
	assert sorted(str(turn.outcome) for turn in desk.all(records.Turn)) == ["None", "joined"]


def test_spam_stays_closed_whatever_becomes_of_an_answer_to_it():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	message = desk.reply(name)
	desk.send()
	actions.close(desk.store, MANAGER, name, desk.now, "spam")
	desk.status(message, "failed")
	assert desk.ticket(name).status == records.CLOSED


def test_the_tickets_of_an_agent_who_was_disabled_are_given_back():
	from khalifa_whatsapp.services.tickets import presence

	desk = Desk(agents=2)
	desk.online("A0")
	name = desk.write(PHONE)
	desk.store.run("UPDATE `tabKhalifa Agent` SET enabled = 0 WHERE name = 'A0'")
	assert presence.sweep(desk.store, desk.now) == 1
	desk.online("A1")
	assert desk.ticket(name).agent == "A1"


def test_tickets_kept_for_an_absent_branch_do_not_stand_in_the_way_of_others():
	from khalifa_whatsapp.services.tickets import assignment

	desk = Desk(agents=1, capacity=9)
	blocked = [desk.write(f"+2010012345{number:02d}") for number in range(4)]
	for name in blocked:
		actions.transfer(desk.store, MANAGER, name, desk.now, "theirs", to_branch="South")
	other = desk.write(OTHER)
	before, assignment.BATCH = assignment.BATCH, 3
	desk.online()
	assignment.BATCH = before
	assert desk.ticket(other).agent == "A0"
	assert {desk.ticket(name).status for name in blocked} == {records.QUEUED}


def test_an_agent_who_leaves_while_tickets_are_handed_out_is_not_brought_back():
	desk = Desk(agents=2)
	desk.online()
	stale = desk.store.roster()
	desk.offline("A0")
	name = desk.write(PHONE)
	desk.store.run("UPDATE `tabKhalifa Ticket` SET status = 'Queued', agent = NULL, agent_name = NULL")
	honest, desk.store.roster = desk.store.roster, lambda: stale
	desk.assign()
	desk.store.roster = honest
	assert desk.ticket(name).agent == "A1"
	assert desk.store.agent("A0").presence == records.OFFLINE
