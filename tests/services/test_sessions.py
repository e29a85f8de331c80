"""A watched session of a simulated gateway: brought back when it dies,
and a person called when that does not help.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from khalifa_whatsapp.core import watchdog
from khalifa_whatsapp.core.settings import Settings
from khalifa_whatsapp.drivers.wppconnect import WppConnectDriver
from khalifa_whatsapp.services.sessions import ALERTS, NOT_BACK, Watched, note, watch
from simulation.simulators import WppConnectSimulator

START_MS = 1_795_160_400_000
MINUTE = 60_000
SETTINGS = Settings(restarts_per_hour=3)


class Minutes:
	"""The minute job of one device: it keeps the memory and writes down the alerts."""

	def __init__(self, wpp: WppConnectSimulator, driver: WppConnectDriver) -> None:
		self.wpp, self.driver = wpp, driver
		self.memory = watchdog.Watch()
		self.alerts: list[str] = []
		self.now_ms = START_MS

	def go(self, minutes: int = 1) -> Watched:
		for _ in range(minutes):
			self.now_ms += MINUTE
			watched = watch(self.driver, self.memory, SETTINGS, self.now_ms)
			self.memory = watched.memory
			self.alerts += [watched.alert] if watched.alert else []
		return watched

	def calls(self) -> list[tuple[str, int]]:
		"""What the gateway was told, and in which minute."""
		return [(route, (at_ms - START_MS) // MINUTE) for route, at_ms in self.wpp.session.calls]


@pytest.fixture
def minutes() -> Iterator[Minutes]:
	moments: list[Minutes] = []
	with WppConnectSimulator(lambda: moments[0].now_ms if moments else START_MS) as wpp:
		moments.append(Minutes(wpp, WppConnectDriver(wpp.config(connect_timeout=0.3))))
		yield moments[0]


def test_a_session_that_lives_is_left_alone(minutes: Minutes) -> None:
	assert minutes.go(10).action == watchdog.NOTHING
	assert minutes.calls() == []
	assert minutes.memory.state == watchdog.CONNECTED


def test_a_dead_session_is_closed_waited_for_and_started(minutes: Minutes) -> None:
	minutes.go()
	minutes.wpp.session.is_hung = True
	assert [minutes.go().action for _ in range(3)] == [watchdog.CHECK, watchdog.RESTART, watchdog.START]
	assert minutes.calls() == [("close", 3), ("start", 4)]
	assert minutes.go().seen is not None
	assert minutes.memory.state == watchdog.CONNECTED
	assert minutes.memory.restarts == 1
	assert minutes.alerts == []


def test_the_start_waits_until_the_browser_is_gone(minutes: Minutes) -> None:
	minutes.go()
	minutes.wpp.session.is_hung = True
	minutes.go(2)
	closed_ms = minutes.now_ms
	for wait_ms, action in (
		(0, watchdog.NOTHING),
		(watchdog.CLOSE_WAIT_MS - 1, watchdog.NOTHING),
		(watchdog.CLOSE_WAIT_MS, watchdog.START),
	):
		assert watch(minutes.driver, minutes.memory, SETTINGS, closed_ms + wait_ms).action == action


def test_one_bad_check_is_no_death(minutes: Minutes) -> None:
	minutes.go()
	for _ in range(5):
		minutes.wpp.session.is_hung = True
		minutes.go()
		minutes.wpp.session.is_hung = False
		minutes.go()
	assert minutes.calls() == []


def test_restarts_are_capped_and_a_person_is_called_once(minutes: Minutes) -> None:
	minutes.go()
	minutes.wpp.session.is_hung = minutes.wpp.session.is_stuck = True
	minutes.go(58)
	assert [route for route, _ in minutes.calls()] == ["close", "start"] * 3
	assert minutes.alerts == [NOT_BACK]
	minutes.go(120)
	assert [route for route, _ in minutes.calls()].count("close") <= 9
	assert minutes.alerts == [NOT_BACK]
	minutes.wpp.set_connected(True)
	assert minutes.go().memory.is_alerted is False


def test_a_lost_login_asks_for_a_person_and_is_not_started_in_a_loop(minutes: Minutes) -> None:
	minutes.go()
	minutes.wpp.set_connected(False)  # unlinked on the phone
	minutes.go(30)
	assert minutes.calls() == [("close", 3), ("start", 4)]
	assert minutes.alerts == [ALERTS[watchdog.QR]]
	minutes.wpp.session.forget()  # nobody scanned
	minutes.go(30)
	assert len(minutes.calls()) == 2
	assert len(minutes.alerts) == 1


def test_a_device_that_is_just_being_set_up_is_nobodys_worry(minutes: Minutes) -> None:
	minutes.wpp.session.forget()
	minutes.wpp.session.has_login = False
	minutes.go(5)
	minutes.driver.start_session()
	minutes.go(5)
	assert minutes.calls() == [("start", 5)]
	assert minutes.alerts == []


def test_a_refused_login_is_reported_at_once_and_once(minutes: Minutes) -> None:
	minutes.go()
	minutes.wpp.change_secret("another")
	minutes.go(10)
	assert minutes.alerts == [ALERTS[watchdog.REFUSED]]
	assert minutes.calls() == []


def test_a_gateway_that_is_down_is_reported_after_the_last_restart(minutes: Minutes) -> None:
	minutes.go()
	minutes.wpp.stop()
	minutes.go(20)
	assert minutes.alerts == [NOT_BACK]
	assert minutes.memory.restarts == 3


def test_without_restarts_a_person_is_called_at_the_second_failed_check(minutes: Minutes) -> None:
	minutes.go()
	minutes.wpp.session.is_hung = True
	none = replace(SETTINGS, restarts_per_hour=0)
	first = watch(minutes.driver, minutes.memory, none, minutes.now_ms + MINUTE)
	second = watch(minutes.driver, first.memory, none, minutes.now_ms + 2 * MINUTE)
	assert (first.action, second.action, second.alert) == (watchdog.CHECK, watchdog.ALERT, NOT_BACK)
	assert minutes.calls() == []


def test_a_session_that_came_back_during_the_pause_is_left_alone(minutes: Minutes) -> None:
	minutes.go()
	minutes.wpp.session.is_hung = True
	minutes.go(2)
	minutes.wpp.set_connected(True)
	minutes.go(5)
	assert minutes.calls() == [("close", 3)]


def test_a_session_with_a_process_of_its_own_calls_a_person_when_its_login_is_gone_or_it_is_given_up() -> (
	None
):
	fresh = watchdog.Watch()
	assert note(fresh, watchdog.QR, 0)[1] == "", "somebody is just setting it up"
	assert note(fresh, "disconnected", 0, NOT_BACK)[1] == ""
	worked, nothing = note(fresh, watchdog.CONNECTED, 0)
	assert nothing == ""
	assert note(worked, "disconnected", 1)[1] == "", "its process brings it back"
	gone, alert = note(worked, watchdog.QR, 1)
	assert alert == ALERTS[watchdog.QR]
	assert note(gone, watchdog.RESTRICTED, 2)[1] == "", "told once"
	assert note(worked, "disconnected", 1, NOT_BACK)[1] == NOT_BACK
	assert (
		note(note(gone, watchdog.CONNECTED, 2)[0], watchdog.RESTRICTED, 3)[1] == ALERTS[watchdog.RESTRICTED]
	)
