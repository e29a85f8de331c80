"""Regular expressions that people write, matched in time that grows with the text alone (RE2).

They meet normalised text (`arabic.normalise`), so a pattern's own letters are folded the same way: who writes
أ or ة finds what the customer wrote as ا or ه. What RE2 knows for Latin letters only is refused when the rule
is saved, or it would never match and nobody would learn why.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import re2

from khalifa_whatsapp.core.arabic import normalise
from khalifa_whatsapp.core.errors import CodedError

MAX_PATTERN = 500  # characters
MAX_PROGRAM = 20_000  # steps of the compiled pattern: `(a{100}){10}` is short to write and long to run
MAX_MEMORY = 8 * 1024 * 1024  # bytes of one pattern's automaton
SET_MEMORY = 64 * 1024 * 1024  # bytes of all patterns' automaton together
MESSAGES = {
	"empty_pattern": "Write a regular expression.",
	"pattern_too_long": "The regular expression has {length} characters; at most {limit} are allowed.",
	"bad_pattern": "This is not a regular expression that can be used: {reason}.",
	"pattern_too_large": "The regular expression repeats too much. Use smaller numbers in braces.",
	"pattern_matches_all": "The regular expression matches an empty text, so it would answer every message.",
	"latin_only": "{sign} knows Latin letters only. Write [ا-ي] for an Arabic letter, or match whole words.",
}
_LATIN_ONLY = re.compile(r"(?<!\\)(?:\\\\)*(\\[bBwW])")
# What stands for something else than itself: escapes, the heads of groups, and blanks that `normalise` drops
_AS_WRITTEN = re.compile(
	r"\\(?:[pP]\{[^}]*\}|[pP].|x\{[^}]*\}|.)|\(\?P?<[^>]*>|\(\?[a-zA-Z-]*[:)]|\s", re.DOTALL
)


class PatternError(CodedError):
	"""A regular expression that can't be used."""

	messages = MESSAGES


def check(pattern: str) -> None:
	"""Raise `PatternError` unless rules may use this pattern."""
	if not pattern.strip():
		raise PatternError("empty_pattern", {})
	if len(pattern) > MAX_PATTERN:
		raise PatternError("pattern_too_long", {"length": len(pattern), "limit": MAX_PATTERN})
	if (sign := _LATIN_ONLY.search(pattern)) is not None:
		raise PatternError("latin_only", {"sign": sign[1]})
	if compiled(pattern).search("") is not None:
		raise PatternError("pattern_matches_all", {})


def compiled(pattern: str) -> re2._Regexp:
	"""The pattern for normalised text. Raises `PatternError`."""
	try:
		program = re2.compile(folded(pattern), _options(MAX_MEMORY))
	except re2.error as error:
		reason = _said(error)
		if "too large" in reason:
			raise PatternError("pattern_too_large", {}) from None
		raise PatternError("bad_pattern", {"reason": reason}) from None
	if program.programsize > MAX_PROGRAM:
		raise PatternError("pattern_too_large", {})
	return program


def folded(pattern: str) -> str:
	"""The pattern with its letters in the form that normalised text has."""
	pieces, place = [], 0
	for kept in _AS_WRITTEN.finditer(pattern):
		pieces += [*map(normalise, pattern[place : kept.start()]), kept[0]]
		place = kept.end()
	return "".join([*pieces, *map(normalise, pattern[place:])])


class PatternSet:
	"""Many patterns looked for in one pass over a text."""

	def __init__(self, patterns: Sequence[str]) -> None:
		self._singles = [compiled(pattern) for pattern in patterns]
		self._set = re2.Set.SearchSet(_options(SET_MEMORY))
		for pattern in patterns:
			self._set.Add(folded(pattern))
		# Matches always: when it is not among what was found, the automaton had no room and found nothing
		self._always = self._set.Add("")
		if patterns:
			self._set.Compile()

	def matching(self, text: str) -> list[int]:
		"""The places of the patterns that are found in a normalised text."""
		if not self._singles:
			return []
		places: list[int] = self._set.Match(text)
		if self._always not in places:
			return [place for place, program in enumerate(self._singles) if program.search(text)]
		return sorted(place for place in places if place != self._always)


def _options(max_memory: int) -> re2.Options:
	options = re2.Options()
	options.max_mem = max_memory
	options.log_errors = False
	options.never_capture = True
	return options


def _said(error: Exception) -> str:
	"""What RE2 says; its binding gives bytes."""
	said = error.args[0] if error.args else ""
	return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
