"""One person, several identities."""

import pytest

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.errors import NotAllowed, UserError
from khalifa_whatsapp.services.customers import decisions
from tests.services.harness import MANAGER, START, Desk

PHONE, OTHER = "+201001234567", "+201119876543"


def test_a_linked_phone_leads_to_the_same_customer():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	decisions.link_phone(desk.store, MANAGER, desk.ticket(name).customer, "01119876543", desk.now)
	desk.keys += 1
	desk.deliver(
		{"type": "message", "id": "x", "from": OTHER, "text": "me again", "at_ms": desk.now, "name": ""}
	)
	assert {m.ticket for m in desk.all(records.Message)} == {name}


def test_a_phone_of_somebody_else_is_not_linked():
	desk = Desk()
	one, other = desk.ticket(desk.write(PHONE)).customer, desk.write(OTHER)
	with pytest.raises(UserError) as refusal:
		decisions.link_phone(desk.store, MANAGER, one, OTHER, desk.now)
	assert (refusal.value.code, desk.ticket(other).customer != one) == ("phone_of_other", True)


@pytest.mark.parametrize("text", ["", "abc", "19123", "0100 123 4567 / 0111 987 6543"])
def test_what_is_no_phone_is_refused_with_a_text(text):
	desk = Desk()
	customer = desk.ticket(desk.write(PHONE)).customer
	with pytest.raises(UserError) as refusal:
		decisions.link_phone(desk.store, MANAGER, customer, text, desk.now)
	assert str(refusal.value)


def test_merging_keeps_one_open_ticket_and_the_longer_wait():
	desk = Desk()
	desk.online()
	first = desk.write(PHONE)
	desk.wait(5)
	second = desk.write(OTHER)
	source, target = desk.ticket(first).customer, desk.ticket(second).customer
	decisions.merge(desk.store, MANAGER, source, target, desk.now)
	assert (desk.ticket(first).status, desk.ticket(first).customer) == (records.CLOSED, target)
	assert (desk.ticket(second).status, desk.ticket(second).waiting_since_ms) == (records.OPEN, START)
	assert {i.customer for i in desk.all(records.CustomerIdentity)} == {target}
	assert {m.customer for m in desk.all(records.Message)} == {target}
	desk.keys += 1
	desk.deliver(
		{"type": "message", "id": "later", "from": PHONE, "text": "?", "at_ms": desk.now, "name": ""}
	)
	assert sum(t.open_key is not None for t in desk.all(records.Ticket)) == 1


def test_an_open_ticket_moves_to_the_customer_who_has_none():
	desk = Desk()
	desk.online()
	name = desk.write(PHONE)
	with desk.store.transaction():
		from khalifa_whatsapp.stores.base import Changes

		desk.store.save(Changes(created={records.Customer: [records.Customer("c2", "Other")]}))
	decisions.merge(desk.store, MANAGER, desk.ticket(name).customer, "c2", desk.now)
	assert (desk.ticket(name).customer, desk.ticket(name).status) == ("c2", records.OPEN)
	desk.deliver({"type": "message", "id": "y", "from": PHONE, "text": "?", "at_ms": desk.now, "name": ""})
	assert len(desk.all(records.Ticket)) == 1


def test_an_agent_does_not_merge():
	desk = Desk()
	one, two = desk.write(PHONE), desk.write(OTHER)
	with pytest.raises(NotAllowed):
		decisions.merge(
			desk.store, desk.actor("A0"), desk.ticket(one).customer, desk.ticket(two).customer, desk.now
		)
