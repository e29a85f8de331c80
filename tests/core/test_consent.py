"""Wishes about promotions: what a message says, and what a log of them amounts to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.consent import (
	AMBIGUOUS_OPT_OUT_WORDS,
	BY_BUTTON,
	BY_TEXT,
	OPT_IN_WORDS,
	OPT_OUT_WORDS,
	RESUME_PAYLOAD,
	RESUMED,
	STOP_PAYLOAD,
	STOPPED,
	Wish,
	apply,
	is_ambiguous_opt_out,
	is_opt_in,
	is_opt_out,
	state_of,
	wish_of,
)
from khalifa_whatsapp.core.records import ConsentEvent, Customer


@pytest.mark.parametrize("term", OPT_OUT_WORDS)
def test_every_opt_out_word_stops(term: str) -> None:
	for form in (term, term.lower(), f"  {term}. ", f"\u200f{term}!", f"*{term}*", f"{term} 🛑"):
		assert is_opt_out(form)
		assert not is_opt_in(form)


@pytest.mark.parametrize(
	"text", ["ايقاف", "إيقــاف", "إِيقَاف", "الغاء", "إلغاء الإشتراك", "مش عايز رسايل", "Stop", "ＳＴＯＰ"]
)
def test_spellings_of_opt_out_words_stop(text: str) -> None:
	assert is_opt_out(text)


@pytest.mark.parametrize(
	"text",
	[
		"",
		"cancel order 42",
		"إلغاء الطلب",
		"please stop",
		"stopping",
		"stop?",
		"توقف؟",
		"STOP " * 40,
		"the end",
		"ok",
		"!",
	],
)
def test_longer_messages_and_questions_do_not_stop(text: str) -> None:
	assert not is_opt_out(text)
	assert not is_ambiguous_opt_out(text)


def test_cancel_alone_stops_and_is_shown_to_an_agent() -> None:
	for term in AMBIGUOUS_OPT_OUT_WORDS:
		assert is_opt_out(term)
		assert is_ambiguous_opt_out(f"{term}.")
	for term in set(OPT_OUT_WORDS) - set(AMBIGUOUS_OPT_OUT_WORDS):
		assert not is_ambiguous_opt_out(term)


@pytest.mark.parametrize("term", [*OPT_IN_WORDS, "start", "إشتراك", " Start! "])
def test_opt_in_words_start(term: str) -> None:
	assert is_opt_in(term)
	assert not is_opt_out(term)


def test_cancelling_a_subscription_is_not_a_subscription() -> None:
	assert not is_opt_in("إلغاء الاشتراك")


def test_a_button_is_known_by_what_it_brings_back_in_every_language() -> None:
	assert wish_of("button_reply", "Whatever", {"payload": STOP_PAYLOAD}) == Wish(True, source=BY_BUTTON)
	assert wish_of("button_reply", "أيوه", {"id": RESUME_PAYLOAD}) == Wish(False, source=BY_BUTTON)
	assert wish_of("button_reply", "إيقاف العروض", {"payload": "x"}) == Wish(True, source=BY_BUTTON)
	assert wish_of("button_reply", "Yes", {"payload": "x"}) is None


@pytest.mark.parametrize("kind", ["image", "voice", "document", "missing", "list_reply", "system"])
def test_only_texts_and_buttons_say_a_wish(kind: str) -> None:
	assert wish_of(kind, "STOP", {}) is None
	assert wish_of("text", "STOP", {}) == Wish(True, source=BY_TEXT)
	assert wish_of("text", "الغاء", {}) == Wish(True, True, BY_TEXT)


def event(at_ms: int, is_stop: bool) -> ConsentEvent:
	return ConsentEvent("e", "k", "c", STOPPED if is_stop else RESUMED, "Message", at_ms, at_ms)


wishes = st.lists(st.builds(event, st.integers(1, 6), st.booleans()), max_size=8)


@given(wishes, st.randoms(use_true_random=False))
def test_the_state_is_the_fold_of_the_log_in_whatever_order_it_became_known(log, rng) -> None:
	shuffled = list(log)
	rng.shuffle(shuffled)
	customer = Customer("c")
	for one in shuffled:
		apply(customer, one)
	assert (customer.is_opted_out, customer.opted_out_ms) == state_of(log)


@given(wishes)
def test_what_is_said_again_changes_nothing(log) -> None:
	customer = Customer("c")
	for one in log:
		apply(customer, one)
	assert not any(apply(customer, one) for one in log)


def test_of_two_wishes_at_one_instant_the_one_that_stops_counts() -> None:
	assert state_of([event(5, True), event(5, False)]) == (1, 5)
	assert state_of([event(5, False), event(6, False)]) == (0, 6)
	assert state_of([]) == (0, None)


def test_a_wish_of_which_no_time_is_known_gives_way_to_the_next() -> None:
	customer = Customer("c", is_opted_out=1)
	assert apply(customer, event(5, False))
	assert not customer.is_opted_out
