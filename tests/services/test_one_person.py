"""One person has many names at gateways, and a number may change hands: who it is,
and whom an answer reaches.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.errors import Changed, NotAllowed, UserError
from khalifa_whatsapp.core.identity import Identity, parse_wid
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.customers import decisions, new_holder
from khalifa_whatsapp.services.outbound import answers
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.services.tickets import actions
from tests.services.harness import MANAGER, MINUTE, START, WireDesk, facts_of

OLD, NEW = parse_wid("201001234567@c.us"), parse_wid("201119876543@c.us")
LID = parse_wid("98765432109876@lid")
HIS, HERS = parse_wid("EG.90000000000000001"), parse_wid("EG.80000000000000008")
WINDOWED = base.Capabilities(
	has_window=True, has_templates=True, kinds=frozenset({"text", "template", "reaction"})
)


def at(seconds: float) -> int:
	return START + round(seconds * 1000)


def wrote(
	*sender: Identity, id: str, seconds: float = 0, body: str = "hello", name: str = "", **more
) -> base.InboundMessage:
	ref = more.pop("ref", None) or base.MessageRef(id)
	return base.InboundMessage(ref, sender, at(seconds), more.pop("kind", "text"), body, name, **more)


def web(
	chat: Identity, hex_id: str, seconds: float = 0, *also: Identity, name: str = ""
) -> base.InboundMessage:
	"""As WPPConnect has it: the sender's phone chose the id, which counts in its chat only."""
	server = "lid" if chat.kind == "lid" else "c.us"
	ref = base.MessageRef(hex_id, f"in|{chat.value.removeprefix('+')}@{server}")
	return wrote(chat, *also, id=hex_id, seconds=seconds, ref=ref, name=name)


def moved(old: Sequence[Identity], new: Sequence[Identity], seconds: float = 0) -> base.IdentityChange:
	return base.IdentityChange(tuple(old), tuple(new), at(seconds))


def reached(
	gateway_id: str, *recipient: Identity, status: str = "delivered", seconds: float = 0
) -> base.MessageStatus:
	return base.MessageStatus(base.MessageRef(gateway_id), status, at(seconds), recipient=recipient)


def desk_with(*events: base.Event) -> WireDesk:
	desk = WireDesk(agents=1, capacity=99)
	desk.online()
	desk.now += MINUTE
	for event in events:
		desk.receive(event)
	desk.assign()
	return desk


def people(desk: WireDesk) -> list[records.Customer]:
	return [one for one in desk.all(records.Customer) if not one.merged_into]


def open_tickets(desk: WireDesk) -> list[records.Ticket]:
	return [ticket for ticket in desk.all(records.Ticket) if ticket.open_key is not None]


def the_ticket(desk: WireDesk) -> records.Ticket:
	(ticket,) = open_tickets(desk)
	return ticket


def answer(desk: WireDesk, body: str = "answer", ticket: str | None = None) -> base.Outgoing:
	"""The agent answers in the one open ticket; what the gateway got."""
	desk.beat()
	desk.assign()
	message = desk.reply(ticket or the_ticket(desk).name, body=body)
	desk.send()
	assert desk.message(message.name).status == records.SENT
	return desk.driver.sent[-1]


def in_all_orders(events: Sequence[base.Event], make: Callable[[], WireDesk] = desk_with) -> WireDesk:
	"""Every order, one by one and all in one batch, ends in the same state; the last desk."""
	made = make()
	made.wait(20, scan=False)
	before = sqlite3.connect(":memory:")
	made.store._db.backup(before)
	expected = None
	for order in itertools.permutations(events):
		for at_once in (False, True):
			before.backup(made.store._db)
			for event in order:
				made.receive(event, take=not at_once)
			made.take()
			expected = expected or facts_of(made)
			assert facts_of(made) == expected, [(at_once, getattr(e, "ref", e)) for e in order]
	return made


# -- a number given up for another


def test_an_answer_never_goes_to_a_number_that_was_given_up():
	desk = desk_with(wrote(OLD, id="a"))
	desk.receive(moved([OLD], [NEW], 10))
	assert answer(desk).recipient == (NEW,)
	desk.receive(wrote(NEW, id="b", seconds=20))
	assert answer(desk).recipient == (NEW,)
	assert len(people(desk)) == 1
	assert "number_changed" in desk.events(the_ticket(desk).name)


