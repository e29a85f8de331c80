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
	OutgoingMedia,
	OutgoingText,
	Permanent,
	RecipientError,
	Retryable,
	SendError,
	UnknownOutcome,
)
from khalifa_whatsapp.drivers.http import Reply
from khalifa_whatsapp.drivers.wppconnect.errors import error_from
from khalifa_whatsapp.drivers.wppconnect.send import accepted_from, media_body, state_from, text_body
from khalifa_whatsapp.drivers.wppconnect.wid import wid

PHONE, LID = Identity("phone", "+201001234567"), Identity("lid", "98765432109876")


def media(kind: str, content: bytes, mime_type: str, **more: str) -> OutgoingMedia:
	return OutgoingMedia(recipient=(PHONE,), kind=kind, content=content, mime_type=mime_type, **more)


def reply(body: Any, status: int = 201) -> Reply:
	return Reply(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def sent(**item: Any) -> Reply:
	return reply({"status": "success", "response": [item]})


def test_a_text_goes_to_one_phone() -> None:
	body = text_body(OutgoingText(recipient=(LID, PHONE), body="أهلاً"))
	assert body == {"phone": "201001234567", "isGroup": False, "isLid": False, "message": "أهلاً"}


def test_a_privacy_id_is_flagged() -> None:
	body = text_body(OutgoingText(recipient=(LID,), body="أهلاً"))
	assert (body["phone"], body["isLid"]) == ("98765432109876", True)
	with pytest.raises(RecipientError):
		text_body(OutgoingText(recipient=(Identity("bsuid", "EG.9"),), body="أهلاً"))


@pytest.mark.parametrize(
	("ref", "quoted"),
	[
		(MessageRef("3A1", "in|98765432109876@lid"), "false_98765432109876@lid_3A1"),
		(MessageRef("3EB0", "out"), "true_201001234567@c.us_3EB0"),
	],
)
def test_a_quote_is_named_as_the_gateway_names_it(ref: MessageRef, quoted: str) -> None:
	assert text_body(OutgoingText(recipient=(PHONE,), body="x", reply_to=ref))["options"] == {"quotedMsg": quoted}


def test_a_file_travels_inside_the_request() -> None:
	route, body = media_body(media("voice", b"abc", "audio/ogg; codecs=opus"))
	assert (route, body["base64Ptt"]) == ("send-voice-base64", "data:audio/ogg;base64,YWJj")
	route, body = media_body(media("document", b"abc", "application/pdf", file_name="q.pdf", caption="عرض"))
	assert (route, body["filename"], body["caption"]) == ("send-file", "q.pdf", "عرض")


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
	("ack", "kind"), [(-1, RecipientError), (-4, Permanent), (-7, Permanent), (-99, Permanent)]
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
	found = state_from(check, status)
	assert found.state == state
	assert "SECRET" not in repr(found)


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
