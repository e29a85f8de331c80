"""The simulated month: the outbox keeps every promise, and the check notices when it does not."""

from __future__ import annotations

import pytest

from khalifa_whatsapp.core.pacing import CAMPAIGN, REPLY, Pace
from simulation import pace
from simulation.cli import main

DAYS = 5  # the fourth has the hour in which the gateway is down


@pytest.mark.long
def test_a_week_of_sending_breaks_no_promise_and_every_reply_goes() -> None:
	month = pace.simulate(DAYS)
	assert month.broken == []
	assert month.refused > 0
	replies = [message for _, message in month.sends if message.priority == REPLY]
	assert len(replies) >= pace.REPLIES_A_DAY * DAYS - 5, "only those of the last minutes may still wait"
	assert any(message.priority == CAMPAIGN for _, message in month.sends)


def test_a_device_without_a_pace_is_caught() -> None:
	month = pace.simulate(1, pace=Pace())
	report = " ".join(month.broken)
	for term in ("in one minute", "ms apart", "quiet hours", "new chats", "«offer one»"):
		assert term in report


def test_the_command_says_what_it_saw(capsys) -> None:
	assert main(["pacing", "--days", "1"]) == 0
	assert "promises broken: 0" in capsys.readouterr().out.replace("\n", " ")
