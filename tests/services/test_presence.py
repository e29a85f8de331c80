"""Who is there, and why not: set by oneself, by a manager, by silence, by the end of the shift."""

from __future__ import annotations

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.calendar import Calendar, Interval
from khalifa_whatsapp.core.settings import HOUR_MS, MINUTE_MS
from khalifa_whatsapp.services.tickets import presence
from khalifa_whatsapp.services.tickets.presence import Presence
from tests.services.harness import MANAGER, Desk

MINE = Actor("A0@example.com", "Agent A0", "A0")


def standing(desk: Desk) -> Presence:
	answer = presence.heartbeat(desk.store, "A0", desk.now)
	assert answer is not None
	return answer


def notified(desk: Desk) -> list[str | None]:
	"""To whom a change was told since we asked last."""
	users = [notice.user for notice in desk.notices if notice.event == presence.EVENT]
	desk.notices.clear()
	return users


def test_a_heartbeat_shows_who_set_an_agent_offline():
	desk = Desk(agents=1)
	desk.online()
	assert (standing(desk).presence, standing(desk).cause) == (records.ONLINE, "")
	notified(desk)
	presence.set_presence(desk.store, MANAGER, "A0", records.OFFLINE, desk.now)
	assert standing(desk) == Presence(records.OFFLINE, desk.now, records.BY_MANAGER, MANAGER.full_name or "")
	assert notified(desk) == ["A0@example.com"]
	presence.set_presence(desk.store, MINE, "A0", records.AWAY, desk.now + 1)
	assert standing(desk) == Presence(records.AWAY, desk.now + 1, records.BY_AGENT, "")


def test_a_manager_who_sets_the_own_presence_is_an_agent():
	desk = Desk(agents=1)
	both = Actor("A0@example.com", "Agent A0", "A0", is_manager=True)
	presence.set_presence(desk.store, both, "A0", records.AWAY, desk.now)
	assert (standing(desk).cause, standing(desk).set_by) == (records.BY_AGENT, "")


def test_silence_is_reported_as_silence():
	desk = Desk(agents=1)
	desk.online()
	notified(desk)
	desk.now += 11 * MINUTE_MS
	presence.sweep(desk.store, desk.now)
	assert standing(desk) == Presence(records.OFFLINE, desk.now, records.SILENT, "")
	assert notified(desk) == ["A0@example.com"]


def test_of_a_presence_of_before_causes_were_kept_none_is_reported():
	desk = Desk(agents=1)
	desk.online()
	presence.set_presence(desk.store, MANAGER, "A0", records.OFFLINE, desk.now)
	desk.store.run("UPDATE `tabKhalifa Presence Log` SET cause = NULL, set_by_name = NULL")
	assert standing(desk) == Presence(records.OFFLINE, desk.now, "", "")


def test_an_agent_who_is_no_more_stands_nowhere():
	assert presence.heartbeat(Desk(agents=1).store, "A9", 0) is None


def test_the_end_of_the_shift_sends_home_but_not_who_comes_back_after_it(monkeypatch):
	nine_to_five = Calendar("UTC", tuple(Interval(day, 9 * 60, 17 * 60) for day in range(7)))
	desk = Desk(agents=1)
	monkeypatch.setattr(type(desk.store), "agents_in_shift", lambda self: {"A0": nine_to_five})
	noon = nine_to_five.day_bounds_ms(nine_to_five.local_date(desk.now))[0] + 12 * HOUR_MS

	def minute(hours: float) -> str:
		"""What a minute at this time makes of the agent, whose page is open."""
		now = round(noon + hours * HOUR_MS)
		presence.heartbeat(desk.store, "A0", now)
		presence.sweep(desk.store, now)
		return standing(desk).presence

	presence.set_presence(desk.store, MINE, "A0", records.ONLINE, noon)
	assert minute(4.9) == records.ONLINE
	assert minute(5.1) == records.OFFLINE
	assert standing(desk).cause == records.SHIFT_OVER
	presence.set_presence(desk.store, MINE, "A0", records.ONLINE, round(noon + 6 * HOUR_MS))
	assert minute(7) == records.ONLINE, "the click back was meant"
	assert minute(24) == records.ONLINE, "the next day's shift"
	assert minute(29.1) == records.OFFLINE
