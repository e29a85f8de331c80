"""What is wrong, and who is called when: never twice within the quiet time, always at the next look after it,
once when it is over.
"""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import alerts
from khalifa_whatsapp.core.alerts import (
	KINDS,
	LOOKED_FOR,
	MESSAGES,
	REASONS,
	Condition,
	DeviceFacts,
	Facts,
	State,
	TemplateFacts,
	conditions,
	gone,
	seen,
)
from khalifa_whatsapp.core.settings import DAY_MS, MINUTE_MS, Settings
from khalifa_whatsapp.stores.schema import doctype

NOW = 1_800_000_000_000
MINUTE = MINUTE_MS
# (minutes until the next look, whether it is wrong then)
LOOKS = st.lists(st.tuples(st.integers(1, 300), st.booleans()), max_size=60)
QUIET = st.integers(1, 400).map(lambda minutes: minutes * MINUTE)


def kinds_of(facts: Facts, settings: Settings | None = None) -> list[str]:
	return [condition.kind for condition in conditions(facts, settings or Settings())]


def device(**fields: object) -> Facts:
	return Facts(NOW, [DeviceFacts("Shop", **fields)])  # type: ignore[arg-type]


# -- what is wrong


def test_nothing_is_wrong_where_nothing_was_measured():
	assert conditions(Facts(NOW), Settings()) == []
	assert conditions(device(state="Connected", state_ms=1), Settings()) == []


@pytest.mark.parametrize(
	("below", "at", "kind"),
	[
		(
			Facts(NOW, oldest_event_ms=2 * MINUTE - 1),
			Facts(NOW, oldest_event_ms=2 * MINUTE),
			alerts.OLD_EVENT,
		),
		(Facts(NOW), Facts(NOW, dead_events=1), alerts.DEAD_EVENTS),
		(Facts(NOW, minute_job_ms=3 * MINUTE - 1), Facts(NOW, minute_job_ms=3 * MINUTE), alerts.LATE_JOB),
		(
			Facts(NOW, queues={"short": 5 * MINUTE - 1}),
			Facts(NOW, queues={"short": 5 * MINUTE}),
			alerts.NO_WORKER,
		),
		(Facts(NOW, free_bytes=1 << 30), Facts(NOW, free_bytes=(1 << 30) - 1), alerts.DISK),
		(
			device(state="QR", state_ms=NOW - 5 * MINUTE + 1),
			device(state="QR", state_ms=NOW - 5 * MINUTE),
			alerts.DOWN,
		),
		(device(state="Connected"), device(state="Restricted"), alerts.RESTRICTED),
		(device(quality="YELLOW"), device(quality="RED"), alerts.QUALITY),
		(
			device(token_ends_ms=NOW + 7 * DAY_MS + 1),
			device(token_ends_ms=NOW + 7 * DAY_MS),
			alerts.TOKEN,
		),
		(device(tried=20, failed=3), device(tried=20, failed=4), alerts.FAILURES),
		(device(tried=19, failed=19), device(tried=20, failed=20), alerts.FAILURES),
		(
			device(oldest_due_ms=15 * MINUTE - 1),
			device(oldest_due_ms=15 * MINUTE),
			alerts.OLD_MESSAGE,
		),
	],
)
def test_each_threshold_is_where_the_settings_say(below, at, kind):
	assert (kinds_of(below), kinds_of(at)) == ([], [kind])


def test_a_device_whose_reason_is_known_is_not_told_a_second_time_as_down():
	assert kinds_of(device(state="QR", state_ms=1, has_reason=True)) == []


def test_templates_that_changed_lately_and_need_a_person():
	def template(status: str, age_ms: int = 0) -> list[str]:
		return kinds_of(Facts(NOW, templates=[TemplateFacts("Shop", "offer", "ar", status, NOW - age_ms)]))

	assert template("REJECTED") == template("PAUSED") == template("NEW_TROUBLE") == [alerts.TEMPLATE]
	assert (
		template("APPROVED") == template("PENDING") == template("") == template("REJECTED", 7 * DAY_MS) == []
	)