def test_what_was_queued_or_tried_before_the_change_goes_to_the_new_number():
	desk = desk_with(wrote(OLD, id="a"))
	queued = desk.reply(the_ticket(desk).name, body="queued")
	desk.driver.failures.append(base.Retryable("down"))
	desk.send()
	desk.receive(moved([OLD], [NEW], 10))
	desk.wait(10, scan=False)
	desk.send()
	(sent,) = desk.driver.sent
	assert sent.recipient == (NEW,)
	(row,) = [row for row in desk.all(records.CustomerIdentity) if row.value == NEW.value]
	assert desk.message(queued.name).identity == row.name


def test_a_message_says_which_identity_it_goes_to():
	desk = desk_with(wrote(OLD, id="a"))
	names = {row.name: row.value for row in desk.all(records.CustomerIdentity)}
	assert names[desk.reply(the_ticket(desk).name).identity or ""] == OLD.value
	(incoming,) = [m for m in desk.all(records.Message) if m.direction == records.INCOMING]
	assert names[incoming.identity or ""] == OLD.value


def test_the_window_belongs_to_the_identity_that_wrote():
	desk = desk_with(wrote(OLD, id="a"))
	desk.receive(moved([OLD], [NEW], 10))
	ticket = the_ticket(desk).name
	with pytest.raises(UserError) as refusal:
		desk.reply(ticket, can=WINDOWED)
	assert refusal.value.code == "window_closed"
	template = Draft("hi", "template", data={"template": {"name": "t", "language": "ar"}})
	answers.send(desk.store, desk.actor("A0"), ticket, template, "k-t", desk.now, can=WINDOWED)
	desk.send()
	assert desk.driver.sent[-1].recipient == (NEW,)
	desk.receive(wrote(NEW, id="b", seconds=20))
	desk.reply(ticket, can=WINDOWED)


def test_a_text_queued_in_the_old_window_does_not_go_out_in_none():
	desk = desk_with(wrote(OLD, id="a"))
	desk.driver.capabilities = WINDOWED
	queued = desk.reply(the_ticket(desk).name, can=WINDOWED)
	desk.receive(moved([OLD], [NEW], 10))
	desk.send()
	assert (desk.driver.sent, desk.message(queued.name).error_kind) == ([], "window_closed")


def test_a_reaction_to_what_came_from_the_old_number_is_refused():
	desk = desk_with(wrote(OLD, id="a"))
	(incoming,) = [m for m in desk.all(records.Message) if m.direction == records.INCOMING]
	early = answers.react(desk.store, MANAGER, incoming.ticket, incoming.name, "👍", "r1", desk.now)
	desk.receive(moved([OLD], [NEW], 10))
	desk.send()
	assert (desk.driver.sent, desk.message(early.name).error_code) == ([], "number_left")
	with pytest.raises(UserError) as refusal:
		answers.react(desk.store, MANAGER, incoming.ticket, incoming.name, "👍", "r2", desk.now)
	assert refusal.value.code == "number_left"


def test_a_quote_of_another_chat_is_left_out():
	desk = desk_with(wrote(OLD, id="a"))
	(incoming,) = [m for m in desk.all(records.Message) if m.direction == records.INCOMING]
	desk.receive(moved([OLD], [NEW], 10), wrote(NEW, id="b", seconds=20))
	desk.reply(the_ticket(desk).name, reply_to=incoming.message_key)
	desk.send()
	assert (desk.driver.sent[-1].reply_to, desk.driver.sent[-1].recipient) == (None, (NEW,))


def test_a_new_number_that_is_another_customer_s_gets_nothing_unasked():
	"""Two customers that people know, and a gateway says that one has moved to the other's number:
	a manager is asked.
	"""
	desk = desk_with(wrote(OLD, id="a"), wrote(NEW, id="b"))
	note_on_all(desk)
	desk.receive(moved([OLD], [NEW], 10))
	assert len(people(desk)) == 2
	assert sorted(one.duplicate_state or "" for one in people(desk)) == ["", "Found"]
	first = next(ticket for ticket in open_tickets(desk) if ticket.name == "KT-000001")
	with pytest.raises(UserError) as refusal:
		desk.reply(first.name)
	assert refusal.value.code == "number_left"


