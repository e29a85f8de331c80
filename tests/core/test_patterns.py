"""Patterns that people write: refused with a reason, folded like the text, and never slow."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import patterns
from khalifa_whatsapp.core.arabic import normalise

# What makes other engines need longer than the universe has, or more memory than a server
BOMBS = ("(a+)+$", "(a|a)+$", "(a|aa)+$", "(.*a){12}$", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$")


@pytest.mark.parametrize(
	("pattern", "code"),
	[
		("", "empty_pattern"),
		(" \n", "empty_pattern"),
		("a" * 501, "pattern_too_long"),
		("(", "bad_pattern"),
		("[", "bad_pattern"),
		("*a", "bad_pattern"),
		("(?=a)", "bad_pattern"),
		("(?<!a)b", "bad_pattern"),
		(r"(a)\1", "bad_pattern"),
		("a{1001}", "bad_pattern"),
		("((a{30}){30}){30}", "bad_pattern"),
		(r"((\pL{1,30}){1,30})b", "pattern_too_large"),
		(r"\pL{30}", "pattern_too_large"),
		("a*", "pattern_matches_all"),
		("مواعيد|", "pattern_matches_all"),
		("(?i)", "pattern_matches_all"),
		(r"\bسعر", "latin_only"),
		(r"سعر\w+", "latin_only"),
		(r"\\\bx", "latin_only"),
	],
)
def test_what_can_not_be_used_is_refused_with_its_reason(pattern, code):
	with pytest.raises(patterns.PatternError) as refused:
		patterns.check(pattern)
	assert refused.value.code == code
	assert str(refused.value)


@pytest.mark.parametrize(
	("pattern", "text", "is_found"),
	[
		("مواعيد.*(الفتح|العمل)", "إيه مواعيد العَمل؟", True),
		("فاتحين إمتى", "فاتحين امتي", True),
		("[أإآ]متى", "امتى", True),
		("مدرسة", "مدرسه", True),
		(r"\d{3}", "طلب ٤٥٦", True),
		("[٠-٩]{3}", "طلب 456", True),
		(r"OPEN\s+today", "are you open  today?", True),
		(r"\p{Arabic}+", "hello", False),
		(r"\\w", "w", False),
		(r"^open$", "open now", False),
	],
)
def test_a_pattern_meets_text_that_was_folded_as_it_was_itself(pattern, text, is_found):
	patterns.check(pattern)
	assert (patterns.compiled(pattern).search(normalise(text)) is not None) == is_found
	assert patterns.PatternSet([pattern]).matching(normalise(text)) == [0] * is_found


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_harmless(bomb):
	"""CPU time, which a neighbour does not take; an engine that tries all ways would need years."""
	patterns.check(bomb)
	texts = ["a" * 4_000, "a" * 3_999 + "!", "x" * 4_000]
	start = time.process_time()
	for text in texts:
		patterns.compiled(bomb).search(text)
	patterns.PatternSet(BOMBS).matching(texts[1])
	assert time.process_time() - start < 2


def test_a_set_whose_automaton_has_no_room_still_finds_everything(monkeypatch):
	monkeypatch.setattr(patterns, "SET_MEMORY", 70_000)
	many = [rf"[ab]{{3}}x{number}|[a-z]{{5}}y{number}" for number in range(40)]
	small = patterns.PatternSet(many)
	text = "ab" * 50 + "aabx7 qwertyy12"
	alone = [place for place, one in enumerate(many) if patterns.compiled(one).search(text)]
	assert alone
	assert small.matching(text) == alone


@given(
	st.lists(
		st.sampled_from(["سعر", "م+واعيد", "^ا", "فين$", "[0-9]{2}", "a|b", "open", r"\s\pL\s", "."]),
		max_size=9,
	),
	st.text(alphabet="سعرمواعيدفين 019abopenx", max_size=40),
)
def test_a_set_finds_what_each_pattern_finds_alone(some, text):
	normal = normalise(text)
	alone = [place for place, one in enumerate(some) if normal and patterns.compiled(one).search(normal)]
	assert (patterns.PatternSet(some).matching(normal) if normal else []) == alone
