"""Texts of both directions in one line of a terminal: isolated from each other, and cut by cells, not by
letters.

Letters are never reordered here: a terminal that knows Arabic does it, and one that does not would be
confused twice.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from rich.cells import cell_len
from rich.text import Text

from khalifa_whatsapp.core.arabic import preview
from simulation.world import ZONE

FSI, PDI = "\u2068", "\u2069"


def isolate(text: str, cells: int = 40) -> str:
	"""A name or message as a piece of its own: what stands beside it keeps its place.

	At most `cells` wide.
	"""
	return f"{FSI}{clip(preview(text), cells)}{PDI}"


def cell(text: str, cells: int) -> Text:
	"""The same as a cell of a table: square brackets in it are just brackets."""
	return Text(isolate(text, cells))


def clip(text: str, cells: int) -> str:
	"""The beginning of a text that fits, with … when something was cut off."""
	if cell_len(text) <= cells:
		return text
	kept, used = [], 0
	for char in text:
		used += cell_len(char)
		if used > cells - 1:
			break
		kept.append(char)
	return "".join(kept).rstrip() + "…"


def minutes(seconds: float | None) -> str:
	"""A length of time as 4:05, or a dash."""
	if seconds is None:
		return "–"
	whole = round(seconds)
	return f"{whole // 60}:{whole % 60:02d}"


def clock(now_ms: int) -> str:
	"""The time on the company's wall."""
	return local(now_ms).strftime("%H:%M")


def local(now_ms: int) -> datetime:
	"""The company's local time."""
	return datetime.fromtimestamp(now_ms / 1000, ZoneInfo(ZONE))
