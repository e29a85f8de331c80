"""Automatic replies: which rule, if any, answers a customer's message, and why each other one does not.

A decision is worked out from facts alone. `explain` asks every rule in turn and says why not;
`RuleBook.decide` gives the same decision by an index, so that its cost follows the text and what matches it,
and not the number of rules.

One file, because the index must agree with the conditions that it stands for, and a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from khalifa_whatsapp.core import patterns, quick_replies
from khalifa_whatsapp.core.calendar import Calendar, CalendarError
from khalifa_whatsapp.core.keywords import NO_KEYWORDS, REGEX, WHOLE_TERM, KeywordIndex, Keywords, Text, is_in
from khalifa_whatsapp.core.opening_times import opening_text

MINUTE_MS = 60_000
KEYWORD, OUT_OF_HOURS, ALL_OFFLINE = "Keyword", "Out of Hours", "All Agents Offline"
WELCOME, WAITING_LONG = "New Conversation", "Waiting Long"
KINDS = (KEYWORD, OUT_OF_HOURS, ALL_OFFLINE, WELCOME, WAITING_LONG)  # of equal priority, the first goes first
BLANKS = ("customer", "branch", "opens")  # what a reply may name in braces

MAX_RULES = 1_000  # enabled ones
MAX_TERMS, MAX_TERM = 100, 100  # lines of one rule, characters of a line
MAX_AGE_MS = 60 * MINUTE_MS  # a message that reached us later than that is for people alone
PERSON_MS = 5 * MINUTE_MS  # for so long after a person of ours wrote, no machine speaks

REASONS = {
	"device": "It is for another device.",
	"branch": "It is for another branch.",
	"inactive": "It is not active at this hour.",
	"no_match": "The text does not match.",
	"not_new": "The conversation is not new.",
	"open": "The branch is open now.",
	"someone_here": "An agent is there.",
	"not_waited": "It waits until the customer has waited {minutes} minutes.",
	"waited": "It answered this wait already.",
	"other_cause": "It answers messages, not waiting.",
	"no_customer": "{{customer}} can't be filled in: the name is not known.",
	"no_branch": "{{branch}} can't be filled in: the conversation has no branch.",
	"no_opens": "{{opens}} can't be filled in: the branch is open, or never opens.",
	"once": "It answers each customer only once, and has.",
	"cooldown": "It answered this customer less than {minutes} minutes ago.",
	"person": "A person of ours wrote a moment ago.",
	"old": "The message came too late.",
	"lower": "Another rule goes first.",
}


@dataclass(frozen=True, slots=True)
class Rule:
	"""One automatic reply, in the DocType's own field names. Empty `device`, `branch`, `hours`: any."""

	name: str
	kind: str
	body: str
	keywords: Keywords = NO_KEYWORDS
	device: str = ""
	branch: str = ""
	priority: int = 0
	cooldown_minutes: int = 0
	is_once: bool = False
	wait_minutes: int = 0
	hours: Calendar | None = None

	@property
	def order(self) -> tuple[int, int, str]:
		"""The highest priority goes first."""
		return (-self.priority, KINDS.index(self.kind), self.name)


@dataclass(frozen=True, slots=True)
class Had:
	"""How often a rule has answered a customer, and when it last did."""

	count: int = 0
	last_ms: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
	"""A customer's message, or (with `waited_ms`) his or her wait, and all that rules ask about it."""

	now_ms: int
	calendar: Calendar  # the branch's, else the company's
	text: str = ""
	device: str = ""
	branch: str = ""
	customer: str = ""  # the name
	message_ms: int | None = None
	is_new: bool = False  # the first message of a new conversation
	is_anyone_here: bool = True
	since_ms: int | None = None  # the wait's start
	waited_ms: int | None = None  # business time of the wait; None: a message is to be answered
	person_ms: int | None = None  # when a person of ours last wrote in the conversation
	had: Mapping[str, Had] = field(default_factory=dict)  # by rule


@dataclass(frozen=True, slots=True)
class Verdict:
	"""A rule, and why it does not answer; without a reason it does."""

	rule: Rule
	reason: str = ""  # a key of REASONS
	minutes: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
	"""What is said, by which rule."""

	rule: Rule
	text: str


