"""Identities: the kind is read from the id, and a LID or BSUID never becomes a phone."""

from __future__ import annotations

import hashlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.identity import (
	BROADCAST,
	BSUID,
	GROUP,
	LID,
	NEWSLETTER,
	PHONE,
	Identity,
	IdentityError,
	of_phone,
	parse_wid,
)
from khalifa_whatsapp.core.phones import from_gateway

LONGEST = "a" * 128


@pytest.mark.parametrize(
	("wid", "kind", "value", "is_person"),
	[
		("201001234567@c.us", PHONE, "+201001234567", True),
		("201001234567@s.whatsapp.net", PHONE, "+201001234567", True),
		("201001234567:12@s.whatsapp.net", PHONE, "+201001234567", True),
		("201001234567.0:12@s.whatsapp.net", PHONE, "+201001234567", True),
		("201001234567_1:12@c.us", PHONE, "+201001234567", True),
		(" 966501234567@C.US ", PHONE, "+966501234567", True),
		("98765432109876@c.us", PHONE, "+98765432109876", True),
		("98765432109876@lid", LID, "98765432109876", True),
		("98765432109876:3@lid", LID, "98765432109876", True),
		("201001234567@lid", LID, "201001234567", True),
		("120363041234567890@g.us", GROUP, "120363041234567890", False),
		("201001234567-1612345678@g.us", GROUP, "201001234567-1612345678", False),
		("status@broadcast", BROADCAST, "status", False),
		("1612345678@broadcast", BROADCAST, "1612345678", False),
		("120363041234567890@newsletter", NEWSLETTER, "120363041234567890", False),
		("EG.90000000000000001", BSUID, "EG.90000000000000001", True),
		("EG.ENT.90000000000000001", BSUID, "EG.ENT.90000000000000001", True),
		("US.Ab9", BSUID, "US.Ab9", True),
		(f"SA.{LONGEST}", BSUID, f"SA.{LONGEST}", True),
	],
)
def test_ids_say_what_they_are(wid: str, kind: str, value: str, is_person: bool) -> None:
	identity = parse_wid(wid)
	assert identity == Identity(kind, value)
	assert identity.is_person is is_person


@pytest.mark.parametrize(
	"wid",
	[
		"",
		"@",
		"@c.us",
		"@lid",
		"201001234567",
		"98765432109876",
		"20100 123@c.us",
		"20100-123@c.us",
		"abc@c.us",
		"abc@lid",
		"٢٠١٠٠@c.us",
		"201001234567@example.com",
		"201001234567@",
		"c.us",
		"a@b@c.us",
		"EG",
		"EG.",
		"eg.9000",
		"EGY.9000",
		"EG.90 00",
		"EG.ENT.",
		"EG.90\n@lid",
		f"EG.{LONGEST}a",
		"1" * 33 + "@c.us",
		"<b>@g.us",
	],
)
def test_other_text_is_refused(wid: str) -> None:
	with pytest.raises(IdentityError) as caught:
		parse_wid(wid)
	assert caught.value.code == "bad_wid"
	assert len(str(caught.value)) < 250


def test_a_lid_is_never_a_phone_even_with_the_same_digits() -> None:
	lid, phone = parse_wid("201001234567@lid"), parse_wid("201001234567@c.us")
	assert lid.phone is None
	assert phone.phone == from_gateway("+201001234567")
	assert lid.key != phone.key


def test_a_bsuid_is_never_a_phone() -> None:
	assert parse_wid("EG.201001234567").phone is None
	assert parse_wid("EG.9") == Identity(BSUID, "EG.9")


def test_one_phone_has_one_identity_by_every_route() -> None:
	routes = [
		parse_wid("201001234567@c.us"),
		parse_wid("201001234567:4@s.whatsapp.net"),
		of_phone(from_gateway("201001234567")),
	]
	assert len({identity.key for identity in routes}) == 1


def test_key_is_pinned_because_the_database_holds_it() -> None:
	expected = hashlib.sha256(b"phone|+201001234567").hexdigest()
	assert parse_wid("201001234567@c.us").key == expected
	assert len(expected) == 64


def test_bsuids_that_differ_in_case_are_two_people() -> None:
	assert parse_wid("EG.aB").key != parse_wid("EG.Ab").key


identities = st.builds(
	Identity, st.sampled_from([PHONE, BSUID, LID, GROUP, NEWSLETTER, BROADCAST]), st.text()
)


@given(identities, identities)
def test_keys_are_equal_only_for_equal_identities(one: Identity, other: Identity) -> None:
	assert (one.key == other.key) == (one == other)


@given(st.from_regex(r"[0-9]{1,32}", fullmatch=True).filter(str.isascii), st.integers(0, 99))
def test_devices_of_a_person_are_the_person(digits: str, device: int) -> None:
	for server in ("lid", "c.us"):
		assert parse_wid(f"{digits}:{device}@{server}") == parse_wid(f"{digits}@{server}")
	assert parse_wid(f"{digits}@lid") == Identity(LID, digits)


@given(st.text())
def test_any_text_is_an_identity_or_a_clear_refusal(text: str) -> None:
	for wid in (text, f"{text}@c.us", f"{text}@lid"):
		with suppress(IdentityError):
			identity = parse_wid(wid)
			assert (identity.kind == PHONE) == wid.strip().lower().endswith("@c.us")
