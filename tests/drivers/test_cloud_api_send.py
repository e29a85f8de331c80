"""What the Cloud API driver writes, and what it makes of every answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	ERROR_KINDS,
	MessageRef,
	OutgoingMedia,
	OutgoingText,
	Permanent,
	RateLimited,
	RecipientError,
	Retryable,
	SendError,
	UnknownOutcome,
)
from khalifa_whatsapp.drivers.cloud_api.errors import ERRORS, FAMILIES, KINDS, error_from, meaning
from khalifa_whatsapp.drivers.cloud_api.send import (
	accepted_from,
	address,
	check_media,
	media_body,
	media_id_from,
	state_from,
	text_body,
)
from khalifa_whatsapp.drivers.http import Reply

PHONE, USER = Identity("phone", "+201001234567"), Identity("bsuid", "EG.90000000000000001")


def media(kind: str, content: bytes, mime_type: str, **more: str) -> OutgoingMedia:
	return OutgoingMedia(recipient=(PHONE,), kind=kind, content=content, mime_type=mime_type, **more)


def reply(body: Any, status: int = 200, **headers: str) -> Reply:
	return Reply(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


def test_a_text_is_written_as_meta_wants_it() -> None:
	message = OutgoingText(
		recipient=(USER, PHONE), body="أهلاً", reply_to=MessageRef("wamid.IN1"), callback="WA-OUT-1"
	)
	assert text_body(message) == {
		"messaging_product": "whatsapp",
		"recipient_type": "individual",
		"to": "201001234567",
		"type": "text",
		"text": {"body": "أهلاً", "preview_url": False},
		"context": {"message_id": "wamid.IN1"},
		"biz_opaque_callback_data": "WA-OUT-1",
	}


def test_who_has_no_phone_is_addressed_by_user_id() -> None:
	assert address((USER,)) == {"recipient": "EG.90000000000000001"}
	assert address((Identity("lid", "1"), PHONE)) == {"to": "201001234567"}
	with pytest.raises(RecipientError):
		address((Identity("lid", "98765432109876"),))


def test_a_voice_note_and_a_document_are_written_as_meta_wants_them() -> None:
	voice = media("voice", b"x", "audio/ogg; codecs=opus")
	assert media_body(voice, "77")["audio"] == {"id": "77", "voice": True}
	paper = media("document", b"x", "application/pdf", file_name="q.pdf", caption="عرض")
	assert media_body(paper, "77")["document"] == {"id": "77", "caption": "عرض", "filename": "q.pdf"}


@pytest.mark.parametrize(
	("kind", "mime_type", "content", "caption"),
	[
		("image", "image/webp", b"x", ""),
		("image", "image/jpeg", b"", ""),
		("image", "image/jpeg", b"x" * (5 * 1024 * 1024 + 1), ""),
		("image", "image/jpeg", b"x", "c" * 1025),
		("voice", "audio/mpeg", b"x", ""),
		("audio", "audio/webm", b"x", ""),
		("audio", "audio/mpeg", b"x", "caption"),
		("hologram", "x/y", b"x", ""),
	],
)
def test_a_file_that_meta_would_refuse_is_refused_at_once(
	kind: str, mime_type: str, content: bytes, caption: str
) -> None:
	with pytest.raises(Permanent):
		check_media(media(kind, content, mime_type, caption=caption))


def test_an_accepted_message_may_name_its_recipient_anew() -> None:
	answer = {"contacts": [{"input": "x", "wa_id": "5511999990000"}], "messages": [{"id": "wamid.1"}]}
	accepted = accepted_from(reply(answer))
	assert accepted.ref == MessageRef("wamid.1")
	assert accepted.status == "sent"
	assert accepted.recipient == (Identity("phone", "+5511999990000"),)


@pytest.mark.parametrize(
	("word", "status"), [("accepted", "sent"), ("held_for_quality_assessment", "queued")]
)
def test_a_message_that_is_held_is_queued(word: str, status: str) -> None:
	answer = {"messages": [{"id": "wamid.1", "message_status": word}]}
	assert accepted_from(reply(answer)).status == status


@pytest.mark.parametrize(
	"body",
	[b"", b"<html>", b"[]", b"null", {}, {"messages": []}, {"messages": [{}]}, {"messages": [{"id": 0.5}]}],
)
def test_a_good_status_without_an_id_is_an_unknown_outcome(body: Any) -> None:
	with pytest.raises(UnknownOutcome):
		accepted_from(reply(body))


@pytest.mark.parametrize("code", ERRORS)
def test_every_code_has_a_kind_and_a_text(code: int) -> None:
	kind, text = ERRORS[code]
	assert kind in ERROR_KINDS
	assert text.endswith(".")
	error = error_from(reply({"error": {"code": code, "message": "token EAAG"}}, 400))
	assert type(error) is KINDS[kind]
	assert error.code == str(code)
	assert "EAAG" not in error.text


@pytest.mark.parametrize("code", [200, 299, 131201, 131215, 138018, 139103, 147005, 2388023])
def test_a_family_of_codes_has_a_meaning(code: int) -> None:
	assert meaning(code) is not None
	assert meaning(FAMILIES[0][1] + 1) is None


@pytest.mark.parametrize(
	("status", "error", "kind"),
	[
		(500, {"code": 131000}, Retryable),
		(500, {"code": 424242}, UnknownOutcome),
		(400, {"code": 424242}, Permanent),
		(400, {"code": 424242, "is_transient": True}, Retryable),
		(429, {"code": 130429}, RateLimited),
		(429, {}, RateLimited),
		(200, {"code": 131000}, Retryable),
		(200, {"code": 424242}, UnknownOutcome),
		(503, None, UnknownOutcome),
		(302, None, Retryable),
	],
)
def test_the_code_decides_before_the_status(status: int, error: Any, kind: type[SendError]) -> None:
	assert type(error_from(reply({"error": error}, status))) is kind


@given(
	st.integers(100, 599),
	st.one_of(
		st.binary(max_size=40),
		st.fixed_dictionaries(
			{
				"error": st.one_of(
					st.none(),
					st.text(),
					st.lists(st.integers()),
					st.fixed_dictionaries(
						{"code": st.one_of(st.none(), st.integers(), st.text(), st.floats(), st.booleans())}
					),
				)
			}
		),
	),
)
def test_every_answer_means_exactly_one_error(status: int, body: Any) -> None:
	error = error_from(reply(body, status))
	assert type(error) in KINDS.values()
	assert error.kind in ERROR_KINDS
	assert error.text


def test_a_rate_limit_says_how_long_to_wait() -> None:
	limited = error_from(reply({"error": {"code": 130429}}, 429, **{"retry-after": "7"}))
	assert limited.retry_after == 7
	spam = error_from(reply({"error": {"code": 131048}}, 400)).retry_after
	assert spam is not None
	assert spam >= 3600


def test_details_are_told_and_masked() -> None:
	error = error_from(reply({"error": {"code": 100, "error_data": {"details": "to 201001234567 bad"}}}, 400))
	assert error.text == "A part of the message is not valid. (to … bad)"


def test_an_upload_without_id_is_no_success() -> None:
	assert media_id_from(reply({"id": "77"})) == "77"
	with pytest.raises(SendError):
		media_id_from(reply({}))


@pytest.mark.parametrize(
	("answer", "state"),
	[
		({"status": "CONNECTED", "quality_rating": "GREEN"}, "connected"),
		({"status": "CONNECTED", "health_status": {"can_send_message": "BLOCKED"}}, "restricted"),
		({"status": "BANNED"}, "restricted"),
		({"status": "PENDING"}, "connecting"),
		({"status": "SOMETHING_NEW"}, "disconnected"),
		({}, "disconnected"),
	],
)
def test_the_state_of_the_number(answer: dict[str, Any], state: str) -> None:
	assert state_from(reply(answer)).state == state
