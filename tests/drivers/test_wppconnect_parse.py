"""What the WPPConnect driver makes of every shape in tests/data/wppconnect, and of shapes nobody has seen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khalifa_whatsapp.core.content import wants_answer
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	Call,
	Event,
	InboundMessage,
	MessageRef,
	MessageRevoke,
	MessageStatus,
	OutboundEcho,
	PayloadError,
	Reaction,
	SessionState,
	Unhandled,
)
from khalifa_whatsapp.drivers.wppconnect.content import is_whole_file
from khalifa_whatsapp.drivers.wppconnect.parse import parse as parse_for
from tests.drivers import corpus

PHONE = Identity("phone", "+201001234567")
LID = Identity("lid", "98765432109876")
IN, IN_LID = "in|201001234567@c.us", "in|98765432109876@lid"
OURS = MessageRef("3EB0FAKE0001", "out")
SENT_MS = 1_795_160_400_000
Expected = tuple[type, dict[str, Any]]


def parse(raw: bytes) -> list[Event]:
	return parse_for(raw, "shop1")


def message(number: int, content_type: str, body: str = "", **fields: Any) -> Expected:
	whole = {
		"ref": MessageRef(f"3AFAKE{number:014d}", IN),
		"content_type": content_type,
		"body": body,
		"sender": (PHONE,),
		"sent_ms": SENT_MS,
		"profile_name": "سامي",
		"reply_to": None,
	}
	return InboundMessage, {**whole, **fields}


def from_lid(number: int, content_type: str, body: str = "", **fields: Any) -> Expected:
	ref = MessageRef(f"3AFAKE{number:014d}", IN_LID)
	return message(number, content_type, body, **{"ref": ref, "sender": (LID,), **fields})


def status(term: str, **fields: Any) -> Expected:
	return MessageStatus, {"ref": OURS, "status": term, "at_ms": SENT_MS, "recipient": (PHONE,), **fields}


def state(term: str, detail: str) -> Expected:
	return SessionState, {"state": term, "detail": detail}


def noise(reason: str) -> Expected:
	return Unhandled, {"reason": reason, "is_noise": True}


def unhandled(reason: str) -> Expected:
	return Unhandled, {"reason": reason, "is_noise": False}


def echo(gateway_id: str, body: str, recipient: Identity = PHONE, **fields: Any) -> Expected:
	ref = MessageRef(gateway_id, "out")
	whole = {"ref": ref, "body": body, "recipient": (recipient,), "content_type": "text", "sent_ms": SENT_MS}
	return OutboundEcho, {**whole, **fields}


def call(state: str, gateway_id: str, scope: str = IN, **fields: Any) -> Expected:
	whole = {"ref": MessageRef(gateway_id, scope), "customer": (PHONE,), "at_ms": SENT_MS, "is_ours": False}
	return Call, {**whole, "state": state, **fields}


def reaction(emoji: str, at_ms: int, author: str = PHONE.key, target: MessageRef = OURS) -> Expected:
	return Reaction, {"target": target, "author": author, "emoji": emoji, "at_ms": at_ms}


EXPECTED: dict[str, Expected] = {
	"chat": message(1, "text", "عايز أعرف السعر"),
	"chat_object_ids": message(2, "text", "هات"),
	"chat_quoting_us": message(3, "text", "تمام", reply_to=OURS),
	"chat_quoting_self": message(4, "text", "قصدي دي", reply_to=MessageRef("3AFAKE00000000000001", IN)),
	"chat_quoting_bare_id": message(5, "text", "نعم", reply_to=OURS),
	"chat_forwarded": message(6, "text", "خبر", is_forwarded=True),
	"chat_lid": from_lid(7, "text", "من غير رقم"),
	"chat_lid_with_phone": from_lid(8, "text", "برقم", sender=(PHONE, LID)),
	"chat_lid_sender_phone": from_lid(9, "text", "برقم", sender=(PHONE, LID)),
	"chat_overwritten_envelope": unhandled("foreign session"),
	"foreign_session": unhandled("foreign session"),
	"image_inline": message(12, "image", "الفاتورة"),
	"image_thumbnail": message(13, "image", "الفاتورة"),
	"image_lid": from_lid(14, "image", reply_to=OURS),
	"voice": message(15, "voice"),
	"audio": message(16, "audio"),
	"video": message(17, "video", "فيديو"),
	"document": message(18, "document", "عرض"),
	"sticker": message(19, "sticker"),
	"location": message(
		20,
		"location",
		"المحل, شارع الجمهورية",
		data={"latitude": 31.04, "longitude": 31.37, "name": "المحل\nشارع الجمهورية"},
	),
	"location_point": message(21, "location", "31.04, 31.37"),
	"vcard": message(
		22,
		"contacts",
		"منى +20 12 23456789",
		data={
			"contacts": [
				{
					"name": {"formatted_name": "منى"},
					"phones": [{"phone": "+20 12 23456789", "wa_id": "201223456789", "type": "CELL"}],
				}
			]
		},
	),
	"multi_vcard": message(23, "contacts", "منى +20 12 23456789\nليلى +20 12 23456789"),
	"vcard_quoted_printable": message(41, "contacts", "أحمد علي +201223456789"),
	"vcard_without_name": message(42, "contacts", "Nile Co, Sales +20 12 23456789 02 23456789"),
	"vcard_number_only": message(43, "contacts", "+20-50-2345678"),
	"vcard_broken": message(44, "contacts", "أحمد"),
	"vcard_unreadable": message(45, "contacts", "أحمد"),
	"poll_with_options": message(48, "poll", "إمتى نوصّل؟\n▫ الصبح\n▫ بالليل"),
	"location_live": message(
		49,
		"location",
		"31.04, 31.37\nأنا هنا",
		data={"latitude": 31.04, "longitude": 31.37, "name": None, "is_live": True},
	),
	"image_view_once": message(50, "unsupported", data={"type": "view_once", "on_phone": True}, media=None),
	"product": message(
		51,
		"product",
		"فيتامين سي\n150 EGP\n٢٠ قرص",
		data={"product_id": "9988", "title": "فيتامين سي", "price": "150 EGP"},
	),
	"list_response_description": message(
		52, "list_reply", "توصيل", data={"id": "d:1", "description": "خلال ساعة"}
	),
	"oversized": message(53, "unsupported", data={"type": "oversized", "on_phone": True}),
	"album": noise("type album"),
	"list_response": message(24, "list_reply", "قطاعي", data={"id": "dep:retail"}),
	"buttons_response": message(25, "button_reply", "نعم", data={"id": "visit:55:yes"}),
	"template_button_reply": message(26, "button_reply", "تمام", data={"id": "ok"}),
	"poll_creation": message(27, "poll", "?"),
	"order": message(28, "order", "كشاف · 2 · بسرعة"),
	"unknown_type": message(29, "unknown", data={"type": "hologram", "on_phone": True}),
	"ciphertext": message(30, "missing", data={"on_phone": True}, is_missing=True),
	"e2e_notification": noise("type e2e_notification"),
	"call_log": call("rang", f"3AFAKE{32:014d}", profile_name="سامي"),
	"call_log_answered": call("answered", f"3AFAKE{46:014d}", duration=185, is_video=True),
	"call_log_missed": call("missed", f"3AFAKE{47:014d}", duration=0),
	"call_log_ours": call("answered", "3EB0FAKE0060", "out", is_ours=True, duration=12),
	"group_chat": noise("not a personal chat"),
	"status_broadcast": noise("not a personal chat"),
	"newsletter": noise("not a personal chat"),
	"unreadmessages": message(36, "text", "وصلت وانت نايم"),
	"onselfmessage": echo("3EB0FAKE0009", "رد من التليفون"),
	"onselfmessage_lid": echo("3EB0FAKE0010", "رد من التليفون", LID),
	"onselfmessage_group": noise("own chat"),
	"onselfmessage_quote": echo(
		"3EB0FAKE0061", "أيوه متوفر", reply_to=MessageRef("3AFAKE00000000000001", IN)
	),
	"onselfmessage_quote_bare_id": echo(
		"3EB0FAKE0065", "أيوه متوفر", reply_to=MessageRef("3AFAKE00000000000001", IN)
	),
	"onselfmessage_location": echo(
		"3EB0FAKE0062",
		"الصيدلية, شارع الجمهورية",
		content_type="location",
		data={"latitude": 31.04, "longitude": 31.37, "name": "الصيدلية\nشارع الجمهورية"},
	),
	"onselfmessage_vcard": echo(
		"3EB0FAKE0063",
		"د. منى +20 12 23456789",
		content_type="contacts",
		data={"contacts": [{"name": {"formatted_name": "د. منى"}, "phones": [{"phone": "+20 12 23456789"}]}]},
	),
	"onselfmessage_ciphertext": echo("3EB0FAKE0064", "", content_type="missing", is_missing=True),
	"onmessage_from_me": echo("3EB0FAKE0009", "رد"),
	"onack_minus_1": status("failed", error_code="ack-1", error_kind="permanent"),
	"onack_0": noise("ack 0"),
	"onack_1": status("sent"),
	"onack_2": status("delivered"),
	"onack_3": status("read"),
	"onack_4": status("played"),
	"onack_5": noise("ack 5"),
	"onack_string_id": status("delivered"),
	"onack_object_without_serialized": status("read", recipient=(LID, PHONE)),
	"onack_of_customer": noise("ack of a foreign message"),
	"onack_group": noise("ack of a foreign message"),
	"qrcode": state("qr", "qrcode"),
	"phone_code": state("qr", "phoneCode"),
	"status_find_notLogged": state("qr", "notLogged"),
	"status_find_isLogged": state("connecting", "isLogged"),
	"status_find_qrReadSuccess": state("connecting", "qrReadSuccess"),
	"status_find_inChat": state("connected", "inChat"),
	"status_find_autocloseCalled": state("disconnected", "autocloseCalled"),
	"status_find_disconnectedMobile": state("disconnected", "disconnectedMobile"),
	"status_find_browserClose": state("disconnected", "browserClose"),
	"status_find_somethingNew": unhandled("status somethingNew"),
	"closesession": state("disconnected", "closesession"),
	"logoutsession": state("disconnected", "logoutsession"),
	"incomingcall": call("rang", "FAKECALL1", is_video=False),
	"incomingcall_video": call("rang", f"3AFAKE{32:014d}", is_video=True),  # the id of the call_log above
	"incomingcall_group": noise("call of a group"),
	"onreactionmessage": reaction("👍", 1_795_160_400_123),
	"onreactionmessage_removed": reaction("", 1_795_160_405_000),
	"onreactionmessage_ours": reaction("👍", SENT_MS, "me", MessageRef("3AFAKE00000000000001", IN)),
	"onrevokedmessage": (MessageRevoke, {"target": MessageRef("3AFAKE00000000000001", IN)}),
	"onrevokedmessage_ours": (MessageRevoke, {"target": OURS}),
	"onpollresponse": message(
		0,
		"poll_reply",
		"نعم",
		ref=MessageRef(f"vote-3EB0FAKE0001-{SENT_MS}", IN),
		reply_to=OURS,
		profile_name="",
	),
	"onpollresponse_taken_back": message(
		0, "poll_reply", ref=MessageRef(f"vote-3EB0FAKE0001-{SENT_MS}", IN), reply_to=OURS, profile_name=""
	),
	"onpollresponse_ours": noise("vote of ours"),
	"onpollresponse_group": noise("vote in a group"),
	"onpresencechanged": noise("event onpresencechanged"),
	"onparticipantschanged": noise("event onparticipantschanged"),
	"onupdatelabel": noise("event onupdatelabel"),
	"unknown_event": unhandled("event onsomethingnew"),
}


def test_every_recorded_shape_has_an_expectation() -> None:
	assert set(corpus.names("wppconnect")) == set(EXPECTED)


@pytest.mark.parametrize("name", corpus.names("wppconnect"))
def test_a_recorded_shape_gives_this_event(name: str) -> None:
	(event,) = parse(corpus.raw("wppconnect", name))
	assert corpus.matches(event, EXPECTED[name]), (event, EXPECTED[name])


@pytest.mark.parametrize(
	("name", "is_inline"), [("image_inline", True), ("image_thumbnail", False), ("voice", False)]
)
def test_a_preview_is_not_taken_for_the_file(name: str, is_inline: bool) -> None:
	(event,) = parse(corpus.raw("wppconnect", name))
	assert isinstance(event, InboundMessage) and event.media is not None
	assert event.media.is_inline is is_inline
	assert event.media.media_id.startswith("false_201001234567@c.us_3AFAKE")


@pytest.mark.parametrize(
	("body", "size", "expected"),
	[
		("A" * 400, 300, True),
		("data:image/jpeg;base64," + "A" * 400, 300, True),
		("A" * 400, 3_000, False),
		("A" * 400, None, False),
		("A" * 50_000, None, True),
		("hello, how are you? " * 30, 300, False),
		("AAAA", 3, True),
		("AA==", 1, True),
		("", 0, False),
		(None, 3, False),
	],
)
def test_the_size_distinguishes_a_file_from_its_preview(body: Any, size: int | None, expected: bool) -> None:
	assert is_whole_file(body, size) is expected


@pytest.mark.parametrize("name", ["qrcode", "phone_code"])
def test_the_login_code_never_leaves_the_driver(name: str) -> None:
	(event,) = parse(corpus.raw("wppconnect", name))
	assert not any(secret in repr(event) for secret in ("FAKEQR", "FAKEREF", "FAKE-CODE", "2@"))


def test_two_customers_may_choose_the_same_id() -> None:
	payload = json.loads(corpus.raw("wppconnect", "chat"))
	other = {
		**payload,
		"id": payload["id"].replace("201001234567", "201119876543"),
		"from": "201119876543@c.us",
	}
	refs = [parse(json.dumps(one).encode())[0] for one in (payload, other)]
	assert all(isinstance(event, InboundMessage) for event in refs)
	assert len({event.ref for event in refs if isinstance(event, InboundMessage)}) == 2


@pytest.mark.parametrize("odd", [None, 7, ["words"], {"deep": 1}])
@pytest.mark.parametrize(
	"kind", ["chat", "image", "document", "location", "vcard", "multi_vcard", "poll_creation"]
)
def test_what_a_customer_wrote_is_kept_even_if_nobody_can_read_it(kind: str, odd: Any) -> None:
	payload = {**json.loads(corpus.raw("wppconnect", "chat")), "type": kind, "body": odd, "content": odd}
	(event,) = parse(json.dumps(payload).encode())
	assert isinstance(event, InboundMessage) and wants_answer(event.content_type, event.data)


def test_a_customer_cant_revoke_our_message() -> None:
	payload = json.loads(corpus.raw("wppconnect", "onrevokedmessage"))
	payload["refId"] = "true_201001234567@c.us_3EB0FAKE0001"
	assert parse(json.dumps(payload).encode()) == [Unhandled("revoke of a foreign message")]


@pytest.mark.parametrize("name", corpus.names("wppconnect"))
def test_no_missing_or_odd_field_raises(name: str) -> None:
	corpus.check_mutants(parse, json.loads(corpus.raw("wppconnect", name)))


json_values = st.recursive(
	st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
	lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
	max_leaves=20,
)


# Whole objects are made of the names and words that a driver looks at; names that nobody knows are soon
# ignored alike.
KNOWN = [json.loads(corpus.raw("wppconnect", name)) for name in corpus.names("wppconnect")]
keys = st.sampled_from(sorted({key for payload in KNOWN for key in payload})) | st.text(max_size=9)
terms = st.sampled_from(
	sorted({text for payload in KNOWN for text in payload.values() if isinstance(text, str)})
)
small_values = terms | st.sampled_from(corpus.ODDITIES)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(corpus.names("wppconnect")), st.data(), json_values)
def test_any_json_anywhere_in_a_known_shape(name: str, data: st.DataObject, value: Any) -> None:
	payload = json.loads(corpus.raw("wppconnect", name))
	path = data.draw(st.sampled_from(list(corpus.paths(payload))))
	corpus.check_with(parse, payload, path, value)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(keys, small_values, max_size=12))
def test_any_object_gives_one_event(value: dict[str, Any]) -> None:
	assert len(corpus.check(parse, json.dumps({**value, "session": "shop1"}).encode())) == 1


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_payload_error(body: bytes) -> None:
	corpus.check(parse, body)


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"[" * 100_000, b"\xff\xfe\x00"])
def test_garbage_is_a_payload_error(body: bytes) -> None:
	with pytest.raises(PayloadError):
		parse(body)


def test_a_huge_vcard_is_read_in_time() -> None:
	payload = json.loads(corpus.raw("wppconnect", "vcard"))
	payload["body"] = "FN" + "a" * 100_000 + "\nTEL" + ";" * 100_000 + "\nitem1." * 10_000
	corpus.check(parse, json.dumps(payload).encode())
