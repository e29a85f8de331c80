"""The registry's promises that need no real browser: leases, caps, watching, ending.

Pages here are puppets.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("psutil", reason="needs psutil, which comes with Frappe")

from khalifa_whatsapp.core import lease as rules
from khalifa_whatsapp.core.lease import LEASE_MS, Lease
from khalifa_whatsapp.drivers.base import DeviceConfig
from khalifa_whatsapp.drivers.sessions import owner, processes
from khalifa_whatsapp.drivers.sessions.owner import Owner, is_gone, owner_of, this_process
from khalifa_whatsapp.drivers.sessions.registry import SessionRegistry
from khalifa_whatsapp.drivers.sessions.session import BrowserFailed, Limits, Session, SessionClosed
from khalifa_whatsapp.stores.leases import SqlLeases
from khalifa_whatsapp.stores.sqlite_store import SqliteStore

QUICK = Limits(ping_every=0.05, ping_wait=0.05, job=0.5, restarts_an_hour=2, restart_pause=0.01, close=0.5)
WAIT = 10


class FakeSession:
	"""A page that does as the test says."""

	def __init__(self) -> None:
		self.driver = self
		self.is_dead = False
		self.is_mute = False
		self.ended: list[str] = []
		self.was_ended = threading.Event()

	def pids(self) -> list[int]:
		return [4, 2]

	def is_dead_or_stopped(self) -> bool:
		return self.is_dead

	def answers(self, seconds: float) -> bool:
		return not (self.is_dead or self.is_mute)

	def close(self) -> int:
		return self._end("close")

	def kill(self) -> int:
		return self._end("kill")

	def _end(self, how: str) -> int:
		self.ended.append(how)
		self.was_ended.set()
		return 0


class Scene:
	"""A registry on a store in memory, with a clock the test sets, and the pages it has started."""

	def __init__(self, root: Path, limits: Limits = QUICK) -> None:
		self.now = 1_000_000
		self.pages: list[FakeSession] = []
		self.failure: Exception | None = None
		self.leases = SqlLeases(SqliteStore(":memory:"))
		self.registry = SessionRegistry(
			self.leases, root / "profiles", lambda: self.now, limits, lambda *_: self.launch()
		)

	def launch(self) -> FakeSession:
		if self.failure is not None:
			raise self.failure
		self.pages.append(FakeSession())
		return self.pages[-1]

	def open(self, device: str = "d", **browser: float) -> Session:
		session = self.registry.open(DeviceConfig(device, "puppet", browser=browser), lambda page: None)
		assert session is not None
		return session

	def running(self, device: str = "d", **browser: float) -> Session:
		session = self.open(device, **browser)
		self.until(lambda: session.published_state == rules.RUNNING)
		return session

	def until(self, condition) -> None:
		end = time.monotonic() + WAIT
		while not condition():
			assert time.monotonic() < end, "it does not happen"
			self.registry.keep()
			time.sleep(0.005)

	def beat(self) -> list[Session]:
		self.registry._beaten_at = float("-inf")
		return self.registry.keep()


@pytest.fixture
def scene(tmp_path):
	made = Scene(tmp_path)
	yield made
	made.registry.close_all(2)


# -- owners


def test_the_running_process_is_not_gone_and_its_key_reads_back():
	mine = this_process()
	assert owner_of(mine.key) == mine
	assert not is_gone(mine.key)
	assert len(Owner("h" * 60, "p" * 12, 4_194_304, 10**12).key) <= 140


def test_a_recycled_process_number_is_another_process():
	mine = this_process()
	assert is_gone(Owner(mine.host, mine.place, mine.pid, mine.began - 1).key)


@pytest.mark.parametrize("is_collected", [True, False])
def test_a_killed_process_is_gone_collected_or_not(is_collected):
	with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
		began = owner._began(child.pid)
		key = Owner(this_process().host, this_process().place, child.pid, began).key
		assert not is_gone(key)
		child.kill()
		if is_collected:
			child.wait()
		until = time.monotonic() + WAIT
		while not is_gone(key):
			assert time.monotonic() < until


@pytest.mark.parametrize("change", [{"host": "elsewhere"}, {"place": "another-boot"}])
def test_of_other_hosts_and_boots_nothing_is_known(change):
	mine = {name: getattr(this_process(), name) for name in ("host", "place", "pid", "began")}
	assert not is_gone(Owner(**{**mine, "began": 1, **change}).key)


@pytest.mark.parametrize("key", ["", "a/b/c/d", "a/b/1", "////", "a/b/-1/2"])
def test_a_key_that_is_none_names_nobody(key):
	assert owner_of(key) is None
	assert not is_gone(key)


# -- leases


def test_a_session_renews_its_lease_while_its_browser_is_busy(scene):
	session = scene.running()
	free = threading.Event()
	session.submit(lambda: free.wait(WAIT))
	scene.until(lambda: session.is_busy)
	scene.now += LEASE_MS - 1
	scene.beat()
	free.set()
	lease = scene.leases.get("d")
	assert (lease.heartbeat_ms, lease.state, lease.chrome_pids) == (scene.now, rules.RUNNING, "2 4")


def test_a_device_that_another_process_has_is_left_to_it(scene):
	other = Owner("elsewhere", "p", 1, 1)
	scene.leases.acquire("d", other, "/p", scene.now, is_gone)
	assert scene.registry.open(DeviceConfig("d", "puppet"), lambda page: None) is None
	assert scene.pages == []


def test_opening_twice_gives_the_same_session(scene):
	assert scene.running() is scene.open()
	assert len(scene.pages) == 1


def test_who_lost_the_lease_ends_the_browser_and_writes_nothing(scene):
	session = scene.running()
	scene.now += LEASE_MS
	taken = scene.leases.acquire("d", Owner("elsewhere", "p", 1, 1), "/p", scene.now, is_gone)
	assert scene.beat() == [session]
	assert scene.pages[0].ended[0] == "kill"
	assert scene.leases.get("d") == taken
	with pytest.raises(SessionClosed):
		session.call(lambda: 1, WAIT)


def test_without_a_database_the_browser_ends_before_the_lease_does(scene, monkeypatch):
	session = scene.running()

	def away(*given):
		raise ConnectionError

	monkeypatch.setattr(scene.leases, "heartbeat", away)
	with pytest.raises(ConnectionError):
		scene.beat()
	assert session.is_valid
	assert scene.pages[0].ended == []
	monkeypatch.setattr(time, "monotonic", lambda real=time.monotonic: real() + LEASE_MS / 1000 - 4)
	scene.registry._beaten_at = time.monotonic()
	scene.registry.keep()
	assert scene.pages[0].was_ended.wait(WAIT)
	assert set(scene.pages[0].ended) == {"kill"}


# -- jobs


def test_jobs_run_one_after_the_other_in_one_thread(scene):
	session = scene.running()
	jobs = [session.submit(threading.get_ident) for _ in range(20)]
	assert {done.result(WAIT) for done in jobs} == {session._thread.ident}


def test_what_a_job_raises_is_its_askers(scene):
	session = scene.running()
	with pytest.raises(ZeroDivisionError):
		session.call(lambda: 1 / 0, WAIT)
	assert session.call(lambda: "goes on", WAIT) == "goes on"


def test_nobody_waits_for_a_job_that_can_not_be_done_any_more(scene):
	session = scene.running()
	session.end(WAIT)
	with pytest.raises(SessionClosed):
		session.call(lambda: 1, WAIT)


def test_a_job_that_takes_too_long_loses_its_browser(scene):
	session = scene.running()
	page = scene.pages[0]
	session.submit(lambda: page.was_ended.wait(WAIT))
	scene.until(page.was_ended.is_set)
	scene.until(lambda: len(scene.pages) == 2 or not session.is_busy)


def test_a_browser_that_dies_under_a_job_is_killed_at_once(scene):
	session = scene.running()
	page = scene.pages[0]
	done = session.submit(lambda: page.was_ended.wait(WAIT))
	page.is_dead = True
	scene.until(done.done)
	scene.until(lambda: len(scene.pages) == 2)
	assert session.call(lambda: "again", WAIT) == "again"


# -- starting again


def test_a_browser_that_does_not_answer_is_started_again(scene):
	session = scene.running()
	scene.pages[0].is_mute = True
	scene.until(lambda: len(scene.pages) == 2 and session.state == rules.RUNNING)
	assert "kill" in scene.pages[0].ended


def test_a_browser_is_started_again_so_many_times_an_hour_and_no_more(scene):
	session = scene.open()
	for number in range(1 + QUICK.restarts_an_hour):
		scene.until(lambda wanted=number + 1: len(scene.pages) == wanted)
		scene.pages[-1].is_dead = True
	scene.until(lambda: session.is_over and scene.registry.get("d") is None)
	assert len(scene.pages) == 1 + QUICK.restarts_an_hour
	lease = scene.leases.get("d")
	assert (lease.state, bool(lease.owner_key)) == (rules.FAILED, False)
	assert not rules.is_wanted(lease, scene.now)


def test_a_browser_that_can_not_start_says_why_and_gives_up(scene):
	scene.failure = BrowserFailed("Chromedriver was not found.")
	session = scene.open()
	scene.until(lambda: scene.registry.get("d") is None)
	assert (session.state, session.error) == (rules.FAILED, "Chromedriver was not found.")


def test_a_driver_that_fails_on_its_page_costs_the_browser_too(scene):
	def attach(page):
		raise RuntimeError

	session = scene.registry.open(DeviceConfig("d", "puppet"), attach)
	scene.until(lambda: session.is_over)
	assert [page.ended for page in scene.pages] == [["kill"]] * (1 + QUICK.restarts_an_hour)


# -- ending


def test_an_idle_browser_is_closed_and_looking_at_it_is_no_use_of_it(scene):
	session = scene.running(idle_minutes=0.001)
	session.submit(lambda: None, is_use=False)
	scene.until(lambda: scene.registry.get("d") is None)
	assert scene.pages[0].ended == ["close"]
	assert not scene.leases.get("d").owner_key


def test_what_people_end_stays_ended(scene):
	scene.running()
	scene.registry.close("d", rules.OFF)
	scene.until(lambda: scene.registry.get("d") is None)
	assert scene.leases.get("d").state == rules.OFF
	assert scene.pages[0].ended == ["close"]


def test_the_lease_is_let_go_only_when_the_browser_has_ended(scene):
	session = scene.running()
	free = threading.Event()
	session.submit(lambda: free.wait(WAIT))
	scene.until(lambda: session.is_busy)
	scene.registry.close("d")
	scene.registry.keep()
	assert scene.leases.get("d").owner_key == scene.registry.owner.key
	assert scene.registry.open(DeviceConfig("d", "puppet"), lambda page: None) is None
	free.set()
	scene.until(lambda: not scene.leases.get("d").owner_key)


def test_all_are_closed_in_a_bounded_time_even_one_that_hangs(scene):
	scene.running("a")
	hanging = scene.running("b")
	page = scene.pages[-1]
	hanging.submit(lambda: page.was_ended.wait(WAIT))
	began = time.monotonic()
	assert scene.registry.close_all(2) == 0
	assert time.monotonic() - began < 5
	assert all(page.ended for page in scene.pages)
	assert [lease for lease in scene.leases.all() if lease.owner_key] == []


# -- folders


def test_a_profile_is_for_its_owners_eyes_alone(tmp_path):
	profile = processes.make_profile(tmp_path / "browsers", "+20 100/../x")
	assert profile.parent == tmp_path / "browsers"
	for folder in (profile, profile.parent):
		assert folder.stat().st_mode & 0o777 == 0o700


def test_devices_have_profiles_of_their_own(tmp_path):
	assert processes.make_profile(tmp_path, "a") != processes.make_profile(tmp_path, "A")


def test_temporary_folders_of_dead_owners_are_swept_and_of_the_living_kept(tmp_path):
	mine = this_process()
	dead = Owner(mine.host, mine.place, mine.pid, mine.began - 1)
	folders = [
		processes.make_temporary(processes.Tags(str(tmp_path), "d", 1, who.key)) for who in (mine, dead)
	]
	foreign = processes.make_temporary(processes.Tags(f"{tmp_path}-other", "d", 1, dead.key))
	processes.sweep(str(tmp_path), is_gone, {})
	assert [folder.exists() for folder in (*folders, foreign)] == [True, False, True]
	for folder in (*folders, foreign):
		processes.remove_temporary(folder)


def test_tagged_processes_are_found_across_sessions_and_swept_with_their_owner(tmp_path):
	mine = this_process()
	dead = Owner(mine.host, mine.place, mine.pid, mine.began - 1)
	tags = [processes.Tags(str(tmp_path), name, 1, who.key) for name, who in (("a", mine), ("b", dead))]
	children = [
		subprocess.Popen(
			[sys.executable, "-c", "input()"],
			stdin=subprocess.PIPE,
			env={**os.environ, **tag.environment()},
			start_new_session=True,
		)
		for tag in tags
	]
	try:
		assert {carried.device for _, carried in processes.tagged(str(tmp_path))} == {"a", "b"}
		assert processes.sweep(str(tmp_path), is_gone, {"a": 1, "b": 1}) == 1
		assert children[1].wait(WAIT) == -9
		assert children[0].poll() is None
		assert processes.sweep(str(tmp_path), is_gone, {"a": 2}) == 1, "taken over since"
		assert children[0].wait(WAIT) == -9
	finally:
		for child in children:
			child.kill()
			child.communicate()


def test_a_lease_row_shows_no_owner_when_it_has_run_out():
	row = Lease("n", "d", owner_key="k", lease_until_ms=5)
	assert row.has_owner(4)
	assert not row.has_owner(5)
