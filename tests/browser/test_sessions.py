"""Real Chromium: what is killed comes back, what is left behind is swept up,
and nobody uses another's profile.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

pytest.importorskip("selenium", reason="needs selenium: pip install selenium")
pytest.importorskip("psutil", reason="needs psutil: pip install psutil")

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import lease as rules
from khalifa_whatsapp.drivers.sessions import processes
from khalifa_whatsapp.drivers.sessions.session import Limits
from simulation.trials.browser_host import (
	CHROME,
	CHROMEDRIVER,
	Elsewhere,
	Host,
	find,
	is_browser,
	is_chromedriver,
	is_renderer,
	living,
)

pytestmark = [
	pytest.mark.browser,
	pytest.mark.skipif(not (CHROME and CHROMEDRIVER), reason="needs Chromium and chromedriver"),
]
CYCLES = int(os.environ.get("BROWSER_CYCLES", "15"))
DETECTED = 15  # seconds


@pytest.fixture
def folder(tmp_path):
	yield tmp_path
	for process in living(tmp_path):  # of this test alone
		process.kill()


@pytest.fixture
def host(folder):
	made = Host(folder)
	yield made
	made.registry.close_all(20)


@pytest.fixture
def elsewhere(folder):
	started: list[Elsewhere] = []

	def start(device: str = "d") -> Elsewhere:
		started.append(Elsewhere(folder, device))
		return started[-1]

	yield start
	for other in started:
		other.end()


# -- one process


def test_a_browser_opens_its_page_and_leaves_nothing_behind(host, folder):
	session = host.running()
	assert host.title(session) == "ready"
	assert len(living(folder)) > 2
	assert len(os.listdir(*temporary_folders(host))) > 1, "Chrome's own temporary files lie in ours"
	assert host.registry.close_all(20) == 0
	assert living(folder) == []
	assert temporary_folders(host) == []
	assert not (profile_of(host) / "SingletonLock").is_symlink()


@pytest.mark.parametrize("is_target", [is_chromedriver, is_browser, is_renderer])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_what_is_killed_or_stopped_is_noticed_and_started_again(host, folder, is_target, number):
	session = host.running()
	before = set(session.pids())
	for target in find(folder, is_target):
		target.send_signal(number)
	took = host.until(
		lambda: session.state == rules.RUNNING and session.pids() and not before & set(session.pids())
	)
	assert took < DETECTED + 10, "noticing, and starting again"
	assert host.title(session) == "ready"
	assert len(find(folder, is_browser)) == 1


def test_a_stopped_browser_is_noticed_in_time_while_somebody_waits_for_it(host, folder):
	session = host.running()
	page = session._page
	for renderer in find(folder, is_renderer):
		renderer.suspend()
	done = session.submit(lambda: page.driver.execute_script("return document.title"))
	find(folder, is_browser)[0].suspend()
	assert host.until(done.done, DETECTED) < DETECTED
	assert done.exception() is not None


def test_a_browser_that_keeps_dying_is_given_up(folder):
	host = Host(folder, Limits(restarts_an_hour=1, restart_pause=0.1))
	session = host.running()
	for _ in range(2):
		host.until(lambda: session.state == rules.RUNNING and len(session.pids()) == 2)
		before = session.pids()
		find(folder, is_browser)[0].kill()
		host.until(lambda before=before: session.is_over or (session.pids() and session.pids() != before))
	host.until(lambda: host.registry.get("d") is None)
	assert host.registry._leases.get("d").state == rules.FAILED
	assert living(folder) == []


def test_locks_of_a_profile_that_a_lost_host_left_are_cleared(host):
	profile = processes.make_profile(host.registry.root, "d")
	(profile / "SingletonLock").symlink_to("another-host-that-is-gone-4711")
	assert host.title(host.running()) == "ready"


def test_the_login_outlives_the_browser(host, folder):
	session = host.running()
	assert (profile_of(host) / "Default").is_dir()
	session.end(20)
	host.until(lambda: host.registry.get("d") is None)
	assert host.title(host.running()) == "ready"
	assert (profile_of(host) / "Default").is_dir()


def test_starting_and_stopping_leaves_processes_files_and_folders_as_they_were(host, folder):
	host.running().end(20)
	host.until(lambda: host.registry.get("d") is None)
	before = open_files()
	for number in range(CYCLES):
		session = host.running()
		if number % 10 == 9:
			find(folder, is_browser)[0].kill()
		session.leave()
		host.until(lambda: host.registry.get("d") is None)
		assert living(folder) == []
	assert temporary_folders(host) == []
	assert open_files() <= before


# -- many processes


def test_of_processes_that_want_a_device_one_has_it_and_the_next_takes_over_its_profile(
	host, folder, elsewhere
):
	first, second = elsewhere(), elsewhere()
	terms = [first.says(), second.says()]
	assert min(terms) == "held", terms
	winner, loser = (second, first) if terms[0] == "held" else (first, second)
	winner.until_says("running")
	assert len(find(folder, is_browser)) == 1
	killed_at = time.monotonic()
	winner.send(signal.SIGKILL)
	loser.until_says("running")
	assert time.monotonic() - killed_at < 60
	assert loser.process.pid in {process.ppid() for process in find(folder, is_chromedriver)}
	host.until(lambda: {tags.generation for _, tags in processes.tagged(host.registry.realm)} == {2})
	assert len(list(host.registry.root.iterdir())) == 1, "one profile"


def owned(folder):
	"""Chromedriver and Chrome themselves; Chrome's own helpers come and go as it likes."""
	running = [*find(folder, is_chromedriver), *find(folder, is_browser)]
	return {process.pid for process in running}


