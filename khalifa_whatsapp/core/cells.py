"""Cells of a spreadsheet: which texts one would run, and how to write them so that none does."""

from __future__ import annotations

import re

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
ALWAYS = ("\t", "\r")  # as the first character, whatever follows
GUARD = "\u200b"  # shows nothing, and what begins with it is no formula
# What a spreadsheet, or who writes one, may drop before it looks for a formula
SKIPPED = "".join(map(chr, range(33))) + '"\x7f\x85\xa0\u2028\u2029\u3000\ufeff'
NUMBER = re.compile(r"[+-]?[0-9][0-9., ]*")  # amounts below zero, phone numbers: nothing to run


def is_formula(text: str) -> bool:
	"""Whether a spreadsheet may take a cell with this text for a formula."""
	if text[:1].isalnum():
		return False  # nearly all of them, and at once
	bare = text.lstrip(SKIPPED)
	return text.startswith(ALWAYS) or (bare.startswith(FORMULA) and not NUMBER.fullmatch(bare))


def guarded(text: str) -> str:
	"""A text that reads the same and is no formula; idempotent."""
	return GUARD + text if is_formula(text) else text


def guarded_csv(text: str, delimiter: str = ",") -> str:
	"""The same file with its formulas guarded; all else stays as it was written, numbers and quotes too."""
	cell = re.compile(rf'"(?:[^"]|"")*"|[^"{re.escape(delimiter)}\r\n]+')
	return cell.sub(_guarded_cell, text)


def _guarded_cell(match: re.Match[str]) -> str:
	raw = match[0]
	if not raw.startswith('"'):
		return guarded(raw)
	return f'"{GUARD}{raw[1:]}' if is_formula(raw[1:-1].replace('""', '"')) else raw