def rule_from_row(row: Mapping[str, Any], hours: Calendar | None) -> Rule:
	"""A rule from its stored values."""
	return Rule(
		str(row["name"]),
		row["kind"],
		row["body"] or "",
		Keywords(
			row["match_type"] or WHOLE_TERM,
			tuple(filter(None, (line.strip() for line in (row["terms"] or "").splitlines()))),
			(row["pattern"] or "").strip(),
		),
		row["device"] or "",
		row["branch"] or "",
		int(row["priority"] or 0),
		int(row["cooldown_minutes"] or 0),
		bool(row["is_once"]),
		int(row["wait_minutes"] or 0),
		hours,
	)


def is_usable(rule: Rule) -> bool:
	"""Whether it can be decided: another version of what reads patterns may know less."""
	if rule.kind not in KINDS:
		return False
	if rule.kind != KEYWORD or rule.keywords.match_type != REGEX:
		return True
	try:
		patterns.check(rule.keywords.pattern)
	except patterns.PatternError:
		return False
	return True


def explain(rules: Iterable[Rule], facts: Facts) -> list[Verdict]:
	"""Every rule in its order with its reason; the one without a reason, if any, answers."""
	verdicts: list[Verdict] = []
	is_chosen = False
	text = Text(facts.text)
	for rule in sorted(rules, key=lambda rule: rule.order):
		reason = _why_not(rule, facts, text)
		if not reason and is_chosen:
			reason = "lower"
		is_chosen |= not reason
		verdicts.append(Verdict(rule, reason, _minutes(rule, reason)))
	return verdicts


def unknown_blanks(body: str) -> list[str]:
	"""Names in braces that nobody fills in, each once."""
	named = (part.blank for part in quick_replies.parts(body) if part.blank)
	return list(dict.fromkeys(name for name in named if name.lower() not in BLANKS))


def filled(rule: Rule, facts: Facts) -> str:
	"""The reply with everything filled in; empty when something can't be."""
	values = {name: _value(name, rule, facts) for name in _blanks(rule)}
	if not all(values.values()):
		return ""
	return "".join(part.text or values[part.blank.lower()] for part in quick_replies.parts(rule.body))


class RuleBook:
	"""The enabled rules, indexed. Two books of the same rules are equal."""

	def __init__(self, rules: Iterable[Rule] = ()) -> None:
		self.rules = tuple(sorted(rules, key=lambda rule: rule.order))
		self._places = _by_place(self.rules)
		self._keywords = KeywordIndex(
			(place, rule.keywords) for place, rule in enumerate(self.rules) if rule.kind == KEYWORD
		)

	def __bool__(self) -> bool:
		return bool(self.rules)

	def __eq__(self, other: object) -> bool:
		return isinstance(other, RuleBook) and self.rules == other.rules

	def __hash__(self) -> int:
		return hash(self.rules)

	def has(self, kind: str) -> bool:
		"""Whether there is a rule of this kind."""
		return any(kind == known for known, _, _ in self._places)

	def candidates(self, facts: Facts) -> list[Rule]:
		"""Rules that answer as far as what they have had the customer told before allows."""
		fresh = replace(facts, had={}, person_ms=None)
		return [rule for rule in self._found(facts) if not _why_not(rule, fresh)]

	def decide(self, facts: Facts) -> Decision | None:
		"""The rule that answers and its text; None when none does."""
		chosen = next((rule for rule in self._found(facts) if not _why_not(rule, facts)), None)
		return Decision(chosen, filled(chosen, facts)) if chosen is not None else None

	def next_wait_ms(self, facts: Facts, after_ms: int) -> int | None:
		"""When, later than `after_ms`, the next rule about waiting comes due for a wait; None: never."""
		moments = []
		for place in self._of_kinds((WAITING_LONG,), facts):
			try:
				due = facts.calendar.due_ms(facts.since_ms or 0, self.rules[place].wait_minutes * MINUTE_MS)
			except CalendarError:
				continue  # no opening comes: nobody is waited for
			moments += [due] if due > after_ms else []
		return min(moments, default=None)

	def _found(self, facts: Facts) -> Iterator[Rule]:
		"""What can answer, in order: of each kind those for this place, and keywords that are in the text."""
		if facts.waited_ms is not None:
			places = self._of_kinds((WAITING_LONG,), facts)
		else:
			places = self._of_kinds(_kinds_now(facts), facts)
			places |= self._keywords.find(facts.text)
		return (self.rules[place] for place in sorted(places))

	def _of_kinds(self, kinds: Iterable[str], facts: Facts) -> set[int]:
		places: set[int] = set()
		for kind in kinds:
			for device in {facts.device, ""}:
				for branch in {facts.branch, ""}:
					places.update(self._places.get((kind, device, branch), ()))
		return places


