"""Whose open pages hear of a conversation: its holder's, the one's who had it, the managers',
and the queue's.
"""

from __future__ import annotations

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.kinds import MESSAGES, REVOKED_ICON
from khalifa_whatsapp.services.inbound import tickets
from khalifa_whatsapp.services.tickets import actions
from tests.services.harness import MANAGER, Desk
from tests.services.test_outbox import echoed

PHONE = "+201001234567"


def received(desk: Desk) -> dict[str, set[str]]:
	"""The events of conversations since we last asked, and by whom they are heard."""
	listeners: dict[str, set[str]] = {}
	for notice in desk.notices:
		if notice.event == "khalifa_whatsapp:ticket":
			assert set(notice.data) == {"ticket", "event"}
			listeners.setdefault(notice.data["event"], set()).add((notice.user or notice.role).split("@")[0])
	desk.notices.clear()
	return listeners


def full_desk() -> Desk:
	"""Two agents who are there, each with as much as he or she can hold."""
	desk = Desk(capacity=1)
	desk.online()
	for number in range(2):
		desk.write(f"+2010055501{number:02}")
	desk.notices.clear()
	return desk


def test_what_was_typed_on_our_phone_is_not_announced_as_a_customer_s_message():
	desk = Desk()
	desk.online()
	desk.write(PHONE)
	received(desk)
	echoed(desk, "from-the-phone", "typed by hand")
	assert received(desk) == {"phone": {"A0", "WhatsApp Manager"}}


def test_nobody_is_notified_of_the_queue_while_somebody_has_room_but_who_is_given_the_conversation():
	desk = Desk()
	desk.online()
	desk.write(PHONE)
	assert received(desk) == {"message": {"WhatsApp Manager"}, "assigned": {"A0", "WhatsApp Manager"}}


def test_all_who_are_here_are_notified_of_what_must_stay_in_the_queue():
	desk = full_desk()
	ticket = desk.write(PHONE)
	assert desk.ticket(ticket).status == records.QUEUED
	assert received(desk) == {"message": {"A0", "A1", "WhatsApp Manager"}}
	desk.offline("A1")
	received(desk)
	desk.write(PHONE, "again")
	assert received(desk) == {"message": {"A0", "WhatsApp Manager"}}


def test_another_branch_is_not_notified_of_a_branch_s_own_queue():
	desk = full_desk()
	desk.store.run("UPDATE `tabKhalifa Agent` SET branch = 'North' WHERE name = 'A0'")
	desk.store.run("UPDATE `tabKhalifa Agent` SET branch = 'South' WHERE name = 'A1'")
	ticket = desk.write(PHONE)
	actions.transfer(desk.store, MANAGER, ticket, desk.now, "theirs", to_branch="South")
	received(desk)
	desk.write(PHONE, "again")
	assert received(desk) == {"message": {"A1", "WhatsApp Manager"}}


def test_a_flood_in_the_queue_is_published_to_all_for_its_first_conversations_only():
	desk = full_desk()
	many = tickets.MAX_NOTIFIED + 5
	items = [
		{"type": "message", "id": f"f{n}", "from": f"+2010077700{n:02}", "text": "x", "at_ms": desk.now}
		for n in range(many)
	]
	desk.deliver(*items)
	published = [n.user for n in desk.notices if n.data.get("event") == "message"]
	assert published.count("A0@example.com") == tickets.MAX_NOTIFIED
	assert published.count(None) == many, "managers hear of each"


def test_whoever_loses_a_conversation_is_notified_of_it():
	desk = Desk()
	desk.online()
	ticket = desk.write(PHONE)
	holder = desk.ticket(ticket).agent
	received(desk)
	actions.transfer(desk.store, MANAGER, ticket, desk.now, "r", to_agent="A1" if holder == "A0" else "A0")
	assert received(desk) == {"transferred": {"A0", "A1", "WhatsApp Manager"}}
	desk.offline(desk.ticket(ticket).agent or "")
	assert received(desk)["requeued"] == {"A1", "WhatsApp Manager"}


def test_what_a_manager_does_to_a_conversation_is_published_to_its_holder():
	desk = Desk(agents=1)
	desk.online()
	ticket = desk.write(PHONE)
	received(desk)
	actions.no_reply_needed(desk.store, MANAGER, ticket, desk.now)
	actions.close(desk.store, MANAGER, ticket, desk.now)
	actions.reopen(desk.store, MANAGER, ticket, desk.now)
	both = {"A0", "WhatsApp Manager"}
	assert received(desk) == {"no_reply_needed": both, "closed": both, "reopened": both}


def queue_is_published(desk: Desk) -> bool:
	"""Whether all heard that the queue moved, since we last asked; of what moved they hear nothing."""
	published = [n for n in desk.notices if n.event == "khalifa_whatsapp:queue"]
	desk.notices.clear()
	assert all(n.data == {} and n.user is None and n.role is None for n in published)
	return bool(published)


def test_all_are_notified_that_the_queue_moved_when_something_comes_is_taken_or_is_closed():
	desk = full_desk()
	first, second = desk.write(PHONE), desk.write("+201001234568")
	assert queue_is_published(desk)
	actions.assign(desk.store, MANAGER, first, "A0", desk.now)
	assert queue_is_published(desk)
	actions.close(desk.store, MANAGER, second, desk.now, "no_reply_needed")
	assert queue_is_published(desk)


def test_nobody_is_notified_of_the_queue_when_one_s_own_conversation_goes_on():
	desk = full_desk()
	held = next(t for t in desk.all(records.Ticket) if t.agent == "A0")
	desk.reply(held.name)
	actions.transfer(desk.store, MANAGER, held.name, desk.now, "theirs", to_agent="A1")
	desk.write("+201005550100", "again")
	assert not queue_is_published(desk)


def test_whoever_has_a_conversation_open_is_notified_of_a_reaction_an_edit_and_a_message_taken_back():
	desk = Desk()
	desk.online()
	ticket = desk.write(PHONE, "first", gateway_id="m1")
	received(desk)
	said = [
		{"type": "reaction", "id": "m1", "from": PHONE, "emoji": "👍", "at_ms": desk.now},
		{"type": "edit", "id": "m1", "text": "second", "at_ms": desk.now},
		{"type": "revoke", "id": "m1", "at_ms": desk.now},
	]
	previews = []
	for item in said:
		desk.deliver(item)
		assert received(desk) == {"changed": {"A0", "WhatsApp Manager"}}
		previews.append(desk.ticket(ticket).preview)
		desk.deliver(item)
		assert received(desk) == {}, "said twice"
	assert previews == ["first", "second", f"{REVOKED_ICON} {MESSAGES['revoked']}"]


def test_an_edit_of_an_earlier_message_is_reported_and_the_list_keeps_the_last_words():
	desk = Desk()
	desk.online()
	desk.write(PHONE, "first", gateway_id="m1")
	desk.now += 1000
	ticket = desk.write(PHONE, "last", gateway_id="m2")
	received(desk)
	desk.deliver({"type": "edit", "id": "m1", "text": "other", "at_ms": desk.now})
	assert received(desk) == {"changed": {"A0", "WhatsApp Manager"}}
	assert desk.ticket(ticket).preview == "last"
