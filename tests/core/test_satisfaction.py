"""Surveys: who is asked, what is a score and what is not, who gets the credit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import records, satisfaction
from khalifa_whatsapp.core.satisfaction import answer, credited, may_ask, payload, score_of, tapped
from khalifa_whatsapp.core.settings import HOUR_MS, MINUTE_MS, Settings

ON = Settings(survey_enabled=1)
NOW = 1_795_160_400_000


@pytest.mark.parametrize(
	("text", "score"),
	[
		("5", 5),
		(" 4 ", 4),
		("٥", 5),
		("۳", 3),
		("５", 5),
		("5/5", 5),
		("٤/٥", 4),
		("4 / 5", 4),
		("3 من 5", 3),
		("٣ من ٥", 3),
		("5 out of 5", 5),
		("five stars", 5),
		("Five Stars!", 5),
		("1 star", 1),
		("٥ نجوم", 5),
		("خمسة", 5),
		("خمس نجوم", 5),
		("أربعة", 4),
		("تلاتة", 3),
		("نجمة واحدة", 1),
		("نجمتين", 2),
		("⭐⭐⭐⭐⭐", 5),
		("⭐ ⭐ ⭐", 3),
		("⭐", 1),
		("5️⃣", 5),
		("5⭐", 5),
		("5 ⭐⭐⭐⭐⭐", 5),
		("5 👍🏽", 5),
		("٥ ❤️", 5),
		("*5*", 5),
		("5.", 5),
		("(2)", 2),
		("\u200f٥\u200f", 5),
		("\n1\n", 1),
	],
)
def test_every_way_to_write_a_score(text: str, score: int) -> None:
	assert score_of(text) == score


@pytest.mark.parametrize(
	"text",
	[
		"",
		" ",
		"0",
		"6",
		"55",
		"5 5",
		"10/10",
		"4/10",
		"-5",
		"5?",
		"٥؟",
		"4.5",
		"5 علب بنادول",
		"عايز 5",
		"5 جنيه",
		"فرع 3",
		"5 pm",
		"at 5",
		"5 💊",
		"5 دقايق",
		"خمسة جنيه",
		"خمسين",
		"five boxes",
		"⭐⭐⭐⭐⭐⭐",
		"4 ⭐⭐",
		"شكرا 5/5 بس عندي سؤال",
		"stars",
		"من 5",
		"👍",
		"5" * 500,
		"1\u066b5",
		"<b>5</b>",
	],
)
def test_a_number_inside_something_else_is_no_score(text: str) -> None:
	assert score_of(text) is None


@given(st.text())
def test_whatever_is_written_a_score_is_none_or_one_to_five(text: str) -> None:
	assert score_of(text) in (None, 1, 2, 3, 4, 5)


@given(
	st.sampled_from(["5", "٤", "3/5", "خمسة", "five stars", "⭐⭐⭐⭐"]),
	st.text("abcdefghijkابتثجحخدذرزسش", min_size=2, max_size=12),
	st.booleans(),
)
def test_a_score_with_another_word_is_a_sentence(score: str, other: str, is_before: bool) -> None:
	assert score_of(f"{other} {score}" if is_before else f"{score} {other}") is None


@given(st.sampled_from("0123456789abcdefghjkmnpqrstvwxyz").map(lambda c: c * 20), st.integers(1, 5))
def test_a_tap_brings_back_what_was_offered(name: str, score: int) -> None:
	assert tapped("list_reply", {"id": payload(name, score)}) == (name, score)
	assert tapped("button_reply", {"payload": payload(name, score)}) == (name, score)
	assert tapped("text", {"id": payload(name, score)}) is None


@pytest.mark.parametrize(
	"given_id", ["", "rate:", "rate:x", "rate:x:6", "rate:x:55", "rate:x:5 ", None, 5, {}]
)
def test_other_taps_are_no_answers(given_id: Any) -> None:
	assert tapped("list_reply", {"id": given_id}) is None


def ticket(**fields: Any) -> records.Ticket:
	given_fields = {"cycle_replies": 1, "status": records.CLOSED, "last_out_ms": NOW, **fields}
	return records.Ticket("t", "c", "d", **given_fields)


def survey(**fields: Any) -> records.Satisfaction:
	given_fields = {
		"message": "m",
		"state": satisfaction.SENT,
		"sent_ms": NOW,
		"due_ms": NOW,
		"expires_ms": NOW + HOUR_MS,
		**fields,
	}
	return records.Satisfaction("s", "k", "t", "c", "d", 1, **given_fields)


def test_only_a_closing_by_a_person_after_an_answer_is_asked_about() -> None:
	asked = {"reason": "resolved", "is_bulk": False, "is_by_person": True, "settings": ON}
	assert may_ask(ticket(), **asked)
	assert not may_ask(ticket(cycle_replies=0), **asked)
	for change in (
		{"reason": "spam"},
		{"reason": "merged"},
		{"is_bulk": True},
		{"is_by_person": False},
		{"settings": Settings()},
	):
		assert not may_ask(ticket(), **{**asked, **change})


def test_a_survey_is_not_asked_of_a_conversation_that_goes_on_or_that_is_long_forgotten() -> None:
	assert satisfaction.why_not(survey(), ticket(), NOW) == ""
	assert satisfaction.why_not(survey(), ticket(open_key="k"), NOW) == satisfaction.REOPENED
	assert satisfaction.why_not(survey(), ticket(cycle=2), NOW) == satisfaction.REOPENED
	late = NOW + satisfaction.MAX_LATENESS_MS + 1
	assert satisfaction.why_not(survey(), ticket(), late) == satisfaction.LATE


def test_a_number_counts_until_it_expires_or_somebody_says_something() -> None:
	assert satisfaction.takes_text(survey(), ticket(), NOW + 1000)
	assert not satisfaction.takes_text(survey(), ticket(), NOW + HOUR_MS)
	assert not satisfaction.takes_text(survey(), ticket(), NOW - HOUR_MS)
	assert not satisfaction.takes_text(survey(), ticket(cycle=2), NOW + 1000)
	assert not satisfaction.takes_text(survey(), ticket(last_out_ms=NOW + 1), NOW + 1000)
	assert not satisfaction.takes_text(survey(message=None), ticket(), NOW + 1000)
	for state in (satisfaction.ANSWERED, satisfaction.EXPIRED, satisfaction.SKIPPED):
		assert not satisfaction.takes_text(survey(state=state), ticket(), NOW + 1000)


@given(st.permutations([(5, NOW + 9), (1, NOW + 2), (3, NOW + 5)]))
def test_of_several_taps_the_first_counts_in_whatever_order_they_come(taps) -> None:
	one = survey()
	for score, at_ms in taps:
		answer(one, score, f"m{at_ms}", at_ms, ON)
	assert (one.score, one.answer, one.answered_ms) == (1, f"m{NOW + 2}", NOW + 2)


def test_a_comment_is_asked_for_on_low_scores_alone_and_for_a_while() -> None:
	for score in range(1, 6):
		one = survey()
		assert answer(one, score, "m", NOW, ON)
		assert (one.comment_until_ms is not None) == (score <= 2)
	low = survey()
	answer(low, 1, "m", NOW, ON)
	assert satisfaction.takes_comment(low, ticket(), NOW + MINUTE_MS)
	assert not satisfaction.takes_comment(low, ticket(), NOW + HOUR_MS)
	assert not satisfaction.takes_comment(low, ticket(cycle=2), NOW + MINUTE_MS)
	low.comment = "متأخر"
	assert not satisfaction.takes_comment(low, ticket(), NOW + MINUTE_MS)
	quiet = survey()
	answer(quiet, 1, "m", NOW, Settings(survey_asks_comment=0))
	assert quiet.comment_until_ms is None


@pytest.mark.parametrize("score", [0, 6, -1])
def test_nothing_else_is_a_score(score: int) -> None:
	with pytest.raises(ValueError, match="no score"):
		answer(survey(), score, "m", NOW, ON)


def reply(agent: str | None, status: str = records.SENT) -> records.Message:
	return records.Message(
		"m", "t", "c", "d", records.OUTGOING, records.AGENT, "text", status, NOW, NOW, agent=agent
	)


def test_the_credit_is_that_of_whoever_answered_most_in_the_cycle() -> None:
	mona, ali, admin = reply("mona"), reply("ali"), reply(None)
	assert credited([ali, mona, mona], 3) == "mona"
	assert credited([ali, mona, mona], 2) == "ali"  # the older answer was of the cycle before
	assert credited([ali, mona], 2) == "ali"  # of equals the last
	assert credited([admin, admin, mona], 3) == "mona"
	assert credited([admin], 1) is None
	assert credited([], 0) is None
	assert credited([mona, reply("ali", records.FAILED), reply("ali", records.FAILED)], 3) == "mona"
