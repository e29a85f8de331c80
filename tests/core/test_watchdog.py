"""When a session is restarted, and when a person is called."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import watchdog as w
from khalifa_whatsapp.core.watchdog import Watch, next_action, observed

MINUTE = 60_000
START = 1_795_160_400_000
DEAD = "disconnected"
FAILING = (DEAD, w.NO_ANSWER, "something new")


def seen(*states: str, watch: Watch | None = None, start: int = START) -> Watch:
	"""One check a minute with these results."""
	watch = watch or Watch()
	for minute, state in enumerate(states):
		watch = observed(watch, state, start + minute * MINUTE)
	return watch


def action(watch: Watch, minutes: float = 0, cap: int = 3) -> str:
	return next_action(watch, cap, START + round(minutes * MINUTE))


def test_a_connected_session_is_left_alone() -> None:
	assert action(seen(w.CONNECTED, w.CONNECTED)) == w.NOTHING


@pytest.mark.parametrize("state", FAILING)
def test_one_failed_check_is_checked_again_and_two_mean_a_restart(state: str) -> None:
	assert action(seen(w.CONNECTED, state), 1) == w.CHECK
	assert action(seen(w.CONNECTED, state, state), 2) == w.RESTART
	assert action(seen(w.CONNECTED, state, w.CONNECTED, state), 3) == w.CHECK


def test_a_session_that_nobody_has_seen_connected_is_nobodys_worry() -> None:
	assert action(seen(DEAD, DEAD, DEAD), 3) == w.NOTHING
	assert action(seen(DEAD, w.QR), 2) == w.NOTHING
	assert action(Watch()) == w.NOTHING


def test_a_code_needs_a_person_and_is_never_restarted_away() -> None:
	asked = seen(w.CONNECTED, DEAD, w.QR)
	assert action(asked, 2) == w.ALERT
	closed_by_itself = seen(DEAD, DEAD, DEAD, watch=w.alerted(asked))
	assert action(closed_by_itself, 5) == w.NOTHING
	assert action(replace(closed_by_itself, is_alerted=False), 5) == w.ALERT


@pytest.mark.parametrize("state", [w.RESTRICTED, w.REFUSED])
def test_what_no_restart_can_mend_is_told_at_once(state: str) -> None:
	assert action(seen(state)) == w.ALERT
	assert action(w.alerted(seen(state))) == w.NOTHING


def test_connecting_is_given_its_time() -> None:
	assert action(seen(w.CONNECTED, w.CONNECTING, w.CONNECTING, w.CONNECTING), 3) == w.NOTHING
	assert action(seen(w.CONNECTED, *[w.CONNECTING] * 4), 4) == w.CHECK
	assert action(seen(w.CONNECTED, *[w.CONNECTING] * 5), 5) == w.RESTART


def test_a_restart_is_a_close_a_pause_and_a_start() -> None:
	closing = w.closed(seen(w.CONNECTED, DEAD, DEAD), START)
	assert next_action(closing, 3, START + w.CLOSE_WAIT_MS - 1) == w.NOTHING
	assert next_action(closing, 3, START + w.CLOSE_WAIT_MS) == w.START
	begun = w.started(closing, START + w.CLOSE_WAIT_MS)
	assert (begun.state, begun.failed_checks, begun.restarts) == (w.CONNECTING, 0, 1)
	assert next_action(begun, 3, START + w.CLOSE_WAIT_MS) == w.NOTHING
	assert next_action(w.start_failed(closing), 3, START + MINUTE) == w.RESTART


def test_the_cap_calls_a_person_once_and_ends_after_an_hour_of_rest() -> None:
	dead = seen(w.CONNECTED, DEAD, DEAD)
	worn = replace(dead, restarts=3, restarts_ms=START)
	assert action(worn, 2) == w.ALERT
	assert action(w.alerted(worn), 59) == w.NOTHING
	assert action(w.alerted(worn), 60) == w.RESTART
	assert action(replace(dead, restarts=0), 2, cap=0) == w.ALERT
	assert not seen(w.CONNECTED, watch=w.alerted(worn)).is_alerted


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
		if what == w.RESTART:
			self.watch = w.closed(self.watch, self.now_ms)
		elif what == w.START:
			self.watch = w.started(self.watch, self.now_ms)
		elif what == w.ALERT:
			self.watch = w.alerted(self.watch)
		self.done.append((self.now_ms, what))
		return what


states = st.sampled_from([w.CONNECTED, w.CONNECTING, w.QR, w.RESTRICTED, w.REFUSED, *FAILING])
mostly_dead = st.sampled_from([w.CONNECTED, *[DEAD] * 12, *[w.NO_ANSWER] * 4, w.QR])
steps = st.lists(st.tuples(st.integers(0, 20 * MINUTE), states | mostly_dead), max_size=120)


@given(steps, st.integers(0, 5))
def test_no_hour_holds_more_restarts_than_the_cap(story: list[tuple[int, str]], cap: int) -> None:
	life = Life(observed(Watch(), w.CONNECTED, START))
	for wait_ms, state in story:
		life.step(wait_ms, state, cap)
	restarts = [at_ms for at_ms, what in life.done if what == w.RESTART]
	for first in restarts:
		assert sum(first <= at_ms < first + w.HOUR_MS for at_ms in restarts) <= cap


@given(steps, st.integers(0, 5))
def test_no_restart_while_a_code_is_shown_nor_without_two_failed_checks(
	story: list[tuple[int, str]], cap: int
) -> None:
	life = Life()
	checks: list[str] = []
	for wait_ms, state in story:
		checks.append(state)
		what = life.step(wait_ms, state, cap)
		if what == w.RESTART:
			assert not {w.QR, w.CONNECTED, w.RESTRICTED, w.REFUSED} & set(checks[-1:])
			assert not {w.QR, w.CONNECTED} & set(checks[-2:])
			since_login = checks[len(checks) - checks[::-1].index(w.CONNECTED) :]
			assert w.QR not in since_login
		if what == w.START:
			checks = [*checks, w.CONNECTING]


@given(steps, st.integers(0, 5))
def test_every_start_belongs_to_a_close_and_comes_after_the_pause(
	story: list[tuple[int, str]], cap: int
) -> None:
	life = Life(observed(Watch(), w.CONNECTED, START))
	closed_ms: int | None = None
	for wait_ms, state in story:
		what = life.step(wait_ms, state, cap)
		if state in (w.CONNECTED, w.QR):  # somebody else was quicker
			assert what != w.START
			closed_ms = None
		if what == w.START:
			assert closed_ms is not None
			assert life.now_ms - closed_ms >= w.CLOSE_WAIT_MS
			closed_ms = None
		elif what == w.RESTART:
			assert closed_ms is None
			closed_ms = life.now_ms
		else:
			assert closed_ms is None or life.now_ms - closed_ms < w.CLOSE_WAIT_MS


@given(steps, st.integers(0, 5))
def test_a_person_is_called_once_until_it_is_connected_again(story: list[tuple[int, str]], cap: int) -> None:
	life = Life()
	calls = 0
	for wait_ms, state in story:
		what = life.step(wait_ms, state, cap)
		if state == w.CONNECTED:
			calls = 0
		calls += what == w.ALERT
		assert calls <= 1


@given(st.integers(1, 5))
def test_a_session_that_stays_dead_is_given_up_and_tried_again_each_hour(cap: int) -> None:
	life = Life(observed(Watch(), w.CONNECTED, START))
	for _ in range(24 * 60):
		life.step(MINUTE, DEAD, cap)
	words = [what for _, what in life.done]
	assert words.count(w.ALERT) == 1
	assert cap * 12 <= words.count(w.RESTART) <= cap * 24
