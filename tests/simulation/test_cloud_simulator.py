"""The simulated Cloud API is as strict as Meta: what Meta refuses it refuses, with the documented code."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import requests

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	MessageStatus,
	OutgoingTemplate,
	OutgoingText,
	Permanent,
	RateLimited,
)
from khalifa_whatsapp.drivers.factory import make_driver
from simulation.simulators import CloudApiSimulator, Person

SAMY = Person(digits="201001234567", name="سامي", user_id="EG.90000000000000001")
PHONE, USER = Identity("phone", "+201001234567"), Identity("bsuid", SAMY.user_id)
BODY = {"type": "BODY", "text": "أهلاً {{1}}، طلبك {{2}} جاهز."}
URL_BUTTON = {"type": "URL", "text": "تتبع", "url": "https://example.com/{{1}}"}
REPLY_BUTTON = {"type": "QUICK_REPLY", "text": "إيقاف"}


class Clock:
	ms = 1_795_160_400_000

	def __call__(self) -> int:
		return self.ms


@pytest.fixture
def clock() -> Clock:
	return Clock()


@pytest.fixture
def cloud(clock: Clock) -> Iterator[CloudApiSimulator]:
	with CloudApiSimulator(clock, stall_seconds=2) as simulator:
		yield simulator


def post(cloud: CloudApiSimulator, body: dict[str, Any]) -> int:
	"""The code of the refusal; 0 when it was taken."""
	url = f"{cloud.url}/v26.0/{cloud.phone_number_id}/messages"
	auth = {"Authorization": f"Bearer {cloud.access_token}"}
	answer = requests.post(url, json=body, headers=auth, timeout=5)
	assert (answer.status_code == 200) == ("error" not in answer.json())
	return int(answer.json().get("error", {}).get("code", 0))


def message(kind: str, content: Any, **more: Any) -> dict[str, Any]:
	return {"messaging_product": "whatsapp", "to": "201001234567", "type": kind, kind: content, **more}


def buttons(*titles: str, **more: Any) -> dict[str, Any]:
	replies = [
		{"type": "reply", "reply": {"id": f"id-{n}", "title": title}} for n, title in enumerate(titles)
	]
	return message(
		"interactive", {"type": "button", "body": {"text": "؟"}, "action": {"buttons": replies}, **more}
	)


def listed(*rows: dict[str, str], button: str = "اختر", title: str = "") -> dict[str, Any]:
	section = {"rows": list(rows), **({"title": title} if title else {})}
	action = {"button": button, "sections": [section]}
	return message("interactive", {"type": "list", "body": {"text": "؟"}, "action": action})


CARD = {"name": {"formatted_name": "منى", "first_name": "منى"}, "phones": [{"phone": "+201223456789"}]}
GOOD = {
	"text": message("text", {"body": "أهلاً"}, biz_opaque_callback_data="k" * 512),
	"location": message("location", {"latitude": 31.04, "longitude": 31.37}),
	"contacts": message("contacts", [CARD]),
	"buttons": buttons("نعم", "لا"),
	"list": listed({"id": "1", "title": "فرع طلخا"}),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_message_is_taken(cloud: CloudApiSimulator, name: str) -> None:
	assert post(cloud, GOOD[name]) == 0
	assert len(cloud.sent_log) == 1


@pytest.mark.parametrize(
	("code", "body"),
	[
		(100, {**GOOD["text"], "messaging_product": "telegram"}),
		(100, {**GOOD["text"], "type": "hologram"}),
		(131051, message("hologram", {})),
		(131008, {**GOOD["text"], "to": ""}),
		(131009, {**GOOD["text"], "to": "nobody"}),
		(131009, {**GOOD["text"], "to": "", "recipient": "201001234567"}),
		(100, {**GOOD["text"], "biz_opaque_callback_data": "k" * 513}),
		(100, message("text", {"body": ""})),
		(100, message("text", {"body": "x" * 4097})),
		(100, message("image", {"id": "1"})),
		(100, message("image", {})),
		(131009, message("reaction", {"message_id": "wamid.NOBODY", "emoji": "👍"})),
		(131008, message("location", {"latitude": 31.04})),
		(131009, message("location", {"latitude": 91, "longitude": 0})),
		(131008, message("contacts", [])),
		(131008, message("contacts", [{"name": {"formatted_name": "منى"}}])),
		(131009, buttons()),
		(131009, buttons("1", "2", "3", "4")),
		(131009, buttons("same", "same")),
		(131009, buttons("x" * 21)),
		(131009, buttons("نعم", body={"text": "x" * 1025})),
		(131009, buttons("نعم", footer={"text": "x" * 61})),
		(131009, buttons("نعم", type="carousel")),
		(131009, listed()),
		(131009, listed(*({"id": str(n), "title": "t"} for n in range(11)))),
		(131009, listed({"id": "1", "title": "x" * 25})),
		(131009, listed({"id": "1", "title": "t", "description": "x" * 73})),
		(131009, listed({"id": "1", "title": "t"}, {"id": "1", "title": "u"})),
		(131009, listed({"id": "1", "title": "t"}, button="x" * 21)),
		(131009, listed({"id": "1", "title": "t"}, title="x" * 25)),
		(132001, message("template", {"name": "nobody", "language": {"code": "ar"}})),
		(100, {"messaging_product": "whatsapp", "status": "delivered", "message_id": "x"}),
		(131009, {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.NOBODY"}),
	],
)
def test_what_meta_refuses_is_refused_with_its_code(
	cloud: CloudApiSimulator, code: int, body: dict[str, Any]
) -> None:
	assert post(cloud, body) == code
	assert len(cloud.sent_log) == 0


def test_a_reaction_needs_an_emoji_and_a_message(cloud: CloudApiSimulator) -> None:
	target = cloud.customer_text(SAMY, "مرحبا")
	for emoji in ("👍", ""):
		assert post(cloud, message("reaction", {"message_id": target, "emoji": emoji})) == 0
	assert post(cloud, message("reaction", {"message_id": target, "emoji": "ok"})) == 131009


def test_a_file_must_be_of_the_kind_it_is_sent_as(cloud: CloudApiSimulator) -> None:
	webp = {"id": cloud.media.keep(b"RIFF", "image/webp")}
	assert post(cloud, message("sticker", webp)) == 0
	assert post(cloud, message("document", {**webp, "filename": "a.webp"})) == 0
	assert post(cloud, message("image", webp)) == 131053
	assert post(cloud, message("sticker", {**webp, "caption": "نص"})) == 100
	big = {"id": cloud.media.keep(bytes(5 * 1024 * 1024 + 1), "image/png")}
	assert post(cloud, message("image", big)) == 131053


def test_an_upload_says_its_type_twice_and_the_same(cloud: CloudApiSimulator) -> None:
	url = f"{cloud.url}/{cloud.phone_number_id}/media"
	auth = {"Authorization": f"Bearer {cloud.access_token}"}

	def upload(mime_type: str, part: str, content: bytes = b"x") -> int:
		data = {"messaging_product": "whatsapp", "type": mime_type}
		files = {"file": ("a", content, part)}
		answer = requests.post(url, data=data, files=files, headers=auth, timeout=5).json()
		return int(answer.get("error", {}).get("code", 0))

	assert upload("image/png", "image/png") == 0
	assert upload("image/png", "text/html") == 100
	assert upload("", "image/png") == 100
	assert upload("image/png", "image/png", bytes(5 * 1024 * 1024 + 1)) == 131053


def test_our_own_uploads_live_thirty_days(cloud: CloudApiSimulator, clock: Clock) -> None:
	media_id = cloud.media.keep(b"x", "image/png", 30 * 86_400_000)
	clock.ms += 30 * 86_400_000 - 1
	assert post(cloud, message("image", {"id": media_id})) == 0
	clock.ms += 1
	assert post(cloud, message("image", {"id": media_id})) == 100


def order(**more: Any) -> OutgoingTemplate:
	fields: dict[str, Any] = {"body_values": ("سامي", "SO-42"), "buttons": ((0, "url", "SO-42"),), **more}
	return OutgoingTemplate(recipient=(PHONE,), name="order", language="ar", **fields)


@pytest.fixture
def with_template(cloud: CloudApiSimulator) -> CloudApiSimulator:
	cloud.templates.add("order", "ar", [BODY, {"type": "BUTTONS", "buttons": [URL_BUTTON, REPLY_BUTTON]}])
	return cloud


def test_a_template_with_all_its_values_is_taken(with_template: CloudApiSimulator) -> None:
	driver = make_driver(with_template.config())
	driver.send(order())
	driver.send(order(buttons=((0, "url", "SO-42"), (1, "quick_reply", "STOP"))))
	assert [row.kind for row in with_template.sent_log.rows()] == ["template", "template"]


@pytest.mark.parametrize(
	("code", "change"),
	[
		("132001", {"name": "other"}),
		("132001", {"language": "en"}),
		("132000", {"body_values": ("سامي",)}),
		("132000", {"body_values": ("سامي", "SO-42", "more")}),
		("132000", {"header_values": ("no such header",)}),
		("132012", {"body_values": (), "named_values": (("customer", "سامي"), ("order", "SO-42"))}),
		("131008", {"buttons": ()}),
		("132018", {"buttons": ((0, "quick_reply", "SO-42"),)}),
		("132000", {"buttons": ((0, "url", "SO-42"), (2, "url", "SO-42"))}),
		("132005", {"body_values": ("x" * 600, "x" * 600)}),
	],
)
def test_a_template_with_other_values_is_refused(
	with_template: CloudApiSimulator, code: str, change: dict[str, Any]
) -> None:
	fields = {
		"body_values": ("سامي", "SO-42"),
		"buttons": ((0, "url", "SO-42"),),
		"name": "order",
		"language": "ar",
	}
	with pytest.raises(Permanent) as caught:
		make_driver(with_template.config()).send(OutgoingTemplate(recipient=(PHONE,), **{**fields, **change}))
	assert caught.value.code == code
	assert len(with_template.sent_log) == 0


@pytest.mark.parametrize(
	("status", "code"),
	[("PAUSED", "132015"), ("DISABLED", "132016"), ("REJECTED", "132001"), ("PENDING", "132001")],
)
def test_a_template_that_is_not_approved_is_refused(cloud: CloudApiSimulator, status: str, code: str) -> None:
	cloud.templates.add("order", "ar", [BODY], status=status)
	with pytest.raises(Permanent) as caught:
		make_driver(cloud.config()).send(order(buttons=()))
	assert caught.value.code == code


def test_named_values_go_by_their_names(cloud: CloudApiSimulator) -> None:
	cloud.templates.add(
		"named", "ar", [{"type": "BODY", "text": "أهلاً {{customer}}"}], parameter_format="NAMED"
	)
	driver = make_driver(cloud.config())
	given: dict[str, Any] = {"recipient": (PHONE,), "name": "named", "language": "ar"}
	driver.send(OutgoingTemplate(**given, named_values=(("customer", "سامي"),)))
	for wrong in ({"named_values": (("other", "سامي"),)}, {"body_values": ("سامي",)}):
		with pytest.raises(Permanent):
			driver.send(OutgoingTemplate(**given, **wrong))


def test_a_login_code_needs_a_phone(cloud: CloudApiSimulator) -> None:
	cloud.templates.add("code", "ar", [{"type": "BODY", "text": "{{1}}"}], category="AUTHENTICATION")
	driver = make_driver(cloud.config())
	given: dict[str, Any] = {"name": "code", "language": "ar", "body_values": ("1234",)}
	driver.send(OutgoingTemplate(recipient=(PHONE,), **given))
	with pytest.raises(Permanent) as caught:
		driver.send(OutgoingTemplate(recipient=(USER,), **given))
	assert caught.value.code == "131062"


def test_a_heading_that_is_a_file_must_be_one(cloud: CloudApiSimulator) -> None:
	cloud.templates.add("offer", "ar", [{"type": "HEADER", "format": "IMAGE"}])
	with pytest.raises(Permanent) as caught:
		make_driver(cloud.config()).send(OutgoingTemplate(recipient=(PHONE,), name="offer", language="ar"))
	assert caught.value.code == "132012"


def test_one_customer_gets_45_at_once_and_then_one_in_six_seconds(clock: Clock) -> None:
	with CloudApiSimulator(clock, has_pair_limit=True) as cloud:
		driver = make_driver(cloud.config())
		text = OutgoingText(recipient=(PHONE,), body="أهلاً")
		for _ in range(45):
			driver.send(text)
		with pytest.raises(RateLimited) as caught:
			driver.send(text)
		assert (caught.value.code, caught.value.is_pair, caught.value.retry_after) == ("131056", True, 6.0)
		driver.send(OutgoingText(recipient=(Identity("phone", "+201223456789"),), body="أهلاً"))
		clock.ms += 6_000
		driver.send(text)
		with pytest.raises(RateLimited):
			driver.send(text)
		assert len(cloud.sent_log) == 47


def test_a_template_goes_where_the_window_is_closed(clock: Clock) -> None:
	with CloudApiSimulator(clock, has_window=True) as cloud:
		cloud.templates.add("hello", "ar", [])
		driver = make_driver(cloud.config())
		driver.send(OutgoingText(recipient=(PHONE,), body="أهلاً"))
		driver.send(OutgoingTemplate(recipient=(PHONE,), name="hello", language="ar"))
		events = [event for one in cloud.take(everything=True) for event in driver.parse(one.raw)]
		statuses = [event.status for event in events if isinstance(event, MessageStatus)]
		assert sorted(statuses) == ["delivered", "failed", "read", "sent"]


def test_only_the_fields_that_exist_can_be_asked_for(cloud: CloudApiSimulator) -> None:
	auth = {"Authorization": f"Bearer {cloud.access_token}"}
	number = f"{cloud.url}/{cloud.phone_number_id}?fields="
	templates = f"{cloud.url}/{cloud.account_id}/message_templates?fields="
	assert set(requests.get(f"{number}status", headers=auth, timeout=5).json()) == {"status", "id"}
	for url in (f"{number}status,shoe_size", f"{templates}name,shoe_size"):
		assert requests.get(url, headers=auth, timeout=5).json()["error"]["code"] == 100


def test_the_address_of_the_next_page_holds_what_nobody_should_follow(cloud: CloudApiSimulator) -> None:
	for number in range(3):
		cloud.templates.add(f"offer_{number}", "ar", [deepcopy(BODY)])
	auth = {"Authorization": f"Bearer {cloud.access_token}"}
	url = f"{cloud.url}/{cloud.account_id}/message_templates?limit=2"
	first = requests.get(url, headers=auth, timeout=5).json()
	assert cloud.access_token in first["paging"]["next"]
	last = requests.get(f"{url}&after={first['paging']['cursors']['after']}", headers=auth, timeout=5).json()
	assert [row["name"] for row in first["data"] + last["data"]] == ["offer_0", "offer_1", "offer_2"]
	assert "next" not in last["paging"]
