"""Every code of Meta's error reference means one thing to do; the code decides,
and the answer's other words don't.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.drivers.base import (
	ERROR_KINDS,
	AuthError,
	OptedOut,
	Permanent,
	RateLimited,
	RecipientError,
	Retryable,
	SendError,
	UnknownOutcome,
	WindowClosed,
)
from khalifa_whatsapp.drivers.cloud_api.errors import ERRORS, FAMILIES, KINDS, describe, error_from, meaning
from khalifa_whatsapp.drivers.http import Reply

# The error reference, by what there is to do about a code.
REFERENCE: dict[type[SendError], tuple[int, ...]] = {
	Retryable: (1, 2, 131000, 131016, 131057),
	RateLimited: (4, 613, 80007, 130429, 131048, 131056),
	RecipientError: (130472, 130497, 131021, 131026, 131030, 131049, 137000),
	OptedOut: (131050,),
	WindowClosed: (131047,),
	# the device stops and a person is told: token, permissions, the account, its money, the number's
	# registration
	AuthError: (
		0,
		190,
		3,
		10,
		200,
		299,
		131005,
		33,
		368,
		131031,
		131042,
		131044,
		131037,
		131045,
		133010,
		133016,
	),
	Permanent: (
		100,
		131008,
		131009,
		131051,
		131052,
		131053,
		131062,
		131063,
		131064,
		132000,
		132001,
		132005,
		132007,
		132008,
		132012,
		132015,
		132016,
		132018,
		132068,
		132069,
		135000,
		131020,
		131041,
		131201,
		131215,
		138000,
		138018,
		139100,
		139103,
		147001,
		147005,
		2388000,
		2388999,
	),
}
PAIRS = [(code, kind) for kind, codes in REFERENCE.items() for code in codes]


def reply(body: Any, status: int = 200, **headers: str) -> Reply:
	return Reply(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


def refused(code: int, status: int = 400, **headers: str) -> SendError:
	return error_from(reply({"error": {"code": code, "message": "token EAAG"}}, status, **headers))


@pytest.mark.parametrize(("code", "kind"), PAIRS)
def test_a_code_of_the_reference_means_this(code: int, kind: type[SendError]) -> None:
	for status in (200, 400, 401, 403, 429, 500, 503):
		error = refused(code, status)
		assert type(error) is kind
		assert error.code == str(code)
	assert describe({"code": code})[:2] == (str(code), kind.kind)


def test_the_reference_and_the_table_hold_the_same_codes() -> None:
	families = {code for first, last, _, _ in FAMILIES for code in range(first, last + 1)}
	assert {code for code, _ in PAIRS} - families == set(ERRORS)


@pytest.mark.parametrize("code", [code for code, _ in PAIRS])
def test_a_text_for_people_is_a_sentence_that_can_be_translated(code: int) -> None:
	"""It is stored in 140 characters and looked up word for word: nothing of the answer may be in it."""
	known = meaning(code)
	assert known is not None
	assert refused(code).text == describe({"code": code, "error_data": {"details": "x"}})[2] == known[1]
	assert known[1].endswith((".", ")."))
	assert len(known[1]) <= 140


def test_a_code_beside_a_family_is_unknown() -> None:
	assert meaning(300) is None
	assert meaning(131216) is None


@pytest.mark.parametrize(
	("status", "error", "kind"),
	[
		(500, {"code": 131000}, Retryable),
		(500, {"code": 424242}, UnknownOutcome),
		(400, {"code": 424242}, Permanent),
		(400, {"code": 424242, "is_transient": True}, Retryable),
		(429, {"code": 130429}, RateLimited),
		(429, {}, RateLimited),
		(200, {"code": 131000}, Retryable),
		(200, {"code": 424242}, UnknownOutcome),
		(503, None, UnknownOutcome),
		(302, None, Retryable),
	],
)
def test_the_code_decides_before_the_status(status: int, error: Any, kind: type[SendError]) -> None:
	assert type(error_from(reply({"error": error}, status))) is kind


def test_only_the_pair_limit_is_about_one_customer() -> None:
	for code in REFERENCE[RateLimited]:
		error = refused(code)
		assert isinstance(error, RateLimited)
		assert error.is_pair is (code == 131056), code


@pytest.mark.parametrize(
	("code", "headers", "seconds"),
	[
		(130429, {"retry-after": "7"}, 7),
		(130429, {}, None),
		(131056, {}, 6),  # Meta's pace for one customer
		(131056, {"retry-after": "64"}, 64),
		(131048, {}, 6 * 3600),
		(131048, {"retry-after": "7"}, 6 * 3600),
	],
)
def test_a_rate_limit_says_how_long_to_wait(
	code: int, headers: dict[str, str], seconds: float | None
) -> None:
	assert refused(code, 429, **headers).retry_after == seconds


def test_details_go_masked_to_the_log_and_not_to_people(caplog: pytest.LogCaptureFixture) -> None:
	caplog.set_level(logging.INFO)
	error = error_from(reply({"error": {"code": 100, "error_data": {"details": "to 201001234567 bad"}}}, 400))
	assert error.text == "A part of the message is not valid."
	assert [record.getMessage() for record in caplog.records] == [
		"WhatsApp refused a call with code 100: to … bad"
	]


@given(
	st.integers(100, 599),
	st.one_of(
		st.binary(max_size=40),
		st.fixed_dictionaries(
			{
				"error": st.one_of(
					st.none(),
					st.text(),
					st.lists(st.integers()),
					st.fixed_dictionaries(
						{"code": st.one_of(st.none(), st.integers(), st.text(), st.floats(), st.booleans())}
					),
				)
			}
		),
	),
)
def test_every_answer_means_exactly_one_error(status: int, body: Any) -> None:
	error = error_from(reply(body, status))
	assert type(error) in KINDS.values()
	assert error.kind in ERROR_KINDS
	assert error.text
