"""What the Cloud API driver makes of every shape in tests/data/cloud_api, and of shapes nobody has seen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khalifa_whatsapp.core.content import wants_answer
from khalifa_whatsapp.core.cost import Pricing
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	AccountNotice,
	Call,
	Event,
	IdentityChange,
	InboundMessage,
	MarketingPreference,
	Media,
	MessageEdit,
	MessageRef,
	MessageRevoke,
	MessageStatus,
	OutboundEcho,
	PayloadError,
	Reaction,
	TemplateStatus,
	Unhandled,
)
from khalifa_whatsapp.drivers.cloud_api.parse import parse as parse_for
from tests.drivers import corpus

NUMBER, ACCOUNT = "600100200300400", "500100200300400"
PHONE = Identity("phone", "+201001234567")
USER = Identity("bsuid", "EG.90000000000000001")
BOTH = (PHONE, USER)
SENT_MS, STATUS_MS = 1_795_160_400_000, 1_795_160_460_000


def parse(raw: bytes) -> list[Event]:
	return parse_for(raw, NUMBER, ACCOUNT)


def message(content_type: str, body: str = "", **fields: Any) -> tuple[type, dict[str, Any]]:
	whole = {"content_type": content_type, "body": body, "sent_ms": SENT_MS, "media": None, "sender": BOTH}
	return InboundMessage, {**whole, **fields}


def file(media_id: str, mime_type: str, **fields: Any) -> Media:
	return Media(media_id, mime_type, **{"sha256": "QUJD", **fields})


def status(term: str, gateway_id: str, **fields: Any) -> tuple[type, dict[str, Any]]:
	whole = {"ref": MessageRef(gateway_id), "status": term, "at_ms": STATUS_MS, "recipient": (PHONE,)}
	return MessageStatus, {**whole, **fields}


def call(state: str, gateway_id: str = "wacid.FAKE1", **fields: Any) -> tuple[type, dict[str, Any]]:
	whole = {"ref": MessageRef(gateway_id), "customer": BOTH, "at_ms": SENT_MS, "is_ours": False}
	return Call, {**whole, "state": state, **fields}


def reaction(emoji: str) -> tuple[type, dict[str, Any]]:
	return Reaction, {
		"target": MessageRef("wamid.FAKEOUT0001"),
		"author": PHONE.key,
		"emoji": emoji,
		"at_ms": SENT_MS,
	}


def unhandled(reason: str, is_noise: bool = False) -> tuple[type, dict[str, Any]]:
	return Unhandled, {"reason": reason, "is_noise": is_noise}


def notice(kind: str, /, **expected: Any) -> tuple[type, dict[str, Any]]:
	return AccountNotice, {"kind": kind, "at_ms": DECIDED_MS, **expected}


def error(**data: str) -> tuple[type, dict[str, Any]]:
	return AccountNotice, {
		"kind": "error",
		"data": data,
		"text": data["text"],
		"is_for_people": data["kind"] == "auth",
	}


DECIDED_MS = 1_795_160_400_000
TEMPLATE = {"template_id": "1230004567", "name": "order_ready_v2", "language": "ar", "at_ms": DECIDED_MS}


NEW_PHONE = (Identity("phone", "+201119876543"),)
UTILITY = Pricing("utility", "regular")

EXPECTED: dict[str, list[tuple[type, dict[str, Any]]]] = {
	"text": [message("text", "عايز أعرف السعر 😀", ref=MessageRef("wamid.FAKEIN0001"), profile_name="سامي")],
	"text_reply": [message("text", "هل المحل مفتوح؟", reply_to=MessageRef("wamid.FAKEOUT0001"))],
	"text_forwarded": [message("text", "إعلان", is_forwarded=True, reply_to=None)],
	"text_frequently_forwarded": [message("text", "إعلان", is_forwarded=True)],
	"text_username_user": [message("text", "أنا بدون رقم", sender=(USER,), profile_name="منى")],
	"text_no_contacts": [message("text", "Hello", sender=(PHONE,), profile_name="")],
	"text_contact_without_name": [message("text", "?", profile_name="")],
	"text_product_question": [
		message(
			"text",
			"متوفر؟",
			data={"referred_product": {"catalog_id": "700001", "product_retailer_id": "SKU-9"}},
		)
	],
	"text_referral": [message("text", "شفت الإعلان")],
	"text_parent_user_id": [
		message("text", "من شركة أخرى", sender=(*BOTH, Identity("bsuid", "EG.ENT.90000000000000009")))
	],
	"text_control_characters": [message("text", "سطر\nثان\x00 \u202e")],
	"group_text": [unhandled("group message", is_noise=True)],
	"image": [message("image", "صورة الشاشة", media=file("880000000001", "image/jpeg"))],
	"image_without_caption": [message("image", media=file("880000000001", "image/jpeg"))],
	"voice": [message("voice", media=file("880000000002", "audio/ogg; codecs=opus"))],
	"audio": [message("audio", media=file("880000000012", "audio/mpeg", size=48213))],
	"video": [message("video", "clip", media=file("880000000003", "video/mp4"))],
	"document": [
		message("document", "PO", media=file("880000000004", "application/pdf", file_name="po-7.pdf"))
	],
	"sticker": [message("sticker", media=file("880000000005", "image/webp"))],
	"location": [
		message(
			"location",
			"المحل, شارع الجمهورية",
			data={
				"latitude": 31.04,
				"longitude": 31.37,
				"name": "المحل",
				"address": "شارع الجمهورية",
				"url": "https://example.com/shop",
			},
		)
	],
	"location_point": [message("location", "31.04, 31.37", data={"latitude": 31.04, "longitude": 31.37})],
	"contacts": [message("contacts", "منى Nile Co +20 12 23456789")],
	"contacts_company_only": [message("contacts", "صيدلية النيل +20 50 2345678")],
	"contacts_phones_only": [message("contacts", "201223456789 +20 12 23456789")],
	"contacts_several": [message("contacts", "منى عادل +20 12 23456789\nليلى laila@example.com")],
	"contacts_requested": [message("contacts", "سامي فتحي +20 10 01234567")],
	"reaction": [reaction("❤️")],
	"reaction_removed": [reaction("")],
	"reaction_removed_empty": [reaction("")],
	"button": [
		message(
			"button_reply",
			"إيقاف العروض",
			data={"payload": "STOP_PROMO"},
			reply_to=MessageRef("wamid.FAKETPL01"),
		)
	],
	"button_payload_only": [message("button_reply", "STOP_PROMO", data={"payload": "STOP_PROMO"})],
	"button_without_context": [message("button_reply", "تمام", data={"payload": "OK"}, reply_to=None)],
	"interactive_button_reply": [message("button_reply", "نعم", data={"id": "visit:55:yes"})],
	"interactive_list_reply": [
		message("list_reply", "قطاعي", data={"id": "dep:retail", "description": "Walk-in customers"})
	],
	"interactive_nfm_reply": [
		message("flow_reply", "city: المنصورة", data={"name": "flow", "response": {"city": "المنصورة"}})
	],
	"interactive_nfm_reply_address": [
		message(
			"flow_reply",
			"saved address id: addr1\nvalues / name: منى\nvalues / city: المنصورة\nvalues / in pin code: "
			"35511",
		)
	],
	"interactive_nfm_reply_nested": [
		message("flow_reply", "screen 0 Name 0: <b>سامي</b>\nitems: باراسيتامول, فيتامين سي\ndelivery: ✓")
	],
	"interactive_nfm_reply_bad_json": [
		message("flow_reply", "{city", data={"name": "flow", "response_text": "{city"})
	],
	"interactive_call_permission_accepted": [
		message(
			"call_permission",
			data={"response": "accept", "source": "user_action"},
			reply_to=MessageRef("wamid.FAKEOUT0001"),
		)
	],
	"interactive_call_permission_automatic": [
		message("call_permission", data={"response": "accept", "source": "automatic"})
	],
	"interactive_unknown": [message("unknown")],
	"interactive_call_permission": [message("call_permission", data={"response": "accept", "source": ""})],
	"interactive_missing_with_errors": [
		message(
			"unsupported",
			data={"type": "interactive", "errors": [{"code": 131000, "title": "Something went wrong"}]},
		),
		error(
			code="131000",
			kind="retryable",
			text="WhatsApp had an unknown problem.",
			details="no content",
		),
	],
	"order": [message("order", "2 × SKU-9 (150 EGP)\n1 × SKU-10 (99.5 EGP)\nبسرعة لو سمحت")],
	"order_without_numbers": [message("order", "1 × ?")],
	"unsupported_too_big": [
		message(
			"unsupported",
			data={"type": "unsupported", "errors": [{"code": 131052, "title": "Media download error"}]},
		)
	],
	"unsupported_view_once": [message("unsupported")],
	"unsupported_not_handed_over": [message("unsupported")],
	"video_that_could_not_be_fetched": [
		message(
			"unsupported",
			data={"type": "video", "errors": [{"code": 131052, "title": "Media download error"}]},
		)
	],
	"unsupported": [
		message(
			"unsupported",
			data={"type": "poll_creation", "errors": [{"code": 131051, "title": "Message type unknown"}]},
		)
	],
	"unknown_type": [
		message("unknown", data={"type": "hologram", "content": {"shape": "cat", "size": [1, 2]}})
	],
	"request_welcome": [unhandled("request_welcome", is_noise=True)],
	"system_user_changed_number": [(IdentityChange, {"old": BOTH, "new": NEW_PHONE, "at_ms": SENT_MS})],
	"system_customer_changed_number": [(IdentityChange, {"old": BOTH, "new": NEW_PHONE})],
	"system_identity_changed": [unhandled("system customer_identity_changed", is_noise=True)],
	"system_user_changed_user_id": [
		(IdentityChange, {"old": (Identity("bsuid", "EG.80000000000000008"),), "new": (USER,)})
	],
	"system_unknown": [unhandled("system user_moved_to_mars")],
	"system_other": [
		message("system", "سامي بدأ مكالمة", sender=(PHONE,), data={"type": "user_joined_group_call"})
	],
	"edit": [
		(
			MessageEdit,
			{
				"target": MessageRef("wamid.FAKEIN0002"),
				"body": "التصحيح",
				"at_ms": SENT_MS,
				"customer": BOTH,
				"is_ours": False,
			},
		)
	],
	"edit_caption": [(MessageEdit, {"body": "تعليق جديد"})],
	"revoke": [(MessageRevoke, {"target": MessageRef("wamid.FAKEIN0002"), "at_ms": SENT_MS})],
	"statuses": [
		status("sent", "wamid.FAKEOUT0001", callback="WA-OUT-000321", pricing=UTILITY),
		status("delivered", "wamid.FAKEOUT0001", callback="WA-OUT-000321", recipient=BOTH, pricing=UTILITY),
		status("read", "wamid.FAKEOUT0001", callback="", pricing=None),
		status("played", "wamid.FAKEOUT0009"),
	],
	"status_failed": [
		status("failed", "wamid.FAKEOUT0002", error_code="131047", error_kind="window_closed"),
	],
	"status_failed_many_errors": [
		status("failed", "wamid.FAKEOUT0003", error_code="131026", error_kind="recipient"),
	],
	"status_failed_without_errors": [
		status("failed", "wamid.FAKEOUT0004", error_code="", error_kind="permanent"),
	],
	"status_unknown_code": [
		status(
			"failed",
			"wamid.FAKEOUT0005",
			error_code="999999",
			error_kind="permanent",
			error_text="WhatsApp refused the message.",
		),
	],
	"status_bsuid_recipient": [status("sent", "wamid.FAKEOUT0001", recipient=(USER,))],
	"status_group": [unhandled("group status", is_noise=True)],
	"status_unknown": [unhandled("status warning")],
	"value_errors": [
		error(
			code="130429",
			kind="rate_limited",
			text="The number sends too fast.",
			details="slow down",
		)
	],
	"batch": [
		message("text", "واحد", sequence=0, profile_name="سامي"),
		unhandled("malformed text no id"),
		message(
			"text", "اثنان", sequence=2, profile_name="ليلى", sender=(Identity("phone", "+966501234567"),)
		),
		message("unknown", sequence=3, data={"type": "text", "content": None}),
		unhandled("malformed item"),
		unhandled("malformed text no sender"),
		status("read", "wamid.FAKEOUT0001"),
		message("image", sequence=7, media=file("880000000021", "image/png", sha256="")),
		unhandled("malformed change"),
		unhandled("malformed change"),
		unhandled("malformed entry"),
	],
	"foreign_number": [unhandled("foreign number")],
	"no_metadata": [unhandled("foreign number")],
	"empty_messages": [unhandled("nothing in messages")],
	"other_object": [unhandled("object page")],
	"unknown_field": [unhandled("field flying_carpets")],
	"template_status": [
		(
			TemplateStatus,
			{
				"template_id": "1230004567",
				"name": "order_ready_v2",
				"language": "ar",
				"status": "REJECTED",
				"reason": "INVALID_FORMAT",
				"at_ms": DECIDED_MS,
			},
		)
	],
	"message_template_quality_update": [(TemplateStatus, {**TEMPLATE, "status": "", "quality": "RED"})],
	"message_template_components_update": [(TemplateStatus, {**TEMPLATE, "is_text_changed": True})],
	"template_category_update": [(TemplateStatus, {**TEMPLATE, "category": "MARKETING"})],
	"phone_number_quality_update": [
		notice(
			"phone_number_quality_update",
			severity="Critical",
			facts={"quality": "RED", "messaging_limit": "TIER_2K"},
		)
	],
	"phone_number_name_update": [notice("phone_number_name_update", facts={"name_status": "APPROVED"})],
	"business_capability_update": [notice("business_capability_update", facts={"messaging_limit": "2000"})],
	"account_update": [
		notice(
			"account_update",
			severity="Critical",
			facts={"state": "restricted"},
			values={"restriction": "RESTRICTED_BIZ_INITIATED_MESSAGING"},
		)
	],
	"account_alerts": [notice("account_alerts", severity="Critical", values={"alert": "OBA_REJECTED"})],
	"account_review_update": [notice("account_review_update", data={"decision": "APPROVED"})],
	"security": [notice("security", severity="Warning")],
	"user_preferences": [
		(MarketingPreference, {"customer": BOTH, "is_stopped": True, "at_ms": SENT_MS}),
		(MarketingPreference, {"customer": (PHONE,), "is_stopped": False}),
		(MarketingPreference, {"customer": (PHONE,), "is_stopped": False}),
		unhandled("preference birthdays stop"),
	],
	"smb_message_echoes": [
		(
			OutboundEcho,
			{"recipient": BOTH, "sent_ms": SENT_MS, "content_type": "text", "body": "رد من التليفون"},
		),
		(OutboundEcho, {"content_type": "image", "body": "فاتورة"}),
		(Reaction, {"target": MessageRef("wamid.FAKEIN0001"), "author": "me", "emoji": "👍"}),
		(
			MessageEdit,
			{
				"target": MessageRef("wamid.FAKEECHO0001"),
				"body": "بعد التعديل",
				"customer": BOTH,
				"is_ours": True,
			},
		),
		(MessageRevoke, {"target": MessageRef("wamid.FAKEECHO0001")}),
	],
	"smb_message_echoes_details": [
		(OutboundEcho, {"body": "أيوه متوفر", "reply_to": MessageRef("wamid.FAKEIN0001")}),
		(
			OutboundEcho,
			{
				"content_type": "location",
				"body": "الصيدلية, شارع الجمهورية",
				"data": {
					"latitude": 31.04,
					"longitude": 31.37,
					"name": "الصيدلية",
					"address": "شارع الجمهورية",
				},
			},
		),
		(
			OutboundEcho,
			{
				"content_type": "contacts",
				"body": "د. منى +20 12 23456789",
				"is_forwarded": True,
				"data": {
					"contacts": [
						{"name": {"formatted_name": "د. منى"}, "phones": [{"phone": "+20 12 23456789"}]}
					]
				},
			},
		),
	],
	"history": [unhandled("field history", is_noise=True)],
	"smb_app_state_sync": [unhandled("field smb_app_state_sync", is_noise=True)],
	"calls": [call("ringing", customer=(PHONE,))],
	"calls_connect": [call("ringing", is_video=True, profile_name="سامي")],
	"calls_answered": [
		call("answered", at_ms=SENT_MS + 195_000, started_ms=SENT_MS + 10_000, duration=185, is_video=False)
	],
	"calls_missed": [call("missed", at_ms=SENT_MS + 45_000, started_ms=0, duration=0)],
	"calls_failed": [call("missed", at_ms=SENT_MS + 45_000, duration=30)],
	"calls_ours": [
		call("answered", is_ours=True, customer=(PHONE,), at_ms=SENT_MS + 45_000, duration=12),
		call("missed", "wacid.FAKE2", is_ours=True, customer=(PHONE,), at_ms=SENT_MS + 45_000),
	],
	"calls_statuses": [
		*(
			call(state, "wacid.FAKE2", is_ours=True, customer=(PHONE,))
			for state in ("ringing", "answered", "missed")
		),
		unhandled("call status HUMMING"),
	],
	"calls_odd": [unhandled("call transfer"), unhandled("malformed item no customer")],
	"calls_nothing": [unhandled("nothing in calls")],
	"group_lifecycle_update": [unhandled("field group_lifecycle_update", is_noise=True)],
}


def test_every_recorded_shape_has_an_expectation() -> None:
	assert set(corpus.names("cloud_api")) == set(EXPECTED)


@pytest.mark.parametrize("name", corpus.names("cloud_api"))
def test_a_recorded_shape_gives_these_events(name: str) -> None:
	events = parse(corpus.raw("cloud_api", name))
	assert len(events) == len(EXPECTED[name]), events
	for event, expected in zip(events, EXPECTED[name], strict=True):
		assert corpus.matches(event, expected), (event, expected)


@pytest.mark.parametrize(
	("said", "pricing"),
	[
		({"category": "MARKETING"}, Pricing("marketing")),
		({"type": "free_entry_point"}, Pricing("", "free_entry_point")),
		(
			{"category": "service", "amount": "0.0132", "currency": "aed"},
			Pricing("service", "", 13_200, "AED"),
		),
		({"category": "service", "price": 0.0036, "currency": "USD"}, Pricing("service", "", 3_600, "USD")),
		({"category": "service", "amount": "0.0132"}, Pricing("service")),
		({"category": "service", "amount": "much", "currency": "AED"}, Pricing("service")),
		({"category": ["x"], "type": {}, "amount": [], "currency": 7}, None),
		({"billable": True}, None),
		({"billable": False, "category": "utility"}, Pricing("utility", "not_billable")),
		({"billable": False, "type": "regular"}, Pricing("", "regular")),
		("PMP", None),
		(None, None),
	],
)
def test_what_is_said_of_a_price_is_read_as_far_as_it_can_be(said: Any, pricing: Pricing | None) -> None:
	payload = json.loads(corpus.raw("cloud_api", "statuses"))
	payload["entry"][0]["changes"][0]["value"]["statuses"][0]["pricing"] = said
	event = parse(json.dumps(payload).encode())[0]
	assert isinstance(event, MessageStatus) and event.pricing == pricing


def test_a_management_event_of_another_account_is_not_ours() -> None:
	payload = json.loads(corpus.raw("cloud_api", "account_update"))
	payload["entry"][0]["id"] = "599999999999999"
	assert parse(json.dumps(payload).encode()) == [Unhandled("foreign account")]


@pytest.mark.parametrize("known", ["from", "from_user_id"])
def test_the_contact_shows_the_other_identity(known: str) -> None:
	payload = json.loads(corpus.raw("cloud_api", "text"))
	written = payload["entry"][0]["changes"][0]["value"]["messages"][0]
	for key in {"from", "from_user_id"} - {known}:
		del written[key]
	(event,) = parse(json.dumps(payload).encode())
	assert isinstance(event, InboundMessage)
	assert event.sender == BOTH


def test_a_text_comes_out_as_it_was_written() -> None:
	payload = json.loads(corpus.raw("cloud_api", "text"))
	content = payload["entry"][0]["changes"][0]["value"]["messages"][0]["text"]
	for body in (
		"<b>&amp;'\"",
		" أ\u0640\u0651 \u200f\u200b",
		"👩‍👩‍👧" * 500,
		"{{7*7}} %s '; DROP",
		"a" * 65_536,
		" \n",
	):
		content["body"] = body
		(event,) = parse(json.dumps(payload).encode())
		assert isinstance(event, InboundMessage) and event.body == body


@pytest.mark.parametrize("name", corpus.names("cloud_api"))
def test_no_missing_or_odd_field_raises(name: str) -> None:
	corpus.check_mutants(parse, json.loads(corpus.raw("cloud_api", name)))


@pytest.mark.parametrize("index", range(4))
def test_a_broken_message_leaves_its_neighbours(index: int) -> None:
	payload = json.loads(corpus.raw("cloud_api", "text"))
	messages = payload["entry"][0]["changes"][0]["value"]["messages"]
	messages[:] = [{**messages[0], "id": f"wamid.N{place}"} for place in range(4)]
	for path in corpus.paths(messages[index]):
		for oddity in corpus.ODDITIES:
			broken = json.loads(json.dumps(payload))
			holder = broken["entry"][0]["changes"][0]["value"]["messages"][index]
			for key in path[:-1]:
				holder = holder[key]
			holder[path[-1]] = oddity
			events = parse(json.dumps(broken).encode())
			good = [event for event in events if isinstance(event, InboundMessage)]
			assert len(events) == 4 and len(good) >= 3


json_values = st.recursive(
	st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
	lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
	max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(json_values)
def test_any_json_gives_events_or_a_payload_error(value: Any) -> None:
	corpus.check(parse, json.dumps(value).encode())


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(corpus.names("cloud_api")), st.data(), json_values)
def test_any_json_anywhere_in_a_known_shape(name: str, data: st.DataObject, value: Any) -> None:
	payload = json.loads(corpus.raw("cloud_api", name))
	path = data.draw(st.sampled_from(list(corpus.paths(payload))))
	corpus.check_with(parse, payload, path, value)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_payload_error(body: bytes) -> None:
	corpus.check(parse, body)


@pytest.mark.parametrize(
	"body",
	[
		b"",
		b"{",
		b"null",
		b"[]",
		b"5",
		b"{}",
		b'{"entry": {}}',
		b"[" * 100_000,
		b'{"a":' * 100_000,
		b'{"entry": ' + b"1" * 5_000 + b"}",
		b"\xff\xfe\x00",
		"{}".encode("utf-16"),
		b'{"entry": "\xff"}',
		b"entry=1&object=whatsapp",
	],
	ids=lambda body: ascii(body[:12]),
)
def test_garbage_is_a_payload_error(body: bytes) -> None:
	with pytest.raises(PayloadError):
		parse(body)


def test_odd_numbers_and_duplicate_keys_are_survived() -> None:
	text = corpus.raw("cloud_api", "text").decode()
	for odd in (
		"1e400",
		"NaN",
		"-Infinity",
		"9" * 4_000,
		'"0"',
		'"-5"',
		'"99999999999999999"',
		"32503680000",
	):
		corpus.check(parse, text.replace('"1795160400"', odd).encode())
	doubled = text.replace('"type": "text"', '"type": "image", "type": "text"')
	assert corpus.check(parse, doubled.encode())


@pytest.mark.parametrize(
	("given", "expected"),
	[
		("1795160400", SENT_MS),
		(1795160400, SENT_MS),
		(1795160400000, SENT_MS),
		("1795160400000", SENT_MS),
		(0, 0),
		(-5, 0),
		("soon", 0),
		(None, 0),
		("٣", 0),
		(32503680000, 32503680000000),
	],
)
def test_a_time_is_milliseconds_or_unknown(given: Any, expected: int) -> None:
	payload = json.loads(corpus.raw("cloud_api", "text"))
	payload["entry"][0]["changes"][0]["value"]["messages"][0]["timestamp"] = given
	(event,) = parse(json.dumps(payload).encode())
	assert isinstance(event, InboundMessage) and event.sent_ms == expected


def test_a_batch_of_a_thousand_entries_is_parsed() -> None:
	payload = json.loads(corpus.raw("cloud_api", "text"))
	payload["entry"] *= 1_000
	assert len(parse(json.dumps(payload).encode())) == 1_000


@pytest.mark.parametrize("odd", [None, "words", ["words"], {}, {"body": {"deep": 1}}])
@pytest.mark.parametrize(
	"kind", ["text", "image", "document", "location", "contacts", "interactive", "button", "order"]
)
def test_what_a_customer_wrote_is_kept_even_if_nobody_can_read_it(kind: str, odd: Any) -> None:
	payload = json.loads(corpus.raw("cloud_api", "text"))
	written = payload["entry"][0]["changes"][0]["value"]["messages"][0]
	del written["text"]
	written.update({"type": kind, kind: odd})
	(event,) = parse(json.dumps(payload).encode())
	assert isinstance(event, InboundMessage) and event.sender and wants_answer(event.content_type, event.data)


def test_an_edit_that_nobody_can_read_wipes_nothing_out() -> None:
	payload = json.loads(corpus.raw("cloud_api", "text"))
	written = payload["entry"][0]["changes"][0]["value"]["messages"][0]
	edit = {"original_message_id": "wamid.FAKEIN0001", "message": {"type": "text", "text": "words"}}
	written.update({"type": "edit", "edit": edit})
	(event,) = parse(json.dumps(payload).encode())
	assert isinstance(event, Unhandled)
