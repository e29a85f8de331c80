"""What a message says, in the list and in the thread, whatever came and in whatever shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.content import (
	LINE,
	MessageContent,
	Part,
	line_of,
	parts,
	put_preview,
	search_text,
	summary,
	wants_answer,
)
from khalifa_whatsapp.core.kinds import (
	AD_ICON,
	BY_ERROR,
	BY_TYPE,
	KINDS,
	MESSAGES,
	REVOKED_ICON,
	label_icon,
)

AD = {"headline": "عرض الشتا", "body": "كلمنا", "source_url": "https://fb.me/x"}


def row(
	kind: str = "text", body: str = "", data: Any = None, direction: str = records.INCOMING, **more: Any
) -> records.Message:
	stored = json.dumps(data) if data is not None else None
	return records.Message(
		"m",
		"t",
		"c",
		"d",
		direction,
		records.CUSTOMER,
		kind,
		records.RECEIVED,
		1,
		1,
		body=body,
		data=stored,
		**more,
	)


def shown(
	kind: str, body: str = "", data: Any = None, has_file: bool = False, **more: Any
) -> list[tuple[str, ...]]:
	"""The parts without what is empty in them."""
	pieces = parts(MessageContent(kind, body, data or {}, **more), has_file)
	return [
		tuple(filter(None, (part.kind, part.text, part.label, part.value, *part.lines))) for part in pieces
	]


CASES: list[tuple[str, str, Any, str, list[tuple[str, ...]]]] = [
	# kind, body, details, the line in the list, the parts in the thread
	("text", "hello", {}, "hello", [("text", "hello")]),
	("text", " ", {}, "A message without text", [("text", " ")]),
	(
		"text",
		"متوفر؟",
		{"referred_product": {"catalog_id": "7", "product_retailer_id": "SKU-9"}},
		"متوفر؟ · 🛍 SKU-9",
		[("fact", "about_product", "SKU-9"), ("text", "متوفر؟")],
	),
	(
		"text",
		"شفت الإعلان",
		{"referral": AD},
		f"شفت الإعلان · {AD_ICON} عرض الشتا",
		[("ad", "عرض الشتا", "ad", "كلمنا", "https://fb.me/x"), ("text", "شفت الإعلان")],
	),
	("text", "خبر", {"is_forwarded": True}, "خبر", [("note", "forwarded"), ("text", "خبر")]),
	(
		"flow_reply",
		"Sent",
		{"response": {"flow_token": "k", "full_name": "منى", "items": ["a", "b"], "paid": True}},
		"📝 full name: منى items: a, b paid: ✓",
		[("field", "full name", "منى"), ("field", "items", "a, b"), ("field", "paid", "✓")],
	),
	("flow_reply", "Sent", {"response_text": "{city"}, "📝 {city", [("text", "{city")]),
	("flow_reply", "", {"response": {}}, "📝 A form was filled in", [("note", "flow_reply")]),
	(
		"list_reply",
		"قطاعي",
		{"description": "خلال ساعة"},
		"قطاعي · خلال ساعة",
		[("text", "قطاعي"), ("text", "خلال ساعة")],
	),
	(
		"contacts",
		"[object]",
		{
			"contacts": [
				{
					"name": {"first_name": "Mona"},
					"org": {"company": "Nile"},
					"phones": [{"wa_id": "2012"}, {"phone": "+20 12"}],
					"emails": [{"email": "a@b.c"}],
				}
			]
		},
		"👤 Mona Nile 2012 +2012 a@b.c",
		[("card", "Mona", "Nile", "2012", "+20 12", "a@b.c")],
	),
	(
		"contacts",
		"",
		{"contacts": [{"name": "منى", "phones": ["+20 12"]}]},
		"👤 منى +2012",
		[("card", "منى", "+20 12")],
	),
	(
		"contacts",
		"",
		{"contacts": [{"name": {}, "phones": []}, "x", None]},
		"👤 Contact card",
		[("note", "contacts")],
	),
	(
		"contacts",
		"منى",
		{"contacts": [{"name": "منى", "phone": "+2012"}], "is_requested": True},
		"👤 منى +2012",
		[("note", "requested"), ("card", "منى", "+2012")],
	),
	(
		"location",
		"31.04, 31.37",
		{"latitude": 31.04, "longitude": 31.37},
		"📍 31.04, 31.37",
		[("place", "location")],
	),
	(
		"location",
		"Shop, Street",
		{"latitude": "31.04", "longitude": 31.37, "name": "Shop\nStreet", "url": "https://x.y"},
		"📍 Shop, Street",
		[("place", "Shop, Street", "location"), ("text", "https://x.y")],
	),
	("location", "", {"latitude": 91, "longitude": 0}, "📍 Location", [("note", "location")]),
	(
		"location",
		"",
		{"latitude": 31, "longitude": 31, "is_live": True},
		"📍 Live location",
		[("place", "live_location")],
	),
	(
		"location",
		"31.0, 31.0\nI am here",
		{"latitude": 31, "longitude": 31, "is_live": True},
		"📍 31.0, 31.0 I am here",
		[("place", "live_location"), ("text", "I am here")],
	),
	(
		"location",
		"",
		{"location": {"latitude": 1, "longitude": 2, "name": "Here"}},
		"📍 Location",
		[("place", "Here", "location")],
	),
	("order", "2 × SKU-9 (150 EGP)", {}, "🛒 2 × SKU-9 (150 EGP)", [("text", "2 × SKU-9 (150 EGP)")]),
	("order", "", {}, "🛒 Order", [("note", "order")]),
	("poll", "When?\n▫ now", {}, "📊 When? ▫ now", [("text", "When?\n▫ now")]),
	("poll_reply", "now", {}, "📊 now", [("text", "now")]),
	("poll_reply", "", {}, "📊 A vote in a poll was taken back", [("note", "poll_none")]),
	(
		"call_permission",
		"",
		{"response": "accept"},
		"📞 The customer allows calls",
		[("note", "call_allowed")],
	),
	(
		"call_permission",
		"",
		{"response": "reject"},
		"📞 The customer does not allow calls",
		[("note", "call_refused")],
	),
	("call", "", {"state": "missed"}, "📞 Missed call", [("note", "call_missed")]),
	(
		"call",
		"",
		{"state": "answered", "duration": 185, "is_video": True},
		"📞 Call, answered",
		[("note", "call_answered"), ("note", "video_call"), ("fact", "talk", "3:05")],
	),
	("unsupported", "", {"type": "poll_creation"}, "📊 Poll", [("note", "poll"), ("note", "ask_again")]),
	(
		"unsupported",
		"",
		{"type": "unsupported", "errors": [{"code": 131052}]},
		"📄 A file that WhatsApp could not deliver: too big or damaged",
		[("note", "file_lost"), ("note", "ask_again")],
	),
	(
		"unsupported",
		"",
		{"errors": [{"code": 131060}]},
		"❔ A message that WhatsApp has not handed over",
		[("note", "not_handed_over"), ("note", "in_business_app")],
	),
	(
		"unsupported",
		"الروشتة",
		{"type": "image", "on_phone": True},
		"📷 الروشتة",
		[("note", "image"), ("text", "الروشتة"), ("note", "on_phone")],
	),
	(
		"unsupported",
		"",
		{"type": "hologram"},
		"❔ A kind of message that can't be shown here",
		[("note", "unsupported"), ("note", "ask_again")],
	),
	(
		"unknown",
		"",
		{"type": "hologram", "on_phone": True},
		"❔ A kind of message that is not known here",
		[("note", "unknown"), ("note", "on_phone")],
	),
	("", "", {}, "❔ A kind of message that is not known here", [("note", "unknown")]),
	(
		"missing",
		"",
		{"on_phone": True},
		"⏳ A message that has not arrived yet",
		[("note", "missing"), ("note", "on_phone")],
	),
	("missing", "new words", {}, "⏳ new words", [("text", "new words"), ("note", "edited_only")]),
	(
		"choices",
		"Which?",
		{"choices": {"header": "H", "choices": [{"title": "A"}, {"title": "B"}]}},
		"Which?",
		[("text", "H"), ("text", "Which?"), ("text", "▫ A\n▫ B")],
	),
]


@pytest.mark.parametrize(
	("kind", "body", "data", "line", "whole"), CASES, ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)]
)
def test_a_kind_is_shown_as_text_in_the_list_and_in_the_thread(kind, body, data, line, whole) -> None:
	assert summary(row(kind, body, data)) == line
	assert shown(kind, body, data) == whole


def test_a_call_of_ours_says_so() -> None:
	for state in ("ringing", "rang", "missed", "answered"):
		theirs, ours = (
			line_of(MessageContent("call", data={"state": state}, is_ours=is_ours))
			for is_ours in (False, True)
		)
		assert ours[1].startswith("call_out_") and theirs[1] == f"call_{state}"


def test_a_file_is_drawn_and_not_named_too() -> None:
	assert shown("image", has_file=True) == []
	assert shown("voice") == [("note", "voice")]
	assert summary(row("document", file_name="list.pdf")) == "📄 list.pdf"
	assert summary(row("document", "the list", file_name="list.pdf")) == "📄 the list"
	assert summary(row("voice")) == "🎤 Voice message"


def test_what_was_taken_back_says_nothing_more() -> None:
	one = row("text", "secret", {"referral": AD}, is_revoked=1)
	assert summary(one) == f"{REVOKED_ICON} {MESSAGES['revoked']}"
	assert shown("text", "secret", {"referral": AD}, is_revoked=True) == [("note", "revoked")]


def test_only_a_sentence_of_ours_has_a_key_to_be_said_in_another_language() -> None:
	ticket = records.Ticket("t", "c", "d")
	put_preview(ticket, row("call", data={"state": "missed"}))
	assert (ticket.preview, ticket.preview_label) == ("📞 Missed call", "call_missed")
	put_preview(ticket, row("text", "📞 Missed call"))
	assert (ticket.preview, ticket.preview_label) == ("📞 Missed call", "")


def test_search_finds_what_was_filled_in_and_where_the_customer_came_from() -> None:
	text = (
		search_text(
			row("flow_reply", "Sent", {"response": {"city": "المنصورة"}, "referral": AD}, file_name="a.pdf")
		)
		or ""
	)
	assert [term in text for term in ("المنصوره", "عرض الشتا", "كلمنا", "a.pdf")] == [True] * 4
	assert "sku-9" in (
		search_text(row("text", "?", {"referred_product": {"product_retailer_id": "SKU-9"}})) or ""
	)
	assert search_text(row("call", data={"state": "missed"})) is None


@pytest.mark.parametrize(
	("kind", "data", "is_ours", "expected"),
	[
		("text", {}, False, True),
		("text", {}, True, False),
		("system", {}, False, False),
		("missing", {}, False, True),
		("call", {"state": "ringing"}, False, False),
		("call", {"state": "rang"}, False, True),
		("call", {"state": "missed"}, False, True),
		("call", {"state": "answered"}, False, False),
		("call", {"state": "missed"}, True, False),
		("call", {"state": 5}, False, False),
		("call_permission", {"source": "automatic"}, False, False),
		("call_permission", {}, False, True),
	],
)
def test_who_waits_for_an_answer(kind: str, data: dict[str, Any], is_ours: bool, expected: bool) -> None:
	assert wants_answer(kind, data, is_ours) is expected


json_values = st.recursive(
	st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
	lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
	max_leaves=12,
)
keys = st.sampled_from(
	[
		"contacts",
		"response",
		"referral",
		"referred_product",
		"location",
		"latitude",
		"longitude",
		"name",
		"state",
		"duration",
		"errors",
		"type",
		"choices",
		"description",
		"is_forwarded",
		"on_phone",
		"response_text",
	]
)


@given(
	st.sampled_from([*sorted(KINDS), "hologram", ""]),
	st.text(),
	st.dictionaries(keys, json_values),
	st.booleans(),
	st.text(),
)
def test_whatever_is_stored_there_is_one_short_line_and_parts_of_text(
	kind, body, data, is_revoked, name
) -> None:
	one = MessageContent(kind, body, data, name, False, is_revoked)
	line, label = line_of(one)
	assert 0 < len(line) <= LINE and len(line.splitlines()) == 1
	assert not label or (label in MESSAGES and line.endswith(MESSAGES[label]))
	for part in parts(one):
		assert isinstance(part, Part)
		assert all(isinstance(text, str) for text in (part.text, part.value, *part.lines))
		assert not part.label or part.label in MESSAGES
	assert parts(one), "nothing at all is shown"


def test_every_code_has_its_sentence_and_its_sign() -> None:
	assert {*BY_ERROR.values(), *BY_TYPE.values()} <= MESSAGES.keys()
	assert all(isinstance(label_icon(label), str) for label in MESSAGES)
