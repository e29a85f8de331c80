"""What a person did that can't be done, in words that say how to mend it.

`text` is the English source string with `{name}` fields; a host translates it and then fills in `values`.
"""

from __future__ import annotations

from typing import Any


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
