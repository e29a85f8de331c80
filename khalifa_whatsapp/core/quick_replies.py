"""Quick replies: texts with blanks such as {customer}, which the inbox fills in.

A blank is a word, or a few, in braces; one brace or two, because templates of WhatsApp write `{{1}}`.
Everything else in braces is text and goes out as it stands. A blank that nobody can fill in must not go out
as it was written: it is refused when the text is saved, and asked for when an older text is used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

KNOWN = ("customer", "agent", "branch", "ticket")
_BLANK = re.compile(r"\{{1,2}\s*(\w[\w .\-]{0,58}\w|\w)\s*\}{1,2}")


@dataclass(frozen=True, slots=True)
class Part:
	"""A piece of a quick reply: a text, or the name of what must be filled in."""

	text: str = ""
	blank: str = ""

	@property
	def is_known(self) -> bool:
		"""Whether the inbox knows what to fill in here."""
		return self.blank in KNOWN


def parts(body: str) -> list[Part]:
	"""The text taken apart, in its order."""
	pieces: list[Part] = []
	place = 0
	for blank in _BLANK.finditer(body):
		pieces += [Part(text=body[place : blank.start()])] if blank.start() > place else []
		pieces.append(Part(blank=_name(blank[1])))
		place = blank.end()
	return pieces + ([Part(text=body[place:])] if place < len(body) else [])


def unknown(body: str) -> list[str]:
	"""Names in braces that nobody fills in, each once."""
	return list(dict.fromkeys(part.blank for part in parts(body) if part.blank and not part.is_known))


def _name(written: str) -> str:
	"""The known names are known in capitals too."""
	return written.lower() if written.lower() in KNOWN else written
