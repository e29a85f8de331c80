"""What the driver reads from chats: unread messages, what was sent, files, who is who."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	AuthError,
	InboundMessage,
	Media,
	MessageRef,
	OutboundEcho,
	PayloadError,
	Permanent,
	Retryable,
	SendError,
	UnknownOutcome,
)
from khalifa_whatsapp.drivers.http import Reply
from khalifa_whatsapp.drivers.wppconnect import reads
from khalifa_whatsapp.drivers.wppconnect.errors import read_error
from khalifa_whatsapp.drivers.wppconnect.parse import parse
from tests.drivers import corpus

PHONE, LID = Identity("phone", "+201001234567"), Identity("lid", "98765432109876")
CONTENT = b"\xff\xd8 a picture"
ENCODED = base64.b64encode(CONTENT).decode()
HASH = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
INBOUND = (
	"chat",
	"chat_lid",
	"chat_quoting_us",
	"image_thumbnail",
	"voice",
	"location",
	"order",
	"chat_object_ids",
)


def answer(body: Any, status: int = 200) -> Reply:
	return Reply(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def listed(*messages: Any) -> Reply:
	return answer({"status": "success", "response": list(messages)})


def shape(name: str) -> dict[str, Any]:
	"""A message of an event as the browser's own list has it: no envelope, no card of the sender."""
	event = json.loads(corpus.raw("wppconnect", name))
	kept = {key: value for key, value in event.items() if key not in ("event", "session", "isGroupMsg")}
	return {**kept, "sender": None}


def own(hex_id: str, t: int, ack: int = 1, **more: Any) -> dict[str, Any]:
	return {
		"id": {
			"fromMe": True,
			"remote": "201001234567@c.us",
			"_serialized": f"true_201001234567@c.us_{hex_id}",
		},
		"type": "chat",
		"body": hex_id,
		"from": "201055500011@c.us",
		"to": "201001234567@c.us",
		"t": t,
		"ack": ack,
		**more,
	}


@pytest.mark.parametrize("name", INBOUND)
def test_an_unread_message_is_the_very_message_of_its_event(name: str) -> None:
	(event,) = parse(corpus.raw("wppconnect", name), "shop1")
	(raw,) = reads.unread_from(listed(shape(name)), "shop1")
	(again,) = parse(raw, "shop1")
	assert isinstance(event, InboundMessage)
	assert isinstance(again, InboundMessage)
	assert (again.ref, again.sent_ms, again.body, again.content_type) == (
		event.ref,
		event.sent_ms,
		event.body,
		event.content_type,
	)
	assert set(again.sender) <= set(event.sender)


def test_what_is_no_customers_message_is_not_delivered() -> None:
	names = (
		"group_chat",
		"status_broadcast",
		"newsletter",
		"e2e_notification",
		"onselfmessage",
	)
	assert reads.unread_from(listed(*map(shape, names), None, 5, {}, []), "shop1") == []


def test_a_message_can_not_pose_as_an_event_of_another_session() -> None:
	posed = {**shape("chat"), "event": "onack", "session": "shop2"}
	(raw,) = reads.unread_from(listed(posed), "shop1")
	assert isinstance(parse(raw, "shop1")[0], InboundMessage)


def test_what_was_sent_is_ours_and_with_whatsapp() -> None:
	messages = [
		own("3EB01", 30),
		own("3EB02", 10, ack=3),
		own("3EB03", 20, ack=0),
		own("3EB04", 20, ack=-1),
		shape("chat"),
		own("3EB05", 20, ack=1, id="false_201001234567@c.us_3EB05"),
		own("3EB06", 20, type="e2e_notification"),
	]
	echoes = reads.newest(reads.sent_from(listed(*messages), "shop1"), 20)
	assert [(echo.ref, echo.body) for echo in echoes] == [
		(MessageRef("3EB02", "out"), "3EB02"),
		(MessageRef("3EB01", "out"), "3EB01"),
	]
	assert echoes[0].recipient == (PHONE,)


@given(st.lists(st.integers(0, 10), max_size=30), st.integers(0, 12))
def test_the_newest_are_given_once_and_newest_last(moments: list[int], limit: int) -> None:
	echoes = [OutboundEcho(MessageRef(f"{ms}", "out"), (PHONE,), ms, "text") for ms in moments]
	newest = [echo.sent_ms for echo in reads.newest(echoes, limit)]
	assert newest == sorted(set(moments))[max(0, len(set(moments)) - limit) :]