def note_on_all(desk: WireDesk) -> None:
	desk.store.run("UPDATE `tabKhalifa Customer` SET notes = 'written by people'")


def test_somebody_who_had_the_new_number_long_before_is_not_merged_silently():
	desk = desk_with(wrote(NEW, id="b"))
	desk.now += 3 * 24 * 60 * MINUTE
	later = (desk.now - START) / 1000
	desk.receive(wrote(OLD, id="a", seconds=later), moved([OLD], [NEW], later))
	assert len(people(desk)) == 2
	assert "Found" in [one.duplicate_state for one in people(desk)]


def test_a_number_that_came_back_is_answered_again():
	desk = desk_with(wrote(OLD, id="a"), moved([OLD], [NEW], 10), moved([NEW], [OLD], 20))
	assert answer(desk).recipient == (OLD,)


def test_a_second_phone_that_people_linked_is_answered_when_it_wrote_last():
	desk = desk_with(wrote(OLD, id="a"))
	decisions.link_phone(desk.store, MANAGER, people(desk)[0].name, "01119876543", desk.now)
	assert answer(desk).recipient == (OLD,)
	desk.receive(wrote(NEW, id="b", seconds=10))
	assert answer(desk).recipient == (NEW,)
	desk.receive(wrote(OLD, id="c", seconds=20))
	assert answer(desk).recipient == (OLD,)
	assert "number_added" in desk.events(the_ticket(desk).name)


def test_a_second_phone_s_window_is_its_own():
	desk = desk_with(wrote(OLD, id="a"))
	decisions.link_phone(desk.store, MANAGER, people(desk)[0].name, "01119876543", desk.now)
	day = 24 * 60 * MINUTE
	desk.now += day - MINUTE
	desk.receive(wrote(NEW, id="b", seconds=(day - MINUTE) / 1000))
	desk.now += 2 * MINUTE
	desk.driver.capabilities = WINDOWED
	desk.reply(the_ticket(desk).name, can=WINDOWED)
	desk.send()
	assert desk.driver.sent[-1].recipient == (NEW,)


@pytest.mark.parametrize("times", [(0, 10, 20), (0, 20, 10), (10, 10, 10), (20, 10, 0)])
def test_a_change_of_number_ends_the_same_in_any_order(times):
	first, change, then = times
	desk = in_all_orders(
		[
			wrote(OLD, id="a", seconds=first, name="Sara"),
			moved([OLD], [NEW], change),
			wrote(NEW, id="b", seconds=then, name="Sara F"),
		]
	)
	assert (len(people(desk)), len(open_tickets(desk))) == (1, 1)
	assert answer(desk).recipient == (NEW,)


def test_a_change_with_user_ids_ends_the_same_in_any_order():
	desk = in_all_orders(
		[
			wrote(OLD, HERS, id="a", name="Sara"),
			moved([OLD, HERS], [NEW], 10),
			moved([HERS], [HIS], 11),
			wrote(NEW, HIS, id="b", seconds=20, name="Sara"),
		]
	)
	assert (len(people(desk)), len(open_tickets(desk))) == (1, 1)
	assert answer(desk).recipient == (NEW, HIS)
	with pytest.raises(Changed):
		new_holder.new_person(desk.store, MANAGER, the_ticket(desk).name, desk.now)


# -- a privacy id and a phone


def test_a_privacy_id_and_its_phone_end_as_one_in_any_order():
	desk = in_all_orders(
		[
			web(LID, "3A01", 0, name="Mona"),
			web(OLD, "3A01", 0, name="Mona"),
			web(LID, "3A02", 5, OLD, name="Mona"),
		]
	)
	assert (len(people(desk)), len(open_tickets(desk))) == (1, 1)
	assert sorted(m.gateway_id for m in desk.all(records.Message)) == ["3A01", "3A02"]
	assert {m.ticket for m in desk.all(records.Message)} == {the_ticket(desk).name}