def _kinds_now(facts: Facts) -> list[str]:
	"""The kinds other than keywords whose moment this is."""
	return [
		*([WELCOME] if facts.is_new else []),
		*([] if facts.calendar.is_open(facts.now_ms) else [OUT_OF_HOURS]),
		*([] if facts.is_anyone_here else [ALL_OFFLINE]),
	]


def _by_place(rules: Sequence[Rule]) -> dict[tuple[str, str, str], list[int]]:
	places: dict[tuple[str, str, str], list[int]] = {}
	for place, rule in enumerate(rules):
		places.setdefault((rule.kind, rule.device, rule.branch), []).append(place)
	return places


# -- conditions


def _why_not(rule: Rule, facts: Facts, text: Text | None = None) -> str:
	"""Why a rule does not answer, a key of REASONS; empty when it does. No text: its keywords are in it."""
	return (
		_of_place(rule, facts)
		or _of_cause(rule, facts, text)
		or _of_values(rule, facts)
		or _of_history(rule, facts)
	)


def _of_place(rule: Rule, facts: Facts) -> str:
	if rule.device and rule.device != facts.device:
		return "device"
	if rule.branch and rule.branch != facts.branch:
		return "branch"
	if rule.hours is not None and not rule.hours.is_open(facts.now_ms):
		return "inactive"
	return ""


def _of_cause(rule: Rule, facts: Facts, text: Text | None) -> str:
	if rule.kind == WAITING_LONG:
		waited = facts.waited_ms
		return "not_waited" if waited is None or waited < rule.wait_minutes * MINUTE_MS else ""
	if facts.waited_ms is not None:
		return "other_cause"
	if facts.message_ms is not None and facts.now_ms - facts.message_ms > MAX_AGE_MS:
		return "old"
	if rule.kind == KEYWORD:
		return "" if text is None or is_in(rule.keywords, text) else "no_match"
	if rule.kind == WELCOME:
		return "" if facts.is_new else "not_new"
	if rule.kind == OUT_OF_HOURS:
		return "open" if facts.calendar.is_open(facts.now_ms) else ""
	return "someone_here" if facts.is_anyone_here else ""


def _of_values(rule: Rule, facts: Facts) -> str:
	return next((f"no_{name}" for name in _blanks(rule) if not _value(name, rule, facts)), "")


def _of_history(rule: Rule, facts: Facts) -> str:
	had = facts.had.get(rule.name, Had())
	if rule.is_once and had.count:
		return "once"
	if had.count and facts.now_ms - had.last_ms < rule.cooldown_minutes * MINUTE_MS:
		return "cooldown"
	if rule.kind == WAITING_LONG and had.count and had.last_ms >= (facts.since_ms or 0):
		return "waited"
	if facts.person_ms is not None and facts.now_ms - facts.person_ms < PERSON_MS:
		return "person"
	return ""


def _minutes(rule: Rule, reason: str) -> int:
	return {"cooldown": rule.cooldown_minutes, "not_waited": rule.wait_minutes}.get(reason, 0)


def _blanks(rule: Rule) -> list[str]:
	return [part.blank.lower() for part in quick_replies.parts(rule.body) if part.blank]


def _value(name: str, rule: Rule, facts: Facts) -> str:
	if name == "opens":
		return opening_text(facts.calendar, facts.now_ms, rule.body)
	return {"customer": facts.customer, "branch": facts.branch}.get(name, "")
