"""Meta's rules for templates: each is said before anything is submitted, and what passes can be sent with the
right values and with no others.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import records, template_state
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.template_drafts import Button, TemplateDraft, components_of, draft_of
from khalifa_whatsapp.core.template_forms import OTHER, draft_from, form_of, value_kinds
from khalifa_whatsapp.core.template_rules import problems
from khalifa_whatsapp.core.templates import HeaderFile, filled, header_file, stored_shape

GOOD = TemplateDraft(
	"order_ready",
	"ar",
	"UTILITY",
	header_kind="TEXT",
	header="طلبك {{1}}",
	body="أهلاً {{1}}، طلبك {{2}} جاهز في فرع الجلاء.",
	footer="صيدليات خليفة",
	buttons=(
		Button("QUICK_REPLY", "شكراً"),
		Button("URL", "تتبع الطلب", "https://example.com/o/{{1}}"),
		Button("PHONE_NUMBER", "اتصل بنا", "+201001234567"),
		Button("COPY_CODE"),
	),
	examples={"header.1": "42", "body.1": "منى", "body.2": "SO-42", "1.1": "SO-42", "3.coupon_code": "NEW10"},
)
PICTURE = HeaderFile("/private/files/a.png", "a.png", "image/png")


def fields_of(draft: TemplateDraft, file: HeaderFile | None = None, names: Any = ()) -> list[str]:
	said = problems(draft, file, names)
	assert all(one.text.format(**one.values) for one in said)
	return [one.fieldname for one in said]


def stored(draft: TemplateDraft, **more: Any) -> records.ProviderTemplate:
	given: dict[str, Any] = {
		"template_name": draft.name,
		"language": draft.language,
		"status": "APPROVED",
		"components": json.dumps(components_of(draft, "4::h")),
		"parameter_format": draft.parameter_format,
		**more,
	}
	return records.ProviderTemplate("T", "k", "d", "1", **given)


def test_a_good_draft_has_no_problem() -> None:
	assert fields_of(GOOD) == []


@pytest.mark.parametrize(
	("change", "where"),
	[
		({"name": "Order Ready"}, "template_name"),
		({"name": "طلب"}, "template_name"),
		({"name": "x" * 513}, "template_name"),
		({"name": ""}, "template_name"),
		({"language": "arabic"}, "language"),
		({"category": "AUTHENTICATION"}, "category"),
		({"header": "x" * 61, "examples": {}}, "header_text"),
		({"header": "{{1}} {{2}}"}, "header_text"),
		({"header": "two\nlines"}, "header_text"),
		({"header": "*bold*"}, "header_text"),
		({"header": "offer 🎉"}, "header_text"),
		({"header": " "}, "header_text"),
		({"header_kind": "IMAGE", "header": ""}, "header_file"),
		({"header_kind": "LOCATION"}, "header_kind"),
		({"body": ""}, "body"),
		({"body": "x" * 1025}, "body"),
		({"body": "{{1}} طلبك {{2}} جاهز."}, "body"),
		({"body": "أهلاً {{1}}، طلبك {{2}}"}, "body"),
		({"body": "a {{1}} {{2}} b"}, "body"),
		({"body": "a {{1}} b {{3}} c"}, "body"),
		({"body": "a {{0}} b"}, "body"),
		({"body": "a {{name}} b"}, "body"),
		({"body": "a {{1} b"}, "body"),
		({"body": "a {{ 1 }} b {{2}} c"}, "body"),
		({"body": "a {{Name}} b"}, "body"),
		({"body": "a\n\n\nb {{1}} c {{2}} d"}, "body"),
		({"body": "a\tb {{1}} c {{2}} d"}, "body"),
		({"footer": "x" * 61}, "footer"),
		({"footer": "{{1}}"}, "footer"),
		({"footer": "two\nlines"}, "footer"),
		({"buttons": tuple(Button("QUICK_REPLY", str(number)) for number in range(11))}, "buttons"),
		({"buttons": (Button("QUICK_REPLY", "x" * 26),)}, "buttons"),
		({"buttons": (Button("QUICK_REPLY", ""),)}, "buttons"),
		({"buttons": (Button("QUICK_REPLY", "a {{1}}"),)}, "buttons"),
		({"buttons": (Button("QUICK_REPLY", "a"), Button("QUICK_REPLY", "a"))}, "buttons"),
		({"buttons": (Button("URL", "a", "example.com"),)}, "buttons"),
		({"buttons": (Button("URL", "a", "https://example.com/{{1}}/x"),)}, "buttons"),
		({"buttons": (Button("URL", "a", "https://example.com/{{2}}"),)}, "buttons"),
		({"buttons": tuple(Button("URL", str(n), f"https://example.com/{n}") for n in range(3))}, "buttons"),
		({"buttons": (Button("PHONE_NUMBER", "a", "01001234567"),)}, "buttons"),
		({"buttons": (Button(OTHER, "a"),)}, "buttons"),
		(
			{
				"buttons": (
					Button("QUICK_REPLY", "a"),
					Button("URL", "b", "https://example.com"),
					Button("QUICK_REPLY", "c"),
				)
			},
			"buttons",
		),
		({"examples": {}}, "examples"),
		({"examples": {**GOOD.examples, "body.3": "x"}}, "examples"),
		({"examples": {**GOOD.examples, "body.1": "a\nb"}}, "examples"),
		({"examples": {**GOOD.examples, "3.coupon_code": "x" * 21}}, "examples"),
		({"parameter_format": "NAMED"}, "body"),
	],
)
def test_what_meta_would_refuse_is_said_at_its_field(change: dict[str, Any], where: str) -> None:
	assert where in fields_of(replace(GOOD, **change))


def test_named_variables_have_names() -> None:
	named = replace(
		GOOD,
		parameter_format="NAMED",
		header="طلبك {{order_id}}",
		body="أهلاً {{customer}}، طلبك {{order_id}} جاهز.",
		buttons=(),
		examples={"header.order_id": "42", "body.customer": "منى", "body.order_id": "42"},
	)
	assert fields_of(named) == []
	assert fields_of(replace(named, body="a {{1}} b", examples={"header.order_id": "4", "body.1": "x"})) == [
		"body"
	]
	body = components_of(named)[1]
	assert body["example"]["body_text_named_params"] == [
		{"param_name": "customer", "example": "منى"},
		{"param_name": "order_id", "example": "42"},
	]


def test_a_header_file_is_of_its_kind_and_there() -> None:
	draft = replace(
		GOOD, header_kind="IMAGE", header="", examples={**GOOD.examples, "header.1": ""}, buttons=()
	)
	draft = replace(draft, examples={"body.1": "منى", "body.2": "SO-42"})
	assert fields_of(draft, PICTURE) == []
	assert fields_of(draft) == ["header_file"]
	assert fields_of(draft, header_file("/private/files/a.pdf")) == ["header_file"]
	assert fields_of(replace(draft, header_kind="DOCUMENT"), header_file("/private/files/a.pdf")) == []


def test_an_account_has_250_names_and_no_more() -> None:
	names = {f"t{number}" for number in range(250)}
	assert fields_of(GOOD, names=names) == ["template_name"]
	assert fields_of(replace(GOOD, name="t1"), names=names) == []


def test_components_are_as_meta_documents_them() -> None:
	assert components_of(GOOD) == [
		{
			"type": "HEADER",
			"format": "TEXT",
			"text": "طلبك {{1}}",
			"example": {"header_text": ["42"]},
		},
		{
			"type": "BODY",
			"text": "أهلاً {{1}}، طلبك {{2}} جاهز في فرع الجلاء.",
			"example": {"body_text": [["منى", "SO-42"]]},
		},
		{"type": "FOOTER", "text": "صيدليات خليفة"},
		{
			"type": "BUTTONS",
			"buttons": [
				{"type": "QUICK_REPLY", "text": "شكراً"},
				{
					"type": "URL",
					"text": "تتبع الطلب",
					"url": "https://example.com/o/{{1}}",
					"example": ["https://example.com/o/SO-42"],
				},
				{"type": "PHONE_NUMBER", "text": "اتصل بنا", "phone_number": "+201001234567"},
				{"type": "COPY_CODE", "example": "NEW10"},
			],
		},
	]
	picture = components_of(replace(GOOD, header_kind="IMAGE", header=""), "4::handle")[0]
	assert picture == {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::handle"]}}


texts = st.text("ابتثجح abc", min_size=1, max_size=12).filter(str.strip)


@st.composite
def drafts(draw: st.DrawFn) -> TemplateDraft:
	"""Drafts that pass, of every shape."""
	is_named = draw(st.booleans())
	names = (
		draw(st.lists(st.sampled_from(["customer", "order_id", "branch2"]), unique=True))
		if is_named
		else [str(number) for number in range(1, draw(st.integers(0, 5)) + 1)]
	)
	body = "x" + "".join(f" {draw(texts).strip()} {{{{{name}}}}} y" for name in names)
	kind = draw(st.sampled_from(["", "TEXT", "IMAGE"]))
	buttons = draw(
		st.lists(
			st.sampled_from(
				[
					Button("URL", "u", "https://example.com/{{1}}"),
					Button("PHONE_NUMBER", "p", "+201001234567"),
					Button("COPY_CODE"),
				]
			),
			unique=True,
			max_size=3,
		)
	)
	draft = TemplateDraft(
		"t", "ar", "UTILITY", "NAMED" if is_named else "POSITIONAL", kind,
		"h {{1}}" if kind == "TEXT" and not is_named else "h" if kind == "TEXT" else "",
		body, draw(st.sampled_from(["", "f"])), tuple(buttons),
	)  # fmt: skip
	return replace(draft, examples={key: f"v{place}" for place, key in enumerate(draft.value_keys())})


@given(drafts())
def test_what_passes_can_be_filled_with_as_many_values_and_no_others(draft: TemplateDraft) -> None:
	assert problems(draft, PICTURE) == []
	template = stored(draft, header_file=PICTURE.url)
	keys = draft.value_keys()
	assert [variable.key for variable in stored_shape(template).variables] == keys
	done = filled(template, {key: f"v{place}" for place, key in enumerate(keys)})
	assert done == filled(template, [f"v{place}" for place in range(len(keys))])
	assert "{{" not in done.body
	assert (done.file is not None) == (draft.header_kind == "IMAGE")
	for count in {len(keys) - 1, len(keys) + 1} - {-1}:
		with pytest.raises(UserError):
			filled(template, ["v"] * count)
		wrong = dict.fromkeys([*keys, "body.99"][:count], "v")
		with pytest.raises(UserError):
			filled(template, wrong)


@given(drafts())
def test_a_draft_survives_meta_and_the_form(draft: TemplateDraft) -> None:
	components = components_of(draft, "4::h")
	again = draft_of(draft.name, draft.language, draft.category, draft.parameter_format, components)
	assert again == draft
	identity = {
		"template_name": draft.name,
		"language": draft.language,
		"category": draft.category,
		"parameter_format": draft.parameter_format,
	}
	form = {**identity, **form_of(draft, {"body.1": "number"})}
	assert draft_from(form) == draft
	assert value_kinds(form) == ({"body.1": "number"} if "body.1" in draft.value_keys() else {})


any_buttons = st.builds(
	Button,
	st.sampled_from(["URL", "QUICK_REPLY", "COPY_CODE", "?"]),
	st.text(max_size=5),
	st.text("htps:/.{}1x ", max_size=20),
)
any_drafts = st.builds(
	TemplateDraft,
	name=st.just("t") | st.text(max_size=9),
	language=st.just("ar") | st.text(max_size=5),
	category=st.just("UTILITY") | st.text(max_size=5),
	parameter_format=st.sampled_from(["NAMED", "POSITIONAL"]),
	header_kind=st.sampled_from(["", "TEXT", "IMAGE", "LOCATION"]),
	header=st.text("{}1a \n*", max_size=20),
	body=st.text("{}12a_ \n", max_size=40),
	footer=st.text("{}1 ", max_size=9),
	buttons=st.lists(any_buttons, max_size=4).map(tuple),
	examples=st.dictionaries(st.sampled_from(["body.1", "header.1", "0.1"]), st.text(max_size=4)),
)


@given(any_drafts)
def test_any_draft_at_all_is_judged(draft: TemplateDraft) -> None:
	said = problems(draft, None)
	assert all(one.text.format(**one.values) for one in said)
	if said:
		return
	template = stored(draft)
	assert filled(template, ["1"] * len(draft.value_keys())).data["template"]["name"] == draft.name


@pytest.mark.parametrize(
	("kind", "value", "is_good"),
	[
		("number", "١٢٣٫٥", True),
		("number", "1,250.00", True),
		("number", "-3 %", False),
		("number", "12 جنيه", False),
		("date", "٣١/١٢/٢٠٢٦", True),
		("date", "2026-02-28", True),
		("date", "30/02/2026", False),
		("date", "غداً", False),
		("text", "غداً", True),
	],
)
def test_values_are_of_their_kind(kind: str, value: str, is_good: bool) -> None:
	draft = TemplateDraft("t", "ar", "UTILITY", body="a {{1}} b", examples={"body.1": "1"})
	template = stored(draft, value_kinds=json.dumps({"body.1": kind}))
	if is_good:
		assert filled(template, [value]).data["template"]["body"] == [value]
	else:
		with pytest.raises(UserError):
			filled(template, [value])


def test_what_is_too_long_when_filled_is_refused() -> None:
	draft = TemplateDraft(
		"t", "ar", "UTILITY", header_kind="TEXT", header="h {{1}}", body="a {{1}} b",
		examples={"header.1": "1", "body.1": "1"},
	)  # fmt: skip
	template = stored(draft)
	assert filled(template, ["x" * 58, "y" * 1020])
	for values in (["x" * 59, "y"], ["x", "y" * 1021]):
		with pytest.raises(UserError):
			filled(template, values)


def test_why_a_template_can_not_be_sent() -> None:
	image = replace(GOOD, header_kind="IMAGE", header="")
	why = template_state.why_not_sent
	assert why(stored(GOOD)) == ""
	assert why(stored(GOOD, status="DRAFT")) == template_state.REASONS["DRAFT"]
	assert why(stored(GOOD, status="REJECTED")) == template_state.REASONS["REJECTED"]
	assert why(stored(GOOD, components=None)) == template_state.REASONS["without text"]
	assert why(stored(image)) == template_state.REASONS["without file"]
	assert why(stored(image), has_file=True) == ""
	assert why(stored(image, header_file=PICTURE.url)) == ""
	for part in (
		{"type": "CAROUSEL"},
		{"type": "HEADER", "format": "LOCATION"},
		{"type": "BUTTONS", "buttons": [{"type": "FLOW"}]},
	):
		parts = json.dumps([{"type": "BODY", "text": "x"}, part])
		assert why(stored(GOOD, components=parts)) == template_state.REASONS["unfillable"]


def test_the_languages_that_can_be_sent_are_named() -> None:
	arabic, english = stored(GOOD, status="PENDING"), stored(replace(GOOD, language="en"))
	assert template_state.other_languages(arabic, [arabic, english]) == ["en"]
	assert template_state.other_languages(english, [arabic, english]) == []


def test_a_file_of_another_kind_is_refused() -> None:
	template = stored(replace(GOOD, header_kind="IMAGE", header=""), header_file="/private/files/x.pdf")
	values = ["منى", "SO-42", "SO-42", "NEW10"]
	with pytest.raises(UserError):
		filled(template, values)
	done = filled(template, values, PICTURE)
	assert (done.file, done.data["template"]["header_kind"]) == (PICTURE, "image")
	assert done.data["template"]["buttons"] == [(1, "url", "SO-42"), (3, "copy_code", "NEW10")]
