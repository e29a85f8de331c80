"""An agent's shift as a page announces it: the present stretch, or the next one."""

from __future__ import annotations

from dataclasses import dataclass

from khalifa_whatsapp.core.calendar import Calendar

MAX_PARTS = 4


@dataclass(frozen=True, slots=True)
class Shift:
	"""From when until when, in epoch milliseconds."""

	from_ms: int
	to_ms: int


def shift_at(calendar: Calendar | None, now_ms: int) -> Shift | None:
	"""The stretch of work that goes on now, else the next one; None where nothing begins or ends.

	Who has no shift hears of none, and neither does who works without an end.
	"""
	if calendar is None or calendar.is_wall_clock:
		return None
	stretch = calendar.open_stretch_ms(now_ms)
	return _whole(calendar, *stretch) if stretch is not None else None


def _whole(calendar: Calendar, from_ms: int, to_ms: int) -> Shift:
	"""A calendar may cut a stretch in two; round the clock it has no end within reason."""
	for _part in range(MAX_PARTS):
		before, after = calendar.is_open(from_ms - 1), calendar.is_open(to_ms)
		if not before and not after:
			break
		from_ms = (calendar.open_stretch_ms(from_ms - 1) or (from_ms,))[0] if before else from_ms
		to_ms = (calendar.open_stretch_ms(to_ms) or (0, to_ms))[1] if after else to_ms
	return Shift(from_ms, to_ms)