def test_merging_ends_the_waits_that_it_makes_void():
	desk = desk_with(web(LID, "3A01"), web(OLD, "3A01"))
	desk.reply(next(t for t in open_tickets(desk)).name, agent="A0")
	desk.receive(web(LID, "3A02", 5, OLD))
	ticket = the_ticket(desk)
	assert ticket.waiting_since_ms == at(5)
	desk.reply(ticket.name)
	assert [t.name for t in desk.all(records.Turn) if t.ended_ms is None] == []


def test_a_double_of_an_answered_message_makes_nobody_wait():
	desk = desk_with(web(OLD, "3A01"), web(LID, "3A01"))
	first = next(t for t in open_tickets(desk) if t.name == "KT-000001")
	desk.reply(first.name)
	desk.receive(base.IdentityChange((LID,), (OLD,), at(5)))
	ticket = the_ticket(desk)
	assert (ticket.name, ticket.waiting_since_ms, ticket.status) == (first.name, None, records.PENDING)
	assert [t for t in desk.all(records.Turn) if t.ended_ms is None] == []
	assert sum(m.gateway_id == "3A01" for m in desk.all(records.Message)) == 1


def test_a_reaction_under_the_other_name_of_the_chat_finds_the_message_that_stayed():
	desk = desk_with(web(LID, "3A01"), web(OLD, "3A01"), web(LID, "3A02", 5, OLD))
	for chat in ("98765432109876@lid", "201001234567@c.us"):
		desk.receive(
			base.Reaction(
				base.MessageRef("3A01", f"in|{chat}"), "me", "👍" if "lid" in chat else "❤️", at(6 + len(chat))
			)
		)
		(message,) = [m for m in desk.all(records.Message) if m.gateway_id == "3A01"]
		assert message.reactions


def test_a_stranger_can_not_suppress_a_message_by_choosing_its_id():
	desk = desk_with(web(OLD, "3A01"), web(NEW, "3A01"), web(LID, "3A01"))
	assert len([m for m in desk.all(records.Message) if m.gateway_id == "3A01"]) == 3


def test_who_has_notes_is_merged_by_a_manager_only():
	desk = desk_with(web(LID, "3A01"))
	note_on_all(desk)
	desk.receive(web(OLD, "3A02", 1), web(LID, "3A03", 5, OLD))
	assert [one.duplicate_state for one in people(desk)].count("Found") == 1
	asked = next(one for one in people(desk) if one.duplicate_of)
	with pytest.raises(NotAllowed):
		decisions.keep_apart(desk.store, desk.actor("A0"), asked.name, desk.now)
	decisions.keep_apart(desk.store, MANAGER, asked.name, desk.now)
	desk.receive(web(LID, "3A04", 6, OLD))
	assert {one.duplicate_state for one in people(desk)} == {None, "Not a Duplicate"}
	decisions.merge(desk.store, MANAGER, asked.name, asked.duplicate_of or "", desk.now)
	assert (len(people(desk)), len(open_tickets(desk))) == (1, 1)
	assert people(desk)[0].duplicate_state is None


class Resolver:
	"""A gateway that may know whose a privacy id is."""

	def __init__(self, desk: WireDesk, *known: Identity) -> None:
		self.known, self.asked, self.failure = known, [], None
		desk.driver.resolve = self.resolve

	def resolve(self, identity: Identity) -> tuple[Identity, ...]:
		self.asked.append(identity)
		if self.failure:
			raise self.failure
		return self.known if identity in self.known else (identity,)


def test_the_gateway_is_asked_once_whose_a_privacy_id_is():
	desk = desk_with()
	gateway = Resolver(desk, OLD, LID)
	desk.receive(web(LID, "3A01"), web(OLD, "3A01"))
	desk.receive(web(LID, "3A02", 5))
	assert (len(people(desk)), len(open_tickets(desk)), gateway.asked) == (1, 1, [LID])
	assert sorted(m.gateway_id for m in desk.all(records.Message)) == ["3A01", "3A02"]
	assert people(desk)[0].phone == OLD.value


