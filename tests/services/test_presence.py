"""Who is there, and why not: set by oneself, by a manager, by silence, by the end of the shift."""

from __future__ import annotations

from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.calendar import Calendar, Interval
from khalifa_whatsapp.core.settings import HOUR_MS, MINUTE_MS
from khalifa_whatsapp.services.tickets import presence
from khalifa_whatsapp.services.tickets.presence import Presence
from tests.services.harness import MANAGER, Desk

MINE = Actor("A0@example.com", "Agent A0", "A0")


def standing(desk: Desk) -> Presence:
	found = presence.heartbeat(desk.store, "A0", desk.now)
	assert found is not None
	return found


def told(desk: Desk) -> list[str | None]:
	"""To whom a change was told since we asked last."""
	found = [notice.user for notice in desk.notices if notice.event == presence.EVENT]
	desk.notices.clear()
	return found


def test_a_heartbeat_tells_who_set_an_agent_offline():
	desk = Desk(agents=1)
	desk.online()
	assert (standing(desk).presence, standing(desk).cause) == (r.ONLINE, "")
	told(desk)
	presence.set_presence(desk.store, MANAGER, "A0", r.OFFLINE, desk.now)
	assert standing(desk) == Presence(r.OFFLINE, desk.now, r.BY_MANAGER, MANAGER.full_name or "")
	assert told(desk) == ["A0@example.com"]
	presence.set_presence(desk.store, MINE, "A0", r.AWAY, desk.now + 1)
	assert standing(desk) == Presence(r.AWAY, desk.now + 1, r.BY_AGENT, "")


def test_a_manager_who_sets_the_own_presence_is_an_agent():
	desk = Desk(agents=1)
	both = Actor("A0@example.com", "Agent A0", "A0", is_manager=True)
	presence.set_presence(desk.store, both, "A0", r.AWAY, desk.now)
	assert (standing(desk).cause, standing(desk).set_by) == (r.BY_AGENT, "")


def test_silence_is_told_as_silence():
	desk = Desk(agents=1)
	desk.online()
	told(desk)
	desk.now += 11 * MINUTE_MS
	presence.sweep(desk.store, desk.now)
	assert standing(desk) == Presence(r.OFFLINE, desk.now, r.SILENT, "")
	assert told(desk) == ["A0@example.com"]


def test_of_a_presence_of_before_causes_were_kept_none_is_told():
	desk = Desk(agents=1)
	desk.online()
	presence.set_presence(desk.store, MANAGER, "A0", r.OFFLINE, desk.now)
	desk.store.run("UPDATE `tabKhalifa Presence Log` SET cause = NULL, set_by_name = NULL")
	assert standing(desk) == Presence(r.OFFLINE, desk.now, "", "")


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

	presence.set_presence(desk.store, MINE, "A0", r.ONLINE, noon)
	assert minute(4.9) == r.ONLINE
	assert minute(5.1) == r.OFFLINE
	assert standing(desk).cause == r.SHIFT_OVER
	presence.set_presence(desk.store, MINE, "A0", r.ONLINE, round(noon + 6 * HOUR_MS))
	assert minute(7) == r.ONLINE, "the click back was meant"
	assert minute(24) == r.ONLINE, "the next day's shift"
	assert minute(29.1) == r.OFFLINE
