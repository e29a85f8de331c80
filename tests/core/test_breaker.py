"""A gateway that fails again and again is left alone, and tried again by one message at a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.breaker import CLOSED, LONGEST_PAUSE_MS, OPEN, Breaker, failed, held, succeeded
from khalifa_whatsapp.core.settings import Settings

NOW = 1_795_160_400_000
SETTINGS = Settings()
SECOND = 1000


def after(kinds: list[str], step_ms: int = SECOND) -> Breaker:
	breaker = Breaker()
	for number, kind in enumerate(kinds):
		breaker = failed(breaker, kind, "why", NOW + number * step_ms, SETTINGS)
	return breaker


def test_it_opens_at_the_fifth_failure_in_a_row_and_says_why() -> None:
	assert after(["retryable"] * 4).state == CLOSED
	opened = after(["retryable", "unknown", "retryable", "unknown", "retryable"])
	assert (opened.state, opened.reason, opened.until_ms) == (OPEN, "why", NOW + 4 * SECOND + 60 * SECOND)
	assert not opened.may_try(opened.until_ms - 1)
	assert opened.may_try(opened.until_ms)


def test_failures_far_apart_are_no_row() -> None:
	assert after(["retryable"] * 20, step_ms=31 * SECOND).state == CLOSED


def test_a_refused_login_opens_it_at_once() -> None:
	assert after(["auth"]).state == OPEN


@pytest.mark.parametrize("kind", ["recipient", "permanent", "window_closed", "rate_limited"])
def test_what_is_wrong_with_a_message_says_nothing_of_the_gateway(kind: str) -> None:
	assert after([kind] * 50) == Breaker()


def test_each_failed_probe_doubles_the_pause_up_to_an_hour_and_success_forgets_all() -> None:
	breaker, pauses = after(["auth"]), []
	for _ in range(10):
		now_ms = breaker.until_ms
		breaker = failed(breaker, "retryable", "still", now_ms, SETTINGS)
		pauses.append((breaker.until_ms - now_ms) // SECOND)
	assert pauses[:4] == [120, 240, 480, 960]
	assert pauses[-1] == LONGEST_PAUSE_MS // SECOND
	assert succeeded(breaker) == Breaker()


@given(
	st.lists(st.sampled_from(["retryable", "unknown", "auth", "recipient", "ok"]), max_size=60),
	st.integers(0, 90_000),
)
def test_after_a_success_it_is_closed_and_an_open_one_always_ends(kinds: list[str], step_ms: int) -> None:
	breaker, now_ms = Breaker(), NOW
	for kind in kinds:
		now_ms += step_ms
		breaker = succeeded(breaker) if kind == "ok" else failed(breaker, kind, "why", now_ms, SETTINGS)
		assert kind != "ok" or breaker.may_try(now_ms)
		assert breaker.may_try(now_ms + LONGEST_PAUSE_MS)


def test_a_device_that_is_too_fast_rests_without_blame() -> None:
	resting = held(Breaker(), "too fast", NOW, 30 * SECOND)
	assert (resting.may_try(NOW), resting.may_try(NOW + 30 * SECOND), resting.failures) == (False, True, 0)
