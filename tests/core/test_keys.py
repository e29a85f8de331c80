"""Keys: equal for equal things only, and always 64 lower-case hex digits. Names: sorted by time."""

from __future__ import annotations

import hashlib
import random
import re
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.keys import (
	ALPHABET,
	delivery_key,
	digest,
	kpi_key,
	message_key,
	new_name,
	open_key,
)

HEX64 = re.compile(r"[0-9a-f]{64}")
parts = st.lists(st.text("ab|\0", max_size=3), max_size=4)


def test_digest_keeps_parts_apart() -> None:
	examples = [
		("a", "bc"),
		("ab", "c"),
		("abc",),
		("abc", ""),
		("", "abc"),
		("a", "b", "c"),
		(),
		("",),
		("", ""),
	]
	assert len({digest(*example) for example in examples}) == len(examples)


def test_digest_is_pinned_because_the_database_holds_it() -> None:
	assert digest("a", "bc") == hashlib.sha256(b"\0" * 7 + b"\1a" + b"\0" * 7 + b"\2bc").hexdigest()


@given(parts, parts)
def test_digests_are_equal_only_for_equal_parts(one: list[str], other: list[str]) -> None:
	assert (digest(*one) == digest(*other)) == (one == other)


@given(st.text(st.characters(exclude_categories=[])), st.binary())
def test_any_text_and_bytes_make_a_key(text: str, body: bytes) -> None:
	assert HEX64.fullmatch(digest(text))
	assert HEX64.fullmatch(delivery_key(text, body))


def test_keys_distinguish_case_accents_and_trailing_spaces() -> None:
	ids = ["wamid.Aa", "wamid.aA", "wamid.Aa ", "wamid.Áa", "wamid.😀", "wamid.😁"]
	assert len({message_key("d", "Incoming c", gateway_id) for gateway_id in ids}) == len(ids)


def test_every_part_of_a_message_key_counts() -> None:
	base = ["device", "scope", "id"]
	changed = [[*base[:place], "other", *base[place + 1 :]] for place in range(3)]
	assert len({message_key(*row) for row in [base, *changed]}) == 4


def test_the_same_parts_make_different_keys_for_different_things() -> None:
	keys = {
		delivery_key("a", b"b"),
		open_key("a", "b"),
		digest("a", "b"),
		message_key("a", "b", ""),
		kpi_key("a", "b", ""),
	}
	assert len(keys) == 5


def test_one_byte_of_the_body_makes_another_webhook_event() -> None:
	keys = {
		delivery_key("d", b"{}"),
		delivery_key("d", b"{} "),
		delivery_key("e", b"{}"),
		delivery_key("d{", b"}"),
	}
	assert len(keys) == 4
	assert delivery_key("d", b"{}") == delivery_key("d", b"{}")


def test_a_name_is_twenty_characters_that_start_with_the_time() -> None:
	name = new_name(1_790_000_000_000, random.Random(1))
	assert name == "06gc8m3c014dq8h6bcfn"
	assert name[:9] == new_name(1_790_000_000_000, random.Random(2))[:9]
	assert name != new_name(1_790_000_000_000, random.Random(2))


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**48 - 1), st.randoms(use_true_random=False))
def test_names_sort_as_their_times_do(one: int, other: int, rng: random.Random) -> None:
	first, second = new_name(one, rng), new_name(other, rng)
	assert len(first) == 20
	assert set(first) <= set(ALPHABET)
	assert one == other or (one < other) == (first < second)


def test_names_of_one_millisecond_do_not_collide() -> None:
	rng = secrets.SystemRandom()
	assert len({new_name(1_790_000_000_000, rng) for _ in range(5_000)}) == 5_000


@pytest.mark.parametrize("now_ms", [-1, 2**48])
def test_a_time_that_does_not_fit_is_refused(now_ms: int) -> None:
	with pytest.raises(ValueError, match="epoch milliseconds"):
		new_name(now_ms, random.Random(1))
