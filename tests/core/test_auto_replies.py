"""Automatic replies: the index decides as asking every rule would; limits hold for any sequence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khalifa_whatsapp.core.auto_replies import (
	ALL_OFFLINE,
	KEYWORD,
	KINDS,
	MAX_AGE_MS,
	MINUTE_MS,
	OUT_OF_HOURS,
	PERSON_MS,
	REASONS,
	WAITING_LONG,
	WELCOME,
	Facts,
	Had,
	Rule,
	RuleBook,
	explain,
	is_usable,
	rule_from_row,
	unknown_blanks,
)
from khalifa_whatsapp.core.calendar import Calendar, calendar_from_rows
from khalifa_whatsapp.core.keywords import CONTAINS, REGEX, WHOLE_TERM, Keywords
from khalifa_whatsapp.core.reply_loops import FAST_MS, Line, loop_in

ZONE = "Africa/Cairo"
ALWAYS = Calendar.always(ZONE)
SHOP = calendar_from_rows(
	ZONE,
	[
		{"day": day, "start_time": "09:00", "end_time": "23:00"}
		for day in ("Saturday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday")
	],
)


def at(day: int, hour: int, minute: int = 0) -> int:
	"""An instant of November 2026; the 21st is a Saturday."""
	return int(datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)


NOON = at(21, 12)


def keyword(name: str, *terms: str, match_type: str = WHOLE_TERM, pattern: str = "", **more) -> Rule:
	return Rule(name, KEYWORD, more.pop("body", "x"), Keywords(match_type, terms, pattern), **more)


def said(text: str = "", **more) -> Facts:
	return Facts(NOON, more.pop("calendar", ALWAYS), text, **more)


def reason(rule: Rule, facts: Facts) -> str:
	(verdict,) = explain([rule], facts)
	decision = RuleBook([rule]).decide(facts)
	assert (decision is None) == bool(verdict.reason)
	return verdict.reason


@pytest.mark.parametrize(
	("match_type", "term", "text", "is_found"),
	[
		(WHOLE_TERM, "مواعيد", "إيه مَواعيد العمل؟", True),
		(WHOLE_TERM, "مواعيد", "مواعيدكم ايه", False),
		(WHOLE_TERM, "مواعيد العمل", "ايه مواعيد   العمل", True),
		(WHOLE_TERM, "مواعيد العمل", "مواعيد بتاعة العمل", False),
		(WHOLE_TERM, "فرع ٣", "عنوان فرع 3.", True),
		(WHOLE_TERM, "OPEN", "are you open?", True),
		(WHOLE_TERM, "open", "reopen", False),
		(CONTAINS, "مواعيد", "مواعيدكم ايه", True),
		(CONTAINS, "عنوان الفرع", "فين عنوان الفرع ده", True),
		(CONTAINS, "ab", "xaby", True),
		(CONTAINS, "a", "bcd", False),
		(CONTAINS, "إمتى", "فاتحين امتي", True),
	],
)
def test_words_are_found_as_people_write_them(match_type, term, text, is_found):
	assert (reason(keyword("k", term, match_type=match_type), said(text)) == "") == is_found


def test_a_pattern_answers_what_it_finds():
	rule = keyword("k", match_type=REGEX, pattern="(فاتح|بتفتح).*إمتى")
	assert reason(rule, said("هو الفرع بيفتح ولا بتفتحوا امتى")) == ""
	assert reason(rule, said("بكام")) == "no_match"


@pytest.mark.parametrize(
	("rule", "facts", "why"),
	[
		(keyword("k", "hi", device="other"), said("hi", device="desk"), "device"),
		(keyword("k", "hi", branch="North"), said("hi"), "branch"),
		(keyword("k", "hi", hours=SHOP), replace(said("hi"), now_ms=at(20, 12)), "inactive"),
		(keyword("k", "hi"), said("hello"), "no_match"),
		(keyword("k", "hi"), said(""), "no_match"),
		(Rule("w", WELCOME, "x"), said("hi"), "not_new"),
		(Rule("w", WELCOME, "x"), said("hi", is_new=True), ""),
		(Rule("o", OUT_OF_HOURS, "x"), said("hi"), "open"),
		(Rule("o", OUT_OF_HOURS, "x"), replace(said("hi", calendar=SHOP), now_ms=at(21, 8)), ""),
		(Rule("a", ALL_OFFLINE, "x"), said("hi"), "someone_here"),
		(Rule("a", ALL_OFFLINE, "x"), said("hi", is_anyone_here=False), ""),
		(Rule("l", WAITING_LONG, "x", wait_minutes=10), said("hi"), "not_waited"),
		(Rule("l", WAITING_LONG, "x", wait_minutes=10), said(waited_ms=10 * MINUTE_MS), ""),
		(Rule("l", WAITING_LONG, "x", wait_minutes=10), said(waited_ms=10 * MINUTE_MS - 1), "not_waited"),
		(Rule("w", WELCOME, "x"), said(is_new=True, waited_ms=MINUTE_MS), "other_cause"),
		(keyword("k", "hi"), said("hi", message_ms=NOON - MAX_AGE_MS - 1), "old"),
		(keyword("k", "hi", body="Dear {customer}"), said("hi"), "no_customer"),
		(keyword("k", "hi", body="{Branch}"), said("hi"), "no_branch"),
		(keyword("k", "hi", body="at {opens}"), said("hi"), "no_opens"),
		(keyword("k", "hi", is_once=True), said("hi", had={"k": Had(1, 1)}), "once"),
		(
			keyword("k", "hi", cooldown_minutes=5),
			said("hi", had={"k": Had(1, NOON - 5 * MINUTE_MS + 1)}),
			"cooldown",
		),
		(keyword("k", "hi", cooldown_minutes=5), said("hi", had={"k": Had(1, NOON - 5 * MINUTE_MS)}), ""),
		(keyword("k", "hi"), said("hi", had={"other": Had(9, NOON)}), ""),
		(keyword("k", "hi"), said("hi", person_ms=NOON - PERSON_MS + 1), "person"),
		(keyword("k", "hi"), said("hi", person_ms=NOON - PERSON_MS), ""),
		(
			Rule("l", WAITING_LONG, "x", wait_minutes=1),
			said(since_ms=NOON - 9 * MINUTE_MS, waited_ms=9 * MINUTE_MS, had={"l": Had(1, NOON - MINUTE_MS)}),
			"waited",
		),
	],
)
def test_each_condition_has_its_reason(rule, facts, why):
	assert reason(rule, facts) == why
	assert not why or REASONS[why].format(minutes=1)


def test_the_highest_priority_answers_and_the_others_say_why_not():
	rules = [
		keyword("low", "hi", priority=1),
		keyword("high", "hi", priority=9),
		keyword("other", "bye", priority=99),
	]
	verdicts = {verdict.rule.name: verdict.reason for verdict in explain(rules, said("hi"))}
	assert verdicts == {"other": "no_match", "high": "", "low": "lower"}
	decision = RuleBook(rules).decide(said("hi"))
	assert decision is not None
	assert decision.rule.name == "high"


def test_a_reply_is_filled_in():
	rule = Rule("o", OUT_OF_HOURS, "أهلا {Customer}، {{branch}} بيفتح {opens}. {a, b}")
	facts = replace(said(calendar=SHOP, customer="منى", branch="المنصورة"), now_ms=at(20, 12))
	decision = RuleBook([rule]).decide(facts)
	assert decision is not None
	assert decision.text == "أهلا منى، المنصورة بيفتح بكرة الساعة 9:00 صباحًا. {a, b}"


@pytest.mark.parametrize(
	("now", "english", "arabic"),
	[
		(at(21, 7, 30), "at 9:00 AM", "الساعة 9:00 صباحًا"),
		(at(20, 23), "tomorrow at 9:00 AM", "بكرة الساعة 9:00 صباحًا"),
		(at(19, 23, 30), "on Saturday at 9:00 AM", "يوم السبت الساعة 9:00 صباحًا"),
	],
)
def test_the_opening_is_said_in_the_language_of_the_text(now, english, arabic):
	for body, expected in (("Open {opens}", f"Open {english}"), ("هنفتح {opens}", f"هنفتح {arabic}")):
		facts = replace(said(calendar=SHOP), now_ms=now)
		decision = RuleBook([Rule("o", OUT_OF_HOURS, body)]).decide(facts)
		assert decision is not None
		assert decision.text == expected


def test_an_opening_a_week_away_has_its_date():
	rows = [{"day": "Saturday", "start_time": "15:30", "end_time": "16:00"}]
	facts = replace(said(calendar=calendar_from_rows(ZONE, rows)), now_ms=at(21, 17))
	decision = RuleBook([Rule("o", OUT_OF_HOURS, "{opens}")]).decide(facts)
	assert decision is not None
	assert decision.text == "on Saturday 28/11 at 3:30 PM"


def test_unknown_names_in_braces_are_found():
	assert unknown_blanks("{customer} {Opens} {price} {agent} {price}") == ["price", "agent"]


def test_when_the_next_rule_about_waiting_comes_due():
	book = RuleBook(
		[Rule(f"l{minutes}", WAITING_LONG, "x", wait_minutes=minutes) for minutes in (10, 30)]
		+ [Rule("north", WAITING_LONG, "x", wait_minutes=5, branch="North")]
	)
	facts = said(since_ms=NOON, calendar=SHOP)
	assert book.next_wait_ms(facts, NOON) == NOON + 10 * MINUTE_MS
	assert book.next_wait_ms(facts, NOON + 10 * MINUTE_MS) == NOON + 30 * MINUTE_MS
	assert book.next_wait_ms(facts, NOON + 30 * MINUTE_MS) is None
	night = replace(facts, since_ms=at(21, 22, 55))
	assert book.next_wait_ms(night, at(21, 22, 55)) == at(22, 9, 5)


def test_a_stored_rule_is_read_and_one_that_can_not_be_used_is_known():
	row = dict.fromkeys(
		(
			"match_type",
			"terms",
			"pattern",
			"device",
			"branch",
			"priority",
			"cooldown_minutes",
			"is_once",
			"wait_minutes",
		)
	)
	rule = rule_from_row({**row, "name": "k", "kind": KEYWORD, "body": "x", "terms": " a \r\n\nb c"}, None)
	assert rule.keywords == Keywords(WHOLE_TERM, ("a", "b c"))
	assert is_usable(rule)
	assert not is_usable(replace(rule, keywords=Keywords(REGEX, (), "(")))
	assert not is_usable(replace(rule, kind="Something Else"))


# -- any rules, any facts

TERMS = ("سعر", "السعر", "مواعيد", "إمتى", "امتي", "open", "hours", "ab", "b", "٣")
texts = st.lists(st.sampled_from((*TERMS, "x", "؟", "abc")), max_size=6).map(" ".join)
terms = st.lists(st.sampled_from(TERMS), min_size=1, max_size=2).map(" ".join)
keywords = st.one_of(
	st.builds(
		Keywords,
		st.sampled_from([WHOLE_TERM, CONTAINS]),
		st.lists(terms, min_size=1, max_size=3).map(tuple),
	),
	st.builds(Keywords, st.just(REGEX), st.just(()), st.sampled_from(["سعر", "^open", "ام+تى", "a|b", "x$"])),
)
bodies = st.sampled_from(["x", "{customer}", "{branch}", "{opens}"])
rules = st.lists(
	st.builds(
		Rule,
		name=st.uuids().map(str),
		kind=st.sampled_from((*KINDS, KEYWORD, KEYWORD)),
		body=bodies,
		keywords=keywords,
		device=st.sampled_from(["", "", "desk", "other"]),
		branch=st.sampled_from(["", "", "North"]),
		priority=st.integers(0, 2),
		cooldown_minutes=st.sampled_from([0, 5, 60]),
		is_once=st.booleans(),
		wait_minutes=st.integers(1, 20),
		hours=st.sampled_from([None, None, SHOP]),
	),
	max_size=25,
)
facts = st.builds(
	Facts,
	now_ms=st.sampled_from([NOON, at(20, 12), at(21, 8)]),
	calendar=st.sampled_from([ALWAYS, SHOP]),
	text=texts,
	device=st.sampled_from(["desk", "third"]),
	branch=st.sampled_from(["", "North", "South"]),
	customer=st.sampled_from(["", "Mona"]),
	message_ms=st.sampled_from([None, NOON, NOON - 2 * MAX_AGE_MS]),
	is_new=st.booleans(),
	is_anyone_here=st.booleans(),
	since_ms=st.just(NOON - 20 * MINUTE_MS),
	waited_ms=st.sampled_from([None, None, 0, 9 * MINUTE_MS]),
	person_ms=st.sampled_from([None, NOON - MINUTE_MS, NOON - 9 * MINUTE_MS]),
)


@settings(max_examples=400, deadline=None)
@given(rules, facts, st.data())
def test_the_index_decides_as_asking_every_rule_in_turn(made, asked, data):
	some = data.draw(st.lists(st.sampled_from([rule.name for rule in made] or ["none"]), max_size=4))
	asked = replace(asked, had={name: Had(1, NOON - 3 * MINUTE_MS) for name in some})
	book = RuleBook(made)
	verdicts = explain(made, asked)
	chosen = [verdict.rule for verdict in verdicts if not verdict.reason]
	decision = book.decide(asked)
	assert ([decision.rule] if decision is not None else []) == chosen
	if decision is not None:
		assert decision.text
		assert "{" not in decision.text
		assert decision.rule in book.candidates(asked)
	assert {verdict.reason for verdict in verdicts} <= {"", *REASONS}


# -- loops


def them(at_ms: int, text: str = "") -> Line:
	return Line(at_ms, text)


def ours(at_ms: int) -> Line:
	return Line(at_ms, is_automatic=True, went_ms=at_ms)


@pytest.mark.parametrize(
	("lines", "why"),
	[
		([], ""),
		([them(0), ours(10_000), them(20_000), ours(30_000), them(40_000)], ""),
		(
			[them(0), ours(10_000), them(20_000), ours(30_000), them(40_000), ours(50_000), them(60_000)],
			"too_many",
		),
		([ours(1), ours(2), ours(3), Line(4, is_person=True), them(5)], ""),
		([them(0), ours(10_000), them(11_000), ours(20_000), them(21_000)], "too_fast"),
		([them(0), ours(10_000), them(11_000), ours(20_000), them(20_000 + FAST_MS)], ""),
		([them(0), ours(10_000), them(19_000), ours(20_000), them(21_000)], ""),
		([them(0), ours(10_000), ours(10_000), them(11_000)], ""),
		([them(0), Line(10_000, is_automatic=True), them(11_000), ours(20_000), them(21_000)], ""),
		([them(0, "hi"), them(9, "hi"), them(99, "hi")], "same_text"),
		([them(0, "hi"), them(9, "hi"), them(99, "hi"), them(100, "ho")], ""),
		([them(0), them(9), them(99)], ""),
	],
)
def test_a_circle_is_seen(lines, why):
	assert loop_in(lines, 3) == why


@given(
	st.lists(st.sampled_from(["them", "ours", "person"]), max_size=60),
	st.integers(1, 5),
	st.lists(st.integers(1, 100_000), min_size=60, max_size=60),
)
def test_never_more_in_a_row_than_allowed_without_a_person(kinds, most, gaps):
	lines: list[Line] = []
	row, now = 0, 0
	for kind, gap in zip(kinds, gaps, strict=False):
		now += gap
		if kind == "person":
			lines.append(Line(now, is_person=True))
			row = 0
		elif kind == "them":
			lines.append(them(now, str(now)))
		elif not loop_in(lines, most):
			lines.append(ours(now))
			row += 1
		assert row <= most
