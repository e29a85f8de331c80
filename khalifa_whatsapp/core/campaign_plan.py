"""How fast a campaign may go, how long it takes and what it costs, said before it starts.

What limits it are its own fields, the device's pace, the new chats and equal texts that a device may have in
a day, and how many customers Meta lets a business write to in 24 hours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.campaign_stops import Reason
from khalifa_whatsapp.core.pacing import DAY_MINUTES, MINUTE_MS, Pace, day_start_ms, minute_of
from khalifa_whatsapp.core.records import Campaign

USUAL_PER_MINUTE = 300  # what one sender hands over to a quick gateway when nothing limits it
MINUTES_AHEAD = 3  # so much is queued before it may go, that a late minute job costs nothing
MIN_AHEAD, MAX_AHEAD = 20, 600
MAX_DAYS = 3650
_TIER = re.compile(r"(\d+)\s*(K|M)?", re.IGNORECASE)
_THOUSANDS = {"": 1, "K": 1_000, "M": 1_000_000}

# What decides how long a campaign takes, for people
LIMITS = {
	"campaign_day": "The campaign's own limit of {count} messages a day.",
	"campaign_minute": "The campaign's own limit of {count} messages a minute.",
	"device_day": "The device's limit of {count} messages a day.",
	"device_hour": "The device's limit of {count} messages an hour.",
	"device_minute": "The device's limit of {count} messages a minute.",
	"device_gap": "The pauses between two messages of the device.",
	"new_chats": "The device's limit of {count} new chats a day.",
	"equal_texts": "The device's limit of {count} equal texts a day. Put the customer's name into the text.",
	"portfolio": "Meta's limit of {count} customers in 24 hours.",
	"speed": "How fast the gateway takes messages.",
}


@dataclass(frozen=True, slots=True)
class Audience:
	"""How many recipients a plan has, how many of them never wrote to the device,
	and how many get the commonest text.
	"""

	count: int
	new_chats: int = 0
	equal_texts: int = 0


@dataclass(frozen=True, slots=True)
class Estimate:
	"""How long it takes: on how many days, until when, limited by what (a key of `LIMITS`) of which size."""

	days: int = 0
	end_ms: int | None = None
	limited_by: str = ""
	limit: int = 0

	@property
	def reason(self) -> Reason | None:
		"""What limits it, in words."""
		return Reason(LIMITS[self.limited_by], {"count": self.limit}) if self.limited_by else None


def pace_of(campaign: Campaign) -> Pace:
	"""A campaign's own limits, as those of a device; what can't be read limits nothing."""
	return Pace(
		max_per_minute=campaign.per_minute,
		max_per_day=campaign.daily_cap,
		quiet_from_minute=_minute(campaign.quiet_from),
		quiet_to_minute=_minute(campaign.quiet_to),
	)


def _minute(text: str) -> int | None:
	try:
		return minute_of(text)
	except ValueError:  # the form refuses it; an import may have let it in
		return None


def portfolio_limit(said: str | None) -> int | None:
	"""Customers that Meta lets a business write to in 24 hours («TIER_2K»); None: no limit, or not known."""
	match = _TIER.search(said or "")
	return int(match[1]) * _THOUSANDS[(match[2] or "").upper()] if match else None


def ahead(device: Pace, own: Pace) -> int:
	"""How many messages may wait in the outbox, so that the sender always finds one and no more."""
	rate = min((limit for limit in _minute_limits(device, own).values()), default=MAX_AHEAD)
	return max(MIN_AHEAD, min(round(rate * MINUTES_AHEAD), MAX_AHEAD))


def _minute_limits(device: Pace, own: Pace) -> dict[str, float]:
	gap = (device.min_gap_seconds + max(device.min_gap_seconds, device.max_gap_seconds)) / 2
	limits: dict[str, float] = {
		"campaign_minute": own.max_per_minute,
		"device_minute": device.max_per_minute,
		"device_gap": 60 / gap if gap else 0,
	}
	return {name: limit for name, limit in limits.items() if limit}


def estimate(
	audience: Audience, device: Pace, own: Pace, portfolio: int | None, start_ms: int, calendar: Calendar
) -> Estimate:
	"""How long it takes from `start_ms` on, when nothing fails and nobody else uses the device."""
	if audience.count <= 0:
		return Estimate(0, start_ms)
	open_minutes = _open_minutes(device, own)
	rates = _minute_limits(device, own) | {"speed": USUAL_PER_MINUTE}
	rates |= {"device_hour": device.max_per_hour / 60} if device.max_per_hour else {}
	slowest = min(rates, key=lambda name: rates[name])
	full = _capacity(audience, device, own, portfolio) | {slowest: rates[slowest] * sum(open_minutes)}
	tightest = min(full, key=lambda name: full[name])
	per_day = max(int(full[tightest]), 1)
	left_today = sum(open_minutes[_minute_of_day(start_ms, calendar) :])
	today = min(int(min(full.values())), int(rates[slowest] * left_today))
	days, rest = _days(audience.count, today, per_day)
	if days > MAX_DAYS:
		days, rest = MAX_DAYS, per_day
	end_ms = _end_ms(start_ms, days, rest, rates[slowest], open_minutes, calendar)
	by = tightest if days > 1 else slowest
	return Estimate(days, end_ms, by, _size_of(by, device, own, portfolio))


def _capacity(audience: Audience, device: Pace, own: Pace, portfolio: int | None) -> dict[str, float]:
	"""How many recipients a day is enough for, by each limit of a day."""
	limits: dict[str, float] = {}
	if own.max_per_day:
		limits["campaign_day"] = own.max_per_day
	if device.max_per_day:
		limits["device_day"] = device.max_per_day
	if portfolio:
		limits["portfolio"] = portfolio
	# a part of the recipients is limited: the whole takes as long as that part does
	for name, cap, part in (
		("new_chats", device.max_new_chats_per_day, audience.new_chats),
		("equal_texts", device.max_identical_per_day, audience.equal_texts),
	):
		if cap and part > cap:
			limits[name] = cap * audience.count / part
	return limits


def _size_of(name: str, device: Pace, own: Pace, portfolio: int | None) -> int:
	return {
		"campaign_day": own.max_per_day,
		"campaign_minute": own.max_per_minute,
		"device_day": device.max_per_day,
		"device_hour": device.max_per_hour,
		"device_minute": device.max_per_minute,
		"new_chats": device.max_new_chats_per_day,
		"equal_texts": device.max_identical_per_day,
		"portfolio": portfolio or 0,
	}.get(name, 0)


def _open_minutes(*paces: Pace) -> list[int]:
	"""1 for each minute of a day in which something may go."""
	return [int(not any(_is_quiet(pace, minute) for pace in paces)) for minute in range(DAY_MINUTES)]


def _is_quiet(pace: Pace, minute: int) -> bool:
	start, end = pace.quiet_from_minute, pace.quiet_to_minute
	if start is None or end is None or start == end:
		return False
	return (minute - start) % DAY_MINUTES < (end - start) % DAY_MINUTES


def _minute_of_day(at_ms: int, calendar: Calendar) -> int:
	local = datetime.fromtimestamp(at_ms / 1000, calendar.zone)
	return local.hour * 60 + local.minute


def _days(count: int, today: int, per_day: int) -> tuple[int, int]:
	"""On how many local days, and how many go on the last of them."""
	if count <= today:
		return 1, count
	rest = count - today
	more = -(-rest // per_day)
	return 1 + more, rest - (more - 1) * per_day


def _end_ms(
	start_ms: int, days: int, rest: int, rate: float, open_minutes: list[int], calendar: Calendar
) -> int:
	"""When the last one goes: after so many open minutes of the last day."""
	first = _minute_of_day(start_ms, calendar) if days == 1 else 0
	wanted = rest / rate
	minute = first
	while minute < DAY_MINUTES - 1 and wanted > open_minutes[minute]:
		wanted -= open_minutes[minute]
		minute += 1
	day = calendar.local_date(day_start_ms(start_ms, calendar)) + timedelta(days=days - 1)
	return max(start_ms, calendar.day_bounds_ms(day)[0] + (minute + 1) * MINUTE_MS)


@dataclass(frozen=True, slots=True)
class Room:
	"""What a campaign has used of its limits: messages that wait, those of today,
	and customers of the last 24 hours on the device.
	"""

	waiting: int = 0
	today: int = 0
	customers: int = 0


def allowance(device: Pace, own: Pace, portfolio: int | None, room: Room) -> int:
	"""How many more recipients may be queued now: never more than may go soon, and none beyond a limit."""
	bounds = [ahead(device, own) - room.waiting]
	if own.max_per_day:
		bounds.append(own.max_per_day - room.today - room.waiting)
	if portfolio:
		bounds.append(portfolio - room.customers - room.waiting)
	return max(min(bounds), 0)


@dataclass(frozen=True, slots=True)
class Gateway:
	"""What a plan must know of the device's gateway."""

	is_official: bool
	pace: Pace = field(default_factory=Pace)


def warnings(campaign: Campaign, audience: Audience, gateway: Gateway) -> list[Reason]:
	"""What a manager should know before starting."""
	said = []
	if not gateway.is_official and audience.count:
		said.append(
			Reason(
				"This gateway is not WhatsApp's own interface: numbers that write to many customers "
				"get blocked. Use a template on the Cloud API where you can."
			)
		)
		if audience.new_chats and not gateway.pace.max_new_chats_per_day:
			said.append(
				Reason(
					"{count} recipients never wrote to this number, and the device has no limit of new chats "
					"a day. Set one.",
					{"count": audience.new_chats},
				)
			)
	if audience.new_chats and gateway.pace.max_new_chats_per_day:
		said.append(
			Reason(
				"{count} recipients never wrote to this number; the device begins {limit} new chats a day.",
				{"count": audience.new_chats, "limit": gateway.pace.max_new_chats_per_day},
			)
		)
	if not campaign.is_promotion:
		said.append(Reason("It goes to customers who have stopped promotions, too: it is not marked as one."))
	return said


def cost_of(count: int, price: float) -> float:
	"""What so many messages cost, in the price's currency."""
	return round(count * price, 2)
