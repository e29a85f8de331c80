"""When a session is restarted, and when a person is called."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import watchdog
from khalifa_whatsapp.core.watchdog import Watch, next_action, observed

MINUTE = 60_000
START = 1_795_160_400_000
DEAD = "disconnected"
FAILING = (DEAD, watchdog.NO_ANSWER, "something new")


def seen(*states: str, watch: Watch | None = None, start: int = START) -> Watch:
	"""One check a minute with these results."""
	watch = watch or Watch()
	for minute, state in enumerate(states):
		watch = observed(watch, state, start + minute * MINUTE)
	return watch


def action(watch: Watch, minutes: float = 0, cap: int = 3) -> str:
	return next_action(watch, cap, START + round(minutes * MINUTE))


def test_a_connected_session_is_left_alone() -> None:
	assert action(seen(watchdog.CONNECTED, watchdog.CONNECTED)) == watchdog.NOTHING


@pytest.mark.parametrize("state", FAILING)
def test_one_failed_check_is_checked_again_and_two_mean_a_restart(state: str) -> None:
	assert action(seen(watchdog.CONNECTED, state), 1) == watchdog.CHECK
	assert action(seen(watchdog.CONNECTED, state, state), 2) == watchdog.RESTART
	assert action(seen(watchdog.CONNECTED, state, watchdog.CONNECTED, state), 3) == watchdog.CHECK


def test_a_session_that_nobody_has_seen_connected_is_nobodys_worry() -> None:
	assert action(seen(DEAD, DEAD, DEAD), 3) == watchdog.NOTHING
	assert action(seen(DEAD, watchdog.QR), 2) == watchdog.NOTHING
	assert action(Watch()) == watchdog.NOTHING


def test_a_code_needs_a_person_and_is_never_restarted_away() -> None:
	asked = seen(watchdog.CONNECTED, DEAD, watchdog.QR)
	assert action(asked, 2) == watchdog.ALERT
	closed_by_itself = seen(DEAD, DEAD, DEAD, watch=watchdog.alerted(asked))
	assert action(closed_by_itself, 5) == watchdog.NOTHING
	assert action(replace(closed_by_itself, is_alerted=False), 5) == watchdog.ALERT


@pytest.mark.parametrize("state", [watchdog.RESTRICTED, watchdog.REFUSED])
def test_what_no_restart_can_mend_is_reported_at_once(state: str) -> None:
	assert action(seen(state)) == watchdog.ALERT
	assert action(watchdog.alerted(seen(state))) == watchdog.NOTHING


def test_connecting_is_given_its_time() -> None:
	assert (
		action(seen(watchdog.CONNECTED, watchdog.CONNECTING, watchdog.CONNECTING, watchdog.CONNECTING), 3)
		== watchdog.NOTHING
	)
	assert action(seen(watchdog.CONNECTED, *[watchdog.CONNECTING] * 4), 4) == watchdog.CHECK
	assert action(seen(watchdog.CONNECTED, *[watchdog.CONNECTING] * 5), 5) == watchdog.RESTART


def test_a_restart_is_a_close_a_pause_and_a_start() -> None:
	closing = watchdog.closed(seen(watchdog.CONNECTED, DEAD, DEAD), START)
	assert next_action(closing, 3, START + watchdog.CLOSE_WAIT_MS - 1) == watchdog.NOTHING
	assert next_action(closing, 3, START + watchdog.CLOSE_WAIT_MS) == watchdog.START
	begun = watchdog.started(closing, START + watchdog.CLOSE_WAIT_MS)
	assert (begun.state, begun.failed_checks, begun.restarts) == (watchdog.CONNECTING, 0, 1)
	assert next_action(begun, 3, START + watchdog.CLOSE_WAIT_MS) == watchdog.NOTHING
	assert next_action(watchdog.start_failed(closing), 3, START + MINUTE) == watchdog.RESTART


def test_the_cap_calls_a_person_once_and_ends_after_an_hour_of_rest() -> None:
	dead = seen(watchdog.CONNECTED, DEAD, DEAD)
	worn = replace(dead, restarts=3, restarts_ms=START)
	assert action(worn, 2) == watchdog.ALERT
	assert action(watchdog.alerted(worn), 59) == watchdog.NOTHING
	assert action(watchdog.alerted(worn), 60) == watchdog.RESTART
	assert action(replace(dead, restarts=0), 2, cap=0) == watchdog.ALERT
	assert not seen(watchdog.CONNECTED, watch=watchdog.alerted(worn)).is_alerted


@dataclass
class Life:
	"""A session watched for a long time, and what was done to it."""

	watch: Watch = field(default_factory=Watch)
	now_ms: int = START
	done: list[tuple[int, str]] = field(default_factory=list)

	def step(self, wait_ms: int, state: str, cap: int) -> str:
		self.now_ms += wait_ms
		self.watch = observed(self.watch, state, self.now_ms)
		what = next_action(self.watch, cap, self.now_ms)
		if what == watchdog.RESTART:
			self.watch = watchdog.closed(self.watch, self.now_ms)
		elif what == watchdog.START:
			self.watch = watchdog.started(self.watch, self.now_ms)
		elif what == watchdog.ALERT:
			self.watch = watchdog.alerted(self.watch)
		self.done.append((self.now_ms, what))
		return what


states = st.sampled_from(
	[watchdog.CONNECTED, watchdog.CONNECTING, watchdog.QR, watchdog.RESTRICTED, watchdog.REFUSED, *FAILING]
)
mostly_dead = st.sampled_from([watchdog.CONNECTED, *[DEAD] * 12, *[watchdog.NO_ANSWER] * 4, watchdog.QR])
steps = st.lists(st.tuples(st.integers(0, 20 * MINUTE), states | mostly_dead), max_size=120)


@given(steps, st.integers(0, 5))
def test_no_hour_holds_more_restarts_than_the_cap(story: list[tuple[int, str]], cap: int) -> None:
	life = Life(observed(Watch(), watchdog.CONNECTED, START))
	for wait_ms, state in story:
		life.step(wait_ms, state, cap)
	restarts = [at_ms for at_ms, what in life.done if what == watchdog.RESTART]
	for first in restarts:
		assert sum(first <= at_ms < first + watchdog.HOUR_MS for at_ms in restarts) <= cap


@given(steps, st.integers(0, 5))
def test_no_restart_while_a_code_is_shown_nor_without_two_failed_checks(
	story: list[tuple[int, str]], cap: int
) -> None:
	life = Life()
	checks: list[str] = []
	for wait_ms, state in story:
		checks.append(state)
		what = life.step(wait_ms, state, cap)
		if what == watchdog.RESTART:
			assert not {watchdog.QR, watchdog.CONNECTED, watchdog.RESTRICTED, watchdog.REFUSED} & set(
				checks[-1:]
			)
			assert not {watchdog.QR, watchdog.CONNECTED} & set(checks[-2:])
			since_login = checks[len(checks) - checks[::-1].index(watchdog.CONNECTED) :]
			assert watchdog.QR not in since_login
		if what == watchdog.START:
			checks = [*checks, watchdog.CONNECTING]


@given(steps, st.integers(0, 5))
def test_every_start_belongs_to_a_close_and_comes_after_the_pause(
	story: list[tuple[int, str]], cap: int
) -> None:
	life = Life(observed(Watch(), watchdog.CONNECTED, START))
	closed_ms: int | None = None
	for wait_ms, state in story:
		what = life.step(wait_ms, state, cap)
		if state in (watchdog.CONNECTED, watchdog.QR):  # somebody else was quicker
			assert what != watchdog.START
			closed_ms = None
		if what == watchdog.START:
			assert closed_ms is not None
			assert life.now_ms - closed_ms >= watchdog.CLOSE_WAIT_MS
			closed_ms = None
		elif what == watchdog.RESTART:
			assert closed_ms is None
			closed_ms = life.now_ms
		else:
			assert closed_ms is None or life.now_ms - closed_ms < watchdog.CLOSE_WAIT_MS


@given(steps, st.integers(0, 5))
def test_a_person_is_called_once_until_it_is_connected_again(story: list[tuple[int, str]], cap: int) -> None:
	life = Life()
	calls = 0
	for wait_ms, state in story:
		what = life.step(wait_ms, state, cap)
		if state == watchdog.CONNECTED:
			calls = 0
		calls += what == watchdog.ALERT
		assert calls <= 1


@given(st.integers(1, 5))
def test_a_session_that_stays_dead_is_given_up_and_tried_again_each_hour(cap: int) -> None:
	life = Life(observed(Watch(), watchdog.CONNECTED, START))
	for _ in range(24 * 60):
		life.step(MINUTE, DEAD, cap)
	terms = [what for _, what in life.done]
	assert terms.count(watchdog.ALERT) == 1
	assert cap * 12 <= terms.count(watchdog.RESTART) <= cap * 24
