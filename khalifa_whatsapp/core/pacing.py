"""When may a device send its next message? A number that writes faster than a person could gets blocked.

Everything is worked out from what the device has sent according to the database, so that no restart and no
lost cache lets a burst through. All instants are epoch milliseconds; days are those of the company's clock.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from khalifa_whatsapp.core.calendar import Calendar

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
REPLY, AUTO, CAMPAIGN = 0, 1, 2  # priorities
DAY_MINUTES = 24 * 60
_TIME = re.compile(r"(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])(:[0-5][0-9])?", re.ASCII)
RATIO_RECHECK_MS = 5 * MINUTE_MS  # how soon a campaign asks again whether there are replies enough


@dataclass(frozen=True, slots=True)
class Pace:
	"""The limits of one device, as its fields have them. 0 (and None) means no limit."""

	min_gap_seconds: float = 0
	max_gap_seconds: float = 0
	max_per_minute: int = 0
	max_per_hour: int = 0
	max_per_day: int = 0
	max_new_chats_per_day: int = 0
	max_identical_per_day: int = 0
	min_reply_percent: int = 0
	quiet_from_minute: int | None = None  # of the local day
	quiet_to_minute: int | None = None
	is_quiet_for_replies: bool = False

	@property
	def is_free(self) -> bool:
		"""Whether nothing limits the device at all."""
		return self == Pace(is_quiet_for_replies=self.is_quiet_for_replies)


@dataclass(frozen=True, slots=True)
class Traffic:
	"""What a device has handed over so far; a doubtful attempt counts like a sure one."""

	last_ms: int | None = None
	minute_edge_ms: int | None = (
		None  # the latest send but `max_per_minute` - 1: one more minute must not hold both
	)
	hour_edge_ms: int | None = None
	today: int = 0
	replies_today: int = 0
	new_chats_today: int = 0
	equal_today: Mapping[str, int] = field(default_factory=dict)  # by text key


@dataclass(frozen=True, slots=True)
class Candidate:
	"""What pacing must know of a message."""

	priority: int = REPLY
	is_new_chat: bool = False
	text_key: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
	"""The first instant at which a message may go, and the limit that decided (empty: none)."""

	at_ms: int
	limit: str = ""


def next_slot(pace: Pace, traffic: Traffic, message: Candidate, now_ms: int, calendar: Calendar) -> Slot:
	"""The first instant, not before `now_ms`, at which every limit allows the message,
	as far as is known now.
	"""
	if pace.is_free:
		return Slot(now_ms)
	slot = Slot(now_ms)
	for limit, at_ms in _bounds(pace, traffic, message, now_ms, calendar):
		if at_ms > slot.at_ms:
			slot = Slot(at_ms, limit)
	quiet_until = _quiet_until(pace, message, slot.at_ms, calendar)
	return Slot(quiet_until, "quiet") if quiet_until > slot.at_ms else slot


def gap_ms(pace: Pace, last_ms: int) -> int:
	"""The pause after the send at `last_ms`: drawn between the two gaps, always the same for the same send.

	It is derived and not drawn anew, so that asking often does not find the shortest of many draws.
	"""
	longest = max(pace.min_gap_seconds, pace.max_gap_seconds)
	seed = hashlib.blake2b(str(last_ms).encode(), digest_size=8).digest()
	share = int.from_bytes(seed, "big") / 2**64
	return round(1000 * (pace.min_gap_seconds + share * (longest - pace.min_gap_seconds)))


def minute_of(time_of_day: str | None) -> int | None:
	"""The minute of the day that «23:00» means; None for nothing. ValueError for anything else."""
	text = (time_of_day or "").strip()
	if not text:
		return None
	match = _TIME.fullmatch(text)
	if match is None:
		raise ValueError(text)
	return int(match["hour"]) * 60 + int(match["minute"])


def day_start_ms(now_ms: int, calendar: Calendar) -> int:
	"""When the company's day began."""
	return calendar.day_bounds_ms(calendar.local_date(now_ms))[0]


def _bounds(
	pace: Pace, traffic: Traffic, message: Candidate, now_ms: int, calendar: Calendar
) -> list[tuple[str, int]]:
	tomorrow = calendar.day_bounds_ms(calendar.local_date(now_ms))[1]
	bounds = []
	if traffic.last_ms is not None:
		bounds.append(("gap", traffic.last_ms + gap_ms(pace, traffic.last_ms)))
	if pace.max_per_minute and traffic.minute_edge_ms is not None:
		bounds.append(("minute", traffic.minute_edge_ms + MINUTE_MS))
	if pace.max_per_hour and traffic.hour_edge_ms is not None:
		bounds.append(("hour", traffic.hour_edge_ms + HOUR_MS))
	if pace.max_per_day and traffic.today >= pace.max_per_day:
		bounds.append(("day", tomorrow))
	bounds.extend(_cold_bounds(pace, traffic, message, now_ms, tomorrow))
	return bounds


def _cold_bounds(
	pace: Pace, traffic: Traffic, message: Candidate, now_ms: int, tomorrow: int
) -> list[tuple[str, int]]:
	"""What only concerns messages that no customer has asked for, and chats that we begin."""
	bounds = []
	if (
		pace.max_new_chats_per_day
		and message.is_new_chat
		and traffic.new_chats_today >= pace.max_new_chats_per_day
	):
		bounds.append(("new_chats", tomorrow))
	if message.priority == REPLY:
		return bounds
	same = traffic.equal_today.get(message.text_key, 0) if message.text_key else 0
	if pace.max_identical_per_day and same >= pace.max_identical_per_day:
		bounds.append(("equal_texts", tomorrow))
	if message.priority == CAMPAIGN and traffic.replies_today * 100 < pace.min_reply_percent * traffic.today:
		bounds.append(("reply_share", min(now_ms + RATIO_RECHECK_MS, tomorrow)))
	return bounds


def _quiet_until(pace: Pace, message: Candidate, at_ms: int, calendar: Calendar) -> int:
	"""The end of the quiet hours that the instant lies in; the instant itself when it lies in none."""
	start, end = pace.quiet_from_minute, pace.quiet_to_minute
	if start is None or end is None or start == end:
		return at_ms
	if message.priority == REPLY and not pace.is_quiet_for_replies:
		return at_ms
	local = datetime.fromtimestamp(at_ms / 1000, calendar.zone)
	minute = local.hour * 60 + local.minute
	if (minute - start) % DAY_MINUTES >= (end - start) % DAY_MINUTES:
		return at_ms
	day = local.date() + timedelta(days=int(minute >= end))
	until = datetime(day.year, day.month, day.day, end // 60, end % 60, tzinfo=calendar.zone)
	return max(at_ms, _ms(until))


def _ms(moment: datetime) -> int:
	return round(moment.timestamp() * 1000)
