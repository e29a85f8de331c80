"""What the WPPConnect driver writes, and what it makes of every answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	ERROR_KINDS,
	AuthError,
	MessageRef,
	Outgoing,
	OutgoingChoices,
	OutgoingContacts,
	OutgoingLocation,
	OutgoingMedia,
	OutgoingReaction,
	OutgoingTemplate,
	OutgoingText,
	Permanent,
	RecipientError,
	Retryable,
	SendError,
	UnknownOutcome,
)
from khalifa_whatsapp.drivers.http import Reply
from khalifa_whatsapp.drivers.wppconnect.errors import error_from
from khalifa_whatsapp.drivers.wppconnect.send import (
	MAX_FILE,
	accepted_from,
	reaction_accepted_from,
	request_of,
	seen_body,
)
from khalifa_whatsapp.drivers.wppconnect.session import state_from
from khalifa_whatsapp.drivers.wppconnect.wid import wid

PHONE, LID = Identity("phone", "+201001234567"), Identity("lid", "98765432109876")


def media(kind: str, content: bytes, mime_type: str, **more: str) -> OutgoingMedia:
	return OutgoingMedia(recipient=(PHONE,), kind=kind, content=content, mime_type=mime_type, **more)


def reply(body: Any, status: int = 201) -> Reply:
	return Reply(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def sent(**item: Any) -> Reply:
	return reply({"status": "success", "response": [item]})


def body_of(message: Outgoing) -> dict[str, Any]:
	return request_of(message)[1]


def test_a_text_goes_to_one_phone() -> None:
	route, body = request_of(OutgoingText(recipient=(LID, PHONE), body="أهلاً"))
	assert route == "send-message"
	assert body == {"phone": "201001234567", "isGroup": False, "isLid": False, "message": "أهلاً"}


def test_a_privacy_id_is_flagged() -> None:
	body = body_of(OutgoingText(recipient=(LID,), body="أهلاً"))
	assert (body["phone"], body["isLid"]) == ("98765432109876", True)
	with pytest.raises(RecipientError):
		body_of(OutgoingText(recipient=(Identity("bsuid", "EG.9"),), body="أهلاً"))


@pytest.mark.parametrize(
	("ref", "quoted"),
	[
		(MessageRef("3A1", "in|98765432109876@lid"), "false_98765432109876@lid_3A1"),
		(MessageRef("3EB0", "out"), "true_201001234567@c.us_3EB0"),
	],
)
def test_a_quote_is_named_as_the_gateway_names_it(ref: MessageRef, quoted: str) -> None:
	assert body_of(OutgoingText(recipient=(PHONE,), body="x", reply_to=ref))["options"] == {
		"quotedMsg": quoted
	}


def test_a_file_travels_inside_the_request() -> None:
	route, body = request_of(media("voice", b"abc", "audio/ogg; codecs=opus"))
	assert (route, body["base64Ptt"]) == ("send-voice-base64", "data:audio/ogg;base64,YWJj")
	route, body = request_of(media("document", b"abc", "application/pdf", file_name="q.pdf", caption="عرض"))
	assert (route, body["filename"], body["caption"]) == ("send-file", "q.pdf", "عرض")


@pytest.mark.parametrize("digits", [15, 18])
def test_a_phone_that_the_server_would_take_for_a_privacy_id_is_not_written_to(digits: int) -> None:
	long = Identity("phone", "+" + "9" * digits)
	with pytest.raises(RecipientError):
		request_of(OutgoingText(recipient=(long,), body="x"))
	assert body_of(OutgoingText(recipient=(long, LID), body="x"))["isLid"] is True


@pytest.mark.parametrize(
	("kind", "content", "caption", "code"),
	[
		("sticker", b"x", "", "unsupported"),
		("hologram", b"x", "", "unsupported"),
		("image", b"", "", "media_size"),
		("image", b"x" * (MAX_FILE + 1), "", "media_size"),
		("voice", b"x", "words", "caption"),
		("image", b"x", "w" * 1025, "too_long"),
	],
)
def test_a_file_that_can_not_go_is_refused(kind: str, content: bytes, caption: str, code: str) -> None:
	with pytest.raises(Permanent) as caught:
		request_of(media(kind, content, "x/y", caption=caption))
	assert caught.value.code == code


def test_a_place_is_sent_with_its_name() -> None:
	place = OutgoingLocation(
		recipient=(LID,), latitude=31.04, longitude=31.37, title="الفرع", address="المنصورة"
	)
	assert request_of(place) == (
		"send-location",
		{
			"phone": "98765432109876",
			"isGroup": False,
			"isLid": True,
			"lat": 31.04,
			"lng": 31.37,
			"title": "الفرع",
			"address": "المنصورة",
		},
	)


@pytest.mark.parametrize(
	("latitude", "longitude"), [(91, 0), (0, -181), (float("nan"), 0), (0, float("inf"))]
)
def test_a_place_that_is_none_is_refused(latitude: float, longitude: float) -> None:
	with pytest.raises(Permanent):
		request_of(OutgoingLocation(recipient=(PHONE,), latitude=latitude, longitude=longitude))


@pytest.mark.parametrize(
	("target", "named"),
	[
		(MessageRef("3A1", "in|98765432109876@lid"), "false_98765432109876@lid_3A1"),
		(MessageRef("3EB0", "out"), "true_201001234567@c.us_3EB0"),
	],
)
@pytest.mark.parametrize("emoji", ["👍", ""])
def test_a_reaction_names_its_message(target: MessageRef, named: str, emoji: str) -> None:
	message = OutgoingReaction(recipient=(PHONE,), target=target, emoji=emoji, callback="WA-9")
	assert request_of(message) == ("react-message", {"msgId": named, "reaction": emoji})


def test_a_reaction_is_never_taken_for_the_message_it_is_put_on() -> None:
	target = MessageRef("3A1", "in|201001234567@c.us")
	taken = reply({"status": "success", "response": {"message": "Reaction sended"}}, 200)
	refs = {
		reaction_accepted_from(
			taken, OutgoingReaction(recipient=(PHONE,), target=target, emoji="👍", callback=key)
		).ref
		for key in ("WA-1", "WA-2")
	}
	assert len(refs | {target}) == 3


@pytest.mark.parametrize("body", [b"", b"<html>", {}, {"status": "error"}])
def test_a_reaction_without_a_clear_answer_is_an_unknown_outcome(body: Any) -> None:
	message = OutgoingReaction(recipient=(PHONE,), target=MessageRef("3EB0", "out"), emoji="👍")
	with pytest.raises(UnknownOutcome):
		reaction_accepted_from(reply(body, 200), message)


def test_a_contact_card_goes_one_at_a_time() -> None:
	route, body = request_of(OutgoingContacts(recipient=(PHONE,), cards=(("منى", "+201223456789"),)))
	assert (route, body["contactsId"], body["name"]) == ("contact-vcard", "201223456789@c.us", "منى")
	for cards in ((), (("a", "+201223456789"), ("b", "+201223456788")), (("a", "no phone"),)):
		with pytest.raises(Permanent):
			request_of(OutgoingContacts(recipient=(PHONE,), cards=cards))


def test_a_contact_card_never_goes_to_the_phone_that_a_privacy_id_looks_like() -> None:
	cards = (("منى", "+201223456789"),)
	with pytest.raises(Permanent):
		request_of(OutgoingContacts(recipient=(LID,), cards=cards))
	long = Identity("lid", "987654321098765")
	assert body_of(OutgoingContacts(recipient=(long,), cards=cards))["phone"] == long.value


@pytest.mark.parametrize(
	"message",
	[
		OutgoingTemplate(recipient=(PHONE,), name="order", language="ar"),
		OutgoingChoices(recipient=(PHONE,), body="?", choices=()),
		Outgoing(recipient=(PHONE,)),
	],
)
def test_what_this_gateway_can_not_carry_is_unsupported(message: Outgoing) -> None:
	with pytest.raises(Permanent) as caught:
		request_of(message)
	assert caught.value.code == "unsupported"


def test_a_read_receipt_goes_to_the_chat_in_which_the_message_came() -> None:
	inside = seen_body(MessageRef("3A1", "in|98765432109876@lid"), (PHONE,))
	assert inside == {"phone": "98765432109876", "isGroup": False, "isLid": True}
	assert seen_body(MessageRef("3A1"), (PHONE,))["phone"] == "201001234567"


@pytest.mark.parametrize(
	("item", "status"),
	[
		({"id": "true_201001234567@c.us_3EB0FAKE", "ack": 1}, "sent"),
		({"id": "true_98765432109876@lid_3EB0FAKE", "ack": 0}, "queued"),
		({"id": "true_98765432109876@lid_3EB0FAKE_out"}, "queued"),
		({"id": {"_serialized": "true_201001234567@c.us_3EB0FAKE"}, "ack": 3}, "sent"),
		({"id": {"fromMe": True, "id": "3EB0FAKE"}, "ack": 1}, "sent"),
		({"id": "3EB0FAKE", "ack": 1}, "sent"),
	],
)
def test_a_sent_message_is_named_by_its_hex_part(item: dict[str, Any], status: str) -> None:
	accepted = accepted_from(sent(**item))
	assert accepted.ref == MessageRef("3EB0FAKE", "out")
	assert accepted.status == status


def test_an_answer_may_hold_one_object_instead_of_a_list() -> None:
	answer = {"response": {"id": "true_201001234567@c.us_3EB0FAKE", "ack": 1}}
	assert accepted_from(reply(answer)).recipient == (PHONE,)


@pytest.mark.parametrize(
	("ack", "kind"), [(-1, Permanent), (-4, Permanent), (-7, Permanent), (-99, Permanent)]
)
def test_a_negative_ack_is_a_failure(ack: int, kind: type[SendError]) -> None:
	with pytest.raises(kind) as caught:
		accepted_from(sent(id="true_201001234567@c.us_3EB0FAKE", ack=ack))
	assert caught.value.code == f"ack{ack}"


@pytest.mark.parametrize(
	"body", [b"", b"<html>", {}, {"response": []}, {"response": [{}]}, {"response": [None]}]
)
def test_a_good_status_without_an_id_is_an_unknown_outcome(body: Any) -> None:
	with pytest.raises(UnknownOutcome):
		accepted_from(reply(body))


@pytest.mark.parametrize(
	("status", "body", "kind"),
	[
		(404, {"response": None, "status": "Disconnected", "message": "…"}, Retryable),
		(404, b"<html>", AuthError),
		(
			400,
			{"response": None, "status": "Connected", "message": "O número 2010 não existe."},
			UnknownOutcome,
		),
		(401, {"error": "Check that a token is correct"}, AuthError),
		(401, {"message": "Sending the file is mandatory"}, Permanent),
		(500, {"status": "Error", "message": "Erro ao enviar a mensagem."}, UnknownOutcome),
		(502, b"", UnknownOutcome),
		(413, b"", Permanent),
	],
)
def test_every_answer_of_the_server_has_its_kind(status: int, body: Any, kind: type[SendError]) -> None:
	error = error_from(reply(body, status))
	assert type(error) is kind
	assert "2010" not in error.text


@given(st.integers(100, 599), st.binary(max_size=30) | st.dictionaries(st.text(), st.text() | st.none()))
def test_every_answer_means_exactly_one_error(status: int, body: Any) -> None:
	error = error_from(reply(body, status))
	assert error.kind in ERROR_KINDS
	assert error.text


@pytest.mark.parametrize(
	("is_connected", "cached", "state"),
	[
		(True, "CONNECTED", "connected"),
		(False, "CONNECTED", "disconnected"),
		(False, "QRCODE", "qr"),
		(False, "INITIALIZING", "connecting"),
		(False, "CLOSED", "disconnected"),
		(False, None, "disconnected"),
	],
)
def test_the_browser_is_believed_before_the_cache(is_connected: bool, cached: str | None, state: str) -> None:
	check, status = reply({"status": is_connected}, 200), reply({"status": cached, "qrcode": "SECRET"}, 200)
	session_state = state_from(check, status)
	assert session_state.state == state
	assert "SECRET" not in repr(session_state)


@pytest.mark.parametrize(
	("value", "expected"),
	[
		("2010@c.us", "2010@c.us"),
		({"_serialized": "2010@c.us"}, "2010@c.us"),
		({"user": "2010", "server": "c.us"}, "2010@c.us"),
		({"user": "2010"}, ""),
		({}, ""),
		(None, ""),
		(["2010@c.us"], ""),
		("x" * 10_000, ""),
	],
)
def test_an_id_may_be_a_text_or_an_object(value: Any, expected: str) -> None:
	assert wid(value) == expected