def test_a_privacy_id_that_nobody_knows_is_asked_for_once_a_day():
	desk = desk_with()
	gateway = Resolver(desk)
	for number in range(3):
		desk.receive(web(LID, f"3A0{number}", number))
	assert gateway.asked == [LID]
	desk.now += 25 * 60 * MINUTE
	desk.receive(web(LID, "3A09", 25 * 3600))
	assert gateway.asked == [LID, LID]


def test_a_gateway_that_gives_no_answer_holds_nothing_up():
	desk = desk_with()
	gateway = Resolver(desk)
	gateway.failure = base.Retryable("down")
	for number in range(3):
		desk.receive(web(LID, f"3A0{number}"), web(parse_wid(f"1234567890123{number}@lid"), "3B"), take=False)
	desk.take()
	assert (len(gateway.asked), len(desk.all(records.Message))) == (1, 6)


# -- names that come with statuses, answers and quotes


def test_a_status_shows_whom_the_message_reached():
	desk = desk_with(wrote(OLD, id="a"))
	answer(desk)
	desk.receive(reached("loop-out-1", OLD, HERS))
	desk.receive(wrote(HERS, id="b", seconds=50))
	assert (len(people(desk)), len(open_tickets(desk))) == (1, 1)


def test_statuses_and_hidden_numbers_end_the_same_in_any_order():
	def make() -> WireDesk:
		desk = desk_with(wrote(OLD, id="a", name="Sara"))
		answer(desk)
		return desk

	quote = wrote(HERS, id="b", seconds=50, reply_to=base.MessageRef("loop-out-1"))
	later = wrote(HERS, id="c", seconds=60)
	status = reached("loop-out-1", HERS, status="read", seconds=30)
	for events in ([quote, later], [status, later], [quote, later, status]):
		desk = in_all_orders(events, make)
		assert (len(people(desk)), len(open_tickets(desk))) == (1, 1)


def test_the_gateway_s_answer_to_a_send_shows_whom_it_reached():
	desk = desk_with(wrote(OLD, id="a"))
	plain = desk.driver.send
	desk.driver.send = lambda message: base.Accepted(plain(message).ref, recipient=(OLD, HERS))
	answer(desk)
	desk.receive(wrote(HERS, id="b", seconds=50))
	assert len(people(desk)) == 1


def test_a_quote_by_a_known_phone_makes_it_nobody_else():
	desk = desk_with(wrote(OLD, id="a"))
	answer(desk)
	desk.receive(wrote(NEW, id="b", seconds=50, reply_to=base.MessageRef("loop-out-1")))
	assert len(people(desk)) == 2


# -- two forms of one number


BRAZIL = parse_wid("5531988887777@c.us"), parse_wid("553188887777@c.us")
MEXICO = parse_wid("5215512345678@c.us"), parse_wid("525512345678@c.us")
ARGENTINA = parse_wid("5491123456789@c.us"), parse_wid("541123456789@c.us")


@pytest.mark.parametrize("forms", [BRAZIL, MEXICO, ARGENTINA])
def test_both_forms_of_a_number_are_one_customer_in_any_order(forms):
	echo = base.OutboundEcho(base.MessageRef("e", "out"), (forms[0],), at(0), "text", "typed")
	desk = in_all_orders(
		[
			echo,
			wrote(forms[1], id="a", seconds=1, name="Ana"),
			wrote(forms[0], id="b", seconds=2, name="Ana M"),
		]
	)
	assert (len(people(desk)), len(open_tickets(desk))) == (1, 1)
	assert {row.value for row in desk.all(records.CustomerIdentity)} == {form.value for form in forms}
	assert answer(desk).recipient[0] == forms[0]


def test_a_landline_of_brazil_is_nobody_s_mobile():
	desk = desk_with(
		wrote(parse_wid("553138887777@c.us"), id="a"), wrote(parse_wid("5531938887777@c.us"), id="b")
	)
	assert len(people(desk)) == 2


