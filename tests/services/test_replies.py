"""Answers of every kind, reactions, and what people do about those that did not arrive."""

from __future__ import annotations

import json
from typing import Any

import pytest

from khalifa_whatsapp.core import ledger, records
from khalifa_whatsapp.core.errors import Changed, NotAllowed, NotFound, UserError
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.outbound import answers, unknown_outcomes, user_decisions
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from tests.services.harness import MANAGER, MINUTE, Desk

PHONE = "+201001234567"
HOUR = 60 * MINUTE


@pytest.fixture
def desk() -> Desk:
	made = Desk(agents=2)
	made.online()
	return made


def say(desk: Desk, draft: Draft, key: str = "key", **more: Any) -> records.Message:
	name = desk.write(PHONE)
	actor = desk.actor(desk.ticket(name).agent or "")
	return answers.send(desk.store, actor, name, draft, key, desk.now, **more)


def holder(desk: Desk, name: str) -> Any:
	return desk.actor(desk.ticket(name).agent or "")


# -- kinds


def test_a_file_is_read_when_it_is_sent_and_its_caption_goes_with_it(desk):
	desk.store.files["/private/files/a.jpg"] = b"\xff\xd8picture"
	draft = Draft("الفاتورة", "image", "/private/files/a.jpg", "a.jpg", "image/jpeg")
	message = say(desk, draft)
	assert desk.send().sent == 1
	(out,) = desk.driver.sent
	assert (out.kind, out.content, out.caption, out.mime_type) == (
		"image",
		b"\xff\xd8picture",
		"الفاتورة",
		"image/jpeg",
	)
	assert desk.ticket(message.ticket).waiting_since_ms is None


def test_a_file_that_is_gone_fails_with_a_reason(desk):
	message = say(desk, Draft("", "image", "/private/files/gone.jpg", "a.jpg", "image/jpeg"))
	assert desk.send().failed == 1
	assert "Attach it again" in (desk.message(message.name).error_text or "")


def test_a_template_goes_with_its_values(desk):
	chosen = {
		"name": "ready",
		"language": "ar",
		"body": ["منى"],
		"header": [],
		"named": [],
		"buttons": [[0, "url", "x"]],
	}
	say(desk, Draft("أهلاً منى", "template", data={"template": chosen}))
	desk.send()
	(out,) = desk.driver.sent
	assert (out.name, out.language, out.body_values, out.buttons) == (
		"ready",
		"ar",
		("منى",),
		((0, "url", "x"),),
	)


@pytest.mark.parametrize(
	("kind", "data", "check"),
	[
		(
			"location",
			{"location": {"latitude": 31.04, "longitude": 31.37, "name": "فرع"}},
			lambda o: o.title == "فرع",
		),
		("contacts", {"contacts": [{"name": "فرع", "phone": PHONE}]}, lambda o: o.cards == (("فرع", PHONE),)),
		(
			"choices",
			{"choices": {"choices": [{"id": "1", "title": "نعم"}]}},
			lambda o: o.choices == (base.Choice("1", "نعم"),),
		),
	],
)
def test_other_kinds_reach_the_driver_whole(desk, kind, data, check):
	say(desk, Draft("?" if kind == "choices" else "", kind, data=data))
	assert desk.send().sent == 1
	assert check(desk.driver.sent[0])


def test_what_the_gateway_can_not_send_is_refused_while_the_writer_looks(desk):
	can = base.Capabilities(kinds=frozenset({"text"}))
	with pytest.raises(UserError, match="can't send this kind"):
		say(desk, Draft("", "location", data={"location": {}}), can=can)


def test_free_text_after_the_window_is_refused_with_the_way_on_and_a_template_goes(desk):
	can = base.Capabilities(has_window=True, kinds=frozenset({"text", "template"}))
	name = desk.write(PHONE)
	actor = holder(desk, name)
	desk.now += 24 * HOUR
	with pytest.raises(UserError) as refusal:
		answers.reply(desk.store, actor, name, "hello", "k1", desk.now, can=can)
	assert refusal.value.code == "window_closed"
	chosen = {"template": {"name": "t", "language": "ar"}}
	assert answers.send(desk.store, actor, name, Draft("t", "template", data=chosen), "k2", desk.now, can=can)


# -- reactions


def test_a_reaction_is_shown_where_it_was_put_and_stops_no_clock(desk):
	name = desk.write(PHONE)
	(asked,) = [m for m in desk.all(records.Message) if m.direction == records.INCOMING]
	answers.react(desk.store, holder(desk, name), name, asked.name, "❤️", "k", desk.now)
	assert desk.send().sent == 1
	(out,) = desk.driver.sent
	assert (out.target.gateway_id, out.emoji) == (asked.gateway_id, "❤️")
	assert json.loads(desk.message(asked.name).reactions or "") == {"me": "❤️"}
	assert desk.ticket(name).waiting_since_ms is not None
	desk.now += 1
	answers.react(desk.store, holder(desk, name), name, asked.name, "", "k2", desk.now)
	desk.send()
	assert desk.message(asked.name).reactions is None


