"""When a branch opens next, in words for a customer: in the language of the text that says it."""

from __future__ import annotations

import re
from datetime import date, datetime

from khalifa_whatsapp.core.calendar import DAY_NAMES, Calendar

ARABIC_DAYS = ("الإثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد")
_ARABIC_LETTER = re.compile("[\u0621-\u064a]")
WEEK = 7


def opening_text(calendar: Calendar, now_ms: int, text: str) -> str:
	"""The next opening as a customer reads it; empty when it is open now, or never opens.

	`text` is where it will stand: it says the language. Today is not named, tomorrow is called so, and a day
	a week away or more has its date.
	"""
	if calendar.is_open(now_ms):
		return ""
	opening = calendar.next_opening_ms(now_ms)
	if opening is None:
		return ""
	is_arabic = _ARABIC_LETTER.search(text) is not None
	at = datetime.fromtimestamp(opening // 1000, calendar.zone)
	day = _day(at.date(), calendar.local_date(now_ms), is_arabic)
	return " ".join(filter(None, (day, "الساعة" if is_arabic else "at", _hour(at, is_arabic))))


def _day(day: date, today: date, is_arabic: bool) -> str:
	away = (day - today).days
	if away == 0:
		return ""
	if away == 1:
		return "بكرة" if is_arabic else "tomorrow"
	name = (ARABIC_DAYS if is_arabic else DAY_NAMES)[day.weekday()]
	dated = f"{name} {day.day}/{day.month}" if away >= WEEK else name
	return f"{'يوم' if is_arabic else 'on'} {dated}"


def _hour(at: datetime, is_arabic: bool) -> str:
	half = ("صباحًا" if at.hour < 12 else "مساءً") if is_arabic else ("AM" if at.hour < 12 else "PM")
	return f"{at.hour % 12 or 12}:{at.minute:02d} {half}"
