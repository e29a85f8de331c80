"""The decision on one message with 1,000 automatic replies, beside the same with 10.

A third of the rules look for whole words, a third for parts of words, a third for patterns. Both books decide
on the same messages, of which one in ten is answered by a rule that both have. It needs no site.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import common

from khalifa_whatsapp.core.auto_replies import KEYWORD, Facts, Rule, RuleBook, explain
from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.keywords import CONTAINS, REGEX, WHOLE_TERM, Keywords

BOUND = common.Bound(2.0, is_minimum=False)
MANY, FEW = 1_000, 10
MESSAGES = 2_000
LETTERS = [
	"با",
	"تي",
	"سو",
	"مر",
	"كل",
	"نا",
	"ده",
	"في",
	"حم",
	"صي",
	"دل",
	"يه",
	"رق",
	"عا",
	"زو",
	"شر",
	"طب",
	"غم",
	"قا",
	"لو",
]
CALENDAR = Calendar.always("Africa/Cairo")


def main() -> int:
	"""Decide on all messages with both books, round by round."""
	rng = Random(7)
	rules = [_rule(rng, number) for number in range(MANY)]
	many, few = RuleBook(rules), RuleBook(rules[:FEW])
	_check(rules, _messages(Random(1), rules[:FEW])[:40])
	ours, base = [], []
	for number in range(11):
		messages = _messages(
			Random(100 + number), rules[:FEW]
		)  # new ones: nothing was learnt from them before
		base.append(_decide(few, messages))
		ours.append(_decide(many, messages))
	return common.verdict(
		"Automatic replies: one decision",
		ours[1:],
		base[1:],
		BOUND,
		"µs",
		(f"{MANY:,} rules", f"{FEW} rules"),
	)


def _rule(rng: Random, number: int) -> Rule:
	term = _term(rng, 4)
	wanted = (
		Keywords(WHOLE_TERM, (term, f"{_term(rng, 3)} {term}")),
		Keywords(CONTAINS, (term,)),
		Keywords(REGEX, pattern=f"{term}.*({_term(rng, 2)}|{_term(rng, 2)})"),
	)[number % 3]
	return Rule(f"rule-{number}", KEYWORD, "Hello {customer}", wanted, priority=number % 5)


def _term(rng: Random, length: int) -> str:
	return "".join(rng.choice(LETTERS) for _ in range(length))


def _messages(rng: Random, shared: list[Rule]) -> list[str]:
	"""Texts of 3 to 20 words."""
	texts = [
		" ".join(_term(rng, rng.randint(1, 4)) for _ in range(rng.randint(3, 20))) for _ in range(MESSAGES)
	]
	terms = [rule.keywords.terms[0] for rule in shared if rule.keywords.terms]
	return [f"{text} {rng.choice(terms)}" if rng.random() < 0.1 else text for text in texts]


def _facts(text: str) -> Facts:
	return Facts(1_795_160_400_000, CALENDAR, text, "desk", "North", "Mona")


def _check(rules: list[Rule], messages: list[str]) -> None:
	"""The index must say what asking every rule says, or its speed is worth nothing."""
	book = RuleBook(rules)
	for text in messages:
		decision = book.decide(_facts(text))
		chosen = [verdict.rule for verdict in explain(rules, _facts(text)) if not verdict.reason]
		if ([decision.rule] if decision is not None else []) != chosen:
			raise SystemExit(f"the index and the rules differ on: {text}")


def _decide(book: RuleBook, messages: list[str]) -> float:
	"""Microseconds of one decision."""
	all_facts = [_facts(text) for text in messages]
	start = time.process_time()
	for facts in all_facts:
		book.decide(facts)
	return (time.process_time() - start) / len(messages) * 1e6


if __name__ == "__main__":
	sys.exit(main())