def test_a_reaction_belongs_to_the_ticket_it_is_put_in(desk):
	name, other = desk.write(PHONE), desk.write("+201119876543")
	(foreign,) = [m for m in desk.all(records.Message) if m.ticket == other]
	with pytest.raises(NotFound):
		answers.react(desk.store, MANAGER, name, foreign.name, "❤️", "k", desk.now)
	with pytest.raises(UserError):
		answers.react(desk.store, MANAGER, other, foreign.name, "<script>", "k", desk.now)


# -- what did not arrive


def failed_answer(desk: Desk, error: base.SendError) -> records.Message:
	desk.driver.failures.append(error)
	message = say(desk, Draft("answer"))
	desk.send()
	return desk.message(message.name)


def test_a_failed_answer_is_said_again_as_a_new_message_and_the_wait_ends_anew(desk):
	old = failed_answer(desk, base.Permanent("no"))
	assert desk.ticket(old.ticket).waiting_since_ms is not None
	new = user_decisions.resend(desk.store, holder(desk, old.ticket), old.name, "again", desk.now)
	assert (new.body, desk.message(old.name).status, desk.message(old.name).resent_as) == (
		"answer",
		records.FAILED,
		new.name,
	)
	assert desk.ticket(old.ticket).waiting_since_ms is None
	assert desk.send().sent == 1


def test_two_clicks_say_it_once_and_two_people_do_too(desk):
	old = failed_answer(desk, base.UnknownOutcome("?"))
	actor = holder(desk, old.ticket)
	first = user_decisions.resend(desk.store, actor, old.name, "again", desk.now)
	assert user_decisions.resend(desk.store, actor, old.name, "again", desk.now).name == first.name
	with pytest.raises(Changed):
		user_decisions.resend(desk.store, MANAGER, old.name, "mine", desk.now)
	assert len([m for m in desk.all(records.Message) if m.body == "answer"]) == 2


def test_who_may_not_answer_may_not_say_it_again_or_settle_it(desk):
	old = failed_answer(desk, base.UnknownOutcome("?"))
	stranger = next(desk.actor(a) for a in desk.agents if a != desk.ticket(old.ticket).agent)
	with pytest.raises(NotAllowed):
		user_decisions.resend(desk.store, stranger, old.name, "k", desk.now)
	with pytest.raises(NotAllowed):
		user_decisions.settle(desk.store, stranger, old.name, True, desk.now)


def test_a_person_settles_doubt_either_way(desk):
	sent = failed_answer(desk, base.UnknownOutcome("?"))
	assert (
		user_decisions.settle(desk.store, holder(desk, sent.ticket), sent.name, True, desk.now).status
		== records.SENT
	)
	assert desk.ticket(sent.ticket).waiting_since_ms is None


def test_doubt_settled_as_not_sent_lets_the_customer_wait_again(desk):
	doubtful = failed_answer(desk, base.UnknownOutcome("?"))
	user_decisions.settle(desk.store, holder(desk, doubtful.ticket), doubtful.name, False, desk.now)
	assert desk.message(doubtful.name).status == records.FAILED
	assert desk.ticket(doubtful.ticket).waiting_since_ms is not None


def test_what_still_waits_is_taken_back_and_never_goes(desk):
	message = say(desk, Draft("wrong chat"))
	user_decisions.settle(desk.store, holder(desk, message.ticket), message.name, False, desk.now)
	assert (desk.send().sent, desk.driver.sent) == (0, [])
	assert desk.ticket(message.ticket).waiting_since_ms is not None


def test_a_message_that_arrived_is_nobody_s_to_settle(desk):
	message = say(desk, Draft("answer"))
	desk.send()
	for act in (
		lambda: user_decisions.resend(desk.store, MANAGER, message.name, "k", desk.now),
		lambda: user_decisions.settle(desk.store, MANAGER, message.name, False, desk.now),
	):
		with pytest.raises(Changed):
			act()


# -- doubt that the chat's own log settles


class Remembering:
	"""The loopback driver with a chat log; `log` is what the chat shows."""

	def __init__(self, desk: Desk) -> None:
		self._driver, self.log = desk.driver, []

	def __getattr__(self, name: str) -> Any:
		return getattr(self._driver, name)

	def last_sent(self, recipient: Any, limit: int = 20) -> list[base.OutboundEcho]:
		return self.log

	def missed_webhook_events(self) -> list[bytes]:
		return []