def test_what_a_killed_process_leaves_is_swept_up(host, folder, elsewhere):
	other = elsewhere()
	other.until_says("running")
	orphans = owned(folder)
	other.send(signal.SIGKILL)
	other.process.wait(10)
	assert owned(folder) == orphans, "Chrome outlives its owner"
	began = time.monotonic()
	assert host.registry.sweep() >= len(orphans)
	assert time.monotonic() - began < 60
	assert living(folder) == []
	assert temporary_folders(host) == []


def test_the_browsers_of_a_living_owner_are_not_swept(host, folder, elsewhere):
	elsewhere().until_says("running")
	before = owned(folder)
	assert host.registry.sweep() == 0
	assert owned(folder) == before


def test_an_owner_that_slept_through_its_lease_harms_not_the_next(host, folder, elsewhere):
	other = elsewhere()
	other.until_says("running")
	other.send(signal.SIGSTOP)
	ends = host.registry._leases.get("d").lease_until_ms
	host.until(lambda: now_ms() >= ends)
	session = host.running()
	before = {process.pid for process in find(folder, is_browser)}
	other.send(signal.SIGCONT)
	other.until_says("held")
	assert {process.pid for process in find(folder, is_browser)} == before, "it was not touched"
	host.until(lambda: session.state == rules.RUNNING and host.title(session) == "ready")
	assert len(session.restarts) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_asked_to_end_takes_its_browser_along(folder, host, elsewhere, number):
	other = elsewhere()
	other.until_says("running")
	other.send(number)
	assert other.process.wait(30) == 0
	assert living(folder) == []
	assert not host.registry._leases.get("d").owner_key
	assert temporary_folders(host) == []


# -- looking


def profile_of(host: Host) -> Path:
	return processes.make_profile(host.registry.root, "d")


def temporary_folders(host: Host) -> list[Path]:
	return processes._temporary_folders(host.registry.realm)


def open_files() -> int:
	with contextlib.suppress(FileNotFoundError):
		return len(os.listdir("/proc/self/fd"))
	return 0


def test_the_profiles_lie_in_a_folder_that_others_can_not_enter(host):
	host.running()
	for folder in (profile_of(host), host.registry.root):
		assert folder.stat().st_mode & 0o777 == 0o700
