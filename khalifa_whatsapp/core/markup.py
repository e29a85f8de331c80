"""Texts of many lines that Desk shows as HTML, though people wrote them as they write letters."""

from __future__ import annotations

_LOOKALIKES = str.maketrans("<>", "‹›")


def without_tags(text: str) -> str:
	"""The same text to the eye, and no markup; idempotent. Names and single lines: see `arabic.safe_name`."""
	return text.translate(_LOOKALIKES)