def test_a_form_that_the_gateway_answers_with_is_kept_beside_the_number():
	desk = desk_with(wrote(BRAZIL[0], id="a"))
	plain = desk.driver.send
	desk.driver.send = lambda message: base.Accepted(plain(message).ref, recipient=(BRAZIL[1],))
	answer(desk)
	assert {row.value for row in desk.all(records.CustomerIdentity)} == {form.value for form in BRAZIL}
	assert {row.customer for row in desk.all(records.CustomerIdentity)} == {people(desk)[0].name}


# -- a number with a new holder


def with_new_holder() -> WireDesk:
	desk = desk_with(wrote(OLD, HERS, id="a", name="Sara"))
	answer(desk, "to her")
	desk.wait(10, scan=False)
	desk.receive(wrote(OLD, HIS, id="b", seconds=600, body="who are you?", name="Hany"))
	desk.assign()
	return desk


def test_a_number_that_comes_with_another_user_id_is_said_and_nothing_is_guessed():
	desk = with_new_holder()
	ticket = the_ticket(desk)
	assert desk.events(ticket.name).count("other_account") == 1
	assert (len(people(desk)), ticket.customer_name) == (1, "Sara")
	desk.receive(wrote(OLD, HIS, id="c", seconds=610))
	assert desk.events(ticket.name).count("other_account") == 1
	assert answer(desk).recipient == (OLD,)
	desk.receive(wrote(HERS, id="d", seconds=620))
	assert answer(desk).recipient == (HERS,)


def test_a_new_person_gets_the_number_and_what_was_said_since():
	desk = with_new_holder()
	former = the_ticket(desk)
	ticket = new_holder.new_person(desk.store, desk.actor("A0"), former.name, desk.now)
	assert ticket.name != former.name
	newcomer, old = (desk.store.customers([name])[name] for name in (ticket.customer, former.customer))
	assert (newcomer.customer_name, newcomer.phone, old.customer_name, old.phone) == (
		"Hany",
		OLD.value,
		"Sara",
		None,
	)
	bodies = {
		t.name: [m.body for m in desk.all(records.Message) if m.ticket == t.name] for t in (former, ticket)
	}
	assert bodies == {former.name: ["hello", "to her"], ticket.name: ["who are you?"]}
	assert {m.customer for m in desk.all(records.Message) if m.ticket == ticket.name} == {ticket.customer}
	assert (desk.ticket(former.name).status, desk.ticket(former.name).turn) == (records.CLOSED, None)
	assert (desk.ticket(ticket.name).waiting_since_ms, desk.ticket(ticket.name).agent) == (
		at(600),
		former.agent,
	)
	assert answer(desk).recipient == (OLD, HIS)
	desk.receive(wrote(OLD, HERS, id="late", seconds=5), wrote(OLD, HIS, id="e", seconds=700))
	assert [m.customer for m in desk.all(records.Message) if m.gateway_id in ("late", "e")] == [
		former.customer,
		ticket.customer,
	]


def test_an_answer_given_before_the_new_holder_s_message_came_in_stays_with_the_former_one():
	desk = desk_with(wrote(OLD, HERS, id="a", name="Sara"))
	desk.now += 2 * MINUTE
	answer(desk, "meant for Sara")
	desk.now += MINUTE
	desk.receive(wrote(OLD, HIS, id="b", seconds=90, name="Hany"))
	former = the_ticket(desk).name
	ticket = new_holder.new_person(desk.store, MANAGER, former, desk.now)
	assert [m.ticket for m in desk.all(records.Message) if m.body == "meant for Sara"] == [former]
	assert [m.gateway_id for m in desk.all(records.Message) if m.ticket == ticket.name] == ["b"]


def test_a_ticket_that_only_the_new_holder_wrote_in_moves_whole():
	desk = desk_with(wrote(OLD, HERS, id="a", name="Sara"))
	first = the_ticket(desk).name
	actions.close(desk.store, MANAGER, first, desk.now)
	desk.now += 60 * 24 * 60 * MINUTE
	later = (desk.now - START) / 1000
	desk.receive(wrote(OLD, HIS, id="b", seconds=later, name="Hany"))
	desk.assign()
	ticket = the_ticket(desk)
	moved_ticket = new_holder.new_person(desk.store, MANAGER, ticket.name, desk.now)
	assert (moved_ticket.name, desk.ticket(first).customer != moved_ticket.customer) == (ticket.name, True)
	assert desk.ticket(ticket.name).customer_name == "Hany"
	assert {t.customer for t in desk.all(records.Turn) if t.ticket == ticket.name} == {moved_ticket.customer}


