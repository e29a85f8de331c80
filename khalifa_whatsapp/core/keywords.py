"""Words, parts of words and patterns in a customer's text, each asked for alone or all of them at once.

`KeywordIndex` finds what `is_in` would find one by one, at a cost that follows the text and what is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from khalifa_whatsapp.core import patterns
from khalifa_whatsapp.core.arabic import message_search_text, normalise

WHOLE_TERM, CONTAINS, REGEX = "Whole Word", "Contains", "Regular Expression"
PIECE = 3  # characters


@dataclass(frozen=True, slots=True)
class Keywords:
	"""What is looked for: any of the terms, or the pattern."""

	match_type: str = WHOLE_TERM
	terms: tuple[str, ...] = ()
	pattern: str = ""


NO_KEYWORDS = Keywords()


class Text:
	"""A message's text as it is compared, worked out when first asked for."""

	__slots__ = ("_normal", "_spaced", "_terms", "_written")

	def __init__(self, written: str) -> None:
		self._written = written
		self._normal: str | None = None
		self._terms: list[str] | None = None
		self._spaced = ""

	@property
	def normal(self) -> str:
		"""Normalised, as far as search reads it."""
		if self._normal is None:
			self._normal = message_search_text(self._written) or ""
		return self._normal

	@property
	def terms(self) -> list[str]:
		"""Its words in their order."""
		if self._terms is None:
			self._terms = terms_of(self.normal)
			self._spaced = f" {' '.join(self._terms)} "
		return self._terms

	def has_phrase(self, phrase: str) -> bool:
		"""Whether these words stand in it one after the other."""
		return bool(self.terms) and f" {phrase} " in self._spaced


def terms_of(normal: str) -> list[str]:
	"""The words of a normalised text; whatever is no letter and no digit stands between two."""
	return re.findall(r"\w+", normal)


def phrase_of(term: str) -> str:
	"""A term for whole words, in the form in which it is compared; empty when it has no word."""
	return " ".join(terms_of(normalise(term)))


def is_in(wanted: Keywords, text: Text) -> bool:
	"""Whether a text has what is looked for."""
	if wanted.match_type == REGEX:
		return bool(text.normal) and patterns.compiled(wanted.pattern).search(text.normal) is not None
	if wanted.match_type == CONTAINS:
		return any(part in text.normal for part in filter(None, map(normalise, wanted.terms)))
	return any(text.has_phrase(phrase) for phrase in filter(None, map(phrase_of, wanted.terms)))


class KeywordIndex:
	"""Keywords of many, each with its number."""

	def __init__(self, numbered: Iterable[tuple[int, Keywords]]) -> None:
		rows = list(numbered)
		self._is_empty = not rows
		self._phrases: dict[str, list[tuple[str, int]]] = {}  # by their longest word
		self._parts: dict[str, list[tuple[str, int]]] = {}  # by the piece that the fewest others have
		for number, wanted in rows:
			self._add_terms(number, wanted)
		self._sizes = sorted({len(piece) for piece in self._parts})
		regexes = [(number, wanted.pattern) for number, wanted in rows if wanted.match_type == REGEX]
		self._numbers = [number for number, _ in regexes]
		self._patterns = patterns.PatternSet([pattern for _, pattern in regexes])

	def _add_terms(self, number: int, wanted: Keywords) -> None:
		if wanted.match_type == WHOLE_TERM:
			for phrase in filter(None, map(phrase_of, wanted.terms)):
				self._phrases.setdefault(max(phrase.split(), key=len), []).append((phrase, number))
		elif wanted.match_type == CONTAINS:
			for part in filter(None, map(normalise, wanted.terms)):
				piece = min(_pieces(part, PIECE), key=lambda one: len(self._parts.get(one, ())))
				self._parts.setdefault(piece, []).append((part, number))

	def find(self, written: str) -> set[int]:
		"""The numbers of those that are in a text."""
		if self._is_empty or not written:
			return set()
		text = Text(written)
		by_pattern = (self._numbers[place] for place in self._patterns.matching(text.normal))
		return {*self._of_phrases(text), *self._of_parts(text), *by_pattern}

	def _of_phrases(self, text: Text) -> Iterator[int]:
		for term in self._phrases.keys() & set(text.terms) if self._phrases else ():
			for phrase, number in self._phrases[term]:
				if phrase == term or text.has_phrase(phrase):
					yield number

	def _of_parts(self, text: Text) -> Iterator[int]:
		for size in self._sizes:
			for piece in self._parts.keys() & set(_pieces(text.normal, size)):
				for part, number in self._parts[piece]:
					if part in text.normal:
						yield number


def _pieces(text: str, size: int) -> list[str]:
	"""All runs of `size` characters; a shorter text is one."""
	return [text[start : start + size] for start in range(max(len(text) - size, 0) + 1)]