def bubble(desk: Desk, body: str, gateway_id: str = "seen-1", after_ms: int = 1_000) -> base.OutboundEcho:
	return base.OutboundEcho(base.MessageRef(gateway_id), (), desk.now + after_ms, "text", body)


def look(desk: Desk, driver: Remembering, later_ms: int = MINUTE) -> int:
	return unknown_outcomes.reconcile(desk.store, driver, lambda: desk.now + later_ms)  # type: ignore[arg-type]


def test_a_doubtful_message_that_the_chat_shows_was_sent(desk):
	doubtful = failed_answer(desk, base.UnknownOutcome("?"))
	driver = Remembering(desk)
	assert look(desk, driver) == 0
	driver.log = [bubble(desk, "something else", "x"), bubble(desk, "answer")]
	assert look(desk, driver, 1_000) == 0, "too fresh: its sender may still be told"
	assert look(desk, driver) == 1
	stored = desk.message(doubtful.name)
	assert (stored.status, stored.gateway_id, stored.error_kind) == (records.SENT, "seen-1", None)


@pytest.mark.parametrize("why", ["older", "another's", "too late"])
def test_a_bubble_that_can_not_be_it_settles_nothing(desk, why):
	first = say(desk, Draft("answer"), "other")
	desk.send()
	taken = desk.message(first.name)
	desk.now += MINUTE
	doubtful = failed_answer(desk, base.UnknownOutcome("?"))
	driver = Remembering(desk)
	driver.log = {
		"older": [bubble(desk, "answer", after_ms=-2 * MINUTE)],
		"another's": [bubble(desk, "answer", taken.gateway_id or "")],
		"too late": [bubble(desk, "answer")],
	}[why]
	assert look(desk, driver, HOUR if why == "too late" else MINUTE) == 0
	assert desk.message(doubtful.name).status == records.UNKNOWN


def test_two_equal_doubts_and_one_bubble_leave_one_doubt(desk):
	name = desk.write(PHONE)
	for number in range(2):
		desk.driver.failures.append(base.UnknownOutcome("?"))
		answers.reply(desk.store, holder(desk, name), name, "answer", f"k{number}", desk.now)
	desk.send()
	driver = Remembering(desk)
	driver.log = [bubble(desk, "answer")]
	assert (look(desk, driver), look(desk, driver)) == (1, 0)
	assert sorted(m.status for m in desk.all(records.Message) if m.direction == records.OUTGOING) == [
		records.SENT,
		records.UNKNOWN,
	]


# -- the same key again


def test_other_words_under_the_same_key_are_neither_sent_nor_lost_in_silence(desk):
	message = say(desk, Draft("50 pounds"), key="k")
	actor = holder(desk, message.ticket)
	again = answers.send(desk.store, actor, message.ticket, Draft("50 pounds"), "k", desk.now + 1)
	assert again.name == message.name
	with pytest.raises(Changed) as refused:
		answers.send(desk.store, actor, message.ticket, Draft("50 pounds each"), "k", desk.now + 2)
	assert refused.value.code == "sent_before"
	answers.send(desk.store, actor, message.ticket, Draft("50 pounds each"), "another", desk.now + 3)
	assert desk.send().sent == 2


def test_a_note_is_written_once_under_its_key(desk):
	name = desk.write(PHONE)
	actor = holder(desk, name)
	first = answers.note(desk.store, actor, name, "pays late", desk.now, "k")
	assert answers.note(desk.store, actor, name, "pays late", desk.now + 1, "k").name == first.name
	with pytest.raises(Changed):
		answers.note(desk.store, actor, name, "pays never", desk.now + 2, "k")
	with pytest.raises(UserError) as refused:
		answers.note(desk.store, MANAGER, name, "pays late", desk.now + 3, "k")
	assert refused.value.code == "client_key_used"
	assert answers.note(desk.store, actor, name, "pays late", desk.now + 4).name != first.name


def test_two_waits_whose_answers_both_failed_are_one_with_all_their_segments(desk):
	"""What nobody answered is one wait: a part of it that stays with a wait that is none is counted twice."""
	name = desk.write(PHONE)
	first = desk.reply(name)
	desk.send()
	desk.wait(1)
	desk.write(PHONE, "still there?")
	second = desk.reply(name)
	desk.send()
	desk.status(first, "failed")  # the second one stands: nothing is open yet
	desk.status(second, "failed")
	(turn,) = [turn for turn in desk.all(records.Turn) if turn.outcome != ledger.JOINED]
	assert len(desk.all(records.Turn)) == 2
	assert {segment.turn for segment in desk.all(records.Segment)} == {turn.name}
	assert desk.ticket(name).waiting_since_ms == turn.started_ms
