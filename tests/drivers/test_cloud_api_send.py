"""What the Cloud API driver writes, and what it makes of every answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	MessageRef,
	OutgoingMedia,
	OutgoingText,
	Permanent,
	RecipientError,
	SendError,
	UnknownOutcome,
)
from khalifa_whatsapp.drivers.cloud_api.number import state_from
from khalifa_whatsapp.drivers.cloud_api.send import (
	accepted_from,
	address,
	check_media,
	check_success,
	media_body,
	media_id_from,
	text_body,
)
from khalifa_whatsapp.drivers.http import Reply
from tests.drivers import corpus

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
		("sticker", "image/webp", b"RIFF____WEBPVP8 " + bytes(100 * 1024), ""),
		("sticker", "image/webp", b"RIFF____WEBPVP8X____\x02" + bytes(500 * 1024), ""),
	],
)
def test_a_file_that_meta_would_refuse_is_refused_at_once(
	kind: str, mime_type: str, content: bytes, caption: str
) -> None:
	with pytest.raises(Permanent):
		check_media(media(kind, content, mime_type, caption=caption))


def test_a_sticker_that_moves_may_be_bigger() -> None:
	check_media(media("sticker", b"RIFF____WEBPVP8X____\x02" + bytes(400 * 1024), "image/webp"))


def test_the_limits_of_files_are_metas() -> None:
	for kind, mime_type, most in (
		("image", "image/png", 5),
		("video", "video/mp4", 16),
		("audio", "audio/aac", 16),
		("document", "x/y", 100),
	):
		check_media(media(kind, bytes(most * 1024 * 1024), mime_type))
		with pytest.raises(Permanent):
			check_media(media(kind, bytes(most * 1024 * 1024 + 1), mime_type))


def test_an_accepted_message_may_name_its_recipient_anew() -> None:
	answer = {"contacts": [{"input": "x", "wa_id": "5511999990000"}], "messages": [{"id": "wamid.1"}]}
	accepted = accepted_from(reply(answer))
	assert accepted.ref == MessageRef("wamid.1")
	assert accepted.status == "sent"
	assert accepted.recipient == (Identity("phone", "+5511999990000"),)


@pytest.mark.parametrize(
	("term", "status"), [("accepted", "sent"), ("held_for_quality_assessment", "queued")]
)
def test_a_message_that_is_held_is_queued(term: str, status: str) -> None:
	answer = {"messages": [{"id": "wamid.1", "message_status": term}]}
	assert accepted_from(reply(answer)).status == status


@pytest.mark.parametrize(
	"body",
	[b"", b"<html>", b"[]", b"null", {}, {"messages": []}, {"messages": [{}]}, {"messages": [{"id": 0.5}]}],
)
def test_a_good_status_without_an_id_is_an_unknown_outcome(body: Any) -> None:
	with pytest.raises(UnknownOutcome):
		accepted_from(reply(body))


@pytest.mark.parametrize(
	"body", [{}, {"success": False}, {"success": "true"}, b"<html>", {"error": {"code": 131009}}]
)
def test_what_does_not_say_that_it_was_done_was_not(body: Any) -> None:
	check_success(reply({"success": True}))
	with pytest.raises(SendError):
		check_success(reply(body))


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


def test_the_health_of_the_number_is_reported() -> None:
	state = state_from(reply((corpus.DATA / "cloud_api" / "answers" / "number.json").read_bytes()))
	assert (state.state, state.detail) == ("connected", "CONNECTED LIMITED YELLOW")
	assert state.data == {
		"display_number": "+20 10 55500011",
		"verified_name": "صيدليات التجربة",
		"name_status": "APPROVED",
		"quality": "YELLOW",
		"limit": "TIER_2K",
		"mode": "LIVE",
		"throughput": "STANDARD",
		"health": "LIMITED",
	}
