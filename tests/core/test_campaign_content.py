"""What a recipient gets is worked out once, with his or her own values."""

from __future__ import annotations

from collections import Counter

import pytest

from khalifa_whatsapp.core.campaign_content import TemplateContent, TextContent, content_of, variant_of
from khalifa_whatsapp.core.campaign_records import Campaign
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.core.templates import shape_of

SHAPE = shape_of(
	[
		{"type": "HEADER", "format": "TEXT", "text": "Hello {{1}}"},
		{"type": "BODY", "text": "Your order {{1}} costs {{2}}."},
	]
)


def campaign(**fields: object) -> Campaign:
	return Campaign("C1", "Offer", "D1", **fields)  # type: ignore[arg-type]


def test_a_text_gets_the_values_and_a_value_like_a_blank_stays_a_value():
	content = content_of(campaign(text_a="Dear {customer}, {offer}!", text_b="{offer} for you"))
	assert content.needed == ("customer", "offer")
	values = {"customer": "{offer}", "offer": "10 % off"}
	assert content.freeze(values, "A").text == "Dear {offer}, 10 % off!"
	assert content.freeze(values, "B").text == "10 % off for you"


def test_a_template_gets_a_text_for_each_of_its_places():
	stored = '{"header.1": "{customer}", "1": "{order}", "2": "{price} EGP"}'
	made = content_of(campaign(content_type="Template", template_parameters=stored), SHAPE, "order", "ar")
	assert isinstance(made, TemplateContent)
	frozen = made.freeze({"customer": "Mona", "order": "17", "price": "120"}, "A")
	assert frozen.text == "Hello Mona\nYour order 17 costs 120 EGP."
	assert frozen.data["template"]["body"] == ["17", "120 EGP"]
	assert frozen.data["template"]["name"] == "order"


@pytest.mark.parametrize(
	("fields", "code"),
	[
		({"text_a": " "}, "campaign_without_text"),
		({"content_type": "Template"}, "campaign_without_template"),
	],
)
def test_without_content_there_is_no_plan(fields, code):
	with pytest.raises(UserError) as caught:
		content_of(campaign(**fields))
	assert caught.value.code == code


@pytest.mark.parametrize("stored", ["", "[]", "{", '{"1": "x"}', '{"1": "x", "2": " ", "header.1": "y"}'])
def test_wrong_parameters_are_refused_before_anything_is_planned(stored):
	with pytest.raises(UserError):
		content_of(campaign(content_type="Template", template_parameters=stored), SHAPE, "order", "ar")


def test_a_value_that_whatsapp_refuses_is_this_recipients_reason():
	content = content_of(
		campaign(content_type="Template", template_parameters='{"header.1": "a", "1": "{x}", "2": "b"}'),
		SHAPE,
		"order",
		"ar",
	)
	with pytest.raises(UserError):
		content.freeze({"x": "two\nlines"}, "A")


def test_the_share_of_b_is_kept_and_a_recipient_is_always_given_the_same():
	keys = [digest("campaign", "C1", str(number)) for number in range(4000)]
	share = Counter(variant_of(key, 30, True) for key in keys)["B"] / len(keys)
	assert 0.27 < share < 0.33
	assert {variant_of(key, 30, False) for key in keys} == {"A"}
	assert {variant_of(key, 100, True) for key in keys} == {"B"}
	assert TextContent("one").needed == ()