def test_the_same_person_with_a_new_user_id_is_asked_for_once():
	desk = with_new_holder()
	ticket = the_ticket(desk)
	new_holder.same_person(desk.store, desk.actor("A0"), ticket.name, desk.now)
	desk.receive(wrote(OLD, HIS, id="c", seconds=610, name="Sara again"))
	assert (desk.ticket(ticket.name).customer_name, len(people(desk))) == ("Sara again", 1)
	assert desk.events(ticket.name)[-1] == "same_person"
	with pytest.raises(Changed):
		new_holder.same_person(desk.store, MANAGER, ticket.name, desk.now)


def test_a_gateway_that_says_who_had_the_id_before_leaves_no_question():
	desk = in_all_orders(
		[
			wrote(OLD, HERS, id="a", name="Sara"),
			moved([HERS], [HIS], 10),
			wrote(OLD, HIS, id="b", seconds=20, name="Sara"),
		]
	)
	with pytest.raises(Changed):
		new_holder.new_person(desk.store, MANAGER, the_ticket(desk).name, desk.now)


def test_somebody_who_writes_from_a_number_that_was_given_up_is_a_question():
	desk = desk_with(wrote(OLD, id="a"), moved([OLD], [NEW], 10), wrote(OLD, id="b", seconds=20))
	ticket = the_ticket(desk)
	assert "other_account" in desk.events(ticket.name)
	assert answer(desk).recipient == (NEW,)
	other = new_holder.new_person(desk.store, desk.actor("A0"), ticket.name, desk.now)
	assert desk.store.customers([other.customer])[other.customer].phone == OLD.value
	assert desk.store.customers([ticket.customer])[ticket.customer].phone == NEW.value
	assert answer(desk, ticket=other.name).recipient == (OLD,)


def test_new_holders_are_the_same_in_any_order():
	in_all_orders(
		[
			wrote(OLD, HERS, id="a", name="Sara"),
			wrote(OLD, HIS, id="b", seconds=600, name="Hany"),
			wrote(HERS, id="c", seconds=610),
		]
	)


def test_what_was_meant_for_the_former_holder_is_not_sent_to_the_new_one():
	desk = with_new_holder()
	desk.assign()
	former = the_ticket(desk)
	early = desk.reply(former.name, body="your prescription")
	desk.store.run(
		"UPDATE `tabKhalifa Message` SET sent_ms = ?, received_ms = ? WHERE name = ?",
		(at(5), at(5), early.name),
	)
	new_holder.new_person(desk.store, MANAGER, former.name, desk.now)
	desk.send()
	assert desk.message(early.name).error_code == "number_left"
	assert [sent.body for sent in desk.driver.sent] == ["to her"]


# -- reactions and names


def test_a_reaction_taken_back_under_another_id_is_taken_back():
	for puts, takes in (((OLD, HERS), (HERS,)), ((HERS,), (OLD, HERS))):
		desk = desk_with(wrote(OLD, HERS, id="a"))
		events = [
			base.Reaction(base.MessageRef("a"), puts[0].key, "👍", at(1)),
			base.Reaction(base.MessageRef("a"), takes[0].key, "", at(2)),
		]
		in_all_orders(events, lambda made=desk: made)
		assert [m.reactions for m in desk.all(records.Message)] == [None]


def test_the_latest_profile_name_counts_in_any_order():
	names = [
		wrote(OLD, id=f"m{n}", seconds=n, name=name) for n, name in enumerate(["Sara", "Sara F", "", "سارة"])
	]
	desk = in_all_orders(names)
	assert people(desk)[0].customer_name == the_ticket(desk).customer_name == "سارة"


def test_a_name_that_people_gave_stays():
	desk = desk_with(wrote(OLD, id="a"))
	desk.store.run("UPDATE `tabKhalifa Customer` SET customer_name = 'Mrs Sara of Zamalek'")
	desk.receive(wrote(OLD, id="b", seconds=1, name="SaRa"))
	assert people(desk)[0].customer_name == "Mrs Sara of Zamalek"