@pytest.mark.parametrize(
	("status", "body", "kind"),
	[
		(401, {"status": "error", "response": "Error on open list"}, Retryable),
		(401, {"error": "Check that the Session and Token are correct"}, AuthError),
		(401, {"message": "Token is not present. Check your header and try again"}, AuthError),
		(400, {"status": "Error", "response": {"message": "Error retrieving information"}}, Retryable),
		(500, {"status": "error", "message": "Error on get all messages in chat"}, Retryable),
		(502, b"<html>", Retryable),
		(200, b"<html>", Retryable),
		(200, {"status": "success"}, Retryable),
	],
)
def test_a_list_that_can_not_be_had(status: int, body: Any, kind: type[SendError]) -> None:
	for read in (reads.unread_from, reads.sent_from):
		with pytest.raises(kind):
			read(answer(body, status), "shop1")


@given(st.integers(100, 599), st.binary(max_size=30) | st.dictionaries(st.text(), st.text() | st.none()))
def test_a_failed_question_is_never_a_doubtful_send(status: int, body: Any) -> None:
	assert not isinstance(read_error(answer(body, status)), UnknownOutcome)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5), st.data())
def test_odd_lists_raise_nothing_but_errors_of_the_port(value: Any, data: st.DataObject) -> None:
	message = shape(data.draw(st.sampled_from(INBOUND)))
	message[data.draw(st.sampled_from(sorted(message)))] = value
	try:
		for raw in reads.unread_from(listed(message, value), "shop1"):
			parse(raw, "shop1")
		reads.sent_from(listed(message, value), "shop1")
	except PayloadError as error:
		raise AssertionError("an own delivery can't be read") from error


def names(lid: Any = None, phone: Any = None) -> Reply:
	contact = {"lid": lid, "phoneNumber": phone, "contact": {"name": "منى"}}
	return answer({key: value for key, value in contact.items() if value is not None})


WHOLE_LID = {"id": LID.value, "server": "lid", "_serialized": f"{LID.value}@lid"}
WHOLE_PHONE = {"id": "201001234567", "server": "c.us", "_serialized": "201001234567@c.us"}


@pytest.mark.parametrize(
	("reply", "asked", "expected"),
	[
		(names(WHOLE_LID, WHOLE_PHONE), LID, (PHONE, LID)),
		(names(WHOLE_LID, WHOLE_PHONE), PHONE, (PHONE, LID)),
		(names(WHOLE_LID), LID, (LID,)),
		(names(None, {"id": "201001234567", "server": "c.us"}), LID, (PHONE, LID)),
		(names({"_serialized": "1@g.us"}, "x"), LID, (LID,)),
		(answer({}), LID, (LID,)),
		(answer(b"<html>"), PHONE, (PHONE,)),
	],
)
def test_who_is_behind_an_identity(reply: Reply, asked: Identity, expected: tuple[Identity, ...]) -> None:
	assert reads.identities_from(reply, asked) == expected


def file(**more: Any) -> Reply:
	return answer({"base64": ENCODED, "mimetype": "image/jpeg", **more})


def test_a_file_is_what_the_message_said_of_it() -> None:
	said = Media("id", "image/jpeg", "a.jpg", HASH, len(CONTENT))
	media = reads.media_from(file(), said, 100)
	assert (media.content, media.mime_type, media.file_name) == (CONTENT, "image/jpeg", "a.jpg")
	hexed = Media("id", "image/jpeg; x=y", sha256=hashlib.sha256(CONTENT).hexdigest())
	assert reads.media_from(file(mimetype="image/jpeg;a=b"), hexed, 100).mime_type == "image/jpeg"


@pytest.mark.parametrize(
	("reply", "said", "limit", "kind"),
	[
		(file(), Media(), len(CONTENT) - 1, Permanent),
		(file(), Media(mime_type="application/pdf"), 100, Permanent),
		(file(), Media(sha256=HASH[::-1]), 100, Permanent),
		(file(base64="!!"), Media(), 100, Retryable),
		(file(base64=""), Media(), 100, Retryable),
		(file(base64=None), Media(), 100, Retryable),
		(answer(b"<html>"), Media(), 100, Retryable),
		(answer({"status": "error", "message": "Message not found"}, 400), Media(), 100, Permanent),
		(answer({"status": "error", "message": "The session is not active"}, 500), Media(), 100, Retryable),
	],
)
def test_a_file_that_is_not_to_be_had(reply: Reply, said: Media, limit: int, kind: type[SendError]) -> None:
	with pytest.raises(kind):
		reads.media_from(reply, said, limit)