def test_what_can_be_switched_off_is_off_at_0():
	off = Settings(alert_failure_percent=0, alert_token_days=0)
	assert kinds_of(device(tried=50, failed=50, token_ends_ms=1), off) == []


def test_every_kind_has_a_sentence_and_says_what_to_do():
	assert set(MESSAGES) == set(REASONS) == set(KINDS)
	options = next(df["options"] for df in doctype("Khalifa Alert")["fields"] if df["fieldname"] == "kind")
	assert tuple(options.split("\n")) == KINDS


def test_every_place_in_a_sentence_has_its_value():
	facts = Facts(
		NOW,
		[
			DeviceFacts(
				*("Shop", "QR", 1), quality="RED", token_ends_ms=1, tried=50, failed=50, oldest_due_ms=DAY_MS
			),
			DeviceFacts("Other", "Restricted"),
		],
		[TemplateFacts("Shop", "offer", "ar", "REJECTED", NOW)],
		*(DAY_MS, 1, DAY_MS),
		{"short": DAY_MS},
		0,
	)
	made = conditions(facts, Settings())
	assert {condition.kind for condition in made} == LOOKED_FOR
	for condition in made:
		places = set(re.findall(r"\{(\w+)\}", condition.text)) - {"date"}  # written for each reader
		assert places <= set(condition.values), condition.kind
	assert len({(one.kind, one.device, one.key) for one in made}) == len(made)


def test_two_of_one_kind_on_one_device_are_told_apart():
	rows = [TemplateFacts("Shop", name, "ar", "REJECTED", NOW) for name in ("offer", "reminder")]
	one, other = conditions(Facts(NOW, templates=rows), Settings())
	assert one.key != other.key


# -- when people are called


def played(looks, quiet_ms, is_once=False):
	"""(when, whether wrong, notified of the trouble, notified that it is over) for each look."""
	state, now, lines = State(), NOW, []
	for minutes, is_wrong in looks:
		now += minutes * MINUTE
		notified = solved = False
		if is_wrong:
			state, notified = seen(state, now, quiet_ms, is_once)
		else:
			state, solved = gone(state, now)
		lines.append((now, is_wrong, notified, solved))
	return lines


@given(LOOKS, QUIET, st.booleans())
def test_never_twice_within_the_quiet_time(looks, quiet_ms, is_once):
	times = [now for now, _wrong, notified, _solved in played(looks, quiet_ms, is_once) if notified]
	assert all(later - earlier >= quiet_ms for earlier, later in pairwise(times))


@given(LOOKS, QUIET)
def test_always_at_the_next_look_once_the_quiet_time_is_over(looks, quiet_ms):
	last = None
	for now, is_wrong, notified, _solved in played(looks, quiet_ms):
		if is_wrong and (last is None or now - last >= quiet_ms):
			assert notified
		if notified:
			last = now


@given(LOOKS, QUIET, st.booleans())
def test_that_it_is_over_is_once_and_only_to_who_knew(looks, quiet_ms, is_once):
	is_known = False
	for _now, is_wrong, notified, solved in played(looks, quiet_ms, is_once):
		assert solved == (is_known and not is_wrong)
		is_known = notified or (is_known and is_wrong)


@given(LOOKS, st.sampled_from((0, 60 * MINUTE)))
def test_who_is_once_is_once_an_episode(looks, quiet_ms):
	in_episode = 0
	for _now, is_wrong, notified, _solved in played(looks, quiet_ms, is_once=True):
		in_episode = in_episode + notified if is_wrong else 0
		assert in_episode <= 1


@given(LOOKS)
def test_without_a_quiet_time_each_episode_is_told_at_once_and_no_reminder_comes(looks):
	was_wrong = False
	for _now, is_wrong, notified, _solved in played(looks, 0):
		assert notified == (is_wrong and not was_wrong)
		was_wrong = is_wrong


def test_the_state_of_something_never_seen_is_right():
	assert gone(State(), NOW) == (State(), False)
	assert Condition(alerts.DISK).text == MESSAGES[alerts.DISK]