def test_a_ticket_that_holds_only_echoes_carries_the_customer_s_name_in_any_order():
	echo = base.OutboundEcho(base.MessageRef("e", "out"), (OLD,), at(0), "text", "typed")
	desk = in_all_orders(
		[echo, wrote(OLD, id="a", seconds=1, name="Sara"), wrote(OLD, id="b", seconds=2, name="Sara F")]
	)
	assert the_ticket(desk).customer_name == "Sara F"


def test_tickets_of_other_numbers_follow_the_name():
	desk = desk_with(base.OutboundEcho(base.MessageRef("e", "out"), (OLD,), at(0), "text", "typed"))
	desk.store.run("UPDATE `tabKhalifa Ticket` SET device = 'other', open_key = 'other'")
	desk.receive(wrote(OLD, id="a", seconds=1, name="Sara"))
	assert {ticket.customer_name for ticket in desk.all(records.Ticket)} == {"Sara"}


# -- generated lives

BEFORE, AFTER = [(OLD, HERS), (OLD,), (HERS,)], [(NEW, HIS), (NEW,), (HIS,)]


@st.composite
def lives(draw: st.DrawFn) -> list[base.Event]:
	"""A customer writes, shows or hides the number, moves to another, and is reached;
	a gateway tells all of it, or less.
	"""
	names = st.sampled_from(["Sara", "Sara F", ""])
	events: list[base.Event] = []
	for number in range(draw(st.integers(1, 3))):
		sender = draw(st.sampled_from(BEFORE))
		events.append(wrote(*sender, id=f"b{number}", seconds=number, name=draw(names)))
	if draw(st.booleans()):
		events.append(reached("loop-out-1", OLD, HERS, seconds=5))
	if draw(st.booleans()):
		events.append(moved([OLD, HERS] if draw(st.booleans()) else [OLD], [NEW], 10))
		if draw(st.booleans()):
			events.append(moved([HERS], [HIS], 11))
		for number in range(draw(st.integers(0, 2))):
			sender = draw(st.sampled_from(AFTER))
			events.append(wrote(*sender, id=f"a{number}", seconds=20 + number, name=draw(names)))
	if draw(st.booleans()):
		events.append(
			base.OutboundEcho(
				base.MessageRef("e"), (draw(st.sampled_from([OLD, HERS])),), at(6), "text", "typed"
			)
		)
	return events


@settings(max_examples=150, deadline=None)
@given(lives(), st.integers(0, 2**32), st.booleans())
def test_a_life_in_any_order_and_twice_ends_the_same(events, seed, at_once):
	rng = random.Random(seed)

	def outcome(order: Sequence[base.Event], take: bool) -> str:
		desk = desk_with(wrote(OLD, id="first"))
		answer(desk)
		desk.wait(20, scan=False)
		for event in order:
			desk.receive(event, take=take)
		desk.take()
		return facts_of(desk)

	shuffled = [*events, *rng.choices(events, k=len(events) // 2)]
	rng.shuffle(shuffled)
	assert outcome(shuffled, not at_once) == outcome(events, True)


def test_after_two_became_one_an_echo_of_the_same_batch_still_settles_what_was_in_doubt() -> None:
	desk = desk_with(wrote(LID, id="by-id"))
	desk.driver.failures.append(base.UnknownOutcome("?"))
	message = desk.reply(the_ticket(desk).name, body="on its way")
	desk.send()
	desk.receive(wrote(OLD, id="by-number", seconds=61))
	desk.receive(
		base.OutboundEcho(base.MessageRef("typed"), (OLD,), at(62), "text", "by hand"),
		wrote(OLD, LID, id="both", seconds=63),
		base.OutboundEcho(base.MessageRef("sent"), (OLD,), at(64), "text", "on its way"),
	)
	assert len(people(desk)) == 1
	assert (desk.message(message.name).status, desk.message(message.name).gateway_id) == (
		records.SENT,
		"sent",
	)
	assert [m.body for m in desk.all(records.Message) if m.origin == records.PHONE] == ["by hand"]
