"""Each fault of the catalogue, by real sockets and real kills; and a naive sender,
which the trials must catch.
"""

from __future__ import annotations

import pytest

from khalifa_whatsapp.core import records
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.services.outbound import dispatch
from khalifa_whatsapp.services.unit_of_work import working
from simulation.trials import gateways
from simulation.trials.stand import stand
from simulation.trials.table import CHROME, ENTRIES, Entry

KILLED_AGAIN_AND_AGAIN = ("F29", "F31")


def marks_of(entry: Entry) -> list[pytest.MarkDecorator]:
	"""The part of the tests that a trial belongs to."""
	if entry.kinds == CHROME:
		return [pytest.mark.browser]
	return [pytest.mark.long] if entry.fault in KILLED_AGAIN_AND_AGAIN else []


CASES = [
	pytest.param(entry, kind, marks=marks_of(entry), id=f"{entry.fault}-{kind}")
	for entry in ENTRIES
	for kind in entry.kinds
]


@pytest.mark.parametrize(("entry", "kind"), CASES)
def test_nothing_is_lost_sent_twice_or_falsely_said_to_be_sent(entry: Entry, kind: str, tmp_path) -> None:
	verdict = entry.run(tmp_path, kind, min(entry.count, 6))
	if not verdict.is_run:
		pytest.skip(verdict.note)
	assert verdict.is_good, verdict
	assert verdict.messages > 0


@pytest.mark.parametrize("kind", gateways.KINDS)
def test_what_the_gateway_can_answer_is_in_doubt_no_more(kind: str, tmp_path) -> None:
	verdict = gateways.f23_accepts_then_is_silent(tmp_path, kind, 4)
	assert (verdict.taken, verdict.unknown, verdict.failed) == (4, 0, 0)


def test_a_sender_that_sends_again_in_doubt_is_caught(tmp_path, monkeypatch) -> None:
	really = dispatch.refused

	def naive(work, driver, message, error):
		sure = base.Retryable(error.text, error.code) if isinstance(error, base.UnknownOutcome) else error
		return really(work, driver, message, sure)

	monkeypatch.setattr(dispatch, "refused", naive)
	assert gateways.f24_unreadable_answers(tmp_path, "wpp", 6).doubled > 0


def test_books_that_lie_are_caught(tmp_path) -> None:
	with stand("cloud", tmp_path, 2) as on:
		assert on.verdict().lost == 2, "nothing was sent yet"
		with working(on.store, on.clock()) as work:
			for message in on.answers():
				message.status = records.SENT
				work.touch(message)
		assert (on.verdict().lost, on.verdict().false) == (0, 2)
