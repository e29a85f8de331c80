"""What the Cloud API driver writes for every kind of message, held against the shapes in
tests/data/cloud_api/requests.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	Choice,
	DeviceConfig,
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
	SendError,
)
from khalifa_whatsapp.drivers.cloud_api import CloudApiDriver
from khalifa_whatsapp.drivers.cloud_api.choices import choices_body
from khalifa_whatsapp.drivers.cloud_api.send import (
	contacts_body,
	location_body,
	media_body,
	reaction_body,
	text_body,
)
from khalifa_whatsapp.drivers.cloud_api.templates import check_template, page_from, template_body
from khalifa_whatsapp.drivers.http import Reply
from simulation.simulators.cloud_api_checks import check_content, check_frame
from tests.drivers import corpus

PHONE, USER = Identity("phone", "+201001234567"), Identity("bsuid", "EG.90000000000000001")
TO: dict[str, Any] = {"recipient": (USER, PHONE), "callback": "WA-OUT-000321"}
QUOTED = MessageRef("wamid.FAKEINBOUND0001")
PICTURE = OutgoingMedia(recipient=(), kind="image", content=b"x", mime_type="image/png")
BUTTONS = OutgoingChoices(
	body="Confirm the visit on Sunday?",
	header="Visit",
	footer="Reply any time",
	choices=(Choice("visit:55:yes", "Yes"), Choice("visit:55:no", "No")),
	**TO,
)
LIST = OutgoingChoices(
	body="Choose a department",
	list_button="Departments",
	choices=(
		Choice("dep:retail", "Retail", "Walk-in customers", "Sales"),
		Choice("dep:repair", "Repair", "", "Service"),
		Choice("dep:b2b", "Companies", "", "Sales"),
	),
	**TO,
)
TEMPLATE = OutgoingTemplate(
	name="order_ready_v2",
	language="ar",
	body_values=("سامي", "SO-0042"),
	header_media=PICTURE,
	buttons=((0, "url", "SO-0042"), (1, "quick_reply", "STOP_PROMO")),
	**TO,
)
NAMED = OutgoingTemplate(
	name="order_ready_v3", language="ar", named_values=(("customer", "سامي"), ("order", "SO-0042")), **TO
)
PLACE = OutgoingLocation(latitude=31.0409, longitude=31.3785, title="Main branch", address="Mansoura", **TO)
CARDS = OutgoingContacts(cards=(("Mona Adel", "+201223456789"),), **TO)
REACTION = OutgoingReaction(target=QUOTED, emoji="👍", **TO)
PAPER = OutgoingMedia(
	kind="document",
	content=b"x",
	mime_type="application/pdf",
	file_name="Quotation-118.pdf",
	caption="عرض السعر",
	**TO,
)
VOICE = OutgoingMedia(kind="voice", content=b"x", mime_type="audio/ogg; codecs=opus", file_name="v.ogg", **TO)
MEDIA_ID = "770011223344"
# Nothing answers there: whoever asked the network would see a `Retryable`.
NOWHERE = DeviceConfig("c", "cloud_api", base_url="http://127.0.0.1:9", phone_number_id="6")

WRITTEN: dict[str, dict[str, Any]] = {
	"text_reply": text_body(OutgoingText(body="أهلاً أستاذ سامي، طلبك جاهز للاستلام", reply_to=QUOTED, **TO)),
	"text_user_id": text_body(OutgoingText(body="أهلاً", **{**TO, "recipient": (USER,)})),
	"document": media_body(PAPER, MEDIA_ID),
	"voice": media_body(VOICE, MEDIA_ID),
	"location": location_body(PLACE),
	"reaction": reaction_body(replace(REACTION, reply_to=QUOTED)),
	"contacts": contacts_body(CARDS),
	"buttons": choices_body(BUTTONS),
	"list": choices_body(LIST),
	"template": template_body(TEMPLATE, MEDIA_ID),
	"template_named": template_body(NAMED),
	"template_plain": template_body(OutgoingTemplate(name="hello", language="ar", **TO)),
}


def test_every_recorded_request_is_tried() -> None:
	assert set(corpus.names("cloud_api/requests")) == set(WRITTEN)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_request_is_written_as_meta_wants_it(name: str) -> None:
	assert WRITTEN[name] == json.loads(corpus.raw("cloud_api/requests", name))


@pytest.mark.parametrize("name", WRITTEN)
def test_the_simulator_takes_what_is_recorded(name: str) -> None:
	kind, content = check_frame(json.loads(corpus.raw("cloud_api/requests", name)))
	check_content(kind, content, lambda gateway_id: gateway_id == QUOTED.gateway_id)


def rows(count: int, **more: str) -> tuple[Choice, ...]:
	return tuple(
		Choice(**{"id": f"id-{number}", "title": f"Row {number}", **more}) for number in range(count)
	)


def one(**more: str) -> tuple[Choice, ...]:
	return (Choice(**{"id": "1", "title": "Yes", **more}),)


@pytest.mark.parametrize(
	("message", "change"),
	[
		(BUTTONS, {"body": ""}),
		(BUTTONS, {"body": " \n"}),
		(BUTTONS, {"body": "x" * 1025}),
		(BUTTONS, {"header": "x" * 61}),
		(BUTTONS, {"footer": "x" * 61}),
		(BUTTONS, {"choices": ()}),
		(BUTTONS, {"choices": rows(4)}),
		(BUTTONS, {"choices": one(title="x" * 21)}),
		(BUTTONS, {"choices": one(title="")}),
		(BUTTONS, {"choices": one(id="x" * 257)}),
		(BUTTONS, {"choices": one(id="")}),
		(BUTTONS, {"choices": one(description="more")}),
		(BUTTONS, {"choices": (Choice("1", "Yes"), Choice("1", "No"))}),
		(BUTTONS, {"choices": (Choice("1", "Yes"), Choice("2", "Yes"))}),
		(LIST, {"choices": rows(11)}),
		(LIST, {"list_button": "x" * 21}),
		(LIST, {"choices": one(title="x" * 25)}),
		(LIST, {"choices": one(title=" ")}),
		(LIST, {"choices": one(description="x" * 73)}),
		(LIST, {"choices": one(id="x" * 201)}),
		(LIST, {"choices": one(section="x" * 25)}),
		(LIST, {"choices": (Choice("1", "a", section="Sales"), Choice("2", "b"))}),
		(REACTION, {"target": MessageRef("")}),
		(REACTION, {"emoji": "ok"}),
		(REACTION, {"emoji": "👍 "}),
		(REACTION, {"emoji": "شكرا"}),
		(REACTION, {"emoji": "👍" * 33}),
		(PLACE, {"latitude": 90.1}),
		(PLACE, {"longitude": -180.5}),
		(PLACE, {"latitude": float("nan")}),
		(PLACE, {"longitude": float("inf")}),
		(CARDS, {"cards": ()}),
		(CARDS, {"cards": (("", "+201223456789"),)}),
		(CARDS, {"cards": (("Mona", "01223456789"),)}),
		(CARDS, {"cards": (("Mona", "+20 122"),)}),
		(TEMPLATE, {"name": ""}),
		(TEMPLATE, {"name": "x" * 513}),
		(TEMPLATE, {"language": ""}),
		(TEMPLATE, {"body_values": ("two\nlines",)}),
		(TEMPLATE, {"body_values": ("a\ttab",)}),
		(TEMPLATE, {"body_values": ("five     spaces",)}),
		(TEMPLATE, {"body_values": ("",)}),
		(TEMPLATE, {"body_values": ("x" * 1025,)}),
		(TEMPLATE, {"named_values": (("customer", "سامي"),)}),
		(NAMED, {"named_values": (("", "سامي"),)}),
		(NAMED, {"named_values": (("order", "1"), ("order", "2"))}),
		(TEMPLATE, {"header_values": ("text and file",)}),
		(NAMED, {"header_values": ("x" * 61,)}),
		(TEMPLATE, {"header_media": replace(PICTURE, kind="sticker", mime_type="image/webp")}),
		(TEMPLATE, {"header_media": replace(PICTURE, caption="text")}),
		(TEMPLATE, {"header_media": replace(PICTURE, content=b"")}),
		(TEMPLATE, {"buttons": ((0, "url", ""),)}),
		(TEMPLATE, {"buttons": ((0, "flow", "X"),)}),
		(TEMPLATE, {"buttons": ((10, "url", "X"),)}),
		(TEMPLATE, {"buttons": ((-1, "url", "X"),)}),
		(TEMPLATE, {"buttons": ((0, "url", "X"), (0, "url", "Y"))}),
	],
)
def test_what_meta_would_refuse_is_refused_before_the_network(
	message: Outgoing, change: dict[str, Any]
) -> None:
	driver = CloudApiDriver(NOWHERE)
	with pytest.raises(Permanent) as caught:
		driver.send(replace(message, **change))
	assert caught.value.code not in ("", "url")
	assert len(caught.value.text) <= 140


@pytest.mark.parametrize("message", [BUTTONS, LIST, TEMPLATE, NAMED, PLACE, CARDS, REACTION, PAPER, VOICE])
def test_who_has_no_address_gets_nothing(message: Outgoing) -> None:
	with pytest.raises(RecipientError):
		CloudApiDriver(NOWHERE).send(replace(message, recipient=(Identity("lid", "98765432109876"),)))


def test_a_kind_nobody_knows_is_unsupported() -> None:
	for message in (Outgoing(**TO), replace(PICTURE, kind="hologram", **TO)):
		with pytest.raises(Permanent) as caught:
			CloudApiDriver(NOWHERE).send(message)
		assert caught.value.code == "unsupported"


@pytest.mark.parametrize("emoji", ["", "👍", "❤️", "👨‍👩‍👧‍👦", "👩🏽‍❤️‍💋‍👨🏿", "🇪🇬", "1️⃣", "#️⃣", "ℹ️", "☺", "©️"])
def test_every_emoji_is_a_reaction(emoji: str) -> None:
	assert reaction_body(replace(REACTION, emoji=emoji))["reaction"]["emoji"] == emoji


terms = st.text(max_size=80)


@given(
	st.text(max_size=1100),
	terms,
	terms,
	st.text(max_size=30),
	st.lists(st.builds(Choice, terms, st.text(max_size=30), terms, st.text(max_size=30)), max_size=12),
)
def test_a_question_is_refused_here_or_taken_there(
	body: str, header: str, footer: str, list_button: str, choices: list[Choice]
) -> None:
	message = OutgoingChoices(
		body=body, header=header, footer=footer, list_button=list_button, choices=tuple(choices), **TO
	)
	try:
		written = choices_body(message)
	except Permanent:
		return
	check_content(*check_frame(json.loads(json.dumps(written))), lambda gateway_id: False)
	shown = written["interactive"]["action"]
	given_ids = [row["id"] for section in shown.get("sections", ()) for row in section["rows"]]
	given_ids += [button["reply"]["id"] for button in shown.get("buttons", ())]
	assert sorted(given_ids) == sorted(choice.id for choice in choices)


@given(
	st.lists(st.text(max_size=40), max_size=4),
	st.lists(st.tuples(terms, terms), max_size=3),
	st.lists(terms, max_size=2),
	st.lists(st.tuples(st.integers(-2, 12), st.sampled_from(["url", "x"]), terms), max_size=3),
)
def test_a_template_is_refused_or_keeps_all_its_values(
	body: list[str], named: list[tuple[str, str]], header: list[str], buttons: list[tuple[int, str, str]]
) -> None:
	message = OutgoingTemplate(
		name="n",
		language="ar",
		body_values=tuple(body),
		named_values=tuple(named),
		header_values=tuple(header),
		buttons=tuple(buttons),
		**TO,
	)
	try:
		check_template(message)
	except SendError:
		return
	components = template_body(message)["template"].get("components", [])
	texts = [one["text"] for part in components for one in part["parameters"]]
	assert texts == [*header, *body, *(value for _, value in named), *(value for _, _, value in buttons)]
	assert all(part["parameters"] for part in components)


def page(body: Any, status: int = 200) -> Reply:
	return Reply(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def test_a_page_of_templates_is_read_and_what_has_no_name_is_left_out() -> None:
	templates, cursor = page_from(page(corpus.raw("cloud_api/answers", "templates")))
	assert cursor == "QVFC"
	assert [(one.template_id, one.name, one.language, one.status) for one in templates] == [
		("900000000001", "order_ready_v2", "ar", "APPROVED"),
		("900000000002", "winter", "ar", "REJECTED"),
	]
	assert (templates[0].quality, templates[0].rejected_reason, templates[0].parameter_format) == (
		"GREEN",
		"",
		"POSITIONAL",
	)
	assert (templates[1].quality, templates[1].rejected_reason, templates[1].parameter_format) == (
		"",
		"PROMOTIONAL",
		"NAMED",
	)
	assert templates[0].components[0]["text"].startswith("أهلاً")


@pytest.mark.parametrize(
	"paging",
	[
		None,
		{},
		[],
		{"cursors": {"after": "A"}},
		{"next": "https://x/"},
		{"next": "x", "cursors": {"after": "a" * 600}},
	],
)
def test_without_a_usable_cursor_the_list_ends(paging: Any) -> None:
	assert page_from(page({"data": [], "paging": paging})) == ([], "")


@pytest.mark.parametrize("body", [b"", b"[]", {}, {"data": None}, {"data": "x"}, {"error": {"code": 190}}])
def test_what_is_no_list_of_templates_is_an_error(body: Any) -> None:
	with pytest.raises(SendError):
		page_from(page(body))


@pytest.mark.parametrize("code", [33, 100])
def test_a_wrong_account_does_not_condemn_the_number(code: int) -> None:
	with pytest.raises(Permanent, match="business account id"):
		page_from(page({"error": {"code": code}}, 400))
