"""What a page allows is done, and what it does not allow is refused: every verb, for everybody,
in every state of a ticket.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from unittest.mock import patch

import pytest

from khalifa_whatsapp.core import records, ticket_access
from khalifa_whatsapp.core.actor import Actor, actor_of
from khalifa_whatsapp.core.errors import NotFound, UserError
from khalifa_whatsapp.core.keys import digest, open_key
from khalifa_whatsapp.services.customers import new_holder
from khalifa_whatsapp.services.inbound.tickets import Tickets
from khalifa_whatsapp.services.outbound import answers, user_decisions
from khalifa_whatsapp.services.tickets import actions
from khalifa_whatsapp.services.tickets.notices import notify_owner
from khalifa_whatsapp.services.unit_of_work import working
from tests.services.harness import MANAGER, Desk

PHONE = "+201001234567"
BRANCHES = {"A0": "North", "A1": "South", "A2": "North", "A3": None}
ACCESS = {
	"no_such_ticket",
	"not_assigned",
	"not_your_ticket",
	"ticket_closed",
	"already_open",
	"only_managers_assign",
}


class Allowed(Exception):
	"""It came to writing."""


@pytest.fixture(scope="module")
def desk() -> Desk:
	desk = Desk(agents=5)
	for agent in desk.agents:
		desk.store.run(
			"UPDATE `tabKhalifa Agent` SET branch = ? WHERE name = ?", (BRANCHES.get(agent), agent)
		)
	desk.store.run("UPDATE `tabKhalifa Agent` SET enabled = 0 WHERE name = 'A4'")
	with working(desk.store, desk.now) as work:
		for ticket in tickets():
			work.add(records.Customer(ticket.customer, customer_name="C"))
			work.add(ticket)
			work.add(doubtful(ticket))
	return desk


def tickets() -> Iterator[records.Ticket]:
	"""Every combination, those that no use case makes as well."""
	states = (records.QUEUED, records.OPEN, records.PENDING, records.CLOSED)
	combinations = itertools.product(states, (None, "A0", "A1", "A4"), (None, "North", "South"), (0, 1))
	for number, (status, agent, branch, mark) in enumerate(combinations):
		ticket = records.Ticket(
			f"T{number}", f"C{number}", "desk", status, agent=agent, branch=branch, is_branch_only=mark
		)
		if status == records.CLOSED:
			ticket.closed_ms = 1
		else:
			ticket.open_key = open_key(ticket.customer, "desk")
		yield ticket


def doubtful(ticket: records.Ticket) -> records.Message:
	return records.Message(
		f"M-{ticket.name}",
		ticket.name,
		ticket.customer,
		"desk",
		records.OUTGOING,
		records.AGENT,
		"text",
		records.UNKNOWN,
		1,
		1,
		body="answer",
		message_key=digest("key", ticket.name),
	)


def people(desk: Desk) -> dict[str, Actor]:
	agents = {name: desk.actor(name) for name in desk.agents}
	boss = Actor("boss@example.com", "Boss", "A2", is_manager=True, branch="North")
	return {**agents, "manager": MANAGER, "manager who answers": boss, "nobody": Actor("x@example.com", "X")}


Verb = Callable[[Desk, Actor, records.Ticket], object]
# The right that a page shows, and what is asked of the server then
VERBS: list[tuple[str, Verb]] = [
	("see", lambda k, who, t: actions.mark_read(k.store, who, t.name, k.now)),
	("note", lambda k, who, t: answers.note(k.store, who, t.name, "n", k.now)),
	("reply", lambda k, who, t: answers.reply(k.store, who, t.name, "a", f"{t.name}{who.user}", k.now)),
	(
		"reply",
		lambda k, who, t: answers.react(
			k.store, who, t.name, f"M-{t.name}", "👍", f"r{t.name}{who.user}", k.now
		),
	),
	(
		"reply",
		lambda k, who, t: user_decisions.resend(k.store, who, f"M-{t.name}", f"s{t.name}{who.user}", k.now),
	),
	("reply", lambda k, who, t: new_holder.same_person(k.store, who, t.name, k.now)),
	("reply", lambda k, who, t: new_holder.new_person(k.store, who, t.name, k.now)),
	("settle", lambda k, who, t: user_decisions.settle(k.store, who, f"M-{t.name}", False, k.now)),
	(
		"transfer",
		lambda k, who, t: actions.transfer(k.store, who, t.name, k.now, "why", to_branch="South"),
	),
	("close", lambda k, who, t: actions.close(k.store, who, t.name, k.now)),
	("close", lambda k, who, t: actions.no_reply_needed(k.store, who, t.name, k.now)),
	("reopen", lambda k, who, t: actions.reopen(k.store, who, t.name, k.now)),
	("take", lambda k, who, t: actions.assign(k.store, who, t.name, who.agent or "A0", k.now)),
	(
		"give",
		lambda k, who, t: actions.assign(k.store, who, t.name, "A0" if who.agent == "A3" else "A3", k.now),
	),
]


def refusal(desk: Desk, verb: Verb, who: Actor, ticket: records.Ticket) -> str:
	"""Why it is not for this person; empty when it comes to writing, or is refused for what was asked."""
	with patch.object(desk.store, "save", side_effect=Allowed):
		try:
			verb(desk, who, ticket)
		except Allowed:
			return ""
		except UserError as error:
			return error.code if error.code in ACCESS else ""
	return ""


def expected(right: str, who: Actor, ticket: records.Ticket) -> bool:
	if right == "see":
		return bool(ticket_access.can_see(who, ticket))
	may = ticket_access.rights(who, ticket)
	if right == "give":
		return who.is_manager and ticket.status != records.CLOSED
	if right == "take" and who.is_manager:
		return ticket.status != records.CLOSED  # to whomever
	return getattr(may, right)


@pytest.mark.parametrize(
	"number", range(len(VERBS)), ids=[f"{n}-{right}" for n, (right, _) in enumerate(VERBS)]
)
def test_a_verb_does_what_the_page_says(desk: Desk, number: int) -> None:
	right, verb = VERBS[number]
	done = 0
	for (name, who), ticket in itertools.product(people(desk).items(), tickets()):
		code = refusal(desk, verb, who, ticket)
		assert (code == "") == expected(right, who, ticket), (right, name, ticket, code)
		done += code == ""
		is_secret = (
			not ticket.agent or ticket.status == records.CLOSED or not (who.is_agent or who.is_manager)
		)
		if is_secret and not ticket_access.can_see(who, ticket):
			assert code == "no_such_ticket", (right, name, ticket, code)
	assert done


@pytest.mark.parametrize(
	"verb", [verb for _, verb in VERBS], ids=[f"{n}-{right}" for n, (right, _) in enumerate(VERBS)]
)
def test_what_is_not_there_is_refused_as_what_may_not_be_seen(desk: Desk, verb: Verb) -> None:
	secret = next(
		t
		for t in tickets()
		if t.status == records.QUEUED and t.branch == "South" and t.is_branch_only and not t.agent
	)
	said = []
	for ticket in (secret, records.Ticket("T-none", "C-none", "desk")):
		with pytest.raises(NotFound) as error:
			verb(desk, desk.actor("A0"), ticket)
		said.append((error.value.code, error.value.text))
	assert said[0] == said[1] or {code for code, _ in said} == {"no_such_ticket", "no_such_message"}


def test_whoever_is_notified_of_a_ticket_holds_it_or_has_just_lost_it(desk: Desk) -> None:
	agents = [actor_of(agent) for agent in desk.store.agents(desk.agents).values()]
	for ticket, former in itertools.product(tickets(), (None, "A2", "A4")):
		del desk.notices[:]
		with working(desk.store, desk.now) as work:
			notify_owner(work, ticket, "changed", former)
		notified = {notice.user for notice in desk.notices if notice.user}
		holder = {who.user for who in agents if ticket_access.holds(who, ticket)}
		assert notified == holder | ({"A2@example.com"} if former == "A2" else set())


def test_of_what_is_queued_those_are_notified_who_are_here_and_see_it() -> None:
	desk = Desk(agents=5, capacity=0)  # nobody has room: then all who may take it by hand are told
	for agent in desk.agents:
		desk.store.run(
			"UPDATE `tabKhalifa Agent` SET branch = ?, presence = 'Online', heartbeat_ms = ?, "
			"enabled = ? WHERE name = ?",
			(BRANCHES.get(agent), desk.now, int(agent != "A4"), agent),
		)
	agents = [actor_of(agent) for agent in desk.store.agents(desk.agents).values()]
	queued = [ticket for ticket in tickets() if ticket.status == records.QUEUED and not ticket.agent]
	for ticket in queued:
		del desk.notices[:]
		with working(desk.store, desk.now) as work:
			Tickets(work, "desk").publish(ticket, "message")
		notified = {notice.user for notice in desk.notices if notice.user}
		assert notified == {who.user for who in agents if ticket_access.can_see(who, ticket)}, ticket
	assert len(queued) == 6
