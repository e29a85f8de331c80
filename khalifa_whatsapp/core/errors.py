"""What a person did that can't be done, in words that say how to mend it; and what may be said of any other
error.

`text` is the English source string with `{name}` fields; a host translates it and then fills in `values`.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath
from types import CodeType
from typing import Any, ClassVar

PACKAGE = __name__.partition(".")[0]
MAX_CODE = 9_999  # databases and systems number their errors below; a phone is no such number


class UserError(ValueError):
	"""A refusal. `code` is stable and for machines, `text` and `values` for people."""

	def __init__(self, code: str, text: str, /, **values: Any) -> None:
		super().__init__(text.format(**values) if values else text)
		self.code = code
		self.text = text
		self.values = values


class NotAllowed(UserError):
	"""The caller's role, or the ticket's owner, forbids it."""


class NotFound(UserError):
	"""There is no such row, or the caller may not know that there is."""


class Changed(UserError):
	"""Somebody else was faster: look again, then decide."""


class CodedError(ValueError):
	"""A value that a rule can't work with.

	`code` is a key of `messages` and `values` fills it in, so that a translated template can be used instead.
	"""

	messages: ClassVar[dict[str, str]]

	def __init__(self, code: str, values: dict[str, object]) -> None:
		super().__init__(code, values)
		self.code = code
		self.values = values

	def __str__(self) -> str:
		return self.messages[self.code].format(**self.values)


def describe(error: BaseException) -> str:
	"""What kind of error it was and where, never its text: that may hold a customer's words, a row or a
	secret.

	The place is the last line of ours that was at work. A database's or a system's number for the error is
	kept.
	"""
	frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
	ours = [(code, line) for code, line in frames if PACKAGE in PurePath(code.co_filename).parts]
	kind = " ".join([type(error).__name__, *_number_of(error)])
	return " at ".join([kind, *(_place(code, line) for code, line in (ours or frames)[-1:])])


def _number_of(error: BaseException) -> list[str]:
	"""What pymysql's errors and OSError have first among their arguments."""
	first = error.args[0] if error.args else None
	return [str(first)] if type(first) is int and 0 < first <= MAX_CODE else []


def _place(code: CodeType, line: int) -> str:
	return f"{'/'.join(PurePath(code.co_filename).parts[-2:])}:{line} {code.co_name}"
