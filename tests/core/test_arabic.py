"""Text: comparable for search, harmless for Desk."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from khalifa_whatsapp.core.arabic import (
	normalise,
	preview,
	safe_name,
)

any_text = st.text(st.characters(exclude_categories=[]))
arabic_text = st.text("اأإآٱةهىيئؤوء ـ\u064b\u0651\u0654\u0655\u0670\u200f٠٩۵ لﻻﷺabÉ\n\t", max_size=20)

# Search


@pytest.mark.parametrize(
	("written", "searched"),
	[
		("أَحْمَد", "احمد"),
		("إسلام", "اسلام"),
		("آمال", "امال"),
		("ٱلله", "الله"),
		("ا\u0653مال", "امال"),
		("فاطمة", "فاطمه"),
		("منى", "مني"),
		("شؤون", "شوون"),
		("قائمة", "قايمه"),
		("محـــمد", "محمد"),
		("هٰذا", "هذا"),
		("ﻣﺤﻤﺪ ﻻ", "محمد لا"),
		("علی کریم", "علي كريم"),
		("٠١٠٠١٢٣٤٥٦٧", "01001234567"),
		("۰۱۰۰", "0100"),
		("\u202bأحمد\u202c\u200f", "احمد"),
		("مح\u200cمد", "محمد"),
		("  أحمد \n\t علي ", "احمد علي"),
		("PANADOL Extra", "panadol extra"),
		("Straße", "STRASSE"),
		("Ｐａｎａｄｏｌ", "panadol"),
		("Café", "cafe"),
		("½", "1⁄2"),
	],
)
def test_what_was_written_is_found_by_what_is_typed(written: str, searched: str) -> None:
	assert normalise(written) == normalise(searched)


@pytest.mark.parametrize(
	("one", "other"), [("سماء", "سما"), ("علي", "عالي"), ("تاء", "ثاء"), ("ماء", "ما"), ("حج", "خج")]
)
def test_different_words_stay_different(one: str, other: str) -> None:
	assert normalise(one) != normalise(other)


def test_the_normal_form_is_pinned_because_the_database_holds_it() -> None:
	assert normalise("إِلـغـاء  ٱلأسئلة، مسؤولى ١٢۳ É") == "الغاء الاسيله، مسوولي 123 e"
	assert normalise("") == normalise(" \u200f ") == ""


@given(any_text | arabic_text)
@example("\u0345")
@example("ι\u0308\u0301")
@example("ﷺ")
@example("1\u200f\u0301")
def test_normalise_is_idempotent_and_clean(text: str) -> None:
	once = normalise(text)
	assert normalise(once) == once
	assert once == " ".join(once.split())
	assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in once)
	assert not set(once) & set("أإآٱةىئؤـ")


@given(arabic_text, arabic_text)
def test_a_word_is_found_inside_the_text_that_holds_it(term: str, rest: str) -> None:
	assert normalise(term) in normalise(f"{rest} {term} {rest}")


# Names

FORBIDDEN = set("<>\"'`&\\")


@pytest.mark.parametrize(
	("name", "safe"),
	[
		("منى أحمد", "منى أحمد"),
		("  منى \n أحمد\t", "منى أحمد"),
		('"<img src=x onerror=alert(1)>"', "”img src=x onerror=alert(1)”"),
		("O'Brien & Sons", "O’Brien ＆ Sons"),
		("a\\u003cscript>", "a/u003cscript"),
		("`x`", "’x’"),
		("\u1fef", "’"),  # the accent that composes to a back quote
		("\u202egpj.exe", "gpj.exe"),
		("\u200b\u200f\ufeff", ""),
		("\u3164 \u2800", ""),
		("ali\x00\x1b[31m", "ali[31m"),
		("ali\ud800", "ali"),
		("e\u0301", "é"),
		("e<\u0301", "é"),
		("سـلام", "سـلام"),
		("😀 Mona", "😀 Mona"),
		("", ""),
	],
)
def test_names_are_made_harmless_and_stay_readable(name: str, safe: str) -> None:
	assert safe_name(name) == safe


def test_a_long_name_is_cut_without_a_trailing_space() -> None:
	assert safe_name("x" * 5000) == "x" * 140
	assert safe_name("ab cd", 3) == "ab"
	assert safe_name("\u200f" * 9000 + "ali") == "ali"


@given(any_text | st.text("<>\"'`&\\ a\u0301\u0338\u202e\u1fef\n", max_size=30), st.integers(0, 150))
def test_no_name_ever_holds_a_dangerous_character(text: str, limit: int) -> None:
	name = safe_name(text, limit)
	assert len(name) <= limit
	assert not set(name) & FORBIDDEN
	assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in name)
	assert name == " ".join(name.split())
	assert unicodedata.is_normalized("NFC", name)
	assert safe_name(name, limit) == name
	assert not set(unicodedata.normalize("NFC", name)) & FORBIDDEN
	name.encode("utf-8")


# Previews


def test_a_preview_is_one_safe_line() -> None:
	assert preview("مساء الخير\nعندكم  بنادول؟") == "مساء الخير عندكم بنادول؟"
	assert preview("<script>alert('x')</script>") == "scriptalert(’x’)/script"
	assert preview("") == ""


def test_a_cut_preview_says_so() -> None:
	assert preview("abcdefgh", 5) == "abcd…"
	assert preview("abcde", 5) == "abcde"
	assert preview("abc efgh", 5) == "abc…"
	assert preview("a " * 1_000_000) == "a " * 59 + "a…"


@given(any_text, st.integers(0, 30))
def test_a_preview_is_as_safe_as_a_name_and_fits(text: str, limit: int) -> None:
	line = preview(text, limit)
	assert len(line) <= limit
	assert not set(line) & FORBIDDEN
	assert safe_name(line) == line
	assert line.endswith("…") or line == safe_name(text, limit)
